"""How the operations of protocols are called: trials, their versions, publications, reference ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests import factories
from tests.contract.calls.call import Call, change
from tests.contract.scene import CLAIMS, Scene
from tests.factories import START
from trials.models import ReferenceRange, Trial
from trials.vocabularies import Role

ADULT = {"type": "number", "item": "age", "comparison": "at_least", "value": 18, "unit": None}
CREATININE = {"type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5}
LIMIT = {"type": "number", "item": "creatinine_clearance", "comparison": "at_least", "value": 60}
RENAL = {
    "type": "any",
    "rules": [CREATININE | {"times": "uln"}, LIMIT | {"unit": "mL/min"}],
}


def trial_body(registry_id: str) -> dict[str, Any]:
    """A trial with one of each."""
    return {
        "registry_id": registry_id,
        "brief_title": "Anlotinib in sarcoma",
        "phase": "PHASE2",
        "sites": [{"code": "01"}],
        "arms": [{"name": "Anlotinib", "interventions": [{"name": "Anlotinib", "dose": 12.5}]}],
        "endpoints": [{"kind": "ORR", "definition": {"censoring": {"rule": "fda"}}}],
        "criteria": [
            {"kind": "inclusion", "text": "18 years or older", "rule": ADULT},
            {"kind": "exclusion", "text": "Renal failure", "rule": {"type": "not", "rule": RENAL}},
        ],
    }


def stored_trial(at: Scene) -> dict[str, Any]:
    """What PUT needs to leave the trial as it is, as far as patients depend on it."""
    sites = [{"code": code, "timezone": "Asia/Shanghai"} for code in ("01", "02")]
    return trial_body(at.trial.registry_id) | {"sites": sites}


def amendment_body() -> dict[str, Any]:
    """The next version of a protocol."""
    criteria = [{"kind": "inclusion", "text": "ECOG 0 or 1", "rule": None, "note": ""}]
    facts = {"label": "2.0", "effective_on": "2024-03-01", "consent_version": "ICF 2"}
    return facts | {"summary": "ECOG", "criteria": criteria}


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


def publication_body(key: str) -> dict[str, Any]:
    """A publication with an arm, some claims, and what is read-only."""
    document = {"groups": [{"name": "all", "role": "arm"}], "claims": list(CLAIMS)}
    return {"key": key, "title": "Anlotinib", "year": None, "document": document, "version": 7}


def range_body(at: Scene, day: int = 31) -> dict[str, Any]:
    """New limits, in another unit."""
    return {
        "trial": at.trial.registry_id, "site": "01", "item": "alt", "sex": "any",
        "lower": None, "upper": 0.75, "unit": "ukat/L",
        "valid_from": (START + timedelta(days=day)).isoformat(),
    }  # fmt: skip


def _unblind(at: Scene, masking: str) -> Call:
    """Of a trial of its own: what is masked answers other calls otherwise."""
    other = factories.trial(f"MASKED-{Trial.objects.count()}", masking=masking)
    factories.membership(at.cast.viewer, other, Role.VIEWER)
    body = {"registry_id": other.registry_id}
    return change(f"/trials/{other.registry_id}/unblind/", other, body)


CALLS: dict[str, Callable[[Scene], Call]] = {
    "GET /trials/": lambda at: Call("/trials/?page_size=1"),
    "POST /trials/": lambda at: Call("/trials/", trial_body("NCT00000009")),
    "POST /ctgov-import/": lambda at: Call("/ctgov-import/", study_body()),
    "GET /trials/{registry_id}/": lambda at: Call(at.trial_path),
    "PUT /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, stored_trial(at)),
    "PATCH /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, {"acronym": "X"}),
    "POST /trials/{registry_id}/unblind/": lambda at: _unblind(at, "DOUBLE"),
    "GET /trials/{registry_id}/protocol-versions/": lambda at: Call(
        f"{at.trial_path}protocol-versions/"
    ),
    "POST /trials/{registry_id}/protocol-versions/": lambda at: change(
        f"{at.trial_path}protocol-versions/", at.trial, amendment_body()
    ),
    "GET /trials/{registry_id}/protocol-versions/{number}/": lambda at: Call(
        f"{at.trial_path}protocol-versions/1/"
    ),
    "GET /publications/": lambda at: Call("/publications/?sarcoma=true&contradictions=true"),
    "POST /publications/": lambda at: Call("/publications/", publication_body("sun-2022")),
    "GET /publications/{key}/": lambda at: Call(f"/publications/{at.publication.key}/"),
    "PUT /publications/{key}/": lambda at: change(
        f"/publications/{at.publication.key}/", at.publication, publication_body("alter-s006")
    ),
    "GET /publications/{key}/audit/": lambda at: Call(f"/publications/{at.publication.key}/audit/"),
    "GET /reference-ranges/": lambda at: Call("/reference-ranges/?site=01&item=alt&on=2024-06-01"),
    "POST /reference-ranges/": lambda at: Call("/reference-ranges/", range_body(at)),
    "GET /reference-ranges/{id}/": lambda at: Call(f"/reference-ranges/{at.reference_range.pk}/"),
    "PUT /reference-ranges/{id}/": lambda at: change(
        f"/reference-ranges/{at.reference_range.pk}/", at.reference_range, range_body(at)
    ),
    "POST /reference-ranges/{id}/void/": lambda at: change(
        f"/reference-ranges/{at.reference_range.pk}/void/", at.reference_range, {}
    ),
}


# The calls of an operation that has two ways to succeed: by the status of the second.
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
    "POST /trials/{registry_id}/unblind/": lambda at: _unblind(at, "NONE"),
    "PATCH /trials/{registry_id}/": _again("PATCH /trials/{registry_id}/", sites=[]),
    "POST /publications/": lambda at: Call("/publications/", publication_body("alter-s006")),
    "PUT /publications/{key}/": _again("PUT /publications/{key}/", key="another"),
    "POST /reference-ranges/": lambda at: Call("/reference-ranges/", range_body(at, 0)),
    "PUT /reference-ranges/{id}/": lambda at: _limits_twice(at),
}


def _limits_twice(at: Scene) -> Call:
    told = range_body(at)
    other = {name: told[name] for name in ("item", "upper", "unit", "valid_from")}
    ReferenceRange.objects.create(site=at.patient.site, **other)
    return change(f"/reference-ranges/{at.reference_range.pk}/", at.reference_range, told)
