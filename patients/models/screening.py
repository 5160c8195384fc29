"""Consents, screenings and deviations: what comes before an enrollment."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models.people import Patient
from patients.models.records import RecordQuerySet, plausible
from registry.audit import audited
from trials.models import Criterion, ProtocolVersion


class Conclusion(models.TextChoices):
    """How a screening stands."""

    OPEN = "open", _("open")
    ELIGIBLE = "eligible", _("eligible")
    FAILED = "failed", _("screen failure")


class FailureReason(models.TextChoices):
    """Why a screened person is not enrolled: CONSORT 2010, item 13a."""

    NOT_ELIGIBLE = "not_eligible", _("not meeting eligibility criteria")
    DECLINED = "declined", _("declined to participate")
    OTHER = "other", _("other reason")


class DeviationCategory(models.TextChoices):
    """What a protocol deviation is about (CDISC DVCAT): ICH E3, 10.2, and what sites log besides."""

    ELIGIBILITY = "eligibility", _("eligibility")
    CONSENT = "consent", _("informed consent")
    DOSING = "dosing", _("wrong treatment or dose")
    PROHIBITED_MEDICATION = "prohibited_medication", _("prohibited medication")
    VISIT_OR_ASSESSMENT = "visit_or_assessment", _("visit or assessment")
    NOT_WITHDRAWN = "not_withdrawn", _("not withdrawn in spite of withdrawal criteria")
    OTHER = "other", _("other")


class ConsentQuerySet(RecordQuerySet["Consent"]):
    """Consents in domain words."""


class ScreeningQuerySet(RecordQuerySet["Screening"]):
    """Screenings in domain words."""


COVERING = Q(
    criterion__isnull=False,
    screening__voided_at=None,
    screening_version=F("screening__version"),
)


class DeviationQuerySet(RecordQuerySet["Deviation"]):
    """Deviations in domain words."""

    def covering(self) -> Self:
        """Not voided, of a screening as it is now: what was corrected since needs another."""
        return self.filter(COVERING, voided_at=None)

    def in_force(self) -> Self:
        """Not voided; of those from a criterion, what covers its screening."""
        return self.filter(Q(criterion=None) | COVERING, voided_at=None)


OF_A_CRITERION = ("screening", "screening_version", "criterion")
DEVIATION_KEY = ("patient", "occurred_on", "category", "description")


@audited()
class Consent(models.Model):
    """Informed consent: which form, signed when, and whether it was withdrawn."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    consent_version = models.CharField(_("consent version"), max_length=40)
    signed_on = models.DateField(_("signed on"))
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ("patient", "consent_version", "signed_on")
    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["patient_id", "signed_on", "id"]
        verbose_name = _("consent")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "consent_version", "signed_on"],
                condition=Q(voided_at=None),
                name="consent_once",
            ),
            models.CheckConstraint(condition=~Q(consent_version=""), name="consent_version_given"),
            plausible("consent", "signed_on"),
            plausible("consent", "withdrawn_on", blank=True),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None) | Q(withdrawn_on__gte=F("signed_on")),
                name="consent_withdrawn_after_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consent_version} {self.signed_on}"


@audited()
class Screening(models.Model):
    """What was found of a person against a protocol's criteria, and how each was judged.

    `values` is what was entered, by item; `results` what was judged of it then, one object per
    criterion. Both stay as they were when the protocol is amended.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="screenings")
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="screenings"
    )
    screened_on = models.DateField(_("screened on"))
    values = models.JSONField(_("values"), default=dict)
    results = models.JSONField(_("results"), default=list)
    conclusion = models.CharField(
        _("conclusion"), max_length=10, choices=Conclusion, default=Conclusion.OPEN
    )
    failure_reason = models.CharField(
        _("reason of the screen failure"), max_length=20, choices=FailureReason, blank=True
    )
    failure_detail = models.CharField(_("details"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ("patient", "screened_on")
    objects = ScreeningQuerySet.as_manager()

    class Meta:
        ordering = ["patient_id", "screened_on", "id"]
        verbose_name = _("screening")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "screened_on"],
                condition=Q(voided_at=None),
                name="screening_once",
            ),
            plausible("screening", "screened_on"),
            models.CheckConstraint(
                condition=Q(conclusion__in=Conclusion.values), name="screening_conclusion_known"
            ),
            models.CheckConstraint(
                condition=Q(conclusion=Conclusion.FAILED, failure_reason__in=FailureReason.values)
                | (~Q(conclusion=Conclusion.FAILED) & Q(failure_reason="")),
                name="screening_failure_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.screened_on}"


@audited()
class Deviation(models.Model):
    """A protocol deviation (CDISC DV): of a category, described, major or minor.

    With a criterion it is an enrollment in spite of it, which an investigator justifies. That covers
    what the investigator saw: one screening at one version, not what is corrected later. A violated
    criterion is major unless the investigator says otherwise (ICH E9, 5.2.2). Without a criterion it
    is what happened in the course of the trial. Who has a major one is not in the per-protocol
    population.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="deviations")
    criterion = models.ForeignKey(
        Criterion, on_delete=models.PROTECT, null=True, blank=True, related_name="deviations"
    )
    screening = models.ForeignKey(
        Screening, on_delete=models.PROTECT, null=True, blank=True, related_name="deviations"
    )
    screening_version = models.PositiveIntegerField(null=True, blank=True)
    occurred_on = models.DateField(_("occurred on"))
    category = models.CharField(
        _("category"),
        max_length=30,
        choices=DeviationCategory,
        default=DeviationCategory.ELIGIBILITY,
    )
    description = models.CharField(_("description"), max_length=500, blank=True)
    justification = models.TextField(_("justification"), max_length=2000, blank=True)
    major = models.BooleanField(_("major"), default=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = DeviationQuerySet.as_manager()

    class Meta:
        ordering = ["patient_id", "occurred_on", "id"]
        verbose_name = _("protocol deviation")
        constraints = [
            models.UniqueConstraint(
                fields=OF_A_CRITERION, condition=Q(voided_at=None), name="deviation_once"
            ),
            models.UniqueConstraint(
                fields=DEVIATION_KEY,
                condition=Q(voided_at=None, criterion=None),
                name="deviation_described_once",
            ),
            plausible("deviation", "occurred_on"),
            models.CheckConstraint(
                condition=Q(category__in=DeviationCategory.values), name="deviation_category_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    criterion__isnull=False,
                    screening__isnull=False,
                    screening_version__isnull=False,
                    category=DeviationCategory.ELIGIBILITY,
                    justification__regex=r"\S",
                )
                | Q(
                    criterion=None,
                    screening=None,
                    screening_version=None,
                    description__regex=r"\S",
                ),
                name="deviation_justified_or_described",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()} {self.occurred_on}"

    @property
    def KEY(self) -> tuple[str, ...]:
        """What tells it from another: a criterion of a screening, or what happened when."""
        return OF_A_CRITERION if self.criterion_id else DEVIATION_KEY

    @property
    def text(self) -> str:
        """What happened, or why it was taken upon oneself."""
        return self.description or self.justification
