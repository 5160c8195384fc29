"""The pages of screening: each works, refuses, keeps what was typed, and counts its statements."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from patients import screening as actions
from patients.models import Consent, Deviation, Patient, Screening
from patients.screening_forms import ScreeningForm
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import ELIGIBLE, START
from tests.outcomes.test_visits_api import freeze
from trials.models import Criterion, ReferenceRange, Trial

Pages = Callable[[Any], Client]
DAY = START.isoformat()
RULES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    (
        "inclusion",
        "Creatinine at most 1.5 x ULN",
        {
            "type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5,
            "times": "uln",
        },
    ),
    (
        "exclusion",
        "Radiotherapy within 4 weeks",
        {"type": "window", "item": "radiotherapy_on", "comparison": "within", "n": 4, "unit": "weeks"},
    ),
    ("exclusion", "Anything that may damage the subject", None),
)  # fmt: skip


@pytest.fixture
def trial(cast: Cast) -> Trial:
    """Consent and screening come first."""
    factories.criteria(cast.trial)
    cast.trial.enrollment_gate = "screening"
    cast.trial.save()
    cast.trial.protocol_versions.update(consent_version="1")
    return cast.trial


@pytest.fixture
def patient(trial: Trial) -> Patient:
    """Somebody of site 01 who is not enrolled."""
    return factories.candidate(trial, "01-001", ecog=1, sex="female", birth_year=1970)


@pytest.fixture
def client(cast: Cast, pages: Pages) -> Client:
    """The coordinator's."""
    return pages(cast.coordinator)


def typed(**other: str) -> dict[str, str]:
    """A screening as it is typed: everything is met."""
    said = {"screened_on": DAY, "ecog": "1", "platelets": "80", "platelets.unit": "10^9/L"}
    return said | {"lactating": "no"} | other


def test_the_way_from_a_new_subject_to_an_enrollment(
    trial: Trial, client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch, datetime(2024, 1, 20, 12, tzinfo=UTC))
    start = f"/trials/{trial.registry_id}/screenings/new/"
    assert client.get(start).status_code == 200
    new = {"subject_id": "01-009", "site": str(trial.sites.get(code="01").pk), "sex": "female"}
    to_steps = client.post(start, new)
    patient = Patient.objects.get(subject_id="01-009")
    steps = f"/patients/{patient.pk}/enrollment/"
    assert (to_steps.status_code, to_steps["Location"]) == (302, steps)
    page = client.get(steps).content.decode()
    assert "No consent is recorded." in page
    assert "No screening is recorded." in page
    consent = {"consent_version": "1", "signed_on": DAY}
    assert client.post(f"/patients/{patient.pk}/consents/new/", consent).status_code == 302
    screened = client.post(f"/patients/{patient.pk}/screenings/new/", typed())
    assert (screened.status_code, screened["Location"]) == (302, steps)
    page = client.get(steps).content.decode()
    assert "3 of 3 met" in page
    assert "In the way of" not in page
    enrolled = client.post(steps, {"enrolled_on": DAY, "version": "1"})
    assert (enrolled.status_code, enrolled["Location"]) == (302, f"/patients/{patient.pk}/")
    patient.refresh_from_db()
    assert patient.enrolled_on == START
    assert "Enrolled on 2024-01-15." in client.get(steps).content.decode()


def test_one_field_per_item(patient: Patient, client: Client) -> None:
    rule = {"type": "number", "item": "platelets", "comparison": "at_most", "value": 500}
    patient.trial.criteria.create(
        kind="inclusion", text="Platelets at most 500", rule=rule | {"unit": "10^9/L"}, position=9
    )
    page = client.get(f"/patients/{patient.pk}/screenings/new/").content.decode()
    assert page.count('name="platelets"') == 1
    assert "Inclusion 2, 3" in page
    assert page.count('name="lactating"') == 3  # yes, no, not answered
    assert "From the patient&#x27;s record" in page
    assert "1 of 4 met; 3 unknown" in page


def test_what_is_blank_is_not_answered(patient: Patient, client: Client) -> None:
    client.post(f"/patients/{patient.pk}/screenings/new/", typed(ecog="", lactating=""))
    screening = Screening.objects.get()
    assert [result["result"] for result in screening.results] == ["unknown", "met", "unknown"]
    assert screening.values["ecog"]["value"] is None


@pytest.fixture
def ruled(patient: Patient) -> Patient:
    """The same, by RULES; the laboratory of site 01 has a limit for creatinine."""
    Criterion.objects.all().delete()
    for kind, text, rule in RULES:
        patient.trial.criteria.create(kind=kind, text=text, rule=rule)
    ReferenceRange.objects.create(
        site=patient.site, item="creatinine", upper=106, unit="umol/L", valid_from=START
    )
    return patient


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ["unknown", "unknown", "unknown"]),
        ({"creatinine": "159", "creatinine.unit": "umol/L"}, ["met", "unknown", "unknown"]),
        ({"creatinine": "1,798", "creatinine.unit": "mg/dL"}, ["met", "unknown", "unknown"]),
        ({"creatinine": "1.799", "creatinine.unit": "mg/dL"}, ["not_met", "unknown", "unknown"]),
        (
            {"creatinine": "1.8", "creatinine.unit": "mg/dL", "creatinine.uln": "1.2"},
            ["met", "unknown", "unknown"],
        ),
        ({"radiotherapy_on": "20231217"}, ["unknown", "met", "unknown"]),  # 29 days before
        ({"radiotherapy_on": "2023/12/18"}, ["unknown", "not_met", "unknown"]),  # 28 days
        ({"radiotherapy_on.never": "on"}, ["unknown", "met", "unknown"]),
        ({"attest": "yes"}, ["unknown", "unknown", "not_met"]),
        ({"attest": "no"}, ["unknown", "unknown", "met"]),
    ],
)
def test_values_as_they_are_typed(
    ruled: Patient, client: Client, said: dict[str, str], expected: list[str]
) -> None:
    code = f"attest:criterion-{ruled.trial.criteria.get(rule__isnull=True).pk}"
    body = {code if name == "attest" else name: value for name, value in said.items()}
    stored = client.post(f"/patients/{ruled.pk}/screenings/new/", {"screened_on": DAY} | body)
    assert stored.status_code == 302, stored.content.decode()
    screening = Screening.objects.get()
    assert [result["result"] for result in screening.results] == expected
    again = client.get(f"/screenings/{screening.pk}/edit/")
    assert again.status_code == 200
    form = again.context["form"]
    assert isinstance(form, ScreeningForm)
    assert [one["result"] for one in form.results()] == expected


def test_the_form_hints_at_the_laboratory_and_at_the_age(ruled: Patient, client: Client) -> None:
    rule = {"type": "number", "item": "age", "comparison": "at_least", "value": 18}
    ruled.trial.criteria.create(kind="inclusion", text="Adults", rule=rule | {"unit": "years"})
    body = {"screened_on": "2024-03-01", "check": "1"}
    page = client.post(f"/patients/{ruled.pk}/screenings/new/", body)
    assert page.status_code == 200
    text = page.content.decode()
    assert "Blank: ULN of the laboratory, 106 µmol/L (since 2024-01-15)" in text
    assert "Born in 1970: 53 or 54 on 2024-03-01" in text


def test_check_judges_without_storing(patient: Patient, client: Client) -> None:
    body = typed(platelets="72", check="1")
    page = client.post(f"/patients/{patient.pk}/screenings/new/", body)
    assert page.status_code == 200
    assert "2 of 3 met; 1 not met: platelets 72 &lt; 80 × 10⁹/L" in page.content.decode()
    preview = client.post(f"/patients/{patient.pk}/screenings/preview/", typed(platelets="72"))
    text = preview.content.decode()
    assert "2 of 3 met; 1 not met: platelets 72 &lt; 80 × 10⁹/L" in text
    assert "Not met" in text
    assert not Screening.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"platelets": "99999"}, "From 0 to 5000 × 10⁹/L."),
        ({"platelets": "seventy"}, "A number, such as 72 or 1.5."),
        ({"platelets": "7.2.1"}, "A number, such as 72 or 1.5."),
        ({"platelets": "NaN"}, "A number, such as 72 or 1.5."),
        ({"platelets.unit": "g/L"}, "One of the units: 10^9/L"),
        ({"screened_on": "yesterday"}, "Give the date as YYYY-MM-DD."),
        ({"screened_on": ""}, "Give the date as YYYY-MM-DD."),
        ({"screened_on": "2999-01-01"}, "In the future"),
        ({"lactating": "perhaps"}, "perhaps"),
    ],
)
def test_nothing_typed_is_lost(
    patient: Patient, client: Client, wrong: dict[str, str], message: str
) -> None:
    page = client.post(f"/patients/{patient.pk}/screenings/new/", typed(ecog="2", **wrong))
    assert page.status_code == 422
    text = page.content.decode()
    assert "<title>Error:" in text
    assert message in text
    assert 'name="ecog"\n               value="2"' in text or 'value="2"' in text
    for name, value in wrong.items():
        if name in ("platelets", "screened_on") and value:
            assert f'value="{value}"' in text
    assert not Screening.objects.exists()


def test_a_stale_correction_is_shown_as_typed(patient: Patient, client: Client, cast: Cast) -> None:
    screening = factories.screening(patient, by=cast.coordinator)
    values = screening.values | {"ecog": {"value": 0}}
    Screening.objects.update(version=2, values=values)
    body = typed(platelets="81.5", reason="late result", version="1")
    page = client.post(f"/screenings/{screening.pk}/edit/", body)
    assert page.status_code == 422
    text = " ".join(page.content.decode().split())
    assert "nothing is stored yet" in text
    assert "Platelets: <strong>80 × 10⁹/L</strong>" in text
    assert "(you typed: 81.5 × 10⁹/L)" in text
    assert "ECOG performance status: <strong>0</strong>" in text
    assert 'value="81.5"' in text
    assert page.context["form"]["version"].value() == "2"
    stored = client.post(f"/screenings/{screening.pk}/edit/", body | {"version": "2"})
    assert stored.status_code == 302
    screening.refresh_from_db()
    assert screening.values["platelets"]["value"] == 81.5
    blank = client.post(f"/screenings/{screening.pk}/edit/", body | {"version": "3", "reason": " "})
    assert blank.status_code == 422


@pytest.mark.parametrize(
    ("day", "status"), [("2024-01-15", 302), ("2024-01-16", 422), ("2999-12-31", 422)]
)
def test_no_date_is_after_the_day_of_screening(
    ruled: Patient, client: Client, day: str, status: int
) -> None:
    body = {"screened_on": DAY, "radiotherapy_on": day}
    page = client.post(f"/patients/{ruled.pk}/screenings/new/", body)
    assert page.status_code == status
    if status == 422:
        refused = page.context["form"].errors["radiotherapy_on"]
        assert refused == ["On or before the day of screening, 2024-01-15; or never."]
        text = client.post(f"/patients/{ruled.pk}/screenings/preview/", body).content.decode()
        assert 'data-unread="radiotherapy_on"' in text


def test_the_amended_protocol_is_not_a_dead_end(patient: Patient, client: Client) -> None:
    body = typed(protocol_number="7")
    page = client.post(f"/patients/{patient.pk}/screenings/new/", body)
    assert page.status_code == 422
    assert "look at the questions again" in page.content.decode()
    assert page.context["form"]["protocol_number"].value() == "1"


def test_the_log_says_what_became_of_each_screening(
    patient: Patient, client: Client, cast: Cast
) -> None:
    factories.consent(patient, by=cast.coordinator)
    days = [START + timedelta(days=n) for n in range(4)]
    factories.screening(patient, by=cast.coordinator, on=days[0])
    low = ELIGIBLE | {"platelets": {"value": 72, "unit": "10^9/L"}}
    rests = factories.screening(patient, by=cast.coordinator, on=days[1], values=low)
    platelets = patient.trial.criteria.get(pk=rests.results[1]["criterion"])
    deviation = factories.deviation(patient, platelets, by=cast.investigator, on=days[2])
    body = {"enrolled_on": days[2].isoformat(), "version": "1"}
    assert client.post(f"/patients/{patient.pk}/enrollment/", body).status_code == 302
    Screening.objects.create(
        patient=patient, protocol_version=rests.protocol_version, screened_on=days[3]
    )
    failed = factories.candidate(patient.trial, "01-002")
    Screening.objects.create(
        patient=failed, protocol_version=rests.protocol_version, screened_on=days[0],
        conclusion="failed", failure_reason="declined",
    )  # fmt: skip
    address = f"/trials/{patient.trial.registry_id}/screenings/"

    def told(query: str = "") -> list[tuple[int, str, str]]:
        lines = client.get(address + query).context["lines"]
        return [(line.screening.screened_on.day, line.status, line.warning) for line in lines]

    enrolled = (16, "enrolled 2024-01-17 with 1 deviation", "")
    assert set(told()) == {
        enrolled, (15, "superseded", ""), (18, "open", ""),
        (15, "screen failure: declined to participate", ""),
    }  # fmt: skip
    assert told("?conclusion=enrolled") == [enrolled]
    assert told("?conclusion=superseded") == [(15, "superseded", "")]
    assert told("?conclusion=open") == [(18, "open", "")]
    assert told("?conclusion=eligible") == []
    Deviation.objects.filter(pk=deviation.pk).update(voided_at="2024-02-01T00:00Z")
    assert told("?conclusion=enrolled") == [(16, "enrolled 2024-01-17", "not met by now")]
    assert "not met by now" in client.get(address).content.decode()
    steps = client.get(f"/patients/{patient.pk}/enrollment/").content.decode()
    assert "Conclude as eligible" not in steps
    for screening in patient.screenings.all():
        assert f'href="/screenings/{screening.pk}/"' in steps


def test_a_screening_is_read_as_it_was_entered(
    ruled: Patient, client: Client, cast: Cast, pages: Pages
) -> None:
    body = {
        "screened_on": DAY, "creatinine": "1,80", "creatinine.unit": "mg/dL", "radiotherapy_on.never": "on",
    }  # fmt: skip
    assert client.post(f"/patients/{ruled.pk}/screenings/new/", body).status_code == 302
    address = f"/screenings/{Screening.objects.get().pk}/"
    text = " ".join(client.get(address).content.decode().split())
    assert "1.8 mg/dL; ULN 106 µmol/L" in text
    assert "(limits of the laboratory)" in text
    assert "<dd> never </dd>" in text
    assert "not answered" in text
    assert "protocol version 1" in text
    assert "Creatinine at most 1.5 x ULN" in text
    assert f'href="{address}edit/"' in text
    assert f'href="{address}void/"' not in text
    assert f'href="{address}edit/"' not in pages(cast.viewer).get(address).content.decode()


@pytest.mark.parametrize(
    ("conclusions", "waits"), [(["failed"], False), (["failed", "open"], True), ([], True)]
)
def test_who_waits_for_an_enrollment(
    patient: Patient, client: Client, conclusions: list[str], waits: bool
) -> None:
    for number, conclusion in enumerate(conclusions):
        Screening.objects.create(
            patient=patient, protocol_version=patient.trial.protocol_version,
            screened_on=START + timedelta(days=number), conclusion=conclusion,
            failure_reason="declined" if conclusion == "failed" else "",
        )  # fmt: skip
    page = client.get(f"/trials/{patient.trial.registry_id}/screenings/new/")
    assert (patient in page.context["waiting"]) is waits


def test_an_enrollment_says_what_is_in_the_way(
    patient: Patient, client: Client, cast: Cast
) -> None:
    factories.screening(
        patient, by=cast.coordinator, values={"platelets": {"value": 72, "unit": "10^9/L"}}
    )
    page = client.post(
        f"/patients/{patient.pk}/enrollment/", {"enrolled_on": "2024-01-20", "version": "1"}
    )
    text = page.content.decode()
    assert page.status_code == 422
    assert "In the way of an enrollment on 2024-01-20:" in text
    assert "No consent is recorded." in text
    assert "Not met: platelets 72 &lt; 80 × 10⁹/L" in text
    assert "1 criterion is unknown." in text
    assert 'value="2024-01-20"' in text


def test_a_deviation_is_offered_to_investigators_only(
    patient: Patient, client: Client, cast: Cast, pages: Pages
) -> None:
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(
        patient, by=cast.coordinator, values=ELIGIBLE | {"platelets": {"value": 72, "unit": "10^9/L"}}
    )  # fmt: skip
    steps = f"/patients/{patient.pk}/enrollment/"
    form = f"/patients/{patient.pk}/deviations/new/criterion/"
    assert "Record a protocol deviation" not in client.get(steps).content.decode()
    assert client.get(form).status_code == 403
    investigator = pages(cast.investigator)
    assert "Record a protocol deviation" in investigator.get(steps).content.decode()
    criterion = screening.results[1]["criterion"]
    body = {
        "criterion": criterion, "occurred_on": DAY, "justification": "no alternative",
        "screening": screening.pk, "screening_version": 1,
    }  # fmt: skip
    assert investigator.post(form, body | {"criterion": 0}).status_code == 422
    assert investigator.post(form, body | {"screening_version": 2}).status_code == 422
    assert investigator.post(form, body | {"justification": " "}).status_code == 422
    assert investigator.post(form, body).status_code == 302
    deviation = Deviation.objects.get()
    assert "Major protocol deviation of" in investigator.get(steps).content.decode()
    enrolled = client.post(steps, {"enrolled_on": DAY, "version": "1"})
    assert enrolled.status_code == 302
    void = {"reason": "wrong criterion", "version": "1"}
    assert client.post(f"/deviations/{deviation.pk}/void/", void).status_code == 403
    kept = investigator.post(f"/deviations/{deviation.pk}/void/", void)
    assert kept.status_code == 422
    assert "would not stand: Not met: platelets 72" in kept.content.decode()
    changes = {"screened_on": START, "values": screening.values}
    why: dict[str, Any] = {"by": cast.investigator, "reason": "looked up", "version": 1}
    actions.correct_screening(screening=screening, changes=changes, **why)
    assert "would not allow this enrollment" in client.get(steps).content.decode()


def test_a_screen_failure_is_kept_with_its_reason(
    patient: Patient, client: Client, cast: Cast
) -> None:
    screening = factories.screening(patient, by=cast.coordinator)
    fail = f"/screenings/{screening.pk}/fail/"
    body = {"failure_reason": "not_eligible", "version": "1", "failure_detail": "chose surgery"}
    refused = client.post(fail, body)
    assert refused.status_code == 422
    assert "Every criterion is met" in refused.content.decode()
    assert "chose surgery" in refused.content.decode()
    assert client.post(fail, body | {"failure_reason": "declined"}).status_code == 302
    log = client.get(f"/trials/{patient.trial.registry_id}/screenings/").content.decode()
    assert "screen failure: declined to participate" in log
    again = f"/screenings/{screening.pk}/conclude/"
    client.post(again, {"conclusion": "open", "version": "2"})
    client.post(again, {"conclusion": "eligible", "version": "3"})
    screening.refresh_from_db()
    assert (screening.conclusion, screening.version) == ("eligible", 4)
    stale = client.post(again, {"conclusion": "open", "version": "x"}, follow=True)
    assert "Somebody changed this screening" in stale.content.decode()


def test_consent_is_withdrawn_and_voided(
    patient: Patient, client: Client, cast: Cast, pages: Pages
) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    body = {"consent_version": "1", "signed_on": DAY, "withdrawn_on": "2024-01-14", "version": "1"}
    refused = client.post(f"/consents/{consent.pk}/edit/", body | {"reason": "withdrawn"})
    assert "Before it was signed" in refused.content.decode()
    body |= {"withdrawn_on": "2024-01-16", "reason": "withdrawn"}
    assert client.post(f"/consents/{consent.pk}/edit/", body).status_code == 302
    assert (
        "withdrawn 2024-01-16" in client.get(f"/patients/{patient.pk}/enrollment/").content.decode()
    )
    void = f"/consents/{consent.pk}/void/"
    assert client.get(void).status_code == 403
    assert pages(cast.investigator).post(void, {"reason": "x", "version": "2"}).status_code == 302
    assert not Consent.objects.active().exists()


def test_the_log_filters(patient: Patient, client: Client, cast: Cast) -> None:
    factories.screening(patient, by=cast.coordinator)
    address = f"/trials/{patient.trial.registry_id}/screenings/"
    for query, found in (
        ("", True),
        ("?subject=001", True),
        ("?subject=777", False),
        ("?site=01", True),
        ("?site=02", False),
        ("?conclusion=open", True),
        ("?conclusion=failed", False),
        ("?conclusion=nonsense&page=x", True),
        ("?subject=%00", True),
    ):
        page = client.get(address + query)
        assert page.status_code == 200
        assert ("3 of 3 met" in page.content.decode()) is found, query


ADDRESSES = (
    "/trials/{trial}/screenings/",
    "/trials/{trial}/screenings/new/",
    "/patients/{patient}/enrollment/",
    "/patients/{patient}/consents/new/",
    "/patients/{patient}/screenings/new/",
    "/patients/{patient}/deviations/new/criterion/",
    "/consents/{consent}/edit/",
    "/consents/{consent}/void/",
    "/screenings/{screening}/",
    "/screenings/{screening}/edit/",
    "/screenings/{screening}/fail/",
    "/screenings/{screening}/void/",
    "/deviations/{deviation}/void/",
)
POSTED = ("/patients/{patient}/screenings/preview/", "/screenings/{screening}/conclude/")


@pytest.fixture
def names(patient: Patient, cast: Cast) -> dict[str, Any]:
    """What stands in the addresses."""
    consent = factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values={})
    criterion = patient.trial.criteria.current()[1]
    deviation = factories.deviation(patient, criterion, by=cast.investigator)
    names = {"trial": patient.trial.registry_id, "patient": patient.pk, "consent": consent.pk}
    return names | {"screening": screening.pk, "deviation": deviation.pk}


@pytest.mark.parametrize("address", [*ADDRESSES, *POSTED])
def test_who_sees_a_page(names: dict[str, Any], cast: Cast, pages: Pages, address: str) -> None:
    path = address.format(**names)

    def asked(client: Client) -> int:
        answer: Any = client.post(path) if address in POSTED else client.get(path)
        return int(answer.status_code)

    assert asked(pages(cast.investigator)) in (200, 302)
    assert asked(Client()) == 302  # to the login
    assert asked(pages(cast.stranger)) == 404
    if not address.startswith("/trials/"):
        assert asked(pages(cast.outsider)) == 404
    if address.endswith(("/new/", "/edit/")):
        assert asked(pages(cast.viewer)) == 403


@pytest.mark.parametrize(
    ("address", "statements"),
    [
        ("/trials/{trial}/screenings/", 9),
        ("/trials/{trial}/screenings/new/", 9),
        ("/patients/{patient}/enrollment/", 14),
        ("/screenings/{screening}/", 8),
        ("/patients/{patient}/screenings/new/", 9),
        ("/screenings/{screening}/edit/", 9),
    ],
)
def test_statements_do_not_grow(
    names: dict[str, Any], cast: Cast, pages: Pages, address: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client, path = pages(cast.coordinator), address.format(**names)
    with django_assert_num_queries(statements):
        assert client.get(path).status_code == 200
    patient = Patient.objects.get(pk=names["patient"])
    for number in range(1, 9):
        on = START + timedelta(days=number)
        factories.screening(patient, by=cast.coordinator, on=on, values={})
        other = factories.candidate(patient.trial, f"01-9{number}")
        factories.screening(other, by=cast.coordinator, on=on)
        factories.consent(patient, by=cast.coordinator, on=on)
    with django_assert_num_queries(statements):
        assert client.get(path).status_code == 200


def test_what_contradicts_or_differs_from_the_record_is_said(
    patient: Patient, client: Client, cast: Cast
) -> None:
    rule = {"type": "choice", "item": "sex", "one_of": ["female"]}
    Criterion.objects.create(trial=patient.trial, kind="inclusion", text="Women", rule=rule)
    ecog = {"type": "number", "item": "ecog", "comparison": "at_most", "value": 2}
    Criterion.objects.create(trial=patient.trial, kind="inclusion", text="ECOG", rule=ecog)
    address = f"/patients/{patient.pk}/screenings/new/"
    refused = client.post(address, {"screened_on": DAY, "sex": "male", "ecog": "2"})
    assert refused.status_code == 422
    text = html.unescape(refused.content.decode())
    assert "The patient's record says female, here it is male" in text
    assert "ECOG performance status: 2 here, 1 in the patient's record." in text
    stored = client.post(address, {"screened_on": DAY, "sex": "female", "ecog": "2"})
    assert stored.status_code == 302
    steps = client.get(f"/patients/{patient.pk}/enrollment/").content.decode()
    assert "2 here, 1 in the patient's record" in html.unescape(steps)
