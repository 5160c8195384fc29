"""What patients are grouped and stratified by: pure, from what a report knows of one.

Ages are grouped at 40 years, where the adolescents and young adults of the US National Cancer
Institute end (15 to 39), and at 60. Lines of therapy from the third on are one group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outcomes.queries import PatientFacts

UNKNOWN = "unknown"  # the group, and the stratum, of those about whom nothing was said
ARM = "arm"
STRATA = ("histology", "site", "sex", "ecog", "age_band", "prior_lines")
GROUPS = (ARM, *STRATA)
AGE_BANDS = {"<40": range(40), "40-59": range(40, 60), ">=60": range(60, 300)}
PRIOR_LINES = {"0": range(1), "1": range(1, 2), "2": range(2, 3), ">=3": range(3, 256)}
# What counts as the day at which a patient's age is taken: the first of these that is known.
AGE_AT = ("enrolled_on", "randomized_on", "first_dose_on")
ORDERS: dict[str, Sequence[str]] = {
    "age_band": list(AGE_BANDS),
    "prior_lines": list(PRIOR_LINES),
}


def value(of: PatientFacts, characteristic: str) -> str:
    """What the patient's group or stratum is called; `unknown` where nothing was said."""
    found = READERS[characteristic](of)
    return UNKNOWN if found in (None, "") else str(found)


def in_order(characteristic: str, names: Sequence[str]) -> list[str]:
    """Groups as they are listed: bands from the lowest on, others by name, the unknown last."""
    order = ORDERS.get(characteristic, ())
    place = {name: at for at, name in enumerate(order)}
    return sorted(names, key=lambda name: (name == UNKNOWN, place.get(name, len(place)), name))


def age(of: PatientFacts) -> int | None:
    """Years from the year of birth to that of enrollment: the age reached in that year.

    No full date of birth is kept, so somebody may be a year younger on the day.
    """
    on = next((date for name in AGE_AT if (date := of.dates[name])), None)
    return None if on is None or of.birth_year is None else on.year - of.birth_year


def _band(bands: dict[str, range], number: int | None) -> str | None:
    return next((name for name, numbers in bands.items() if number in numbers), None)


READERS: dict[str, Callable[[PatientFacts], object]] = {
    ARM: lambda of: of.arm,
    "histology": lambda of: of.histology,
    "site": lambda of: of.site,
    "sex": lambda of: of.sex,
    "ecog": lambda of: of.ecog,
    "age_band": lambda of: _band(AGE_BANDS, age(of)),
    "prior_lines": lambda of: _band(PRIOR_LINES, of.prior_lines),
}
