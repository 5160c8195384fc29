"""Frozen analyses over REST: freeze, read, reproduce, compare with today."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from outcomes.models import Analysis, Visit
from patients.models import Patient, Therapy
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.analyses.test_freezing import CUTOFF, forged, frozen, populated
from trials.models import Endpoint, Trial

Login = Callable[[Any], Api]
PATH = "/trials/NCT00000001/analyses/"
BODY = {"name": "Interim", "options": {"cutoff": CUTOFF.isoformat()}}
WHY = {"reason": "source data verification"}


def test_frozen_read_and_reproduced(cast: Cast, api: Login) -> None:
    populated(cast)
    client = api(cast.administrator)
    options = BODY["options"] | {"landmarks": "3,12w", "rmst": "6", "counts": "true"}  # type: ignore[operator]
    answer = client.post(PATH, BODY | {"options": options, "note": "DMC"})
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["by"], told["note"], told["patients"]) == ("administrator", "DMC", 6)
    assert told["options"] == options
    asked = "&".join(f"{key}={value}" for key, value in options.items())
    assert told["safety"] == client.get(f"/trials/NCT00000001/safety/?cutoff={CUTOFF}").json()
    assert told["exposure"] == client.get(f"/trials/NCT00000001/exposure/?cutoff={CUTOFF}").json()
    assert told["report"] == client.get(f"/trials/NCT00000001/outcomes/?{asked}").json()
    (listed,) = client.get(PATH).json()["results"]
    figures = ("report", "safety", "exposure")
    assert listed == {key: value for key, value in told.items() if key not in figures}
    assert client.get(f"/analyses/{told['id']}/").json() == told
    found = client.post(f"/analyses/{told['id']}/reproduce/").json()
    assert (found["outcome"], found["difference_count"]) == ("reproduced", 0)
    assert "bit for bit" in found["words"]


@pytest.mark.parametrize("part", ["inputs", "result"])
def test_a_download_has_the_digest_that_is_told(cast: Cast, api: Login, part: str) -> None:
    populated(cast)
    row = frozen(cast)
    answer = api(cast.viewer).get(f"/analyses/{row.pk}/{part}/")
    assert hashlib.sha256(answer.content).hexdigest() == getattr(row, f"{part}_sha256")
    assert f"analysis-{row.pk}-{part}.json" in answer["Content-Disposition"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": "\u200b"}, "/name"),  # nothing that is seen
    ({"name": "x" * 101}, "/name"),
    ({"options": {"cutoff": "soon"}}, "/options/cutoff"),
    ({"options": {"known_on": "2999-01-01T00:00Z"}}, "/options/known_on"),
    ({"options": {"known_on": "2024-06-01T12:00"}}, "/options/known_on"),
    ({"options": {"until": "2024-06-01"}}, "/options/until"),
    ({"options": {"definition": "9999"}}, "/options/definition"),
    ({"options": []}, "/options"),
    ({"cutoff": "2024-06-01"}, "/cutoff"),
]


@pytest.mark.parametrize(("changed", "pointer"), REFUSED)
def test_what_cannot_be_frozen_is_named(
    cast: Cast, api: Login, changed: dict[str, Any], pointer: str
) -> None:
    answer = api(cast.administrator).post(PATH, BODY | changed)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not Analysis.objects.exists()


def test_a_taken_name_contradicts(cast: Cast, api: Login) -> None:
    frozen(cast)
    answer = api(cast.administrator).post(PATH, BODY)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/name")


def test_who_may(cast: Cast, api: Login) -> None:
    row = frozen(cast)
    unknown = api(cast.viewer).get("/analyses/999999999/")
    own = ["", "inputs/", "result/", "changes/"]
    for who, status in (
        ("viewer", 200), ("investigator", 200), ("coordinator", 404), ("stranger", 404),
    ):  # fmt: skip
        client = api(getattr(cast, who))
        answers = [client.get(f"/analyses/{row.pk}/{part}") for part in own]
        answers.append(client.post(f"/analyses/{row.pk}/reproduce/"))
        assert {answer.status_code for answer in answers} == {status}, who
        if status == 404:
            assert {answer.content for answer in answers} == {unknown.content}
        denied = 404 if who == "stranger" else 403
        assert client.post(PATH, BODY | {"name": "x"}).status_code == denied, who
    assert api(cast.coordinator).get(PATH).json()["results"] == []


def test_masking_hides_one_with_arms_and_pools_a_new_one(cast: Cast, api: Login) -> None:
    populated(cast)
    row = frozen(cast, "open")
    Trial.objects.update(masking="DOUBLE")
    client = api(cast.superuser)
    assert client.get(f"/analyses/{row.pk}/").status_code == 404
    pooled = client.post(PATH, BODY).json()
    assert pooled["blinded"]
    assert [one["name"] for one in client.get(PATH).json()["results"]] == ["Interim"]
    for part in ("", "inputs/", "result/", "changes/"):
        text = client.get(f"/analyses/{pooled['id']}/{part}").content.decode()
        assert '"arm":"' not in text.replace(" ", "")


# What changed since


def since(cast: Cast, api: Login, row: Analysis) -> dict[str, Any]:
    """The answer without what did not change."""
    answer = api(cast.viewer).get(f"/analyses/{row.pk}/changes/")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return {key: value for key, value in found.items() if value and key != "analysis"}


def one(cast: Cast) -> tuple[Patient, Visit]:
    """A patient with a partial response."""
    row = factories.patient(cast.trial, "S-1")
    factories.baseline(row, by=cast.superuser)
    return row, factories.follow_up(row, 43, (30, 20), by=cast.superuser)


def test_nothing_changed(cast: Cast, api: Login) -> None:
    populated(cast)
    assert since(cast, api, frozen(cast)) == {}


def test_what_happened_after_the_cutoff_is_no_change(cast: Cast, api: Login) -> None:
    row, _visit = one(cast)
    analysis = frozen(cast)
    late = CUTOFF + timedelta(days=1)
    factories.follow_up(row, (late - START).days, (60, 60), by=cast.superuser)
    Therapy.objects.create(patient=row, started_on=late)
    Patient.objects.filter(pk=row.pk).update(died_on=late + timedelta(days=9))
    factories.patient(cast.trial, "S-2", enrolled_on=late, first_dose_on=late)
    assert since(cast, api, analysis) == {}


def test_a_correction_is_told_with_both_values(cast: Cast, api: Login) -> None:
    row, visit = one(cast)
    analysis = frozen(cast)
    client = api(cast.superuser)
    stored = client.get(f"/visits/{visit.pk}/").json()
    stored["targets"][0]["diameter_mm"] = 60
    answer = client.put(f"/visits/{visit.pk}/", stored | WHY, if_match='"1"')
    assert answer.status_code == 200, answer.content
    Patient.objects.filter(pk=row.pk).update(died_on=START + timedelta(days=99), sex="male")
    who = {"patient": row.pk, "subject_id": "S-1"}
    on = (START + timedelta(days=43)).isoformat()
    told = {"date": on, "baseline_sum_mm": "80.00"}
    assert since(cast, api, analysis)["changed"] == [
        who | {"field": "sex", "record": None, "stored": "unknown", "today": "male"},
        who | {"field": "died_on", "record": None, "stored": None, "today": "2024-04-23"},
        who | {
            "field": "visit", "record": visit.pk,
            "stored": told | {"response": "PR", "sum_mm": "50.00"},
            "today": told | {"response": "SD", "sum_mm": "80.00"},
        },
    ]  # fmt: skip


def test_who_came_and_who_went_and_which_rules_moved(cast: Cast, api: Login) -> None:
    row, visit = one(cast)
    analysis = frozen(cast)
    came = factories.patient(cast.trial, "S-2")
    Endpoint.objects.create(trial=cast.trial, kind="ORR", definition={"min_stable_days": 35})
    Trial.objects.update(assessment_interval_days=56)
    client = api(cast.superuser)
    assert client.post(f"/patients/{row.pk}/void/", WHY, if_match='"1"').status_code == 200
    found = since(cast, api, analysis)
    assert found["patients_added"] == [{"patient": came.pk, "subject_id": "S-2"}]
    assert found["patients_removed"] == [{"patient": row.pk, "subject_id": "S-1"}]
    assert found["parameters"] == [{"name": "assessment_interval_days", "stored": 42, "today": 56}]
    (definition,) = found["definitions"]
    assert (definition["kind"], definition["stored"]["min_stable_days"]) == ("ORR", 42)
    assert definition["today"]["min_stable_days"] == 35


def test_inputs_that_cannot_be_read_are_no_error(
    cast: Cast, api: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a release that no longer reads this format."""
    row = frozen(cast)
    monkeypatch.setattr(Analysis, "from_db", classmethod(lambda *args: forged(row, inputs="{}")))
    assert since(cast, api, row) == {"reason": "unreadable"}
