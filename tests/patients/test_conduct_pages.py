"""Pages of doses, dispositions, transfer and follow-up: each works, refuses, and stays small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from patients.models import Disposition, Dose, Patient
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Intervention, Trial

Pages = Callable[..., Client]
DOSE = {
    "intervention": "Anlotinib", "dose": "12", "unit": "mg", "started_on": "2024-01-16",
    "ended_on": "2024-01-29", "adjustment": "none",
}  # fmt: skip
WITHDRAWN = {"kind": "withdrawn", "on": "2024-03-01", "follow_up_continues": "false"}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01, of whom no dose is recorded."""
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    return factories.patient(cast.trial, "01-001")


def rows(patient: Patient) -> tuple[Dose, Disposition]:
    """A dose, and a withdrawal after it."""
    given = Dose.objects.create(
        patient=patient, intervention="Anlotinib", dose=12, unit="mg", ended_on=START + timedelta(14),
        started_on=START + timedelta(1),
    )  # fmt: skip
    ended = Disposition.objects.create(
        patient=patient, kind="withdrawn", on="2024-03-01", follow_up_continues=True
    )
    return given, ended


def addresses(patient: Patient) -> dict[str, str]:
    """Every page, by who may use it."""
    given, ended = rows(patient)
    writing = [f"/patients/{patient.pk}/{name}/" for name in
               ("doses/new", "dispositions/new", "transfer", "follow-up", "randomize")]  # fmt: skip
    writing += [f"/doses/{given.pk}/edit/", f"/dispositions/{ended.pk}/edit/"]
    voiding = [f"/doses/{given.pk}/void/", f"/dispositions/{ended.pk}/void/"]
    return dict.fromkeys(writing, "write") | dict.fromkeys(voiding, "void")


def test_who_reaches_the_pages(cast: Cast, pages: Pages, patient: Patient, client: Client) -> None:
    for address, action in addresses(patient).items():
        assert pages(cast.investigator).get(address).status_code == 200, address
        expected = 403 if action == "void" else 200
        assert pages(cast.coordinator).get(address).status_code == expected, address
        assert pages(cast.viewer).get(address).status_code == 403, address
        for other in (cast.outsider, cast.stranger):
            assert pages(other).get(address).status_code == 404, address
        assert client.get(address)["Location"].startswith("/login/?next=")


def test_a_dose_is_entered_and_corrected(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/doses/new/"
    assert client.post(address, DOSE | {"started_on": "2023-12-31"}).status_code == 422
    assert client.post(address, DOSE | {"unit": "IU"}).status_code == 422
    assert client.post(address, DOSE)["Location"] == f"/patients/{patient.pk}/"
    assert client.post(address, DOSE).status_code == 422  # overlaps
    given = Dose.objects.get()
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "Anlotinib 12 mg" in page
    assert "168 mg" in page
    assert "100.0 %" in page
    edit = DOSE | {"dose": "10", "adjustment": "reduced", "version": 1, "reason": "misread"}
    assert client.post(f"/doses/{given.pk}/edit/", edit).status_code == 302
    assert client.post(f"/doses/{given.pk}/edit/", edit).status_code == 422  # stale
    assert "83.3 %" in client.get(f"/patients/{patient.pk}/").content.decode()
    void = {"version": 2, "reason": "wrong patient"}
    answer = pages(cast.investigator).post(f"/doses/{given.pk}/void/", void)
    assert answer.status_code == 302
    assert "No dose is recorded" in client.get(f"/patients/{patient.pk}/").content.decode()


def test_a_disposition_is_entered_corrected_and_undone(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/dispositions/new/"
    asked = client.post(address, WITHDRAWN | {"follow_up_continues": ""})
    assert asked.status_code == 422
    assert "Say whether follow-up continues" in asked.content.decode()
    missing = client.post(address, {"kind": "treatment_discontinued", "on": "2024-03-01"})
    assert "One of: progressive_disease" in missing.content.decode()
    assert client.post(address, WITHDRAWN).status_code == 302
    assert "follow-up refused" in client.get(f"/patients/{patient.pk}/").content.decode()
    late = client.post(
        f"/patients/{patient.pk}/therapies/new/", {"started_on": "2024-04-01", "kind": "systemic"}
    )
    assert late.status_code == 422
    assert "After the withdrawal of consent on 2024-03-01" in late.content.decode()
    row = Disposition.objects.get()
    edit = {"on": "2024-03-02", "follow_up_continues": "true", "version": 1, "reason": "misheard"}
    assert client.post(f"/dispositions/{row.pk}/edit/", edit).status_code == 302
    assert "follow-up continues" in client.get(f"/patients/{patient.pk}/").content.decode()
    void = {"version": 2, "reason": "never withdrew"}
    answer = pages(cast.investigator).post(f"/dispositions/{row.pk}/void/", void)
    assert answer["Location"] == f"/patients/{patient.pk}/"
    assert "nothing has ended" in client.get(f"/patients/{patient.pk}/").content.decode()


def test_a_transfer_leads_the_old_site_to_the_trial(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, site = pages(cast.coordinator), cast.trial.sites.get(code="02")
    told = {"site": site.pk, "on": "2024-03-01", "reason": "moved house", "version": 1}
    address = f"/patients/{patient.pk}/transfer/"
    assert client.post(address, told | {"site": patient.site_id}).status_code == 422
    assert client.post(address, told)["Location"] == f"/trials/{cast.trial.registry_id}/"
    assert client.get(f"/patients/{patient.pk}/").status_code == 404
    page = pages(cast.outsider).get(f"/patients/{patient.pk}/").content.decode()
    assert "01 → 02" in page
    assert "moved house" in page


def test_follow_up_is_one_small_form(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/follow-up/"
    alive = {"last_known_alive_on": "2024-05-01", "version": 1, "reason": "telephone call"}
    assert client.post(address, alive | {"reason": ""}).status_code == 422
    assert client.post(address, alive).status_code == 302
    dead = alive | {"died_on": "2024-04-01", "version": 2}
    assert client.post(address, dead).status_code == 422
    assert client.post(address, dead | {"died_on": "2024-06-01"}).status_code == 302
    patient.refresh_from_db()
    assert (str(patient.last_known_alive_on), str(patient.died_on)) == ("2024-05-01", "2024-06-01")


def test_what_is_typed_is_shown_as_text(cast: Cast, pages: Pages, patient: Patient) -> None:
    given, ended = rows(patient)
    payload = "<script>alert(1)</script>"
    Dose.objects.update(adjustment_reason=payload, intervention=payload)
    Disposition.objects.update(detail=payload)
    client = pages(cast.investigator)
    for address in (
        f"/patients/{patient.pk}/",
        f"/doses/{given.pk}/edit/",
        f"/dispositions/{ended.pk}/edit/",
    ):
        assert payload not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        ("doses/new", 5),
        ("dispositions/new", 4),
        ("transfer", 6),
        ("follow-up", 4),
        ("randomize", 4),
    ],
)
def test_pages_take_few_statements(
    cast: Cast, pages: Pages, patient: Patient, name: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    rows(patient)
    with django_assert_num_queries(statements):
        client.get(f"/patients/{patient.pk}/{name}/")


def test_no_page_names_a_masked_drug(cast: Cast, pages: Pages, patient: Patient) -> None:
    """Of a patient: the form offers all drugs of the trial, and a blank keeps the stored one."""
    placebo = Arm.objects.create(trial=cast.trial, name="Control")
    Intervention.objects.create(arm=placebo, name="CANARY", dose=12, unit="mg")
    Trial.objects.update(masking="DOUBLE")
    given, _ended = rows(patient)
    Dose.objects.update(intervention="CANARY")
    client = pages(cast.investigator)
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert page.count("study treatment") == 4  # exposure, dose, two links
    for address in (f"/patients/{patient.pk}/", f"/doses/{given.pk}/void/"):
        assert b"CANARY" not in client.get(address).content
    address = f"/doses/{given.pk}/edit/"
    form = client.get(address).content.decode()
    assert '<option value="" selected>as recorded (blinded)' in form
    assert '<option value="CANARY">' in form
    told = DOSE | {"intervention": "", "dose": "10", "reason": "typing error", "version": 1}
    assert client.post(address, told).status_code == 302
    given.refresh_from_db()
    assert (given.intervention, int(given.dose)) == ("CANARY", 10)
    fresh = client.post(f"/patients/{patient.pk}/doses/new/", DOSE | {"intervention": ""})
    assert fresh.status_code == 422
