"""How the operations of people in trials are called: patients, screening, conduct, queries, randomization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from patients.models import (
    AdverseEvent,
    Deviation,
    Disposition,
    Dose,
    RandomizationSlot,
    Screening,
    Therapy,
)
from tests import factories
from tests.contract.calls.call import WHY, Call, change
from tests.contract.scene import Scene
from tests.factories import START
from trials.models import Arm, RandomizationScheme, Trial


def patient_body(at: Scene) -> dict[str, Any]:
    """A patient to enroll."""
    return {
        "trial": at.trial.registry_id, "subject_id": "01-003", "site": "01", "arm": "Anlotinib",
        "sex": "male", "birth_year": 1970, "histology": "滑膜肉瘤", "ecog": 0,
        "enrolled_on": START.isoformat(), "first_dose_on": None,
    }  # fmt: skip


def consent_body(at: Scene, day: int = 100) -> dict[str, Any]:
    """Another consent of the candidate."""
    signed_on = (START + timedelta(days=day)).isoformat()
    return {"patient": at.candidate.pk, "consent_version": "1", "signed_on": signed_on}


def screening_body(at: Scene, day: int = 100) -> dict[str, Any]:
    """Another screening of the candidate."""
    screened_on = (START + timedelta(days=day)).isoformat()
    values = {"platelets": {"value": 80.5, "unit": "10^9/L"}, "ecog": {"value": None}}
    return {"patient": at.candidate.pk, "screened_on": screened_on, "values": values}


def deviation_call(at: Scene) -> Call:
    """A deviation for a criterion that a later screening found not met."""
    day = START + timedelta(days=60)
    values = factories.ELIGIBLE | {"lactating": {"value": True}}
    factories.screening(at.candidate, by=at.cast.coordinator, on=day, values=values)
    body = {"patient": at.candidate.pk, "criterion": at.exclusion.pk}
    return Call(
        "/deviations/", body | {"occurred_on": day.isoformat(), "justification": "no alternative"}
    )


def deviation_change(at: Scene, description: str) -> Call:
    """What happened in the course of the trial, described otherwise."""
    facts = {"occurred_on": START, "category": "dosing", "major": True}
    for told in ("a dose too many", "a dose too few"):
        row, _made = Deviation.objects.get_or_create(
            patient=at.patient, description=told, defaults=facts
        )
    body = {"patient": at.patient.pk} | facts | {"occurred_on": START.isoformat()}
    return change(f"/deviations/{row.pk}/", row, body | {"description": description})


def therapy_body(at: Scene, day: int = 200) -> dict[str, Any]:
    """Another therapy."""
    started_on = (START + timedelta(days=day)).isoformat()
    return {"patient": at.patient.pk, "started_on": started_on, "kind": "surgery"}


def event_body(at: Scene) -> dict[str, Any]:
    """An adverse event."""
    return {
        "patient": at.patient.pk, "term": "手足综合征", "grade": 2, "related": True,
        "action_taken": "unknown", "outcome": "recovering", "started_on": START.isoformat(), "ended_on": None,
    }  # fmt: skip


def dose_body(at: Scene, day: int = 21) -> dict[str, Any]:
    """The next cycle, reduced."""
    first, last = (START + timedelta(days=n) for n in (day, day + 13))
    return {
        "patient": at.patient.pk, "intervention": "Anlotinib", "dose": 10, "unit": "mg",
        "started_on": first.isoformat(), "ended_on": last.isoformat(),
        "adjustment": "reduced", "adjustment_reason": "adverse event",
    }  # fmt: skip


def disposition_body(at: Scene, kind: str = "withdrawn") -> dict[str, Any]:
    """A withdrawal, or whatever else ended."""
    return {
        "patient": at.patient.pk, "kind": kind, "on": (START + timedelta(days=100)).isoformat(),
        "disposition_reason": "other", "detail": "moved abroad",
        "follow_up_continues": True if kind == "withdrawn" else None,
    }  # fmt: skip


def query_body(at: Scene) -> dict[str, Any]:
    """A question about a lesion at baseline."""
    return {
        "patient": at.patient.pk, "record": "visit", "record_id": at.baseline.pk,
        "lesion": "T01", "field": "diameter_mm", "text": "Long axis?",
    }  # fmt: skip


def scheme_body() -> dict[str, Any]:
    """Two to one."""
    ratio = {"Anlotinib": 2, "Placebo": 1}
    return {"ratio": ratio, "block_multiples": [1, 2], "factors": ["sex"]}


def randomized(at: Scene) -> RandomizationScheme:
    """The scheme of the trial, which is one of two arms from now on."""
    Trial.objects.filter(pk=at.trial.pk).update(allocation="RANDOMIZED")
    Arm.objects.get_or_create(trial=at.trial, name="Placebo")
    scheme, _new = RandomizationScheme.objects.get_or_create(trial=at.trial, defaults=scheme_body())
    return scheme


def scheme_call(at: Scene) -> Call:
    """A replacement."""
    return change(f"{at.trial_path}randomization/", randomized(at), scheme_body())


def scheme_read(at: Scene) -> Call:
    """The address of a scheme."""
    randomized(at)
    return Call(f"{at.trial_path}randomization/")


def scheme_created(at: Scene) -> Call:
    """The first scheme of a trial: there is no version to match."""
    randomized(at).delete()
    return Call(f"{at.trial_path}randomization/", scheme_body() | WHY)


def randomize_call(at: Scene) -> Call:
    """The next arm of the stratum."""
    randomized(at)
    return Call(f"/patients/{at.patient.pk}/randomize/", {}, {"If-Match": '"1"'})


CALLS: dict[str, Callable[[Scene], Call]] = {
    "GET /patients/": lambda at: Call(f"/patients/?trial={at.trial.registry_id}&site=01"),
    "POST /patients/": lambda at: Call("/patients/", patient_body(at)),
    "GET /patients/{id}/": lambda at: Call(f"/patients/{at.patient.pk}/"),
    "PATCH /patients/{id}/": lambda at: change(
        f"/patients/{at.patient.pk}/", at.patient, {"ecog": 2}
    ),
    "POST /patients/{id}/void/": lambda at: change(
        f"/patients/{at.newcomer.pk}/void/", at.newcomer, {}
    ),
    "POST /patients/{id}/enroll/": lambda at: change(
        f"/patients/{at.candidate.pk}/enroll/", at.candidate, {"enrolled_on": START.isoformat()}
    ),
    "GET /trials/{registry_id}/screening-form/": lambda at: Call(
        f"{at.trial_path}screening-form/?site=01&date=2024-02-01"
    ),
    "GET /consents/": lambda at: Call(f"/consents/?patient={at.candidate.pk}"),
    "POST /consents/": lambda at: Call("/consents/", consent_body(at)),
    "GET /consents/{id}/": lambda at: Call(f"/consents/{at.consent.pk}/"),
    "PUT /consents/{id}/": lambda at: change(
        f"/consents/{at.consent.pk}/", at.consent, consent_body(at) | {"withdrawn_on": None}
    ),
    "POST /consents/{id}/void/": lambda at: change(
        f"/consents/{at.consent.pk}/void/", at.consent, {}
    ),
    "GET /screenings/": lambda at: Call(f"/screenings/?patient={at.candidate.pk}&conclusion=open"),
    "POST /screenings/": lambda at: Call("/screenings/", screening_body(at)),
    "POST /screenings/preview/": lambda at: Call(
        "/screenings/preview/", screening_body(at) | {"screening": at.screening.pk}
    ),
    "GET /screenings/{id}/": lambda at: Call(f"/screenings/{at.screening.pk}/"),
    "PUT /screenings/{id}/": lambda at: change(
        f"/screenings/{at.screening.pk}/", at.screening, screening_body(at)
    ),
    "POST /screenings/{id}/conclude/": lambda at: change(
        f"/screenings/{at.screening.pk}/conclude/",
        at.screening,
        {"conclusion": "failed", "failure_reason": "not_eligible"},
    ),
    "POST /screenings/{id}/void/": lambda at: change(
        f"/screenings/{at.screening.pk}/void/", at.screening, {}
    ),
    "GET /deviations/": lambda at: Call(f"/deviations/?patient={at.candidate.pk}"),
    "POST /deviations/": deviation_call,
    "GET /deviations/{id}/": lambda at: Call(f"/deviations/{at.deviation.pk}/"),
    "PUT /deviations/{id}/": lambda at: deviation_change(at, "another tablet strength"),
    "PATCH /deviations/{id}/": lambda at: change(
        f"/deviations/{at.deviation.pk}/", at.deviation, {"major": False}
    ),
    "POST /deviations/{id}/void/": lambda at: change(
        f"/deviations/{at.deviation.pk}/void/", at.deviation, {}
    ),
    "GET /therapies/": lambda at: Call(f"/therapies/?patient={at.patient.pk}"),
    "POST /therapies/": lambda at: Call("/therapies/", therapy_body(at)),
    "GET /therapies/{id}/": lambda at: Call(f"/therapies/{at.therapy.pk}/"),
    "PUT /therapies/{id}/": lambda at: change(
        f"/therapies/{at.therapy.pk}/", at.therapy, therapy_body(at)
    ),
    "POST /therapies/{id}/void/": lambda at: change(
        f"/therapies/{at.therapy.pk}/void/", at.therapy, {}
    ),
    "GET /ctcae-terms/": lambda at: Call("/ctcae-terms/?q=hand-foot&version=5.0"),
    "GET /adverse-events/": lambda at: Call(f"/adverse-events/?patient={at.patient.pk}"),
    "POST /adverse-events/": lambda at: Call("/adverse-events/", event_body(at)),
    "GET /adverse-events/{id}/": lambda at: Call(f"/adverse-events/{at.adverse_event.pk}/"),
    "PUT /adverse-events/{id}/": lambda at: change(
        f"/adverse-events/{at.adverse_event.pk}/", at.adverse_event, event_body(at)
    ),
    "POST /adverse-events/{id}/void/": lambda at: change(
        f"/adverse-events/{at.adverse_event.pk}/void/", at.adverse_event, {}
    ),
    "GET /trials/{registry_id}/randomization/": scheme_read,
    "PUT /trials/{registry_id}/randomization/": scheme_call,
    "GET /trials/{registry_id}/exposure/": lambda at: Call(f"{at.trial_path}exposure/"),
    "GET /trials/{registry_id}/exposure/patients/": lambda at: Call(
        f"{at.trial_path}exposure/patients/"
    ),
    "POST /patients/{id}/randomize/": randomize_call,
    "POST /patients/{id}/transfer/": lambda at: change(
        f"/patients/{at.patient.pk}/transfer/", at.patient, {"site": "02", "on": "2024-12-01"}
    ),
    "GET /dispositions/": lambda at: Call(f"/dispositions/?patient={at.patient.pk}"),
    "POST /dispositions/": lambda at: Call("/dispositions/", disposition_body(at)),
    "GET /dispositions/{id}/": lambda at: Call(f"/dispositions/{at.disposition.pk}/"),
    "PUT /dispositions/{id}/": lambda at: change(
        f"/dispositions/{at.disposition.pk}/",
        at.disposition,
        disposition_body(at, "treatment_discontinued"),
    ),
    "POST /dispositions/{id}/void/": lambda at: change(
        f"/dispositions/{at.disposition.pk}/void/", at.disposition, {}
    ),
    "GET /queries/": lambda at: Call(
        f"/queries/?trial={at.trial.registry_id}&site=01&visit={at.visit.pk}&state=open"
    ),
    "POST /queries/": lambda at: Call("/queries/", query_body(at)),
    "GET /queries/{id}/": lambda at: Call(f"/queries/{at.query.pk}/"),
    "POST /queries/{id}/answer/": lambda at: Call(
        f"/queries/{at.query.pk}/answer/", {"text": "As in source."}, {"If-Match": '"1"'}
    ),
    "POST /queries/{id}/close/": lambda at: change(f"/queries/{at.query.pk}/close/", at.query, {}),
    "POST /queries/{id}/reopen/": lambda at: change(
        f"/queries/{at.closed_query.pk}/reopen/", at.closed_query, {}
    ),
    "GET /doses/": lambda at: Call(f"/doses/?trial={at.trial.registry_id}"),
    "POST /doses/": lambda at: Call("/doses/", dose_body(at)),
    "GET /doses/{id}/": lambda at: Call(f"/doses/{at.dose.pk}/"),
    "PUT /doses/{id}/": lambda at: change(f"/doses/{at.dose.pk}/", at.dose, dose_body(at)),
    "POST /doses/{id}/void/": lambda at: change(f"/doses/{at.dose.pk}/void/", at.dose, {}),
}


# The calls of an operation that has two ways to succeed: by the status of the second.
OTHERWISE: dict[tuple[str, int], Callable[[Scene], Call]] = {
    ("PUT /trials/{registry_id}/randomization/", 201): scheme_created,
}


def _again(name: str, **other: Any) -> Callable[[Scene], Call]:
    def call(at: Scene) -> Call:
        sent = CALLS[name](at)
        return replace(sent, body=sent.body | other)

    return call


CONTRADICTIONS: dict[str, Callable[[Scene], Call]] = {
    "POST /patients/": _again("POST /patients/", subject_id="01-001"),
    "PATCH /patients/{id}/": _again("PATCH /patients/{id}/", died_on="2024-02-01"),
    "POST /therapies/": lambda at: Call("/therapies/", therapy_body(at, 90) | {"kind": "systemic"}),
    "POST /screenings/{id}/conclude/": _again(
        "POST /screenings/{id}/conclude/", conclusion="eligible", failure_reason=""
    ),
    "PATCH /deviations/{id}/": lambda at: _of_a_corrected_screening(at),
    "PUT /deviations/{id}/": lambda at: deviation_change(at, "a dose too many"),
    "PUT /consents/{id}/": lambda at: _consent_twice(at),
    "PUT /screenings/{id}/": lambda at: _screening_twice(at),
    "PUT /therapies/{id}/": lambda at: _twice(at),
    "PUT /adverse-events/{id}/": lambda at: _event_twice(at),
    "PUT /trials/{registry_id}/randomization/": lambda at: _ratio_in_use(at),
    "POST /patients/{id}/randomize/": lambda at: replace(
        randomize_call(at), path=f"/patients/{at.newcomer.pk}/randomize/"
    ),
    "POST /patients/{id}/transfer/": lambda at: _transfer_of_a_lost_patient(at),
    "POST /dispositions/": lambda at: _withdrawn_twice(at),
    "PUT /dispositions/{id}/": lambda at: _disposition_twice(at),
    "POST /doses/": lambda at: Call("/doses/", dose_body(at, 13)),
    "PUT /doses/{id}/": lambda at: _dose_twice(at),
}


def _of_a_corrected_screening(at: Scene) -> Call:
    Screening.objects.filter(deviations=at.deviation).update(version=99)
    return change(f"/deviations/{at.deviation.pk}/", at.deviation, {"major": False})


def _twice(at: Scene) -> Call:
    other = Therapy.objects.create(patient=at.patient, started_on=START + timedelta(days=200))
    return change(f"/therapies/{other.pk}/", other, therapy_body(at, 90) | {"kind": "systemic"})


def _event_twice(at: Scene) -> Call:
    told = event_body(at)
    AdverseEvent.objects.create(
        patient=at.patient,
        term="Palmar-plantar erythrodysesthesia syndrome",  # as 手足综合征 is stored
        grade=1,
        related=False,
        started_on=START,
    )
    return change(f"/adverse-events/{at.adverse_event.pk}/", at.adverse_event, told)


def _ratio_in_use(at: Scene) -> Call:
    scheme = randomized(at)
    slot = {"stratum": "[]", "position": 1, "block": 1, "arm": at.trial.arms.all()[0]}
    RandomizationSlot.objects.create(trial=at.trial, patient=at.patient, **slot)
    body = scheme_body() | {"ratio": {"Anlotinib": 1, "Placebo": 1}}
    return change(f"{at.trial_path}randomization/", scheme, body)


def _transfer_of_a_lost_patient(at: Scene) -> Call:
    lost = {"kind": "lost_to_follow_up", "on": START + timedelta(days=200)}
    Disposition.objects.create(patient=at.patient, **lost)
    return CALLS["POST /patients/{id}/transfer/"](at)


def _withdrawn_twice(at: Scene) -> Call:
    told = {"kind": "withdrawn", "on": START + timedelta(days=99), "follow_up_continues": True}
    Disposition.objects.create(patient=at.patient, **told)
    return Call("/dispositions/", disposition_body(at))


def _disposition_twice(at: Scene) -> Call:
    told = disposition_body(at, "treatment_discontinued")
    other = {"kind": told["kind"], "on": told["on"], "reason": "other"}
    Disposition.objects.create(patient=at.patient, **other)
    return change(f"/dispositions/{at.disposition.pk}/", at.disposition, told)


def _dose_twice(at: Scene) -> Call:
    told = {"intervention": "Anlotinib", "dose": 12, "unit": "mg"}
    Dose.objects.create(patient=at.patient, started_on=START + timedelta(30), **told)
    return change(f"/doses/{at.dose.pk}/", at.dose, dose_body(at))


def _consent_twice(at: Scene) -> Call:
    other = consent_body(at)
    factories.consent(at.candidate, by=at.cast.coordinator, on=START + timedelta(days=100))
    return change(f"/consents/{at.consent.pk}/", at.consent, other)


def _screening_twice(at: Scene) -> Call:
    factories.screening(at.candidate, by=at.cast.coordinator, on=START + timedelta(days=100))
    return change(f"/screenings/{at.screening.pk}/", at.screening, screening_body(at))
