"""The catalogue over REST and on its pages: as printed, audited, for everybody who is signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils.translation import override
from pytest_django.fixtures import DjangoAssertNumQueries

from outcomes.catalogue.printed import as_printed
from outcomes.catalogue.wording import SENTENCES, word_finding
from outcomes.management.commands.load_seeds import _load_catalogue
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.catalogue.test_catalogue_findings import BODIES, CONTRADICTIONS
from tests.outcomes.methods.test_claims import CASES, audited, enrolled, rate
from tests.outcomes.test_actions import trail
from tests.trials.test_api import pointers
from trials.models import Endpoint, Publication
from trials.publication_serializers import _examples
from trials.publications import PublishedResults

Login = Callable[[User], Api]
Pages = Callable[[User], Client]
CATALOGUE = sorted((settings.BASE_DIR / "fixtures" / "catalogue").glob("*.json"))
WHY = {"reason": "read again"}
SUN = "/publications/sun-2022/"
# Without the registry entry of ALTER-S006, which is not there.
CONTRADICTED = sorted({key for key, claim, _code in CONTRADICTIONS if "/trial/" not in claim})


def load_catalogue() -> None:
    """Load the publications of the fixtures."""
    with transaction.atomic():
        _load_catalogue(CATALOGUE)


@pytest.fixture
def catalogue(cast: Cast) -> Cast:
    """The cast, and every publication."""
    load_catalogue()
    return cast


def keys(answer: Any) -> list[str]:
    """The publications of a list."""
    assert answer.status_code == 200, answer.content
    return [row["key"] for row in answer.json()["results"]]


def test_every_publication_comes_back_as_printed(catalogue: Cast, api: Login) -> None:
    answer = api(catalogue.stranger).get("/publications/?page_size=500")
    stored = {row["key"]: row for row in answer.json()["results"]}
    assert list(stored) == sorted(body["key"] for body in BODIES)
    for body in BODIES:
        row = stored[body["key"]]
        assert row["document"] == PublishedResults.parse(body["document"]).as_document()
        told = ("title", "year", "anlotinib", "sarcoma")
        assert {name: row[name] for name in told} == {name: body[name] for name in told}


def test_loading_twice_changes_nothing(catalogue: Cast) -> None:
    events = Publication.pgh_event_model.objects  # type: ignore[attr-defined]
    before = events.count()
    load_catalogue()
    assert events.count() == before == len(BODIES)


def test_publications_are_linked_to_the_trials_that_are_held(cast: Cast) -> None:
    factories.trial("NCT03890068")
    load_catalogue()
    linked = Publication.objects.exclude(trial=None)
    assert list(linked.values_list("key", "trial__registry_id")) == [("alter-s006", "NCT03890068")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sarcoma=false", ["escc-tp-anlotinib"]),
        ("anlotinib=false", ["sintilimab-doxorubicin-2022"]),
        ("sarcoma=true&anlotinib=false", ["sintilimab-doxorubicin-2022"]),
        ("year=2018", ["alter0203", "chi-2018"]),
        ("year=999999999999999999", []),
        ("contradictions=true", CONTRADICTED),
        ("contradictions=true&year=2021", ["liu-2021"]),
        ("trial=NCT00000001", []),
    ],
)
def test_filters(catalogue: Cast, api: Login, query: str, expected: list[str]) -> None:
    assert keys(api(catalogue.stranger).get(f"/publications/?{query}")) == expected


def test_without_contradictions(catalogue: Cast, api: Login) -> None:
    found = keys(api(catalogue.stranger).get("/publications/?contradictions=false"))
    assert sorted([*found, *CONTRADICTED]) == sorted(body["key"] for body in BODIES)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("publications/?sarcoma=yes", "sarcoma"),
        ("publications/?anlotinib=1", "anlotinib"),
        ("publications/?contradictions=", "contradictions"),
        ("publications/?year=x", "year"),
        ("publications/?trial=%00", "trial"),
        ("publications/?drug=x", "drug"),
        ("claims-audit/?severity=grave", "severity"),
        ("claims-audit/?page=0", "page"),
    ],
)
def test_a_question_that_cannot_be_understood(
    cast: Cast, api: Login, path: str, parameter: str
) -> None:
    answer = api(cast.viewer).get(f"/{path}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


def test_superusers_write(cast: Cast, api: Login) -> None:
    root = api(cast.superuser)
    body = {"key": "new-2024", "title": "Anlotinib", "document": {"n": 8, "claims": [rate(k=2)]}}
    answer = root.post("/publications/", body)
    assert answer.status_code == 201, answer.content
    stored = answer.json()
    assert (stored["version"], answer.headers["ETag"]) == (1, '"1"')
    stored["document"]["claims"][0]["reconciled"] = {"value": "3 of 8", "reason": "page 5"}
    changed = root.put("/publications/new-2024/", stored | WHY, if_match='"1"')
    assert changed.status_code == 200, changed.content
    claim = changed.json()["document"]["claims"][0]
    assert (claim["k"], claim["reconciled"]["value"]) == (2, "3 of 8")
    assert trail(Publication) == [("insert", "root", "created"), ("update", "root", "read again")]


def test_a_publication_read_can_be_put_back_unchanged(catalogue: Cast, api: Login) -> None:
    root = api(catalogue.superuser)
    read = root.get(SUN).json()
    answer = root.put(SUN, read | WHY, if_match='"1"')
    assert answer.status_code == 200, answer.content
    assert answer.json() == read | {"version": 2}


@pytest.mark.parametrize("name", ["administrator", "investigator", "viewer", "stranger"])
def test_nobody_else_writes(catalogue: Cast, api: Login, name: str) -> None:
    caller = api(getattr(catalogue, name))
    body = caller.get(SUN).json()
    assert caller.post("/publications/", body | {"key": "x"}).status_code == 403
    assert caller.put(SUN, body | WHY, if_match='"1"').status_code == 403
    assert Publication.objects.get(key="sun-2022").version == 1


def test_only_who_is_signed_in_reads(catalogue: Cast) -> None:
    for path in ("publications/", SUN[1:], f"{SUN[1:]}audit/", "claims-audit/"):
        assert Client().get(f"/api/v1/{path}").status_code == 401


def test_a_change_needs_the_version_and_a_reason(catalogue: Cast, api: Login) -> None:
    root = api(catalogue.superuser)
    body = root.get(SUN).json()
    assert root.put(SUN, body | WHY).status_code == 428
    assert root.put(SUN, body | WHY, if_match='"2"').status_code == 412
    assert root.put(SUN, body, if_match='"1"').status_code == 400
    assert root.put(SUN, body | WHY | {"key": "x"}, if_match='"1"').status_code == 409
    assert root.post("/publications/", body).status_code == 409


CLAIM_TYPES = ["proportion", "rate_at", "categories", "median", "hazard_ratio", "p_value",
               "enrollment", "time_origin"]  # fmt: skip
WORDED = [
    ({"n": "28"}, "/document/n", "A whole number."),
    ({"n": -1}, "/document/n", "0 or more."),
    ({"n": 10**7}, "/document/n", "1000000 or less."),
    ({"citation": 3}, "/document/citation", "Text."),
    ({"citation": "x" * 1001}, "/document/citation", "At most 1000 characters."),
    ({"pmid": "a"}, "/document/pmid", "Written as in this example: 37767191."),
    ({"randomized": "yes"}, "/document/randomized", "true or false."),
    ({"groups": {}}, "/document/groups", "A list."),
    ({"groups": [{"name": "A", "role": "x"}]}, "/document/groups/0/role",
     "One of: arm, subtype, subgroup, population."),
    ({"groups": [{"role": "arm"}]}, "/document/groups/0/name", "This is required."),
    ({"claims": [3]}, "/document/claims/0", "A JSON object."),
    ({"claims": [{}]}, "/document/claims/0",
     "A claim names its type, such as proportion or median."),
    ({"claims": [{"type": "mean"}]}, "/document/claims/0",
     f"The type is one of: {', '.join(CLAIM_TYPES)}."),
    ({"claims": [rate(id="A B")]}, "/document/claims/0/id",
     "Written as in this example: orr-all."),
    ({"claims": [rate(percent="x")]}, "/document/claims/0/percent",
     "Written as in this example: 10.13%."),
    ({"claims": [rate(level=5)]}, "/document/claims/0/level", "50 or more."),
]  # fmt: skip


@pytest.mark.parametrize(("document", "pointer", "detail"), WORDED)
def test_a_refusal_says_what_would_be_accepted(
    cast: Cast, api: Login, document: dict[str, Any], pointer: str, detail: str
) -> None:
    body = {"key": "x", "title": "x", "document": document}
    answer = api(cast.superuser).post("/publications/", body)
    assert answer.status_code == 400
    found = [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]
    assert found == [(pointer, detail)]


def test_a_value_that_is_neither_a_number_nor_a_code_is_refused_once_at_its_key(
    cast: Cast, api: Login
) -> None:
    median = {"id": "a", "label": "a", "type": "median", "measure": "PFS", "value": "x"}
    body = {"key": "x", "title": "x", "document": {"claims": [median]}}
    errors = api(cast.superuser).post("/publications/", body).json()["errors"]
    assert {error["pointer"] for error in errors} == {"/document/claims/0/value"}
    told = " ".join(error["detail"] for error in errors)
    assert "Written as in this example: 5.63." in told
    assert "One of: NR, NE." in told


def test_every_pattern_of_a_publication_has_an_example_that_fits() -> None:
    for pattern, example in _examples().items():
        assert re.fullmatch(pattern, example), pattern
    assert len(_examples()) == 10


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([rate(percent="NaN")], "/document/claims/0/percent"),
        ([rate(k=10**400)], "/document/claims/0/k"),
        ([rate(), rate()], "/document/claims/1/id"),
        ([rate(group="women")], "/document/claims/0/group"),
        ([rate(estimate=16)], "/document/claims/0/estimate"),
        ([{"type": "mean"}], "/document/claims/0"),
        ([rate(f"c{i}") for i in range(10_000)], "/document/claims"),
    ],
)
def test_what_is_no_document_is_refused_at_its_key(
    cast: Cast, api: Login, claims: list[Any], expected: str
) -> None:
    body = {"key": "x", "title": "x", "document": {"claims": claims}}
    answer = api(cast.superuser).post("/publications/", body)
    assert answer.status_code == 400
    assert pointers(answer) == [expected]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("key", "Sun 2022"), ("key", "-"), ("key", ""), ("title", ""), ("year", 1066),
        ("year", "2022"), ("trial", "NCT99999999"), ("trial", 1), ("sarcoma", "yes"),
        ("document", None), ("document", []), ("author", "Sun"),
    ],
)  # fmt: skip
def test_columns_are_checked(cast: Cast, api: Login, key: str, value: Any) -> None:
    body = {"key": "x", "title": "x", "document": {}} | {key: value}
    answer = api(cast.superuser).post("/publications/", body)
    assert answer.status_code == 400
    assert pointers(answer) == [f"/{key}"]


@pytest.fixture
def single_arm(cast: Cast) -> Publication:
    """A publication of the cast's trial, of which one more was enrolled than planned."""
    cast.trial.allocation, cast.trial.enrollment_target = "NA", 48
    cast.trial.save()
    Endpoint.objects.create(
        trial=cast.trial, kind="OS", time_frame="From randomization until death"
    )
    return factories.publication("alter", enrolled(49), trial=cast.trial)


@pytest.mark.usefixtures("single_arm")
def test_the_registry_is_compared_for_those_who_may_read_it(cast: Cast, api: Login) -> None:
    member, stranger = api(cast.viewer), api(cast.stranger)
    found = member.get("/publications/alter/audit/").json()
    assert found["counts"] == {"contradiction": 1, "discrepancy": 1, "remark": 0, "consistent": 0}
    assert [(f["code"], f["pointer"]) for f in found["findings"]] == [
        ("enrolled_differs_from_planned", "/document/claims/0"),
        ("randomization_in_registry", "/trial/endpoints/0"),
    ]
    assert found["findings"][0]["text"] == "49 enrolled, 48 planned (NCT00000001)."
    assert stranger.get("/publications/alter/audit/").json()["findings"] == []


@pytest.mark.usefixtures("single_arm")
def test_a_foreign_trial_is_not_told(cast: Cast, api: Login) -> None:
    of_trial = "/publications/?trial=NCT00000001"
    assert keys(api(cast.viewer).get(of_trial)) == ["alter"]
    assert keys(api(cast.stranger).get(of_trial)) == []
    assert api(cast.viewer).get("/publications/alter/").json()["trial"] == "NCT00000001"
    assert api(cast.stranger).get("/publications/alter/").json()["trial"] is None


def test_the_audit_of_one_publication(catalogue: Cast, api: Login) -> None:
    found = api(catalogue.stranger).get(f"{SUN}audit/").json()
    assert found["counts"] == {"contradiction": 1, "discrepancy": 0, "remark": 5, "consistent": 6}
    first = found["findings"][0]
    assert (first["claim"], first["code"]) == ("best-response", "categories_do_not_sum")
    assert first["text"] == "11 + 16 + 6 is 33, but there are 32."


def test_the_audit_of_the_whole_catalogue(catalogue: Cast, api: Login) -> None:
    answer = api(catalogue.stranger).get("/claims-audit/?severity=contradiction").json()
    assert sorted({row["publication"] for row in answer["results"]}) == CONTRADICTED
    assert answer["count"] == 6
    whole = api(catalogue.stranger).get("/claims-audit/?page_size=3&page=2").json()
    assert len(whole["results"]) == 3
    assert whole["count"] > 100


@pytest.mark.parametrize("path", ["publications/nothing/", "publications/nothing/audit/"])
def test_what_is_not_there(catalogue: Cast, api: Login, path: str) -> None:
    assert api(catalogue.viewer).get(f"/{path}").status_code == 404


STATEMENTS = {  # the token; a count and a page; publications, trials and endpoints for the audit
    "/publications/": 3,
    "/publications/?contradictions=true": 6,
    "/publications/alter0203/": 2,
    "/publications/alter0203/audit/": 4,
    "/claims-audit/": 4,
}


@pytest.mark.parametrize("path", STATEMENTS)
@pytest.mark.usefixtures("single_arm")
def test_statements_do_not_grow_with_the_catalogue(
    catalogue: Cast,
    api: Login,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    caller = api(catalogue.viewer)
    with django_assert_num_queries(STATEMENTS[path]):
        caller.get(path)
    for number in range(20):
        of = catalogue.trial if number % 2 else None
        factories.publication(f"more-{number}", rate(k=9, percent="10%"), trial=of)
    with django_assert_num_queries(STATEMENTS[path]):
        caller.get(path)


# The words


def test_every_code_has_its_sentence() -> None:
    """And every sentence its code: the cases of the audit give each one."""
    found = [f for results, claims, _ in CASES.values() for f in audited(results, claims).findings]
    elsewhere = {"randomization_in_registry"}  # needs a registry entry
    assert {finding.code for finding in found} | elsewhere == set(SENTENCES)
    for finding in found:
        assert "%(" not in word_finding(finding)


def test_words_for_intervals_and_tests() -> None:
    wald = audited(*CASES["Wald"][:2]).findings[-1]
    assert word_finding(wald) == "21/166 gives 7.59 to 17.71, printed as (7.6-18): Wald."
    fisher = audited(*CASES["Fisher"][:2]).findings[0]
    assert word_finding(fisher) == (
        "16/158 against 1/75 gives p = 0.0145 by Fisher's exact test, as printed."
    )


@pytest.mark.parametrize(
    ("key", "claim", "expected"),
    [
        ("alter-s006", "orr", "16% (8/49; 95% CI 7-30)"),
        ("alter-s006", "follow-up", "17.1 months (IQR 9.0-27.2)"),
        ("alter-s006", "os", "NR"),
        ("alter-s006", "os-1y", "98.0%"),
        ("alter-s006", "enrollment", "49 enrolled"),
        ("alter-s006", "pfs-origin", "“from the beginning of maintenance treatment”"),
        ("alter0203", "orr-anlotinib", "10.13 (16)"),
        ("alter0203", "orr-p", "p = .0145 (16/158 v 1/75)"),
        ("sun-2022", "best-response", "PR 11, SD 16, PD 6"),
        ("liu-2021", "dcr", "29"),
        ("first-line-2024", "orr", "1/40"),
        ("first-line-2024", "os", "27.40 months (95% CI 16.43-NE)"),
        ("escc-tp-anlotinib", "orr", "35/46 (95% CI 61.2-87.4)"),
        ("apromiss", "pfs-hr", ".449 (95% CI .270-.744); risk reduction 67%"),
    ],
)
def test_a_claim_on_one_line(key: str, claim: str, expected: str) -> None:
    body = next(body for body in BODIES if body["key"] == key)
    claims = PublishedResults.parse(body["document"]).claims
    with override("en"):
        assert as_printed(next(c for c in claims if c.id == claim)) == expected


# The pages


def test_the_list(catalogue: Cast, pages: Pages) -> None:
    page = pages(catalogue.stranger).get("/catalogue/").content.decode()
    for text in (
        "16% (8/49; 95% CI 7-30)",
        "anlotinib: 10.13 (16)",
        "Contradiction: 1",
        "not sarcoma",
    ):
        assert text in page
    assert page.count('<th scope="row">') == len(BODIES)


@pytest.mark.parametrize(
    ("query", "number"),
    [("contradictions=true", 5), ("sarcoma=false", 1), ("anlotinib=false&sarcoma=true", 1),
     ("contradictions=true&sarcoma=false", 0), ("sarcoma=&page=99", len(BODIES))],
)  # fmt: skip
def test_the_list_can_be_narrowed(catalogue: Cast, pages: Pages, query: str, number: int) -> None:
    page = pages(catalogue.viewer).get(f"/catalogue/?{query}").content.decode()
    assert page.count('<th scope="row">') == number
    assert ("No publication of this kind" in page) == (number == 0)


def test_a_filter_that_cannot_be_understood(catalogue: Cast, pages: Pages) -> None:
    answer = pages(catalogue.viewer).get("/catalogue/?sarcoma=perhaps")
    assert answer.status_code == 400
    assert "Select a valid choice" in answer.content.decode()


def test_a_publication(catalogue: Cast, pages: Pages) -> None:
    page = pages(catalogue.stranger).get("/catalogue/sun-2022/").content.decode()
    for text in (
        "PR 11, SD 16, PD 6",
        "is 33, but there are 32",
        ">PD 5</strong>",
        "36196372",
    ):
        assert text in page


@pytest.mark.usefixtures("single_arm")
def test_the_registry_on_the_page(cast: Cast, pages: Pages) -> None:
    told = "but its trial does not"
    assert told in pages(cast.viewer).get("/catalogue/alter/").content.decode()
    hidden = pages(cast.stranger).get("/catalogue/alter/").content.decode()
    assert told not in hidden
    assert "NCT00000001" not in hidden


def test_a_publication_without_results(catalogue: Cast, pages: Pages) -> None:
    page = pages(catalogue.viewer).get("/catalogue/wang-2020/").content.decode()
    assert "No result of this publication is known." in page


def test_pages_refuse(catalogue: Cast, pages: Pages) -> None:
    assert Client().get("/catalogue/").status_code == 302
    assert Client().get("/catalogue/sun-2022/").status_code == 302
    for key in ("nothing", "%00", "sun-2022'", "x" * 5000):
        assert pages(catalogue.viewer).get(f"/catalogue/{key}/").status_code == 404


@pytest.mark.usefixtures("single_arm")
@pytest.mark.parametrize("path", ["/catalogue/", "/catalogue/chi-2018/"])
def test_pages_count_their_statements(
    catalogue: Cast,
    pages: Pages,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    client = pages(catalogue.viewer)
    for _ in range(2):
        with django_assert_num_queries(5):  # session, account, publications, trials, endpoints
            client.get(path)
        for _ in range(20):
            factories.publication("", rate(k=9, percent="10%"), trial=catalogue.trial)
