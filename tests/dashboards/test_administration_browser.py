"""Rules, rota and hubs in a real browser: a draft is published by a second person, with what-if."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from alerts import process, replay_desk
from tests.dashboards.conftest import Clinic, Db, OpenDesk

pytestmark = pytest.mark.browser
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  return found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 160))}`);
}"""


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than a narrow window."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN_AXE)
    size = page.viewport_size
    if size and page.evaluate("document.documentElement.scrollWidth") > size["width"]:
        found.append("scrolls sideways")
    return found


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
    ada, tess = desk("ada", theme="dark"), desk("tess", size=(320, 640))
    page = ada.page
    page.goto("/admin/rules")
    assert faults(page) == []
    page.get_by_role("button", name="Begin a draft").click()
    page.get_by_role("link", name="SpO₂ low", exact=True).click()
    assert faults(page) == []
    page.get_by_label("Limit: this or less").fill("a lot")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("no comparison such as")
    expect(page.get_by_label("Limit: this or less")).to_have_value("a lot")
    page.get_by_label("Limit: this or less").fill("85")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("Limit: 85 % or less, was 91 % or less")).to_be_visible()
    expect(page.get_by_text("You wrote part of this draft")).to_be_visible()
    page.get_by_role("button", name="Ask what-if").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    assert faults(page) == []
    judged(db)
    expect(page.get_by_role("heading", name="Noisiest patients")).to_be_visible()
    assert faults(page) == []

    signs = tess.page
    signs.goto(page.url)
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
    assert faults(signs) == []
    assert [line.rpartition(" status of ")[2][:3] for line in ada.complaints] == ["422"]
    assert tess.complaints == []


@pytest.mark.parametrize(("theme", "size"), [("light", (320, 640)), ("dark", (1280, 900))])
def test_rota_and_hubs_are_read_by_everybody(
    desk: OpenDesk, theme: str, size: tuple[int, int]
) -> None:
    ada = desk("ada", theme=theme, size=size)
    page = ada.page
    page.goto("/rota")
    assert faults(page) == []
    page.get_by_label("Name").last.fill("Heart")
    page.locator("form[action='/rota'] button").click()
    for fold in page.locator("details.fold > summary").all():
        fold.click()
    assert faults(page) == []
    page.goto("/fleet")
    page.get_by_text("Enroll a hub").click()
    assert faults(page) == []
    page.get_by_role("link", name="Hub of samples").click()
    page.get_by_text("Add a device").click()
    page.get_by_text("Shut this hub out").click()
    assert faults(page) == []
    assert ada.complaints == []


def test_a_view_is_saved_and_one_tab_chimes_unless_muted(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    nurse = desk(to="/worklist?sev=critical")
    page = nurse.page
    page.get_by_text("Save view").click()
    assert faults(page) == []
    page.get_by_label("Name of this view").fill("Critical only")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Critical only 4")).to_have_attribute(
        "aria-current", "page"
    )
    assert faults(page) == []
    second = nurse.context.new_page()
    second.goto("/worklist")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    tabs = [page, second]
    for tab in tabs:
        expect(tab.locator("#live-state")).to_have_attribute("data-state", "live")
        tab.evaluate(
            "document.addEventListener('tidings:chime', e => { document.body.dataset.rang = "
            "(document.body.dataset.rang || '') + e.detail.sound + ' '; })"
        )
    second.bring_to_front()
    second.get_by_label("Account of").click()
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
