"""What another definition would change: hand-worked patients, kind by kind, and over REST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from patients.models import Patient, Therapy
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Endpoint

Caller = Callable[[User], Api]
PATH = "/trials/NCT00000001/endpoints/preview/"
CUTOFF = "?cutoff=2024-12-31"


def patient(cast: Cast, subject: str, *visits: tuple[int, tuple[int, ...]], **f: Any) -> Patient:
    """A patient with targets of 50 and 30 mm, then visits (days after START, diameters)."""
    row = factories.patient(cast.trial, subject, **f)
    factories.baseline(row, by=cast.coordinator)
    for day, mm in visits:
        factories.follow_up(row, day, mm, by=cast.coordinator)
    return row


@pytest.fixture
def people(cast: Cast) -> Cast:
    """Hand-worked; day n after START is n from enrollment and n - 1 from the first dose.

    01-001: PR on day 43 alone, then PD on day 85 (unconfirmed PR; SD when confirmed).
    01-002: SD on day 43, new therapy on day 50, PD on day 85.
    01-003: SD on day 43, PD on day 200: more than 98 days later.
    01-004: never dosed, SD on day 43.
    """
    patient(cast, "01-001", (43, (20, 20)), (85, (60, 40)))
    treated = patient(cast, "01-002", (43, (50, 30)), (85, (80, 60)))
    Therapy.objects.create(patient=treated, kind="systemic", started_on=START + timedelta(days=50))
    patient(cast, "01-003", (43, (50, 30)), (200, (80, 60)))
    patient(cast, "01-004", (43, (50, 30)), first_dose_on=None)
    return cast


# kind, definition -> (before, after) as (estimate or events, n), and who moves: from, to
CASES: list[tuple[str, dict[str, Any], Any, Any, dict[str, tuple[str, str]]]] = [
    ("ORR", {"confirmation": {"required": False}}, (0, 4), (1, 4), {"01-001": ("SD", "PR")}),
    ("ORR", {"population": "safety"}, (0, 4), (0, 3), {"01-004": ("NE", "not_treated")}),
    # 42 days from the first dose on day 1 is SD; 43 are needed now
    (
        "DCR", {"min_stable_days": 43}, (3, 4), (0, 4),
        {"01-001": ("SD", "PD"), "01-002": ("SD", "NE"), "01-003": ("SD", "PD")},
    ),
    ("CBR", {"min_benefit_days": 42}, (0, 4), (3, 4), {
        "01-001": ("no_benefit", "benefit"), "01-002": ("no_benefit", "benefit"),
        "01-003": ("no_benefit", "benefit"),
    }),
    # the FDA's rule: therapy before PD, and PD after two missed assessments, censor on day 43
    ("PFS", {"censoring": {"rule": "fda"}}, (3, 3), (1, 3), {
        "01-002": ("event", "censored"), "01-003": ("event", "censored"),
    }),
    ("PFS", {"censoring": {"rule": "ema"}}, (3, 3), (3, 3), {}),
    ("PFS", {"survival_interval": "spss"}, (3, 3), (3, 3), {}),
    # from enrollment one day more, and the patient who was never dosed is among them
    ("PFS", {"time_origin": "enrollment"}, (3, 3), (3, 4), {
        "01-001": ("event", "event"), "01-002": ("event", "event"), "01-003": ("event", "event"),
        "01-004": ("no_time_origin", "censored"),
    }),
    ("DOR", {"confirmation": {"required": False}}, (0, 0), (1, 1), {
        "01-001": ("no_response", "event"),
    }),
]  # fmt: skip


def figures(side: dict[str, Any]) -> tuple[int, int]:
    result = side["result"]
    names = ("responders", "controlled", "benefited", "events")
    (k,) = (result[name] for name in names if name in result)
    return k, result["n"]


@pytest.mark.parametrize(("kind", "definition", "before", "after", "moves"), CASES)
def test_who_moves(
    people: Cast, api: Caller, kind: str, definition: Any, before: Any, after: Any, moves: Any
) -> None:
    row = Endpoint.objects.create(trial=people.trial, kind=kind)
    body = {"kind": kind, "endpoint": row.pk, "definition": definition}
    told = api(people.administrator).post(f"{PATH}{CUTOFF}", body).json()
    assert (figures(told["before"]), figures(told["after"])) == (before, after)
    found = {m["subject_id"]: (m["from"]["category"], m["to"]["category"]) for m in told["moves"]}
    assert found == moves
    assert told["moved"] == len(moves) == sum(t["patients"] for t in told["transitions"])
    assert told["first"] is True
    assert told["stays"] is False
    assert Endpoint.objects.get().definition == {}


def test_a_move_says_why_and_from_which_date(people: Cast, api: Caller) -> None:
    body = {"kind": "PFS", "definition": {"censoring": {"rule": "fda"}}}
    told = api(people.administrator).post(f"{PATH}{CUTOFF}", body).json()
    move = told["moves"][0]
    seen = START + timedelta(days=43)
    assert (move["from"]["days"], move["to"]["days"]) == (85, 43)
    assert move["to"]["date"] == seen.isoformat()
    assert move["from"]["reason"] != move["to"]["reason"] != ""
    assert told["differences"][0].startswith("Who has no event is censored: ")
    assert told["before"]["endpoint"] is None


def test_a_new_definition_stands_beside_the_first(people: Cast, api: Caller) -> None:
    first = Endpoint.objects.create(trial=people.trial, kind="PFS", name="FDA primary")
    body = {"kind": "PFS", "name": "EMA sensitivity", "definition": {"censoring": {"rule": "ema"}}}
    told = api(people.administrator).post(PATH, body).json()
    assert (told["stays"], told["first"]) == (True, False)
    assert told["before"]["endpoint"] == first.pk
    assert (told["after"]["endpoint"], told["after"]["name"]) == (None, "EMA sensitivity")


def test_what_happened_after_the_cutoff_moves_nobody(people: Cast, api: Caller) -> None:
    """The therapy of day 50 is another reason for the same censoring; the PDs came later."""
    body = {"kind": "PFS", "definition": {"censoring": {"rule": "fda"}}}
    for day, transitions in (
        (49, []),
        (84, [{"from": "censored", "to": "censored", "patients": 1}]),
    ):
        cutoff = (START + timedelta(days=day)).isoformat()
        told = api(people.administrator).post(f"{PATH}?cutoff={cutoff}", body).json()
        assert told["transitions"] == transitions


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "OTHER"}, "/kind"),
    ({"kind": "ORR", "endpoint": 0}, "/endpoint"),
    ({"kind": "ORR", "endpoint": 999_999}, "/endpoint"),
    ({"kind": "ORR", "definition": {"censoring": {"rule": "who"}}}, "/definition/censoring/rule"),
    ({"kind": "ORR", "x": 1}, "/x"),
]


def test_what_cannot_be_previewed(cast: Cast, api: Caller) -> None:
    client = api(cast.administrator)
    for body, pointer in REFUSED:
        answer = client.post(PATH, body)
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_only_who_may_write_the_trial_previews(cast: Cast, api: Caller) -> None:
    body = {"kind": "ORR"}
    assert api(cast.viewer).post(PATH, body).status_code == 403
    assert api(cast.stranger).post(PATH, body).status_code == 404
    elsewhere = Endpoint.objects.create(trial=factories.trial("NCT00000002"), kind="ORR")
    answer = api(cast.administrator).post(PATH, body | {"endpoint": elsewhere.pk})
    assert answer.status_code == 400
    other_kind = Endpoint.objects.create(trial=cast.trial, kind="OS")
    answer = api(cast.administrator).post(PATH, body | {"endpoint": other_kind.pk})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/kind"]


def test_versions_count_what_a_put_changes_and_nothing_else(cast: Cast, api: Caller) -> None:
    def put(endpoints: list[dict[str, Any]], version: int) -> list[dict[str, Any]]:
        body = {"endpoints": endpoints, "reason": f"change {version}"}
        headers = {"if_match": f'"{version}"'}
        stored = api(cast.superuser).patch("/trials/NCT00000001/", body, **headers).json()
        found: list[dict[str, Any]] = stored["endpoints"]
        return found

    first = put([{"kind": "PFS"}, {"kind": "OS"}], 1)
    assert [row["version"] for row in first] == [1, 1]
    first[0]["definition"]["censoring"]["rule"] = "fda"
    second = put(first, 2)
    assert [row["version"] for row in second] == [2, 1]
    assert [row["version"] for row in put(second, 3)] == [2, 1]
    Endpoint.objects.filter(kind="OS").update(definition={})
    assert [row["version"] for row in put(second, 4)] == [2, 1]
    told = api(cast.viewer).get("/trials/NCT00000001/endpoints/").json()["results"]
    assert [(row["kind"], row["version"]) for row in told] == [("PFS", 2), ("OS", 1)]
    newest, oldest = told[0]["versions"]
    assert (newest["version"], newest["by"], newest["reason"]) == (2, "root", "change 2")
    assert newest["changes"][0].startswith("Who has no event is censored: at the last evaluable")
    assert (oldest["version"], oldest["reason"], oldest["changes"]) == (1, "change 1", [])
    assert len(told[1]["versions"]) == 1
    assert api(cast.stranger).get("/trials/NCT00000001/endpoints/").status_code == 404


def test_a_blinded_preview_tells_no_arm(people: Cast, api: Caller) -> None:
    people.trial.masking = "DOUBLE"
    people.trial.save()
    told = api(people.administrator).post(
        PATH, {"kind": "ORR", "definition": {"population": "safety"}}
    )
    assert told.status_code == 200
    assert '"arm"' not in told.content.decode()
    assert date.fromisoformat(told.json()["cutoff"]) > START
