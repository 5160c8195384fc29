"""The participant flow over HTTP: hand-worked trials, readers, refusals, statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from patients.models import (
    Allocation,
    Consent,
    Deviation,
    Disposition,
    Dose,
    Patient,
    Screening,
)
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes import alter_s006
from trials.models import Arm, Criterion, Site, Trial

Body = dict[str, Any]
Login = Callable[[Any], Api]
PATH = "/trials/NCT00000001/consort/"


def on(day: int) -> date:
    return START + timedelta(days=day)


def screen(
    of: Trial, subject_id: str, site: str = "01", conclusion: str = "open", **fields: Any
) -> Patient:
    """A person who was screened on START and not enrolled."""
    person = factories.patient(of, subject_id, site, enrolled_on=None, first_dose_on=None)
    Screening.objects.create(
        patient=person, protocol_version=of.protocol_version, screened_on=START,
        conclusion=conclusion, **fields,
    )  # fmt: skip
    return person


def fail(of: Trial, subject_id: str, *criteria: Criterion, site: str = "01") -> Patient:
    """A screen failure by these criteria; all others were met."""
    results: list[Any] = [{"criterion": c.pk, "result": "not_met", "reasons": []} for c in criteria]
    results += [{"criterion": 10**9, "result": "not_met"}, {"result": "met"}, "?", {"criterion": 3}]
    return screen(
        of, subject_id, site, "failed", failure_reason="not_eligible", results=results
    )  # fmt: skip


def allot(patient: Patient, arm: Arm) -> Patient:
    """The patient, in an arm."""
    Allocation.objects.create(patient=patient, trial=patient.trial, arm=arm)
    return patient


def ended(patient: Patient, kind: str, day: int = 60, **fields: Any) -> Disposition:
    """Something that ended for a patient."""
    return Disposition.objects.create(patient=patient, kind=kind, on=on(day), **fields)


def consort(api: Api, query: str = "?cutoff=2024-12-31") -> Body:
    """The flow."""
    answer = api.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


@pytest.fixture
def randomized(cast: Cast) -> list[Patient]:
    """Twelve screened; six randomized 2:1; site 02 has the last of each."""
    trial = cast.trial
    Trial.objects.update(enrollment_gate="screening", allocation="RANDOMIZED")
    anlotinib = Arm.objects.create(trial=trial, name="anlotinib", type="EXPERIMENTAL")
    placebo = Arm.objects.create(trial=trial, name="placebo", type="PLACEBO_COMPARATOR")
    platelets, age = (
        Criterion.objects.create(trial=trial, kind="inclusion", text=text, position=i)
        for i, text in enumerate(("Platelets >= 80 x 10^9/L", "Age 18 to 70 years"))
    )
    fail(trial, "S-1", platelets)
    fail(trial, "S-2", platelets, age)
    fail(trial, "S-3", site="02")
    screen(trial, "S-4", conclusion="failed", failure_reason="declined")
    screen(trial, "S-5", site="02")
    screen(trial, "S-6", conclusion="eligible")
    people = []
    for number in range(6):
        person = screen(trial, f"P-{number}", "02" if number > 3 else "01", "eligible")
        facts = {"enrolled_on": START, "randomized_on": START, "first_dose_on": on(1)}
        Patient.objects.filter(pk=person.pk).update(**facts)
        person.refresh_from_db()
        people.append(allot(person, placebo if number % 3 == 2 else anlotinib))
    Patient.objects.filter(subject_id="P-2").update(first_dose_on=None)
    ended(people[0], "treatment_discontinued", reason="adverse_event")
    ended(people[1], "withdrawn", follow_up_continues=True)
    here, there = Site.objects.order_by("code")
    ended(people[4], "transferred", from_site=here, to_site=there)
    Patient.objects.filter(subject_id="P-5").update(died_on=on(100))
    seen = people[0].screenings.get()
    for version in (0, 1):  # recorded again after a correction: one deviation
        Deviation.objects.create(
            patient=people[0], criterion=age, occurred_on=START, justification="71 and fit",
            screening=seen, screening_version=version,
        )  # fmt: skip
    factories.baseline(people[0], by=cast.superuser)
    factories.follow_up(people[0], 43, by=cast.superuser)
    factories.baseline(people[1], by=cast.superuser)
    effusion = (factories.non_target("NT01", organ="pleural effusion"),)
    factories.baseline(people[3], by=cast.superuser, targets=(), non_targets=effusion)
    return people


def test_a_randomized_trial_by_hand(cast: Cast, randomized: list[Patient], api: Login) -> None:
    found = consort(api(cast.investigator))
    platelets, age = Criterion.objects.order_by("position")
    assert (found["trial"], found["cutoff"]) == ("NCT00000001", "2024-12-31")
    assert found["scope"] == {"whole_trial": True, "sites": ["01", "02"]}
    assert found["assessed"] == {"n": 12, "reason": None, "enrolled_without_screening": 0}
    assert found["excluded"] == {
        "n": 4,
        "not_eligible": {
            "n": 3,
            "criteria": [
                {"criterion": platelets.pk, "kind": "inclusion", "text": platelets.text, "n": 2},
                {"criterion": age.pk, "kind": "inclusion", "text": age.text, "n": 1},
            ],
            "unspecified": 1,
        },
        "declined": 1,
        "other": 0,
    }
    assert found["in_screening"] == {"n": 2, "open": 1, "eligible": 1}
    enrolled = found["enrolled"]
    assert (enrolled["n"], enrolled["randomized"], enrolled["randomized_reason"]) == (6, 6, None)
    assert enrolled["deviations"] == {"n": 1, "patients": 1}
    assert [(arm["name"], arm["n"]) for arm in found["arms"]] == [("anlotinib", 4), ("placebo", 2)]
    assert (found["unallocated"]["n"], found["arms_reason"]) == (0, None)


def test_the_arms_of_a_randomized_trial_by_hand(
    cast: Cast, randomized: list[Patient], api: Login
) -> None:
    anlotinib, placebo = consort(api(cast.investigator))["arms"]
    assert anlotinib["treatment"] == {
        "received": 4,
        "untreated": {"n": 0, "reasons": []},
        "discontinued": {
            "n": 2,
            "reasons": [
                {"reason": "adverse_event", "n": 1},
                {"reason": "withdrawal_by_subject", "n": 1},
            ],
            "inferred": 1,
        },
        "last_dose_only": 0,
        "on_treatment": 2,
    }
    nothing = dict.fromkeys(anlotinib["follow_up"], 0)
    assert anlotinib["follow_up"] == nothing | {
        "withdrawn_followed": 1, "in_follow_up": 3,
    }  # fmt: skip
    assert anlotinib["transferred"] == 1
    assert placebo["treatment"]["untreated"] == {
        "n": 1, "reasons": [{"reason": "not_recorded", "n": 1}],
    }  # fmt: skip
    assert placebo["treatment"]["discontinued"]["reasons"] == [{"reason": "death", "n": 1}]
    assert placebo["follow_up"] == nothing | {"died": 1, "in_follow_up": 1}


def test_the_analyses_of_a_randomized_trial_by_hand(
    cast: Cast, randomized: list[Patient], api: Login
) -> None:
    """Without endpoints the report has ORR, DCR, PFS and OS of the enrolled, from the first dose."""
    found = consort(api(cast.investigator))
    assert [
        (a["population"], a["time_origin"], a["endpoints"], a["n"]) for a in found["analyses"]
    ] == [
        ("enrolled", None, ["ORR", "DCR"], 6),
        ("enrolled", "first_dose", ["PFS", "OS"], 5),
        ("evaluable", None, [], 1),
        ("safety", None, [], 5),
        ("per_protocol", None, [], 5),
    ]
    excluded = [
        [(one["reason"], one["n"]) for one in row["excluded"]]
        for arm in found["arms"]
        for row in arm["analyses"]
    ]
    assert excluded == [
        [], [], [("no_baseline", 1), ("not_assessed", 1), ("not_measurable", 1)], [],
        [("major_deviation", 1)],
        [], [("no_time_origin", 1)], [("no_baseline", 2)], [("not_treated", 1)], [],
    ]  # fmt: skip


@pytest.mark.parametrize("population", ["enrolled", "evaluable", "safety", "per_protocol"])
def test_analyzed_is_what_the_outcomes_analyze(
    cast: Cast, randomized: list[Patient], api: Login, population: str
) -> None:
    for kind in ("ORR", "PFS"):
        cast.trial.endpoints.create(kind=kind, definition={"population": population})
    factories.patient(cast.trial, enrolled_on=None)  # dosed, not enrolled: in the safety population
    reader = api(cast.investigator)
    outcomes = reader.get("/trials/NCT00000001/outcomes/?cutoff=2024-12-31").json()
    found = consort(reader)
    by_kind = {kind: a for a in found["analyses"] for kind in a["endpoints"]}
    for kind in ("ORR", "DCR", "PFS", "OS"):
        assert by_kind[kind]["n"] == outcomes[kind.lower()]["n"], kind
    for index, analysis in enumerate(found["analyses"]):
        columns = [*found["arms"], found["unallocated"]]
        inside = sum(column["analyses"][index]["n"] for column in columns)
        assert inside + analysis["not_enrolled"] == analysis["n"]
    assert sum(analysis["not_enrolled"] for analysis in found["analyses"]) >= 1
    assert found["not_assessed"] == 1


def test_before_the_randomization_nobody_is_in_an_arm(
    cast: Cast, randomized: list[Patient], api: Login
) -> None:
    Patient.objects.filter(subject_id="P-0").update(randomized_on=on(10))
    early = consort(api(cast.investigator), f"?cutoff={on(5)}")
    assert (early["enrolled"]["n"], early["enrolled"]["randomized"]) == (6, 5)
    assert [arm["n"] for arm in early["arms"]] == [3, 2]
    assert early["unallocated"]["n"] == 1
    none = consort(api(cast.investigator), "?cutoff=2024-01-01")
    assert (none["assessed"]["n"], none["enrolled"]["n"], none["not_assessed"]) == (0, 0, 12)


def test_arms_are_pooled_for_the_blinded(cast: Cast, randomized: list[Patient], api: Login) -> None:
    Trial.objects.update(masking="DOUBLE")
    for who in (cast.investigator, cast.superuser):
        answer = api(who).get(f"{PATH}?cutoff=2024-12-31")
        found = answer.json()
        assert [(arm["name"], arm["n"]) for arm in found["arms"]] == [(None, 6)]
        assert found["arms_reason"] == "blinded"
        assert "placebo" not in answer.content.decode()
        assert found["arms"][0]["analyses"] == found["enrolled"]["analyses"]


SCOPES = [
    ("coordinator", ["01"], 8, 4),
    ("outsider", ["02"], 4, 2),
    ("viewer", ["01", "02"], 12, 6),
]


@pytest.mark.parametrize(("who", "sites", "assessed", "enrolled"), SCOPES)
def test_a_reader_has_the_flow_of_the_own_site(
    cast: Cast, randomized: list[Patient], api: Login,
    who: str, sites: list[str], assessed: int, enrolled: int,
) -> None:  # fmt: skip
    found = consort(api(getattr(cast, who)))
    assert found["scope"] == {"whole_trial": len(sites) == 2, "sites": sites}
    assert (found["assessed"]["n"], found["enrolled"]["n"]) == (assessed, enrolled)
    assert found["analyses"][0]["n"] == enrolled


def test_what_is_voided_never_counts(cast: Cast, randomized: list[Patient], api: Login) -> None:
    now = timezone.now()
    Screening.objects.filter(patient__subject_id="S-4").update(voided_at=now)
    Disposition.objects.update(voided_at=now)
    Deviation.objects.update(voided_at=now)
    Patient.objects.filter(subject_id__in=("S-1", "P-5")).update(voided_at=now)
    found = consort(api(cast.investigator))
    assert (found["assessed"]["n"], found["excluded"]["n"], found["not_assessed"]) == (9, 2, 1)
    assert [row["n"] for row in found["excluded"]["not_eligible"]["criteria"]] == [1, 1]
    assert found["enrolled"]["deviations"]["n"] == 0
    assert [arm["treatment"]["discontinued"]["n"] for arm in found["arms"]] == [0, 0]
    assert [arm["transferred"] for arm in found["arms"]] == [0, 0]


def test_a_withdrawn_consent_ends_a_screening(cast: Cast, api: Login) -> None:
    Trial.objects.update(enrollment_gate="screening")
    first, second = (screen(cast.trial, f"S-{n}") for n in (1, 2))
    for person, version in ((first, "1"), (second, "1"), (second, "2")):
        Consent.objects.create(
            patient=person, consent_version=version, signed_on=START,
            withdrawn_on=on(3) if version == "1" else None,
        )  # fmt: skip
    found = consort(api(cast.viewer))
    assert (found["excluded"]["declined"], found["in_screening"]["open"]) == (1, 1)


def test_screening_that_is_recorded_elsewhere(cast: Cast, api: Login) -> None:
    reader = api(cast.viewer)
    factories.patient(cast.trial)
    found = consort(reader)
    assert found["assessed"] == {
        "n": None, "reason": "screening_not_recorded_here", "enrolled_without_screening": None,
    }  # fmt: skip
    assert found["excluded"] is found["in_screening"] is None
    assert (found["enrolled"]["n"], found["enrolled"]["randomized"]) == (1, None)
    assert found["enrolled"]["randomized_reason"] == "not_randomized"
    fail(cast.trial, "S-1")  # one screening recorded here after all
    found = consort(reader)
    assert found["assessed"] == {"n": 2, "reason": None, "enrolled_without_screening": 1}


def test_a_dose_that_runs_on_is_treatment(cast: Cast, api: Login) -> None:
    """The latest dose so far is also the last one on record; only an end of it says more."""
    for number, ended_on in enumerate((None, on(20), on(400))):
        patient = factories.patient(cast.trial, f"P-{number}", last_dose_on=on(20))
        Dose.objects.create(
            patient=patient, intervention="anlotinib", dose=12, unit="mg", started_on=on(1),
            ended_on=ended_on,
        )  # fmt: skip
    treatment = consort(api(cast.viewer))["enrolled"]["treatment"]
    assert (treatment["on_treatment"], treatment["last_dose_only"]) == (2, 1)
    Dose.objects.update(voided_at=timezone.now())
    treatment = consort(api(cast.viewer))["enrolled"]["treatment"]
    assert (treatment["on_treatment"], treatment["last_dose_only"]) == (0, 3)


@pytest.mark.parametrize("gate", ["screening", "recorded_elsewhere"])
def test_a_trial_without_anybody(cast: Cast, api: Login, gate: str) -> None:
    Trial.objects.update(enrollment_gate=gate)
    found = consort(api(cast.viewer))
    assert found["assessed"]["n"] == (0 if gate == "screening" else None)
    assert [(arm["name"], arm["n"]) for arm in found["arms"]] == [(None, 0)]
    assert [analysis["n"] for analysis in found["analyses"]] == [0, 0, 0, 0, 0]


def test_patients_in_no_arm_of_several(cast: Cast, api: Login) -> None:
    """Not randomized: the arm is a matter of record, and a single one is everybody's."""
    first = Arm.objects.create(trial=cast.trial, name="A")
    allot(factories.patient(cast.trial), first)
    factories.patient(cast.trial)
    reader = api(cast.viewer)
    assert [(arm["name"], arm["n"]) for arm in consort(reader)["arms"]] == [("A", 2)]
    Arm.objects.create(trial=cast.trial, name="B")
    found = consort(reader)
    assert [arm["n"] for arm in found["arms"]] == [1, 0]
    assert found["unallocated"]["n"] == 1


def test_the_flow_of_alter_s006(cast: Cast, api: Login) -> None:
    """49 enrolled and treated (the paper). In the file 36 have a last dose by then, and 9 died."""
    trial = alter_s006.with_patients()
    found = (
        api(cast.superuser).get(f"/trials/{trial.registry_id}/consort/?cutoff=2022-08-08").json()
    )
    assert found["assessed"]["reason"] == "screening_not_recorded_here"
    (arm,) = found["arms"]
    assert (arm["name"], arm["n"], found["enrolled"]["n"]) == ("anlotinib", 49, 49)
    assert (arm["treatment"]["received"], arm["treatment"]["on_treatment"]) == (49, 13)
    assert arm["treatment"]["discontinued"]["n"] == 0
    assert arm["treatment"]["last_dose_only"] == 36
    assert arm["follow_up"]["died"] == 9
    assert found["analyses"][0]["n"] == found["analyses"][1]["n"] == 49


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("cutoff=yesterday", "cutoff"), ("cutoff=2024-02-30", "cutoff"), ("known_on=now", "known_on"),
     ("population=safety", "population")],
)  # fmt: skip
def test_a_useless_parameter_is_named(cast: Cast, api: Login, query: str, parameter: str) -> None:
    answer = api(cast.viewer).get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


def test_a_foreign_trial_is_a_missing_one(cast: Cast, api: Login) -> None:
    foreign = api(cast.stranger).get(PATH)
    missing = api(cast.stranger).get("/trials/NCT99999999/consort/")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json()


def test_statements_do_not_grow(
    cast: Cast, randomized: list[Patient], api: Login,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    reader = api(cast.investigator)
    with django_assert_num_queries(17):
        consort(reader)
    for number in range(8):
        fail(cast.trial, f"F-{number}", *Criterion.objects.all())
        other = factories.patient(cast.trial, randomized_on=START)
        ended(other, "completed")
        factories.baseline(other, by=cast.superuser)
    with django_assert_num_queries(17):
        consort(reader)
