"""Histologies in the reader's language."""

from __future__ import annotations

import pytest

from trials.histologies import TERMS, name


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("leiomyosarcoma", "leiomyosarcoma", "平滑肌肉瘤"),
        ("LMS", "LMS", "平滑肌肉瘤"),
        ("滑膜肉瘤", "synovial sarcoma", "滑膜肉瘤"),
        ("腺泡状软部肉瘤", "alveolar soft part sarcoma", "腺泡状软部肉瘤"),  # as it was typed
        ("sarcoma, NOS", "sarcoma, NOS", "sarcoma, NOS"),
        ("", "", ""),
    ],
)
def test_known_names_are_shown_in_the_language_of_the_reader(
    text: str, english: str, chinese: str
) -> None:
    assert name(text, chinese=False) == english
    assert name(text, chinese=True) == chinese


def test_every_term_has_a_chinese_name() -> None:
    assert [term for term in TERMS if name(term, chinese=True).isascii()] == []
