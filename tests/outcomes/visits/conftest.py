"""A patient with a baseline and a follow-up visit, sent over HTTP."""

from __future__ import annotations

from datetime import date

import pytest

from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import Body, Login, baseline_of, follow_up_of


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 without visits, born in 1980, who died on 2025-06-30."""
    return factories.patient(cast.trial, "S-001", birth_year=1980, died_on=date(2025, 6, 30))


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def first(coordinator: Api, patient: Patient) -> Body:
    """The patient's baseline, as the API answers it."""
    response = coordinator.post("/visits/", baseline_of(patient))
    assert response.status_code == 201, response.content
    return dict(response.json())


@pytest.fixture
def second(coordinator: Api, patient: Patient, first: Body) -> Body:
    """A follow-up visit with 30 and 20 mm."""
    response = coordinator.post("/visits/", follow_up_of(patient, "2024-02-26", 30, 20))
    assert response.status_code == 201, response.content
    return dict(response.json())
