"""The independent review beside the investigator, worded for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as Date

from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes.labels import response_label
from outcomes.methods.proportions import Proportion
from outcomes.result_wording import percent
from outcomes.review.discordance import Discordance, Line, Reading


@dataclass(frozen=True)
class Agreement:
    """How often both agree about one thing."""

    about: str
    agree: str
    limits: str


@dataclass(frozen=True)
class Table:
    """The summary: the 2 x 2 table of responders, and the shares that agree."""

    n: int
    unread: int
    discordant: int
    both: int
    investigator_only: int
    reviewer_only: int
    neither: int
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True)
class Read:
    """One evaluator's side of a line."""

    who: str
    url: str
    best: str
    progressed_on: str
    survival: str


@dataclass(frozen=True)
class Scan:
    """A day's responses, the investigator's first; blank where one of them read no scan of it."""

    date: Date
    said: tuple[str, str]

    @property
    def differs(self) -> bool:
        """Whether both read it and say something else."""
        return all(self.said) and self.said[0] != self.said[1]


@dataclass(frozen=True)
class PatientLine:
    """A patient's two readings, what differs, and both scan by scan."""

    subject_id: str
    url: str
    sides: tuple[Read, Read]
    differs: tuple[str, ...]
    scans: tuple[Scan, ...]


def table(found: Discordance) -> Table:
    """The summary."""
    cell = found.responses
    return Table(
        n=len(found.lines),
        unread=found.unread,
        discordant=sum(not one.concordant for one in found.lines),
        both=cell(investigator=True, reviewer=True),
        investigator_only=cell(investigator=True, reviewer=False),
        reviewer_only=cell(investigator=False, reviewer=True),
        neither=cell(investigator=False, reviewer=False),
        agreements=tuple(_agreements(found)),
    )


def _agreements(found: Discordance) -> Iterator[Agreement]:
    for name, about in (
        ("same_best", _("Best overall response")),
        ("same_response", _("Responder or not")),
        ("same_progression", _("Progression, and its date")),
        ("same_survival", _("Progression-free survival: event or censored")),
    ):
        share = found.agreement(name).clipped
        told = _("%(k)s of %(n)s (%(share)s)")
        agree = told % {"k": share.k, "n": share.n, "share": percent(share.estimate)}
        yield Agreement(about, agree, _limits(found, share))


def _limits(found: Discordance, share: Proportion) -> str:
    if share.estimate is None:
        return ""
    return _("%(level)s CI %(limits)s") % {
        "level": f"{found.definition.confidence_level:.0%}",
        "limits": f"{percent(share.lower)} – {percent(share.upper)}",
    }


def line(one: Line, query: str = "") -> PatientLine:
    """One patient; `query`: by which options the investigator's side folds."""
    sites = reverse("outcomes:patient", args=[one.patient]) + query
    review = reverse("outcomes:review_patient", args=[one.patient])
    return PatientLine(
        subject_id=one.subject_id,
        url=sites,
        sides=(
            _read(_("Investigator"), f"{sites}#flow-sheet", one.investigator),
            _read(_("Independent reviewer"), review, one.reviewer),
        ),
        differs=tuple(_differences(one)),
        scans=tuple(_scans(one)),
    )


def _scans(one: Line) -> Iterator[Scan]:
    """The scans after the baseline, aligned by date."""
    site, review = (_responses(reading) for reading in (one.investigator, one.reviewer))
    for on in sorted(site.keys() | review.keys()):
        yield Scan(on, (site.get(on, ""), review.get(on, "")))


def _responses(reading: Reading) -> dict[Date, str]:
    records = reading.outcome.facts.history.records
    return {record.date: response_label(record.response) for record in records}


def _differences(one: Line) -> Iterator[str]:
    if not one.same_best:
        yield _("best response")
    if not one.same_progression:
        yield _("progression")
    if not one.same_survival:
        yield _("event or censored")


def _read(who: str, url: str, reading: Reading) -> Read:
    return Read(
        who=who,
        url=url,
        best=response_label(reading.best),
        progressed_on=reading.progressed_on.isoformat() if reading.progressed_on else "–",
        survival=_survival(reading),
    )


def _survival(reading: Reading) -> str:
    time = reading.progression_free
    if time is None:
        return "–"
    said = {"days": time.days, "date": time.date.isoformat()}
    if time.event:
        return _("event on %(date)s, %(days)s d") % said
    return _("censored on %(date)s, %(days)s d") % said
