"""The seed study: what was published comes out of the lesions, by the ordinary way."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Max

from fixtures import recompute, synthesize
from outcomes import actions
from outcomes.management.commands import demo
from outcomes.management.commands.load_seeds import CAST, load
from outcomes.models import Visit
from patients.models import Patient
from registry.models import ApiToken, User
from tests.conftest import Api
from trials.models import Trial

TRIAL = "NCT03890068"
OUTCOMES = f"/trials/{TRIAL}/outcomes/"
PUBLISHED = f"{OUTCOMES}?cutoff=2022-08-08&survival_interval=spss"
LINES = [json.loads(line) for line in synthesize.RECORDS.read_text("utf-8").splitlines()]
PATIENTS = [line for line in LINES if line["record"] == "patient"]
VISITS = [line for line in LINES if line["record"] == "visit"]
THERAPIES = [line for line in LINES if line["record"] == "therapy"]
ON_STUDY = "01-012"  # site 01, stable at the last visit, the next one due on 2022-08-01


@pytest.fixture(scope="module")
def _seeds(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The seeds, loaded once for this file; nothing of them stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        load()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def seeds(_seeds: None) -> Iterator[None]:
    """The loaded seeds; what a test changes is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read(api: Callable[[User], Api], username: str, path: str = PUBLISHED) -> dict[str, Any]:
    answer = api(User.objects.get(username=username)).get(path)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def month(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def percent(rate: dict[str, Any]) -> str:
    return "{:.0f} ({:.0f}-{:.0f})".format(*(100 * rate[k] for k in ("estimate", "lower", "upper")))


def test_the_published_table(seeds: None, api: Callable[[User], Api]) -> None:
    """Xu 2023, eClinicalMedicine 64:102240, abstract: every efficacy figure as printed."""
    found = read(api, "investigator", f"{PUBLISHED}&landmarks=12")
    orr, dcr, median = found["orr"], found["dcr"], found["pfs"]["median"]
    assert found["population"] == {"name": "enrolled", "n": 49}
    assert (orr["responders"], orr["n"], percent(orr)) == (8, 49, "16 (7-30)")
    assert (dcr["controlled"], dcr["n"], percent(dcr)) == (46, 49, "94 (83-99)")
    months = [median[key] for key in ("months", "lower_months", "upper_months")]
    assert [month(value) for value in months] == ["9.1", "5.7", "12.5"]
    assert found["os"]["median"]["days_reason"] == "not_reached"
    assert f"{100 * found['os']['landmarks'][0]['survival']:.1f}" == "98.0"
    follow_up = found["follow_up"]
    quartiles = [follow_up[key] for key in ("median_months", "q1_months", "q3_months")]
    assert [month(value) for value in quartiles] == ["17.1", "9.0", "27.2"]
    assert follow_up["method"] == "reverse-kaplan-meier"


def test_other_methods_would_not_print_it(seeds: None, api: Callable[[User], Api]) -> None:
    """The data tell apart: confirmed from single responses, both customs of follow-up."""
    found = read(api, "investigator")
    assert found["best_overall_response"]["unconfirmed"]["PR"] == 10
    assert found["best_overall_response"]["confirmed"] == {
        "CR": 0, "PR": 8, "SD": 38, "NON_CR_NON_PD": 0, "PD": 2, "NE": 1,
    }  # fmt: skip
    plain = recompute.table(synthesize.RECORDS.read_text("utf-8")).observed_follow_up
    assert plain == "15.9 months (IQR 9.0-24.9)"


def test_the_cutoff_matters(seeds: None, api: Callable[[User], Api]) -> None:
    later = read(api, "investigator", f"{OUTCOMES}?cutoff=2023-01-01")
    assert later["pfs"]["events"] == read(api, "investigator")["pfs"]["events"] + 1


def test_histologies(seeds: None, api: Callable[[User], Api]) -> None:
    found = read(api, "investigator", f"{PUBLISHED}&group_by=histology")
    counts = {group["group"]: group["orr"]["n"] for group in found["groups"]}
    assert (counts["liposarcoma"], counts["leiomyosarcoma"]) == (17, 15)
    assert sum(counts.values()) == 49


@pytest.mark.parametrize(
    ("username", "site"), [("coordinator", "01"), ("colleague", "01"), ("outsider", "02")]
)
def test_a_coordinator_counts_the_own_site(
    seeds: None, api: Callable[[User], Api], username: str, site: str
) -> None:
    expected = sum(patient["site"] == site for patient in PATIENTS)
    assert 10 < expected < 20
    assert read(api, username)["population"]["n"] == expected


def test_a_visit_typed_at_site_01_moves_the_curve(seeds: None, api: Callable[[User], Api]) -> None:
    """The demonstration: the next visit of a stable patient is PD, and PFS has one event more."""
    patient = Patient.objects.get(trial__registry_id=TRIAL, subject_id=ON_STUDY)
    before = read(api, "coordinator")["pfs"]
    last = [visit for visit in VISITS if visit["patient"] == ON_STUDY][-1]
    targets = [row | {"diameter_mm": row["diameter_mm"] * 1.5} for row in last["targets"]]
    visit = last | {"patient": patient.pk, "date": "2022-08-01", "targets": targets}
    del visit["record"]
    answer = api(User.objects.get(username="coordinator")).post("/visits/", visit)
    assert answer.status_code == 201, answer.content
    assert answer.json()["derived"]["overall_response"] == "PD"
    after = read(api, "coordinator")["pfs"]
    assert (after["events"], after["censored"]) == (before["events"] + 1, before["censored"] - 1)
    assert after["curve"] != before["curve"]


def stored() -> dict[str, tuple[int, int]]:
    """Rows per table and the latest key: of every event too, so that no write goes unseen."""
    return {
        model._meta.label: (rows.count(), rows.aggregate(last=Max("pk"))["last"])
        for model in apps.get_models()
        if model._meta.app_label in ("registry", "trials", "patients", "outcomes")
        for rows in [model._default_manager.all()]
    }


def test_loading_twice_changes_nothing(seeds: None) -> None:
    before = stored()
    assert any(issubclass(apps.get_model(label), pghistory.models.Event) for label in before), (
        "the events are among them"
    )
    assert load()[TRIAL] is None
    assert stored() == before


def test_everything_is_stored(seeds: None) -> None:
    trial = Trial.objects.get(registry_id=TRIAL)
    assert trial.synthetic
    visits = Visit.objects.filter(patient__trial=trial)
    assert (trial.patients.count(), visits.count()) == (len(PATIENTS), len(VISITS))
    assert not visits.exclude(warnings=[]).exists()
    assert {(e.kind, e.role) for e in trial.endpoints.all()} == {
        ("PFS", "primary"), ("OS", "secondary"), ("ORR", "secondary"), ("DCR", "secondary"),
    }  # fmt: skip


def test_the_cast_cannot_log_in_by_password(seeds: None) -> None:
    loaded = User.objects.filter(username__in=[*CAST, "seed-loader"])
    assert loaded.count() == 5
    assert not any(user.has_usable_password() for user in loaded)
    assert not User.objects.get(username="seed-loader").is_active


def test_recompute_changes_nothing(seeds: None) -> None:
    trials = Trial.objects.filter(registry_id=TRIAL)
    assert actions.recompute(trials) == actions.Recomputed(len(VISITS), 0)


def test_recompute_command(seeds: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("recompute", "--trial", TRIAL)
    assert capsys.readouterr().out == f"{len(VISITS)} visits derived again, 0 changed\n"
    with pytest.raises(CommandError, match=TRIAL):
        call_command("recompute", "--trial", "NCT0")


def test_the_demo_gives_a_login(seeds: None) -> None:
    role, username, password, token = demo._login("outsider", "coordinator").split(" ")
    user = User.objects.get(username="outsider")
    assert (role, username, user.check_password(password)) == ("coordinator", "outsider", True)
    assert ApiToken.objects.valid().matching(token).get().user == user


def test_the_demo_refuses_a_port_in_use() -> None:
    with socket.socket() as other:
        other.bind((demo.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port}: .*Choose another with --port"):
            demo._require_free(port)


def test_the_file_is_what_the_generator_writes() -> None:
    assert synthesize.text(synthesize.records()) == synthesize.RECORDS.read_text("utf-8")


def test_the_file_holds_no_outcome() -> None:
    """Measurements and events only: no response, no sum, no time to an event."""
    patient = {
        "record", "trial", "subject_id", "site", "arm", "sex", "birth_year", "histology", "ecog",
        "enrolled_on", "first_dose_on", "last_dose_on", "last_known_alive_on", "died_on",
        "death_cause",
    }  # fmt: skip
    visit = {"record", "patient", "kind", "date", "targets", "non_targets", "new_lesions"}
    lesion = {
        "lesion", "organ", "description", "nodal", "method", "slice_mm", "bone_type", "state",
        "status", "certainty", "diameter_mm", "short_axis_mm", "reason",
    }  # fmt: skip
    assert {key for line in PATIENTS for key in line} <= patient
    assert {key for line in VISITS for key in line} == visit
    rows = [row for v in VISITS for name in visit if name.endswith("s") for row in v[name]]
    assert {key for row in rows for key in row} == lesion


def test_the_data_show_what_reading_lesions_needs() -> None:
    """One of each: states, causes of progression, an unscheduled visit, decimals, later therapy."""
    targets = [row for visit in VISITS for row in visit["targets"]]
    states = Counter(row["state"] for row in targets)
    assert set(states) == {"measured", "too_small", "absent", "not_evaluable"}
    statuses = {row["status"] for visit in VISITS for row in visit["non_targets"]}
    assert statuses >= {"present", "increased", "unequivocal_progression", "not_evaluable"}
    new = {row["certainty"] for visit in VISITS for row in visit["new_lesions"]}
    assert new == {"unequivocal", "equivocal"}
    assert {visit["kind"] for visit in VISITS} == {"baseline", "scheduled", "unscheduled"}
    assert any(isinstance(row.get("diameter_mm"), float) for row in targets)
    assert any(row.get("nodal") for row in targets)
    assert {therapy["kind"] for therapy in THERAPIES} == {"systemic", "radiotherapy"}


def test_no_therapy_begins_before_progression() -> None:
    histories = recompute.histories(synthesize.RECORDS.read_text("utf-8").splitlines())
    for history in histories:
        for therapy in history.therapies:
            assert min(r.date for r in history.records if r.response == "PD") < therapy.date


def test_baselines_are_within_the_window() -> None:
    first_doses = {p["subject_id"]: date.fromisoformat(p["first_dose_on"]) for p in PATIENTS}
    for visit in VISITS:
        if visit["kind"] == "baseline":
            before = (first_doses[visit["patient"]] - date.fromisoformat(visit["date"])).days
            assert 0 <= before <= 28


def test_the_readme_moves_the_curve(seeds: None, api: Callable[[User], Api]) -> None:
    """The visit that the README sends is taken, and adds one event to the curve."""
    sent = re.search(r"-d '(\{.*?\})'", (settings.BASE_DIR / "README.md").read_text(), re.DOTALL)
    assert sent
    visit = json.loads(sent[1])
    numbered = Patient.objects.filter(trial__registry_id=TRIAL).order_by("pk")
    visit["patient"] = numbered[visit["patient"] - 1].pk
    path = f"/trials/{TRIAL}/outcomes/?cutoff=2022-09-30"
    before = read(api, "investigator", path)["pfs"]["events"]
    answer = api(User.objects.get(username="coordinator")).post("/visits/", visit)
    assert answer.status_code == 201, answer.content
    assert read(api, "investigator", path)["pfs"]["events"] == before + 1
