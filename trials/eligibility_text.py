"""A registry's eligibility text, split into its criteria: pure.

ClinicalTrials.gov keeps eligibility as one markdown text of at most two lists. What can be told
apart is told apart; the wording itself stays as printed, but for markdown's own backslashes and
for superscripts that were lost on the way ("1.5 x 109/L"), which are put back and noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

INCLUSION, EXCLUSION = "inclusion", "exclusion"


@dataclass(frozen=True)
class Found:
    """One criterion: `source` is the subheading that it stands under, `note` what was repaired."""

    kind: str
    text: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True)
class Split:
    """The criteria in their order, and what a reader should know: `no_headings`, `text_before`."""

    criteria: tuple[Found, ...]
    remarks: tuple[str, ...] = ()


@dataclass
class _Section:
    kind: str | None
    source: str = ""
    lines: list[str] = field(default_factory=list)


def split(text: str) -> Split:
    """The criteria of an eligibility text; a text without headings is read as inclusion."""
    sections = _sections(text)
    headed = any(section.kind for section in sections)
    before = [section for section in sections if section.kind is None and _said(section)]
    remarks = (("text_before",) if headed else ("no_headings",)) if before else ()
    found = [criterion for section in sections for criterion in _criteria(section)]
    return Split(tuple(found), remarks)


def _said(section: _Section) -> bool:
    return any(line.strip() for line in section.lines)


# --- headings ---

_LEAD = {
    *("key", "main", "major", "general", "primary", "additional", "specific", "common", "core"),
    *("the", "all", "study", "trial", "clinical", "patient", "patients", "subject", "subjects"),
    *("participant", "participants"),
}
_HEADING = re.compile(
    r"^(?P<mark>[\s#*_>•–\-\d.)(]*)(?P<lead>(?:[A-Za-z']+\s+){0,3})"
    r"(?P<word>non[- ]?inclusion|inclusions?|inclusive|included|exclusions?|exclusive|excluded)"
    r"(?P<criteria>\s+criteri\w*)?(?P<tail>[^:：.;]{0,80})(?P<colon>[:：])?[*_]*\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_OTHER_HEADINGS = (
    (re.compile(r"^\W*criteria for inclusion\W*$", re.IGNORECASE), INCLUSION),
    (re.compile(r"^\W*criteria for exclusion\W*$", re.IGNORECASE), EXCLUSION),
    (re.compile(r"^\W*(?:入选|纳入|入组)标准\W*$"), INCLUSION),
    (re.compile(r"^\W*排除标准\W*$"), EXCLUSION),
)
_QUALIFIED = re.compile(r"^\s*(?:\(.*\)|(?:for|of|in|are|include|includes|at|to)\b.*)?\s*$")
_RUN_ON = re.compile(
    r"(?:(?<=[.;)\]])|(?<=\w\.\s))[ \t]+(?=(?:Key |Main |Major )?"
    r"(?:(?:Inclusion|Exclusion) Criteria|(?:INCLUSION|EXCLUSION) CRITERIA)\s*:)"
)


def _sections(text: str) -> list[_Section]:
    """The text under its headings; what stands before the first has no kind."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    sections = [_Section(None)]
    for line in _RUN_ON.sub("\n", plain).split("\n"):
        heading = _heading(line)
        if heading is None:
            sections[-1].lines.append(line)
        else:
            sections.append(heading)
    return sections


def _heading(line: str) -> _Section | None:
    """The section that a line opens; None where it opens none."""
    for pattern, kind in _OTHER_HEADINGS:
        if pattern.match(line):
            return _Section(kind)
    found = _HEADING.match(line)
    if found is None or not _is_heading(found):
        return None
    word = found["word"].casefold()
    kind = INCLUSION if word.startswith("inc") else EXCLUSION
    source = _unescaped(line).strip(" #*_:：") if found["tail"].strip() else ""
    return _Section(kind, source, [found["rest"]] if found["rest"].strip() else [])


def _is_heading(found: re.Match[str]) -> bool:
    tail, colon, rest = found["tail"].strip(" *_"), found["colon"], found["rest"].strip(" *_")
    if any(word.casefold() not in _LEAD for word in found["lead"].split()):
        return False
    if not colon:
        bare = tail == "" or (tail.startswith("(") and tail.endswith(")"))
        return bare and rest == "" and not re.search(r"[•–\-\d*]\s", found["mark"])
    if found["criteria"]:
        return bool(_QUALIFIED.match(tail))
    return tail == "" and not found["lead"]


# --- items ---

_BULLET = re.compile(
    r"^(?P<indent> *)(?:(?P<star>[*+•·●▪◦○‣∙])(?: +|(?<=[^*+])(?=\w))"
    r"|(?P<dash>[-–—−])(?: +|(?=[^\W\d]))"
    r"|(?P<bracketed>\(\d{1,2}\)|（\d{1,2}）)\s*"
    r"|(?P<dotted>\d{1,2}[.．、])(?: +|(?=[^\W\d]))"
    r"|(?P<closed>\d{1,2}[)）])(?: +|(?=[^\W\d]))"
    r"|(?P<letter>\(?(?:[a-zA-Z]|[ivx]{2,4})[.)])(?: +)"
    r"|(?P<circled>[\u2460-\u2473])\s*)(?P<text>\S.*)$"
)
_STYLES = ("star", "dash", "bracketed", "dotted", "closed", "letter", "circled")
_INLINE = re.compile(r"(?<=[.;)\]])\s+[–•]\s+")


@dataclass
class _Item:
    source: str
    parts: list[str]


def _criteria(section: _Section) -> Iterator[Found]:
    """A section's criteria, repaired."""
    kind = section.kind or INCLUSION
    for item in _items(section):
        text = "\n".join(part.rstrip() for part in item.parts).strip()
        if text:
            yield restored(Found(kind, _unescaped(text), source=_unescaped(item.source)))


def _items(section: _Section) -> list[_Item]:
    lines = [part for line in section.lines for part in _unrolled(line)]
    bullets = [found for line in lines if (found := _BULLET.match(line))]
    plain = [
        line
        for line in lines
        if line.strip() and not line.startswith(" ") and not _BULLET.match(line)
    ]
    if not bullets or (len(plain) > len(bullets) and not lines[0].startswith(" ")):
        return _by_line(lines, section.source)
    return _by_bullet(lines, section.source, bullets[0])


def _unrolled(line: str) -> list[str]:
    """A line that lists several items within itself ("a; – b; – c") as one line per item."""
    if len(_INLINE.findall(line)) < 2:
        return [line]
    found = _BULLET.match(line)
    mark = line[: found.start("text")] if found else "– "
    first, *others = _INLINE.split(line)
    return [first if found else mark + first, *(mark + other for other in others)]


def _by_line(lines: Iterable[str], source: str) -> list[_Item]:
    """Each line is a criterion; bulleted or indented lines belong to the one before."""
    items: list[_Item] = []
    for line in lines:
        nested = line.startswith(" ") or _BULLET.match(line)
        if line.strip() and nested and items:
            items[-1].parts.append(line.strip())
        elif line.strip():
            items.append(_Item(source, [line.strip()]))
    return items


def _by_bullet(lines: Iterable[str], source: str, first: re.Match[str]) -> list[_Item]:
    """Each bullet of the first one's style and indent is a criterion; others belong to it.

    A line that ends with a colon heads the bullets after it; one that heads none is a criterion.
    """
    style, indent, under, after_blank = _style(first), len(first["indent"]), source, False
    items: list[_Item] = []
    heads: list[str] = []  # the heading that no bullet has come under yet
    for line in lines:
        bullet, depth = _BULLET.match(line), len(line) - len(line.lstrip())
        outside = bullet is None and depth <= indent
        if bullet and _style(bullet) == style and depth <= indent + 1:
            items.append(_Item(under, [bullet["text"]]))
            heads = []
        elif outside and line.rstrip().endswith((":", "：")):
            items += [_Item(source, [head]) for head in heads]
            heads = [line.strip()]
            under = ", ".join(filter(None, (source, line.strip(" *_:："))))
        elif line.strip() and (not items or (outside and after_blank)):
            items.append(_Item(under, [line.strip()]))
            heads = []
        elif line.strip():
            _continue(items[-1], line[min(depth, indent + 2) :], apart=bool(bullet) or after_blank)
        after_blank = not line.strip()
    return items + [_Item(source, [head]) for head in heads]


def _style(bullet: re.Match[str]) -> str:
    return next(name for name in _STYLES if bullet[name])


def _continue(item: _Item, line: str, *, apart: bool) -> None:
    """Add a nested bullet or paragraph on a line of its own, a wrapped line to the one before."""
    if apart:
        item.parts.append(line)
    else:
        item.parts[-1] = f"{item.parts[-1].rstrip()} {line.strip()}"


# --- wording ---

_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~^|&=/])")
_TO_ESCAPE = re.compile(r"([\\<>\[\]~^_])")


def _unescaped(text: str) -> str:
    """Markdown's backslashes gone: the API writes "\\>" for ">"."""
    return _ESCAPED.sub(r"\1", text)


_PER_VOLUME = re.compile(
    r"(?P<before>(?:\d[\d.,]*\s*)?[x×X✕∗*]\s*10)(?P<power>3|6|9|12)"
    r"(?P<after>\s*/\s*(?:[Ll]\b|[muμµ][Ll]\b))"
)
_COPIES = re.compile(
    r"(?P<before>(?<![\d.,^])10)(?P<power>[3-8])(?P<after>\s*(?:copies|copy|cps)\b)", re.IGNORECASE
)
_VIRAL = re.compile(r"\b(?:HBV|HCV|DNA|RNA|hepatitis|viral|virus)", re.IGNORECASE)


def restored(found: Found) -> Found:
    """A criterion with the superscripts that its printing lost, each said in the note."""
    patterns = (_PER_VOLUME, _COPIES) if _VIRAL.search(found.text) else (_PER_VOLUME,)
    text, printed = found.text, []
    for pattern in patterns:
        printed += [match[0] for match in pattern.finditer(text)]
        text = pattern.sub(r"\g<before>^\g<power>\g<after>", text)
    if not printed:
        return found
    shown = ", ".join(dict.fromkeys(printed))
    return replace(found, text=text, note=f"superscript restored: printed {shown}")


def joined(criteria: Iterable[tuple[str, str]]) -> str:
    """(kind, text) pairs as an eligibility text that `split` reads again."""
    pairs = list(criteria)
    blocks = [
        f"{heading}:\n\n" + "\n".join(_bulleted(text) for of, text in pairs if of == kind)
        for kind, heading in ((INCLUSION, "Inclusion Criteria"), (EXCLUSION, "Exclusion Criteria"))
        if any(of == kind for of, _ in pairs)
    ]
    return "\n\n".join(blocks)


def _bulleted(text: str) -> str:
    lines = _TO_ESCAPE.sub(r"\\\1", text).split("\n")
    return "\n".join(["* " + lines[0], *(f"  {line}" for line in lines[1:])])
