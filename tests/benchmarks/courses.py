"""Made-up patients in any number: the same number always gives the same patient.

A course is what an outside system would send, as bodies of the API; `rows` makes of it the rows
that the registry stores. Responses vary, with new lesions, therapies, deaths and missed targets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from outcomes.edits import immune_document
from outcomes.methods import irecist, recist
from outcomes.methods.organs import organ_group
from outcomes.methods.recist import Assessment, Derived, NewLesion, NonTarget, Target
from outcomes.models import METHODS_VERSION

FIRST, LAST = Date(2016, 1, 4), 1800  # enrollment: days after the first
FOLLOW_UPS = (5, 3, 7, 4, 6)  # 5 on average, so 6 visits with the baseline
INTERVAL = 42
SITES = ("01", "02", "03", "04")
HISTOLOGIES = ("leiomyosarcoma", "liposarcoma", "synovial sarcoma", "alveolar soft part sarcoma")
ORGANS = ("lung", "liver", "lung", "soft tissue", "skin")  # two per organ at most
COURSES = {  # factor of a diameter from visit to visit, and how often
    "shrinks": (0.80, 0.30),
    "holds": (0.98, 0.40),
    "grows": (1.12, 0.25),
    "vanishes": (0.45, 0.05),
}
Body = dict[str, Any]


@dataclass
class Course:
    """One patient from enrollment to the last news: bodies of the API."""

    patient: Body
    visits: list[Body] = field(default_factory=list)
    therapies: list[Body] = field(default_factory=list)

    def lines(self) -> Iterator[Body]:
        """The course as lines of an import: the patient, the visits, the therapies."""
        subject = {"patient": self.patient["subject_id"]}
        yield {"record": "patient"} | self.patient
        yield from ({"record": "visit"} | subject | visit for visit in self.visits)
        yield from ({"record": "therapy"} | subject | therapy for therapy in self.therapies)

    def derived(self) -> tuple[Derived, ...]:
        """What RECIST 1.1 and iRECIST make of the visits."""
        baseline = self.visits[0]
        organs = {row["lesion"]: row["organ"] for row in baseline["targets"]}
        first, *later = (_assessment(visit, organs) for visit in self.visits)
        found = recist.derive(first, later)
        immune = (None, *irecist.derive(first, later, found[1:]))
        return tuple(replace(one, immune=by) for one, by in zip(found, immune, strict=True))


def courses(count: int, first: int = 0) -> list[Course]:
    """So many patients, from the given number on."""
    return [course(number) for number in range(first, first + count)]


def course(number: int) -> Course:
    """One patient, made from the number alone."""
    chance = Random(number)
    enrolled = FIRST + timedelta(days=chance.randrange(LAST))
    made = Course({
        "subject_id": f"S-{number:06}",
        "site": SITES[number % len(SITES)],
        "sex": chance.choice(("female", "male")),
        "birth_year": chance.randrange(1940, 1995),
        "histology": chance.choice(HISTOLOGIES),
        "ecog": chance.randrange(3),
        "enrolled_on": enrolled.isoformat(),
        "first_dose_on": (enrolled + timedelta(days=chance.randrange(1, 6))).isoformat(),
    })  # fmt: skip
    _follow(made, enrolled, FOLLOW_UPS[number % len(FOLLOW_UPS)], chance)
    _end(made, chance)
    return made


def _follow(made: Course, enrolled: Date, follow_ups: int, chance: Random) -> None:
    sizes = [chance.randrange(1500, 8000) / 100 for _ in range(chance.randrange(1, 6))]
    others = [f"NT{i:02}" for i in range(1, chance.randrange(1, 4))]
    kinds, weights = zip(*COURSES.values(), strict=True)
    factor = chance.choices(kinds, weights)[0]
    made.visits.append(_baseline(enrolled - timedelta(days=chance.randrange(14)), sizes, others))
    seen: list[str] = []
    for number in range(1, follow_ups + 1):
        sizes = [_next(size, factor, chance) for size in sizes]
        on = enrolled + timedelta(days=INTERVAL * number + chance.randrange(-4, 5))
        made.visits.append(_visit(on, sizes, others, seen, chance))


def _next(size: float, factor: float, chance: Random) -> float:
    grown = size * factor * chance.uniform(0.93, 1.07)
    return min(round(grown, 2), 400.0) if grown >= 4 else 0.0


def _baseline(on: Date, sizes: Sequence[float], others: Sequence[str]) -> Body:
    targets = [
        {"lesion": f"T{i:02}", "organ": organ, "method": "ct", "slice_mm": 5} | _measured(size)
        for i, (organ, size) in enumerate(zip(ORGANS, sizes, strict=False), 1)
    ]
    non_targets = [
        {"lesion": label, "organ": "pleura", "method": "ct", "status": "present"}
        for label in others
    ]
    rows = {"targets": targets, "non_targets": non_targets, "new_lesions": []}
    return {"kind": "baseline", "date": on.isoformat()} | rows


def _measured(size: float) -> Body:
    return {"state": "measured", "diameter_mm": size} if size else {"state": "absent"}


def _visit(
    on: Date, sizes: Sequence[float], others: Sequence[str], seen: list[str], chance: Random
) -> Body:
    """A follow-up; `seen` are the labels of the new lesions so far and gets this visit's."""
    targets = [{"lesion": f"T{i:02}"} | _measured(size) for i, size in enumerate(sizes, 1)]
    if chance.random() < 0.03:
        targets[0] = {"lesion": "T01", "state": "not_evaluable", "reason": "artifact"}
    status = "unequivocal_progression" if chance.random() < 0.03 else "present"
    return {
        "kind": "scheduled",
        "date": on.isoformat(),
        "targets": targets,
        "non_targets": [{"lesion": label, "status": status} for label in others],
        "new_lesions": _new_lesions(seen, chance),
    }


def _new_lesions(seen: list[str], chance: Random) -> list[Body]:
    if seen and chance.random() < 0.5:
        return [{"lesion": seen[0], "certainty": "unequivocal"}]
    if chance.random() > 0.06:
        return []
    seen.append(f"NL{len(seen) + 1:02}")
    certainty = chance.choice(("equivocal", "unequivocal"))
    return [{"lesion": seen[-1], "certainty": certainty, "organ": "liver"}]


def _end(made: Course, chance: Random) -> None:
    """Subsequent therapy, death or the last news."""
    last = Date.fromisoformat(made.visits[-1]["date"])
    later = [last + timedelta(days=days) for days in sorted(chance.sample(range(1, 500), 3))]
    made.patient["last_dose_on"] = last.isoformat()
    if chance.random() < 0.4:
        kind = chance.choice(("systemic", "systemic", "radiotherapy"))
        made.therapies.append(
            {"started_on": later[0].isoformat(), "kind": kind, "description": "second line"}
        )
    if chance.random() < 0.5:
        made.patient |= {"died_on": later[2].isoformat(), "death_cause": "sarcoma"}
    else:
        made.patient["last_known_alive_on"] = later[1].isoformat()


def _assessment(visit: Body, organs: dict[str, str]) -> Assessment:
    return Assessment(
        date=Date.fromisoformat(visit["date"]),
        targets=[
            Target(
                lesion=row["lesion"],
                state=recist.TargetState(row["state"]),
                diameter_mm=_decimal(row),
                organ_group=organ_group(organs[row["lesion"]]),
                method=recist.ImagingMethod.CT,
            )
            for row in visit["targets"]
        ],
        non_targets=[
            NonTarget(lesion=row["lesion"], status=recist.NonTargetState(row["status"]))
            for row in visit["non_targets"]
        ],
        new_lesions=[
            NewLesion(
                row["lesion"],
                recist.Certainty(row["certainty"]),
                organ_group=organ_group(row.get("organ", "")),
            )
            for row in visit["new_lesions"]
        ],
    )


def _decimal(row: Body) -> Decimal | None:
    return Decimal(str(row["diameter_mm"])) if "diameter_mm" in row else None


def derived_columns(derived: Derived) -> Body:
    """The derived columns of a visit's row."""
    return {
        "sum_mm": derived.sum_mm,
        "baseline_sum_mm": derived.baseline_sum_mm,
        "nadir_mm": derived.nadir_mm,
        "complete": derived.complete,
        "target_response": (derived.target_response or ""),
        "non_target_response": (derived.non_target_response or ""),
        "new_lesion": derived.new_lesion,
        "overall_response": (derived.overall_response or ""),
        "reasons": json.dumps([_document(reason) for reason in derived.reasons]),
        "warnings": json.dumps([_document(reason) for reason in derived.warnings]),
        "irecist_response": derived.immune.response if derived.immune else "",
        "irecist": json.dumps(immune_document(derived.immune) if derived.immune else {}),
        "methods_version": METHODS_VERSION,
    }


def _document(reason: recist.Reason) -> Body:
    return {"code": reason.code, "parameters": dict(reason.parameters)}
