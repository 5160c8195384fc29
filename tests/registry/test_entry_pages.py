"""Pages with a form: what is sent twice is stored once, and what is typed outlives its session."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from outcomes.models import Visit
from patients.models import Disposition, Dose, Patient, Therapy
from patients.query_actions import open_query
from registry.models import DRAFT_LARGEST, Draft, IdempotentAnswer, User
from tests import factories
from tests.conftest import Cast
from tests.factories import START
from tests.outcomes.test_actions import together
from tests.outcomes.test_pages import FOLLOW_UP
from trials.models import Endpoint, ReferenceRange

Pages = Callable[..., Client]
THERAPY = {"started_on": "2024-06-01", "kind": "systemic", "description": "gemcitabine"}
# Pages that enter nothing, or that store nothing twice by themselves.
PLAIN = {
    "home", "login", "logout", "draft", "trial_list", "trial_detail", "criteria",
    "reference_ranges", "screening_log", "screening_detail", "trial_dashboard", "accrual",
    "consort", "study_report", "patient", "publication", "statistics", "groups",
    "publication_list", "query_list", "lesion_history", "visit_history", "participants",
    "search", "ctcae_terms", "set_language", "endpoints", "studies", "studies_csv", "analyses",
    "analysis", "analysis_changes", "safety", "safety_patients", "safety_exposure",
    "safety_csv", "figure_list", "figure", "figure_data", "consort_people", "review_list",
    "review_patient", "discordance", "patients_of", "analysis_patients_of",
    "accrual_people",
    # nothing is stored
    "visit_preview", "screening_preview", "review_visit_preview",
    # the same file twice changes nothing
    "ctgov_import", "visit_sheet_new", "visit_sheet_file", "visit_sheet", "visit_sheet_check",
    "visit_sheet_progress", "visit_sheet_report",
}  # fmt: skip
NOTHING_TYPED = {"patient_randomize", "screening_conclude"}  # a button to confirm with


def page_views() -> dict[str, Any]:
    """Every page's view by the name of its address."""

    def walk(resolver: URLResolver) -> dict[str, Any]:
        found = {}
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern):
                found[str(entry.name)] = entry.callback
            elif str(entry.pattern) != "api/v1/":
                found |= walk(entry)
        return found

    return walk(get_resolver())


ENTRIES = {name for name, view in page_views().items() if hasattr(view, "entry_page")}


def test_every_page_either_enters_nothing_or_loses_nothing() -> None:
    assert set(page_views()) - ENTRIES == PLAIN


def addresses(cast: Cast) -> dict[str, str]:
    """Where each form is."""
    factories.criteria(cast.trial)
    patient = factories.patient(cast.trial, "01-001")
    one, two = (factories.candidate(cast.trial, f"01-00{number}") for number in (2, 3))
    visit = factories.baseline(patient, by=cast.coordinator)
    factories.consent(one, by=cast.coordinator)
    values = factories.ELIGIBLE | {"ecog": {"value": 2}}
    screening = factories.screening(one, by=cast.coordinator, values=values)
    consent, criterion = one.consents.get(), cast.trial.criteria.all()[0]
    deviation = factories.deviation(one, criterion, by=cast.investigator)
    therapy = Therapy.objects.create(patient=patient, kind="systemic", started_on="2024-05-01")
    dose = Dose.objects.create(
        patient=patient, intervention="Anlotinib", dose=12, unit="mg", started_on=START
    )
    ended = Disposition.objects.create(patient=patient, kind="lost_to_follow_up", on="2024-05-01")
    event = factories.adverse_event(patient)
    query = open_query(
        patient=patient, by=cast.investigator, subject="visit", record_id=visit.pk, text="Really?"
    )
    limits = ReferenceRange.objects.create(
        site=patient.site, item="platelets", sex="any", lower=100, upper=300, unit="10^9/L",
        valid_from=START,
    )  # fmt: skip
    endpoint = Endpoint.objects.create(trial=cast.trial, kind="PFS")
    trial, site = f"/trials/{cast.trial.registry_id}", patient.site.code
    of, on = f"/patients/{patient.pk}", f"/screenings/{screening.pk}/"
    return {
        "visit_new": f"{of}/visits/new/",
        "review_visit_new": f"{of}/review/visits/new/",
        "visit_edit": f"/visits/{visit.pk}/edit/",
        "visit_void": f"/visits/{visit.pk}/void/",
        "patient_new": f"{trial}/patients/new/",
        "patient_edit": f"{of}/edit/",
        "patient_void": f"{of}/void/",
        "patient_transfer": f"{of}/transfer/",
        "patient_follow_up": f"{of}/follow-up/",
        "patient_randomize": f"{of}/randomize/",
        "therapy_new": f"{of}/therapies/new/",
        "therapy_edit": f"/therapies/{therapy.pk}/edit/",
        "therapy_void": f"/therapies/{therapy.pk}/void/",
        "adverse_event_new": f"{of}/adverse-events/new/",
        "adverse_event_edit": f"/adverse-events/{event.pk}/edit/",
        "adverse_event_void": f"/adverse-events/{event.pk}/void/",
        "patient_queries": f"{of}/queries/",
        "query": f"/queries/{query.pk}/",
        "dose_new": f"{of}/doses/new/",
        "dose_edit": f"/doses/{dose.pk}/edit/",
        "dose_void": f"/doses/{dose.pk}/void/",
        "disposition_new": f"{of}/dispositions/new/",
        "disposition_edit": f"/dispositions/{ended.pk}/edit/",
        "disposition_void": f"/dispositions/{ended.pk}/void/",
        "randomization_scheme": f"{trial}/randomization/",
        "reference_range_new": f"{trial}/sites/{site}/reference-ranges/new/",
        "reference_range_edit": f"/reference-ranges/{limits.pk}/edit/",
        "reference_range_void": f"/reference-ranges/{limits.pk}/void/",
        "screening_start": f"{trial}/screenings/new/",
        "enrollment": f"/patients/{two.pk}/enrollment/",
        "consent_new": f"/patients/{two.pk}/consents/new/",
        "consent_edit": f"/consents/{consent.pk}/edit/",
        "consent_void": f"/consents/{consent.pk}/void/",
        "screening_new": f"/patients/{one.pk}/screenings/new/",
        "screening_edit": f"{on}edit/",
        "screening_fail": f"{on}fail/",
        "screening_void": f"{on}void/",
        "screening_conclude": f"{on}conclude/",
        "deviation_new": f"/patients/{one.pk}/deviations/new/",
        "criterion_deviation_new": f"/patients/{one.pk}/deviations/new/criterion/",
        "deviation_edit": f"/deviations/{deviation.pk}/edit/",
        "deviation_void": f"/deviations/{deviation.pk}/void/",
        "criterion_new": f"{trial}/criteria/new/",
        "criterion_edit": f"{trial}/criteria/{criterion.pk}/",
        "criterion_remove": f"{trial}/criteria/{criterion.pk}/remove/",
        "protocol_amend": f"{trial}/criteria/amend/",
        "trial_irecist": f"{trial}/response-criteria/",
        "trial_unblinding": f"{trial}/unblinding/",
        "endpoint_new": f"{trial}/endpoints/new/?kind=ORR",
        "endpoint_edit": f"{trial}/endpoints/{endpoint.pk}/",
        "endpoint_remove": f"{trial}/endpoints/{endpoint.pk}/remove/",
        "analysis_new": f"{trial}/analyses/new/",
    }


def test_every_form_has_its_key_and_takes_part_in_drafts(cast: Cast, pages: Pages) -> None:
    known, client = addresses(cast), pages(cast.superuser)
    assert set(known) == ENTRIES
    for name, address in known.items():
        if name == "screening_conclude":  # its button is on another page
            continue
        page = client.get(address)
        assert page.status_code == 200, address
        (form,) = re.findall(r"<form[^>]*data-draft.*?</form>", page.content.decode(), re.S) or [""]
        assert ('name="entry_key"' in form) or name in NOTHING_TYPED, address
        assert ("data-draft-save" in form) or name in NOTHING_TYPED, address
        assert key_of(page), address


def key_of(page: Any) -> str:
    """The key of a page."""
    found = re.search(r'name="entry_key" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 with a baseline."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


def visits_new(patient: Patient) -> str:
    """Where a visit is entered."""
    return f"/patients/{patient.pk}/visits/new/"


def keyed(client: Client, address: str, body: dict[str, str]) -> dict[str, str]:
    """What a page that is opened now would send."""
    return body | {"entry_key": key_of(client.get(address))}


def test_a_form_sent_twice_is_stored_once_and_says_so_twice(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/therapies/new/"
    body = keyed(client, address, THERAPY)
    for _time in (1, 2):
        answer = client.post(address, body, follow=True)
        assert answer.redirect_chain == [(f"/patients/{patient.pk}/", 302)]
        assert answer.content.decode().count("Add a therapy: stored.") == 1
    assert Therapy.objects.count() == 1
    answer = client.post(address, body | {"started_on": "2024-07-01"})
    assert answer.status_code == 302
    assert Therapy.objects.count() == 2


def test_what_was_refused_may_be_sent_again(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), visits_new(patient)
    body = keyed(client, address, FOLLOW_UP)
    refused = client.post(address, body | {"new_lesions": ""})
    assert refused.status_code == 422
    assert not IdempotentAnswer.objects.exists()
    assert client.post(address, body).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_visit(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), visits_new(patient)
    body = keyed(client, address, FOLLOW_UP)
    senders = [pages(cast.coordinator) for _ in range(2)]
    answers = together(*(partial(sender.post, address, body) for sender in senders))
    assert [a["Location"] for a in answers] == [f"/patients/{patient.pk}/"] * 2
    for sender in senders:
        assert b'data-message="success"' in sender.get(f"/patients/{patient.pk}/").content
    assert Visit.objects.filter(kind="scheduled").count() == 1


def expired(client: Client, cast: Cast, address: str, **changes: str) -> Any:
    """A form that was opened in time and sent after its session ended."""
    client.force_login(cast.coordinator)
    body = keyed(client, address, FOLLOW_UP | {"csrfmiddlewaretoken": "x", "password": "secret"})
    client.logout()
    return client.post(address, body | changes)


def test_a_form_sent_after_its_session_comes_back_after_the_login(
    client: Client, cast: Cast, patient: Patient
) -> None:
    address = visits_new(patient)
    answer = expired(client, cast, address)
    assert answer["Location"] == f"/login/?next={address}"
    kept = Draft.objects.get()
    assert (kept.user, kept.patient, kept.posted) == (cast.coordinator, patient, True)
    assert kept.title == "01-001, Tumor assessment, Week 6"
    assert {name for name, _value in kept.fields} == set(FOLLOW_UP)
    assert not Visit.objects.filter(kind="scheduled").exists()
    said = {"username": "coordinator", "password": factories.PASSWORD}
    page = client.post(answer["Location"], said, follow=True)
    assert page.redirect_chain == [(address, 302)]
    text = page.content.decode()
    assert "You were logged out before this was stored." in text
    assert 'value="55,5"' in text
    assert 'value="2024-04-10"' in text
    stored = client.post(address, FOLLOW_UP | {"entry_key": key_of(page)})
    assert stored.status_code == 302
    assert not Draft.objects.exists()


def test_nobody_else_gets_what_was_sent(
    client: Client, cast: Cast, pages: Pages, patient: Patient
) -> None:
    address = visits_new(patient)
    expired(client, cast, address)
    for user in (cast.colleague, cast.superuser):
        text = pages(user).get(address).content.decode()
        assert "55,5" not in text
        assert "logged out" not in text.split("data-logged-out")[0]
    assert pages(cast.outsider).get(address).status_code == 404


def test_only_a_key_of_this_page_and_login_keeps_what_was_sent(
    client: Client, cast: Cast, pages: Pages, patient: Patient
) -> None:
    address = visits_new(patient)
    other = key_of(pages(cast.coordinator).get(f"/patients/{patient.pk}/edit/"))
    for wrong in ("", "x", "x:y:z", other, "\0"):
        assert expired(client, cast, address, entry_key=wrong)["Location"].startswith("/login/")
    expired(client, cast, address, reason="x" * DRAFT_LARGEST)
    assert not Draft.objects.exists()
    body = keyed(pages(cast.coordinator), address, FOLLOW_UP)
    cast.coordinator.set_password("another long password")
    cast.coordinator.save()
    Client().post(address, body)
    assert not Draft.objects.exists()
    body = keyed(pages(cast.colleague), address, FOLLOW_UP)
    User.objects.filter(pk=cast.colleague.pk).update(is_active=False)
    Client().post(address, body)
    assert not Draft.objects.exists()


def test_another_user_does_not_store_it(cast: Cast, pages: Pages, patient: Patient) -> None:
    address = visits_new(patient)
    body = keyed(pages(cast.coordinator), address, FOLLOW_UP)
    assert pages(cast.colleague).post(address, body).status_code == 403
    assert not Visit.objects.filter(kind="scheduled").exists()


def put(client: Client, address: str, key: str, fields: Any, **more: str) -> Any:
    """An autosave."""
    body = json.dumps({"key": key, "fields": fields} | more)
    return client.put(f"/drafts/?address={address}", body, content_type="application/json")


def test_an_autosave_is_kept_read_and_discarded(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), visits_new(patient)
    key = key_of(client.get(address))
    fields = [["date", "2024-04-10"], ["csrfmiddlewaretoken", "x"], ["entry_key", key]]
    answer = put(client, address, key, fields, title="01-001, Week 12")
    assert answer.status_code == 200
    kept = Draft.objects.get()
    assert (kept.title, kept.fields) == ("01-001, Week 12", [["date", "2024-04-10"]])
    read = client.get(f"/drafts/?address={address}").json()
    assert read["fields"] == kept.fields
    assert read["saved_at"] == answer.json()["saved_at"] == kept.saved_at.isoformat()
    assert '[["date", "2024-04-10"]]' in client.get(address).content.decode()
    for other in (cast.colleague, cast.outsider):
        assert pages(other).get(f"/drafts/?address={address}").status_code == 204
        pages(other).delete(f"/drafts/?address={address}")
    assert client.delete(f"/drafts/?address={address}").status_code == 204
    assert not Draft.objects.exists()
    put(client, address, key, fields)
    assert client.post(f"/drafts/?address={address}")["Location"] == address
    assert not Draft.objects.exists()


def test_what_was_stored_does_not_come_back_as_a_draft(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), visits_new(patient)
    body = keyed(client, address, FOLLOW_UP)
    put(client, address, body["entry_key"], [["date", "2024-04-10"]])
    assert client.post(address, body | {"new_lesions": ""}).status_code == 422
    assert Draft.objects.exists()
    assert client.post(address, body).status_code == 302
    assert not Draft.objects.exists()
    assert put(client, address, body["entry_key"], [["date", "2024-04-10"]]).status_code == 204
    client.logout()
    client.post(address, body)
    assert not Draft.objects.exists()


def test_what_cannot_be_kept_is_refused_by_name(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), visits_new(patient)
    key = key_of(client.get(address))
    for wrong in ("", "/nowhere/", "/trials/", "https://else.where/", "/api/v1/visits/", "\0"):
        answer = put(client, wrong, key, [])
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "address"
    many = [["a", "x" * DRAFT_LARGEST]]
    for fields in (None, "x", [1], [["a"]], [["a", 1]], [["a", "b", "c"]], many):
        answer = put(client, address, key, fields)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/fields"
    theirs = key_of(pages(cast.colleague).get(address))
    for wrong in ("", "x", theirs):
        answer = put(client, address, wrong, [])
        assert answer.json()["errors"][0]["pointer"] == "/key"
    for body in (b"{", b"[]", b"[" * 100_000, b"\xff"):
        where = f"/drafts/?address={address}"
        assert client.put(where, body, content_type="application/json").status_code == 400
    assert not Draft.objects.exists()


def test_a_draft_needs_a_login_and_its_token(
    client: Client, cast: Cast, pages: Pages, patient: Patient
) -> None:
    address = visits_new(patient)
    key = key_of(pages(cast.coordinator).get(address))
    answer = put(client, address, key, [])
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert client.get(f"/drafts/?address={address}").status_code == 401
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.coordinator)
    assert put(strict, address, key, []).status_code == 403
    assert not Draft.objects.exists()


def test_what_is_brought_back_is_shown_and_never_stored_by_itself(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    query = open_query(
        patient=patient, by=cast.investigator, subject="visit",
        record_id=patient.visits.get().pk, text="Really?",
    )  # fmt: skip
    address = f"/queries/{query.pk}/"
    fields = [["text", "As in source."], ["version", str(query.version)], ["act", "answer"]]
    Draft.objects.create(
        user=cast.coordinator, patient=patient, address=address, fields=fields, posted=True
    )
    page = pages(cast.coordinator).get(address)
    assert page.status_code == 200
    assert "As in source." in page.content.decode()
    query.refresh_from_db()
    assert query.version == 1
