"""What studies call their measures and groups, in the reader's language; unknown text as it is."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registry.languages import in_chinese, listed
from trials import histologies, treatments

MEASURES: dict[str, str | Promise] = {
    "Data cutoff": _("Data cutoff"),
    "DCR": "DCR",
    "Enrollment period": _("Enrollment period"),
    "Funding": _("Funding"),
    "Grade 3-4 hand-foot syndrome": _("Grade 3-4 hand-foot syndrome"),
    "Grade 3-4 hypertension": _("Grade 3-4 hypertension"),
    "Median follow-up": _("Median follow-up"),
    "Median OS": _("Median OS"),
    "Median PFS": _("Median PFS"),
    "Most common adverse reactions": _("Most common adverse reactions"),
    "Nutrition, time frame": _("Nutrition, time frame"),
    "1-year OS": _("1-year OS"),
    "ORR and median PFS of an earlier trial": _("ORR and median PFS of an earlier trial"),
    "OS, time frame": _("OS, time frame"),
    "Partner of anlotinib": _("Partner of anlotinib"),
    "Patients": _("Patients"),
    "Patients, planned": _("Patients, planned"),
    "Phase": _("Phase"),
    "Primary completion": _("Primary completion"),
    "Status": _("Status"),
    "Toxicity of earlier therapy": _("Toxicity of earlier therapy"),
    "Treatment-related adverse events, any grade": _("Treatment-related adverse events, any grade"),
    "Treatment-related adverse events, grade 3-4": _("Treatment-related adverse events, grade 3-4"),
    "Treatment-related adverse events, grade 5": _("Treatment-related adverse events, grade 5"),
}

# The parts of a group's name, which commas separate.
GROUPS: dict[str, str | Promise] = {
    "1L": _("first line"),
    "2L or later": _("second line or later"),
    "40 years or younger": _("40 years or younger"),
    "control": _("control"),
    "evaluable": _("evaluable"),
    "female": _("female"),
    "male": _("male"),
    "non-surgical": _("not operated on"),
    "other": _("other"),
    "others": _("other"),
    "over 40 years": _("over 40 years"),
    "quoted study": _("quoted study"),
}


def measure(text: str) -> str:
    """What a figure is of."""
    return str(MEASURES[text]) if text in MEASURES else _named(text)


def group(text: str) -> str:
    """Whom a figure is of: "2L or later, placebo"."""
    return listed(_part(part) for part in text.split(", "))


def _part(text: str) -> str:
    return str(GROUPS[text]) if in_chinese() and text in GROUPS else _named(text)


def _named(text: str) -> str:
    """A histology or a treatment; abbreviations of histologies stay in English."""
    chinese = in_chinese()
    return treatments.name(
        histologies.name(text, chinese=True) if chinese else text, chinese=chinese
    )
