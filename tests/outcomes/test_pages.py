"""Pages: each works, refuses, and counts its queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from outcomes import dashboard
from outcomes.models import Lesion, Visit
from patients.models import Patient, Therapy
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries

Pages = Callable[..., Client]

FOLLOW_UP = {
    "date": "2024-04-10",
    "kind": "scheduled",
    "targets-0-lesion": "T01",
    "targets-0-diameter_mm": "55,5",
    "targets-1-lesion": "T02",
    "targets-1-diameter_mm": "40",
    "non_targets-0-lesion": "NT01",
    "non_targets-0-status": "present",
    "new_lesions": "no",
}
AS_AT_BASELINE = {"targets-0-method": "ct", "targets-1-method": "ct"}
BASELINE = {
    "date": "2024-01-10",
    "targets-0-lesion": "T01",
    "targets-0-organ": "lung",
    "targets-0-diameter_mm": "52.5",
    "targets-0-method": "ct",
}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline and one follow-up visit."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 43, (45, 30), by=cast.coordinator)
    return row


def addresses(patient: Patient) -> list[str]:
    """Every page that shows or enters something of a patient."""
    visit = patient.visits.get(kind="scheduled")
    return [
        f"/patients/{patient.pk}/",
        f"/patients/{patient.pk}/edit/",
        f"/patients/{patient.pk}/visits/new/",
        f"/patients/{patient.pk}/therapies/new/",
        f"/visits/{visit.pk}/edit/",
    ]


def without_token(content: bytes) -> bytes:
    """A page without its form token, which is new each time, and the address that was asked for."""
    return re.sub(rb'name="(csrfmiddlewaretoken|next)"\s+value="[^"]+"', b"", content)


def test_a_coordinator_reaches_the_pages_of_the_own_site(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    for address in (*addresses(patient), "/trials/", f"/trials/{cast.trial.registry_id}/"):
        assert client.get(address).status_code == 200, address


def test_a_foreign_record_answers_as_one_that_does_not_exist(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    for user in (cast.outsider, cast.stranger):
        client = pages(user)
        for address in addresses(patient):
            missing = address.replace(str(patient.pk), "999999999", 1)
            missing = missing if address.startswith("/patients") else "/visits/999999999/edit/"
            foreign, unknown = client.get(address), client.get(missing)
            assert foreign.status_code == unknown.status_code == 404
            assert without_token(foreign.content) == without_token(unknown.content)
    assert pages(cast.stranger).get(f"/trials/{cast.trial.registry_id}/").status_code == 404


def test_without_login_every_page_leads_to_it(client: Client, cast: Cast, patient: Patient) -> None:
    for address in (*addresses(patient), "/trials/", f"/trials/{cast.trial.registry_id}/"):
        assert client.get(address)["Location"].startswith("/login/?next=")


def test_a_viewer_reads_but_does_not_write(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.viewer)
    first, *entering = addresses(patient)
    assert client.get(first).status_code == 200
    for address in entering:
        answer = client.get(address)
        assert answer.status_code == 403
        assert "administrator" in answer.content.decode()


def test_only_an_investigator_voids(cast: Cast, pages: Pages, patient: Patient) -> None:
    visit = patient.visits.get(kind="scheduled")
    address = f"/visits/{visit.pk}/void/"
    assert pages(cast.coordinator).get(address).status_code == 403
    client = pages(cast.investigator)
    assert client.post(address, {"reason": " ", "version": 1}).status_code == 422
    assert client.post(address, {"reason": "wrong patient", "version": 9}).status_code == 422
    assert client.post(address, {"reason": "wrong patient", "version": 1}).status_code == 302
    assert Visit.objects.get(pk=visit.pk).voided_at


def test_a_baseline_is_entered(cast: Cast, pages: Pages) -> None:
    row = factories.patient(cast.trial)
    answer = pages(cast.coordinator).post(f"/patients/{row.pk}/visits/new/", BASELINE)
    assert answer.status_code == 302
    stored = Visit.objects.get()
    assert stored.kind == "baseline"
    assert str(stored.sum_mm) == "52.50"


def test_a_follow_up_is_entered(cast: Cast, pages: Pages, patient: Patient) -> None:
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/new/", FOLLOW_UP)
    assert answer.status_code == 302
    assert Visit.objects.get(date="2024-04-10").overall_response == "PD"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"date": "2999-01-01"}, "In the future at the site"),
        ({"date": "2024-01-01"}, "Before the baseline"),
        ({"date": "2024-02-27"}, "A visit of this date is stored already"),
        ({"date": "27.2.2024"}, "Give the date as YYYY-MM-DD"),
        ({"targets-0-diameter_mm": "-1"}, "From 0 to 400 mm"),
        ({"targets-0-diameter_mm": "4000"}, "From 0 to 400 mm"),
        ({"targets-0-diameter_mm": "abc"}, "Give millimeters as a number"),
        ({"targets-0-diameter_mm": ""}, "Give a number, or choose a state"),
        ({"targets-0-diameter_mm": "", "targets-0-state": "not_evaluable"}, "Say why the lesion"),
        ({"non_targets-0-status": ""}, "Choose a status"),
        ({"new_lesions": ""}, "Answer yes or no"),
        ({"new_lesions": "yes"}, "Describe the new lesion, or answer No"),
        (
            {"new_lesions": "yes", "new_lesions-0-description": "segment 4"},
            "Choose how certain it is",
        ),
        ({"new_lesions-0-organ": "liver"}, "answer Yes, or clear it"),
        ({"targets-0-state": "absent", "targets-0-diameter_mm": "25"}, "absent counts 0 mm"),
        ({"targets-0-lesion": "T09"}, "T09 is not a baseline lesion"),
        ({"stated_response": "SD"}, "The computed response is PD"),
    ],
)
def test_a_refused_visit_says_why_and_stores_nothing(
    cast: Cast, pages: Pages, patient: Patient, change: dict[str, str], said: str
) -> None:
    before = Visit.objects.count()
    address = f"/patients/{patient.pk}/visits/new/"
    answer = pages(cast.coordinator).post(address, FOLLOW_UP | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Visit.objects.count() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets-0-diameter_mm": "9.5"}, "a target has at least 10 mm"),
        ({"targets-0-organ": "lymph node", "targets-0-diameter_mm": "14"}, "at least 15 mm"),
        ({"targets-0-method": "ultrasound"}, "Ultrasound does not measure"),
        ({"targets-0-slice_mm": "30"}, "twice the slice"),
        ({"targets-1-lesion": "T02", "targets-1-description": "segment 4"}, "Name the organ"),
        ({"non_targets-0-lesion": "NT01", "non_targets-0-short_axis_mm": "12"}, "Name the organ"),
        ({"targets-0-previously_irradiated": "on"}, "only if it has progressed since"),
        ({f"targets-{i}-{n}": v for i in (1, 2) for n, v in
          (("lesion", f"T0{i + 1}"), ("organ", "右肺"), ("diameter_mm", "20"), ("method", "ct"))},
         "At most 2 targets in one organ"),
    ],
)  # fmt: skip
def test_a_refused_baseline_says_why_and_stores_nothing(
    cast: Cast, pages: Pages, change: dict[str, str], said: str
) -> None:
    row = factories.patient(cast.trial)
    answer = pages(cast.coordinator).post(f"/patients/{row.pk}/visits/new/", BASELINE | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Visit.objects.exists()


def test_a_correction_needs_a_reason_and_the_version_that_was_read(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(kind="scheduled")
    client, address = pages(cast.coordinator), f"/visits/{visit.pk}/edit/"
    change = FOLLOW_UP | {"date": "2024-02-27", "version": "1"}
    assert "Say why" in client.post(address, change).content.decode()
    change |= {"reason": "typing error"}
    assert client.post(address, change).status_code == 302
    stale = client.post(address, change)
    assert stale.status_code == 422
    assert "A colleague changed this visit meanwhile" in stale.content.decode()
    assert 'value="55,5"' in stale.content.decode()


# The follow-up page and the correction page


def test_a_lesion_is_measured_as_at_baseline_unless_said_otherwise(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    assert client.post(address, FOLLOW_UP | AS_AT_BASELINE).status_code == 302
    other = {"date": "2024-05-10", "method": "mri", "targets-1-method": "pet_ct"}
    assert client.post(address, FOLLOW_UP | AS_AT_BASELINE | other).status_code == 302
    seen = [[m.method for m in v.measurements.all()] for v in Visit.objects.order_by("date")[2:]]
    assert seen == [["ct", "ct"], ["mri", "pet_ct"]]


MERGED: dict[str, Any] = {"targets-1-diameter_mm": "", "targets-1-state": "merged:T01"}
SPLIT: dict[str, Any] = {
    "targets-0-diameter_mm": "", "targets-0-state": "split",
    "targets-0-fragment_0": "12", "targets-0-fragment_1": "8,5 + 3",
}  # fmt: skip


def test_a_lesion_that_merged_or_split_starts_so_at_the_next_visit(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    assert client.post(address, FOLLOW_UP | SPLIT).status_code == 302
    first = Visit.objects.get(date="2024-04-10").measurements.get(lesion__label="T01")
    assert [str(mm) for mm in first.fragments_mm] == ["12.00", "8.50", "3.00"]
    page = client.get(address).content.decode()
    assert page.count('name="targets-0-fragment_') == 3
    assert '<option value="split" selected>' in page
    later = FOLLOW_UP | MERGED | {"date": "2024-05-10"}
    assert client.post(address, later).status_code == 302
    assert '<option value="merged:T01" selected>' in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SPLIT | {"targets-0-fragment_0": "", "targets-0-fragment_1": ""}, "Give each part in mm"),
        (SPLIT | {"targets-0-state": "absent"}, "Choose the state Split, or clear the parts"),
        (SPLIT | {"targets-0-diameter_mm": "20"}, "The parts are summed"),
        (SPLIT | {"targets-0-fragment_1": "8 x 3"}, "Give millimeters as a number"),
        ({"targets-0-slice_mm": "0"}, "Above 0, up to 50 mm"),
        (MERGED | {"targets-0-diameter_mm": "", "targets-0-state": "absent"},
         "Name a target that is measured at this visit"),
    ],
)  # fmt: skip
def test_a_lineage_that_contradicts_itself_is_refused(
    cast: Cast, pages: Pages, patient: Patient, change: dict[str, str], said: str
) -> None:
    address = f"/patients/{patient.pk}/visits/new/"
    answer = pages(cast.coordinator).post(address, FOLLOW_UP | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_all_unchanged_fills_only_blanks_with_the_status_before(cast: Cast, pages: Pages) -> None:
    row = factories.patient(cast.trial)
    labels = ("NT01", "NT02", "NT03")
    factories.baseline(
        row, by=cast.coordinator,
        non_targets=tuple(factories.non_target(label, organ="bone") for label in labels),
    )  # fmt: skip
    statuses = zip(labels, ("present", "absent", "increased"), strict=True)
    seen = tuple(factories.non_target(*pair) for pair in statuses)
    factories.follow_up(row, 43, by=cast.coordinator, non_targets=seen)
    typed = {k: v for k, v in FOLLOW_UP.items() if not k.startswith("non_targets")}
    typed |= {"more": "unchanged", "non_targets-0-status": "unequivocal_progression"}
    address = f"/patients/{row.pk}/visits/new/"
    answer = pages(cast.coordinator).post(address, typed)
    assert answer.status_code == 200
    checked = re.findall(r'value="(\w+)"\s+id="\w+-\d-status_\d" checked', answer.content.decode())
    assert checked == ["unequivocal_progression", "absent", "increased"]
    assert row.visits.count() == 2


def test_errors_follow_the_order_of_the_page(cast: Cast, pages: Pages, patient: Patient) -> None:
    address = f"/patients/{patient.pk}/visits/new/"
    wrong = {"date": "", "new_lesions": "", "stated_response": "CR", "non_targets-0-status": "",
             "targets-1-diameter_mm": "x"}  # fmt: skip
    page = pages(cast.coordinator).post(address, FOLLOW_UP | wrong).content.decode()
    links = re.findall(r'alert-link" href="#([\w-]+)"', page)
    assert links == [
        "id_date", "id_targets-1-diameter_mm", "id_non_targets-0-status_0", "id_new_lesions_0",
        "id_stated_response_reason",
    ]  # fmt: skip
    for link in links:
        assert f'id="{link}"' in page
    assert page.count('id="id_targets-1-diameter_mm_error"') == 1
    assert 'aria-describedby="id_targets-1-diameter_mm_error"' in page
    assert "<title>Error:" in page


def test_the_banner_says_what_was_stored_and_what_is_next(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, address = pages(cast.coordinator), f"/patients/{patient.pk}/visits/new/"
    smaller = FOLLOW_UP | {"targets-0-diameter_mm": "20", "targets-1-diameter_mm": "20"}
    page = client.post(address, smaller, follow=True).content.decode()
    assert "Week 12 submitted: PR (unconfirmed)." in page
    assert "Next scan 2024-05-14 to 2024-05-28." in page  # day 126 after 2024-01-16, a week around
    page = client.post(address, smaller | {"date": "2024-05-20"}, follow=True).content.decode()
    assert "Week 18 submitted: PR (confirmed)." in page
    worse = FOLLOW_UP | {"date": "2024-07-01"}
    page = client.post(address, worse, follow=True).content.decode()
    assert "submitted: PD." in page
    assert "No further scan is planned. The disease progressed" in page


def test_a_correction_shows_what_it_changes_and_what_follows(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    factories.follow_up(patient, 85, (54, 36), by=cast.coordinator)
    visit = patient.visits.get(date="2024-02-27")
    typed = FOLLOW_UP | {"date": "2024-02-27", "visit": visit.pk, "targets-0-diameter_mm": "55",
                         "targets-1-diameter_mm": "30"}  # fmt: skip
    address = f"/patients/{patient.pk}/visits/preview/"
    panel = pages(cast.coordinator).post(address, typed).content.decode()
    assert "This changes Week 12 (2024-04-09) from PD to SD." in " ".join(panel.split())
    assert "<del>45</del>" in panel
    assert "<ins>55</ins>" in panel
    assert 'name="reason:/targets/0/diameter_mm"' in panel
    assert "/targets/1/diameter_mm" not in panel


def test_a_correction_takes_one_reason_or_one_per_field(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(date="2024-02-27")
    client, address = pages(cast.coordinator), f"/visits/{visit.pk}/edit/"
    typed = FOLLOW_UP | {"date": "2024-02-28", "version": "1", "targets-1-diameter_mm": "30",
                         "targets-0-diameter_mm": "40", "reason:/date": "misread"} | AS_AT_BASELINE  # fmt: skip
    refused = client.post(address, typed)
    assert refused.status_code == 422
    assert "one reason for all, or one for each change" in refused.content.decode()
    assert 'value="misread"' in refused.content.decode()
    each = typed | {"reason:/targets/0/diameter_mm": "other plane", "reason:/kind": "unasked"}
    assert client.post(address, each).status_code == 302
    event = apps.get_model("outcomes", "VisitEvent").objects.latest("pgh_id")
    assert event.pgh_context["reason"] == "misread; other plane"
    assert event.pgh_context["reasons"] == {
        "/date": "misread", "/targets/T01/diameter_mm": "other plane",
    }  # fmt: skip


def test_to_state_the_computed_response_is_to_agree_with_it(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    stated = FOLLOW_UP | {"stated_response": "PD"}
    assert client.post(f"/patients/{patient.pk}/visits/new/", stated).status_code == 302
    visit = patient.visits.get(date=FOLLOW_UP["date"])
    assert (visit.stated_response, visit.overall_response) == ("PD", "PD")
    page = client.get(f"/visits/{visit.pk}/edit/").content.decode()
    assert '<option value="PD" selected>Agrees: PD</option>' in page
    assert '<option value="SD">Differs: SD</option>' in page
    assert 'id="differs" hidden' in page


def test_a_correction_without_a_change_is_refused_kindly(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    """A method that was never said is no change, although the page shows the baseline's.

    Nor is a non-target's: a follow-up visit does not ask for it.
    """
    Lesion.objects.filter(patient=patient, label="NT01").update(method="ct")
    visit = patient.visits.get(date="2024-02-27")
    visit.measurements.update(method="")
    events = apps.get_model("outcomes", "MeasurementEvent").objects.count
    before = events()
    same = FOLLOW_UP | AS_AT_BASELINE | {
        "date": "2024-02-27", "targets-0-diameter_mm": "45", "targets-1-diameter_mm": "30",
        "version": "1", "reason": "looked at again",
    }  # fmt: skip
    client, address = pages(cast.coordinator), f"/visits/{visit.pk}/edit/"
    refused = client.post(address, same)
    assert refused.status_code == 422
    assert "Nothing is changed." in refused.content.decode()
    visit.refresh_from_db()
    assert (visit.version, events()) == (1, before)
    moved = same | {"date": "2024-02-28", "reason": "", "reason:/date": "misread"}
    assert client.post(address, moved).status_code == 302


def test_soft_checks_stand_beside_their_row_and_keep_their_answers(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    typed = FOLLOW_UP | {"targets-0-diameter_mm": "90", "confirmed:large_change:T01": "on",
                         "comment:large_change:T01": "second reading"}  # fmt: skip
    address = f"/patients/{patient.pk}/visits/preview/"
    answer = pages(cast.coordinator).post(address, typed).content.decode()
    place = answer.split('data-slot="checks-T01"')[1].split("</template>")[0]
    assert "T01 was 45 mm on 2024-02-27 and is 90 mm now" in place
    assert re.search(r'name="confirmed:large_change:T01"\s+value="on"\s+checked', place)
    assert 'value="second reading"' in place
    assert "a query opens" in place
    assert "large_change" not in answer.split('data-slot="checks-T02"')[1].split("</template>")[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comment:large_change:T01", "a\0b"),
        ("comment:large_change:T01", "x" * 1001),
        ("reason:/targets/0/diameter_mm", "a\0b"),
        ("reason:/targets/0/diameter_mm", "x" * 501),
    ],
)
def test_a_comment_or_reason_that_cannot_be_stored_is_pointed_at(
    cast: Cast, pages: Pages, patient: Patient, name: str, text: str
) -> None:
    visit = patient.visits.get(date="2024-02-27")
    typed = FOLLOW_UP | AS_AT_BASELINE | {
        "date": "2024-02-27", "version": "1", "reason": "misread", "targets-0-diameter_mm": "90",
        "targets-1-diameter_mm": "30", name: text,
    }  # fmt: skip
    refused = pages(cast.coordinator).post(f"/visits/{visit.pk}/edit/", typed)
    assert refused.status_code == 422
    assert f'href="#id_{name}"' in refused.content.decode()
    assert f'id="id_{name}"' in refused.content.decode()
    assert apps.get_model("outcomes", "Visit").objects.get(pk=visit.pk).version == 1


def test_an_empty_body_is_refused_like_any_other(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(kind="scheduled")
    client = pages(cast.coordinator)
    for address in (*addresses(patient)[1:], f"/visits/{visit.pk}/edit/"):
        assert client.post(address).status_code == 422, address
    assert client.post(f"/patients/{patient.pk}/visits/preview/").status_code == 200


def test_more_rows_keep_what_was_typed_and_store_nothing(cast: Cast, pages: Pages) -> None:
    row = factories.patient(cast.trial)
    address = f"/patients/{row.pk}/visits/new/"
    typed = BASELINE | {
        "more": "non_targets",
        "non_targets-rows": "3",
        "non_targets-2-organ": "bone",
    }
    page = pages(cast.coordinator).post(address, typed).content.decode()
    assert 'name="non_targets-5-organ"' in page
    assert 'value="bone"' in page
    assert "There is a problem" not in page
    assert not Visit.objects.exists()


def test_the_preview_claims_nothing_that_was_not_said(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    typed = {k: v for k, v in FOLLOW_UP.items() if k != "new_lesions"}
    wrong = typed | {"targets-0-state": "too_small", "targets-0-diameter_mm": "12 mm"}
    panel = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/preview/", wrong)
    shown = panel.content.decode()
    assert "No new lesion." not in shown
    assert "so far" in shown
    assert "Give millimeters as a number" in shown
    assert "Not evaluated: T01" in shown


def test_the_preview_stores_nothing_and_names_what_is_open(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    events = Visit.objects.count()
    typed = {"targets-0-lesion": "T01", "targets-0-diameter_mm": "60", "date": "2024-04-10"}
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/preview/", typed)
    panel = answer.content.decode()
    assert answer.status_code == 200
    assert "60 mm" in panel
    assert "T02" in panel
    assert Visit.objects.count() == events


def test_a_patient_and_a_therapy_are_entered(cast: Cast, pages: Pages) -> None:
    client = pages(cast.coordinator)
    address = f"/trials/{cast.trial.registry_id}/patients/new/"
    site = cast.trial.sites.get(code="01")
    typed = {"subject_id": "01-009", "site": site.pk, "sex": "female", "enrolled_on": "2024-01-15"}
    unseen = client.post(address, typed | {"histology": "lipo\u202esarcoma"})
    assert "The invisible character U+202E" in unseen.content.decode()
    assert client.post(address, typed).status_code == 302
    again = client.post(address, typed)
    assert "Taken in this trial" in again.content.decode()
    row = Patient.objects.get()
    change = {"site": site.pk, "sex": "male", "reason": "typing error", "version": 1}
    assert (
        client.post(f"/patients/{row.pk}/edit/", change | {"died_on": "2999-01-01"}).status_code
        == 422
    )
    assert client.post(f"/patients/{row.pk}/edit/", change).status_code == 302
    assert Patient.objects.get().sex == "male"
    therapy = {"started_on": "2024-06-01", "kind": "systemic", "description": "pazopanib"}
    assert client.post(f"/patients/{row.pk}/therapies/new/", therapy).status_code == 302
    assert Therapy.objects.get().description == "pazopanib"


def test_a_therapy_is_corrected_and_voided_with_a_reason(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    row = Therapy.objects.create(patient=patient, started_on="2024-06-01", description="pazopanib")
    client = pages(cast.investigator)
    typed = {"started_on": "2024-06-02", "kind": "surgery", "version": 1}
    assert client.post(f"/therapies/{row.pk}/edit/", typed).status_code == 422
    typed |= {"reason": "typing error"}
    assert client.post(f"/therapies/{row.pk}/edit/", typed).status_code == 302
    assert client.post(f"/therapies/{row.pk}/edit/", typed).status_code == 422
    assert pages(cast.coordinator).get(f"/therapies/{row.pk}/void/").status_code == 403
    void = {"reason": "wrong patient", "version": 2}
    assert client.post(f"/therapies/{row.pk}/void/", void).status_code == 302
    assert Therapy.objects.get().voided_at


def test_a_patient_is_voided_with_a_reason(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, address = pages(cast.investigator), f"/patients/{patient.pk}/void/"
    assert client.post(address, {"reason": "", "version": 1}).status_code == 422
    answer = client.post(address, {"reason": "entered twice", "version": 1})
    assert answer["Location"] == f"/trials/{cast.trial.registry_id}/"
    assert client.get(f"/patients/{patient.pk}/").status_code == 404


def test_a_void_says_which_later_visits_change(cast: Cast, pages: Pages, patient: Patient) -> None:
    nadir = factories.follow_up(patient, 86, (20, 20), by=cast.coordinator)
    factories.follow_up(patient, 130, (30, 30), by=cast.coordinator)
    page = pages(cast.investigator).get(f"/visits/{nadir.pk}/void/").content.decode()
    assert "This changes Week 18 (2024-05-24) from PD to SD." in " ".join(page.split())


def test_a_coordinator_cannot_choose_a_foreign_site(cast: Cast, pages: Pages) -> None:
    client = pages(cast.coordinator)
    address = f"/trials/{cast.trial.registry_id}/patients/new/"
    other = cast.trial.sites.get(code="02")
    answer = client.post(address, {"subject_id": "02-001", "site": other.pk, "sex": "female"})
    assert answer.status_code == 422
    assert not Patient.objects.exists()


def test_the_dashboard_names_a_wrong_option(cast: Cast, pages: Pages) -> None:
    answer = pages(cast.investigator).get(f"/trials/{cast.trial.registry_id}/?cutoff=yesterday")
    assert answer.status_code == 400
    assert "Data cutoff: “yesterday” cannot be used." in answer.content.decode()


def test_the_dashboard_shows_its_patients_page_by_page(
    cast: Cast, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "PATIENTS_SHOWN", 2)
    for number in range(1, 4):
        factories.patient(cast.trial, f"S-{number}")
    client, address = pages(cast.investigator), f"/trials/{cast.trial.registry_id}/"
    for asked, shown in (("", {1, 2}), ("?page=2", {3}), ("?page=9", {3}), ("?page=x", {1, 2})):
        text = client.get(f"{address}{asked}").content.decode()
        assert {n for n in range(1, 4) if f">S-{n}</a>" in text} == shown
    assert 'href="?page=2#patients"' in client.get(address).content.decode()


def test_a_synthetic_trial_says_so_on_every_page(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    type(cast.trial).objects.filter(pk=cast.trial.pk).update(synthetic=True)
    client = pages(cast.coordinator)
    for address in (*addresses(patient), f"/trials/{cast.trial.registry_id}/"):
        assert "SYNTHETIC patients" in client.get(address).content.decode(), address


def test_headers_of_every_page(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    for address in (*addresses(patient), "/trials/", "/login/", "/nowhere/"):
        answer = client.get(address)
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
    assert settings.SESSION_COOKIE_SECURE
    assert settings.CSRF_COOKIE_SECURE


def test_typed_text_is_never_markup(cast: Cast, pages: Pages) -> None:
    payload = "<script>alert(1)</script>\"'"
    row = factories.patient(cast.trial, histology=payload)
    targets = (factories.target("T01", 50, organ=payload, description=payload),)
    factories.baseline(row, by=cast.coordinator, targets=targets, non_targets=())
    client = pages(cast.coordinator)
    for address in (f"/patients/{row.pk}/", f"/patients/{row.pk}/visits/new/",
                    f"/trials/{cast.trial.registry_id}/", f"/patients/{row.pk}/edit/"):  # fmt: skip
        assert "<script>alert" not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("address", "statements"),
    [
        ("/trials/", 4),
        ("/trials/NCT00000001/", 19),  # with doses, adverse events, published figures, a role
        # with queries, what was corrected, the next scan, adverse events, doses, deviations, a role
        ("/patients/{patient}/", 27),
        ("/patients/{patient}/visits/new/", 12),  # with draft, next scan, endpoints, therapies
        ("/visits/{visit}/edit/", 13),  # with draft and open queries
    ],
)
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, patient: Patient, address: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    visit = patient.visits.get(kind="scheduled")
    address = address.format(patient=patient.pk, visit=visit.pk)
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200
    for day in range(80, 300, 40):
        factories.follow_up(patient, day, (40, 30), by=cast.coordinator)
    for number in range(8):
        other = factories.patient(cast.trial, f"01-1{number}")
        factories.baseline(other, by=cast.coordinator)
        factories.follow_up(other, 50, (40, 30), by=cast.coordinator)
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200
