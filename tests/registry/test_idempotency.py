"""Idempotency-Key: what is answered again, to whom, for how long, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse
from django.utils import timezone
from rest_framework import status, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.models import Visit
from patients.models import Patient, Therapy
from registry.idempotency import Upload, idempotent
from registry.models import IdempotentAnswer, User
from registry.rest import caller
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.outcomes.visits.bodies import baseline_of, follow_up_of
from tests.registry.test_audit import as_owner
from tests.registry.test_rest import assert_problem
from trials.models import Arm, Membership, Trial
from trials.vocabularies import Masking, Role

Login = Callable[[Any], Api]
KEY = "0b5f3f0e-3a5c-4a6c-9a53-7b1c2d1f0001"
WHY = {"reason": "entered twice"}
SEVEN_DAYS = timedelta(days=7)


class Call:
    """One POST that succeeds, and its repetition."""

    def __init__(self, client: Api, address: str, body: Any, **headers: str) -> None:
        self.client, self.address, self.body, self.headers = client, address, body, headers

    def __call__(self, key: str = KEY, body: Any = None, query: str = "") -> Any:
        sent = self.body if body is None else body
        address = self.address + query
        return self.client.post(address, sent, idempotency_key=key, **self.headers)


POSTS = (
    "trial", "patient", "patient_void", "therapy", "therapy_void", "visit", "visit_void", "preview",
)  # fmt: skip
every_post = pytest.mark.parametrize("name", POSTS)
TEXT = "平滑肌肉瘤 “G2” \u2028 🫁"


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 with a baseline."""
    row = factories.patient(cast.trial, "S-001")
    factories.baseline(row, by=cast.coordinator)
    return row


@pytest.fixture
def calls(cast: Cast, api: Login, patient: Patient) -> dict[str, Call]:
    """A POST to each address that takes one."""
    coordinator, investigator = api(cast.coordinator), api(cast.investigator)
    visit = factories.follow_up(patient, 42, by=cast.coordinator)
    radiotherapy = Therapy.objects.create(patient=patient, started_on=factories.START)
    subject = {"trial": "NCT00000001", "subject_id": "S-9", "site": "01", "histology": TEXT}
    therapy = {"patient": patient.pk, "started_on": "2024-06-01", "description": TEXT}
    later, last = follow_up_of(patient, "2024-04-08"), follow_up_of(patient, "2024-05-20")
    trial = {"registry_id": "NCT00000009", "brief_title": TEXT}
    return {
        "trial": Call(api(cast.superuser), "/trials/", trial),
        "patient": Call(coordinator, "/patients/", subject),
        "patient_void": void(investigator, f"/patients/{patient.pk}/void/"),
        "therapy": Call(coordinator, "/therapies/", therapy),
        "therapy_void": void(investigator, f"/therapies/{radiotherapy.pk}/void/"),
        "visit": Call(coordinator, "/visits/", later),
        "visit_void": void(investigator, f"/visits/{visit.pk}/void/"),
        "preview": Call(coordinator, "/visits/preview/", last),
    }


def void(client: Api, address: str) -> Call:
    """A void of the first version."""
    return Call(client, address, WHY, if_match='"1"')


@pytest.fixture
def enroll(calls: dict[str, Call]) -> Call:
    """The coordinator enrolls a patient."""
    return calls["patient"]


def rows() -> list[Any]:
    """Every row that a POST may write, and how many events its trail has."""
    models: list[Any] = [Trial, Patient, Therapy, Visit]
    return [
        (list(m.objects.order_by("pk").values()), m.pgh_event_model.objects.count()) for m in models
    ]


def replayed(response: Any) -> bool:
    """Whether it is an earlier answer, given again."""
    assert response.get("Idempotency-Replayed", "true") == "true"
    return "Idempotency-Replayed" in response


def age(by: timedelta) -> None:
    """Let time go by."""
    for kept in IdempotentAnswer.objects.all():
        kept.created_at -= by
        kept.save()


# The same again


@every_post
def test_the_first_answer_is_given_again(calls: dict[str, Call], name: str) -> None:
    first = calls[name]()
    assert first.status_code in (200, 201), first.content
    assert not replayed(first)
    before = rows()
    for _attempt in range(2):
        again = calls[name]()
        assert replayed(again)
        assert again.status_code == first.status_code
        assert again.content == first.content
        assert again.get("ETag") == first.get("ETag")
        assert again["Content-Type"] == first["Content-Type"] == "application/json"
        assert "no-store" in again["Cache-Control"]
    assert rows() == before


@every_post
def test_another_body_is_refused(calls: dict[str, Call], name: str) -> None:
    assert calls[name]().status_code < 300
    before = rows()
    for body in (calls[name].body | {"reason": "another"}, json.dumps(calls[name].body) + " ", "{"):
        refused = calls[name](body=body)
        assert "Idempotency-Key" in assert_problem(refused, 409)["detail"]
        assert not replayed(refused)
    assert rows() == before
    assert replayed(calls[name]())


@every_post
def test_without_the_key_nothing_is_kept(calls: dict[str, Call], name: str) -> None:
    call = calls[name]
    assert not replayed(call.client.post(call.address, call.body, **call.headers))
    assert not IdempotentAnswer.objects.exists()


def test_another_query_string_is_another_request(enroll: Call) -> None:
    assert enroll(query="?a=1").status_code == 201
    assert_problem(enroll(), 409)
    assert_problem(enroll(query="?a=2"), 409)
    assert replayed(enroll(query="?a=1"))


def test_a_void_is_answered_again_whatever_its_version(calls: dict[str, Call]) -> None:
    call = calls["visit_void"]
    assert call()["ETag"] == '"2"'
    for tag in ('"1"', '"2"', '"7"', "nonsense"):
        call.headers = {"if_match": tag}
        assert replayed(call())
    call.headers = {}
    assert replayed(call())


# What a key is valid for


def test_a_key_is_the_users_own(enroll: Call, cast: Cast, api: Login) -> None:
    assert enroll().status_code == 201
    colleague = Call(api(cast.colleague), enroll.address, enroll.body | {"subject_id": "S-10"})
    assert not replayed(colleague())
    assert Patient.objects.filter(subject_id__in=["S-9", "S-10"]).count() == 2


def test_a_key_belongs_to_one_address(calls: dict[str, Call]) -> None:
    for name in POSTS:
        if name != "patient_void":  # which would take the visits along
            response = calls[name]()
            assert response.status_code < 300, name
            assert not replayed(response), name
    assert IdempotentAnswer.objects.count() == len(POSTS) - 1


def test_other_methods_ignore_the_key(enroll: Call) -> None:
    client, address = enroll.client, f"/patients/{enroll().json()['id']}/"
    for key in (KEY, "", "a b"):
        assert client.get(address, idempotency_key=key).status_code == 200
    change = {"ecog": 1, "reason": "misread"}
    sent = {"if_match": '"1"', "idempotency_key": KEY}
    assert client.patch(address, change, **sent).status_code == 200
    assert_problem(client.patch(address, change, **sent), 412)


def test_a_session_is_the_same_user_as_the_token(
    enroll: Call, cast: Cast, pages: Callable[[User], Client]
) -> None:
    first = enroll()
    again = pages(cast.coordinator).post(
        "/api/v1/patients/",
        json.dumps(enroll.body),
        "application/json",
        headers={"Idempotency-Key": KEY},
    )
    assert replayed(again)
    assert again.content == first.content


def test_a_form_that_the_csrf_check_has_read_is_refused(enroll: Call, cast: Cast) -> None:
    assert enroll().status_code == 201
    client, secret = Client(enforce_csrf_checks=True), "a" * 32
    client.force_login(cast.coordinator)
    client.cookies["csrftoken"] = secret
    form = {"csrfmiddlewaretoken": secret}
    assert_problem(client.post("/api/v1/patients/", form, headers={"Idempotency-Key": KEY}), 415)


GOOD = ["x", "0", "!" * 255, "~", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a,b;c=d/e?f%00"]
BAD = ["", " ", "a b", " a", "a ", "a\tb", "x" * 256, "x" * 5000, "é", "键", "\x7f", "\x00"]


@pytest.mark.parametrize("key", GOOD)
def test_a_key_is_visible_ascii(enroll: Call, key: str) -> None:
    assert enroll(key).status_code == 201
    assert replayed(enroll(key))


@pytest.mark.parametrize("key", BAD)
def test_another_key_is_refused(enroll: Call, key: str) -> None:
    before = rows()
    detail = assert_problem(enroll(key), 400)["detail"]
    assert detail == "Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID."
    assert rows() == before


def addresses(at: Any, namespace: str = "", places: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """Each address below a resolver: its name, its view and what its path takes."""
    for entry in at.url_patterns:
        converters = (places or {}) | entry.pattern.converters
        if isinstance(entry, URLResolver):
            below = f"{entry.namespace}:" if entry.namespace else ""
            yield from addresses(entry, namespace + below, converters)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}", entry.callback, converters


def posts() -> dict[str, str]:
    """The address of every view of the API with a `post`, by its name."""
    found = {}
    for name, view, converters in addresses(get_resolver()):
        if name.startswith("api:") and hasattr(view.view_class, "post"):
            found[name] = reverse(name, kwargs=dict.fromkeys(converters, 1))
    return found


def test_every_post_of_the_api_heeds_the_key(cast: Cast, api: Login) -> None:
    found, root, anonymous = posts(), api(cast.superuser), Client()
    assert len(found) >= len(POSTS)
    for name, address in found.items():
        assert address.startswith("/api/v1/")
        refused = root.post(address.removeprefix("/api/v1"), {}, idempotency_key="x" * 256)
        assert "Idempotency-Key" in assert_problem(refused, 400)["detail"], name
        headers = {"Idempotency-Key": "x" * 256}
        assert_problem(anonymous.post(address, {}, "application/json", headers=headers), 401)


# How long


def test_an_answer_is_kept_for_seven_days(enroll: Call) -> None:
    enroll()
    age(SEVEN_DAYS - timedelta(minutes=1))
    assert replayed(enroll())
    age(timedelta(minutes=1))
    taken = assert_problem(enroll(), 409)  # carried out again
    assert taken["errors"][0]["pointer"] == "/subject_id"


def test_an_expired_key_may_name_another_request(enroll: Call) -> None:
    enroll()
    age(SEVEN_DAYS)
    body = enroll.body | {"subject_id": "S-10"}
    second = enroll(body=body)
    assert second.status_code == 201
    assert not replayed(second)
    assert enroll(body=body).content == second.content
    assert_problem(enroll(), 409)
    assert IdempotentAnswer.objects.count() == 1


def test_each_answer_that_is_kept_purges_old_ones(calls: dict[str, Call]) -> None:
    calls["therapy"]()
    old = timezone.now() - SEVEN_DAYS
    IdempotentAnswer.objects.bulk_create(
        IdempotentAnswer(
            scope=f"{n:064}", request="", status=201, headers={}, body="{}", created_at=old
        )
        for n in range(150)
    )
    calls["patient"]()
    assert IdempotentAnswer.objects.count() == 52  # 100 at once
    calls["visit"]()
    assert IdempotentAnswer.objects.count() == 3
    assert replayed(calls["therapy"]())


# Refusals


def test_what_was_refused_may_be_sent_again(calls: dict[str, Call], cast: Cast, api: Login) -> None:
    call, address = calls["visit"], calls["visit_void"].address
    assert_problem(call(body=call.body | {"targets": []}), 400)
    assert_problem(call(body="{"), 400)
    assert_problem(call(body=follow_up_of(Patient.objects.get(), "2024-02-26")), 409)
    assert_problem(Call(api(cast.viewer), call.address, call.body)(), 403)
    assert_problem(Call(api(cast.coordinator), address, WHY, if_match='"1"')(), 403)
    assert_problem(Call(api(cast.outsider), address, WHY, if_match='"1"')(), 404)
    assert_problem(Call(api(cast.investigator), address, WHY, if_match='"9"')(), 412)
    assert_problem(Call(api(cast.investigator), address, WHY)(), 428)
    assert not IdempotentAnswer.objects.exists()
    assert not replayed(calls["visit_void"]())
    assert call().status_code == 201


def test_a_body_beyond_the_limit_is_refused(enroll: Call) -> None:
    large = "{" + " " * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + "}"
    assert_problem(enroll(body=large), 413)
    assert enroll().status_code == 201
    assert_problem(enroll(body=large), 413)


@every_post
def test_what_cannot_be_kept_is_not_written(calls: dict[str, Call], name: str) -> None:
    before = rows()
    web = settings.WEB_DATABASE["USER"]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"REVOKE INSERT ON registry_idempotentanswer FROM {web}")
    with pytest.raises(ProgrammingError, match="permission denied"):
        calls[name]()
    assert rows() == before
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"GRANT INSERT ON registry_idempotentanswer TO {web}")
    assert not replayed(calls[name]())


# Access as it is now


@every_post
def test_who_lost_the_role_is_told_nothing(calls: dict[str, Call], name: str, cast: Cast) -> None:
    assert calls[name]().status_code < 300
    Membership.objects.filter(user__in=[cast.coordinator, cast.investigator]).delete()
    User.objects.update(is_superuser=False)
    gone = calls[name]()
    assert_problem(gone, 404)
    assert not replayed(gone)
    assert "ETag" not in gone
    unknown = calls[name].client.get("/patients/999999/")
    assert gone.content == unknown.content


def test_who_may_still_read_is_answered(enroll: Call, cast: Cast) -> None:
    enroll()
    Membership.objects.filter(user=cast.coordinator).delete()
    factories.membership(cast.coordinator, cast.trial, Role.VIEWER)
    assert replayed(enroll())
    assert_problem(enroll("another", body=enroll.body | {"subject_id": "S-10"}), 403)


def test_a_patient_who_moved_away_is_gone(enroll: Call, cast: Cast) -> None:
    enroll()
    Patient.objects.update(site=cast.trial.sites.get(code="02"))
    assert_problem(enroll(), 404)


def test_an_arm_is_not_told_once_the_trial_is_masked(enroll: Call, cast: Cast) -> None:
    Arm.objects.create(trial=cast.trial, name="Anlotinib")
    enroll.body |= {"arm": "Anlotinib"}
    assert enroll().json()["arm"] == "Anlotinib"
    assert replayed(enroll())
    Trial.objects.update(masking=Masking.DOUBLE)
    answer = enroll()
    assert_problem(answer, 404)
    assert b"Anlotinib" not in answer.content


# What it costs


def test_statements(
    calls: dict[str, Call], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call = calls["therapy"]
    with django_assert_num_queries(10):
        assert call.client.post(call.address, call.body).status_code == 201
    call.body |= {"started_on": "2024-06-02"}
    with django_assert_num_queries(10 + 6):  # savepoint, lock, look-up, purge, store, release
        assert call().status_code == 201
    with django_assert_num_queries(6):  # token, savepoint, lock, look-up, visibility, release
        assert replayed(call())


# Uploads


class Lines(views.APIView):
    """Answers the lines of its body, or the first of them only: a streamed view for these tests."""

    carried_out = 0

    @idempotent(lambda request, _told: User.objects.filter(pk=caller(request).pk), streamed=True)
    def post(self, request: Request) -> Response:
        """Read line by line."""
        type(self).carried_out += 1
        stream: Any = request.stream
        if "first" in request.query_params:
            return Response({"lines": [stream.readline(20).decode()]})
        return Response({"lines": [line.decode() for line in stream]}, status.HTTP_201_CREATED)


urlpatterns = [path("api/v1/lines/", Lines.as_view())]
MANY = "".join(f'{{"record": {n:09}, "text": "平滑肌肉瘤"}}\n' for n in range(70_000))


@pytest.fixture
def upload(cast: Cast, api: Login) -> Call:
    """An upload of 3 MB, which is more than a body held in memory may have."""
    assert len(MANY.encode()) > 1.1 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return Call(api(cast.coordinator), "/lines/", MANY)


@pytest.mark.urls(__name__)
class TestUploads:
    """Bodies that are read as they come."""

    def test_an_upload_is_carried_out_once(self, upload: Call) -> None:
        first, before = upload(), Lines.carried_out
        assert first.status_code == 201
        assert "".join(first.json()["lines"]) == MANY
        again = upload()
        assert replayed(again)
        assert again.content == first.content  # 3 MB
        assert Lines.carried_out == before

    @pytest.mark.parametrize("query", ["", "?first"])
    def test_another_upload_is_refused(self, upload: Call, query: str) -> None:
        assert upload(query=query).status_code < 300
        for body in (MANY + " ", MANY[:-1], MANY[1:], "", MANY.replace("9", "8", 1)):
            call = Call(upload.client, upload.address, body)
            assert_problem(call(query=query), 409)
        assert_problem(upload(query="?dry_run=true"), 409)
        assert replayed(upload(query=query))

    def test_without_a_key_it_is_read_all_the_same(self, upload: Call) -> None:
        answer = upload.client.post("/lines/", "a\nb")
        assert answer.json() == {"lines": ["a\n", "b"]}
        assert upload.client.post("/lines/", "").json() == {"lines": []}
        assert not IdempotentAnswer.objects.exists()

    def test_a_bad_key_is_refused_before_anything_is_read(self, upload: Call) -> None:
        before = Lines.carried_out
        assert_problem(upload(" "), 400)
        assert Lines.carried_out == before


class Recorded(BytesIO):
    """A stream that notes how much is asked of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[int | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        """Note, and read."""
        self.asked.append(size)
        return super().read(size)


READINGS: list[Callable[[Upload], object]] = [
    lambda upload: None,
    lambda upload: upload.read(),
    lambda upload: upload.read(5),
    lambda upload: upload.readline(),
    lambda upload: upload.readline(3),
    lambda upload: list(upload),
    lambda upload: [upload.readline(7), upload.read(100), next(iter(upload))],
    lambda upload: upload.hexdigest(),
]


@pytest.mark.parametrize("read", READINGS)
def test_the_digest_is_of_the_whole_upload(read: Callable[[Upload], object]) -> None:
    data = b"first\nsecond\n\nlast without an end" * 20_000
    upload = Upload(BytesIO(data))
    read(upload)
    assert upload.hexdigest() == hashlib.sha256(data).hexdigest()
    assert upload.read() == upload.readline() == b""


def test_what_is_only_hashed_is_not_held() -> None:
    stream = Recorded(b"x" * 1_000_000)
    Upload(stream).hexdigest()
    assert len(stream.asked) > 10
    assert max(size or 0 for size in stream.asked) <= 65_536
    assert -1 not in stream.asked


def test_a_baseline_entered_twice_is_one(cast: Cast, api: Login) -> None:
    patient = factories.patient(cast.trial)
    enter = Call(api(cast.coordinator), "/visits/", baseline_of(patient))
    assert enter().json() == enter().json()
    assert Visit.objects.count() == 1
