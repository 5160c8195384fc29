"""Audit of printed rates: k of n v percent, which interval it is, and what the categories say.

The exact tests are on integers and fractions; only interval limits are floating point.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import floor
from typing import Final

from outcomes.methods.findings import Elsewhere, Parameters, Said, Severity, patients
from outcomes.methods.printed import Figure, counts, limits, percent_of
from outcomes.methods.proportions import proportion
from trials.definitions import ProportionInterval
from trials.publications import (
    CategoriesClaim,
    GroupRole,
    Measure,
    ProportionClaim,
    PublishedResults,
    RateClaim,
)

MOST_COUNTS: Final = 50  # that a percentage may stand for, for its interval to tell anything
HINTS: Final = 3
RESPONDERS: Final = {Measure.ORR: ("CR", "PR"), Measure.DCR: ("CR", "PR", "SD")}
# Without these in a list nothing can be said; an unlisted CR is none.
LISTED: Final = {Measure.ORR: {"PR"}, Measure.DCR: {"PR", "SD"}}


def audit_proportion(
    claim: ProportionClaim, publication: PublishedResults, own: str, elsewhere: Elsewhere
) -> Iterator[Said]:
    """What k, n, percent and interval say of each other."""
    n = patients(publication, claim)
    if n is None:
        return
    if absurd := _absurd(claim, n):
        yield absurd
        return
    yield from _percent(claim, n)
    yield from _hints(claim, n, own, elsewhere)
    yield from audit_interval(claim, n)
    yield from _denominator(claim, n, publication)
    yield from _categories(claim, n, publication)


def audit_rate_at(claim: RateClaim, publication: PublishedResults) -> Iterator[Said]:
    """Whether an event-free rate can be k of n at all; else it is a Kaplan-Meier estimate."""
    n = patients(publication, claim)
    if n is None:
        return
    if absurd := _absurd(claim, n):
        yield absurd
        return
    possible: Sequence[int] = counts(Figure.of(claim.percent), n)
    if claim.k is None:
        yield _estimate(claim.percent, possible, n)
        return
    yield from _percent(claim, n)
    if claim.k in possible:
        yield Severity.REMARK, "rate_is_a_fraction", _fraction(claim.percent, [claim.k], n)


def _estimate(percent: str, possible: Sequence[int], n: int) -> Said:
    if not possible:
        return Severity.REMARK, "kaplan_meier_estimate", {"printed": percent, "n": n}
    found = _fraction(percent, possible, n)
    if n < 100 * 10 ** Figure.of(percent).decimals:
        return Severity.REMARK, "rate_is_a_fraction", found
    # Among so many patients every percentage is some k of n.
    return Severity.CONSISTENT, "rate_may_be_a_fraction", found


def _fraction(percent: str, possible: Sequence[int], n: int) -> Parameters:
    return {"printed": percent, "counts": spelled(possible), "n": n}


def _absurd(claim: ProportionClaim | RateClaim, n: int) -> Said | None:
    if claim.k is not None and claim.k > n:
        return Severity.CONTRADICTION, "count_exceeds_total", {"k": claim.k, "n": n}
    if claim.percent is None:
        return None
    if Figure.of(claim.percent).value > 100:
        return Severity.CONTRADICTION, "percent_above_hundred", {"printed": claim.percent}
    return None if n else (Severity.CONTRADICTION, "percent_of_nobody", {"printed": claim.percent})


def _percent(claim: ProportionClaim | RateClaim, n: int) -> Iterator[Said]:
    if claim.percent is None:
        if claim.k is not None and n:
            found: Parameters = {"k": claim.k, "n": n, "percent": percent_of(claim.k, n, 1)}
            yield Severity.CONSISTENT, "percent_not_printed", found
        return
    printed = Figure.of(claim.percent)
    if claim.k is not None:
        agrees = printed.rounds(Fraction(100 * claim.k, n))
        code = "percent_fits_count" if agrees else "percent_contradicts_count"
        recomputed = percent_of(claim.k, n, printed.decimals)
        found = {"k": claim.k, "n": n, "printed": claim.percent, "recomputed": recomputed}
        yield Severity.CONSISTENT if agrees else Severity.CONTRADICTION, code, found
    elif possible := counts(printed, n):
        found = {"printed": claim.percent, "counts": spelled(possible), "n": n}
        yield Severity.CONSISTENT, "percent_is_possible", found
    else:
        yield Severity.CONTRADICTION, "percent_impossible", _neighbors(claim.percent, n)


def _neighbors(percent: str, n: int) -> Parameters:
    """The counts next to an impossible percentage, and what they would have printed."""
    printed = Figure.of(percent)
    below = min(floor(n * printed.value / 100), n - 1)
    near = {"below": below, "above": below + 1}
    shares = {f"{k}_percent": percent_of(near[k], n, printed.decimals) for k in near}
    return {"printed": percent, "n": n, **near, **shares}


def _hints(claim: ProportionClaim, n: int, own: str, elsewhere: Elsewhere) -> Iterator[Said]:
    """Where an impossible percentage is printed with counts that give it."""
    if claim.percent is None or claim.k is not None:
        return
    printed = Figure.of(claim.percent)
    if counts(printed, n) or not printed.decimals:  # a whole percentage is found anywhere
        return
    for key, k, other in islice(elsewhere.fractions(printed, own), HINTS):
        found: Parameters = {"printed": claim.percent, "publication": key, "k": k, "n": other}
        yield Severity.REMARK, "percent_found_elsewhere", found


def spelled(possible: Sequence[int]) -> str:
    """Counts as text: "16", or "21-22"."""
    first, last = possible[0], possible[-1]
    return str(first) if first == last else f"{first}-{last}"


def candidates(claim: ProportionClaim, n: int) -> Sequence[int]:
    """The counts that a claim may stand for: the printed one, else all that give its percent."""
    if claim.k is not None:
        return [claim.k]
    return counts(Figure.of(claim.percent), n) if claim.percent is not None else []


def audit_interval(claim: ProportionClaim, n: int) -> Iterator[Said]:
    """Which method reproduces both limits at their printed decimals, for which count."""
    possible = candidates(claim, n)
    if claim.interval is None or not n or not possible:
        return
    if misplaced := _misplaced(claim, possible, n):
        yield misplaced
    elif len(possible) > MOST_COUNTS:
        found: Parameters = {"printed": claim.interval, "counts": spelled(possible), "n": n}
        yield Severity.REMARK, "interval_not_searched", found
    else:
        yield _method(claim, possible, n)


def _misplaced(claim: ProportionClaim, possible: Sequence[int], n: int) -> Said | None:
    lower, upper = limits(str(claim.interval))
    if upper is None:
        return None
    if lower.value > upper.value:
        return Severity.CONTRADICTION, "interval_reversed", {"printed": str(claim.interval)}
    highest, lowest = Fraction(100 * possible[-1], n), Fraction(100 * possible[0], n)
    if highest < lower.value - lower.half or lowest > upper.value + upper.half:
        printed = claim.percent or f"{claim.k}/{n}"
        found: Parameters = {"printed": printed, "interval": str(claim.interval)}
        return Severity.CONTRADICTION, "estimate_outside_interval", found
    return None


def _method(claim: ProportionClaim, possible: Sequence[int], n: int) -> Said:
    fits = [
        (k, method) for k in possible for method in ProportionInterval
        if reproduces(str(claim.interval), k, n, method, claim.level)
    ]  # fmt: skip
    printed: Parameters = {"printed": str(claim.interval), "n": n}
    if not fits:
        shown = {
            method.value.replace("-", "_"): _shown(possible[0], n, method, claim.level)
            for method in ProportionInterval
        }
        return (
            Severity.DISCREPANCY,
            "interval_not_reproduced",
            printed | {"counts": spelled(possible)} | shown,
        )
    if len(fits) > 1:
        text = ", ".join(f"{method.value} {k}/{n}" for k, method in fits)
        return Severity.REMARK, "interval_methods", printed | {"fits": text}
    k, method = fits[0]
    recomputed = _shown(k, n, method, claim.level)
    found: Parameters = {"method": method.value, "k": k, "recomputed": recomputed}
    return Severity.REMARK, "interval_method", printed | found


def reproduces(interval: str, k: int, n: int, method: ProportionInterval, level: int) -> bool:
    """Whether a method's limits, unclipped, print as this interval."""
    lower, upper = limits(interval)
    low, high = _limits(k, n, method, level)
    return lower.nearly_rounds(low) and upper is not None and upper.nearly_rounds(high)


@lru_cache(maxsize=50_000)
def _limits(k: int, n: int, method: ProportionInterval, level: int) -> tuple[float, float]:
    """Limits in percent; a catalogue asks for the same ones on each reading."""
    found = proportion(k, n, method, level / 100)
    return 100 * (found.lower or 0.0), 100 * (found.upper or 0.0)


def _shown(k: int, n: int, method: ProportionInterval, level: int) -> str:
    lower, upper = _limits(k, n, method, level)
    return f"{lower:.2f} to {upper:.2f}"


def _denominator(claim: ProportionClaim, n: int, publication: PublishedResults) -> Iterator[Said]:
    """A rate among some, such as the evaluable ones, and what it is among everybody."""
    roles = {group.name: group.role for group in publication.groups}
    apart = not claim.group or roles[claim.group] == GroupRole.POPULATION
    possible = candidates(claim, n)
    whole = publication.n
    if apart and whole and whole != n and len(possible) == 1 and possible[0] <= whole:
        k = possible[0]
        found: Parameters = {
            "k": k, "n": n, "percent": percent_of(k, n, 1),
            "whole": whole, "whole_percent": percent_of(k, whole, 1),
        }  # fmt: skip
        yield Severity.REMARK, "denominator_differs", found


def _categories(claim: ProportionClaim, n: int, publication: PublishedResults) -> Iterator[Said]:
    """The rate that the best responses add up to, over the same patients."""
    for listed in responses_behind(claim, publication):
        total = listed.total if listed.total is not None else patients(publication, listed)
        names, k = responders(claim.measure, listed)
        possible = candidates(claim, n)
        if total != n or not possible:
            continue
        found: Parameters = {"categories": names, "sum": k, "counts": spelled(possible), "n": n}
        if k in possible:
            yield Severity.CONSISTENT, "rate_fits_categories", found
        else:
            yield Severity.CONTRADICTION, "rate_contradicts_categories", found


def responses_behind(
    claim: ProportionClaim, publication: PublishedResults
) -> Iterator[CategoriesClaim]:
    """Lists of best responses of the same group that tell a claim's numerator."""
    if claim.measure not in RESPONDERS:
        return
    for other in publication.claims:
        if isinstance(other, CategoriesClaim) and other.kind == "best_response":
            names = {item.name for item in other.items}
            if other.group == claim.group and names >= LISTED[claim.measure]:
                yield other


def responders(measure: Measure, listed: CategoriesClaim) -> tuple[str, int]:
    """The categories that a rate counts, as text, and their sum."""
    counted = [item for item in listed.items if item.name in RESPONDERS[measure]]
    return " + ".join(f"{item.name} {item.n}" for item in counted), sum(i.n for i in counted)
