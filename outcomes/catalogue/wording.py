"""What the claims audit found, in the reader's language: code + parameters -> a sentence."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from outcomes.methods.findings import Finding, Severity
from trials.definition_wording import PROPORTION_STYLES
from trials.definitions import ProportionInterval

SEVERITIES = {
    Severity.CONTRADICTION: _("Contradiction"),
    Severity.DISCREPANCY: _("Discrepancy"),
    Severity.REMARK: _("Remark"),
    Severity.CONSISTENT: _("Consistent"),
}
TESTS = {
    "fisher": _("Fisher's exact test"),
    "chi-square": _("Pearson's chi-square test"),
    "yates": _("the chi-square test with Yates' correction"),
}
SENTENCES: Mapping[str, str | Promise] = {
    # k of n and percent
    "percent_fits_count": _("%(k)s/%(n)s is %(recomputed)s%%, as printed."),
    "percent_contradicts_count": _("%(k)s/%(n)s is %(recomputed)s%%, but %(printed)s is printed."),
    "percent_is_possible": _("%(printed)s of %(n)s: %(counts)s patients."),
    "percent_impossible": _(
        "No number of patients out of %(n)s gives %(printed)s: %(below)s give %(below_percent)s%%,"
        " %(above)s give %(above_percent)s%%."
    ),
    "percent_found_elsewhere": _(
        "%(printed)s is %(k)s/%(n)s, which %(publication)s prints; a hint only."
    ),
    "percent_not_printed": _("%(k)s/%(n)s is %(percent)s%%; no percentage is printed."),
    "percent_above_hundred": _("%(printed)s is more than all patients."),
    "percent_of_nobody": _("%(printed)s of no patients at all cannot be."),
    "count_exceeds_total": _("%(k)s of %(n)s is more than all patients."),
    "denominator_differs": _(
        "%(k)s/%(n)s is %(percent)s%% of those counted here;"
        " of all %(whole)s it is %(whole_percent)s%%."
    ),
    # intervals of rates
    "interval_method": _("%(k)s/%(n)s gives %(recomputed)s, printed as %(printed)s: %(method)s."),
    "interval_methods": _("More than one method gives %(printed)s: %(fits)s."),
    "interval_not_reproduced": _(
        "No common method gives %(printed)s for %(counts)s of %(n)s: Clopper-Pearson"
        " %(clopper_pearson)s, Wilson %(wilson)s, Wald %(wald)s."
    ),
    "interval_not_searched": _(
        "%(counts)s of %(n)s all print alike: too many to tell which method gives %(printed)s."
    ),
    "interval_reversed": _("The lower limit of %(printed)s is above the upper one."),
    "estimate_outside_interval": _("%(printed)s lies outside its interval %(interval)s."),
    # categories
    "categories_sum": _("%(sum)s is %(found)s, all of them."),
    "categories_do_not_sum": _("%(sum)s is %(found)s, but there are %(total)s."),
    "one_change_fits": _(
        "One single change makes every printed rate and interval fit: %(category)s %(instead)s"
        " in place of %(printed)s."
    ),
    "rate_fits_categories": _("%(categories)s is %(sum)s of %(n)s, as the rate says."),
    "rate_contradicts_categories": _(
        "%(categories)s is %(sum)s, but the rate says %(counts)s of %(n)s."
    ),
    "arms_sum": _("The arms are %(sum)s, together %(found)s."),
    "arms_do_not_sum": _("The arms are %(sum)s, together %(found)s, but n is %(total)s."),
    # enrollment and time origin
    "enrolled_as_planned": _("%(enrolled)s enrolled, as planned (%(source)s)."),
    "enrolled_differs_from_planned": _("%(enrolled)s enrolled, %(planned)s planned (%(source)s)."),
    "randomization_in_single_arm": _(
        "%(measure)s is to count from a randomization (“%(wording)s”), but nobody was randomized."
    ),
    "randomization_in_registry": _(
        "The registry entry %(source)s lets %(measure)s count “%(wording)s”, but its trial does not"
        " randomize."
    ),
    # event-free rates
    "kaplan_meier_estimate": _(
        "No number of patients out of %(n)s gives %(printed)s: a Kaplan-Meier estimate, not a"
        " proportion."
    ),
    "rate_is_a_fraction": _(
        "%(printed)s is exactly %(counts)s of %(n)s: what a proportion without censoring would be."
    ),
    "rate_may_be_a_fraction": _(
        "%(printed)s could be %(counts)s of %(n)s, as any percentage could."
    ),
    # medians
    "interval_symmetric": _(
        "%(printed)s is symmetric around the median, ±%(half)s: as SPSS prints it, with a standard"
        " error of %(standard_error)s."
    ),
    "interval_asymmetric": _("%(printed)s is not symmetric around the median: not SPSS style."),
    "interval_asymmetric_among_symmetric": _(
        "%(printed)s is not symmetric, though the other intervals here are: a lower limit of"
        " %(lower)s or an upper one of %(upper)s would be. A probable typing error, unproven."
    ),
    "interval_style_differs": _(
        "All intervals of medians here are symmetric, none is in %(publication)s, of the same trial."
    ),
    "spread_is_no_interval": _(
        "%(printed)s is a spread of the patients, not a confidence interval."
    ),
    # comparisons
    "ratio_interval_fits": _("%(printed)s is symmetric around %(value)s on the log scale."),
    "ratio_interval_asymmetric": _(
        "%(printed)s is not symmetric around %(value)s on the log scale, as Wald's would be."
    ),
    "risk_reduction_fits": _("A hazard ratio of %(value)s is a reduction by %(recomputed)s%%."),
    "risk_reduction_contradicts": _(
        "A hazard ratio of %(value)s is a reduction by %(recomputed)s%%, not %(quoted)s."
    ),
    "risk_reduction_found_elsewhere": _(
        "%(quoted)s belongs to the hazard ratio %(value)s, which %(publication)s prints; a hint"
        " only."
    ),
    "p_value_reproduced": _(
        "%(first)s against %(second)s gives p = %(recomputed)s by %(tests)s, as printed."
    ),
    "p_value_not_reproduced": _(
        "%(first)s against %(second)s does not give p = %(printed)s: %(recomputed)s."
    ),
}


def word_finding(finding: Finding) -> str:
    """One finding in words."""
    shown = {**finding.parameters, **_named(finding)}
    sentence: str = str(SENTENCES[finding.code]) % shown
    return sentence


def _named(finding: Finding) -> dict[str, str]:
    """Parameters that are codes, by their names."""
    told = finding.parameters
    names: dict[str, str] = {}
    if "method" in told:
        names["method"] = str(PROPORTION_STYLES[ProportionInterval(str(told["method"]))])
    if "tests" in told:
        names["tests"] = ", ".join(str(TESTS[code]) for code in str(told["tests"]).split(", "))
    if told.get("source") == "publication":
        names["source"] = _now("by the publication itself")
    return names
