"""The methods section of a report, written from the trial's parameters and endpoint definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.arms import Comparison, NoComparison
from outcomes.definition_words import assessed_in_words
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.report import Declared, Rate, Report, Survival
from trials import definition_wording
from trials.definition_wording import PROPORTION_STYLES, TITLES
from trials.definitions import CensorAt, EndpointDefinition, EndpointKind, ProportionInterval
from trials.models import Trial

EISENHAUER = "Eisenhauer EA et al. Eur J Cancer 2009;45:228-247 (RECIST 1.1)."
KAPLAN = "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481."
BROOKMEYER = "Brookmeyer R, Crowley J. Biometrics 1982;38:29-41."
SCHEMPER = "Schemper M, Smith TL. Control Clin Trials 1996;17:343-346 (reverse Kaplan-Meier)."
COX = "Cox DR. J R Stat Soc B 1972;34:187-220."
NEWCOMBE = "Newcombe RG. Stat Med 1998;17:873-890."
OF_RATES = {
    ProportionInterval.CLOPPER_PEARSON: "Clopper CJ, Pearson ES. Biometrika 1934;26:404-413.",
    ProportionInterval.WILSON: "Wilson EB. J Am Stat Assoc 1927;22:209-212.",
    ProportionInterval.WALD: "",
}
CENSORED_AT = {
    CensorAt.LAST_EVALUABLE: gettext_lazy("Only evaluable assessments count for a censoring."),
    CensorAt.LAST_ANY: gettext_lazy(
        "Assessments that were not evaluable count for a censoring, too."
    ),
}


@dataclass(frozen=True, slots=True)
class Defined:
    """An endpoint: what its source prints, and what this report computes."""

    declared: Declared
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Methods:
    """Paragraphs under their headings, the endpoints one by one, and what they rest on."""

    paragraphs: tuple[tuple[str, str], ...]
    endpoints: tuple[Defined, ...]
    references: tuple[str, ...]


def written(report: Report) -> Methods:
    """How the figures of this report came about."""
    found = [*computed(report)]
    return Methods(
        paragraphs=(
            (
                _("Assessments"),
                assessed_in_words(report, [*_assessments(report.trial)]),
            ),
            (_("Statistics"), " ".join(_statistics(report, found))),
            (_("Adverse events"), " ".join(_adverse_events(report.trial))),
            (_("Data"), " ".join(_data(report))),
        ),
        endpoints=tuple(_defined(one.endpoint) for one in found),
        references=tuple(dict.fromkeys(_references(report, found))),
    )


def computed(report: Report) -> Iterator[Rate | Survival]:
    """Every endpoint of the report, further definitions of a kind after the first."""
    whole = report.whole
    yield from whole.rates.values()
    yield from whole.survivals.values()
    yield from whole.additional


def _defined(declared: Declared) -> Defined:
    kind, definition = declared.kind, declared.definition
    words = definition_wording.in_words(kind, definition)
    if kind in (EndpointKind.PFS, EndpointKind.DOR):
        words = f"{words} {CENSORED_AT[definition.censoring.censor_at]}"
    title = str(TITLES[kind])
    return Defined(declared, f"{title}: {declared.name}" if declared.name else title, words)


def _assessments(trial: Trial) -> Iterator[str]:
    yield _("Response by %s, derived from the recorded diameters by fixed rules.") % (
        trial.response_criteria or "RECIST 1.1"
    )
    yield _(
        "Planned every %(interval)s days, with a window of %(window)s days before and after;"
        " the baseline within %(baseline)s days before the first dose."
    ) % {
        "interval": trial.assessment_interval_days,
        "window": trial.assessment_window_days,
        "baseline": trial.baseline_window_days,
    }


def _statistics(report: Report, found: Iterable[Rate | Survival]) -> Iterator[str]:
    styles = {o.endpoint.definition.proportion_interval for o in found if isinstance(o, Rate)}
    named = ", ".join(str(PROPORTION_STYLES[style]) for style in sorted(styles))
    yield _("Rates are counts over the population, with intervals by %s.") % named
    yield _(
        "Times are whole days, the origin being day 1, and are shown in months of 30.4375 days;"
        " curves by Kaplan-Meier with Greenwood's variance, intervals of medians by Brookmeyer"
        " and Crowley in the style named beside each. Follow-up by reverse Kaplan-Meier."
    )
    if isinstance(report.comparison, Comparison):
        yield _compared(report.comparison)
    elif report.comparison is NoComparison.BLINDED:
        yield _("The arms are hidden: all figures are pooled.")


def _compared(found: Comparison) -> str:
    ties = next(iter(found.survivals.values())).cox.ties
    sentences = [
        _(
            "Arms are compared by log-rank tests, hazard ratios (%s) and Fisher's exact test;"
            " differences of rates have Newcombe intervals."
        )
        % TIES[ties]
    ]
    if found.stratified_by:
        sentences.append(_("Stratified by %s.") % CHARACTERISTICS[found.stratified_by])
    return " ".join(sentences)


def _adverse_events(trial: Trial) -> Iterator[str]:
    if trial.ctcae_version:
        yield _("Graded by CTCAE %s.") % trial.ctcae_version
    yield (
        _(
            "Counted are treated patients, by their worst grade, with events that started from the"
            " first dose to %s days after the last."
        )
        % trial.ae_window_days
    )


def _data(report: Report) -> Iterator[str]:
    options = report.options
    yield _("Data cutoff %s: nothing dated later is used.") % options.cutoff
    if options.known_on:
        yield _("As the data were known on %s UTC: later entries and corrections are not seen.") % (
            options.known_on.strftime("%Y-%m-%d %H:%M:%S")
        )
    if report.trial.synthetic:
        yield _("The patients of this trial are SYNTHETIC.")


def _references(report: Report, found: Iterable[Rate | Survival]) -> Iterator[str]:
    yield EISENHAUER
    for one in found:
        definition: EndpointDefinition = one.endpoint.definition
        if isinstance(one, Rate) and (source := OF_RATES[definition.proportion_interval]):
            yield source
    yield from (KAPLAN, BROOKMEYER, SCHEMPER)
    if isinstance(report.comparison, Comparison):
        yield from (COX, NEWCOMBE)
