"""A patient, and who writes of them."""

from __future__ import annotations

import pytest

from patients import actions
from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.patients.conduct.records import Login
from trials.models import Arm, Intervention


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01, in the trial's only arm; no dose is known."""
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    Intervention.objects.create(arm=arm, name="Epirubicin", dose=60, unit="mg/m2", days_on=[1])
    row = factories.patient(cast.trial, "S-001", birth_year=1970, first_dose_on=None)
    actions.update_patient(
        patient=row, changes={"arm": arm}, by=cast.coordinator, reason="x", version=1
    )
    return Patient.objects.get(pk=row.pk)


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def investigator(cast: Cast, api: Login) -> Api:
    """The investigator of the trial."""
    return api(cast.investigator)
