"""Visits, and what was seen of each lesion at each.

The derived columns of a visit are what `methods.recist` made of it on write; `manage.py
recompute` rebuilds them. Measurements cannot point at another patient's lesion, nor at one that
another evaluator named: composite foreign keys through the patient and the evaluator see to that
(migration 0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date as Date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from outcomes.methods import checks, recist
from outcomes.methods.irecist import ImmuneDerived, ImmuneResponse
from outcomes.models.lesions import (
    DIAMETER,
    INVESTIGATOR,
    REVIEWER,
    Evaluator,
    Lesion,
    MethodChoice,
    diameter,
)
from patients.models import PLAUSIBLE, Patient
from registry.audit import audited
from trials.access import in_review, in_scope, where_review_is_read

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


METHODS_VERSION = 2


class ResponseChoice(models.TextChoices):
    CR = recist.Response.CR.value, _("complete response")
    PR = recist.Response.PR.value, _("partial response")
    SD = recist.Response.SD.value, _("stable disease")
    PD = recist.Response.PD.value, _("progressive disease")
    NE = recist.Response.NE.value, _("not evaluable")
    NON_CR_NON_PD = recist.Response.NON_CR_NON_PD.value, _("non-CR/non-PD")


class TargetStateChoice(models.TextChoices):
    MEASURED = recist.TargetState.MEASURED.value, _("Measured")
    TOO_SMALL = recist.TargetState.TOO_SMALL.value, _("Too small to measure (5 mm)")
    ABSENT = recist.TargetState.ABSENT.value, _("Absent (0 mm)")
    NOT_EVALUABLE = recist.TargetState.NOT_EVALUABLE.value, _("Not evaluable")
    MERGED = recist.TargetState.MERGED.value, _("Merged into another")


class NonTargetStateChoice(models.TextChoices):
    ABSENT = recist.NonTargetState.ABSENT.value, _("Absent")
    PRESENT = recist.NonTargetState.PRESENT.value, _("Present")
    INCREASED = recist.NonTargetState.INCREASED.value, _("Increased, not unequivocal")
    UNEQUIVOCAL_PROGRESSION = (
        recist.NonTargetState.UNEQUIVOCAL_PROGRESSION.value,
        _("Unequivocal progression"),
    )
    NOT_EVALUABLE = recist.NonTargetState.NOT_EVALUABLE.value, _("Not evaluable")


class CertaintyChoice(models.TextChoices):
    UNEQUIVOCAL = recist.Certainty.UNEQUIVOCAL.value, _("Unequivocal")
    EQUIVOCAL = recist.Certainty.EQUIVOCAL.value, _("Equivocal")


class GrowthChoice(models.TextChoices):
    NONE = recist.Growth.NONE.value, _("Not larger")
    INCREASED = recist.Growth.INCREASED.value, _("Larger")
    UNEQUIVOCAL = recist.Growth.UNEQUIVOCAL.value, _("Unequivocally larger")


class ImmuneResponseChoice(models.TextChoices):
    ICR = ImmuneResponse.ICR.value, _("complete response")
    IPR = ImmuneResponse.IPR.value, _("partial response")
    ISD = ImmuneResponse.ISD.value, _("stable disease")
    IUPD = ImmuneResponse.IUPD.value, _("unconfirmed progression")
    ICPD = ImmuneResponse.ICPD.value, _("confirmed progression")
    NE = ImmuneResponse.NE.value, _("not evaluable")
    NON_ICR_NON_IUPD = ImmuneResponse.NON_ICR_NON_IUPD.value, _("non-iCR/non-iUPD")


def _evaluator() -> models.CharField[Any, Any]:
    """The visit's and the lesion's, which are one: not audited apart from them."""
    return models.CharField(max_length=20, choices=Evaluator, default=INVESTIGATOR, editable=False)


def _growth() -> models.CharField[Any, Any]:
    return models.CharField(
        _("growth"),
        max_length=20,
        choices=GrowthChoice,
        blank=True,
        default="",
        help_text=_("Since the visit before, of a lesion that is judged by eye (iRECIST)."),
    )


def _sum(verbose_name: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        verbose_name, max_digits=7, decimal_places=2, null=True, editable=False
    )


class VisitQuerySet(models.QuerySet["Visit"]):
    """Visits in domain words."""

    def active(self) -> Self:
        """Not voided, of a patient who is not voided."""
        return self.filter(voided_at=None, patient__voided_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The investigators' visits of visible patients; those of the review have their own doors."""
        return in_scope(self.filter(evaluator=INVESTIGATOR), user, "patient__")

    def reviewed_by(self, user: User | AnonymousUser) -> Self:
        """The review's visits of the patients whose scans the user reads."""
        return in_review(self.filter(evaluator=REVIEWER), user, "patient__")

    def of_review(self, user: User | AnonymousUser) -> Self:
        """The review's visits that the user may read: its readers' own, and of the whole trial."""
        rows = self.model.objects.filter(evaluator=REVIEWER)
        own, seen = rows.reviewed_by(user), where_review_is_read(rows, user, "patient__")
        mine = Q(pk__in=own.values("pk")) | Q(pk__in=seen.values("pk"))
        return self.filter(mine, evaluator=REVIEWER)

    def readable_by(self, user: User | AnonymousUser) -> Self:
        """Visits of either evaluator that the user may read."""
        rows = self.model.objects.all()
        seen, review = rows.visible_to(user), rows.of_review(user)
        return self.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=review.values("pk")))

    def with_rows(self) -> Self:
        """With the patient and every row and lesion, in four statements."""
        return self.select_related("patient__trial", "patient__site").prefetch_related(
            Prefetch("measurements", Measurement.objects.select_related("lesion", "merged_into")),
            Prefetch("non_target_statuses", NonTargetStatus.objects.select_related("lesion")),
            Prefetch("new_lesion_statuses", NewLesionStatus.objects.select_related("lesion")),
        )


@audited()
class Visit(models.Model):
    """What one evaluator saw of a patient's tumor on one date, and what RECIST 1.1 makes of it."""

    class Kind(models.TextChoices):
        BASELINE = "baseline", _("Baseline")
        SCHEDULED = "scheduled", _("Scheduled")
        UNSCHEDULED = "unscheduled", _("Unscheduled")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visits")
    evaluator = models.CharField(
        _("evaluator"), max_length=20, choices=Evaluator, default=INVESTIGATOR
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    date = models.DateField(_("scan date"))
    stated_response = models.CharField(
        _("stated response"), max_length=20, choices=ResponseChoice, blank=True
    )
    stated_response_reason = models.CharField(
        _("reason for a different response"), max_length=500, blank=True
    )
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    sum_mm = _sum(_("sum of diameters"))
    baseline_sum_mm = _sum(_("baseline sum"))
    nadir_mm = _sum(_("nadir"))
    complete = models.BooleanField(default=False, editable=False)
    target_response = models.CharField(
        max_length=20, choices=ResponseChoice, blank=True, editable=False
    )
    non_target_response = models.CharField(
        max_length=20, choices=ResponseChoice, blank=True, editable=False
    )
    new_lesion = models.BooleanField(default=False, editable=False)
    overall_response = models.CharField(
        _("response"), max_length=20, choices=ResponseChoice, blank=True, editable=False
    )
    reasons = models.JSONField(default=list, editable=False)
    warnings = models.JSONField(default=list, editable=False)
    irecist_response = models.CharField(
        _("response by iRECIST"),
        max_length=20,
        choices=ImmuneResponseChoice,
        blank=True,
        default="",
        editable=False,
    )
    irecist = models.JSONField(default=dict, editable=False)
    methods_version = models.PositiveSmallIntegerField(default=METHODS_VERSION, editable=False)

    objects = VisitQuerySet.as_manager()
    # Rows that a write has at hand, by relation, so that its answer need not read them again.
    written: Mapping[str, Sequence[Any]] = MappingProxyType({})

    class Meta:
        ordering = ["patient_id", "date"]
        verbose_name = _("visit")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "evaluator", "date"],
                condition=Q(voided_at=None),
                name="visit_one_per_date",
            ),
            models.UniqueConstraint(
                fields=["patient", "evaluator"],
                condition=Q(kind="baseline", voided_at=None),
                name="visit_one_baseline",
            ),
            models.UniqueConstraint(
                fields=["id", "patient", "evaluator"], name="visit_identifies_patient_and_evaluator"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["baseline", "scheduled", "unscheduled"]),
                name="visit_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(evaluator__in=Evaluator.values), name="visit_evaluator_known"
            ),
            models.CheckConstraint(
                condition=Q(sum_mm=None) | Q(sum_mm__gte=0), name="visit_sum_not_negative"
            ),
            models.CheckConstraint(condition=Q(date__range=PLAUSIBLE), name="visit_date_plausible"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__in": ["", *ResponseChoice.values]}),
                    name=f"visit_{name}_known",
                )
                for name in (
                    "overall_response",
                    "target_response",
                    "non_target_response",
                    "stated_response",
                )
            ),
            models.CheckConstraint(
                condition=Q(irecist_response__in=["", *ImmuneResponseChoice.values]),
                name="visit_irecist_response_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="baseline", overall_response="")
                | ~Q(kind="baseline") & ~Q(overall_response=""),
                name="visit_response_after_baseline_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.date}"

    def rows(self, relation: str) -> Iterable[Any]:
        """What was seen of its lesions of one kind: as just written, else as prefetched."""
        if relation in self.written:
            return self.written[relation]
        found: Iterable[Any] = getattr(self, relation).all()
        return found

    def as_derived(self) -> recist.Derived:
        """The derived columns as a value."""
        return recist.Derived(
            sum_mm=self.sum_mm,
            baseline_sum_mm=self.baseline_sum_mm,
            nadir_mm=self.nadir_mm,
            complete=self.complete,
            target_response=_response(self.target_response),
            non_target_response=_response(self.non_target_response),
            new_lesion=self.new_lesion,
            overall_response=_response(self.overall_response),
            reasons=tuple(_reason(document) for document in self.reasons),
            warnings=tuple(_reason(document) for document in self.warnings),
            immune=self._as_immune(),
        )

    def _as_immune(self) -> ImmuneDerived | None:
        """What iRECIST makes of it; None of a baseline, and where it was never derived."""
        if not self.irecist_response:
            return None
        said = self.irecist
        sum_mm, since = said["new_lesion_sum_mm"], said["unconfirmed_since"]
        return ImmuneDerived(
            response=ImmuneResponse(self.irecist_response),
            reasons=tuple(_reason(document) for document in said["reasons"]),
            new_lesion_sum_mm=None if sum_mm is None else Decimal(sum_mm),
            new_targets=tuple(said["new_targets"]),
            new_non_targets=tuple(said["new_non_targets"]),
            unconfirmed_since=Date.fromisoformat(since) if since else None,
        )

    def all_warnings(self) -> tuple[recist.Reason, ...]:
        """The stored warnings, and those that follow from what stands beside the derivation now."""
        stored = tuple(_reason(document) for document in self.warnings)
        if self.stated_response and self.stated_response != self.overall_response:
            said = {"stated": self.stated_response, "derived": self.overall_response}
            return (*stored, recist.Reason("stated_response_differs", said))
        if self.kind != Visit.Kind.BASELINE:
            return stored
        window = self.patient.trial.baseline_window_days
        return (*stored, *checks.window_warnings(self.date, self.patient.first_dose_on, window))


def _response(stored: str) -> recist.Response | None:
    return recist.Response(stored) if stored else None


def _reason(document: dict[str, Any]) -> recist.Reason:
    return recist.Reason(document["code"], document["parameters"])


@audited(exclude=["evaluator"])
class Measurement(models.Model):
    """A target lesion at a visit: the state beside the number, both as recorded."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    evaluator = _evaluator()
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="measurements")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="measurements")
    state = models.CharField(_("state"), max_length=20, choices=TargetStateChoice)
    diameter_mm = diameter(_("diameter (mm)"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    merged_into = models.ForeignKey(
        Lesion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    fragments_mm = ArrayField(
        models.DecimalField(max_digits=5, decimal_places=2, validators=DIAMETER),
        default=list,
        blank=True,
    )
    method = models.CharField(_("method"), max_length=20, choices=MethodChoice, blank=True)
    slice_mm = models.DecimalField(
        _("slice thickness (mm)"), max_digits=5, decimal_places=2, null=True, blank=True
    )

    class Meta:
        ordering = ["visit_id", "lesion__label"]
        verbose_name = _("measurement")
        constraints = [
            models.UniqueConstraint(fields=["visit", "lesion"], name="measurement_once_per_visit"),
            models.CheckConstraint(
                condition=Q(state__in=TargetStateChoice.values), name="measurement_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="measured", diameter_mm__isnull=False)
                | ~Q(state="measured") & Q(diameter_mm=None),
                name="measurement_number_if_measured",
            ),
            models.CheckConstraint(
                condition=Q(diameter_mm=None) | Q(diameter_mm__range=(0, 400)),
                name="measurement_0_to_400_mm",
            ),
            models.CheckConstraint(
                condition=~Q(state="not_evaluable") | ~Q(reason=""),
                name="measurement_not_evaluable_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | ~Q(state="merged") & Q(merged_into=None),
                name="measurement_merged_names_lesion",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesion_id} {self.state}"


@audited(exclude=["evaluator"])
class NonTargetStatus(models.Model):
    """A non-target lesion at a visit."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    evaluator = _evaluator()
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="non_target_statuses")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="non_target_statuses")
    status = models.CharField(_("status"), max_length=30, choices=NonTargetStateChoice)
    short_axis_mm = diameter(_("short axis (mm)"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    growth = _growth()

    class Meta:
        ordering = ["visit_id", "lesion__label"]
        verbose_name = _("non-target status")
        constraints = [
            models.UniqueConstraint(fields=["visit", "lesion"], name="non_target_once_per_visit"),
            models.CheckConstraint(
                condition=Q(status__in=NonTargetStateChoice.values), name="non_target_status_known"
            ),
            models.CheckConstraint(
                condition=Q(short_axis_mm=None) | Q(short_axis_mm__range=(0, 400)),
                name="non_target_0_to_400_mm",
            ),
            models.CheckConstraint(
                condition=~Q(status="not_evaluable") | ~Q(reason=""),
                name="non_target_not_evaluable_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(growth__in=["", *GrowthChoice.values]), name="non_target_growth_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesion_id} {self.status}"


@audited(exclude=["evaluator"])
class NewLesionStatus(models.Model):
    """A lesion that was not there at baseline, seen at a visit."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    evaluator = _evaluator()
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="new_lesion_statuses")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="new_lesion_statuses")
    certainty = models.CharField(_("certainty"), max_length=20, choices=CertaintyChoice)
    diameter_mm = diameter(_("diameter (mm)"))
    method = models.CharField(_("method"), max_length=20, choices=MethodChoice, blank=True)
    growth = _growth()

    class Meta:
        ordering = ["visit_id", "lesion__label"]
        verbose_name = _("new lesion status")
        constraints = [
            models.UniqueConstraint(fields=["visit", "lesion"], name="new_lesion_once_per_visit"),
            models.CheckConstraint(
                condition=Q(certainty__in=CertaintyChoice.values), name="new_lesion_certainty_known"
            ),
            models.CheckConstraint(
                condition=Q(diameter_mm=None) | Q(diameter_mm__range=(0, 400)),
                name="new_lesion_0_to_400_mm",
            ),
            models.CheckConstraint(
                condition=Q(growth__in=["", *GrowthChoice.values]), name="new_lesion_growth_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesion_id} {self.certainty}"
