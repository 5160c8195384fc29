"""The trials app."""

from django.apps import AppConfig


class TrialsConfig(AppConfig):
    """See models/ for what it holds."""

    name = "trials"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Row-level security after migrate: the tables are known only then."""
        from django.db.models.signals import post_migrate

        from trials import row_security

        post_migrate.connect(row_security.install, dispatch_uid="trials.row_security")
