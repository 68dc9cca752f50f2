"""What a person sees and does, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboards.axe import faults, too_wide
from tests.dashboards.conftest import Clinic, Clock, Db, OpenDesk

pytestmark = pytest.mark.browser


def row(page: Page, name: str) -> Locator:
    return page.locator("tr.row", has_text=name)


def test_axe_finds_nothing(desk: OpenDesk, clinic: Clinic) -> None:
    guest = desk(None)
    guest.page.goto("/login")
    assert faults(guest.page) == []
    nurse = desk()
    expect(nurse.page.locator("#live-state")).to_have_attribute("data-state", "live")
    expect(nurse.page.locator("#pane-head")).to_be_visible()
    assert faults(nurse.page) == []
    nurse.page.get_by_role("button", name="Shortcuts").click()
    assert faults(nurse.page) == []
    nurse.page.goto(f"/patients/{clinic.patients[1]}")
    expect(nurse.page.locator(".u-over").first).to_be_visible()
    assert faults(nurse.page) == []
    nurse.page.goto("/account")
    assert faults(nurse.page) == []
    assert guest.complaints + nurse.complaints == []


OTHER_PAGES = {
    "maya": (
        *(
            "/patients",
            "/tasks",
            "/messages",
            "/fleet",
            "/identity",
            "/account/code",
            "/account/password",
        ),
        *(f"/patients/ID/{tab}" for tab in ("readings", "alerts", "tasks", "messages", "time")),
    ),
    "ada": ("/admin", "/audit", "/access"),
}


NARROWEST = """() => {
  const boxes = [...document.querySelectorAll(".table-wrap:has(> .stacked)")];
  const cells = boxes.flatMap(box => [...box.querySelectorAll("td[data-label]")]);
  const padding = cell => parseFloat(getComputedStyle(cell).paddingInlineStart);
  return {
    sideways: boxes.filter(box => box.scrollWidth > box.clientWidth).length,
    cells: cells.length,
    least: Math.min(...cells.map(cell => cell.clientWidth - padding(cell))),
  };
}"""


@pytest.mark.parametrize("who", OTHER_PAGES)
def test_axe_finds_nothing_on_the_other_pages_and_phones_show_tables_as_cards(
    desk: OpenDesk, clinic: Clinic, who: str
) -> None:
    seen = desk(who, theme="dark", to=OTHER_PAGES[who][0])
    page = seen.page
    for path in OTHER_PAGES[who]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(path.replace("ID", str(clinic.patients[1])))
        assert faults(page) == [], path
        page.set_viewport_size({"width": 390, "height": 844})
        cards = page.evaluate(NARROWEST)
        if cards["cells"]:
            assert cards["sideways"] == 0, path
            assert cards["least"] >= 180, path
            assert faults(page) == [], path
        page.set_viewport_size({"width": 320, "height": 640})
        assert not too_wide(page), path
    assert seen.complaints == []


def test_snoozing_asks_until_when_and_why(desk: OpenDesk) -> None:
    nurse = desk()
    page = nurse.page
    page.keyboard.press("j")
    expect(page.locator("#pane h2")).to_have_text("TESTERBY, Grace")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Snooze TESTERBY, Grace")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("15 minutes").check()
    page.get_by_label("Reason").fill("Measures again in ten minutes")
    page.get_by_role("button", name="Snooze").last.click()
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator(".toast")).to_contain_text("Snoozed TESTERBY, Grace")
    expect(row(page, "TESTERBY").locator(".snoozed")).to_be_visible()
    assert nurse.complaints == []


def test_several_are_claimed_together(desk: OpenDesk) -> None:
    page = desk().page
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk-words")).to_have_text("2 selected, 2 critical")
    page.locator("#bulk").get_by_role("button", name="Claim").click()
    expect(page.locator(".toast")).to_contain_text("Claimed 2")
    expect(row(page, "MOCKRIDGE").locator(".owner")).to_contain_text("You")


def test_a_lost_stream_is_said_in_words_and_comes_back(desk: OpenDesk) -> None:
    nurse = desk()
    page = nurse.page
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    nurse.context.set_offline(True)
    page.clock.install()
    page.evaluate("document.querySelector('#live').dispatchEvent(new Event('tick'))")
    page.clock.run_for(25_000)
    expect(page.locator("#stale")).to_contain_text("Not live since")
    nurse.context.set_offline(False)
    page.evaluate("document.querySelector('#live').dispatchEvent(new Event('tick'))")
    expect(page.locator("#stale")).to_be_hidden()


def test_nothing_scrolls_sideways_on_a_narrow_phone(desk: OpenDesk, clinic: Clinic) -> None:
    nurse = desk(size=(320, 640))
    for address in ("/worklist", f"/patients/{clinic.patients[0]}", "/account"):
        nurse.page.goto(address)
        assert nurse.page.evaluate("document.documentElement.scrollWidth") <= 320, address
    nurse.page.goto("/worklist")
    row(nurse.page, "TESTERBY").locator(".row-link").click()
    expect(nurse.page.locator("#pane")).to_have_class(re.compile("shown"))
    assert nurse.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert nurse.page.evaluate("document.querySelector('#pane').scrollWidth") <= 320
    assert nurse.complaints == []


def test_a_critical_alert_is_triaged_by_keyboard_alone(desk: OpenDesk) -> None:
    nurse = desk()
    page = nurse.page
    expect(row(page, "SAMPLETON").first).to_have_class(re.compile("selected"))
    page.keyboard.press("j")
    expect(row(page, "TESTERBY")).to_have_class(re.compile("selected"))
    expect(page.locator("#pane h2")).to_have_text("TESTERBY, Grace")
    page.keyboard.press("c")
    expect(row(page, "TESTERBY").locator(".owner")).to_contain_text("You")
    expect(page.locator(".toast")).to_contain_text("Claimed TESTERBY, Grace")
    page.keyboard.press("z")
    expect(row(page, "TESTERBY").locator(".owner")).to_contain_text("Claim")
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_contain_text("Claimed")
    page.keyboard.press("r")
    page.keyboard.press("Space")
    page.get_by_label("Note").fill("Cannula had slipped; 94 % after.")
    page.keyboard.press("Control+Enter")
    expect(row(page, "TESTERBY")).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Resolved TESTERBY, Grace")
    expect(page.locator("#pane h2")).not_to_have_text("TESTERBY, Grace")
    assert nurse.complaints == []


def test_two_nurses_see_each_others_claims_and_only_one_wins(desk: OpenDesk) -> None:
    maya, jonah = desk("maya"), desk("jonah")
    for nurse in (maya, jonah):
        expect(nurse.page.locator("#live-state")).to_have_attribute("data-state", "live")
    row(maya.page, "MOCKRIDGE").get_by_role("button", name="Claim").click()
    lock = row(jonah.page, "MOCKRIDGE").locator(".owner")
    expect(lock).to_contain_text("Maya")
    assert maya.complaints + jonah.complaints == []


def test_a_lost_race_repairs_the_row_and_says_who_has_it(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    jonah = desk("jonah")
    with db.connect() as connection:  # nobody is told: the browser still shows a free row
        connection.execute(
            "update episode set owner_id = %s, claimed_at = now(), "
            "lease_until = now() + interval '9 min' where id = %s",
            (clinic.staff["maya"], clinic.episodes[2]),
        )
    row(jonah.page, "MOCKRIDGE").get_by_role("button", name="Claim").click()
    expect(jonah.page.locator(".toast")).to_contain_text("Maya Reyes has MOCKRIDGE, Bao already")
    expect(row(jonah.page, "MOCKRIDGE").locator(".owner")).to_contain_text("Maya")


def test_new_alerts_wait_behind_a_bar_and_rows_do_not_jump(
    desk: OpenDesk, db: Db, clinic: Clinic
) -> None:
    nurse = desk()
    page = nurse.page
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    before = page.locator("tr.row .row-link").all_inner_texts()
    with db.connect() as connection:
        made = connection.execute(
            "insert into episode (organisation_id, patient_id, severity, worst_severity, headline, "
            "why, opened_at, due_at) values (%s, %s, 1, 1, 'SpO₂ 85 %%', 'Below 88 %%', now(), "
            "now() + interval '5 min') returning id",
            (clinic.id, clinic.patients[12]),
        ).fetchone()
        told = f'{{"episode":"{made[0]}","organisation":"{clinic.id}","severity":1,"new":true}}'
        connection.execute("select pg_notify('tidings_worklist', %s)", (told,))
    expect(page.locator("#new-bar")).to_contain_text("1 new alert, critical. Show")
    assert page.locator("tr.row .row-link").all_inner_texts() == before
    expect(page.locator("#stats")).to_have_attribute("data-critical", "5")
    page.keyboard.press("n")
    expect(row(page, "STANDINSKY")).to_be_visible()
    expect(page.locator("#new-bar")).to_be_hidden()
    assert nurse.complaints == []


def test_resolving_needs_an_outcome_and_keeps_what_was_written(desk: OpenDesk) -> None:
    nurse = desk()
    page = nurse.page
    row(page, "FICTWELL").locator(".row-link").click()
    expect(page.locator("#pane h2")).to_have_text("FICTWELL, Carmen")
    page.get_by_label("Note").fill("Half a note")
    page.get_by_role("button", name="Save and resolve").click()
    expect(page.locator(".problem")).to_have_text("Choose an outcome first.")
    expect(page.locator("[id^=saved-]")).to_have_text("Draft saved")
    page.reload()
    expect(page.get_by_label("Note")).to_have_value("Half a note")
    page.get_by_label("Left message").check()
    page.get_by_role("button", name="Save and resolve").click()
    expect(row(page, "FICTWELL")).to_have_count(0)


def test_single_keys_can_be_switched_off(desk: OpenDesk) -> None:
    page = desk().page
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(row(page, "SAMPLETON").first).to_have_class(re.compile("selected"))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_chart_is_read_aloud_by_arrow_keys(desk: OpenDesk, clinic: Clinic) -> None:
    page = desk(to=f"/patients/{clinic.patients[1]}").page
    plot = page.locator(".plot").first
    expect(plot.locator(".u-over")).to_be_visible()
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#sr")).to_contain_text("%, below the alert limit")
    page.get_by_role("button", name="Show as table").first.click()
    expect(page.get_by_role("region", name=re.compile("as a table"))).to_be_visible()


def test_a_screen_that_is_left_alone_locks_itself_and_shows_nothing(
    desk: OpenDesk, clinic: Clinic, clock: Clock
) -> None:
    page = desk("bela").page  # no live events here
    page.clock.install()
    page.goto(f"/patients/{clinic.patients[1]}")
    with page.expect_response("**/account/session") as asked:
        page.clock.run_for(61_000)
    assert asked.value.status == 200
    clock.ahead += timedelta(minutes=16)
    with page.expect_response("**/account/session") as asked:
        page.clock.run_for(15 * 60_000)
    assert asked.value.status == 401
    expect(page.get_by_role("heading", name="You were signed out")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="You were signed out")).to_be_visible()
    behind = page.evaluate(
        "getComputedStyle(document.querySelector('#locked'), '::backdrop').backgroundColor"
    )
    assert behind.startswith("rgb(")  # nothing shines through


def test_an_expired_session_locks_the_page_and_the_note_survives(
    desk: OpenDesk, clock: Clock
) -> None:
    nurse = desk()
    page = nurse.page
    row(page, "DUMMOND").locator(".row-link").click()
    expect(page.locator("#pane h2")).to_have_text("DUMMOND, Maria")
    page.get_by_label("Note").fill("Ankles swollen since Monday")
    expect(page.locator("[id^=saved-]")).to_have_text("Draft saved")
    clock.ahead += timedelta(minutes=16)
    page.keyboard.press("Escape")
    page.get_by_label("Note").press_sequentially(".")
    expect(page.get_by_role("heading", name="You were signed out")).to_be_visible()
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("E-mail").fill("maya@a.invalid")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Note")).to_have_value("Ankles swollen since Monday")
