"""How the operations of visits and of what they mean are called: reports, analyses, imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.contract.calls.call import Call, change
from tests.contract.calls.patients import event_body, patient_body
from tests.contract.scene import Scene
from tests.factories import START


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
        "acknowledged": [{"code": "large_change", "lesion": "T01", "comment": "embolized"}],
        "derived": None,
    }


def analysis_body(name: str) -> dict[str, Any]:
    """What is frozen under a name."""
    asked = {"cutoff": "2024-12-31", "population": "safety", "landmarks": "3,12w"}
    return {"name": name, "note": "after the second scan", "options": asked, "version": 1}


def import_call(at: Scene, query: str = "") -> Call:
    """A file of two lines, one of them new."""
    event = {"record": "adverse_event"} | event_body(at) | {"patient": at.patient.subject_id}
    patient = {"record": "patient"} | patient_body(at)
    lines = "\n".join(json.dumps(line) for line in (patient, event))
    return Call(f"{at.trial_path}import/{query}", lines, content_type="application/x-ndjson")


CALLS: dict[str, Callable[[Scene], Call]] = {
    "GET /trials/{registry_id}/analyses/": lambda at: Call(f"{at.trial_path}analyses/"),
    "POST /trials/{registry_id}/analyses/": lambda at: Call(
        f"{at.trial_path}analyses/", analysis_body("Final")
    ),
    "GET /analyses/{id}/": lambda at: Call(f"/analyses/{at.analysis.pk}/"),
    "GET /analyses/{id}/inputs/": lambda at: Call(f"/analyses/{at.analysis.pk}/inputs/"),
    "GET /analyses/{id}/result/": lambda at: Call(f"/analyses/{at.analysis.pk}/result/"),
    "GET /analyses/{id}/changes/": lambda at: Call(f"/analyses/{at.analysis.pk}/changes/"),
    "POST /analyses/{id}/reproduce/": lambda at: Call(f"/analyses/{at.analysis.pk}/reproduce/", {}),
    "GET /trials/{registry_id}/ctgov/": lambda at: Call(f"{at.trial_path}ctgov/?results=true"),
    "GET /trials/{registry_id}/outcomes/": lambda at: Call(
        f"{at.trial_path}outcomes/?cutoff=2024-12-31&group_by=histology&landmarks=3,12w"
    ),
    "GET /trials/{registry_id}/outcomes/forest/": lambda at: Call(
        f"{at.trial_path}outcomes/forest/?cutoff=2024-12-31&endpoint=PFS&measure=median"
    ),
    "GET /trials/{registry_id}/outcomes/patients/": lambda at: Call(
        f"{at.trial_path}outcomes/patients/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/safety/": lambda at: Call(
        f"{at.trial_path}safety/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/accrual/": lambda at: Call(
        f"{at.trial_path}accrual/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/consort/": lambda at: Call(
        f"{at.trial_path}consort/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/report/": lambda at: Call(
        f"{at.trial_path}report/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/discordance/": lambda at: Call(
        f"{at.trial_path}discordance/?cutoff=2024-12-31"
    ),
    "GET /trials/{registry_id}/discordance/patients/": lambda at: Call(
        f"{at.trial_path}discordance/patients/?cutoff=2024-12-31"
    ),
    "GET /review/patients/": lambda at: Call(f"/review/patients/?trial={at.trial.registry_id}"),
    "GET /trials/{registry_id}/import/": lambda at: Call(f"{at.trial_path}import/"),
    "POST /trials/{registry_id}/import/": lambda at: import_call(at, "?dry_run=true"),
    "GET /claims-audit/": lambda at: Call("/claims-audit/?severity=contradiction"),
    "GET /visits/": lambda at: Call(f"/visits/?patient={at.patient.pk}"),
    "POST /visits/": lambda at: Call("/visits/", follow_up_body(at)),
    "GET /trials/{registry_id}/endpoints/": lambda at: Call(f"{at.trial_path}endpoints/"),
    "POST /trials/{registry_id}/endpoints/preview/": lambda at: Call(
        f"{at.trial_path}endpoints/preview/",
        {"kind": "PFS", "definition": {"time_origin": "enrollment"}},
    ),
    "GET /studies/": lambda at: Call("/studies/?sort=-orr&sarcoma=true"),
    "POST /visits/preview/": lambda at: Call(
        "/visits/preview/", follow_up_body(at, 60) | {"targets": [{"lesion": "T01"}]}
    ),
    "GET /visits/{id}/": lambda at: Call(f"/visits/{at.baseline.pk}/"),
    "PUT /visits/{id}/": lambda at: change(
        f"/visits/{at.visit.pk}/",
        at.visit,
        follow_up_body(at, 85) | {"reasons": {"/date": "misread"}},
    ),
    "POST /visits/{id}/void/": lambda at: change(f"/visits/{at.visit.pk}/void/", at.visit, {}),
}


CONTRADICTIONS: dict[str, Callable[[Scene], Call]] = {
    "POST /trials/{registry_id}/analyses/": lambda at: Call(
        f"{at.trial_path}analyses/", analysis_body("Interim")
    ),
    "POST /visits/": lambda at: Call("/visits/", follow_up_body(at, 85)),
    "PUT /visits/{id}/": lambda at: change(
        f"/visits/{at.visit.pk}/", at.visit, follow_up_body(at, 43)
    ),
    "POST /visits/{id}/void/": lambda at: change(
        f"/visits/{at.baseline.pk}/void/", at.baseline, {}
    ),
}
