"""Made-up studies for trying out: patients of every standing, dated from the day they are loaded.

One has an independent reviewer, who reads some scans otherwise than the site; the other has a PD-1
antibody and is read by iRECIST too. Only `manage.py demo` loads them. Everything goes through the actions, so it is checked, derived and
audited like any other entry; one check is left unconfirmed on purpose, which opens a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from outcomes import actions
from outcomes.entries import NonTargetEntry, TargetEntry, VisitEntry
from outcomes.models import INVESTIGATOR, REVIEWER
from patients.actions import enroll_patient
from patients.conduct import record_dose
from patients.models import Adjustment, Patient
from registry import audit
from registry.models import User
from trials.actions import add_member, create_trial
from trials.models import Trial
from trials.serializers import TrialSerializer
from trials.vocabularies import Role

COMMAND = "manage.py demo"
REGISTRY_ID, IMMUNE_ID = "PRACTICE", "PRACTICE-PD1"
TRIAL: dict[str, Any] = {
    "registry_id": REGISTRY_ID,
    "brief_title": "Practice study: enter visits here",
    "phase": "PHASE2",
    "status": "RECRUITING",
    "study_type": "INTERVENTIONAL",
    "allocation": "NA",
    "masking": "NONE",
    "conditions": ["Soft Tissue Sarcoma"],
    "enrollment_target": 20,
    "ctcae_version": "5.0",
    "sites": [{"code": code, "name": f"Practice site {code}"} for code in ("01", "02")],
    "arms": [
        {
            "name": "anlotinib",
            "type": "EXPERIMENTAL",
            "interventions": [
                {
                    "name": "anlotinib", "type": "DRUG", "dose": 12, "unit": "mg", "route": "oral",
                    "days_on": list(range(1, 15)), "cycle_days": 21,
                }
            ],
        }
    ],
}  # fmt: skip
IMMUNE: dict[str, Any] = TRIAL | {
    "registry_id": IMMUNE_ID,
    "brief_title": "Practice study: anlotinib with a PD-1 antibody, by iRECIST too",
    "irecist": True,
    "sites": TRIAL["sites"][:1],
    "arms": [
        {
            "name": "anlotinib and toripalimab",
            "type": "EXPERIMENTAL",
            "interventions": [
                *TRIAL["arms"][0]["interventions"],
                {
                    "name": "toripalimab", "type": "BIOLOGICAL", "dose": 240, "unit": "mg",
                    "route": "intravenous", "days_on": [1], "cycle_days": 21,
                },
            ],
        }
    ],
    "endpoints": [
        {
            "kind": kind, "role": "secondary", "name": f"i{kind}",
            "definition": {"criteria": "iRECIST", "confirmation": {"required": False}},
        }
        for kind in ("ORR", "PFS")
    ],
}  # fmt: skip
Members = Mapping[str, tuple[Role, str | None]]
READER = "reviewer"
MEMBERS: Members = {
    "coordinator": (Role.COORDINATOR, "01"),
    "colleague": (Role.COORDINATOR, "01"),
    "outsider": (Role.COORDINATOR, "02"),
    "investigator": (Role.INVESTIGATOR, None),
    READER: (Role.REVIEWER, None),
}
IMMUNE_MEMBERS: Members = {
    "colleague": (Role.COORDINATOR, "01"),
    "investigator": (Role.INVESTIGATOR, None),
    "administrator": (Role.ADMINISTRATOR, None),
}
LESIONS = (  # organ, location
    ("lung", "left upper lobe"),
    ("liver", "segment VI"),
    ("soft tissue", "left gluteal muscle"),
)
EFFUSION = "pleural effusion"


Visits = tuple[tuple[int, tuple[str | list[str], ...]], ...]  # the day on treatment, and diameters


@dataclass(frozen=True)
class Course:
    """A patient: how many days ago treatment began, the baseline, and visits by their day on it.

    Diameters are in mm; a list is of the fragments of a lesion that has split. `read` is what the
    independent reviewer made of the same scans, the baseline first. `doses` are mg of anlotinib
    from a day on treatment on, 12 mg being planned on days 1 to 14 of 21; 0 is a pause.
    """

    subject_id: str
    sex: str
    histology: str
    began: int
    baseline: tuple[str, ...] = ()
    visits: Visits = ()
    read: tuple[tuple[str, ...], ...] = ()
    dosed: bool = True
    doses: tuple[tuple[int, int], ...] = ((0, 12),)


COURSES = (
    Course("01-001", "female", "leiomyosarcoma", 98, ("42", "31", "25"), ((43, ("36", "26", "24")),),
           (("41", "30", "26"), ("35", "27", "25")), doses=((0, 12), (63, 10))),
    Course("01-002", "male", "synovial sarcoma", 44, ("38", "22")),
    Course("01-003", "female", "alveolar soft part sarcoma", 50, ("27", "19", "33"),
           ((41, ("22", "14", "27")),)),
    Course("01-004", "male", "liposarcoma", 3, dosed=False),
    Course("01-005", "male", "undifferentiated pleomorphic sarcoma", 125, ("60", "24"),
           ((42, ("51", "22")), (85, ("22", "21"))),  # 51 to 22 mm: nobody confirmed it
           (("58", "25"), ("40", "17"), ("36", "15")),  # a confirmed response; the site's is not
           doses=((0, 12), (42, 0), (49, 10), (91, 8))),
    Course("01-006", "female", "leiomyosarcoma", 100, ("30", "18", "24"),
           ((42, ("32", "19", "23")), (84, ("41", "23", "29"))),
           (("31", "18", "25"), ("33", "19", "24"), ("36", "20", "26"))),  # no progression
    Course("01-007", "female", "fibrosarcoma", 60, ("48", "21"), ((42, (["23", "18"], "19")),)),
    Course("02-001", "male", "angiosarcoma", 88, ("35", "28"), ((41, ("33", "26")),),
           doses=((0, 12), (42, 0), (49, 12))),
)  # fmt: skip
IMMUNE_COURSES = (
    Course("01-101", "male", "alveolar soft part sarcoma", 120, ("40", "30"),
           ((42, ("52", "36")), (77, ("60", "40")))),  # iUPD, then 12 mm more: iCPD
    Course("01-102", "female", "undifferentiated pleomorphic sarcoma", 60, ("35", "20"),
           ((42, ("44", "25")),)),  # iUPD, to be confirmed or not
    Course("01-103", "female", "alveolar soft part sarcoma", 130, ("50", "25"),
           ((42, ("64", "30")), (77, ("34", "17")))),  # iUPD, then iPR: the bar is reset
)  # fmt: skip


@transaction.atomic
def load() -> dict[str, int]:
    """Store the studies that are not there yet: how many patients each has."""
    audit.attribute(by=COMMAND, reason="practice")
    User.objects.get_or_create(username=READER, defaults={"password": make_password(None)})
    studies: tuple[tuple[dict[str, Any], Members, tuple[Course, ...]], ...] = (
        (TRIAL, MEMBERS, COURSES),
        (IMMUNE, IMMUNE_MEMBERS, IMMUNE_COURSES),
    )
    there = set(Trial.objects.values_list("registry_id", flat=True))
    return {
        document["registry_id"]: _study(document, members, courses)
        for document, members, courses in studies
        if document["registry_id"] not in there
    }


def _study(document: Mapping[str, Any], members: Members, courses: Sequence[Course]) -> int:
    trial = _trial(document, members)
    for course in courses:
        patient = _patient(trial, course, by=_coordinator(members, course.subject_id[:2]))
        if course.read:
            _read(patient, course)
    return len(courses)


def _coordinator(members: Members, site: str) -> User:
    """The first of a site."""
    named = (name for name, member in members.items() if member == (Role.COORDINATOR, site))
    return _user(next(named))


def _user(username: str) -> User:
    return User.objects.get(username=username)


def _trial(document: Mapping[str, Any], members: Members) -> Trial:
    """A study with its people, labeled as synthetic."""
    serializer = TrialSerializer(data=document)
    serializer.is_valid(raise_exception=True)
    trial = create_trial(by=_user("seed-loader"), **serializer.validated_data)
    audit.attribute(by=COMMAND, reason="its patients are made up")
    trial.synthetic = True
    trial.save(update_fields=["synthetic"])
    for username, (role, code) in members.items():
        site = trial.sites.get(code=code) if code else None
        add_member(trial=trial, user=_user(username), role=role, site=site, by=COMMAND)
    return trial


def _patient(trial: Trial, course: Course, *, by: User) -> Patient:
    site = trial.sites.get(code=course.subject_id[:2])
    began = site.today() - timedelta(days=course.began)
    enrolled_on = began - timedelta(days=2) if course.dosed else began
    patient = enroll_patient(
        trial=trial, site=site, by=by, arm=trial.arms.get(), subject_id=course.subject_id,
        sex=course.sex, birth_year=began.year - 50, histology=course.histology, ecog=1,
        enrolled_on=enrolled_on,
    )  # fmt: skip
    if course.dosed:
        _treat(patient, course, began, by)
    if course.baseline:
        _visit(patient, "baseline", began - timedelta(days=6), course.baseline, by)
    for day, diameters in course.visits:
        _visit(patient, "scheduled", began + timedelta(days=day), diameters, by)
    return patient


def _treat(patient: Patient, course: Course, began: Date, by: User) -> None:
    """Anlotinib as the course has it; whatever else the arm has, as planned."""
    before = 12
    for day, mg in course.doses:
        record_dose(
            patient=patient, by=by, intervention="anlotinib", dose=Decimal(mg), unit="mg",
            started_on=began + timedelta(days=day), end_current=day > 0,
            adjustment=_adjustment(before, mg),
        )  # fmt: skip
        before = mg or before
    plan = patient.trial.arms.get().interventions.exclude(name="anlotinib")
    for drug in plan:
        record_dose(patient=patient, by=by, intervention=drug.name, dose=drug.dose, unit=drug.unit, started_on=began)  # fmt: skip


def _adjustment(before: int, mg: int) -> Adjustment:
    if mg == 0:
        return Adjustment.INTERRUPTED
    return Adjustment.REDUCED if mg < before else Adjustment.NONE


def _read(patient: Patient, course: Course) -> None:
    """The independent reviewer's readings of the scans that the site has entered."""
    scans = patient.visits.order_by("date").values_list("kind", "date")
    for (kind, on), diameters in zip(list(scans), course.read, strict=True):
        _visit(patient, kind, on, diameters, _user(READER), REVIEWER)


def _visit(
    patient: Patient,
    kind: str,
    on: Date,
    diameters: tuple[str | list[str], ...],
    by: User,
    evaluator: str = INVESTIGATOR,
) -> None:
    baseline = kind == "baseline"
    targets = tuple(_target(number, mm, baseline) for number, mm in enumerate(diameters))
    described: Mapping[str, Any] = {"organ": EFFUSION, "method": "ct"} if baseline else {}
    effusion = NonTargetEntry(lesion="NT01", status="present", **described)
    entry = VisitEntry(kind=kind, date=on, targets=targets, non_targets=(effusion,), new_lesions=())
    actions.record_visit(patient=patient, entry=entry, by=by, evaluator=evaluator)


def _target(number: int, mm: str | list[str], baseline: bool) -> TargetEntry:
    organ, description = LESIONS[number]
    described: Mapping[str, Any] = (
        {"organ": organ, "description": description, "slice_mm": Decimal(5)} if baseline else {}
    )
    split = isinstance(mm, list)
    return TargetEntry(
        lesion=f"T{number + 1:02}",
        state="measured",
        method="ct",
        diameter_mm=None if split else Decimal(str(mm)),
        fragments_mm=tuple(Decimal(part) for part in mm) if split else (),
        **described,
    )
