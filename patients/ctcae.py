"""The terms of the Common Terminology Criteria for Adverse Events, in English and Chinese. Pure.

`ctcae_terms.json` holds every term of version 5.0 (837) and of 4.03 (790), 850 in all, by system
organ class (MedDRA's, those of 5.0 where a term moved), with the grades that 5.0 defines for it.
CTCAE is in the public domain (National Cancer Institute, 2017 and 2010). The English terms
come from one public copy of each version, the grades from that of 5.0; a third copy that held most
terms of 5.0 agreed. The Chinese terms follow the wording
of the Chinese editions of CTCAE and MedDRA; those of rare terms are translations of ours, to be
read by a Chinese oncologist. Synonyms are what people type: lay words, abbreviations, drug labels'
words. What is stored of an adverse event, whichever way it comes in, is the English term (CDISC's
AEDECOD), or the text as it came where CTCAE has no such term.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSIONS = ("4.03", "5.0")
MOST = 12  # suggestions that a reader takes in at a glance
GRADES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Term:
    """A term with its class; `grades` are None where the term left CTCAE before 5.0."""

    term: str
    chinese: str
    system_organ_class: str
    class_chinese: str
    versions: tuple[str, ...]
    grades: tuple[int, ...] | None
    synonyms: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """The term for a reader of a language such as "zh-hans"."""
        return self.chinese if language.startswith("zh") else self.term

    def class_name(self, language: str) -> str:
        """The system organ class for a reader of a language."""
        return self.class_chinese if language.startswith("zh") else self.system_organ_class

    @property
    def spellings(self) -> tuple[str, ...]:
        """What the term is called, folded: in English, in Chinese, and otherwise."""
        return tuple(fold(text) for text in (self.term, self.chinese, *self.synonyms))


def fold(text: str) -> str:
    """Without case, width and hyphens, and without the difference of British spelling."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = plain.replace("ae", "e").replace("oe", "e").replace("粘膜", "黏膜")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


@cache
def terms(version: str = "") -> tuple[Term, ...]:
    """Every term, or those of one version, by class and name."""
    rows = _read()
    return tuple(row for row in rows if version in row.versions) if version in VERSIONS else rows


@cache
def _read() -> tuple[Term, ...]:
    classes = json.loads((Path(__file__).parent / "ctcae_terms.json").read_text(encoding="utf-8"))
    return tuple(
        Term(
            term=row["term"],
            chinese=row["chinese"],
            system_organ_class=group["name"],
            class_chinese=group["chinese"],
            versions=tuple(row["versions"]),
            grades=tuple(row["grades"]) if "grades" in row else None,
            synonyms=tuple(row.get("synonyms", ())),
        )
        for group in classes
        for row in group["terms"]
    )


@cache
def _folded(version: str) -> tuple[tuple[Term, tuple[str, ...]], ...]:
    return tuple((row, row.spellings) for row in terms(version))


@cache
def _by_term() -> dict[str, Term]:
    return {fold(name): row for row in terms() for name in (row.term, row.chinese)}


def known(text: str) -> Term | None:
    """The term of this name, English or Chinese, in any case."""
    return _by_term().get(fold(text))


def name(text: str, language: str) -> str:
    """A stored term for a reader of a language; what CTCAE does not have stays as it is."""
    found = known(text)
    return found.name(language) if found else text


def meant(text: str, version: str = "") -> Term | None:
    """The one term that is called so, in either language or by a synonym; None for none or several."""
    asked = fold(text)
    named = [row for row, spellings in _folded(version) if asked in spellings[:2]]
    called = named or [row for row, spellings in _folded(version) if asked in spellings]
    return called[0] if asked and len(called) == 1 else None


def as_stored(text: str, version: str = "") -> str:
    """The English term that a text names; the text itself where it names none, or several."""
    found = meant(text, version)
    return found.term if found else text


def search(text: str, version: str = "", most: int | None = MOST) -> list[Term]:
    """Terms whose name or synonym holds every word of the text, the closest first."""
    asked = fold(text)
    if not asked:
        return []
    ranked = ((_rank(asked, spellings), row) for row, spellings in _folded(version))
    found = sorted(
        ((rank, row) for rank, row in ranked if rank is not None),
        key=lambda pair: (pair[0], len(pair[1].term), pair[1].term),
    )
    return [row for _, row in found][:most]


def _rank(asked: str, spellings: tuple[str, ...]) -> int | None:
    """How close the closest spelling is: 0 the same, 1 begins so, 2 a word begins so, 3 holds it."""
    return min(_distances(asked, spellings), default=None)


def _distances(asked: str, spellings: tuple[str, ...]) -> Iterator[int]:
    words = asked.split()
    for text in spellings:
        if text == asked:
            yield 0
        elif text.startswith(asked):
            yield 1
        elif f" {asked}" in text:
            yield 2
        elif all(word in text for word in words):
            yield 3


def undefined_grade(text: str, grade: int, version: str) -> Term | None:
    """The term, where CTCAE 5.0 defines no such grade of it; other versions are not judged."""
    found = known(text)
    judged = version == "5.0" and found is not None and found.grades is not None
    return found if judged and found and grade not in (found.grades or GRADES) else None
