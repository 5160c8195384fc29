"""Patients, their therapies and adverse events over HTTP."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from patients.documents import AdverseEventDocument, PatientDocument, TherapyDocument
from patients.models import (
    DEATH,
    MOST_PRIOR_LINES,
    ActionTaken,
    AdverseEvent,
    AdverseEventOutcome,
    Patient,
    PatientQuerySet,
    Sex,
    Therapy,
    TherapyChoice,
)
from registry.fields import Text, WholeNumber
from registry.rest import CalendarDateField, FlagField, StrictSerializer
from trials.definitions import TherapyKind
from trials.models import Arm, Site, Trial
from trials.serializers import TermField

SUBJECT_ID = r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z"
UNKNOWN = _("No such record, or not yours.")


class PatientSerializer(StrictSerializer):
    """A patient; trial, site and arm by their names. No date lies in the future at the site."""

    ignored = StrictSerializer.ignored | {"arm_reason"}

    trial = Text(max_length=40, help_text=_("The trial's registry id."))
    subject_id = Text(
        max_length=40,
        validators=[RegexValidator(SUBJECT_ID, _("Letters, digits, . _ - only."))],
        help_text=_("Unique in the trial; never changes."),
    )
    site = Text(max_length=20, help_text=_("The site's code."))
    arm = Text(
        max_length=100,
        allow_null=True,
        required=False,
        help_text=_("The arm's name; in a randomized trial allocation gives it."),
    )
    sex = TermField(Sex.choices, required=False)
    birth_year = WholeNumber(min_value=1900, max_value=2100, allow_null=True, required=False)
    histology = Text(max_length=100, allow_blank=True, required=False)
    ecog = WholeNumber(max_value=5, min_value=0, allow_null=True, required=False)
    prior_lines = WholeNumber(
        max_value=MOST_PRIOR_LINES,
        min_value=0,
        allow_null=True,
        required=False,
        help_text=_("Of systemic therapy for advanced disease; null where nobody knows."),
    )
    enrolled_on = CalendarDateField(allow_null=True, required=False)
    randomized_on = CalendarDateField(allow_null=True, required=False)
    first_dose_on = CalendarDateField(allow_null=True, required=False)
    last_dose_on = CalendarDateField(allow_null=True, required=False)
    last_known_alive_on = CalendarDateField(allow_null=True, required=False)
    died_on = CalendarDateField(allow_null=True, required=False)
    death_cause = Text(max_length=200, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Names become rows of what the caller may see; others do not exist."""
        trial = self.instance.trial if self.instance else self._visible_trial(attrs["trial"])
        if self.instance and attrs.get("trial", trial.registry_id) != trial.registry_id:
            raise serializers.ValidationError({"trial": [_("A patient stays in the trial.")]})
        if self.instance and attrs.get("subject_id", "") not in ("", self.instance.subject_id):
            raise serializers.ValidationError({"subject_id": [_("A subject id never changes.")]})
        attrs |= {"trial": trial}
        if "site" in attrs:
            attrs["site"] = self._visible_site(trial, attrs["site"])
        if attrs.get("arm") is not None:
            attrs["arm"] = self._arm(trial, attrs["arm"])
        return attrs

    def _visible_trial(self, registry_id: str) -> Trial:
        user = self.context["request"].user
        trial = Trial.objects.visible_to(user).filter(registry_id=registry_id).first()
        if trial is None:
            raise serializers.ValidationError({"trial": [UNKNOWN]})
        return trial

    def _visible_site(self, trial: Trial, code: str) -> Site:
        user = self.context["request"].user
        site = Site.objects.visible_to(user).filter(trial=trial, code=code).first()
        if site is None:
            raise serializers.ValidationError({"site": [UNKNOWN]})
        return site

    def _arm(self, trial: Trial, name: str) -> Arm:
        arms = self._arms(trial)
        if name not in arms:
            raise serializers.ValidationError(
                {"arm": [_("One of: %s.") % (", ".join(arms) or "null")]}
            )
        return arms[name]

    def _arms(self, trial: Trial) -> dict[str, Arm]:
        return {arm.name: arm for arm in trial.arms.all()}

    def to_representation(self, instance: Patient) -> Any:
        """The patient."""
        return patient_document(instance)


class PatientLine(PatientSerializer):
    """A patient in a file imported into the trial of the context, whose names are read once."""

    trial = Text(max_length=40, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The trial may be left out."""
        return super().validate({"trial": self.context["trial"].registry_id} | attrs)

    def _visible_trial(self, registry_id: str) -> Trial:
        trial: Trial = self.context["trial"]
        if registry_id != trial.registry_id:
            detail = _("This import is into %s.") % trial.registry_id
            raise serializers.ValidationError({"trial": [detail]})
        return trial

    def _visible_site(self, trial: Trial, code: str) -> Site:
        if code not in self._sites:
            detail = _("One of: %s.") % ", ".join(self._sites)
            raise serializers.ValidationError({"site": [detail]})
        return self._sites[code]

    @cached_property
    def _sites(self) -> dict[str, Site]:
        return {site.code: site for site in self.context["trial"].sites.all()}

    def _arms(self, trial: Trial) -> dict[str, Arm]:
        return self._known_arms

    @cached_property
    def _known_arms(self) -> dict[str, Arm]:
        return super()._arms(self.context["trial"])


def patient_document(patient: Patient) -> PatientDocument:
    """The patient; the arm of a masked trial is null with its reason."""
    concealed = patient.trial.masked
    arm = None if concealed else patient.arm
    return {
        "id": patient.pk,
        "version": patient.version,
        "trial": patient.trial.registry_id,
        "subject_id": patient.subject_id,
        "site": patient.site.code,
        "arm": arm.name if arm else None,
        "arm_reason": "blinded" if concealed else None,
        "sex": Sex(patient.sex),
        "birth_year": patient.birth_year,
        "histology": patient.histology,
        "ecog": patient.ecog,
        "prior_lines": patient.prior_lines,
        "death_cause": patient.death_cause,
        "enrolled_on": _iso(patient.enrolled_on),
        "randomized_on": _iso(patient.randomized_on),
        "first_dose_on": _iso(patient.first_dose_on),
        "last_dose_on": _iso(patient.last_dose_on),
        "last_known_alive_on": _iso(patient.last_known_alive_on),
        "died_on": _iso(patient.died_on),
        "links": {
            "self": reverse("api:patient", args=[patient.pk]),
            "visits": f"{reverse('api:visits')}?patient={patient.pk}",
            "therapies": f"{reverse('api:therapies')}?patient={patient.pk}",
            "adverse_events": f"{reverse('api:adverse_events')}?patient={patient.pk}",
        },
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


class RecordSerializer(StrictSerializer):
    """What is recorded of a patient; keys that are left out take their defaults."""

    defaults: ClassVar[dict[str, Any]]

    patient = WholeNumber(min_value=1, max_value=2**63 - 1, help_text=_("The patient's id."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The patient's id becomes the row, if the caller may see it."""
        if self.instance and attrs["patient"] != self.instance.patient_id:
            raise serializers.ValidationError({"patient": [_("A record stays with its patient.")]})
        attrs["patient"] = visible_patient(self.context["request"].user, attrs["patient"])
        return self.defaults | attrs


class TherapySerializer(RecordSerializer):
    """A subsequent anticancer therapy."""

    defaults: ClassVar[dict[str, Any]] = {
        "kind": TherapyChoice.SYSTEMIC.value,
        "description": "",
    }

    started_on = CalendarDateField()
    kind = TermField(TherapyChoice.choices, required=False)
    description = Text(max_length=300, allow_blank=True, required=False)

    def to_representation(self, instance: Therapy) -> Any:
        """The therapy."""
        return therapy_document(instance)


def therapy_document(therapy: Therapy) -> TherapyDocument:
    """The therapy."""
    return {
        "id": therapy.pk,
        "version": therapy.version,
        "patient": therapy.patient_id,
        "started_on": therapy.started_on.isoformat(),
        "kind": TherapyKind(therapy.kind),
        "description": therapy.description,
        "links": {"self": reverse("api:therapy", args=[therapy.pk])},
    }


class AdverseEventSerializer(RecordSerializer):
    """An adverse event; whether it is related is asked, never assumed."""

    defaults: ClassVar[dict[str, Any]] = {
        "serious": False,
        "action_taken": ActionTaken.UNKNOWN.value,
        "outcome": "",
        "ended_on": None,
    }

    term = Text(
        max_length=100,
        help_text=_(
            "A term of CTCAE, in English or Chinese, is stored as its English term; any other text"
            " is kept as it is."
        ),
    )
    grade = WholeNumber(
        min_value=1,
        max_value=DEATH,
        help_text=_("A grade that CTCAE does not define for the term is accepted too."),
    )
    related = FlagField()
    serious = FlagField(required=False)
    action_taken = TermField(ActionTaken.choices, required=False)
    outcome = TermField(AdverseEventOutcome.choices, allow_blank=True, required=False)
    started_on = CalendarDateField()
    ended_on = CalendarDateField(allow_null=True, required=False)

    def to_representation(self, instance: AdverseEvent) -> Any:
        """The adverse event."""
        return adverse_event_document(instance)


def adverse_event_document(event: AdverseEvent) -> AdverseEventDocument:
    """The adverse event."""
    return {
        "id": event.pk,
        "version": event.version,
        "patient": event.patient_id,
        "term": event.term,
        "grade": event.grade,
        "related": event.related,
        "serious": event.serious,
        "action_taken": ActionTaken(event.action_taken),
        "outcome": AdverseEventOutcome(event.outcome) if event.outcome else "",
        "started_on": event.started_on.isoformat(),
        "ended_on": _iso(event.ended_on),
        "links": {"self": reverse("api:adverse_event", args=[event.pk])},
    }


class TherapyLine(TherapySerializer):
    """A therapy in an imported file, where the patient is named by subject id."""

    patient = Text(max_length=40)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the defaults; the import finds the patient."""
        return self.defaults | attrs


class AdverseEventLine(AdverseEventSerializer):
    """An adverse event in an imported file."""

    patient = Text(max_length=40)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the defaults; the import finds the patient."""
        return self.defaults | attrs


def visible_patient(user: Any, pk: int) -> Patient:
    """A patient named in a body; a foreign one is refused as one that does not exist."""
    return _named(Patient.objects.visible_to(user), pk)


def reviewable_patient(user: Any, pk: int) -> Patient:
    """A patient whose scans the user reads as an independent reviewer; others do not exist."""
    return _named(Patient.objects.reviewable_by(user), pk)


def known_patient(user: Any, pk: int) -> Patient:
    """A patient whom the user sees, or whose scans the user reads; others do not exist."""
    return _named(Patient.objects.known_to(user), pk)


def _named(rows: PatientQuerySet, pk: int) -> Patient:
    found = rows.active().select_related("trial", "site").filter(pk=pk)
    patient = found.order_by(
        "pk"
    ).first()  # not by their names, which would join their trials again
    if patient is None:
        raise serializers.ValidationError({"patient": [UNKNOWN]})
    return patient
