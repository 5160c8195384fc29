"""The part of JSON Patch (RFC 6902) that says how one JSON document differs from another: pure.

Members are added, replaced and removed; list items are replaced. Lists of different length are
replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

Operation = dict[str, Any]


def difference(old: Any, new: Any, path: str = "") -> Iterator[Operation]:
    """The operations that make `new` of `old`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_objects(old, new, path)
    elif _lists(old, new) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from difference(before, after, f"{path}/{index}")
    elif not _same(old, new):
        yield {"op": "replace", "path": path, "value": new}


def _of_objects(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Operation]:
    for key in old:
        if key not in new:
            yield {"op": "remove", "path": f"{path}/{escaped(key)}"}
    for key, value in new.items():
        at = f"{path}/{escaped(key)}"
        if key in old:
            yield from difference(old[key], value, at)
        else:
            yield {"op": "add", "path": at, "value": value}


def _lists(*values: Any) -> bool:
    return all(isinstance(value, Sequence) and not isinstance(value, str) for value in values)


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) < 8


def _same(old: Any, new: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def apply(document: Any, operation: Operation) -> None:
    """Change a document by one operation; raises LookupError where its path leads nowhere."""
    above, _, last = operation["path"].rpartition("/")
    parent, key, op = resolve(document, above), unescaped(last), operation["op"]
    if isinstance(parent, list) and op == "replace" and _is_index(last):
        parent[int(last)] = deepcopy(operation["value"])
    elif not isinstance(parent, dict) or (key not in parent and op != "add"):
        raise LookupError(operation["path"])
    elif op == "remove":
        del parent[key]
    else:
        parent[key] = deepcopy(operation["value"])


def resolve(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) points at; raises LookupError where nothing is."""
    node = document
    for step in map(unescaped, pointer.split("/")[1:]):
        if isinstance(node, Mapping):
            node = node[step]
        elif _lists(node) and _is_index(step):
            node = node[int(step)]
        else:
            raise LookupError(pointer)
    return node


def escaped(key: str) -> str:
    """A key as a step of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescaped(step: str) -> str:
    """A step of a JSON Pointer as a key."""
    return step.replace("~1", "/").replace("~0", "~")
