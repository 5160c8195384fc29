"""A trial's page: its whole registry entry and protocol, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from tests import factories
from tests.conftest import Cast
from trials import detail
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Official,
    ProtocolVersion,
    Site,
    Trial,
)

Pages = Callable[..., Client]

PATH = "/trials/NCT00000001/detail/"

ENTRY: dict[str, Any] = {
    "official_title": "A single-arm phase II trial of anlotinib",
    "acronym": "ALTER-X",
    "org_study_id": "SYSU-17",
    "secondary_ids": ["U1111-2222", "ChiCTR-1"],
    "brief_summary": "First paragraph.\n\nSecond paragraph.",
    "detailed_description": "All of it.",
    "phase": "PHASE2",
    "status": "RECRUITING",
    "study_type": "INTERVENTIONAL",
    "allocation": "NA",
    "intervention_model": "SINGLE_GROUP",
    "masking": "NONE",
    "primary_purpose": "TREATMENT",
    "start_date": "2019-04",
    "start_date_type": "ACTUAL",
    "primary_completion_date": "2023-12-30",
    "completion_date": "2024",
    "completion_date_type": "ESTIMATED",
    "enrollment_target": 48,
    "enrollment_type": "ESTIMATED",
    "eligible_sex": "ALL",
    "minimum_age": "18 Years",
    "healthy_volunteers": False,
    "conditions": ["Soft Tissue Sarcoma", "Leiomyosarcoma"],
    "keywords": ["maintenance"],
    "lead_sponsor": "Sun Yat-sen University",
    "collaborators": ["Chia Tai Tianqing"],
    "principal_investigator": "Xing Zhang",
    "ctcae_version": "4.03",
}


@pytest.fixture
def entry(cast: Cast) -> Trial:
    """The cast's trial with one of everything."""
    trial = cast.trial
    Trial.objects.filter(pk=trial.pk).update(**ENTRY)
    Site.objects.filter(trial=trial, code="01").update(
        name="Cancer Center", city="Guangzhou", state="Guangdong", zip="510060", country="China",
        status="ACTIVE_NOT_RECRUITING",
    )  # fmt: skip
    Official.objects.create(
        trial=trial, name="Xing Zhang", role="STUDY_CHAIR", affiliation="SYSUCC",
        phone="020-87343383", email="zhang@sysucc.example",
    )  # fmt: skip
    arm = Arm.objects.create(
        trial=trial, name="Anlotinib arm", type="EXPERIMENTAL", description="Until progression."
    )
    Intervention.objects.create(
        arm=arm, name="Anlotinib", type="DRUG", dose="12.000", unit="mg", route="oral",
        days_on=[*range(1, 15)], cycle_days=21, other_names=["AL3818"], description="Capsule.",
    )  # fmt: skip
    Endpoint.objects.create(
        trial=trial, kind="PFS", role="primary", title="Progress free survival",
        wording="Time to progression.", time_frame="up to 24 months", note="No origin is printed.",
    )  # fmt: skip
    Endpoint.objects.create(trial=trial, kind="OTHER", name="Quality of life", wording="QLQ-C30")
    platelets = {
        "type": "number",
        "item": "platelets",
        "comparison": "at_least",
        "value": 80,
        "unit": "10^9/L",
    }
    criteria: list[dict[str, Any]] = [
        {"kind": "exclusion", "text": "Prior anlotinib", "source": "registry entry"},
        {"kind": "inclusion", "text": "Platelets ≥ 80", "rule": platelets},
        {"kind": "inclusion", "text": "ANC ≥ 1.5", "note": "superscript restored"},
        {"kind": "inclusion", "text": "Retired", "until": 2},
    ]
    for position, fields in enumerate(criteria):
        Criterion.objects.create(trial=trial, position=position, **fields)
    ProtocolVersion.objects.create(
        trial=trial, number=2, label="Amendment 1", effective_on="2020-03-01",
        consent_version="2.0", summary="Dose reduced.",
    )  # fmt: skip
    factories.published_figure(trial, "ORR", printed="16%")
    factories.published_figure(trial, "PD", printed="6", discrepancy="The sum is 33.")
    return trial


def words_of(client: Client, path: str = PATH) -> str:
    """The text of a page in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


SAID = [
    # titles, ids, status
    "A single-arm phase II trial of anlotinib",
    "NCT00000001 (ALTER-X) · Phase 2 · Recruiting",
    "organization's study ID SYSU-17",
    "Secondary IDs U1111-2222; ChiCTR-1",
    "First paragraph. Second paragraph. Detailed description All of it.",
    # design and dates, as printed
    "Study type Interventional",
    "Allocation N/A",
    "Intervention model Single group assignment",
    "Masking None (open label)",
    "Primary purpose Treatment",
    "Start date 2019-04 (actual)",
    "Primary completion date 2023-12-30 Completion date 2024 (estimated)",
    "Enrollment target 48 (estimated)",
    # who
    "Eligible sex All Minimum age 18 Years Healthy volunteers no Not stated: maximum age.",
    "Conditions Soft Tissue Sarcoma; Leiomyosarcoma Keywords maintenance Sarcoma yes",
    "Lead sponsor Sun Yat-sen University Collaborators Chia Tai Tianqing",
    "Study chair Xing Zhang SYSUCC 020-87343383 zhang@sysucc.example",
    # rules of this registry
    "CTCAE version 4.03",
    "Assessment interval (days) 42",
    # arms, endpoints
    "Anlotinib arm (Experimental) Until progression.",
    "Anlotinib (Drug): 12 mg orally, days 1-14 of 21 Other names: AL3818 Capsule.",
    "Progression-free survival (PFS) primary Title as published Progress free survival",
    "Progress free survival As published Time to progression. Time frame up to 24 months",
    "Note of this registry No origin is printed.",
    "up to 24 months As computed From the first dose (day 1) to objective progression",
    "Quality of life secondary As published QLQ-C30 As computed Held as published; not computed.",
    # criteria: inclusion first, each with its rule, note, source
    "Inclusion criteria Platelets ≥ 80 Rule: platelets ≥ 80 × 10⁹/L ANC ≥ 1.5 Rule: a person",
    "attests this text Note: superscript restored Exclusion criteria Prior anlotinib Rule: a",
    "Prior anlotinib Rule: a person attests this text Source: registry entry",
    # sites, versions, figures
    "01 Cancer Center Guangzhou 510060, Guangdong, China Active, not recruiting Laboratory limits 01 02",
    "2 Amendment 1 effective on 2020-03-01 Consent version: 2.0 Dose reduced.",
    "ORR 16% none abstract",
    "PD 6 Not reconciled. The sum is 33. abstract",
]


def test_the_page_tells_the_whole_record(cast: Cast, pages: Pages, entry: Trial) -> None:
    said = words_of(pages(cast.viewer)).casefold()
    assert [text for text in SAID if text.casefold() not in said] == []
    assert "retired" not in said
    assert "observational model" not in said


def test_an_observational_study_need_not_state_a_masking(cast: Cast, pages: Pages) -> None:
    Trial.objects.update(
        study_type="OBSERVATIONAL", time_perspective="RETROSPECTIVE", allocation="NON_RANDOMIZED"
    )
    said = words_of(pages(cast.viewer))
    assert "Allocation Non-randomized Time perspective Retrospective" in said
    assert "Not stated: phase, observational model, enrollment target." in said


def test_an_empty_record_says_what_is_not_stated(cast: Cast, pages: Pages) -> None:
    said = words_of(pages(cast.viewer))
    assert "Not stated: lead sponsor, collaborators, principal investigator." in said
    assert "ORR, DCR, PFS and OS are computed with the default definitions." in said
    assert "As published" not in said
    assert "SYNTHETIC" not in said


def test_a_synthetic_trial_says_so(cast: Cast, pages: Pages) -> None:
    Trial.objects.update(synthetic=True, sarcoma=False)
    said = words_of(pages(cast.viewer))
    assert "SYNTHETIC patients : no patient-level data" in said
    assert "not a sarcoma" in said


def test_accrual_is_of_the_readers_sites(cast: Cast, pages: Pages) -> None:
    Trial.objects.update(enrollment_target=48)
    for subject, site in (("01-001", "01"), ("02-001", "02")):
        factories.patient(cast.trial, subject, site=site)
    assert "sites you work for: 2 of 48" in words_of(pages(cast.viewer))
    assert "sites you work for: 1 of 48" in words_of(pages(cast.coordinator))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ""),
        ({"dose": "12", "unit": "mg", "route": "oral"}, "12 mg orally"),
        ({"dose": "0.500", "unit": "mg/kg", "route": "intravenous"}, "0.5 mg/kg intravenously"),
        ({"dose": "200", "unit": "mg", "route": "hepatic artery"}, "200 mg hepatic artery"),
        ({"route": "oral"}, "orally"),
        ({"dose": "240", "unit": "mg", "days_on": [1], "cycle_days": 21}, "240 mg, day 1 of 21"),
        ({"days_on": [1, 8], "cycle_days": 21}, "days 1, 8 of 21"),
        ({"days_on": [15, 1, 2, 3], "cycle_days": 28}, "days 1-3, 15 of 28"),
        ({"days_on": [1, 2, 3]}, "days 1-3"),
        ({"dose": "10", "unit": "mg", "cycle_days": 28}, "10 mg, cycles of 28 days"),
    ],
)
def test_a_schedule_in_words(cast: Cast, fields: dict[str, Any], expected: str) -> None:
    arm = Arm.objects.create(trial=cast.trial, name="A")
    Intervention.objects.create(arm=arm, name="A", **fields)
    assert detail.schedule(Intervention.objects.get()) == expected


def test_a_rule_of_another_time_does_not_break_the_page(cast: Cast, pages: Pages) -> None:
    Criterion.objects.create(
        trial=cast.trial, kind="inclusion", text="18 years or older", rule={"age": 18}
    )
    assert "Rule: the stored rule cannot be read" in words_of(pages(cast.viewer))


def test_the_page_refuses(cast: Cast, pages: Pages, client: Client) -> None:
    answers = [
        pages(cast.stranger).get(PATH), pages(cast.viewer).get("/trials/NCT99999999/detail/"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404, 404]
    assert pages(cast.viewer).get("/trials/a%00b/detail/").status_code == 404
    assert client.get(PATH)["Location"] == f"/login/?next={PATH}"


def test_the_record_and_the_outcomes_lead_to_each_other(
    cast: Cast, pages: Pages, entry: Trial
) -> None:
    patient = factories.patient(entry)
    client = pages(cast.coordinator)
    assert 'href="/trials/NCT00000001/"' in client.get(PATH).content.decode()
    for path in ("/trials/NCT00000001/", f"/patients/{patient.pk}/"):
        assert f'href="{PATH}"' in client.get(path).content.decode()


def test_typed_text_is_never_markup(cast: Cast, pages: Pages) -> None:
    payload = "<script>alert(1)</script>"
    names = (
        *("brief_title", "official_title", "brief_summary", "detailed_description"),
        *("lead_sponsor", "principal_investigator"),
    )
    Trial.objects.update(**dict.fromkeys(names, payload), keywords=[payload])
    arm = Arm.objects.create(trial=cast.trial, name=payload, description=payload)
    Intervention.objects.create(
        arm=arm,
        name=payload,
        description=payload,
        unit="<b>",
        dose=1,
        route=payload,
        other_names=[payload],
    )
    Endpoint.objects.create(trial=cast.trial, kind="OTHER", name=payload, wording=payload)
    Criterion.objects.create(
        trial=cast.trial, kind="inclusion", text=payload, note=payload, source=payload,
        rule={"type": "attestation", "code": "x", "statement": payload},
    )  # fmt: skip
    Official.objects.create(trial=cast.trial, name=payload, email='"><script>alert(1)')
    Site.objects.update(name=payload, city=payload)
    ProtocolVersion.objects.update(summary=payload)
    page = pages(cast.viewer).get(PATH).content.decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") > 15


def test_limits_are_offered_at_the_sites_one_sees(cast: Cast, pages: Pages, entry: Trial) -> None:
    for user, seen in (
        (cast.coordinator, ["01"]),
        (cast.outsider, ["02"]),
        (cast.administrator, ["01", "02"]),
    ):
        page = pages(user).get(PATH).content.decode()
        linked = [code for code in ("01", "02") if f"/sites/{code}/reference-ranges/" in page]
        assert linked == seen, user


def test_statements_do_not_grow(
    cast: Cast, pages: Pages, entry: Trial, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.viewer)
    for extra in range(2):
        # session, user, trial, its eight lists with an arm's interventions, the user's sites
        with django_assert_num_queries(14):
            assert client.get(PATH).status_code == 200
        for number in range(3):
            name = f"{extra}-{number}"
            arm = Arm.objects.create(trial=entry, name=name)
            Intervention.objects.create(arm=arm, name=name)
            Endpoint.objects.create(trial=entry, kind="OS", name=name)
            Criterion.objects.create(trial=entry, kind="inclusion", text=name)
            Official.objects.create(trial=entry, name=name)
            Site.objects.create(trial=entry, code=name)
            ProtocolVersion.objects.create(trial=entry, number=10 * extra + number + 3, label=name)
            factories.published_figure(entry, name)
            factories.patient(entry, name)


@pytest.mark.parametrize(("who", "drafts"), [("coordinator", 0), ("investigator", 1)])
def test_a_results_draft_is_offered_to_readers_of_the_whole_trial(
    cast: Cast, pages: Pages, entry: Trial, who: str, drafts: int
) -> None:
    html = pages(getattr(cast, who)).get(f"/trials/{entry.registry_id}/detail/").content.decode()
    assert html.count("?results=true") == drafts
    assert html.count(f"/trials/{entry.registry_id}/ctgov/") == 1 + drafts


def test_an_administrator_turns_irecist_on_and_off(cast: Cast, pages: Pages) -> None:
    """With a reason, against a version, in the audit trail; off only while no endpoint needs it."""
    path = "/trials/NCT00000001/response-criteria/"
    client, page = pages(cast.administrator), "/trials/NCT00000001/detail/"
    assert path in client.get(page).content.decode()
    assert path not in pages(cast.investigator).get(page).content.decode()
    shown = client.get(path).content.decode()
    assert 'name="irecist"' in shown
    assert "checked" not in shown
    version = Trial.objects.get().version
    body = {"irecist": "on", "reason": "a PD-1 arm", "version": str(version)}
    assert client.post(path, body | {"reason": " "}).status_code == 422
    assert client.post(path, body)["Location"] == page
    stored = Trial.objects.get()
    assert (stored.irecist, stored.version) == (True, version + 1)
    event = Trial.pgh_event_model.objects.latest("pgh_id")  # type: ignore[attr-defined]
    assert (event.irecist, event.pgh_context["reason"]) == (True, "a PD-1 arm")
    stale = client.post(path, {"reason": "no", "version": str(version)})
    assert stale.status_code == 422
    assert "nothing is stored yet" in stale.content.decode()
    definition = {"criteria": "iRECIST", "confirmation": {"required": False}}
    row = Endpoint.objects.create(trial=stored, kind="ORR", definition=definition)
    off = {"reason": "no such drug", "version": str(version + 1)}
    needed = client.post(path, off)
    assert needed.status_code == 422
    assert "An endpoint is defined by iRECIST" in needed.content.decode()
    row.delete()
    assert client.post(path, off).status_code == 302
    assert not Trial.objects.get().irecist
    for who, status in ((cast.coordinator, 403), (cast.viewer, 403), (cast.stranger, 404)):
        assert pages(who).get(path).status_code == status
