"""CSV of both outcome endpoints: the numbers of the JSON, one by one, and no formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from outcomes.report import tables
from patients.models import Allocation, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Arm, Endpoint

Login = Callable[[Any], Api]
OUTCOMES = "/trials/NCT00000001/outcomes/"
PATIENTS = f"{OUTCOMES}patients/"
QUERY = "cutoff=2024-12-31&group_by=histology&landmarks=3,12w&rmst=6&counts=true"


@pytest.fixture
def reader(cast: Cast, api: Login) -> Api:
    """The trial's investigator, and a trial with every kind of endpoint, two arms and names."""
    for kind in ("ORR", "CBR", "DOR", "TTR", "PFS"):
        Endpoint.objects.create(trial=cast.trial, kind=kind)
    Endpoint.objects.create(trial=cast.trial, kind="PFS", name="=from enrollment")
    Endpoint.objects.create(trial=cast.trial, kind="ORR", name="unconfirmed")
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in ("A", "@B")]
    courses = {"平滑肌肉瘤": (30, 20), "=SUM(1)": (50, 30), "": (80, 40)}
    for index, (histology, mm) in enumerate(courses.items()):
        patient = factories.patient(cast.trial, f"S-{index}", histology=histology)
        factories.baseline(patient, by=cast.superuser)
        factories.follow_up(patient, 43, mm, by=cast.superuser)
        factories.follow_up(patient, 85, mm, by=cast.superuser)
        Allocation.objects.create(patient=patient, trial=cast.trial, arm=arms[index % 2])
    Patient.objects.filter(subject_id="S-1").update(died_on=START + timedelta(days=150))
    return api(cast.investigator)


def cells(response: HttpResponse, encoding: str = "utf-8") -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = response.content.decode(encoding)
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def both(reader: Api, path: str = OUTCOMES, query: str = QUERY) -> tuple[Any, list[dict[str, str]]]:
    """The same as JSON and as CSV."""
    url = f"{path}?{query}"
    return reader.get(url).json(), cells(reader.get(url, accept="text/csv"))


def row(rows: list[dict[str, str]], **wanted: str) -> dict[str, str]:
    """The one row that has these cells; all patients unless a group is named."""
    found = [r for r in rows if all(r[k] == v for k, v in ({"group": ""} | wanted).items())]
    assert len(found) == 1, (wanted, found)
    return found[0]


def same(cell: str, value: object) -> bool:
    """Whether a cell says what JSON says: a blank is null, a number is the same float."""
    if value is None or isinstance(value, str | bool):
        return cell == ("" if value is None else str(value))
    return float(cell) == value


def numbers(section: Any) -> Iterator[float]:
    """Every number of a JSON document but definitions and what is a unit of another."""
    derived = ("months", "lower_months", "upper_months", "weeks", "p")  # p: it names a quantile
    for key, value in section.items() if isinstance(section, dict) else enumerate(section):
        if key in ("definition", "groups", "comparison"):
            continue
        if key in derived and "days" in section:
            continue
        if isinstance(value, dict | list):
            yield from numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)


def test_no_number_of_the_report_is_missing(reader: Api) -> None:
    """Not one: whatever stands in JSON, for all patients and for each group, stands in a cell."""
    document, rows = both(reader)
    for group, section in [("", document), *((g["group"], g) for g in document["groups"])]:
        named = group if not group.startswith("=") else f"'{group}"
        shown = {
            float(cell)
            for r in rows
            if r["group"] == named
            for column, cell in r.items()
            if cell and column in ("value", "lower", "upper", "n", "events", "censored", "at_risk",
                                   "at_days", "confidence_level", "standard_error")
        }  # fmt: skip
        assert set(numbers(section)) <= shown


def test_rates(reader: Api) -> None:
    document, rows = both(reader)
    for kind, k in (("orr", "responders"), ("dcr", "controlled"), ("cbr", "benefited")):
        rate, found = document[kind], row(rows, endpoint=kind.upper(), name="", statistic="rate")
        assert same(found["value"], rate["estimate"])
        assert same(found["lower"], rate["lower"])
        assert same(found["upper"], rate["upper"])
        assert (found["interval"], found["n"]) == (rate["interval"], "3")
        assert same(found["reason"], rate["estimate_reason"])
        assert same(row(rows, endpoint=kind.upper(), name="", statistic=k)["value"], rate[k])
    assert row(rows, endpoint="ORR", name="unconfirmed", statistic="responders")["value"] == "1"


def test_best_responses(reader: Api) -> None:
    document, rows = both(reader)
    for name, counts in document["best_overall_response"].items():
        for response, n in counts.items():
            found = row(rows, endpoint="BOR", name=name, at_label=response)
            assert (found["value"], found["n"]) == (str(n), "3")


@pytest.mark.parametrize("kind", ["pfs", "os", "dor", "ttr"])
def test_times_to_event(reader: Api, kind: str) -> None:
    document, rows = both(reader)
    of, found = {"endpoint": kind.upper(), "name": ""}, document[kind]
    median, shown = found["median"], row(rows, statistic="median", **of)
    for column, key in (("value", "days"), ("lower", "lower_days"), ("upper", "upper_days")):
        assert same(shown[column], median[key])
    for column, key in (("reason", "days_reason"), ("lower_reason", "lower_reason")):
        assert same(shown[column], median[key])
    for at, label in zip(found["landmarks"], ("3 months", "12 weeks"), strict=True):
        here = row(rows, statistic="landmark", at_label=label, **of)
        for column, key in (("value", "survival"), ("lower", "lower"), ("at_risk", "at_risk")):
            assert same(here[column], at[key])
        assert same(here["at_days"], at["days"])
        if at["counted"]:
            counted = row(rows, statistic="event_free_k_of_n", at_label=label, **of)
            assert same(counted["value"], at["counted"]["estimate"])
    curve = [r for r in rows if r["group"] == "" and r["statistic"] == "curve"]
    points = [r for r in curve if (r["endpoint"], r["name"]) == (kind.upper(), "")]
    for point, here in zip(found["curve"], points, strict=True):
        assert same(here["at_days"], point["days"])
        assert same(here["value"], point["survival"])
        for key in ("lower", "upper", "at_risk", "events", "censored"):
            assert same(here[key], point[key])


def test_follow_up_and_comparison(reader: Api) -> None:
    document, rows = both(reader)
    for method, follow_up in (
        ("reverse-kaplan-meier", document["follow_up"]),
        ("observed", document["follow_up"]["observed"]),
    ):
        for name in ("q1", "median", "q3"):
            found = row(rows, endpoint="FOLLOW_UP", statistic=f"{name}_{method}")
            assert same(found["value"], follow_up[f"{name}_months"])
            assert same(found["reason"], follow_up[f"{name}_reason"])
    compared = document["comparison"]
    (ratio,), (difference,) = compared["hazard_ratios"], compared["rate_differences"]
    found = row(rows, endpoint="PFS", statistic="hazard_ratio_efron")
    assert same(found["value"], ratio["estimate"])
    assert same(found["reason"], ratio["reason"])
    assert found["at_label"] == "'@B / A"
    found = row(rows, endpoint="ORR", statistic="rate_difference")
    assert same(found["lower"], difference["lower"])
    assert same(row(rows, statistic="fisher_p")["value"], difference["fisher_p"])
    test = compared["overall_survival"]["log_rank"] or {"p": None}
    assert same(row(rows, endpoint="OS", statistic="log_rank_p")["value"], test["p"])


def test_every_row_says_of_what_it_is(reader: Api) -> None:
    _document, rows = both(reader)
    assert tuple(rows[0]) == tables.COLUMNS
    for found in rows:
        assert (found["trial"], found["cutoff"]) == ("NCT00000001", "2024-12-31")
        assert found["population"] == "enrolled"
        assert found["statistic"]
    assert {r["group"] for r in rows} == {"", "平滑肌肉瘤", "'=SUM(1)", "unknown"}
    assert {r["name"] for r in rows} >= {"'=from enrollment"}


def test_patients(cast: Cast, reader: Api) -> None:
    factories.patient(cast.trial, "S-9", enrolled_on=START, first_dose_on=None)  # no source at all
    document, rows = both(reader, PATIENTS, "cutoff=2024-12-31&page_size=1")
    assert document["count"] == len(rows) == 4  # CSV has no pages
    whole = reader.get(f"{PATIENTS}?cutoff=2024-12-31").json()["results"]
    for patient, found in zip(whole, rows, strict=True):
        for key, value in _leaves(patient):
            assert same(found[key], f"'{value}" if value == "@B" else value), key


def _leaves(document: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if key == "source" and value is None:
            continue  # its columns are blank
        nested = isinstance(value, dict)
        yield from _leaves(value, f"{prefix}{key}_") if nested else [(f"{prefix}{key}", value)]


def test_columns_do_not_depend_on_rows(cast: Cast, api: Login) -> None:
    client = api(cast.investigator)
    answer = client.get(PATIENTS, accept="text/csv")
    header = answer.content.decode().strip().split(",")
    assert cells(answer) == []
    assert header == list(tables.PATIENT_COLUMNS)
    assert "pfs_source_link" in header
    nobody = cells(client.get(OUTCOMES, accept="text/csv"))
    assert row(nobody, endpoint="ORR", statistic="rate")["reason"] == "not_estimable"


def test_it_is_a_file_with_a_name(reader: Api) -> None:
    for path, name in ((OUTCOMES, "outcomes"), (PATIENTS, "patients")):
        answer = reader.get(f"{path}?cutoff=2024-12-31", accept="text/csv")
        file = f"NCT00000001-{name}-2024-12-31.csv"
        assert answer["Content-Disposition"] == f'attachment; filename="{file}"'
        assert "Content-Disposition" not in reader.get(path)


def test_a_link_gives_a_file_that_excel_reads(reader: Api) -> None:
    """A byte order mark for who clicks, none for who asks by Accept; their ETags differ."""
    asked, linked = reader.get(OUTCOMES, accept="text/csv"), reader.get(f"{OUTCOMES}?format=csv")
    assert linked.content == b"\xef\xbb\xbf" + asked.content
    assert linked["ETag"] != asked["ETag"]
    assert cells(linked, "utf-8-sig") == cells(asked)


RISKY = [
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "\xa0+1", "＝1", "＋1",
    "－1", "＠x", "\tx", "\rx", "  -2+3",
]  # fmt: skip
HARMLESS = ["1=1", "a@b", "x", "", "平滑肌肉瘤", "(=1)", "'", "NCT-1"]


@pytest.mark.parametrize("text", RISKY)
def test_formulas_are_neutralized(text: str) -> None:
    table = io.StringIO(tables.csv_text(["a"], [{"a": text}]), newline="")
    assert list(csv.DictReader(table)) == [{"a": f"'{text}"}]


@pytest.mark.parametrize("value", [*HARMLESS, -40.0, -1, 0.1, None, True])
def test_everything_else_stays(value: Any) -> None:
    text = tables.csv_text(["a", "b"], [{"a": value, "b": 1}])
    assert text == f"a,b\r\n{'' if value is None else value},1\r\n"
