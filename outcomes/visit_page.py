"""What the visit page shows around its fields: the past of each lesion, and the response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from outcomes import schedule
from outcomes.actions import Preview, preview_visit
from outcomes.baseline_page import Baseline, baseline_page
from outcomes.best_to_date import BestToDate, best_to_date
from outcomes.confirmation import awaited
from outcomes.corrections import Change
from outcomes.data_queries.page import QueryLine, query_lines
from outcomes.flow_sheet import millimeters, nadir_visit, percent
from outcomes.follow_up_forms import SPLIT
from outcomes.forms import VisitForms
from outcomes.labels import response_label
from outcomes.methods.recist import Response, target_value_mm
from outcomes.models import Lesion, NonTargetStateChoice, TargetStateChoice, Visit
from outcomes.response_panel import CheckLine, ResponsePanel, response_panel
from outcomes.row_forms import RowForm
from outcomes.schedule import Expected
from outcomes.wording import organ_suggestions
from patients.models import Patient, Query, QuerySubject
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
    change: str
    checks: Sequence[CheckLine]
    before: str = ""

    @property
    def further(self) -> bool:
        """Whether the folded fields say something or are wrong."""
        names = ("reason", "fragments", "merged_into", "short_axis_mm")
        return any(
            self.form[n].value() or self.form[n].errors for n in names if n in self.form.fields
        )

    @property
    def not_evaluable(self) -> bool:
        """Whether the reason is asked for."""
        said = (self._said("state"), self._said("status"))
        return TargetStateChoice.NOT_EVALUABLE in said or self._says("reason")

    @property
    def split(self) -> bool:
        """Whether the parts are asked for."""
        parts = [name for name in self.form.fields if name.startswith("fragment_")]
        return self._said("state") == SPLIT or any(self._says(name) for name in parts)

    @property
    def method(self) -> str:
        """How the lesion is measured today, in a few words."""
        said = self.form["method"].value() or ""
        names = dict(self.form.fields["method"].choices)  # type: ignore[attr-defined]
        mm = str(self.form["slice_mm"].value() or "")
        return " ".join(filter(None, (str(names.get(said, said)), mm and f"{mm} mm")))

    @property
    def method_open(self) -> bool:
        """Whether the fields of the method are open: they are wrong."""
        return bool(self.form["method"].errors or self.form["slice_mm"].errors)

    @property
    def wrong(self) -> bool:
        """Whether something of this row was refused."""
        return bool(self.form.errors)

    def _said(self, name: str) -> Any:
        return self.form[name].value() if name in self.form.fields else None

    def _says(self, name: str) -> bool:
        return bool(self._said(name) or self.form[name].errors)


class VisitPage:
    """The visit page."""

    def __init__(
        self, forms: VisitForms, *, stale: Meanwhile | None = None, new: bool = False
    ) -> None:
        self.forms = forms
        self.new = new
        self.stale = stale
        self.patient: Patient = forms.past.patient
        self.reviewed = forms.past.reviewed
        self.visit = forms.visit
        self.baseline = forms.baseline
        self.form = forms.form
        others = [v for v in forms.past.visits if v != forms.visit]
        until = forms.visit.date if forms.visit else None
        self.earlier = [v for v in others if until is None or v.date < until]
        self.first = forms.past.baseline
        self.nadir = nadir_visit(self.earlier)
        self.previous = forms.previous

    @property
    def title(self) -> str:
        """The heading."""
        if self.visit:
            label = schedule.week_label(self.visit)
            if self.new:
                return _("Tumor assessment, %(visit)s") % {"visit": label}
            return _("Correct: %(visit)s, %(date)s") % {"visit": label, "date": self.visit.date}
        if self.baseline:
            return _("Baseline assessment")
        expected = self.expected
        if expected is None or expected.baseline:
            return _("Tumor assessment")
        return _("Tumor assessment, %(visit)s") % {"visit": expected.label}

    @cached_property
    def expected(self) -> Expected | None:
        """The planned scan that this visit stands for."""
        if self.visit:
            return schedule.planned_for(self.visit)
        if self.baseline or self.reviewed:  # what is still planned tells what became of the patient
            return None
        return schedule.expected(self.patient)

    @property
    def preview_url(self) -> str:
        """Where what is typed is judged."""
        name = "review_visit_preview" if self.reviewed else "visit_preview"
        return reverse(f"outcomes:{name}", args=[self.patient.pk])

    @cached_property
    def queries(self) -> list[QueryLine]:
        """What is still asked about the visit that is corrected."""
        if self.visit is None or self.reviewed:
            return []
        asked = Query.objects.open().of_record(QuerySubject.VISIT, self.visit.pk)
        return query_lines(asked.with_thread())

    @property
    def best(self) -> BestToDate | None:
        """The best response before this visit; a correction may change it, so it shows none."""
        if self.visit or self.baseline or self.reviewed:
            return None
        return best_to_date(self.forms.past, self.patient.site.today())

    @property
    def unconfirmed(self) -> str:
        """What an iUPD before this visit asks of it; blank without one."""
        return awaited(self.patient.trial, self.earlier)

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
    def new_lesions_asked(self) -> bool:
        """Whether the rows of new lesions are open."""
        said = any(not row.blank() for row in self.forms.rows["new_lesions"])
        return self.form["new_lesions"].value() == "yes" or (self.form.is_bound and said)

    @property
    def differs(self) -> bool:
        """Whether the investigator's reason is asked for."""
        stated, why = self.form["stated_response"], self.form["stated_response_reason"]
        if stated.errors or why.errors:
            return True
        said = stated.value() or ""
        return bool(said or why.value()) and said != self.computed

    @property
    def computed(self) -> str:
        """The computed response as the investigator would state it; blank while there is none."""
        response = self.panel.response if self.panel else None
        return response.value if response else ""

    @property
    def stated(self) -> BoundField:
        """The investigator's assessment; to state the computed response is to agree with it."""
        field = cast(forms.ChoiceField, self.form.fields["stated_response"])
        words = {"response": response_label(Response(self.computed))} if self.computed else {}
        field.choices = [
            (value, _("Agrees: %(response)s") % words if value and value == self.computed else text)
            for value, text in cast(Iterable[tuple[str, str]], field.choices)
        ]
        return self.form["stated_response"]

    @cached_property
    def wrong_fields(self) -> list[BoundField]:
        """What a preview says of single fields: shapes, after a refusal all that is still wrong."""
        if self.forms.refused and self._preview and self.panel:
            self.forms.add_errors(self._preview.missing)
        return list(self.forms.wrong_fields())

    @property
    def sums(self) -> dict[str, str]:
        """The sums below the target table."""
        return {
            "baseline": millimeters(self.first.sum_mm if self.first else None),
            "nadir": millimeters(self.nadir.sum_mm if self.nadir else None),
            "previous": millimeters(self.previous.sum_mm if self.previous else None),
        }

    @property
    def thresholds(self) -> dict[str, str]:
        """What PR and PD need, in mm, exact: known before anything is typed."""
        if self.panel and self.panel.derived:
            return {"pr": self.panel.pr_at_most, "pd": self.panel.pd_at_least}
        if self.first is None or self.nadir is None:
            return {}
        known = replace(self.first.as_derived(), nadir_mm=self.nadir.sum_mm)
        return {"pr": millimeters(known.pr_at_most_mm), "pd": millimeters(known.pd_at_least_mm)}

    @property
    def submitted(self) -> bool:
        """Whether the page shows what was refused, rather than what is being filled in."""
        return self.form.is_bound and not self.forms.wants_more_rows

    @cached_property
    def conformance(self) -> Baseline:
        """A baseline's rows, with what is said of each."""
        return baseline_page(self.forms, self._preview, self.checks_at)

    @property
    def organs(self) -> list[str]:
        """The organs that are suggested."""
        return organ_suggestions()

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """The error summary; nothing before the first submit."""
        return self.forms.error_list() if self.submitted else []

    @property
    def changes(self) -> list[tuple[Change, str]]:
        """What a correction changes, each with its own reason where one was given."""
        data = self.forms.data or QueryDict()
        return [(change, str(data.get(change.reason_name, ""))) for change in self.forms.changes]

    @property
    def changes_key(self) -> str:
        """What tells one list of changes from another."""
        return "|".join(f"{c.pointer}{c.before}{c.after}" for c in self.forms.changes)

    @property
    def all_checks(self) -> list[tuple[str, list[CheckLine]]]:
        """The soft checks by their place on the page, places without one included."""
        labels = [row.initial["lesion"] for row in self.forms.all_rows()]
        return [(place, self.checks_at(place)) for place in ("date", "targets", "stated", *labels)]

    @cached_property
    def panel(self) -> ResponsePanel | None:
        """The computed response of what is shown, once there is something to compute."""
        if self._preview:
            return response_panel(self._preview, self.forms)
        return self._stored_panel() if self.visit else None

    @cached_property
    def _preview(self) -> Preview | None:
        """What is typed, judged."""
        if not self.form.is_bound:
            return None
        entry, past = self.forms.entry(), self.forms.past
        return preview_visit(patient=self.patient, entry=entry, visit=self.visit, past=past)

    def checks_at(self, place: str) -> list[CheckLine]:
        """The soft checks beside a lesion, or beside another part of the page."""
        return self.panel.checks_at(place) if self.panel else []

    @property
    def date_checks(self) -> list[CheckLine]:
        """The soft checks beside the scan date."""
        return self.checks_at("date")

    @property
    def target_checks(self) -> list[CheckLine]:
        """The soft checks of all targets together."""
        return self.checks_at("targets")

    @property
    def stated_checks(self) -> list[CheckLine]:
        """The soft checks beside the investigator's assessment."""
        return self.checks_at("stated")

    def _stored_panel(self) -> ResponsePanel:
        assert self.visit is not None
        derived = self.visit.as_derived()
        return response_panel(Preview(derived, (), ()), self.forms)

    def _rows(self, name: str) -> Iterator[EntryRow]:
        now, before = self._now if name == "targets" else {}, self.forms.statuses_before()
        for form in self.forms.rows[name]:
            label = form.initial["lesion"]
            yield EntryRow(
                form=form,
                label=label,
                lesion=self.forms.past.lesions.get(label),
                baseline=self._seen(label, self.first),
                nadir=self._seen(label, self.nadir),
                previous=self._seen(label, self.previous),
                change=self._change(label, now),
                checks=self.checks_at(label),
                before=before.get(label, ""),
            )

    @cached_property
    def _now(self) -> dict[str, Decimal | None]:
        """What each target counts today, as typed."""
        if self.baseline:
            return {}
        if not self.form.is_bound:
            rows = self.forms.past.assessments[self.visit.date].targets if self.visit else ()
        else:
            rows = self.forms.past.assessed(self.forms.entry(), self.patient.site.today()).targets
        return {row.lesion: target_value_mm(row) for row in rows}

    def _change(self, label: str, now: dict[str, Decimal | None]) -> str:
        """The change since the visit before, for reading; blank without two numbers."""
        before, today = self._counted(label, self.previous), now.get(label)
        if before is None or today is None:
            return ""
        if not before:
            return "" if not today else f"+{millimeters(today)} mm"
        return percent(100 * Fraction(today - before) / Fraction(before))

    def _counted(self, label: str, visit: Visit | None) -> Decimal | None:
        rows = self.forms.past.assessments[visit.date].targets if visit else ()
        return next((target_value_mm(row) for row in rows if row.lesion == label), None)

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
