"""People in trials: pseudonymous, with the dates that the endpoints need."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import ExtractYear
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials.access import in_scope
from trials.definitions import TherapyKind
from trials.models import Arm, Criterion, ProtocolVersion, Site, Trial

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


class DispositionKind(models.TextChoices):
    """What ended, or moved; death and last sight are dates of the patient."""

    TREATMENT_DISCONTINUED = "treatment_discontinued", _("treatment discontinued")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    LOST_TO_FOLLOW_UP = "lost_to_follow_up", _("lost to follow-up")
    COMPLETED = "completed", _("study completed")
    TRANSFERRED = "transferred", _("transferred to another site")


class DispositionReason(models.TextChoices):
    """CDISC's terms for not completing (NCOMPLT) as labels."""

    PROGRESSIVE_DISEASE = "progressive_disease", _("progressive disease")
    ADVERSE_EVENT = "adverse_event", _("adverse event")
    DEATH = "death", _("death")
    WITHDRAWAL_BY_SUBJECT = "withdrawal_by_subject", _("withdrawal by subject")
    PHYSICIAN_DECISION = "physician_decision", _("physician decision")
    PROTOCOL_DEVIATION = "protocol_deviation", _("protocol deviation")
    LOST_TO_FOLLOW_UP = "lost_to_follow_up", _("lost to follow-up")
    COMPLETED = "completed", _("completed")
    OTHER = "other", _("other")


class Adjustment(models.TextChoices):
    """How a dose differs from the one before: CDISC's EXADJ."""

    NONE = "none", _("none")
    REDUCED = "reduced", _("reduced")
    INTERRUPTED = "interrupted", _("interrupted")
    INCREASED = "increased", _("increased")


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

    def with_consent_withdrawal(self) -> Self:
        """With `consent_withdrawn_on`: None too where a new consent was signed afterwards."""
        mine = Consent.objects.filter(voided_at=None)
        again = mine.filter(patient=OuterRef("patient"), signed_on__gt=OuterRef("withdrawn_on"))
        last = mine.filter(~Exists(again), patient=OuterRef("pk"), withdrawn_on__isnull=False)
        days = last.order_by("-withdrawn_on").values("withdrawn_on")[:1]
        return self.annotate(consent_withdrawn_on=Subquery(days))

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


Record = TypeVar(
    "Record",
    "Therapy",
    "AdverseEvent",
    "Consent",
    "Screening",
    "Deviation",
    "Disposition",
    "Dose",
)


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


class ConsentQuerySet(RecordQuerySet["Consent"]):
    """Consents in domain words."""


class ScreeningQuerySet(RecordQuerySet["Screening"]):
    """Screenings in domain words."""


class DeviationQuerySet(RecordQuerySet["Deviation"]):
    """Deviations in domain words."""


class DispositionQuerySet(RecordQuerySet["Disposition"]):
    """Dispositions in domain words."""


class DoseQuerySet(RecordQuerySet["Dose"]):
    """Doses in domain words."""


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


def _plausible(name: str, field: str, *, blank: bool = False) -> models.CheckConstraint:
    """A date within reach of a clinical trial."""
    within = Q(**{f"{field}__range": PLAUSIBLE})
    condition = Q(**{field: None}) | within if blank else within
    return models.CheckConstraint(condition=condition, name=f"{name}_{field}_plausible")


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
        ordering = ["patient", "signed_on", "id"]
        verbose_name = _("consent")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "consent_version", "signed_on"],
                condition=Q(voided_at=None),
                name="consent_once",
            ),
            models.CheckConstraint(condition=~Q(consent_version=""), name="consent_version_given"),
            _plausible("consent", "signed_on"),
            _plausible("consent", "withdrawn_on", blank=True),
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
        ordering = ["patient", "screened_on", "id"]
        verbose_name = _("screening")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "screened_on"],
                condition=Q(voided_at=None),
                name="screening_once",
            ),
            _plausible("screening", "screened_on"),
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
    """A protocol deviation: an investigator enrolls in spite of a criterion, and says why.

    It covers what the investigator saw: one screening at one version, not what is corrected later.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="deviations")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="deviations")
    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="deviations")
    screening_version = models.PositiveIntegerField()
    occurred_on = models.DateField(_("occurred on"))
    justification = models.TextField(_("justification"), max_length=2000)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ("screening", "screening_version", "criterion")
    objects = DeviationQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "occurred_on", "id"]
        verbose_name = _("protocol deviation")
        constraints = [
            models.UniqueConstraint(
                fields=["screening", "screening_version", "criterion"],
                condition=Q(voided_at=None),
                name="deviation_once",
            ),
            _plausible("deviation", "occurred_on"),
            models.CheckConstraint(
                condition=Q(justification__regex=r"\S"), name="deviation_justified"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.criterion_id}"


@audited()
class Disposition(models.Model):
    """What ended for a patient, or where to they moved, when and why (CDISC DS)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="dispositions")
    kind = models.CharField(_("kind"), max_length=30, choices=DispositionKind)
    on = models.DateField(_("date"))
    reason = models.CharField(_("reason"), max_length=30, choices=DispositionReason, blank=True)
    detail = models.CharField(_("details"), max_length=500, blank=True)
    follow_up_continues = models.BooleanField(_("follow-up continues"), null=True, blank=True)
    from_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    to_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ("patient", "kind", "on")
    objects = DispositionQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "on", "id"]
        verbose_name = _("disposition")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "kind", "on"],
                condition=Q(voided_at=None),
                name="disposition_once",
            ),
            _plausible("disposition", "on"),
            models.CheckConstraint(
                condition=Q(kind__in=DispositionKind.values), name="disposition_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(reason="") | Q(reason__in=DispositionReason.values),
                name="disposition_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(kind=DispositionKind.WITHDRAWN, follow_up_continues__isnull=False)
                | (~Q(kind=DispositionKind.WITHDRAWN) & Q(follow_up_continues=None)),
                name="disposition_withdrawal_says_whether_follow_up_continues",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=DispositionKind.TRANSFERRED,
                    from_site__isnull=False,
                    to_site__isnull=False,
                )
                | (~Q(kind=DispositionKind.TRANSFERRED) & Q(from_site=None, to_site=None)),
                name="disposition_transfer_names_both_sites",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"


@audited()
class Dose(models.Model):
    """What was given from a day to a day (CDISC EX): a dose of 0 is a pause."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="doses")
    intervention = models.CharField(_("intervention"), max_length=100)
    dose = models.DecimalField(
        _("dose"), max_digits=10, decimal_places=3, validators=[MinValueValidator(0)]
    )
    unit = models.CharField(_("unit"), max_length=20)
    started_on = models.DateField(_("started on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    adjustment = models.CharField(
        _("adjustment"), max_length=20, choices=Adjustment, default=Adjustment.NONE
    )
    adjustment_reason = models.CharField(_("reason of the adjustment"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ("patient", "intervention", "started_on")
    objects = DoseQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "started_on", "id"]
        verbose_name = _("dose")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "intervention", "started_on"],
                condition=Q(voided_at=None),
                name="dose_once",
            ),
            models.CheckConstraint(
                condition=~Q(intervention="") & ~Q(unit=""), name="dose_intervention_given"
            ),
            models.CheckConstraint(condition=Q(dose__gte=0), name="dose_not_negative"),
            _plausible("dose", "started_on"),
            _plausible("dose", "ended_on", blank=True),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="dose_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(adjustment__in=Adjustment.values), name="dose_adjustment_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.intervention} {self.started_on}"


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
        ordering = ["trial", "stratum", "position"]
        verbose_name = _("randomization slot")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "stratum", "position"], name="randomization_slot_position_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial_id} {self.stratum} {self.position}"
