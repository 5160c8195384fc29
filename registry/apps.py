"""The project package as an app: accounts, audit, database."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Connects the grants of the web role to migrations, and a rule on texts to every form."""

    name = "registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Grant after migrate: the tables are known only then.

        Every text that a form takes is held to `seen`: those of models and of Django's own forms
        too, which a field class of our own would miss.
        """
        from django.db.models.signals import post_migrate
        from django.forms import CharField

        from registry import grants
        from registry.form_fields import seen

        post_migrate.connect(grants.grant_to_web, dispatch_uid="registry.grants")
        CharField.default_validators = [seen]
