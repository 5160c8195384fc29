"""What the web role may do: it owns nothing, and the audit trail it may only add to and read."""

from typing import Any

import pghistory.models
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection

READ_AND_ADD = "SELECT, INSERT"
WRITE = "SELECT, INSERT, UPDATE, DELETE"


def privileges() -> dict[str, str]:
    """Privileges of the web role per table."""
    return {
        model._meta.db_table: (READ_AND_ADD if issubclass(model, pghistory.models.Event) else WRITE)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def grant_to_web(app_config: AppConfig, **_: Any) -> None:
    """Bring the web role's privileges up to date after the last app's migrations."""
    web = settings.WEB_DATABASE["USER"]
    if app_config.name != "registry" or web == connection.settings_dict["USER"]:
        return
    existing = set(connection.introspection.table_names())
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quote(web)}")
        cursor.execute(f"GRANT SELECT ON django_migrations TO {quote(web)}")
        for table, granted in privileges().items():
            if table in existing:
                cursor.execute(f"REVOKE ALL ON {quote(table)} FROM {quote(web)}")
                cursor.execute(f"GRANT {granted} ON {quote(table)} TO {quote(web)}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quote(web)}")
