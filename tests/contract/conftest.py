"""One scene per module: setting it takes longer than most calls do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.contract.calls import Scene, scene


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """The scene, gone after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield scene()
        transaction.set_rollback(True)


@pytest.fixture
def at(stage: Scene, db: None) -> Scene:
    """The scene, as it was set: what a test does to it is undone."""
    return stage
