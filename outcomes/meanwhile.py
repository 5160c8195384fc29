"""A colleague stored a visit first: a correction of the same version, or a visit of the same date."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

from django.forms import Form
from django.http import QueryDict

from outcomes import history
from outcomes.forms import VisitForms
from outcomes.models import Measurement, NewLesionStatus, NonTargetStatus, Visit
from outcomes.row_forms import DescriptionMixin, RowForm
from registry.errors import Conflict, Refused, StaleVersion
from registry.meanwhile import Difference, Meanwhile, differences, sent

RELATIONS = {
    "measurements": Measurement, "non_target_statuses": NonTargetStatus,
    "new_lesion_statuses": NewLesionStatus,
}  # fmt: skip
DESCRIBED = frozenset(DescriptionMixin.base_fields)


def continued(forms: VisitForms) -> VisitForms:
    """The page for a new visit as one that corrects what it met: a visit of the same date.

    Or the baseline, where another one was stored while this one was typed. With another date it
    is a new visit again.
    """
    if forms.data is None:
        return forms
    on, past = forms.form.cleaned_data.get("date"), forms.past
    met = next((v for v in past.visits if str(v.pk) == forms.data.get("visit")), None)
    if met is None or met.date != on:
        met = past.baseline if "targets-0-organ" in forms.data else None
    if met:
        return VisitForms(past, visit=met, data=forms.data)
    if not {"visit", "version"} & set(forms.data):
        return forms
    return VisitForms(past, data=begun_anew(forms.data))


def begun_anew(data: QueryDict) -> QueryDict:
    """What was typed, for a new visit: of no stored one."""
    fresh = data.copy()
    for name in ("visit", "version"):
        fresh.pop(name, None)
    return fresh


def met(forms: VisitForms, refused: Refused) -> VisitForms:
    """The forms with what was refused: as a correction where the date is that of a stored visit."""
    found = forms
    if forms.visit is None and isinstance(refused, Conflict) and "/date" in _pointers(refused):
        past, on = (
            history.load(forms.past.patient, forms.past.evaluator),
            forms.form.cleaned_data.get("date"),
        )
        if visit := next((v for v in past.visits if v.date == on), None):
            found = VisitForms(past, visit=visit, data=forms.data)
    said = [e for e in refused.errors if found is forms or e.pointer != "/date"]
    found.add_errors(said)  # the page speaks of the date itself, where it goes on as a correction
    return found


def _pointers(refused: Refused) -> set[str]:
    return {error.pointer for error in refused.errors}


def require_read(forms: VisitForms, stale: StaleVersion) -> None:
    """Raise StaleVersion again where the forms were built of something older than is stored now."""
    if forms.visit is None or forms.visit.version != stale.current:
        raise stale


def merged(forms: VisitForms) -> tuple[VisitForms, Meanwhile | None]:
    """The forms with what only a colleague changed, and what both did; None where all was read.

    Three versions are compared: the one that the page was shown from, the stored and the typed
    one. Nothing is stored by that: nobody has seen the visit as it would be.
    """
    if forms.visit is None or forms.data is None or forms.wants_more_rows:
        return forms, None
    if forms.data.get("version") == str(forms.visit.version):
        return forms, None
    found, before = list(_differences(forms)), shown_from(forms)
    taken = [one for one in found if before.get(one.name) == _said(one, forms)]
    both = [one for one in found if one.name not in before or one not in taken]
    both = [one for one in both if before.get(one.name) != one.stored_values]
    data = forms.data.copy()
    for one in taken:
        data.setlist(one.name, list(one.stored_values))
    if taken:
        forms = VisitForms(forms.past, visit=forms.visit, data=data)
    return forms, Meanwhile.of(forms.visit, both, taken)


def _said(difference: Difference, forms: VisitForms) -> tuple[str, ...]:
    """The typed value as the form would send it: 30.0 is 30, and a number is a measured state."""
    bound = next(b for form in _all_forms(forms) for b in form if b.html_name == difference.name)
    form, name = bound.form, bound.name
    if name == "state" and not any(difference.typed_values) and _measured(form):
        return ("measured",)
    if name in form.cleaned_data:
        return sent(bound, form.cleaned_data[name])
    return difference.typed_values


def _measured(form: Any) -> bool:
    return isinstance(form, RowForm) and form.says("diameter_mm", "fragment_0")


def shown_from(forms: VisitForms) -> dict[str, tuple[str, ...]]:
    """Each field as the page showed it, by the audit trail; without what cannot be known.

    How a lesion is described changes with it, not with its visit: of one that was there before,
    it is not known, so that both values are shown.
    """
    visit = _as_read(forms)
    if visit is None:
        return {}
    old = VisitForms(forms.past, visit=visit)
    known: dict[str, tuple[str, ...]] = {}
    there = {row.lesion_id for relation in RELATIONS for row in getattr(visit, relation).all()}
    for form in _all_forms(old):
        lesion = old.past.lesions.get(form.initial.get("lesion", ""))
        added = lesion is not None and lesion.pk not in there
        described = isinstance(form, DescriptionMixin) and lesion is not None
        for bound in form:
            if described and bound.name in DESCRIBED:
                if added:
                    known[bound.html_name] = ()
                continue
            initial = form.get_initial_for_field(bound.field, bound.name)
            known[bound.html_name] = sent(bound, initial)
    return known


def _all_forms(forms: VisitForms) -> list[Form]:
    return [forms.form, *forms.all_rows()]


def _as_read(forms: VisitForms) -> Visit | None:
    """The visit of the version that was typed over, with its rows; None where there is none."""
    assert forms.visit
    assert forms.data is not None
    version, visit = forms.data.get("version", ""), copy(forms.visit)
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        return None
    events: Any = Visit.pgh_event_model.objects.filter(pgh_obj=visit.pk)  # type: ignore[attr-defined]
    event = events.filter(version=int(version)).order_by("pgh_id").last()
    if event is None:
        return None
    for name in ("date", "kind", "stated_response", "stated_response_reason", "version"):
        setattr(visit, name, getattr(event, name))
    since = list(events.filter(pgh_id__gt=event.pgh_id).values_list("pgh_context_id", flat=True))
    rows = {name: _rows(model, visit, since) for name, model in RELATIONS.items()}
    visit._prefetched_objects_cache = rows  # type: ignore[attr-defined]
    return visit


def _rows(model: Any, visit: Visit, since: list[Any]) -> list[Any]:
    """A visit's rows before some writes: the last other event of each, unless a delete."""
    events = model.pgh_event_model.objects.filter(visit=visit.pk)
    told = events.exclude(pgh_context_id__in=[one for one in since if one]).order_by("pgh_id")
    last = {event.pgh_obj_id: event for event in told}
    return [event for event in last.values() if event.pgh_label != "delete"]


def _differences(forms: VisitForms) -> Iterator[Difference]:
    yield from differences(forms.form)
    for row in forms.all_rows():
        spare = row.initial["lesion"] not in forms.past.lesions
        if spare and hasattr(row, "blank") and row.blank():
            continue
        found = differences(row, str(row.initial["lesion"]))
        yield from (d for d in found if not _inferred(d, row))


def _inferred(difference: Difference, row: RowForm) -> bool:
    """A number typed without a state was measured."""
    is_state = difference.name == row.add_prefix("state")
    measured = difference.stored_values == ("measured",) and not any(difference.typed_values)
    return is_state and measured and row.says("diameter_mm", "fragment_0")
