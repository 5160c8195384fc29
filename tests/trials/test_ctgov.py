"""ClinicalTrials.gov studies read and written: nothing lost, nothing silent, nothing too strange."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trials.ctgov_bodies import bodies
from trials import ctgov_document as shapes
from trials import registry_terms
from trials import vocabularies as v
from trials.ctgov import Unreadable, read, write
from trials.ctgov_document import EXTENSION
from trials.json_patch import resolve

ROOT = Path(__file__).parent.parent.parent
STUDIES = {path.stem: path for path in (ROOT / "tests/reference/ctgov").glob("*.json")}
SEEDS = {path.parent.name: path for path in (ROOT / "fixtures").glob("*/trial.json")}


def study(name: str = "NCT03890068") -> dict[str, Any]:
    """A study file."""
    found: dict[str, Any] = json.loads(STUDIES[name].read_text())
    return found


def minimal(**modules: Any) -> dict[str, Any]:
    """The least that is a study, and these modules."""
    named = {"nctId": "NCT00000001", "briefTitle": "A trial"}
    return {"protocolSection": {"identificationModule": named, **modules}}


def codes(document: Any) -> list[tuple[str, str]]:
    """The messages of a document that is read."""
    return [(message.pointer, message.code) for message in read(document).messages]


def refusals(document: Any) -> list[tuple[str, str]]:
    """The errors of a document that is not."""
    with pytest.raises(Unreadable) as raised:
        read(document)
    return [(error.pointer, error.code) for error in raised.value.errors]


def through_json(document: Any) -> Any:
    """As a file holds it."""
    return json.loads(json.dumps(document))


# --- nothing is lost ---


@given(bodies)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
def test_a_body_comes_back_as_it_was(body: dict[str, Any]) -> None:
    assert read(through_json(write(body))).body == body


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_trial_comes_back_as_it_was(name: str) -> None:
    body = json.loads(SEEDS[name].read_text())
    assert read(through_json(write(body))).body == body


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_read_again_as_it_was_written(name: str) -> None:
    body = read(study(name)).body
    assert read(write(body)).body == body


@pytest.mark.parametrize("name", STUDIES)
def test_what_is_written_is_a_study_without_the_registrys_own_member(name: str) -> None:
    """The standard members alone say what the study said, but for what they have no place for."""
    body = read(study(name)).body
    plain = {key: value for key, value in write(body).items() if key != EXTENSION}
    again = read(plain).body
    for key in ("registry_id", "brief_title", "phase", "enrollment_target", "endpoints"):
        assert again.get(key) == body.get(key)
    texts = [[row["text"] for row in found.get("criteria", [])] for found in (again, body)]
    assert texts[0] == texts[1]


def test_what_the_standard_has_no_place_for_stands_in_the_registrys_own_member() -> None:
    body = read(study()).body
    body["criteria"][0]["rule"] = {"type": "attestation", "code": "consent"}
    body["endpoints"][0]["definition"] = {"min_stable_days": 84}
    body["sites"][0]["code"] = "GZ"
    changes = {change["path"]: change["value"] for change in write(body)[EXTENSION]["changes"]}
    assert changes["/criteria/0/rule"] == {"type": "attestation", "code": "consent"}
    assert changes["/endpoints/0/definition"] == {"min_stable_days": 84}
    assert changes["/sites/0/code"] == "GZ"
    assert "/brief_title" not in changes


def test_members_that_were_edited_since_count_and_the_rest_of_the_patch_still_holds() -> None:
    body = read(study()).body
    body["criteria"][0]["rule"] = {"type": "attestation", "code": "consent"}
    body["endpoints"][0]["definition"] = {"min_stable_days": 84}
    document = write(body)
    eligibility = document["protocolSection"]["eligibilityModule"]
    eligibility["eligibilityCriteria"] = "Inclusion Criteria:\n\n* Adults"
    reading = read(document)
    assert reading.body["criteria"] == [{"kind": "inclusion", "text": "Adults", "rule": None}]
    assert reading.body["endpoints"][0]["definition"] == {"min_stable_days": 84}
    at = "/protocolSection/eligibilityModule/eligibilityCriteria"
    assert (at, "changed_since") in codes(document)


# --- what a study says ---


def test_the_registry_entry_of_alter_s006() -> None:
    body = read(study()).body
    (arm,) = body["arms"]
    assert body["phase"] == "PHASE2"
    assert body["masking"] == "NONE"
    assert body["principal_investigator"] == "Xing Zhang, Sun Yat-sen University"
    assert [row["kind"] for row in body["endpoints"]] == ["PFS", "OS", "ORR", "DCR", "OTHER"]
    assert body["endpoints"][1]["time_frame"] == "From randomization until death (up to 24 months)"
    assert arm["interventions"][0] | {"description": ""} == {
        "name": "Anlotinib Hydrochloride",
        "type": "DRUG",
        "description": "",
        "dose": 12,
        "unit": "mg",
        "route": "oral",
        "days_on": list(range(1, 15)),
        "cycle_days": 21,
    }
    assert body["sites"] == [
        {
            "code": "01",
            "name": "Sun Yat-sen University Cancer Center",
            "city": "Guangzhou",
            "country": "China",
            "status": "RECRUITING",
            "timezone": "Asia/Shanghai",
        }
    ]
    assert "sarcoma" not in body


def test_each_drug_of_a_combination_has_its_own_schedule() -> None:
    (arm,) = read(study("NCT04172805")).body["arms"]
    assert [(row["name"], row["dose"], row["days_on"][-1]) for row in arm["interventions"]] == [
        ("Anlotinib", 12, 14),
        ("Toripalimab", 240, 1),
    ]


def test_a_carcinoma_does_not_count_in_sarcoma_pools() -> None:
    assert read(study("NCT04813406")).body["sarcoma"] is False
    assert ("/protocolSection/conditionsModule/conditions", "not_sarcoma") in codes(
        study("NCT04813406")
    )


def test_a_randomized_trial_keeps_each_drug_in_its_arm() -> None:
    body = read(study("NCT02449343")).body
    assert body["allocation"] == "RANDOMIZED"
    assert {arm["name"]: [row["name"] for row in arm["interventions"]] for arm in body["arms"]} == {
        "Anlotinib": ["Anlotinib"],
        "Placebo": ["Placebo"],
    }


@pytest.mark.parametrize(
    ("phases", "phase"),
    [
        (["PHASE1", "PHASE2"], "PHASE1_PHASE2"),
        (["PHASE2", "PHASE3"], "PHASE2_PHASE3"),
        (["EARLY_PHASE1"], "EARLY_PHASE1"),
        (["NA"], "NA"),
        (["PHASE1", "PHASE3"], None),
        ([], None),
    ],
)
def test_phases(phases: list[str], phase: str | None) -> None:
    document = minimal(designModule={"phases": phases})
    assert read(document).body.get("phase") == phase
    told = ("/protocolSection/designModule/phases", "term_not_held")
    assert (told in codes(document)) == (phase is None and phases != [])


@pytest.mark.parametrize(
    ("measure", "description", "kind"),
    [
        ("Progress free survival", "", "PFS"),
        ("Progression Free Survival (PFS)", "", "PFS"),
        ("mPFS", "", "OTHER"),
        ("PFS2", "", "OTHER"),
        ("6-month progression-free survival rate", "", "OTHER"),
        ("Overall survival", "", "OS"),
        ("1-year overall survival rate", "", "OTHER"),
        ("Objective Response Rate", "", "ORR"),
        ("Overall response rate", "", "ORR"),
        ("Intracranial ORR", "", "OTHER"),
        ("ORR by iRECIST", "", "OTHER"),
        ("Best overall response", "", "OTHER"),
        ("Disease control rate", "", "DCR"),
        ("Clinical benefit rate (CBR)", "", "CBR"),
        ("Duration of overall response", "", "DOR"),
        ("DoR", "", "DOR"),
        ("Time to response", "", "TTR"),
        ("Efficacy", "Objective response rate by RECIST 1.1", "ORR"),
        ("Efficacy", "ORR and PFS", "OTHER"),
        ("Biomarkers", "Correlation with PFS", "OTHER"),
        ("ORR and PFS", "", "OTHER"),
        ("Safety", "adverse events", "OTHER"),
    ],
)
def test_endpoint_kinds(measure: str, description: str, kind: str) -> None:
    assert registry_terms.endpoint_kind(measure, description) == kind


def test_twins_are_told_apart_by_a_number() -> None:
    outcome = {"measure": "Overall survival"}
    document = minimal(outcomesModule={"primaryOutcomes": [outcome] * 3})
    names = [row["name"] for row in read(document).body["endpoints"]]
    assert names == ["", "OS (2)", "OS (3)"]
    arms = minimal(armsInterventionsModule={"armGroups": [{"label": "A"}, {"label": "A"}]})
    assert [arm["name"] for arm in read(arms).body["arms"]] == ["A", "A (2)"]


def test_a_long_title_is_kept_whole_beside_the_shortened_name() -> None:
    title = "Quality of life " * 12
    document = minimal(outcomesModule={"otherOutcomes": [{"measure": title, "description": "D"}]})
    (row,) = read(document).body["endpoints"]
    assert len(row["name"]) <= 100
    assert (row["title"], row["wording"]) == (title, "D")
    at = "/protocolSection/outcomesModule/otherOutcomes/0/measure"
    assert (at, "shortened") in codes(document)


@pytest.mark.parametrize(
    "measure", ["Overall Survival", "Progress free survival for maintenance", "Safety profile"]
)
def test_the_printed_title_is_kept(measure: str) -> None:
    document = minimal(outcomesModule={"primaryOutcomes": [{"measure": measure}]})
    (row,) = read(document).body["endpoints"]
    assert row["title"] == measure
    assert write({**read(document).body})["protocolSection"]["outcomesModule"] == {
        "primaryOutcomes": [{"measure": measure}]
    }


def test_what_the_registry_says_of_an_endpoint_is_in_its_own_member() -> None:
    row = {"kind": "OS", "name": "", "role": "primary", "title": "Overall Survival"}
    row |= {"wording": "Until death.", "note": "Counted from the first dose."}
    study = write(read(minimal()).body | {"endpoints": [row]})
    (outcome,) = study["protocolSection"]["outcomesModule"]["primaryOutcomes"]
    assert outcome == {"measure": "Overall Survival", "description": "Until death."}
    assert study[EXTENSION]["changes"] == [
        {"op": "add", "path": "/endpoints/0/note", "value": row["note"]}
    ]
    assert read(study).body["endpoints"] == [row]


def test_the_default_of_the_enrollment_gate_is_told() -> None:
    told = ("/protocolSection", "gate_default")
    assert told in codes(minimal())
    assert told not in codes(write(read(minimal()).body | {"enrollment_gate": "screening"}))


def test_an_intervention_that_names_no_arm_is_told() -> None:
    arms = [{"label": "A", "interventionNames": ["Drug: X"]}, {"label": "B"}]
    drugs = [{"name": "X", "type": "DRUG"}, {"name": "Y", "armGroupLabels": ["C"]}]
    module = {"armGroups": arms, "interventions": drugs}
    document = minimal(armsInterventionsModule=module)
    read_arms = read(document).body["arms"]
    assert [[row["name"] for row in arm["interventions"]] for arm in read_arms] == [["X"], []]
    at = "/protocolSection/armsInterventionsModule/interventions/1"
    assert {(at, "in_no_arm"), (f"{at}/armGroupLabels", "no_such_name")} <= set(codes(document))


def test_time_zones_only_of_countries_that_have_one() -> None:
    countries = ["China", "United States", "Japan"]
    locations = [{"facility": "H", "country": name} for name in countries]
    document = minimal(contactsLocationsModule={"locations": locations})
    sites = read(document).body["sites"]
    assert [site["timezone"] for site in sites] == ["Asia/Shanghai", "UTC", "Asia/Tokyo"]
    at = "/protocolSection/contactsLocationsModule/locations/1/country"
    assert (at, "zone_unknown") in codes(document)


def test_terms_that_this_registry_does_not_hold_are_told_and_left_blank() -> None:
    document = minimal(
        statusModule={"overallStatus": "WITHHELD"},
        designModule={"designInfo": {"primaryPurpose": "DEVICE_FEASIBILITY"}},
    )
    assert {"status", "primary_purpose"}.isdisjoint(read(document).body)
    assert ("/protocolSection/statusModule/overallStatus", "term_not_held") in codes(document)


def test_the_terms_are_those_of_the_vocabularies() -> None:
    for terms, choices in (
        (shapes.STATUSES, v.Status),
        (shapes.STUDY_TYPES, v.StudyType),
        (shapes.ALLOCATIONS, v.AllocationType),
        (shapes.MODELS, v.InterventionModel),
        (shapes.PURPOSES, v.PrimaryPurpose),
        (shapes.OBSERVATIONAL, v.ObservationalModel),
        (shapes.PERSPECTIVES, v.TimePerspective),
        (shapes.MASKINGS, v.Masking),
        (shapes.DATE_TYPES, v.DateType),
        (shapes.DATE_TYPES, v.EnrollmentType),
        (shapes.SEXES, v.EligibleSex),
        (shapes.ARM_TYPES, v.ArmType),
        (shapes.OFFICIAL_ROLES, v.OfficialRole),
        (list(shapes.INTERVENTION_TYPES), v.InterventionType),
        (list(registry_terms.PHASES.values()), v.Phase),
    ):
        assert set(terms) == set(choices.values)
    for zone in registry_terms.ZONES.values():
        v.validate_timezone(zone)


def test_a_place_in_the_body_is_found_in_the_document() -> None:
    reading = read(study())
    for pointer, at in (
        ("/brief_title", "/protocolSection/identificationModule/briefTitle"),
        ("/arms/0/name", "/protocolSection/armsInterventionsModule/armGroups/0/label"),
        ("/sites/0/name", "/protocolSection/contactsLocationsModule/locations/0/facility"),
        ("/criteria/3/text", "/protocolSection/eligibilityModule/eligibilityCriteria"),
        (
            "/endpoints/1/time_frame",
            "/protocolSection/outcomesModule/secondaryOutcomes/0/timeFrame",
        ),
    ):
        assert reading.origin(pointer) == at
        resolve(study(), at)
    body = {**reading.body, "ctcae_version": "9"}
    document = write(body)
    assert read(document).origin("/ctcae_version").startswith(f"/{EXTENSION}/changes/")


# --- nothing is too strange ---


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each node."""
    yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, item in items:
        yield from nodes(item, (*path, step))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path."""
    copied = copy.deepcopy(document)
    if not path:
        return value
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return copied


def pointer(path: tuple[Any, ...]) -> str:
    return "".join(f"/{step}" for step in path)


def full() -> dict[str, Any]:
    """A study with every module, and this registry's own member."""
    body = read(study()).body
    body["criteria"] = body["criteria"][:1] + body["criteria"][-1:]
    body["criteria"][0]["rule"] = {"type": "attestation"}
    body["officials"].append({"name": "A", "role": "STUDY_CHAIR", "affiliation": "B"})
    body |= {"start_date": "2019-04", "keywords": ["k"], "secondary_ids": ["s"]}
    return write(body) | {"derivedSection": {"miscInfoModule": {}}}


FULL = full()
PATHS = list(nodes(FULL))
ALIENS: tuple[Any, ...] = (None, True, 5, -1, 1.5, "text", "", [], {}, [{}], [[None]], {"a": []})


def answer(document: Any) -> list[tuple[str, str]]:
    """The messages, or the errors: anything else fails the test that asks."""
    try:
        told = read(document).messages
    except Unreadable as refused:
        told = refused.errors
    return [(message.pointer, message.code) for message in told]


@pytest.mark.parametrize("path", PATHS, ids=pointer)
def test_any_value_anywhere_is_read_or_refused_at_its_place(path: tuple[Any, ...]) -> None:
    for alien in ALIENS:
        document = changed(FULL, path, alien)
        try:
            read(document)
        except Unreadable as refused:
            at = [error.pointer for error in refused.errors]
            assert all(found.startswith(pointer(path[:1])) for found in at)
            near = {pointer(path[:length]) for length in range(len(path) + 1)}
            assert any(found in near or found.startswith(pointer(path)) for found in at) or (
                path[0] == EXTENSION
            )


READ = [
    path
    for path in PATHS
    if path[:1] == ("protocolSection",) and isinstance(resolve(FULL, pointer(path)), str | int)
]


@pytest.mark.parametrize("path", READ, ids=pointer)
def test_a_wrong_type_where_we_read_is_an_error_at_its_place(path: tuple[Any, ...]) -> None:
    was = resolve(FULL, pointer(path))
    aliens: tuple[Any, ...] = (5, "text", [], {})
    wrong = [alien for alien in aliens if type(alien) is not type(was)]
    for alien in wrong:
        assert pointer(path) in [at for at, _ in refusals(changed(FULL, path, alien))]


@pytest.mark.parametrize("path", PATHS[1:], ids=pointer)
def test_anything_may_be_missing_but_the_id_and_the_title(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(FULL)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    answer(document)


@pytest.mark.parametrize("name", ["nctId", "briefTitle"])
@pytest.mark.parametrize("value", [None, "", "  ", 5])
def test_a_study_needs_an_id_and_a_title(name: str, value: Any) -> None:
    document = minimal()
    document["protocolSection"]["identificationModule"][name] = value
    assert [at for at, _ in refusals(document)] == [f"/protocolSection/identificationModule/{name}"]
    del document["protocolSection"]["identificationModule"][name]
    assert refusals(document) == [(f"/protocolSection/identificationModule/{name}", "required")]


@pytest.mark.parametrize(
    "path", [p for p in PATHS if isinstance(resolve(FULL, pointer(p)), dict)], ids=pointer
)
def test_an_unknown_member_is_told(path: tuple[Any, ...]) -> None:
    document = changed(FULL, (*path, "new/member~"), 1)
    told = answer(document)
    if path[:1] == ("derivedSection",):
        assert ("/derivedSection", "not_held") in told
    elif path[:2] != (EXTENSION, "changes") and path[:2] != (EXTENSION, "madeFrom"):
        assert (f"{pointer(path)}/new~1member~0", "not_held") in told


def test_the_same_member_of_many_items_is_told_once_with_the_count() -> None:
    locations = [{"city": "X", "country": "China", "geoPoint": {"lat": 1, "lon": 2}}] * 30
    reading = read(minimal(contactsLocationsModule={"locations": locations}))
    (told,) = [message for message in reading.messages if message.code == "not_held"]
    assert told.params == {"count": 30}
    assert told.pointer == "/protocolSection/contactsLocationsModule/locations/0/geoPoint"


@pytest.mark.parametrize("value", [None, 5, "text", [], True])
def test_what_is_no_object_is_no_study(value: Any) -> None:
    assert refusals(value) == [("", "object")]
    assert refusals({"protocolSection": value})[0][0] == "/protocolSection"
    assert refusals({}) == [("/protocolSection", "required")]


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfff"])
def test_what_no_database_stores_is_refused_at_its_place(text: str) -> None:
    document = minimal(conditionsModule={"conditions": ["ok", text]})
    at = "/protocolSection/conditionsModule/conditions/1"
    assert refusals(document) == [(at, "unstorable")]
    assert refusals(minimal(**{text: 1})) == [("/protocolSection", "unstorable")]


def test_nesting_that_no_study_has_is_refused() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert refusals(minimal(x=deep))[0][1] == "too_deep"
    assert refusals({**minimal(), EXTENSION: deep})[0][1] == "too_deep"
    told = [("/derivedSection", "not_held"), ("/protocolSection", "gate_default")]
    assert codes({**minimal(), "derivedSection": deep}) == told


def test_ten_thousand_locations_are_too_many() -> None:
    document = minimal(contactsLocationsModule={"locations": [{"city": "X"}] * 10_000})
    began = time.monotonic()
    assert refusals(document) == [
        ("/protocolSection/contactsLocationsModule/locations", "too_long")
    ]
    assert time.monotonic() - began < 2


def test_the_largest_study_takes_no_long_time() -> None:
    body = read(study()).body
    body["sites"] = [
        {"code": f"S{index}", "city": "X", "timezone": "Asia/Shanghai"} for index in range(2_000)
    ]
    began = time.monotonic()
    assert read(write(body)).body == body
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("change", "at", "code"),
    [
        ({"op": "replace", "path": "/nothing", "value": 1}, "/1/path", "leads_nowhere"),
        ({"op": "remove", "path": "/nothing"}, "/1/path", "leads_nowhere"),
        ({"op": "add", "path": "/published/9/measure"}, "/1/path", "leads_nowhere"),
        ({"op": "add", "path": "/published/0/measure/x"}, "/1/path", "leads_nowhere"),
        ({"op": "add", "path": "/published/-"}, "/1/path", "leads_nowhere"),
        ({"op": "add", "path": "/published/1"}, "/1/path", "leads_nowhere"),
        ({"op": "replace", "path": "/published/" + "9" * 450}, "/1/path", "leads_nowhere"),
        ({"op": "move", "path": "/published"}, "/1/op", "one_of"),
        ({"op": "add", "path": ""}, "/1/path", "pointer"),
        ({"op": "add", "path": "published"}, "/1/path", "pointer"),
        ({"op": "add", "path": 5}, "/1/path", "text"),
        ({"op": "add", "path": "/x", "from": "/y"}, "/1/from", "unknown"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(change: Any, at: str, code: str) -> None:
    document = write(read(study()).body)
    published = {"op": "add", "path": "/published", "value": [{"measure": "PFS"}]}
    document[EXTENSION]["changes"] = [published, change]
    assert refusals(document) == [(f"/{EXTENSION}/changes{at}", code)]


def test_a_patch_does_not_change_the_document_that_holds_it() -> None:
    document = write(read(study()).body)
    before = copy.deepcopy(document)
    read(document)
    assert document == before


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    [
                        *("protocolSection", "identificationModule", "nctId", "briefTitle"),
                        *("designModule", "phases", "armsInterventionsModule", "armGroups"),
                        *("label", "interventions", "outcomesModule", "primaryOutcomes", "measure"),
                        *(EXTENSION, "format", "changes", "madeFrom", "op", "path", "value"),
                    ]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=15,
    )
)
def test_any_json_is_read_or_refused(document: Any) -> None:
    answer(document)
