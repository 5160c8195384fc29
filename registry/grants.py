"""What the web role may do: it owns nothing, and the audit trail it may only read.

To a table whose model says `append_only` it may add, and no more.
"""

from typing import Any

import pghistory.models
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection
from django.db.models import Model

READ = "SELECT"
ADD = "SELECT, INSERT"
WRITE = "SELECT, INSERT, UPDATE, DELETE"

# pgtrigger lets any session name triggers to skip; here no trigger may be skipped.
ALWAYS_ON = """
    CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name NAME) RETURNS BOOLEAN
    AS $$ BEGIN RETURN FALSE; END $$ LANGUAGE plpgsql
"""
# The triggers write the audit trail as the owner, so that the web role needs no right to add to it.
AS_OWNER = """
    DO $$ DECLARE name regprocedure; BEGIN
        FOR name IN SELECT oid FROM pg_proc
            WHERE proname LIKE 'pgtrigger\\_%' AND pronamespace = 'public'::regnamespace
        LOOP
            EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = public, pg_temp', name);
        END LOOP;
    END $$
"""


def privileges() -> dict[str, str]:
    """Privileges of the web role per table."""
    return {
        model._meta.db_table: _privilege(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def _privilege(model: type[Model]) -> str:
    """A model that says `append_only` keeps its rows as they were added."""
    if issubclass(model, pghistory.models.Event):
        return READ
    return ADD if getattr(model, "append_only", False) else WRITE


def grant_to_web(app_config: AppConfig, **_: Any) -> None:
    """Bring the web role's privileges up to date after the last app's migrations."""
    web = settings.WEB_DATABASE["USER"]
    if app_config.name != "registry":
        return
    existing = set(connection.introspection.table_names())
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone() == (web,):  # one login for both roles, or a flush in the tests
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quote(web)}")
        cursor.execute(f"GRANT SELECT ON django_migrations TO {quote(web)}")
        for table, granted in privileges().items():
            if table in existing:
                cursor.execute(f"REVOKE ALL ON {quote(table)} FROM {quote(web)}")
                cursor.execute(f"GRANT {granted} ON {quote(table)} TO {quote(web)}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quote(web)}")
        cursor.execute(ALWAYS_ON)
        cursor.execute(AS_OWNER)
