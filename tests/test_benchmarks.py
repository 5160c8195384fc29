"""The benchmarks still run, on tiny sizes, and what they compare is the same on both sides."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from outcomes import actions
from outcomes.methods.recist import Response
from registry.models import User
from tests import factories
from tests.benchmarks import analyses, dashboards, imports, reports, survival, tables, visits
from tests.benchmarks.__main__ import ALL, row
from tests.benchmarks.courses import courses
from tests.benchmarks.measure import Line
from trials.models import Trial

pytestmark = pytest.mark.django_db(transaction=True)  # an import tells its progress from outside


@pytest.fixture
def user() -> User:
    """Who measures."""
    return factories.user("bench")


def filled(registry_id: str, user: User, patients: int) -> Trial:
    """A trial with patients written past the registry."""
    trial = tables.trial(registry_id, user)
    tables.insert(tables.rows(courses(patients), trial), user)
    return trial


def printed(line: Line | None) -> str:
    """The line as the table has it; its figures are times, hence above 0."""
    assert line is not None
    assert min(line.ours, line.other, line.ratio) > 0
    return row(line)


def test_courses_are_the_same_each_time_and_differ() -> None:
    made = courses(300)
    assert made == courses(300)
    assert sum(len(course.visits) for course in made) == 6 * len(made)
    responses = Counter(d.overall_response for course in made for d in course.derived()[1:])
    assert responses.keys() == set(Response) - {Response.NON_CR_NON_PD}
    assert {"died_on", "last_known_alive_on"} <= {key for c in made for key in c.patient}
    assert any(course.therapies for course in made)


def test_rows_are_what_the_registry_derives_and_imports(user: User) -> None:
    written = filled("WRITTEN", user, 30)
    done = actions.recompute([written])
    assert (done.visits, done.changed, done.refused) == (180, 0, [])
    imported = tables.trial("IMPORTED", user)
    imports.send(imports.lines(courses(30)), imported, imports.client_of(user))
    assert tables.count(imported) == tables.count(written)
    assert min(tables.count(written).values()) > 0
    assert reports.document(imported, user).replace(b"IMPORTED", b"WRITTEN") == reports.document(
        written, user
    )


def test_kaplan_meier_is_the_minimal_one() -> None:
    ours, minimal = (way(*survival.sample(500)) for way in (survival.registry, survival.minimal))
    for column, expected in zip(ours, minimal, strict=True):
        defined = ~np.isnan(expected)
        np.testing.assert_allclose(column[defined], expected[defined], rtol=1e-12)


def test_every_part_runs(user: User) -> None:
    small, large = filled("SMALL", user, 5), filled("LARGE", user, 10)
    few = courses(3, first=50)
    assert "10 patients, 60 visits" in printed(reports.measured(large, user, repetitions=1))
    assert "of 10 patients move" in printed(reports.previewed(large, user, repetitions=1))
    assert "| ≤ 3 | 7 |" in printed(visits.measured(user, repetitions=1))
    assert "18 visits" in printed(imports.measured(few, user, repetitions=1))
    assert "(304)" in printed(dashboards.conditional(large, user, repetitions=1))
    frozen = list(map(printed, analyses.measured(large, user, repetitions=1)))
    assert ["10 patients" in line for line in frozen] == [True, True]
    assert len(dashboards.pages(small, large, user, repetitions=1)) == 3
    assert set(ALL) == {"survival", "visits", "dashboards", "reports", "imports"}
