"""The visit page: one form and three sets of rows that become a `VisitEntry`.

The same entry goes to the preview and to the save, and errors come back by JSON Pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from outcomes.actions import preview_visit
from outcomes.baseline_forms import BaselineNonTargetRowForm, BaselineTargetRowForm, rearranged
from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.history import History, described
from outcomes.models import (
    CertaintyChoice,
    LesionRole,
    NonTargetStateChoice,
    ResponseChoice,
    TargetStateChoice,
    Visit,
)
from outcomes.row_forms import BLANK, DescriptionMixin, MillimeterField, RowForm
from registry.errors import FieldError, Refused
from registry.form_fields import CalendarDateField

BASELINE_TARGETS, BASELINE_NON_TARGETS, NEW_LESIONS, MORE_ROWS = 5, 3, 2, 3


NEW_LESION_QUESTIONS = {
    "": _("Answer yes or no."),
    "yes": _("Describe the new lesion, or answer No."),
    "no": _("A lesion is described below: answer Yes, or clear it."),
}
CHOICES_ASKED = {
    "state": _("Give a number, or choose a state."),
    "status": _("Choose a status."),
    "certainty": _("Choose how certain it is."),
}


class TargetRowForm(RowForm):
    """A target at a follow-up visit."""

    diameter_mm = MillimeterField(label=_("Today (mm)"))
    state = forms.ChoiceField(
        label=_("State"), choices=[*BLANK, *TargetStateChoice.choices], required=False
    )
    reason = forms.CharField(label=_("Why not evaluable"), max_length=300, required=False)
    merged_into = forms.ChoiceField(label=_("Merged into"), required=False)
    fragments = forms.CharField(
        label=_("Fragments (mm)"), max_length=100, required=False, help_text=_("Such as 12 + 8.5")
    )

    def clean_fragments(self) -> tuple[Decimal, ...]:
        """The diameters of a split lesion."""
        field = MillimeterField()
        parts = self.cleaned_data["fragments"].replace("+", " ").split()
        return tuple(value for part in parts if (value := field.clean(part)) is not None)

    def entry(self) -> TargetEntry:
        """The row as a value; a number without a state was measured."""
        values = self.typed()
        if self.errors:
            return TargetEntry(lesion=values["lesion"])
        measured = {"diameter_mm", "fragments"} & values.keys()
        return TargetEntry(
            lesion=values["lesion"],
            state=values.get("state") or ("measured" if measured else None),
            diameter_mm=values.get("diameter_mm"),
            reason=values.get("reason", ""),
            merged_into=values.get("merged_into", ""),
            fragments_mm=values.get("fragments", ()),
        )


class NonTargetRowForm(RowForm):
    """A non-target at a follow-up visit."""

    status = forms.ChoiceField(
        label=_("Status"),
        choices=NonTargetStateChoice.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    short_axis_mm = MillimeterField(label=_("Short axis (mm)"))
    reason = forms.CharField(label=_("Why not evaluable"), max_length=300, required=False)

    def entry(self) -> NonTargetEntry:
        """The row as a value."""
        return NonTargetEntry(**self.typed())


class NewLesionRowForm(DescriptionMixin, RowForm):
    """A lesion that was not there at baseline; one seen before keeps its label."""

    certainty = forms.ChoiceField(
        label=_("Certainty"), choices=[*BLANK, *CertaintyChoice.choices], required=False
    )
    diameter_mm = MillimeterField(label=_("Diameter (mm)"))

    def blank(self) -> bool:
        """Whether nothing was entered; of a lesion seen before the description is there already."""
        seen_now = ("certainty", "diameter_mm")
        described = ("organ", "description", "nodal")
        return not self.says(*seen_now if self.initial.get("organ") else (*described, *seen_now))

    def entry(self) -> NewLesionEntry:
        """The row as a value."""
        row = NewLesionEntry(**self.typed())
        return row.with_node_inferred(row.nodal or None)


class VisitForm(forms.Form):
    """What is asked once per visit."""

    date = CalendarDateField(label=_("Scan date"))
    kind = forms.ChoiceField(
        label=_("Visit"),
        choices=[choice for choice in Visit.Kind.choices if choice[0] != Visit.Kind.BASELINE],
        initial=Visit.Kind.SCHEDULED,
    )
    new_lesions = forms.ChoiceField(
        label=_("Any new lesion?"),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        required=False,
        widget=forms.RadioSelect,
    )
    stated_response = forms.ChoiceField(
        label=_("Investigator's response"),
        choices=[("", _("Agrees with the computed response")), *ResponseChoice.choices],
        required=False,
    )
    stated_response_reason = forms.CharField(
        label=_("Why it differs"), max_length=500, required=False
    )
    reason = forms.CharField(label=_("Reason for the change"), max_length=500, required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class VisitForms:
    """The visit page's forms as one: bound to what was typed, or showing a stored visit."""

    def __init__(
        self, past: History, *, visit: Visit | None = None, data: QueryDict | None = None
    ) -> None:
        self.past = past
        self.visit = visit
        first = past.baseline
        self.baseline = first is None or (visit is not None and visit.pk == first.pk)
        self.data = data = rearranged(data) if self.baseline else data
        self.form = VisitForm(data, initial=self._initial())
        if self.baseline:
            del self.form.fields["kind"]
        self.form.errors  # noqa: B018 (full_clean, so that rows and form are validated alike)
        self.rows: dict[str, list[Any]] = {
            "targets": self._targets(),
            "non_targets": self._non_targets(),
            "new_lesions": [] if self.baseline else self._new_lesions(),
        }
        for row in self.all_rows():
            row.errors  # noqa: B018

    def all_rows(self) -> Iterable[RowForm]:
        """Every row of the page."""
        return (row for rows in self.rows.values() for row in rows)

    @property
    def wants_more_rows(self) -> bool:
        """Whether further rows were asked for, rather than the visit submitted."""
        return bool(self.data and self.data.get("more"))

    def is_valid(self) -> bool:
        """Whether everything typed has the right shape; whether it may stand is asked later."""
        forms_valid = self.form.is_valid()
        return forms_valid and all(row.is_valid() for rows in self.rows for row in self._said(rows))

    def checked_entry(self) -> VisitEntry:
        """What was typed; raises Refused with all that is wrong with it, its shape included."""
        entry = self.entry()
        if not self.is_valid():
            found = preview_visit(
                patient=self.past.patient, entry=entry, visit=self.visit, past=self.past
            )
            raise Refused(found.missing)
        return entry

    def entry(self) -> VisitEntry:
        """What was typed as a value; what has no valid shape counts as not said."""
        cleaned = self.form.cleaned_data
        return VisitEntry(
            kind="baseline" if self.baseline else cleaned.get("kind") or Visit.Kind.SCHEDULED,
            date=cleaned.get("date"),
            targets=tuple(row.entry() for row in self._said("targets")),
            non_targets=tuple(row.entry() for row in self._said("non_targets")),
            new_lesions=self._new_lesion_entries(),
            stated_response=cleaned.get("stated_response", ""),
            stated_response_reason=cleaned.get("stated_response_reason", ""),
        )

    def reason(self) -> str:
        """Why a stored visit is changed; raises Refused where it is blank."""
        reason: str = self.form.cleaned_data.get("reason", "").strip()
        if not reason:
            raise Refused([FieldError("/reason", str(_("Say why this is changed.")))])
        return reason

    def _new_lesion_entries(self) -> tuple[NewLesionEntry, ...] | None:
        """The rows as the answer allows: a yes without any, a no with some is no answer yet."""
        rows = tuple(row.entry() for row in self._said("new_lesions"))
        answered = self.form.cleaned_data.get("new_lesions")
        if answered == "yes":
            return rows or None
        return () if answered == "no" and not rows else None

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Put each refusal beside the field that its pointer names, one per field."""
        for error in errors:
            form, name = self._field(error.pointer)
            if name not in form.errors:
                form.add_error(name if name in form.fields else None, self._said_on_page(error))

    def labelled(self, errors: Iterable[FieldError]) -> list[tuple[str, str]]:
        """Every open point with the lesion it speaks of, for the panel; wrong shapes come first."""
        wrong = [
            (row.initial["lesion"], str(message))
            for row in self.all_rows()
            for messages in row.errors.values()
            for message in messages
        ]
        open_points = [(self._field(error.pointer)[0], error) for error in errors]
        return wrong + [
            (form.initial.get("lesion", ""), self._said_on_page(error))
            for form, error in open_points
            if form is self.form or not form.errors
        ]

    def _said_on_page(self, error: FieldError) -> str:
        """A refusal in the page's words: codes are for outside systems."""
        name = error.pointer.rsplit("/", 1)[-1]
        if error.pointer == "/new_lesions":
            answered = self.form.cleaned_data.get("new_lesions", "")
            return str(NEW_LESION_QUESTIONS[answered])
        return str(CHOICES_ASKED.get(name, error.detail))

    def error_list(self) -> list[tuple[str, str, str]]:
        """(element id, label, message) of every error in page order, for the summary."""
        found = []
        for form in (self.form, *self.all_rows()):
            for name, messages in form.errors.items():
                label = form.fields[name].label if name in form.fields else ""
                row = form.initial.get("lesion") if isinstance(form, RowForm) else ""
                target = _element(form, name)
                text = " ".join(str(part) for part in (row, label) if part)
                found += [(target, text, str(message)) for message in messages]
        return found

    def _said(self, name: str) -> list[Any]:
        return [row for row in self.rows[name] if not (hasattr(row, "blank") and row.blank())]

    def _field(self, pointer: str) -> tuple[forms.Form, str]:
        parts = pointer.strip("/").split("/")
        if len(parts) > 1 and parts[0] in self.rows:
            said = self._said(parts[0])
            if int(parts[1]) < len(said):
                name = "fragments" if parts[-1].startswith("fragments") else parts[-1]
                return said[int(parts[1])], name
        return self.form, parts[0]

    def _initial(self) -> dict[str, Any]:
        if self.visit is None:
            return {}
        new = self.visit.new_lesion_statuses.all()
        return {
            "date": self.visit.date,
            "kind": self.visit.kind,
            "new_lesions": "yes" if new else "no",
            "stated_response": self.visit.stated_response,
            "stated_response_reason": self.visit.stated_response_reason,
            "version": self.visit.version,
        }

    def _targets(self) -> list[Any]:
        stored = self._stored("measurements")
        labels = [lesion.label for lesion in self.past.of_role(LesionRole.TARGET)]
        if self.baseline:
            labels += _further("T", labels, BASELINE_TARGETS - len(labels))
            return self._rows("targets", BaselineTargetRowForm, labels, stored)
        rows = self._rows("targets", TargetRowForm, labels, stored)
        for row in rows:
            others = [(label, label) for label in labels if label != row.initial["lesion"]]
            cast(forms.ChoiceField, row.fields["merged_into"]).choices = [*BLANK, *others]
            row.full_clean()
        return rows

    def _non_targets(self) -> list[Any]:
        stored = self._stored("non_target_statuses")
        labels = [lesion.label for lesion in self.past.of_role(LesionRole.NON_TARGET)]
        if self.baseline:
            labels += _further(
                "NT", labels, self._asked("non_targets", BASELINE_NON_TARGETS, labels)
            )
            return self._rows("non_targets", BaselineNonTargetRowForm, labels, stored)
        return self._rows("non_targets", NonTargetRowForm, labels, stored)

    def _new_lesions(self) -> list[Any]:
        stored = self._stored("new_lesion_statuses")
        labels = [lesion.label for lesion in self.past.of_role(LesionRole.NEW)]
        labels += _further("NL", labels, self._asked("new_lesions", NEW_LESIONS, labels))
        return self._rows("new_lesions", NewLesionRowForm, labels, stored)

    def _asked(self, name: str, minimum: int, labels: list[str]) -> int:
        """How many further rows: those on the page that was posted, and three more on request."""
        posted = str(self.data.get(f"{name}-rows", "")) if self.data else ""
        total = int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 3 else 0
        more = MORE_ROWS if self.data and self.data.get("more") == name else 0
        return max(minimum, min(total + more, 50) - len(labels))

    def _stored(self, relation: str) -> Mapping[str, dict[str, Any]]:
        """The visit's stored rows by label, as the forms' initial values."""
        if self.visit is None:
            return {}
        labels = {lesion.pk: label for label, lesion in self.past.lesions.items()}
        return {
            labels[row.lesion_id]: _shown(row, labels)
            for row in getattr(self.visit, relation).all()
        }

    def _rows(
        self,
        name: str,
        form: type[RowForm],
        labels: list[str],
        stored: Mapping[str, dict[str, Any]],
    ) -> list[RowForm]:
        rows = []
        for index, label in enumerate(labels):
            lesion = self.past.lesions.get(label)
            known = asdict(described(lesion)) if lesion else {}
            initial = known | stored.get(label, {}) | {"lesion": label}
            rows.append(form(self.data, prefix=f"{name}-{index}", initial=initial))
        return rows


def _element(form: forms.Form, name: str) -> str:
    """The id of a field's first control; the whole form where no field is meant."""
    if name not in form.fields:
        return "visit-form"
    field = form[name]
    return f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label


def _shown(row: Any, labels: Mapping[int, str]) -> dict[str, Any]:
    names = ("state", "status", "certainty", "diameter_mm", "short_axis_mm", "reason")
    shown = {name: getattr(row, name) for name in names if hasattr(row, name)}
    if getattr(row, "merged_into_id", None):
        shown["merged_into"] = labels[row.merged_into_id]
    if getattr(row, "fragments_mm", None):
        shown["fragments"] = " + ".join(str(mm) for mm in row.fragments_mm)
    return shown


def _further(prefix: str, labels: list[str], count: int) -> list[str]:
    """The next free labels after these."""
    last = max((int(label.removeprefix(prefix)) for label in labels), default=0)
    return [f"{prefix}{number:02}" for number in range(last + 1, last + 1 + max(count, 0))]
