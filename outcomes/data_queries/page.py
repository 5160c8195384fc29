"""How a query looks, on every page alike: its state, age, place and question, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.data_queries.documents import question
from outcomes.models import Visit
from outcomes.schedule import week_label
from outcomes.wording import word_value
from patients.models import ClosedBecause, Query, QueryState, QuerySubject

ICONS = {QueryState.OPEN: "?", QueryState.ANSWERED: "↩", QueryState.CLOSED: "✓"}
BADGES = {
    QueryState.OPEN: "text-bg-warning",
    QueryState.ANSWERED: "text-bg-info",
    QueryState.CLOSED: "text-bg-light border",
}


@dataclass(frozen=True)
class QueryLine:
    """A query for the screen; `visit` is the one it speaks of, if it does."""

    query: Query
    visit: Visit | None

    @property
    def icon(self) -> str:
        """Beside the state's word, never instead of it."""
        return ICONS[QueryState(self.query.state)]

    @property
    def badge(self) -> str:
        """The state's color."""
        return BADGES[QueryState(self.query.state)]

    @property
    def age(self) -> str:
        """How long ago it was opened."""
        days = (timezone.now() - self.query.opened_at).days
        if not days:
            return _("today")
        return ngettext("%(days)s day old", "%(days)s days old", days) % {"days": days}

    @property
    def place(self) -> str:
        """The record, and the lesion where one is meant: Week 6, 2024-02-27, T02."""
        record = [str(QuerySubject(self.query.subject).label)]
        if self.visit:
            self.visit.patient = self.query.patient
            record = [week_label(self.visit), self.visit.date.isoformat()]
        return ", ".join([*record, self.query.lesion] if self.query.lesion else record)

    @property
    def question(self) -> str:
        """What is asked."""
        return question(self.query)

    @property
    def closing(self) -> str:
        """Why it is closed; blank while it is not."""
        because = self.query.closed_because
        if because == ClosedBecause.VALUE_CHANGED and self.query.closed_value:
            value = word_value(self.query.closed_value)
            return _("Closed by itself: the value is %(value)s now.") % {"value": value}
        if because == ClosedBecause.VALUE_CHANGED:
            return _("Closed by itself: the value was taken out.")
        return _("Closed: %s.") % ClosedBecause(because).label if because else ""


def query_lines(queries: Iterable[Query], visits: Iterable[Visit] | None = None) -> list[QueryLine]:
    """Queries, `with_question` or `with_thread`, for the screen.

    Two statements, one where the `visits` that they speak of are at hand.
    """
    rows = list(queries)
    ids = {q.record_id for q in rows if q.subject == QuerySubject.VISIT}
    found = Visit.objects.filter(pk__in=ids) if visits is None else visits
    known = {visit.pk: visit for visit in found}
    return [
        QueryLine(q, known.get(q.record_id) if q.subject == QuerySubject.VISIT else None)
        for q in rows
    ]
