"""Transfers: what they hand over, and to whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from patients import conduct
from patients.models import Disposition, Patient
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.visits.bodies import pointers
from tests.patients.conduct.records import Body, Login, dose, move, on


def test_a_transfer_hands_everything_over(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    visit = factories.baseline(patient, by=cast.coordinator)
    path, tag = f"/patients/{patient.pk}/", f'"{patient.version}"'
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    assert coordinator.post(f"{path}transfer/", move(patient), if_match=tag).status_code == 412
    patient.refresh_from_db()
    tag = f'"{patient.version}"'
    answer = coordinator.post(f"{path}transfer/", move(patient), if_match=tag, idempotency_key="k")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["site"], answer["ETag"]) == ("02", f'"{patient.version + 1}"')
    row = Disposition.objects.get()
    told = (row.kind, row.detail, str(row.from_site), str(row.to_site), row.on.isoformat())
    assert told == ("transferred", "moved house", "01", "02", on(40))
    all_of_it = [
        path, f"/visits/{visit.pk}/", f"/doses/{given['id']}/", f"/dispositions/{row.pk}/",
    ]  # fmt: skip
    receiving = api(cast.outsider)
    for address in all_of_it:
        assert coordinator.get(address).status_code == 404
        assert receiving.get(address).status_code == 200
    replay = coordinator.post(f"{path}transfer/", move(patient), if_match=tag, idempotency_key="k")
    assert replay.status_code == 404
    said = receiving.get(f"/dispositions/{row.pk}/").json()
    assert (said["from_site"], said["to_site"]) == ("01", "02")


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"site": "01"}, "/site"),
        ({"site": "99"}, "/site"),
        ({"on": on(-1)}, "/on"),
        ({"on": "2199-01-01"}, "/on"),
        ({"reason": " "}, "/reason"),
        ({"kind": "transferred"}, "/kind"),
    ],
)
def test_what_a_transfer_may_say(
    coordinator: Api, patient: Patient, other: Body, pointer: str
) -> None:
    path = f"/patients/{patient.pk}/transfer/"
    answer = coordinator.post(path, move(patient) | other, if_match=f'"{patient.version}"')
    assert (answer.status_code, pointers(answer)) == (400, [pointer])
    assert coordinator.post(path, move(patient)).status_code == 428


@pytest.mark.parametrize(("day", "status"), [(4, 200), (5, 409), (6, 409)])
def test_nobody_is_transferred_after_death(
    coordinator: Api, patient: Patient, day: int, status: int
) -> None:
    Patient.objects.filter(pk=patient.pk).update(died_on=on(5), last_dose_on=None)
    path = f"/patients/{patient.pk}/transfer/"
    told = move(patient) | {"on": on(day)}
    answer = coordinator.post(path, told, if_match=f'"{patient.version}"')
    assert answer.status_code == status, answer.content
    assert status < 400 or pointers(answer) == ["/on"]


def test_who_may_transfer(cast: Cast, patient: Patient) -> None:
    site = cast.trial.sites.get(code="02")
    told: Body = {"patient": patient, "to_site": site, "on": START, "reason": "moved"}
    for user in (cast.outsider, cast.viewer, cast.administrator, cast.stranger):
        with pytest.raises(PermissionDenied):
            conduct.transfer_patient(**told, by=user, version=patient.version)
    foreign = factories.trial("NCT00000777").sites.get(code="01")
    with pytest.raises(Refused):
        conduct.transfer_patient(
            **told | {"to_site": foreign}, by=cast.investigator, version=patient.version
        )
    with pytest.raises(StaleVersion):
        conduct.transfer_patient(**told, by=cast.coordinator, version=9)
    moved = conduct.transfer_patient(**told, by=cast.coordinator, version=patient.version)
    back = {
        "patient": moved,
        "to_site": cast.trial.sites.get(code="01"),
        "on": START - timedelta(1),
    }
    with pytest.raises(Refused):  # before the enrollment
        conduct.transfer_patient(**told | back, by=cast.outsider, version=moved.version)


def test_transfers_follow_each_other_and_are_undone_in_turn(cast: Cast, patient: Patient) -> None:
    one, two = (cast.trial.sites.get(code=code) for code in ("01", "02"))
    by, version = cast.investigator, patient.version
    why: Body = {"by": by, "reason": "mistaken"}
    conduct.transfer_patient(
        patient=patient, to_site=two, on=date(2024, 3, 1), by=by, reason="x", version=version
    )
    with pytest.raises(Conflict, match="Before the transfer"):
        conduct.transfer_patient(
            patient=patient, to_site=one, on=date(2024, 2, 1), by=by, reason="x",
            version=version + 1,
        )  # fmt: skip
    conduct.transfer_patient(
        patient=patient, to_site=one, on=date(2024, 4, 1), by=by, reason="x", version=version + 1
    )
    first, second = Disposition.objects.order_by("pk")
    with pytest.raises(Conflict, match="moved on"):
        conduct.void_disposition(disposition=first, **why, version=1)
    conduct.void_disposition(disposition=second, **why, version=1)
    patient.refresh_from_db()
    assert patient.site == two
    conduct.void_disposition(disposition=first, **why, version=1)
    patient.refresh_from_db()
    assert (patient.site, patient.version) == (one, version + 4)
