"""What the visit page shows around its fields: the past of each lesion, and the response panel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from outcomes.actions import LaterVisit, Preview, preview_visit
from outcomes.charts import response_label
from outcomes.flow_sheet import millimeters, nadir_visit
from outcomes.forms import RowForm, VisitForms
from outcomes.methods.recist import Derived, target_value_mm
from outcomes.models import Lesion, NonTargetStateChoice, ResponseChoice, Visit
from outcomes.wording import word
from patients.models import Patient
from registry.meanwhile import Meanwhile


@dataclass(frozen=True)
class EntryRow:
    """A lesion's row: its form, its description, and what was seen of it before."""

    form: RowForm
    label: str
    lesion: Lesion | None
    baseline: str
    nadir: str
    previous: str

    @property
    def further(self) -> bool:
        """Whether the folded fields say something or are wrong."""
        names = ("reason", "fragments", "merged_into", "short_axis_mm")
        return any(
            self.form[n].value() or self.form[n].errors for n in names if n in self.form.fields
        )


@dataclass(frozen=True)
class ResponsePanel:
    """The computed response with the reasons that decided it."""

    derived: Derived | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    answered: bool
    later_visits: tuple[LaterVisit, ...]

    @property
    def response(self) -> ResponseChoice | None:
        """The overall response with its name."""
        found = self.derived.overall_response if self.derived else None
        return ResponseChoice(found) if found else None

    @property
    def target(self) -> str:
        """The target response, written as RECIST writes it."""
        found = self.derived and self.derived.target_response
        return response_label(found) if found else "–"

    @property
    def non_target(self) -> str:
        """The non-target response, written as RECIST writes it."""
        found = self.derived and self.derived.non_target_response
        return response_label(found) if found else "–"

    @property
    def sum_mm(self) -> str:
        """Today's sum as typed."""
        return millimeters(self.derived.sum_mm) if self.derived else ""

    @property
    def pr_at_most(self) -> str:
        """The exact threshold of a partial response."""
        return millimeters(self.derived.pr_at_most_mm) if self.derived else ""

    @property
    def pd_at_least(self) -> str:
        """The exact threshold of progression."""
        return millimeters(self.derived.pd_at_least_mm) if self.derived else ""


def response_panel(preview: Preview, forms: VisitForms) -> ResponsePanel:
    """A preview, worded."""
    derived = preview.derived
    answered = all(error.pointer != "/new_lesions" for error in preview.missing)
    return ResponsePanel(
        derived=derived,
        reasons=tuple(word(r) for r in derived.reasons if answered or r.code != "no_new_lesion")
        if derived
        else (),
        answered=answered,
        warnings=tuple(word(reason) for reason in derived.warnings) if derived else (),
        missing=tuple(forms.labelled(preview.missing)),
        later_visits=preview.later_visits,
    )


class VisitPage:
    """The visit page."""

    def __init__(self, forms: VisitForms, *, stale: Meanwhile | None = None) -> None:
        self.forms = forms
        self.stale = stale
        self.patient: Patient = forms.past.patient
        self.visit = forms.visit
        self.baseline = forms.baseline
        self.form = forms.form
        others = [v for v in forms.past.visits if v != forms.visit]
        until = forms.visit.date if forms.visit else None
        self.earlier = [v for v in others if until is None or v.date < until]
        self.nadir = nadir_visit(self.earlier)
        self.previous = self.earlier[-1] if self.earlier else None

    @property
    def title(self) -> str:
        """The heading."""
        if self.visit:
            return _("Correct: %s") % self.visit
        return _("Baseline assessment") if self.baseline else _("Tumor assessment")

    @property
    def window(self) -> str:
        """When the next scan is expected: the last one plus the trial's interval."""
        if self.visit or self.previous is None:
            return ""
        trial = self.patient.trial
        origin = self.previous.date
        if self.previous.kind == Visit.Kind.BASELINE:
            origin = self.patient.first_dose_on or origin
        due = origin + timedelta(days=trial.assessment_interval_days)
        margin = timedelta(days=trial.assessment_window_days)
        return _("Expected from %(first)s to %(last)s") % {
            "first": due - margin,
            "last": due + margin,
        }

    @property
    def targets(self) -> list[EntryRow]:
        """Target rows."""
        return list(self._rows("targets"))

    @property
    def non_targets(self) -> list[EntryRow]:
        """Non-target rows."""
        return list(self._rows("non_targets"))

    @property
    def new_lesions(self) -> list[EntryRow]:
        """New-lesion rows."""
        return list(self._rows("new_lesions"))

    @property
    def sums(self) -> dict[str, str]:
        """The sums below the target table."""
        first = self.forms.past.baseline
        return {
            "baseline": millimeters(first.sum_mm if first else None),
            "nadir": millimeters(self.nadir.sum_mm if self.nadir else None),
            "previous": millimeters(self.previous.sum_mm if self.previous else None),
        }

    @property
    def submitted(self) -> bool:
        """Whether the page shows what was refused, rather than what is being filled in."""
        return self.form.is_bound and not self.forms.wants_more_rows

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """The error summary; nothing before the first submit."""
        return self.forms.error_list() if self.submitted else []

    @property
    def panel(self) -> ResponsePanel | None:
        """The computed response of what is shown, once there is something to compute."""
        if not self.form.is_bound and self.visit is None:
            return None
        if not self.form.is_bound:
            return self._stored_panel()
        preview = preview_visit(
            patient=self.patient, entry=self.forms.entry(), visit=self.visit, past=self.forms.past
        )
        return response_panel(preview, self.forms)

    def _stored_panel(self) -> ResponsePanel:
        assert self.visit is not None
        derived = self.visit.as_derived()
        return response_panel(Preview(derived, (), ()), self.forms)

    def _rows(self, name: str) -> Iterator[EntryRow]:
        for form in self.forms.rows[name]:
            label = form.initial["lesion"]
            yield EntryRow(
                form=form,
                label=label,
                lesion=self.forms.past.lesions.get(label),
                baseline=self._seen(label, self.forms.past.baseline),
                nadir=self._seen(label, self.nadir),
                previous=self._seen(label, self.previous),
            )

    def _seen(self, label: str, visit: Visit | None) -> str:
        """What a lesion counted at a visit, or its non-target status."""
        if visit is None:
            return ""
        assessment = self.forms.past.assessments[visit.date]
        for target in assessment.targets:
            if target.lesion == label:
                value: Decimal | None = target_value_mm(target)
                return "NE" if value is None else millimeters(value)
        found: Any = next((n for n in assessment.non_targets if n.lesion == label), None)
        return str(NonTargetStateChoice(found.status).label) if found else ""
