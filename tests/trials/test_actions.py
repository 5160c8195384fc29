"""Writes of trials: what they write, and what they leave alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from patients.models import Allocation
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Cast
from trials import actions
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Membership,
    PublishedFigure,
    RandomizationScheme,
    Site,
    Trial,
)
from trials.vocabularies import Role

PROTOCOL: dict[str, Any] = {
    "brief_title": "Anlotinib in sarcoma",
    "sites": [{"code": "01", "timezone": "Asia/Shanghai"}, {"code": "02"}],
    "arms": [
        {"name": "A", "interventions": [{"name": "Anlotinib", "dose": Decimal(12)}]},
        {"name": "B"},
    ],
    "endpoints": [{"kind": "PFS", "name": ""}, {"kind": "PFS", "name": "EMA"}, {"kind": "ORR"}],
    "criteria": [{"kind": "inclusion", "text": "Age 18 or more"}],
    "published": [{"measure": "ORR", "source": "abstract", "printed": "16%"}],
}
CHILDREN = (Site, Arm, Intervention, Endpoint, Criterion, PublishedFigure)


def update(cast: Cast, document: dict[str, Any], **options: Any) -> Trial:
    """A change by the administrator, against the version in the database."""
    default: dict[str, Any] = {
        "trial": cast.trial,
        "by": cast.administrator,
        "reason": "amendment",
        "version": Trial.objects.get(pk=cast.trial.pk).version,
    }
    return actions.update_trial(document=document, **default | options)


def events(*models: Any) -> int:
    """How many audit rows these models have."""
    return sum(model.pgh_event_model.objects.count() for model in models)


def test_creation_is_for_superusers(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        actions.create_trial(by=cast.administrator, registry_id="N", brief_title="T")
    trial = actions.create_trial(by=cast.superuser, registry_id="N", **PROTOCOL)
    assert trial.version == 1
    assert [site.code for site in trial.sites.all()] == ["01", "02"]
    with pytest.raises(Conflict, match="/registry_id"):
        actions.create_trial(by=cast.superuser, registry_id="N", brief_title="T")


def test_an_update_that_changes_nothing_writes_no_children(cast: Cast) -> None:
    update(cast, PROTOCOL)
    ids = [list(model.objects.values_list("pk", flat=True)) for model in CHILDREN]
    named = [{"id": row.pk, "kind": row.kind, "text": row.text} for row in Criterion.objects.all()]
    before = events(*CHILDREN)
    assert update(cast, PROTOCOL | {"criteria": named}).version == 3
    assert events(*CHILDREN) == before
    assert [list(model.objects.values_list("pk", flat=True)) for model in CHILDREN] == ids


def test_only_what_differs_is_written(cast: Cast) -> None:
    update(cast, PROTOCOL)
    before = events(*CHILDREN)
    arms = [
        {"name": "B"},
        {"name": "A", "interventions": [{"name": "Anlotinib", "dose": Decimal(10)}]},
    ]
    update(cast, {"arms": arms}, partial=True)
    assert events(*CHILDREN) == before + 1
    assert Intervention.objects.get().dose == Decimal(10)


def test_who_and_why_are_in_the_trail(cast: Cast) -> None:
    update(cast, PROTOCOL)
    event = Endpoint.pgh_event_model.objects.first()  # type: ignore[attr-defined]
    assert event.pgh_context["reason"] == "amendment"
    assert event.pgh_context["user"] == cast.administrator.pk


def test_a_stale_version_changes_nothing(cast: Cast) -> None:
    with pytest.raises(StaleVersion):
        update(cast, PROTOCOL, version=9)
    cast.trial.refresh_from_db()
    assert cast.trial.version == 1


def test_a_role_is_needed(cast: Cast) -> None:
    for user in (cast.investigator, cast.coordinator, cast.viewer, cast.stranger):
        with pytest.raises(PermissionDenied):
            update(cast, PROTOCOL, by=user)


def test_an_absent_key_takes_its_default_unless_partial(cast: Cast) -> None:
    changed = {"brief_title": "T", "assessment_interval_days": 21, "acronym": "S"}
    update(cast, changed, partial=True)
    kept = update(cast, {"brief_title": "U"}, partial=True)
    assert (kept.assessment_interval_days, kept.acronym) == (21, "S")
    reset = update(cast, {"brief_title": "U", "sites": [{"code": "01"}, {"code": "02"}]})
    assert (reset.assessment_interval_days, reset.acronym) == (42, "")


def test_removing_an_item(cast: Cast) -> None:
    update(cast, PROTOCOL)
    update(
        cast, {"arms": [{"name": "B"}], "endpoints": [{"kind": "PFS", "name": "EMA"}]}, partial=True
    )
    assert [arm.name for arm in cast.trial.arms.all()] == ["B"]
    assert [str(endpoint) for endpoint in cast.trial.endpoints.all()] == ["PFS EMA"]
    assert not Intervention.objects.exists()
    assert cast.trial.criteria.count() == 1


def test_removing_a_site_in_use_is_a_conflict(cast: Cast) -> None:
    update(cast, {"sites": [{"code": "01"}, {"code": "02"}, {"code": "03"}]}, partial=True)
    factories.patient(cast.trial, site="03")
    with pytest.raises(Conflict) as refused:
        update(cast, {"sites": []}, partial=True)
    assert {error.pointer for error in refused.value.errors} == {"/sites"}
    assert [error.detail.split()[0] for error in refused.value.errors] == ["01", "02", "03"]
    assert cast.trial.sites.count() == 3


def test_an_unknown_criterion_is_refused(cast: Cast) -> None:
    with pytest.raises(Refused, match="/criteria/0/id"):
        update(cast, {"criteria": [{"id": 0, "kind": "inclusion", "text": "t"}]}, partial=True)


def test_a_member_is_added_once(cast: Cast) -> None:
    site = cast.trial.sites.get(code="01")
    new: dict[str, Any] = {
        "trial": cast.trial,
        "user": cast.stranger,
        "site": site,
        "role": Role.COORDINATOR,
    }
    member = actions.add_member(**new, by=cast.administrator)
    assert member.given_by == cast.administrator
    assert member.valid_from == timezone.now().date()
    assert actions.add_member(**new, by="a command") == member
    member.valid_to = member.valid_from
    member.valid_from = member.valid_to = date.today() - timedelta(days=3)  # noqa: DTZ011
    member.save()
    assert actions.add_member(**new, by="a command") != member


def test_a_member_needs_a_place(cast: Cast) -> None:
    new: dict[str, Any] = {"trial": cast.trial, "user": cast.stranger}
    elsewhere = factories.trial().sites.get(code="01")
    for site in (None, elsewhere):
        with pytest.raises(Refused, match="/site"):
            actions.add_member(**new, role=Role.COORDINATOR, site=site, by=cast.superuser)
    with pytest.raises(PermissionDenied):
        actions.add_member(**new, role=Role.VIEWER, site=None, by=cast.investigator)
    assert not Membership.objects.filter(user=cast.stranger).exists()


@pytest.mark.django_db(transaction=True)
def test_of_changes_at_once_one_wins() -> None:
    trial, root = factories.trial(), factories.user(superuser=True)

    def write(number: int) -> bool:
        document = {"acronym": f"writer {number}"}
        try:
            actions.update_trial(
                trial=trial, by=root, reason="at once", version=1, document=document, partial=True
            )
        except StaleVersion:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as writers:
        assert sum(writers.map(write, range(16))) == 1
    trial.refresh_from_db()
    assert trial.version == 2


@pytest.mark.parametrize("other", ["NON_RANDOMIZED", "NA", ""])
@pytest.mark.parametrize(("scheme", "allocated"), [(True, True), (True, False), (False, True)])
def test_a_trial_whose_scheme_was_used_stays_randomized(
    cast: Cast, other: str, scheme: bool, allocated: bool
) -> None:
    update(cast, {"allocation": "RANDOMIZED", "arms": PROTOCOL["arms"]}, partial=True)
    if scheme:
        RandomizationScheme.objects.create(trial=cast.trial, ratio={}, block_multiples=[1])
    if allocated:
        allocate(cast.trial)
    if scheme and allocated:
        with pytest.raises(Conflict) as conflict:
            update(cast, {"allocation": other}, partial=True)
        assert [error.pointer for error in conflict.value.errors] == ["/allocation"]
        update(cast, {"allocation": "RANDOMIZED"}, partial=True)
    else:
        assert update(cast, {"allocation": other}, partial=True).allocation == other


@pytest.mark.parametrize(
    ("before", "after", "lower"),
    [
        ("DOUBLE", "NONE", True), ("DOUBLE", "", True), ("DOUBLE", "SINGLE", True),
        ("QUADRUPLE", "TRIPLE", True), ("SINGLE", "NONE", True), ("NONE", "", False),
        ("DOUBLE", "DOUBLE", False), ("SINGLE", "DOUBLE", False), ("", "NONE", False),
    ],
)  # fmt: skip
def test_no_ordinary_change_unblinds(cast: Cast, before: str, after: str, lower: bool) -> None:
    update(cast, {"masking": before, "arms": PROTOCOL["arms"]}, partial=True)
    assert update(cast, {"masking": after}, partial=True).masking == after
    update(cast, {"masking": before}, partial=True)
    allocate(cast.trial)
    if not lower:
        assert update(cast, {"masking": after}, partial=True).masking == after
        return
    for document in ({"masking": after}, {"masking": after, "acronym": "X"}):
        with pytest.raises(Conflict, match="Unblinding") as conflict:
            update(cast, document, partial=True)
        assert [error.pointer for error in conflict.value.errors] == ["/masking"]
    assert Trial.objects.get(pk=cast.trial.pk).masking == before


def allocate(trial: Trial) -> None:
    """Put a patient into the first arm."""
    patient = factories.patient(trial)
    Allocation.objects.create(patient=patient, trial=trial, arm=trial.arms.all()[0])
