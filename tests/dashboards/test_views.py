"""Saved views: one's own or shared, counted from kept facets."""

import re
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from dashboards.views import saved
from dashboards.views.saved import Facet
from tests.dashboards.conftest import Db, SignIn

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
HTML = {"accept": "text/html"}
FACETS = [
    Facet(queue="rn_triage", severity=1, technical=False, owned=False, snoozed=False, open=3),
    Facet(queue="rn_triage", severity=2, technical=False, owned=True, snoozed=False, open=5),
    Facet(queue="rn_triage", severity=2, technical=False, owned=False, snoozed=True, open=7),
    Facet(queue="outreach", severity=3, technical=False, owned=False, snoozed=False, open=11),
    Facet(queue="tech", severity=4, technical=True, owned=False, snoozed=False, open=13),
]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 8),
        ("sev=critical", 3),
        ("sev=high&snoozed=yes", 12),
        ("view=unclaimed", 27),
        ("view=silent", 11),
        ("view=devices", 13),
        ("view=all", 32),
        ("view=all&owner=none", 27),
        ("lang=es", None),
        ("view=mine", None),
        ("view=soon", None),
        ("cond=copd", None),
    ],
)
def test_facets_tell_the_number_or_nothing_does(query: str, count: int | None) -> None:
    assert saved.count(query, FACETS, now=NOW) == count


def test_a_view_is_saved_shared_and_deleted_by_its_owner(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    token = sign_in("maya")
    form = {"csrf_token": token, "name": "Critical only", "query": "sev=critical&evil=1"}
    made = client.post("/worklist/views", data=form | {"shared": "yes"})
    assert made.headers["location"] == "/worklist?sev=critical"
    form |= {"name": "Mine alone", "query": "view=all"}
    client.post("/worklist/views", data=form)
    page = client.get("/worklist?sev=critical", headers=HTML).text
    assert re.search(r'aria-current="page">Critical only <span class="tab-count">4<', page)
    with db.connect() as connection:
        connection.execute("update episode set closed_at = now() where severity = 1")
    piece = client.get("/worklist/views?sev=critical").text
    assert 'Critical only <span class="tab-count">0<' in piece
    address = re.findall(r'action="(/worklist/views/[\w-]+/delete)"', page)
    assert len(address) == 2
    theirs = {"csrf_token": sign_in("jonah")}
    page = client.get("/worklist", headers=HTML).text
    assert "shared by Maya Reyes" in page
    assert "Mine alone" not in page
    for each in address:
        assert client.post(each, data=theirs).status_code == 404
    token = sign_in("maya")
    for each in address:
        assert client.post(each, data={"csrf_token": token}).status_code == 303
    assert "Critical only" not in client.get("/worklist", headers=HTML).text
    nameless = {"csrf_token": token, "name": " "}
    assert client.post("/worklist/views", data=nameless).status_code == 403
