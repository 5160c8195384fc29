"""`make messages`: the Chinese catalog follows the sources, without GNU gettext.

The .po is sorted, unwrapped and without places, so that two people's additions merge; the .mo beside
it is committed, since what runs has no compiler for it, and a test holds the two together.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "registry/locale/zh_Hans/LC_MESSAGES/django.po"
APPS = ("registry", "trials", "patients", "outcomes")
MODULE = "django.utils.translation"
SINGULAR = ("gettext", "gettext_lazy", "gettext_noop")
PLURAL = ("ngettext", "ngettext_lazy")
METADATA = {
    "Project-Id-Version": "sarcoma-trial-registry",
    "Language": "zh_Hans",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}
# What `templatize` leaves of a template: calls among blanked-out text.
LITERAL = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
CALL = re.compile(rf"(?<!\w)(n?gettext|_)\({LITERAL}(?:,\s*{LITERAL})?")

Message = tuple[str, str]  # msgid and plural msgid, blank where there is one form


def messages() -> set[Message]:
    """Every message of the pages and the code."""
    found = set(_merged(_everywhere()))
    found.discard(("", ""))
    return found


def _everywhere() -> Iterator[Message]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from of_python(path.read_text(), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from of_template(path.read_text(), str(path.relative_to(ROOT)))


def _merged(found: Iterator[Message]) -> Iterator[Message]:
    """A message that has a plural somewhere is one entry with it, as gettext stores it."""
    plurals: dict[str, str] = {}
    for one, many in found:
        plurals[one] = many or plurals.get(one, "")
    yield from plurals.items()


def of_python(source: str, where: str = "") -> Iterator[Message]:
    """Messages of a module, whatever names it imports gettext by.

    Raises ValueError where the message is not written out: no catalog could hold it.
    """
    tree = ast.parse(source)
    names = dict(_imported(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = names.get(node.func.id)
        if name in SINGULAR:
            yield _written(node, 0, where), ""
        elif name in PLURAL:
            yield _written(node, 0, where), _written(node, 1, where)
        elif name is not None and name.startswith(("pgettext", "npgettext")):
            raise ValueError(f"{where}:{node.lineno}: contexts are not collected")


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == MODULE:
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _written(call: ast.Call, position: int, where: str) -> str:
    message = call.args[position]
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return message.value
    raise ValueError(f"{where}:{call.lineno}: the message is not a string that is written out")


def of_template(source: str, where: str = "") -> Iterator[Message]:
    """Messages of a template."""
    for _, one, many in CALL.findall(templatize(source, origin=where)):
        yield ast.literal_eval(one), ast.literal_eval(many) if many else ""


def rewritten(catalog: polib.POFile, found: set[Message]) -> polib.POFile:
    """The catalog of what was found, with the translations that there are."""
    known = {entry.msgid: entry for entry in catalog}
    result = polib.POFile(wrapwidth=0)
    result.metadata = METADATA
    for one, many in sorted(found):
        entry = polib.POEntry(msgid=one, msgid_plural=many)
        text = _translation(known[one]) if one in known else ""
        if many:
            entry.msgstr_plural = {0: text}
        else:
            entry.msgstr = text
        result.append(entry)
    return result


def _translation(entry: polib.POEntry) -> str:
    return str(entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr)


def translations(catalog: polib.POFile) -> dict[str, str]:
    """msgid -> the one Chinese form."""
    return {entry.msgid: _translation(entry) for entry in catalog}


def main() -> None:
    """Rewrite the .po from the sources and the .mo from it; say what waits for a translator."""
    catalog = rewritten(
        polib.pofile(str(CATALOG)) if CATALOG.exists() else polib.POFile(), messages()
    )
    catalog.save(str(CATALOG))
    CATALOG.with_suffix(".mo").write_bytes(catalog.to_binary())
    waiting = [msgid for msgid, text in translations(catalog).items() if not text]
    sys.stdout.write("".join(f"to translate: {msgid}\n" for msgid in waiting))
    sys.stdout.write(f"{len(catalog)} messages, {len(waiting)} to translate\n")


if __name__ == "__main__":
    main()
