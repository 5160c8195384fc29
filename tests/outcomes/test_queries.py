"""How many SQL statements each answer costs, and that no number grows with the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from outcomes.models import Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import new_lesion, non_target, target
from tests.outcomes.visits.bodies import Body, edited, follow_up_of
from tests.outcomes.visits.bodies import target as row

Login = Callable[[Any], Api]
ORGANS = ("lung", "lung", "liver", "liver", "bone")


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


def course(cast: Cast, subject_id: str, *, visits: int, lesions: int) -> Patient:
    """A patient with a baseline and follow-ups; each has a new lesion, too."""
    patient = factories.patient(cast.trial, subject_id)
    targets = [target(f"T{i + 1:02}", 20, organ=ORGANS[i]) for i in range(lesions)]
    others = [non_target(f"NT{i + 1:02}", organ="bone") for i in range(lesions)]
    rows: dict[str, Any] = {"targets": targets, "non_targets": others}
    factories.baseline(patient, by=cast.coordinator, **rows)
    for number in range(1, visits):
        new = (new_lesion(f"NL{number:02}", "equivocal"),)
        factories.follow_up(patient, 42 * number, by=cast.coordinator, new_lesions=new, **rows)
    return patient


SIZES = [  # patients, visits each, lesions each
    (1, 2, 1),
    (4, 5, 5),
]


@pytest.fixture(params=SIZES, ids=["small", "large"])
def patients(request: pytest.FixtureRequest, cast: Cast) -> list[Patient]:
    """Few patients with little, or more with more."""
    count, visits, lesions = request.param
    return [course(cast, f"S-{number}", visits=visits, lesions=lesions) for number in range(count)]


def was_copied(patients: list[Patient]) -> bool:
    """Whether the visits have two targets, so that unchanged ones were asked about, and closing
    or replacing those queries takes a statement of its own."""
    return patients[0].lesions.filter(role="target").count() > 1


READS = {
    "/patients/": 3,
    "/patients/{patient}/": 2,
    "/therapies/": 2,
    "/adverse-events/": 2,
    "/visits/": 6,
    "/visits/?trial=NCT00000001": 6,
    "/visits/?patient={patient}": 6,
    "/visits/{visit}/": 5,
    "/trials/NCT00000001/outcomes/?cutoff=2024-12-31": 9,
    "/trials/NCT00000001/outcomes/?group_by=site": 10,
    "/trials/NCT00000001/outcomes/patients/?cutoff=2024-12-31": 9,
}


@pytest.mark.parametrize("path", READS)
def test_reading(
    coordinator: Api, patients: list[Patient], path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    visit = Visit.objects.order_by("pk")[1]
    address = path.format(patient=patients[0].pk, visit=visit.pk)
    with django_assert_num_queries(READS[path]):
        assert coordinator.get(address).status_code == 200


def next_visit(patient: Patient, day: str = "2025-01-06") -> Body:
    """A follow-up of all of a patient's lesions."""
    labels = patient.lesions.values_list("label", flat=True)
    return follow_up_of(
        patient, day,
        targets=[row(label, 20) for label in labels if label.startswith("T")],
        non_targets=[{"lesion": label, "status": "present"} for label in labels if label[1] == "T"
                     and label[0] == "N"],
        new_lesions=[{"lesion": "NL01", "certainty": "equivocal"}],
    )  # fmt: skip


def test_previewing(
    coordinator: Api, patients: list[Patient], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = next_visit(patients[0])
    with django_assert_num_queries(8):
        assert coordinator.post("/visits/preview/", body).json()["missing"] == []
    middle = Visit.objects.filter(kind="scheduled").order_by("pk")[0]
    with django_assert_num_queries(10):  # with what was answered of its soft checks before
        coordinator.post("/visits/preview/", body | {"visit": middle.pk})


def test_recording(
    coordinator: Api, patients: list[Patient], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = next_visit(patients[0])  # outside its window
    with django_assert_num_queries(19):  # 18 where there is nothing to ask: one read of queries
        assert coordinator.post("/visits/", body).status_code == 201


@pytest.mark.parametrize(
    ("unchanged", "statements"), [(True, 19), (False, 21)], ids=["echo", "edit"]
)
def test_correcting(
    coordinator: Api, patients: list[Patient], unchanged: bool, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    visit = Visit.objects.filter(kind="scheduled").order_by("pk")[0]
    body = coordinator.get(f"/visits/{visit.pk}/").json() | {"reason": "misread"}
    if not unchanged:
        body = edited(body, "/targets/0/diameter_mm", 100)  # later visits change, too
        statements += was_copied(patients)
    with django_assert_num_queries(statements):
        response = coordinator.put(f"/visits/{visit.pk}/", body, if_match='"1"')
    assert response.status_code == 200, response.content


def test_correcting_a_baseline(
    coordinator: Api, patients: list[Patient], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    visit = Visit.objects.filter(kind="baseline").order_by("pk")[0]
    body = coordinator.get(f"/visits/{visit.pk}/").json() | {"reason": "misread"}
    with django_assert_num_queries(19):
        assert coordinator.put(f"/visits/{visit.pk}/", body, if_match='"1"').status_code == 200


def test_voiding(
    cast: Cast, api: Login, patients: list[Patient],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    visit = Visit.objects.filter(kind="scheduled").order_by("pk")[0]
    client = api(cast.investigator)
    with django_assert_num_queries(22 + 2 * was_copied(patients)):  # closed, and asked anew
        void = client.post(f"/visits/{visit.pk}/void/", {"reason": "x"}, if_match='"1"')
    assert void.status_code == 200


def test_a_recorded_baseline(
    coordinator: Api, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 5):
        patient = factories.patient(cast.trial, f"S-{count}")
        body = {
            "patient": patient.pk, "kind": "baseline", "date": "2024-01-15",
            "targets": [row(f"T{i + 1:02}", 20, organ=ORGANS[i]) for i in range(count)],
            "non_targets": [],
        }  # fmt: skip
        with django_assert_num_queries(14):
            assert coordinator.post("/visits/", body).status_code == 201


def test_writing_patients_and_what_is_recorded_of_them(
    coordinator: Api, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = {"trial": cast.trial.registry_id, "subject_id": "S-1", "site": "01"}
    with django_assert_num_queries(12):
        patient = coordinator.post("/patients/", body).json()
    with django_assert_num_queries(9):
        path = f"/patients/{patient['id']}/"
        coordinator.patch(path, {"ecog": 1, "reason": "x"}, if_match='"1"')
    therapy = {"patient": patient["id"], "started_on": "2024-06-01"}
    with django_assert_num_queries(10):
        assert coordinator.post("/therapies/", therapy).status_code == 201
    event = therapy | {"term": "Fatigue", "grade": 1, "related": True}
    with django_assert_num_queries(10):
        assert coordinator.post("/adverse-events/", event).status_code == 201
