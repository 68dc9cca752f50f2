"""Passkeys, with Chromium's own virtual authenticator: nothing of the ceremony is faked."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, CDPSession, Page, expect
from starlette.testclient import TestClient

from dashboards.accounts import webauthn
from dashboards.accounts.webauthn import PasskeyError, Site
from tests.dashboards.conftest import HERE, PASSWORD, Clinic, Clock, Db, SignIn, serving

SITE = Site(origin="https://tidings.example")
STAFF = UUID(int=7)
Open = Callable[[], Page]


def test_a_site_is_known_by_its_name_alone() -> None:
    assert Site(origin="https://tidings.example:8443").host == "tidings.example"


def test_what_a_browser_is_asked_names_nobody_and_wants_the_person_verified() -> None:
    made = json.loads(
        webauthn.creation_options(
            SITE, staff_id=STAFF, name="Maya Reyes", challenge=b"c" * 32, known=[b"old"]
        )
    )
    assert made["rp"]["id"] == "tidings.example"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert len(made["excludeCredentials"]) == 1
    asked = json.loads(webauthn.request_options(SITE, b"c" * 32))
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"id": 3}', '{"id":"a","rawId":"!"}', "null"])
def test_any_other_answer_is_no_passkey(answer: str) -> None:
    with pytest.raises(PasskeyError):
        webauthn.challenge_of(answer)
    with pytest.raises(PasskeyError):
        webauthn.challenge_of_new(answer)
    with pytest.raises(PasskeyError):
        webauthn.made(answer, site=SITE, challenge=b"")
    with pytest.raises(PasskeyError):
        webauthn.signed(answer, site=SITE, challenge=b"", key=b"", count=0)


@pytest.fixture
def page(chromium: Browser, app: FastAPI) -> Iterator[Page]:
    """A browser with a finger on it, at the name localhost: an address cannot have passkeys."""
    with serving(app) as address:
        context = chromium.new_context(base_url=f"http://localhost:{urlsplit(address).port}")
        context.set_default_timeout(10_000)
        made = context.new_page()
        finger(context.new_cdp_session(made))
        yield made
        context.close()


def finger(cdp: CDPSession) -> None:
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def give_password(page: Page, clinic: Clinic) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(clinic.address("maya"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.browser
def test_a_passkey_is_added_named_used_alone_used_as_second_step_and_removed(
    page: Page, clinic: Clinic, db: Db
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    give_password(page, clinic)
    page.wait_for_url("**/worklist")
    page.goto("/account")
    page.get_by_label("Name of this device").fill("Ward laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove Ward laptop")).to_be_visible()
    page.get_by_label("Name of this device").fill("Again")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("This device has a passkey here already")).to_be_visible()
    page.get_by_label("Name of Ward laptop").fill("Night laptop")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("button", name="Remove Night laptop")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/login?next=/tasks")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Tasks", level=1)).to_be_visible()

    page.context.clear_cookies()
    give_password(page, clinic)  # no longer enough
    expect(page.get_by_role("heading", name="Your second step")).to_be_visible()
    assert "login" in page.request.get("/worklist", headers={"accept": "text/html"}).url
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/worklist")

    page.goto("/account")
    expect(page.get_by_text("last used just now").last).to_be_visible()
    page.get_by_role("button", name="Remove Night laptop").click()
    expect(page.get_by_role("button", name="Remove Night laptop")).to_have_count(0)
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That passkey did not work")
    with db.connect() as connection:
        actions = connection.execute(
            "select action, detail ->> 'what' from audit where object_kind = 'passkey' "
            "or action = 'sign_in_passkey' order by id"
        ).fetchall()
    used = ("sign_in_passkey", None)
    changed = [("change", what) for what in ("added", "rename_passkey", "remove_passkey")]
    assert actions == [*changed[:2], used, used, changed[2]]
    assert complaints == []


RELAY = """async () => {
  const told = await (await fetch("/login/passkey/options", {method: "POST"})).json();
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(told);
  return (await navigator.credentials.get({publicKey: options})).toJSON();
}"""


@pytest.mark.browser
def test_an_answer_counts_once_within_minutes_and_for_people_who_may_come_in(
    page: Page, clinic: Clinic, clock: Clock, db: Db, client: TestClient
) -> None:
    give_password(page, clinic)
    page.wait_for_url("**/worklist")
    page.goto("/account")
    page.get_by_label("Name of this device").fill("Ward laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove Ward laptop")).to_be_visible()

    def give(answer: object) -> int:
        return page.request.post(
            "/login/passkey", data={"credential": answer, "next": "//evil.invalid"}, headers=HERE
        ).status

    once, late, forged = (page.evaluate(RELAY) for _ in range(3))
    assert give(once) == 200
    assert give(once) == 401
    forged["response"]["signature"] = once["response"]["signature"]
    assert give(forged) == 401
    elsewhere = {"credential": page.evaluate(RELAY)}  # relayed to a page with another name
    assert client.post("/login/passkey", json=elsewhere).status_code == 401
    clock.ahead += timedelta(minutes=6)
    assert give(late) == 401
    shut_out = page.evaluate(RELAY)
    with db.connect() as connection:
        connection.execute(
            "update staff set disabled_at = now() where id = %s", (clinic.staff["maya"],)
        )
    assert give(shut_out) == 401


def test_nobody_names_or_removes_anothers_passkey(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    with db.connect() as connection:
        made = connection.execute(
            "insert into passkey (organisation_id, staff_id, credential_id, public_key, "
            "sign_count, name, created_at) values (%s, %s, 'x', 'y', 0, 'Mine', now()) "
            "returning id",
            (clinic.id, clinic.staff["maya"]),
        ).fetchone()
    assert made
    form = {"csrf_token": sign_in("jonah"), "name": "Stolen"}
    for what in ("name", "remove"):
        answer = client.post(f"/account/passkeys/{made[0]}/{what}", data=form)
        assert answer.status_code == 404
