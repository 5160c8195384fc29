"""The response of a visit while it is typed: with its reasons, its thresholds and its questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from outcomes import schedule
from outcomes.actions import LaterVisit, Preview
from outcomes.flow_sheet import ImmuneLine, immune_line, millimeters, percent
from outcomes.forms import VisitForms
from outcomes.history import History
from outcomes.labels import response_label
from outcomes.methods.recist import Derived, Response
from outcomes.methods.soft_checks import Check, SoftCheck
from outcomes.models import ResponseChoice
from outcomes.soft_check_form import COMMENT, CONFIRMED, field_name
from outcomes.wording import word, word_check


@dataclass(frozen=True)
class CheckLine:
    """A soft check in words, with the names of its fields and what they say.

    `settled`: it opens a query whatever is ticked.
    """

    text: str
    lesion: str
    pointer: str
    confirmed_name: str
    comment_name: str
    confirmed: bool
    comment: str
    settled: bool

    @property
    def place(self) -> str:
        """Where on the page it stands: beside its lesion, else beside the field it speaks of."""
        field = self.pointer.split("/")[1] if self.pointer else ""
        return self.lesion or {"date": "date", "stated_response": "stated"}.get(field, "targets")


@dataclass(frozen=True)
class LaterLine:
    """A later visit whose response would change, as the page calls it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ResponsePanel:
    """The computed response with the reasons that decided it."""

    derived: Derived | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    answered: bool
    later_visits: tuple[LaterLine, ...]
    checks: tuple[CheckLine, ...] = ()
    immune: ImmuneLine | None = None

    @property
    def response(self) -> ResponseChoice | None:
        """The overall response with its name."""
        found = self.derived.overall_response if self.derived else None
        return ResponseChoice(found) if found else None

    @property
    def code(self) -> str:
        """The overall response, written as RECIST writes it."""
        return _written(self.derived and self.derived.overall_response)

    @property
    def target(self) -> str:
        """The target response."""
        return _written(self.derived and self.derived.target_response)

    @property
    def non_target(self) -> str:
        """The non-target response."""
        return _written(self.derived and self.derived.non_target_response)

    @property
    def sum_mm(self) -> str:
        """Today's sum as typed."""
        return millimeters(self.derived.sum_mm) if self.derived else ""

    @property
    def from_baseline(self) -> str:
        """The change from baseline."""
        return percent(self.derived.change_from_baseline_percent) if self.derived else ""

    @property
    def from_nadir(self) -> str:
        """The change from the nadir in percent; blank where the nadir is 0."""
        return percent(self.derived.change_from_nadir_percent) if self.derived else ""

    @property
    def from_nadir_mm(self) -> str:
        """The change from the nadir in mm, with its sign."""
        change = self.derived.change_from_nadir_mm if self.derived else None
        return "" if change is None else f"{'+' if change > 0 else ''}{millimeters(change)} mm"

    @property
    def pr_at_most(self) -> str:
        """The exact threshold of a partial response."""
        return millimeters(self.derived.pr_at_most_mm) if self.derived else ""

    @property
    def pd_at_least(self) -> str:
        """The exact threshold of progression."""
        return millimeters(self.derived.pd_at_least_mm) if self.derived else ""

    def checks_at(self, place: str) -> list[CheckLine]:
        """The soft checks that stand at a place of the page."""
        return [check for check in self.checks if check.place == place]


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
        later_visits=later_lines(preview.later_visits, forms.past),
        checks=tuple(_line(check, forms.data) for check in preview.soft_checks),
        immune=immune_line(derived, forms.past),
    )


def _written(response: Any) -> str:
    return response_label(response) if response else "–"


def later_lines(changed: Iterable[LaterVisit], past: History) -> tuple[LaterLine, ...]:
    """Later visits whose response changes, as pages call them."""
    known = {visit.pk: visit for visit in past.visits}
    return tuple(
        LaterLine(
            f"{schedule.week_label(known[later.id])} ({later.date.isoformat()})",
            _code(later.before),
            _code(later.after),
        )
        for later in changed
    )


def _code(stored: str) -> str:
    return _written(Response(stored) if stored else None)


def _line(check: SoftCheck, data: QueryDict | None) -> CheckLine:
    names = [field_name(kind, check.check, check.lesion) for kind in (CONFIRMED, COMMENT)]
    confirmed, comment = ((data or QueryDict()).get(name, "") for name in names)
    return CheckLine(
        text=word_check(check.reason),
        lesion=check.lesion,
        pointer=check.pointer,
        confirmed_name=names[0],
        comment_name=names[1],
        confirmed=bool(confirmed),
        comment=str(comment),
        settled=check.check is Check.STATED_RESPONSE_DIFFERS,
    )
