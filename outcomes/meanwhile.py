"""A colleague stored a visit first: a correction of the same version, or a visit of the same date."""

from __future__ import annotations

from collections.abc import Iterator

from outcomes import history
from outcomes.forms import VisitForms
from outcomes.row_forms import RowForm
from registry.errors import Conflict, Refused, StaleVersion
from registry.meanwhile import Difference, Meanwhile, differences


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
    return VisitForms(past, visit=met, data=forms.data) if met else forms


def met(forms: VisitForms, refused: Refused) -> VisitForms:
    """The forms with what was refused: as a correction where the date is that of a stored visit."""
    found = forms
    if forms.visit is None and isinstance(refused, Conflict) and "/date" in _pointers(refused):
        past, on = history.load(forms.past.patient), forms.form.cleaned_data.get("date")
        if visit := next((v for v in past.visits if v.date == on), None):
            found = VisitForms(past, visit=visit, data=forms.data)
    found.add_errors(refused.errors)
    return found


def _pointers(refused: Refused) -> set[str]:
    return {error.pointer for error in refused.errors}


def require_read(forms: VisitForms, stale: StaleVersion) -> None:
    """Raise StaleVersion again where the forms were built of something older than is stored now."""
    if forms.visit is None or forms.visit.version != stale.current:
        raise stale


def since(forms: VisitForms) -> Meanwhile | None:
    """What was stored since the typed version was read; None where that is the stored one."""
    if forms.visit is None or forms.data is None or forms.wants_more_rows:
        return None
    if forms.data.get("version") == str(forms.visit.version):
        return None
    return Meanwhile.of(forms.visit, _differences(forms))


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
