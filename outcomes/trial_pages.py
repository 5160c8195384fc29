"""The pages of a trial in groups, as its navigation offers them to a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy

from outcomes.options import COMPARABLE, PARAMETERS, kept
from registry.models import User
from trials import access
from trials.access import Action
from trials.models import Membership, Trial

AS_OF = ("cutoff", "known_on")


@dataclass(frozen=True)
class Page:
    """A page that the navigation leads to.

    `keeps`: the options in the address that it takes over from another page; `below`: the views
    of the pages that are reached from it; `actions`: one of them is what its readers may do.
    """

    view: str
    title: Any
    keeps: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    of_a_site: bool = False  # whether at one site is enough
    of: Callable[[Trial], bool] = lambda _: True
    query: str = ""  # the key by which a page of all trials is asked for one


@dataclass(frozen=True)
class Group:
    """Pages that one kind of work needs; the first is where the group's name leads."""

    title: Any
    pages: tuple[Page, ...]


GROUPS = (
    Group(
        gettext_lazy("Outcomes"),
        (
            Page(
                "outcomes:trial_dashboard",
                gettext_lazy("Dashboard"),
                PARAMETERS,
                below=("outcomes:patients_of",),
            ),
            Page(
                "outcomes:figure_list",
                gettext_lazy("Figures"),
                PARAMETERS,
                below=("outcomes:figure",),
            ),
            Page("outcomes:statistics", gettext_lazy("Statistics"), PARAMETERS),
            Page("outcomes:groups", gettext_lazy("Groups"), PARAMETERS),
            Page(
                "outcomes:safety",
                gettext_lazy("Safety"),
                AS_OF,
                below=("outcomes:safety_patients", "outcomes:safety_exposure"),
            ),
            Page("outcomes:study_report", gettext_lazy("Report"), PARAMETERS),
            Page(
                "outcomes:analyses",
                gettext_lazy("Frozen analyses"),
                PARAMETERS,
                below=(
                    "outcomes:analysis",
                    "outcomes:analysis_new",
                    "outcomes:analysis_changes",
                    "outcomes:analysis_patients_of",
                ),
                actions=(Action.READ_ANALYSES,),
            ),
        ),
    ),
    Group(
        gettext_lazy("Patients"),
        (
            Page(
                "outcomes:participants",
                gettext_lazy("Patient list"),
                below=("patients:patient_new",),
            ),
            Page(
                "patients:screening_log",
                gettext_lazy("Screening log"),
                below=("patients:screening_start",),
            ),
            Page(
                "outcomes:consort",
                gettext_lazy("Participant flow"),
                AS_OF,
                below=("outcomes:consort_people",),
            ),
            Page(
                "outcomes:accrual",
                gettext_lazy("Accrual"),
                AS_OF,
                below=("outcomes:accrual_people",),
            ),
        ),
    ),
    Group(
        gettext_lazy("Data"),
        (
            Page("outcomes:query_list", gettext_lazy("Queries"), query="trial"),
            Page(
                "outcomes:visit_sheet_new",
                gettext_lazy("Upload visits"),
                below=("outcomes:visit_sheet", "outcomes:visit_sheet_progress"),
                actions=(Action.WRITE_RECORDS, Action.IMPORT),
                of_a_site=True,
            ),
            Page(
                "outcomes:discordance",
                gettext_lazy("Independent review"),
                COMPARABLE,
                actions=(Action.READ_REVIEW,),
            ),
        ),
    ),
    Group(
        gettext_lazy("Protocol"),
        (
            Page(
                "trials:trial_detail",
                gettext_lazy("Overview"),
                below=(
                    "patients:reference_ranges",
                    "patients:reference_range_new",
                    "patients:reference_range_edit",
                    "patients:reference_range_void",
                ),
            ),
            Page(
                "trials:criteria",
                gettext_lazy("Criteria"),
                below=(
                    "trials:criterion_new",
                    "trials:criterion_edit",
                    "trials:criterion_remove",
                    "trials:protocol_amend",
                ),
            ),
            Page(
                "outcomes:endpoints",
                gettext_lazy("Endpoints"),
                PARAMETERS,
                below=(
                    "outcomes:endpoint_new",
                    "outcomes:endpoint_edit",
                    "outcomes:endpoint_remove",
                ),
            ),
            Page(
                "trials:trial_irecist",
                gettext_lazy("Response criteria"),
                actions=(Action.WRITE_TRIAL,),
            ),
            Page(
                "patients:randomization_scheme",
                gettext_lazy("Randomization scheme"),
                actions=(Action.WRITE_TRIAL,),
                of=lambda trial: trial.randomized,
            ),
            Page(
                "trials:trial_unblinding",
                gettext_lazy("Unblinding"),
                actions=(Action.UNBLIND,),
                of=lambda trial: trial.masked or trial.unblinded_at is not None,
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Link:
    """One page as it is offered; `current`: "page" where it is shown, "true" where one below is."""

    title: Any
    url: str
    current: str


@dataclass(frozen=True)
class Navigation:
    """Each group with the address of its first page, and the pages of the one that is shown."""

    groups: tuple[Link, ...]
    title: Any
    pages: tuple[Link, ...]


def navigation(
    trial: Trial, user: User, *, view: str, asked: Mapping[str, str]
) -> Navigation | None:
    """The way to a trial's other pages; None on pages such as those of one patient.

    `asked`: the options in the address, which the pages that take them keep. One statement.
    """
    here = next((g for g in GROUPS if any(_current(page, view) for page in g.pages)), None)
    if here is None:
        return None
    held = list(Membership.objects.current().filter(user=user, trial=trial))
    offered = [(g, [page for page in g.pages if _open(page, trial, user, held)]) for g in GROUPS]
    return Navigation(
        groups=tuple(
            Link(g.title, _address(pages[0], trial, asked), "true" if g is here else "")
            for g, pages in offered
        ),
        title=here.title,
        pages=tuple(
            Link(page.title, _address(page, trial, asked), _current(page, view))
            for group, pages in offered
            for page in pages
            if group is here
        ),
    )


def _current(page: Page, view: str) -> str:
    return "page" if view == page.view else "true" if view in page.below else ""


def _open(page: Page, trial: Trial, user: User, held: list[Membership]) -> bool:
    if not page.actions or not page.of(trial):
        return page.of(trial)
    found = [access.granted(user, action, held) for action in page.actions]
    return any(
        one.everywhere or trial.pk in one.trials or (page.of_a_site and bool(one.sites))
        for one in found
    )


def _address(page: Page, trial: Trial, asked: Mapping[str, str]) -> str:
    if page.query:
        return f"{reverse(page.view)}?{urlencode({page.query: trial.registry_id})}"
    said = kept(asked, trial, page.keeps)
    return reverse(page.view, args=[trial.registry_id]) + (f"?{urlencode(said)}" if said else "")
