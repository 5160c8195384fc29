"""A small trial with everything in it, which the contract's calls are about."""

from __future__ import annotations

from dataclasses import dataclass
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
    Screening,
    Therapy,
)
from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast
from tests.factories import START
from trials.models import Arm, Criterion, Endpoint, Intervention, Publication, ReferenceRange, Trial

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
