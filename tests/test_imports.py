"""The arrows of the house: who may import whom, function-level imports included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The upper floor composes the apps and is imported by nobody; the rest of registry is the lower.
UPPER = {"registry.settings", "registry.urls", "registry.api", "registry.wsgi"}
ARROWS = {  # part -> what it may import of the project
    "upper": {"upper", "outcomes", "patients", "trials", "lower"},
    "outcomes": {"outcomes", "patients", "trials", "lower"},
    "patients": {"patients", "trials", "lower"},
    "trials": {"trials", "lower"},
    "lower": {"lower"},
}
# Pure modules: the standard library, these packages and each other, nothing else.
PURE = (
    "outcomes.canonical",
    "outcomes.characteristics",
    "outcomes.methods",
    "patients.ctcae",
    "patients.exposure",
    "patients.randomization",
    "registry.blank",
    "trials.ctgov",
    "trials.ctgov_document",
    "trials.ctgov_reading",
    "trials.ctgov_writing",
    "trials.definitions",
    "trials.eligibility",
    "trials.eligibility_text",
    "trials.histologies",
    "trials.treatments",
    "trials.json_patch",
    "trials.publications",
    "trials.registry_terms",
    "trials.schedule_text",
    "trials.screening_items",
    "trials.screening_values",
)
PURE_PACKAGES = {"numpy", "scipy.special", "pydantic", "pydantic_core"}
# Inside an app nothing but these may import its HTTP and page modules.
DOORS = {"api", "views", "urls", "forms", "serializers"}
BEHIND_THE_DOORS = {
    "actions",
    "queries",
    "models",
    "history",
    "conformance",
    "entries",
    "edits",
    "checks",
    "access",
    "gate",
    "judging",
    "screening",
}


def modules() -> dict[str, Path]:
    """Every module of the project but tests and migrations, by its dotted name."""
    found = {}
    for app in ("registry", "trials", "patients", "outcomes"):
        for path in (ROOT / app).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it; those for type checking are none."""
    tree = ast.parse(path.read_text())
    checked = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in checked:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def part(module: str) -> str | None:
    """The part of the house that a module belongs to; None for the world outside."""
    app = module.split(".")[0]
    if app != "registry":
        return app if app in ARROWS else None
    return "upper" if module in UPPER else "lower"


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    here = part(module)
    assert here is not None
    there = {name: part(name) for name in imported(MODULES[module])}
    wrong = [name for name, of in there.items() if of and of not in ARROWS[here]]
    assert wrong == []


def is_pure(module: str) -> bool:
    """Whether the module, or its package, is one of the pure ones."""
    return any(module == pure or module.startswith(f"{pure}.") for pure in PURE)


PURE_MODULES = [name for name in MODULES if is_pure(name)]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_pure_modules_know_nothing_of_django_or_the_database(module: str) -> None:
    wrong = [
        name
        for name in imported(MODULES[module])
        if not is_pure(name)
        and name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == allowed or name.startswith(f"{allowed}.") for allowed in PURE_PACKAGES)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_what_lies_behind_the_doors_does_not_look_out(module: str) -> None:
    app, name = module.split(".")[0], module.split(".")[-1]
    if name in BEHIND_THE_DOORS:
        parts = [there.split(".") for there in imported(MODULES[module])]
        assert [there for there in parts if there[0] == app and there[-1] in DOORS] == []


def test_the_table_covers_the_house() -> None:
    assert set(MODULES) >= UPPER
    assert {part(module) for module in MODULES} == set(ARROWS)
    assert len(PURE_MODULES) > 6
