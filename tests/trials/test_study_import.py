"""ClinicalTrials.gov studies over HTTP and on the page: stored whole, or refused at their places."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.models import User
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from trials.ctgov_reading import Message
from trials.models import Trial
from trials.study_forms import MOST_BYTES
from trials.study_wording import REFUSED, TOLD, worded

Login = Callable[[User], Api]
Pages = Callable[[User], Client]
ROOT = Path(__file__).parent.parent.parent
STUDIES = sorted((ROOT / "tests/reference/ctgov").glob("*.json"))
SEEDS = sorted((ROOT / "fixtures").glob("*/trial.json"))
PATH = "/ctgov-import/"
PAGE = "/ctgov-import/"


def study(name: str = "NCT03890068") -> dict[str, Any]:
    """A study file."""
    found: dict[str, Any] = json.loads((ROOT / f"tests/reference/ctgov/{name}.json").read_text())
    return found


def named(document: dict[str, Any], nct_id: str) -> dict[str, Any]:
    """The same study of another id."""
    document["protocolSection"]["identificationModule"]["nctId"] = nct_id
    return document


def protocol(trial: Any) -> Any:
    """A trial as it is answered, without what is of one row alone."""
    if isinstance(trial, dict):
        own = ("id", "version", "links", "registry_id", "synthetic", "protocol_version")
        return {key: protocol(value) for key, value in trial.items() if key not in own}
    return [protocol(item) for item in trial] if isinstance(trial, list) else trial


@pytest.fixture
def root(cast: Cast, api: Login) -> Api:
    """A superuser's API."""
    return api(cast.superuser)


# --- stored whole ---


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_stored_as_the_dry_run_said(root: Api, path: Path) -> None:
    dry = root.post(f"{PATH}?dry_run=true", study(path.stem))
    assert dry.status_code == 200
    assert not Trial.objects.filter(registry_id=path.stem).exists()
    stored = root.post(PATH, study(path.stem))
    assert stored.status_code == 201
    assert stored.json()["messages"] == dry.json()["messages"]
    told, trial = dry.json()["body"], stored.json()["trial"]
    assert told["registry_id"] == trial["registry_id"] == path.stem
    for name, key in (("criteria", "text"), ("arms", "name"), ("endpoints", "kind")):
        assert [r[key] for r in told.get(name, [])] == [r[key] for r in trial[name]]
    assert Trial.objects.get(registry_id=path.stem).protocol_version.number == 1


def test_what_nobody_sees_is_left_out(root: Api, cast: Cast, pages: Pages) -> None:
    document = study()
    document["protocolSection"]["identificationModule"]["briefTitle"] = "Anlo\u200btinib\u202e"
    body = root.post(f"{PATH}?dry_run=true", document).json()["body"]
    assert body["brief_title"] == "Anlotinib"
    shown = pages(cast.superuser).post(PAGE, {"study": json.dumps(document, ensure_ascii=False)})
    assert "The invisible character" not in shown.content.decode()


def test_the_body_of_a_dry_run_is_one_for_post_trials(root: Api) -> None:
    body = root.post(f"{PATH}?dry_run=true", study()).json()["body"]
    by_hand = root.post("/trials/", body)
    assert by_hand.status_code == 201
    imported = root.post(PATH, named(study(), "NCT00000005")).json()["trial"]
    assert protocol(by_hand.json()) == protocol(imported)


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.parent.name)
def test_an_export_is_stored_as_the_same_trial(root: Api, path: Path) -> None:
    body = json.loads(path.read_text()) | {"registry_id": "NCT00000006"}
    stored = root.post("/trials/", body).json()
    export = root.get("/trials/NCT00000006/ctgov/")
    assert export["Content-Disposition"] == 'attachment; filename="NCT00000006-ctgov.json"'
    again = root.post(PATH, named(export.json(), "NCT00000007"))
    assert again.status_code == 201, again.content
    assert protocol(again.json()["trial"]) == protocol(stored)


def test_what_is_the_default_stands_in_no_export(root: Api, cast: Cast) -> None:
    Trial.objects.filter(pk=cast.trial.pk).update(ctcae_version="")
    exported = root.get(f"/trials/{cast.trial.registry_id}/ctgov/").json()
    touched = {change["path"] for change in exported["sarcomaTrialRegistry"]["changes"]}
    assert touched <= {"/sites", "/sites/0/timezone", "/sites/1/timezone"}


def test_a_key_is_carried_out_once(root: Api, cast: Cast) -> None:
    first = root.post(PATH, study(), idempotency_key="a")
    again = root.post(PATH, study(), idempotency_key="a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    dry = f"{PATH}?dry_run=true"
    root.post(dry, named(study(), "NCT00000004"), idempotency_key="b")
    assert root.post(dry, named(study(), "NCT00000004"), idempotency_key="b").status_code == 200
    User.objects.filter(pk=cast.superuser.pk).update(is_superuser=False)
    lost = root.post(dry, named(study(), "NCT00000004"), idempotency_key="b")
    assert lost.status_code == 404


def test_the_messages_are_worded(root: Api) -> None:
    messages = root.post(f"{PATH}?dry_run=true", study()).json()["messages"]
    told = {message["code"]: message for message in reversed(messages)}
    assert told["kind_read"]["detail"] == (
        "Progress free survival for anlotinib maintenance treatment is computed as:"
        " Progression-free survival."
    )
    assert "12 mg, orally, days 1-14, 21-day cycles" in told["schedule_read"]["detail"]
    assert told["sites_numbered"]["pointer"] == "/protocolSection/contactsLocationsModule/locations"


# --- refused ---


@pytest.mark.parametrize("who", ["administrator", "investigator", "stranger"])
def test_only_superusers_import(cast: Cast, api: Login, who: str) -> None:
    for query in ("", "?dry_run=true"):
        answer = api(getattr(cast, who)).post(f"{PATH}{query}", study())
        assert answer.status_code == 403
    assert Trial.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_taken_id_is_a_conflict_at_its_place(root: Api, cast: Cast, query: str) -> None:
    answer = root.post(f"{PATH}{query}", named(study(), cast.trial.registry_id))
    assert answer.status_code == 409
    at = "/protocolSection/identificationModule/nctId"
    assert [error["pointer"] for error in answer.json()["errors"]] == [at]


REFUSALS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("identificationModule", "nctId"), "NCT1", "NCT and eight digits"),
    (("identificationModule", "briefTitle"), "x" * 301, "300"),
    (("identificationModule", "briefTitle"), 5, "A text."),
    (("statusModule", "startDateStruct"), {"date": "April 2019"}, "A date such as 2019"),
    (("designModule", "enrollmentInfo"), {"count": -1}, "A whole number"),
    (("designModule", "enrollmentInfo"), {"count": 10**9}, "1000000"),
    (("eligibilityModule", "minimumAge"), "eighteen", "An age such as 18 Years."),
    (("armsInterventionsModule", "armGroups"), {}, "A list."),
    (("armsInterventionsModule", "armGroups"), [{"label": ""}], "blank"),
    (("armsInterventionsModule", "armGroups"), [{"label": "x" * 999}], "100"),
    (("outcomesModule", "primaryOutcomes"), [{}], "Required."),
    (("contactsLocationsModule", "locations"), [{"city": 5}], "A text."),
    (("contactsLocationsModule", "locations"), [{}] * 2001, "At most 2000 items."),
    (("contactsLocationsModule", "overallOfficials"),
     [{"name": "x" * 999, "role": "STUDY_CHAIR"}], "characters"),
    (("conditionsModule", "conditions"), ["sarcoma", ["x"]], "A text."),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "value", "said"), REFUSALS)
def test_each_refusal_is_at_its_place_in_the_study_and_stores_nothing(
    root: Api, steps: tuple[str, str], value: Any, said: str
) -> None:
    document = study()
    document["protocolSection"].setdefault(steps[0], {})[steps[1]] = value
    for query in ("", "?dry_run=true"):
        answer = root.post(f"{PATH}{query}", document)
        assert answer.status_code == 400, answer.content
        pointer = "/protocolSection/" + "/".join(steps)
        found = [e["detail"] for e in answer.json()["errors"] if e["pointer"].startswith(pointer)]
        assert found, answer.json()["errors"]
        assert any(said in detail for detail in found), found
    assert Trial.objects.count() == 1


def test_an_error_of_one_criterion_says_which(root: Api) -> None:
    exported = root.post(PATH, study()).json()["trial"]["registry_id"]
    document = named(root.get(f"/trials/{exported}/ctgov/").json(), "NCT00000003")
    document["sarcomaTrialRegistry"]["changes"] = [
        {"op": "replace", "path": "/criteria/2/rule", "value": "18 years"}
    ]
    document["sarcomaTrialRegistry"]["madeFrom"] |= fingerprints(root)
    (error,) = root.post(PATH, document).json()["errors"]
    assert error["pointer"] == "/sarcomaTrialRegistry/changes/0/value"


def fingerprints(root: Api) -> dict[str, str]:
    """What an export with a rule says its criteria were made from."""
    trial = root.get("/trials/NCT03890068/").json()
    criteria = [row | {"rule": None} for row in trial["criteria"]]
    criteria[0]["rule"] = {"type": "attestation", "code": "x", "text": "x"}
    own = ("id", "version", "links", "synthetic", "protocol_version")
    body = {k: v for k, v in trial.items() if k not in own}
    from trials.ctgov import write

    made: dict[str, str] = write(body | {"criteria": criteria})["sarcomaTrialRegistry"]["madeFrom"]
    return made


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each node, one item per list: the others are alike."""
    yield path
    items: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value[:1])
    for step, item in items:
        yield from nodes(item, (*path, step))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path."""
    copied = copy.deepcopy(document)
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return copied


ALIENS: list[Any] = [None, True, 7, -1.5, 10**40, "", "x", "x" * 700, [], {}, [[None]], {"a": 1}]


@pytest.mark.parametrize("turn", [0, 5])
def test_any_value_at_any_node_is_refused_at_a_place_or_told(root: Api, turn: int) -> None:
    """Each node takes its turn with one of the values; tests/contract has them all on a short one."""
    for number, path in enumerate(list(nodes(study()))[1:]):
        alien = ALIENS[(number + turn) % len(ALIENS)]
        answer = root.post(f"{PATH}?dry_run=true", changed(study(), path, alien))
        body = answer.json()
        if answer.status_code == 400:
            assert all("pointer" in error for error in body["errors"]), path
        else:
            assert answer.status_code == 200, (path, answer.content)
            assert body["body"]["registry_id"], path
    assert Trial.objects.count() == 1


def test_statements_do_not_grow_with_the_study(
    root: Api, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    root.post(PATH, study())
    with django_assert_max_num_queries(14):
        root.get("/trials/NCT03890068/ctgov/")


def test_a_foreign_trial_is_not_exported(cast: Cast, api: Login) -> None:
    for path in (f"/trials/{cast.trial.registry_id}/ctgov/", "/trials/NCT99999999/ctgov/"):
        assert api(cast.stranger).get(path).status_code == 404


# --- wording ---


def told_codes() -> set[str]:
    """The codes that the readers of a study write, as they stand in the source."""
    found = set()
    for name in ("ctgov", "ctgov_reading", "ctgov_document", "eligibility_text"):
        for node in ast.walk(ast.parse((ROOT / f"trials/{name}.py").read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                place = {"tell": 2, "Message": 1, "Misread": 0, "_grouped": 0}.get(called, 99)
                texts = ast.walk(node.args[place]) if len(node.args) > place else ()
                found |= {
                    n.value for n in texts if isinstance(n, ast.Constant) and type(n.value) is str
                }
    return {code for code in found if code.replace("_", "").isalpha() and code.islower()}


def test_every_code_has_its_words() -> None:
    known = {*TOLD, *REFUSED, "sites_numbered"}
    assert told_codes() - known == set()
    assert len(told_codes()) > 20


def test_a_message_of_many_places_says_how_many() -> None:
    assert worded(Message("", "not_held", {"count": 1})).endswith("left out.")
    assert worded(Message("", "not_held", {"count": 2})).endswith("(And in 1 more item.)")
    assert worded(Message("", "not_held", {"count": 30})).endswith("(And in 29 more items.)")
    assert worded(Message("", "some_pydantic_type", {})) == "This cannot be read here."


# --- the page ---


def test_the_page_is_for_superusers(cast: Cast, pages: Pages, client: Client) -> None:
    assert client.get(PAGE)["Location"].startswith("/login/")
    for user in (cast.administrator, cast.stranger):
        refused = pages(user).get(PAGE)
        assert refused.status_code == 403
        assert "role" in refused.content.decode()
        assert pages(user).post(PAGE, {"study": "{}"}).status_code == 403
    assert pages(cast.superuser).get(PAGE).status_code == 200
    assert PAGE in pages(cast.superuser).get("/trials/").content.decode()
    assert PAGE not in pages(cast.administrator).get("/trials/").content.decode()


def fields(page: Any) -> dict[str, Any]:
    """What the page's form would send."""
    form = page.context["form"]
    return {name: form[name].value() or "" for name in ("study", "checked")}


def test_a_study_is_seen_before_it_is_stored(cast: Cast, pages: Pages) -> None:
    browser = pages(cast.superuser)
    text = json.dumps(study())
    shown = browser.post(PAGE, {"study": text, "store": "1"})
    assert shown.status_code == 200  # not stored: it was not seen
    assert not Trial.objects.filter(registry_id="NCT03890068").exists()
    said = shown.content.decode()
    assert "This would be stored" in said
    assert "is computed as: Progression-free survival" in said
    edited = fields(shown) | {"store": "1", "study": json.dumps(named(study(), "NCT00000002"))}
    assert browser.post(PAGE, edited).status_code == 200
    assert Trial.objects.count() == 1
    sent = fields(shown) | {"store": "1"}
    stored = browser.post(PAGE, sent)
    assert stored["Location"] == "/trials/NCT03890068/"
    assert Trial.objects.filter(registry_id="NCT03890068").exists()
    again = browser.post(PAGE, sent)
    assert again.status_code == 422
    assert "taken" in again.content.decode()


def test_what_was_pasted_is_not_lost(cast: Cast, pages: Pages) -> None:
    document = study()
    document["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = "many"
    document["protocolSection"]["identificationModule"]["briefTitle"] = "<script>alert(1)</script>"
    answer = pages(cast.superuser).post(PAGE, {"study": json.dumps(document)})
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "/protocolSection/designModule/enrollmentInfo/count" in said
    assert "A whole number, 0 or more." in said
    assert json.loads(fields(answer)["study"]) == document
    assert "<script>alert" not in said
    assert "Error:" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf" + json.dumps(study()).encode(), "This would be stored"),
        (b"", "empty"),
        (b"\xff\xfe{}", "no text in UTF-8"),
        (b"{" * 100, "Malformed JSON"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "A JSON object."),
        (b" ", "Paste a study, or choose a file."),
        (b" " * (MOST_BYTES + 1), "At most 2 MB."),
        (b'{"a": 1e999999999999999999999}', "Malformed JSON"),
        (b'{"a": 1, "a": 2}', "stands twice"),
    ],
)
def test_an_uploaded_file(cast: Cast, pages: Pages, content: bytes, said: str) -> None:
    file = SimpleUploadedFile("../../<b>.exe", content, "image/png")
    answer = pages(cast.superuser).post(PAGE, {"file": file, "study": "kept"})
    assert answer.status_code == (200 if "would be" in said else 422)
    assert said in answer.content.decode()
    assert ".exe" not in answer.content.decode()
    assert Trial.objects.count() == 1


def test_nothing_at_all_is_refused(cast: Cast, pages: Pages) -> None:
    for sent in ({}, {"study": ""}, {"study": "nonsense"}, {"store": "1", "checked": "x"}):
        assert pages(cast.superuser).post(PAGE, sent).status_code == 422


def test_the_page_takes_no_statement_beyond_the_import(
    cast: Cast, pages: Pages, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = pages(cast.superuser)
    with django_assert_max_num_queries(3):
        browser.get(PAGE)
