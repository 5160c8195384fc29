"""Consent, screening and enrollment as entered on pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients import judging
from patients.forms import SUBJECT_ID, ChangeForm
from patients.judging import FROM_LABORATORY, Asked, Protocol
from patients.models import (
    MOST_PRIOR_LINES,
    Consent,
    FailureReason,
    Patient,
    Screening,
    Sex,
)
from patients.screening_dates import too_late
from registry.errors import FieldError
from registry.form_fields import CalendarDateField
from trials import eligibility_wording as wording
from trials.models import Arm, ReferenceRange, Site, Trial
from trials.screening_items import Item, Kind, possible_ages
from trials.screening_values import NEVER, decimal_text
from trials.vocabularies import CriterionKind

YES_NO = {True: "yes", False: "no"}
ANSWERS = [
    ("yes", gettext_lazy("Yes")),
    ("no", gettext_lazy("No")),
    ("", gettext_lazy("Not answered")),
]
BLANK: list[tuple[str, Any]] = [("", "")]
LIMIT_LABELS = {"uln": gettext_lazy("ULN"), "lln": gettext_lazy("LLN")}


class NewSubjectForm(ChangeForm):
    """Somebody who is to be screened; what is known of them goes into the screening form."""

    subject_id = forms.RegexField(
        SUBJECT_ID,
        label=gettext_lazy("Subject ID"),
        max_length=40,
        error_messages={"invalid": gettext_lazy("Letters, digits, . _ - only.")},
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=Sex.choices, initial=Sex.UNKNOWN)
    birth_year = forms.IntegerField(
        label=gettext_lazy("Birth year"), min_value=1900, max_value=2100, required=False
    )
    histology = forms.CharField(label=gettext_lazy("Histology"), max_length=100, required=False)
    ecog = forms.IntegerField(
        label=gettext_lazy("ECOG performance status"), min_value=0, max_value=5, required=False
    )
    prior_lines = forms.IntegerField(
        label=gettext_lazy("Prior lines of systemic therapy"),
        help_text=gettext_lazy(
            "For advanced disease; 0 where there was none, blank where nobody knows."
        ),
        min_value=0,
        max_value=MOST_PRIOR_LINES,
        required=False,
    )

    def __init__(self, sites: Any, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = sites


@dataclass(frozen=True)
class ItemRow:
    """One question with its controls."""

    item: Item
    label: str
    criteria: str
    value: forms.BoundField
    unit: forms.BoundField | None
    limits: tuple[tuple[str, forms.BoundField], ...]
    limit_unit: str  # as it is printed
    limit_follows: bool  # the unit that is chosen for the value
    never: forms.BoundField | None
    hints: tuple[str, ...]

    @property
    def fixed_unit(self) -> str:
        """The only unit, as it is printed."""
        return wording.unit(self.item.unit)

    @property
    def errors(self) -> list[str]:
        """What is wrong with any of its controls."""
        fields = [self.value, self.unit, *(field for _name, field in self.limits)]
        return [str(error) for field in fields if field for error in field.errors]

    @property
    def error_id(self) -> str:
        """Where the errors are on the page."""
        return f"{self.value.auto_id}_errors"

    @property
    def hint_id(self) -> str:
        """Where the hints are on the page."""
        return f"{self.value.auto_id}_hints"

    @property
    def described_by(self) -> str:
        """The ids of the hints and the errors that there are."""
        return " ".join([self.hint_id] * bool(self.hints) + [self.error_id] * bool(self.errors))


class ScreeningForm(ChangeForm):
    """One field per item that the protocol's criteria ask for, however many of them ask.

    A blank laboratory limit is filled in from the site's reference range, and the form says so; an
    answer that is blank is not answered, also where the patient's record has one.
    """

    screened_on = CalendarDateField(label=gettext_lazy("Date of screening"))
    protocol_number = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        protocol: Protocol,
        patient: Patient,
        *,
        on: Date,
        data: Any = None,
        screening: Screening | None = None,
    ) -> None:
        super().__init__(data)
        self.protocol, self.patient, self.screening, self.on = protocol, patient, screening, on
        self.initial = {"screened_on": on, "protocol_number": protocol.version.number}
        values = screening.values if screening else self._known()
        self.limit_units = _other_units(values)
        self.initial |= self._said(values)
        for asked in protocol.items:
            self.fields |= _fields(asked, protocol)
        if screening:
            self.ask_why(screening.version)

    def _known(self) -> dict[str, Any]:
        values = judging.carried_over(self.patient, self.protocol)
        return {code: value.as_document() for code, value in values.items()}

    def _said(self, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """What the controls show of values; limits of the laboratory are hinted at, not typed."""
        said: dict[str, Any] = {}
        for code, entry in values.items():
            value = entry["value"]
            said[f"{code}.never"] = value == NEVER
            said[code] = "" if value in (None, NEVER) else _typed(value)
            said[f"{code}.unit"] = entry.get("unit")
            if entry.get("limit_source") != FROM_LABORATORY:
                said |= {f"{code}.{n}": _typed(entry[n]) for n in ("uln", "lln") if n in entry}
        return said

    def document(self) -> dict[str, Any]:
        """What the form says, as the API takes it."""
        return {asked.code: self._entry(asked) for asked in self.protocol.items}

    def _entry(self, asked: Item) -> dict[str, Any]:
        raw = self._raw(asked.code)
        if asked.kind == Kind.NUMBER:
            return self._measured(asked, raw)
        if asked.kind == Kind.DATE:
            if self._raw(f"{asked.code}.never"):
                raw = f"{raw} {NEVER}".strip()
            return {"value": _as_date(raw) if raw else None}
        if asked.kind in (Kind.YES_NO, Kind.ATTESTATION):
            return {"value": {"yes": True, "no": False, "": None}.get(raw, raw)}
        return {"value": raw or None}

    def _measured(self, asked: Item, raw: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"value": _as_number(raw) if raw else None}
        unit = self._raw(f"{asked.code}.unit") or asked.unit
        typed = {n: said for n in ("uln", "lln") if (said := self._raw(f"{asked.code}.{n}"))}
        limits: dict[str, Any] = {name: _as_number(said) for name, said in typed.items()}
        if limits and asked.code in self.limit_units:
            limits["limit_unit"] = self.limit_units[asked.code]
        return entry | {"unit": unit} | limits

    def _raw(self, name: str) -> str:
        if name not in self.fields:
            return ""
        value = self[name].value()
        return str(value).strip() if value not in (None, False) else ""

    def clean(self) -> dict[str, Any]:
        """Everything that cannot be read, at once."""
        cleaned = super().clean() or {}
        self.add_errors(self.problems())
        rendered, number = cleaned.get("protocol_number"), self.protocol.version.number
        if self.screening is None and rendered not in (None, number):
            detail = _("On that day protocol version %s is in force: look at the questions again.")
            self.add_error("screened_on", detail % self.protocol.version)
            self._show("protocol_number", str(number))
        return cleaned

    def problems(self) -> list[FieldError]:
        """What cannot be read, and dates after the day of screening."""
        document = self.document()
        values, problems = judging.readable(document, self.protocol)
        contradicted = judging.contradicted(values, self.patient, self.on)
        return [*problems, *too_late(document, self.on), *contradicted]

    def read_again(self, version: int) -> None:
        """Keep what was typed, to be stored against the version that is shown now."""
        self._show("version", str(version))

    def _show(self, name: str, value: str) -> None:
        self.data = {key: self.data[key] for key in self.data} | {name: value}

    def control(self, error: FieldError) -> str | None:
        """The name of the control of which an error speaks."""
        steps = error.pointer.strip("/").split("/")
        name = ".".join(steps[1:]) if steps[0] == "values" else steps[0]
        name = name.removesuffix(".value")
        found = name if name in self.fields else name.partition(".")[0]
        return found if found in self.fields else None

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Beside the control that the pointer names."""
        for error in errors:
            self._add_once(self.control(error), error.detail)

    def _add_once(self, name: str | None, detail: str) -> None:
        if detail not in self.errors.get(name or "__all__", []):
            self.add_error(name, detail)

    def results(self) -> list[dict[str, Any]]:
        """What the criteria say of what can be read."""
        values, _problems = judging.readable(self.document(), self.protocol)
        answers = judging.completed(values, self.protocol, self.patient, self.on)
        return self.protocol.judge(answers, self.on)

    def sections(self) -> list[tuple[str, list[ItemRow]]]:
        """The questions in the order in which they are asked."""
        titles = [
            _("Patient"),
            _("Measurements"),
            _("History and findings"),
            _("Judged by a person"),
        ]
        found: dict[str, list[ItemRow]] = {title: [] for title in titles}
        for asked in self.protocol.items:
            found[titles[_section(asked)]].append(self._row(asked))
        return [(title, rows) for title, rows in found.items() if rows]

    def _row(self, asked: Item) -> ItemRow:
        code, using = asked.code, self.protocol.using(asked.code)
        limits = [n for n in ("uln", "lln") if f"{code}.{n}" in self.fields]
        row = ItemRow(
            item=asked,
            label=str(self.fields[code].label),
            criteria=_places(using),
            value=self[code],
            unit=self[f"{code}.unit"] if f"{code}.unit" in self.fields else None,
            limits=tuple((str(LIMIT_LABELS[n]), self[f"{code}.{n}"]) for n in limits),
            limit_unit=wording.unit(self._limit_unit(asked)) if limits else "",
            limit_follows=f"{code}.unit" in self.fields and code not in self.limit_units,
            never=self[f"{code}.never"] if f"{code}.never" in self.fields else None,
            hints=tuple(self._hints(asked)),
        )
        if row.described_by and not row.value.use_fieldset:
            self.fields[code].widget.attrs["aria-describedby"] = row.described_by
        return row

    def _limit_unit(self, asked: Item) -> str:
        """The unit of the limits: the value's, unless they were given in another."""
        said = self._raw(f"{asked.code}.unit")
        return self.limit_units.get(asked.code) or (said if said in asked.units else asked.unit)

    def _hints(self, asked: Item) -> Iterator[str]:
        """Where a value comes from that nobody typed, and what may help to type one."""
        if asked.code == "age" and self.patient.birth_year:
            youngest, oldest = possible_ages(self.patient.birth_year, self.on)
            years = {"year": self.patient.birth_year, "low": youngest, "high": oldest}
            yield _("Born in %(year)s: %(low)d or %(high)d on %(day)s") % (years | {"day": self.on})
        if asked.carries_over and asked.code in self._carried:
            yield _("From the patient's record")
        range_ = self._ranges.get(asked.code)
        if range_ and asked.code in self.protocol.limits:
            yield from _range_hint(range_, self.protocol.limits[asked.code])

    @cached_property
    def _carried(self) -> set[str]:
        """Items whose answer is that of the patient's record."""
        known = self._known()
        return {code for code in known if self._raw(code) == _typed(known[code]["value"])}

    @cached_property
    def _ranges(self) -> dict[str, ReferenceRange]:
        sex = self._raw("sex") or self.patient.sex
        return judging.reference_ranges(self.patient.site, self.on, sex)


def criterion_label(kind: str, number: int) -> str:
    """A criterion by its place: "Inclusion 3"."""
    name = _("Inclusion %d") if kind == CriterionKind.INCLUSION else _("Exclusion %d")
    return name % number


def _places(using: Iterable[Asked]) -> str:
    """Where an item is asked for: "Inclusion 17, 18; Exclusion 12"."""
    numbers: dict[str, list[str]] = {}
    for one in using:
        numbers.setdefault(one.criterion.kind, []).append(str(one.number))
    names = {CriterionKind.INCLUSION: _("Inclusion"), CriterionKind.EXCLUSION: _("Exclusion")}
    return "; ".join(f"{names[CriterionKind(k)]} {', '.join(n)}" for k, n in numbers.items())


def _section(asked: Item) -> int:
    if asked.carries_over or asked.code == "age":
        return 0
    if asked.kind == Kind.ATTESTATION:
        return 3
    return 1 if judging.measured(asked) or asked.code == "urine_protein" else 2


def _range_hint(range_: ReferenceRange, asked: Iterable[str]) -> Iterator[str]:
    limits = {"uln": range_.upper, "lln": range_.lower}
    for name in ("uln", "lln"):
        limit = limits[name]
        if name in asked and limit is not None:
            facts = {
                "limit": LIMIT_LABELS[name],
                "amount": f"{decimal_text(limit)} {wording.unit(range_.unit)}".strip(),
                "day": range_.valid_from,
            }
            yield _("Blank: %(limit)s of the laboratory, %(amount)s (since %(day)s)") % facts


def _fields(asked: Item, protocol: Protocol) -> dict[str, forms.Field]:
    """The controls of one item."""
    name = wording.label(asked.code, protocol.statements.get(asked.code, ""))
    label = name[:1].upper() + name[1:]
    controls = {asked.code: _control(asked, label)}
    if len(asked.units) > 1:
        units = [(code, wording.unit(code)) for code in asked.units]
        controls[f"{asked.code}.unit"] = forms.ChoiceField(
            label=_("%s, unit") % label, choices=units, required=False
        )
    for limit in sorted(protocol.limits.get(asked.code, ()), reverse=True):
        text = _("%(item)s, %(limit)s") % {"item": label, "limit": wording.LIMIT_NAMES[limit]}
        controls[f"{asked.code}.{limit}"] = _text(text, inputmode="decimal")
    if asked.kind == Kind.DATE:
        controls[f"{asked.code}.never"] = forms.BooleanField(
            label=_("%s: never") % label, required=False
        )
    return controls


def _control(asked: Item, label: str) -> forms.Field:
    if asked.kind in (Kind.YES_NO, Kind.ATTESTATION):
        return forms.ChoiceField(
            label=label, choices=ANSWERS, required=False, widget=forms.RadioSelect, initial=""
        )
    if asked.kind == Kind.CHOICE and asked.choices:
        choices = [*BLANK, *((code, wording.choice(code)) for code in asked.choices)]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    if asked.kind == Kind.DATE:
        return _text(label, inputmode="numeric", placeholder="YYYY-MM-DD")
    return _text(label, **({"inputmode": "decimal"} if asked.kind == Kind.NUMBER else {}))


def _text(label: str, **attributes: str) -> forms.CharField:
    attributes |= {"autocomplete": "off"}
    return forms.CharField(
        label=label, required=False, max_length=200, widget=forms.TextInput(attrs=attributes)
    )


def _other_units(values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The units of limits that were given in another unit than the value's."""
    return {
        code: entry["limit_unit"]
        for code, entry in values.items()
        if "limit_unit" in entry and entry.get("limit_source") != FROM_LABORATORY
    }


def _typed(value: Any) -> str:
    """A value as somebody would type it."""
    if isinstance(value, bool):
        return YES_NO[value]
    if isinstance(value, int | float | Decimal):
        return decimal_text(Decimal(str(value)))
    return str(value)


def _as_number(raw: str) -> Decimal | str:
    """The number, its decimal comma read as a point; else the text, to be refused as it is."""
    try:
        return Decimal(raw.replace(",", ".", 1))
    except InvalidOperation:
        return raw


def _as_date(raw: str) -> str:
    """The date as YYYY-MM-DD, however it was typed; else the text as it is."""
    if raw == NEVER:
        return raw
    try:
        found = CalendarDateField(required=False).clean(raw)
    except ValidationError:
        return raw
    return found.isoformat() if found else raw


class ConsentForm(ChangeForm):
    """A signed consent form."""

    consent_version = forms.CharField(label=gettext_lazy("Consent version"), max_length=40)
    signed_on = CalendarDateField(label=gettext_lazy("Signed on"))
    withdrawn_on = CalendarDateField(label=gettext_lazy("Withdrawn on"), required=False)

    def __init__(self, data: Any = None, consent: Consent | None = None, asked: str = "") -> None:
        names = ("consent_version", "signed_on", "withdrawn_on")
        stored = {n: getattr(consent, n) for n in names} if consent else {}
        super().__init__(data, initial={"consent_version": asked} | stored)
        if asked:
            self.fields["consent_version"].help_text = _("The protocol asks for %s.") % asked
        if consent:
            self.ask_why(consent.version)


class FailureForm(ChangeForm):
    """Why a screened person is not enrolled."""

    failure_reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=FailureReason.choices, widget=forms.RadioSelect
    )
    failure_detail = forms.CharField(
        label=gettext_lazy("Details"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, screening: Screening) -> None:
        failing = bool(judging.failing(screening.results))
        likely = FailureReason.NOT_ELIGIBLE if failing else FailureReason.DECLINED
        super().__init__(data, initial={"failure_reason": likely, "version": screening.version})


class EnrollmentForm(ChangeForm):
    """The day of enrollment; the arm where a trial has several and does not randomize."""

    enrolled_on = CalendarDateField(label=gettext_lazy("Enrolled on"))
    arm = forms.ModelChoiceField(Arm.objects.none(), label=gettext_lazy("Arm"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, trial: Trial, patient: Patient, data: Any = None) -> None:
        today = patient.site.today()
        super().__init__(data, initial={"enrolled_on": today, "version": patient.version})
        arms = list(trial.arms.all())
        if trial.randomized or trial.masked or not arms:
            del self.fields["arm"]
            return
        field = self.fields["arm"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = trial.arms.all()
        if len(arms) == 1:
            field.initial = arms[0]
