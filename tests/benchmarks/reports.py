"""A whole report against psycopg2 alone reading the same columns of the same rows."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.cache import cache
from django.db import connection
from rest_framework.renderers import JSONRenderer

from outcomes import report
from outcomes.endpoints import preview as definition_preview
from outcomes.endpoints.documents import preview_document
from outcomes.endpoints.preview import Proposal
from outcomes.report.documents import report_document
from registry.models import User
from tests.benchmarks.measure import Line, compare, statements
from trials.definitions import CensoringRule, EndpointDefinition, EndpointKind
from trials.models import Trial

CUTOFF = date(2023, 1, 1)
OF_TRIAL = "IN (SELECT id FROM patients_patient WHERE trial_id = %s AND voided_at IS NULL)"
PATIENTS = """
    SELECT p.id, p.subject_id, s.code, a.name, p.histology, p.sex, p.ecog,
        p.enrolled_on, p.randomized_on, p.first_dose_on, p.last_dose_on,
        p.last_known_alive_on, p.died_on, a.id, a.type, p.birth_year, p.prior_lines,
        (
            SELECT min(d.occurred_on) FROM patients_deviation d
            JOIN patients_screening g ON g.id = d.screening_id
                AND g.version = d.screening_version AND g.voided_at IS NULL
            WHERE d.patient_id = p.id AND d.major AND d.voided_at IS NULL
        )
    FROM patients_patient p
    JOIN trials_site s ON s.id = p.site_id
    LEFT JOIN patients_allocation l ON l.patient_id = p.id
    LEFT JOIN trials_arm a ON a.id = l.arm_id
    WHERE p.trial_id = %s AND p.voided_at IS NULL
"""
VISITS = f"""
    SELECT patient_id, id, kind, date, overall_response, sum_mm, baseline_sum_mm, complete
    FROM outcomes_visit WHERE voided_at IS NULL AND patient_id {OF_TRIAL}
"""
THERAPIES = f"""
    SELECT patient_id, id, started_on, kind
    FROM patients_therapy WHERE voided_at IS NULL AND patient_id {OF_TRIAL}
"""
NEW_LESIONS = f"""
    SELECT n.visit_id, n.certainty, l.label
    FROM outcomes_newlesionstatus n JOIN outcomes_lesion l ON l.id = n.lesion_id
    WHERE n.patient_id {OF_TRIAL}
"""
READ = (PATIENTS, VISITS, THERAPIES, NEW_LESIONS)


def document(trial: Trial, user: User) -> bytes:
    """The report as the API sends it."""
    found = report.build(trial, user=user, options=report.Options(cutoff=CUTOFF))
    body: bytes = JSONRenderer().render(report_document(found))
    return body


def cold_document(trial: Trial, user: User) -> bytes:
    """The same with nothing kept from before."""
    cache.clear()
    return document(trial, user)


def rows(trial: Trial) -> list[list[tuple[Any, ...]]]:
    """The rows that a report is made of."""
    connection.ensure_connection()
    found = []
    with connection.connection.cursor() as cursor:
        for sql in READ:
            cursor.execute(sql, [trial.pk])
            found.append(cursor.fetchall())
    return found


def measured(trial: Trial, user: User, repetitions: int) -> Line:
    """A report from the first statement to the last byte of JSON."""
    ours, other, ratio = compare(
        lambda: cold_document(trial, user), lambda: rows(trial), repetitions=repetitions
    )
    patients, visits, therapies, new_lesions = map(len, rows(trial))
    asked = statements(lambda: document(trial, user))
    return Line(
        what=f"Report with JSON, {patients:,} patients, {visits:,} visits, nothing cached",
        against="psycopg2 reading the same columns of the same rows",
        ours=ours,
        other=other,
        ratio=ratio,
        aim=3,
        rows=f"{patients + visits + therapies + new_lesions:,}",
        statements=f"{asked} / {len(READ)}",
    )


def proposal() -> Proposal:
    """PFS by the FDA's rule, in place of the default: it moves many patients."""
    default = EndpointDefinition()
    censoring = default.censoring.model_copy(update={"rule": CensoringRule.FDA})
    definition = default.model_copy(update={"censoring": censoring})
    return Proposal(EndpointKind.PFS, definition)


def preview(trial: Trial, user: User) -> bytes:
    """The preview of that definition as the API sends it."""
    found = definition_preview.preview(trial, proposal(), user=user, cutoff=CUTOFF)
    body: bytes = JSONRenderer().render(preview_document(found, trial.registry_id))
    return body


def previewed(trial: Trial, user: User, repetitions: int) -> Line:
    """The preview of a definition against a report, both from the first statement to JSON."""
    ours, other, ratio = compare(
        lambda: preview(trial, user), lambda: cold_document(trial, user), repetitions=repetitions
    )
    found = definition_preview.preview(trial, proposal(), user=user, cutoff=CUTOFF)
    return Line(
        what=f"Preview of another PFS definition: {len(found.moves):,} of {found.n:,} patients move",
        against="the report with JSON",
        ours=ours,
        other=other,
        ratio=ratio,
        aim=2,
        rows=f"{found.n:,}",
        statements=f"{statements(lambda: preview(trial, user))} / {statements(lambda: document(trial, user))}",
    )
