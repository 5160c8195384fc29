"""Every page and every answer that takes `known_on`: nothing that was written later is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLPattern, resolve, reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from outcomes import figures, urls
from outcomes.actions import record_visit
from outcomes.entries import VisitEntry
from outcomes.figures.views import ELSEWHERE
from outcomes.models import Evaluator
from outcomes.safety.views import CSV
from patients.models import (
    AdverseEvent,
    Allocation,
    Deviation,
    Disposition,
    Dose,
    Patient,
    Screening,
    Therapy,
)
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    ProtocolVersion,
    Publication,
    PublishedFigure,
    Site,
    Trial,
)

Caller = Callable[[Any], Api]
Login = Callable[[Any], Client]
CANARY = "zzz"  # part of whatever is written after the moment; no word and no address has it
DEATH = START + timedelta(days=777)  # a date that nothing else has
END = "2027-12-31"
PAST = "You are looking at the past"
PAGES = {  # those that take a moment; any other refuses the key
    "trial_dashboard", "endpoints", "accrual", "consort", "consort_people", "study_report",
    "statistics", "groups", "safety", "safety_patients", "safety_exposure", "safety_csv",
    "figure_list", "figure", "figure_data", "patients_of", "accrual_people", "discordance", "analysis_new", "studies", "studies_csv",
}  # fmt: skip


def before(cast: Cast) -> list[Patient]:
    """A trial of two arms in which everything is recorded once."""
    trial = cast.trial
    Trial.objects.filter(pk=trial.pk).update(
        allocation="RANDOMIZED", enrollment_gate="screening", lead_sponsor="Sponsor"
    )
    Endpoint.objects.create(trial=trial, kind="ORR", name="first", wording="As printed")
    Endpoint.objects.create(trial=trial, kind="DOR", name="second")
    factories.published_figure(trial)
    factories.publication("printed", sarcoma=True)
    criterion = Criterion.objects.create(trial=trial, kind="inclusion", text="Age", position=0)
    arms = [Arm.objects.create(trial=trial, name=name) for name in ("Drug", "Control")]
    for arm in arms:
        Intervention.objects.create(arm=arm, name="Anlotinib", dose=12, unit="mg")
    return [_recorded(trial, arm, criterion, cast) for arm in arms]


def _recorded(trial: Trial, arm: Arm, criterion: Criterion, cast: Cast) -> Patient:
    patient = factories.patient(trial, f"S-{arm.name}", histology="liposarcoma")
    Allocation.objects.create(patient=patient, trial=trial, arm=arm)
    seen = Screening.objects.create(
        patient=patient, protocol_version=trial.protocol_version, screened_on=START,
        results=[{"criterion": criterion.pk, "result": "not_met"}],
    )  # fmt: skip
    Deviation.objects.create(
        patient=patient, criterion=criterion, occurred_on=START, justification="fit",
        screening=seen, screening_version=1,
    )  # fmt: skip
    factories.adverse_event(patient, serious=True)
    Dose.objects.create(
        patient=patient, intervention="Anlotinib", dose=12, unit="mg",
        started_on=START + timedelta(days=1), ended_on=START + timedelta(days=40),
    )  # fmt: skip
    Disposition.objects.create(patient=patient, kind="completed", on=START + timedelta(days=200))
    for evaluator in Evaluator.values:
        first = VisitEntry("baseline", START, (factories.target("T01", 50, organ="lung"),), (), ())
        record_visit(patient=patient, entry=first, by=cast.superuser, evaluator=evaluator)
    for day in (43, 85):
        factories.follow_up(
            patient, day, by=cast.superuser, targets=(factories.target("T01", 20),), non_targets=()
        )
    return patient


def change_everything(cast: Cast, patients: list[Patient]) -> None:
    """Every name, date and figure is another, somebody is new, somebody gone."""
    trial, (one, gone) = cast.trial, patients
    Trial.objects.filter(pk=trial.pk).update(
        brief_title=f"Title {CANARY}", lead_sponsor=f"Sponsor {CANARY}", enrollment_target=777,
        ae_window_days=77, assessment_interval_days=77, assessment_window_days=17,
        baseline_window_days=17, ctcae_version="3.0", enrollment_gate="recorded_elsewhere",
        allocation="NON_RANDOMIZED",
    )  # fmt: skip
    for model, field in ((Site, "code"), (Arm, "name"), (Intervention, "name"), (Criterion, "text"),
                         (PublishedFigure, "printed"), (Publication, "title")):  # fmt: skip
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(**{field: f"{CANARY} {row.pk}"})
    Endpoint.objects.update(
        name=f"name {CANARY}", wording=f"wording {CANARY}", version=2,
        definition={"population": "safety", "proportion_interval": "wald"},
    )  # fmt: skip
    Endpoint.objects.create(trial=trial, kind="PFS", name=f"new {CANARY}")
    Patient.objects.filter(pk=one.pk).update(
        subject_id=f"S-{CANARY}", histology=f"histology {CANARY}", died_on=DEATH, ecog=2
    )
    one.site.refresh_from_db()
    Patient.objects.filter(pk=gone.pk).update(voided_at=timezone.now())
    third = Arm.objects.create(trial=trial, name=f"arm {CANARY}")
    Allocation.objects.filter(patient=one).update(arm=third)
    new = factories.patient(trial, f"new {CANARY}", site=one.site.code)
    factories.baseline(new, by=cast.superuser)
    factories.patient(trial, f"newer {CANARY}", site=one.site.code)
    AdverseEvent.objects.update(term=f"term {CANARY}", grade=4)
    Dose.objects.update(intervention=f"drug {CANARY}", dose=8)
    Disposition.objects.update(kind="lost_to_follow_up", reason="", on=DEATH)
    Deviation.objects.update(major=False, occurred_on=DEATH)
    Screening.objects.update(conclusion="failed", failure_reason="not_eligible")
    Therapy.objects.create(patient=one, started_on=DEATH)
    factories.publication(CANARY, title=CANARY)
    other = factories.trial(f"N{CANARY}")
    ProtocolVersion.objects.create(trial=other, number=2, label="2")


def pages_of(trial: Trial) -> Iterator[str]:
    """Every address of outcomes that is of the trial or of several, each kind of file once."""
    numbers = ["orr", "pfs", "best"]
    kinds = {"figure": [*figures.NAMES, *ELSEWHERE], "table": list(CSV), "number": numbers}
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = set(pattern.pattern.converters)
        if names - {"registry_id"} - set(kinds) or "upload" in str(pattern.name):
            continue
        of = {"registry_id": trial.registry_id} if "registry_id" in names else {}
        (kind,) = names & set(kinds) or {""}
        for value in kinds.get(kind, [""]):
            yield reverse(f"outcomes:{pattern.name}", kwargs=of | ({kind: value} if kind else {}))


def operations(trial: Trial) -> Iterator[str]:
    """Every GET of the API that documents `known_on`."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, methods in schema["paths"].items():
        named = {one["name"] for one in methods.get("get", {}).get("parameters", [])}
        if "known_on" in named:
            yield path.removeprefix("/api/v1").replace("{registry_id}", trial.registry_id)


def keyed(moment: datetime | None) -> str:
    """A cutoff after everything, and the moment."""
    said = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if moment else ""
    return urlencode({"cutoff": END} | ({"known_on": said} if said else {}))


def told(text: str) -> list[str]:
    """What of the later writing is in a text."""
    return re.findall(rf".{{0,40}}(?:{CANARY}|{DEATH.isoformat()}).{{0,20}}", text, re.I)


Read = Callable[[datetime | None], dict[str, str]]


def reader_of_pages(cast: Cast, client: Client) -> Read:
    """Every page that takes a moment, as text; the others, if they answer, say nothing of it."""
    addresses = list(pages_of(cast.trial))

    def read(moment: datetime | None) -> dict[str, str]:
        answers = {address: client.get(f"{address}?{keyed(moment)}") for address in addresses}
        found = {a: one.text for a, one in answers.items() if one.status_code == 200}
        assert not any(PAST in text for a, text in found.items() if not takes(a))
        return {a: text for a, text in found.items() if takes(a)}

    return read


@pytest.mark.django_db(transaction=True)
def test_nothing_later_is_told(cast: Cast, api: Caller, pages: Login) -> None:
    client, page = api(cast.superuser), pages(cast.superuser)
    patients = before(cast)
    paths, shown = list(operations(cast.trial)), reader_of_pages(cast, page)
    first = {path: client.get(f"{path}?{keyed(None)}").json() for path in paths}
    moment = datetime.now(UTC)
    change_everything(cast, patients)
    for path in paths:
        then = client.get(f"{path}?{keyed(moment)}")
        assert told(then.text) == [], path
        assert same(then.json()) == same(first[path]), path
        assert same(client.get(f"{path}?{keyed(None)}").json()) != same(first[path]), path
    found = shown(moment)
    assert {resolve(address).url_name for address in found} == PAGES
    for address, text in found.items():
        assert told(text) == [], address
        assert "known_on" in text if address.endswith(".csv") else PAST in text, address
    today = shown(None)
    said = f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"  # in a column of the files
    unmoved = (a for a in found if found[a].replace(said, "") == today[a])
    assert [address for address in unmoved if not told(today[address])] == []


def takes(address: str) -> bool:
    """Whether an address is of a page that takes a moment."""
    return resolve(address).url_name in PAGES


def same(document: Any) -> Any:
    """A document without what says when, and by which question, it was made."""
    if isinstance(document, dict):
        apart = ("known_on", "made_at", "sha256", "inputs_sha256", "paragraphs")
        return {k: same(v) for k, v in document.items() if k not in apart}
    return [same(one) for one in document] if isinstance(document, list) else document
