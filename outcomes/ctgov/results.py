"""A draft of ClinicalTrials.gov's results section from the registry's data.

It prints the one report and the one safety table; beside them it counts participants. In English
whatever the reader's language is, and of the whole trial only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date as Date
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils import translation
from django.utils.translation import gettext as _

from outcomes import report as reports
from outcomes import safety
from outcomes.ctgov.groups import Document, Group, identified, listed
from outcomes.ctgov.measures import outcome_measures
from outcomes.ctgov.participants import Members, Participant, baseline, participant_flow
from outcomes.ctgov.participants import participants as participants_of
from outcomes.methods.safety import Counts, Person, Safety, adverse_events, folded
from outcomes.report import UNKNOWN, Options, Report, Section
from patients.models import Patient
from registry import database
from trials import access
from trials.models import Trial
from trials.vocabularies import AllocationType

if TYPE_CHECKING:
    from registry.models import User

LANGUAGE = "en"


def results_section(trial: Trial, *, user: User, options: Options) -> Document:
    """The section at a cutoff. Raises PermissionDenied unless the user sees every site."""
    if not access.sees_every_site(user, trial=trial):
        raise PermissionDenied(
            _("Results are drafted of the whole trial: your role is of some sites only.")
        )
    with translation.override(LANGUAGE), database.snapshot():
        return _drafted(trial, user, options)


def _drafted(trial: Trial, user: User, options: Options) -> Document:
    patients = Patient.objects.visible_to(user).filter(trial=trial).active()
    by_arm = not trial.masked and len(trial.arms.all()) > 1
    asked = replace(options, group_by="arm" if by_arm else None)
    found = reports.build(trial, user=user, options=asked)
    people, cutoff = participants_of(patients, blinded=trial.masked), options.cutoff
    members = _members(trial, people, cutoff) if by_arm else {_everybody(trial): people}
    return {
        "participantFlowModule": participant_flow(members, cutoff),
        "baselineCharacteristicsModule": baseline(members, cutoff),
        "outcomeMeasuresModule": outcome_measures(
            trial.endpoints.all(), found, _sections(found, members)
        ),
        "adverseEventsModule": _adverse_events(
            trial, members, safety.people_by_id(patients), cutoff
        ),
        "moreInfoModule": {"limitationsAndCaveats": {"description": _caveats(trial, cutoff)}},
    }


def _caveats(trial: Trial, cutoff: Date) -> str:
    told = [
        _("Draft from this registry's data, data cutoff %s; to be checked before posting.") % cutoff
    ]
    if trial.synthetic:
        told.insert(0, _SYNTHETIC)
    if trial.masked:
        told.append(_("The arms are blinded: all participants are one group."))
    return " ".join(told)


_SYNTHETIC = "SYNTHETIC participants: no participant-level data were published for this study."


# --- groups ---


def _everybody(trial: Trial) -> Group:
    """All participants; of a trial with one arm that is the arm."""
    arms = [] if trial.masked else list(trial.arms.all())
    if len(arms) == 1:
        return Group(arms[0].name, _described(trial, arms[0].description), None)
    return Group(
        _("All participants"), _described(trial, _("Participants of all arms together.")), None
    )


def _members(trial: Trial, people: Sequence[Participant], cutoff: Date) -> Members:
    """The arms that have participants, in the protocol's order; who has none is apart.

    Of a trial that did not randomize, whose arms are often small and reported together, also all.
    """
    here = [p for p in people if p.enrolled_by(cutoff) or p.treated_by(cutoff)]
    groups = [Group(a.name, _described(trial, a.description), a.name) for a in trial.arms.all()]
    told = _described(trial, _("Participants without an allocation."))
    groups.append(Group(_("Not allocated to an arm"), told, UNKNOWN))
    members = {g: [p for p in here if p.arm == g.arm] for g in groups}
    members = {group: of for group, of in members.items() if of}
    if len(members) != 1 and trial.allocation != AllocationType.RANDOMIZED:
        members[_everybody(trial)] = here
    return members or {_everybody(trial): here}


def _described(trial: Trial, description: str) -> str:
    return " ".join(filter(None, (_SYNTHETIC if trial.synthetic else "", description)))


def _sections(found: Report, members: Members) -> Mapping[Group, Section]:
    of_arms = dict(found.groups)
    return {group: of_arms[group.arm] if group.arm else found.whole for group in members}


# --- adverse events ---


def _adverse_events(
    trial: Trial, members: Members, people: Mapping[int, Person], cutoff: Date
) -> Document:
    """Events whatever their cause, serious ones apart from the others, every term however rare."""
    ids = identified(list(members), "EG")
    of = {ids[g]: [people[p.id] for p in found if p.id in people] for g, found in members.items()}
    serious = {pk: _table(trial, persons, cutoff, serious=True) for pk, persons in of.items()}
    other = {pk: _table(trial, persons, cutoff, serious=False) for pk, persons in of.items()}
    collected = any(person.events for person in people.values())
    groups = [
        row
        | _deaths(members[group], serious[pk].n, cutoff)
        | (_totals(serious[pk], other[pk]) if collected else {})
        for row, (group, pk) in zip(listed(ids), ids.items(), strict=True)
    ]
    days = trial.ae_window_days
    everybody = adverse_events(people.values(), cutoff=cutoff, window_days=days)
    return {
        "frequencyThreshold": "0",
        "timeFrame": _(
            "From the first dose to %(days)s days after the last dose; data cutoff %(cutoff)s."
        )
        % {"days": days, "cutoff": cutoff},
        "description": _told(everybody) if collected else _NOT_COLLECTED,
        "eventGroups": groups,
        "seriousEvents": _events(trial, serious),
        "otherEvents": _events(trial, other),
    }


# Nobody had an event, or nobody wrote one down: a 0 would claim the former.
_NOT_COLLECTED = (
    "No adverse event is recorded in this registry: numbers of affected participants are left out."
)


def _table(trial: Trial, people: Sequence[Person], cutoff: Date, *, serious: bool) -> Safety:
    """The one safety table over those of the events that are serious, or over the others."""
    chosen = [
        replace(person, events=tuple(e for e in person.events if e.serious is serious))
        for person in people
    ]
    return adverse_events(chosen, cutoff=cutoff, window_days=trial.ae_window_days)


def _deaths(people: Sequence[Participant], n: int, cutoff: Date) -> Document:
    died = sum(p.treated_by(cutoff) and p.died_by(cutoff) for p in people)
    return {"deathsNumAffected": died, "deathsNumAtRisk": n}


def _totals(serious: Safety, other: Safety) -> Document:
    return {
        "seriousNumAffected": _affected(serious.any_term.all_causes),
        "seriousNumAtRisk": serious.n,
        "otherNumAffected": _affected(other.any_term.all_causes),
        "otherNumAtRisk": other.n,
    }


def _affected(counts: Counts) -> int:
    return counts.any_grade.patients


def _events(trial: Trial, tables: Mapping[str, Safety]) -> list[Document]:
    """Every term that some group has, with its count in each; the most frequent first."""
    rows = {pk: {folded(t.term): t for t in table.terms} for pk, table in tables.items()}
    spelled = {key: row.term for of in rows.values() for key, row in reversed(of.items())}
    counts = {
        key: {pk: _affected(of[key].incidence.all_causes) if key in of else 0
              for pk, of in rows.items()}
        for key in spelled
    }  # fmt: skip
    source = {"sourceVocabulary": f"CTCAE {trial.ctcae_version}"} if trial.ctcae_version else {}
    return [
        {
            "term": spelled[key],
            **source,
            "stats": [
                {"groupId": pk, "numAffected": n, "numAtRisk": tables[pk].n}
                for pk, n in counts[key].items()
            ],
        }
        for key in sorted(spelled, key=lambda key: (-max(counts[key].values()), key))
    ]


def _told(found: Safety) -> str:
    related = found.any_term.related
    return _(
        "Events of any cause. Related to the trial treatment: %(any)s of %(n)s participants, of"
        " grade 3 or more %(severe)s. Organ systems and the way of assessment are not recorded."
    ) % {
        "any": related.any_grade.patients,
        "n": found.n,
        "severe": related.grade_3_or_more.patients,
    }
