"""Serializer fields that take JSON as it is typed: 1 is no text, "1" is no number, true is neither."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from registry.blank import is_blank


class Text(serializers.CharField):
    """A string, trimmed."""

    def to_internal_value(self, data: Any) -> str:
        """The string; numbers are not turned into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The string; what nobody sees is as blank as nothing."""
        unseen = isinstance(data, str) and is_blank(data)
        return super().run_validation("" if unseen else data)


class WholeNumber(serializers.IntegerField):
    """A whole number, such as 42 or 42.0."""

    def to_internal_value(self, data: Any) -> int:
        """The number; text that spells one is refused."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return super().to_internal_value(str(data))


class Number(serializers.DecimalField):
    """An exact decimal: a number in, a number out."""

    def to_internal_value(self, data: Any) -> Decimal:
        """The decimal; text that spells one is refused."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> Any:
        """A JSON number."""
        return None if value is None else float(value)


def plain(value: Any) -> Any:
    """JSON without exact decimals; raises ValueError for a number beyond the range of floats."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        if not math.isfinite(float(value)):
            raise ValueError("beyond the range of floats")
        return float(value)
    return value
