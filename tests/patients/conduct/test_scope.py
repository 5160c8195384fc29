"""Who sees and who writes doses, dispositions and transfers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from patients.models import Disposition, Dose, Patient
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.outcomes.visits.bodies import freeze
from tests.patients.conduct.records import WHY, Login, dose, ending, move


def test_foreign_records_answer_as_missing(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    ended = coordinator.post("/dispositions/", ending(patient, "completed", 50)).json()
    for user in (cast.outsider, cast.stranger):
        client = api(user)
        for path, row in (
            (f"/doses/{given['id']}/", given),
            (f"/dispositions/{ended['id']}/", ended),
        ):
            missing = f"/{path.split('/')[1]}/999999999/"
            assert client.get(path).content == client.get(missing).content
            assert client.put(path, row | WHY, if_match='"1"').status_code == 404
            assert client.post(f"{path}void/", WHY, if_match='"1"').status_code == 404
        for action, body in (("transfer", move(patient)), ("randomize", {})):
            answer = client.post(f"/patients/{patient.pk}/{action}/", body, if_match='"2"')
            assert answer.status_code == 404
        for path, body in (
            ("/doses/", dose(patient, 20, 21)),
            ("/dispositions/", ending(patient, "completed", 60)),
        ):
            assert client.get(path).json()["results"] == []
            foreign = client.post(path, body)
            unknown = client.post(path, body | {"patient": 999999999})
            assert foreign.status_code == 400
            assert foreign.content == unknown.content
            assert client.get(f"{path}?patient={patient.pk}").json()["count"] == 0


@pytest.mark.parametrize("name", ["viewer", "administrator"])
def test_who_only_reads(
    cast: Cast, api: Login, coordinator: Api, patient: Patient, name: str
) -> None:
    client = api(getattr(cast, name))
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    assert client.get(f"/doses/{given['id']}/").status_code == 200
    assert client.post("/doses/", dose(patient, 20, 21)).status_code == 403
    assert client.post("/dispositions/", ending(patient, "completed", 60)).status_code == 403
    assert client.put(f"/doses/{given['id']}/", given | WHY, if_match='"1"').status_code == 403
    tag = f'"{Patient.objects.get(pk=patient.pk).version}"'
    path = f"/patients/{patient.pk}/"
    assert client.post(f"{path}transfer/", move(patient), if_match=tag).status_code == 403
    assert client.post(f"{path}randomize/", {}, if_match=tag).status_code == 403


def test_the_day_is_the_sites(
    coordinator: Api, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch, datetime(2024, 6, 1, 17, tzinfo=UTC))  # 2 June in Shanghai
    for path, body, name in (
        ("/doses/", dose(patient, 1), "started_on"),
        ("/dispositions/", ending(patient, "completed", 0), "on"),
    ):
        answer = coordinator.post(path, body | {name: "2024-06-03"})
        assert answer.status_code == 400
        assert "2024-06-02" in answer.json()["errors"][0]["detail"]
        assert coordinator.post(path, body | {name: "2024-06-02"}).status_code == 201


def test_lists_take_a_constant_number_of_statements(
    cast: Cast, coordinator: Api, patient: Patient,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    site = cast.trial.sites.get(code="02")
    for n in range(3):
        other = factories.patient(cast.trial)
        Dose.objects.create(patient=other, intervention="A", dose=1, unit="mg", started_on=START)
        Disposition.objects.create(
            patient=other, kind="transferred", on=START, from_site=site, to_site=other.site
        )
        if n in (0, 2):
            # token, count, rows; arms and interventions of the doses' trials
            for path, statements in (("/doses/", 5), ("/dispositions/", 3)):
                with django_assert_num_queries(statements):
                    assert coordinator.get(path).json()["count"] == n + 1
