"""Bulk import: all or nothing, every error with its line, the same file twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from outcomes import bulk_import
from outcomes.bulk_import import lines as import_lines
from outcomes.bulk_import.progress import progress
from outcomes.models import ImportRun, Lesion, Measurement, Visit
from patients.models import AdverseEvent, Patient, Query, Therapy
from registry.models import User
from registry.ndjson import LONGEST_LINE, MEDIA_TYPE, Lines
from tests import factories
from tests.conftest import Api, Cast, assemble_cast
from tests.factories import START
from trials.models import RandomizationScheme
from trials.vocabularies import Role

Login = Callable[[User], Api]
Body = dict[str, Any]
TYPES = ("patient", "visit", "therapy", "adverse_event", "deviation")
NONE = dict.fromkeys((*TYPES, "total"), 0)


@pytest.fixture
def manager(cast: Cast) -> User:
    """A data manager of the trial."""
    user = factories.user("manager")
    factories.membership(user, cast.trial, Role.DATA_MANAGER)
    return user


def patient_line(subject_id: str = "S-1", **facts: Any) -> Body:
    """A dosed patient of site 01."""
    dates = {"enrolled_on": str(START), "first_dose_on": str(START + timedelta(days=1))}
    return {"record": "patient", "subject_id": subject_id, "site": "01"} | dates | facts


def baseline_line(subject_id: str = "S-1", **keys: Any) -> Body:
    """A baseline with one lung target of 50 mm."""
    target = {
        "lesion": "T01",
        "organ": "lung",
        "method": "ct",
        "state": "measured",
        "diameter_mm": 50,
    }
    return {
        "record": "visit", "patient": subject_id, "kind": "baseline", "date": str(START),
        "targets": [target], "non_targets": [],
    } | keys  # fmt: skip


def visit_line(subject_id: str = "S-1", day: int = 42, mm: float = 50, **keys: Any) -> Body:
    """A follow-up, `day` days after the baseline."""
    return {
        "record": "visit", "patient": subject_id, "kind": "scheduled",
        "date": str(START + timedelta(days=day)),
        "targets": [{"lesion": "T01", "state": "measured", "diameter_mm": mm}],
        "non_targets": [], "new_lesions": [],
    } | keys  # fmt: skip


def therapy_line(subject_id: str = "S-1", day: int = 100, **keys: Any) -> Body:
    """A subsequent systemic therapy."""
    on = str(START + timedelta(days=day))
    return {"record": "therapy", "patient": subject_id, "started_on": on} | keys


def event_line(subject_id: str = "S-1", day: int = 10, **keys: Any) -> Body:
    """A related adverse event of grade 2."""
    return {
        "record": "adverse_event", "patient": subject_id, "term": "Fatigue", "grade": 2,
        "related": True, "started_on": str(START + timedelta(days=day)),
    } | keys  # fmt: skip


FILE = [
    patient_line(),
    baseline_line(),
    visit_line(day=42, mm=40),
    visit_line(day=84, mm=50),
    therapy_line(),
    event_line(),
]


def send(
    user: User, lines: list[Any], query: str = "", trial: str = "NCT00000001", **headers: str
) -> Any:
    """POST these lines; one that is text goes as it is."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    client = Client(headers={"Authorization": f"Token {factories.token(user)}"} | headers)
    return client.post(f"/api/v1/trials/{trial}/import/{query}", text, content_type=MEDIA_TYPE)


def counts(**named: int) -> dict[str, int]:
    """What an answer counts."""
    return NONE | named | {"total": sum(named.values())}


def errors(answer: Any) -> list[tuple[int, str]]:
    """Line and pointer of each error of a refused import that stored nothing."""
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["created"] == body["updated"] == body["unchanged"] == NONE
    assert not Patient.objects.exists()
    return [(error["line"], error["pointer"]) for error in body["errors"]]


def test_every_kind_of_record(manager: User) -> None:
    answer = send(manager, FILE)
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "dry_run": False,
        "created": counts(patient=1, visit=3, therapy=1, adverse_event=1),
        "updated": NONE,
        "unchanged": NONE,
        "errors": [],
    }
    visits = Visit.objects.order_by("date").values_list("overall_response", "sum_mm", "version")
    assert list(visits) == [("", 50, 1), ("SD", 40, 1), ("PD", 50, 1)]
    assert Therapy.objects.get().kind == "systemic"
    assert AdverseEvent.objects.get().grade == 2


def test_the_same_as_record_by_record(manager: User, cast: Cast, api: Login) -> None:
    """What the import stores is what the same bodies store when they are posted one by one."""
    send(manager, FILE)
    single = api(cast.superuser)
    plain = {k: v for k, v in patient_line("S-2").items() if k != "record"}
    pk = single.post("/patients/", plain | {"trial": "NCT00000001"}).json()["id"]
    paths = {"visit": "/visits/", "therapy": "/therapies/", "adverse_event": "/adverse-events/"}
    for line in FILE[1:]:
        body = {k: v for k, v in line.items() if k != "record"} | {"patient": pk}
        assert single.post(paths[line["record"]], body).status_code == 201

    def seen(subject_id: str) -> Any:
        patient = Patient.objects.get(subject_id=subject_id)
        bodies = [
            single.get(f"{path}?patient={patient.pk}").json()["results"] for path in paths.values()
        ]
        drop = {"id", "patient", "links"}
        return [{k: v for k, v in row.items() if k not in drop} for rows in bodies for row in rows]

    assert seen("S-1") == seen("S-2")


def test_a_dry_run_answers_the_same_and_stores_nothing(manager: User) -> None:
    checked = send(manager, FILE, "?dry_run=true").json()
    assert not Patient.objects.exists()
    stored = send(manager, FILE, "?dry_run=false").json()
    assert checked == stored | {"dry_run": True}


def test_the_same_file_twice_changes_nothing(manager: User) -> None:
    send(manager, FILE)
    before = trail()
    answer = send(manager, FILE).json()
    assert answer["unchanged"] == counts(patient=1, visit=3, therapy=1, adverse_event=1)
    assert answer["created"] == answer["updated"] == NONE
    assert trail() == before


RECORDED: tuple[Any, ...] = (Patient, Lesion, Visit, Measurement, Therapy, AdverseEvent)


def trail() -> dict[str, int]:
    """Rows of the audit trail per table."""
    return {model.__name__: model.pgh_event_model.objects.count() for model in RECORDED}


def test_lines_may_come_in_any_order_of_kinds(manager: User) -> None:
    shuffled = [FILE[5], FILE[4], FILE[1], FILE[2], FILE[3], FILE[0]]
    assert send(manager, shuffled).json()["created"]["total"] == 6


def test_blank_lines_a_missing_last_newline_and_windows_ends(manager: User) -> None:
    text = "\r\n\r\n".join(json.dumps(line) for line in FILE)
    assert send(manager, ["", text]).json()["created"]["total"] == 6


def test_a_changed_line_needs_a_reason_and_leaves_it_in_the_trail(manager: User) -> None:
    send(manager, FILE)
    changed = visit_line(day=42, mm=30)
    refused = send(manager, [changed])
    assert refused.status_code == 400
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/reason"]
    answer = send(manager, [changed | {"reason": "misread scan"}]).json()
    assert answer["updated"] == counts(visit=1)
    first, later = Visit.objects.filter(kind="scheduled").order_by("date")
    assert (first.overall_response, first.version) == ("PR", 2)
    assert (later.nadir_mm, later.version) == (30, 2)
    event = RECORDED[3].pgh_event_model.objects.order_by("pgh_id").last()
    assert event.pgh_context["reason"] == "misread scan"
    assert event.pgh_context["user"] == manager.pk


def test_a_first_entry_is_attributed_to_the_import(manager: User) -> None:
    send(manager, FILE)
    for model in RECORDED:
        for event in model.pgh_event_model.objects.all():
            assert event.pgh_context["reason"] == "imported"
            assert event.pgh_context["user"] == manager.pk


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (patient_line(histology="angiosarcoma"), "updated"),
        ({"record": "patient", "subject_id": "S-1", "site": "01"}, "unchanged"),  # says no more
        (patient_line(died_on=str(START + timedelta(days=300))), "updated"),
        (event_line(grade=3), "updated"),
        (event_line(term="Diarrhea"), "created"),
        (event_line(term="FATIGUE"), "unchanged"),  # stored as CTCAE spells it
        (therapy_line(description="pazopanib"), "created"),
        (visit_line(day=126), "created"),
        (visit_line(day=63, mm=70, kind="unscheduled"), "created"),  # between two stored ones
    ],
)
def test_what_a_line_of_a_stored_patient_does(manager: User, line: Body, outcome: str) -> None:
    send(manager, FILE)
    answer = send(manager, [line | {"reason": "follow-up"}])
    assert answer.status_code == 200, answer.content
    assert answer.json()[outcome] == counts(**{line["record"]: 1})


def test_one_key_twice_in_a_file_is_a_correction_of_the_first(manager: User) -> None:
    twice = [*FILE, visit_line(day=84, mm=60)]
    assert errors(send(manager, twice)) == [(7, "/reason")]
    answer = send(manager, [*FILE, visit_line(day=84, mm=60) | {"reason": "second reading"}])
    assert answer.json()["updated"] == counts(visit=1)
    assert send(manager, [*FILE[:3], FILE[2]]).json()["unchanged"]["total"] == 4


REFUSED: dict[str, tuple[list[Any], list[tuple[int, str]]]] = {
    "no JSON": (["{"], [(1, "")]),
    "no object": (["[]", "7", '"x"', "null"], [(1, ""), (2, ""), (3, ""), (4, "")]),
    "NUL": (['{"record": "patient", "subject_id": "a\\u0000"}'], [(1, "")]),
    "lone surrogate": (['{"record": "patient", "subject_id": "\\ud800"}'], [(1, "")]),
    "NaN": (['{"record": "visit", "patient": NaN}'], [(1, "")]),
    "deep": (["[" * 100_000], [(1, "")]),
    "not UTF-8": (["\udcff"], [(1, "")]),
    "no record": ([{"subject_id": "S-1"}], [(1, "/record")]),
    "another record": ([{"record": "trial"}, {"record": ["visit"]}], [(1, "/record"), (2, "/record")]),
    "unknown key": ([patient_line(colour="red")], [(1, "/colour")]),
    "another trial": ([patient_line(trial="NCT00000002")], [(1, "/trial")]),
    "another site": ([patient_line(site="99")], [(1, "/site")]),
    "no such arm": ([patient_line(arm="placebo")], [(1, "/arm")]),
    "future": ([patient_line(first_dose_on="2199-01-01")], [(1, "/first_dose_on")]),
    "order of dates": ([patient_line(died_on="2023-01-01")], [(1, "/died_on"), (1, "/died_on")]),
    "blank reason": ([patient_line(reason=" ")], [(1, "/reason")]),
    "unknown patient": ([visit_line("S-9"), therapy_line("S-9"), event_line("S-9")],
                        [(1, "/patient"), (2, "/patient"), (3, "/patient")]),
    "patient by id": ([visit_line() | {"patient": 7}], [(1, "/patient")]),
    "no baseline": ([patient_line(), visit_line()], [(2, "/kind")]),
    "a missing target": ([*FILE[:2], visit_line(targets=[])], [(3, "/targets")]),
    "shape and rule": (
        [patient_line(), baseline_line(), visit_line(targets=[{"lesion": "T01", "state": "gone"}]),
         visit_line(day=84, mm=50, date="1999-01-01")],
        [(3, "/targets/0/state"), (4, "/date")]),
    "unexplained response": (
        [*FILE[:2], visit_line(stated_response="PR")], [(3, "/stated_response_reason")]),
    "therapy after death": (
        [patient_line(died_on="2024-03-01"), therapy_line(day=100)], [(2, "/started_on")]),
    "grade": ([*FILE[:1], event_line(grade=6)], [(2, "/grade")]),
    "a refused patient hides no more than itself": (
        [patient_line(sex="x"), baseline_line(), visit_line(), therapy_line(), event_line(grade=0)],
        [(1, "/sex"), (5, "/grade")]),
    "a refused baseline hides the visits that need it": (
        [patient_line(), baseline_line(date="2199-01-01"), visit_line(), therapy_line()],
        [(2, "/date")]),
    "by line, whatever the kind": (
        [event_line(grade=9), patient_line(sex="x"), therapy_line(kind="x")],
        [(1, "/grade"), (2, "/sex"), (3, "/kind")]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(manager: User, name: str) -> None:
    lines, expected = REFUSED[name]
    text = b"\n".join(
        (line if isinstance(line, str) else json.dumps(line)).encode("utf-8", "surrogateescape")
        for line in lines
    )
    client = Client(headers={"Authorization": f"Token {factories.token(manager)}"})
    path = "/api/v1/trials/NCT00000001/import/"
    answer = client.generic("POST", path, text, content_type=MEDIA_TYPE)
    if name == "another record":
        assert answer.status_code == 400
    assert errors(answer) == expected


def test_an_error_in_the_last_line_leaves_nothing_of_the_first(manager: User) -> None:
    many = [patient_line(f"S-{n}") for n in range(600)]  # more than one chunk
    assert errors(send(manager, [*many, patient_line("S-600", sex="x")])) == [(601, "/sex")]
    before = trail()
    assert before["Patient"] == 0


def test_a_thousand_errors_are_enough(manager: User) -> None:
    many = [patient_line(f"S-{n}", sex="x") for n in range(3000)]
    found = errors(send(manager, many))
    assert len(found) == bulk_import.MOST_ERRORS


def test_what_the_database_alone_refuses_is_named_by_its_line(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a rule had been forgotten: the constraint speaks, and its line is found."""
    monkeypatch.setattr("patients.edits.patient_errors", lambda patient: ())
    good = [patient_line(f"S-{n}") for n in range(5)]
    bad = patient_line("S-5", first_dose_on="2024-05-01", died_on="2024-04-01")
    assert errors(send(manager, [*good, bad, patient_line("S-6")])) == [(6, "")]


def test_a_file_of_blank_lines_is_refused(manager: User) -> None:
    assert send(manager, ["", " ", ""]).status_code == 400


def test_only_newline_delimited_json(manager: User, api: Login) -> None:
    assert api(manager).post("/trials/NCT00000001/import/", {}).status_code == 415


def test_an_unknown_dry_run_is_refused(manager: User) -> None:
    answer = send(manager, FILE, "?dry_run=maybe")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "dry_run"


def test_a_line_without_end_is_too_large(manager: User) -> None:
    assert send(manager, ['"' + "x" * LONGEST_LINE]).status_code == 413


def test_a_file_without_end_is_too_large(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.ndjson.LARGEST", 100)
    assert send(manager, FILE).status_code == 413


@pytest.mark.parametrize("name", ["coordinator", "investigator", "administrator", "viewer"])
def test_others_may_not_import(cast: Cast, name: str) -> None:
    assert send(getattr(cast, name), FILE).status_code == 403
    assert not Patient.objects.exists()


def test_a_foreign_trial_is_not_found(cast: Cast, manager: User) -> None:
    factories.trial("NCT00000002")
    foreign = send(manager, FILE, trial="NCT00000002")
    missing = send(manager, FILE, trial="NCT99999999")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_superuser_may(cast: Cast) -> None:
    assert send(cast.superuser, FILE).status_code == 200


def test_arms_of_a_randomized_trial_are_allocated(manager: User, cast: Cast) -> None:
    cast.trial.arms.create(name="anlotinib")
    assert send(manager, [patient_line(arm="anlotinib")]).status_code == 200
    assert Patient.objects.get().arm == cast.trial.arms.get()
    assert send(manager, [patient_line(arm="anlotinib")]).json()["unchanged"]["patient"] == 1
    cast.trial.allocation = "RANDOMIZED"
    cast.trial.save()
    refused = send(manager, [patient_line("S-2", arm="anlotinib")])
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/arm"]


def test_a_scheme_of_ours_gives_the_date_of_randomization(manager: User, cast: Cast) -> None:
    cast.trial.allocation = "RANDOMIZED"
    cast.trial.save()
    told = patient_line("S-2", randomized_on="2024-01-15", first_dose_on=None, last_dose_on=None)
    assert send(manager, [told], "?dry_run=true").status_code == 200
    RandomizationScheme.objects.create(trial=cast.trial, ratio={"A": 1}, block_multiples=[2])
    assert errors(send(manager, [told])) == [(1, "/randomized_on")]


def test_voided_patients_take_nothing(manager: User, cast: Cast, api: Login) -> None:
    send(manager, FILE)
    pk = Patient.objects.get().pk
    api(cast.investigator).post(f"/patients/{pk}/void/", {"reason": "x"}, if_match='"1"')
    answer = send(manager, [patient_line(), visit_line(day=126)])
    found = [(e["line"], e["pointer"]) for e in answer.json()["errors"]]
    assert found[0] == (1, "/subject_id")


def test_swapped_organs_and_replaced_targets_of_a_baseline(manager: User) -> None:
    """Unique numbers and slots change hands within one statement's reach."""

    def target(label: str, organ: str, mm: int = 30) -> Body:
        return {
            "lesion": label,
            "organ": organ,
            "method": "ct",
            "state": "measured",
            "diameter_mm": mm,
        }

    first = baseline_line(
        targets=[target("T01", "lung"), target("T02", "liver"), target("T03", "lung")]
    )
    swapped = baseline_line(
        targets=[target("T01", "liver"), target("T02", "lung"), target("T04", "lung")],
        reason="organs mixed up",
    )
    assert send(manager, [patient_line(), first]).status_code == 200
    answer = send(manager, [swapped])
    assert answer.status_code == 200, answer.content
    kept = Lesion.objects.active().order_by("label")
    assert [(le.label, le.organ) for le in kept] == [
        ("T01", "liver"),
        ("T02", "lung"),
        ("T04", "lung"),
    ]


def test_a_file_sent_again_with_its_key_is_answered_again(manager: User, cast: Cast) -> None:
    key = {"Idempotency-Key": "file-1"}
    first, again = send(manager, FILE, **key), send(manager, FILE, **key)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert send(manager, FILE[:1], **key).status_code == 409
    assert send(manager, FILE, "?dry_run=true", **key).status_code == 409
    cast.trial.memberships.filter(user=manager).update(role=Role.VIEWER)
    assert send(manager, FILE, **key).status_code == 404


@pytest.mark.parametrize("spaced", ["  S-1  ", "\tS-1"])
def test_space_around_a_subject_id_makes_no_twin(manager: User, spaced: str) -> None:
    assert send(manager, [patient_line(spaced), baseline_line(spaced)]).status_code == 200
    assert Patient.objects.get().subject_id == "S-1"
    again = send(manager, [patient_line(), baseline_line("S-1 ")])
    assert again.json()["unchanged"] == counts(patient=1, visit=1)


def test_a_subject_id_that_is_too_long_is_refused(manager: User) -> None:
    assert errors(send(manager, [patient_line("x" * 41)])) == [(1, "/subject_id")]
    assert send(manager, [patient_line(" " * 5 + "x" * 40)]).status_code == 200


def test_a_new_lesion_without_a_label_is_the_same_when_it_is_sent_again(manager: User) -> None:
    new = [
        {"organ": "bone", "certainty": "equivocal"},
        {"organ": "brain", "certainty": "equivocal"},
    ]
    file = [*FILE[:2], visit_line(new_lesions=new)]
    assert send(manager, file).status_code == 200
    before = trail()
    assert send(manager, file).json()["unchanged"]["total"] == 3
    assert trail() == before


@pytest.mark.parametrize("arm", ["A", "B", None])
def test_no_answer_tells_the_arm_of_a_masked_trial(
    manager: User, cast: Cast, arm: str | None
) -> None:
    for name in ("A", "B"):
        cast.trial.arms.create(name=name)
    cast.trial.masking, cast.trial.allocation = "DOUBLE", "NON_RANDOMIZED"
    cast.trial.save()
    assert send(manager, [patient_line(arm="A"), patient_line("S-2")]).status_code == 200
    again = send(manager, [patient_line(arm=arm), patient_line("S-2", arm=arm)])
    assert again.json()["unchanged"] == counts(patient=2)
    assert Patient.objects.get(subject_id="S-1").arm == cast.trial.arms.get(name="A")


@pytest.mark.parametrize(("stated", "status"), [("PD", 200), ("SD", 400)])
@pytest.mark.parametrize("reasons", [("", ""), ("a", "a"), ("a", "b")])
def test_a_stated_response_is_judged_by_the_whole_file(
    manager: User, reasons: tuple[str, str], stated: str, status: int
) -> None:
    """The later visit stands first; it is PD only because of the earlier one's smaller sum."""
    later, earlier = visit_line(day=84, mm=50, stated_response=stated), visit_line(day=42, mm=40)
    why = [{"reason": reason} if reason else {} for reason in reasons]
    answer = send(manager, [*FILE[:2], later | why[0], earlier | why[1]])
    assert answer.status_code == status, answer.content


def test_each_line_leaves_its_own_reason(manager: User) -> None:
    send(manager, FILE)
    changed = [
        visit_line(day=42, mm=41, reason="first"),
        visit_line(day=84, mm=51, reason="second"),
    ]
    assert send(manager, changed).json()["updated"] == counts(visit=2)
    events = RECORDED[3].pgh_event_model.objects.order_by("pgh_id")
    assert [e.pgh_context["reason"] for e in events][-2:] == ["first", "second"]


def test_what_was_voided_comes_back_with_a_reason_only(
    manager: User, cast: Cast, api: Login
) -> None:
    send(manager, FILE)
    investigator = api(cast.investigator)
    visit, therapy = Visit.objects.latest("date"), Therapy.objects.get()
    for path in (f"/visits/{visit.pk}/", f"/therapies/{therapy.pk}/"):
        investigator.post(f"{path}void/", {"reason": "x"}, if_match='"1"')
    again = send(manager, FILE).json()["errors"]
    assert [(e["line"], e["pointer"]) for e in again] == [(4, "/reason"), (5, "/reason")]
    why = {"reason": "voided by mistake"}
    back = send(manager, [FILE[3] | why, FILE[4] | why])
    assert back.json()["created"] == counts(visit=1, therapy=1)
    assert send(manager, FILE).json()["unchanged"]["total"] == 6


def test_a_baseline_may_stand_after_its_follow_ups(manager: User) -> None:
    assert send(manager, [visit_line(), FILE[1], FILE[0]]).json()["created"]["visit"] == 2


def test_a_byte_order_mark_is_no_part_of_the_first_line(manager: User) -> None:
    assert send(manager, ["\ufeff" + json.dumps(FILE[0])]).status_code == 200


def test_a_misspelled_dry_run_stores_nothing(manager: User) -> None:
    answer = send(manager, FILE, "?dryrun=true")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "dryrun")
    assert not Patient.objects.exists()


# Progress


def test_a_run_tells_how_far_it_is(manager: User, cast: Cast, api: Login) -> None:
    send(manager, FILE, "?dry_run=true")
    send(manager, [patient_line(sex="x")])
    send(manager, FILE)
    runs = api(manager).get("/trials/NCT00000001/import/").json()["results"]
    keys = ("state", "dry_run", "lines", "lines_done", "by")
    assert [tuple(run[key] for key in keys) for run in runs[:3]] == [
        ("stored", False, 6, 6, "manager"),
        ("refused", False, 1, 0, "manager"),
        ("checked", True, 6, 6, "manager"),
    ]
    assert api(cast.viewer).get("/trials/NCT00000001/import/").status_code == 403


def test_progress_is_seen_while_the_transaction_is_open(manager: User, cast: Cast) -> None:
    with progress(trial=cast.trial, by=manager, lines=9, dry_run=False) as told:
        told.tell(5)
        run = ImportRun.objects.get(pk=told.id)
        assert (run.state, run.lines_done, run.lines) == ("running", 5, 9)
    run.refresh_from_db()
    assert run.state == "failed"
    killed = ImportRun(state="running", updated_at=timezone.now() - timedelta(minutes=11))
    assert killed.state_now == "failed"


def test_an_import_that_dies_stores_nothing_and_says_so(
    manager: User, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_lines.VisitLines, "store", killed)
    text = "\n".join(json.dumps(line) for line in FILE).encode()
    with Lines(BytesIO(text)) as lines, pytest.raises(KeyboardInterrupt):
        bulk_import.import_records(trial=cast.trial, by=manager, lines=lines, dry_run=False)
    assert not Patient.objects.exists()
    assert ImportRun.objects.filter(trial=cast.trial).latest("id").state == "failed"


# Size


def test_statements_do_not_grow_with_the_lines(
    manager: User, django_assert_max_num_queries: Any
) -> None:
    def lines(count: int) -> list[Body]:
        names = [f"P{count}-{n}" for n in range(count)]
        return [
            *(patient_line(name) for name in names),
            *(baseline_line(name) for name in names),
            *(visit_line(name) for name in names),
        ]

    spent = []
    for count in (2, 60):
        with django_assert_max_num_queries(60) as context:
            assert send(manager, lines(count)).status_code == 200
        spent.append(len(context))
    assert spent[0] == spent[1]


def test_unusual_visits_open_queries_whatever_their_number(
    manager: User, django_assert_max_num_queries: Any
) -> None:
    def lines(count: int) -> list[Body]:
        names = [f"Q{count}-{n}" for n in range(count)]
        followed = [visit_line(name, mm=12) for name in names]
        confirmed = [{"code": "large_change", "lesion": "T01"}]
        followed[0]["acknowledged"] = confirmed
        return [*map(patient_line, names), *map(baseline_line, names), *followed]

    spent = []
    for count in (2, 60):
        with django_assert_max_num_queries(60) as context:
            assert send(manager, lines(count)).status_code == 200
        spent.append(len(context))
        mine = Query.objects.filter(patient__subject_id__startswith=f"Q{count}-")
        assert (mine.open().count(), mine.count()) == (count - 1, count)
    assert spent[0] == spent[1]
    before = Query.objects.count()
    assert send(manager, lines(2)).json()["unchanged"] == counts(patient=2, visit=4)
    assert Query.objects.count() == before
    changed = [visit_line("Q2-1", mm=40, reason="misread")]
    assert send(manager, changed).json()["updated"] == counts(visit=1)
    closed = Query.objects.get(patient__subject_id="Q2-1")
    assert (closed.closed_because, closed.closed_value) == ("value_changed", "40")


def test_historical_records_open_none(manager: User, cast: Cast) -> None:
    text = "\n".join(json.dumps(line) for line in [*FILE[:2], visit_line(mm=12)])
    with Lines(BytesIO(text.encode())) as lines:
        done = bulk_import.import_records(
            trial=cast.trial, by=manager, lines=lines, dry_run=False, queries=False
        )
    assert done.errors == []
    assert (Visit.objects.count(), Query.objects.count()) == (2, 0)


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_store_it_once() -> None:
    cast = assemble_cast()
    start, answers = Barrier(2), []

    def run() -> None:
        start.wait()
        answers.append(send(cast.superuser, FILE).json())
        connections.close_all()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["created"]["total"] for answer in answers) == [0, 6]
    assert sorted(answer["unchanged"]["total"] for answer in answers) == [0, 6]
    assert Visit.objects.count() == 3
