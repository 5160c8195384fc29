"""Drafts: what is typed and not stored, and whom it is shown to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.models import DRAFTS_OF_A_USER, Draft
from tests import factories
from tests.conftest import Cast
from trials.models import Membership

pytestmark = pytest.mark.django_db


def test_a_draft_is_of_one_user_and_of_a_patient_whom_they_see(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    facts = {"address": f"/patients/{patient.pk}/edit/", "title": "", "fields": []}
    Draft.objects.create(user=cast.coordinator, patient=patient, **facts)
    assert Draft.objects.of(cast.coordinator).get().patient == patient
    for user in (cast.colleague, cast.superuser, cast.outsider):
        assert not Draft.objects.of(user).exists()
    Membership.objects.filter(user=cast.coordinator).delete()
    assert not Draft.objects.of(cast.coordinator).exists()


def test_drafts_end_after_thirty_days_and_their_number_is_bounded(cast: Cast) -> None:
    def draft(number: int, days: int) -> Draft:
        saved_at = timezone.now() - timedelta(days=days)
        return Draft(
            user=cast.coordinator, address=f"/{number}/", title="", fields=[], saved_at=saved_at
        )

    Draft.objects.bulk_create([draft(number, 1) for number in range(DRAFTS_OF_A_USER + 1)])
    Draft.objects.bulk_create([draft(1000, 31), draft(1001, 0)])
    assert Draft.objects.of(cast.coordinator).count() == DRAFTS_OF_A_USER + 2
    Draft.objects.purge(cast.coordinator)
    assert Draft.objects.count() == DRAFTS_OF_A_USER
    assert Draft.objects.of(cast.coordinator)[0].address == "/1001/"
