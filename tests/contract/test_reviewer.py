"""What an independent reviewer gets of every operation: nothing that the site recorded."""

from __future__ import annotations

from django.test import Client

from tests import factories
from tests.contract.calls import CALLS
from tests.contract.scene import Scene
from tests.contract.test_contract import OPERATIONS, send
from tests.outcomes.review.test_review import stored
from trials.vocabularies import Role

# Of no trial, or what is published anyway.
OF_NO_TRIAL = {"GET /ctcae-terms/", "GET /publications/", "GET /publications/{key}/"}
OF_NO_TRIAL |= {"GET /claims-audit/", "GET /publications/{key}/audit/"}
PUBLISHED = {"GET /studies/"}  # beside no trial of the reader's


def test_no_operation_answers_a_reviewer_with_what_the_site_recorded(at: Scene) -> None:
    reader = factories.user("reader")
    factories.membership(reader, at.trial, Role.REVIEWER)
    client = Client(headers={"Authorization": f"Token {factories.token(reader)}"})
    before, own = stored(), {"GET /review/patients/"}
    for name, operation in OPERATIONS.items():
        call = CALLS[name](at)
        if name in OF_NO_TRIAL | own:
            continue
        answer = send(at, operation, call, client)
        if answer.status_code == 200:
            assert operation.method == "GET", name
            rows = answer.json()["results"]
            assert name in PUBLISHED or not rows, name
            assert not [row for row in rows if row.get("trial")], name
        else:
            assert answer.status_code in (400, 403, 404), (name, answer.content)
            assert at.patient.subject_id not in answer.content.decode(), name
    assert stored() == before
    listed = client.get("/api/v1/review/patients/").json()["results"]
    keys = {"id", "trial", "subject_id", "readings", "last_read_on"}
    assert [set(row) for row in listed] == [keys] * len(listed)
    assert at.patient.pk in {row["id"] for row in listed}
