"""What the reading of a ClinicalTrials.gov study tells, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from trials.ctgov_reading import Message
from trials.registry_terms import TITLES
from trials.schedule_text import Schedule, in_words

# What was guessed, changed or left out.
TOLD = {
    "null": gettext_lazy("Null: read as missing."),
    "gate_default": gettext_lazy(
        "A study says nothing of the enrollment gate: it is recorded_elsewhere, the default. With"
        " screening, only eligible and consented patients are enrolled."
    ),
    "not_held": gettext_lazy("Not held by this registry: left out."),
    "term_not_held": gettext_lazy("%(term)s is no term of this registry: left blank."),
    "changed_since": gettext_lazy(
        "Edited since the file was written: read as it stands, without what the file says besides"
        " of %(key)s."
    ),
    "not_sarcoma": gettext_lazy(
        "No condition names a sarcoma (%(conditions)s): the trial is kept out of sarcoma pools."
    ),
    "no_arms": gettext_lazy("There are interventions, but no arm that gets them: left out."),
    "in_no_arm": gettext_lazy("No arm gets %(name)s: left out."),
    "no_such_name": gettext_lazy("Nothing here has the name %(name)s."),
    "schedule_read": gettext_lazy("Schedule of %(name)s read from the text: %(read)s."),
    "kind_read": gettext_lazy("%(measure)s is computed as: %(kind)s."),
    "kind_other": gettext_lazy(
        "%(measure)s is held, but not computed: it is of no kind known here."
    ),
    "renamed": gettext_lazy("The name stands twice; here it is %(name)s."),
    "shortened": gettext_lazy("The name is shortened to: %(name)s. The title is kept whole."),
    "text_before": gettext_lazy("The text before the first heading is read as inclusion criteria."),
    "no_headings": gettext_lazy(
        "No heading tells inclusion from exclusion: all are read as inclusion."
    ),
    "repaired": gettext_lazy("Repaired: %(note)s"),
    "no_name": gettext_lazy("Somebody without a name: left out."),
    "no_role": gettext_lazy("%(name)s has no role that is known here: left out."),
    "twice": gettext_lazy("%(name)s stands twice in one role: the second is left out."),
    "zone_unknown": gettext_lazy(
        "The country (%(country)s) does not tell the time zone: UTC, until somebody corrects it."
    ),
}
# Why nothing is imported.
REFUSED = {
    "object": gettext_lazy("A JSON object."),
    "list": gettext_lazy("A list."),
    "text": gettext_lazy("A text."),
    "whole_number": gettext_lazy("A whole number, 0 or more."),
    "true_or_false": gettext_lazy("Either true or false."),
    "required": gettext_lazy("Required."),
    "unknown": gettext_lazy("Unknown key."),
    "one_of": gettext_lazy("One of: %(expected)s."),
    "too_long": gettext_lazy("At most %(most)s items."),
    "string_too_long": gettext_lazy("At most %(most)s characters."),
    "too_deep": gettext_lazy("At most %(most)s levels of nesting."),
    "unstorable": gettext_lazy("NUL characters and halves of characters cannot be stored."),
    "pointer": gettext_lazy("A JSON Pointer below the trial, such as /criteria/0/rule."),
    "leads_nowhere": gettext_lazy("The trial has nothing at %(path)s."),
    "nct_id": gettext_lazy("NCT and eight digits, such as NCT03890068."),
    "partial_date": gettext_lazy("A date such as 2019, 2019-04 or 2019-04-30."),
    "age": gettext_lazy("An age such as 18 Years."),
}


def worded(message: Message) -> str:
    """One message in a sentence or two."""
    if message.code == "sites_numbered":
        return _numbered(message.params["count"])
    words = {**TOLD, **REFUSED}.get(message.code)
    text = str(words) % _params(message.params) if words else _("This cannot be read here.")
    return text + _others(message.params.get("count", 1))


def _numbered(count: int) -> str:
    return ngettext(
        "One site: its code is its place in the list.",
        "%(count)s sites: their codes are their places in the list.",
        count,
    ) % {"count": count}


def _others(count: int) -> str:
    """How many more items of the list it is true of."""
    if count < 2:
        return ""
    more = ngettext("(And in %s more item.)", "(And in %s more items.)", count - 1) % (count - 1)
    return f" {more}"


def _params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as words: kinds by their titles, schedules as a sentence."""
    found = dict(params)
    if "kind" in found:
        found["kind"] = TITLES.get(found["kind"], found["kind"])
    if "read" in found:
        found["read"] = _schedule(found["read"])
    if "country" in found:
        found["country"] = found["country"] or "–"
    return found


def _schedule(read: Mapping[str, Any]) -> str:
    dose = read.get("dose")
    return in_words(
        Schedule(
            None if dose is None else Decimal(str(dose)),
            read.get("unit", ""),
            read.get("route", ""),
            tuple(read.get("days_on", ())),
            read.get("cycle_days"),
        )
    )
