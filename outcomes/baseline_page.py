"""What the baseline page says beside each row while it is typed: whether it may be a target.

The rules are those of the save (`methods.checks`); here they are put beside the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.actions import Preview
from outcomes.baseline_forms import BaselineNonTargetRowForm
from outcomes.entries import LesionEntry, TargetEntry
from outcomes.flow_sheet import millimeters
from outcomes.forms import VisitForms
from outcomes.methods import checks
from outcomes.methods.organs import BONE, LYMPH_NODE
from outcomes.methods.recist import Assessment, Reason, Target, TargetState
from outcomes.response_panel import CheckLine
from outcomes.wording import organ_name, word
from patients.models import Patient

# What a lesion is refused for as a target, and may be recorded for as a non-target.
NON_TARGET = {
    "too_many_targets", "too_many_targets_in_organ", "target_below_minimum",
    "target_below_slice_minimum", "xray_target_below_minimum", "node_target_below_minimum",
    "target_by_ultrasound", "blastic_bone_target", "irradiated_without_progression",
}  # fmt: skip


@dataclass(frozen=True)
class BaselineRow:
    """A lesion's row with what is said of it: what is wrong, what to confirm, what it needs."""

    form: Any
    label: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    needs: str = ""
    measurable: bool = False
    checks: Sequence[CheckLine] = ()
    movable: bool = False
    node: bool = False
    bone: bool = False

    @property
    def prefix(self) -> str:
        """Where its fields are, such as `targets-0`."""
        return str(self.form.prefix)

    @property
    def index(self) -> str:
        """Its place among the rows of its kind."""
        return self.prefix.rsplit("-", 1)[-1]

    @property
    def refused(self) -> set[str]:
        """What a refused submit says of its fields already."""
        return {str(text) for messages in self.form.errors.values() for text in messages}

    @property
    def node_inferred(self) -> bool:
        """Whether it is a node by its organ's name alone."""
        return self.node and not self.form["nodal"].value()

    @property
    def quiet(self) -> bool:
        """Whether nothing is said of it."""
        return not (self.problems or self.warnings or self.needs)


@dataclass(frozen=True)
class Window:
    """How a baseline's date lies to the first dose."""

    text: str
    fits: bool = True


@dataclass(frozen=True)
class Baseline:
    """The baseline page's rows and counts."""

    targets: list[BaselineRow]
    non_targets: list[BaselineRow]
    counter: str
    window: Window
    sum_mm: str
    warnings: tuple[str, ...]
    open_points: tuple[str, ...]
    blank: BaselineRow = field(default_factory=lambda: blank_row())

    @property
    def rows(self) -> list[BaselineRow]:
        """All rows."""
        return [*self.targets, *self.non_targets]

    @property
    def open_rows(self) -> list[BaselineRow]:
        """The rows that cannot be stored as they are."""
        return [row for row in self.rows if row.problems]


def blank_row() -> BaselineRow:
    """The non-target row that a script copies: `__index__` and `__label__` are to be replaced."""
    form = BaselineNonTargetRowForm(prefix="non_targets-__index__", initial={"lesion": "__label__"})
    return BaselineRow(form, "__label__")


def baseline_page(
    forms: VisitForms, preview: Preview | None, checks_at: Callable[[str], Sequence[CheckLine]]
) -> Baseline:
    """The page as it is being typed (with a preview), as it is stored, or empty.

    `checks_at` gives the soft checks of a lesion.
    """
    if preview is None:
        return _stored(forms)
    said = [*_said(forms, "targets"), *_said(forms, "non_targets")]
    entry = forms.entry()
    entries = {
        row.prefix: one for row, one in zip(said, (*entry.targets, *entry.non_targets), strict=True)
    }
    found = _Found(forms, preview, entries, checks_at)
    targets = [e for e in entries.values() if isinstance(e, TargetEntry)]
    return Baseline(
        targets=[found.row(form) for form in forms.rows["targets"]],
        non_targets=[found.row(form) for form in forms.rows["non_targets"]],
        counter=counter(_as_described(entry) for entry in targets),
        window=window(forms.past.patient, entry.date),
        sum_mm=millimeters(preview.derived.sum_mm) if preview.derived else "",
        warnings=tuple(word(reason) for reason in found.of_the_visit),
        open_points=found.elsewhere,
    )


def _stored(forms: VisitForms) -> Baseline:
    visit, past = forms.visit, forms.past
    seen = past.assessments[visit.date] if visit else Assessment(Date.min)
    about = _by_lesion(visit.all_warnings() if visit else ())
    return Baseline(
        targets=[_stored_row(form, past.lesions, about) for form in forms.rows["targets"]],
        non_targets=[_stored_row(form, past.lesions, about) for form in forms.rows["non_targets"]],
        counter=counter(seen.targets),
        window=window(past.patient, visit.date if visit else None),
        sum_mm=millimeters(visit.sum_mm) if visit else "",
        warnings=(),
        open_points=(),
    )


def _stored_row(
    form: Any, lesions: Mapping[str, Any], about: Mapping[str, list[Reason]]
) -> BaselineRow:
    label = form.initial["lesion"]
    known = lesions.get(label)
    return BaselineRow(
        form,
        label,
        warnings=tuple(word(reason) for reason in about.get(label, ())),
        node=bool(known and known.nodal),
        bone=bool(known and known.organ_group == BONE),
    )


def counter(targets: Iterable[Target]) -> str:
    """How many targets there are, and how many of each organ: "3 of 5 targets; liver 2 of 2"."""
    rows = list(targets)
    total = _("%(number)s of %(most)s targets") % {"number": len(rows), "most": checks.MAX_TARGETS}
    organs = [
        _("%(organ)s %(number)s of %(most)s")
        % {
            "organ": _("lymph nodes") if organ == LYMPH_NODE else organ_name(organ),
            "number": number,
            "most": checks.MAX_TARGETS_PER_ORGAN,
        }
        for organ, number in checks.targets_per_organ(rows).items()
    ]
    # Translators: what stands between the counts of "3 of 5 targets; liver 2 of 2".
    return _("; ").join([total, *organs])


def window(patient: Patient, on: Date | None) -> Window:
    """How many days a baseline lies before the first dose, against the trial's window."""
    dose, most = patient.first_dose_on, patient.trial.baseline_window_days
    if dose is None:
        text = ngettext(
            "No first dose yet: a baseline lies at most %(most)s day before it.",
            "No first dose yet: a baseline lies at most %(most)s days before it.",
            most,
        )
        return Window(text % {"most": most})
    if on is None:
        dates = {"first": dose - timedelta(days=most), "dose": dose}
        return Window(_("Expected from %(first)s to the first dose on %(dose)s") % dates)
    if odd := next(checks.window_warnings(on, dose, most), None):
        return Window(word(odd), fits=False)
    days = (dose - on).days
    text = ngettext(
        "%(days)s day before the first dose on %(dose)s (at most %(most)s)",
        "%(days)s days before the first dose on %(dose)s (at most %(most)s)",
        days,
    )
    return Window(text % {"days": days, "dose": dose, "most": most})


class _Found:
    """What the preview found, by row."""

    def __init__(
        self,
        forms: VisitForms,
        preview: Preview,
        entries: Mapping[str, LesionEntry],
        checks_at: Callable[[str], Sequence[CheckLine]],
    ) -> None:
        self.checks_at = checks_at
        self.new = forms.visit is None
        self.entries = entries
        warnings = preview.derived.warnings if preview.derived else ()
        self.about = _by_lesion(warnings)
        self.of_the_visit = [r for r in self.about.pop("", ()) if r.code not in _OF_THE_WINDOW]
        self.missing: dict[str, list[tuple[str, str]]] = {}
        others = []
        for error in preview.missing:
            prefix, name = _place(forms, error.pointer)
            self.missing.setdefault(prefix, []).append((name, error.detail))
            others += [error.detail] if not prefix else []
        wrong = [str(m) for messages in forms.form.errors.values() for m in messages]
        self.elsewhere = tuple(dict.fromkeys(wrong or others))
        self.refused = _refusals(entries.values())

    def row(self, form: Any) -> BaselineRow:
        """A row with what is said of it."""
        entry = self.entries.get(form.prefix)
        label = form.initial["lesion"]
        if entry is None:
            return BaselineRow(form, label)
        problems = tuple(self._problems(form, entry.lesion))
        target = _as_described(entry) if isinstance(entry, TargetEntry) else None
        codes = {reason.code for reason in self.refused.get(entry.lesion, ())}
        return BaselineRow(
            form,
            label,
            problems=problems,
            warnings=tuple(word(reason) for reason in self.about.get(entry.lesion, ())),
            needs=word(checks.measurability(target)) if target and not codes else "",
            measurable=bool(target and target.diameter_mm is not None and not problems),
            checks=self.checks_at(entry.lesion),
            movable=self.new and bool(codes & NON_TARGET),
            node=entry.nodal,
            bone=entry.organ_group == BONE,
        )

    def _problems(self, form: Any, label: str) -> Iterator[str]:
        """What is wrong, each once; that a diameter is still to come is no problem yet."""
        wrong = [str(m) for messages in form.errors.values() for m in messages]
        typed = form.says("diameter_mm")
        rules = [
            detail
            for name, detail in self.missing.get(form.prefix, ())
            if (typed or name != "diameter_mm") and not form.errors.get(name)
        ]
        refused = [word(reason) for reason in self.refused.get(label, ())]
        yield from dict.fromkeys([*wrong, *refused, *rules])


_OF_THE_WINDOW = ("baseline_outside_window", "baseline_after_first_dose")


def _by_lesion(reasons: Iterable[Reason]) -> dict[str, list[Reason]]:
    """Reasons by the lesion that they speak of; "" for the visit as a whole."""
    found: dict[str, list[Reason]] = {}
    for reason in reasons:
        found.setdefault(str(reason.parameters.get("lesion", "")), []).append(reason)
    return found


def _place(forms: VisitForms, pointer: str) -> tuple[str, str]:
    """The row and the field that a pointer into the entry names; no row for the visit's own."""
    parts = pointer.strip("/").split("/")
    if len(parts) > 1 and parts[0] in forms.rows:
        said = _said(forms, parts[0])
        if int(parts[1]) < len(said):
            return str(said[int(parts[1])].prefix), parts[-1]
    return "", parts[-1]


def _said(forms: VisitForms, name: str) -> list[Any]:
    return [row for row in forms.rows[name] if not row.blank()]


def _as_described(entry: TargetEntry) -> Target:
    """A row as the rules see it, measured or not yet."""
    return replace(entry, state=TargetState.MEASURED).as_target(entry)


def _refusals(entries: Iterable[LesionEntry]) -> dict[str, list[Reason]]:
    """Why rows cannot be targets, by label, whether their diameter is typed yet or not."""
    rows = [_as_described(entry) for entry in entries if isinstance(entry, TargetEntry)]
    found: dict[str, list[Reason]] = {}
    for problem in checks.check_baseline(Assessment(Date.min, rows)):
        place, index = problem.pointer.split("/")[1:3]
        if place == "targets" and problem.reason.code != "diameter_required":
            found.setdefault(rows[int(index)].lesion, []).append(problem.reason)
    return found
