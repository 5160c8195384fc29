"""Which options a publication's figures tell: the prints of both source studies, and what tells nothing."""

from __future__ import annotations

import pytest

from outcomes.as_published import as_published

ALTER = [("Data cutoff", "August 8, 2022"), ("Median PFS", "9.1 months (95% CI 5.7-12.5)")]
SUN = [("Median PFS", "7.6 months (95% CI: 3.31-11.89)"), ("ORR", "34.4% (95% CI: 18.6-53.2%)")]


@pytest.mark.parametrize(
    ("figures", "options"),
    [
        (ALTER, {"cutoff": "2022-08-08", "survival_interval": "spss"}),
        (SUN, {"survival_interval": "spss"}),
        # 9.1 - 5.7 = 3.4, 14.9 - 9.1 = 5.8: not in the middle
        ([("Median PFS", "9.1 months (95% CI 5.7-14.9)")], {}),
        ([("Data cutoff", "2022-08-08")], {"cutoff": "2022-08-08"}),
        ([("Data cutoff", "summer 2022"), ("Median OS", "the median OS was not reached")], {}),
        ([], {}),
    ],
)
def test_what_the_prints_tell(figures: list[tuple[str, str]], options: dict[str, str]) -> None:
    assert as_published(figures) == options
