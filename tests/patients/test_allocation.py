"""Randomization over HTTP and on its page: who, when, how often, and what stays hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients import allocation
from patients.models import Allocation, Disposition, Patient, RandomizationSlot
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.test_actions import together, trail
from tests.outcomes.visits.bodies import pointers
from trials.models import Arm, Trial
from trials.vocabularies import Role

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
Body = dict[str, Any]
PATH = "/trials/NCT00000001/randomization/"
SCHEME: Body = {
    "ratio": {"Anlotinib": 2, "Placebo": 1}, "block_multiples": [1, 2], "factors": ["site", "ecog"],
}  # fmt: skip
WHY = {"reason": "protocol 2.0"}


@pytest.fixture
def trial(cast: Cast) -> Trial:
    """A randomized trial of two arms, with its scheme."""
    cast.trial.allocation = "RANDOMIZED"
    cast.trial.save()
    for name in SCHEME["ratio"]:
        Arm.objects.create(trial=cast.trial, name=name)
    allocation.put_scheme(
        trial=cast.trial, by=cast.administrator, reason="protocol", version=None, **SCHEME
    )
    return cast.trial


def waiting(trial: Trial, **facts: Any) -> Patient:
    """An enrolled patient who waits for an arm."""
    defaults: Body = {"ecog": 1, "sex": "female", "first_dose_on": None}
    return factories.patient(trial, **defaults | facts)


def randomize(cast: Cast, patient: Patient, chance: Random | None = None) -> Patient:
    """By the coordinator of the patient's site."""
    by = cast.coordinator if patient.site.code == "01" else cast.outsider
    return allocation.randomize_patient(
        patient=patient, by=by, version=patient.version, chance=chance or Random(1)
    )


def test_a_patient_is_randomized(cast: Cast, trial: Trial, api: Login) -> None:
    patient, client = waiting(trial), api(cast.coordinator)
    path = f"/patients/{patient.pk}/randomize/"
    assert client.post(path).status_code == 428
    assert client.post(path, if_match='"9"').status_code == 412
    assert pointers(client.post(path, {"arm": "Anlotinib"}, if_match='"1"')) == ["/arm"]
    answer = client.post(path, if_match='"1"', idempotency_key="k")
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')
    said = answer.json()
    assert said["arm"] in SCHEME["ratio"]
    assert (said["arm_reason"], said["randomized_on"]) == (None, patient.site.today().isoformat())
    taken = RandomizationSlot.objects.get(patient=patient)
    assert (taken.stratum, taken.position, taken.block) == ('["01", 1]', 1, 1)
    assert taken.arm == Allocation.objects.get(patient=patient).arm
    again = client.post(path, if_match='"2"')
    assert (again.status_code, again.json()["errors"][0]["detail"]) == (409, "Randomized already.")
    assert client.post(path, if_match='"1"', idempotency_key="k").json() == said
    moved = {"randomized_on": START.isoformat()} | WHY
    assert client.patch(f"/patients/{patient.pk}/", moved, if_match='"2"').status_code == 409


def test_complete_blocks_have_the_ratio_within_each_stratum(cast: Cast, trial: Trial) -> None:
    chance = Random(7)
    for n in range(36):
        patient = waiting(trial, site=("01", "02")[n % 2], ecog=n // 2 % 2)
        randomize(cast, patient, chance)
    slots = list(RandomizationSlot.objects.select_related("arm"))
    strata = {slot.stratum for slot in slots}
    assert len(strata) == 4
    for stratum in strata:
        mine = [slot for slot in slots if slot.stratum == stratum]
        assert [slot.position for slot in mine] == list(range(1, len(mine) + 1))
        assert all(slot.patient_id for slot in mine[:9])
        for block in {slot.block for slot in mine}:
            counts = Counter(slot.arm.name for slot in mine if slot.block == block)
            assert counts in ({"Anlotinib": 2, "Placebo": 1}, {"Anlotinib": 4, "Placebo": 2})


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({"enrolled_on": None}, "Enroll"),
        ({"randomized_on": START}, "already"),
        ({"died_on": "2024-06-01"}, "died"),
    ],
)
def test_who_cannot_be_randomized(cast: Cast, trial: Trial, facts: Body, detail: str) -> None:
    with pytest.raises(Conflict, match=detail):
        randomize(cast, waiting(trial, **facts))


def test_who_left_the_trial_is_not_randomized(cast: Cast, trial: Trial) -> None:
    patient = waiting(trial)
    Disposition.objects.create(patient=patient, kind="lost_to_follow_up", on=START)
    with pytest.raises(Conflict, match="left"):
        randomize(cast, patient)


@pytest.mark.parametrize(
    ("factor", "facts"),
    [("ecog", {"ecog": None}), ("sex", {"sex": "unknown"}), ("histology", {"histology": ""})],
)
def test_a_missing_factor_is_named(cast: Cast, trial: Trial, factor: str, facts: Body) -> None:
    scheme = {**SCHEME, "factors": [factor]}
    allocation.put_scheme(trial=trial, by=cast.administrator, reason="x", version=1, **scheme)
    with pytest.raises(Refused) as refused:
        randomize(cast, waiting(trial, **facts))
    assert [error.pointer for error in refused.value.errors] == [f"/{factor}"]
    assert not RandomizationSlot.objects.exists()


def test_without_a_scheme_or_in_another_trial_nobody_is(cast: Cast, trial: Trial) -> None:
    Arm.objects.create(trial=trial, name="Third")
    randomize(cast, waiting(trial))  # an arm outside the scheme is nobody's
    trial.randomization.delete()
    with pytest.raises(Conflict, match="no randomization scheme"):
        randomize(cast, waiting(trial))
    Trial.objects.update(allocation="NA")
    with pytest.raises(Conflict, match="not randomized"):
        randomize(cast, waiting(Trial.objects.get()))


def test_who_may(cast: Cast, trial: Trial) -> None:
    patient = waiting(trial)
    for user in (cast.outsider, cast.administrator, cast.viewer, cast.stranger):
        with pytest.raises(PermissionDenied):
            allocation.randomize_patient(patient=patient, by=user, version=1)
    with pytest.raises(StaleVersion):
        allocation.randomize_patient(patient=patient, by=cast.investigator, version=2)
    done = allocation.randomize_patient(patient=patient, by=cast.investigator, version=1)
    assert trail(Patient)[-1][1:] == ("investigator", "randomized")
    assert done.version == 2


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_take_the_same_place(cast: Cast, trial: Trial, api: Login) -> None:
    patients = [waiting(trial) for _ in range(12)]
    clients = [api(cast.coordinator) for _ in patients]

    def ask(client: Api, patient: Patient) -> Callable[[], Any]:
        return lambda: client.post(f"/patients/{patient.pk}/randomize/", if_match='"1"')

    answers = together(*(ask(c, p) for c, p in zip(clients, patients, strict=True)))
    assert [answer.status_code for answer in answers] == [200] * 12
    taken = RandomizationSlot.objects.exclude(patient=None)
    assert sorted(taken.values_list("position", flat=True)) == list(range(1, 13))
    arms = Counter(answer.json()["arm"] for answer in answers)
    assert arms["Anlotinib"] in (8, 9, 7)  # 2:1, a last block of six may be open
    assert RandomizationSlot.objects.filter(patient=None).count() < 6


@pytest.mark.django_db(transaction=True)
def test_one_patient_twice_at_once_is_randomized_once(cast: Cast, trial: Trial, api: Login) -> None:
    path = f"/patients/{waiting(trial).pk}/randomize/"
    clients = [api(cast.coordinator) for _ in range(6)]

    def ask(client: Api) -> Callable[[], Any]:
        return lambda: client.post(path, if_match='"1"')

    answers = together(*(ask(client) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert RandomizationSlot.objects.exclude(patient=None).count() == 1


# What comes before, and what only randomization writes


def enrolled_through_the_gate(cast: Cast, trial: Trial) -> Patient:
    """Consent, an eligible screening and the enrollment, all on START."""
    factories.criteria(trial)
    trial.enrollment_gate = "screening"
    trial.save()
    patient = factories.candidate(trial, "01-001", ecog=1)
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)
    Patient.objects.filter(pk=patient.pk).update(enrolled_on=START)
    patient.refresh_from_db()
    return patient


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"consents": {"voided_at": "2024-02-01T00:00Z"}}, 409),
        ({"consents": {"withdrawn_on": START}}, 409),
        ({"consents": {"withdrawn_on": START + timedelta(days=9)}}, 409),
        ({"screenings": {"voided_at": "2024-02-01T00:00Z"}}, 409),
        ({"screenings": {"conclusion": "failed", "failure_reason": "other"}}, 409),
    ],
)
def test_nobody_is_randomized_past_the_gate(
    cast: Cast, trial: Trial, api: Login, changed: dict[str, Body], status: int
) -> None:
    patient = enrolled_through_the_gate(cast, trial)
    for rows, facts in changed.items():
        getattr(patient, rows).update(**facts)
    answer = api(cast.coordinator).post(f"/patients/{patient.pk}/randomize/", if_match='"1"')
    assert answer.status_code == status, answer.content
    assert RandomizationSlot.objects.filter(patient=patient).exists() == (status == 200)


def test_consent_withdrawn_today_ends_it_and_a_new_one_resumes(
    cast: Cast, trial: Trial, api: Login
) -> None:
    patient, client = enrolled_through_the_gate(cast, trial), api(cast.coordinator)
    today = patient.site.today()
    patient.consents.update(withdrawn_on=today)
    path = f"/patients/{patient.pk}/randomize/"
    answer = client.post(path, if_match='"1"')
    assert (answer.status_code, str(today) in answer.content.decode()) == (409, True)
    patient.consents.update(withdrawn_on=START + timedelta(days=9))
    factories.consent(patient, by=cast.coordinator, on=START + timedelta(days=20))
    assert client.post(path, if_match='"1"').status_code == 200


def given(patient: Patient, first: date, last: date | None = None) -> Body:
    """12 mg of whatever the trial gives."""
    return {
        "patient": patient.pk, "intervention": "Anlotinib", "dose": 12, "unit": "mg",
        "started_on": first.isoformat(), "ended_on": last and last.isoformat(),
    }  # fmt: skip


def test_no_dose_after_the_withdrawal_of_consent(cast: Cast, trial: Trial, api: Login) -> None:
    trial.randomization.delete()
    patient, client = enrolled_through_the_gate(cast, trial), api(cast.coordinator)
    withdrawn, later = START + timedelta(days=9), START + timedelta(days=10)
    patient.consents.update(withdrawn_on=withdrawn)
    for told, pointer in ((given(patient, later), "/started_on"),
                          (given(patient, START, later), "/ended_on")):  # fmt: skip
        answer = client.post("/doses/", told)
        assert (answer.status_code, pointers(answer)) == (409, [pointer])
    assert client.post("/doses/", given(patient, START, withdrawn)).status_code == 201


def test_no_dose_before_the_randomization(cast: Cast, trial: Trial, api: Login) -> None:
    patient, client = waiting(trial), api(cast.coordinator)
    today = patient.site.today()
    early = client.post("/doses/", given(patient, today))
    assert (early.status_code, pointers(early)) == (409, ["/started_on"])
    told = {"first_dose_on": today.isoformat()} | WHY
    path = f"/patients/{patient.pk}/"
    stated = client.patch(path, told, if_match='"1"')
    assert (stated.status_code, pointers(stated)) == (409, ["/first_dose_on"])
    arriving = {
        "trial": trial.registry_id,
        "site": "01",
        "subject_id": "T",
        "enrolled_on": "2024-01-15",
    }
    treated = client.post("/patients/", arriving | {"first_dose_on": "2024-01-16"})
    assert (treated.status_code, pointers(treated)) == (409, ["/first_dose_on"])
    randomize(cast, patient)
    before = client.post("/doses/", given(patient, today - timedelta(days=1), today))
    assert (before.status_code, pointers(before)) == (409, ["/started_on"])
    assert client.post("/doses/", given(patient, today)).status_code == 201


def test_randomized_on_is_written_by_randomization_only(
    cast: Cast, trial: Trial, api: Login, pages: Pages
) -> None:
    """At each door; where no scheme is, the date was given elsewhere and is recorded as before."""
    patient, client = waiting(trial, subject_id="W"), api(cast.coordinator)
    path, told = f"/patients/{patient.pk}/", {"randomized_on": "2024-01-16"}
    body = {
        "trial": trial.registry_id,
        "site": "01",
        "subject_id": "N",
        "enrolled_on": "2024-01-15",
    }
    for answer in (
        client.post("/patients/", body | told),
        client.patch(path, told | WHY, if_match='"1"'),
    ):
        assert (answer.status_code, pointers(answer)) == (409, ["/randomized_on"])
        assert "/randomize/" in answer.json()["errors"][0]["detail"]
    page = pages(cast.coordinator).post(
        f"{path}edit/", {"site": patient.site_id, "sex": "female", "version": 1} | told | WHY
    )
    assert page.status_code == 302  # the form has no such field
    assert b"randomized_on" not in pages(cast.coordinator).get(f"{path}edit/").content
    patient.refresh_from_db()
    assert patient.randomized_on is None
    trial.randomization.delete()
    assert client.post("/patients/", body | told).status_code == 201
    assert client.patch(path, told | WHY, if_match=f'"{patient.version}"').status_code == 200


# What stays hidden


def test_the_number_of_statements_tells_nothing(cast: Cast, trial: Trial) -> None:
    """Whether a block ends or begins, each randomization does the same."""
    counts = set()
    for _ in range(13):
        patient = Patient.objects.select_related("trial", "site").get(pk=waiting(trial).pk)
        with CaptureQueriesContext(connection) as statements:
            allocation.randomize_patient(patient=patient, by=cast.coordinator, version=1)
        counts.add(len(statements))
    assert len(counts) == 1


def test_no_answer_holds_a_place_that_is_free(cast: Cast, trial: Trial, api: Login) -> None:
    """Two blocks are open; what the API says is the same whatever arms they hold."""
    patient = randomize(cast, waiting(trial))
    randomize(cast, waiting(trial, site="02"))
    paths = [
        "/patients/", f"/patients/{patient.pk}/", "/trials/", f"/trials/{trial.registry_id}/",
        "/dispositions/", "/doses/", f"/trials/{trial.registry_id}/exposure/",
    ]  # fmt: skip
    for user in (cast.coordinator, cast.investigator, cast.administrator, cast.superuser):
        client = api(user)
        before = [client.get(path).content for path in paths]
        free = RandomizationSlot.objects.filter(patient=None)
        assert free.exists()
        free.update(arm=trial.arms.get(name="Placebo"))
        assert [client.get(path).content for path in paths] == before
        assert b"slot" not in b"".join(before)
        assert b"block" not in b"".join(before)
        free.update(arm=trial.arms.get(name="Anlotinib"))


def test_the_scheme_is_the_administrators(cast: Cast, trial: Trial, api: Login) -> None:
    statistician = factories.user("statistician")
    factories.membership(statistician, trial, Role.STATISTICIAN)
    for user in (cast.coordinator, cast.investigator, cast.viewer, statistician):
        for answer in (
            api(user).get(PATH),
            api(user).put(PATH, SCHEME | WHY, if_match='"1"'),
        ):
            assert answer.status_code == 403
            assert b"Anlotinib" not in answer.content
    assert api(cast.stranger).get(PATH).status_code == 404
    assert api(cast.superuser).get(PATH).status_code == 200
    said = api(cast.administrator).get(PATH)
    assert said["ETag"] == '"1"'
    row = trial.randomization
    assert said.json() == SCHEME | {
        "id": row.pk, "version": 1, "trial": "NCT00000001",
        "links": {"self": f"/api/v1{PATH}"},
    }  # fmt: skip


def test_a_masked_trial_tells_no_arm(cast: Cast, trial: Trial, api: Login, pages: Pages) -> None:
    Trial.objects.update(masking="DOUBLE")
    Arm.objects.filter(name="Anlotinib").update(name="CANARY-A")
    Arm.objects.filter(name="Placebo").update(name="CANARY-B")
    trial.randomization.ratio = {"CANARY-A": 2, "CANARY-B": 1}
    trial.randomization.save()
    patient = waiting(trial)
    answer = api(cast.coordinator).post(f"/patients/{patient.pk}/randomize/", if_match='"1"')
    assert (answer.json()["arm"], answer.json()["arm_reason"]) == (None, "blinded")
    assert b"CANARY" not in answer.content
    other, client = waiting(trial), pages(cast.coordinator)
    page = client.post(f"/patients/{other.pk}/randomize/", {"version": 1}, follow=True)
    assert b"the arm is blinded" in page.content
    assert b"CANARY" not in page.content


# The scheme


def test_a_scheme_is_created_and_replaced(cast: Cast, trial: Trial, api: Login) -> None:
    trial.randomization.delete()
    client = api(cast.administrator)
    assert client.get(PATH).status_code == 404
    assert pointers(client.put(PATH, SCHEME)) == ["/reason"]
    assert client.put(PATH, SCHEME | WHY, if_match='"1"').status_code == 412
    created = client.put(PATH, SCHEME | WHY)
    assert (created.status_code, created["ETag"]) == (201, '"1"')
    assert client.put(PATH, SCHEME | WHY).status_code == 428
    body = created.json() | {"block_multiples": [3, 1, 3], "factors": []} | WHY
    replaced = client.put(PATH, body, if_match='"1"')
    assert (replaced.status_code, replaced["ETag"]) == (200, '"2"')
    assert (replaced.json()["block_multiples"], replaced.json()["factors"]) == ([1, 3], [])
    assert client.put(PATH, body, if_match='"1"').status_code == 412


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"ratio": {"Anlotinib": 2}}, "/ratio"),
        ({"ratio": {"Anlotinib": 2, "Placebo": 1, "X": 1}}, "/ratio"),
        ({"ratio": {"Anlotinib": 2, "Placebo": 0}}, "/ratio/Placebo"),
        ({"ratio": {"Anlotinib": 2, "Placebo": 1.5}}, "/ratio/Placebo"),
        ({"ratio": []}, "/ratio"),
        ({"block_multiples": []}, "/block_multiples"),
        ({"block_multiples": [21]}, "/block_multiples/0"),
        ({"factors": ["age"]}, "/factors/0"),
        ({"blocks": 1}, "/blocks"),
    ],
)
def test_what_a_scheme_may_say(
    cast: Cast, trial: Trial, api: Login, other: Body, pointer: str
) -> None:
    answer = api(cast.administrator).put(PATH, SCHEME | other | WHY, if_match='"1"')
    assert answer.status_code == 400, answer.content
    assert pointers(answer) == [pointer]


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"ratio": {"Anlotinib": 1, "Placebo": 1}}, 409),
        ({"factors": ["site"]}, 409),
        ({"factors": ["ecog", "site"]}, 409),
        ({"block_multiples": [3]}, 200),
        ({}, 200),
    ],
)
def test_after_the_first_allocation_ratio_and_factors_stay(
    cast: Cast, trial: Trial, api: Login, other: Body, status: int
) -> None:
    first = randomize(cast, waiting(trial))
    length = RandomizationSlot.objects.count()
    answer = api(cast.administrator).put(PATH, SCHEME | other | WHY, if_match='"1"')
    assert answer.status_code == status
    if other.get("block_multiples"):
        for _ in range(length):
            randomize(cast, waiting(trial))
        later = RandomizationSlot.objects.filter(block=2)
        assert RandomizationSlot.objects.filter(block=1).count() == length
        assert later.count() == 9
    assert first.arm is not None


def test_a_trial_that_is_not_randomized_has_no_scheme(cast: Cast, api: Login) -> None:
    answer = api(cast.administrator).put(PATH, SCHEME | WHY)
    assert answer.status_code == 409


# The page


def test_the_page_asks_first_and_tells_the_time(cast: Cast, trial: Trial, pages: Pages) -> None:
    patient, client = waiting(trial), pages(cast.coordinator)
    address = f"/patients/{patient.pk}/randomize/"
    assert f'href="{address}"' in client.get(f"/patients/{patient.pk}/").content.decode()
    asked = client.get(address).content.decode()
    assert "cannot be undone" in asked
    assert not Allocation.objects.exists()
    assert client.post(address, {"version": 9}).status_code == 422
    page = client.post(address, {"version": 1}, follow=True).content.decode()
    patient.refresh_from_db()
    day = patient.site.today()
    assert f"was randomized at {day}" in page
    assert str(patient.arm) in page
    assert f'href="{address}"' not in page
    assert client.post(address, {"version": 2}).status_code == 422
    assert pages(cast.outsider).get(address).status_code == 404
    assert pages(cast.viewer).get(address).status_code == 403


def test_a_refusal_on_the_page_names_the_factor(cast: Cast, trial: Trial, pages: Pages) -> None:
    patient = waiting(trial, ecog=None)
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/randomize/", {"version": 1})
    assert answer.status_code == 422
    assert "the trial stratifies by it" in answer.content.decode()
