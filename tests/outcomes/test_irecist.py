"""iRECIST beside RECIST 1.1: over REST, on the pages, and as further endpoints of a report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from outcomes import actions, schedule
from outcomes.models import Visit
from patients.models import Patient
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Endpoint, Trial


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """Somebody with a baseline of 80 mm in a trial that uses iRECIST."""
    Trial.objects.filter(pk=cast.trial.pk).update(irecist=True)
    cast.trial.refresh_from_db()
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


@pytest.fixture
def coordinator(api: Callable[[User], Api], cast: Cast) -> Api:
    return api(cast.coordinator)


def body(patient: Patient, day: int, mm: tuple[float, float] = (50, 30), **rows: Any) -> Any:
    targets = [
        {"lesion": f"T{i:02}", "state": "measured", "diameter_mm": value}
        for i, value in enumerate(mm, 1)
    ]
    default = {"non_targets": [{"lesion": "NT01", "status": "present"}], "new_lesions": []}
    on = (START + timedelta(days=day)).isoformat()
    return {"patient": patient.pk, "kind": "scheduled", "date": on, "targets": targets} | (
        default | rows
    )


def seen(label: str = "", **said: Any) -> dict[str, Any]:
    found = {"organ": "liver", "certainty": "unequivocal", **said}
    return {"lesion": label, **found} if label else found


def test_a_visit_answers_with_both_criteria(coordinator: Api, patient: Patient) -> None:
    new = [seen(diameter_mm=12.5), seen(organ="bone")]
    first = coordinator.post("/visits/", body(patient, 42, new_lesions=new)).json()
    assert first["derived"]["overall_response"] == "PD"
    found = first["derived"]["irecist"]
    assert (found["response"], found["new_lesion_sum_mm"]) == ("iUPD", 12.5)
    assert (found["new_targets"], found["new_non_targets"]) == (["NL01"], ["NL02"])
    assert found["unconfirmed_since"] == "2024-02-26"
    assert (found["confirm_from"], found["confirm_by"]) == ("2024-03-25", "2024-04-22")
    texts = [reason["text"] for reason in found["reasons"]]
    assert "First progression by new lesions: iUPD." in texts
    grown = [seen("NL01", diameter_mm=12.5), seen("NL02", organ="bone", growth="increased")]
    second = coordinator.post("/visits/", body(patient, 84, new_lesions=grown)).json()
    assert second["derived"]["irecist"]["response"] == "iCPD"
    assert second["new_lesions"][1]["growth"] == "increased"
    assert second["derived"]["sum_mm"] == second["derived"]["baseline_sum_mm"] == 80
    listed = coordinator.get(f"/visits/?patient={patient.pk}").json()["results"]
    assert [one["derived"]["irecist"] and one["derived"]["irecist"]["response"] for one in listed] == [
        None, "iUPD", "iCPD"]  # fmt: skip


def test_what_was_read_can_be_put_back(coordinator: Api, patient: Patient) -> None:
    progressed = [{"lesion": "NT01", "status": "unequivocal_progression"}]
    coordinator.post("/visits/", body(patient, 42, non_targets=progressed))
    further = [{**progressed[0], "growth": "increased"}]
    visit = coordinator.post("/visits/", body(patient, 84, non_targets=further)).json()
    assert visit["derived"]["irecist"]["response"] == "iCPD"
    visit["non_targets"][0]["growth"] = "none"
    back = coordinator.put(
        f"/visits/{visit['id']}/",
        visit | {"reason": "read again"},
        if_match=f'"{visit["version"]}"',
    )
    assert back.json()["derived"]["irecist"]["response"] == "iUPD"


def test_a_correction_changes_what_later_visits_confirm(cast: Cast, patient: Patient) -> None:
    first = factories.follow_up(patient, 42, (66, 30), by=cast.coordinator)
    factories.follow_up(patient, 84, (71, 30), by=cast.coordinator)
    assert responses() == ["iUPD", "iCPD"]
    actions.void_visit(visit=first, by=cast.investigator, reason="wrong scan", version=1)
    assert responses() == ["iUPD"]
    assert actions.recompute([cast.trial]).changed == 0


def responses() -> list[str]:
    rows = Visit.objects.active().exclude(kind="baseline").order_by("date")
    return [visit.irecist_response for visit in rows]


def test_the_preview_derives_as_the_save(coordinator: Api, patient: Patient) -> None:
    sent = body(patient, 42, (66, 30))
    preview = coordinator.post("/visits/preview/", sent).json()
    assert preview["derived"] == coordinator.post("/visits/", sent).json()["derived"]
    assert preview["derived"]["irecist"]["response"] == "iUPD"


REFUSED = {
    "baseline": ("/non_targets/0/growth", True),
    "scheduled": ("/new_lesions/0/growth", False),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_growth_is_said_at_follow_up_by_irecist_only(
    coordinator: Api, cast: Cast, patient: Patient, kind: str
) -> None:
    pointer, irecist = REFUSED[kind]
    Trial.objects.update(irecist=irecist)
    other = factories.patient(cast.trial, "01-002")
    sent: dict[str, Any] = body(patient, 42, new_lesions=[seen(growth="increased")])
    if kind == "baseline":
        row = {"lesion": "NT01", "status": "present", "organ": "bone", "growth": "none"}
        sent = body(other, 0, non_targets=[row]) | {"kind": "baseline", "targets": []}
    answer = coordinator.post("/visits/", sent)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_an_unknown_growth_names_what_is_accepted(coordinator: Api, patient: Patient) -> None:
    answer = coordinator.post("/visits/", body(patient, 42, new_lesions=[seen(growth="huge")]))
    assert answer.json()["errors"] == [
        {"pointer": "/new_lesions/0/growth", "detail": "One of: none, increased, unequivocal."}
    ]


def test_elsewhere_nothing_is_said_of_irecist(coordinator: Api, patient: Patient) -> None:
    Trial.objects.update(irecist=False)
    visit = coordinator.post("/visits/", body(patient, 42, new_lesions=[seen()])).json()
    assert "irecist" not in visit["derived"]
    assert "growth" not in visit["new_lesions"][0]
    line = coordinator.get("/trials/NCT00000001/outcomes/patients/").json()["results"][0]
    assert "irecist" not in line


# --- the report ---


def immune(trial: Trial, kind: str, **definition: Any) -> Endpoint:
    document = {"criteria": "iRECIST", "confirmation": {"required": False}} | definition
    return Endpoint.objects.create(
        trial=trial, kind=kind, name=f"i{kind}", role="secondary", definition=document
    )


@pytest.fixture
def pseudoprogression(cast: Cast, patient: Patient) -> Patient:
    """iUPD by a new lesion, then iPR although it persists, then iUPD and iCPD."""
    new = factories.new_lesion("NL01")
    for day, mm, rows in (
        (43, (50, 30), (new,)),
        (85, (30, 20), (new,)),
        (127, (50, 20), (new,)),
        (169, (56, 20), (new,)),
    ):
        factories.follow_up(patient, day, mm, by=cast.coordinator, new_lesions=rows)
    assert responses() == ["iUPD", "iPR", "iUPD", "iCPD"]
    return patient


def test_a_definition_by_irecist_stands_beside_those_by_recist(
    coordinator: Api, cast: Cast, pseudoprogression: Patient
) -> None:
    for kind in ("ORR", "PFS", "DOR", "TTR", "DCR", "OS"):
        immune(cast.trial, kind)
    found = coordinator.get("/trials/NCT00000001/outcomes/").json()
    assert (
        found["orr"]["definition"]["criteria"]
        == found["pfs"]["definition"]["criteria"]
        == ("RECIST 1.1")
    )
    assert (found["orr"]["responders"], found["pfs"]["events"]) == (0, 1)
    beside = {one["name"]: one for one in found["additional"]}
    assert {one["definition"]["criteria"] for one in beside.values()} == {"iRECIST"}
    assert (beside["iORR"]["responders"], beside["iORR"]["confirmed"]) == (1, False)
    # first dose on day 1: the second iUPD is 126 days later, so 127
    assert (beside["iPFS"]["events"], beside["iPFS"]["median"]["days"]) == (1, 127)
    assert found["pfs"]["median"]["days"] == 43
    # from the iPR of day 85
    assert beside["iDOR"]["median"]["days"] == 43
    assert beside["iTTR"]["median"]["days"] == 85


def test_the_asked_definition_by_irecist_does_not_take_recists_place(
    coordinator: Api, cast: Cast, pseudoprogression: Patient
) -> None:
    asked = immune(cast.trial, "PFS")
    found = coordinator.get(f"/trials/NCT00000001/outcomes/?definition={asked.pk}").json()
    assert found["pfs"]["definition"]["criteria"] == "RECIST 1.1"
    assert [one["name"] for one in found["additional"]] == ["iPFS"]


def test_a_confirmation_after_the_cutoff_is_not_used(
    coordinator: Api, cast: Cast, pseudoprogression: Patient
) -> None:
    (line,) = lines(coordinator, "?cutoff=2024-04-08")  # before the iPR of day 85
    assert (line["irecist"]["best_response"], line["irecist"]["pfs"]["code"]) == (
        "iUPD", "irecist_progression_unconfirmed")  # fmt: skip
    (line,) = lines(coordinator, "?cutoff=2024-04-09")
    assert (line["irecist"]["best_response"], line["irecist"]["pfs"]["event"]) == ("iPR", False)


def lines(client: Api, query: str = "") -> list[Any]:
    found = client.get(f"/trials/NCT00000001/outcomes/patients/{query}").json()["results"]
    return list(found)


def test_a_patients_line_has_ibor_and_ipfs(coordinator: Api, pseudoprogression: Patient) -> None:
    (line,) = lines(coordinator)
    assert (line["best_response"], line["pfs"]["days"]) == ("PD", 43)
    found = line["irecist"]
    assert (found["best_response"], found["best_response_on"]) == ("iPR", "2024-04-09")
    assert (found["pfs"]["days"], found["pfs"]["code"]) == (127, "irecist_progression_confirmed")
    assert "confirmed (iCPD) on 2024-07-02" in found["pfs"]["reason"]


def test_a_line_follows_the_trials_own_definition(
    coordinator: Api, cast: Cast, pseudoprogression: Patient
) -> None:
    immune(cast.trial, "PFS", time_origin="enrollment")
    (line,) = lines(coordinator)
    assert line["irecist"]["pfs"]["days"] == 128


# --- pages ---


def test_the_dashboard_shows_them_apart(
    pages: Callable[[User], Client], cast: Cast, pseudoprogression: Patient
) -> None:
    client, path = pages(cast.coordinator), "/trials/NCT00000001/"
    assert "By iRECIST" not in client.get(path).content.decode()
    immune(cast.trial, "ORR")
    immune(cast.trial, "PFS")
    page = client.get(path).content.decode()
    assert page.index("Everything else on this page is by RECIST 1.1.") < page.index("iORR: ")
    assert "iPFS: Median progression-free survival" in page
    assert "best response by iRECIST is iCR or iPR" in page


def test_the_flow_sheet_shows_both_time_lines(
    pages: Callable[[User], Client], cast: Cast, pseudoprogression: Patient
) -> None:
    page = pages(cast.coordinator).get(f"/patients/{pseudoprogression.pk}/").content.decode()
    row = page.split("Response by iRECIST")[1].split("</tr>")[0]
    assert [row.index(f"<strong>{r}</strong>") for r in ("iUPD", "iPR", "iCPD")]
    assert "The new lesions persist: NL01." in row
    assert "(iBOR)" in page
    assert "(iPFS)" in page


def test_a_page_says_when_an_iupd_is_to_be_confirmed(
    pages: Callable[[User], Client], cast: Cast, patient: Patient
) -> None:
    factories.follow_up(patient, 42, (66, 30), by=cast.coordinator)
    for path in (f"/patients/{patient.pk}/", f"/patients/{patient.pk}/visits/new/"):
        page = pages(cast.coordinator).get(path).content.decode()
        assert "since 2024-02-26: the next assessment, from 2024-03-25 to 2024-04-22" in page
    said = "Unconfirmed progression (iUPD) since"
    type(patient).objects.filter(pk=patient.pk).update(died_on="2024-03-10")
    assert said not in pages(cast.coordinator).get(f"/patients/{patient.pk}/").content.decode()
    type(patient).objects.filter(pk=patient.pk).update(died_on=None)
    factories.follow_up(patient, 84, (50, 30), by=cast.coordinator)
    assert said not in pages(cast.coordinator).get(f"/patients/{patient.pk}/").content.decode()


def test_scans_go_on_until_progression_is_confirmed(cast: Cast, patient: Patient) -> None:
    factories.follow_up(patient, 42, (66, 30), by=cast.coordinator)
    assert schedule.expected(patient) is not None
    factories.follow_up(patient, 84, (71, 30), by=cast.coordinator)
    assert schedule.outlook(patient).why_not
    Trial.objects.update(irecist=False)
    Visit.objects.filter(irecist_response="iCPD").update(voided_at="2024-05-01T00:00Z")
    assert schedule.outlook(patient).why_not


def test_the_visit_page_asks_for_growth_only_by_irecist(
    pages: Callable[[User], Client], cast: Cast, patient: Patient
) -> None:
    client, path = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    page = client.get(path).content.decode()
    assert 'name="non_targets-0-growth"' in page
    assert 'name="new_lesions-0-growth"' in page
    Trial.objects.update(irecist=False)
    assert "-growth" not in client.get(path).content.decode()


def test_growth_typed_on_the_page_confirms(
    pages: Callable[[User], Client], cast: Cast, patient: Patient
) -> None:
    unsure = (factories.non_target("NT01", "unequivocal_progression"),)
    factories.follow_up(patient, 42, by=cast.coordinator, non_targets=unsure)
    typed = {
        "date": "2024-04-08", "kind": "scheduled", "new_lesions": "no",
        "targets-0-lesion": "T01", "targets-0-diameter_mm": "50",
        "targets-1-lesion": "T02", "targets-1-diameter_mm": "30",
        "non_targets-0-lesion": "NT01", "non_targets-0-status": "unequivocal_progression",
        "non_targets-0-growth": "increased",
    }  # fmt: skip
    client = pages(cast.coordinator)
    preview = client.post(f"/patients/{patient.pk}/visits/preview/", typed).content.decode()
    assert "iCPD" in preview
    client.post(f"/patients/{patient.pk}/visits/new/", typed)
    assert responses() == ["iUPD", "iCPD"]
