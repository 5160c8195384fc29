"""Refusals that a user can cause; pages and the API word them in their own way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: a JSON Pointer, and what would be accepted.

    `line` says where in a file of many records.
    """

    pointer: str
    detail: str
    line: int | None = None


class Refused(Exception):
    """The input cannot be stored as it is; `members` is what a problem document says besides."""

    def __init__(
        self, errors: Sequence[FieldError], members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__("; ".join(f"{e.pointer}: {e.detail}" for e in errors))
        self.errors = list(errors)
        self.members = dict(members or {})


class Conflict(Refused):
    """The input contradicts what is stored already."""


class StaleVersion(Exception):
    """Somebody else changed the row first; `row` is what is stored now, where it is known."""

    def __init__(self, current: int, row: Any = None) -> None:
        super().__init__(f"the current version is {current}")
        self.current, self.row = current, row
