"""One scene per module: setting it takes longer than most calls do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.contract.scene import Scene, scene


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many requests were made up from the document, and what they were answered."""
    made_up = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "made_up"
    ]
    if made_up:
        statuses: Counter[int] = Counter()
        for run in made_up:
            statuses.update({int(status): n for status, n in run["statuses"].items()})
        answered = ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
        operations = len({run["operation"] for run in made_up})
        terminalreporter.write_line(
            f"schemathesis: {operations} operations, {statuses.total()} requests, {answered}"
        )
