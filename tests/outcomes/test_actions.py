"""Writes of visits: what they derive again, what they leave in the trail, and who wins a race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from outcomes import actions
from outcomes.entries import VisitEntry
from outcomes.models import Lesion, Measurement, NewLesionStatus, NonTargetStatus, Visit
from patients.models import Patient
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, new_lesion, non_target, target
from tests.outcomes.visits.bodies import MODELS, baseline_of, follow_up_of, stored

Login = Callable[[Any], Api]
WHY = {"reason": "typing error"}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline of 50 + 30 mm, and visits of 40 + 20 (SD) and 50 + 30 mm (PD)."""
    row = factories.patient(cast.trial, "S-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 42, (40, 20), by=cast.coordinator)
    factories.follow_up(row, 84, (50, 30), by=cast.coordinator)
    return row


def responses(patient: Patient) -> list[tuple[str, int]]:
    """Every visit's response and version, by date."""
    visits = patient.visits.filter(voided_at=None).order_by("date")
    return list(visits.values_list("overall_response", "version"))


def visit_on(patient: Patient, day: int) -> Visit:
    """The visit of that many days after START."""
    return patient.visits.get(date=START + timedelta(days=day), voided_at=None)


def entry(day: int, *mm: Any, **rows: Any) -> VisitEntry:
    """A follow-up's entry with these diameters."""
    default: dict[str, Any] = {
        "targets": tuple(target(f"T{i:02}", value) for i, value in enumerate(mm, 1)),
        "non_targets": (non_target("NT01"),),
        "new_lesions": (),
    }
    return VisitEntry(kind="scheduled", date=START + timedelta(days=day), **default | rows)


def baseline_entry(*targets: Any, **rows: Any) -> VisitEntry:
    """A baseline's entry with these targets."""
    default: dict[str, Any] = {"non_targets": (non_target("NT01", organ="pleural effusion"),)}
    return VisitEntry(kind="baseline", date=START, targets=targets, **default | rows)


def correct(visit: Visit, corrected: VisitEntry, cast: Cast) -> Visit:
    """A correction by the coordinator against the stored version."""
    version = Visit.objects.get(pk=visit.pk).version
    return actions.correct_visit(
        visit=visit, entry=corrected, by=cast.coordinator, reason="typing error", version=version
    )


def void(visit: Visit, cast: Cast) -> Visit:
    """A void by the investigator against the stored version."""
    version = Visit.objects.get(pk=visit.pk).version
    return actions.void_visit(visit=visit, by=cast.investigator, reason="wrong", version=version)


# What a write derives again


def test_each_visit_is_judged_by_the_ones_before(patient: Patient) -> None:
    assert responses(patient) == [("", 1), ("SD", 1), ("PD", 1)]


def test_a_corrected_middle_visit_changes_the_later_one(patient: Patient, cast: Cast) -> None:
    correct(visit_on(patient, 42), entry(42, 50, 30), cast)
    assert responses(patient) == [("", 1), ("SD", 2), ("SD", 2)]
    assert visit_on(patient, 84).nadir_mm == 80


def test_a_correction_that_changes_no_later_visit_leaves_it_alone(
    patient: Patient, cast: Cast
) -> None:
    correct(visit_on(patient, 84), entry(84, 60, 30), cast)
    assert responses(patient) == [("", 1), ("SD", 1), ("PD", 2)]
    row = non_target("NT01", "increased")
    correct(visit_on(patient, 42), entry(42, 40, 20, non_targets=(row,)), cast)
    assert responses(patient) == [("", 1), ("SD", 2), ("PD", 2)]


def test_a_corrected_baseline_derives_every_later_visit_again(patient: Patient, cast: Cast) -> None:
    rows = (target("T01", 90, organ="lung"), target("T02", 30, organ="liver"))
    correct(visit_on(patient, 0), baseline_entry(*rows), cast)
    assert responses(patient) == [("", 2), ("PR", 2), ("PD", 2)]
    assert visit_on(patient, 84).baseline_sum_mm == 120


def test_a_node_that_the_baseline_made_a_node_is_judged_as_one(
    patient: Patient, cast: Cast
) -> None:
    correct(visit_on(patient, 84), entry(84, 0, 9), cast)
    assert visit_on(patient, 84).overall_response == "PR"
    rows = (target("T01", 50, organ="lung"), target("T02", 30, organ="hilar node", nodal=True))
    correct(visit_on(patient, 0), baseline_entry(*rows), cast)
    assert visit_on(patient, 84).target_response == "CR"
    assert Lesion.objects.get(label="T02").organ_group == "lymph_node"


def test_a_corrected_date_changes_the_order(patient: Patient, cast: Cast) -> None:
    moved = correct(visit_on(patient, 42), entry(126, 40, 20), cast)
    assert moved.overall_response == "SD"
    assert responses(patient) == [("", 1), ("SD", 2), ("SD", 2)]  # 50 + 30 now comes first


def test_a_voided_middle_visit_changes_the_later_one(patient: Patient, cast: Cast) -> None:
    void(visit_on(patient, 42), cast)
    assert responses(patient) == [("", 1), ("SD", 2)]


def test_a_late_earlier_visit_changes_the_later_ones(patient: Patient, cast: Cast) -> None:
    factories.follow_up(patient, 21, (10, 10), by=cast.coordinator)
    assert responses(patient) == [("", 1), ("PR", 1), ("PD", 2), ("PD", 2)]


def test_an_equivocal_lesion_leaves_the_stored_response_alone(patient: Patient, cast: Cast) -> None:
    seen = (new_lesion("NL01", "equivocal"),)
    correct(visit_on(patient, 42), entry(42, 40, 20, new_lesions=seen), cast)
    confirmed = (new_lesion("NL01"),)
    factories.follow_up(patient, 63, (40, 20), by=cast.coordinator, new_lesions=confirmed)
    assert visit_on(patient, 42).overall_response == "SD"
    assert visit_on(patient, 63).overall_response == "PD"


# Baseline lesions


def test_a_lesion_added_to_a_baseline_was_not_assessed_later(patient: Patient, cast: Cast) -> None:
    rows = [target("T01", 50, organ="lung"), target("T02", 30, organ="liver")]
    correct(visit_on(patient, 0), baseline_entry(*rows, target("T03", 20, organ="bone")), cast)
    assert responses(patient) == [("", 2), ("NE", 2), ("NE", 2)]
    with pytest.raises(Refused, match="T03 is missing"):
        correct(visit_on(patient, 42), entry(42, 40, 20), cast)
    correct(visit_on(patient, 42), entry(42, 40, 20, 10), cast)
    assert visit_on(patient, 42).overall_response == "PR"


SWAPS = [
    (("lung", "liver"), ("liver", "lung")),
    (("lung", "lung", "liver", "liver"), ("liver", "liver", "lung", "lung")),
    (("lung", "lung", "liver", "liver", "bone"), ("liver", "bone", "lung", "lung", "liver")),
    (("lung", "lung", "liver"), ("bone", "lung", "lung")),
    (("lung", "liver", "bone"), ("right lung", "left lung", "liver")),
]


@pytest.mark.parametrize(("before", "after"), SWAPS)
def test_targets_may_swap_organs(
    cast: Cast, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    patient = factories.patient(cast.trial)

    def rows(organs: tuple[str, ...]) -> list[Any]:
        return [target(f"T{i:02}", 20, organ=organ) for i, organ in enumerate(organs, 1)]

    visit = actions.record_visit(
        patient=patient, entry=baseline_entry(*rows(before)), by=cast.coordinator
    )
    correct(visit, baseline_entry(*rows(after)), cast)
    stored = Lesion.objects.filter(role="target").order_by("label")
    assert [lesion.organ for lesion in stored] == list(after)
    slots = {(lesion.organ_group, lesion.organ_slot) for lesion in stored}
    assert len(slots) == len(after)
    assert {group for group, _ in slots} <= {"lung", "liver", "bone"}


def test_a_full_baseline_may_exchange_a_target(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    organs = ("lung", "lung", "liver", "liver", "bone")
    rows = [target(f"T{i:02}", 20, organ=organ) for i, organ in enumerate(organs, 1)]
    visit = actions.record_visit(patient=patient, entry=baseline_entry(*rows), by=cast.coordinator)
    rows[1] = target("T06", 25, organ="left lung")
    correct(visit, baseline_entry(*rows), cast)
    active = Lesion.objects.active().filter(role="target").order_by("label")
    assert [lesion.label for lesion in active] == ["T01", "T03", "T04", "T05", "T06"]
    assert sorted(lesion.target_number or 0 for lesion in active) == [1, 2, 3, 4, 5]
    assert Visit.objects.get().sum_mm == 105


def test_a_lesion_that_only_voided_visits_used_may_go(patient: Patient, cast: Cast) -> None:
    for day in (42, 84):
        void(visit_on(patient, day), cast)
    only = baseline_entry(target("T01", 50, organ="lung"), non_targets=())
    correct(visit_on(patient, 0), only, cast)
    active = Lesion.objects.active().values_list("label", flat=True)
    assert list(active) == ["T01"]
    assert Measurement.objects.filter(lesion__label="T02").count() == 2  # the voided visits keep it
    again = baseline_entry(target("T01", 50, organ="lung"), target("T02", 15, organ="bone"))
    correct(visit_on(patient, 0), again, cast)
    assert Visit.objects.get(kind="baseline").sum_mm == 65


def test_a_voided_baseline_frees_its_labels(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    void(factories.baseline(patient, by=cast.coordinator), cast)
    rows = (target("T01", 12, organ="bone"),)
    factories.baseline(patient, by=cast.coordinator, targets=rows)
    assert Lesion.objects.active().get(label="T01").organ == "bone"
    assert Lesion.objects.filter(label="T01").count() == 2
    assert responses(patient) == [("", 1)]


def test_a_baseline_with_later_visits_stays(patient: Patient, cast: Cast) -> None:
    before = stored()
    with pytest.raises(Conflict, match="later visits"):
        void(visit_on(patient, 0), cast)
    assert stored() == before


def test_a_new_lesion_that_no_visit_names_any_more_frees_its_label(
    patient: Patient, cast: Cast
) -> None:
    seen: dict[str, Any] = {"by": cast.coordinator, "new_lesions": (new_lesion("NL01"),)}
    third = factories.follow_up(patient, 126, **seen)
    fourth = factories.follow_up(patient, 168, **seen)
    void(third, cast)
    assert Lesion.objects.active().filter(label="NL01").count() == 1  # seen at the fourth
    correct(fourth, entry(168, 50, 30), cast)
    assert not Lesion.objects.active().filter(label="NL01").exists()
    factories.follow_up(
        patient, 210, by=cast.coordinator, new_lesions=(new_lesion("NL01", organ="brain"),)
    )
    assert Lesion.objects.active().get(label="NL01").organ == "brain"


# Who may, and against which version


@pytest.mark.parametrize("who", ["outsider", "viewer", "administrator", "stranger"])
def test_writing_is_for_the_sites_own_people(patient: Patient, cast: Cast, who: str) -> None:
    before, user = stored(), getattr(cast, who)
    visit = visit_on(patient, 42)
    change: dict[str, Any] = {"by": user, "reason": "x", "version": 1}
    with pytest.raises(PermissionDenied):
        actions.record_visit(patient=patient, entry=entry(126, 40, 20), by=user)
    with pytest.raises(PermissionDenied):
        actions.correct_visit(visit=visit, entry=entry(42, 1, 1), **change)
    with pytest.raises(PermissionDenied):
        actions.void_visit(visit=visit, **change)
    assert stored() == before


def test_a_coordinator_does_not_void(patient: Patient, cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        actions.void_visit(visit=visit_on(patient, 84), by=cast.coordinator, reason="x", version=1)


def test_a_stale_version_is_refused(patient: Patient, cast: Cast) -> None:
    visit = visit_on(patient, 42)
    correct(visit, entry(42, 45, 25), cast)
    for version in (1, 3):
        with pytest.raises(StaleVersion):
            actions.correct_visit(
                visit=visit, entry=entry(42, 1, 1), by=cast.coordinator, reason="x", version=version
            )


def test_a_voided_patient_is_closed(patient: Patient, cast: Cast) -> None:
    Patient.objects.filter(pk=patient.pk).update(voided_at=timezone.now())
    with pytest.raises(Conflict, match="/patient"):
        actions.record_visit(patient=patient, entry=entry(126, 40, 20), by=cast.coordinator)


# The trail


def events(model: Any) -> QuerySet[Any]:
    """The audit events of a model."""
    rows: QuerySet[Any] = model.pgh_event_model.objects.order_by("pgh_id")
    return rows


def trail(model: Any, **filters: Any) -> list[tuple[str, str, str]]:
    """What the events of a model say: what was done, by whom, why."""
    return [
        (event.pgh_label, event.pgh_context["name"], event.pgh_context["reason"])
        for event in events(model).filter(**filters)
    ]


def test_every_write_leaves_who_and_why(patient: Patient, cast: Cast) -> None:
    visit = visit_on(patient, 84)
    correct(visit, entry(84, 60, 30, new_lesions=(new_lesion("NL01"),)), cast)
    void(visit, cast)
    assert trail(Visit, pgh_obj_id=visit.pk) == [
        ("insert", "coordinator", "recorded"),
        ("update", "coordinator", "typing error"),
        ("update", "investigator", "wrong"),
    ]
    measured = Measurement.objects.get(visit=visit, lesion__label="T01")
    assert trail(Measurement, pgh_obj_id=measured.pk) == [
        ("insert", "coordinator", "recorded"),
        ("update", "coordinator", "typing error"),
    ]
    lesion = Lesion.objects.get(label="NL01")
    assert trail(Lesion, pgh_obj_id=lesion.pk) == [
        ("insert", "coordinator", "typing error"),
        ("update", "investigator", "wrong"),  # no visit names it any more
    ]


def test_a_later_visits_new_derivation_is_in_the_trail(patient: Patient, cast: Cast) -> None:
    later = visit_on(patient, 84)
    correct(visit_on(patient, 42), entry(42, 50, 30), cast)
    assert trail(Visit, pgh_obj_id=later.pk)[-1] == ("update", "coordinator", "typing error")
    event = events(Visit).filter(pgh_obj_id=later.pk).latest("pgh_id")
    assert event.overall_response == "SD"
    assert event.version == 2


def test_each_event_names_the_account(patient: Patient, cast: Cast) -> None:
    for model in MODELS:
        for event in events(model):
            assert event.pgh_context["user"] == cast.coordinator.pk


# All or nothing


WRITTEN = [Visit, Lesion, Measurement]


@pytest.mark.parametrize("table", WRITTEN)
def test_a_write_that_dies_half_way_stores_nothing(
    patient: Patient, cast: Cast, monkeypatch: pytest.MonkeyPatch, table: type[Model]
) -> None:
    """The process is stopped after the rows of one table were written."""
    before, create = stored(), QuerySet.bulk_create

    def killed(self: QuerySet[Any], rows: Any, *args: Any, **options: Any) -> Any:
        done = create(self, rows, *args, **options)
        if self.model is table:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(QuerySet, "bulk_create", killed)
    seen = (new_lesion("NL01"),)
    with pytest.raises(KeyboardInterrupt):
        factories.follow_up(patient, 21, (10, 10), by=cast.coordinator, new_lesions=seen)
    with pytest.raises(KeyboardInterrupt):
        correct(visit_on(patient, 42), entry(42, 50, 30), cast)
    assert stored() == before


# What the database itself refuses


def execute(sql: str, *parameters: Any) -> None:
    """Run a statement and check the deferred constraints at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def violates(sql: str, *parameters: Any) -> str:
    """The constraint violation of a statement, in words."""
    with pytest.raises(IntegrityError) as caught:
        execute(sql, *parameters)
    return str(caught.value)


def test_rows_cannot_point_at_another_patients_lesion_or_visit(
    patient: Patient, cast: Cast
) -> None:
    other = factories.patient(cast.trial)
    foreign = factories.baseline(other, by=cast.coordinator)
    mine = visit_on(patient, 42)
    tables: dict[str, tuple[Any, str]] = {
        "measurement": (Measurement, "T01"),
        "nontargetstatus": (NonTargetStatus, "NT01"),
    }
    for table, (model, label) in tables.items():
        row = model.objects.get(visit=mine, lesion__label=label)
        lesion = Lesion.objects.get(patient=other, label=label)
        for column, value in (("lesion_id", lesion.pk), ("visit_id", foreign.pk)):
            sql = f"UPDATE outcomes_{table} SET {column} = %s WHERE id = %s"
            name = column.removesuffix("_id")
            assert f"outcomes_{table}_{name}_shares_patient" in violates(sql, value, row.pk)


def test_merging_and_new_lesions_stay_within_the_patient(patient: Patient, cast: Cast) -> None:
    other = factories.patient(cast.trial)
    factories.baseline(other, by=cast.coordinator)
    factories.follow_up(other, 42, by=cast.coordinator, new_lesions=(new_lesion("NL01"),))
    foreign = Lesion.objects.get(patient=other, label="T02")
    sql = (
        "UPDATE outcomes_measurement SET state = 'merged', diameter_mm = NULL, merged_into_id = %s"
        " WHERE patient_id = %s"
    )
    assert "merged_into_shares_patient" in violates(sql, foreign.pk, patient.pk)
    seen = NewLesionStatus.objects.get()
    sql = "UPDATE outcomes_newlesionstatus SET visit_id = %s WHERE id = %s"
    assert "visit_shares_patient" in violates(sql, visit_on(patient, 42).pk, seen.pk)


LESION = """INSERT INTO outcomes_lesion (patient_id, evaluator, label, role, organ, organ_group,
    description, nodal, method, bone_type, previously_irradiated, progressed_since_irradiation,
    target_number, organ_slot)
    VALUES (%s, 'investigator', %s, %s, '', %s, '', false, '', '', false, false, %s, %s)"""
LESIONS: list[tuple[tuple[Any, ...], str]] = [
    (("T06", "target", "bone", 6, 1), "lesion_at_most_5_targets_2_per_organ"),
    (("T06", "target", "bone", None, 1), "lesion_at_most_5_targets_2_per_organ"),
    (("T06", "target", "bone", 3, None), "lesion_at_most_5_targets_2_per_organ"),
    (("T06", "target", "lung", 3, 3), "lesion_at_most_5_targets_2_per_organ"),
    (("T06", "target", "lung", 3, 1), "lesion_organ_slot_unique"),
    (("T06", "target", "bone", 1, 1), "lesion_target_number_unique"),
    (("T01", "target", "bone", 3, 1), "lesion_label_unique"),
    (("T06", "target", "", 3, 1), "lesion_target_has_organ"),
    (("NT02", "non_target", "bone", 3, 1), "lesion_at_most_5_targets_2_per_organ"),
    (("X01", "other", "bone", None, None), "lesion_role_known"),
]


@pytest.mark.parametrize(("values", "constraint"), LESIONS)
def test_the_database_refuses_a_lesion(
    patient: Patient, values: tuple[Any, ...], constraint: str
) -> None:
    assert constraint in violates(LESION, patient.pk, *values)


UPDATES = [
    ("measurement SET diameter_mm = NULL", "measurement_number_if_measured"),
    ("measurement SET state = 'absent'", "measurement_number_if_measured"),
    ("measurement SET state = 'gone', diameter_mm = NULL", "measurement_state_known"),
    ("measurement SET diameter_mm = -1", "measurement_0_to_400_mm"),
    ("measurement SET diameter_mm = 400.01", "measurement_0_to_400_mm"),
    ("measurement SET state = 'not_evaluable', diameter_mm = NULL",
     "measurement_not_evaluable_has_reason"),
    ("measurement SET state = 'merged', diameter_mm = NULL", "measurement_merged_names_lesion"),
    ("measurement SET merged_into_id = lesion_id", "measurement_merged_names_lesion"),
    ("measurement SET lesion_id = (SELECT min(lesion_id) FROM outcomes_measurement)",
     "measurement_once_per_visit"),
    ("nontargetstatus SET status = 'x'", "non_target_status_known"),
    ("nontargetstatus SET short_axis_mm = 401", "non_target_0_to_400_mm"),
    ("nontargetstatus SET status = 'not_evaluable'", "non_target_not_evaluable_has_reason"),
    ("visit SET date = '2024-01-15'", "visit_one_per_date"),
    ("visit SET kind = 'baseline', overall_response = ''", "visit_one_baseline"),
    ("visit SET kind = 'x'", "visit_kind_known"),
    ("visit SET sum_mm = -1", "visit_sum_not_negative"),
    ("visit SET overall_response = ''", "visit_response_after_baseline_only"),
    ("visit SET overall_response = 'SD'", "visit_response_after_baseline_only"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "constraint"), UPDATES)
def test_the_database_refuses_a_contradiction(
    patient: Patient, change: str, constraint: str
) -> None:
    assert constraint in violates(f"UPDATE outcomes_{change}")


# Races


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What these calls answer when they start at once, each on a connection of its own."""
    start, answers = Barrier(len(calls)), [None] * len(calls)

    def run(index: int) -> None:
        start.wait()
        answers[index] = calls[index]()
        connections.close_all()

    threads = [Thread(target=run, args=[index]) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_at_once_one_wins(cast: Cast, api: Login) -> None:
    patient = factories.patient(cast.trial)
    client, colleague = api(cast.coordinator), api(cast.colleague)
    visit = client.post("/visits/", baseline_of(patient)).json()
    path = f"/visits/{visit['id']}/"
    answers = together(
        lambda: client.put(path, visit | WHY, if_match='"1"'),
        lambda: colleague.put(path, visit | WHY, if_match='"1"'),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert Visit.objects.get().version == 2
    assert events(Visit).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_identical_posts_at_once_one_is_stored(cast: Cast, api: Login) -> None:
    patient = factories.patient(cast.trial)
    client = api(cast.coordinator)
    calls = [lambda: client.post("/visits/", baseline_of(patient))] * 3
    answers = together(*calls)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    calls = [lambda: client.post("/visits/", follow_up_of(patient))] * 3
    answers = together(*calls)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {a.json()["errors"][0]["pointer"] for a in answers if a.status_code == 409} == {"/date"}
    assert Visit.objects.count() == 2
    assert Measurement.objects.count() == 4
