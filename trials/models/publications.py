"""What was published of a trial, as printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import (
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials.models.entries import Trial
from trials.publications import PublishedResults

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


@audited()
class PublishedFigure(models.Model):
    """A figure as a source prints it: kept verbatim, and flagged where it cannot be right."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="published")
    measure = models.CharField(_("measure"), max_length=100)
    source = models.CharField(_("source"), max_length=200)
    printed = models.CharField(_("as printed"), max_length=300)
    reconciled = models.CharField(
        _("reconciled"),
        max_length=300,
        blank=True,
        help_text=_("Blank: the printed figure stands."),
    )
    discrepancy = models.TextField(
        _("discrepancy"), blank=True, help_text=_("What contradicts the printed figure, and how.")
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("published figure")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "measure", "source"], name="published_figure_once_in_trial"
            ),
            models.CheckConstraint(
                condition=~Q(measure="") & ~Q(source="") & ~Q(printed=""),
                name="published_figure_given",
            ),
            models.CheckConstraint(
                condition=Q(reconciled="") | ~Q(discrepancy=""),
                name="published_figure_reconciled_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} ({self.source})"


class PublicationQuerySet(models.QuerySet["Publication"]):
    """Publications in domain words."""

    def as_seen_by(self, user: User | AnonymousUser) -> QuerySet[Publication]:
        """Each with the `visible_trial`: its trial's registry id, where the user works on it."""
        trials = Trial.objects.visible_to(user).filter(pk=OuterRef("trial"))
        return self.annotate(visible_trial=Subquery(trials.values("registry_id")))

    def named(self, key: str) -> Self:
        """The publication of this key, as it stands in an address: no key holds NUL."""
        return self.none() if "\0" in key else self.filter(key=key)


@audited()
class Publication(models.Model):
    """A publication of the catalogue: what it claims is a document (`trials.publications`)."""

    key = models.CharField(
        _("key"),
        max_length=60,
        validators=[
            RegexValidator(
                r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", _("Small letters and digits, with - between.")
            )
        ],
    )
    title = models.CharField(_("title"), max_length=600)
    year = models.PositiveSmallIntegerField(
        _("year"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2100)],
        help_text=_("Empty: not known."),
    )
    anlotinib = models.BooleanField(_("anlotinib"), default=True)
    sarcoma = models.BooleanField(_("sarcoma"), default=True)
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, null=True, blank=True, related_name="publications"
    )
    document = models.JSONField(_("document"))
    version = models.PositiveIntegerField(default=1)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name = _("publication")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="publication_key_unique"),
            models.CheckConstraint(
                condition=~Q(key="") & ~Q(title=""), name="publication_key_and_title_given"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def results(self) -> PublishedResults:
        """The stored document as a value."""
        return PublishedResults.parse(self.document)
