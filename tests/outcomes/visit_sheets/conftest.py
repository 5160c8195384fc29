"""A patient without visits."""

from __future__ import annotations

import pytest

from patients.models import Patient
from tests import factories
from tests.conftest import Cast


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A dosed patient of site 01 without visits."""
    return factories.patient(cast.trial, "S-1")
