"""Who gets in: sessions, CSRF, roles, organisations; generated from the route table."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from dashboards.app import create
from dashboards.door import visit
from dashboards.permissions import ROLES, Verb, may
from dashboards.settings import Settings, from_environment
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn
from tests.dashboards.table import OPEN, Route, routes, verbs_of

OWN_DOOR = {"/logout", "/events"}
"""Signed in, but without a verb of their own, or a stream."""
PASSWORD = "correct horse battery"


ALL = [(method, route) for route in routes() for method in sorted(route.methods - {"HEAD"})]
WITH_IDS = [(m, r) for m, r in ALL if "{" in r.path and r.path not in OPEN]


def name(value: object) -> object:
    return getattr(value, "path", value)


def test_the_route_table_is_not_empty() -> None:
    assert len(WITH_IDS) >= 12


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r.path}-{min(r.methods)}")
def test_every_route_asks_for_a_verb_or_is_meant_to_be_open(route: Route) -> None:
    assert verbs_of(route) or route.path in OPEN | OWN_DOOR


def ask(client: TestClient, method: str, path: str, token: str) -> Response:
    headers = {"x-csrf-token": token, "accept": "text/html", "hx-request": "true"}
    return client.request(method, path, headers=headers, data=FORM.get(method))


FORM = {
    "POST": {
        "reason": "manual", "until": "15m", "note": "a note", "contact": "reached",
        "judged": "true", "action": "none", "event": "start", "timer_id": str(uuid4()),
        "activity": "review", "minutes": "5", "started": "2026-01-05T10:00", "title": "x",
        "due_on": "2026-01-05", "body": "hello", "role": "nurse", "patient_id": str(uuid4()),
    },
    "PUT": {"note": "a note"},
}  # fmt: skip


def filled(path: str, at: Clinic) -> str:
    """The path with ids of a clinic in it."""
    ids = {
        "episode_id": at.episodes[0],
        "patient_id": at.patients[0],
        "staff_id": at.staff["jonah"],
        "quarantine_id": at.quarantined,
    }
    return re.sub(r"{(\w+)}", lambda found: str(ids.get(found[1], uuid4())), path)


def test_lists_do_not_show_another_clinic(
    client: TestClient, sign_in: SignIn, other_clinic: Clinic
) -> None:
    sign_in("maya")
    page = client.get("/worklist?view=all").text
    assert str(other_clinic.episodes[0]) not in page


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_reaches_what_its_verbs_say_and_nothing_else(
    client: TestClient, sign_in: SignIn, clinic: Clinic, role: str
) -> None:
    names = {
        "nurse": "maya", "provider": "tess", "coordinator": "cora", "billing": "bela",
        "operations": "otto", "administrator": "ada", "auditor": "ivo",
    }  # fmt: skip
    token = sign_in(names[role])
    for method, route in ALL:
        verbs = verbs_of(route)
        if not verbs or route.path == "/events":
            continue
        if not all(may(role, verb) for verb in verbs):
            answer = ask(client, method, filled(route.path, clinic), token)
            assert answer.status_code == 403, (method, route.path)


def test_an_unknown_role_may_do_nothing() -> None:
    assert not any(may("janitor", verb) for verb in Verb)


def test_without_a_session_there_is_only_the_sign_in_page(
    client: TestClient, clinic: Clinic
) -> None:
    for method, route in ALL:
        if route.path in OPEN:
            continue
        path = filled(route.path, clinic)
        answer = client.request(method, path, headers={"accept": "text/html"}, data={})
        assert answer.status_code in {303, 401}, (method, route.path)
        assert "SAMPLETON" not in answer.text


UNSAFE = [(m, r) for m, r in ALL if m != "GET" and r.path not in OPEN]


def test_unsafe_requests_need_the_sessions_token(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("maya")
    for method, route in UNSAFE:
        for token in ("", "wrong"):
            answer = ask(client, method, filled(route.path, clinic), token)
            assert answer.status_code == 403, (method, route.path)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://localhost"}, True),
        ({"origin": "http://evil.invalid"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_requests_from_elsewhere_are_refused(
    app: FastAPI, clinic: Clinic, headers: dict[str, str], allowed: bool
) -> None:
    form = {"email": clinic.address("maya"), "password": PASSWORD}
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        answer = client.post("/login", data=form, headers=headers)
    assert answer.status_code == (303 if allowed else 403)


def test_a_session_ends_when_it_is_revoked_idle_or_its_person_disabled(
    client: TestClient, sign_in: SignIn, clinic: Clinic, clock: Clock, db: Db
) -> None:
    def inside() -> int:
        return client.get("/account", headers={"accept": "text/html"}).status_code

    token = sign_in("maya")
    assert inside() == 200
    assert ask(client, "POST", "/logout", token).status_code == 303
    assert inside() == 303
    sign_in("maya")
    clock.ahead += timedelta(minutes=14)
    assert inside() == 200
    clock.ahead += timedelta(minutes=16)
    assert inside() == 303
    sign_in("maya")
    with db.connect() as connection:
        connection.execute(
            "update staff set disabled_at = now() where id = %s", (clinic.staff["maya"],)
        )
    assert inside() == 303


def test_what_a_page_asks_by_itself_does_not_keep_a_session_awake(
    client: TestClient, sign_in: SignIn, clock: Clock
) -> None:
    sign_in("maya")
    for _ in range(2):
        clock.ahead += timedelta(minutes=8)
        answer = client.get("/worklist/rows", headers={"tidings-background": "1"})
    assert answer.status_code == 401


def test_signing_out_elsewhere_ends_the_other_browser(client: TestClient, sign_in: SignIn) -> None:
    sign_in("maya")
    stolen = client.cookies["sid"]
    token = sign_in("maya")
    assert ask(client, "POST", "/account/sign-out-elsewhere", token).status_code == 303
    client.cookies.clear()
    answer = client.get("/worklist", headers={"accept": "text/html", "cookie": f"sid={stolen}"})
    assert answer.status_code == 303


def test_the_database_never_sees_the_cookie(client: TestClient, sign_in: SignIn, db: Db) -> None:
    sign_in("maya")
    with db.connect() as connection:
        stored = connection.execute(
            "select token_hash::text, csrf_token from staff_session"
        ).fetchall()
    assert client.cookies["sid"] not in str(stored)


def test_guessing_is_slowed_down_and_says_the_same_for_unknown_accounts(
    client: TestClient, clinic: Clinic
) -> None:
    def tries(address: str) -> Response:
        return client.post("/login", data={"email": address, "password": "guess"})

    known, unknown = tries(clinic.address("maya")), tries("nobody@a.invalid")
    assert known.status_code == unknown.status_code == 401
    assert "do not match an account" in known.text
    assert "do not match an account" in unknown.text
    codes = [tries(clinic.address("maya")).status_code for _ in range(9)]
    assert codes[-1] == 429


@pytest.mark.parametrize(
    "wanted", ["https://evil.invalid/", "//evil.invalid", "/\\evil.invalid", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(
    client: TestClient, clinic: Clinic, wanted: str
) -> None:
    form = {"email": clinic.address("maya"), "password": PASSWORD, "next": wanted}
    assert client.post("/login", data=form).headers["location"] == "/worklist"


def test_every_answer_carries_the_security_headers(client: TestClient, sign_in: SignIn) -> None:
    sign_in("maya")
    for path in ("/worklist", "/login", "/healthz", "/nothing-here"):
        headers = client.get(path).headers
        assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_behind_tls_the_cookie_is_bound_to_the_host(db: Db, clock: Clock, clinic: Clinic) -> None:
    app = create(Settings(dsn=db.web_dsn, clock=clock, https=True))
    form = {"email": clinic.address("maya"), "password": PASSWORD}
    with TestClient(app, base_url="https://localhost", follow_redirects=False) as client:
        answer = client.post("/login", data=form, headers={"sec-fetch-site": "same-origin"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-sid=")
    assert {"HttpOnly", "Secure", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_plain_http_is_served_on_loopback_only(clock: Clock) -> None:
    environment = {"TIDINGS_WEB_DSN": "x", "TIDINGS_WEB_HOST": "192.0.2.1"}
    with pytest.raises(ValueError, match="TIDINGS_WEB_HTTPS"):
        from_environment(environment, clock)
    assert from_environment(environment | {"TIDINGS_WEB_HTTPS": "1"}, clock).cookie == "__Host-sid"


def test_every_look_at_a_patient_is_on_the_trail(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    sign_in("maya")
    client.get(f"/patients/{clinic.patients[0]}")
    client.get(f"/worklist/episodes/{clinic.episodes[1]}")
    client.get(f"/patients/{clinic.patients[2]}/trend?days=90")
    with db.connect() as connection:
        looks = connection.execute(
            "select patient_id, actor from audit where action = 'look' and patient_id is not null "
            "order by id"
        ).fetchall()
    assert [patient for patient, _ in looks] == clinic.patients[:3]
    assert {actor for _, actor in looks} == {f"staff:{clinic.staff['maya']}"}


def test_visit_names_its_verb() -> None:
    assert visit(Verb.ACT).verb is Verb.ACT
