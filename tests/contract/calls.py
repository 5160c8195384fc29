"""How each operation is called for real: one row per operation, one per way to contradict it.

A new operation needs a row in CALLS; a PUT or PATCH that can answer 409 also one in CONTRADICTIONS
(a POST has the reuse of its Idempotency-Key). The other problems follow from what the document says
(see test_contract.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from outcomes.models import Visit
from patients.models import AdverseEvent, Patient, Therapy
from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast
from tests.factories import START
from trials.models import Arm, Endpoint, Intervention, Trial

NOBODY = 999_999_999
WHY = {"reason": "typing error"}


@dataclass
class Scene:
    """A small trial with everything in it; site 01 has all of it."""

    cast: Cast
    trial: Trial
    patient: Patient  # baseline, partial response, progression
    newcomer: Patient  # nothing recorded yet
    baseline: Visit
    visit: Visit
    therapy: Therapy
    adverse_event: AdverseEvent

    @property
    def trial_path(self) -> str:
        """The trial's address."""
        return f"/trials/{self.trial.registry_id}/"


def scene() -> Scene:
    """Set the scene; every time is in the past."""
    cast = assemble_cast()
    trial, by = cast.trial, cast.coordinator
    arm = Arm.objects.create(trial=trial, name="Anlotinib", type="EXPERIMENTAL")
    Intervention.objects.create(arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=[1, 2])
    Endpoint.objects.create(trial=trial, kind="PFS", role="primary")
    Endpoint.objects.create(trial=trial, kind="TTR")
    patient = factories.patient(trial, "01-001", histology="leiomyosarcoma", sex="female", ecog=1)
    newcomer = factories.patient(trial, "01-002", died_on=START + timedelta(days=500))
    factories.patient(trial, "02-001", site="02", enrolled_on=None, first_dose_on=None)
    baseline = factories.baseline(patient, by=by)
    factories.follow_up(patient, 43, (30, 20), by=by)
    new = (factories.new_lesion("NL01", organ="lung"),)
    visit = factories.follow_up(patient, 85, (60, 40), by=by, new_lesions=new)
    therapy = Therapy.objects.create(patient=patient, started_on=START + timedelta(days=90))
    event = AdverseEvent.objects.create(
        patient=patient, term="Hypertension", grade=3, related=True, started_on=START + timedelta(9)
    )
    return Scene(cast, trial, patient, newcomer, baseline, visit, therapy, event)


@dataclass
class Call:
    """A request; `by` is a member of the cast."""

    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    by: str = "superuser"
    content_type: str = "application/json"

    def user(self, at: Scene) -> User:
        """Who asks."""
        who: User = getattr(at.cast, self.by)
        return who


def change(path: str, row: Any, body: dict[str, Any]) -> Call:
    """A change of the version that is stored."""
    return Call(path, body | WHY, {"If-Match": f'"{row.version}"'})


def follow_up_body(at: Scene, day: int = 127) -> dict[str, Any]:
    """The next visit of the patient, with a number as text and keys that are read-only."""
    return {
        "patient": at.patient.pk,
        "kind": "unscheduled",
        "date": (START + timedelta(days=day)).isoformat(),
        "targets": [
            {"lesion": "T01", "state": "measured", "diameter_mm": "33.50", "method": "ct"},
            {"lesion": "T02", "state": "not_evaluable", "reason": "artifact", "slice_mm": None},
        ],
        "non_targets": [{"lesion": "NT01", "status": "increased", "id": 7}],
        "new_lesions": [],
        "derived": None,
    }


def patient_body(at: Scene) -> dict[str, Any]:
    """A patient to enroll."""
    return {
        "trial": at.trial.registry_id, "subject_id": "01-003", "site": "01", "arm": "Anlotinib",
        "sex": "male", "birth_year": 1970, "histology": "滑膜肉瘤", "ecog": 0,
        "enrolled_on": START.isoformat(), "first_dose_on": None,
    }  # fmt: skip


def trial_body(registry_id: str) -> dict[str, Any]:
    """A trial with one of each."""
    return {
        "registry_id": registry_id,
        "brief_title": "Anlotinib in sarcoma",
        "phase": "PHASE2",
        "sites": [{"code": "01"}],
        "arms": [{"name": "Anlotinib", "interventions": [{"name": "Anlotinib", "dose": 12.5}]}],
        "endpoints": [{"kind": "ORR", "definition": {"censoring": {"rule": "fda"}}}],
        "criteria": [{"kind": "inclusion", "text": "18 years or older", "rule": {"age": 18}}],
    }


def study_body() -> dict[str, Any]:
    """A ClinicalTrials.gov study with one of each, and a member that is not held."""
    group = {"label": "Anlotinib", "interventionNames": ["Drug: Anlotinib"]}
    drug = {"name": "Anlotinib", "type": "DRUG", "description": "12 mg once daily"}
    return {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT00000008", "briefTitle": "Anlotinib"},
            "statusModule": {"startDateStruct": {"date": "2019-04", "type": "ACTUAL"}},
            "designModule": {"phases": ["PHASE2"], "enrollmentInfo": {"count": 48}},
            "armsInterventionsModule": {"armGroups": [group], "interventions": [drug]},
            "outcomesModule": {"primaryOutcomes": [{"measure": "Overall survival"}]},
            "eligibilityModule": {"eligibilityCriteria": "* Adults", "minimumAge": "18 Years"},
            "contactsLocationsModule": {"locations": [{"facility": "A", "country": "China"}]},
        },
        "derivedSection": {},
    }


def therapy_body(at: Scene, day: int = 200) -> dict[str, Any]:
    """Another therapy."""
    started_on = (START + timedelta(days=day)).isoformat()
    return {"patient": at.patient.pk, "started_on": started_on, "kind": "surgery"}


def event_body(at: Scene) -> dict[str, Any]:
    """An adverse event."""
    return {
        "patient": at.patient.pk, "term": "手足综合征", "grade": 2, "related": True,
        "action_taken": "unknown", "started_on": START.isoformat(), "ended_on": None,
    }  # fmt: skip


def import_call(at: Scene, query: str = "") -> Call:
    """A file of two lines, one of them new."""
    event = {"record": "adverse_event"} | event_body(at) | {"patient": at.patient.subject_id}
    patient = {"record": "patient"} | patient_body(at)
    lines = "\n".join(json.dumps(line) for line in (patient, event))
    return Call(f"{at.trial_path}import/{query}", lines, content_type="application/x-ndjson")


def stored_trial(at: Scene) -> dict[str, Any]:
    """What PUT needs to leave the trial as it is, as far as patients depend on it."""
    sites = [{"code": code, "timezone": "Asia/Shanghai"} for code in ("01", "02")]
    return trial_body(at.trial.registry_id) | {"sites": sites}


CALLS: dict[str, Callable[[Scene], Call]] = {
    "GET /trials/": lambda at: Call("/trials/?page_size=1"),
    "POST /trials/": lambda at: Call("/trials/", trial_body("NCT00000009")),
    "POST /ctgov-import/": lambda at: Call("/ctgov-import/", study_body()),
    "GET /trials/{registry_id}/ctgov/": lambda at: Call(f"{at.trial_path}ctgov/?results=true"),
    "GET /trials/{registry_id}/": lambda at: Call(at.trial_path),
    "PUT /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, stored_trial(at)),
    "PATCH /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, {"acronym": "X"}),
    "GET /trials/{registry_id}/outcomes/": lambda at: Call(
        f"{at.trial_path}outcomes/?cutoff=2024-12-31&group_by=histology&landmarks=3,12w"
    ),
    "GET /trials/{registry_id}/outcomes/patients/": lambda at: Call(
        f"{at.trial_path}outcomes/patients/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/safety/": lambda at: Call(
        f"{at.trial_path}safety/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/import/": lambda at: Call(f"{at.trial_path}import/"),
    "POST /trials/{registry_id}/import/": lambda at: import_call(at, "?dry_run=true"),
    "GET /patients/": lambda at: Call(f"/patients/?trial={at.trial.registry_id}&site=01"),
    "POST /patients/": lambda at: Call("/patients/", patient_body(at)),
    "GET /patients/{id}/": lambda at: Call(f"/patients/{at.patient.pk}/"),
    "PATCH /patients/{id}/": lambda at: change(
        f"/patients/{at.patient.pk}/", at.patient, {"ecog": 2}
    ),
    "POST /patients/{id}/void/": lambda at: change(
        f"/patients/{at.newcomer.pk}/void/", at.newcomer, {}
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
    "GET /adverse-events/": lambda at: Call(f"/adverse-events/?patient={at.patient.pk}"),
    "POST /adverse-events/": lambda at: Call("/adverse-events/", event_body(at)),
    "GET /adverse-events/{id}/": lambda at: Call(f"/adverse-events/{at.adverse_event.pk}/"),
    "PUT /adverse-events/{id}/": lambda at: change(
        f"/adverse-events/{at.adverse_event.pk}/", at.adverse_event, event_body(at)
    ),
    "POST /adverse-events/{id}/void/": lambda at: change(
        f"/adverse-events/{at.adverse_event.pk}/void/", at.adverse_event, {}
    ),
    "GET /visits/": lambda at: Call(f"/visits/?patient={at.patient.pk}"),
    "POST /visits/": lambda at: Call("/visits/", follow_up_body(at)),
    "POST /visits/preview/": lambda at: Call(
        "/visits/preview/", follow_up_body(at, 60) | {"targets": [{"lesion": "T01"}]}
    ),
    "GET /visits/{id}/": lambda at: Call(f"/visits/{at.baseline.pk}/"),
    "PUT /visits/{id}/": lambda at: change(
        f"/visits/{at.visit.pk}/", at.visit, follow_up_body(at, 85)
    ),
    "POST /visits/{id}/void/": lambda at: change(f"/visits/{at.visit.pk}/void/", at.visit, {}),
}


# The calls of a POST that has two ways to succeed: by the status of the second.
OTHERWISE: dict[tuple[str, int], Callable[[Scene], Call]] = {
    ("POST /ctgov-import/", 200): lambda at: Call("/ctgov-import/?dry_run=true", study_body()),
}


def _again(name: str, **other: Any) -> Callable[[Scene], Call]:
    def call(at: Scene) -> Call:
        sent = CALLS[name](at)
        return replace(sent, body=sent.body | other)

    return call


def _taken(at: Scene) -> dict[str, Any]:
    study = study_body()
    study["protocolSection"]["identificationModule"]["nctId"] = at.trial.registry_id
    return study


def _without_sites(at: Scene) -> Call:
    return change(at.trial_path, at.trial, stored_trial(at) | {"sites": []})


CONTRADICTIONS: dict[str, Callable[[Scene], Call]] = {
    "POST /trials/": lambda at: Call("/trials/", trial_body(at.trial.registry_id)),
    "POST /ctgov-import/": lambda at: Call("/ctgov-import/", _taken(at)),
    "PUT /trials/{registry_id}/": _without_sites,
    "PATCH /trials/{registry_id}/": _again("PATCH /trials/{registry_id}/", sites=[]),
    "POST /patients/": _again("POST /patients/", subject_id="01-001"),
    "PATCH /patients/{id}/": _again("PATCH /patients/{id}/", died_on="2024-02-01"),
    "POST /therapies/": lambda at: Call("/therapies/", therapy_body(at, 90) | {"kind": "systemic"}),
    "PUT /therapies/{id}/": lambda at: _twice(at),
    "PUT /adverse-events/{id}/": lambda at: _event_twice(at),
    "POST /visits/": lambda at: Call("/visits/", follow_up_body(at, 85)),
    "PUT /visits/{id}/": lambda at: change(
        f"/visits/{at.visit.pk}/", at.visit, follow_up_body(at, 43)
    ),
    "POST /visits/{id}/void/": lambda at: change(
        f"/visits/{at.baseline.pk}/void/", at.baseline, {}
    ),
}


def _twice(at: Scene) -> Call:
    other = Therapy.objects.create(patient=at.patient, started_on=START + timedelta(days=200))
    return change(f"/therapies/{other.pk}/", other, therapy_body(at, 90) | {"kind": "systemic"})


def _event_twice(at: Scene) -> Call:
    told = event_body(at)
    AdverseEvent.objects.create(
        patient=at.patient, term=told["term"], grade=1, related=False, started_on=START
    )
    return change(f"/adverse-events/{at.adverse_event.pk}/", at.adverse_event, told)
