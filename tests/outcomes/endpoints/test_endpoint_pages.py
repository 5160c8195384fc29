"""Endpoint definitions on pages: what each gives, its versions, and what a change would move."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from outcomes.endpoints.forms import EndpointForm
from registry.models import User
from tests import factories
from tests.conftest import Cast
from trials.definition_keys import KEYS
from trials.definitions import EndpointDefinition
from trials.models import Endpoint, Trial

Pages = Callable[[User], Client]
PATH = "/trials/NCT00000001/endpoints/"


def typed(**other: Any) -> dict[str, Any]:
    """The form of an ORR with the defaults."""
    form = EndpointForm(None, Trial(), None, asked=other.get("kind", "ORR"))
    said = {name: form[name].value() for name in form.fields}
    said = {name: value for name, value in said.items() if value not in (None, False, "")}
    return said | {"kind": "ORR", "name": "", "reason": "amendment 2", "version": "1"} | other


def send(client: Client, path: str, body: dict[str, Any]) -> Any:
    """Show what would change, then store what was shown."""
    shown = client.post(path, body | {"preview": "1"})
    found = re.search(r'name="seen"[^>]*value="([0-9a-f]+)"', shown.content.decode())
    return client.post(path, body | {"seen": found[1] if found else ""})


@pytest.fixture
def unconfirmed(cast: Cast) -> None:
    """Three patients: a PR seen once, a PR confirmed, stable disease."""
    for subject, later in (("01-001", (50, 30)), ("01-002", (20, 20)), ("01-003", (50, 30))):
        patient = factories.patient(cast.trial, subject)
        factories.baseline(patient, by=cast.coordinator)
        first = (50, 30) if subject == "01-003" else (20, 20)
        factories.follow_up(patient, 43, first, by=cast.coordinator)
        if subject != "01-001":
            factories.follow_up(patient, 85, later, by=cast.coordinator)


def test_every_key_of_a_definition_has_a_field() -> None:
    def paths(document: dict[str, Any], *steps: str) -> set[tuple[str, ...]]:
        found = set()
        for key, value in document.items():
            nested = isinstance(value, dict)
            found |= paths(value, *steps, key) if nested else {(*steps, key)}
        return found

    assert {key.path for key in KEYS} == paths(EndpointDefinition().as_document())


def test_a_preview_says_who_moves_and_stores_nothing(
    cast: Cast, pages: Pages, unconfirmed: None
) -> None:
    client = pages(cast.administrator)
    body = typed()
    del body["confirmation_required"]
    page = client.post(f"{PATH}new/", body).content.decode()
    assert "1 of 3 patients moves." in page
    assert "33.3 %" in page
    assert "66.7 %" in page
    assert "CR and PR need confirmation: yes → no" in page
    assert "Now: the registry&#x27;s default" in page
    assert "Then: main definition" in page
    assert re.findall(r">(01-00\d)</a>", page) == ["01-001"]
    assert not Endpoint.objects.exists()
    assert client.post(f"{PATH}new/", body | {"confirmation_min_days": "60"}).status_code == 200
    assert not Endpoint.objects.exists()


def test_what_was_seen_is_stored_as_the_next_version(
    cast: Cast, pages: Pages, unconfirmed: None
) -> None:
    client = pages(cast.administrator)
    assert send(client, f"{PATH}new/", typed()).status_code == 302
    row = Endpoint.objects.get()
    assert (row.kind, row.version, row.definition) == ("ORR", 1, EndpointDefinition().as_document())
    body = typed(version="2", name="FDA primary", role="primary", min_stable_days="56")
    assert send(client, f"{PATH}{row.pk}/", body).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.version, row.as_definition().min_stable_days) == ("FDA primary", 2, 56)
    page = client.get(PATH).content.decode()
    for words in (
        "Stable disease from (days): 42 → 56", "Role: secondary → primary", "Name: – → FDA primary",
        "amendment 2", "administrator", "Version 2, since",
    ):  # fmt: skip
        assert words in page


def test_without_a_look_at_what_moves_no_figure_is_changed(
    cast: Cast, pages: Pages, unconfirmed: None
) -> None:
    client = pages(cast.administrator)
    page = client.post(f"{PATH}new/", typed(seen="0" * 64)).content.decode()
    assert "What would change" in page
    assert not Endpoint.objects.exists()
    other = client.post(f"{PATH}new/", typed(kind="OTHER", name="Quality of life"))
    assert other.status_code == 302
    assert Endpoint.objects.get().name == "Quality of life"


def test_definitions_of_one_kind_stand_side_by_side(
    cast: Cast, pages: Pages, unconfirmed: None
) -> None:
    first = Endpoint.objects.create(trial=cast.trial, kind="ORR", name="FDA primary")
    client = pages(cast.administrator)
    body = typed(name="EMA sensitivity", survival_interval="spss")
    del body["confirmation_required"]
    shown = client.post(f"{PATH}new/", body | {"preview": "1"}).content.decode()
    assert "the new one stands beside it" in shown
    assert send(client, f"{PATH}new/", body).status_code == 302
    page = pages(cast.viewer).get(PATH).content.decode()
    orr = page[page.index('id="ORR"') : page.index('id="DCR"')]
    assert orr.index("FDA primary") < orr.index("33.3 %") < orr.index("EMA sensitivity")
    assert "66.7 %" in orr
    assert "CR and PR need confirmation: yes → no" in orr
    assert "Add an endpoint" not in page
    taken = send(client, f"{PATH}new/", typed(name="FDA primary", version="2"))
    assert taken.status_code == 422
    assert "Another endpoint of this kind has this name." in taken.content.decode()
    removal = {"reason": "not in the protocol", "version": "2"}
    gone = client.post(f"{PATH}{first.pk}/remove/", removal)
    assert "The dashboard shows EMA sensitivity in its place." in gone.content.decode()
    assert send(client, f"{PATH}{first.pk}/remove/", removal).status_code == 302
    assert [row.name for row in Endpoint.objects.all()] == ["EMA sensitivity"]
    page = client.get(PATH).content.decode()
    assert "not in the protocol" in page[page.index("Removed") :]


WRONG = [
    ("confirmation_min_days", "x", "Whole days, 0 to 3650."),
    ("min_stable_days", "-1", "Whole days, 0 to 3650."),
    ("min_stable_days", "4.5", "Whole days, 0 to 3650."),
    ("confirmation_max_not_evaluable_between", "101", "A whole number, 0 to 100."),
    ("confidence_level", "95", "More than 0.5 and at most 0.9999, such as 0.95."),
    ("criteria", "iRECIST", None),
    ("time_origin", "birth", "Select a valid choice."),
    ("censoring_therapies", ["yoga"], "Select a valid choice."),
]


def test_a_wrong_value_is_refused_at_its_field(cast: Cast, pages: Pages) -> None:
    client = pages(cast.administrator)
    for name, value, said in WRONG:
        answer = client.post(f"{PATH}new/", typed(**{name: value}))
        assert answer.status_code == 422
        if said is None:
            name, said = "confirmation_required", "By iRECIST no response needs confirmation"
        error = re.search(rf'id="id_{name}_error".*?</div>', answer.content.decode(), re.DOTALL)
        assert error
        assert said in error[0]


def test_all_errors_come_at_once_in_the_order_of_the_page(cast: Cast, pages: Pages) -> None:
    body = typed(confirmation_min_days="abc", min_stable_days="-5", confidence_level="2", reason="")
    html = pages(cast.administrator).post(f"{PATH}new/", body).content.decode()
    summary = html[html.index("error-summary-title") : html.index("</ul>", html.index("error-sum"))]
    assert re.findall(r'href="#id_(\w+)"', summary) == [
        "confirmation_min_days", "min_stable_days", "confidence_level", "reason",
    ]  # fmt: skip


FIELDS = {
    "ORR": {
        "confirmation_required",
        "min_stable_days",
        "censoring_therapies",
        "proportion_interval",
    },
    "CBR": {
        "confirmation_required",
        "min_benefit_days",
        "censoring_therapies",
        "proportion_interval",
    },
    "PFS": {"censoring_rule", "censoring_censor_at", "censoring_therapies", "survival_interval"},
    "OS": {"survival_interval"},
    "OTHER": set(),
}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_form_has_the_fields_that_its_kind_uses(kind: str) -> None:
    named = set().union(*FIELDS.values())
    form = EndpointForm(None, Trial(), None, asked=kind)
    assert named & set(form.fields) == FIELDS[kind]
    assert ("criteria" in form.fields) == (kind in ("ORR", "CBR", "PFS"))


def test_a_new_endpoint_begins_with_its_kind(cast: Cast, pages: Pages) -> None:
    client = pages(cast.administrator)
    page = client.get(f"{PATH}new/").content.decode()
    assert 'name="kind"' in page
    assert 'name="reason"' not in page
    assert client.post(f"{PATH}new/", {"kind": "no kind"}).status_code == 422
    page = client.get(f"{PATH}new/?kind=PFS").content.decode()
    assert 'type="hidden" name="kind" value="PFS"' in page
    assert "Progression-free survival" in page


def test_what_a_kind_does_not_use_stays_as_it_is_stored(
    cast: Cast, pages: Pages, unconfirmed: None
) -> None:
    Trial.objects.update(irecist=True)
    stored = EndpointDefinition(min_benefit_days=99).as_document()
    row = Endpoint.objects.create(trial=cast.trial, kind="PFS", definition=stored)
    body = typed(kind="PFS", criteria="iRECIST", min_benefit_days="1", reason="amendment 3")
    assert send(pages(cast.administrator), f"{PATH}{row.pk}/", body).status_code == 302
    row.refresh_from_db()
    found = row.as_definition()
    assert (found.min_benefit_days, found.criteria) == (99, "iRECIST")


def test_only_what_is_stored_needs_a_reason(cast: Cast, pages: Pages, unconfirmed: None) -> None:
    client = pages(cast.administrator)
    shown = client.post(f"{PATH}new/", typed(reason="", preview="1"))
    assert shown.status_code == 200
    page = shown.content.decode()
    preview = page[page.index('id="preview"') : page.index("</section>")]
    assert 'name="reason"' in preview
    assert 'form="definition"' in preview
    assert page.count('name="reason"') == 1
    assert send(client, f"{PATH}new/", typed(reason="")).status_code == 422
    assert not Endpoint.objects.exists()


def test_somebody_elses_change_is_not_overwritten(cast: Cast, pages: Pages) -> None:
    client = pages(cast.administrator)
    cast.trial.version = 5
    cast.trial.save()
    answer = send(client, f"{PATH}new/", typed())
    assert answer.status_code == 422
    assert "Somebody changed the trial meanwhile" in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_members_read_and_only_administrators_write(cast: Cast, pages: Pages) -> None:
    row = Endpoint.objects.create(trial=cast.trial, kind="ORR")
    for path in ("new/", f"{row.pk}/", f"{row.pk}/remove/"):
        for user in (cast.coordinator, cast.investigator, cast.viewer):
            assert pages(user).post(f"{PATH}{path}", typed()).status_code == 403
        assert pages(cast.stranger).get(f"{PATH}{path}").status_code == 404
    assert pages(cast.coordinator).get(PATH).status_code == 200
    assert pages(cast.stranger).get(PATH).status_code == 404
    elsewhere = Endpoint.objects.create(trial=factories.trial("NCT00000002"), kind="ORR")
    assert pages(cast.administrator).get(f"{PATH}{elsewhere.pk}/").status_code == 404


def test_the_page_asks_as_much_of_three_patients_as_of_none(
    cast: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.viewer)
    path = f"{PATH}?cutoff=2024-12-31&population=safety"
    client.get(path)
    with django_assert_num_queries(15):
        client.get(path)
    for _number in range(3):
        factories.baseline(factories.patient(cast.trial), by=cast.coordinator)
    Endpoint.objects.create(trial=cast.trial, kind="PFS", name="EMA")
    with django_assert_num_queries(15):
        client.get(path)
    assert client.get(f"{PATH}?cutoff=x").status_code == 400
