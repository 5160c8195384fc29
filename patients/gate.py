"""What an enrollment needs where consent and screening come first (`Trial.screened_here`).

* A consent, signed on or before the day of screening (ICH E6(R2) 4.8.8: before any procedure of the
  trial) and of enrollment, of the version that the protocol names, and not withdrawn by then.
* The latest screening, by the protocol version in force on the day of enrollment: once an amendment
  is in force the screening is repeated. It is not older than the trial's window for the baseline
  (`baseline_window_days`), after which what was found is taken to have changed. It is not a screen
  failure, and every criterion is met or covered by a deviation recorded for this screening as it is
  now, not for an earlier one or before a correction.

Whoever was enrolled by it keeps what the enrollment rests on (`upheld`). Whoever was enrolled before
the trial had a gate is held to none of it (`came_before`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients import judging
from patients.models import Conclusion, Consent, Deviation, Patient, Screening
from patients.screening_wording import reasons
from registry.errors import Conflict, FieldError
from trials.eligibility import Result
from trials.models import ProtocolVersion

TREATED = ("randomized_on", "first_dose_on", "last_dose_on")
GATED = ("enrolled_on", *TREATED)
NO_CONSENT, NOT_SCREENED = "no consent", "not screened"
Gap = tuple[str | int, str]  # what kind of thing is missing, a criterion by its id; and in words


@dataclass(frozen=True)
class Standing:
    """What is known of a patient, for an enrollment on a day."""

    patient: Patient
    on: Date
    protocol: ProtocolVersion
    consents: tuple[Consent, ...]
    screening: Screening | None
    deviations: tuple[Deviation, ...]

    @property
    def consent_missing(self) -> str:
        """Why no consent holds; blank where one does."""
        left = list(self.consents)
        if not left:
            return _("No consent is recorded.")
        for holds, why in self._consent_rules():
            kept = [consent for consent in left if holds(consent)]
            if not kept:
                return why(left[-1])
            left = kept
        return ""

    def _consent_rules(
        self,
    ) -> Iterator[tuple[Callable[[Consent], bool], Callable[[Consent], str]]]:
        asked = self.protocol.consent_version
        yield (
            lambda consent: asked in ("", consent.consent_version),
            lambda consent: (
                _("The protocol asks for consent version %(asked)s; signed is %(signed)s.")
                % {"asked": asked, "signed": consent.consent_version}
            ),
        )
        withdrawn = [c.withdrawn_on for c in self.consents if c.withdrawn_on]
        yield (
            lambda consent: not any(consent.signed_on <= on <= self.on for on in withdrawn),
            lambda consent: _("Consent was withdrawn on %s.") % max(withdrawn),
        )
        yield (
            lambda consent: consent.signed_on <= self.on,
            lambda consent: (
                _("Consent was signed on %s, after the enrollment.") % consent.signed_on
            ),
        )
        yield (
            lambda consent: (
                self.screening is None or consent.signed_on <= self.screening.screened_on
            ),
            lambda consent: (
                _(
                    "Consent was signed on %s, after the screening: consent comes before any "
                    "procedure of the trial."
                )
                % consent.signed_on
            ),
        )

    @property
    def screening_missing(self) -> Iterator[str]:
        """Why the latest screening does not allow the enrollment, criteria aside."""
        return (sentence for _kind, sentence in self._screening_gaps())

    def _screening_gaps(self) -> Iterator[Gap]:
        if self.screening is None:
            yield NOT_SCREENED, _("No screening is recorded.")
            return
        day = {"day": self.screening.screened_on, "version": self.screening.protocol_version}
        if self.screening.conclusion == Conclusion.FAILED:
            detail = _("The screening of %(day)s is concluded as a screen failure.")
            yield "failed", detail % day
        if self.screening.screened_on > self.on:
            yield NOT_SCREENED, _("The screening of %(day)s is later than the enrollment.") % day
        elif self.screening.protocol_version_id != self.protocol.pk:
            detail = _(
                "The screening of %(day)s is by protocol version %(version)s; version %(now)s is "
                "in force: screen again."
            )
            yield "amended", detail % (day | {"now": self.protocol})
        validity = self.patient.trial.baseline_window_days
        if self.on - self.screening.screened_on > timedelta(days=validity):
            detail = _("The screening of %(day)s is older than %(validity)d days: screen again.")
            yield "expired", detail % (day | {"validity": validity})
        if not self.screening.results:
            yield "no criteria", _("The protocol has no eligibility criteria to screen by.")

    @property
    def open_criteria(self) -> list[dict[str, Any]]:
        """The results of the latest screening that are not met or unknown."""
        return [dict(r) for r in judging.failing(self.screening.results)] if self.screening else []

    def deviation_from(self, criterion: int) -> Deviation | None:
        """The deviation that covers a criterion in the latest screening, as it is now."""
        seen = (self.screening.pk, self.screening.version) if self.screening else ()
        found = (d for d in self.deviations if d.criterion_id == criterion)
        found = (d for d in found if (d.screening_id, d.screening_version) == seen)
        return next((d for d in found if d.occurred_on <= self.on), None)

    @property
    def criteria_missing(self) -> Iterator[str]:
        """Each criterion that is neither met nor covered by a deviation."""
        return (sentence for _kind, sentence in self._criteria_gaps())

    def _criteria_gaps(self) -> Iterator[Gap]:
        for result in self.open_criteria:
            if not self.deviation_from(result["criterion"]):
                yield result["criterion"], criterion_missing(result)

    @property
    def in_short(self) -> list[str]:
        """As `missing`, with what is merely unknown counted: a page names it elsewhere."""
        consent = [self.consent_missing] if self.consent_missing else []
        open_ = [r for r in self.open_criteria if not self.deviation_from(r["criterion"])]
        failed = [criterion_missing(r) for r in open_ if r["result"] == Result.NOT_MET]
        unknown = len(open_) - len(failed)
        sentence = ngettext("%d criterion is unknown.", "%d criteria are unknown.", unknown)
        return [
            *consent,
            *self.screening_missing,
            *failed,
            *([sentence % unknown] if unknown else []),
        ]

    @property
    def gaps(self) -> list[Gap]:
        """Everything that is in the way of the enrollment, by what kind of thing it is."""
        consent = self.consent_missing
        found: list[Gap] = [(NO_CONSENT, consent)] if consent else []
        return [*found, *self._screening_gaps(), *self._criteria_gaps()]

    @property
    def missing(self) -> list[str]:
        """Everything that is in the way of the enrollment."""
        return [sentence for _kind, sentence in self.gaps]


def criterion_missing(result: dict[str, Any]) -> str:
    """A criterion that is not met or unknown, with why."""
    why = "; ".join(reasons(result))
    if result["result"] == Result.NOT_MET:
        return _("Not met: %s") % why
    return _("Unknown: %s") % why


def standing(patient: Patient, on: Date) -> Standing:
    """What is known of a patient, for an enrollment on a day: four statements."""
    screenings = patient.screenings.filter(voided_at=None).select_related("protocol_version")
    return Standing(
        patient=patient,
        on=on,
        protocol=judging.in_force(patient.trial, on),
        consents=tuple(patient.consents.filter(voided_at=None).order_by("signed_on", "pk")),
        screening=screenings.order_by("screened_on", "pk").last(),
        deviations=tuple(patient.deviations.filter(voided_at=None).order_by("occurred_on", "pk")),
    )


def require(patient: Patient, on: Date) -> None:
    """Raise Conflict with everything that is in the way of an enrollment on a day."""
    if missing := standing(patient, on).missing:
        raise Conflict([FieldError("/enrolled_on", sentence) for sentence in missing])


def came_before(patient: Patient) -> bool:
    """Whether a patient was enrolled before the gate was: no consent or screening ever, voided or not."""
    return not patient.consents.exists() and not patient.screenings.exists()


@contextmanager
def upheld(patient: Patient, *, criteria_may_open: bool = False) -> Iterator[None]:
    """Raise Conflict where what is written meanwhile leaves an enrollment without what it rests on.

    Of whoever came through the gate: the enrollment stands by the protocol of its screening, which no
    later amendment changes, and does not stand less than before by the protocol in force.
    `criteria_may_open`: an investigator corrects what was found, and records deviations after that.
    """
    if not patient.trial.screened_here or patient.enrolled_on is None:
        yield
        return
    before = _enrollment_gaps(patient, patient.enrolled_on)
    yield
    if any(kind in before[0] for kind in (NO_CONSENT, NOT_SCREENED)):
        return
    after = _enrollment_gaps(patient, patient.enrolled_on)
    lost: dict[str | int, str] = {}
    for now, then in zip(after, before, strict=True):
        lost |= {kind: said for kind, said in now.items() if kind not in then}
    if criteria_may_open:
        lost = {kind: said for kind, said in lost.items() if isinstance(kind, str)}
    if lost:
        raise Conflict([_needed(patient, said) for said in lost.values()])


def _enrollment_gaps(patient: Patient, on: Date) -> tuple[dict[str | int, str], ...]:
    """What an enrollment lacks by the protocol of its screening, and by the protocol in force."""
    found = standing(patient, on)
    of_screening = found.screening.protocol_version if found.screening else found.protocol
    return dict(replace(found, protocol=of_screening).gaps), dict(found.gaps)


def _needed(patient: Patient, said: str) -> FieldError:
    detail = _(
        "The enrollment on %(day)s would not stand: %(said)s Take the enrollment back first, or "
        "let an investigator correct the screening and record a protocol deviation."
    )
    return FieldError("", detail % {"day": patient.enrolled_on, "said": _as_sentence(said)})


def _as_sentence(said: str) -> str:
    return said if said.endswith(".") else f"{said}."


def how_to_enroll(patient: Patient) -> FieldError:
    """What is told to whoever writes of an enrollment past the gate."""
    where = f"/api/v1/patients/{patient.pk or '{id}'}/enroll/"
    detail = _(
        "In this trial consent and screening come first: leave the enrollment and what follows it "
        "out here, then enroll on the patient's enrollment page or by POST to %s."
    )
    return FieldError("/enrolled_on", detail % where)


def baseline_too_early(patient: Patient) -> Iterator[FieldError]:
    """A baseline of somebody who is not enrolled, where the enrollment comes first."""
    if patient.trial.screened_here and not patient.enrolled_on:
        detail = _(
            "In this trial the enrollment comes before the baseline: enroll the patient first, on "
            "the enrollment page or by POST to %s."
        )
        yield FieldError("/kind", detail % f"/api/v1/patients/{patient.pk}/enroll/")


def baseline_misdated(patient: Patient, on: Date) -> Iterator[FieldError]:
    """A baseline from before consent was signed or after it was withdrawn, where consent comes first."""
    if not patient.trial.screened_here:
        return
    signed = patient.consents.filter(voided_at=None).order_by("signed_on").first()
    if signed and on < signed.signed_on:
        detail = _("Before consent was signed, %s.") % signed.signed_on
        yield FieldError("/date", detail)
    yield from consent_withdrawn(patient, on, "/date")


def consent_withdrawn(
    patient: Patient, on: Date, at: str = "", *, same_day: bool = False
) -> Iterator[FieldError]:
    """Why nothing of the trial is done to a patient on a day: consent was withdrawn before it.

    Where consent comes first, and unless a consent signed since then holds on the day. `same_day`:
    the day of the withdrawal counts too, for what is done only now. `at` points at the day.
    """
    if not patient.trial.screened_here:
        return
    signed = patient.consents.filter(voided_at=None, signed_on__lte=on)
    known = signed.values_list("signed_on", "withdrawn_on")
    until = on if same_day else on - timedelta(days=1)
    withdrawn = [(first, last) for first, last in known if last and last <= until]
    if not withdrawn:
        return
    last = max(last for _first, last in withdrawn)
    if not any(first > last and (first, end) not in withdrawn for first, end in known):
        detail = _("Consent was withdrawn on %s; a new consent comes first.") % last
        yield FieldError(at, detail)
