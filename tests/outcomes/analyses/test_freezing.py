"""Frozen analyses: what is kept, that it stays, and that it comes out again bit for bit."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from outcomes import analyses, canonical, report
from outcomes.analyses import Outcome, freeze, reproduce
from outcomes.analyses.inputs import FORMAT, Inputs, columns_of, read, result_of
from outcomes.models import METHODS_VERSION, REVIEWER, Analysis
from outcomes.report import LandmarkTime, Options
from patients.models import Allocation, Patient, Therapy
from registry.errors import Conflict
from tests import factories
from tests.conftest import Cast
from tests.factories import START, new_lesion
from tests.registry.test_audit import as_owner, refused
from trials.models import Arm, Endpoint, Trial
from trials.vocabularies import Role

CUTOFF = START + timedelta(days=200)
EVERYTHING = Options(
    cutoff=CUTOFF,
    group_by="sex",
    landmarks=(LandmarkTime(3), LandmarkTime(12, "weeks")),
    known_on=None,
    stratify_by="site",
    restricted_mean=LandmarkTime(6),
    counts=True,
)


def populated(cast: Cast) -> Trial:
    """A trial with two arms, definitions of its own and a row of every kind that facts hold."""
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in "AB"]
    Endpoint.objects.create(trial=cast.trial, kind="PFS", definition={"censoring": {"rule": "fda"}})
    Endpoint.objects.create(trial=cast.trial, kind="PFS", name="EMA")
    for number in range(6):
        sex = ("female", "male", "unknown")[number % 3]
        row = factories.patient(
            cast.trial, f"0{number % 2 + 1}-10{number}", site=f"0{number % 2 + 1}", sex=sex
        )
        Allocation.objects.create(patient=row, trial=cast.trial, arm=arms[number % 2])
        course(row, number, cast)
    return cast.trial


def course(row: Patient, number: int, cast: Cast) -> None:
    """Shrinking, equivocal then sure new lesions, a therapy or a death."""
    factories.baseline(row, by=cast.superuser)
    equivocal = [new_lesion(f"NL0{n}", "equivocal") for n in (1, 2, 3)]
    factories.follow_up(row, 43, (30, 15 + number), by=cast.superuser, new_lesions=tuple(equivocal))
    factories.follow_up(row, 85, (25 + 10 * number, "7.35"), by=cast.superuser)
    Therapy.objects.create(patient=row, started_on=START + timedelta(days=120 + number))
    if number > 3:
        Patient.objects.filter(pk=row.pk).update(died_on=START + timedelta(days=150 + number))


def frozen(cast: Cast, name: str = "Interim", options: Options | None = None) -> Analysis:
    """An analysis by the administrator."""
    options = options or Options(cutoff=CUTOFF)
    return freeze(trial=cast.trial, by=cast.administrator, name=name, note="", options=options)


def test_it_keeps_the_inputs_the_result_and_their_digests(cast: Cast) -> None:
    populated(cast)
    row = frozen(cast)
    assert hashlib.sha256(row.inputs.encode()).hexdigest() == row.inputs_sha256
    assert hashlib.sha256(row.result.encode()).hexdigest() == row.result_sha256
    inputs, result = json.loads(row.inputs), json.loads(row.result)
    assert (inputs["format"], inputs["methods_version"]) == (FORMAT, METHODS_VERSION)
    assert [(e["kind"], e["name"]) for e in inputs["endpoints"]] == [
        ("PFS", ""), ("PFS", "EMA"), ("ORR", ""), ("DCR", ""), ("OS", ""),
    ]  # fmt: skip
    assert inputs["endpoints"][0]["definition"]["censoring"]["rule"] == "fda"
    first = inputs["patients"][0]
    assert (first["subject_id"], first["arm"]) == ("01-100", "A")
    assert [record["equivocal"] for record in first["history"]["records"]] == [
        ["NL01", "NL02", "NL03"], [],
    ]  # fmt: skip
    assert [sum_mm for _visit, sum_mm, _first in first["sums"]] == ["45.00", "32.35"]
    assert result["report"]["population"]["n"] == row.patients == 6
    assert [line["subject_id"] for line in result["patients"]][:2] == ["01-100", "01-102"]


def test_what_is_kept_is_what_was_read(cast: Cast) -> None:
    trial = populated(cast)
    inputs = read(trial, user=cast.administrator, options=EVERYTHING)
    again = Inputs.parse(canonical.text(inputs))
    assert again.patients == inputs.patients
    assert again.safety == inputs.safety
    assert again.options == EVERYTHING
    assert again.endpoints == inputs.endpoints
    assert columns_of(again.as_trial()) == columns_of(trial)


def test_whatever_happens_later_it_comes_out_again(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    trial = populated(cast)
    row = frozen(cast, options=EVERYTHING)
    Endpoint.objects.filter(trial=trial).update(definition={"time_origin": "enrollment"})
    Trial.objects.filter(pk=trial.pk).update(assessment_interval_days=84)
    Patient.objects.filter(trial=trial).update(died_on=START + timedelta(days=100), sex="male")
    factories.patient(trial, "01-900")
    _found, now = result_of(read(trial, user=cast.administrator, options=EVERYTHING))
    row = Analysis.objects.get(pk=row.pk)
    assert canonical.sha256(now) != row.result_sha256
    with translation.override("zh-hans"), django_assert_num_queries(0):
        found = reproduce(row)
    assert (found.outcome, found.result_sha256) == (Outcome.REPRODUCED, row.result_sha256)


def test_a_past_moment_can_be_frozen(cast: Cast) -> None:
    populated(cast)
    early = Options(cutoff=CUTOFF, known_on=datetime(2000, 1, 1, tzinfo=UTC))
    row = frozen(cast, options=early)
    assert (row.patients, row.known_on) == (0, early.known_on)
    assert json.loads(row.inputs)["options"]["known_on"] == "2000-01-01T00:00:00+00:00"
    assert reproduce(row).outcome is Outcome.REPRODUCED


PROGRAM = """
import sys, django
django.setup()
from outcomes import canonical
from outcomes.analyses.inputs import Inputs, result_of
kept = sys.stdin.read()
inputs = Inputs.parse(kept)
print(canonical.sha256(canonical.text(inputs)), canonical.sha256(result_of(inputs)[1]))
"""


@pytest.mark.parametrize("seed", ["1", "2718"])
def test_another_process_with_another_hash_seed_finds_the_same_bits(cast: Cast, seed: str) -> None:
    populated(cast)
    row = frozen(cast, options=EVERYTHING)
    environment = os.environ | {
        "PYTHONHASHSEED": seed,
        "DJANGO_SETTINGS_MODULE": "registry.settings",
    }
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=row.inputs, env=environment, cwd=root,
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.split() == [row.inputs_sha256, row.result_sha256]


# Nobody can change it


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outcomes_analysis SET name = 'x'", "UPDATE outcomes_analysis SET inputs = '{}'",
        "DELETE FROM outcomes_analysis", "TRUNCATE outcomes_analysis CASCADE",
        "ALTER TABLE outcomes_analysis DISABLE TRIGGER ALL",
    ],
)  # fmt: skip
def test_it_stays_as_it_is(cast: Cast, statement: str) -> None:
    frozen(cast)
    refused(statement)
    if not statement.startswith("ALTER"):
        with as_owner():
            refused(statement)


def forged(row: Analysis, **columns: str) -> Analysis:
    """As if somebody had got round the triggers."""
    for name, value in columns.items():
        setattr(row, name, value)
    return row


def test_a_forged_one_is_found_out(cast: Cast) -> None:
    populated(cast)
    row = frozen(cast)
    died = row.inputs.replace('"died_on":null', '"died_on":"2024-03-01"', 1)
    assert died != row.inputs
    for columns in (
        {"inputs": died},
        {"inputs": "{}"},
        {"result": row.result.replace('"responders":', '"responders":1', 1)},
    ):
        fresh = Analysis.objects.get(pk=row.pk)
        assert reproduce(forged(fresh, **columns)).outcome is Outcome.ALTERED


def test_another_result_says_where(cast: Cast) -> None:
    """As if the methods had counted one responder more when it was frozen."""
    populated(cast)
    row = frozen(cast)
    result = json.loads(row.result)
    counted = result["report"]["orr"]["responders"]
    result["report"]["orr"]["responders"] = counted + 1
    text = canonical.text(result)
    found = reproduce(forged(row, result=text, result_sha256=canonical.sha256(text)))
    assert found.outcome is Outcome.DIFFERENT
    assert [(d.pointer, d.stored, d.found) for d in found.differences] == [
        ("/report/orr/responders", counted + 1, counted)
    ]


def test_inputs_that_todays_code_cannot_read_say_so(cast: Cast) -> None:
    row = frozen(cast)
    text = canonical.text({"format": FORMAT})
    found = reproduce(forged(row, inputs=text, inputs_sha256=canonical.sha256(text)))
    assert (found.outcome, found.computed) == (Outcome.UNREADABLE, None)


# Who may


def test_administrators_and_statisticians_of_the_whole_trial_freeze(cast: Cast) -> None:
    statistician, local = factories.user("statistician"), factories.user("local")
    factories.membership(statistician, cast.trial, Role.STATISTICIAN)
    factories.membership(local, cast.trial, Role.STATISTICIAN, "01")
    for by in (cast.administrator, statistician, cast.superuser):
        freeze(trial=cast.trial, by=by, name=by.username, note="", options=Options(CUTOFF))
    for by in (cast.coordinator, cast.investigator, cast.viewer, local, cast.stranger):
        with pytest.raises(PermissionDenied):
            freeze(trial=cast.trial, by=by, name="x", note="", options=Options(CUTOFF))
    seen = {
        user.username: Analysis.objects.visible_to(user).count()
        for user in (cast.viewer, cast.investigator, cast.coordinator, local, cast.stranger)
    }
    assert seen == {"viewer": 3, "investigator": 3, "coordinator": 0, "local": 0, "stranger": 0}


def test_one_of_the_independent_review_is_for_those_who_may_read_it(cast: Cast) -> None:
    populated(cast)
    frozen(cast, options=Options(CUTOFF, evaluator=REVIEWER))
    assert not Analysis.objects.visible_to(cast.viewer).exists()
    assert Analysis.objects.visible_to(cast.investigator).exists()


def test_a_name_is_given_once(cast: Cast) -> None:
    frozen(cast)
    with pytest.raises(Conflict, match="/name"):
        frozen(cast)


# Blinding


def test_in_a_masked_trial_it_is_pooled_and_tells_no_arm(cast: Cast) -> None:
    populated(cast)
    Trial.objects.filter(pk=cast.trial.pk).update(masking="DOUBLE")
    row = frozen(cast)
    assert row.blinded
    assert {patient["arm"] for patient in json.loads(row.inputs)["patients"]} == {None}
    result = json.loads(row.result)["report"]
    assert (result["comparison"], result["comparison_reason"]) == (None, "blinded")
    assert Analysis.objects.visible_to(cast.viewer).count() == 1


def test_one_with_arms_is_hidden_while_the_trial_is_masked(cast: Cast) -> None:
    populated(cast)
    row = frozen(cast)
    assert not row.blinded
    Trial.objects.filter(pk=cast.trial.pk).update(masking="DOUBLE")
    for user in (cast.viewer, cast.administrator, cast.superuser):
        assert not Analysis.objects.visible_to(user).exists()
    assert reproduce(Analysis.objects.get()).outcome is Outcome.REPRODUCED
    Trial.objects.filter(pk=cast.trial.pk).update(masking="NONE")
    assert Analysis.objects.visible_to(cast.viewer).exists()


# One moment


def test_a_freeze_that_is_overtaken_reads_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stores while it reads: once, then without a pause."""
    times: list[Any] = []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        if len(times) < limit:
            times.append(factories.patient(cast.trial))
        return found

    read = report.read
    monkeypatch.setattr(report, "read", overtaken)
    limit = 1
    assert frozen(cast, "once").patients == 1
    limit = 100
    with pytest.raises(Conflict, match="at this moment"):
        frozen(cast, "never")
    assert len(times) == 1 + analyses.OVERTAKEN


# The command


def verified(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("verify_analyses", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_computes_all_of_them_again(cast: Cast) -> None:
    first, second = frozen(cast, "one"), frozen(cast, "two")
    assert (
        verified("--trial", "NCT00000001")
        == verified()
        == (
            f"NCT00000001\t{first.pk}\treproduced\tone\nNCT00000001\t{second.pk}\treproduced\ttwo\n"
        )
    )
    with pytest.raises(CommandError, match="--trial takes one of: NCT00000001"):
        verified("--trial", "X")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE outcomes_analysis SET inputs = '{}' WHERE name = 'one'")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(CommandError, match="1 not reproduced"):
        verified()


def test_canonical_text_is_one_per_value() -> None:
    assert canonical.text({"b": {"y", "x"}, "a": date(2024, 1, 2)}) == (
        '{"a":"2024-01-02","b":["x","y"]}'
    )
    with pytest.raises(ValueError, match="JSON"):
        canonical.text(float("nan"))
    with pytest.raises(TypeError, match="object"):
        canonical.text(object())
