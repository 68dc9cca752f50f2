"""Rules, rota, hubs, tokens, broken glass in a real browser; a draft is published by a second."""

import asyncio
import re
from datetime import UTC, datetime
from threading import Thread
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from alerts import process, replay_desk
from tests.dashboards.axe import faults, too_wide
from tests.dashboards.conftest import Clinic, Db, OpenDesk

pytestmark = pytest.mark.browser
PHONE = (320, 640)


def judged(db: Db) -> None:
    """An alert process answers the question that waits; in a thread with a loop of its own."""

    async def run() -> None:
        async with await process.connect(db.worker_dsn) as connection:
            assert await replay_desk.run_one(connection, db.worker_dsn, now=datetime.now(UTC))

    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()


def test_a_limit_is_drafted_asked_what_if_and_published_by_a_second_person(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    ada, tess = desk("ada", theme="dark", to="/admin/rules"), desk("tess", size=PHONE, to="/rota")
    page = ada.page
    page.get_by_role("button", name="Begin a draft").click()
    page.get_by_role("link", name="SpO₂ low", exact=True).click()
    page.get_by_label("Limit: this or less").fill("a lot")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("no comparison such as")
    expect(page.get_by_label("Limit: this or less")).to_have_value("a lot")
    assert faults(page) == []
    page.get_by_label("Limit: this or less").fill("85")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("Limit: 85 % or less, was 91 % or less")).to_be_visible()
    expect(page.get_by_text("You wrote part of this draft")).to_be_visible()
    page.get_by_role("button", name="Ask what-if").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    judged(db)
    expect(page.get_by_role("heading", name="Noisiest patients")).to_be_visible()

    signs = tess.page
    signs.goto(page.url)
    expect(signs.get_by_role("heading", name="Noisiest patients")).to_be_visible()
    assert faults(signs) == []
    signs.get_by_label("Reason").fill("Calmer nights, after the review of September")
    signs.get_by_role("button", name="Publish").click()
    expect(signs.get_by_role("heading", name=re.compile("Version 1"))).to_be_visible()
    expect(signs.get_by_text("A published version is never edited")).to_be_visible()
    assert faults(signs) == []
    signs.goto("/admin/rules")
    expect(signs.get_by_text("Organization v1")).to_be_visible()
    assert faults(signs) == []
    signs.goto(f"/patients/{clinic.patients[1]}/limits")
    assert faults(signs) == []
    signs.get_by_role("link", name=re.compile("Set limit")).first.click()
    expect(signs.get_by_label("Reason")).to_be_visible()
    assert faults(signs) == []
    assert [line.rpartition(" status of ")[2][:3] for line in ada.complaints] == ["422"]
    assert tess.complaints == []


def test_rota_and_hubs_are_read_by_everybody(desk: OpenDesk) -> None:
    ada = desk("ada", size=PHONE, to="/rota")
    page = ada.page
    page.get_by_label("Name").last.fill("Heart")
    page.locator("form[action='/rota'] button").click()
    expect(page.get_by_role("heading", name="Heart", exact=True)).to_be_visible()
    unfolded(page)
    assert faults(page) == []
    page.goto("/fleet")
    unfolded(page)
    assert faults(page) == []
    page.get_by_role("link", name="Hub of samples").click()
    expect(page.get_by_role("heading", name="Hub of samples")).to_be_visible()
    unfolded(page)
    assert faults(page) == []
    assert ada.complaints == []


def unfolded(page: Page) -> None:
    """Open whatever is folded away."""
    for fold in page.locator("details.fold > summary").all():
        fold.click()


def test_a_token_is_shown_once_and_read_by_everybody(desk: OpenDesk) -> None:
    ada = desk("ada", size=PHONE, to="/admin/tokens")
    page = ada.page
    page.get_by_label("Which program uses it").fill("Bridge")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("alert").first).to_contain_text("Choose at least one thing")
    page.get_by_label("Which program uses it").fill("Bridge")
    page.get_by_label("see_fleet").check()
    page.get_by_label("Role", exact=True).select_option("operations")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("heading", name="Your new token")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("link", name="What programs can do").click()
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    page.get_by_text("What it takes: POST /api/v1/hours").click()
    assert faults(page) == []


@pytest.fixture
def closed(db: Db, clinic: Clinic) -> UUID:
    """A patient of a closed team, whose glass Jonah has broken twice: once it was reviewed."""
    broken = (
        "insert into break_glass (organisation_id, staff_id, patient_id, cause, reason, opened_at, "
        "expires_at, reviewed_by, reviewed_at, justified, review_note) values (%s, %s, %s, "
        "'emergency', 'The ward called', now(), now() + interval '1 hour', %s, %s, %s, %s)"
    )
    whose = (clinic.id, clinic.staff["jonah"], clinic.patients[2])
    review = (clinic.staff["ivo"], datetime.now(UTC), True, "Asked the ward")
    with db.connect() as connection:
        connection.execute("update care_team set closed = true")
        connection.execute(broken, (*whose, *review))
        connection.execute(broken, (*whose, None, None, None, None))
    return clinic.patients[0]


def test_programs_of_a_patient_are_read_by_everybody(desk: OpenDesk, clinic: Clinic) -> None:
    cora = desk("cora", size=PHONE, to=f"/patients/{clinic.patients[1]}/programs")
    page = cora.page
    page.get_by_role("button", name=re.compile("Enroll in Community Health")).click()
    expect(page.get_by_text("No alert profile of its own")).to_be_visible()
    unfolded(page)
    assert faults(page) == []
    assert cora.complaints == []


def test_broken_glass_is_read_by_everybody(desk: OpenDesk, closed: UUID) -> None:
    jonah, ada = desk("jonah", size=PHONE, to="/worklist"), desk("ada", size=PHONE, to="/access")
    page = jonah.page
    page.goto(f"/patients/{closed}")
    expect(page.get_by_role("heading", name="This record is closed to you")).to_be_visible()
    assert faults(page) == []
    expect(ada.page.get_by_text("Justified: Asked the ward")).to_be_visible()
    expect(ada.page.get_by_role("button", name="Mark reviewed")).to_be_visible()
    assert faults(ada.page) == []
    assert ada.complaints == []


def test_a_view_is_saved_and_one_tab_chimes_unless_muted(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    nurse = desk(to="/worklist?sev=critical")
    page = nurse.page
    page.get_by_text("Save view").click()
    page.get_by_label("Name of this view").fill("Critical only")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Critical only 4")).to_have_attribute(
        "aria-current", "page"
    )
    assert faults(page) == []
    second = nurse.context.new_page()
    second.goto("/worklist")
    page.set_viewport_size({"width": 320, "height": 640})
    assert not too_wide(page)
    tabs = [page, second]
    for tab in tabs:
        expect(tab.locator("#live-state")).to_have_attribute("data-state", "live")
        tab.evaluate(
            "document.addEventListener('tidings:chime', e => { document.body.dataset.rang = "
            "(document.body.dataset.rang || '') + e.detail.sound + ' '; })"
        )
    second.bring_to_front()
    second.locator("summary", has_text="Account of").click()
    second.get_by_label("Chime at new critical alerts").uncheck()
    told = (
        f'{{"episode":"{clinic.episodes[0]}","organisation":"{clinic.id}","severity":1,"new":true}}'
    )
    with db.connect() as connection:
        connection.execute("select pg_notify('tidings_worklist', %s)", (told,))
    leader = next(tab for tab in tabs if tab.locator("body[data-leads]").count())
    other = second if leader is page else page
    expect(leader.locator("body")).to_have_attribute("data-rang", "false ")
    expect(other.locator("body")).not_to_have_attribute("data-rang", re.compile("."))
    assert nurse.complaints == []
