"""Outcomes over HTTP: small trials worked by hand, and every way to ask for them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from patients.models import Allocation, Patient, Therapy
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, new_lesion
from trials.models import Arm, Endpoint, Trial

Login = Callable[[Any], Api]
Body = dict[str, Any]
OUTCOMES = "/trials/NCT00000001/outcomes/"
PATIENTS = f"{OUTCOMES}patients/"
MONTH = 30.4375
END = "cutoff=2024-12-31"


def on(day: int) -> date:
    """The date of a day counted from the first dose, which is day 1."""
    return START + timedelta(days=day)


@pytest.fixture
def arms(cast: Cast) -> dict[str, Arm]:
    """Two arms."""
    return {name: Arm.objects.create(trial=cast.trial, name=name) for name in ("A", "B")}


@pytest.fixture
def six(cast: Cast, arms: dict[str, Arm]) -> dict[str, Patient]:
    """Six patients; targets are 50 + 30 mm at baseline, the first dose is on day 1.

    S-1 PR on 43, confirmed on 85, PD on 127; last seen there       arm A
    S-2 SD on 43 and 85, died on 200                                arm B
    S-3 PD on 43, died on 100                                       arm A
    S-4 PR on 43, PD on 85; known to be alive on 300                arm B
    S-5 enrolled, never dosed, no visits                            no arm
    S-6 dosed, baseline only, known to be alive on 50               no arm, site 02
    """
    rows: dict[str, tuple[list[tuple[int, tuple[int, int]]], Body]] = {
        "S-1": ([(43, (30, 20)), (85, (30, 18)), (127, (40, 20))], {"sex": "female", "ecog": 0}),
        "S-2": ([(43, (45, 30)), (85, (45, 30))], {"died_on": on(200), "sex": "male"}),
        "S-3": ([(43, (80, 40))], {"died_on": on(100), "histology": "liposarcoma"}),
        "S-4": ([(43, (30, 20)), (85, (40, 30))], {"last_known_alive_on": on(300), "ecog": 1}),
        "S-5": ([], {"first_dose_on": None}),
        "S-6": ([], {"last_known_alive_on": on(50), "site": "02"}),
    }
    patients = {}
    for subject_id, (visits, facts) in rows.items():
        patient = patients[subject_id] = factories.patient(cast.trial, subject_id, **facts)
        if subject_id != "S-5":
            factories.baseline(patient, by=cast.superuser)
        for day, mm in visits:
            factories.follow_up(patient, day, mm, by=cast.superuser)
    for subject_id, arm in (("S-1", "A"), ("S-2", "B"), ("S-3", "A"), ("S-4", "B")):
        Allocation.objects.create(patient=patients[subject_id], trial=cast.trial, arm=arms[arm])
    return patients


@pytest.fixture
def reader(cast: Cast, api: Login) -> Api:
    """The trial's investigator."""
    return api(cast.investigator)


def report(api: Api, *query: str) -> Body:
    """The report, 31 December 2024 unless a cutoff is named."""
    response = api.get(f"{OUTCOMES}?{'&'.join((END, *query))}")
    assert response.status_code == 200, response.content
    return dict(response.json())


def listed(api: Api, *query: str) -> dict[str, Body]:
    """The patients' outcomes by subject id."""
    response = api.get(f"{PATIENTS}?{'&'.join((END, *query))}")
    assert response.status_code == 200, response.content
    return {row["subject_id"]: row for row in response.json()["results"]}


def counts(best: Body) -> Body:
    """The responses that occurred."""
    return {response: n for response, n in best.items() if n}


# The six patients by hand


@pytest.mark.usefixtures("six")
def test_responses_and_rates(reader: Api) -> None:
    found = report(reader)
    assert found["trial"] == "NCT00000001"
    assert found["cutoff"] == "2024-12-31"
    assert found["population"] == {"name": "enrolled", "n": 6}
    best = found["best_overall_response"]
    assert list(best["confirmed"]) == ["CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE"]
    assert counts(best["unconfirmed"]) == {"PR": 2, "SD": 1, "PD": 1, "NE": 2}
    assert counts(best["confirmed"]) == {"PR": 1, "SD": 2, "PD": 1, "NE": 2}
    orr, dcr = found["orr"], found["dcr"]
    assert (orr["responders"], orr["n"], orr["estimate"]) == (1, 6, 1 / 6)
    assert orr["lower"] == pytest.approx(1 - 0.975 ** (1 / 6))
    assert orr["upper"] == pytest.approx(0.6412346)  # Clopper-Pearson, 1 of 6
    assert (orr["interval"], orr["confidence_level"]) == ("clopper-pearson", 0.95)
    assert orr["confirmed"] is True
    assert (dcr["controlled"], dcr["n"], dcr["estimate"]) == (3, 6, 0.5)
    assert dcr["lower"] == pytest.approx(0.1181172)
    assert dcr["upper"] == pytest.approx(0.8818828)
    assert found["cbr"] is found["dor"] is found["ttr"] is None
    assert found["additional"] == found["groups"] == []


@pytest.mark.usefixtures("six")
def test_progression_free_survival(reader: Api) -> None:
    """Events on 43, 85, 127 and 200, one censored on day 1: S = 3/4, 1/2, 1/4, 0."""
    found = report(reader, "landmarks=3,12w,24")["pfs"]
    assert (found["n"], found["events"], found["censored"]) == (5, 4, 1)
    assert found["no_time_origin"] == 1
    assert [(r["days"], r["at_risk"], r["survival"]) for r in found["curve"]] == [
        (0, 5, 1), (1, 5, 1), (43, 4, 0.75), (85, 3, 0.5), (127, 2, 0.25), (200, 1, 0),
    ]  # fmt: skip
    assert found["median"]["days"] == 106  # the middle of the plateau from 85 to 127
    assert found["median"]["months"] == 106 / MONTH
    assert found["median"]["interval"] == "log-log"
    assert found["median"]["upper_days"] is None
    assert found["median"]["upper_reason"] == "not_reached"
    three_months, twelve_weeks, two_years = found["landmarks"]
    assert (three_months["survival"], three_months["at_risk"]) == (0.5, 2)
    assert (twelve_weeks["weeks"], twelve_weeks["days"]) == (12, 84)
    assert (twelve_weeks["survival"], twelve_weeks["at_risk"]) == (0.75, 3)
    assert two_years["survival"] is None
    assert two_years["survival_reason"] == "not_estimable"
    assert found["curve"][-1]["lower"] is None
    assert found["definition"]["time_origin"] == "first_dose"


@pytest.mark.usefixtures("six")
def test_overall_survival_and_follow_up(reader: Api) -> None:
    """Deaths on 100 and 200; censored on 50, 127 and 300: S = 3/4, then 3/8."""
    found = report(reader)
    survival = found["os"]
    assert (survival["n"], survival["events"], survival["censored"]) == (5, 2, 3)
    assert [row["survival"] for row in survival["curve"]] == [1, 1, 0.75, 0.75, 0.375, 0.375]
    assert survival["median"]["days"] == 200
    follow_up = found["follow_up"]
    assert follow_up["method"] == "reverse-kaplan-meier"
    months = [follow_up[f"{name}_months"] for name in ("q1", "median", "q3")]
    assert months == [127 / MONTH, 300 / MONTH, 300 / MONTH]
    assert follow_up["observed"]["median_months"] == 127 / MONTH


@pytest.mark.usefixtures("six")
def test_each_patient_with_reasons_and_sources(reader: Api, six: dict[str, Patient]) -> None:
    rows = listed(reader)
    assert list(rows) == [f"S-{number}" for number in range(1, 7)]
    first = rows["S-1"]
    assert first["patient"] == six["S-1"].pk
    assert (first["site"], first["arm"], first["arm_reason"]) == ("01", "A", None)
    assert first["best_response"] == first["confirmed_best_response"] == "PR"
    assert first["best_change_percent"] == -40
    assert first["pfs"]["days"] == 127
    assert first["pfs"]["event"] is True
    assert first["pfs"]["date"] == on(127).isoformat()
    assert first["pfs"]["code"] == "progression"
    assert first["response"] == {
        "first_response_on": on(43).isoformat(), "dor_days": 85, "dor_event": True,
    }  # fmt: skip
    ends = {
        name: (row["pfs"]["days"], row["pfs"]["code"], row["os"]["days"], row["os"]["code"])
        for name, row in rows.items()
    }
    assert ends == {
        "S-1": (127, "progression", 127, "censored_last_known_alive"),
        "S-2": (200, "death", 200, "death"),
        "S-3": (43, "progression", 100, "death"),
        "S-4": (85, "progression", 300, "censored_last_known_alive"),
        "S-5": (None, "no_time_origin", None, "no_time_origin"),
        "S-6": (1, "censored_never_assessed", 50, "censored_last_known_alive"),
    }
    assert rows["S-4"]["best_response"] == "PR"
    assert rows["S-4"]["confirmed_best_response"] == "SD"
    assert rows["S-4"]["response"]["first_response_on"] is None
    assert rows["S-5"]["best_response"] == "NE"
    assert all(row["pfs"]["reason"] and row["best_response_reason"] for row in rows.values())


@pytest.mark.usefixtures("six")
def test_every_source_can_be_read(reader: Api, six: dict[str, Patient], cast: Cast) -> None:
    started = Therapy.objects.create(patient=six["S-6"], started_on=on(60))
    rows = listed(reader)
    assert rows["S-6"]["os"]["source"] == {
        "record": "therapy", "id": started.pk, "field": "started_on",
        "link": f"/api/v1/therapies/{started.pk}/",
    }  # fmt: skip
    sources = [row[key]["source"] for row in rows.values() for key in ("pfs", "os")]
    assert {source["record"] for source in sources if source} == {"visit", "patient", "therapy"}
    for row in rows.values():
        for key in ("pfs", "os"):
            if source := row[key]["source"]:
                record = reader.get(source["link"].removeprefix("/api/v1"))
                assert record.status_code == 200
                assert record.json()["id"] == source["id"]
                assert record.json()[source["field"]] == row[key]["date"]


# What a cutoff knows


CUTOFFS: list[tuple[int, Body, tuple[int, int]]] = [  # -> best responses, PFS events, censored
    (-1, {}, (0, 0)),  # before the enrollment
    (0, {"NE": 6}, (0, 0)),  # the enrollment, before the first dose
    (42, {"NE": 6}, (0, 5)),
    (43, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (1, 4)),
    (84, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (1, 4)),
    (85, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (2, 3)),
    (126, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (2, 3)),
    (127, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (3, 2)),
    (199, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (3, 2)),
    (200, {"PR": 2, "SD": 1, "PD": 1, "NE": 2}, (4, 1)),
]


@pytest.mark.usefixtures("six")
def test_what_lies_after_the_cutoff_is_not_known(reader: Api) -> None:
    for day, best, (events, censored) in CUTOFFS:
        found = report(reader, f"cutoff={on(day)}")
        assert counts(found["best_overall_response"]["unconfirmed"]) == best, day
        assert (found["pfs"]["events"], found["pfs"]["censored"]) == (events, censored), day
    before, after = (report(reader, f"cutoff={on(day)}")["orr"] for day in (84, 85))
    assert (before["responders"], after["responders"]) == (0, 1)  # the confirmation


@pytest.mark.usefixtures("six")
def test_nobody_is_no_error(reader: Api) -> None:
    found = report(reader, "cutoff=1950-01-01")
    assert found["population"]["n"] == 0
    assert found["orr"]["estimate"] is None
    assert found["orr"]["estimate_reason"] == "not_estimable"
    assert found["pfs"]["curve"] == []
    assert found["pfs"]["median"]["days_reason"] == "not_estimable"
    assert found["follow_up"]["median_reason"] == "not_estimable"
    assert listed(reader, "cutoff=1950-01-01") == {}


@pytest.mark.usefixtures("six")
def test_without_a_cutoff_it_is_today_at_the_easternmost_site(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2024, 3, 1, 22, 0, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr("outcomes.options.datetime", Clock)
    assert reader.get(OUTCOMES).json()["cutoff"] == "2024-03-02"


def test_an_equivocal_lesion_dates_back_once_it_is_confirmed(cast: Cast, reader: Api) -> None:
    patient = factories.patient(cast.trial, "S-1")
    by = cast.coordinator
    factories.baseline(patient, by=by)
    seen = factories.follow_up(patient, 43, by=by, new_lesions=(new_lesion("NL01", "equivocal"),))
    factories.follow_up(patient, 85, by=by, new_lesions=(new_lesion("NL01"),))
    before = listed(reader, f"cutoff={on(84)}")["S-1"]
    assert before["best_response"] == "SD"
    assert before["pfs"]["code"] == "censored_last_assessment"
    after = listed(reader, f"cutoff={on(85)}")["S-1"]
    assert after["best_response"] == after["confirmed_best_response"] == "PD"
    assert after["pfs"]["code"] == "progression_dated_back"
    assert (after["pfs"]["days"], after["pfs"]["event"]) == (43, True)
    assert after["pfs"]["source"]["id"] == seen.pk
    assert reader.get(f"/visits/{seen.pk}/").json()["derived"]["overall_response"] == "SD"


# Populations, groups and other choices


POPULATIONS = [
    ("enrolled", 6, 1, 3, 5, 1),
    ("evaluable", 4, 1, 3, 4, 0),
    ("safety", 5, 1, 3, 5, 0),
    ("per_protocol", 6, 1, 3, 5, 1),
]


@pytest.mark.parametrize(("name", "n", "responders", "controlled", "at_risk", "none"), POPULATIONS)
@pytest.mark.usefixtures("six")
def test_a_population_overrides_all(
    reader: Api, name: str, n: int, responders: int, controlled: int, at_risk: int, none: int
) -> None:
    found = report(reader, f"population={name}")
    assert found["population"] == {"name": name, "n": n}
    assert (found["orr"]["responders"], found["orr"]["n"]) == (responders, n)
    assert (found["dcr"]["controlled"], found["dcr"]["n"]) == (controlled, n)
    assert (found["pfs"]["n"], found["pfs"]["no_time_origin"]) == (at_risk, none)
    assert found["orr"]["definition"]["population"] == name
    assert len(listed(reader, f"population={name}")) == n


def test_who_is_enrolled_or_dosed_by_the_cutoff(cast: Cast, reader: Api) -> None:
    factories.patient(cast.trial, "S-1", enrolled_on=None)
    factories.patient(cast.trial, "S-2", enrolled_on=on(10), first_dose_on=on(20))
    sizes = {
        (population, day): report(reader, f"population={population}", f"cutoff={on(day)}")[
            "population"
        ]["n"]
        for population in ("enrolled", "safety")
        for day in (9, 10, 19, 20)
    }
    assert sizes == {
        ("enrolled", 9): 0, ("enrolled", 10): 1, ("enrolled", 19): 1, ("enrolled", 20): 1,
        ("safety", 9): 1, ("safety", 10): 1, ("safety", 19): 1, ("safety", 20): 2,
    }  # fmt: skip


GROUPS = {
    "arm": [("A", 1, 2), ("B", 0, 2), ("unknown", 0, 2)],
    "histology": [("liposarcoma", 0, 1), ("unknown", 1, 5)],
    "site": [("01", 1, 5), ("02", 0, 1)],
    "sex": [("female", 1, 1), ("male", 0, 1), ("unknown", 0, 4)],
    "ecog": [("0", 1, 1), ("1", 0, 1), ("unknown", 0, 4)],
    "age_band": [("unknown", 1, 6)],
    "prior_lines": [("unknown", 1, 6)],
}


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.usefixtures("six")
def test_groups(reader: Api, by: str) -> None:
    found = report(reader, f"group_by={by}")
    shown = [(g["group"], g["orr"]["responders"], g["orr"]["n"]) for g in found["groups"]]
    assert shown == GROUPS[by]
    assert all(set(found) - set(group) == {
        "trial", "cutoff", "known_on", "evaluator", "synthetic", "groups",
    } for group in found["groups"])  # fmt: skip
    assert sum(group["pfs"]["events"] for group in found["groups"]) == found["pfs"]["events"]


def test_groups_are_in_order_and_the_unknown_come_last(cast: Cast, reader: Api) -> None:
    for number, histology in enumerate(("", "vascular sarcoma", "unknown", "Leiomyosarcoma")):
        factories.patient(cast.trial, f"S-{number}", histology=histology)
    groups = report(reader, "group_by=histology")["groups"]
    shown = [(group["group"], group["population"]["n"]) for group in groups]
    assert shown == [("Leiomyosarcoma", 1), ("vascular sarcoma", 1), ("unknown", 2)]


@pytest.mark.usefixtures("six")
def test_a_restricted_mean_is_asked_for(reader: Api) -> None:
    """43 days with everybody and 41 with three quarters; 30.75 to come at 1 of 4: / sqrt(12)."""
    found = report(reader, "rmst=12w")["pfs"]["restricted_mean"]
    assert (found["weeks"], found["days"], found["months"]) == (12, 84, 84 / MONTH)
    assert found["estimate_days"] == pytest.approx(43 + 41 * 0.75)
    assert found["standard_error"] == pytest.approx(30.75 / 12**0.5)
    assert found["lower_days"] == pytest.approx(73.75 - 1.959964 * 30.75 / 12**0.5)
    assert (found["upper_days"], found["reason"]) == (84, None)
    beyond = report(reader, "rmst=12")["os"]["restricted_mean"]
    assert (beyond["months"], beyond["weeks"]) == (12, None)
    assert (beyond["estimate_days"], beyond["lower_days"]) == (None, None)
    assert beyond["reason"] == "not_estimable"
    assert report(reader)["pfs"]["restricted_mean"] is None


@pytest.mark.usefixtures("six")
def test_counts_are_asked_for_and_labeled(reader: Api) -> None:
    """PFS ends on 1 (censored), 43, 85, 127, 200; on day 85 there is an event."""
    found = report(reader, "counts=true", "landmarks=12w,3,24")
    counted = [at["counted"] for at in found["pfs"]["landmarks"]]
    assert [(c["k"], c["n"]) for c in counted] == [(3, 5), (2, 5), (0, 5)]
    assert counted[0]["estimate"] == 0.6  # Kaplan-Meier has 0.75: one was censored on day 1
    assert counted[0]["lower"] == pytest.approx(0.1466328)  # Clopper-Pearson, 3 of 5
    assert counted[0]["upper"] == pytest.approx(0.9472550)
    assert counted[0]["interval"] == "clopper-pearson"
    assert counted[0]["label"].startswith("k/n: patients known to be event-free")
    assert [at["counted"]["k"] for at in found["os"]["landmarks"]] == [4, 4, 0]
    for query in ("counts=false", "counts="):
        assert {at["counted"] for at in report(reader, query)["pfs"]["landmarks"]} == {None}
    nobody = report(reader, "counts=true", "cutoff=1950-01-01")["os"]["landmarks"][0]["counted"]
    assert (nobody["n"], nobody["estimate"]) == (0, None)
    assert nobody["estimate_reason"] == "not_estimable"


INTERVALS = [
    ("clopper-pearson", 1 - 0.975**0.25, 0.8058796),
    ("wilson", 0.0455874, 0.6993582),
    ("wald", 0, 0.6743446),
]


@pytest.mark.parametrize(("name", "lower", "upper"), INTERVALS)
@pytest.mark.usefixtures("six")
def test_a_proportions_interval(reader: Api, name: str, lower: float, upper: float) -> None:
    """One of four."""
    found = report(reader, "population=evaluable", f"proportion_interval={name}")["orr"]
    assert found["interval"] == name
    assert found["lower"] == pytest.approx(lower, abs=5e-6)
    assert found["upper"] == pytest.approx(upper, abs=5e-6)


@pytest.mark.usefixtures("six")
def test_a_medians_interval(reader: Api) -> None:
    """SPSS has no midpoint; S(85) = 1/2 with Greenwood's error 1/4 = sqrt(1/4 (1/12 + 1/6))."""
    found = report(reader, "survival_interval=spss")
    median = found["pfs"]["median"]
    assert (median["days"], median["interval"]) == (85, "spss")
    slope = (0.75 - 0.25) / (127 - 43)
    assert median["lower_days"] == pytest.approx(85 - 1.96 * 0.25 / slope)
    assert median["upper_days"] == pytest.approx(85 + 1.96 * 0.25 / slope)
    default = report(reader)
    assert found["pfs"]["curve"] == default["pfs"]["curve"]
    plain = report(reader, "survival_interval=plain")["pfs"]["curve"][3]
    assert plain["lower"] == pytest.approx(0.5 - 1.959964 * 0.25)
    assert default["os"]["median"]["interval"] == "log-log"


REFUSED = [
    ("cutoff=yesterday", "cutoff"),
    ("cutoff=2024-02-30", "cutoff"),
    ("cutoff=2024-01-01T00:00", "cutoff"),
    ("cutoff=%00", "cutoff"),
    ("population=everybody", "population"),
    ("group_by=age", "group_by"),
    ("group_by=arm,site", "group_by"),
    ("survival_interval=exact", "survival_interval"),
    ("proportion_interval=spss", "proportion_interval"),
    ("landmarks=x", "landmarks"),
    ("landmarks=3,", "landmarks"),
    ("landmarks=-3", "landmarks"),
    ("landmarks=1.5", "landmarks"),
    ("landmarks=12d", "landmarks"),
    ("landmarks=99999", "landmarks"),
    ("landmarks=" + ",".join(["3"] * 21), "landmarks"),
    ("definition=0", "definition"),
    ("definition=x", "definition"),
    ("stratify_by=arm", "stratify_by"),
    ("stratify_by=age", "stratify_by"),
    ("ties=exact", "ties"),
    ("rmst=0", "rmst"),
    ("rmst=0w", "rmst"),
    ("rmst=6,12", "rmst"),
    ("rmst=1e3", "rmst"),
    ("counts=yes", "counts"),
    ("trial=NCT00000001", "trial"),
    ("Cutoff=2024-01-01", "Cutoff"),
]


@pytest.mark.parametrize(("query", "parameter"), REFUSED)
@pytest.mark.parametrize("path", [OUTCOMES, PATIENTS])
def test_a_useless_parameter_is_named(reader: Api, path: str, query: str, parameter: str) -> None:
    response = reader.get(f"{path}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["parameter"] == parameter
    as_csv = reader.get(f"{path}?{query}", accept="text/csv")
    assert as_csv.status_code == 400
    assert as_csv["Content-Type"] == "application/problem+json"
    assert as_csv.json() == response.json()


@pytest.mark.usefixtures("six")
def test_patients_are_paged(reader: Api) -> None:
    page = reader.get(f"{PATIENTS}?{END}&page_size=4&page=2").json()
    assert page["count"] == 6
    assert [row["subject_id"] for row in page["results"]] == ["S-5", "S-6"]
    assert page["previous"].endswith(f"{PATIENTS}?{END}&page_size=4")
    assert reader.get(f"{PATIENTS}?page_size=501").json()["parameter"] == "page_size"
    assert reader.get(f"{PATIENTS}?page=9").status_code == 404


# Endpoints


def endpoint(cast: Cast, kind: str, name: str = "", **definition: Any) -> Endpoint:
    """An endpoint of the trial."""
    return Endpoint.objects.create(trial=cast.trial, kind=kind, name=name, definition=definition)


@pytest.mark.usefixtures("six")
def test_an_endpoints_own_definition_rules(cast: Cast, reader: Api) -> None:
    endpoint(cast, "ORR", confirmation={"required": False}, proportion_interval="wilson")
    endpoint(cast, "PFS", time_origin="enrollment", population="evaluable")
    found = report(reader)
    assert (found["orr"]["responders"], found["orr"]["interval"]) == (2, "wilson")
    assert found["orr"]["confirmed"] is False
    assert found["dcr"]["confirmed"] is True
    assert (found["pfs"]["n"], found["pfs"]["median"]["days"]) == (4, 107)
    assert found["os"]["n"] == 5
    assert listed(reader)["S-1"]["pfs"]["days"] == 128


@pytest.mark.usefixtures("six")
def test_a_second_definition_of_a_kind_is_additional(cast: Cast, reader: Api) -> None:
    endpoint(cast, "PFS", "primary")
    second = endpoint(cast, "PFS", "from enrollment", time_origin="enrollment")
    endpoint(cast, "ORR")
    unconfirmed = endpoint(cast, "ORR", "unconfirmed", confirmation={"required": False})
    found = report(reader)
    assert found["pfs"]["median"]["days"] == 106
    first, other = found["additional"]
    assert (first["kind"], first["name"], first["responders"]) == ("ORR", "unconfirmed", 2)
    assert (other["kind"], other["name"]) == ("PFS", "from enrollment")
    assert (other["n"], other["median"]["days"]) == (6, 107)  # S-5 is enrolled: censored on day 1
    chosen = report(reader, f"definition={second.pk}")
    assert chosen["pfs"]["definition"]["time_origin"] == "enrollment"
    assert [a["name"] for a in chosen["additional"]] == ["unconfirmed", "primary"]
    assert report(reader, f"definition={unconfirmed.pk}")["orr"]["responders"] == 2
    assert listed(reader, f"definition={second.pk}")["S-1"]["pfs"]["days"] == 128
    foreign = Endpoint.objects.create(trial=factories.trial("NCT00000002"), kind="PFS")
    response = reader.get(f"{OUTCOMES}?definition={foreign.pk}")
    assert response.status_code == 400
    assert response.json()["parameter"] == "definition"


@pytest.mark.usefixtures("six")
def test_benefit_duration_and_time_to_response(cast: Cast, reader: Api) -> None:
    for kind in ("CBR", "DOR", "TTR"):
        endpoint(cast, kind, min_benefit_days=84)
    found = report(reader)
    assert (found["cbr"]["benefited"], found["cbr"]["n"]) == (2, 6)  # S-1 responds, S-2 lasts
    assert (found["dor"]["n"], found["dor"]["median"]["days"]) == (1, 85)
    assert found["ttr"]["median"]["days"] == 43
    assert found["ttr"]["quartiles"]["median_months"] == 43 / MONTH


@pytest.fixture
def responders(cast: Cast) -> None:
    """Five patients, the first dose on day 1.

    R-1 PR on 43, confirmed on 85, PD on 127       responds for 85 days
    R-2 SD on 43, PR on 85, confirmed on 127       responds for 43 days and longer
    R-3 PR on 43, confirmed on 85, died on 169     responds for 127 days
    N-1 SD to day 169, which is 168 days after day 1
    N-2 SD to day 168
    """
    response, stable, progression = (30, 20), (50, 30), (60, 40)
    rows: dict[str, tuple[list[tuple[int, tuple[int, int]]], Body]] = {
        "R-1": ([(43, response), (85, response), (127, progression)], {}),
        "R-2": ([(43, stable), (85, response), (127, response)], {}),
        "R-3": ([(43, response), (85, response)], {"died_on": on(169)}),
        "N-1": ([(85, stable), (169, stable)], {}),
        "N-2": ([(85, stable), (168, stable)], {}),
    }
    for subject_id, (visits, facts) in rows.items():
        patient = factories.patient(cast.trial, subject_id, **facts)
        factories.baseline(patient, by=cast.superuser)
        for day, mm in visits:
            factories.follow_up(patient, day, mm, by=cast.superuser)


@pytest.mark.usefixtures("responders")
def test_duration_of_response_by_hand(cast: Cast, reader: Api) -> None:
    """85 and 127 days, one censored on day 43: S = 1/2 from 85 to 127, then 0."""
    endpoint(cast, "DOR")
    found = report(reader, "landmarks=2,3")["dor"]
    assert (found["n"], found["events"], found["censored"]) == (3, 2, 1)
    assert [(r["days"], r["at_risk"], r["survival"]) for r in found["curve"]] == [
        (0, 3, 1), (43, 3, 1), (85, 2, 0.5), (127, 1, 0),
    ]  # fmt: skip
    assert found["median"]["days"] == 106
    assert found["no_time_origin"] == 0
    assert [at["survival"] for at in found["landmarks"]] == [1, 0.5]
    earlier = report(reader, f"cutoff={on(126)}")["dor"]  # R-2 is not confirmed yet
    assert (earlier["n"], earlier["events"]) == (2, 0)


@pytest.mark.usefixtures("responders")
def test_time_to_response_by_hand(cast: Cast, reader: Api) -> None:
    """43, 43 and 85 days: quartiles 43, 43 and 64, half way between the last two."""
    endpoint(cast, "TTR")
    found = report(reader)["ttr"]
    assert (found["n"], found["events"], found["censored"]) == (3, 3, 0)
    quartiles = [found["quartiles"][f"{name}_months"] for name in ("q1", "median", "q3")]
    assert quartiles == [43 / MONTH, 43 / MONTH, 64 / MONTH]
    assert found["quartiles"]["method"] == "observed"
    assert found["median"]["days"] == 43
    assert (
        report(reader, f"cutoff={on(42)}")["ttr"]["quartiles"]["median_reason"] == "not_estimable"
    )


@pytest.mark.usefixtures("responders")
def test_clinical_benefit_by_hand(cast: Cast, reader: Api) -> None:
    endpoint(cast, "CBR")
    found = report(reader)["cbr"]
    assert (found["benefited"], found["n"], found["estimate"]) == (4, 5, 0.8)
    assert found["lower"] == pytest.approx(0.2835821)  # Clopper-Pearson, 4 of 5
    assert found["upper"] == pytest.approx(0.9949492)
    Endpoint.objects.update(definition={"min_benefit_days": 112})
    assert report(reader)["cbr"]["benefited"] == 5
    Endpoint.objects.update(definition={"min_benefit_days": 112, "confirmation": {"min_days": 43}})
    assert report(reader)["cbr"]["benefited"] == 3  # nobody responds; progress or end


@pytest.mark.usefixtures("six")
def test_new_therapy_ends_a_best_response(cast: Cast, six: dict[str, Patient], reader: Api) -> None:
    Therapy.objects.create(patient=six["S-1"], started_on=on(84))
    assert report(reader)["orr"]["responders"] == 0  # the confirmation came after it
    Therapy.objects.update(kind="surgery")
    assert report(reader)["orr"]["responders"] == 1
    Therapy.objects.update(kind="systemic", voided_at="2024-06-01T00:00Z")
    assert report(reader)["orr"]["responders"] == 1


# Who sees what


@pytest.mark.usefixtures("six")
def test_a_coordinators_n_is_the_own_site(cast: Cast, api: Login) -> None:
    assert report(api(cast.coordinator))["population"]["n"] == 5
    assert report(api(cast.outsider))["population"]["n"] == 1
    assert list(listed(api(cast.outsider))) == ["S-6"]
    for who in ("investigator", "administrator", "viewer", "superuser"):
        assert report(api(getattr(cast, who)))["population"]["n"] == 6


@pytest.mark.usefixtures("six")
def test_a_strangers_trial_does_not_exist(cast: Cast, api: Login) -> None:
    client = api(cast.stranger)
    for foreign, unknown in (
        (OUTCOMES, "/trials/X/outcomes/"),
        (PATIENTS, "/trials/X/outcomes/patients/"),
    ):
        assert client.get(foreign).status_code == 404
        assert client.get(foreign).content == client.get(unknown).content


def test_a_voided_patient_or_visit_does_not_count(
    cast: Cast, api: Login, six: dict[str, Patient], reader: Api
) -> None:
    last = six["S-1"].visits.latest("date")
    why = {"reason": "wrong patient"}
    assert reader.post(f"/visits/{last.pk}/void/", why, if_match='"1"').status_code == 200
    assert listed(reader)["S-1"]["pfs"]["code"] == "censored_last_assessment"
    reader.post(f"/patients/{six['S-1'].pk}/void/", why, if_match='"1"')
    found = report(reader)
    assert (found["population"]["n"], found["orr"]["responders"]) == (5, 0)
    assert "S-1" not in listed(reader)


# Masked trials


MASKED_READERS = ["coordinator", "investigator", "administrator", "viewer", "superuser"]


@pytest.mark.parametrize("who", MASKED_READERS)
def test_a_masked_trial_reports_no_arms(
    cast: Cast, api: Login, six: dict[str, Patient], who: str
) -> None:
    Arm.objects.filter(name="A").update(name="canary-of-the-arm")
    Trial.objects.update(masking="DOUBLE")
    client = api(getattr(cast, who))
    for query in ("", "?group_by=site", "?format=csv"):
        for path in (OUTCOMES, PATIENTS):
            answer = client.get(f"{path}{query}")
            assert answer.status_code == 200
            assert b"canary" not in answer.content
    row = listed(client)["S-1"] if who != "outsider" else {}
    assert (row["arm"], row["arm_reason"]) == (None, "blinded")
    for path in (OUTCOMES, PATIENTS):
        refused = client.get(f"{path}?group_by=arm")
        assert refused.status_code == 400
        assert refused.json()["parameter"] == "group_by"
        assert refused.json()["detail"] == (
            "One of: histology, site, sex, ecog, age_band, prior_lines."
        )


@pytest.mark.usefixtures("six")
def test_an_open_trial_is_not_masked(reader: Api) -> None:
    for masking in ("", "NONE"):
        Trial.objects.update(masking=masking)
        assert listed(reader)["S-1"]["arm"] == "A"
        assert len(report(reader, "group_by=arm")["groups"]) == 3


# CSV


def cells(response: HttpResponse) -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_csv_has_every_patient_and_no_formulas(
    six: dict[str, Patient], reader: Api, arms: dict[str, Arm]
) -> None:
    Arm.objects.filter(name="A").update(name="=HYPERLINK(1)")
    Patient.objects.filter(subject_id="S-2").update(histology="@SUM(1)")
    rows = cells(reader.get(f"{PATIENTS}?{END}&page_size=2", accept="text/csv"))
    assert [row["subject_id"] for row in rows] == [f"S-{number}" for number in range(1, 7)]
    assert rows[0]["arm"] == "'=HYPERLINK(1)"
    assert (rows[0]["pfs_days"], rows[0]["pfs_event"]) == ("127", "True")
    assert rows[0]["best_change_percent"] == "-40.0"  # a number stays one
    assert rows[4]["pfs_code"] == "no_time_origin"
    rows = cells(reader.get(f"{OUTCOMES}?{END}&group_by=histology", accept="text/csv"))
    whole = {
        (r["endpoint"], r["statistic"], r["at_days"]): r["value"] for r in rows if not r["group"]
    }
    assert whole["ORR", "responders", ""] == "1"
    assert whole["PFS", "curve", "43"] == "0.75"
    assert "'@SUM(1)" in {r["group"] for r in rows}


def test_other_formats_are_refused(reader: Api) -> None:
    assert reader.get(OUTCOMES, accept="application/xml").status_code == 406
    assert reader.get(f"{OUTCOMES}?format=xml").json()["parameter"] == "format"
