"""The outcomes app."""

from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    """See models/ for what it holds."""

    name = "outcomes"
    default_auto_field = "django.db.models.BigAutoField"
