"""Participant flow and baseline characteristics as ClinicalTrials.gov's results section has them.

Counts of what is recorded of the participants; nothing is estimated here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from outcomes.ctgov.groups import Document, Group, denominators, identified, listed
from outcomes.report import UNKNOWN
from patients.models import (
    MOST_PRIOR_LINES,
    Disposition,
    DispositionKind,
    DispositionReason,
    Patient,
    Sex,
)

FIELDS = (
    "id", "sex", "birth_year", "ecog", "histology", "prior_lines", "enrolled_on", "first_dose_on", "died_on",
)  # fmt: skip
ARM = "allocation__arm__name"
# The categories of ClinicalTrials.gov, with the ages in whole years that they hold.
AGES = {
    "<=18 years": range(19),
    "Between 18 and 65 years": range(19, 65),
    ">=65 years": range(65, 300),
}


@dataclass(frozen=True)
class Ending:
    """A disposition: what ended, when and why."""

    kind: str
    on: Date
    reason: str
    follow_up_continues: bool | None


@dataclass(frozen=True)
class Participant:
    """What the flow and the baseline need to know of one; `arm` as the report calls it."""

    id: int
    arm: str
    sex: str
    birth_year: int | None
    ecog: int | None
    histology: str
    prior_lines: int | None
    enrolled_on: Date | None
    first_dose_on: Date | None
    died_on: Date | None
    endings: tuple[Ending, ...]

    def enrolled_by(self, cutoff: Date) -> bool:
        """Whether they had started the study."""
        return _by(self.enrolled_on, cutoff)

    def treated_by(self, cutoff: Date) -> bool:
        """Whether they had had a dose."""
        return _by(self.first_dose_on, cutoff)

    def died_by(self, cutoff: Date) -> bool:
        """Whether they had died."""
        return _by(self.died_on, cutoff)

    def ending(self, cutoff: Date) -> str | None:
        """Why they are no longer followed: the first of what ended it; None while they are."""
        died = [(self.died_on, "Death")] if self.died_on else []
        ended = [(e.on, _ENDINGS[e.kind]) for e in self.endings if _ends(e)]
        found = [(on, why) for on, why in (*ended, *died) if on <= cutoff]
        return min(found, key=lambda end: end[0])[1] if found else None


_COMPLETED = "COMPLETED"
_ENDINGS = {
    DispositionKind.COMPLETED.value: _COMPLETED,
    DispositionKind.WITHDRAWN.value: "Withdrawal by Subject",
    DispositionKind.LOST_TO_FOLLOW_UP.value: "Lost to Follow-up",
}


def _ends(ending: Ending) -> bool:
    """Whether it ends the follow-up: who only stops the treatment stays in the study."""
    return ending.kind in _ENDINGS and ending.follow_up_continues is not True


def _by(date: Date | None, cutoff: Date) -> bool:
    return date is not None and date <= cutoff


def participants(patients: QuerySet[Patient], *, blinded: bool) -> list[Participant]:
    """These patients with what ended for them: two statements, no arm if `blinded`."""
    chosen = patients.order_by().values("pk")
    endings: dict[int, list[Ending]] = defaultdict(list)
    rows = Disposition.objects.active().filter(patient__in=chosen).order_by("on", "id")
    for row in rows.values_list("patient_id", "kind", "on", "reason", "follow_up_continues"):
        endings[row[0]].append(Ending(*row[1:]))
    columns = FIELDS if blinded else (*FIELDS, ARM)
    found: Iterable[dict[str, Any]] = patients.order_by("subject_id").values(*columns)
    return [
        Participant(arm=row.pop(ARM, None) or UNKNOWN, endings=tuple(endings[row["id"]]), **row)
        for row in found
    ]


Members = Mapping[Group, Sequence[Participant]]
Choice = Callable[[Participant], object]


def _started(members: Members, cutoff: Date) -> dict[Group, list[Participant]]:
    """Who was enrolled, each in one group only."""
    apart = {group: of for group, of in members.items() if group.arm} or members
    return {g: [p for p in of if p.enrolled_by(cutoff)] for g, of in apart.items()}


# --- participant flow ---


def participant_flow(members: Members, cutoff: Date) -> Document:
    """One period: who started, was treated and ended; of whom no end is recorded, as such."""
    started = _started(members, cutoff)
    ids = identified(list(started), "FG")
    ends = {g: Counter(p.ending(cutoff) for p in of) for g, of in started.items()}
    n = {group: len(of) for group, of in started.items()}
    completed = {group: found[_COMPLETED] for group, found in ends.items()}
    left = {group: n[group] - completed[group] for group in n}
    treated = {g: sum(p.treated_by(cutoff) for p in of) for g, of in started.items()}
    milestones = [
        _milestone("STARTED", ids, n),
        _milestone(_("Received treatment"), ids, treated),
        *_discontinued(ids, started, cutoff),
        _milestone(_COMPLETED, ids, completed),
        _milestone("NOT COMPLETED", ids, left),
    ]
    period = {
        "title": _("Overall Study"),
        "milestones": milestones,
        "dropWithdraws": _reasons(ids, ends),
    }
    return {"groups": listed(ids), "periods": [period]}


def _milestone(kind: str, ids: Mapping[Group, str], counts: Mapping[Group, int]) -> Document:
    reached = [{"groupId": pk, "numSubjects": str(counts[g])} for g, pk in ids.items()]
    return {"type": kind, "achievements": reached}


def _discontinued(
    ids: Mapping[Group, str], started: Mapping[Group, Sequence[Participant]], cutoff: Date
) -> list[Document]:
    """Who stopped the treatment, with the reasons in a comment; nothing where none is recorded."""
    reached = []
    for group, pk in ids.items():
        reasons = Counter(why for p in started[group] for why in _stopped(p, cutoff)[:1])
        row = {"groupId": pk, "numSubjects": str(reasons.total())}
        told = ", ".join(f"{_reason(why)}: {n}" for why, n in sorted(reasons.items()))
        reached.append(row | ({"comment": told} if told else {}))
    some = any("comment" in row for row in reached)
    return [{"type": _("Discontinued treatment"), "achievements": reached}] if some else []


def _reason(why: str) -> str:
    return str(DispositionReason(why).label) if why else _("reason not recorded")


def _stopped(participant: Participant, cutoff: Date) -> list[str]:
    stops = DispositionKind.TREATMENT_DISCONTINUED
    return [e.reason for e in participant.endings if e.kind == stops and e.on <= cutoff]


def _reasons(ids: Mapping[Group, str], ends: Mapping[Group, Counter[str | None]]) -> list[Document]:
    """Why the others did not complete: reasons that nobody has are left out."""
    found: dict[str | None, str] = {
        "Death": "Death",
        "Withdrawal by Subject": "Withdrawal by Subject",
        "Lost to Follow-up": "Lost to Follow-up",
        None: _("No end recorded up to the data cutoff"),
    }
    return [
        {
            "type": title,
            "reasons": [
                {"groupId": pk, "numSubjects": str(ends[group][why])} for group, pk in ids.items()
            ],
        }
        for why, title in found.items()
        if any(of[why] for of in ends.values())
    ]


# --- baseline ---


def baseline(members: Members, cutoff: Date) -> Document:
    """Age, sex, ECOG, histology and prior lines of all who started, as counts."""
    started = _started(members, cutoff)
    everybody = [p for of in started.values() for p in of]
    if len(started) > 1:
        started[Group(_("Total"), _("All reporting groups."), None)] = everybody
    ids = identified(list(started), "BG")
    table = _Table({ids[group]: of for group, of in started.items()})
    known = {p.histology for p in everybody if p.histology}
    measures = [
        table.measure(_("Age, Categorical"), _ages(everybody), _age, _AGES_TOLD),
        _sexes(table, everybody),
        table.measure(
            _("ECOG performance status"), range(6), lambda p: p.ecog, _("At enrollment.")
        ),
        table.measure(_("Histology"), sorted(known), lambda p: p.histology or None, ""),
        table.measure(
            _("Prior lines of systemic therapy"),
            range(MOST_PRIOR_LINES + 1),
            lambda p: p.prior_lines,
            _("For advanced disease, at enrollment."),
        ),
    ]
    return {
        "populationDescription": _("All participants enrolled up to the data cutoff %s.") % cutoff,
        "groups": listed(ids),
        "denoms": denominators((pk, len(of)) for pk, of in table.columns.items()),
        "measures": [measure for measure in measures if measure],
    }


@dataclass(frozen=True)
class _Table:
    """Participants by the id of their group."""

    columns: Mapping[str, Sequence[Participant]]

    def measure(
        self, title: str, categories: Iterable[object], choice: Choice, description: str
    ) -> Document:
        """How many are in each category that somebody is in; empty where nothing is known."""
        counts = {pk: Counter(map(choice, of)) for pk, of in self.columns.items()}
        rows = [(str(c), c) for c in categories if any(n[c] for n in counts.values())]
        if rows and any(n[None] for n in counts.values()):
            rows.append((_("Unknown"), None))
        if not rows:
            return {}
        measure = {
            "title": title,
            "paramType": "COUNT_OF_PARTICIPANTS",
            "unitOfMeasure": "Participants",
            "classes": [{"categories": [_category(name, c, counts) for name, c in rows]}],
        }
        return measure | ({"description": description} if description else {})


def _category(title: str, category: object, counts: Mapping[str, Counter[object]]) -> Document:
    rows = [{"groupId": pk, "value": str(n[category])} for pk, n in counts.items()]
    return {"title": title, "measurements": rows}


def _sexes(table: _Table, everybody: Sequence[Participant]) -> Document:
    """Under the fixed title where all are known: it has no third category."""
    all_known = all(p.sex != Sex.UNKNOWN for p in everybody)
    titles = {"Female": Sex.FEMALE.value, "Male": Sex.MALE.value}
    by_sex = {value: title for title, value in titles.items()}
    return table.measure(
        "Sex: Female, Male" if all_known else "Sex/Gender, Customized",
        titles,
        lambda p: by_sex.get(p.sex),
        "",
    )


_AGES_TOLD = (
    "At enrollment, from the year of birth: who may belong to either of two categories, or whose"
    " year of birth is not recorded, counts as unknown."
)


def _ages(everybody: Iterable[Participant]) -> list[str]:
    """All categories where somebody is in one."""
    return list(AGES) if any(_age(p) for p in everybody) else []


def _age(participant: Participant) -> str | None:
    """The one category of both ages that a year of birth leaves possible."""
    if participant.birth_year is None or participant.enrolled_on is None:
        return None
    most = participant.enrolled_on.year - participant.birth_year
    found = [name for name, ages in AGES.items() if {most, max(most - 1, 0)} <= set(ages)]
    return found[0] if found else None
