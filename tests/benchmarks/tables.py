"""Courses as rows of the audited tables, and the fastest way to write them that psycopg2 has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from psycopg2.extras import execute_values

from outcomes.methods.organs import organ_group
from outcomes.models import (
    INVESTIGATOR,
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    Visit,
)
from patients.models import Patient, Therapy
from registry import audit
from registry.models import User
from tests.benchmarks.courses import Body, Course, derived_columns
from trials.models import Membership, Site, Trial
from trials.vocabularies import Role

Row = dict[str, Any]
Rows = dict[type[models.Model], list[Row]]
PAGE = 1000  # rows per statement
TABLES: tuple[type[models.Model], ...] = (
    Patient, Therapy, Lesion, Visit, Measurement, NonTargetStatus, NewLesionStatus,
)  # fmt: skip


def trial(registry_id: str, by: User) -> Trial:
    """An empty trial with four sites in which the user may read, write and import."""
    with transaction.atomic():
        audit.attribute(by=by, reason="benchmark")
        made = Trial.objects.create(registry_id=registry_id, brief_title="Benchmark")
        Site.objects.bulk_create(Site(trial=made, code=f"{i:02}") for i in range(1, 5))
        for role in (Role.INVESTIGATOR, Role.DATA_MANAGER):
            Membership.objects.create(user=by, trial=made, role=role)
    return made


def rows(courses: Sequence[Course], of: Trial) -> Rows:
    """The rows of these courses, with ids drawn from the tables' sequences."""
    made: Rows = {table: [] for table in TABLES}
    sites = dict(of.sites.values_list("code", "pk"))
    ids = {table: _ids(table) for table in (Patient, Lesion, Visit)}
    for course in courses:
        facts = {k: v for k, v in course.patient.items() if k != "site"}
        pk = next(ids[Patient])
        site = sites[course.patient["site"]]
        made[Patient].append({"id": pk, "trial_id": of.pk, "site_id": site} | facts)
        made[Therapy] += ({"patient_id": pk} | therapy for therapy in course.therapies)
        _timeline(made, course, pk, ids)
    return made


def _ids(table: type[models.Model]) -> Iterator[int]:
    """Ids from the table's sequence, a thousand per statement."""
    draw = f"SELECT nextval(pg_get_serial_sequence('{table._meta.db_table}', 'id')) FROM generate_series(1, {PAGE})"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(draw)
            drawn = cursor.fetchall()
        yield from (pk for (pk,) in drawn)


def _timeline(made: Rows, course: Course, patient: int, ids: Mapping[Any, Iterator[int]]) -> None:
    lesions: dict[str, int] = {}
    for lesion in _lesions(course):
        lesions[lesion["label"]] = pk = next(ids[Lesion])
        made[Lesion].append({"id": pk, "patient_id": patient} | lesion)
    for visit, derived in zip(course.visits, course.derived(), strict=True):
        pk = next(ids[Visit])
        facts = {"id": pk, "patient_id": patient, "kind": visit["kind"], "date": visit["date"]}
        made[Visit].append(facts | derived_columns(derived))
        for table, seen in _seen(visit):
            lesion_id = lesions[seen.pop("lesion")]
            made[table].append(
                {"patient_id": patient, "visit_id": pk, "lesion_id": lesion_id} | seen
            )


def _lesions(course: Course) -> Iterator[Row]:
    """The lesions as they are described where they are first seen."""
    baseline, *later = course.visits
    taken: Counter[str] = Counter()
    for number, row in enumerate(baseline["targets"], 1):
        group = organ_group(row["organ"])
        taken[group] += 1
        slots = {"target_number": number, "organ_slot": taken[group], "slice_mm": row["slice_mm"]}
        yield _lesion(row, LesionRole.TARGET) | slots
    yield from (_lesion(row, LesionRole.NON_TARGET) for row in baseline["non_targets"])
    for visit in later:
        yield from (_lesion(row, LesionRole.NEW) for row in visit["new_lesions"] if "organ" in row)


def _lesion(row: Body, role: LesionRole) -> Row:
    return {
        "label": row["lesion"],
        "role": role,
        "organ": row["organ"],
        "organ_group": organ_group(row["organ"]),
        "method": row.get("method", ""),
        "target_number": None,
        "organ_slot": None,
        "slice_mm": None,
    }


def _seen(visit: Body) -> Iterator[tuple[type[models.Model], Row]]:
    """What was seen of each lesion."""
    for row in visit["targets"]:
        facts = {"diameter_mm": row.get("diameter_mm"), "reason": row.get("reason", "")}
        method = {"method": row.get("method", ""), "slice_mm": row.get("slice_mm")}
        yield Measurement, {"lesion": row["lesion"], "state": row["state"]} | facts | method
    for row in visit["non_targets"]:
        yield NonTargetStatus, {"lesion": row["lesion"], "status": row["status"]}
    for row in visit["new_lesions"]:
        yield NewLesionStatus, {"lesion": row["lesion"], "certainty": row["certainty"]}


def insert(made: Rows, by: User) -> int:
    """Write the rows with `execute_values`, audited, in one transaction; how many there were."""
    with transaction.atomic():
        audit.attribute(by=by, reason="benchmark")
        with connection.cursor() as cursor:
            for table in TABLES:
                _insert(cursor.cursor, table, made[table])
    return sum(map(len, made.values()))


def statements(made: Rows) -> int:
    """How many statements `insert` sends: one per table and page, and who writes."""
    return 1 + sum(-(-len(rows) // PAGE) for rows in made.values())


def _insert(cursor: Any, table: type[models.Model], rows: list[Row]) -> None:
    """Columns that no row names have the field's default."""
    if not rows:
        return
    columns = [f for f in table._meta.concrete_fields if f.attname != "id" or "id" in rows[0]]
    names = [field.attname for field in columns]
    default = {f.attname: _default(f) for f in columns}
    assert default.keys() >= {name for row in rows for name in row}, table
    values = [tuple((default | row).values()) for row in rows]
    sql = f"INSERT INTO {table._meta.db_table} ({', '.join(names)}) VALUES %s"
    execute_values(cursor, sql, values, page_size=PAGE)


def _default(field: models.Field[Any, Any]) -> Any:
    if field.attname == "evaluator":
        return INVESTIGATOR
    default = field.get_default()
    return "{}" if default == [] else default


def count(of: Trial) -> dict[str, int]:
    """The rows of a trial per table."""
    counted = defaultdict(int, {Patient.__name__: Patient.objects.filter(trial=of).count()})
    for table in TABLES[1:]:
        counted[table.__name__] = table._default_manager.filter(patient__trial=of).count()
    return counted
