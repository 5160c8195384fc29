"""Treatment, disposition, randomization and laboratory limits in a real browser: readable and narrow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients import allocation
from patients.models import Disposition, Dose, Patient
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.factories import START
from trials.models import Arm, Intervention, ReferenceRange


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient who waits for randomization, with two cycles, a pause and a discontinuation."""
    cast.trial.allocation = "RANDOMIZED"
    cast.trial.save()
    for name in ("Anlotinib", "Placebo"):
        arm = Arm.objects.create(trial=cast.trial, name=name)
        Intervention.objects.create(
            arm=arm, name=name, dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
        )
    ratio = {"Anlotinib": 2, "Placebo": 1}
    allocation.put_scheme(
        trial=cast.trial, by=cast.administrator, reason="x", version=None, ratio=ratio,
        block_multiples=[1, 2], factors=["site"],
    )  # fmt: skip
    row = factories.patient(cast.trial, "01-001", histology="leiomyosarcoma", ecog=1)
    for first, last, dose, adjustment in (
        (1, 14, 12, "none"), (22, 35, 10, "reduced"), (43, 50, 0, "interrupted"),
    ):  # fmt: skip
        Dose.objects.create(
            patient=row, intervention="Anlotinib", dose=dose, unit="mg", adjustment=adjustment,
            started_on=START + timedelta(first), ended_on=START + timedelta(last),
            adjustment_reason="" if adjustment == "none" else "Palmar-plantar erythrodysesthesia",
        )  # fmt: skip
    Disposition.objects.create(
        patient=row, kind="treatment_discontinued", reason="adverse_event", on="2024-03-20",
        detail="grade 3 after the second cycle",
    )  # fmt: skip
    ReferenceRange.objects.create(
        site=row.site, item="platelets", lower=125, upper=350, unit="10^9/L", valid_from=START
    )
    return row


def test_pages_are_accessible_and_fit(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:  # fmt: skip
    log_in(cast.investigator)
    given, ended = Dose.objects.all()[0], Disposition.objects.get()
    for path in (
        f"/patients/{patient.pk}/",
        f"/patients/{patient.pk}/doses/new/",
        f"/patients/{patient.pk}/dispositions/new/",
        f"/patients/{patient.pk}/transfer/",
        f"/patients/{patient.pk}/follow-up/",
        f"/patients/{patient.pk}/randomize/",
        f"/doses/{given.pk}/edit/",
        f"/dispositions/{ended.pk}/void/",
        "/trials/NCT00000001/sites/01/reference-ranges/",
        "/trials/NCT00000001/sites/01/reference-ranges/new/",
    ):
        page.goto(live_server.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            accessible(page)


def test_randomization_by_keyboard(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/")
    page.get_by_role("link", name="Randomize", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Randomize 01-001?")).to_be_visible()
    page.get_by_role("button", name="Randomize now").press("Enter")
    expect(page.get_by_text("01-001 was randomized at")).to_be_visible()
    expect(page.get_by_role("link", name="Randomize", exact=True)).to_have_count(0)
