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

from outcomes import analyses
from outcomes.models import Analysis, Visit
from outcomes.report import Options
from patients import query_actions
from patients.models import (
    AdverseEvent,
    Consent,
    Deviation,
    Disposition,
    Dose,
    Patient,
    Query,
    RandomizationSlot,
    Screening,
    Therapy,
)
from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast
from tests.factories import START
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Publication,
    RandomizationScheme,
    ReferenceRange,
    Trial,
)

NOBODY = 999_999_999
WHY = {"reason": "typing error"}
ADULT = {"type": "number", "item": "age", "comparison": "at_least", "value": 18, "unit": None}
CREATININE = {"type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5}
LIMIT = {"type": "number", "item": "creatinine_clearance", "comparison": "at_least", "value": 60}
RENAL = {
    "type": "any",
    "rules": [CREATININE | {"times": "uln"}, LIMIT | {"unit": "mL/min"}],
}


CLAIMS: tuple[dict[str, Any], ...] = (
    {"type": "proportion", "id": "orr", "label": "ORR", "measure": "ORR", "k": 8, "percent": "17%"},
    {
        "type": "categories", "id": "response", "label": "Best response", "kind": "best_response",
        "items": [{"name": "PR", "n": 8}, {"name": "SD", "n": 38}],
        "reconciled": {"value": "PD 3", "reason": "the rest of 49"},
    },
    {"type": "median", "id": "pfs", "label": "PFS", "measure": "PFS", "value": "9.1",
     "interval": "5.7-12.5"},
)  # fmt: skip


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
    publication: Publication
    dose: Dose
    disposition: Disposition
    reference_range: ReferenceRange
    candidate: Patient  # consented and screened: one criterion is met, one is not
    consent: Consent
    screening: Screening
    deviation: Deviation
    query: Query  # of a soft check
    closed_query: Query  # of the investigator
    analysis: Analysis
    exclusion: Criterion  # met; the one with a deviation is an inclusion criterion

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
    dose = Dose.objects.create(
        patient=patient, intervention="Anlotinib", dose=12, unit="mg",
        started_on=START + timedelta(1), ended_on=START + timedelta(13),
    )  # fmt: skip
    disposition = Disposition.objects.create(
        patient=patient, kind="treatment_discontinued", on=START + timedelta(85),
        reason="progressive_disease",
    )  # fmt: skip
    limits = ReferenceRange.objects.create(
        site=patient.site, item="alt", upper=40, unit="U/L", valid_from=START
    )
    candidate, exclusion, consent, screening, deviation = _screened(cast)
    return Scene(
        cast=cast,
        trial=trial,
        patient=patient,
        newcomer=newcomer,
        baseline=baseline,
        visit=visit,
        therapy=therapy,
        adverse_event=event,
        publication=factories.publication("alter-s006", *CLAIMS, trial=trial),
        dose=dose,
        disposition=disposition,
        reference_range=limits,
        candidate=candidate,
        consent=consent,
        screening=screening,
        deviation=deviation,
        query=Query.objects.open().filter(record_id=visit.pk)[0],
        closed_query=_closed_query(visit, by=cast.investigator),
        analysis=_frozen(cast),
        exclusion=exclusion,
    )


def _frozen(cast: Cast) -> Analysis:
    """An analysis of this moment."""
    options = Options(cutoff=START + timedelta(days=200))
    return analyses.freeze(
        trial=cast.trial, by=cast.administrator, name="Interim", note="", options=options
    )


def _closed_query(visit: Visit, *, by: User) -> Query:
    """A question that was settled."""
    query = query_actions.open_query(
        patient=visit.patient, by=by, subject="visit", record_id=visit.pk, text="Which scan?"
    )
    return query_actions.close_query(query=query, by=by, reason="The second.", version=1)


def _screened(cast: Cast) -> tuple[Patient, Criterion, Consent, Screening, Deviation]:
    """Somebody with a consent, a screening with platelets that are too few, and a deviation."""
    platelets, lactating = factories.criteria(cast.trial)[1:]
    ReferenceRange.objects.create(
        site=cast.trial.sites.get(code="01"), item="creatinine", upper=106, unit="umol/L",
        valid_from=START,
    )  # fmt: skip
    candidate = factories.candidate(cast.trial, "01-009", sex="female", ecog=1)
    consent = factories.consent(candidate, by=cast.coordinator)
    values = factories.ELIGIBLE | {"platelets": {"value": 72, "unit": "10^9/L"}}
    screening = factories.screening(candidate, by=cast.coordinator, values=values)
    deviation = factories.deviation(candidate, platelets, by=cast.investigator)
    return candidate, lactating, consent, screening, deviation


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
        "acknowledged": [{"code": "large_change", "lesion": "T01", "comment": "embolized"}],
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
        "criteria": [
            {"kind": "inclusion", "text": "18 years or older", "rule": ADULT},
            {"kind": "exclusion", "text": "Renal failure", "rule": {"type": "not", "rule": RENAL}},
        ],
    }


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


def range_body(at: Scene, day: int = 31) -> dict[str, Any]:
    """New limits, in another unit."""
    return {
        "trial": at.trial.registry_id, "site": "01", "item": "alt", "sex": "any",
        "lower": None, "upper": 0.75, "unit": "ukat/L",
        "valid_from": (START + timedelta(days=day)).isoformat(),
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


def publication_body(key: str) -> dict[str, Any]:
    """A publication with an arm, some claims, and what is read-only."""
    document = {"groups": [{"name": "all", "role": "arm"}], "claims": list(CLAIMS)}
    return {"key": key, "title": "Anlotinib", "year": None, "document": document, "version": 7}


def analysis_body(name: str) -> dict[str, Any]:
    """What is frozen under a name."""
    asked = {"cutoff": "2024-12-31", "population": "safety", "landmarks": "3,12w"}
    return {"name": name, "note": "after the second scan", "options": asked, "version": 1}


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
    "GET /trials/": lambda at: Call("/trials/?page_size=1"),
    "POST /trials/": lambda at: Call("/trials/", trial_body("NCT00000009")),
    "POST /ctgov-import/": lambda at: Call("/ctgov-import/", study_body()),
    "GET /trials/{registry_id}/ctgov/": lambda at: Call(f"{at.trial_path}ctgov/?results=true"),
    "GET /trials/{registry_id}/": lambda at: Call(at.trial_path),
    "PUT /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, stored_trial(at)),
    "PATCH /trials/{registry_id}/": lambda at: change(at.trial_path, at.trial, {"acronym": "X"}),
    "GET /trials/{registry_id}/protocol-versions/": lambda at: Call(
        f"{at.trial_path}protocol-versions/"
    ),
    "POST /trials/{registry_id}/protocol-versions/": lambda at: change(
        f"{at.trial_path}protocol-versions/", at.trial, amendment_body()
    ),
    "GET /trials/{registry_id}/protocol-versions/{number}/": lambda at: Call(
        f"{at.trial_path}protocol-versions/1/"
    ),
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
    "GET /publications/": lambda at: Call("/publications/?sarcoma=true&contradictions=true"),
    "POST /publications/": lambda at: Call("/publications/", publication_body("sun-2022")),
    "GET /publications/{key}/": lambda at: Call(f"/publications/{at.publication.key}/"),
    "PUT /publications/{key}/": lambda at: change(
        f"/publications/{at.publication.key}/", at.publication, publication_body("alter-s006")
    ),
    "GET /publications/{key}/audit/": lambda at: Call(f"/publications/{at.publication.key}/audit/"),
    "GET /claims-audit/": lambda at: Call("/claims-audit/?severity=contradiction"),
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
    "GET /reference-ranges/": lambda at: Call("/reference-ranges/?site=01&item=alt&on=2024-06-01"),
    "POST /reference-ranges/": lambda at: Call("/reference-ranges/", range_body(at)),
    "GET /reference-ranges/{id}/": lambda at: Call(f"/reference-ranges/{at.reference_range.pk}/"),
    "PUT /reference-ranges/{id}/": lambda at: change(
        f"/reference-ranges/{at.reference_range.pk}/", at.reference_range, range_body(at)
    ),
    "POST /reference-ranges/{id}/void/": lambda at: change(
        f"/reference-ranges/{at.reference_range.pk}/void/", at.reference_range, {}
    ),
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


# The calls of an operation that has two ways to succeed: by the status of the second.
OTHERWISE: dict[tuple[str, int], Callable[[Scene], Call]] = {
    ("POST /ctgov-import/", 200): lambda at: Call("/ctgov-import/?dry_run=true", study_body()),
    ("PUT /trials/{registry_id}/randomization/", 201): scheme_created,
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
    "POST /trials/{registry_id}/analyses/": lambda at: Call(
        f"{at.trial_path}analyses/", analysis_body("Interim")
    ),
    "POST /trials/": lambda at: Call("/trials/", trial_body(at.trial.registry_id)),
    "POST /ctgov-import/": lambda at: Call("/ctgov-import/", _taken(at)),
    "PUT /trials/{registry_id}/": _without_sites,
    "PATCH /trials/{registry_id}/": _again("PATCH /trials/{registry_id}/", sites=[]),
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
    "POST /publications/": lambda at: Call("/publications/", publication_body("alter-s006")),
    "PUT /publications/{key}/": _again("PUT /publications/{key}/", key="another"),
    "PUT /trials/{registry_id}/randomization/": lambda at: _ratio_in_use(at),
    "POST /patients/{id}/randomize/": lambda at: replace(
        randomize_call(at), path=f"/patients/{at.newcomer.pk}/randomize/"
    ),
    "POST /patients/{id}/transfer/": lambda at: _transfer_of_a_lost_patient(at),
    "POST /dispositions/": lambda at: _withdrawn_twice(at),
    "PUT /dispositions/{id}/": lambda at: _disposition_twice(at),
    "POST /doses/": lambda at: Call("/doses/", dose_body(at, 13)),
    "PUT /doses/{id}/": lambda at: _dose_twice(at),
    "POST /reference-ranges/": lambda at: Call("/reference-ranges/", range_body(at, 0)),
    "PUT /reference-ranges/{id}/": lambda at: _limits_twice(at),
    "POST /visits/": lambda at: Call("/visits/", follow_up_body(at, 85)),
    "PUT /visits/{id}/": lambda at: change(
        f"/visits/{at.visit.pk}/", at.visit, follow_up_body(at, 43)
    ),
    "POST /visits/{id}/void/": lambda at: change(
        f"/visits/{at.baseline.pk}/void/", at.baseline, {}
    ),
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


def _limits_twice(at: Scene) -> Call:
    told = range_body(at)
    other = {name: told[name] for name in ("item", "upper", "unit", "valid_from")}
    ReferenceRange.objects.create(site=at.patient.site, **other)
    return change(f"/reference-ranges/{at.reference_range.pk}/", at.reference_range, told)


def _consent_twice(at: Scene) -> Call:
    other = consent_body(at)
    factories.consent(at.candidate, by=at.cast.coordinator, on=START + timedelta(days=100))
    return change(f"/consents/{at.consent.pk}/", at.consent, other)


def _screening_twice(at: Scene) -> Call:
    factories.screening(at.candidate, by=at.cast.coordinator, on=START + timedelta(days=100))
    return change(f"/screenings/{at.screening.pk}/", at.screening, screening_body(at))
