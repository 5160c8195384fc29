"""What a coordinator reads once a visit is stored: its response, what is left to do, what is next."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes import history, schedule
from outcomes.best_to_date import best_to_date
from outcomes.confirmation import awaited
from outcomes.labels import response_label
from outcomes.methods.recist import Response
from outcomes.models import REVIEWER, Visit
from patients.models import Query, QuerySubject

TO_CONFIRM = (Response.CR, Response.PR)


def banner(visit: Visit, *, corrected: bool = False) -> str:
    """Such as "Week 12 submitted: PR (unconfirmed). Next scan ... to ..."."""
    parts = [_corrected(visit) if corrected else _submitted(visit)]
    if visit.evaluator == REVIEWER:  # neither queries nor what is planned are for a reviewer
        return parts[0]
    queries = Query.objects.open().of_record(QuerySubject.VISIT, visit.pk).count()
    if queries:
        said = ngettext("%(number)s open query.", "%(number)s open queries.", queries)
        parts.append(said % {"number": queries})
    return " ".join([*parts, *_unconfirmed(visit), _next(visit)])


def _unconfirmed(visit: Visit) -> list[str]:
    """What an iUPD that is open after the visit asks of the next; one statement, by iRECIST only."""
    if not visit.patient.trial.irecist:
        return []
    rows = Visit.objects.filter(
        patient=visit.patient_id, evaluator=visit.evaluator, voided_at=None
    ).order_by("date")
    said = awaited(visit.patient.trial, list(rows))
    return [said] if said else []


def _submitted(visit: Visit) -> str:
    if not visit.overall_response:
        return _("%(visit)s submitted.") % {"visit": _called(visit)}
    said = {"visit": _called(visit), "response": _response(visit)}
    return _("%(visit)s submitted: %(response)s.") % said


def _corrected(visit: Visit) -> str:
    if not visit.overall_response:
        return _("%(visit)s corrected.") % {"visit": _called(visit)}
    said = {"visit": _called(visit), "response": _response(visit)}
    return _("%(visit)s corrected: %(response)s.") % said


def _called(visit: Visit) -> str:
    """Its week; an unscheduled one and a baseline with their dates."""
    known = schedule.scheduled_before(Visit.objects.filter(pk=visit.pk)).get()
    label = schedule.week_label(visit, known.scheduled_before)
    return label if visit.kind == Visit.Kind.SCHEDULED else f"{label} {visit.date.isoformat()}"


def _response(visit: Visit) -> str:
    response = Response(visit.overall_response)
    if response not in TO_CONFIRM or visit.evaluator == REVIEWER:
        return response_label(response)
    best = best_to_date(history.load(visit.patient), visit.patient.site.today())
    said = {"response": response_label(response)}
    if best and best.confirms(response):
        return _("%(response)s (confirmed)") % said
    return _("%(response)s (unconfirmed)") % said


def _next(visit: Visit) -> str:
    outlook = schedule.outlook(visit.patient)
    if outlook.expected is None:
        return _("No further scan is planned. %(reason)s") % {"reason": outlook.why_not}
    return _("Next scan %(first)s to %(last)s.") % {
        "first": outlook.expected.first,
        "last": outlook.expected.last,
    }
