"""A colleague saved first: both values of each field are shown, and nothing is overwritten."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from outcomes.models import Measurement, Visit
from patients import actions as patient_actions
from patients.models import Patient, Therapy
from registry.models import Draft, User
from tests import factories
from tests.conftest import Cast
from tests.outcomes import test_pages
from tests.outcomes.test_pages import BASELINE

Pages = Callable[..., Client]
FOLLOW_UP = test_pages.FOLLOW_UP | {"targets-0-method": "ct", "targets-1-method": "ct"}
ROW = re.compile(r'<tr>\s*<th scope="row">(.*?)</tr>', re.S)


def rows(answer: Any) -> list[list[str]]:
    """The table of differences: label, stored now, typed."""
    table = answer.content.decode().partition('id="meanwhile"')[2].partition("</table>")[0]
    return [[words(cell) for cell in re.split(r"<td>", f"<th>{row}")] for row in ROW.findall(table)]


def words(cell: str) -> str:
    """A cell as it is seen."""
    seen = re.sub(r'<span class="visually-hidden">.*?</span>', "", cell, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", seen).split())


def hidden(answer: Any) -> dict[str, str]:
    """The hidden fields of the form as a browser would send them."""
    found = re.findall(
        r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', answer.content.decode()
    )
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline and a follow-up visit of 45 and 30 mm."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 43, (45, 30), by=cast.coordinator)
    return row


CORRECTION = FOLLOW_UP | {
    "date": "2024-02-27", "targets-0-diameter_mm": "48", "targets-1-diameter_mm": "30",
    "reason": "read again", "version": "1",
}  # fmt: skip


def colleague_corrects(cast: Cast, pages: Pages, visit: Visit, **changes: str) -> None:
    """The colleague stores first."""
    body = CORRECTION | {"targets-0-diameter_mm": "50.5"} | changes
    answer = pages(cast.colleague).post(f"/visits/{visit.pk}/edit/", body)
    assert answer.status_code == 302


def measured(visit: Visit) -> list[Decimal | None]:
    """What is stored."""
    found = Measurement.objects.filter(visit=visit).order_by("lesion__label")
    return list(found.values_list("diameter_mm", flat=True))


def test_a_stale_correction_shows_both_and_stores_what_is_decided(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(kind="scheduled")
    client, address = pages(cast.coordinator), f"/visits/{visit.pk}/edit/"
    colleague_corrects(cast, pages, visit, **{"targets-1-diameter_mm": "31"})
    stale = client.post(address, CORRECTION)
    assert stale.status_code == 422
    assert rows(stale) == [["T01 Today (mm)", "50.5", "48"]]
    page = words(stale.content.decode())
    assert "Taken over from what is stored: T02 Today (mm) 31" in page
    assert page.count("A colleague changed this visit meanwhile") == 1
    assert stale.context["page"].forms.rows["targets"][1]["diameter_mm"].value() == "31"
    assert "colleague stored this at" in stale.content.decode()
    assert measured(visit) == [Decimal("50.5"), Decimal(31)]

    decided = CORRECTION | hidden(stale) | {"targets-1-diameter_mm": "31"}
    still = client.post(address, decided)
    assert still.status_code == 422
    assert rows(still) == [["T01 Today (mm)", "50.5", "48"]]
    assert measured(visit) == [Decimal("50.5"), Decimal(31)]

    decided |= hidden(still) | {"take:targets-0-diameter_mm": "mine"}
    assert client.post(address, decided).status_code == 302
    assert measured(visit) == [Decimal(48), Decimal(31)]
    visit.refresh_from_db()
    assert visit.version == 3


def test_a_third_change_is_shown_too(cast: Cast, pages: Pages, patient: Patient) -> None:
    visit = patient.visits.get(kind="scheduled")
    client, address = pages(cast.coordinator), f"/visits/{visit.pk}/edit/"
    colleague_corrects(cast, pages, visit)
    stale = client.post(address, CORRECTION)
    colleague_corrects(cast, pages, visit, version="2", **{"targets-0-diameter_mm": "51"})
    decided = CORRECTION | hidden(stale) | {"take:targets-0-diameter_mm": "mine"}
    again = client.post(address, decided)
    assert again.status_code == 422
    assert rows(again) == [["T01 Today (mm)", "51", "48"]]
    assert measured(visit)[0] == 51


def test_what_only_the_colleague_changed_is_taken_over(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(kind="scheduled")
    new = {"new_lesions": "yes", "new_lesions-0-lesion": "NL01", "new_lesions-0-organ": "liver",
           "new_lesions-0-certainty": "unequivocal", "new_lesions-0-method": "ct"}  # fmt: skip
    colleague_corrects(cast, pages, visit, **new | {"non_targets-0-status": "increased"})
    body = CORRECTION | {"targets-0-diameter_mm": "45", "targets-1-diameter_mm": "33"}
    stale = pages(cast.coordinator).post(f"/visits/{visit.pk}/edit/", body)
    page = words(stale.content.decode())
    assert stale.status_code == 422
    assert stale.context["page"].stale.differences == ()
    assert "Nothing is left to decide." in page
    taken = page.partition("Taken over from what is stored: ")[2]
    for said in ("T01 Today (mm) 50.5", "NT01 Status Increased, not unequivocal",
                 "Any new lesion? Yes", "NL01 Certainty Unequivocal"):  # fmt: skip
        assert said in taken
    assert measured(visit) == [Decimal("50.5"), Decimal(30)]
    forms = stale.context["page"].forms
    assert [row["diameter_mm"].value() for row in forms.rows["targets"]] == ["50.5", "33"]
    assert forms.form["new_lesions"].value() == "yes"
    again = body | new | hidden(stale) | {"targets-0-diameter_mm": "50.5"}
    again |= {"non_targets-0-status": "increased"}
    assert pages(cast.coordinator).post(f"/visits/{visit.pk}/edit/", again).status_code == 302
    assert measured(visit) == [Decimal("50.5"), Decimal(33)]


def test_a_new_visit_that_meets_a_stored_one_corrects_it_on_request(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    assert pages(cast.colleague).post(address, FOLLOW_UP).status_code == 302
    visit = Visit.objects.get(date=FOLLOW_UP["date"])
    mine = FOLLOW_UP | {"targets-1-diameter_mm": "41"}
    met = client.post(address, mine)
    assert met.status_code == 422
    assert rows(met) == [["T02 Today (mm)", "40", "41"]]
    page = words(met.content.decode())
    assert page.count("A visit of this date is stored already") == 1
    assert "There is a problem" not in page
    assert "Correct: " not in page
    assert "Scan date 2" not in page  # nothing of the date changes
    decided = mine | hidden(met) | {"take:targets-1-diameter_mm": "mine"}
    assert decided["visit"] == str(visit.pk)
    unexplained = client.post(address, decided)
    assert unexplained.status_code == 422
    assert "Say why this is changed" in unexplained.content.decode()
    decided = mine | hidden(met) | hidden(unexplained)
    decided |= {"take:targets-1-diameter_mm": "mine", "reason": "measured again"}
    assert client.post(address, decided).status_code == 302
    assert measured(visit)[1] == 41
    assert Visit.objects.filter(kind="scheduled").count() == 2


def test_with_another_date_it_is_a_new_visit_again(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    met = client.post(address, FOLLOW_UP | {"date": "2024-02-27"})
    assert met.status_code == 422
    answer = client.post(address, FOLLOW_UP | hidden(met))
    assert answer.status_code == 302
    assert Visit.objects.filter(kind="scheduled").count() == 2
    assert Visit.objects.get(date="2024-02-27").version == 1


def test_a_draft_of_what_met_another_visit_is_a_new_visit_later(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    met = client.post(address, FOLLOW_UP | {"date": "2024-02-27"})
    fields = FOLLOW_UP | hidden(met) | {"date": "2024-02-27"}
    Draft.objects.put(
        Draft(user=cast.coordinator, address=address, patient=patient, title="x",
              fields=[[name, value] for name, value in fields.items()])
    )  # fmt: skip
    later = client.get(f"{address}?draft=1")
    assert later.context["page"].visit is None
    assert 'name="visit"' not in later.content.decode()
    assert "data-discard" in later.content.decode()


def test_two_baselines_at_once_are_one(cast: Cast, pages: Pages) -> None:
    row = factories.patient(cast.trial)
    address = f"/patients/{row.pk}/visits/new/"
    assert pages(cast.colleague).post(address, BASELINE).status_code == 302
    met = pages(cast.coordinator).post(
        address, BASELINE | {"date": "2024-01-11", "targets-0-diameter_mm": "50"}
    )
    assert met.status_code == 422
    found = {label: (stored, typed) for label, stored, typed in rows(met)}
    assert found["Scan date"] == ("2024-01-10", "2024-01-11")
    assert found["T01 Diameter (mm)"] == ("52.5", "50")
    assert Visit.objects.get().version == 1


def corrected(patient: Patient, by: User, **changes: Any) -> None:
    """The patient's data, changed by a colleague."""
    patient_actions.update_patient(
        patient=patient, changes=changes, by=by, reason="source", version=1
    )


def test_other_forms_show_both_values_too(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    address = f"/patients/{patient.pk}/follow-up/"
    corrected(patient, cast.colleague, last_known_alive_on=date(2024, 5, 2))
    body = {"last_known_alive_on": "2024-06-01", "reason": "call", "version": "1"}
    stale = client.post(address, body)
    assert stale.status_code == 422
    assert rows(stale) == [["Last known alive on", "2024-05-02", "2024-06-01"]]
    assert client.post(address, body | hidden(stale) | {"version": "1"}).status_code == 422
    decided = body | hidden(stale) | {"version": "1", "take:last_known_alive_on": "mine"}
    assert client.post(address, decided).status_code == 302
    patient.refresh_from_db()
    assert str(patient.last_known_alive_on) == "2024-06-01"


def test_a_therapy_of_a_colleague_is_taken(cast: Cast, pages: Pages, patient: Patient) -> None:
    therapy = Therapy.objects.create(patient=patient, kind="systemic", started_on="2024-05-01")
    address = f"/therapies/{therapy.pk}/edit/"
    body = {"started_on": "2024-05-01", "kind": "systemic", "reason": "source", "version": "1"}
    pages(cast.colleague).post(address, body | {"description": "gemcitabine"})
    stale = pages(cast.coordinator).post(address, body | {"description": "docetaxel"})
    assert rows(stale) == [["Description", "gemcitabine", "docetaxel"]]
    decided = body | hidden(stale) | {"version": "1", "take:description": "theirs"}
    decided |= {"kind": "surgery", "description": "docetaxel"}
    assert pages(cast.coordinator).post(address, decided).status_code == 302
    therapy.refresh_from_db()
    assert (therapy.description, therapy.kind, therapy.version) == ("gemcitabine", "surgery", 3)
