"""A report's statistics as a page tells them: every number with its method's name beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes import small_groups
from outcomes.arms import (
    ComparedArm,
    Comparison,
    CurveDifferences,
    NoComparison,
    RateComparison,
)
from outcomes.definition_words import depth_in_words, result_in_words
from outcomes.labels import CHARACTERISTICS, NOT_COMPARED, TIES, UNITS
from outcomes.methods import survival
from outcomes.methods.comparison import ChiSquare, Cox, HazardRatio, RateDifference
from outcomes.methods.depth import Depth, DepthOfResponse
from outcomes.methods.differences import Difference
from outcomes.methods.proportions import Proportion
from outcomes.methods.survival import (
    Curve,
    Landmark,
    MissingReason,
    Quantile,
    Quartiles,
    band_interval,
)
from outcomes.report import DAYS_PER_MONTH, LandmarkTime, Rate, Report, Section, Survival
from outcomes.report.subgroups import FEWEST
from outcomes.result_wording import months, p_value, percent
from registry.languages import labeled, listed
from trials.definition_wording import (
    PROPORTION_STYLES,
    SURVIVAL_STYLES,
    TITLES,
)
from trials.definitions import EndpointKind
from trials.templatetags.terms import treatment

KINDS = (EndpointKind.PFS, EndpointKind.OS, EndpointKind.DOR, EndpointKind.TTR)
RATES = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR)
EVENT_FREE = {
    EndpointKind.PFS: gettext_lazy("Progression-free rate (Kaplan-Meier)"),
    EndpointKind.OS: gettext_lazy("Survival rate (Kaplan-Meier)"),
    EndpointKind.DOR: gettext_lazy("Still in response (Kaplan-Meier)"),
    EndpointKind.TTR: gettext_lazy("Without a response yet, among responders (Kaplan-Meier)"),
}
DEPTHS = {
    Depth.NONE: gettext_lazy("no shrinkage"),
    Depth.UP_TO_25: gettext_lazy("above 0 to 25 %"),
    Depth.UP_TO_50: gettext_lazy("above 25 to 50 %"),
    Depth.UP_TO_75: gettext_lazy("above 50 to 75 %"),
    Depth.UP_TO_100: gettext_lazy("above 75 to 100 %"),
}
NOT_TOLD = {
    NoComparison.BLINDED: gettext_lazy(
        "The arms are hidden in this trial: every figure is of all arms together."
    ),
    NoComparison.FEWER_THAN_TWO_ARMS: gettext_lazy("There are no two arms to compare."),
    NoComparison.NOT_WITHIN_GROUPS: gettext_lazy("There are no two arms to compare."),
}


@dataclass(frozen=True)
class Line:
    """A row of a table: what it is called, and its cells."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Lines under their headings, `first` over their names."""

    title: str
    first: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Block:
    """A section of the page: sentences, tables, and the definitions of what they show."""

    title: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatisticsPage:
    """Everything that the page shows; without `arms` the sentence says why."""

    report: Report
    blocks: tuple[Block, ...]
    arms: tuple[Block, ...]
    arms_sentence: str


def page(report: Report) -> StatisticsPage:
    """The statistics of all patients, and of the arms compared."""
    whole, compared = report.whole, report.comparison
    times = (_time(found, report.options.evaluator) for found in _survivals(whole))
    blocks = (_rates(report), *times, _follow_up(whole), _depth(report))
    if isinstance(compared, NoComparison):
        return StatisticsPage(report, blocks, (), str(NOT_TOLD[compared]))
    curves = (_curves(kind, compared, report) for kind in (EndpointKind.PFS, EndpointKind.OS))
    reference = _("Every arm is compared with %s.") % compared.arms[0].name
    return StatisticsPage(report, blocks, (*curves, _rate_differences(compared)), reference)


def _survivals(section: Section) -> Iterable[Survival]:
    """The first of every kind, then the further definitions."""
    first = [section.survivals[kind] for kind in KINDS if kind in section.survivals]
    return [*first, *(found for found in section.additional if isinstance(found, Survival))]


def _title(found: Rate | Survival) -> str:
    title = str(TITLES[found.endpoint.kind])
    return f"{title}: {found.endpoint.name}" if found.endpoint.name else title


def _rates(report: Report) -> Block:
    """Every rate with its limits in every style."""
    section, evaluator = report.whole, report.options.evaluator
    first = [section.rates[kind] for kind in RATES if kind in section.rates]
    rates = [*first, *(found for found in section.additional if isinstance(found, Rate))]
    styles = (str(style) for style in PROPORTION_STYLES.values())
    table = Table(
        title=_("Response rates with their intervals by every method"),
        first=_("Endpoint"),
        heads=(_("Patients"), _("Estimate"), _("Level"), *styles),
        lines=tuple(Line(_title(rate), _rate(rate)) for rate in rates),
    )
    definitions = (f"{_title(rate)}: {result_in_words(rate, evaluator)}" for rate in rates)
    return Block(_("Response rates"), (), (table,), tuple(definitions))


def _rate(rate: Rate) -> tuple[str, ...]:
    found = rate.proportion
    limits = (_percent_range(one.clipped.lower, one.clipped.upper) for one in rate.intervals)
    return (f"{found.k}/{found.n}", percent(found.estimate), f"{found.level:.0%}", *limits)


def _percent_range(lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return _("not estimable")
    return f"{percent(lower)} – {percent(upper)}"


def _time(found: Survival, evaluator: str) -> Block:
    words = result_in_words(found, evaluator)
    told = {"n": found.n, "events": found.events, "censored": found.censored}
    if not found.n:
        nobody = _("n = 0: there is nothing to estimate.")
        return Block(_title(found), (nobody,), (), (words,))
    counts = _("n = %(n)s: %(events)s with an event, %(censored)s censored.") % told
    if few := small_groups.too_few(found):
        few = _("Times and rates: %s.") % few
        return Block(_title(found), (counts, few), (), (words,))
    return Block(
        title=_title(found),
        sentences=(counts, *_mean(found)),
        tables=(_medians(found), _quartiles(found), _landmarks(found)),
        definitions=(words,),
    )


def _medians(found: Survival) -> Table:
    return Table(
        title=_("Median with its interval by every method"),
        first=_("Statistical method"),
        heads=_time_heads(found.median.level),
        lines=tuple(_quantile(str(SURVIVAL_STYLES[m.interval]), m) for m in found.medians),
    )


def _time_heads(level: float) -> tuple[str, ...]:
    limits = _("%s CI") % f"{level:.0%}"
    return _("Months"), limits, _("Days"), limits


def _quantile(name: str, one: Quantile) -> Line:
    days = _days(one.estimate, one.estimate_reason), _limits(one, _days)
    return Line(name, (months(one.estimate, one.estimate_reason), _limits(one, months), *days))


def _days(value: float | None, reason: MissingReason | None = None) -> str:
    """Whole or half days, of SPSS's limits with one decimal, or why there are none."""
    return months(None, reason) if value is None else f"{value:.1f}".removesuffix(".0")


def _limits(one: Quantile, write: Callable[[float | None, MissingReason | None], str]) -> str:
    """Both limits in a unit, or why there is neither."""
    if one.lower is None and one.upper is None:
        return write(None, one.lower_reason)
    return f"{write(one.lower, one.lower_reason)} – {write(one.upper, one.upper_reason)}"


def _quartiles(found: Survival) -> Table:
    """By Kaplan-Meier; of a time to response, which has no censoring, the plain ones, too."""
    names = (_("First quartile"), _("Median"), _("Third quartile"))
    if found.quartiles:
        cells = zip(names, _quartile_months(found.quartiles), strict=True)
        lines = tuple(Line(name, (cell,)) for name, cell in cells)
        return Table(_("Quartiles of the observed times"), _("Quantile"), (_("Months"),), lines)
    return Table(
        title=_("Quartiles by Kaplan-Meier, interval %s") % SURVIVAL_STYLES[found.median.interval],
        first=_("Quantile"),
        heads=_time_heads(found.median.level),
        lines=tuple(_quantile(n, one) for n, one in zip(names, found.quantiles, strict=True)),
    )


def _quartile_months(found: Quartiles) -> tuple[str, str, str]:
    return (
        months(found.q1, found.q1_reason),
        months(found.median, found.median_reason),
        months(found.q3, found.q3_reason),
    )


def _time_label(at: LandmarkTime) -> str:
    """A time as it was asked for."""
    if at.unit == "weeks":
        return ngettext("%s week", "%s weeks", at.number) % at.number
    return ngettext("%s month", "%s months", at.number) % at.number


def _landmarks(found: Survival) -> Table:
    """The Kaplan-Meier estimate at each time; k/n only where asked for, and named."""
    definition = found.endpoint.definition
    style = SURVIVAL_STYLES[band_interval(definition.survival_interval)]
    counted = found.counted or (None,) * len(found.landmarks)
    pairs = zip(found.landmarks, counted, strict=True)
    share = _("k/n known to be event-free; censored earlier count as failures")
    limits = f"{_('%s CI') % f'{definition.confidence_level:.0%}'} ({style})"
    return Table(
        title=str(EVENT_FREE[found.endpoint.kind]),
        first=_("Time"),
        heads=(_("Estimate"), limits, _("At risk"), *([share] if found.counted else [])),
        lines=tuple(Line(_time_label(at), _at(one, k)) for (at, one), k in pairs),
    )


def _at(one: Landmark, counted: Proportion | None) -> tuple[str, ...]:
    """Survival at one time and its limits; beyond the follow-up neither."""
    estimate = _("not estimable") if one.survival is None else percent(one.survival)
    limits = "–" if one.survival is None else _percent_range(one.lower, one.upper)
    k_of_n = [f"{counted.k}/{counted.n} = {percent(counted.estimate)}"] if counted else []
    return (estimate, limits, str(one.at_risk), *k_of_n)


def _mean(found: Survival) -> tuple[str, ...]:
    """The restricted mean with its horizon."""
    if found.restricted_mean is None:
        return ()
    at, mean = found.restricted_mean
    level = found.endpoint.definition.confidence_level
    limits = mean.limits(level)
    if mean.estimate is None or limits is None:
        text = _("Restricted mean up to %s: not estimable, the follow-up is shorter.")
        return (text % _time_label(at),)
    text = _("Restricted mean up to %(at)s: %(mean)s months (%(level)s CI %(lower)s – %(upper)s).")
    lower, upper = map(months, limits)
    told = {"at": _time_label(at), "mean": months(mean.estimate), "level": f"{level:.0%}"}
    return (text % (told | {"lower": lower, "upper": upper}),)


def _follow_up(section: Section) -> Block:
    """Both customs, each by its name."""
    named = {
        _("Reverse Kaplan-Meier of overall survival"): section.follow_up.reverse,
        _("Observed times, plain quartiles"): section.follow_up.observed,
    }
    table = Table(
        title=_("Length of follow-up by both methods"),
        first=_("Statistical method"),
        heads=(_("First quartile"), _("Median"), _("Third quartile")),
        lines=tuple(Line(name, _quartile_months(found)) for name, found in named.items()),
    )
    return Block(_("Follow-up in months"), (), (table,))


def _depth(report: Report) -> Block:
    found, n = report.whole.depth, report.whole.n
    counts = _("%(n)s patients with a complete sum that counts, %(without)s without one.")
    table = Table(
        title=_("Patients by their best shrinkage"),
        first=_("Shrinkage from baseline"),
        heads=(_("Patients"), _("Share")),
        lines=tuple(
            Line(str(DEPTHS[depth]), (str(k), percent(k / found.n if found.n else None)))
            for depth, k in found.counts.items()
        ),
    )
    return Block(
        title=_("Depth of response"),
        sentences=(counts % {"n": found.n, "without": n - found.n}, *_best_changes(found)),
        tables=(table,),
        definitions=(depth_in_words(report),),
    )


def _best_changes(found: DepthOfResponse) -> tuple[str, ...]:
    """Median, quartiles and range of the best changes; nothing where there are none."""
    values = (found.median, found.q1, found.q3, found.deepest, found.least)
    told = [f"{float(value):+.1f} %" for value in values if value is not None]
    if not told:
        return ()
    names = ("median", "q1", "q3", "deepest", "least")
    text = _(
        "Best change from baseline: median %(median)s, quartiles %(q1)s and %(q3)s, range"
        " %(deepest)s to %(least)s."
    )
    return (text % dict(zip(names, told, strict=True)),)


def _curves(kind: EndpointKind, compared: Comparison, report: Report) -> Block:
    """A time to event in all arms."""
    by = compared.stratified_by
    strata = _("stratified by %s") % CHARACTERISTICS[by] if by else _("not stratified")
    found = compared.survivals[kind]
    return Block(
        title=str(TITLES[kind]),
        sentences=(f"{_log_rank(found.log_rank, [arm.n for arm in compared.arms])} ({strata})",),
        tables=(
            _arm_medians(kind, compared, report),
            _ratios(compared.arms, found.cox, strata),
            _differences(compared, kind),
        ),
    )


def _log_rank(test: ChiSquare, sizes: Sequence[int]) -> str:
    if test.reason:
        return _("log-rank test: not estimable (%s)") % NOT_COMPARED[test.reason]
    if few := small_groups.not_tested(sizes):
        return _("log-rank test: %s") % few
    told = {"chi2": test.chi2, "df": test.df, "p": p_value(test.p)}
    said = _("log-rank test: χ² = %(chi2).2f, df = %(df)s, %(p)s") % told
    return ", ".join(filter(None, (said, small_groups.small_ones(sizes))))


def _arm_medians(kind: EndpointKind, compared: Comparison, report: Report) -> Table:
    """Each arm's own curve, in the style of the whole's median."""
    one = report.whole.survivals[kind].median
    found = zip(compared.arms, compared.survivals[kind].curves, strict=True)
    return Table(
        title=_("Median of each arm, interval %s") % SURVIVAL_STYLES[one.interval],
        first=_("Arm"),
        heads=(_("Patients"), _("Events"), *_time_heads(one.level)),
        lines=tuple(
            _arm_median(treatment(arm.name), curve, survival.median(curve, one.interval, one.level))
            for arm, curve in found
        ),
    )


def _arm_median(name: str, curve: Curve, median: Quantile) -> Line:
    counts = str(curve.patients), str(int(curve.events.sum()))
    if curve.patients < FEWEST:
        return Line(name, (*counts, small_groups.said(), "–", small_groups.said(), "–"))
    return Line(name, (*counts, *_quantile(name, median).cells))


def _ratios(arms: tuple[ComparedArm, ...], cox: Cox, strata: str) -> Table:
    return Table(
        title=labeled(_("Hazard ratios"), listed([TIES[cox.ties], strata])),
        first=_("Arms"),
        heads=(_("Hazard ratio"), _("%s CI") % f"{cox.level:.0%}", "p"),
        lines=tuple(
            Line(
                treatment(f"{arm.name} / {arms[0].name}"),
                _ratio(one, small_groups.not_compared(arm, arms[0])),
            )
            for arm, one in zip(arms[1:], cox.ratios, strict=True)
        ),
    )


def _ratio(one: HazardRatio, few: str) -> tuple[str, str, str]:
    if one.reason is not None:
        return _("not estimable (%s)") % NOT_COMPARED[one.reason], "–", "–"
    if few:
        return few, "–", "–"
    return f"{one.estimate:.2f}", f"{one.lower:.2f} – {one.upper:.2f}", p_value(one.p)


def _less(arm: ComparedArm, compared: Comparison) -> str:
    return treatment(f"{arm.name} − {compared.arms[0].name}")


def _differences(compared: Comparison, kind: EndpointKind) -> Table:
    """At every landmark, then of restricted means; each line names its test."""
    found = compared.survivals[kind]
    lines = [
        line
        for arm, one in zip(compared.arms[1:], found.differences, strict=True)
        for line in _arm_differences(arm, one, compared)
    ]
    return Table(
        title=_("Differences of the curves, not stratified; variances by Greenwood"),
        first=_("Arms"),
        heads=(_("At"), _("Difference"), _("%s CI") % f"{found.cox.level:.0%}", "p", _("Test")),
        lines=tuple(lines),
    )


def _arm_differences(
    arm: ComparedArm, one: CurveDifferences, compared: Comparison
) -> Iterator[Line]:
    name = _less(arm, compared)
    if few := small_groups.not_compared(arm, compared.arms[0]):
        yield Line(name, ("–", few, "–", "–", "–"))
        return
    for at, difference in zip(compared.landmarks, one.landmarks, strict=True):
        cells = _difference(difference, 100, _("percentage points"))
        yield Line(name, (_time_label(at), *cells, _("complementary log-log")))
    if one.restricted_mean and compared.horizon:
        what = _("restricted mean up to %s") % _time_label(compared.horizon)
        cells = _difference(one.restricted_mean, 1 / DAYS_PER_MONTH, str(UNITS["months"]))
        yield Line(name, (what, *cells, _("normal")))


def _difference(found: Difference, scale: float, unit: str) -> tuple[str, str, str]:
    """Estimate in a unit, limits in the same one, and p."""
    if found.estimate is None:
        return _("not estimable"), "–", "–"
    estimate, limits = f"{found.estimate * scale:+.1f} {unit}", _("not estimable")
    if found.lower is not None and found.upper is not None:
        limits = f"{found.lower * scale:+.1f} – {found.upper * scale:+.1f}"
    return estimate, limits, p_value(found.p)


def _rate_differences(compared: Comparison) -> Block:
    """The response rate of every arm less the reference's."""
    level = f"{compared.rates[0].difference.level:.0%}"
    table = Table(
        title=_("Differences of the response rates"),
        first=_("Arms"),
        heads=(_("Difference"), _("%s CI (Newcombe)") % level, _("Fisher's exact test")),
        lines=tuple(
            Line(_less(arm, compared), _rates_apart(one, arm, compared.arms[0]))
            for arm, one in zip(compared.arms[1:], compared.rates, strict=True)
        ),
    )
    return Block(str(TITLES[EndpointKind.ORR]), (), (table,))


def _rates_apart(
    found: RateComparison, arm: ComparedArm, reference: ComparedArm
) -> tuple[str, str, str]:
    if why := small_groups.not_compared(arm, reference):
        return why, "–", "–"
    return (*_points_apart(found.difference), p_value(found.test.p))


def _points_apart(found: RateDifference) -> tuple[str, str]:
    if found.estimate is None or found.lower is None or found.upper is None:
        return _("not estimable"), "–"
    estimate = f"{100 * found.estimate:+.1f} {_('percentage points')}"
    return estimate, f"{100 * found.lower:+.1f} – {100 * found.upper:+.1f}"
