"""One's own account: another password, sessions elsewhere, the second step."""

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from dashboards.accounts import totp
from dashboards.accounts.passwords import Problem, problem_with
from tests.dashboards.conftest import PASSWORD, Clinic, Clock, Db, SignIn, token_of

HTML = {"accept": "text/html"}
NEW = "a longer horse staple"


@pytest.mark.parametrize(
    ("old", "new", "again", "problem"),
    [
        (PASSWORD, NEW, NEW, None),
        (PASSWORD, "x" * 11, "x" * 11, Problem.SHORT),
        (PASSWORD, PASSWORD, PASSWORD, Problem.SAME),
        (PASSWORD, NEW, NEW + ".", Problem.DIFFERENT),
    ],
)
def test_a_new_password_is_long_new_and_typed_twice(
    old: str, new: str, again: str, problem: Problem | None
) -> None:
    assert problem_with(old=old, new=new, again=again) is problem


def change(client: TestClient, token: str, old: str, new: str = NEW) -> Response:
    form = {"csrf_token": token, "old": old, "new": new, "again": new}
    return client.post("/account/password", data=form, headers=HTML)


def enter(client: TestClient, clinic: Clinic, password: str) -> int:
    form = {"email": clinic.address("maya"), "password": password}
    return client.post("/login", data=form).status_code


def test_a_new_password_needs_the_old_one_and_signs_out_everywhere_else(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    sign_in()
    elsewhere = client.cookies["sid"]
    token = sign_in()
    assert "Change your password" in client.get("/account/password", headers=HTML).text
    wrong = change(client, token, "not the old one")
    assert wrong.status_code == 422
    assert Problem.WRONG in wrong.text
    assert change(client, token, PASSWORD, "short").status_code == 422
    assert change(client, token, PASSWORD).headers["location"] == "/account"
    assert client.get("/account", headers=HTML).status_code == 200
    client.cookies.clear()
    stolen = client.get("/account", headers=HTML | {"cookie": f"sid={elsewhere}"})
    assert stolen.status_code == 303
    assert enter(client, clinic, PASSWORD) == 401
    assert enter(client, clinic, NEW) == 303
    with db.connect() as connection:
        kept = connection.execute(
            "select detail::text from audit where object_kind = 'password'"
        ).fetchall()
    assert kept == [("{}",)]


def test_guessing_the_old_password_is_slowed_down(client: TestClient, sign_in: SignIn) -> None:
    token = sign_in()
    codes = [change(client, token, f"guess {number}").status_code for number in range(9)]
    assert codes == [422] * 8 + [429]


def test_one_session_elsewhere_is_ended_by_its_own_person_only(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    def open_with(cookie: str) -> bool:
        client.cookies.clear()
        answer = client.get("/account", headers=HTML | {"cookie": f"sid={cookie}"})
        return answer.status_code == 200

    sign_in("jonah")
    old = client.cookies["sid"]
    with db.connect() as connection:
        found = connection.execute("select id from staff_session").fetchone()
    assert found
    end = f"/account/sessions/{found[0]}/end"
    assert client.post(end, data={"csrf_token": sign_in("maya")}).status_code == 404
    assert open_with(old)
    token = sign_in("jonah")
    assert end in client.get("/account", headers=HTML).text
    assert client.post(end, data={"csrf_token": token}).status_code == 303
    assert end not in client.get("/account", headers=HTML).text
    assert not open_with(old)


def test_with_codes_set_up_a_password_opens_nothing_yet(
    client: TestClient, clinic: Clinic, clock: Clock, db: Db
) -> None:
    secret = totp.secret_of(b"12345678901234567890")
    with db.connect() as connection:
        connection.execute(
            "update staff set totp_secret = %s where id = %s", (secret, clinic.staff["maya"])
        )
    assert client.get("/login/code", headers=HTML).headers["location"] == "/login"
    assert enter(client, clinic, PASSWORD) == 303
    waiting = client.cookies["sid"]
    assert client.get("/account", headers=HTML).status_code == 303
    page = client.get("/login/code", headers=HTML).text
    assert "Six digits" in page
    assert "Use your passkey" not in page
    code = {"code": totp.code(secret, totp.step_of(clock()))}
    assert client.post("/login/code", data=code).status_code == 303
    assert token_of(client.get("/account", headers=HTML).text)
    client.cookies.clear()
    replayed = client.post("/login/code", data=code, headers={"cookie": f"sid={waiting}"})
    assert replayed.status_code == 401


def test_an_administrator_lets_in_again_who_lost_the_device_with_the_passkey(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    with db.connect() as connection:
        connection.execute(
            "insert into passkey (organisation_id, staff_id, credential_id, public_key, "
            "sign_count, name, created_at) values (%s, %s, 'x', 'y', 0, 'Lost', now())",
            (clinic.id, clinic.staff["maya"]),
        )
    assert enter(client, clinic, PASSWORD) == 303
    assert "Use your passkey" in client.get("/login/code", headers=HTML).text
    form = {"csrf_token": sign_in("ada")}
    reset = f"/admin/users/{clinic.staff['maya']}/forget-code"
    assert reset in client.get("/admin", headers=HTML).text
    assert client.post(reset, data=form).status_code == 303
    client.cookies.clear()
    assert enter(client, clinic, PASSWORD) == 303
    assert client.get("/account", headers=HTML).status_code == 200
