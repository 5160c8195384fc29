"""Any body of POST /trials/, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from trials import ctgov_document as shapes

words = st.text(
    st.one_of(
        st.sampled_from("aB 1.;:*-•–\n()\\<>[]^~9xX×/L,"),
        st.characters(codec="utf-8", exclude_characters="\0"),
    ),
    max_size=25,
)
names = words.filter(lambda text: bool(text.strip()))
term = st.sampled_from
days = st.lists(st.integers(1, 31), max_size=4, unique=True).map(sorted)
dates = st.sampled_from(["", "2019", "2019-04", "2019-04-30"])


def rows(required: dict[str, Any], optional: dict[str, Any], most: int = 3) -> Any:
    """A list of objects."""
    return st.lists(st.fixed_dictionaries(required, optional=optional), max_size=most)


interventions = rows(
    {"name": names},
    {
        "type": term(["", *shapes.INTERVENTION_TYPES]),
        "description": words,
        "other_names": st.lists(names, max_size=2),
        "dose": st.one_of(st.none(), st.integers(0, 500), term([0.5, 1.25])),
        "unit": term(["", "mg", "mg/m2"]),
        "route": term(["", "oral", "intravenous", "inhaled"]),
        "days_on": days,
        "cycle_days": st.one_of(st.none(), st.integers(1, 365)),
    },
)
arms = rows(
    {"name": names},
    {
        "type": term(["", *shapes.ARM_TYPES]),
        "description": words,
        "interventions": interventions,
    },
)
endpoints = rows(
    {"kind": term(["ORR", "DCR", "CBR", "PFS", "OS", "DOR", "TTR", "OTHER"])},
    {
        "name": words,
        "role": term(["primary", "secondary", "other"]),
        "title": words,
        "wording": words,
        "time_frame": words,
        "note": words,
        "definition": st.fixed_dictionaries(
            {}, optional={"min_stable_days": st.integers(0, 99), "confidence_level": term([0.9])}
        ),
    },
)
criteria = rows(
    {"kind": term(["inclusion", "exclusion"]), "text": names},
    {
        "rule": st.one_of(st.none(), st.just({"type": "attestation", "code": "a"})),
        "note": words,
        "source": words,
    },
    most=5,
)
sites = rows(
    {"code": names},
    {
        **dict.fromkeys(("name", "city", "state", "zip"), words),
        "country": term(["", "China", "United States"]),
        "timezone": term(["Asia/Shanghai", "UTC"]),
        "status": term(["", *shapes.STATUSES]),
    },
)
officials = rows(
    {"name": names, "role": term(shapes.OFFICIAL_ROLES)},
    dict.fromkeys(("affiliation", "phone", "email"), words),
)
texts = dict.fromkeys(
    (
        *("official_title", "acronym", "org_study_id", "brief_summary", "detailed_description"),
        *("lead_sponsor", "principal_investigator"),
    ),
    words,
)
terms = {
    "phase": term(["", "NA", "PHASE1_PHASE2", "PHASE2"]),
    "status": term(["", *shapes.STATUSES]),
    "study_type": term(["", *shapes.STUDY_TYPES]),
    "allocation": term(["", *shapes.ALLOCATIONS]),
    "intervention_model": term(["", *shapes.MODELS]),
    "primary_purpose": term(["", *shapes.PURPOSES]),
    "masking": term(["", *shapes.MASKINGS]),
    "observational_model": term(["", *shapes.OBSERVATIONAL]),
    "time_perspective": term(["", *shapes.PERSPECTIVES]),
    "enrollment_type": term(["", *shapes.DATE_TYPES]),
    "eligible_sex": term(["", *shapes.SEXES]),
    "minimum_age": term(["", "18 Years", "N/A"]),
    "maximum_age": term(["", "70 Years"]),
    **{
        f"{name}{tail}": kind
        for name in ("start_date", "primary_completion_date", "completion_date")
        for tail, kind in (("", dates), ("_type", term(["", *shapes.DATE_TYPES])))
    },
}
others = {
    "response_criteria": term(["RECIST 1.1"]),
    "assessment_interval_days": st.integers(1, 365),
    "enrollment_gate": term(["recorded_elsewhere", "screening"]),
    "enrollment_target": st.one_of(st.none(), st.integers(0, 1_000_000)),
    "healthy_volunteers": st.one_of(st.none(), st.booleans()),
    "sarcoma": st.booleans(),
    "published": rows({"measure": names, "source": names, "printed": names}, {}, most=1),
}
lists = dict.fromkeys(
    ("secondary_ids", "conditions", "keywords", "collaborators"), st.lists(names, max_size=2)
)
nested = {
    "arms": arms,
    "endpoints": endpoints,
    "criteria": criteria,
    "sites": sites,
    "officials": officials,
}
bodies = st.fixed_dictionaries(
    {
        "registry_id": st.one_of(
            st.from_regex(r"\ANCT[0-9]{8}\Z"), st.from_regex(r"\A[A-Z][A-Z0-9._-]{0,9}\Z")
        ),
        "brief_title": names,
    },
    optional={**texts, **terms, **others, **lists, **nested},
)
