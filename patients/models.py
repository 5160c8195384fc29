"""People in trials: pseudonymous, with the dates that the endpoints need."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import ExtractYear
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials.access import in_scope
from trials.definitions import TherapyKind
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


class TherapyChoice(models.TextChoices):
    SYSTEMIC = TherapyKind.SYSTEMIC.value, _("systemic")
    RADIOTHERAPY = TherapyKind.RADIOTHERAPY.value, _("radiotherapy")
    SURGERY = TherapyKind.SURGERY.value, _("surgery")


class ActionTaken(models.TextChoices):
    """With study treatment because of an adverse event: CDISC's terms (ACN) as labels."""

    NONE = "none", _("dose not changed")
    DOSE_REDUCED = "dose_reduced", _("dose reduced")
    DRUG_INTERRUPTED = "drug_interrupted", _("drug interrupted")
    DRUG_WITHDRAWN = "drug_withdrawn", _("drug withdrawn")
    NOT_APPLICABLE = "not_applicable", _("not applicable")
    UNKNOWN = "unknown", _("unknown")


DEATH = 5  # the CTCAE grade of an event that led to death
PLAUSIBLE = (date(1900, 1, 1), date(2199, 12, 31))  # no clinical date lies outside


def _not_before_birth(field: str) -> Q:
    year = ExtractYear(F(field))
    return Q(**{field: None}) | Q(birth_year=None) | Q(birth_year__lte=year)


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients in domain words."""

    def active(self) -> Self:
        """Not voided."""
        return self.filter(voided_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Patients of the user's sites and trials."""
        return in_scope(self, user)


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


Record = TypeVar("Record", "Therapy", "AdverseEvent")


class RecordQuerySet(models.QuerySet[Record]):
    """What is recorded of patients, in domain words."""

    def active(self) -> Self:
        """Not voided, of a patient who is not voided."""
        return self.filter(voided_at=None, patient__voided_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Of visible patients."""
        return in_scope(self, user, "patient__")

    def twins_of(self, row: Record) -> Self:
        """Other active rows with the same key."""
        key = {name: getattr(row, name) for name in row.KEY}
        return self.active().filter(**key).exclude(pk=row.pk)


class TherapyQuerySet(RecordQuerySet["Therapy"]):
    """Therapies in domain words."""


class AdverseEventQuerySet(RecordQuerySet["AdverseEvent"]):
    """Adverse events in domain words."""


THERAPY_KEY = ("patient", "started_on", "kind", "description")
ADVERSE_EVENT_KEY = ("patient", "term", "started_on")


@audited()
class Therapy(models.Model):
    """Subsequent anticancer therapy."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="therapies")
    started_on = models.DateField(_("started on"))
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=TherapyChoice,
        default=TherapyChoice.SYSTEMIC,
    )
    description = models.CharField(_("description"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = THERAPY_KEY
    objects = TherapyQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "started_on", "id"]
        verbose_name = _("subsequent therapy")
        constraints = [
            models.CheckConstraint(
                condition=Q(started_on__range=PLAUSIBLE), name="therapy_started_on_plausible"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TherapyChoice.values), name="therapy_kind_known"
            ),
            models.UniqueConstraint(
                fields=THERAPY_KEY, condition=Q(voided_at=None), name="therapy_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_on}"


@audited()
class AdverseEvent(models.Model):
    """An adverse event: its CTCAE term, the worst grade it reached, and what was done about it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="adverse_events")
    term = models.CharField(_("term"), max_length=100)
    grade = models.PositiveSmallIntegerField(
        _("grade"), validators=[MinValueValidator(1), MaxValueValidator(DEATH)]
    )
    related = models.BooleanField(_("related to the trial treatment"))
    serious = models.BooleanField(_("serious"), default=False)
    action_taken = models.CharField(
        _("action taken"), max_length=20, choices=ActionTaken, default=ActionTaken.UNKNOWN
    )
    started_on = models.DateField(_("started on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ADVERSE_EVENT_KEY
    objects = AdverseEventQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "started_on", "id"]
        verbose_name = _("adverse event")
        constraints = [
            models.CheckConstraint(condition=Q(term__regex=r"\S"), name="adverse_event_term_given"),
            models.CheckConstraint(
                condition=Q(grade__range=(1, DEATH)), name="adverse_event_grade_1_to_5"
            ),
            models.CheckConstraint(
                condition=Q(action_taken__in=ActionTaken.values),
                name="adverse_event_action_taken_known",
            ),
            models.CheckConstraint(
                condition=Q(started_on__range=PLAUSIBLE), name="adverse_event_started_on_plausible"
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__range=PLAUSIBLE),
                name="adverse_event_ended_on_plausible",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="adverse_event_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=ADVERSE_EVENT_KEY, condition=Q(voided_at=None), name="adverse_event_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.term} {self.started_on}"
