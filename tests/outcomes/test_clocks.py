"""One way to show a moment: on the clock of the patient's site, which is said with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from outcomes.models import Visit
from patients import query_actions
from patients.models import Patient, Query
from registry.clocks import moment
from registry.models import Draft, User
from tests import factories
from tests.conftest import Cast

Pages = Callable[[User], Client]
PRINTED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d[^<]{0,8}")
IN_UTC = re.compile(r"\|(?:date|time):\s*['\"][^'\"]*[GgHhisuefPTZ]")


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient in Shanghai with a query of the second visit."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 43, (49, 12), by=cast.coordinator)
    return row


def test_the_same_clock_on_every_page(cast: Cast, pages: Pages, patient: Patient) -> None:
    visit, query = patient.visits.get(kind="scheduled"), Query.objects.get()
    query_actions.answer_query(query=query, text="Read again.", by=cast.coordinator, version=1)
    message = query.messages.get(text="Read again.")
    draft = Draft.objects.put(
        Draft(user=cast.coordinator, patient=patient, address="/x/", title="x", fields=[])
    )
    entered = Visit.pgh_event_model.objects.get(  # type: ignore[attr-defined]
        pgh_obj=visit.pk, pgh_label="insert"
    ).pgh_created_at
    Visit.objects.filter(pk=visit.pk).update(date=visit.patient.site.today())
    for path, at in (
        (f"/visits/{visit.pk}/lesions/T01/history/", entered),
        (f"/visits/{visit.pk}/history/", entered), (f"/queries/{query.pk}/", message.at),
        (f"/patients/{patient.pk}/queries/", message.at), ("/", draft.saved_at), ("/", entered),
    ):  # fmt: skip
        shown = PRINTED.findall(pages(cast.coordinator).get(path).content.decode())
        assert in_shanghai(at) in [text.strip() for text in shown], path


def in_shanghai(at: datetime) -> str:
    """Shanghai has no summer time: always 8 hours on."""
    return f"{at.replace(tzinfo=None) + timedelta(hours=8):%Y-%m-%d %H:%M} UTC+8"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Shanghai", "2026-11-22 05:08 UTC+8"), ("Asia/Kolkata", "2026-11-22 02:38 UTC+5:30"),
        ("America/New_York", "2026-11-21 16:08 UTC-5"), ("UTC", "2026-11-21 21:08 UTC+0"),
    ],
)  # fmt: skip
def test_a_moment_says_its_clock(zone: str, shown: str) -> None:
    assert moment(datetime.fromisoformat("2026-11-21T21:08:59Z"), zone) == shown


def test_no_template_shows_a_moment_in_the_servers_zone() -> None:
    found = {
        path.name: count
        for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
        if (count := len(IN_UTC.findall(path.read_text(encoding="utf-8"))))
    }
    assert found == {}
