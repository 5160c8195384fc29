"""The outcomes app."""

from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    """See models/ for what it holds."""

    name = "outcomes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear what the apps below announce."""
        from outcomes import windows
        from patients.signals import first_dose_moved

        first_dose_moved.connect(windows.look_again, dispatch_uid="windows")
