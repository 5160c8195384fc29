"""Every block of the reference file is read by a comparison, or is named here with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.outcomes.methods import test_best_response, test_comparison, test_survival

REFERENCE = Path(__file__).parents[2] / "reference"
NO_SLOPE = "the percentile is not reached, or the other bound is missing: there is no slope"
SAID = "it says what the block is, and no number to compare"
NOT_READ = {  # last key: why no comparison reads it
    "note": SAID,
    "unit": SAID,
    "source": SAID,
    "warnings": "R's warnings; the one fit that has any is exempt by its numbers",
    "p": "0.25, 0.5 and 0.75 in every table, as the comparison asks",
    "u_p": NO_SLOPE,
    "l_p": NO_SLOPE,
}
Path_ = tuple[str, ...]


class Read(dict[str, Any]):
    """A JSON object that remembers which of its leaves were looked at."""

    def __init__(self, values: dict[str, Any], path: Path_, seen: set[Path_]) -> None:
        super().__init__({key: watched(value, (*path, key), seen) for key, value in values.items()})
        self.path, self.seen = path, seen

    def __getitem__(self, key: str) -> Any:
        self.seen.add((*self.path, key))
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add((*self.path, key))
        return super().get(key, default)

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]


def watched(value: Any, path: Path_, seen: set[Path_]) -> Any:
    """The same value, whose objects remember; of a list of objects all share one path."""
    if isinstance(value, dict):
        return Read(value, path, seen)
    return [watched(item, path, seen) for item in value] if isinstance(value, list) else value


def comparisons(module: Any) -> list[Any]:
    """What a module's own test compares, so that none is read here alone."""
    (mark,) = module.test_agrees_with_the_reference.pytestmark
    return [case.values[0] for case in mark.args[1]]


def at(document: Any, path: Path_) -> Any:
    """The value under a path of keys."""
    return at(document[path[0]], path[1:]) if path else document


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The paths of whatever is no object, and no list of objects."""
    rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
    for row in rows:
        if isinstance(row, dict):
            for key, item in row.items():
                yield from leaves(item, (*path, key))
        else:
            yield path


def test_every_block_of_the_survival_reference_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[Path_] = set()
    reader = SimpleNamespace(loads=lambda text: watched(json.loads(text), (), seen))
    for module in (test_survival, test_comparison):
        monkeypatch.setattr(module, "json", reader)
        for block, facts in product(module.blocks(), comparisons(module)):
            assert list(facts(block))
    document = json.loads((REFERENCE / "survival.json").read_text())
    rows = set(leaves(document["datasets"], ("datasets",)))
    unread = rows - seen
    assert {path[-1] for path in unread} == set(NOT_READ), sorted(unread)[:20]
    for path in unread:
        if NOT_READ[path[-1]] == NO_SLOPE:
            percentile = at(document, path[:-1])
            assert None in (percentile["estimate"], percentile["u_p"]), path
    # a landmark beyond follow-up is read and said to be not estimable, in a test of its own
    assert set(document) == {"meta", "datasets", "proportions"}
    assert {key for row in document["proportions"] for key in row} == {
        "k", "n", "cp_lower", "cp_upper", "wilson_lower", "wilson_upper",
    }  # fmt: skip  # each read by tests/outcomes/methods/test_proportions.py, 24 limits in all


def test_every_case_of_the_best_response_reference_is_compared() -> None:
    """A case is asserted or exempt by its name; of its keys the others only say where it is from."""
    document = json.loads((REFERENCE / "best_response.json").read_text())
    assert set(document) == {"meta", "cases"}
    ids = [case["id"] for case in document["cases"]]
    assert len(ids) == len(set(ids)) == len(test_best_response.CASES) == 134
    assert set(test_best_response.EXEMPT) <= set(ids)
    assert len(test_best_response.EXEMPT) == 11
    assert {key for case in document["cases"] for key in case} == {
        "id", "endpoint", "params", "reference_date", "first_pd_date_supplied", "assessments",
        "expected",  # read
        "origin", "source", "method", "subject", "first_response_date_supplied",  # where it is from
    }  # fmt: skip
