"""Independent review: a reader of their own, blinded to the site, and whom the sites do not see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from outcomes import actions, history
from outcomes.entries import VisitEntry
from outcomes.models import REVIEWER, Lesion, Measurement, Visit
from patients.models import Patient, Query, Therapy
from registry.errors import Refused
from registry.models import Draft, User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, new_lesion, non_target, target
from tests.outcomes.test_pages import FOLLOW_UP
from trials.models import Arm
from trials.vocabularies import Role

Pages = Callable[[User], Client]
# What only the site knows: none of it may reach a reviewer.
CANARIES = ("CANARY", "51.37", "33.25", "2024-02-27", "2024-11-29")
DEATH = START + timedelta(days=319)  # 2024-11-29


@dataclass
class Scene:
    """A patient whom the site and a reviewer have read differently."""

    cast: Cast
    reviewer: User
    patient: Patient
    visits: list[Visit]  # the site's
    readings: list[Visit]  # the reviewer's


def read(of: Patient, day: int, mm: tuple[str | int, ...], *, by: User) -> Visit:
    """A reading by the independent reviewer, `day` days after START; the baseline comes first."""
    first = not history.load(of, REVIEWER).visits
    organs = ("lung", "liver")
    described = [{"organ": organ} if first else {} for organ in organs]
    entry = VisitEntry(
        kind="baseline" if first else "scheduled",
        date=START + timedelta(days=day),
        targets=tuple(target(f"T{n:02}", size, **described[n - 1]) for n, size in enumerate(mm, 1)),
        non_targets=(non_target("NT01", **({"organ": "pleural effusion"} if first else {})),),
        new_lesions=None if first else (),
    )
    return actions.record_visit(patient=of, entry=entry, by=by, evaluator=REVIEWER)


@pytest.fixture
def at(cast: Cast) -> Scene:
    """The site: partial response; the reviewer: progression on another day."""
    reviewer = factories.user("reviewer")
    factories.membership(reviewer, cast.trial, Role.REVIEWER)
    Arm.objects.create(trial=cast.trial, name="CANARY arm")
    row = factories.patient(cast.trial, "01-001")
    places = (target("T01", "51.37", organ="lung", description="CANARY lobe"),)
    visits = [
        factories.baseline(row, by=cast.coordinator, targets=places),
        factories.follow_up(row, 43, ("33.25",), by=cast.coordinator),
    ]
    factories.adverse_event(row, "CANARY event")
    Therapy.objects.create(patient=row, started_on=START + timedelta(90), description="CANARY drug")
    readings = [read(row, 1, (40, 20), by=reviewer), read(row, 44, (60, 40), by=reviewer)]
    Patient.objects.filter(pk=row.pk).update(died_on=DEATH)
    row.refresh_from_db()
    return Scene(cast, reviewer, row, visits, readings)


def test_each_evaluator_has_lesions_sums_and_responses_of_their_own(at: Scene) -> None:
    assert [v.overall_response for v in at.visits] == ["", "PR"]
    assert [v.overall_response for v in at.readings] == ["", "PD"]
    assert [v.baseline_sum_mm for v in at.readings[1:]] == [60]
    mine = history.load(at.patient, REVIEWER)
    assert {le.evaluator for le in mine.lesions.values()} == {REVIEWER}
    rows = Measurement.objects.filter(visit__in=at.readings)
    assert {row.lesion.evaluator for row in rows} == {REVIEWER}
    assert set(Lesion.objects.filter(evaluator="investigator").values_list("label", flat=True)) == {
        "T01", "NT01",
    }  # fmt: skip


@pytest.mark.parametrize("model", [Visit, Lesion])
def test_evaluators_are_a_vocabulary(at: Scene, model: Any) -> None:
    with pytest.raises(IntegrityError, match="evaluator_known"), transaction.atomic():
        model.objects.filter(patient=at.patient).update(evaluator="radiologist")


UNIQUE = "label = 'T09', target_number = NULL, organ_slot = NULL, role = 'new'"
MIXED = [
    ("measurement", "lesion_id = {lesion}", "lesion_shares_patient_evaluator"),
    ("measurement", "visit_id = {visit}", "visit_shares_patient_evaluator"),
    ("measurement", "evaluator = 'reviewer'", "shares_patient_evaluator"),
    (
        "measurement",
        "state = 'merged', diameter_mm = NULL, merged_into_id = {lesion}",
        "merged_into_shares_patient_evaluator",
    ),
    ("nontargetstatus", "lesion_id = {lesion}", "lesion_shares_patient_evaluator"),
    ("nontargetstatus", "visit_id = {visit}", "visit_shares_patient_evaluator"),
    ("newlesionstatus", "lesion_id = {lesion}", "lesion_shares_patient_evaluator"),
    ("newlesionstatus", "visit_id = {visit}", "visit_shares_patient_evaluator"),
    ("lesion", f"evaluator = 'reviewer', {UNIQUE}", "lesion_shares_patient_evaluator"),
    ("visit", "evaluator = 'reviewer', date = '2024-06-01'", "visit_shares_patient_evaluator"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "change", "constraint"), MIXED)
def test_no_sql_mixes_rows_of_two_evaluators(
    at: Scene, table: str, change: str, constraint: str
) -> None:
    seen = factories.follow_up(
        at.patient, 85, ("33.25",), by=at.cast.coordinator, new_lesions=(new_lesion("NL01"),)
    )
    rows: dict[str, Any] = {
        "measurement": seen.measurements, "nontargetstatus": seen.non_target_statuses,
        "newlesionstatus": seen.new_lesion_statuses, "lesion": at.patient.lesions,
        "visit": at.patient.visits.filter(pk=seen.pk),
    }  # fmt: skip
    row = rows[table].filter(evaluator="investigator").earliest("pk")
    theirs = {
        "lesion": Lesion.objects.filter(evaluator=REVIEWER).earliest("pk").pk,
        "visit": at.readings[0].pk,
    }
    change = f"UPDATE outcomes_{table} SET {change.format(**theirs)} WHERE id = {row.pk}"
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {change}")


def test_who_may_read_and_correct_for_whom(at: Scene) -> None:
    entry = VisitEntry(
        kind="scheduled", date=START + timedelta(days=90), new_lesions=(),
        targets=(target("T01", 30), target("T02", 20)), non_targets=(non_target("NT01"),),
    )  # fmt: skip
    writers = (at.cast.coordinator, at.cast.investigator, at.cast.administrator)
    for who in writers:
        with pytest.raises(PermissionDenied):
            actions.record_visit(patient=at.patient, entry=entry, by=who, evaluator=REVIEWER)
        with pytest.raises(PermissionDenied):
            actions.void_visit(visit=at.readings[1], by=who, reason="no", version=1)
    with pytest.raises(PermissionDenied):
        actions.record_visit(patient=at.patient, entry=entry, by=at.reviewer)
    for visit in at.visits:
        with pytest.raises(PermissionDenied):
            actions.correct_visit(visit=visit, entry=entry, by=at.reviewer, reason="x", version=1)
        with pytest.raises(PermissionDenied):
            actions.void_visit(visit=visit, by=at.reviewer, reason="x", version=1)
    actions.void_visit(visit=at.readings[1], by=at.reviewer, reason="wrong scan", version=1)
    assert len(history.load(at.patient, REVIEWER).visits) == 1
    assert len(history.load(at.patient).visits) == 2


def test_no_refusal_tells_a_reviewer_what_became_of_the_patient(at: Scene) -> None:
    late = (DEATH - START).days + 10
    assert read(at.patient, late, (30, 20), by=at.reviewer).pk
    with pytest.raises(Refused, match="future"):
        read(at.patient, 20_000, (30, 20), by=at.reviewer)


def test_the_review_opens_no_queries_and_nobody_asks_the_site_about_it(
    at: Scene, api: Callable[[Any], Api]
) -> None:
    read(at.patient, 400, (399, 1), by=at.reviewer)
    assert not Query.objects.filter(
        record_id__in=[v.pk for v in Visit.objects.filter(evaluator=REVIEWER)]
    ).exists()
    body = {
        "patient": at.patient.pk,
        "record": "visit",
        "record_id": at.readings[1].pk,
        "text": "?",
    }
    answer = api(at.cast.investigator).post("/queries/", body)
    assert answer.status_code == 400
    page = Client()
    page.force_login(at.cast.investigator)
    asked = page.get(f"/patients/{at.patient.pk}/queries/").content.decode()
    assert f"visit:{at.readings[1].pk}" not in asked
    assert f"visit:{at.visits[1].pk}" in asked


READS = {"investigator": 200, "administrator": 200, "superuser": 200, "reviewer": 200}
NEVER = ("coordinator", "colleague", "outsider", "viewer", "stranger")


@pytest.mark.parametrize("who", [*READS, *NEVER])
def test_who_sees_the_review(at: Scene, pages: Pages, api: Callable[[Any], Api], who: str) -> None:
    user = at.reviewer if who == "reviewer" else getattr(at.cast, who)
    expected, visit = READS.get(who, 404), at.readings[1]
    page, client = pages(user), api(user)
    of = f"/patients/{at.patient.pk}/review/"
    for path in (of, f"/visits/{visit.pk}/history/", f"/visits/{visit.pk}/lesions/T01/history/"):
        assert page.get(path).status_code == expected, path
    assert client.get(f"/visits/{visit.pk}/").status_code == expected
    listed = client.get("/visits/?evaluator=reviewer").json()
    assert listed["count"] == (2 if expected == 200 else 0)
    ours = client.get("/visits/").json()["results"]
    assert not [v for v in ours if v["evaluator"] == REVIEWER]
    summary = client.get(f"/trials/{at.cast.trial.registry_id}/discordance/")
    assert summary.status_code == (200 if who in READS and who != "reviewer" else 404)


@pytest.mark.parametrize("who", NEVER[:4])
def test_the_sites_meet_no_trace_of_the_review(at: Scene, pages: Pages, who: str) -> None:
    page, trial = pages(getattr(at.cast, who)), at.cast.trial.registry_id
    read(at.patient, 500, (77, 20), by=at.reviewer)
    of = f"/patients/{at.patient.pk}"
    for path in ("/", f"/trials/{trial}/", f"/trials/{trial}/patients/", f"{of}/", "/queries/"):
        text = page.get(path).content.decode()
        assert "reviewer" not in text
        assert "2024-02-28" not in text
        assert "2025-05-29" not in text
    for path in (f"{of}/review/visits/new/", f"/trials/{trial}/review/"):
        assert page.get(path).status_code == 404
    assert "01-001" not in page.get("/review/").content.decode()
    asked = page.get(f"/trials/{trial}/?evaluator=reviewer")
    assert asked.status_code == 400
    assert "2024-02-28" not in asked.content.decode()


# --- what a reviewer can reach ---


def routes() -> Iterator[tuple[str, list[str]]]:
    """Every page by its name, with what its address takes."""

    def walk(resolver: URLResolver, space: str) -> Iterator[tuple[str, list[str]]]:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern):
                yield f"{space}{entry.name}", list(entry.pattern.converters)
            elif str(entry.pattern) != "api/v1/":
                inner = f"{entry.namespace}:" if entry.namespace else space
                yield from walk(entry, inner)

    yield from walk(get_resolver(), "")


def addresses(at: Scene) -> Iterator[str]:
    """Every page's address, of everything that there is in the trial."""
    trial = at.cast.trial
    things = [at.patient, *at.visits, *at.patient.adverse_events.all(), *at.patient.therapies.all()]
    things += list(Query.objects.all())
    known: dict[str, list[Any]] = {
        "pk": sorted({row.pk for row in things}), "registry_id": [trial.registry_id],
        "label": ["T01"], "code": ["01"],
    }  # fmt: skip
    for name, taken in routes():
        first = taken[0] if taken else ""
        rest = {key: known.get(key, ["x"])[0] for key in taken[1:]}
        for value in known.get(first, ["x"]) if first else [None]:
            kwargs = {first: value, **rest} if first else {}
            try:
                yield reverse(name, kwargs=kwargs)
            except NoReverseMatch:
                continue


def stored() -> list[Any]:
    """Everything about visits, the site's and the reviewer's."""
    return [
        *Visit.objects.order_by("pk").values_list(),
        *Measurement.objects.order_by("pk").values_list(),
    ]


def test_no_page_shows_a_reviewer_what_the_site_knows(at: Scene, pages: Pages) -> None:
    page, before = pages(at.reviewer), stored()
    paths = [path for path in addresses(at) if "logout" not in path and "login" not in path]
    assert len(paths) > 150
    for path in paths:
        for answer in (page.get(path), page.post(path, {"reason": "x", "version": "1"})):
            text = b"".join(answer) if answer.streaming else answer.content
            assert not [c for c in CANARIES if c.encode() in text], path
            assert answer.status_code < 500, path
    assert stored() == before


def test_what_a_reviewer_sees_is_their_own(at: Scene, pages: Pages) -> None:
    page = pages(at.reviewer)
    assert "/review/" in page.get("/").content.decode()
    assert "01-001" in page.get("/review/").content.decode()
    sheet = page.get(f"/patients/{at.patient.pk}/review/").content.decode()
    assert "2024-02-28" in sheet
    assert "60" in sheet
    assert page.get(f"/patients/{at.patient.pk}/").status_code == 404
    assert page.get(f"/trials/{at.cast.trial.registry_id}/").status_code == 404
    for visit in at.visits:
        for step in ("edit", "void", "history", "lesions/T01/history"):
            assert page.get(f"/visits/{visit.pk}/{step}/").status_code == 404


# --- entering on pages and over REST ---


def test_from_a_patient_to_the_review_and_back(at: Scene, pages: Pages) -> None:
    """For whom both are; the site finds no way there, and the reader none to the site's page."""
    site, review = f"/patients/{at.patient.pk}/", f"/patients/{at.patient.pk}/review/"
    links = {
        who: (
            f'href="{review}"' in pages(user).get(site).content.decode(),
            f'href="{site}"' in pages(user).get(review).content.decode(),
        )
        for who, user in (
            ("investigator", at.cast.investigator), ("superuser", at.cast.superuser),
            ("coordinator", at.cast.coordinator), ("viewer", at.cast.viewer),
            ("reviewer", at.reviewer),
        )
    }  # fmt: skip
    assert links == {
        "investigator": (True, True), "superuser": (True, True),
        "coordinator": (False, False), "viewer": (False, False), "reviewer": (False, False),
    }  # fmt: skip


def test_a_reading_is_entered_corrected_and_voided_on_pages(at: Scene, pages: Pages) -> None:
    page, of = pages(at.reviewer), f"/patients/{at.patient.pk}/review/"
    shown = page.get(f"{of}visits/new/").content.decode()
    assert f"{of}visits/preview/" in shown
    assert "Reviewer&#x27;s assessment" in shown
    preview = page.post(f"{of}visits/preview/", FOLLOW_UP).content.decode()
    assert "95.5" in preview
    answer = page.post(f"{of}visits/new/", FOLLOW_UP)
    assert (answer.status_code, answer.headers["Location"]) == (302, of)
    stored = Visit.objects.get(date="2024-04-10")
    assert (stored.evaluator, stored.overall_response) == (REVIEWER, "PD")
    edit = f"/visits/{stored.pk}/edit/"
    smaller = {"targets-0-diameter_mm": "20", "targets-1-diameter_mm": "10"}
    why = {"reason": "wrong series", "version": "1"}
    assert page.post(edit, FOLLOW_UP | smaller | why).headers["Location"] == of
    stored.refresh_from_db()
    assert stored.overall_response == "PR"
    gone = page.post(f"/visits/{stored.pk}/void/", {"reason": "wrong patient", "version": "2"})
    assert gone.headers["Location"] == of
    assert history.load(at.patient).visits == at.visits


def test_a_reviewers_draft_comes_back_to_them(at: Scene, pages: Pages) -> None:
    address = f"/patients/{at.patient.pk}/review/visits/new/"
    Draft.objects.put(
        Draft(user=at.reviewer, address=address, patient=at.patient, title="", fields=[])
    )
    assert Draft.objects.of(at.reviewer).exists()
    at.reviewer.memberships.update(valid_to=START)
    assert not Draft.objects.of(at.reviewer).exists()


def body(at: Scene, **changes: Any) -> dict[str, Any]:
    """The next reading."""
    targets = [
        {"lesion": label, "state": "measured", "diameter_mm": 20} for label in ("T01", "T02")
    ]
    return {
        "patient": at.patient.pk, "kind": "scheduled", "date": "2024-05-01", "evaluator": "reviewer",
        "targets": targets, "non_targets": [{"lesion": "NT01", "status": "present"}],
        "new_lesions": [],
    } | changes  # fmt: skip


def test_a_reading_over_rest(at: Scene, api: Callable[[Any], Api]) -> None:
    client = api(at.reviewer)
    seen = client.post("/visits/preview/", body(at))
    assert seen.json()["derived"]["baseline_sum_mm"] == 60
    made = client.post("/visits/", body(at))
    assert (made.status_code, made.json()["evaluator"]) == (201, "reviewer")
    path, version = f"/visits/{made.json()['id']}/", {"if_match": '"1"'}
    changed = body(at, reason="date", date="2024-05-02")
    assert client.put(path, changed, **version).status_code == 200
    moved = client.put(path, body(at, reason="x", evaluator="investigator"), if_match='"2"')
    assert moved.json()["errors"][0]["pointer"] == "/evaluator"
    assert api(at.cast.investigator).put(path, changed, if_match='"2"').status_code == 403
    assert client.post(f"{path}void/", {"reason": "wrong"}, if_match='"2"').status_code == 200
    listed = client.get("/review/patients/").json()["results"]
    assert [(row["subject_id"], row["readings"]) for row in listed] == [("01-001", 2)]


@pytest.mark.parametrize(
    ("who", "evaluator"),
    [("coordinator", "reviewer"), ("investigator", "reviewer"), ("reviewer", "investigator"),
     ("reviewer", None), ("viewer", "reviewer")],
)  # fmt: skip
def test_nobody_writes_or_previews_for_the_other_evaluator(
    at: Scene, api: Callable[[Any], Api], who: str, evaluator: str | None
) -> None:
    client = api(at.reviewer if who == "reviewer" else getattr(at.cast, who))
    before, sent = stored(), body(at, evaluator=evaluator)
    if evaluator is None:
        del sent["evaluator"]
    for path in ("/visits/", "/visits/preview/"):
        answer = client.post(path, sent)
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"pointer": "/patient", "detail": answer.json()["errors"][0]["detail"]}
        ]
    assert stored() == before


def test_a_preview_takes_a_visit_of_its_own_evaluator_only(
    at: Scene, api: Callable[[Any], Api]
) -> None:
    foreign = api(at.reviewer).post("/visits/preview/", body(at, visit=at.visits[1].pk))
    missing = api(at.reviewer).post("/visits/preview/", body(at, visit=999_999))
    assert foreign.json() == missing.json()
    sent = body(at, visit=at.readings[1].pk, evaluator="investigator")
    assert api(at.cast.coordinator).post("/visits/preview/", sent).json() == missing.json()


def test_files_hold_the_investigators_visits_only(at: Scene, api: Callable[[Any], Api]) -> None:
    line = {"record": "visit"} | body(at, patient="01-001")
    path = f"/api/v1/trials/{at.cast.trial.registry_id}/import/"
    manager = api(at.cast.superuser).client
    answer = manager.post(path, json.dumps(line), content_type="application/x-ndjson")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/evaluator"


# --- one evaluator per analysis ---


def test_one_evaluator_per_analysis(at: Scene, api: Callable[[Any], Api]) -> None:
    client, path = api(at.cast.investigator), f"/trials/{at.cast.trial.registry_id}/outcomes/"
    told = {}
    for who in ("investigator", "reviewer"):
        (line,) = client.get(f"{path}patients/?evaluator={who}&cutoff=2024-12-31").json()["results"]
        whole = client.get(f"{path}?evaluator={who}&cutoff=2024-12-31").json()
        assert whole["evaluator"] == who
        told[who] = (line["best_response"], line["pfs"]["event"], line["pfs"]["date"])
    assert client.get(path).json()["evaluator"] == "investigator"
    assert told == {
        "investigator": ("PR", True, "2024-11-29"),
        "reviewer": ("PD", True, "2024-02-28"),
    }
    refused = api(at.cast.coordinator).get(f"{path}?evaluator=reviewer")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "evaluator")


@pytest.mark.django_db(transaction=True)
def test_a_later_correction_of_a_reading_is_not_seen_as_known_before(
    at: Scene, api: Callable[[Any], Api]
) -> None:
    """40 + 20 to 60 + 40 mm is PD; corrected to 26 + 14, -33.3 %, it is PR; then it is voided."""
    client, path = api(at.cast.investigator), f"/trials/{at.cast.trial.registry_id}/"
    moments = [datetime.now(UTC)]
    entry = VisitEntry(
        kind="scheduled", date=at.readings[1].date, new_lesions=(),
        targets=(target("T01", 26), target("T02", 14)), non_targets=(non_target("NT01"),),
    )  # fmt: skip
    why: dict[str, Any] = {"by": at.reviewer, "reason": "read the other scan"}
    actions.correct_visit(visit=at.readings[1], entry=entry, version=1, **why)
    moments.append(datetime.now(UTC))
    actions.void_visit(visit=at.readings[1], version=2, **why)
    moments.append(datetime.now(UTC))
    asked = "cutoff=2024-12-31&known_on="
    told = []
    for moment in [f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in moments]:
        who = f"outcomes/patients/?evaluator=reviewer&{asked}{moment}"
        (line,) = client.get(path + who).json()["results"]
        (both,) = client.get(f"{path}discordance/patients/?{asked}{moment}").json()["results"]
        assert both["investigator"]["scans"] == 1
        said = both["reviewer"]
        told.append(
            (line["best_response"], line["pfs"]["date"], said["progressed_on"], said["scans"])
        )
    assert told == [
        ("PD", "2024-02-28", "2024-02-28", 1),
        ("PR", "2024-11-29", None, 1),
        ("NE", "2024-11-29", None, 0),
    ]


def test_what_the_site_saw_is_evidence_of_life_for_the_review_and_not_the_other_way_round(
    at: Scene, api: Callable[[Any], Api]
) -> None:
    Patient.objects.filter(pk=at.patient.pk).update(died_on=None)
    Therapy.objects.all().delete()
    path = f"/trials/{at.cast.trial.registry_id}/outcomes/patients/"
    client = api(at.cast.investigator)

    def alive(who: str) -> str:
        (line,) = client.get(f"{path}?evaluator={who}").json()["results"]
        return str(line["os"]["date"])

    assert alive("reviewer") == "2024-02-28"
    assert alive("investigator") == "2024-02-27"
    factories.follow_up(at.patient, 85, ("33.25",), by=at.cast.coordinator)
    assert alive("reviewer") == alive("investigator") == "2024-04-09"


def test_the_dashboard_names_who_read(at: Scene, pages: Pages) -> None:
    page, path = pages(at.cast.investigator), f"/trials/{at.cast.trial.registry_id}/"
    shown = page.get(f"{path}?evaluator=reviewer").content.decode()
    assert shown.count("Read by the independent reviewer.") == 7  # four cards, three figures
    assert f"/patients/{at.patient.pk}/?evaluator=reviewer" in shown
    assert "Read by the independent reviewer." not in page.get(path).content.decode()


# --- both side by side ---


@pytest.fixture
def trial_read_twice(at: Scene) -> Scene:
    """Four patients more: both PR; both PD, on different days; PR by the review only; unread.

    With the first (PR by the site, PD by the review), by hand: responders 1 both, 1 the site's
    only, 1 the review's only, 1 neither.
    """
    site, by = at.cast.coordinator, at.reviewer
    sizes = {
        "01-002": ((30, 18), (20, 10)),
        "01-003": ((70, 50), (60, 40)),
        "01-004": ((50, 30), (20, 10)),
    }
    for subject_id, (mine, theirs) in sizes.items():
        row = factories.patient(at.cast.trial, subject_id)
        factories.baseline(row, by=site)
        read(row, 0, (40, 20), by=by)
        for day in (43, 85) if subject_id != "01-003" else (43,):
            factories.follow_up(row, day, mine, by=site)
            read(row, day + (1 if subject_id == "01-003" else 0), theirs, by=by)
    unread = factories.patient(at.cast.trial, "01-005")
    factories.baseline(unread, by=site)
    Therapy.objects.all().delete()
    factories.follow_up(at.patient, 85, ("33.25",), by=site)
    return at


def test_where_the_two_differ(trial_read_twice: Scene, api: Callable[[Any], Api]) -> None:
    client = api(trial_read_twice.cast.administrator)
    path = f"/trials/{trial_read_twice.cast.trial.registry_id}/discordance/"
    found = client.get(f"{path}?cutoff=2024-10-01").json()
    assert (found["n"], found["not_read"], found["discordant"]) == (4, 1, 3)
    assert found["responses"] == {
        "both": 1, "investigator_only": 1, "reviewer_only": 1, "neither": 1,
    }  # fmt: skip
    agreeing = {
        name: found[name]["agree"] for name in ("best_response", "response", "progression", "pfs")
    }
    assert agreeing == {"best_response": 2, "response": 2, "progression": 2, "pfs": 3}
    # Clopper-Pearson, 2 of 4
    assert found["response"]["lower"] == pytest.approx(0.0676, abs=1e-4)
    lines = client.get(f"{path}patients/?cutoff=2024-10-01").json()["results"]
    assert [(line["subject_id"], line["concordant"]) for line in lines] == [
        ("01-001", False), ("01-003", False), ("01-004", False), ("01-002", True),
    ]  # fmt: skip
    assert lines[1]["investigator"]["progressed_on"] == "2024-02-27"
    assert lines[1]["reviewer"]["progressed_on"] == "2024-02-28"
    table = client.get(f"{path}patients/", accept="text/csv").content.decode().splitlines()
    assert len(table) == 5
    assert client.get(f"{path}?evaluator=reviewer").json()["parameter"] == "evaluator"


def test_the_page_of_differences(
    trial_read_twice: Scene, pages: Pages, django_assert_num_queries: Any
) -> None:
    page = pages(trial_read_twice.cast.administrator)
    path = f"/trials/{trial_read_twice.cast.trial.registry_id}/review/"
    with django_assert_num_queries(20):
        shown = page.get(f"{path}?cutoff=2024-10-01")
    text = shown.content.decode()
    assert shown.status_code == 200
    patient = trial_read_twice.patient.pk
    sites = f"/patients/{patient}/?cutoff=2024-10-01#flow-sheet"
    for link in (sites, f"/patients/{patient}/review/", "format=csv"):
        assert link in text
    rows = re.findall(r"<tr>(?:(?!<tr>).)*?01-003.*?</details>", " ".join(text.split()))
    assert len(rows) == 1  # PD on 2024-02-27 by the site, a day later by the review
    assert re.search(r"2024-02-27</th> <td[^>]*>\s*PD\s*</td> <td[^>]*>\s*–", rows[0])
    assert re.search(r"2024-02-28</th> <td[^>]*>\s*–\s*</td> <td[^>]*>\s*PD", rows[0])
    scans = re.findall(r"<tr>(?:(?!<tr>).)*?01-004.*?</details>", " ".join(text.split()))
    assert re.search("<strong>SD</strong> </td> <td[^>]*> <strong>PR</strong>", scans[0])
    assert page.get(f"{path}?cutoff=yesterday").status_code == 400
    assert page.get(f"{path}?group_by=arm").status_code == 400


@pytest.mark.parametrize(
    "path", ["", "figures/", "figures/pfs/", "statistics/", "groups/", "report/", "endpoints/"]
)
def test_a_review_that_is_not_complete_says_so(
    trial_read_twice: Scene, pages: Pages, path: str
) -> None:
    client = pages(trial_read_twice.cast.administrator)
    address = f"/trials/{trial_read_twice.cast.trial.registry_id}/"
    told = "4 of 5 patients read; 1 counts as not assessed."
    by_reviewer = client.get(f"{address}{path}?cutoff=2024-10-01&evaluator=reviewer")
    shown = " ".join(by_reviewer.content.decode().split())
    assert told in shown
    assert f'href="{address}review/?cutoff=2024-10-01"' in shown
    if path == "figures/pfs/":
        assert re.search(rf"<text[^>]*>\s*{told}", shown)  # in the drawing that is saved
    assert "as not assessed" not in client.get(f"{address}{path}").content.decode()


@pytest.mark.parametrize("path", ["/visits/", "/trials/NCT00000001/outcomes/"])
def test_whose_readings_are_asked_for_is_read_alike(
    cast: Cast, api: Callable[[Any], Api], path: str
) -> None:
    client = api(cast.superuser)
    refused = client.get(f"{path}?evaluator=nobody")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "One of: investigator, reviewer.",
    )
    assert client.get(f"{path}?evaluator=").status_code == 200
