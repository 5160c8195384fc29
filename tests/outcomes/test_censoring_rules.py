"""Stored visits, therapies and deaths under each censoring rule: the same patients, side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from patients.models import Patient, Therapy
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, new_lesion, target

PROGRESSION, STABLE = (60, 45), (50, 30)
LESION = "NL01"
DEFINITIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "ema": {"rule": "ema"},
    "fda": {"rule": "fda"},
    "fda, any": {"rule": "fda", "censor_at": "last_any"},
    "fda, local": {"rule": "fda", "therapies": ["systemic", "radiotherapy"]},
}


class Course:
    """A patient with a first dose on day 1; days count from it."""

    def __init__(self, cast: Cast, subject: str, *, baseline: bool = True) -> None:
        self.by = cast.coordinator
        self.patient: Patient = factories.patient(cast.trial, subject)
        if baseline:
            factories.baseline(self.patient, by=self.by)

    def seen(self, day: int, mm: tuple[int, int] = STABLE, new: str = "") -> Course:
        lesions = (new_lesion(LESION, new),) if new else ()
        factories.follow_up(self.patient, day, mm, by=self.by, new_lesions=lesions)
        return self

    def not_evaluable(self, day: int) -> Course:
        rows = (target("T01", state="not_evaluable", reason="no contrast"), target("T02", 30))
        factories.follow_up(self.patient, day, by=self.by, targets=rows)
        return self

    def therapy(self, day: int, kind: str = "systemic") -> Course:
        Therapy.objects.create(patient=self.patient, kind=kind, started_on=on(day))
        return self

    def died(self, day: int) -> Course:
        Patient.objects.filter(pk=self.patient.pk).update(died_on=on(day))
        return self


def on(day: int) -> date:
    return START + timedelta(days=day)


@pytest.fixture
def patients(cast: Cast) -> None:
    """One for each way to be censored, and two with a lesion that is equivocal at first."""
    Course(cast, "therapy").seen(43).therapy(50).seen(85, PROGRESSION)
    Course(cast, "radiotherapy").seen(43).therapy(50, "radiotherapy").seen(85, PROGRESSION)
    Course(cast, "missed").seen(43).seen(142, PROGRESSION)
    Course(cast, "just in time").seen(43).seen(141, PROGRESSION)
    Course(cast, "NE before").seen(43).not_evaluable(85).seen(142, PROGRESSION)
    Course(cast, "NE last").seen(43).not_evaluable(85)
    Course(cast, "no baseline", baseline=False).died(20)
    Course(cast, "never assessed").therapy(30)
    Course(cast, "dated back").seen(43, new="equivocal").therapy(60).seen(85, new="unequivocal")
    Course(cast, "therapy first").seen(43).therapy(50).seen(85, new="equivocal").seen(
        127, new="unequivocal"
    )
    Course(cast, "alive").seen(43).seen(85)


EXPECTED = {
    # subject: under each definition in their order
    "therapy": "E85 E85 C43 C43 C43",
    "radiotherapy": "E85 E85 E85 E85 C43",
    "missed": "E142 E142 C43 C43 C43",
    "just in time": "E141 E141 E141 E141 E141",
    "NE before": "E142 E142 C43 E142 C43",
    "NE last": "C43 C43 C43 C85 C43",
    "no baseline": "E20 E20 C1 C1 C1",
    "never assessed": "C1 C1 C1 C1 C1",
    "dated back": "E43 E43 E43 E43 E43",
    "therapy first": "E85 E85 C43 C43 C43",
    "alive": "C85 C85 C85 C85 C85",
}


def listed(reader: Api, query: str) -> dict[str, Any]:
    answer = reader.get(f"/trials/NCT00000001/outcomes/patients/?{query}")
    assert answer.status_code == 200, answer.content
    return {row["subject_id"]: row["pfs"] for row in answer.json()["results"]}


def shown(pfs: dict[str, Any]) -> str:
    return f"{'E' if pfs['event'] else 'C'}{pfs['days']}"


@pytest.mark.usefixtures("patients")
def test_the_same_patients_under_each_definition(cast: Cast, api: Callable[[Any], Api]) -> None:
    reader, found = api(cast.investigator), []
    for name, censoring in DEFINITIONS.items():
        endpoint = cast.trial.endpoints.create(
            kind="PFS", name=name, definition={"censoring": censoring}
        )
        found.append(listed(reader, f"cutoff={on(300)}&definition={endpoint.pk}"))
    each = {subject: " ".join(shown(rows[subject]) for rows in found) for subject in EXPECTED}
    assert each == EXPECTED
    default, _ema, fda, *_ = found
    assert fda["therapy"]["code"] == fda["therapy first"]["code"] == "censored_new_therapy"
    assert fda["never assessed"]["code"] == "censored_new_therapy_at_origin"
    assert fda["missed"]["code"] == "censored_missed_assessments"
    assert fda["no baseline"]["code"] == "censored_no_baseline"
    assert default["therapy first"]["code"] == "progression_dated_back"
    assert default["never assessed"]["code"] == "censored_never_assessed"
    # all definitions stand side by side in one report: events of each
    report = reader.get(f"/trials/NCT00000001/outcomes/?cutoff={on(300)}").json()
    events = [report["pfs"], *report["additional"]]
    assert [one["events"] for one in events] == [
        sum(row.split()[column].startswith("E") for row in EXPECTED.values()) for column in range(5)
    ]


@pytest.mark.usefixtures("patients")
def test_a_lesion_is_dated_back_only_when_the_cutoff_knows(
    cast: Cast, api: Callable[[Any], Api]
) -> None:
    """Before the confirmation the FDA rule censors at the therapy; after it there was progression."""
    fda = cast.trial.endpoints.create(
        kind="PFS", name="FDA", definition={"censoring": {"rule": "fda"}}
    )
    reader = api(cast.investigator)
    before, after = (
        listed(reader, f"cutoff={on(day)}&definition={fda.pk}")["dated back"] for day in (84, 85)
    )
    assert (shown(before), before["code"]) == ("C43", "censored_new_therapy")
    assert (shown(after), after["code"]) == ("E43", "progression_dated_back")
    assert before["source"] == after["source"]
