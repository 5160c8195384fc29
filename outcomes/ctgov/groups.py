"""Reporting groups of a ClinicalTrials.gov results section: arms, or everybody.

Every module of the section numbers the same groups anew: FG000, BG000, OG000, EG000.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """A group; `arm` is what the report calls it, None the participants of all arms."""

    title: str
    description: str
    arm: str | None


def identified(groups: Sequence[Group], prefix: str) -> Mapping[Group, str]:
    """The groups with their ids in one module."""
    return {group: f"{prefix}{number:03}" for number, group in enumerate(groups)}


def listed(ids: Mapping[Group, str]) -> list[Document]:
    """The groups as a module lists them."""
    return [
        {"id": pk, "title": group.title, "description": group.description}
        for group, pk in ids.items()
    ]


def denominators(counts: Iterable[tuple[str, int]]) -> list[Document]:
    """Participants analyzed per group id."""
    rows = [{"groupId": pk, "value": str(n)} for pk, n in counts]
    return [{"units": "Participants", "counts": rows}]
