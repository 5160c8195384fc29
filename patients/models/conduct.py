"""What happens to a patient in a trial: doses, adverse events, dispositions, later therapy."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from patients import ctcae
from patients.models.people import PLAUSIBLE, Patient
from patients.models.records import RecordQuerySet, plausible
from registry.audit import audited
from trials.definitions import TherapyKind
from trials.models import Site


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


class AdverseEventOutcome(models.TextChoices):
    """How an adverse event ended, or has not yet: CDISC's terms (OUT) as labels."""

    RECOVERED = "recovered", _("recovered or resolved")
    RECOVERED_WITH_SEQUELAE = "recovered_with_sequelae", _("recovered with sequelae")
    RECOVERING = "recovering", _("recovering or resolving")
    NOT_RECOVERED = "not_recovered", _("not recovered or not resolved")
    FATAL = "fatal", _("fatal")
    UNKNOWN = "unknown", _("unknown")


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


# What a dose says (EXADJ) where the action taken with the drug says so (ACN).
DOSE_ADJUSTMENTS: dict[str, str] = {
    ActionTaken.DOSE_REDUCED: Adjustment.REDUCED.value,
    ActionTaken.DRUG_INTERRUPTED: Adjustment.INTERRUPTED.value,
}
DEATH = 5  # the CTCAE grade of an event that led to death


class TherapyQuerySet(RecordQuerySet["Therapy"]):
    """Therapies in domain words."""


class AdverseEventQuerySet(RecordQuerySet["AdverseEvent"]):
    """Adverse events in domain words."""


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
        ordering = ["patient_id", "started_on", "id"]
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
        return f"{self.get_kind_display()} {self.started_on}"


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
    outcome = models.CharField(
        _("outcome"), max_length=30, choices=AdverseEventOutcome, blank=True, default=""
    )
    started_on = models.DateField(_("started on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    KEY = ADVERSE_EVENT_KEY
    objects = AdverseEventQuerySet.as_manager()

    class Meta:
        ordering = ["patient_id", "started_on", "id"]
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
                condition=Q(outcome="") | Q(outcome__in=AdverseEventOutcome.values),
                name="adverse_event_outcome_known",
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
        return f"{self.name} {self.started_on}"

    @property
    def dose_adjustment(self) -> str:
        """How a dose says what was done because of the event; blank where nothing was."""
        return DOSE_ADJUSTMENTS.get(self.action_taken, "")

    @property
    def name(self) -> str:
        """The term in the reader's language; as it was typed where CTCAE has no such term."""
        return ctcae.name(self.term, get_language() or "")


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
        ordering = ["patient_id", "on", "id"]
        verbose_name = _("disposition")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "kind", "on"],
                condition=Q(voided_at=None),
                name="disposition_once",
            ),
            plausible("disposition", "on"),
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
        return f"{self.get_kind_display()} {self.on}"


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
        ordering = ["patient_id", "started_on", "id"]
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
            plausible("dose", "started_on"),
            plausible("dose", "ended_on", blank=True),
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
