"""Stratified permuted blocks. Pure.

Within a stratum, arms come in blocks that hold each arm exactly in the ratio, in random order; the
length of a block is drawn too, so that its end cannot be foreseen (ICH E9, section 2.3.2; CONSORT
2010, item 8b). Whoever calls gives the source of randomness: `secrets.SystemRandom` for patients.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random

from trials.histologies import families, folded


class MissingFactor(ValueError):
    """A patient without one of the facts that the trial stratifies by; `factor` names it."""

    def __init__(self, factor: str) -> None:
        super().__init__(f"{factor} is not known")
        self.factor = factor


def next_block(
    ratio: Mapping[str, int], block_multiples: Sequence[int], chance: Random
) -> list[str]:
    """The arms of one block, in the order of their allocation.

    Its length is the ratio's sum times one of the multiples, each as likely as the others.
    """
    multiple = chance.choice(block_multiples)
    arms = [arm for arm, share in ratio.items() for _ in range(share * multiple)]
    chance.shuffle(arms)
    return arms


def stratum(factors: Sequence[str], facts: Mapping[str, str | int | None]) -> str:
    """The key of a patient's stratum; raises MissingFactor. Names of one histology are one."""
    return json.dumps([_level(factor, facts[factor]) for factor in factors], ensure_ascii=False)


def _level(factor: str, fact: str | int | None) -> str | int:
    known = fact.strip() if isinstance(fact, str) else fact
    if known is None or known == "" or (factor == "sex" and known == "unknown"):
        raise MissingFactor(factor)
    if factor == "histology" and isinstance(known, str):
        return next(iter(families(known)), folded(known))
    return known
