"""The visit page: one form and three sets of rows that become a `VisitEntry`.

The same entry goes to the preview and to the save, and errors come back by JSON Pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BoundField
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes import corrections, lineage
from outcomes.actions import preview_visit
from outcomes.baseline_forms import BaselineNonTargetRowForm, BaselineTargetRowForm, rearranged
from outcomes.corrections import REASON_FOR, Change
from outcomes.entries import NewLesionEntry, TargetEntry, VisitEntry
from outcomes.flow_sheet import millimeters
from outcomes.follow_up_forms import (
    FRAGMENT,
    MERGED,
    SPLIT,
    NewLesionRowForm,
    NonTargetRowForm,
    TargetRowForm,
)
from outcomes.history import History, described
from outcomes.labels import response_label
from outcomes.methods.lineage import Carried
from outcomes.methods.recist import Response
from outcomes.models import (
    Lesion,
    LesionRole,
    MethodChoice,
    NonTargetStateChoice,
    ResponseChoice,
    Visit,
)
from outcomes.row_forms import RowForm
from outcomes.soft_check_form import acknowledgements, comment_fields
from registry.errors import FieldError, Refused
from registry.form_fields import CalendarDateField

BASELINE_TARGETS, BASELINE_NON_TARGETS, NEW_LESIONS, MORE_ROWS = 5, 3, 2, 3
REASON_LENGTH = 500
UNCHANGED = "unchanged"  # asked of the page: fill the blank non-targets
NEW_LESION_QUESTIONS = {
    "": gettext_lazy("Answer yes or no."),
    "yes": gettext_lazy("Describe the new lesion, or answer No."),
    "no": gettext_lazy("A lesion is described below: answer Yes, or clear it."),
}
CHOICES_ASKED = {
    "state": gettext_lazy("Give a number, or choose a state."),
    "status": gettext_lazy("Choose a status."),
    "certainty": gettext_lazy("Choose how certain it is."),
}
FIELDS = {"merged_into": "state", "fragments_mm": f"{FRAGMENT}0"}  # of a pointer -> of the page


class VisitForm(forms.Form):
    """What is asked once per visit."""

    date = CalendarDateField(label=gettext_lazy("Scan date"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Visit"),
        choices=[choice for choice in Visit.Kind.choices if choice[0] != Visit.Kind.BASELINE],
        initial=Visit.Kind.SCHEDULED,
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[("", gettext_lazy("Same as baseline")), *MethodChoice.choices],
        required=False,
    )
    new_lesions = forms.ChoiceField(
        label=gettext_lazy("Any new lesion?"),
        choices=[("no", gettext_lazy("No")), ("yes", gettext_lazy("Yes"))],
        required=False,
        widget=forms.RadioSelect,
    )
    stated_response = forms.ChoiceField(
        label=gettext_lazy("Investigator's assessment"), choices=ResponseChoice, required=False
    )
    stated_response_reason = forms.CharField(
        label=gettext_lazy("Why it differs"), max_length=500, required=False
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason for the change"), max_length=500, required=False
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        agrees = ("", _("Agrees"))
        differs = [
            (value, _("Differs: %(response)s") % {"response": response_label(Response(value))})
            for value in ResponseChoice.values
        ]
        cast(forms.ChoiceField, self.fields["stated_response"]).choices = [agrees, *differs]


class VisitForms:
    """The visit page's forms as one: bound to what was typed, or showing a stored visit."""

    def __init__(
        self, past: History, *, visit: Visit | None = None, data: QueryDict | None = None
    ) -> None:
        self.past = past
        self.visit = visit
        first = past.baseline
        self.baseline = first is None or (visit is not None and visit.pk == first.pk)
        self.previous = _before(past, visit)
        self.data = data = rearranged(data) if self.baseline else self._unchanged(data)
        self.form = VisitForm(data, initial=self._initial())
        if past.reviewed:
            self.form.fields["stated_response"].label = _("Reviewer's assessment")
        if self.baseline:
            del self.form.fields["kind"], self.form.fields["method"]
        self.form.fields |= asked_texts(data)
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
        return self._entry

    @cached_property
    def _entry(self) -> VisitEntry:
        """Read before anything is refused: a refused field is still what was typed."""
        cleaned = self.form.cleaned_data
        return VisitEntry(
            kind="baseline" if self.baseline else cleaned.get("kind") or Visit.Kind.SCHEDULED,
            date=cleaned.get("date"),
            targets=tuple(self._by_method(row) for row in self._said("targets")),
            non_targets=tuple(row.entry() for row in self._said("non_targets")),
            new_lesions=self._new_lesion_entries(),
            stated_response=cleaned.get("stated_response", ""),
            stated_response_reason=cleaned.get("stated_response_reason", ""),
            acknowledged=acknowledgements(self.data, unless=self.form.errors),
        )

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What a correction changes, field by field."""
        if self.visit is None or not self.form.is_bound:
            return ()
        entry = self.entry().with_labels(self.past.lesions)
        return corrections.changes(corrections.stored_entry(self.visit, self.past), entry)

    def reasons(self) -> dict[str, str]:
        """Why single fields are changed, by pointer; of those that are changed."""
        cleaned = self.form.cleaned_data
        said = {change.pointer: cleaned.get(change.reason_name, "") for change in self.changes}
        return {pointer: text for pointer, text in said.items() if text}

    def reason(self) -> str:
        """Why a stored visit is changed: one for all, or one per change. Raises Refused.

        A correction that changes nothing and answers no soft check would only add a version.
        """
        if not self.changes and not self.entry().acknowledged:
            raise Refused([FieldError("/reason", _("Nothing is changed."))])
        reason: str = self.form.cleaned_data.get("reason", "").strip()
        each = self.reasons()
        if not reason and len(each) < max(1, len(self.changes)):
            detail = _("Say why this is changed: one reason for all, or one for each change.")
            raise Refused([FieldError("/reason", detail)])
        return reason or "; ".join(dict.fromkeys(each.values()))[:REASON_LENGTH]

    def _by_method(self, row: Any) -> TargetEntry:
        """The row by the method chosen for all, where its own is the baseline's.

        A visit stored without a method keeps none while the page still shows the baseline's.
        """
        entry: TargetEntry = row.entry()
        known = self.past.lesions.get(entry.lesion)
        if self.baseline or known is None or entry.method not in ("", known.method):
            return entry
        if chosen := self.form.cleaned_data.get("method"):
            return replace(entry, method=chosen)
        unsaid = row.initial.get("unsaid", ())
        return replace(
            entry, **{name: _blank(name) for name in unsaid if _same(entry, known, name)}
        )

    def _new_lesion_entries(self) -> tuple[NewLesionEntry, ...] | None:
        """The rows as the answer allows: a yes without any, a no with some is no answer yet."""
        rows = tuple(row.entry() for row in self._said("new_lesions"))
        answered = self.form.cleaned_data.get("new_lesions")
        if answered == "yes":
            return rows or None
        return () if answered == "no" and not rows else None

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Put each refusal beside the field that its pointer names, one per field.

        A row with something of no valid shape said nothing yet, so its other fields are not missing.
        """
        self.entry()
        unread = [row for row in self.all_rows() if row.errors]
        for error in errors:
            form, name = self._field(error.pointer)
            if name not in form.errors and form not in unread:
                form.add_error(name if name in form.fields else None, self._said_on_page(error))

    def wrong_fields(self) -> Iterator[BoundField]:
        """The fields with something wrong; a visit that was not submitted yet misses nothing."""
        for form in [self.form, *self.all_rows()] if self.refused else self.all_rows():
            yield from (form[name] for name in form.errors if name in form.fields)

    @property
    def refused(self) -> bool:
        """Whether a preview is of a visit that was submitted and refused before."""
        return bool(self.data and self.data.get("refused"))

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
        return [
            (_element(form, name), _called(form, name), str(message))
            for form, names in self._in_page_order()
            for name in names
            if name in form.errors
            for message in form.errors[name]
        ]

    def _in_page_order(self) -> Iterator[tuple[forms.Form, Iterable[str]]]:
        """Forms with the names of fields as they follow each other on the page."""
        asked = ("new_lesions", "stated_response", "stated_response_reason", "reason")
        yield (
            self.form,
            [name for name in (NON_FIELD_ERRORS, *self.form.fields) if name not in asked],
        )
        yield from ((row, _all_names(row)) for row in self.rows["targets"])
        yield from ((row, _all_names(row)) for row in self.rows["non_targets"])
        yield self.form, asked[:1]
        yield from ((row, _all_names(row)) for row in self.rows["new_lesions"])
        yield self.form, asked[1:]

    def _said(self, name: str) -> list[Any]:
        return [row for row in self.rows[name] if not (hasattr(row, "blank") and row.blank())]

    def _field(self, pointer: str) -> tuple[forms.Form, str]:
        parts = pointer.strip("/").split("/")
        if len(parts) > 1 and parts[0] in self.rows:
            said = self._said(parts[0])
            if int(parts[1]) < len(said):
                named = parts[2] if len(parts) > 2 else ""
                return said[int(parts[1])], named if self.baseline else FIELDS.get(named, named)
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
        rows = self._rows("targets", TargetRowForm, labels, {**self._carried(), **stored})
        for row in rows:
            cast(TargetRowForm, row).offer_merging(labels)
        return rows

    def _carried(self) -> Mapping[str, dict[str, Any]]:
        """What a new visit starts with: lesions stay merged or split as they were."""
        if self.visit:
            return {}
        return {label: _inherited(one) for label, one in lineage.carried(self.past).items()}

    def _unchanged(self, data: QueryDict | None) -> QueryDict | None:
        """What was posted; where asked for, blank non-targets say what they said before."""
        if data is None or data.get("more") != UNCHANGED:
            return data
        before, filled = self.statuses_before(), data.copy()
        for index, lesion in enumerate(self.past.of_role(LesionRole.NON_TARGET)):
            if not filled.get(name := f"non_targets-{index}-status"):
                filled[name] = before[lesion.label]
        return filled

    def statuses_before(self) -> dict[str, str]:
        """Each non-target's status at the visit before; present where it was not assessed."""
        rows = self.previous.non_target_statuses.all() if self.previous else ()
        seen = {row.lesion_id: row.status for row in rows}
        non_targets = self.past.of_role(LesionRole.NON_TARGET)
        return {le.label: seen.get(le.pk, NonTargetStateChoice.PRESENT.value) for le in non_targets}

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
            row = form(self.data, prefix=f"{name}-{index}", initial=initial)
            if not self.past.patient.trial.irecist:
                row.fields.pop("growth", None)
            rows.append(row)
        return rows


def _before(past: History, visit: Visit | None) -> Visit | None:
    """The last visit before this one; before a new one, the last of all."""
    earlier = [v for v in past.visits if visit is None or v.date < visit.date]
    return earlier[-1] if earlier else None


def asked_texts(data: QueryDict | None) -> dict[str, forms.Field]:
    """The fields of what was said to soft checks, and of why single fields were changed."""
    names = [name for name in data or () if name.startswith(REASON_FOR)]
    label = gettext_lazy("Reason for the change")
    reasons = {
        name: forms.CharField(max_length=REASON_LENGTH, required=False, label=label)
        for name in names
    }
    return {**comment_fields(data), **reasons}


def _element(form: forms.Form, name: str) -> str:
    """The id of a field's first control; the whole form where no field is meant."""
    if name not in form.fields:
        return "visit-form"
    field = form[name]
    return f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label


def _called(form: forms.Form, name: str) -> str:
    """What the error summary calls a field: its row's label and its own."""
    label = form.fields[name].label if name in form.fields else ""
    row = form.initial.get("lesion") if isinstance(form, RowForm) else ""
    called = " ".join(str(part) for part in (row, label) if part)
    return called if not called or called.endswith(("?", "？")) else f"{called}:"


def _all_names(form: forms.Form) -> Iterable[str]:
    return (NON_FIELD_ERRORS, *form.fields)


def _shown(row: Any, labels: Mapping[int, str]) -> dict[str, Any]:
    """A stored row as initial values; `unsaid` names what it left to the baseline."""
    names = ("state", "status", "certainty", "diameter_mm", "short_axis_mm", "reason",
             "growth")  # fmt: skip
    shown = {name: getattr(row, name) for name in names if hasattr(row, name)}
    if hasattr(row, "fragments_mm"):
        said = ("method", "slice_mm")
        shown |= {name: getattr(row, name) for name in said if getattr(row, name)}
        shown["unsaid"] = tuple(name for name in said if not getattr(row, name))
        shown |= _lineage(row, labels)
    return shown


def _lineage(row: Any, labels: Mapping[int, str]) -> dict[str, Any]:
    """The merged or split state of a stored row as initial values."""
    if row.merged_into_id:
        return {"state": f"{MERGED}{labels[row.merged_into_id]}"}
    parts = {f"{FRAGMENT}{i}": millimeters(mm) for i, mm in enumerate(row.fragments_mm)}
    return {"state": SPLIT, "parts": len(parts), "diameter_mm": None} | parts if parts else {}


def _inherited(one: Carried) -> dict[str, Any]:
    """The same of a lesion that earlier visits found merged or split: without numbers."""
    if one.merged_into:
        return {"state": f"{MERGED}{one.merged_into}", "carried": one.since}
    return {"state": SPLIT, "parts": one.fragments, "carried": one.since}


def _blank(name: str) -> Any:
    return "" if name == "method" else None


def _same(entry: TargetEntry, known: Lesion, name: str) -> bool:
    return bool(getattr(entry, name) == getattr(known, name))


def _further(prefix: str, labels: list[str], count: int) -> list[str]:
    """The next free labels after these."""
    last = max((int(label.removeprefix(prefix)) for label in labels), default=0)
    return [f"{prefix}{number:02}" for number in range(last + 1, last + 1 + max(count, 0))]
