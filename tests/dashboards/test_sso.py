"""Single sign-on against a real provider on loopback: who is let in, and who never is."""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from httpx2 import Response
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from starlette.testclient import TestClient

from dashboards.accounts import oidc
from dashboards.accounts.providers import Provider, from_environment
from dashboards.app import create
from dashboards.settings import Settings
from tests.dashboards.conftest import HERE, Clinic, Clock, Db

with warnings.catch_warnings(action="ignore"):  # it still uses authlib.jose
    from oidc_provider_mock import User, run_server_in_thread

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # the same
HTML = {"accept": "text/html"}
PEOPLE = (
    User(sub="s-maya", claims={"email": "MAYA@a.invalid", "email_verified": True}),
    User(sub="s-loose", claims={"email": "jonah@a.invalid", "email_verified": False}),
    User(sub="s-second", claims={"email": "maya@a.invalid", "email_verified": True}),
    User(sub="s-new", claims={"email": "new@a.invalid", "email_verified": True}),
    User(sub="s-other", claims={"email": "maya@b.invalid", "email_verified": True}),
    User(sub="s-nobody", claims={}),
)
TOLD = {
    "TIDINGS_SSO": "Cedar",
    "TIDINGS_SSO_CEDAR_ORGANISATION": str(uuid4()),
    "TIDINGS_SSO_CEDAR_ISSUER": "https://id.cedar.invalid/",
    "TIDINGS_SSO_CEDAR_CLIENT_ID": "tidings",
    "TIDINGS_SSO_CEDAR_CLIENT_SECRET": "top secret",
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that makes whoever signs in say who they are."""
    with run_server_in_thread(user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@dataclass(slots=True)
class Browser:
    """Somebody at our page who goes to the provider and back."""

    client: TestClient
    sent: str = ""

    def leave(self, wanted: str = "") -> str:
        """Ask for single sign-on; return where the browser is sent."""
        answer = self.client.get(f"/login/sso/cedar?next={wanted}", headers=HTML)
        assert answer.status_code == 303
        self.sent = answer.headers["location"]
        return self.sent

    def sign_in(self, subject: str) -> str:
        """Sign in at the provider; return the address that it sends the browser back to."""
        back = httpx2.post(self.sent, data={"sub": subject}).headers["location"]
        parts = urlsplit(back)
        return f"{parts.path}?{parts.query}"

    def come_back(self, address: str) -> Response:
        """Arrive from another site, as a browser says it."""
        headers = HTML | {"sec-fetch-site": "cross-site"}
        return self.client.get(address, headers=headers)

    def go(self, subject: str, wanted: str = "") -> Response:
        """All the way."""
        self.client.cookies.clear()
        self.leave(wanted)
        return self.come_back(self.sign_in(subject))


Sit = Callable[..., Browser]


@pytest.fixture
def sit(settings: Settings, clinic: Clinic, issuer: str) -> Iterator[Sit]:
    """Browsers at a web process that knows the provider."""
    opened: list[TestClient] = []
    provider = Provider(
        name="cedar",
        label="Cedar Health",
        organisation_id=clinic.id,
        issuer=issuer,
        client_id="tidings",
        client_secret="secret",
    )

    def down(**changes: str) -> Browser:
        told = replace(settings, sso=(replace(provider, **changes),))
        client = TestClient(
            create(told), base_url="http://localhost", headers=HERE, follow_redirects=False
        )
        opened.append(client.__enter__())
        return Browser(client=client)

    yield down
    for each in opened:
        each.__exit__(None, None, None)


def test_a_verified_address_leads_to_the_account_and_the_subject_ever_after(
    sit: Sit, clinic: Clinic, db: Db
) -> None:
    browser = sit()
    assert "Sign in with Cedar Health" in browser.client.get("/login", headers=HTML).text
    answer = browser.go("s-maya", "/tasks")
    assert answer.headers["location"] == "/tasks"
    assert "Maya Reyes" in browser.client.get("/account", headers=HTML).text
    with db.connect() as connection:
        connection.execute(
            "update staff set email = 'moved@a.invalid' where id = %s", (clinic.staff["maya"],)
        )
    assert browser.go("s-maya").headers["location"] == "/worklist"
    with db.connect() as connection:
        actions = connection.execute(
            "select count(*) from audit where action = 'sign_in_sso' and actor = %s",
            (f"staff:{clinic.staff['maya']}",),
        ).fetchone()
    assert actions == (2,)


def test_nobody_else_is_let_in_and_no_account_is_made(sit: Sit, db: Db) -> None:
    def accounts() -> object:
        with db.connect() as connection:
            return connection.execute("select count(*) from staff").fetchone()

    before, browser = accounts(), sit()
    for subject in ("s-loose", "s-new", "s-other", "s-nobody"):
        answer = browser.go(subject)
        assert answer.status_code == 403, subject
        assert "There is no account for you here" in answer.text
        assert "sid" not in answer.headers.get("set-cookie", "")
    assert accounts() == before


def test_an_address_that_the_provider_gave_to_somebody_else_does_not_take_the_account_over(
    sit: Sit,
) -> None:
    browser = sit()
    assert browser.go("s-maya").status_code == 303
    assert browser.go("s-second").status_code == 403


def test_a_disabled_account_stays_shut(sit: Sit, clinic: Clinic, db: Db) -> None:
    browser = sit()
    assert browser.go("s-maya").status_code == 303
    with db.connect() as connection:
        connection.execute(
            "update staff set disabled_at = now() where id = %s", (clinic.staff["maya"],)
        )
    assert browser.go("s-maya").status_code == 403


def test_accounts_are_made_only_where_that_is_configured(sit: Sit, db: Db) -> None:
    browser = sit(new_role="auditor")
    assert browser.go("s-new").headers["location"] == "/audit"
    assert browser.go("s-loose").status_code == 403
    assert browser.go("s-other").status_code == 403  # the address is another organisation's
    with db.connect() as connection:
        made = connection.execute(
            "select role, password_hash from staff where email = 'new@a.invalid'"
        ).fetchall()
    assert made == [("auditor", None)]


def test_the_request_carries_what_proves_the_answer(sit: Sit) -> None:
    asked = parse_qs(urlsplit(sit().leave()).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/login/sso/cedar/done"]
    assert min(len(asked[name][0]) for name in ("state", "nonce", "code_challenge")) >= 43


def test_an_answer_counts_once_in_the_browser_that_asked_within_minutes(
    sit: Sit, clock: Clock
) -> None:
    browser = sit()
    browser.leave()
    back = browser.sign_in("s-maya")
    stolen = dict(browser.client.cookies)
    browser.client.cookies.clear()
    assert browser.come_back(back).status_code == 401  # another browser: the attempt is used up
    browser.client.cookies.update(stolen)
    assert browser.come_back(back).status_code == 401
    browser.leave()
    back = browser.sign_in("s-maya")
    assert browser.come_back(back).status_code == 303
    assert browser.come_back(back).status_code == 401
    browser.leave()
    back = browser.sign_in("s-maya")
    clock.ahead += timedelta(minutes=6)
    assert browser.come_back(back).status_code == 401


def test_a_code_of_another_attempt_is_refused(sit: Sit) -> None:
    browser = sit()
    browser.leave()
    code = parse_qs(urlsplit(browser.sign_in("s-maya")).query)["code"][0]
    browser.leave()
    mine = browser.sign_in("s-nobody")
    mixed = re.sub(r"code=[^&]+", f"code={code}", mine)
    answer = browser.come_back(mixed)  # the verifier, or else the nonce, does not fit
    assert answer.status_code == 401
    assert "Single sign-on did not work" in answer.text


def test_a_refusal_or_nonsense_leads_nowhere(sit: Sit) -> None:
    client = sit().client
    for path in ("cedar/done", "cedar/done?error=access_denied&state=x", "elsewhere"):
        assert client.get(f"/login/sso/{path}", headers=HTML).status_code in {401, 404}


@pytest.mark.parametrize(
    "wrong",
    ["{issuer}/elsewhere", "http://localhost:9", "http://LOCALHOST:{port}"],
    ids=["another page", "nobody listens", "says that it is another issuer"],
)
def test_a_provider_that_is_not_there_or_another_is_said_so(
    sit: Sit, issuer: str, wrong: str
) -> None:
    browser = sit(issuer=wrong.format(issuer=issuer, port=urlsplit(issuer).port))
    answer = browser.client.get("/login/sso/cedar", headers=HTML)
    assert answer.status_code == 502
    assert "Single sign-on did not work" in answer.text


CEDAR = Provider(
    name="cedar",
    label="Cedar Health",
    organisation_id=uuid4(),
    issuer="https://id.cedar.invalid",
    client_id="tidings",
    client_secret="a secret of more than thirty-two characters",
)
KEY, STRANGERS = (jwk.ECKey.generate_key("P-256", {"kid": "1"}) for _ in range(2))
RIGHT: dict[str, object] = {
    "iss": CEDAR.issuer, "aud": CEDAR.client_id, "sub": "s-maya", "nonce": "asked", "iat": 1000,
    "exp": 1300, "email": "maya@a.invalid", "email_verified": True,
}  # fmt: skip


def checked(claims: dict[str, object], key: jwk.Key = KEY, alg: str = "ES256") -> oidc.Named:
    signed = jwt.encode({"alg": alg, "kid": "1"}, claims, key, algorithms=[alg])
    token = {"id_token": signed, "access_token": "opens nothing here"}
    now = datetime.fromtimestamp(1100, UTC)
    return oidc.checked(CEDAR, token, jwk.KeySet([KEY]), "asked", now)


def test_a_token_that_is_right_names_somebody() -> None:
    assert checked(RIGHT).email == "maya@a.invalid"
    assert checked(RIGHT | {"email_verified": False}).email == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://id.birch.invalid"},
        {"aud": "another program"},
        {"aud": ["tidings", "another program"], "azp": "another program"},
        {"nonce": "of another attempt"},
        {"exp": 1030},
        {"iat": 9000},
        {"at_hash": "of another token"},
    ],
    ids=str,
)
def test_a_token_for_others_of_others_or_of_another_time_is_refused(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(JoseError):
        checked(RIGHT | wrong)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "nonce", "exp", "iat"])
def test_a_token_that_leaves_something_out_is_refused(missing: str) -> None:
    with pytest.raises(JoseError):
        checked({name: value for name, value in RIGHT.items() if name != missing})


def test_a_token_that_another_key_signed_or_none_is_refused() -> None:
    with pytest.raises(JoseError):
        checked(RIGHT, STRANGERS)
    secret = jwk.OctKey.import_key(CEDAR.client_secret)
    with pytest.raises((JoseError, ValueError)):
        checked(RIGHT, secret, "HS256")


def test_settings_are_read_by_name() -> None:
    (found,) = from_environment(TOLD)
    assert (found.name, found.label, found.issuer) == ("cedar", "Cedar", "https://id.cedar.invalid")
    assert "top secret" not in repr(found)
    assert from_environment({}) == ()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TIDINGS_SSO_CEDAR_CLIENT_SECRET", "", "CLIENT_SECRET is not set"),
        ("TIDINGS_SSO_CEDAR_ISSUER", "http://id.cedar.invalid", "https only"),
        ("TIDINGS_SSO_CEDAR_NEW_ROLE", "janitor", "no role"),
        ("TIDINGS_SSO_CEDAR_ORGANISATION", "cedar", "badly formed"),
        ("TIDINGS_SSO", "ce dar", "letters and digits"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(name: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_environment(TOLD | {name: value})
