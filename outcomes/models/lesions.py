"""Lesions and their permanent labels."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outcomes.methods import recist
from outcomes.methods.organs import in_language
from patients.models import Patient
from registry.audit import audited
from registry.languages import in_chinese, listed

if TYPE_CHECKING:
    pass


class Evaluator(models.TextChoices):
    INVESTIGATOR = "investigator", _("investigator")
    REVIEWER = "reviewer", _("independent reviewer")


INVESTIGATOR, REVIEWER = Evaluator.INVESTIGATOR.value, Evaluator.REVIEWER.value
DIAMETER = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(400))]


class MethodChoice(models.TextChoices):
    CT = recist.ImagingMethod.CT.value, _("CT")
    MRI = recist.ImagingMethod.MRI.value, _("MRI")
    PET_CT = recist.ImagingMethod.PET_CT.value, _("PET-CT")
    XRAY = recist.ImagingMethod.XRAY.value, _("X-ray")
    CALIPER = recist.ImagingMethod.CALIPER.value, _("caliper")
    ULTRASOUND = recist.ImagingMethod.ULTRASOUND.value, _("ultrasound")
    OTHER = recist.ImagingMethod.OTHER.value, _("other")


class BoneTypeChoice(models.TextChoices):
    LYTIC_SOFT_TISSUE = recist.BoneType.LYTIC_SOFT_TISSUE.value, _("lytic with soft tissue")
    BLASTIC = recist.BoneType.BLASTIC.value, _("blastic")
    MIXED = recist.BoneType.MIXED.value, _("mixed")


class LesionRole(models.TextChoices):
    TARGET = "target", _("target")
    NON_TARGET = "non_target", _("non-target")
    NEW = "new", _("new")


def diameter(verbose_name: Any, **options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        verbose_name,
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=DIAMETER,
        **options,
    )


class LesionQuerySet(models.QuerySet["Lesion"]):
    """Lesions in domain words."""

    def active(self) -> Self:
        """Not voided with the visit that introduced them."""
        return self.filter(voided_at=None)


@audited()
class Lesion(models.Model):
    """A lesion and its permanent label; 5 targets and 2 per organ hold as unique slots."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="lesions")
    evaluator = models.CharField(max_length=20, choices=Evaluator, default=INVESTIGATOR)
    label = models.CharField(_("label"), max_length=10)
    role = models.CharField(_("role"), max_length=10, choices=LesionRole)
    organ = models.CharField(_("organ"), max_length=100, blank=True)
    organ_group = models.CharField(_("organ group"), max_length=100, blank=True)
    description = models.CharField(_("location"), max_length=200, blank=True)
    nodal = models.BooleanField(_("lymph node"), default=False)
    method = models.CharField(_("method"), max_length=20, choices=MethodChoice, blank=True)
    slice_mm = models.DecimalField(
        _("slice thickness (mm)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(50))],
    )
    bone_type = models.CharField(
        _("bone lesion type"), max_length=20, choices=BoneTypeChoice, blank=True
    )
    previously_irradiated = models.BooleanField(_("previously irradiated"), default=False)
    progressed_since_irradiation = models.BooleanField(
        _("progressed since irradiation"), default=False
    )
    target_number = models.PositiveSmallIntegerField(null=True, blank=True)
    organ_slot = models.PositiveSmallIntegerField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = LesionQuerySet.as_manager()

    class Meta:
        ordering = ["patient_id", "label"]
        verbose_name = _("lesion")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "evaluator", "label"],
                condition=Q(voided_at=None),
                name="lesion_label_unique",
            ),
            models.UniqueConstraint(
                fields=["patient", "evaluator", "target_number"],
                condition=Q(voided_at=None),
                name="lesion_target_number_unique",
            ),
            models.UniqueConstraint(
                fields=["patient", "evaluator", "organ_group", "organ_slot"],
                condition=Q(voided_at=None),
                name="lesion_organ_slot_unique",
            ),
            models.UniqueConstraint(
                fields=["id", "patient", "evaluator"],
                name="lesion_identifies_patient_and_evaluator",
            ),
            models.CheckConstraint(
                condition=Q(role__in=LesionRole.values), name="lesion_role_known"
            ),
            models.CheckConstraint(
                condition=Q(evaluator__in=Evaluator.values), name="lesion_evaluator_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    role="target",
                    target_number__range=(1, 5),
                    organ_slot__range=(1, 2),
                    target_number__isnull=False,
                    organ_slot__isnull=False,
                )
                | ~Q(role="target") & Q(target_number=None, organ_slot=None),
                name="lesion_at_most_5_targets_2_per_organ",
            ),
            models.CheckConstraint(
                condition=~Q(role="target") | ~Q(organ_group=""), name="lesion_target_has_organ"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def place(self) -> str:
        """Organ, in the reader's language where it is a known name, and location in one line."""
        organ = in_language(self.organ, chinese=in_chinese())
        return listed(part for part in (organ, self.description) if part)
