"""A small clinic of invented people, a web process over it, and browsers."""

import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
import uvicorn
import yaml
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from dashboards.accounts import passwords, sessions
from dashboards.app import create
from dashboards.settings import Settings
from database.pool import connect
from deploy.embedded.postgres import EmbeddedPostgres
from devices.wire import WireReading
from tests.conftest import Database, cloned

PASSWORD = "correct horse battery"
HASH = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
Connection = psycopg.Connection[tuple[Any, ...]]
Db = Database
HERE = {"sec-fetch-site": "same-origin"}
expect.set_options(timeout=20_000)  # numbers come 2 to 6 s after their rows, and machines are busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One invented patient with one open alert."""

    family: str
    given: str
    born: date
    sex: str
    mrn: str
    profile: str
    condition: str
    kind: str
    severity: int
    headline: str
    why: str
    due_minutes: float
    language: str = "en"
    allergy: str = ""
    owner: str = ""
    extra: int = 0
    queue: str = "rn_triage"
    technical: bool = False
    rule: str = "bp_severe"


CASES = tuple(
    Case(**case | {"born": date.fromisoformat(case["born"])})
    for case in yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
)
STAFF = (
    ("maya", "Maya Reyes", "RN", "nurse"),
    ("jonah", "Jonah Kim", "RN", "nurse"),
    ("tess", "Tess Alder", "MD", "provider"),
    ("cora", "Cora Lind", "MSW", "coordinator"),
    ("bela", "Bela Ortiz", "CPC", "billing"),
    ("otto", "Otto Brand", "", "operations"),
    ("ada", "Ada Monroe", "", "administrator"),
    ("ivo", "Ivo Sands", "", "auditor"),
)
USUAL = {
    "blood_pressure": (142, 78, 184),
    "spo2": (94, None, 86),
    "weight": (82.5, None, 85.0),
    "glucose": (150, None, 297),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """One organisation: ids by name."""

    id: UUID
    letter: str
    quarantined: UUID
    staff: dict[str, UUID]
    patients: list[UUID]
    episodes: list[UUID]

    def address(self, name: str) -> str:
        return f"{name}@{self.letter}.invalid"


def fill(
    connection: Connection,
    now: datetime,
    letter: str = "a",
    cases: tuple[Case, ...] = CASES,
    *,
    days: int = 40,
) -> Clinic:
    """Load one clinic."""
    organisation = uuid4()
    run = connection.execute
    run(
        "insert into organisation (id, name, time_zone) values (%s, %s, 'America/New_York')",
        (organisation, f"Clinic {letter.upper()} of samples"),
    )
    staff = {}
    for login, name, credential, role in STAFF:
        staff[login] = uuid4()
        run(
            "insert into staff (id, organisation_id, email, display_name, credential, role, "
            "password_hash) values (%s, %s, %s, %s, %s, %s, %s)",
            (staff[login], organisation, f"{login}@{letter}.invalid", name, credential, role, HASH),
        )
    team = uuid4()
    run("insert into care_team values (%s, %s, 'Heart team')", (team, organisation))
    run(
        "insert into care_team_member values (%s, %s, %s, 'nurse')",
        (team, staff["maya"], organisation),
    )
    hub = f"gw-{letter}"
    run(
        "insert into gateway (id, organisation_id, site, label, state, last_seen_at, status) "
        "values (%s, %s, 'home', 'Hub of samples', 'online', %s, %s)",
        (hub, organisation, now, Jsonb({"version": "1.2.0", "outbox_depth": 0})),
    )
    patients, episodes = [], []
    for number, case in enumerate(cases):
        patient = _patient(connection, organisation, team, case, now, number)
        patients.append(patient)
        _device(connection, organisation, patient, case, now, letter, number)
        values = _readings(connection, organisation, patient, case, now, days, number, letter)
        owner = staff[case.owner.split("@")[0]] if case.owner else None
        episodes.append(_episode(connection, organisation, patient, case, now, owner, values))
    return Clinic(
        quarantined=_quarantined(connection, organisation, letter, now),
        id=organisation,
        letter=letter,
        staff=staff,
        patients=patients,
        episodes=episodes,
    )


def _device(  # noqa: PLR0917 -- the columns of two tables
    connection: Connection,
    organisation: UUID,
    patient: UUID,
    case: Case,
    now: datetime,
    letter: str,
    number: int,
) -> None:
    device = f"dev-{letter}-{case.mrn}"
    connection.execute(
        "insert into device (id, organisation_id, model, kinds, serial, firmware, gateway_id, "
        "battery, last_seen_at) values (%s, %s, 'Sample cuff 2', %s, %s, '1.0', %s, %s, %s)",
        (
            device, organisation, [case.kind], f"S-{case.mrn}", f"gw-{letter}",
            9 if number == 4 else 80, now - timedelta(days=number % 4),
        ),
    )  # fmt: skip
    connection.execute(
        "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from) "
        "values (%s, %s, %s, %s)",
        (organisation, device, patient, now - timedelta(days=60)),
    )


def _quarantined(connection: Connection, organisation: UUID, letter: str, now: datetime) -> UUID:
    """A blood pressure that nobody is sure about."""
    made, at = uuid4(), now - timedelta(minutes=40)
    frame = bytes.fromhex("1e8c0055006400ea0709160a0000480000010000")
    reading = WireReading(
        id=made, char="2A35", frame=frame.hex(), at=at, kind="blood_pressure", value=140.0,
        diastolic=85.0, pulse=72.0, original_value=140.0, original_unit="mm[Hg]",
    )  # fmt: skip
    connection.execute(
        "insert into quarantine (id, organisation_id, gateway_id, device_id, reason, topic, "
        "payload, gateway_time, received_at, queue) "
        "values (%s, %s, %s, %s, 'ambiguous_owner', %s, %s, %s, %s, 'identity_review')",
        (
            made, organisation, f"gw-{letter}", f"dev-{letter}-{CASES[0].mrn}",
            f"tidings/v1/home/gw-{letter}/readings", msgspec.json.encode(reading), at, at,
        ),
    )  # fmt: skip
    return made


def _patient(  # noqa: PLR0917 -- the columns of a patient
    connection: Connection, organisation: UUID, team: UUID, case: Case, now: datetime, number: int
) -> UUID:
    patient = uuid4()
    connection.execute(
        "insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date, sex, "
        "time_zone, language, phone, allergies, conditions, care_team_id) "
        "values (%s, %s, %s, %s, %s, %s, %s, 'America/New_York', %s, %s, %s, %s, %s)",
        (
            patient, organisation, case.mrn, case.family, case.given, case.born, case.sex,
            case.language, f"(505) 555-01{number:02d}", [case.allergy] if case.allergy else [],
            [case.condition], team if number % 2 == 0 else None,
        ),
    )  # fmt: skip
    connection.execute(
        "insert into enrolment (organisation_id, patient_id, programme, programme_version, "
        "profiles, enrolled_at) values (%s, %s, 'chronic-care-model', '1', %s, %s)",
        (organisation, patient, [case.profile], now - timedelta(days=41)),
    )
    connection.execute(
        "insert into treatment_change (organisation_id, patient_id, at, what) "
        "values (%s, %s, %s, %s)",
        (organisation, patient, now - timedelta(days=13), "Dose changed"),
    )
    return patient


def _readings(  # noqa: PLR0917 -- the columns of a reading
    connection: Connection,
    organisation: UUID,
    patient: UUID,
    case: Case,
    now: datetime,
    days: int,
    number: int,
    letter: str,
) -> list[float]:
    chance = random.Random(number)
    middle, diastolic, last = USUAL[case.kind]
    rows, values = [], []
    for day in range(days, -1, -1):
        if chance.random() < 0.12 and day > 2:
            continue
        at = now - timedelta(days=day, minutes=12 + chance.random() * 90)
        noise = chance.gauss(0, abs(last - middle) * 0.12)
        towards = math.exp(-day / 1.6) if case.severity <= 2 else 0
        value = round(middle + noise + (last - middle) * towards, 1)
        dia = None if diastolic is None else round(diastolic + chance.gauss(0, 5) + 28 * towards)
        pulse = round(chance.gauss(73, 4)) if case.kind in ("blood_pressure", "spo2") else None
        values.append(value)
        rows.append(
            (uuid4(), organisation, patient, f"dev-{letter}-{case.mrn}", f"gw-{letter}", case.kind,
             at, value, dia, pulse, at, at, bytes([0, 1, 2, 3]))
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, "
            "kind, measured_at, value, diastolic, pulse, status, time_quality, gateway_time, "
            "received_at, characteristic, frame) values "
            "(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,'accepted','device_synced',%s,%s,'2A35',%s)",
            rows,
        )
    return values


def _episode(  # noqa: PLR0917 -- the columns of an episode
    connection: Connection,
    organisation: UUID,
    patient: UUID,
    case: Case,
    now: datetime,
    owner: UUID | None,
    values: list[float],
) -> UUID:
    episode, opened = uuid4(), now - timedelta(minutes=9)
    due = now + timedelta(minutes=case.due_minutes)
    connection.execute(
        "insert into episode (id, organisation_id, patient_id, queue, severity, worst_severity, "
        "technical, headline, why, alert_count, opened_at, due_at, owner_id, claimed_at, "
        "lease_until, sparkline, kind) "
        "values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
        (
            episode, organisation, patient, case.queue, case.severity, case.severity,
            case.technical, case.headline, case.why, 1 + case.extra, opened, due, owner,
            owner and opened, owner and now + timedelta(minutes=15), values[-14:], case.kind,
        ),
    )  # fmt: skip
    words = [(case.rule, case.severity, case.headline, case.why, case.kind)] + [
        (f"extra_{n}", 3, "Symptom check: worse", "Answered “more short of breath than usual”", "")
        for n in range(case.extra)
    ]
    for rule, severity, headline, why, kind in words:
        connection.execute(
            "insert into alert (organisation_id, patient_id, episode_id, rule_id, rule_version, "
            "profile, kind, severity, headline, why, raised_at, last_breach_at, due_at, computed) "
            "values (%s,%s,%s,%s,'v7',%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (
                organisation, patient, episode, rule, case.profile, kind, severity, headline, why,
                opened, opened, due, Jsonb({"value": values[-1], "limit": 88}),
            ),
        )  # fmt: skip
    connection.execute(
        "insert into alert_event (organisation_id, episode_id, at, action, reason) "
        "values (%s,%s,%s,'open',%s)",
        (organisation, episode, opened, case.headline),
    )
    return episode


class Clock:
    """A clock that tests may move: real time plus what they added."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A database with both clinics in it, to be cloned for each test."""

    name: str
    a: Clinic
    b: Clinic


@pytest.fixture(scope="session")
def filled(postgres: EmbeddedPostgres, template: str) -> Filled:
    name = "template_clinics"
    with connect(postgres.dsn(), autocommit=True) as owner:
        owner.execute(f"create database {name} template {template}")
    with connect(postgres.dsn(database=name)) as connection:
        now = datetime.now(UTC)
        a = fill(connection, now)
        b = fill(connection, now, "b", CASES[:3], days=4)
    return Filled(name=name, a=a, b=b)


@pytest.fixture
def db(postgres: EmbeddedPostgres, filled: Filled) -> Iterator[Db]:
    """A database of this test's own, with both clinics in it."""
    with cloned(postgres, filled.name) as made:
        yield made


@pytest.fixture
def clinic(filled: Filled) -> Clinic:
    """Clinic A."""
    return filled.a


@pytest.fixture
def other_clinic(filled: Filled) -> Clinic:
    """Clinic B in the same database."""
    return filled.b


@pytest.fixture
def settings(db: Db, clock: Clock) -> Settings:
    return Settings(dsn=db.web_dsn, worker_dsn=db.worker_dsn, clock=clock, connections=6)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Nobody signed in yet."""
    with TestClient(app, base_url="http://localhost", headers=HERE, follow_redirects=False) as made:
        yield made


SignIn = Callable[..., str]


@pytest.fixture
def sign_in(client: TestClient, clinic: Clinic) -> SignIn:
    """Sign somebody of clinic A in; return the CSRF token."""

    def enter(name: str = "maya", at: Clinic = clinic, using: TestClient = client) -> str:
        using.cookies.clear()
        form = {"email": at.address(name), "password": PASSWORD}
        assert using.post("/login", data=form).status_code == 303
        return token_of(using.get("/account", headers={"accept": "text/html"}).text)

    return enter


def token_of(page: str) -> str:
    """Find the CSRF token in a page."""
    return page.partition('"X-CSRF-Token":"')[2].partition('"')[0]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of loopback; return its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            pytest.fail("the web process did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The web process over HTTP."""
    with serving(app) as at:
        yield at


@pytest.fixture(scope="module")  # its event loop must end before another module's tests have one
def playwright_session() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright_session: Playwright) -> Iterator[Browser]:
    path = which("chromium") or which("chromium-browser") or which("google-chrome")
    if path is None:
        pytest.fail("Chromium is missing: apt install chromium, or `make test`")
    browser = playwright_session.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
    yield browser
    browser.close()


@dataclass(slots=True)
class Desk:
    """Somebody's browser; what its console complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str]


OpenDesk = Callable[..., Desk]


def _session(db: Db, staff_id: UUID) -> str:
    """Open a session as the sign-in page does once it is satisfied; return its token."""
    token = uuid4().hex
    with db.connect() as connection:
        connection.execute(
            "insert into staff_session (token_hash, staff_id, organisation_id, csrf_token, "
            "created_at, last_seen_at, expires_at) select %s, id, organisation_id, %s, now(), "
            "now(), now() + interval '12 hours' from staff where id = %s",
            (sessions.digest(token), uuid4().hex, staff_id),
        )
    return token


@pytest.fixture
def desk(chromium: Browser, address: str, clinic: Clinic, db: Db) -> Iterator[OpenDesk]:
    """Open a browser as somebody who has signed in; what they did to get in is tested elsewhere."""
    opened: list[Desk] = []

    def sit_down(
        name: str | None = "maya",
        *,
        size: tuple[int, int] = (1440, 900),
        theme: str = "light",
        to: str = "",
    ) -> Desk:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            base_url=address,
            timezone_id="America/New_York",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        context.set_default_navigation_timeout(30_000)
        page = context.new_page()
        made = Desk(page=page, context=context, complaints=[])
        page.on("console", lambda m: made.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: made.complaints.append(str(e)))
        opened.append(made)
        if name:
            token = _session(db, clinic.staff[name])
            context.add_cookies([{"name": "sid", "value": token, "url": address}])
            page.goto(to or "/")
            assert "/login" not in page.url
        return made

    yield sit_down
    for each in opened:
        each.context.close()
