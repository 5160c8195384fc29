"""Whether a row may stand beside what else is recorded of the patient: checks that look it up.

`checks` says what one row may not say by itself (400); here is what contradicts other rows (409).
A patient's record is closed by a withdrawal with which follow-up was refused, and by a loss to
follow-up: nothing that happened at the hospital is dated after it. A death may be: registries of deaths
tell of it. Whoever was closed by mistake, or came back, is reinstated by voiding the disposition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date as Date
from typing import Any

from django.db.models import Max, Min, Prefetch, Q, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from patients import gate
from patients.models import (
    AdverseEvent,
    Consent,
    Deviation,
    Disposition,
    DispositionKind,
    Dose,
    Patient,
    Screening,
    Therapy,
)
from registry.errors import Conflict, FieldError

CLOSING = Q(kind=DispositionKind.LOST_TO_FOLLOW_UP) | Q(
    kind=DispositionKind.WITHDRAWN, follow_up_continues=False
)
ENDS = CLOSING | Q(kind=DispositionKind.COMPLETED)
ONCE = (DispositionKind.WITHDRAWN, DispositionKind.LOST_TO_FOLLOW_UP, DispositionKind.COMPLETED)
DATED: dict[type[Any], tuple[str, ...]] = {
    Therapy: ("started_on",),
    AdverseEvent: ("started_on", "ended_on"),
    Dose: ("started_on", "ended_on"),
    Disposition: ("on",),
    Consent: ("signed_on", "withdrawn_on"),
    Screening: ("screened_on",),
    Deviation: ("occurred_on",),
}
Span = tuple[Date | None, Date | None]


def require_none(row: Any) -> None:
    """Raise Conflict where a row contradicts what else is recorded of its patient."""
    names = DATED.get(type(row), ())
    found = [*after_closing(row.patient, {n: getattr(row, n) for n in names}, besides=row)]
    found += MORE.get(type(row), _nothing)(row)
    if found:
        raise Conflict(found)


def closings() -> Prefetch[Any]:
    """What to prefetch where many patients are at hand, so that `closing` needs no statement."""
    rows = Disposition.objects.filter(CLOSING, voided_at=None).order_by("on")
    return Prefetch("dispositions", rows, to_attr="closings")


def closing(patient: Patient) -> Disposition | None:
    """What closed the patient's record, if anything; read once per instance."""
    if "closings" not in vars(patient):
        prefetch_related_objects([patient], closings())
    found: list[Disposition] = vars(patient)["closings"]
    return next(iter(found), None)


def after_closing(
    patient: Patient, dates: Mapping[str, Date | None], *, besides: object = None
) -> Iterator[FieldError]:
    """Dates, by their fields, that are later than what closed the record."""
    end = closing(patient)
    if end is None or end == besides:
        return
    if end.kind == DispositionKind.WITHDRAWN:
        detail = _("After the withdrawal of consent on %s, with which follow-up was refused.")
    else:
        detail = _("After the loss to follow-up on %s; void that first if the patient was found.")
    for name, on in dates.items():
        if on and on > end.on:
            yield FieldError(f"/{name}", detail % end.on)


def recorded_dates(patient: Patient, *, besides: Disposition | None = None) -> list[Date]:
    """Every date of what is recorded of the patient."""
    events = patient.adverse_events.filter(voided_at=None)
    doses = patient.doses.filter(voided_at=None)
    dispositions = patient.dispositions.filter(voided_at=None)
    if besides is not None and besides.pk:
        dispositions = dispositions.exclude(pk=besides.pk)
    # What an independent reviewer read stays with the review: the sites are not told of it.
    visits = patient.visits.filter(voided_at=None, evaluator="investigator")
    dates = visits.values_list("date")
    dates = dates.union(
        patient.therapies.filter(voided_at=None).values_list("started_on"),
        patient.consents.filter(voided_at=None).values_list("signed_on"),
        patient.screenings.filter(voided_at=None).values_list("screened_on"),
        events.values_list("started_on"),
        events.exclude(ended_on=None).values_list("ended_on"),
        doses.values_list("started_on"),
        doses.exclude(ended_on=None).values_list("ended_on"),
        dispositions.values_list("on"),
        patient.deviations.filter(voided_at=None).values_list("occurred_on"),
    )
    return [on for (on,) in dates]


def dosed(patient: Patient) -> Span:
    """The first and the last day with a dose above 0, as far as doses are recorded."""
    doses = patient.doses.filter(voided_at=None, dose__gt=0)
    span = doses.aggregate(first=Min("started_on"), last=Max(Coalesce("ended_on", "started_on")))
    return span["first"], span["last"]


def require_agreement(patient: Patient, changed: Collection[str]) -> None:
    """Raise Conflict where changed facts of a patient contradict what is recorded."""
    rules = (
        ({"first_dose_on", "last_dose_on"}, _against_doses),
        ({"enrolled_on"}, _against_enrollment),
        ({"randomized_on"}, _against_allocation),
        ({"site"}, _against_a_move),
    )
    found = [error for names, rule in rules if names & set(changed) for error in rule(patient)]
    lasting = {"first_dose_on", "last_dose_on", "last_known_alive_on"} & set(changed)
    if lasting:
        found += after_closing(patient, {name: getattr(patient, name) for name in sorted(lasting)})
    if found:
        raise Conflict(found)


def _against_doses(patient: Patient) -> Iterator[FieldError]:
    first, last = dosed(patient)
    yield from before_randomization(patient, {"first_dose_on": patient.first_dose_on})
    if first and (patient.first_dose_on is None or patient.first_dose_on > first):
        yield FieldError("/first_dose_on", _("A dose is recorded from %s.") % first)
    if last and (patient.last_dose_on is None or patient.last_dose_on < last):
        yield FieldError("/last_dose_on", _("A dose is recorded up to %s.") % last)


def _against_enrollment(patient: Patient) -> Iterator[FieldError]:
    dates = patient.doses.filter(voided_at=None).values_list("started_on")
    dates = dates.union(patient.dispositions.filter(voided_at=None).values_list("on"))
    first = min((on for (on,) in dates), default=None)
    if first and (patient.enrolled_on is None or patient.enrolled_on > first):
        yield FieldError("/enrolled_on", _("A dose or disposition is recorded of %s.") % first)


def _against_allocation(patient: Patient) -> Iterator[FieldError]:
    if hasattr(patient, "randomization_slot"):
        yield FieldError("/randomized_on", _("The patient was randomized here; the date stays."))
    else:
        yield from randomized_by_hand(patient)


def _against_a_move(patient: Patient) -> Iterator[FieldError]:
    """A site is corrected while nothing is recorded; from then on a patient is transferred."""
    if hasattr(patient, "randomization_slot") or recorded_dates(patient):
        detail = _(
            "Something is recorded of the patient at this site: a patient who moves is transferred, "
            "on the patient's page or by POST to %s."
        )
        yield FieldError("/site", detail % f"/api/v1/patients/{patient.pk}/transfer/")


def _disposition(row: Disposition) -> Iterator[FieldError]:
    """A study ends once, after what is recorded of it; transfers follow each other."""
    others = row.patient.dispositions.filter(voided_at=None).exclude(pk=row.pk)
    excluded = Q(kind=row.kind) if row.kind in ONCE else Q(pk=None)
    if ends(row):
        excluded |= ENDS
    if other := others.filter(excluded).first():
        detail = _("Recorded already: %(kind)s on %(date)s; correct or void that one.")
        told = {"kind": other.get_kind_display(), "date": other.on}
        yield FieldError("/kind", detail % told)
    elif closes(row):
        yield from _before_evidence(row)
    if row.kind == DispositionKind.TRANSFERRED:
        moved = others.filter(kind=row.kind, on__gt=row.on).first()
        if moved:
            yield FieldError("/on", _("Before the transfer of %s.") % moved.on)


def closes(row: Disposition) -> bool:
    """Whether nothing is dated after this disposition."""
    refused = row.kind == DispositionKind.WITHDRAWN and row.follow_up_continues is False
    return refused or row.kind == DispositionKind.LOST_TO_FOLLOW_UP


def ends(row: Disposition) -> bool:
    """Whether the patient's study ends with it."""
    return closes(row) or row.kind == DispositionKind.COMPLETED


def _before_evidence(row: Disposition) -> Iterator[FieldError]:
    patient = row.patient
    known = [patient.first_dose_on, patient.last_dose_on]
    if row.kind == DispositionKind.LOST_TO_FOLLOW_UP:
        known.append(patient.last_known_alive_on)
    dates = [*recorded_dates(patient, besides=row), *(on for on in known if on)]
    if dates and max(dates) > row.on:
        yield FieldError("/on", _("Before what is recorded on %s.") % max(dates))


def _dose(dose: Dose) -> Iterator[FieldError]:
    """Study treatment is given with consent, from randomization on, one dose after the other."""
    yield from gate.consent_withdrawn(dose.patient, dose.ended_on or dose.started_on, _last(dose))
    yield from before_randomization(dose.patient, {"started_on": dose.started_on})
    others = dose.patient.doses.filter(voided_at=None, intervention=dose.intervention)
    others = others.exclude(pk=dose.pk).filter(Q(ended_on=None) | Q(ended_on__gte=dose.started_on))
    if dose.ended_on:
        others = others.filter(started_on__lte=dose.ended_on)
    if other := others.first():
        until = other.ended_on or _("now")
        detail = _("Overlaps the dose from %(first)s to %(last)s; end or correct that one.")
        yield FieldError("/started_on", detail % {"first": other.started_on, "last": until})


def _last(dose: Dose) -> str:
    return "/ended_on" if dose.ended_on else "/started_on"


def before_randomization(
    patient: Patient, dates: Mapping[str, Date | None]
) -> Iterator[FieldError]:
    """Days of study treatment, by their fields, before the randomization that takes place here."""
    given = {name: on for name, on in dates.items() if on}
    if not given or not patient.trial.randomized_here:
        return
    for name, on in given.items():
        if patient.randomized_on is None and patient.arm is None:
            yield FieldError(f"/{name}", _("Randomize the patient first."))
        elif patient.randomized_on and on < patient.randomized_on:
            yield FieldError(
                f"/{name}", _("Before the randomization on %s.") % patient.randomized_on
            )


def randomized_by_hand(patient: Patient) -> Iterator[FieldError]:
    """A day of randomization that is not the scheme's, where a scheme of ours allots the arms."""
    if patient.trial.randomized_here:
        detail = _("Patients of this trial are randomized here: that gives the date (POST to %s).")
        address = f"/api/v1/patients/{patient.pk or '{id}'}/randomize/"
        yield FieldError("/randomized_on", detail % address)


def _nothing(row: Any) -> Iterable[FieldError]:
    return ()


MORE: dict[type[Any], Callable[[Any], Iterable[FieldError]]] = {
    Disposition: _disposition,
    Dose: _dose,
}
