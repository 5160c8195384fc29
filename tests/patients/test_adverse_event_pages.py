"""Pages of adverse events: several at once, terms in either language, nothing stored by halves."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from patients.models import AdverseEvent, Dose, Patient
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Intervention, Trial

Pages = Callable[..., Client]
EVENT = {
    "term": "Hypertension", "grade": "2", "started_on": "2024-02-01", "ongoing": "on",
    "related": "true", "serious": "false", "action_taken": "none", "outcome": "not_recovered",
}  # fmt: skip
WHY = {"version": 1, "reason": "misread"}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 of a trial graded by CTCAE 5.0."""
    Trial.objects.update(ctcae_version="5.0")
    cast.trial.refresh_from_db()
    return factories.patient(cast.trial, "01-001")


def rows(*events: dict[str, str], **more: str) -> dict[str, str]:
    """A submitted page with these rows."""
    told = {f"{n}-{name}": text for n, event in enumerate(events) for name, text in event.items()}
    return {"rows": str(len(events))} | told | more


def address(patient: Patient) -> str:
    """Where events are added."""
    return f"/patients/{patient.pk}/adverse-events/new/"


def text(response: Any) -> str:
    """A page, its lines as one."""
    return " ".join(response.content.decode().split())


def in_chinese(client: Client) -> Client:
    """The same user, who reads Chinese."""
    client.cookies["django_language"] = "zh-hans"
    return client


def test_who_reaches_the_pages(cast: Cast, pages: Pages, patient: Patient, client: Client) -> None:
    event = factories.adverse_event(patient)
    stored = f"/adverse-events/{event.pk}"
    for path, coordinator in ((address(patient), 200), (f"{stored}/edit/", 200),
                              (f"{stored}/void/", 403)):  # fmt: skip
        assert pages(cast.investigator).get(path).status_code == 200, path
        assert pages(cast.coordinator).get(path).status_code == coordinator, path
        assert pages(cast.viewer).get(path).status_code == 403, path
        for other in (cast.outsider, cast.stranger):
            assert pages(other).get(path).status_code == 404, path
        assert client.get(path)["Location"].startswith("/login/?next=")
    assert client.get("/ctcae-terms/?q=a")["Location"].startswith("/login/?next=")


def test_events_are_entered_corrected_and_voided(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    rash = EVENT | {"term": "rash", "ongoing": "", "ended_on": "2024-02-09", "outcome": "recovered"}
    answer = client.post(address(patient), rows(EVENT, rash, {}))
    assert answer["Location"] == f"/patients/{patient.pk}/"
    first, second = AdverseEvent.objects.all()
    assert (first.term, first.ended_on, first.outcome) == ("Hypertension", None, "not_recovered")
    assert (second.term, str(second.ended_on)) == ("Rash maculo-papular", "2024-02-09")
    assert second.related
    assert not second.serious
    page = text(client.get(f"/patients/{patient.pk}/"))
    assert "2 adverse events stored." in page
    assert "recovered or resolved" in page
    edit = f"/adverse-events/{first.pk}/edit/"
    form = client.get(edit).context["form"]
    assert [form[n].value() for n in ("term", "grade", "related", "ongoing")] == [
        "Hypertension", 2, "true", True,
    ]  # fmt: skip
    assert client.post(edit, EVENT | {"grade": "3"}).status_code == 422  # why
    assert client.post(edit, EVENT | WHY | {"grade": "3"}).status_code == 302
    assert client.post(edit, EVENT | WHY).status_code == 422  # stale
    assert AdverseEvent.objects.get(pk=first.pk).grade == 3
    void = pages(cast.investigator).post(f"/adverse-events/{first.pk}/void/", WHY | {"version": 2})
    assert void.status_code == 302
    assert "Hypertension" not in text(client.get(f"/patients/{patient.pk}/"))


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"ongoing": ""}, "ended_on", "Give the day it ended, or tick that it is ongoing."),
        ({"ended_on": "2024-03-01"}, "ended_on", "Give the day it ended, or tick that"),
        ({"ongoing": "", "ended_on": "2024-01-01"}, "ended_on", "Before the start, 2024-02-01."),
        ({"started_on": "2124-02-01"}, "started_on", "In the future at the site"),
        ({"started_on": ""}, "started_on", "Give the date as YYYY-MM-DD."),
        ({"grade": ""}, "grade", "This field is required."),
        ({"grade": "6"}, "grade", "Select a valid choice"),
        ({"grade": "5", "outcome": "fatal"}, "grade", "give the patient's date of death first"),
        ({"outcome": "fatal"}, "outcome", "Fatal is grade 5"),
        ({"outcome": "recovered"}, "ended_on", "Give the day it ended, or another outcome."),
        ({"related": ""}, "related", "Answer yes or no."),
        ({"serious": ""}, "serious", "Answer yes or no."),
        ({"action_taken": ""}, "action_taken", "This field is required."),
        ({"term": ""}, "term", "This field is required."),
        ({"term": "x" * 101}, "term", "at most 100 characters"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    cast: Cast, pages: Pages, patient: Patient, changed: dict[str, str], field: str, said: str
) -> None:
    """And nothing of the page is stored, not even the row that is right."""
    told = rows(EVENT | {"term": "Fatigue"}, EVENT | changed)
    answer = pages(cast.coordinator).post(address(patient), told)
    assert answer.status_code == 422
    found = answer.context["page"].forms[1].errors
    assert list(found) == [field]
    assert said in found[field][0]
    assert 'href="#id_1-' in text(answer)
    assert not AdverseEvent.objects.exists()


def test_a_page_without_any_event_asks_for_one(cast: Cast, pages: Pages, patient: Patient) -> None:
    for told in ({}, rows({}), rows({}, {}), {"rows": "999999"}, {"rows": "-1"}):
        answer = pages(cast.coordinator).post(address(patient), told)
        assert answer.status_code == 422
        assert "term" in answer.context["page"].forms[0].errors
    assert len(answer.context["page"].forms) == 1


def test_twins_are_refused(cast: Cast, pages: Pages, patient: Patient) -> None:
    answer = pages(cast.coordinator).post(address(patient), rows(EVENT, EVENT | {"grade": "3"}))
    assert answer.status_code == 422
    detail = answer.context["page"].forms[1].errors["started_on"]
    assert detail == ["Recorded already: Hypertension 2024-02-01."]
    assert not AdverseEvent.objects.exists()


def test_death_is_grade_5(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, died = pages(cast.coordinator), EVENT | {"grade": "5", "outcome": "fatal"}
    assert f'href="/patients/{patient.pk}/follow-up/"' in text(client.get(address(patient)))
    Patient.objects.update(died_on="2024-02-03")
    assert "follow-up/" not in client.get(address(patient)).content.decode()
    alive = client.post(address(patient), rows(died | {"outcome": "recovering"}))
    assert alive.context["page"].forms[0].errors["outcome"] == [
        "Grade 5 is a death: the outcome is fatal."
    ]
    assert client.post(address(patient), rows(died)).status_code == 302


def test_more_rows_keep_what_was_typed_and_judge_nothing(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    typed = rows({"term": "qq", "related": "true", "ongoing": "on"}, more="1")
    answer = client.post(address(patient), typed)
    assert answer.status_code == 200
    page = answer.context["page"]
    assert len(page.forms) == 2
    assert [page.forms[0][n].value() for n in ("term", "related", "ongoing")] == [
        "qq",
        "true",
        "on",
    ]
    assert "There is a problem" not in text(answer)
    assert client.post(f"{address(patient)}?another=1", rows(EVENT))["Location"] == address(patient)
    full = rows(*({"term": "x"} for _ in range(30)), more="1")
    assert len(client.post(address(patient), full).context["page"].forms) == 20


def test_terms_in_chinese_are_stored_in_english_and_shown_in_chinese(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = in_chinese(pages(cast.coordinator))
    told = rows(EVENT | {"term": "手足皮肤反应", "grade": "3"}, EVENT | {"term": "蛋白尿"})
    assert client.post(address(patient), told).status_code == 302
    assert set(AdverseEvent.objects.values_list("term", flat=True)) == {
        "Palmar-plantar erythrodysesthesia syndrome", "Proteinuria",
    }  # fmt: skip
    page = text(client.get(f"/patients/{patient.pk}/"))
    assert "手足综合征" in page
    assert "erythrodysesthesia" not in page
    event = AdverseEvent.objects.get(term="Proteinuria")
    form = client.get(f"/adverse-events/{event.pk}/edit/").context["form"]
    assert form["term"].value() == "蛋白尿"
    dashboard = text(client.get(f"/trials/{patient.trial.registry_id}/"))
    assert "蛋白尿" in dashboard
    assert "Proteinuria" not in re.sub(r'href="[^"]*"', "", dashboard)


def test_what_ctcae_does_not_have_is_asked_once(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, odd = pages(cast.coordinator), EVENT | {"term": "Hypertensive toe"}
    asked = client.post(address(patient), rows(odd))
    assert asked.status_code == 422
    detail = asked.context["page"].forms[0].errors["term"][0]
    assert detail.startswith("Not a term of CTCAE 5.0. Correct it, or tick below")
    several = client.post(address(patient), rows(EVENT | {"term": "转氨酶升高"}))
    assert (
        "nearest: Alanine aminotransferase increased; Aspartate aminotransferase increased."
        in several.context["page"].forms[0].errors["term"][0]
    )
    bald = EVENT | {"term": "Alopecia", "grade": "3"}
    undefined = client.post(address(patient), rows(bald)).context["page"].forms[0].errors["grade"]
    assert undefined[0].startswith("CTCAE 5.0 has no grade 3 of this event.")
    confirmed = rows(odd | {"confirmed": "on"}, bald | {"confirmed": "on"})
    assert client.post(address(patient), confirmed).status_code == 302
    assert AdverseEvent.objects.filter(term__in=["Hypertensive toe", "Alopecia"]).count() == 2
    event = AdverseEvent.objects.get(term="Hypertensive toe")
    edit = f"/adverse-events/{event.pk}/edit/"
    assert client.post(edit, odd | WHY | {"grade": "3", "confirmed": "on"}).status_code == 302


@pytest.mark.parametrize(
    ("query", "language", "first"),
    [
        ("q=hand-foot&version=5.0", "en", "Palmar-plantar erythrodysesthesia syndrome"),
        ("q=hand-foot&version=5.0", "zh-hans", "手足综合征"),
        ("q=血压高", "en", "Hypertension"),
        ("q=血压高", "zh-hans", "高血压"),
        ("q=shingles&version=4.03", "en", None),
        ("q=%00&version=%00", "en", None),
        ("", "en", None),
    ],
)
def test_terms_are_looked_up(
    cast: Cast, pages: Pages, query: str, language: str, first: str | None
) -> None:
    client = pages(cast.viewer)
    client.cookies["django_language"] = language
    found = client.get(f"/ctcae-terms/?{query}").json()["terms"]
    assert (found[0]["value"] if found else None) == first


def test_the_detail_says_which_grades_there_are(cast: Cast, pages: Pages) -> None:
    found = pages(cast.viewer).get("/ctcae-terms/?q=alopecia").json()["terms"]
    assert found[0]["detail"] == "Skin and subcutaneous tissue disorders; grades 1, 2"
    whole = pages(cast.viewer).get("/ctcae-terms/?q=hypertension").json()["terms"]
    assert whole[0]["detail"] == "Vascular disorders"


def test_an_event_leads_to_the_dose(cast: Cast, pages: Pages, patient: Patient) -> None:
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    event = factories.adverse_event(patient, action_taken="dose_reduced", grade=3)
    client, path = pages(cast.coordinator), f"/patients/{patient.pk}/doses/new/"
    link = f"{path}?adjustment=reduced&because_of={event.pk}"
    assert link.replace("&", "&amp;") in client.get(f"/patients/{patient.pk}/").content.decode()
    form = client.get(link).context["form"]
    assert [form[n].value() for n in ("dose", "adjustment", "because_of")] == [
        "", "reduced", str(event.pk),
    ]  # fmt: skip
    told = {
        "intervention": "Anlotinib", "dose": "10", "unit": "mg", "started_on": "2024-02-06",
        "adjustment": "reduced", "because_of": event.pk, "adjustment_reason": "by protocol",
    }  # fmt: skip
    assert client.post(path, told).status_code == 302
    reason = Dose.objects.get().adjustment_reason
    assert reason == "Hypertension, CTCAE 3, 2024-01-25; by protocol"


def test_pages_take_few_statements(
    cast: Cast, pages: Pages, patient: Patient,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    for day in range(5):
        factories.adverse_event(patient, f"Event {day}", day=day)
    event = AdverseEvent.objects.first()
    assert event
    for path, statements in (
        (address(patient), 5), (f"/adverse-events/{event.pk}/edit/", 5), ("/ctcae-terms/?q=a", 2),
    ):  # fmt: skip
        with django_assert_num_queries(statements):
            client.get(path)


DOSED = {"intervention": "Anlotinib", "dose": 12, "unit": "mg"}


@pytest.mark.parametrize(
    ("given", "asked", "begins", "note"),
    [
        ((), "", ("12", "2024-01-16", "2024-01-29"), ""),
        (((1, 14, 12),), "", ("12", "2024-02-06", "2024-02-19"), ""),
        (((1, 14, 12), (22, 35, 10)), "", ("10", "2024-02-27", "2024-03-11"), ""),
        (((1, 14, 12),), "reduced", ("", "2024-02-06", "2024-02-19"), ""),
        (((1, 10, 12),), "interrupted", ("0", "2024-01-26", None), ""),
        (((1, 10, 12), (11, 20, 0)), "", ("12", "2024-02-05", "2024-02-18"), ""),
        (((1, 30, 12),), "", ("12", "2024-02-15", "2024-02-28"), ""),
        (((1, None, 12),), "", ("12", None, None), "The dose from 2024-01-16 has no last day yet"),
    ],
)
def test_the_next_dose_begins_as_the_plan_has_it(
    cast: Cast, pages: Pages, patient: Patient, given: Any, asked: str, begins: Any, note: str
) -> None:
    """12 mg on days 1 to 14 of 21, worked out by hand; START is 2024-01-15."""
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    for first, last, dose in given:
        Dose.objects.create(
            patient=patient, intervention="Anlotinib", dose=dose, unit="mg",
            started_on=START + timedelta(first), ended_on=last and START + timedelta(last),
            adjustment="none" if dose else "interrupted",
        )  # fmt: skip
    path = f"/patients/{patient.pk}/doses/new/"
    answer = pages(cast.coordinator).get(f"{path}?adjustment={asked}" if asked else path)
    form = answer.context["form"]
    found = [form[name].value() for name in ("dose", "started_on", "ended_on")]
    assert [None if value is None else str(value) for value in found] == list(begins)
    assert note in text(answer)


def test_no_day_that_has_not_come_is_filled_in(cast: Cast, pages: Pages, patient: Patient) -> None:
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    today = patient.site.today()
    Dose.objects.create(
        patient=patient, **DOSED, started_on=today - timedelta(10), ended_on=today - timedelta(1)
    )
    path = f"/patients/{patient.pk}/doses/new/"
    answer = pages(cast.coordinator).get(path)
    assert answer.context["form"]["started_on"].value() is None
    assert f"the next course begins on {today + timedelta(11)}" in text(answer)
    Dose.objects.update(started_on=today - timedelta(30), ended_on=today - timedelta(25))
    form = pages(cast.coordinator).get(path).context["form"]
    assert form["started_on"].value() == today - timedelta(9)
    assert form["ended_on"].value() is None


def test_one_more_dose_or_therapy(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, path = pages(cast.coordinator), f"/patients/{patient.pk}/therapies/new/"
    told = {"started_on": "2024-05-01", "kind": "surgery"}
    assert client.post(f"{path}?another=1", told)["Location"] == path
    assert "Store and add another" in text(client.get(path))
    therapy = patient.therapies.get()
    assert "Store and add another" not in text(client.get(f"/therapies/{therapy.pk}/edit/"))
