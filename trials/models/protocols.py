"""Protocol versions with their criteria, and how arms are allotted."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import (
    F,
    Q,
)
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials import vocabularies as v


@audited()
class ProtocolVersion(models.Model):
    """The protocol as first filed (number 1) or as amended; screenings keep the one they used."""

    trial = models.ForeignKey(
        "trials.Trial", on_delete=models.PROTECT, related_name="protocol_versions"
    )
    number = models.PositiveSmallIntegerField(_("number"))
    label = models.CharField(_("label"), max_length=40)
    effective_on = models.DateField(_("effective on"), null=True, blank=True)
    summary = models.TextField(_("summary of changes"), blank=True)
    consent_version = models.CharField(
        _("consent version"),
        max_length=40,
        blank=True,
        help_text=_("The form that patients sign under this protocol; blank: any."),
    )

    class Meta:
        ordering = ["trial", "number"]
        verbose_name = _("protocol version")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "number"], name="protocol_version_number_unique_in_trial"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="protocol_version_number_positive"
            ),
            models.CheckConstraint(condition=~Q(label=""), name="protocol_version_label_given"),
        ]

    def __str__(self) -> str:
        return self.label


class CriterionQuerySet(models.QuerySet["Criterion"]):
    """Criteria in domain words."""

    def current(self) -> Self:
        """Of the protocol as it stands."""
        return self.filter(until=None)

    def of(self, number: int) -> Self:
        """Of the protocol version with this number."""
        return self.filter(Q(until=None) | Q(until__gt=number), since__lte=number)


@audited()
class Criterion(models.Model):
    """An eligibility criterion: its text, and its rule once it has one.

    It belongs to the protocol versions from `since` up to, without, `until`; an amendment retires
    what it changes and leaves the rest, with its id, as it is.
    """

    trial = models.ForeignKey("trials.Trial", on_delete=models.PROTECT, related_name="criteria")
    kind = models.CharField(_("kind"), max_length=10, choices=v.CriterionKind)
    text = models.TextField(_("text"))
    rule = models.JSONField(_("rule"), null=True, blank=True)
    note = models.TextField(
        _("note"), blank=True, help_text=_("What was repaired or decided in reading the text.")
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    since = models.PositiveSmallIntegerField(default=1)
    until = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = CriterionQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("criterion")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=v.CriterionKind.values), name="criterion_kind_known"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="criterion_text_given"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="criterion_retired_after_its_first_version",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


@audited()
class RandomizationScheme(models.Model):
    """How arms are allotted: permuted blocks within strata (ICH E9, section 2.3.2).

    `ratio` maps arm names to whole numbers; a block has the sum of the ratio times one of
    `block_multiples`, drawn at random. Hidden from whoever could guess the next arm by it.
    """

    trial = models.OneToOneField(
        "trials.Trial", on_delete=models.PROTECT, related_name="randomization"
    )
    ratio = models.JSONField(_("ratio"))
    block_multiples = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(1), MaxValueValidator(20)],
        ),
        verbose_name=_("block multiples"),
    )
    factors = ArrayField(
        models.CharField(max_length=20, choices=v.StratificationFactor),
        default=list,
        blank=True,
        verbose_name=_("stratification factors"),
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("randomization scheme")

    def __str__(self) -> str:
        return f"{self.trial_id}"
