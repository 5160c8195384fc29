"""Reasons in the reader's language: code + parameters -> a sentence.

Thresholds stand in the sentence exactly as they decided (69.3, not 69).
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.organs import organ_names
from outcomes.methods.recist import Reason
from outcomes.methods.soft_checks import Check
from outcomes.models import (
    CertaintyChoice,
    MethodChoice,
    NonTargetStateChoice,
    TargetStateChoice,
)
from outcomes.schedule import day_label
from registry.languages import in_chinese

_SUMS = _(
    "Sum %(sum_mm)s mm is %(change_from_baseline_percent)s %% from baseline %(baseline_sum_mm)s"
    " (PR needs ≤ %(pr_at_most_mm)s); %(change_from_nadir_percent)s %% and"
    " %(change_from_nadir_mm)s mm from nadir %(nadir_mm)s"
    " (PD needs ≥ %(pd_at_least_mm)s and +%(pd_increase_mm)s)."
)
_SUMS_FROM_ZERO = _(
    "Sum %(sum_mm)s mm, baseline %(baseline_sum_mm)s (PR needs ≤ %(pr_at_most_mm)s);"
    " %(change_from_nadir_mm)s mm from nadir %(nadir_mm)s (PD needs ≥ %(pd_at_least_mm)s)."
)
SENTENCES: dict[str, str | Promise] = {
    # target response
    "baseline_sum": _("Baseline sum of diameters %(sum_mm)s mm over %(targets)s target lesions."),
    "baseline_incomplete": _("The baseline sum is incomplete: no diameter for %(lesions)s."),
    "no_targets": _("No target lesions at baseline."),
    "target_pd": _SUMS,
    "target_pr": _SUMS,
    "target_sd": _SUMS,
    "target_pd_nadir_zero": _SUMS_FROM_ZERO,
    "target_pr_nadir_zero": _SUMS_FROM_ZERO,
    "target_sd_nadir_zero": _SUMS_FROM_ZERO,
    "target_pd_partial": _(
        "The evaluated targets alone sum to %(sum_mm)s mm, %(change_from_nadir_mm)s mm from nadir"
        " %(nadir_mm)s (PD needs ≥ %(pd_at_least_mm)s and +%(pd_increase_mm)s);"
        " not evaluated: %(lesions)s."
    ),
    "target_ne_partial": _(
        "Not evaluated: %(lesions)s. The other targets sum to %(sum_mm)s mm, short of PD"
        " (≥ %(pd_at_least_mm)s and +%(pd_increase_mm)s from nadir %(nadir_mm)s)."
    ),
    "target_ne_nothing_evaluated": _("No target lesion was evaluated: %(lesions)s."),
    "target_ne_no_baseline_sum": _(
        "The baseline sum is incomplete; there is nothing to compare with."
    ),
    "target_cr": _(
        "Every non-nodal target is gone and every nodal target is below %(normal_node_below_mm)s mm"
        " (sum %(sum_mm)s mm)."
    ),
    "target_reappeared": _(
        "Back after the complete response of %(on)s: %(lesions)s (sum %(sum_mm)s mm);"
        " PD whatever the size."
    ),
    # non-target response
    "no_non_targets": _("No non-target lesions at baseline."),
    "non_target_pd": _("Unequivocal progression of non-target %(lesions)s."),
    "non_target_reappeared": _(
        "Non-target back after the complete response of %(on)s: %(lesions)s."
    ),
    "non_target_ne": _("Non-target not evaluated: %(lesions)s."),
    "non_target_cr": _("Every non-target is gone (nodes below %(normal_node_below_mm)s mm)."),
    "non_target_remains": _(
        "Non-target still there, without unequivocal progression: %(lesions)s."
    ),
    # new lesions
    "no_new_lesion": _("No new lesion."),
    "new_lesion": _("Unequivocal new lesion: %(lesions)s."),
    "new_lesion_equivocal": _("Equivocal new lesion, no PD now: %(lesions)s."),
    # overall response
    "overall_cr": _("Targets CR, nothing left among the non-targets, no new lesion: CR."),
    "overall_pr_target_cr": _("Targets CR but non-targets %(non_target_response)s: PR."),
    "overall_as_target": _("The targets decide: %(response)s."),
    "overall_as_non_target": _("Without targets the non-targets decide: %(response)s."),
    "overall_pd_target": _("PD by the target lesions."),
    "overall_pd_non_target": _("PD by the non-target lesions."),
    "overall_pd_new_lesion": _("PD by a new lesion."),
    "overall_ne_no_lesions": _(
        "Neither targets nor non-targets at baseline: not evaluable until a new lesion."
    ),
    # by iRECIST
    "irecist_as_recist": _("No unconfirmed progression is open: %(response)s as by RECIST 1.1."),
    "irecist_unconfirmed_target": _("First progression by the target lesions: iUPD."),
    "irecist_unconfirmed_non_target": _("First progression by the non-target lesions: iUPD."),
    "irecist_unconfirmed_new_lesion": _("First progression by new lesions: iUPD."),
    "irecist_to_confirm": _("To be confirmed at the next assessment, from %(first)s to %(last)s."),
    "irecist_new_lesion": _("Not seen before: %(lesions)s."),
    "irecist_new_targets_again": _(
        "New target lesions of %(sum_mm)s mm, from %(lowest_mm)s mm since the reset"
        " (20 %% and 5 mm are progression)."
    ),
    "irecist_new_non_targets_again": _(
        "Unequivocally larger, among the non-target new lesions: %(lesions)s."
    ),
    "irecist_new_targets": _(
        "New target lesions %(lesions)s: %(sum_mm)s mm, measured apart from the baseline's."
    ),
    "irecist_new_lesion_persists": _("The new lesions persist: %(lesions)s."),
    "irecist_confirmed_target": _(
        "Target lesions of %(sum_mm)s mm, %(increase_mm)s mm more than the %(before_mm)s at the iUPD"
        " of %(since)s (%(needed_mm)s confirm)."
    ),
    "irecist_confirmed_new_targets": _(
        "New target lesions of %(sum_mm)s mm, %(increase_mm)s mm more than the %(before_mm)s at the"
        " iUPD of %(since)s (%(needed_mm)s confirm)."
    ),
    "irecist_confirmed_non_target": _("Non-target lesions increased further: %(lesions)s."),
    "irecist_confirmed_new_non_target": _("Non-target new lesions have grown: %(lesions)s."),
    "irecist_confirmed_another_new": _("One more new lesion: %(lesions)s."),
    "irecist_confirmed_category_target": _(
        "The target lesions, which had not progressed at the iUPD, progress as well."
    ),
    "irecist_confirmed_category_non_target": _(
        "The non-target lesions, which had not progressed at the iUPD, progress as well."
    ),
    "irecist_confirmed_category_new_lesion": _(
        "A new lesion, without which the iUPD was found: %(lesions)s."
    ),
    "irecist_confirmed_before": _("Still progressed; confirmed on %(on)s."),
    "irecist_too_early": _(
        "Only %(days)s days after the iUPD of %(since)s (at least %(minimum)s are needed):"
        " not confirmed yet, but it counts at the next assessment."
    ),
    "irecist_no_change": _("No further increase since the iUPD of %(since)s: still unconfirmed."),
    "irecist_growth_unsaid": _(
        "Nobody said whether these have grown, so it does not count: %(lesions)s."
    ),
    "irecist_not_evaluable": _(
        "Not evaluable: the iUPD of %(since)s is neither confirmed nor reset."
    ),
    "irecist_reset": _(
        "%(response)s: the iUPD of %(since)s is not confirmed, and the bar is reset."
    ),
    "irecist_progression_confirmed": _(
        "Unconfirmed progression (iUPD) on %(date)s, confirmed (iCPD) on %(confirmed_on)s."
    ),
    "irecist_progression_unconfirmed": _(
        "Unconfirmed progression (iUPD) on %(date)s, which no later assessment confirmed or reset."
    ),
    "irecist_best_unconfirmed": _("Nothing better than an unconfirmed progression, on %(date)s."),
    # questions about a visit's data
    "response_after_cr": _(
        "%(response)s after the complete response of %(on)s: please check the data."
    ),
    "target_response_after_target_cr": _(
        "Targets %(response)s after their complete response of %(on)s: please check the data."
    ),
    "progression_of_normal_nodes": _(
        "PD by the sum (%(sum_mm)s mm from nadir %(nadir_mm)s) although nothing but nodes below"
        " %(normal_node_below_mm)s mm is seen: please check."
    ),
    "lesions_not_at_baseline": _("Not among the baseline lesions, so not counted: %(lesions)s."),
    "stated_response_differs": _(
        "The investigator states %(stated)s, the rules derive %(derived)s."
    ),
    # what a visit may not say
    "too_many_targets": _("At most %(maximum)s target lesions; record this one as a non-target."),
    "too_many_targets_in_organ": _(
        "At most %(maximum)s targets in one organ (%(organ_group)s; all nodes are one organ,"
        " paired organs are one)."
    ),
    "baseline_target_not_measured": _("At baseline a target is measured, not %(state)s."),
    "diameter_required": _("Give the diameter in mm, 0 to 400, or another state."),
    "diameter_out_of_range": _("%(value_mm)s: accepted are %(minimum_mm)s to %(maximum_mm)s mm."),
    "diameter_too_many_decimals": _("%(value_mm)s: at most %(maximum)s decimals."),
    "target_below_minimum": _(
        "%(diameter_mm)s mm is not measurable; a target has at least %(minimum_mm)s mm."
    ),
    "target_below_slice_minimum": _(
        "%(diameter_mm)s mm is not measurable; with slices above 5 mm a target has at least twice"
        " the slice, %(minimum_mm)s mm."
    ),
    "xray_target_below_minimum": _(
        "%(diameter_mm)s mm is not measurable; on X-ray a target has at least %(minimum_mm)s mm."
    ),
    "node_target_below_minimum": _(
        "Short axis %(diameter_mm)s mm; a nodal target has at least %(minimum_mm)s mm"
        " (10 to below 15 mm: non-target)."
    ),
    "normal_node_target": _(
        "Short axis %(diameter_mm)s mm is a normal node (below %(from_mm)s mm), which is not"
        " recorded."
    ),
    "target_by_ultrasound": _(
        "Ultrasound does not measure; use CT, MRI, caliper or X-ray, or record a non-target."
    ),
    "blastic_bone_target": _(
        "A blastic bone lesion is a non-target; accepted are lytic_soft_tissue and mixed."
    ),
    "irradiated_without_progression": _(
        "An irradiated lesion may be a target only if it has progressed since."
    ),
    "short_axis_not_evaluable": _(
        "A lesion that was not evaluable has no short axis; remove it or change the status."
    ),
    "short_axis_not_absent": _(
        "A node of %(short_axis_mm)s mm is not absent (below %(below_mm)s mm is)."
    ),
    "unknown_lesion": _("%(lesion)s is not a baseline lesion; expected: %(expected)s."),
    "lesion_listed_twice": _("%(lesion)s is listed twice."),
    "lesion_missing": _(
        "%(lesion)s is missing; list every baseline lesion, as not_evaluable if need be."
    ),
    "diameter_not_evaluable": _(
        "A lesion that was not evaluable has no diameter; remove %(diameter_mm)s or choose measured."
    ),
    "diameter_contradicts_state": _(
        "%(state)s counts %(counted_mm)s mm; remove %(diameter_mm)s or choose measured."
    ),
    # what a reader should confirm about a baseline
    "baseline_outside_window": _(
        "Baseline %(baseline_on)s is %(days_before)s days before the first dose of"
        " %(first_dose_on)s; at most %(window_days)s are expected."
    ),
    "baseline_after_first_dose": _(
        "Baseline %(baseline_on)s is %(days_after)s days after the first dose of %(first_dose_on)s."
    ),
    "method_to_confirm": _(
        "%(lesion)s by %(method)s: confirm that the method measures reproducibly."
    ),
    "measurable_non_target_only": _(
        "%(lesion)s, %(short_axis_mm)s mm, is measurable (≥ %(minimum_mm)s mm),"
        " but no target is recorded."
    ),
    "node_size_missing": _(
        "Node %(lesion)s has no short axis; a non-target node has %(from_mm)s to below"
        " %(below_mm)s mm."
    ),
    "node_normal_size": _(
        "Node %(lesion)s of %(short_axis_mm)s mm is normal (below %(from_mm)s mm)"
        " and need not be recorded."
    ),
    "node_not_marked_nodal": _(
        "%(lesion)s lies in a lymph node but is not marked as nodal; a node of %(from_mm)s to below"
        " %(below_mm)s mm is a non-target (here %(diameter_mm)s mm)."
    ),
    "bone_type_missing": _(
        "%(lesion)s is in bone: a target only if it is lytic or mixed, by its measurable soft"
        " tissue. Choose what it is."
    ),
    # from which diameter on a lesion may be a target
    "measurable_node": _("Lymph node: short axis of at least %(minimum_mm)s mm."),
    "measurable_by_method": _(
        "%(method)s with slices of at most %(thin_mm)s mm: at least %(minimum_mm)s mm."
    ),
    "measurable_by_slice": _(
        "Slices of %(slice_mm)s mm: at least twice as much, %(minimum_mm)s mm."
    ),
    "measurable_by_xray": _("X-ray: at least %(minimum_mm)s mm."),
    "measurable": _("At least %(minimum_mm)s mm."),
    # best response
    "response": _("%(response)s on %(date)s."),
    "response_confirmed": _("%(response)s on %(date)s, confirmed on %(confirmed_on)s."),
    "best_response_lasted": _(
        "%(response)s on %(date)s, %(days)s days after the time origin"
        " (at least %(minimum)s are needed)."
    ),
    "best_response_unconfirmed_is_stable": _(
        "%(response)s on %(date)s was not confirmed; %(days)s days after the time origin"
        " (at least %(minimum)s) it counts as stable disease."
    ),
    "best_response_too_early": _(
        "%(response)s on %(date)s came only %(days)s days after the time origin"
        " (at least %(minimum)s are needed), so it counts as not evaluable."
    ),
    "best_response_unconfirmed_too_early": _(
        "%(response)s on %(date)s was not confirmed and came only %(days)s days after the time"
        " origin (stable disease needs %(minimum)s), so it counts as not evaluable."
    ),
    "best_response_never_evaluable": _("None of the %(visits)s assessments was evaluable."),
    "best_response_not_assessed": _("No assessment after baseline counts: not assessed."),
    "best_response_no_time_origin": _("There is no time origin, so no assessment counts."),
    # events and censorings
    "progression": _("Progressive disease on %(date)s."),
    "progression_dated_back": _(
        "Progressive disease on %(date)s, when a new lesion was first seen as equivocal;"
        " it was confirmed on %(confirmed_on)s."
    ),
    "death": _("Death on %(date)s."),
    "censored_last_assessment": _(
        "No event: censored at the last assessment that counts, %(date)s."
    ),
    "censored_never_assessed": _(
        "No event and never assessed: censored at the time origin, %(date)s."
    ),
    "censored_never_evaluable": _(
        "No event and no evaluable assessment: censored at the time origin, %(date)s."
    ),
    "censored_no_baseline": _("No usable baseline: censored at the time origin, %(date)s."),
    "censored_new_therapy": _(
        "New anticancer therapy started on %(started_on)s:"
        " censored at the last assessment on or before it, %(date)s."
    ),
    "censored_new_therapy_at_origin": _(
        "New anticancer therapy started on %(started_on)s, before any assessment that counts:"
        " censored at the time origin, %(date)s."
    ),
    "censored_missed_assessments": _(
        "The event on %(event_on)s came %(days)s days after the last assessment that counts"
        " (at most %(limit)s are allowed): censored at that assessment, %(date)s."
    ),
    "censored_missed_assessments_at_origin": _(
        "The event on %(event_on)s came %(days)s days after the time origin without an assessment"
        " that counts (at most %(limit)s are allowed): censored at the time origin, %(date)s."
    ),
    "censored_last_known_alive": _("Alive: censored when last known alive, %(date)s."),
    "censored_alive_on_cutoff": _(
        "Known to be alive on the data cutoff: censored on it, %(date)s."
    ),
    "no_time_origin": _("The date from which time is counted is not recorded."),
    "origin_after_cutoff": _("The time origin %(origin)s lies after the data cutoff %(cutoff)s."),
    "origin_after_death": _(
        "The time origin %(origin)s lies after the death on %(died)s: please check the dates."
    ),
}


def word(reason: Reason | Mapping[str, Any]) -> str:
    """One reason, as a value or as stored, in words."""
    if not isinstance(reason, Reason):
        reason = Reason(reason["code"], reason["parameters"])
    sentence: str = str(SENTENCES[reason.code]) % _by_name(reason.parameters)
    return sentence


def _by_name(parameters: Mapping[str, str | int]) -> Mapping[str, str | int]:
    """The parameters, codes of organs and methods by their names."""
    named = dict(parameters)
    if named.get("response") == NEITHER_BY_IRECIST:
        named["response"] = "Non-iCR/Non-iUPD"
    if "organ_group" in named:
        named["organ_group"] = organ_name(str(named["organ_group"]))
    if "method" in named:
        named["method"] = str(MethodChoice(str(named["method"])).label)
    return named


NEITHER_BY_IRECIST = ImmuneResponse.NON_ICR_NON_IUPD.value


def organ_name(group: str) -> str:
    """An organ group in the reader's language; a group that is only somebody's own text is that."""
    return organ_names(chinese=in_chinese()).get(group, group)


def organ_suggestions() -> list[str]:
    """The organs' names in the reader's language, in the order of the alphabet."""
    return sorted(organ_names(chinese=in_chinese()).values())


# A large change to or from a state that counts without a number.
LARGE_CHANGE_TO: dict[str, Promise] = {
    "absent": _(
        "%(lesion)s was %(previous_mm)s mm on %(previous_on)s and is recorded as absent now"
        " (%(change_percent)s %%)."
    ),
    "too_small": _(
        "%(lesion)s was %(previous_mm)s mm on %(previous_on)s and is recorded as too small to"
        " measure now, which counts as 5 mm (%(change_percent)s %%)."
    ),
}
LARGE_CHANGE_FROM_TOO_SMALL = _(
    "%(lesion)s was recorded as too small to measure on %(previous_on)s, which counts as 5 mm, and"
    " is %(value)s mm now (%(change_percent)s %%)."
)

# What a soft check asks: facts, without a verdict.
SOFT_CHECKS: dict[Check, str | Promise] = {
    Check.OUTSIDE_WINDOW: _("The scan of %(value)s was expected from %(first)s to %(last)s."),
    Check.SCAN_DONE: _(
        "%(day)s is done already, on %(done_on)s, and the next scan is expected from %(first)s to"
        " %(last)s. Is this an unscheduled scan?"
    ),
    Check.SCAN_MISSED: _(
        "%(day)s, expected from %(first)s to %(last)s, is not on record, and the scan of %(value)s"
        " is nearest to %(nearest_day)s. Was a scan missed?"
    ),
    Check.LARGE_CHANGE: _(
        "%(lesion)s was %(previous_mm)s mm on %(previous_on)s and is %(value)s mm now"
        " (%(change_percent)s %%)."
    ),
    Check.UNIT_SLIP: _(
        "%(lesion)s was %(previous_mm)s mm on %(previous_on)s and is %(value)s mm now"
        " (%(change_percent)s %%): are these millimeters?"
    ),
    Check.MORE_DECIMALS: _(
        "Diameters with decimals (%(value)s mm): all earlier ones of this patient are whole numbers."
    ),
    Check.LARGE_DIAMETER: _("%(lesion)s is %(value)s mm, above %(above_mm)s mm."),
    Check.MEASURED_FIVE: _("%(lesion)s is measured as exactly 5 mm: was it too small to measure?"),
    Check.METHOD_DIFFERS: _("%(lesion)s was seen by %(value)s, at baseline by %(baseline)s."),
    Check.SLICE_DIFFERS: _(
        "%(lesion)s was measured in slices of %(value)s mm, at baseline of %(baseline)s mm."
    ),
    Check.REAPPEARED: _("%(lesion)s was absent when last evaluated and is there again."),
    Check.MEASURED_AFTER_MERGE: _(
        "%(lesion)s had merged into another lesion and is measured by itself again (%(value)s mm)."
    ),
    Check.NORMAL_NODES_LEFT: _(
        "Node %(lesion)s is %(value)s mm (normal below %(below_mm)s mm) and every other target is"
        " gone: this is a complete response of the targets."
    ),
    Check.COPIED: _(
        "All %(targets)s diameters are those of %(previous_on)s (%(value)s mm): were they measured"
        " anew?"
    ),
    Check.NOT_EVALUABLE_RESPONSE: _("%(value)s is stated, but %(lesions)s is not evaluable."),
    Check.STATED_RESPONSE_DIFFERS: _(
        "The investigator states %(value)s, the rules derive %(derived)s."
    ),
}
SCANS = (
    "day",
    "nearest_day",
)  # parameters that are planned scans, by their days from the first dose
CHOICES = {Check.METHOD_DIFFERS: MethodChoice}  # whose parameters are choices to be named


def word_check(reason: Reason) -> str:
    """What a soft check asks, in words."""
    check = Check(reason.code)
    said = {name: _named(check, value) for name, value in reason.parameters.items()}
    said |= {name: day_label(int(said[name])) for name in SCANS if name in said}
    sentence: str = str(_asked(check, reason)) % said
    return sentence


def _asked(check: Check, reason: Reason) -> str | Promise:
    """The sentence of a check: of a large change by the states that it names."""
    if check is not Check.LARGE_CHANGE:
        return SOFT_CHECKS[check]
    if "previous_state" in reason.parameters:
        return LARGE_CHANGE_FROM_TOO_SMALL
    return LARGE_CHANGE_TO.get(str(reason.parameters["value"]), SOFT_CHECKS[check])


def _named(check: Check, value: str | int) -> str | int:
    if value == "NON_CR_NON_PD":
        return "Non-CR/Non-PD"
    choices = CHOICES.get(check)
    return str(choices(str(value)).label) if choices and value in choices.values else value


STATES = {
    choice.value: choice.label
    for choices in (MethodChoice, TargetStateChoice, NonTargetStateChoice, CertaintyChoice)
    for choice in choices
}


def word_value(value: str) -> str:
    """A stored value as a reader knows it: a state by its name, numbers and dates as they are."""
    return "Non-CR/Non-PD" if value == "NON_CR_NON_PD" else str(STATES.get(value, value))
