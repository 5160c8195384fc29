"""Queries: questions about what was recorded, opened by a soft check or by a person, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.people import Patient
from registry.audit import audited
from trials.access import in_scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


class QueryState(models.TextChoices):
    OPEN = "open", _("open")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed")


class ClosedBecause(models.TextChoices):
    """Why a query is closed; the first three stand for a person's decision."""

    CONFIRMED = "confirmed", _("confirmed, as in source")
    COMMENTED = "commented", _("explained by a comment")
    RESOLVED = "resolved", _("resolved")
    VALUE_CHANGED = "value_changed", _("the value changed")
    VOIDED = "voided", _("the record was voided")


class QuerySubject(models.TextChoices):
    """What kind of record a query speaks of."""

    PATIENT = "patient", _("patient")
    VISIT = "visit", _("visit")
    ADVERSE_EVENT = "adverse_event", _("adverse event")
    DOSE = "dose", _("dose")
    THERAPY = "therapy", _("subsequent therapy")
    DISPOSITION = "disposition", _("disposition")
    CONSENT = "consent", _("consent")
    SCREENING = "screening", _("screening")


class MessageAction(models.TextChoices):
    """What a message did to its query."""

    OPENED = "opened", _("opened")
    ANSWERED = "answered", _("answered")
    CONFIRMED = "confirmed", _("confirmed, as in source")
    COMMENTED = "commented", _("commented")
    CLOSED = "closed", _("closed")
    REOPENED = "reopened", _("reopened")


SETTLED = (ClosedBecause.CONFIRMED, ClosedBecause.COMMENTED, ClosedBecause.RESOLVED)


class QueryQuerySet(models.QuerySet["Query"]):
    """Queries in domain words."""

    def active(self) -> Self:
        """Of patients who are not voided."""
        return self.filter(patient__voided_at=None)

    def open(self) -> Self:
        """Not closed: open or answered."""
        return self.active().exclude(state=QueryState.CLOSED)

    def unanswered(self) -> Self:
        """Waiting for the site."""
        return self.active().filter(state=QueryState.OPEN)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Of visible patients."""
        return in_scope(self, user, "patient__")

    def of_record(self, subject: QuerySubject, pk: int) -> Self:
        """About one record."""
        return self.filter(subject=subject, record_id=pk)

    def with_question(self) -> Self:
        """With patient, and the first message of each as `first_message`; no further statement."""
        mine = QueryMessage.objects.filter(query=OuterRef("pk")).order_by("pk")
        rows = self.annotate(first_message=Subquery(mine.values("text")[:1]))
        return rows.select_related("patient__trial", "patient__site", "opened_by")

    def with_thread(self) -> Self:
        """With patient, people and messages, in three statements."""
        return self.with_question().prefetch_related("messages__by")


@audited()
class Query(models.Model):
    """A question about one record of a patient: its lesion and field where it is about those.

    A check's query has the check's code, the parameters that say what it asks, and nobody as
    `opened_by`; one that a person wrote has neither, and its question is the first message.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="queries")
    subject = models.CharField(_("record type"), max_length=20, choices=QuerySubject)
    record_id = models.PositiveBigIntegerField(_("record"))
    lesion = models.CharField(_("lesion"), max_length=10, blank=True)
    field = models.CharField(_("field"), max_length=50, blank=True)
    code = models.CharField(_("check"), max_length=40, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=QueryState, default=QueryState.OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_because = models.CharField(
        _("closed because"), max_length=20, choices=ClosedBecause, blank=True
    )
    closed_value = models.CharField(_("value that closed it"), max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = QueryQuerySet.as_manager()
    first_message: str | None = None  # as `with_question` reads it

    class Meta:
        ordering = ["opened_at", "id"]
        verbose_name = _("query")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "record_id", "code", "lesion", "field"],
                condition=~Q(state=QueryState.CLOSED),
                name="query_one_open_per_question",
            ),
            models.UniqueConstraint(fields=["id", "patient"], name="query_identifies_patient"),
            models.CheckConstraint(
                condition=Q(state__in=QueryState.values), name="query_state_known"
            ),
            models.CheckConstraint(
                condition=Q(subject__in=QuerySubject.values), name="query_subject_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=QueryState.CLOSED,
                    closed_at__isnull=False,
                    closed_because__in=ClosedBecause.values,
                )
                | ~Q(state=QueryState.CLOSED)
                & Q(closed_at=None, closed_because="", closed_value=""),
                name="query_closed_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(opened_by=None) & ~Q(code="") | Q(opened_by__isnull=False, code=""),
                name="query_opened_by_check_or_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.record_id} {self.lesion} {self.code}".strip()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to say."""
        return self.state == QueryState.CLOSED

    def asks(self, parameters: dict[str, Any]) -> bool:
        """Whether this is the same question, of the same values."""
        return bool(self.parameters == parameters)

    def close(self, because: ClosedBecause, value: str = "") -> None:
        """Let the query be closed from now on."""
        self.state, self.closed_at = QueryState.CLOSED, timezone.now()
        self.closed_because, self.closed_value = because, value[:100]

    def open_again(self) -> None:
        """Let the query wait for the site again."""
        self.state, self.closed_at = QueryState.OPEN, None
        self.closed_because = self.closed_value = ""


@audited()
class QueryMessage(models.Model):
    """What somebody said in a query's thread."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(_("action"), max_length=10, choices=MessageAction)
    text = models.CharField(_("message"), max_length=1000, blank=True)

    class Meta:
        ordering = ["query_id", "id"]
        verbose_name = _("message")
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=MessageAction.values), name="query_message_action_known"
            ),
            models.CheckConstraint(
                condition=Q(action=MessageAction.CONFIRMED) | Q(text__regex=r"\S"),
                name="query_message_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.text}"
