"""The patients app."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """See models/ for what it holds."""

    name = "patients"
    default_auto_field = "django.db.models.BigAutoField"
