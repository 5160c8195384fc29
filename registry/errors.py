"""Refusals that a user can cause; pages and the API word them in their own way."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: a JSON Pointer, and what would be accepted."""

    pointer: str
    detail: str


class Refused(Exception):
    """The input cannot be stored as it is."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.pointer}: {e.detail}" for e in errors))
        self.errors = list(errors)


class Conflict(Refused):
    """The input contradicts what is stored already."""


class StaleVersion(Exception):
    """Somebody else changed the row first."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the current version is {current}")
        self.current = current
