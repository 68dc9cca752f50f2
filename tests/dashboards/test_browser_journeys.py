"""What a person wants from beginning to end, in a real browser."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from alerts import catalogue, process, routing, worker
from alerts.worker import Judging
from tests.dashboards.conftest import Clinic, Db, OpenDesk
from tests.dashboards.table import routes

pytestmark = pytest.mark.browser


def judged(db: Db) -> None:
    """Let an alert worker judge what waits, as the process `alerts` does."""

    async def once() -> None:
        judging = Judging(catalogue=catalogue.product(), table=routing.table())
        async with await process.connect(db.worker_dsn) as connection:
            await worker.drain(connection, judging)

    with ThreadPoolExecutor(1) as beside:  # the browser's own loop has this thread
        beside.submit(lambda: asyncio.run(once())).result()


def measured(db: Db, clinic: Clinic, number: int, systolic: float, *, ago: timedelta) -> None:
    """Store a blood pressure, and queue it to be judged."""
    reading, now = uuid4(), datetime.now(UTC)
    at = now - ago
    with db.connect() as connection:
        connection.execute(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, "
            "kind, measured_at, value, diastolic, status, time_quality, gateway_time, received_at, "
            "characteristic, frame) values (%s, %s, %s, 'd', 'gw-a', 'blood_pressure', %s, %s, %s, "
            "'accepted', 'device_synced', %s, %s, '2A35', '')",
            (reading, clinic.id, clinic.patients[number], at, systolic, systolic - 80, at, now),
        )
        connection.execute(
            "insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, "
            "received_at) values (%s, %s, %s, 'blood_pressure', %s, %s)",
            (clinic.id, clinic.patients[number], reading, at, now),
        )


def test_a_snoozed_alert_gets_worse_and_is_back_at_once(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    nurse = desk(to=f"/worklist?open={clinic.episodes[10]}")
    page = nurse.page
    line = page.locator(f"#e-{clinic.episodes[10]}")
    expect(page.locator("#pane h2")).to_have_text("FAUXLEY, Ines")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    page.keyboard.press("s")
    page.get_by_label("1 hour").check()
    page.get_by_label("Reason").fill("Takes the evening dose at six")
    page.get_by_role("button", name="Snooze").last.click()
    expect(line.locator(".snoozed")).to_be_visible()
    for minutes in (9, 1):  # so high a value counts once it is measured twice
        measured(db, clinic, 10, 212, ago=timedelta(minutes=minutes))
    judged(db)
    expect(line.locator(".snoozed")).to_have_count(0)
    expect(line).to_have_attribute("data-severity", "2")
    expect(line).to_contain_text("BP 212/132")
    assert nurse.complaints == []


def test_a_wrong_persons_reading_is_moved_to_whom_it_belongs(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    with db.connect() as connection:  # two people use one cuff
        connection.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from) "
            "values (%s, 'dev-a-0520917', %s, now() - interval '60 days')",
            (clinic.id, clinic.patients[3]),
        )
    nurse = desk(to=f"/patients/{clinic.patients[0]}/readings")
    page = nurse.page
    newest = page.locator("tbody tr").first
    value = newest.locator("strong").inner_text()
    when = newest.locator("td").first.inner_text()
    newest.locator("summary").click()
    newest.get_by_role("link", name="Correct…").click()
    page.get_by_label("DEMOWORTH").check()
    page.get_by_label("Reason").fill("Her husband used the cuff")
    page.get_by_role("button", name="Correct").click()
    expect(page.get_by_role("heading", name="Readings")).to_be_visible()
    assert (value, when) not in shown(page)
    page.goto(f"/patients/{clinic.patients[3]}/readings")
    assert (value, when) in shown(page)
    assert nurse.complaints == []


def shown(page: Page) -> set[tuple[str, str]]:
    """The readings of a page that count: value and time."""
    lines = page.locator("tbody tr:not(.struck)").all()
    return {(a.locator("strong").inner_text(), a.locator("td").first.inner_text()) for a in lines}


def test_a_nurse_of_clinic_a_reaches_nobody_of_clinic_b_by_any_address_or_api_id(
    desk: OpenDesk, other_clinic: Clinic
) -> None:
    nurse = desk()
    ids = {
        "patient_id": other_clinic.patients[0],
        "episode_id": other_clinic.episodes[0],
        "staff_id": other_clinic.staff["maya"],
        "quarantine_id": other_clinic.quarantined,
    }
    asked = 0
    for route in routes():
        names = set(re.findall(r"{(\w+)}", route.path))
        if "GET" not in route.methods or not names or not names <= ids.keys():
            continue
        answer = nurse.context.request.get(route.path.format(**ids))
        assert answer.status in {403, 404}, route.path
        assert "SAMPLETON" not in answer.text().upper(), route.path
        asked += 1
    assert asked > 10
    nurse.page.goto(f"/patients/{other_clinic.patients[0]}")
    expect(nurse.page.get_by_text("There is nothing at this address.")).to_be_visible()
    nurse.page.goto(f"/worklist?view=all&open={other_clinic.episodes[0]}")
    expect(nurse.page.get_by_text("There is nothing at this address.")).to_be_visible()
