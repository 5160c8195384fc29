"""The gate behind the gate: PostgreSQL shows a reader the patients' rows of their sites only.

`access` filters in Python, finely: by role and action. Here is the bound that no forgotten filter
passes. `migrate` puts a policy on every table that holds what belongs to a patient, event tables
included, found by their columns: a model that is added later has one without being told. The
policies say who reads and writes a row by the same memberships (`access.in_scope`, `in_review`,
`where_review_is_read`), against the account that `registry.reader` has set; the owner of the tables
is not bound by them, nor is a superuser of the registry. Protocols have none: a trial's design,
sites and endpoints are what registries publish.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.apps import AppConfig, apps
from django.db import connection
from django.db.models import Model

from trials.access import ALLOWED, Action
from trials.vocabularies import Role

POLICY = "of_reader"
# Tables with a patient that have no policy, and why.
EXEMPT = {
    "patients_randomizationslot": "The next place of a stratum depends on what other sites took;"
    " nobody reads places (`patients.allocation`).",
}

VALID = """
    m.user_id = registry_reader_id()
    AND m.valid_from <= (now() AT TIME ZONE 'UTC')::date
    AND (m.valid_to IS NULL OR m.valid_to >= (now() AT TIME ZONE 'UTC')::date)
"""
CURRENT = f"""
    {VALID} AND NOT EXISTS (
        SELECT FROM trials_membership r
        WHERE r.user_id = m.user_id AND r.trial_id = m.trial_id AND r.role = '{Role.REVIEWER}'
        AND r.valid_from <= (now() AT TIME ZONE 'UTC')::date
        AND (r.valid_to IS NULL OR r.valid_to >= (now() AT TIME ZONE 'UTC')::date))
"""
SITES = """
    SELECT s.id FROM trials_site s JOIN trials_membership m
    ON m.trial_id = s.trial_id AND (m.site_id IS NULL OR m.site_id = s.id) WHERE
"""
READING = ", ".join(f"'{role}'" for role in sorted(ALLOWED[Action.READ_REVIEW]))
# What each function returns, and the statement that it is.
FUNCTIONS = {
    "registry_reader_id": (
        "bigint",
        "SELECT nullif(nullif(current_setting('registry.reader', true), ''), '*')::bigint",
    ),
    "registry_reads_all": (
        "boolean",
        """SELECT coalesce(current_setting('registry.reader', true) = '*', false) OR EXISTS (
            SELECT FROM registry_user u
            WHERE u.id = registry_reader_id() AND u.is_superuser AND u.is_active)""",
    ),
    "registry_sites": ("SETOF bigint", SITES + CURRENT),
    "registry_review_sites": ("SETOF bigint", f"{SITES} {VALID} AND m.role = '{Role.REVIEWER}'"),
    "registry_trials": (
        "SETOF bigint",
        f"SELECT m.trial_id FROM trials_membership m WHERE m.site_id IS NULL AND {CURRENT}",
    ),
    "registry_review_trials": (
        "SETOF bigint",
        f"""SELECT m.trial_id FROM trials_membership m
            WHERE m.site_id IS NULL AND m.role IN ({READING}) AND {CURRENT}""",
    ),
}

ALL = "(SELECT registry_reads_all())"
AT_MINE = "{p}.site_id IN (SELECT registry_sites())"
AT_REVIEWED = "{p}.site_id IN (SELECT registry_review_sites())"
IN_REVIEW_TRIAL = "{p}.trial_id IN (SELECT registry_review_trials())"


def install(app_config: AppConfig, **_: Any) -> None:
    """After `migrate`: the functions, and on each table of patients the policy as it is to be."""
    if app_config.name != "trials" or not _is_owner():
        return
    existing = set(connection.introspection.table_names())
    if not {"trials_membership", "patients_patient"} <= existing:
        return
    with connection.cursor() as cursor:
        for name, (returned, body) in FUNCTIONS.items():
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS {returned}"
                f" LANGUAGE sql STABLE PARALLEL SAFE AS $$ {body} $$"
            )
        for table, condition in sorted(policies().items()):
            if table in existing:
                _protect(cursor, table, condition)


def _is_owner() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class"
            " WHERE oid = to_regclass('trials_membership')"
        )
        found = cursor.fetchone()
    return bool(found and found[0])


def _protect(cursor: Any, table: str, condition: str) -> None:
    """Replace the policy where it is another one: a table that is in use is not locked for nothing."""
    digest = hashlib.sha256(condition.encode()).hexdigest()
    cursor.execute(
        "SELECT obj_description(oid, 'pg_policy') FROM pg_policy"
        " WHERE polrelid = %s::regclass AND polname = %s",
        [table, POLICY],
    )
    if cursor.fetchone() == (digest,):
        return
    name = connection.ops.quote_name(table)
    cursor.execute(
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"
        f" DROP POLICY IF EXISTS {POLICY} ON {name};"
        f" CREATE POLICY {POLICY} ON {name} USING ({condition});"
        f" COMMENT ON POLICY {POLICY} ON {name} IS '{digest}'"
    )


def policies() -> dict[str, str]:
    """The condition under which a reader sees a row, by table."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        condition = _condition(model)
        if condition and model._meta.db_table not in EXEMPT:
            found[model._meta.db_table] = f"{ALL} OR {condition}"
    return found


def _condition(model: type[Model]) -> str | None:
    """Of a table of patients, of what is told of one, of a user's own or of a trial's analyses."""
    tracked: Any = getattr(model, "pgh_tracked_model", model)
    table, known_as = model._meta.db_table, tracked._meta.db_table
    if known_as == "patients_patient":
        return _patient(table, "pgh_obj_id" if tracked is not model else "")
    if known_as in OF_OTHERS:
        return OF_OTHERS[known_as].format(table=table)
    columns = {field.attname for field in model._meta.concrete_fields}
    if "patient_id" not in columns:
        return None
    if {"visit_id", "lesion_id"} <= columns and "evaluator" not in columns:  # the visit's
        return f"EXISTS (SELECT FROM outcomes_visit v WHERE v.id = {table}.visit_id)"
    return _of_patient(table, "evaluator" in columns)


OF_OTHERS = {
    "patients_querymessage": "EXISTS (SELECT FROM patients_query q WHERE q.id = {table}.query_id)",
    "outcomes_analysis": "{table}.trial_id IN (SELECT registry_trials())",
    "outcomes_visitsheet": "{table}.user_id = (SELECT registry_reader_id())",
    "registry_draft": "{table}.user_id = (SELECT registry_reader_id())",
}


def _patient(table: str, key: str) -> str:
    if key:
        return f"EXISTS (SELECT FROM patients_patient p WHERE p.id = {table}.{key})"
    return f"{AT_MINE} OR {AT_REVIEWED} OR {IN_REVIEW_TRIAL}".format(p=table)


def _of_patient(table: str, evaluated: bool) -> str:
    """Of the sites; what an independent reviewer read, of the review."""
    row = f"EXISTS (SELECT FROM patients_patient p WHERE p.id = {table}.patient_id AND "
    mine = f"{row}{AT_MINE})".format(p="p")
    if not evaluated:
        return mine
    review = f"{row}({AT_REVIEWED} OR {IN_REVIEW_TRIAL}))".format(p="p")
    return f"CASE WHEN {table}.evaluator = 'reviewer' THEN {review} ELSE {mine} END"
