"""Consent, screening, deviations and enrollment: what is judged, what is refused, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction

from patients import gate, judging
from patients import screening as actions
from patients.models import Consent, Deviation, Patient, Screening
from patients.screening_page import result_panel
from patients.screening_wording import notes, summary
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import ELIGIBLE, START
from tests.outcomes.test_actions import events, together
from trials import actions as trial_actions
from trials.models import Arm, Criterion, ReferenceRange, Trial

DAY = timedelta(days=1)
FEW = {"platelets": {"value": 72, "unit": "10^9/L"}}


@pytest.fixture
def trial(cast: Cast) -> Trial:
    """Consent and screening come first; three criteria."""
    factories.criteria(cast.trial)
    cast.trial.enrollment_gate = "screening"
    cast.trial.save()
    return cast.trial


@pytest.fixture
def patient(trial: Trial) -> Patient:
    """Somebody of site 01 to be screened."""
    return factories.candidate(trial, "01-001")


def enroll(patient: Patient, cast: Cast, on: date = START + DAY, **facts: Any) -> Patient:
    """As the coordinator does."""
    patient.refresh_from_db()
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": patient.version}
    return actions.enroll_screened(patient=patient, enrolled_on=on, **why | facts)


def refusals(act: Callable[[], object], kind: type[Refused] = Conflict) -> list[str]:
    """What is said in the way."""
    with pytest.raises(kind) as refused:
        act()
    return [error.detail for error in refused.value.errors]


def results(screening: Screening) -> list[str]:
    """Met, not met or unknown, in the protocol's order."""
    return [result["result"] for result in screening.results]


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, ["met", "met", "met"], "3 of 3 met"),
        (FEW, ["met", "not_met", "met"], "2 of 3 met; 1 not met: platelets 72 < 80 × 10⁹/L"),
        ({"platelets": {"value": None}}, ["met", "unknown", "met"], "2 of 3 met; 1 unknown"),
        ({"platelets": {"value": 79_999, "unit": "/uL"}}, ["met", "not_met", "met"], None),
        ({"platelets": {"value": 80_000, "unit": "/uL"}}, ["met", "met", "met"], "3 of 3 met"),
        ({"lactating": {"value": True}}, ["met", "met", "not_met"], None),
        ({"lactating": {"value": None}}, ["met", "met", "unknown"], "2 of 3 met; 1 unknown"),
    ],
)
def test_values_are_judged_and_frozen(
    patient: Patient, cast: Cast, changes: dict[str, Any], expected: list[str], words: str | None
) -> None:
    screening = factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | changes)
    screening.refresh_from_db()
    assert results(screening) == expected
    assert words in (None, summary(screening.results))
    assert screening.protocol_version.number == 1
    assert screening.conclusion == "open"


def test_a_value_left_out_is_carried_over_and_one_that_is_given_wins(
    patient: Patient, cast: Cast
) -> None:
    Patient.objects.update(ecog=2)
    patient.refresh_from_db()
    left_out = {name: said for name, said in ELIGIBLE.items() if name != "ecog"}
    screening = factories.screening(patient, by=cast.coordinator, values=left_out)
    assert screening.values["ecog"] == {"value": 2, "unit": "", "source": "patient"}
    assert results(screening)[0] == "not_met"
    for day, (said, expected) in enumerate([(1, "met"), (None, "unknown")], 1):
        values = left_out | {"ecog": {"value": said}}
        on = START + day * DAY
        screening = factories.screening(patient, by=cast.coordinator, values=values, on=on)
        assert results(screening)[0] == expected
        assert "source" not in screening.values["ecog"]


RANGES: list[
    tuple[Any, str, date, str]
] = [  # (upper, unit, valid from, sex): of creatinine, at site 01
    (100, "umol/L", START - 100 * DAY, "any"),
    (106, "umol/L", START - 10 * DAY, "any"),
    ("1.2", "mg/dL", START + 10 * DAY, "any"),
]


@pytest.mark.parametrize(
    ("on", "entered", "result", "source"),
    [
        # 1.5 x 106 umol/L are 159 umol/L, 1.5 x 100 are 150, 1.5 x 1.2 mg/dL are 1.8 mg/dL.
        (START, {"value": 159, "unit": "umol/L"}, "met", True),
        (START, {"value": "159.1", "unit": "umol/L"}, "not_met", True),
        (START - 11 * DAY, {"value": 150, "unit": "umol/L"}, "met", True),
        (START - 11 * DAY, {"value": "150.1", "unit": "umol/L"}, "not_met", True),
        (START - 101 * DAY, {"value": 90, "unit": "umol/L"}, "unknown", False),
        # Entered in another unit: 159 umol/L are 1.7986... mg/dL.
        (START, {"value": "1.798", "unit": "mg/dL"}, "met", True),
        (START, {"value": "1.799", "unit": "mg/dL"}, "not_met", True),
        (START + 10 * DAY, {"value": "1.8", "unit": "mg/dL"}, "met", True),
        (START + 10 * DAY, {"value": "159.12", "unit": "umol/L"}, "met", True),  # 1.8 x 88.4
        (START + 10 * DAY, {"value": "159.13", "unit": "umol/L"}, "not_met", True),
        # Typed limits win.
        (START, {"value": 150, "unit": "umol/L", "uln": 90}, "not_met", False),
    ],
)
def test_limits_of_normal_come_from_the_laboratory(
    patient: Patient, cast: Cast, on: date, entered: dict[str, Any], result: str, source: bool
) -> None:
    rule = {"type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5}
    Criterion.objects.all().delete()
    Criterion.objects.create(
        trial=patient.trial, kind="inclusion", text="Cr <= 1.5 ULN", rule=rule | {"times": "uln"}
    )
    for upper, unit, since, sex in RANGES:
        ReferenceRange.objects.create(
            site=patient.site, item="creatinine", upper=upper, unit=unit, valid_from=since, sex=sex
        )
    ReferenceRange.objects.create(
        site=patient.trial.sites.get(code="02"), item="creatinine", upper=10, unit="umol/L",
        valid_from=START,
    )  # fmt: skip
    value = entered | {"value": Decimal(entered["value"])}
    found = factories.screening(patient, by=cast.coordinator, on=on, values={"creatinine": value})
    assert results(found) == [result]
    assert (found.values["creatinine"].get("limit_source") == "reference_range") is source


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"platelets": {"value": 99999, "unit": "10^9/L"}}, "/values/platelets/value"),
        ({"platelets": {"value": 72}}, "/values/platelets/unit"),
        ({"platelets": {"value": "72", "unit": "10^9/L"}}, "/values/platelets/value"),
        ({"platelets": {"value": 72, "unit": "g/L"}}, "/values/platelets/unit"),
        ({"platelets": 72}, "/values/platelets"),
        ({"age": {"value": 50}}, "/values/age"),  # not asked for by this protocol
        ({"nonsense": {"value": 50}}, "/values/nonsense"),
        ({"a/b~c": {"value": 50}}, "/values/a~1b~0c"),
        ({"attest:of_another_trial": {"value": True}}, "/values/attest:of_another_trial"),
        ({"lactating": {"value": "no"}}, "/values/lactating/value"),
        # Platelets of up to 5000 x 10^9/L are plausible, a limit of normal as well.
        ({"platelets": {"value": 72, "unit": "10^9/L", "uln": 5001}}, "/values/platelets/uln"),
        (
            {"platelets": {"value": 72, "unit": "10^9/L", "lln": 5_000_001, "limit_unit": "/uL"}},
            "/values/platelets/lln",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    patient: Patient, cast: Cast, values: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Refused) as refused:
        factories.screening(patient, by=cast.coordinator, values=values)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert not Screening.objects.exists()


BORN: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"sex": "male"}, {"sex": {"value": "male"}}, None),
    ({"sex": "unknown"}, {"sex": {"value": "male"}}, None),
    (
        {"sex": "female"},
        {"sex": {"value": "male"}},
        "The patient's record says female, here it is male: correct what is wrong.",
    ),
    ({"birth_year": None}, {"age": {"value": 50}}, None),
    ({"birth_year": 1973}, {"age": {"value": 50}}, None),  # on 2024-01-15, before the birthday
    ({"birth_year": 1973}, {"age": {"value": 51}}, None),
    ({"birth_year": 1973}, {"age": {"value": None}}, None),
    (
        {"birth_year": 1973},
        {"age": {"value": 49}},
        "Born in 1973 by the patient's record: 50 or 51 on 2024-01-15, here it is 49",
    ),
    ({"birth_year": 1973}, {"age": {"value": 52}}, "Born in 1973"),
]


@pytest.mark.parametrize(("record", "values", "refused"), BORN)
def test_sex_and_age_are_those_of_the_patient_s_record(
    patient: Patient,
    cast: Cast,
    api: Callable[[Any], Api],
    record: dict[str, Any],
    values: dict[str, Any],
    refused: str | None,
) -> None:
    Patient.objects.update(**record)
    for item, rule in (
        ("age", {"type": "number", "item": "age", "comparison": "at_least", "value": 18,
                 "unit": "years"}),
        ("sex", {"type": "choice", "item": "sex", "one_of": ["female", "male"]}),
    ):  # fmt: skip
        Criterion.objects.create(trial=patient.trial, kind="inclusion", text=item, rule=rule)
    client = api(cast.coordinator)
    body = {"patient": patient.pk, "screened_on": START.isoformat(), "values": ELIGIBLE | values}
    preview = client.post("/screenings/preview/", body).json()
    stored = client.post("/screenings/", body)
    pointer = f"/values/{next(iter(values))}/value"
    if refused is None:
        assert (stored.status_code, preview["problems"]) == (201, [])
        return
    assert stored.status_code == 400
    for found in (preview["problems"], stored.json()["errors"]):
        assert [error["pointer"] for error in found] == [pointer]
        assert found[0]["detail"].startswith(refused)


def test_what_may_have_changed_is_noted(
    patient: Patient, cast: Cast, api: Callable[[Any], Api]
) -> None:
    Patient.objects.update(ecog=2)
    client = api(cast.coordinator)
    body = {"patient": patient.pk, "screened_on": START.isoformat(), "values": ELIGIBLE}
    said = "ECOG performance status: 1 here, 2 in the patient's record."
    preview = client.post("/screenings/preview/", body).json()
    assert preview["warnings"] == [{"pointer": "/values/ecog", "detail": said}]
    assert preview["problems"] == []
    stored = client.post("/screenings/", body).json()
    assert [result["notes"] for result in stored["results"]] == [[said], [], []]
    Patient.objects.update(ecog=1)
    assert client.post("/screenings/preview/", body).json()["warnings"] == []


TYPED = "creatinine: the ULN typed, 90 µmol/L, was used instead of the laboratory's, 106.08 µmol/L."


@pytest.mark.parametrize(
    ("entered", "noted"),
    [
        ({"uln": 106}, []),
        ({"uln": Decimal("1.2"), "limit_unit": "mg/dL"}, []),  # 106.08 umol/L, see below
        ({"uln": 90}, [TYPED]),
        ({}, []),
    ],
)
def test_a_typed_limit_that_is_not_the_laboratory_s_is_noted(
    patient: Patient, cast: Cast, entered: dict[str, Any], noted: list[str]
) -> None:
    rule = {"type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5}
    Criterion.objects.all().delete()
    Criterion.objects.create(
        trial=patient.trial, kind="inclusion", text="Cr <= 1.5 ULN", rule=rule | {"times": "uln"}
    )
    upper = Decimal("106.08") if entered.get("uln") != 106 else 106  # 1.2 mg/dL x 88.4
    ReferenceRange.objects.create(
        site=patient.site, item="creatinine", upper=upper, unit="umol/L", valid_from=START
    )
    values = {"creatinine": {"value": 100, "unit": "umol/L"} | entered}
    screening = factories.screening(patient, by=cast.coordinator, values=values)
    assert notes(screening.results[0]) == noted
    assert list(result_panel(screening.results).notes) == noted


def test_a_criterion_without_a_rule_is_attested_by_its_text(patient: Patient, cast: Cast) -> None:
    Criterion.objects.all().delete()
    row = Criterion.objects.create(trial=patient.trial, kind="exclusion", text="Unfit for a study")
    code = f"attest:criterion-{row.pk}"
    for day, (said, expected) in enumerate([(None, "unknown"), (True, "not_met"), (False, "met")]):
        values = {code: {"value": said}}
        on = START + day * DAY
        screening = factories.screening(patient, by=cast.coordinator, values=values, on=on)
        assert results(screening) == [expected]
        if said:
            assert summary(screening.results).endswith("1 not met: Unfit for a study: yes")


def test_a_correction_is_judged_by_its_own_protocol_version(patient: Patient, cast: Cast) -> None:
    screening = factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | FEW)
    amend(patient.trial, cast, START + DAY, at_least=100)
    changes = {"screened_on": START, "values": ELIGIBLE}
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": 1}
    corrected = actions.correct_screening(screening=screening, changes=changes, **why)
    assert (corrected.version, corrected.protocol_version.number) == (2, 1)
    assert results(corrected) == ["met", "met", "met"]
    with pytest.raises(StaleVersion):
        actions.correct_screening(screening=screening, changes=changes, **why)


def amend(trial: Trial, cast: Cast, effective_on: date | None, *, at_least: int) -> None:
    """Another limit of platelets from a day on."""
    trial.refresh_from_db()
    items = []
    for row in trial.criteria.current():
        rule = dict(row.rule or {})
        if rule["item"] == "platelets":
            rule["value"] = at_least
        items.append({"id": row.pk, "kind": row.kind, "text": row.text, "rule": rule})
    trial_actions.amend_protocol(
        trial=trial, by=cast.administrator, reason="why", version=trial.version, criteria=items,
        effective_on=effective_on, consent_version="2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "facts", "expected"),
    [
        (ELIGIBLE, {"conclusion": "eligible"}, None),
        (ELIGIBLE | FEW, {"conclusion": "eligible"}, "Not met: platelets 72 < 80 × 10⁹/L"),
        ({"ecog": {"value": 1}}, {"conclusion": "eligible"}, "Unknown: platelets not entered"),
        (ELIGIBLE | FEW, {"conclusion": "failed"}, "One of: not_eligible, declined, other."),
        (ELIGIBLE | FEW, {"conclusion": "failed", "failure_reason": "not_eligible"}, None),
        (ELIGIBLE, {"conclusion": "failed", "failure_reason": "declined"}, None),
        (
            ELIGIBLE,
            {"conclusion": "failed", "failure_reason": "not_eligible"},
            "Every criterion is met; give another reason.",
        ),
        (
            ELIGIBLE,
            {"conclusion": "eligible", "failure_reason": "other"},
            "Only of a screen failure.",
        ),
    ],
)
def test_a_conclusion_agrees_with_the_results(
    patient: Patient,
    cast: Cast,
    values: dict[str, Any],
    facts: dict[str, Any],
    expected: str | None,
) -> None:
    screening = factories.screening(patient, by=cast.coordinator, values=values)
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": 1}
    act = partial(actions.conclude_screening, screening=screening, **facts, **why)
    if expected is None:
        assert act().conclusion == facts["conclusion"]
    else:
        assert expected in refusals(act, Refused)
        screening.refresh_from_db()
        assert (screening.conclusion, screening.version) == ("open", 1)


def test_a_correction_opens_a_conclusion_that_it_contradicts(patient: Patient, cast: Cast) -> None:
    screening = factories.screening(patient, by=cast.coordinator)
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why"}
    actions.conclude_screening(screening=screening, conclusion="eligible", version=1, **why)
    changes = {"screened_on": START, "values": ELIGIBLE | {"ecog": {"value": 0}}}
    same = actions.correct_screening(screening=screening, changes=changes, version=2, **why)
    assert same.conclusion == "eligible"
    changes = {"screened_on": START, "values": ELIGIBLE | FEW}
    other = actions.correct_screening(screening=screening, changes=changes, version=3, **why)
    assert other.conclusion == "open"


def test_a_deviation_is_an_investigator_s_of_a_failing_criterion(
    patient: Patient, cast: Cast
) -> None:
    ecog, platelets, lactating = patient.trial.criteria.current()
    record = partial(factories.deviation, patient, by=cast.investigator)
    assert refusals(lambda: record(platelets)) == ["Screen the patient first."]
    values = FEW | {"ecog": {"value": 1}}
    factories.screening(patient, by=cast.coordinator, values=values)
    with pytest.raises(PermissionDenied):
        factories.deviation(patient, platelets, by=cast.coordinator)
    assert "found not met or unknown" in refusals(lambda: record(ecog), Refused)[0]
    assert "Before the screening" in refusals(lambda: record(platelets, on=START - DAY), Refused)[0]
    record(platelets)
    record(lactating)  # unknown
    assert refusals(lambda: record(platelets))[0].startswith("Recorded already")
    assert Deviation.objects.count() == events(Deviation).count() == 2


def _nothing(patient: Patient, cast: Cast) -> None:
    pass


def _withdrawn(patient: Patient, cast: Cast) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    facts = {"withdrawn_on": START + DAY}
    actions.correct_consent(
        consent=consent, changes=facts, by=cast.coordinator, reason="why", version=1
    )


def _other_version(patient: Patient, cast: Cast) -> None:
    patient.trial.protocol_versions.update(consent_version="1.1")
    factories.consent(patient, by=cast.coordinator, version="1.0")


def _late(patient: Patient, cast: Cast) -> None:
    factories.consent(patient, by=cast.coordinator, on=START + 2 * DAY)


def _after_screening(patient: Patient, cast: Cast) -> None:
    factories.consent(patient, by=cast.coordinator, on=START + DAY)


def _voided(patient: Patient, cast: Cast) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    actions.void_consent(consent=consent, by=cast.investigator, reason="why", version=1)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (_nothing, "No consent is recorded."),
        (_voided, "No consent is recorded."),
        (_withdrawn, "Consent was withdrawn on 2024-01-16."),
        (_other_version, "The protocol asks for consent version 1.1; signed is 1.0."),
        (_late, "Consent was signed on 2024-01-17, after the enrollment."),
        (_after_screening, "Consent was signed on 2024-01-16, after the screening"),
    ],
)
def test_consent_gates_the_enrollment(
    patient: Patient, cast: Cast, prepare: Callable[[Patient, Cast], None], expected: str
) -> None:
    factories.screening(patient, by=cast.coordinator)
    prepare(patient, cast)
    found = refusals(lambda: enroll(patient, cast))
    assert len(found) == 1
    assert found[0].startswith(expected)
    patient.refresh_from_db()
    assert patient.enrolled_on is None


def test_a_consent_signed_again_after_a_withdrawal_holds(patient: Patient, cast: Cast) -> None:
    _withdrawn(patient, cast)
    factories.consent(patient, by=cast.coordinator, on=START + 2 * DAY)
    factories.screening(patient, by=cast.coordinator, on=START + 2 * DAY)
    assert enroll(patient, cast, START + 2 * DAY).enrolled_on == START + 2 * DAY


def test_an_enrollment_needs_every_criterion(patient: Patient, cast: Cast) -> None:
    factories.consent(patient, by=cast.coordinator)
    assert refusals(lambda: enroll(patient, cast)) == ["No screening is recorded."]
    factories.screening(patient, by=cast.coordinator, values=FEW)
    assert refusals(lambda: enroll(patient, cast)) == [
        "Unknown: ECOG performance status not entered",
        "Not met: platelets 72 < 80 × 10⁹/L",
        "Unknown: lactating not entered",
    ]
    factories.screening(patient, by=cast.coordinator, on=START + DAY)
    assert refusals(lambda: enroll(patient, cast, START))[0].startswith(
        "The screening of 2024-01-16"
    )
    enrolled = enroll(patient, cast, reason="screened")
    assert (enrolled.enrolled_on, enrolled.version) == (START + DAY, 2)
    assert refusals(lambda: enroll(patient, cast)) == ["Enrolled on 2024-01-16 already."]
    event = events(Patient).filter(enrolled_on=START + DAY).get()
    assert event.pgh_context["reason"] == "screened"


def test_a_protocol_without_criteria_enrolls_nobody(patient: Patient, cast: Cast) -> None:
    Criterion.objects.all().delete()
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values={})
    assert refusals(lambda: enroll(patient, cast)) == [
        "The protocol has no eligibility criteria to screen by."
    ]
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": 1}
    conclude = partial(actions.conclude_screening, screening=screening, conclusion="eligible")
    assert refusals(lambda: conclude(**why)) == ["The protocol has no criteria to screen by."]


def test_a_screen_failure_is_not_enrolled_until_it_is_opened_again(
    patient: Patient, cast: Cast
) -> None:
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator)
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why"}
    failed: dict[str, Any] = {"conclusion": "failed", "failure_reason": "declined"}
    actions.conclude_screening(screening=screening, version=1, **failed, **why)
    assert "screen failure" in refusals(lambda: enroll(patient, cast))[0]
    actions.conclude_screening(screening=screening, conclusion="open", version=2, **why)
    enroll(patient, cast)
    fail = partial(actions.conclude_screening, screening=screening, version=3, **failed, **why)
    assert refusals(fail) == ["Enrolled on 2024-01-16 already."]


def test_a_deviation_covers_the_screening_it_was_recorded_for(patient: Patient, cast: Cast) -> None:
    platelets = patient.trial.criteria.current()[1]
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | FEW)
    factories.deviation(patient, platelets, by=cast.investigator)
    worse = {"platelets": {"value": 12, "unit": "10^9/L"}}
    factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | worse, on=START + DAY)
    assert refusals(lambda: enroll(patient, cast)) == ["Not met: platelets 12 < 80 × 10⁹/L"]
    again = Screening.objects.get(screened_on=START + DAY)
    actions.void_screening(screening=again, by=cast.investigator, reason="why", version=1)
    assert enroll(patient, cast).enrolled_on


def test_a_deviation_covers_what_the_investigator_saw(patient: Patient, cast: Cast) -> None:
    platelets = patient.trial.criteria.current()[1]
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | FEW)
    first = factories.deviation(patient, platelets, by=cast.investigator)
    assert (first.screening_id, first.screening_version) == (screening.pk, 1)
    worse = {
        "screened_on": START,
        "values": ELIGIBLE | {"platelets": {"value": 12, "unit": "10^9/L"}},
    }
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": 1}
    actions.correct_screening(screening=screening, changes=worse, **why)
    assert refusals(lambda: enroll(patient, cast)) == ["Not met: platelets 12 < 80 × 10⁹/L"]
    second = factories.deviation(patient, platelets, by=cast.investigator)
    assert second.screening_version == 2
    assert enroll(patient, cast).enrolled_on


def test_a_deviation_outlives_a_conclusion(patient: Patient, cast: Cast) -> None:
    platelets = patient.trial.criteria.current()[1]
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values=ELIGIBLE | FEW)
    deviation = factories.deviation(patient, platelets, by=cast.investigator)
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why"}
    failed: dict[str, Any] = {"conclusion": "failed", "failure_reason": "declined"}
    actions.conclude_screening(screening=screening, version=1, **failed, **why)
    actions.conclude_screening(screening=screening, conclusion="open", version=2, **why)
    deviation.refresh_from_db()
    assert (deviation.screening_version, deviation.version) == (3, 3)
    assert enroll(patient, cast).enrolled_on


@pytest.mark.parametrize(
    ("moved", "to", "refused"),
    [(0, -1, False), (0, 1, False), (0, 3, True), (2, 1, False), (2, 3, False), (2, -1, True)],
)
def test_a_correction_does_not_change_which_screening_is_the_latest(
    patient: Patient, cast: Cast, moved: int, to: int, refused: bool
) -> None:
    rows = {
        day: factories.screening(patient, by=cast.coordinator, on=START + day * DAY)
        for day in (0, 2)
    }
    changes = {"screened_on": START + to * DAY, "values": ELIGIBLE}
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": 1}
    correct = partial(actions.correct_screening, screening=rows[moved], changes=changes, **why)
    if refused:
        assert "void this one and screen again" in refusals(correct)[0]
    else:
        assert correct().screened_on == START + to * DAY


@pytest.mark.parametrize(
    ("effective_on", "expected"),
    [
        (START + DAY, "screen again"),
        (None, None),  # from today: not on a day that is past
        (START + 2 * DAY, None),  # not yet in force on the day of enrollment
    ],
)
def test_an_amendment_between_screening_and_enrollment(
    patient: Patient, cast: Cast, effective_on: date | None, expected: str | None
) -> None:
    factories.consent(patient, by=cast.coordinator)
    factories.consent(patient, by=cast.coordinator, version="2")
    screening = factories.screening(patient, by=cast.coordinator)
    amend(patient.trial, cast, effective_on, at_least=100)
    if expected is None:
        assert enroll(patient, cast).enrolled_on
        return
    found = refusals(lambda: enroll(patient, cast))
    assert len(found) == 1
    assert expected in found[0]
    screening.refresh_from_db()
    assert (screening.protocol_version.number, results(screening)) == (1, ["met", "met", "met"])
    again = factories.screening(patient, by=cast.coordinator, on=START + DAY)
    assert (again.protocol_version.number, results(again)[1]) == (2, "not_met")


def test_the_protocol_in_force_is_the_last_that_has_begun(trial: Trial, cast: Cast) -> None:
    trial.protocol_versions.update(effective_on=START)
    Screening.objects.create(
        patient=factories.candidate(trial), protocol_version=trial.protocol_version,
        screened_on=START,
    )  # fmt: skip
    amend(trial, cast, START + 10 * DAY, at_least=90)
    amend(trial, cast, START + 20 * DAY, at_least=100)
    days = {-1: 1, 0: 1, 9: 1, 10: 2, 19: 2, 20: 3, 99: 3}
    assert {d: judging.in_force(trial, START + d * DAY).number for d in days} == days


def test_a_single_arm_is_given_with_the_enrollment(patient: Patient, cast: Cast) -> None:
    arm = Arm.objects.create(trial=patient.trial, name="Anlotinib")
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)
    assert enroll(patient, cast, arm=arm).arm == arm


def test_where_patients_arrive_enrolled_nothing_gates(cast: Cast) -> None:
    patient = factories.candidate(cast.trial)
    assert enroll(patient, cast).enrolled_on == START + DAY


def test_others_may_not(patient: Patient, cast: Cast) -> None:
    factories.consent(patient, by=cast.coordinator)
    for by in (cast.outsider, cast.viewer, cast.administrator, cast.stranger):
        with pytest.raises(PermissionDenied):
            factories.consent(patient, by=by, on=START + DAY)
        with pytest.raises(PermissionDenied):
            factories.screening(patient, by=by)
        with pytest.raises(PermissionDenied):
            enroll(patient, cast, by=by)
    assert (Consent.objects.count(), Screening.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2999, 1, 1), "In the future"), (START + 50 * DAY, "After the patient's death")],
)
def test_days_stand_beside_the_patient_s(
    patient: Patient, cast: Cast, day: date, expected: str
) -> None:
    Patient.objects.update(died_on=START + 40 * DAY)
    patient.refresh_from_db()
    for act in (factories.consent, factories.screening):
        found = refusals(partial(act, patient, by=cast.coordinator, on=day), Refused)
        assert any(detail.startswith(expected) for detail in found)


@pytest.mark.django_db(transaction=True)
def test_two_enrollments_at_once_are_one(cast: Cast) -> None:
    factories.criteria(cast.trial)
    Trial.objects.update(enrollment_gate="screening")
    patient = factories.candidate(Trial.objects.get(), "01-001")
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)

    def one() -> str:
        try:
            actions.enroll_screened(
                patient=patient,
                enrolled_on=START + DAY,
                by=cast.coordinator,
                reason="why",
                version=1,
            )
        except (Conflict, StaleVersion) as lost:
            return type(lost).__name__
        return "enrolled"

    assert sorted(together(*[one] * 8)) == [*["StaleVersion"] * 7, "enrolled"]
    patient.refresh_from_db()
    assert (patient.version, events(Patient).filter(enrolled_on=START + DAY).count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_an_enrollment_waits_for_an_amendment(patient: Patient, cast: Cast) -> None:
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)
    said: list[str] = []

    def enroll_meanwhile() -> None:
        said.extend(refusals(lambda: enroll(patient, cast)))
        connections.close_all()

    meanwhile = Thread(target=enroll_meanwhile)
    with transaction.atomic():
        amend(patient.trial, cast, START + DAY, at_least=100)
        meanwhile.start()
        meanwhile.join(timeout=1)
    meanwhile.join()
    assert any("screen again" in sentence for sentence in said)


def test_killed_in_the_middle_nothing_is_stored(
    patient: Patient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    before = (events(Patient).count(), events(Screening).count())
    monkeypatch.setattr("patients.edits.Changes.store", die)
    with pytest.raises(Killed), transaction.atomic():
        enroll(patient, cast)
    monkeypatch.setattr("patients.models.Screening.save", die)
    with pytest.raises(Killed), transaction.atomic():
        factories.screening(patient, by=cast.coordinator, on=START + DAY)
    patient.refresh_from_db()
    assert (patient.enrolled_on, patient.version, Screening.objects.count()) == (None, 1, 1)
    assert (events(Patient).count(), events(Screening).count()) == before


def test_what_is_known_takes_four_statements(
    patient: Patient, cast: Cast, django_assert_num_queries: Any
) -> None:
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)
    with django_assert_num_queries(4):
        assert not gate.standing(patient, START).missing
