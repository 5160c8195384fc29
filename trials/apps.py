"""The trials app."""

from django.apps import AppConfig


class TrialsConfig(AppConfig):
    """See models/ for what it holds."""

    name = "trials"
    default_auto_field = "django.db.models.BigAutoField"
