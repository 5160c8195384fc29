"""The project package as an app: accounts, audit, database."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Connects the grants of the web role to the end of each migration."""

    name = "registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Grant after migrate: the tables are known only then."""
        from django.db.models.signals import post_migrate

        from registry import grants

        post_migrate.connect(grants.grant_to_web, dispatch_uid="registry.grants")
