"""Latin words on a Chinese page that are neither the field's own nor marked as English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from outcomes.visit_sheets.columns import HEADINGS as COLUMNS

HEADINGS = [name for name in COLUMNS if "_" in name]

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Attributes that are read out or shown; of data-* only those that hold a sentence.
SHOWN = {"alt", "aria-description", "aria-label", "data-l", "label", "placeholder", "title"}
SOURCES = {"script", "style", "svg-source", "textarea"}
WORD = re.compile(r"[A-Za-z]{2,}")
# Headings of a visit sheet, which stand in the file itself; no other code is a word for a reader.
HEADED = re.compile(rf"\b(?:{'|'.join(HEADINGS)})\b")
# Codes, not words: registry ids, lesions, the example of a code, e-mail and web addresses, keys of documents, times, units.
CODES = re.compile(
    r"NCT\d+|CTR\d+|\b(?:NT|NL|T)\d\d\b|\S+@\S+|https?://\S+|/api/v\d\S*|\d{4}-\d\d-\d\d[T\d:.Z+-]*"
    r"|&\w+;|\.(?:xlsx|csv)\b|10\^\d+/L|Asia/Shanghai|\b[0-9a-f]{64}\b|\bsigned_consent\b|\{\w+\}|__\w+__"
)
FIELD = frozenset(
    """
    CR PR SD PD NE Non RECIST CTCAE
    iRECIST iCR iPR iSD iUPD iCPD iBOR iPFS ORR DCR CBR PFS OS DOR TTR CONSORT ECOG NYHA
    Clopper Pearson Wilson Wald Kaplan Meier Greenwood Cox Efron Breslow Newcombe Fisher Yates SPSS
    CT MRI PET ALT AST ULN LLN QTc DNA RNA HBV HCV HIV HBsAg II III IV
    mm cm mg mL kg ms dL mol mmol umol nmol kat min kPa mmHg IU
    API CSV CSS ETag ID JSON JavaScript MB PNG POST GET SHA SVG UTC UTF XLSX YYYY MM DD HH DDThh mmZ
    Greenwood Brookmeyer Crowley PDF
    FDA EMA NMPA ClinicalTrials gov PMID PMCID DOI English
    """.split()  # noqa: SIM905
)


class _Page(HTMLParser):
    """What a reader of Chinese sees or hears of a page, text by text."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []

    @property
    def foreign(self) -> bool:
        return bool(self.open) and self.open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        marked = not given.get("lang", "zh").startswith("zh")
        foreign = (self.foreign and "lang" not in given) or marked or tag in SOURCES
        if not foreign:
            self.texts += self._attributes(tag, given)
        if tag not in VOID:
            self.open.append((tag, foreign))

    def _attributes(self, tag: str, given: dict[str, str]) -> Iterator[str]:
        for name, value in given.items():
            sentence = name.startswith("data-") and " " in value.strip() and value[0] not in "[{"
            if name in SHOWN or sentence or (tag, given.get("type")) == ("input", "submit"):
                yield value

    def handle_endtag(self, tag: str) -> None:
        while any(name == tag for name, _ in self.open):
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self.foreign and data.strip():
            self.texts.append(data)


def texts(html: str) -> list[str]:
    """The texts and shown attributes of a page outside what is marked as another language."""
    page = _Page()
    page.feed(html)
    return [" ".join(text.split()) for text in page.texts]


def left_over(html: str, typed: Iterable[str] = ()) -> Iterator[str]:
    """Texts with a Latin word that is neither the field's nor `typed`, each with its words."""
    names = sorted(typed, key=len, reverse=True)
    for text in texts(html):
        rest = text
        for name in names:
            rest = rest.replace(name, " ")
        words = [
            word
            for word in WORD.findall(HEADED.sub(" ", CODES.sub(" ", rest)))
            if word not in FIELD
        ]
        if words:
            yield f"{' '.join(words)} <- {text[:120]}"
