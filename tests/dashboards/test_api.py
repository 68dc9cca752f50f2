"""The API: what it is documented to be, who gets in with a token, what errors look like."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import Response
from pydantic import ValidationError
from starlette.testclient import TestClient

from dashboards.api import document, tokens
from dashboards.api.replays import NewReplay
from dashboards.permissions import ROLES, Verb
from dashboards.worklist import gather
from tests.dashboards.api import token_for
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn

ROOT = Path(__file__).parents[2]
Ask = Callable[..., Response]


@pytest.fixture
def ask(client: TestClient) -> Ask:
    """Ask as a program: a token, no cookie, no browser."""

    def request(token: str, method: str, path: str, body: object = None) -> Response:
        client.cookies.clear()
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return client.request(method, f"/api/v1{path}", headers=headers, json=body)

    return request


def test_the_table_of_the_documentation_is_the_routes() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert document.table() in text, "print document.table() into docs/api.md"


def test_the_document_holds_the_api_and_no_page() -> None:
    made = document.document()
    assert all(path.startswith("/api/v1/") for path in made["paths"])
    assert len(made["paths"]) > 60
    for at, operation in document.operations(made):
        assert operation["security"] == [{"token": []}], at
        assert operation["summary"], at
        assert {"401", "403"} <= set(operation["responses"]), at


def test_every_scope_is_one_that_a_token_may_have() -> None:
    wanted = {scope for _, scope in document.scopes()}
    assert wanted - {"own_account"} <= set(tokens.SCOPES)


def test_the_document_is_served_to_anybody(client: TestClient) -> None:
    assert client.get("/api/v1/openapi.json").json() == document.document()


def test_people_read_the_same_on_a_page(client: TestClient, sign_in: SignIn) -> None:
    sign_in("ada")
    page = client.get("/admin/tokens/reference", headers={"accept": "text/html"}).text
    for at, _ in document.operations(document.document()):
        method, _, path = at.partition(" ")
        assert f"<strong>{method}</strong> {path}</code>" in page
    sign_in("maya")
    assert client.get("/admin/tokens/reference").status_code == 403


def test_a_nurses_program_works_through_an_alert(
    ask: Ask, db: Db, clinic: Clinic, other_clinic: Clinic
) -> None:
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    rows = ask(token, "GET", "/worklist?view=unclaimed").json()["items"]
    episode = rows[0]["id"]
    assert str(other_clinic.episodes[0]) not in str(rows)
    assert rows[0]["severity"] in {"critical", "high", "medium", "low"}
    assert ask(token, "POST", f"/episodes/{episode}/claim").json()["owner_name"].startswith("The ")
    again = ask(token, "POST", f"/episodes/{episode}/claim")
    assert (again.status_code, again.json()["reason"]) == (409, "ALREADY_YOURS")
    form = {"contact": "reached", "action": "education", "note": "Explained the cuff."}
    closed = ask(token, "POST", f"/episodes/{episode}/resolve", form).json()
    assert closed["closed_at"]
    assert ask(token, "POST", f"/episodes/{episode}/undo").json()["closed_at"] is None
    actions = [
        each["action"] for each in ask(token, "GET", f"/episodes/{episode}").json()["timeline"]
    ]
    assert {"claim", "resolve", "undo"} <= set(actions)


def test_pages_of_the_worklist_follow_each_other(
    ask: Ask, db: Db, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "PAGE", 3)
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    assert ask(token, "GET", "/worklist?after=nowhere").status_code == 404
    seen: list[str] = []
    after = ""
    while True:
        page = ask(token, "GET", f"/worklist?{urlencode({'view': 'all', 'after': after})}").json()
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) > 3


def test_a_token_does_what_its_scopes_and_its_role_both_allow(
    ask: Ask, db: Db, clinic: Clinic
) -> None:
    narrow = token_for(db, clinic, "nurse", frozenset({Verb.SEE_FLEET}))
    assert ask(narrow, "GET", "/devices").status_code == 200
    refused = ask(narrow, "GET", "/worklist")
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    wide = token_for(db, clinic, "operations", frozenset(Verb))
    assert ask(wide, "GET", "/devices").status_code == 200
    assert ask(wide, "GET", "/patients").status_code == 403
    assert ask(wide, "GET", "/me").json()["is_token"] is True


def test_a_token_ends_when_it_is_revoked_expired_or_its_account_disabled(
    ask: Ask, db: Db, clinic: Clinic, clock: Clock
) -> None:
    ends = (
        "update api_token set revoked_at = now()",
        "update staff set disabled_at = now() where credential = 'API'",
    )
    for how in ends:
        token = token_for(db, clinic, "nurse", ROLES["nurse"])
        assert ask(token, "GET", "/me").status_code == 200
        with db.connect() as connection:
            connection.execute(how.encode())
        refused = ask(token, "GET", "/me")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    clock.ahead += timedelta(days=2)
    assert ask(token, "GET", "/me").status_code == 401


def test_a_token_opens_no_page_and_a_wrong_one_beats_a_good_cookie(
    client: TestClient, sign_in: SignIn, db: Db, clinic: Clinic
) -> None:
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    page = client.get("/worklist", headers={"authorization": f"Bearer {token}"})
    assert page.status_code == 401
    sign_in("maya")
    assert client.get("/api/v1/me").json()["is_token"] is False
    wrong = client.get("/api/v1/me", headers={"authorization": "Bearer tdg_wrong"})
    assert wrong.status_code == 401


def test_what_a_program_does_is_on_the_trail_under_its_own_name(
    ask: Ask, db: Db, clinic: Clinic
) -> None:
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    me = UUID(ask(token, "GET", "/me").json()["id"])
    ask(token, "GET", f"/patients/{clinic.patients[0]}")
    with db.connect() as connection:
        row = connection.execute(
            "select actor from audit where action = 'look' and patient_id = %s order by id desc",
            (clinic.patients[0],),
        ).fetchone()
    assert row == (f"staff:{me}",)


def test_an_administrator_makes_a_token_sees_it_once_and_revokes_it(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    csrf = {"csrf_token": sign_in("ada")}
    form = {"name": "Record bridge", "role": "billing", "scopes": ["see_patient", "act"]} | csrf
    shown = client.post("/admin/tokens", data=form).text
    token = shown.partition("<code>")[2].partition("</code>")[0]
    assert token.startswith("tdg_")
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", headers=headers).json()["scopes"] == ["see_patient"]
    page = client.get("/admin/tokens").text
    assert token not in page
    assert "Record bridge" in page
    with db.connect() as connection:
        kept = connection.execute("select id, token_hash::text from api_token").fetchall()
        assert token not in str(kept)
    ended = client.post(f"/admin/tokens/{kept[0][0]}/revoke", data=csrf)
    assert ended.status_code == 303
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_a_token_without_anything_its_role_may_do_is_not_made(
    client: TestClient, sign_in: SignIn
) -> None:
    csrf = {"csrf_token": sign_in("ada")}
    form = {"name": "Nothing", "role": "auditor", "scopes": ["act"]} | csrf
    assert client.post("/admin/tokens", data=form).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/worklist", None, 405),
        ("GET", "/patients/none", None, 422),
        ("POST", "/patient-search", {"text": "x\x00y"}, 422),
        ("POST", "/patient-search", {"text": "xy", "more": 1}, 422),
        ("GET", f"/patients/{UUID(int=1)}", None, 404),
    ],
    ids=str,
)
def test_every_error_is_a_problem_document(  # noqa: PLR0917 -- fixtures
    ask: Ask, db: Db, clinic: Clinic, method: str, path: str, body: object, status: int
) -> None:
    answer = ask(token_for(db, clinic, "nurse", ROLES["nurse"]), method, path, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["detail"]
    assert ("allow" in answer.headers) == (status == 405)


def test_what_breaks_is_a_problem_document_too(
    app: FastAPI, db: Db, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_for(db, clinic, "nurse", ROLES["nurse"])
    monkeypatch.setitem(tokens.QUERIES, "touch_token", "select 1 / 0")
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "division" not in answer.text


def test_a_whole_number_may_be_written_with_a_point_as_the_document_allows() -> None:
    asked = NewReplay.model_validate({"draft": {}, "days": 7.0, "patients": 100.0})
    assert (asked.days, asked.patients) == (7, 100)
    with pytest.raises(ValidationError):
        NewReplay.model_validate({"draft": {}, "days": 7.5})
