"""Plain typed factories: one row each, with defaults that make it valid."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from outcomes import actions
from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.models import Visit
from patients import screening as screening_actions
from patients.models import AdverseEvent, Consent, Deviation, Patient, Screening
from registry import audit
from registry.models import ApiToken, User
from trials.models import (
    Criterion,
    Membership,
    ProtocolVersion,
    Publication,
    PublishedFigure,
    Site,
    Trial,
)
from trials.publications import PublishedResults
from trials.vocabularies import Role

START = date(2024, 1, 15)
PASSWORD = "correct horse battery staple"
_numbers = count(1)


def user(username: str = "", *, superuser: bool = False) -> User:
    """An account with the password `PASSWORD`."""
    name = username or f"user{next(_numbers)}"
    with transaction.atomic():
        audit.attribute(by="tests", reason="factory")
        make = User.objects.create_superuser if superuser else User.objects.create_user
        return make(name, password=PASSWORD)


def users(*names: str) -> dict[str, User]:
    """Accounts with the password `PASSWORD`, by name, in one statement."""
    password = _hashed(settings.PASSWORD_HASHERS[0])
    rows = [User(username=name, password=password) for name in names]
    with transaction.atomic():
        audit.attribute(by="tests", reason="factory")
        return {row.username: row for row in User.objects.bulk_create(rows)}


@cache
def _hashed(_: str) -> str:
    """`PASSWORD` as the hasher of this name stores it; many accounts share one salt."""
    return make_password(PASSWORD)


def token(of: User) -> str:
    """A fresh API key."""
    return ApiToken.issue(of, days=1)


def trial(registry_id: str = "", **fields: Any) -> Trial:
    """A trial with the sites 01 and 02."""
    row = Trial.objects.create(
        registry_id=registry_id or f"NCT{next(_numbers):08}",
        **{"brief_title": "Anlotinib in sarcoma"} | fields,
    )
    ProtocolVersion.objects.create(trial=row, number=1, label="1")
    sites = [Site(trial=row, code=code, timezone="Asia/Shanghai") for code in ("01", "02")]
    Site.objects.bulk_create(sites)
    return row


def membership(member: User, of: Trial, role: Role, site: str | None = None) -> Membership:
    """A role, valid since START."""
    at = of.sites.get(code=site) if site else None
    return Membership.objects.create(user=member, trial=of, site=at, role=role, valid_from=START)


def memberships(of: Trial, *held: tuple[User, Role, str | None]) -> None:
    """Roles of the trial or of its sites, valid since START, in one statement."""
    at = {site.code: site for site in of.sites.all()}
    Membership.objects.bulk_create(
        Membership(
            user=user, trial=of, site=at[code] if code else None, role=role, valid_from=START
        )
        for user, role, code in held
    )


def published_figure(of: Trial, measure: str = "ORR", **fields: Any) -> PublishedFigure:
    """A figure as the abstract prints it."""
    default = {"source": "abstract", "printed": "16%"}
    return PublishedFigure.objects.create(trial=of, measure=measure, **default | fields)


def publication(key: str = "", *claims: dict[str, Any], **fields: Any) -> Publication:
    """A publication of 49 patients with these claims; `results` are further keys of its document."""
    results = {"n": 49, "claims": list(claims)} | fields.pop("results", {})
    return Publication.objects.create(
        key=key or f"study-{next(_numbers)}",
        document=PublishedResults.parse(results).as_document(),
        **{"title": "Anlotinib in sarcoma", "year": 2023} | fields,
    )


def patient(of: Trial, subject_id: str = "", site: str = "01", **fields: Any) -> Patient:
    """An enrolled, dosed patient."""
    dates = {"enrolled_on": START, "first_dose_on": START + timedelta(days=1)}
    return Patient.objects.create(
        trial=of,
        site=of.sites.get(code=site),
        subject_id=subject_id or f"{site}-{next(_numbers):03}",
        **dates | fields,
    )


def adverse_event(
    of: Patient, term: str = "Hypertension", grade: int = 2, *, day: int = 10, **fields: Any
) -> AdverseEvent:
    """A related event that started `day` days after START."""
    started_on = START + timedelta(days=day)
    default = {"related": True, "started_on": started_on}
    return AdverseEvent.objects.create(patient=of, term=term, grade=grade, **default | fields)


def target(label: str, mm: str | int | None = None, **fields: Any) -> TargetEntry:
    """A target row: a number, or another state."""
    diameter = None if mm is None else Decimal(str(mm))
    return TargetEntry(
        lesion=label, diameter_mm=diameter, **{"state": "measured", "method": "ct"} | fields
    )


def non_target(label: str, status: str = "present", **fields: Any) -> NonTargetEntry:
    """A non-target row."""
    return NonTargetEntry(lesion=label, status=status, **fields)


def new_lesion(label: str, certainty: str = "unequivocal", **fields: Any) -> NewLesionEntry:
    """A new lesion's row."""
    return NewLesionEntry(lesion=label, certainty=certainty, **{"organ": "liver"} | fields)


def baseline(of: Patient, *, by: User, on: date = START, **rows: Any) -> Visit:
    """A baseline: two lung targets of 50 and 30 mm and a pleural effusion, unless told otherwise."""
    targets = (target("T01", 50, organ="lung"), target("T02", 30, organ="liver"))
    default = {"targets": targets, "non_targets": (non_target("NT01", organ="pleural effusion"),)}
    return actions.record_visit(
        patient=of, entry=VisitEntry(kind="baseline", date=on, **default | rows), by=by
    )


def follow_up(
    of: Patient, day: int, mm: tuple[str | int, ...] = (50, 30), *, by: User, **rows: Any
) -> Visit:
    """A scheduled visit `day` days after START with these diameters."""
    default = {
        "targets": tuple(target(f"T{i:02}", value) for i, value in enumerate(mm, 1)),
        "non_targets": (non_target("NT01"),),
        "new_lesions": (),
    }
    entry = VisitEntry(kind="scheduled", date=START + timedelta(days=day), **default | rows)
    return actions.record_visit(patient=of, entry=entry, by=by)


CRITERIA: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "inclusion",
        "ECOG 0 or 1",
        {"type": "number", "item": "ecog", "comparison": "at_most", "value": 1},
    ),
    (
        "inclusion",
        "Platelets at least 80 x 10^9/L",
        {
            "type": "number", "item": "platelets", "comparison": "at_least", "value": 80,
            "unit": "10^9/L",
        },
    ),
    ("exclusion", "Lactating women", {"type": "yes_no", "item": "lactating", "answer": True}),
)  # fmt: skip
ELIGIBLE: dict[str, Any] = {
    "ecog": {"value": 1},
    "platelets": {"value": 80, "unit": "10^9/L"},
    "lactating": {"value": False},
}


def criteria(of: Trial) -> list[Criterion]:
    """The protocol's CRITERIA: two of inclusion, one of exclusion."""
    return [
        Criterion.objects.create(trial=of, kind=kind, text=text, rule=rule, position=position)
        for position, (kind, text, rule) in enumerate(CRITERIA)
    ]


def candidate(of: Trial, subject_id: str = "", **fields: Any) -> Patient:
    """Somebody who is not enrolled."""
    return patient(of, subject_id, **{"enrolled_on": None, "first_dose_on": None} | fields)


def consent(of: Patient, *, by: User, on: date = START, version: str = "1") -> Consent:
    """A signed consent form."""
    return screening_actions.record_consent(
        patient=of, by=by, consent_version=version, signed_on=on
    )


def screening(
    of: Patient, *, by: User, on: date = START, values: dict[str, Any] | None = None
) -> Screening:
    """A screening; ELIGIBLE unless told otherwise."""
    return screening_actions.screen_patient(
        patient=of, by=by, screened_on=on, values=ELIGIBLE if values is None else values
    )


def deviation(
    of: Patient, criterion: Criterion, *, by: User, on: date = START, **facts: Any
) -> Deviation:
    """A deviation from a criterion of the latest screening; a major one unless told otherwise."""
    told = {"justification": "no alternative"} | facts
    return screening_actions.record_deviation(
        patient=of, criterion=criterion, by=by, occurred_on=on, **told
    )
