"""From a meter's notification to a row on a nurse's screen, on real parts, without a reload."""

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect, sync_playwright

from deploy.embedded.broker import free_port
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Labels
from gateway.simulated.peripherals.glucometer import Glucometer
from tests.journeys.conftest import Pipeline

NOTE = "Called: takes juice now, 84 at recheck"
PASSWORD = "correct horse battery"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.mark.browser
async def test_a_breach_appears_without_reload_is_claimed_and_resolved_with_a_note(
    pipeline: Pipeline, radio: SimulatedHome
) -> None:
    meter = await radio.add(
        Glucometer,
        address="F1:00:5E:00:53:30",
        name="meter",
        behaviour=Behaviour(labels=Labels(serial="METER-1")),
    )
    pipeline.patient("Sampleton", "adult_dm", devices={"METER-1": "glucose"})
    port = free_port()
    _nurse(pipeline)
    for process in ("ingest", "alerts", "gateway"):
        pipeline.start(process)
    pipeline.start("dashboards", TIDINGS_WEB_PORT=str(port))
    loop = asyncio.get_running_loop()

    def measure() -> None:
        """Called from the browser's thread: the radio lives in this loop."""
        done: Future[Any] = asyncio.run_coroutine_threadsafe(meter.measure(mg_dl=48), loop)
        done.result(30)

    await asyncio.to_thread(_triage, f"http://127.0.0.1:{port}", measure)
    closed = pipeline.ask("select outcome, closed_by from alert")
    assert closed, "\n".join(pipeline.log(name) for name in pipeline.running)
    assert all(NOTE in str(outcome) and closed_by is not None for outcome, closed_by in closed)


def _triage(url: str, measure: Callable[[], None]) -> None:
    """What the nurse does, in a thread: the sync API shares a process with other browser tests."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        _sign_in(page, url)
        expect(page.get_by_text("Nothing needs you here")).to_be_visible()
        measure()
        page.get_by_text("1 new alert, critical").click(timeout=60_000)
        row = page.get_by_role("row").filter(has_text="SAMPLETON")
        expect(row).to_contain_text("Critical")
        expect(row).to_contain_text("Glucose 48 mg/dL")
        row.get_by_role("link").click()
        page.get_by_role("heading", name="Why this alert fired").wait_for()
        row.get_by_role("button", name="Claim").click()
        expect(row).to_contain_text("You")
        page.get_by_role("button", name="Release").wait_for()
        _resolve(page)
        expect(row).to_have_count(0)
        browser.close()


def _nurse(pipeline: Pipeline) -> None:
    pipeline.tell(
        "insert into staff (id, organisation_id, email, display_name, credential, role,"
        " password_hash) values (%s, %s, 'maya@test.invalid', 'Maya Reyes', 'RN', 'nurse', %s)",
        *(uuid4(), pipeline.organisation, PasswordHasher(time_cost=1).hash(PASSWORD)),
    )


def _sign_in(page: Page, url: str) -> None:
    def answers() -> bool:
        try:
            response = page.request.get(f"{url}/healthz")
        except Exception:  # noqa: BLE001 - whatever it is: the server is not up yet
            return False
        return response.ok

    for _ in range(100):
        if answers():
            break
        page.wait_for_timeout(200)
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill("maya@test.invalid")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/worklist*")


def _resolve(page: Page) -> None:
    form = page.locator("form.document")
    for fieldset in form.locator("fieldset").all():
        fieldset.get_by_role("radio").first.check()
    form.get_by_label("Note").fill(NOTE)
    form.get_by_role("button", name="Save and resolve").click()
