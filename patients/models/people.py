"""People in trials: pseudonymous, with the dates that the endpoints need, and their arms."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import ExtractYear
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials.access import in_review, in_scope
from trials.models import Arm, Site, Trial

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


DATES = (
    "enrolled_on",
    "randomized_on",
    "first_dose_on",
    "last_dose_on",
    "last_known_alive_on",
    "died_on",
)


class Sex(models.TextChoices):
    FEMALE = "female", _("female")
    MALE = "male", _("male")
    UNKNOWN = "unknown", _("unknown")


MOST_PRIOR_LINES = 20  # of systemic therapy: no more is plausible
PLAUSIBLE = (date(1900, 1, 1), date(2199, 12, 31))  # no clinical date lies outside


def _not_before_birth(field: str) -> Q:
    year = ExtractYear(F(field))
    return Q(**{field: None}) | Q(birth_year=None) | Q(birth_year__lte=year)


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients in domain words."""

    def active(self) -> Self:
        """Not voided."""
        return self.filter(voided_at=None)

    def with_consent_withdrawal(self) -> Self:
        """With `consent_withdrawn_on`: None too where a new consent was signed afterwards."""
        from patients.models.screening import Consent

        mine = Consent.objects.filter(voided_at=None)
        again = mine.filter(patient=OuterRef("patient"), signed_on__gt=OuterRef("withdrawn_on"))
        last = mine.filter(~Exists(again), patient=OuterRef("pk"), withdrawn_on__isnull=False)
        days = last.order_by("-withdrawn_on").values("withdrawn_on")[:1]
        return self.annotate(consent_withdrawn_on=Subquery(days))

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Patients of the user's sites and trials."""
        return in_scope(self, user)

    def reviewable_by(self, user: User | AnonymousUser) -> Self:
        """Enrolled patients whose scans the user reads as an independent reviewer."""
        return in_review(self, user).filter(enrolled_on__isnull=False)

    def known_to(self, user: User | AnonymousUser) -> Self:
        """Patients of whom the user may write something, by whatever door."""
        rows = self.model.objects.all()
        seen, reviewed = rows.visible_to(user), rows.reviewable_by(user)
        return self.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=reviewed.values("pk")))


@audited()
class Patient(models.Model):
    """A person in a trial; no name, no full birth date."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="patients")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    subject_id = models.CharField(
        _("subject ID"),
        max_length=40,
        validators=[
            RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", _("Letters, digits, . _ - only."))
        ],
    )
    sex = models.CharField(_("sex"), max_length=10, choices=Sex, default=Sex.UNKNOWN)
    birth_year = models.PositiveSmallIntegerField(
        _("birth year"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2100)],
    )
    histology = models.CharField(_("histology"), max_length=100, blank=True)
    ecog = models.PositiveSmallIntegerField(
        _("ECOG performance status"), null=True, blank=True, validators=[MaxValueValidator(5)]
    )
    prior_lines = models.PositiveSmallIntegerField(
        _("prior lines of systemic therapy"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_PRIOR_LINES)],
    )
    enrolled_on = models.DateField(_("enrolled on"), null=True, blank=True)
    randomized_on = models.DateField(_("randomized on"), null=True, blank=True)
    first_dose_on = models.DateField(_("first dose on"), null=True, blank=True)
    last_dose_on = models.DateField(_("last dose on"), null=True, blank=True)
    last_known_alive_on = models.DateField(_("last known alive on"), null=True, blank=True)
    died_on = models.DateField(_("died on"), null=True, blank=True)
    death_cause = models.CharField(_("cause of death"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["trial", "subject_id"]
        verbose_name = _("patient")
        constraints = [
            models.UniqueConstraint(fields=["id", "trial"], name="patient_identifies_trial"),
            models.UniqueConstraint(
                fields=["trial", "subject_id"], name="patient_subject_id_unique_in_trial"
            ),
            models.CheckConstraint(condition=~Q(subject_id=""), name="patient_subject_id_given"),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="patient_sex_known"),
            models.CheckConstraint(
                condition=Q(ecog=None) | Q(ecog__lte=5), name="patient_ecog_0_to_5"
            ),
            models.CheckConstraint(
                condition=Q(prior_lines=None) | Q(prior_lines__lte=MOST_PRIOR_LINES),
                name="patient_prior_lines_0_to_20",
            ),
            models.CheckConstraint(
                condition=Q(birth_year=None) | Q(birth_year__range=(1900, 2100)),
                name="patient_birth_year_plausible",
            ),
            models.CheckConstraint(
                condition=Q(last_dose_on=None) | Q(last_dose_on__gte=F("first_dose_on")),
                name="patient_last_dose_after_first",
            ),
            models.CheckConstraint(
                condition=Q(died_on=None)
                | Q(last_dose_on=None)
                | Q(died_on__gte=F("last_dose_on")),
                name="patient_no_dose_after_death",
            ),
            models.CheckConstraint(
                condition=Q(died_on=None)
                | Q(first_dose_on=None)
                | Q(died_on__gte=F("first_dose_on")),
                name="patient_first_dose_before_death",
            ),
            models.CheckConstraint(
                condition=Q(died_on=None)
                | Q(last_known_alive_on=None)
                | Q(died_on__gte=F("last_known_alive_on")),
                name="patient_not_alive_after_death",
            ),
            *(
                models.CheckConstraint(
                    condition=_not_before_birth(field), name=f"patient_{field}_after_birth"
                )
                for field in DATES
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{field: None}) | Q(**{f"{field}__range": PLAUSIBLE}),
                    name=f"patient_{field}_plausible",
                )
                for field in DATES
            ),
        ]

    def __str__(self) -> str:
        return self.subject_id

    @property
    def arm(self) -> Arm | None:
        """The allocated arm, if any."""
        allocation = getattr(self, "allocation", None)
        return allocation.arm if allocation else None


@audited()
class Allocation(models.Model):
    """Which arm a patient is in: a table of its own, so that blinding holds in audit diffs too."""

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="allocation")
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="allocations")

    class Meta:
        verbose_name = _("allocation")

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.arm_id}"


@audited()
class RandomizationSlot(models.Model):
    """One place of a permuted block: its arm is fixed before anybody is known to take it.

    Nobody may read the places that are not taken: no page, no answer, no export has them.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="randomization_slots")
    stratum = models.CharField(max_length=300)
    position = models.PositiveIntegerField()
    block = models.PositiveIntegerField()
    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="+")
    patient = models.OneToOneField(
        Patient,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="randomization_slot",
    )

    class Meta:
        ordering = ["trial_id", "stratum", "position"]
        verbose_name = _("randomization slot")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "stratum", "position"], name="randomization_slot_position_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial_id} {self.stratum} {self.position}"
