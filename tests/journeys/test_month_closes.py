"""A month from the first measurement to the payer's file: nurses and billers in their browsers."""

import io
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pyx12 import params, x12n_document  # type: ignore[import-untyped]  # ships no types

from dashboards.accounts.passwords import PasswordHasher
from dashboards.app import create
from dashboards.settings import Settings
from database.pool import connect
from deploy.demo import paperwork

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
ZONE = ZoneInfo("America/New_York")
NPI = "1245319599"
WORK = ((0, "review", "", 9), (0, "live_contact", "audio", 13), (1, "live_contact", "audio", 12))
"""Which patient, what, how, minutes: typed into the record's Time page."""


NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
"""Rule packs cover years: the journey happens in one of them, whenever it is tested."""


def pinned() -> datetime:
    return NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways into the test's database."""

    dsn: str
    web_dsn: str
    worker_dsn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Three patients, a nurse, a doctor and two billers."""

    patients: list[UUID]
    month: date
    ask: Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def clinic(db: Ways) -> Iterator[Clinic]:
    now = NOW
    month = (now.astimezone(ZONE).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    with connect(db.dsn, autocommit=True) as owner:
        with owner.transaction():
            patients = load(owner, month, now)
        yield Clinic(
            patients=patients,
            month=month,
            ask=lambda query, *values: owner.execute(query, values).fetchall(),
        )


def load(owner: psycopg.Connection[tuple[Any, ...]], month: date, now: datetime) -> list[UUID]:
    organisation = uuid4()
    owner.execute(
        "insert into organisation (id, name, time_zone) values (%s, 'Journey clinic', %s)",
        (organisation, ZONE.key),
    )
    staff = {}
    for login, credential, role in (
        ("maya", "RN", "nurse"),
        ("tess", "MD", "provider"),
        ("bela", "CPC", "billing"),
        ("nils", "CPC", "billing"),
    ):
        staff[login] = uuid4()
        owner.execute(
            "insert into staff (id, organisation_id, email, display_name, credential, role, npi,"
            " password_hash) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (staff[login], organisation, f"{login}@j.invalid", f"{login.title()} Journey",
             credential, role, NPI if role == "provider" else None, HASH),
        )  # fmt: skip
    since = month - timedelta(days=31)
    patients = [uuid4() for _ in range(3)]
    for number, patient in enumerate(patients):
        owner.execute(
            "insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date,"
            " sex, time_zone) values (%s, %s, %s, %s, 'Pat', '1950-03-01', 'female', %s)",
            (patient, organisation, f"J {number}", f"Journey{number}", ZONE.key),
        )
        owner.execute(
            "insert into enrolment (organisation_id, patient_id, programme, programme_version,"
            " enrolled_at) values (%s, %s, 'pcmh', '1', %s)",
            (organisation, patient, since),
        )
        measure(owner, organisation, patient, since, now)
    papers = paperwork.Clinic(
        organisation=organisation,
        name="Journey clinic",
        zone=ZONE.key,
        nurses=(staff["maya"],),
        npi=NPI,
    )
    people = [paperwork.Person(id=p, conditions=("hypertension",), since=since) for p in patients]
    paperwork.load(owner, papers, people, now=datetime.combine(since, now.timetz()))
    return patients


def measure(
    owner: psycopg.Connection[tuple[Any, ...]],
    organisation: UUID,
    patient: UUID,
    since: date,
    now: datetime,
) -> None:
    """A cuff that transmits every morning."""
    morning = datetime(since.year, since.month, since.day, 12, tzinfo=UTC)
    days = [at for n in range(95) if (at := morning + timedelta(days=n)) < now]
    with owner.cursor() as cursor:
        cursor.executemany(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id,"
            " kind, measured_at, value, status, time_quality, gateway_time, received_at,"
            " characteristic, frame) values (%s, %s, %s, 'cuff', 'gw', 'blood_pressure', %s, 130,"
            " 'accepted', 'device_synced', %s, %s, '2A35', '')",
            [(uuid4(), organisation, patient, at, at, at + timedelta(seconds=3)) for at in days],
        )


@contextmanager
def serving(db: Ways) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    app = create(Settings(dsn=db.web_dsn, worker_dsn=db.worker_dsn, clock=pinned))
    config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(15)


@pytest.fixture
def sit_down(db: Ways) -> Iterator[Callable[[str], Page]]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Chromium is missing: apt install chromium, or `make test`"
    with serving(db) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield lambda name: signed_in(browser, address, name)
        browser.close()


def signed_in(browser: Browser, address: str, name: str) -> Page:
    page = browser.new_context(base_url=address, reduced_motion="reduce").new_page()
    page.set_default_timeout(30_000)
    page.goto("/login")
    page.get_by_label("E-mail").fill(f"{name}@j.invalid")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def write_down(page: Page, clinic: Clinic) -> None:
    """The nurse types what was done into the record's Time page."""
    for number, (patient, activity, mode, minutes) in enumerate(WORK):
        page.goto(f"/patients/{clinic.patients[patient]}/time")
        began = f"{clinic.month:%Y-%m}-{12 + number}T10:00"
        page.locator("#add-started").fill(began)
        page.locator("#add-minutes").fill(str(minutes))
        page.locator("#add-activity").select_option(activity)
        page.locator("#add-mode").select_option(mode)
        page.locator("#add-note").fill(f"Went through the values of the week, {number}")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("cell", name=f"the week, {number}")).to_be_visible()


@pytest.mark.browser
def test_a_month_is_measured_worked_closed_and_accepted(
    clinic: Clinic, sit_down: Callable[[str], Page], tmp_path: Path
) -> None:
    write_down(sit_down("maya"), clinic)
    biller, second = sit_down("bela"), sit_down("nils")
    address = f"/billing?month={clinic.month:%Y-%m}"
    biller.goto(address)
    biller.get_by_role("button", name="Judge now").click()
    expect(biller.get_by_text("3 patients judged")).to_be_visible()
    biller.goto(address)
    biller.get_by_role("button", name="Close collecting").click()
    biller.get_by_role("button", name="Sign off").click()
    expect(biller.get_by_role("alert").first).to_contain_text("may not sign it off")
    second.goto(address)
    second.get_by_role("button", name="Sign off").click()
    second.get_by_role("button", name="Lock the month").click()
    expect(second.get_by_text("every line is proven by its evidence")).to_be_visible()
    biller.goto(address)
    claim = kept(biller)
    assert accepted(claim)
    codes = clinic.ask("select patient_id, code from bill_line where current")
    assert (clinic.patients[0], "99457") in codes
    assert (clinic.patients[1], "99470") in codes
    assert {code for patient, code in codes if patient == clinic.patients[2]} <= {"99453", "99454"}
    assert claim.count("SV1*HC:") == len(codes)
    look_at_the_evidence(biller, clinic, tmp_path)


def kept(page: Page) -> str:
    page.get_by_label("Format").select_option("837p")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").click()
    return file.value.path().read_text()


def accepted(claim: str) -> bool:
    """Whether an independent validator takes the claim file."""
    answer = io.StringIO()
    took = x12n_document.x12n_document(params.ParamsBase(), io.StringIO(claim), answer, None, None)
    return bool(took) and "IK5*A" in answer.getvalue()


def look_at_the_evidence(page: Page, clinic: Clinic, folder: Path) -> None:
    """The PDF of one line says who worked, when, and which readings counted."""
    page.goto(f"/billing/patients/{clinic.patients[0]}?month={clinic.month:%Y-%m}")
    row = page.locator("tr", has=page.get_by_role("rowheader", name="99457"))
    with page.expect_download() as file:
        row.get_by_role("link", name="PDF").click()
    pdf = folder / "evidence.pdf"
    file.value.save_as(pdf)
    assert pdf.read_bytes().startswith(b"%PDF")
    with page.expect_download() as table:
        row.get_by_role("link", name="CSV").click()
    told = table.value.path().read_text()
    assert "Maya Journey, RN" in told
    assert "Went through the values of the week, 1" in told
