"""The seed studies: what was published comes out of the lesions, by the ordinary way."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Max
from django.test import Client

from fixtures import recompute, synthesize
from fixtures.study import Study
from outcomes import actions, report
from outcomes.management.commands import demo
from outcomes.management.commands.load_seeds import CAST, FIXTURES, load
from outcomes.models import Visit
from outcomes.report import Options, documents
from patients.models import Patient, Therapy
from registry.models import ApiToken, User
from tests import factories
from tests.conftest import Api
from trials.definitions import CensorAt, CensoringRule, Population
from trials.models import Trial
from trials.vocabularies import Role

ALTER, SUN = synthesize.STUDIES
TRIAL = ALTER.registry_id
OUTCOMES = f"/trials/{TRIAL}/outcomes/"
PUBLISHED = f"{OUTCOMES}?cutoff=2022-08-08&survival_interval=spss"
STUDIES = pytest.mark.parametrize("study", synthesize.STUDIES, ids=lambda s: s.registry_id)


def lines_of(study: Study, *records: str, file: str = "records.ndjson") -> list[dict[str, Any]]:
    """The file's lines of these kinds, all of them unless told."""
    text = study.file(file).read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if not records or line["record"] in records]


PATIENTS, VISITS, THERAPIES = (
    lines_of(ALTER, record) for record in ("patient", "visit", "therapy")
)
FLAGGED = {
    "SUN-2022": {"PD"},
    "NCT03890068": {"Patients, planned", "OS, time frame", "Primary completion"},
    "NCT04172805": {"Status", "OS, time frame", "ORR and median PFS of an earlier trial"},
    "NCT04813406": {
        "Phase", "Partner of anlotinib", "Toxicity of earlier therapy", "Nutrition, time frame",
    },
}  # fmt: skip
ON_STUDY = "01-012"  # site 01, stable at the last visit, the next one due on 2022-08-01


@pytest.fixture(scope="module")
def _seeds(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The seeds, loaded once for this file; nothing of them stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        load()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def seeds(_seeds: None, db: None) -> None:
    """The loaded seeds; what a test changes is undone."""


def read(api: Callable[[User], Api], username: str, path: str = PUBLISHED) -> dict[str, Any]:
    answer = api(User.objects.get(username=username)).get(path)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def table_of(study: Study) -> recompute.Table:
    return recompute.table(study.file("records.ndjson").read_text("utf-8"), study)


def month(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def percent(rate: dict[str, Any], decimals: int = 0) -> str:
    shares = (100 * rate[key] for key in ("estimate", "lower", "upper"))
    estimate, lower, upper = (f"{share:.{decimals}f}" for share in shares)
    return f"{estimate} ({lower}-{upper})"


def median_months(time_to_event: dict[str, Any]) -> str:
    names = ("months", "lower_months", "upper_months")
    estimate, lower, upper = (month(time_to_event["median"][name]) for name in names)
    return f"{estimate} ({lower}-{upper})"


def test_the_published_table(seeds: None, api: Callable[[User], Api]) -> None:
    """Xu 2023, eClinicalMedicine 64:102240, abstract: every efficacy figure as printed."""
    found = read(api, "investigator", f"{PUBLISHED}&landmarks=12")
    orr, dcr = found["orr"], found["dcr"]
    assert found["population"] == {"name": "enrolled", "n": 49}
    assert (orr["responders"], orr["n"], percent(orr)) == (8, 49, "16 (7-30)")
    assert (dcr["controlled"], dcr["n"], percent(dcr)) == (46, 49, "94 (83-99)")
    assert median_months(found["pfs"]) == "9.1 (5.7-12.5)"
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
    plain = table_of(ALTER).observed_follow_up
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


@STUDIES
def test_everything_is_stored(seeds: None, study: Study) -> None:
    trial = Trial.objects.get(registry_id=study.registry_id)
    assert trial.synthetic
    visits = Visit.objects.filter(patient__trial=trial)
    therapies = Therapy.objects.filter(patient__trial=trial)
    found = (trial.patients.count(), visits.count(), therapies.count())
    assert found == tuple(len(lines_of(study, kind)) for kind in ("patient", "visit", "therapy"))
    assert not visits.exclude(warnings=[]).exists()


@pytest.mark.parametrize("name", FLAGGED)
def test_every_record_is_stored_whole(name: str, api: Callable[[User], Api], seeds: None) -> None:
    record = json.loads((FIXTURES / name / "trial.json").read_text("utf-8"))
    found = read(api, "investigator", f"/trials/{name}/")
    assert {key: found[key] for key in record if not isinstance(record[key], list)} == {
        key: value for key, value in record.items() if not isinstance(value, list)
    }
    for key in ("sites", "officials", "endpoints", "criteria", "published"):
        pairs = list(zip(found[key], record[key], strict=True))
        assert [{k: row[k] for k in told} for row, told in pairs] == record[key]


def test_endpoints_of_alter_s006(seeds: None) -> None:
    trial = Trial.objects.get(registry_id=TRIAL)
    assert {(e.kind, e.role) for e in trial.endpoints.all()} == {
        ("PFS", "primary"), ("OS", "secondary"), ("ORR", "secondary"), ("DCR", "secondary"),
        ("OTHER", "secondary"),
    }  # fmt: skip


def test_the_cast_cannot_log_in_by_password(seeds: None) -> None:
    loaded = User.objects.filter(username__in=[*CAST, "seed-loader"])
    assert loaded.count() == len(CAST) + 1
    assert not any(user.has_usable_password() for user in loaded)
    assert not User.objects.get(username="seed-loader").is_active


@STUDIES
def test_recompute_changes_nothing(seeds: None, study: Study) -> None:
    trials = Trial.objects.filter(registry_id=study.registry_id)
    visits = lines_of(study, "visit")
    assert actions.recompute(trials) == actions.Recomputed(len(visits), 0)


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


@STUDIES
def test_the_files_are_what_the_generator_writes(study: Study) -> None:
    for path, text in synthesize.files(study).items():
        assert path.read_text("utf-8") == text, path


@STUDIES
def test_the_file_holds_no_outcome(study: Study) -> None:
    """Measurements and events only: no response, no sum, no time to an event."""
    patient = {
        "record", "trial", "subject_id", "site", "arm", "sex", "birth_year", "histology", "ecog",
        "prior_lines", "enrolled_on", "first_dose_on", "last_dose_on", "last_known_alive_on", "died_on",
        "death_cause",
    }  # fmt: skip
    visit = {"record", "patient", "kind", "date", "targets", "non_targets", "new_lesions"}
    lesion = {
        "lesion", "organ", "description", "nodal", "method", "slice_mm", "bone_type", "state",
        "status", "certainty", "diameter_mm", "short_axis_mm", "reason",
    }  # fmt: skip
    visits = lines_of(study, "visit")
    assert {key for line in lines_of(study, "patient") for key in line} <= patient
    assert {key for line in visits for key in line} == visit
    rows = [row for v in visits for name in visit if name.endswith("s") for row in v[name]]
    assert {key for row in rows for key in row} <= lesion


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


def test_no_therapy_of_alter_s006_begins_before_progression() -> None:
    histories = recompute.histories(ALTER.file("records.ndjson").read_text("utf-8").splitlines())
    for history in histories:
        for therapy in history.therapies:
            assert min(r.date for r in history.records if r.response == "PD") < therapy.date


@STUDIES
def test_baselines_are_within_the_window(study: Study) -> None:
    first_doses = {
        patient["subject_id"]: date.fromisoformat(patient["first_dose_on"])
        for patient in lines_of(study, "patient")
    }
    for visit in lines_of(study, "visit"):
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


# Every definition that the abstracts could have meant

PRINTED = {  # the abstracts, each with its decimals of a percentage
    TRIAL: (0, {"orr": "16 (7-30)", "dcr": "94 (83-99)", "pfs": "9.1 (5.7-12.5)"}),
    SUN.registry_id: (
        1,
        {
            "orr": "34.4 (18.6-53.2)", "dcr": "84.4 (67.2-94.7)", "pfs": "7.6 (3.3-11.9)",
            "os": "14.9 (8.4-21.4)",
        },
    ),
}  # fmt: skip


def defined(study: Study, kinds: tuple[str, ...], **changes: dict[str, Any]) -> Trial:
    """The study, whose endpoints of these kinds are defined otherwise."""
    trial = Trial.objects.get(registry_id=study.registry_id)
    for endpoint in trial.endpoints.filter(kind__in=kinds):
        for key, value in changes.items():
            endpoint.definition[key] |= value
        endpoint.save()
    return trial


def reproduced(trial: Trial, study: Study, population: Population | None = None) -> set[str]:
    """Which printed figures come out, by the interval that prints them."""
    options = Options(cutoff=study.cutoff, population=population)
    reader = factories.user(superuser=True)
    found: Any = documents.report_document(report.build(trial, user=reader, options=options))
    decimals, printed = PRINTED[study.registry_id]
    rates = {
        f"{kind} {one['interval']}"
        for kind in ("orr", "dcr")
        for one in found[kind]["intervals"]
        if percent(found[kind] | one, decimals) == printed[kind]
    }
    return rates | {
        f"{kind} {median['interval']}"
        for kind in printed.keys() & {"pfs", "os"}
        for median in found[kind]["medians"]
        if median_months({"median": median}) == printed[kind]
    }


@pytest.mark.parametrize("population", Population)
@pytest.mark.parametrize("required", [True, False], ids=["confirmed", "unconfirmed"])
@STUDIES
def test_the_table_under_each_definition(
    seeds: None, study: Study, required: bool, population: Population
) -> None:
    """Only exact limits of rates and SPSS's of medians print; confirmation tells the studies apart.

    ALTER-S006: 8 confirmed of 10 responses, and 48 of 49 were assessed, so that evaluable patients
    would print 17 %, 96 % and a longer PFS. Sun 2022: all 32 were assessed, 11 responses, 9 twice.
    """
    trial = defined(study, ("ORR", "DCR"), confirmation={"required": required})
    found = reproduced(trial, study, population)
    if study is ALTER:
        rates = {"dcr clopper-pearson"} | ({"orr clopper-pearson"} if required else set())
        evaluable = population is Population.EVALUABLE
        assert found == (set() if evaluable else rates | {"pfs spss"})
    else:
        rates = {"dcr clopper-pearson"} | (set() if required else {"orr clopper-pearson"})
        assert found == rates | {"pfs spss", "os spss"}


@pytest.mark.parametrize("censor_at", CensorAt)
@pytest.mark.parametrize("rule", CensoringRule)
@STUDIES
def test_the_median_under_each_censoring_rule(
    seeds: None, study: Study, rule: CensoringRule, censor_at: CensorAt
) -> None:
    """In ALTER-S006 nothing censors that a rule would; in Sun 2022 the FDA rule censors four."""
    trial = defined(study, ("PFS",), censoring={"rule": rule, "censor_at": censor_at})
    printed = study is ALTER or rule is not CensoringRule.FDA
    assert ("pfs spss" in reproduced(trial, study)) == printed


# Sun 2022

SUN_TRIAL = f"/trials/{SUN.registry_id}/"
SUN_PUBLISHED = f"{SUN_TRIAL}outcomes/?cutoff=2022-06-30&survival_interval=spss"


@pytest.fixture
def viewer(seeds: None) -> str:
    """The name of somebody who sees the whole of Sun 2022."""
    user = factories.user("viewer")
    trial = Trial.objects.get(registry_id=SUN.registry_id)
    factories.membership(user, trial, Role.VIEWER)
    return user.username


def test_pages_show_sun_2022(viewer: str, pages: Callable[[User], Client]) -> None:
    """It is listed, and its dashboard says that the patients are synthetic."""
    reader = pages(User.objects.get(username=viewer))
    assert SUN.registry_id in reader.get("/trials/").content.decode()
    dashboard = reader.get(SUN_TRIAL, {"cutoff": "2022-06-30", "survival_interval": "spss"})
    assert dashboard.status_code == 200
    assert "SYNTHETIC patients" in dashboard.content.decode()


def test_the_published_table_of_sun_2022(viewer: str, api: Callable[[User], Api]) -> None:
    """Sun 2022, IJGM 15:7581, abstract: every efficacy figure as printed, months at one decimal.

    "6 PD" is 5: 11 + 16 + 6 is 33, and only n = 32 gives the printed rates and intervals.
    """
    found = read(api, viewer, SUN_PUBLISHED)
    orr, dcr = found["orr"], found["dcr"]
    assert found["population"] == {"name": "enrolled", "n": 32}
    assert found["best_overall_response"]["unconfirmed"] == {
        "CR": 0, "PR": 11, "SD": 16, "NON_CR_NON_PD": 0, "PD": 5, "NE": 0,
    }  # fmt: skip
    assert (orr["responders"], orr["n"], percent(orr, 1)) == (11, 32, "34.4 (18.6-53.2)")
    assert (dcr["controlled"], dcr["n"], percent(dcr, 1)) == (27, 32, "84.4 (67.2-94.7)")
    assert median_months(found["pfs"]) == "7.6 (3.3-11.9)"
    assert median_months(found["os"]) == "14.9 (8.4-21.4)"


def test_the_published_adverse_events_of_sun_2022(viewer: str, api: Callable[[User], Api]) -> None:
    """Treatment-related: 29 of 32 (90.6 %), of them 13 (40.6 %) of grade 3-4, none of grade 5."""
    found = read(api, viewer, f"{SUN_TRIAL}safety/?cutoff=2022-06-30")
    related = found["any"]["related"]
    assert found["population"] == {"name": "safety", "n": 32}
    for name, patients in (("any_grade", 29), ("grade_3_4", 13), ("grade_5", 0)):
        assert (related[name]["patients"], related[name]["n"]) == (patients, 32)
    assert found["any"]["all"]["any_grade"]["patients"] > 29  # unrelated ones are there, too
    assert {term["term"] for term in found["terms"][:5]} == {
        "Fatigue", "Hypertension", "Palmar-plantar erythrodysesthesia syndrome", "Diarrhea",
        "Rash maculo-papular",
    }  # fmt: skip


def test_six_progressions_are_kept_as_printed_and_flagged(
    viewer: str, api: Callable[[User], Api]
) -> None:
    figures = {f["measure"]: f for f in read(api, viewer, SUN_TRIAL)["published"]}
    assert "6 patients" in figures["PD"]["printed"]
    assert figures["PD"]["reconciled"] == "5"
    assert [m for m, f in figures.items() if f["discrepancy"]] == ["PD"]


def test_confirmed_responses_would_not_print_sun_2022(
    viewer: str, api: Callable[[User], Api]
) -> None:
    """Two of the eleven responses are seen once: the trial's own definition asks for no more."""
    found = read(api, viewer, SUN_PUBLISHED)
    assert (found["orr"]["confirmed"], found["dcr"]["confirmed"]) == (False, False)
    assert found["best_overall_response"]["confirmed"]["PR"] == 9


def test_the_medians_of_sun_2022_do_not_hang_on_the_style(
    viewer: str, api: Callable[[User], Api]
) -> None:
    """Neither curve touches 0.5, where SPSS and R take different medians."""
    spss, log_log = (
        read(api, viewer, f"{SUN_TRIAL}outcomes/?cutoff=2022-06-30&survival_interval={style}")
        for style in ("spss", "log-log")
    )
    for name in ("pfs", "os"):
        assert spss[name]["median"]["days"] == log_log[name]["median"]["days"]
        assert all(abs(point["survival"] - 0.5) > 1e-6 for point in spss[name]["curve"])


def test_follow_up_of_sun_2022_tells_both_customs_apart() -> None:
    found = table_of(SUN)
    assert found.follow_up.split()[0] != found.observed_follow_up.split()[0]


def test_arms_of_sun_2022(viewer: str, api: Callable[[User], Api]) -> None:
    """Sintilimab is published, the other agents and all numbers are invented."""
    found = read(api, viewer, f"{SUN_PUBLISHED}&group_by=arm")
    counts = {group["group"]: group["orr"]["n"] for group in found["groups"]}
    assert len(counts) == 5
    assert counts["anlotinib + sintilimab"] == max(counts.values())
    assert sum(counts.values()) == 32


def test_the_fda_rule_censors_what_the_default_counts(
    viewer: str, api: Callable[[User], Api]
) -> None:
    """Two patients began another systemic therapy before progression, two missed two visits.

    Local radiotherapy of a stable patient censors nothing: it is no systemic therapy.
    """
    root = api(factories.user("root", superuser=True))
    trial = root.get(SUN_TRIAL).json()
    fda = {"kind": "PFS", "name": "FDA", "definition": {"censoring": {"rule": "fda"}}}
    body = {"endpoints": [*trial["endpoints"], fda], "reason": "a sensitivity analysis"}
    answer = root.patch(SUN_TRIAL, body, if_match=f'"{trial["version"]}"')
    assert answer.status_code == 200, answer.content
    (sensitivity,) = (e["id"] for e in answer.json()["endpoints"] if e["name"] == "FDA")
    listed = f"{SUN_TRIAL}outcomes/patients/?cutoff=2022-06-30"
    default, fda_rule = (
        {row["subject_id"]: row["pfs"] for row in read(api, viewer, path)["results"]}
        for path in (listed, f"{listed}&definition={sensitivity}")
    )
    changed = [subject for subject, pfs in default.items() if fda_rule[subject] != pfs]
    assert all(default[subject]["event"] for subject in changed)
    assert Counter(fda_rule[subject]["code"] for subject in changed) == {
        "censored_new_therapy": 2,
        "censored_missed_assessments": 2,
    }
    irradiated = [t["patient"] for t in lines_of(SUN, "therapy") if "bone" in t["description"]]
    assert len(irradiated) == 1
    assert not set(irradiated) & set(changed)


def test_sun_2022_lies_in_the_published_window() -> None:
    """Enrolled from September 2018 to January 2022, both months used; nothing after the cutoff."""
    enrolled = sorted(patient["enrolled_on"] for patient in lines_of(SUN, "patient"))
    assert (enrolled[0][:7], enrolled[-1][:7]) == ("2018-09", "2022-01")
    lines = lines_of(SUN) + lines_of(SUN, file="adverse_events.ndjson")
    dates = [
        value for line in lines for key, value in line.items() if key == "date" or "_on" in key
    ]
    assert max(dates) <= SUN.cutoff.isoformat()


def test_nobody_had_an_agent_before_it_was_there() -> None:
    since = {arm.name: arm.since.isoformat() for arm in SUN.arms}
    for patient in lines_of(SUN, "patient"):
        assert patient["enrolled_on"] >= since[patient["arm"]]


def test_sun_2022_shows_what_reading_lesions_needs() -> None:
    visits = lines_of(SUN, "visit")
    targets = [row for visit in visits for row in visit["targets"]]
    assert {row["state"] for row in targets} == {
        "measured", "too_small", "absent", "not_evaluable",
    }  # fmt: skip
    assert any(row.get("nodal") for row in targets)
    assert {visit["kind"] for visit in visits} == {"baseline", "scheduled", "unscheduled"}
    assert {therapy["kind"] for therapy in lines_of(SUN, "therapy")} == {
        "systemic", "radiotherapy",
    }  # fmt: skip
    reasons = {row.get("reason", "")[:10] for visit in visits for row in visit["non_targets"]}
    assert "Irradiated" in reasons


def test_no_patient_is_in_both_studies() -> None:
    """Neither a person nor a visit of one study comes back in the other."""
    ids = {"record", "trial", "patient", "subject_id", "site", "arm"}
    alter, sun = (
        {
            json.dumps({key: value for key, value in line.items() if key not in ids})
            for line in lines_of(study, "patient", "visit")
        }
        for study in (ALTER, SUN)
    )
    assert not alter & sun


EVENTS = lines_of(SUN, file="adverse_events.ndjson")
PEOPLE = {patient["subject_id"]: patient for patient in lines_of(SUN, "patient")}
EVENT_KEYS = {
    "record", "patient", "term", "grade", "related", "serious", "action_taken", "started_on",
    "ended_on",
}  # fmt: skip
ACTIONS = {
    "none", "dose_reduced", "drug_interrupted", "drug_withdrawn", "not_applicable", "unknown",
}  # fmt: skip


def in_window(event: dict[str, Any]) -> bool:
    """From the first dose to 21 days after the last one."""
    patient = PEOPLE[event["patient"]]
    last = patient.get("last_dose_on", "9999-01-01")
    end = date.fromisoformat(last) + timedelta(days=21)
    on = date.fromisoformat(event["started_on"])
    return date.fromisoformat(patient["first_dose_on"]) <= on <= end


def patients_with(*, severe: bool = False, related: bool = True, window: bool = True) -> int:
    """Patients with an event of this kind."""
    counted = [
        event
        for event in EVENTS
        if (event["related"] or not related)
        and (event["grade"] in (3, 4) or not severe)
        and (in_window(event) or not window)
    ]
    return len({event["patient"] for event in counted})


def test_the_file_of_adverse_events_of_sun_2022() -> None:
    """29 of 32 with any related event, 13 with grade 3 or 4, none with grade 5."""
    assert (patients_with(), patients_with(severe=True)) == (29, 13)
    assert max(event["grade"] for event in EVENTS) == 4


def test_counting_otherwise_would_not_print_them() -> None:
    """Events, unrelated ones, those after the window: each would give another number."""
    related = [event for event in EVENTS if event["related"]]
    assert len(related) > 2 * patients_with()
    assert sum(event["grade"] > 2 for event in related) > patients_with(severe=True)
    assert patients_with(related=False) == 30
    assert patients_with(related=False, severe=True) > 13
    assert (patients_with(window=False), patients_with(severe=True, window=False)) == (30, 14)


def test_the_most_common_adverse_events_of_sun_2022() -> None:
    """In the order of the abstract: fatigue, hypertension, hand-foot syndrome, diarrhea, skin."""
    had = {(event["term"], event["patient"]) for event in EVENTS if event["related"]}
    counts = Counter(term for term, _ in had)
    assert [term for term, _ in counts.most_common(5)] == [
        "Fatigue", "Hypertension", "Palmar-plantar erythrodysesthesia syndrome", "Diarrhea",
        "Rash maculo-papular",
    ]  # fmt: skip
    (fifth, sixth) = [count for _, count in counts.most_common(6)][-2:]
    assert fifth > sixth


def test_adverse_events_are_well_formed() -> None:
    assert {key for event in EVENTS for key in event} == EVENT_KEYS
    assert {event["action_taken"] for event in EVENTS} == ACTIONS
    keys = [(event["patient"], event["term"], event["started_on"]) for event in EVENTS]
    assert len(keys) == len(set(keys))
    for event in EVENTS:
        last = event.get("ended_on", event["started_on"])
        assert event["started_on"] <= last <= PEOPLE[event["patient"]].get("died_on", "9999")
        stopped = PEOPLE[event["patient"]].get("last_dose_on")
        assert event["action_taken"] != "drug_withdrawn" or event["started_on"] == stopped


PUBLISHED_KEYS = ["measure", "source", "printed", "reconciled", "discrepancy"]


@pytest.mark.parametrize("name", FLAGGED)
def test_published_figures_are_kept_as_printed(name: str) -> None:
    """Flagged where the source contradicts itself, and only there; never silently put right."""
    figures = json.loads((FIXTURES / name / "trial.json").read_text("utf-8"))["published"]
    assert all(list(figure) == PUBLISHED_KEYS for figure in figures)
    assert all(f["measure"] and f["source"] and f["printed"] for f in figures)
    assert {f["measure"] for f in figures if f["discrepancy"]} == FLAGGED[name]
    assert all(f["discrepancy"] for f in figures if f["reconciled"])
    assert len({(f["measure"], f["source"]) for f in figures}) == len(figures)


def test_the_reconciled_progressions_are_those_of_the_data() -> None:
    figures = json.loads(SUN.file("trial.json").read_text("utf-8"))["published"]
    (progressed,) = (f["reconciled"] for f in figures if f["measure"] == "PD")
    assert table_of(SUN).best_unconfirmed == f"PR 11, SD 16, PD {progressed}"
