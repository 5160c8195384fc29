"""What is said of a frozen analysis in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from outcomes.analyses import Outcome, Reproduction
from outcomes.models import METHODS_VERSION, Analysis


def outcome_in_words(found: Reproduction, analysis: Analysis) -> str:
    """What came of computing it again, and what that means."""
    versions = {"then": analysis.methods_version, "now": METHODS_VERSION}
    sentences = {
        Outcome.REPRODUCED: _(
            "Computed again from the stored inputs with today's methods (version %(now)s; frozen"
            " with version %(then)s): the same result, bit for bit."
        ),
        Outcome.DIFFERENT: _(
            "Computed again from the stored inputs with today's methods (version %(now)s; frozen"
            " with version %(then)s): another result. The inputs are intact, so the methods have"
            " changed; the stored result stands below beside today's."
        ),
        Outcome.ALTERED: _(
            "What is stored does not have the digest that was stored with it: it was altered"
            " outside of the registry. Do not use it."
        ),
        Outcome.UNREADABLE: _(
            "The inputs are intact, but today's program cannot read them; the stored result can"
            " still be downloaded."
        ),
    }
    return sentences[found.outcome] % versions
