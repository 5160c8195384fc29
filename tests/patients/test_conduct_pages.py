"""Pages of doses, dispositions, transfer and follow-up: each works, refuses, and stays small."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from patients.models import Allocation, Consent, Disposition, Dose, Patient
from patients.treatment import accepted_units
from registry.clocks import offset
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Intervention, RandomizationScheme, Trial

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


def text(client: Client, patient: Patient) -> str:
    """The patient's page, its lines as one."""
    return " ".join(client.get(f"/patients/{patient.pk}/").content.decode().split())


def controls(form: Any, *names: str) -> list[Any]:
    """What stands in these fields of a page's form before anybody types."""
    return [form[name].value() for name in names]


def labels(form: Any, name: str) -> list[str]:
    """What a field offers, in its order."""
    return [str(label) for _value, label in form.fields[name].choices]


def test_a_dose_begins_as_planned(cast: Cast, pages: Pages, patient: Patient) -> None:
    address = f"/patients/{patient.pk}/doses/new/"
    answer = pages(cast.coordinator).get(address)
    form = answer.context["form"]
    assert controls(form, "intervention", "dose", "unit") == ["Anlotinib", "12", "mg"]
    assert labels(form, "unit") == ["mg", "µg", "g"]
    assert '<option value="mg" selected>' in answer.content.decode()
    Dose.objects.create(
        patient=patient, intervention="Anlotinib", dose=500, unit="ug", started_on=START
    )
    assert "Anlotinib 500 µg" in text(pages(cast.coordinator), patient)


def test_a_dose_of_one_of_several_drugs_is_not_guessed(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    arm = cast.trial.arms.get()
    Intervention.objects.create(arm=arm, name="Toripalimab", dose=240, unit="mg")
    Intervention.objects.create(arm=arm, name="Interferon", dose=3, unit="MIU")
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/doses/new/"
    form = client.get(address).context["form"]
    assert controls(form, "intervention", "dose", "unit") == [None, None, None]
    assert labels(form, "intervention") == ["–", "Anlotinib", "Toripalimab", "Interferon"]
    assert labels(form, "unit") == ["–", "mg", "MIU", "µg", "g"]
    wrong = client.post(address, DOSE | {"unit": "MIU"})
    assert wrong.context["form"].errors["unit"] == ["One of: mg, µg, g."]
    assert client.post(address, DOSE | {"unit": "ug", "dose": "12000"}).status_code == 302


@pytest.mark.parametrize(
    ("units", "accepted"),
    [
        (["mg"], ["mg", "ug", "g"]),
        (["g"], ["g", "ug", "mg"]),
        (["µg"], ["µg", "mg", "g"]),
        (["IU"], ["IU"]),
        (["mg/m2"], ["mg/m2", "mg", "g", "ug", "mg/kg", "IU", "MBq"]),
        ([], ["mg", "g", "ug", "mg/m2", "mg/kg", "IU", "MBq"]),
    ],
)
def test_the_plans_own_units_come_first(units: list[str], accepted: list[str]) -> None:
    assert accepted_units([Intervention(unit=unit) for unit in units]) == accepted


def test_a_disposition_is_entered_corrected_and_undone(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/dispositions/new/"
    asked = client.post(address, WITHDRAWN | {"follow_up_continues": ""})
    assert asked.status_code == 422
    assert "Say whether follow-up continues" in asked.content.decode()
    missing = client.post(address, {"kind": "treatment_discontinued", "on": "2024-03-01"})
    assert missing.context["form"].errors == {
        "disposition_reason": ["Choose why treatment was discontinued."]
    }
    assert client.post(address, {"on": "2024-03-01"}).context["form"].errors.keys() == {"kind"}
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


def test_who_died_is_not_in_the_trial(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    assert "nothing has ended" in text(client, patient)
    assert "/transfer/" in text(client, patient)
    Patient.objects.update(died_on="2024-03-01", death_cause="sepsis", randomized_on=START)
    page = text(client, patient)
    assert "Died on 2024-03-01 (sepsis)." in page
    assert "<dt>Cause of death</dt> <dd> sepsis </dd>" in page
    assert "<dt>Randomized</dt> <dd> 2024-01-15 </dd>" in page
    assert "nothing has ended" not in page
    assert "/transfer/" not in page
    site = cast.trial.sites.get(code="02")
    told = {"site": site.pk, "reason": "moved house", "version": 1}
    for day, status in (("2024-03-02", 422), ("2024-03-01", 422), ("2024-02-29", 302)):
        answer = client.post(f"/patients/{patient.pk}/transfer/", told | {"on": day})
        assert answer.status_code == status, day


def test_a_withdrawn_consent_leads_to_the_withdrawal(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    signed = factories.consent(patient, by=cast.coordinator)
    assert "nothing has ended" in text(client, patient)
    Consent.objects.filter(pk=signed.pk).update(withdrawn_on="2024-03-01")
    page = text(client, patient)
    assert "Consent was withdrawn on 2024-03-01. The withdrawal from the trial is not" in page
    assert "nothing has ended" not in page
    address = f"/patients/{patient.pk}/dispositions/new/?kind=withdrawn&on=2024-03-01"
    assert address.replace("&", "&amp;") in page
    assert "Record the withdrawal" not in text(pages(cast.viewer), patient)
    form = client.get(address).context["form"]
    assert controls(form, "kind", "on") == ["withdrawn", "2024-03-01"]
    assert f'href="/patients/{patient.pk}/enrollment/"' in form["kind"].help_text
    assert not Disposition.objects.exists()
    assert client.post(address, WITHDRAWN).status_code == 302
    assert "not recorded yet" not in text(client, patient)
    Disposition.objects.all().delete()
    again = Consent.objects.create(patient=patient, consent_version="2", signed_on="2024-03-02")
    assert "nothing has ended" in text(client, patient)
    Consent.objects.filter(pk=again.pk).update(voided_at=timezone.now())
    assert "Consent was withdrawn on 2024-03-01" in text(client, patient)
    Patient.objects.update(enrolled_on=None)
    assert "not recorded yet" not in text(client, patient)
    assert "Not enrolled yet." in text(client, patient)


def test_nobody_is_asked_to_randomize_twice(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/randomize/"
    assert "Randomize now" in client.get(address).content.decode()
    Allocation.objects.create(
        patient=patient, trial=cast.trial, arm=Arm.objects.get(trial=cast.trial)
    )
    page = client.get(address).content.decode()
    assert "was randomized already" in page
    assert "Randomize now" not in page


@pytest.mark.parametrize(
    ("zone", "printed"),
    [
        ("Asia/Shanghai", "UTC+8"), ("Asia/Kolkata", "UTC+5:30"), ("UTC", "UTC+0"),
        ("America/Caracas", "UTC-4"), ("Pacific/Marquesas", "UTC-9:30"),
    ],
)  # fmt: skip
def test_a_time_is_printed_with_its_offset(zone: str, printed: str) -> None:
    assert offset(datetime(2024, 1, 15, tzinfo=ZoneInfo(zone))) == printed


def test_forms_that_could_only_fail_are_not_shown(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    visit, edit = (f"/patients/{patient.pk}/{name}/" for name in ("visits/new", "edit"))
    gated = ("enrolled_on", "randomized_on", "first_dose_on", "last_dose_on")
    assert "page" in client.get(visit).context
    assert set(gated) <= client.get(edit).context["form"].fields.keys()
    Trial.objects.update(enrollment_gate="screening")
    assert "page" in client.get(visit).context  # enrolled
    assert set(gated) <= client.get(edit).context["form"].fields.keys()
    Patient.objects.update(enrolled_on=None, first_dose_on=None)
    for answer, status in ((client.get(visit), 200), (client.post(visit, {}), 422)):
        page = answer.content.decode()
        assert answer.status_code == status
        assert "enrollment comes before the baseline" in page
        assert f'href="/patients/{patient.pk}/enrollment/"' in page
        assert "<textarea" not in page
    offered = client.get(edit).context["form"].fields.keys()
    assert not {*gated, "arm"} & offered
    assert {"histology", "died_on"} <= offered
    told = {"site": patient.site_id, "sex": "female", "reason": "x", "version": 1}
    assert client.post(edit, told).status_code == 302


def test_who_is_randomized_here_has_no_date_to_type(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, edit = pages(cast.coordinator), f"/patients/{patient.pk}/edit/"
    Trial.objects.update(allocation="RANDOMIZED")
    assert "randomized_on" in client.get(edit).context["form"].fields
    RandomizationScheme.objects.create(
        trial=cast.trial, ratio={"Anlotinib": 1}, block_multiples=[1], factors=["site"]
    )
    assert "randomized_on" not in client.get(edit).context["form"].fields


def test_what_was_stored_is_said(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    client.post(f"/patients/{patient.pk}/doses/new/", DOSE)
    assert "Add a dose: stored." in text(client, patient)


def test_dates_out_of_order_are_told_without_field_names(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    told = {
        "died_on": "2024-01-01",
        "last_known_alive_on": "2024-01-20",
        "version": 1,
        "reason": "x",
    }
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/follow-up/", told)
    said = answer.context["form"].errors["died_on"]
    assert "Before the patient was last known alive on 2024-01-20." in said
    assert "_on" not in " ".join(said)


def test_a_unit_of_another_item_is_answered_in_print(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    address = f"/trials/{cast.trial.registry_id}/sites/01/reference-ranges/new/"
    told = {
        "item": "creatinine",
        "sex": "any",
        "upper": "97",
        "unit": "U/L",
        "valid_from": "2024-01-01",
    }
    form = pages(cast.coordinator).post(address, told).context["form"]
    assert form.errors["unit"] == ["One of: µmol/L, mg/dL."]


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
        ("doses/new", 9),
        ("dispositions/new", 5),
        ("transfer", 7),
        ("follow-up", 5),
        ("randomize", 5),
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


@pytest.mark.parametrize("asked", ["", "?adjustment=reduced&because_of=1"])
def test_a_reduced_dose_ends_the_one_that_lasts(
    cast: Cast, pages: Pages, patient: Patient, asked: str
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/doses/new/"
    assert "end_current" not in client.get(address).content.decode()
    assert client.post(address, DOSE | {"ended_on": ""}).status_code == 302
    page = client.get(address + asked).content.decode()
    assert "The dose from 2024-01-16 has no last day yet." in page
    assert re.search(r'<input[^>]*name="end_current"[^>]*checked', page)
    reduced = DOSE | {
        "dose": "10", "started_on": "2024-02-06", "ended_on": "", "adjustment": "reduced",
        "adjustment_reason": "hypertension",
    }  # fmt: skip
    assert client.post(address, reduced).status_code == 422  # as said: that one lasts
    assert patient.doses.get().ended_on is None
    wrong = reduced | {"end_current": "on", "started_on": "2023-01-01"}
    assert client.post(address, wrong).status_code == 422
    assert patient.doses.get().ended_on is None
    assert client.post(address, reduced | {"end_current": "on"}).status_code == 302
    first, second = patient.doses.order_by("started_on")
    assert (str(first.ended_on), first.version, second.ended_on) == ("2024-02-05", 2, None)
    events: Any = Dose.pgh_event_model.objects.order_by("pgh_id")  # type: ignore[attr-defined]
    said = [(e.pgh_obj_id, e.pgh_context["name"], e.pgh_context["reason"]) for e in events]
    assert said[1:] == [
        (first.pk, "coordinator", "next dose from 2024-02-06"),
        (second.pk, "coordinator", "recorded"),
    ]
