"""What README.md says of where things live is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("registry", "trials", "patients", "outcomes", "templates", "tests", "fixtures")
SECTION = (ROOT / "README.md").read_text().split("## Where things live")[1].split("## Add an")[0]
NAMED = sorted(set(re.findall(r"(?<![*\w.])(\w+\.py|\w+/)(?=[\s,;:()\]]|$)", SECTION)))
NEAR_A_READER = [  # modules that one looks for by what a page shows
    "trial_pages.py", "patient_links.py", "patient_page.py", "query_forms.py", "cutoffs.py",
    "small_groups.py", "definition_words.py", "as_published.py", "patients_of/", "options.py",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_there(name: str) -> None:
    parts = [*ROOT.glob(name), *(p for app in APPS for p in (ROOT / app).rglob(name))]
    assert parts, name


def test_the_modules_of_the_pages_are_named() -> None:
    assert set(NEAR_A_READER) <= set(NAMED)
