"""The draft of a results section: hand counts, scope, blinding, statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from outcomes.ctgov.participants import Ending, Participant, _age
from patients.models import Allocation, Disposition, Patient
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Endpoint, Trial

Login = Callable[[User], Api]
PATH = "/trials/NCT00000001/ctgov/?results=true&cutoff=2024-12-31"


def measures(section: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The outcome measures by title."""
    found = section["outcomeMeasuresModule"]["outcomeMeasures"]
    return {measure["title"]: measure for measure in found}


def values(measure: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What stands in a measure's only cell, by the group's title."""
    titles = {group["id"]: group["title"] for group in measure["groups"]}
    (only,) = measure["classes"]
    (category,) = only["categories"]
    return {titles[row["groupId"]]: row for row in category["measurements"]}


def counts(flow: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Participants by milestone or reason, and group."""
    titles = {group["id"]: group["title"] for group in flow["groups"]}
    (period,) = flow["periods"]
    rows = {m["type"]: m["achievements"] for m in period["milestones"]}
    rows |= {d["type"]: d["reasons"] for d in period["dropWithdraws"]}
    return {
        kind: {titles[row["groupId"]]: row["numSubjects"] for row in found}
        for kind, found in rows.items()
    }


@pytest.fixture
def randomized(cast: Cast) -> Trial:
    """Two arms of four: A lives longer, B has the events; one of nobody's, one not enrolled."""
    trial = cast.trial
    Trial.objects.filter(pk=trial.pk).update(
        allocation="RANDOMIZED", masking="NONE", ctcae_version="5.0", ae_window_days=30
    )
    for kind in ("PFS", "OS", "ORR", "DOR", "TTR"):
        Endpoint.objects.create(
            trial=trial, kind=kind, role="primary" if kind == "OS" else "secondary"
        )
    Endpoint.objects.create(trial=trial, kind="OTHER", name="Quality of life", role="other")
    arms = {name: Arm.objects.create(trial=trial, name=name, type=of) for name, of in
            (("A", "EXPERIMENTAL"), ("B", "ACTIVE_COMPARATOR"))}  # fmt: skip
    for number in range(8):
        name = "AB"[number % 2]
        late = name == "A" and number > 0
        died = START + timedelta(days=(300 if late else 70) + 7 * number)
        row = factories.patient(
            trial, f"01-{number}", sex="female" if number < 5 else "male", birth_year=1950 + number,
            ecog=number % 2, died_on=died if number != 6 else None, last_known_alive_on=died,
        )  # fmt: skip
        Allocation.objects.create(patient=row, trial=trial, arm=arms[name])
        factories.baseline(row, by=cast.coordinator)
    factories.patient(trial, "02-9", site="02", enrolled_on=None, first_dose_on=None)
    return trial


def draft(api: Login, user: User, query: str = "") -> dict[str, Any]:
    """The results section as the user reads it."""
    answer = api(user).get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    section: dict[str, Any] = answer.json()["resultsSection"]
    return section


def test_participants_by_arm(cast: Cast, api: Login, randomized: Trial) -> None:
    last = Patient.objects.get(subject_id="01-6")
    ends = START + timedelta(days=200)
    Disposition.objects.create(patient=last, kind="lost_to_follow_up", on=ends)
    stopped = Patient.objects.get(subject_id="01-1")
    Disposition.objects.create(
        patient=stopped, kind="treatment_discontinued", on=START + timedelta(days=9),
        reason="adverse_event",
    )  # fmt: skip
    flow = draft(api, cast.viewer)["participantFlowModule"]
    assert counts(flow) == {
        "STARTED": {"A": "4", "B": "4"},
        "Received treatment": {"A": "4", "B": "4"},
        "Discontinued treatment": {"A": "0", "B": "1"},
        "COMPLETED": {"A": "0", "B": "0"},
        "NOT COMPLETED": {"A": "4", "B": "4"},
        "Death": {"A": "3", "B": "4"},
        "Lost to Follow-up": {"A": "1", "B": "0"},
    }
    assert flow["periods"][0]["milestones"][2]["achievements"][1]["comment"] == "adverse event: 1"


def test_baseline_by_arm(cast: Cast, api: Login, randomized: Trial) -> None:
    module = draft(api, cast.viewer)["baselineCharacteristicsModule"]
    assert [group["title"] for group in module["groups"]] == ["A", "B", "Total"]
    assert [row["value"] for row in module["denoms"][0]["counts"]] == ["4", "4", "8"]
    found = {
        measure["title"]: {
            category["title"]: [row["value"] for row in category["measurements"]]
            for category in measure["classes"][0]["categories"]
        }
        for measure in module["measures"]
    }
    assert found == {
        "Age, Categorical": {">=65 years": ["4", "4", "8"]},
        "Sex: Female, Male": {"Female": ["3", "2", "5"], "Male": ["1", "2", "3"]},
        "ECOG performance status": {"0": ["4", "0", "4"], "1": ["0", "4", "4"]},
    }


def test_arms_are_compared_as_the_report_compares_them(
    cast: Cast, api: Login, randomized: Trial
) -> None:
    compared = api(cast.viewer).get("/trials/NCT00000001/outcomes/?cutoff=2024-12-31").json()
    overall = compared["comparison"]["overall_survival"]
    found = measures(draft(api, cast.viewer))
    test, *ratios = found["Overall survival"]["analyses"]
    assert (test["statisticalMethod"], test["groupIds"]) == ("Log Rank", ["OG001", "OG000"])
    assert test["pValue"] == f"{overall['log_rank']['p']:.4f}"
    assert found["Overall survival"]["type"] == "PRIMARY"
    (ratio,), expected = ratios, overall["hazard_ratio"]
    assert ratio["paramType"] == "Hazard Ratio (HR)"
    assert ratio["groupIds"] == ["OG000", "OG001"]  # A over B, the comparator
    printed = [ratio[name] for name in ("paramValue", "ciLowerLimit", "ciUpperLimit")]
    assert printed == [f"{expected[name]:.3f}" for name in ("estimate", "lower", "upper")]
    assert found["Quality of life"]["type"] == "OTHER_PRE_SPECIFIED"
    assert values(found["Duration of response"])["A"]["value"] == "NA"
    assert found["Time to response"]["dispersionType"] == "Inter-Quartile Range"


def test_adverse_events_by_arm(cast: Cast, api: Login, randomized: Trial) -> None:
    first, second, third = (Patient.objects.get(subject_id=f"01-{n}") for n in (0, 1, 2))
    factories.adverse_event(first, "Hypertension", 3)
    factories.adverse_event(second, "hypertension", 3, serious=True)
    factories.adverse_event(second, "Fatigue", 1, day=20, related=False)
    factories.adverse_event(third, "Fatigue", 1)
    module = draft(api, cast.viewer)["adverseEventsModule"]
    assert module["timeFrame"].startswith("From the first dose to 30 days after the last dose")
    assert [
        (g["title"], g["seriousNumAffected"], g["otherNumAffected"], g["deathsNumAffected"])
        for g in module["eventGroups"]
    ] == [("A", 0, 2, 3), ("B", 1, 1, 4)]
    told = {
        kind: {e["term"]: [(s["numAffected"], s["numAtRisk"]) for s in e["stats"]] for e in found}
        for kind, found in (("serious", module["seriousEvents"]), ("other", module["otherEvents"]))
    }
    assert told == {
        "serious": {"hypertension": [(0, 4), (1, 4)]},
        "other": {"Fatigue": [(1, 4), (1, 4)], "Hypertension": [(1, 4), (0, 4)]},
    }
    assert module["otherEvents"][0]["sourceVocabulary"] == "CTCAE 5.0"


def test_where_no_event_is_recorded_none_is_counted(
    cast: Cast, api: Login, randomized: Trial
) -> None:
    module = draft(api, cast.viewer)["adverseEventsModule"]
    assert module["description"].startswith("No adverse event is recorded")
    assert all("otherNumAffected" not in group for group in module["eventGroups"])


def test_blinded_arms_are_one_group(cast: Cast, api: Login, randomized: Trial) -> None:
    Trial.objects.filter(pk=randomized.pk).update(masking="DOUBLE")
    for user in (cast.viewer, cast.administrator, cast.superuser):
        section = draft(api, user)
        for module in ("participantFlowModule", "baselineCharacteristicsModule"):
            assert [group["title"] for group in section[module]["groups"]] == ["All participants"]
        found = measures(section)["Overall survival"]
        assert [group["title"] for group in found["groups"]] == ["All participants"]
        assert "analyses" not in found
        said = section["moreInfoModule"]["limitationsAndCaveats"]["description"]
        assert "blinded" in said


@pytest.mark.parametrize(
    ("who", "status"),
    [("coordinator", 403), ("outsider", 403), ("viewer", 200), ("stranger", 404)],
)
def test_results_are_of_the_whole_trial(
    cast: Cast, api: Login, randomized: Trial, who: str, status: int
) -> None:
    user = getattr(cast, who)
    assert api(user).get(PATH).status_code == status
    assert api(user).get(PATH.partition("?")[0]).status_code == (404 if status == 404 else 200)


@pytest.mark.parametrize(
    "query", ["&results=yes", "&known_on=2024-01-01T00:00:00Z", "&x=1", "&cutoff=2024", "&ties=x"]
)
def test_what_cannot_be_asked_is_named(cast: Cast, api: Login, query: str) -> None:
    answer = api(cast.viewer).get(f"{PATH}{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == query[1:].partition("=")[0]


def test_nobody_yet(cast: Cast, api: Login) -> None:
    Endpoint.objects.create(trial=cast.trial, kind="ORR")
    section = draft(api, cast.viewer)
    row = values(measures(section)["Objective response rate"])["All participants"]
    assert (row["value"], row["comment"]) == ("NA", "No participants.")


def test_statements_do_not_grow_with_patients(
    cast: Cast,
    api: Login,
    randomized: Trial,
    django_assert_num_queries: Callable[[int], DjangoAssertNumQueries],
) -> None:
    client = api(cast.viewer)
    for _turn in range(2):
        with django_assert_num_queries(STATEMENTS):  # type: ignore[attr-defined]
            client.get(PATH)
        more = factories.patient(randomized)
        factories.adverse_event(more)
        Disposition.objects.create(patient=more, kind="completed", on=START + timedelta(days=99))


STATEMENTS = 20


# --- one participant ---


def participant(**facts: Any) -> Participant:
    """Somebody, born in 1970 and enrolled in 2024."""
    default: dict[str, Any] = {
        "id": 1, "arm": "A", "sex": "female", "birth_year": 1970, "ecog": 0, "histology": "",
        "prior_lines": None,
        "enrolled_on": date(2024, 1, 15), "first_dose_on": None, "died_on": None, "endings": (),
    }  # fmt: skip
    return Participant(**default | facts)


@pytest.mark.parametrize(
    ("born", "category"),
    [
        (2006, "<=18 years"),  # 17 or 18
        (2005, None),  # 18 or 19
        (2004, "Between 18 and 65 years"),  # 19 or 20
        (1960, "Between 18 and 65 years"),  # 63 or 64
        (1959, None),  # 64 or 65
        (1958, ">=65 years"),  # 65 or 66
        (2024, "<=18 years"),
        (None, None),
    ],
)
def test_age_from_the_year_of_birth(born: int | None, category: str | None) -> None:
    assert _age(participant(birth_year=born)) == category


D = date
WITHDRAWN, LOST, DONE = "withdrawn", "lost_to_follow_up", "completed"


@pytest.mark.parametrize(
    ("endings", "died", "why"),
    [
        ([], None, None),
        ([], D(2024, 6, 1), "Death"),
        ([], D(2025, 6, 1), None),
        ([(WITHDRAWN, D(2024, 5, 1), False)], D(2024, 6, 1), "Withdrawal by Subject"),
        ([(WITHDRAWN, D(2024, 5, 1), True)], D(2024, 6, 1), "Death"),
        ([(WITHDRAWN, D(2024, 5, 1), True)], None, None),
        ([(LOST, D(2024, 7, 1), None)], D(2024, 6, 1), "Death"),
        ([(LOST, D(2024, 7, 1), None)], None, "Lost to Follow-up"),
        ([(DONE, D(2024, 6, 1), None)], D(2024, 6, 1), "COMPLETED"),
        ([("treatment_discontinued", D(2024, 2, 1), None)], None, None),
        ([("transferred", D(2024, 2, 1), None)], None, None),
    ],
)
def test_what_ended_first(endings: list[Any], died: date | None, why: str | None) -> None:
    rows = tuple(Ending(kind, on, "", follows) for kind, on, follows in endings)
    assert participant(endings=rows, died_on=died).ending(D(2024, 12, 31)) == why
