"""A dose schedule read from an intervention's description, where only one reading is possible: pure.

"12 mg orally on day 1-14 of a 21-day cycle" names a dose, a route, days and a cycle. A text that
names two doses (a reduction, a second drug) names none that could be taken without asking.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Schedule:
    """What a text says of a dose; None or empty where it says nothing, or more than one thing."""

    dose: Decimal | None = None
    unit: str = ""
    route: str = ""
    days_on: tuple[int, ...] = ()
    cycle_days: int | None = None

    def __bool__(self) -> bool:
        return self != Schedule()


def read_schedule(text: str, name: str, others: Collection[str] = ()) -> Schedule:
    """The schedule of the drug `name`; in a text that names `others` too, of its own clauses."""
    said = " ; ".join(_clauses(text, name, others))
    dose, unit = _only(_doses(said)) or (None, "")
    cycle, days = _only(_cycles(said)), _only(_days_on(said))
    if days is None and cycle and dose is not None and _EVERY.search(said) and not _DAILY(said):
        days = (1,)
    if days and cycle and days[-1] > cycle:
        days = cycle = None
    return Schedule(dose, unit, _only(_routes(said)) or "", days or (), cycle)


def in_words(schedule: Schedule) -> str:
    """A schedule as a description says it; `read_schedule` reads it again."""
    days = schedule.days_on
    return ", ".join(
        filter(
            None,
            (
                f"{schedule.dose.normalize():f} {schedule.unit}".strip()
                if schedule.dose is not None
                else "",
                {"oral": "orally", "intravenous": "intravenously"}.get(
                    schedule.route, schedule.route
                ),
                f"days {_ranged(days)}" if len(days) > 1 else f"day {days[0]}" if days else "",
                f"{schedule.cycle_days}-day cycles" if schedule.cycle_days else "",
            ),
        )
    )


def _ranged(days: Sequence[int]) -> str:
    if list(days) == list(range(days[0], days[-1] + 1)):
        return f"{days[0]}-{days[-1]}"
    return ", ".join(map(str, days))


def _only(values: Iterable[T]) -> T | None:
    """The value, where all are the same one."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


# --- clauses ---

_BREAK = re.compile(r";|\n|\.(?=\s|$)")
_NOT_DOSING = re.compile(r"assess|evaluat|imag|scan|follow-up|visit", re.IGNORECASE)


def _clauses(text: str, name: str, others: Collection[str]) -> Iterator[str]:
    """The clauses that tell of this drug's dosing."""
    shared = any(_mentions(text, other) for other in others)
    for clause in _BREAK.split(text):
        strange = any(_mentions(clause, other) for other in others)
        if _NOT_DOSING.search(clause) or (shared and (strange or not _mentions(clause, name))):
            continue
        yield clause


def _mentions(text: str, name: str) -> bool:
    words = [word for word in re.findall(r"\w+", name.casefold()) if len(word) > 3]
    return any(word in text.casefold() for word in words[:1])


# --- dose and route ---

_DOSE = re.compile(
    r"(?<![\d.,/–-])(\d{1,5}(?:\.\d{1,3})?)\s?"
    r"(mg/m2|mg/m²|mg/kg|g/m2|g/m²|[μµ]g/kg|[μµ]g|mcg|mg|IU|MIU|MBq|Gy)(?!\w|/(?!d(?:ay)?\b))",
    re.IGNORECASE,
)
_ROUTES = (
    ("oral", re.compile(r"\b(?:oral(?:ly)?|by mouth|po|p\.o\.|per os)(?!\w)", re.IGNORECASE)),
    ("intravenous", re.compile(r"\b(?:intravenous(?:ly)?|iv|i\.v\.|ivgtt)(?!\w)", re.IGNORECASE)),
    ("subcutaneous", re.compile(r"\b(?:subcutaneous(?:ly)?|s\.c\.)(?!\w)", re.IGNORECASE)),
    ("intramuscular", re.compile(r"\bintramuscular(?:ly)?\b", re.IGNORECASE)),
)


def _doses(text: str) -> Iterator[tuple[Decimal, str]]:
    for value, unit in _DOSE.findall(text):
        yield Decimal(value), unit


def _routes(text: str) -> Iterator[str]:
    for route, pattern in _ROUTES:
        if pattern.search(text):
            yield route


# --- days ---

_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8}
_N = rf"(\d{{1,3}}|{'|'.join(_WORDS)})"
_UNIT = r"(weeks?|wks?|days?|w|d)"
_DAILY = re.compile(
    r"\b(?:daily|per day|every day|a day|qd|q\.d\.|bid|b\.i\.d\.|twice|/d(?:ay)?)\b", re.IGNORECASE
).search
_EVERY = re.compile(rf"\b(?:every\s+{_N}[ -]*{_UNIT}|q\s?(\d{{1,2}})\s?{_UNIT})\b", re.IGNORECASE)
_CYCLE = (
    re.compile(rf"\bevery\s+{_N}[ -]*{_UNIT}\b", re.IGNORECASE),
    re.compile(rf"\bq\s?(\d{{1,2}})\s?{_UNIT}\b", re.IGNORECASE),
    re.compile(
        rf"\b{_N}[ -]*{_UNIT}[ -]+(?:(?:as|per|a|an|treatment|is)\s+){{0,2}}cycles?\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bcycles?\s*(?:of|is|are|every|:|=)\s*{_N}[ -]*{_UNIT}\b", re.IGNORECASE),
)
_ON_OFF = re.compile(
    rf"\b{_N}[ -]*{_UNIT}[ -]*on\b\W+(?:and\s+|then\s+|followed by\s+)?{_N}[ -]*{_UNIT}[ -]*off\b",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"\b(?:days?|d)\s*(\d{1,2})\s*(?:-|–|—|~|to|through)\s*(?:day\s*|d)?(\d{1,2})\b", re.IGNORECASE
)
_LIST = re.compile(
    r"\b(?:days?|d)\s*(\d{1,2}(?:\s*(?:,\s*and|,|and|&)\s*(?:day\s*)?\d{1,2}(?![-\d]))+)\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\b(?:day|d)\s*(\d{1,2})\b(?!\s*(?:-|–|—|~|&|to\b|through\b|(?:,|and\b)\s*\d+\b(?!-)))",
    re.IGNORECASE,
)


def _days(number: str, unit: str) -> int:
    count = _WORDS.get(number.casefold()) or int(number)
    return count * 7 if unit[0] in "wW" else count


def _cycles(text: str) -> Iterator[int]:
    """Lengths of a cycle in days, 2 to 365."""
    found = [_days(*match) for pattern in _CYCLE for match in pattern.findall(text)]
    found += [_days(on, a) + _days(off, b) for on, a, off, b in _ON_OFF.findall(text)]
    return (days for days in found if 2 <= days <= 365)


def _days_on(text: str) -> Iterator[tuple[int, ...]]:
    """Days of the cycle on which the drug is given, 1 to 31, in order."""
    found = [range(int(first), int(last) + 1) for first, last in _RANGE.findall(text)]
    found += [range(1, _days(on, unit) + 1) for on, unit, _, _ in _ON_OFF.findall(text)]
    found += [range(int(day), int(day) + 1) for day in _DAY.findall(_RANGE.sub("", text))]
    listed = [{int(day) for day in re.findall(r"\d+", days)} for days in _LIST.findall(text)]
    for days in [*found, *listed]:
        given = tuple(sorted(days))
        if given and given[0] >= 1 and given[-1] <= 31:
            yield given
