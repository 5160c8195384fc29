"""Audit of printed counts: categories v their total, arms v all, enrolled v planned."""

from collections.abc import Iterator, Sequence

from outcomes.methods.claimed_rates import (
    MOST_COUNTS,
    candidates,
    reproduces,
    responders,
    responses_behind,
)
from outcomes.methods.findings import Parameters, Said, Severity, TrialFacts, patients
from trials.definitions import ProportionInterval
from trials.publications import (
    CategoriesClaim,
    Category,
    EnrollmentClaim,
    GroupRole,
    ProportionClaim,
    PublishedResults,
)


def audit_categories(claim: CategoriesClaim, publication: PublishedResults) -> Iterator[Said]:
    """Whether the categories add up, and if not, which single change would make all fit."""
    total = claim.total if claim.total is not None else patients(publication, claim)
    if total is None:
        return
    numbers = [item.n for item in claim.items]
    found: Parameters = {
        "sum": " + ".join(map(str, numbers)),
        "found": sum(numbers),
        "total": total,
    }
    if sum(numbers) > total or (claim.complete and sum(numbers) < total):
        yield Severity.CONTRADICTION, "categories_do_not_sum", found
        yield from _single_change(claim, total, publication)
    elif claim.complete:
        yield Severity.CONSISTENT, "categories_sum", found


def _single_change(
    claim: CategoriesClaim, total: int, publication: PublishedResults
) -> Iterator[Said]:
    """The one count, or the total, with which sums, rates and intervals all fit, if there is one."""
    rates = _rates_of(claim, publication)
    if not (claim.complete and rates):
        return
    changes = [*_category_changes(claim, total), *_total_change(claim, total)]
    fitting = [
        (name, printed, instead)
        for name, printed, instead, items, n in changes
        if all(_fits(rate, claim, items, n, publication) for rate in rates)
    ]
    if len(fitting) == 1:
        name, printed, instead = fitting[0]
        found: Parameters = {"category": name, "printed": printed, "instead": instead}
        yield Severity.REMARK, "one_change_fits", found


def _rates_of(claim: CategoriesClaim, publication: PublishedResults) -> list[ProportionClaim]:
    """Response rates whose numerators the list tells."""
    rates = [other for other in publication.claims if isinstance(other, ProportionClaim)]
    return [rate for rate in rates if any(c is claim for c in responses_behind(rate, publication))]


Change = tuple[str, int, int, Sequence[Category], int]


def _category_changes(claim: CategoriesClaim, total: int) -> Iterator[Change]:
    excess = sum(item.n for item in claim.items) - total
    for index, item in enumerate(claim.items):
        if item.n >= excess:
            instead = item.n - excess
            changed = Category(name=item.name, n=instead)
            items = [*claim.items[:index], changed, *claim.items[index + 1 :]]
            yield item.name, item.n, instead, items, total


def _total_change(claim: CategoriesClaim, total: int) -> Iterator[Change]:
    instead = sum(item.n for item in claim.items)
    yield "n", total, instead, claim.items, instead


def _fits(
    rate: ProportionClaim,
    claim: CategoriesClaim,
    items: Sequence[Category],
    n: int,
    publication: PublishedResults,
) -> bool:
    """Whether a rate's percent and interval would be those of the changed counts."""
    _names, k = responders(rate.measure, claim.model_copy(update={"items": items}))
    printed = patients(publication, rate) if rate.n is not None else n
    possible = candidates(rate, n)
    if printed != n or k not in possible or len(possible) > MOST_COUNTS:
        return False
    return rate.interval is None or any(
        reproduces(rate.interval, k, n, method, rate.level) for method in ProportionInterval
    )


def audit_arms(publication: PublishedResults) -> Iterator[Said]:
    """Whether the arms together are all patients."""
    arms = [group.n for group in publication.groups if group.role == GroupRole.ARM]
    known = [n for n in arms if n is not None]
    if publication.n is None or len(known) < 2 or len(known) < len(arms):
        return
    found: Parameters = {
        "sum": " + ".join(map(str, known)),
        "found": sum(known),
        "total": publication.n,
    }
    if sum(known) == publication.n:
        yield Severity.CONSISTENT, "arms_sum", found
    else:
        yield Severity.CONTRADICTION, "arms_do_not_sum", found


def audit_enrollment(claim: EnrollmentClaim, trial: TrialFacts | None) -> Iterator[Said]:
    """Enrolled v planned: by the source itself, else by the registry."""
    planned, source = claim.planned, "publication"
    if planned is None and trial:
        planned, source = trial.enrollment_target, trial.registry_id
    if planned is None:
        return
    found: Parameters = {
        "planned": planned, "enrolled": claim.enrolled, "source": source
    }  # fmt: skip
    if planned == claim.enrolled:
        yield Severity.CONSISTENT, "enrolled_as_planned", found
    else:
        yield Severity.DISCREPANCY, "enrolled_differs_from_planned", found
