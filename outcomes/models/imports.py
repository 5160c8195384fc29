"""Files of many visits: what was uploaded, and how far its import has come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from trials.models import Trial

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


SILENT = timedelta(minutes=10)  # how long an import may wait or work without a word


SHEET_KEPT = timedelta(days=1)
PURGED_AT_ONCE = 20  # a bound on what one upload cleans up after others


class VisitSheetQuerySet(models.QuerySet["VisitSheet"]):
    """Uploaded sheets in domain words."""

    def of(self, user: User | AnonymousUser) -> Self:
        """The user's own, young enough to be looked at; nobody else sees them."""
        return self.filter(user=user.pk, created_at__gt=timezone.now() - SHEET_KEPT)

    def purge(self) -> None:
        """Delete some that are too old, none that another request works on: nobody waits."""
        old = self.filter(created_at__lte=timezone.now() - SHEET_KEPT).order_by("created_at")
        batch = old.select_for_update(skip_locked=True).values("pk")[:PURGED_AT_ONCE]
        self.filter(pk__in=batch).delete()


class VisitSheet(models.Model):
    """A spreadsheet of visits as it was read, until it is stored; gone after a day.

    Not audited, since the visits are when they are stored. Whoever checks or stores it holds a
    lock on its row: what has begun and holds none has died.
    """

    class State(models.TextChoices):
        READ = "read", _("read")
        CHECKED = "checked", _("checked")
        STORED = "stored", _("stored")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visit_sheets"
    )
    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="visit_sheets")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    about = models.JSONField(default=dict)  # how it was read: sheet, layout, columns
    lines = models.JSONField(default=list)  # visits, as `visit_sheet_visits` has them
    found = models.JSONField(default=dict)  # what each line does, as it was last checked
    state = models.CharField(max_length=10, choices=State, default=State.READ)
    created_at = models.DateTimeField(default=timezone.now)

    objects = VisitSheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit sheet")
        indexes = [models.Index(fields=["created_at"], name="visit_sheet_created_at")]

    def __str__(self) -> str:
        return self.file_name


class ImportRun(models.Model):
    """How far an import of many records has come, told while its transaction is still open.

    No clinical data, so not audited; the imported rows are. No constraints in the database, since
    the connection that tells may not see yet what the importing one has written.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        STORED = "stored", _("stored")
        CHECKED = "checked", _("checked, nothing stored")
        REFUSED = "refused", _("refused, nothing stored")
        FAILED = "failed", _("failed, nothing stored")

    trial = models.ForeignKey(
        Trial, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    sheet = models.ForeignKey(
        VisitSheet, on_delete=models.SET_NULL, null=True, related_name="runs", db_constraint=False
    )
    dry_run = models.BooleanField()
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    lines = models.PositiveIntegerField()
    lines_done = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("import")

    def __str__(self) -> str:
        return f"{self.lines_done} of {self.lines}: {self.state}"

    @property
    def state_now(self) -> State:
        """The state; a run that nobody has heard of for so long was killed, and stored nothing."""
        silent = timezone.now() - self.updated_at > SILENT
        return (
            self.State.FAILED
            if self.state == self.State.RUNNING and silent
            else self.State(self.state)
        )
