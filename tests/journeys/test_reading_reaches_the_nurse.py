"""From a meter's notification to a row on a nurse's screen, on real parts, without a reload."""

import shutil
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from playwright.async_api import Page, async_playwright, expect

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
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page()
        await _sign_in(page, f"http://127.0.0.1:{port}")
        await expect(page.get_by_text("Nothing needs you here")).to_be_visible()

        await meter.measure(mg_dl=48)

        assert await pipeline.until(lambda: _alerts(pipeline) > 0), "\n".join(
            pipeline.log(n) for n in pipeline.running
        )
        await page.get_by_text("1 new alert, critical").click(timeout=10_000)
        row = page.get_by_role("row").filter(has_text="SAMPLETON")
        await expect(row).to_contain_text("Critical")
        await expect(row).to_contain_text("Glucose 48 mg/dL")
        await row.get_by_role("link").click()
        await page.get_by_role("heading", name="Why this alert fired").wait_for()
        await row.get_by_role("button", name="Claim").click()
        await expect(row).to_contain_text("You")
        await page.get_by_role("button", name="Release").wait_for()
        await _resolve(page)
        await expect(row).to_have_count(0)
        await browser.close()
    closed = pipeline.ask("select outcome, closed_by from alert")
    assert closed
    assert all(NOTE in str(outcome) and closed_by is not None for outcome, closed_by in closed)


def _nurse(pipeline: Pipeline) -> None:
    pipeline.tell(
        "insert into staff (id, organisation_id, email, display_name, credential, role,"
        " password_hash) values (%s, %s, 'maya@test.invalid', 'Maya Reyes', 'RN', 'nurse', %s)",
        *(uuid4(), pipeline.organisation, PasswordHasher(time_cost=1).hash(PASSWORD)),
    )


async def _sign_in(page: Page, url: str) -> None:
    async def answers() -> bool:
        try:
            response = await page.request.get(f"{url}/healthz")
        except Exception:  # noqa: BLE001 - whatever it is: the server is not up yet
            return False
        return response.ok

    for _ in range(100):
        if await answers():
            break
        await page.wait_for_timeout(200)
    await page.goto(f"{url}/login")
    await page.get_by_label("E-mail").fill("maya@test.invalid")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/worklist*")


async def _resolve(page: Page) -> None:
    form = page.locator("form.document")
    for fieldset in await form.locator("fieldset").all():
        await fieldset.get_by_role("radio").first.check()
    await form.get_by_label("Note").fill(NOTE)
    await form.get_by_role("button", name="Save and resolve").click()


def _alerts(pipeline: Pipeline) -> int:
    return int(pipeline.ask("select count(*) from alert")[0][0])
