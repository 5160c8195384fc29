"""Claims as their source prints them, on one line; nothing is rounded, completed or put right."""

from __future__ import annotations

from django.utils.translation import gettext as _

from trials.publications import (
    AnyClaim,
    CategoriesClaim,
    EnrollmentClaim,
    HazardRatioClaim,
    MedianClaim,
    ProportionClaim,
    PValueClaim,
    RateClaim,
    TimeOriginClaim,
)


def as_printed(claim: AnyClaim) -> str:
    """What a claim says."""
    if isinstance(claim, ProportionClaim | RateClaim):
        return _rate(claim)
    if isinstance(claim, CategoriesClaim):
        return _categories(claim)
    if isinstance(claim, MedianClaim):
        return _median(claim)
    if isinstance(claim, HazardRatioClaim):
        return _hazard_ratio(claim)
    if isinstance(claim, PValueClaim):
        return _p_value(claim)
    if isinstance(claim, EnrollmentClaim):
        return _enrollment(claim)
    return _time_origin(claim)


def _rate(claim: ProportionClaim | RateClaim) -> str:
    counts = None if claim.k is None else str(claim.k)
    if counts and claim.n is not None:
        counts = f"{counts}/{claim.n}"
    level = claim.level if isinstance(claim, ProportionClaim) else 95
    interval = _interval(claim.interval, level)
    if claim.percent is None:
        return _with(counts or "", interval)
    return _with(claim.percent, counts, interval)


def _median(claim: MedianClaim) -> str:
    units = {"months": _("months"), "weeks": _("weeks"), "days": _("days")}
    value = claim.value or ""
    shown = value if value in ("", "NR", "NE") else f"{value} {units[claim.unit]}"
    spreads = {"quartiles": _("IQR %s"), "range": _("range %s")}
    if claim.spread == "confidence_interval" or claim.interval is None:
        return _with(shown, _interval(claim.interval, 95))
    return _with(shown, spreads[claim.spread] % _bare(claim.interval))


def _hazard_ratio(claim: HazardRatioClaim) -> str:
    shown = _with(claim.value, _interval(claim.interval, 95))
    if claim.risk_reduction is None:
        return shown
    return _("%(ratio)s; risk reduction %(percent)s") % {
        "ratio": shown,
        "percent": claim.risk_reduction,
    }


def _p_value(claim: PValueClaim) -> str:
    sign = "" if claim.value[0] in "<=" else "= "
    counts = None
    if None not in (claim.k, claim.n, claim.other_k, claim.other_n):
        counts = f"{claim.k}/{claim.n} v {claim.other_k}/{claim.other_n}"
    return _with(f"p {sign}{claim.value}", counts)


def _categories(claim: CategoriesClaim) -> str:
    listed = ", ".join(f"{item.name} {item.n}" for item in claim.items)
    return listed if claim.total is None else f"{listed} / {claim.total}"


def _enrollment(claim: EnrollmentClaim) -> str:
    if claim.planned is None:
        return _("%s enrolled") % claim.enrolled
    found = {"enrolled": claim.enrolled, "planned": claim.planned}
    return _("%(enrolled)s enrolled, %(planned)s planned") % found


def _time_origin(claim: TimeOriginClaim) -> str:
    return _("“%s”") % claim.wording


def _interval(interval: str | None, level: int) -> str | None:
    return (
        None
        if interval is None
        else _("%(level)s%% CI %(interval)s") % {"level": level, "interval": _bare(interval)}
    )


def _bare(interval: str) -> str:
    return interval.strip("()")


def _with(value: str, *details: str | None) -> str:
    told = "; ".join(detail for detail in details if detail)
    return f"{value} ({told})".strip() if told else value
