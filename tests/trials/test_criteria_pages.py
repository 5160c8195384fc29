"""The criteria page and its editor: what they show, store, refuse, and never lose."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from patients.models import Screening
from registry.models import User
from tests import factories
from tests.conftest import Cast
from trials.criteria_forms import CriterionForm
from trials.eligibility import as_document, parse
from trials.models import Criterion, Trial

Pages = Callable[[User], Client]
PATH = "/trials/NCT00000001/criteria/"
AGE = {"type": "number", "item": "age", "comparison": "at_least", "value": 18, "unit": "years"}
CREATININE = {
    "type": "any",
    "rules": [
        {
            "type": "number",
            "item": "creatinine",
            "comparison": "at_most",
            "value": 1.5,
            "times": "uln",
        },
        {
            "type": "number",
            "item": "creatinine_clearance",
            "comparison": "at_least",
            "value": 60,
            "unit": "mL/min",
        },
    ],
}


def criterion(trial: Trial, text: str, rule: Any = None, **fields: Any) -> Criterion:
    position = trial.criteria.count()
    said = {"kind": "inclusion", "position": position} | fields
    return Criterion.objects.create(trial=trial, text=text, rule=rule, **said)


@pytest.fixture
def protocol(cast: Cast) -> list[Criterion]:
    """An inclusion criterion with a rule, one without, and an exclusion criterion."""
    return [
        criterion(cast.trial, "Adults of 18 years or more", AGE, note="As printed.", source="p. 3"),
        criterion(cast.trial, "Good general condition"),
        criterion(cast.trial, "Renal failure", CREATININE, kind="exclusion"),
    ]


@pytest.fixture
def admin(cast: Cast, pages: Pages, protocol: list[Criterion]) -> Client:
    """The administrator, logged in."""
    return pages(cast.administrator)


def screened(trial: Trial) -> None:
    patient = factories.patient(trial, enrolled_on=None, first_dose_on=None)
    version = trial.protocol_version
    Screening.objects.create(patient=patient, protocol_version=version, screened_on=factories.START)


def typed(**other: Any) -> dict[str, Any]:
    """A criterion as it is sent by the form."""
    said = {"kind": "inclusion", "text": "Platelets enough", "rule_type": "number"}
    platelets = {
        "number_item": "platelets",
        "number_comparison": "at_least",
        "number_value": "80",
        "number_unit": "10^9/L",
    }
    return said | platelets | {"reason": "amendment 1", "version": "1"} | other


def stored(trial: Trial) -> list[tuple[str, str, Any]]:
    return [(row.kind, row.text, row.rule) for row in trial.criteria.current()]


def test_members_read_criteria_with_their_rules_in_words(
    cast: Cast, pages: Pages, protocol: list[Criterion]
) -> None:
    for user in (cast.coordinator, cast.viewer, cast.administrator):
        page = pages(user).get(PATH).content.decode()
        assert "Age ≥ 18 years" in page
        assert "Creatinine ≤ 1.5 × ULN or creatinine clearance ≥ 60 mL/min" in page
        assert "Excludes if" in page
        assert "2 criteria; a person judges the text of 1." in page
        assert "As printed." in page
        assert "p. 3" in page
        assert ("Add a criterion" in page) == (user == cast.administrator)


def test_strangers_find_nothing_and_members_may_not_edit(
    cast: Cast, pages: Pages, protocol: list[Criterion]
) -> None:
    pk = protocol[0].pk
    editors = [f"{PATH}new/", f"{PATH}amend/", f"{PATH}{pk}/", f"{PATH}{pk}/remove/"]
    for path in editors:
        for user in (cast.coordinator, cast.investigator, cast.viewer):
            assert pages(user).get(path).status_code == 403
            assert pages(user).post(path, typed()).status_code == 403
        assert pages(cast.stranger).post(path, typed()).status_code == 404
        assert "/login/" in Client().get(path)["Location"]
    assert pages(cast.stranger).get(PATH).status_code == 404
    assert len(stored(cast.trial)) == 3


def test_a_foreign_criterion_is_none(cast: Cast, admin: Client) -> None:
    other = criterion(factories.trial("NCT00000002"), "Elsewhere")
    for path in (
        f"{PATH}{other.pk}/",
        f"{PATH}{other.pk}/remove/",
        f"{PATH}999999999999999999999/",
    ):
        assert admin.get(path).status_code == 404
        assert admin.post(path, typed()).status_code == 404


def test_a_criterion_is_added_after_the_last_of_its_kind(cast: Cast, admin: Client) -> None:
    assert admin.get(f"{PATH}new/").status_code == 200
    response = admin.post(f"{PATH}new/", typed())
    assert (response.status_code, response["Location"]) == (302, PATH)
    assert [text for _, text, _ in stored(cast.trial)] == [
        "Adults of 18 years or more",
        "Good general condition",
        "Platelets enough",
        "Renal failure",
    ]
    assert stored(cast.trial)[2][2] == {
        "type": "number",
        "item": "platelets",
        "comparison": "at_least",
        "value": 80,
        "unit": "10^9/L",
    }
    cast.trial.refresh_from_db()
    assert cast.trial.version == 2
    assert cast.trial.protocol_version.number == 1


def test_a_change_after_a_screening_begins_the_next_version(cast: Cast, admin: Client) -> None:
    screened(cast.trial)
    row = cast.trial.criteria.get(text="Good general condition")
    page = admin.get(f"{PATH}{row.pk}/").content.decode()
    assert "a change of the criteria begins version 2" in page
    admin.post(f"{PATH}{row.pk}/", typed(text="Karnofsky 70 or more", rule_type="none"))
    first = admin.get(f"{PATH}?version=1").content.decode()
    assert "Good general condition" in first
    assert "An earlier protocol: version 1" in first
    assert "Add a criterion" not in first
    now = admin.get(PATH).content.decode()
    assert "Karnofsky 70 or more" in now
    assert "new in version 2" in now
    assert "Good general condition" not in now
    assert admin.get(f"{PATH}{row.pk}/").status_code == 404
    for number in ("3", "0", "x", "1\0"):
        assert admin.get(PATH, {"version": number}).status_code == 404


def test_a_criterion_is_removed_with_a_reason(cast: Cast, admin: Client) -> None:
    row = cast.trial.criteria.get(text="Renal failure")
    path = f"{PATH}{row.pk}/remove/"
    assert "Renal failure" in admin.get(path).content.decode()
    assert admin.post(path, {"version": "1"}).status_code == 422
    assert admin.post(path, {"version": "1", "reason": "not needed"}).status_code == 302
    assert len(stored(cast.trial)) == 2


def test_the_protocol_is_amended(cast: Cast, admin: Client) -> None:
    assert 'value="2"' in admin.get(f"{PATH}amend/").content.decode()
    facts = {"label": "2.0", "effective_on": "2024-03-01", "consent_version": "ICF 2"}
    wrong = facts | {"version": "1", "effective_on": "soon", "reason": "EC", "summary": "Typed"}
    refused = admin.post(f"{PATH}amend/", wrong)
    assert refused.status_code == 422
    assert "Typed" in refused.content.decode()
    admin.post(f"{PATH}amend/", wrong | {"effective_on": "2024-03-01"})
    version = cast.trial.protocol_version
    assert (version.number, version.label, version.consent_version) == (2, "2.0", "ICF 2")
    page = admin.get(PATH).content.decode()
    assert "2024-03-01" in page
    assert "ICF 2" in page


def test_a_check_tells_the_rule_and_stores_nothing(cast: Cast, admin: Client) -> None:
    body = typed(
        rule_type="json", json=json.dumps(CREATININE), check="1", reason="", kind="exclusion"
    )
    response = admin.post(f"{PATH}new/", body)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Creatinine ≤ 1.5 × ULN or creatinine clearance ≥ 60 mL/min" in page
    assert "<li>Creatinine (umol/L, mg/dL, with its ULN)</li>" in page.replace("µ", "u")
    assert "Creatinine clearance (mL/min, mL/s)" in page
    assert "Excludes if" in page
    assert "&quot;type&quot;: &quot;any&quot;,\n" in page  # printed in lines
    assert len(stored(cast.trial)) == 3


def test_a_stale_form_tells_and_keeps_what_was_typed(cast: Cast, admin: Client) -> None:
    row = cast.trial.criteria.get(text="Good general condition")
    path = f"{PATH}{row.pk}/"
    admin.post(path, typed(text="Stored by a colleague", rule_type="none"))
    mine = typed(text="Typed by me", number_value="75", note="My note")
    response = admin.post(path, mine)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Somebody changed the protocol meanwhile" in page
    for kept in ("Typed by me", "75", "My note", "Stored by a colleague"):
        assert kept in page
    assert 'name="version" value="2"' in page
    assert "Stored by a colleague" in [text for _, text, _ in stored(cast.trial)]
    admin.post(path, mine | {"version": "2"})
    assert "Typed by me" in [text for _, text, _ in stored(cast.trial)]


def test_what_was_amended_away_is_told_and_kept(cast: Cast, admin: Client) -> None:
    screened(cast.trial)
    row = cast.trial.criteria.get(text="Good general condition")
    admin.post(f"{PATH}{row.pk}/", typed(text="Amended", rule_type="none"))
    response = admin.post(f"{PATH}{row.pk}/", typed(text="Typed by me", version="2"))
    assert response.status_code == 422
    assert "Typed by me" in response.content.decode()
    assert "Typed by me" not in [text for _, text, _ in stored(cast.trial)]


LEAVES: list[tuple[dict[str, str], dict[str, Any]]] = [
    (
        {"rule_type": "number", "number_item": "alt", "number_value": "2,5", "number_unit": "uln"},
        {"type": "number", "item": "alt", "comparison": "at_least", "value": 2.5, "times": "uln"},
    ),
    (
        {"rule_type": "number", "number_item": "ecog", "number_value": "2", "number_unit": ""},
        {"type": "number", "item": "ecog", "comparison": "at_least", "value": 2},
    ),
    (
        {
            "rule_type": "choice",
            "choice_item": "histology",
            "choice_side": "none_of",
            "choice_terms": " GIST \r\n\r\nEwing sarcoma",
        },
        {
            "type": "choice",
            "item": "histology",
            "one_of": [],
            "none_of": ["GIST", "Ewing sarcoma"],
        },
    ),
    (
        {"rule_type": "yes_no", "yes_no_item": "lactating", "yes_no_answer": "no"},
        {"type": "yes_no", "item": "lactating", "answer": False},
    ),
    (
        {
            "rule_type": "window",
            "window_item": "surgery_on",
            "window_comparison": "at_least",
            "window_n": "4",
            "window_unit": "weeks",
            "window_never": "on",
        },
        {
            "type": "window",
            "item": "surgery_on",
            "comparison": "at_least",
            "n": 4,
            "unit": "weeks",
            "never": True,
        },
    ),
    (
        {"rule_type": "attestation", "attestation_code": "consent", "attestation_statement": "S"},
        {"type": "attestation", "code": "consent", "statement": "S"},
    ),
    ({"rule_type": "json", "json": json.dumps(CREATININE)}, CREATININE),
]


@pytest.mark.parametrize(("fields", "rule"), LEAVES)
def test_each_kind_of_rule_is_typed_and_read_again(
    cast: Cast, admin: Client, fields: dict[str, str], rule: dict[str, Any]
) -> None:
    admin.post(f"{PATH}new/", typed(**fields))
    row = cast.trial.criteria.get(text="Platelets enough")
    assert row.rule == rule
    form = CriterionForm(None, cast.trial, row)
    again = {name: form.initial.get(name, "") for name in form.fields}
    again = {k: v for k, v in again.items() if v is not False} | {"reason": "r", "version": "2"}
    read = CriterionForm(again, cast.trial, row)
    assert read.is_valid(), read.errors
    assert read.said()["rule"] == rule
    assert again["rule_type"] == fields["rule_type"]


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"kind": "other"}, "kind", "Select a valid choice"),
    ({"text": " "}, "text", "This field is required"),
    ({"reason": ""}, "reason", "This field is required"),
    ({"version": ""}, "version", "This field is required"),
    ({"rule_type": "prose"}, "rule_type", "Select a valid choice"),
    ({"number_item": ""}, "number_item", "This is required."),
    ({"number_item": "sex"}, "number_item", "Select a valid choice"),
    ({"number_value": ""}, "number_value", "This is required."),
    ({"number_value": "many"}, "number_value", "Enter a number."),
    ({"number_value": "1e99999"}, "number_value", "Ensure that there are no more than"),
    ({"number_value": "NaN"}, "number_value", "Enter a number."),
    ({"number_value": "80000"}, "number_unit", "A limit from 0 to 5000 in this unit."),
    ({"number_unit": "g/L"}, "number_unit", "One of the units: 10^9/L, 10^3/uL, /uL."),
    ({"number_unit": ""}, "number_unit", "One of the units: 10^9/L"),
    ({"number_item": "age", "number_unit": "uln"}, "number_unit", "no limits of normal"),
    ({"rule_type": "choice", "choice_item": "sex"}, "choice_terms", "At least one term"),
    (
        {"rule_type": "choice", "choice_item": "sex", "choice_terms": "unknown"},
        "choice_terms",
        "Of these: female, male.",
    ),
    ({"rule_type": "yes_no", "yes_no_item": "lactating"}, "yes_no_answer", "This is required."),
    (
        {"rule_type": "window", "window_item": "surgery_on", "window_n": "-1"},
        "window_n",
        "0 or more.",
    ),
    ({"rule_type": "window", "window_n": "9" * 5000}, "window_n", "Enter a whole number."),
    ({"rule_type": "attestation"}, "attestation_code", "At most 60 of: a-z"),
    ({"rule_type": "json", "json": ""}, "json", "Malformed JSON"),
    ({"rule_type": "json", "json": '{"type": "not",\n}'}, "json", "line 2 column 1"),
    ({"rule_type": "json", "json": "[" * 9000}, "json", "nested too deeply"),
    ({"rule_type": "json", "json": "[]"}, "json", "A rule: a JSON object"),
    ({"rule_type": "json", "json": '{"type": "\\u0000"}'}, "json", "NUL"),
    (
        {"rule_type": "json", "json": '{"type": "not", "rule": {"type": "all", "rules": [{}]}}'},
        "json",
        "/rule/rules/0: A rule names its type, one of: number,",
    ),
    (
        {"rule_type": "json", "json": json.dumps(AGE | {"value": 1e300})},
        "json",
        "/value: A number between",
    ),
    (
        {"rule_type": "json", "json": '{"type": "number", "value": 1e99999}'},
        "json",
        "/value: A num",
    ),
]


@pytest.mark.parametrize(("fields", "field", "message"), REFUSED)
def test_refusals_are_at_their_field_and_lose_nothing(
    cast: Cast, admin: Client, fields: dict[str, str], field: str, message: str
) -> None:
    body = {"note": "Kept note", "source": "Kept source"} | typed(**fields)
    response = admin.post(f"{PATH}new/", body)
    assert response.status_code == 422
    errors = response.context["form"].errors
    assert message in " ".join(errors.get(field, [])), errors
    page = response.content.decode()
    assert "Kept note" in page
    assert "Kept source" in page
    assert len(stored(cast.trial)) == 3


def test_an_unreadable_rule_is_shown_as_it_is(cast: Cast, admin: Client) -> None:
    """Rows may be older than the rules."""
    for rule in ({"age": 18}, {"type": "number"}, {"type": "choice", "item": 3}):
        row = criterion(cast.trial, "Old", rule)
        assert admin.get(PATH).status_code == 200
        page = admin.get(f"{PATH}{row.pk}/").content.decode()
        assert next(iter(rule)) in page


def test_statements_do_not_grow_with_criteria_or_versions(
    cast: Cast, admin: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = cast.trial.criteria.get(text="Good general condition")
    for copies in range(3):
        with django_assert_num_queries(7):  # session, user, trial, versions, roles twice, criteria
            admin.get(PATH)
        with django_assert_num_queries(
            9
        ):  # session, user, draft, trial, roles twice, row, versions, screenings
            admin.get(f"{PATH}{row.pk}/")
        for _ in range(5):
            criterion(cast.trial, f"More {copies}", as_document(parse(CREATININE)))
        admin.post(f"{PATH}amend/", {"label": "x", "reason": "r", "version": f"{copies + 1}"})
