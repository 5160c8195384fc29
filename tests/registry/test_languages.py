"""English and Chinese: the catalog is complete and fits, and every page and error is in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polib
import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import translation

from outcomes import visit_sheets
from outcomes.models import (
    BoneTypeChoice,
    CertaintyChoice,
    NonTargetStateChoice,
    ResponseChoice,
    TargetStateChoice,
    VisitSheet,
)
from outcomes.visit_sheets.columns import choice
from patients.models import QueryMessage
from registry.languages import written_in
from registry.models import User
from tests import catalog, factories
from tests.contract.calls import Scene, scene
from tests.latin import left_over

PLACEHOLDER = re.compile(r"%\(\w+\)[-.\d]*[a-z]|%[-.\d]*[sdf]|%%|\{\w*\}|</?\w+[^>]*>")
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
# Addresses that show no page of their own.
WITHOUT_PAGE = {"logout/", "language/", "drafts/"}


@pytest.fixture(scope="module")
def chinese() -> polib.POFile:
    """The catalog as it is committed."""
    return polib.pofile(str(catalog.CATALOG))


def test_the_catalog_has_what_the_sources_say_and_nothing_else(chinese: polib.POFile) -> None:
    stored = {(entry.msgid, entry.msgid_plural) for entry in chinese}
    assert stored == catalog.messages(), "run make messages"


def test_what_is_read_is_compiled_from_what_is_translated(chinese: polib.POFile) -> None:
    assert catalog.CATALOG.with_suffix(".mo").read_bytes() == chinese.to_binary()


def test_every_message_is_translated(chinese: polib.POFile) -> None:
    assert not [msgid for msgid, text in catalog.translations(chinese).items() if not text.strip()]
    assert not [entry.msgid for entry in chinese if entry.fuzzy or entry.obsolete]


def test_translations_keep_placeholders_and_markup(chinese: polib.POFile) -> None:
    said = catalog.translations(chinese)
    kept = {
        e.msgid: (PLACEHOLDER.findall(e.msgid_plural or e.msgid), said[e.msgid]) for e in chinese
    }
    assert [
        (msgid, text)
        for msgid, (placeholders, text) in kept.items()
        if sorted(placeholders) != sorted(PLACEHOLDER.findall(text))
    ] == []


@pytest.mark.parametrize("wrong", ["先证者", "靶损害", "目标病灶", "二进制", "患者者", "  "])
def test_no_term_of_another_field(chinese: polib.POFile, wrong: str) -> None:
    assert [text for text in catalog.translations(chinese).values() if wrong in text] == []


TERMS = (
    ("nadir", "最低值"),
    ("non-target", "非靶"),
    ("new lesion", "新病灶"),
    ("sum of diameters", "径线总和"),
    ("data cutoff", "数据截止日期"),
    ("investigator", "研究者"),
    ("subject id", "受试者编号"),
    ("screen failure", "筛选失败"),
    ("protocol deviation", "方案偏离"),
    ("adverse event", "不良事件"),
    ("at risk", "风险人数"),
    ("not reached", "未达到"),
    ("progression-free survival", "无进展生存期"),
    ("overall survival", "总生存期"),
    ("hazard ratio", "风险比"),
    ("log-rank", "对数秩检验"),
)


@pytest.mark.parametrize(("english", "term"), TERMS)
def test_terms_of_the_field_are_the_same_everywhere(
    chinese: polib.POFile, english: str, term: str
) -> None:
    said = catalog.translations(chinese).items()
    found = {msgid: text for msgid, text in said if english in msgid.lower()}
    assert found
    assert {msgid: text for msgid, text in found.items() if term not in text} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from django.utils.translation import gettext as _\n_('a' ' b')", [("a b", "")]),
        ("from django.utils.translation import gettext_lazy\ngettext_lazy('a')", [("a", "")]),
        ("from django.utils.translation import gettext as now\nnow('a')", [("a", "")]),
        ("from django.utils.translation import ngettext\nngettext('1', 'n', 2)", [("1", "n")]),
        ("_('not ours')", []),
    ],
)
def test_messages_are_found_in_python(source: str, found: list[catalog.Message]) -> None:
    assert list(catalog.of_python(source)) == found


def test_a_message_that_is_not_written_out_is_refused() -> None:
    with pytest.raises(ValueError, match="somewhere:2"):
        list(catalog.of_python(f"from {catalog.MODULE} import gettext\ngettext(x)", "somewhere"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<p>{% translate "It\'s" %}</p>', [("It's", "")]),
        ('{{ a|default:_("none") }}', [("none", "")]),
        ('{% include "x" with title=_("T") %}', [("T", "")]),
        (
            "{% blocktranslate trimmed %}\n a\n b {{ c }}\n{% endblocktranslate %}",
            [("a b %(c)s", "")],
        ),
        (
            "{% blocktranslate count n=2 %}{{ n }} a{% plural %}{{ n }} b{% endblocktranslate %}",
            [("%(n)s a", "%(n)s b")],
        ),
        ("<p>plain</p> {# {% translate 'no' %} #}", []),
    ],
)
def test_messages_are_found_in_templates(source: str, found: list[catalog.Message]) -> None:
    assert list(catalog.of_template(source)) == found


WORDS_OF_SHEETS = {
    "state": TargetStateChoice,
    "status": NonTargetStateChoice,
    "certainty": CertaintyChoice,
    "stated_response": ResponseChoice,
    "bone_type": BoneTypeChoice,
}


@pytest.mark.parametrize("column", WORDS_OF_SHEETS)
def test_spreadsheets_take_the_words_of_the_pages(column: str) -> None:
    """Somebody who copies a word from a Chinese page into a spreadsheet is understood."""
    with translation.override("zh-hans"):
        shown = {value: str(label) for value, label in WORDS_OF_SHEETS[column].choices}
    bare = {value: re.sub(r"（.*）", "", label) for value, label in shown.items()}
    assert {value: choice(column, label) for value, label in bare.items()} == {v: v for v in bare}


@pytest.fixture(scope="module")
def at(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """A trial with everything in it, gone after the module."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield scene()
        transaction.set_rollback(True)


def visit_sheet(at: Scene) -> VisitSheet:
    """A file of a new visit, one that changes a stored one, and one that is refused; checked."""
    made = VisitSheet.objects.filter(trial=at.trial).first()
    lines = ("subject_id,date,kind,lesion,diameter_mm,status,new_lesions",
             "01-001,2024-08-01,scheduled,T01,61,,no", "01-001,2024-08-01,scheduled,T02,41,,no",
             "01-001,2024-08-01,scheduled,NT01,,present,no",
             "01-001,2024-02-27,scheduled,T01,NE: 运动伪影,,no", "01-001,2024-02-27,scheduled,T02,20,,no",
             "01-001,2024-02-27,scheduled,NT01,,increased,no", "01-999,2024-08-01,scheduled,T01,9,,no")  # fmt: skip
    content = "\n".join(lines).encode()
    user = at.cast.superuser
    if made is None:
        made = visit_sheets.read_sheet(
            trial=at.trial, by=user, file_name="访视.csv", content=content
        )
        visit_sheets.check_sheet(made, by=user)
    return made


def rows(at: Scene) -> dict[str, list[int]]:
    """Primary keys by the first part of the address."""
    patients = [at.patient, at.newcomer, at.candidate]
    return {
        "patients": [patient.pk for patient in patients],
        "visits": [at.baseline.pk, at.visit.pk],
        "therapies": [at.therapy.pk],
        "doses": [at.dose.pk],
        "dispositions": [at.disposition.pk],
        "consents": [at.consent.pk],
        "screenings": [at.screening.pk],
        "deviations": [at.deviation.pk],
        "reference-ranges": [at.reference_range.pk],
        "trials": [at.exclusion.pk],
        "endpoints": [at.trial.endpoints.all()[0].pk],
        "adverse-events": [at.adverse_event.pk],
        "visit-sheets": [visit_sheet(at).pk],
        "queries": [at.query.pk, at.closed_query.pk],
        "analyses": [at.analysis.pk],
    }


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every address of the site but those of the API."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route
        elif not route.startswith("api/"):
            yield from routes(pattern.url_patterns, route)


ROUTES = [route for route in routes(get_resolver().url_patterns) if route not in WITHOUT_PAGE]


def addresses(route: str, at: Scene) -> list[str]:
    """A route's addresses; KeyError for one that this test cannot fill in: give it a row above."""
    filled = {"<str:registry_id>": at.trial.registry_id, "<str:code>": "01"}
    filled |= {"<str:key>": at.publication.key, "<str:name>": "visits.csv", "<str:label>": "T01"}
    filled["<str:figure>"] = "pfs"
    filled |= {"<str:table>": "adverse-events", "<str:number>": "pfs"}
    for name, value in filled.items():
        route = route.replace(name, value)
    found = [f"/{route}"]
    if "<int:pk>" in route:
        of = "endpoints" if "/endpoints/" in route else route.split("/")[0]
        known = rows(at)[of]
        if "/review/visits/" in route:  # scans are read of enrolled patients
            known.remove(at.candidate.pk)
        found = [f"/{route.replace('<int:pk>', str(pk))}" for pk in known]
    assert not [address for address in found if "<" in address]
    return found


def typed(at: Scene) -> list[str]:
    """Names that people typed: they are shown as they are."""
    titles = [at.publication.title, at.trial.brief_title, at.analysis.name]
    criteria = at.trial.criteria.values_list("text", flat=True)
    said = QueryMessage.objects.values_list("text", flat=True)
    users = User.objects.values_list("username", flat=True)
    # A sheet keeps what its check said in the language of whoever had it checked.
    checked = "No patient of this trial has this subject id."
    return [*titles, *criteria, *filter(None, said), *users, "tests", "Anlotinib", checked]


@pytest.mark.parametrize("route", ROUTES)
def test_every_page_is_in_chinese(at: Scene, db: None, route: str) -> None:
    client = Client(headers=CHINESE)
    client.force_login(at.cast.superuser)
    for address in addresses(route, at):
        answers = [client.get(address), client.post(address)]
        for answer in answers:
            assert answer.status_code in (200, 302, 400, 405, 409, 422), (address, answer)
            if answer.get("Content-Type", "").startswith("text/html"):
                assert list(left_over(answer.content.decode(), typed(at))) == [], address
        assert {answer.status_code for answer in answers} != {405}


@pytest.mark.parametrize("who", ["coordinator", "investigator", "viewer", "stranger"])
def test_the_work_of_each_role_is_in_chinese(at: Scene, db: None, who: str) -> None:
    client = Client(headers=CHINESE)
    client.force_login(getattr(at.cast, who))
    for address in ("/", f"/patients/{at.patient.pk}/", "/search/?q=01"):
        html = client.get(address).content.decode()
        assert list(left_over(html, [*typed(at), who])) == [], address


@pytest.mark.parametrize("address", ["/login/", "/nowhere/", "/trials/NCT99999999/"])
def test_pages_without_a_record_are_in_chinese(client: Client, db: None, address: str) -> None:
    client.force_login(factories.user("王医生"))
    html = client.get(address, headers=CHINESE).content.decode()
    assert '<html lang="zh-Hans">' in html
    assert list(left_over(html)) == []


API_CALLS: tuple[tuple[str, str, Any, int], ...] = (
    ("get", "/patients/999999999/", None, 404),
    ("get", "/patients/?page=0", None, 400),
    ("get", "/trials/{trial}/outcomes/?cutoff=soon", None, 400),
    ("post", "/visits/", {}, 400),
    ("post", "/visits/", [], 400),
    ("post", "/patients/", {"trial": "NCT00000001", "subject_id": 7, "extra": 1}, 400),
    (
        "post",
        "/trials/",
        {"registry_id": "x", "endpoints": [{"kind": "ORR", "definition": 1}]},
        400,
    ),
    ("patch", "/patients/{patient}/", {"ecog": 1}, 428),
    ("delete", "/patients/{patient}/", None, 405),
)


@pytest.mark.parametrize(("method", "path", "body", "status"), API_CALLS)
def test_errors_of_the_api_are_in_chinese(
    at: Scene, db: None, method: str, path: str, body: Any, status: int
) -> None:
    token = factories.token(at.cast.superuser)
    client = Client(headers=CHINESE | {"Authorization": f"Token {token}"})
    address = f"/api/v1{path}".format(trial=at.trial.registry_id, patient=at.patient.pk)
    answer = getattr(client, method)(address, body, content_type="application/json")
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer["Content-Language"] == "zh-hans"
    assert "Accept-Language" in answer["Vary"]
    said = [problem["detail"], *(error["detail"] for error in problem.get("errors", ()))]
    assert all(re.search("[\u4e00-\u9fff]", text) for text in said if text), said


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hant-TW", "zh-Hans"),
        ("en-GB", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_before_a_choice_the_browser_decides(
    client: Client, db: None, asked: str, shown: str
) -> None:
    page = client.get("/login/", headers={"Accept-Language": asked})
    assert f'<html lang="{shown}">' in page.content.decode()


def test_the_choice_is_kept_and_leads_back(client: Client, at: Scene, db: None) -> None:
    here = "/login/?next=/trials/"
    origin = {"Referer": f"http://testserver{here}", "Accept-Language": "en"}
    answer = client.post("/language/", {"language": "zh-hans"}, headers=origin)
    assert (answer.status_code, answer["Location"]) == (302, origin["Referer"])
    kept = answer.cookies["django_language"]
    assert (kept.value, kept["httponly"], kept["samesite"]) == ("zh-hans", True, "Lax")
    assert '<html lang="zh-Hans">' in client.get(here, headers=origin).content.decode()
    client.force_login(at.cast.coordinator)
    page = client.get("/trials/", headers=origin).content.decode()
    assert '<html lang="zh-Hans">' in page
    assert 'value="en"' in page
    client.post("/language/", {"language": "en"}, headers=origin)
    assert '<html lang="en">' in client.get("/trials/", headers=origin).content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_the_switch_leads_to_no_other_host(client: Client, elsewhere: str) -> None:
    answer = client.post("/language/", {"language": "zh-hans"}, headers={"Referer": elsewhere})
    assert answer["Location"] == "/"


def test_an_unknown_language_is_no_choice(client: Client) -> None:
    answer = client.post("/language/", {"language": "../../etc"})
    assert "django_language" not in answer.cookies


@pytest.mark.parametrize(
    ("text", "tag"),
    [("Anlotinib in sarcoma", "en"), ("滑膜肉瘤 SS", "zh-Hans"), ("16%", ""), ("", ""), ("n", "")],
)
def test_the_language_of_a_stored_text(text: str, tag: str) -> None:
    assert written_in(text) == tag
