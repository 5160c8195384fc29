"""Audit of printed times and comparisons: medians, hazard ratios, p values, time origins."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Final

from scipy.special import chdtrc

from outcomes.methods.comparison import fisher_exact
from outcomes.methods.findings import Elsewhere, Parameters, Said, Severity, TrialFacts, reduces
from outcomes.methods.printed import ROUNDING, Figure, limits, rounded
from outcomes.methods.survival import two_sided_z
from trials.publications import (
    HazardRatioClaim,
    MedianClaim,
    PublishedResults,
    PValueClaim,
    TimeOriginClaim,
)

RANDOMIZATION: Final = re.compile(
    r"\b(?:from|since|after)(?: the)?(?: (?:date|day|time)(?: of)?)?(?: the)? randomi[sz]ation\b",
    re.IGNORECASE,
)
HINTS: Final = 3
MOST_TESTED: Final = 10_000  # patients: an exact test looks at as many tables
Z: Final = Fraction(two_sided_z(0.95))


def audit_median(claim: MedianClaim, publication: PublishedResults) -> Iterator[Said]:
    """Whether a median lies within its interval, and whether the interval is symmetric (SPSS)."""
    if claim.interval is None:
        return
    if wrong := _misplaced(claim):
        yield wrong
    elif claim.spread != "confidence_interval":
        yield Severity.REMARK, "spread_is_no_interval", {"printed": claim.interval}
    elif symmetric := is_symmetric(claim):
        yield Severity.REMARK, "interval_symmetric", _implied(claim)
    elif symmetric is False and _siblings_are_symmetric(claim, publication):
        yield Severity.REMARK, "interval_asymmetric_among_symmetric", _mirrored(claim)
    elif symmetric is False:
        yield Severity.CONSISTENT, "interval_asymmetric", {"printed": claim.interval}


def _misplaced(claim: MedianClaim) -> Said | None:
    interval = str(claim.interval)
    lower, upper = limits(interval)
    if upper and lower.value > upper.value:
        return Severity.CONTRADICTION, "interval_reversed", {"printed": interval}
    value = _value(claim)
    if value is None:
        return None
    below = value.value + value.half < lower.value - lower.half
    above = upper and value.value - value.half > upper.value + upper.half
    if not (below or above):
        return None
    found: Parameters = {"printed": str(claim.value), "interval": interval}
    return Severity.CONTRADICTION, "estimate_outside_interval", found


def _value(claim: MedianClaim) -> Figure | None:
    return None if claim.value in (None, "NR", "NE") else Figure.of(str(claim.value))


def is_symmetric(claim: MedianClaim) -> bool | None:
    """Whether the median is its interval's middle, as far as rounding lets see; None: undecided.

    Undecided without both limits, and where a median that is printed more coarsely than they are
    could be the middle, but need not.
    """
    if claim.interval is None or claim.spread != "confidence_interval":
        return None
    lower, upper = limits(claim.interval)
    value = _value(claim)
    if value is None or upper is None:
        return None
    off = abs(lower.value + upper.value - 2 * value.value)
    within = off <= lower.half + upper.half + 2 * value.half
    coarse = value.decimals < max(lower.decimals, upper.decimals)
    return None if coarse and within and off else within


def _implied(claim: MedianClaim) -> Parameters:
    """The standard error of median +- 1.96 SE."""
    lower, upper = limits(str(claim.interval))
    assert upper is not None
    half = (upper.value - lower.value) / 2
    decimals = max(lower.decimals, upper.decimals)
    exactly = half * 10**decimals % 1 == 0
    return {
        "printed": str(claim.interval),
        "half": rounded(half, decimals if exactly else decimals + 1),
        "standard_error": rounded(half / Z, 3),
    }


def _siblings_are_symmetric(claim: MedianClaim, publication: PublishedResults) -> bool:
    """Whether every other median that can be judged has a symmetric interval."""
    others = [other for other in publication.claims if isinstance(other, MedianClaim)]
    judged = [is_symmetric(other) for other in others if other is not claim]
    decided = [symmetric for symmetric in judged if symmetric is not None]
    return bool(decided) and all(decided)


def symmetry(publication: PublishedResults) -> bool | None:
    """Whether all median intervals that can be judged are symmetric, or none is; None: mixed."""
    medians = (claim for claim in publication.claims if isinstance(claim, MedianClaim))
    decided = {found for claim in medians if (found := is_symmetric(claim)) is not None}
    return decided.pop() if len(decided) == 1 else None


def audit_styles(
    publication: PublishedResults, others: Iterable[tuple[str, PublishedResults]]
) -> Iterator[Said]:
    """Symmetric intervals where another publication of the same trial prints other ones."""
    if not publication.nct_id or not symmetry(publication):
        return
    for key, other in others:
        if other.nct_id == publication.nct_id and symmetry(other) is False:
            yield Severity.REMARK, "interval_style_differs", {"publication": key}


def _mirrored(claim: MedianClaim) -> Parameters:
    """What either limit would be if the other one is right."""
    lower, upper = limits(str(claim.interval))
    value = _value(claim)
    assert upper is not None
    assert value is not None
    return {
        "printed": f"{claim.value} ({str(claim.interval).strip('()')})",
        "lower": rounded(2 * value.value - upper.value, lower.decimals),
        "upper": rounded(2 * value.value - lower.value, upper.decimals),
    }


def audit_hazard_ratio(claim: HazardRatioClaim, own: str, elsewhere: Elsewhere) -> Iterator[Said]:
    """The quoted risk reduction is 1 - HR; Wald's interval is symmetric on the log scale."""
    ratio = Figure.of(claim.value)
    if claim.interval is not None:
        yield _ratio_interval(claim, ratio)
    if claim.risk_reduction is None:
        return
    quoted = Figure.of(claim.risk_reduction)
    recomputed = rounded(100 * (1 - ratio.value), quoted.decimals)
    found: Parameters = {
        "value": claim.value, "quoted": claim.risk_reduction, "recomputed": recomputed,
    }  # fmt: skip
    if reduces(ratio, quoted):
        yield Severity.CONSISTENT, "risk_reduction_fits", found
        return
    yield Severity.CONTRADICTION, "risk_reduction_contradicts", found
    for key, value in islice(elsewhere.hazard_ratios(quoted, own), HINTS):
        hint: Parameters = {"quoted": claim.risk_reduction, "publication": key, "value": value}
        yield Severity.REMARK, "risk_reduction_found_elsewhere", hint


def _ratio_interval(claim: HazardRatioClaim, ratio: Figure) -> Said:
    lower, upper = limits(str(claim.interval))
    assert upper is not None
    found: Parameters = {"value": claim.value, "printed": str(claim.interval)}
    if lower.value > upper.value:
        return Severity.CONTRADICTION, "interval_reversed", {"printed": str(claim.interval)}
    if not lower.value - lower.half <= ratio.value <= upper.value + upper.half:
        found = {"printed": claim.value, "interval": str(claim.interval)}
        return Severity.CONTRADICTION, "estimate_outside_interval", found
    smallest = max(lower.value - lower.half, Fraction(0)) * (upper.value - upper.half)
    largest = (lower.value + lower.half) * (upper.value + upper.half)
    low, high = (ratio.value - ratio.half) ** 2, (ratio.value + ratio.half) ** 2
    if smallest <= high and low <= largest:
        return Severity.CONSISTENT, "ratio_interval_fits", found
    return Severity.REMARK, "ratio_interval_asymmetric", found


def audit_p_value(claim: PValueClaim) -> Iterator[Said]:
    """Which test of the printed counts gives the printed p value."""
    k, n, other_k, other_n = claim.k, claim.n, claim.other_k, claim.other_n
    if k is None or n is None or other_k is None or other_n is None:
        return
    if k > n or other_k > other_n:
        worst = (k, n) if k > n else (other_k, other_n)
        yield Severity.CONTRADICTION, "count_exceeds_total", {"k": worst[0], "n": worst[1]}
        return
    if n + other_n > MOST_TESTED:
        return
    computed = dict(_tests(k, n, other_k, other_n))
    fits = [name for name, p in computed.items() if _prints_as(claim.value, p)]
    found: Parameters = {
        "printed": claim.value, "first": f"{k}/{n}", "second": f"{other_k}/{other_n}",
    }  # fmt: skip
    shown = {name: f"{p:.4f}" for name, p in computed.items()}
    if fits:
        test: Parameters = {"tests": ", ".join(fits), "recomputed": shown[fits[0]]}
        yield Severity.REMARK, "p_value_reproduced", found | test
    elif computed:
        listed = ", ".join(f"{name} {p}" for name, p in shown.items())
        yield Severity.DISCREPANCY, "p_value_not_reproduced", found | {"recomputed": listed}


def _tests(k: int, n: int, other_k: int, other_n: int) -> Iterator[tuple[str, float]]:
    """Fisher's exact test, and Pearson's chi-square without and with Yates' correction."""
    if (p := fisher_exact(k, n, other_k, other_n).p) is not None:
        yield "fisher", p
    events, total = k + other_k, n + other_n
    if not (0 < events < total and n and other_n):
        return
    cross = abs(k * (other_n - other_k) - other_k * (n - k))
    margins = n * other_n * events * (total - events)
    for name, off in (("chi-square", cross), ("yates", max(0.0, cross - total / 2))):
        yield name, float(chdtrc(1, float(Fraction(total) * Fraction(off) ** 2 / margins)))


def _prints_as(printed: str, p: float) -> bool:
    figure = Figure.of(printed)
    if printed.startswith("<"):
        return Fraction(p) < figure.value + ROUNDING
    return figure.nearly_rounds(p)


def audit_time_origin(claim: TimeOriginClaim, publication: PublishedResults) -> Iterator[Said]:
    """Time cannot count from a randomization where nobody was randomized."""
    found: Parameters = {"measure": claim.measure.value, "wording": claim.wording}
    if not RANDOMIZATION.search(claim.wording):
        return
    if publication.randomized is False:
        yield Severity.CONTRADICTION, "randomization_in_single_arm", found


def audit_registry_origins(
    trial: TrialFacts, publication: PublishedResults
) -> Iterator[tuple[int, Said]]:
    """The same of a registry entry's endpoints, by number, but those the publication words."""
    own = {c.measure.value for c in publication.claims if isinstance(c, TimeOriginClaim)}
    if trial.allocation in ("", "RANDOMIZED"):
        return
    for index, endpoint in enumerate(trial.endpoints):
        text = f"{endpoint.time_frame} {endpoint.wording}"
        if endpoint.kind not in own and (said := RANDOMIZATION.search(text)):
            found: Parameters = {"measure": endpoint.kind, "wording": said.group()}
            found["source"] = trial.registry_id
            yield index, (Severity.CONTRADICTION, "randomization_in_registry", found)
