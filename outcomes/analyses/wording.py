"""What is said of a frozen analysis in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from outcomes.analyses import Outcome, Reproduction
from outcomes.models import METHODS_VERSION, Analysis


def outcome_in_words(found: Reproduction, analysis: Analysis) -> str:
    """What came of computing it again, and what that means."""
    versions = {"then": analysis.methods_version, "now": METHODS_VERSION}
    if found.outcome is Outcome.DIFFERENT and analysis.methods_version == METHODS_VERSION:
        return _same_methods_another_result()
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
            "What is stored does not agree with its digest, or with what stands beside it: it was"
            " altered outside of the registry. Do not use it."
        ),
        Outcome.UNREADABLE: _(
            "The inputs are intact, but today's program cannot read them; the stored result can"
            " still be downloaded."
        ),
    }
    return sentences[found.outcome] % versions


def _same_methods_another_result() -> str:
    return _(
        "Computed again from the stored inputs: another result, though the inputs are intact and"
        " the methods of the same version. The program, a library or the machine computes otherwise"
        " now, or somebody rewrote the stored result together with its digest; it stands below"
        " beside today's."
    )
