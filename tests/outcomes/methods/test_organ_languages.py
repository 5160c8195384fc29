"""Places of lesions in the reader's language."""

from __future__ import annotations

import pytest

from outcomes.methods.organs import PLACES, in_language, organ_group, organ_names


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("lung", "lung", "肺"),
        ("Lymph  node", "Lymph  node", "淋巴结"),
        ("pleural effusion", "pleural effusion", "胸腔积液"),
        ("bowel", "bowel", "肠"),
        ("肝", "liver", "肝"),
        ("腹膜后", "retroperitoneum", "腹膜后"),
        ("腹水", "ascites", "腹水"),
        ("right upper lobe of the lung", "right upper lobe of the lung", "right upper lobe of the lung"),
        ("右肺上叶", "右肺上叶", "右肺上叶"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_plain_names_are_shown_in_the_language_of_the_reader(
    text: str, english: str, chinese: str
) -> None:
    assert in_language(text, chinese=False) == english
    assert in_language(text, chinese=True) == chinese


def test_a_place_counts_as_the_same_organ_in_both_languages() -> None:
    effusions = {"ascites", "pericardial effusion", "pleural effusion"}
    pairs = [(text, name) for text, name in PLACES.items() if text not in effusions]
    assert [pair for pair in pairs if len(set(map(organ_group, pair))) > 1] == []


def test_every_group_has_a_chinese_name() -> None:
    assert [name for name in organ_names(chinese=True).values() if name.isascii()] == []
