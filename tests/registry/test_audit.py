"""The trail: every audited model, every way of writing, and nobody can alter it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, ProgrammingError, connection, models, transaction
from django.utils import timezone

from patients.models import (
    Allocation,
    Consent,
    Deviation,
    Disposition,
    Dose,
    Query,
    QueryMessage,
    RandomizationSlot,
    Screening,
    Therapy,
)
from registry import audit
from registry.models import ApiToken, User
from tests import factories
from tests.conftest import Cast
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Official,
    RandomizationScheme,
    ReferenceRange,
    Site,
    Trial,
)

OUR_APPS = ("registry", "trials", "patients", "outcomes")
# One column of each audited model, and a new value that its constraints allow.
CHANGES: dict[str, tuple[str, Any]] = {
    "User": ("first_name", "Wei"),
    "ApiToken": ("expires_at", timezone.now()),
    "Trial": ("acronym", "ALTER"),
    "Site": ("city", "Shanghai"),
    "Arm": ("description", "changed"),
    "Intervention": ("unit", "mg"),
    "Endpoint": ("wording", "changed"),
    "Criterion": ("text", "changed"),
    "PublishedFigure": ("printed", "changed"),
    "Official": ("phone", "changed"),
    "ProtocolVersion": ("summary", "changed"),
    "ReferenceRange": ("upper", 50),
    "RandomizationScheme": ("factors", ["site"]),
    "Publication": ("title", "changed"),
    "Membership": ("valid_to", date(2030, 1, 1)),
    "Patient": ("histology", "leiomyosarcoma"),
    "Allocation": ("arm_id", None),
    "Therapy": ("description", "changed"),
    "AdverseEvent": ("grade", 4),
    "Consent": ("consent_version", "changed"),
    "Screening": ("failure_detail", "changed"),
    "Deviation": ("justification", "changed"),
    "Disposition": ("detail", "changed"),
    "Dose": ("unit", "g"),
    "Query": ("field", "changed"),
    "QueryMessage": ("text", "changed"),
    "RandomizationSlot": ("block", 9),
    "Lesion": ("description", "changed"),
    "Visit": ("stated_response_reason", "changed"),
    "Measurement": ("reason", "changed"),
    "NonTargetStatus": ("reason", "changed"),
    "NewLesionStatus": ("method", "mri"),
}
AUDITED = [m for m in apps.get_models() if hasattr(m, "pgh_event_model")]
EVENTS = [m for m in apps.get_models() if issubclass(m, pghistory.models.Event)]
every_audited_model = pytest.mark.parametrize("model", AUDITED, ids=lambda m: m.__name__)
every_event_table = pytest.mark.parametrize("model", EVENTS, ids=lambda m: m.__name__)


@pytest.fixture
def rows(cast: Cast) -> None:
    """At least one row of every audited model."""
    factories.token(cast.viewer)
    arm = Arm.objects.create(trial=cast.trial, name="A")
    Arm.objects.create(trial=cast.trial, name="B")
    Intervention.objects.create(arm=arm, name="Anlotinib")
    Endpoint.objects.create(trial=cast.trial, kind="OS")
    criterion = Criterion.objects.create(trial=cast.trial, kind="inclusion", text="Age 18 or more")
    Official.objects.create(trial=cast.trial, name="Xing Zhang")
    RandomizationScheme.objects.create(trial=cast.trial, ratio={"A": 1}, block_multiples=[2])
    site = cast.trial.sites.get(code="01")
    ReferenceRange.objects.create(
        site=site, item="alt", upper=40, unit="U/L", valid_from=factories.START
    )
    factories.published_figure(cast.trial)
    factories.publication()
    patient = factories.patient(cast.trial)
    Allocation.objects.create(patient=patient, trial=cast.trial, arm=arm)
    Therapy.objects.create(patient=patient, started_on=factories.START)
    factories.adverse_event(patient)
    Consent.objects.create(patient=patient, consent_version="1.0", signed_on=factories.START)
    screening = Screening.objects.create(
        patient=patient,
        protocol_version=cast.trial.protocol_version,
        screened_on=factories.START,
    )
    Deviation.objects.create(
        patient=patient, criterion=criterion, screening=screening, screening_version=1,
        occurred_on=factories.START, justification="why",
    )  # fmt: skip
    Disposition.objects.create(patient=patient, kind="completed", on=factories.START)
    Dose.objects.create(
        patient=patient, intervention="A", dose=12, unit="mg", started_on=factories.START
    )
    query = Query.objects.create(
        patient=patient, subject="patient", record_id=patient.pk, opened_by=cast.viewer
    )
    QueryMessage.objects.create(
        patient=patient, query=query, by=cast.viewer, action="opened", text="Why?"
    )
    RandomizationSlot.objects.create(
        trial=cast.trial, stratum="", position=1, block=1, arm=arm, patient=patient
    )
    factories.baseline(patient, by=cast.coordinator)
    new = (factories.new_lesion("NL01"),)
    factories.follow_up(patient, 42, by=cast.coordinator, new_lesions=new)


@contextmanager
def undone() -> Iterator[None]:
    """A savepoint that is rolled back, with who and why set."""
    with transaction.atomic():
        audit.attribute(by="tests", reason="because")
        yield
        transaction.set_rollback(True)


def change(model: Any, row: models.Model) -> tuple[str, Any]:
    """Another value for one column."""
    column, value = CHANGES[model.__name__]
    return column, Arm.objects.get(name="B").pk if model is Allocation else value


def save(model: Any, row: Any, column: str, value: Any) -> None:
    """Django's save()."""
    setattr(row, column, value)
    row.save()


def update(model: Any, row: Any, column: str, value: Any) -> None:
    """A QuerySet's update()."""
    model.objects.filter(pk=row.pk).update(**{column: value})


def bulk_update(model: Any, row: Any, column: str, value: Any) -> None:
    """A QuerySet's bulk_update()."""
    setattr(row, column, value)
    model.objects.bulk_update([row], [column.removesuffix("_id")])


def raw_update(model: Any, row: Any, column: str, value: Any) -> None:
    """SQL."""
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f'UPDATE {table} SET "{column}" = %s WHERE id = %s', [value, row.pk])


def test_every_model_of_ours_is_audited() -> None:
    ours = {m.__name__ for m in apps.get_models() if m._meta.app_label in OUR_APPS}
    events = {m.__name__ for m in EVENTS}
    assert {m.__name__ for m in AUDITED} == set(CHANGES)
    # An analysis is its own trail: it is added once and takes no change.
    unwatched = {"Analysis", "Draft", "IdempotentAnswer", "ImportRun", "VisitSheet"}
    assert ours - events - unwatched == set(CHANGES)


@pytest.mark.usefixtures("rows")
@every_audited_model
@pytest.mark.parametrize("write", [save, update, bulk_update, raw_update])
def test_every_update_is_recorded(model: Any, write: Callable[[Any, Any, str, Any], None]) -> None:
    row = model.objects.first()
    column, value = change(model, row)
    before = getattr(row, column)
    with undone():
        write(model, row, column, value)
        event = model.pgh_event_model.objects.filter(pgh_obj_id=row.pk).latest("pgh_id")
        assert event.pgh_label == "update"
        assert getattr(event, column) == value != before
        assert event.pgh_context["reason"] == "because"
        assert event.pgh_context["name"] == "tests"


@pytest.mark.usefixtures("rows")
@every_audited_model
def test_every_insert_is_recorded(model: Any) -> None:
    for row in model.objects.all():
        first = model.pgh_event_model.objects.filter(pgh_obj_id=row.pk).earliest("pgh_id")
        assert first.pgh_label == "insert"


@pytest.mark.usefixtures("rows")
@every_audited_model
def test_every_delete_is_recorded(model: Any) -> None:
    row = model.objects.first()
    with undone(), connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])
        event = model.pgh_event_model.objects.filter(pgh_obj_id=row.pk).latest("pgh_id")
        assert event.pgh_label == "delete"
        assert event.pgh_context["reason"] == "because"


def test_no_session_can_skip_a_trigger(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(tgname::text) FROM pg_trigger WHERE tgrelid = 'trials_site'::regclass"
        )
        (names,) = cursor.fetchone()
        assert names
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{','.join(names)}}}"]
        )
        cursor.execute("UPDATE trials_site SET name = 'forged' WHERE code = '01'")
    site = cast.trial.sites.get(code="01")
    event = apps.get_model("trials", "SiteEvent").objects.filter(pgh_obj=site).latest("pgh_id")
    assert event.name == "forged"


@pytest.mark.usefixtures("cast")
def test_the_web_role_cannot_add_to_the_trail() -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trials_siteevent (pgh_created_at, pgh_label, pgh_obj_id, id, trial_id, code,"
            " name, city, country, timezone) VALUES ('2000-01-01', 'insert', 1, 1, 1, 'x', '', '', '', '')"
        )


def test_bulk_and_raw_inserts_are_recorded(cast: Cast) -> None:
    audit.attribute(by=cast.administrator, reason="two more sites")
    Site.objects.bulk_create([Site(trial=cast.trial, code=code) for code in ("03", "04")])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trials_site"
            " (trial_id, code, name, city, state, zip, country, timezone, status)"
            " VALUES (%s, '05', '', '', '', '', '', 'UTC', '')",
            [cast.trial.pk],
        )
    events = Site.pgh_event_model.objects.filter(code__in=["03", "04", "05"])  # type: ignore[attr-defined]
    assert [event.pgh_label for event in events] == ["insert"] * 3
    for event in events:
        assert event.pgh_context["user"] == cast.administrator.pk
        assert event.pgh_context["name"] == "administrator"
        assert event.pgh_context["reason"] == "two more sites"


def test_secrets_are_not_copied_into_the_trail() -> None:
    secrets: list[tuple[Any, str]] = [(User, "password"), (ApiToken, "digest")]
    for model, secret in secrets:
        columns = {f.name for f in model.pgh_event_model._meta.get_fields()}
        assert secret not in columns


def test_a_login_fills_no_trail(cast: Cast) -> None:
    events = User.pgh_event_model.objects  # type: ignore[attr-defined]
    before = events.count()
    User.objects.update(last_login=timezone.now())
    assert events.count() == before


def refused(statement: str) -> None:
    """The database does not run this."""
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner|refused|[Cc]annot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@contextmanager
def as_owner() -> Iterator[None]:
    """The privileges of the tables' owner."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        yield
        cursor.execute(f"SET ROLE {settings.WEB_DATABASE['USER']}")


@pytest.mark.usefixtures("rows")
@every_event_table
def test_the_trail_cannot_be_altered(model: Any) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    statements = (
        f"UPDATE {table} SET pgh_label = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}",
        f"TRUNCATE {table} CASCADE",
    )  # fmt: skip
    for statement in statements:
        refused(statement)
    with as_owner():
        for statement in statements:
            refused(statement)


@pytest.mark.usefixtures("rows")
@every_audited_model
def test_no_audited_table_can_be_emptied_or_unwatched(model: Any) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    refused(f"TRUNCATE {table} CASCADE")
    refused(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    refused(f"DROP TABLE {table} CASCADE")
    with as_owner():
        refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.usefixtures("cast")
def test_the_web_role_owns_nothing_and_cannot_become_the_owner() -> None:
    web = settings.WEB_DATABASE["USER"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (web,)
        for catalog, owner in (
            ("class", "relowner"),
            ("proc", "proowner"),
            ("namespace", "nspowner"),
        ):
            cursor.execute(f"SELECT count(*) FROM pg_{catalog} WHERE {owner} = %s::regrole", [web])
            assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
            " WHERE rolname = %s",
            [web],
        )
        assert cursor.fetchone() == (False,) * 4
        cursor.execute("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", [web])
        assert cursor.fetchone() == (0,)
    refused("CREATE TABLE public.mine (id int)")
    refused("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    refused("SET session_replication_role = replica")


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_does_not_inherit_who_and_why() -> None:
    trial = factories.trial()
    with transaction.atomic():
        audit.attribute(by="tests", reason="the first reason")
        Trial.objects.filter(pk=trial.pk).update(acronym="first")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE trials_trial SET acronym = 'second' WHERE id = %s", [trial.pk])
    Trial.objects.filter(pk=trial.pk).update(acronym="third")
    events = Trial.pgh_event_model.objects.filter(pgh_label="update").order_by("pgh_id")  # type: ignore[attr-defined]
    assert [(event.acronym, event.pgh_context) for event in events[1:]] == [
        ("second", None), ("third", None),
    ]  # fmt: skip
    assert events[0].pgh_context["reason"] == "the first reason"


@pytest.mark.django_db(transaction=True)
def test_the_last_word_within_a_transaction_counts() -> None:
    trial = factories.trial()
    with transaction.atomic():
        for reason in ("one", "two"):
            audit.attribute(by="tests", reason=reason)
            Trial.objects.filter(pk=trial.pk).update(acronym=reason)
    events = Trial.pgh_event_model.objects.filter(pgh_label="update").order_by("pgh_id")  # type: ignore[attr-defined]
    assert [event.pgh_context["reason"] for event in events] == ["one", "two"]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nobody_can_be_named() -> None:
    with pytest.raises(RuntimeError, match="atomic"):
        audit.attribute(by="tests", reason="lost at once")


def test_times_are_the_servers(cast: Cast) -> None:
    Site.objects.filter(trial=cast.trial).update(city="Xi'an")
    event = Site.pgh_event_model.objects.latest("pgh_id")  # type: ignore[attr-defined]
    assert abs(event.pgh_created_at - timezone.now()) < timedelta(minutes=1)
