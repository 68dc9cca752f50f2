"""The billing month in a real browser, and through the routes behind it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from billing import closing
from billing.store import Key
from dashboards.billing.words import gauge, how_long, months
from database.pool import connect
from deploy.demo import paperwork

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  return found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 160))}`);
}"""


def faults(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN_AXE)
    return found


@pytest.fixture
def judged(db: Any, clinic: Any, clock: Any) -> datetime:  # noqa: ANN401  classes of a conftest
    """Paperwork of every patient and a second biller; both months judged, in a covered year."""
    now = datetime(2026, 11, 22, 15, tzinfo=UTC)
    clock.ahead = now - datetime.now(UTC)
    with connect(db.dsn) as owner:
        owner.execute(
            "update reading set measured_at = measured_at + %(by)s,"
            " gateway_time = gateway_time + %(by)s, received_at = received_at + %(by)s",
            {"by": clock.ahead},
        )
        owner.execute("update enrolment set enrolled_at = enrolled_at + %s", (clock.ahead,))
        owner.execute(
            "insert into staff (organisation_id, email, display_name, credential, role,"
            " password_hash) select organisation_id, 'nils@a.invalid', 'Nils Falk', 'CPC', role,"
            " password_hash from staff where id = %s",
            (clinic.staff["bela"],),
        )
        staffed = paperwork.Clinic(
            organisation=clinic.id,
            name="Clinic of samples",
            zone="America/New_York",
            nurses=(clinic.staff["maya"], clinic.staff["jonah"]),
            npi="1245319599",
        )
        since = (now - timedelta(days=39)).date()
        people = [
            paperwork.Person(id=each, conditions=("hypertension",), since=since)
            for each in clinic.patients
        ]
        paperwork.load(owner, staffed, people, now=now)
    running = now.date().replace(day=1)
    with connect(db.worker_dsn, autocommit=True) as worker:
        for first in (running, (running - timedelta(days=1)).replace(day=1)):
            key = Key(organisation=clinic.id, first=first)
            closing.evaluate_month(worker, key, by="test", now=now)
    return now


def last_month(now: datetime) -> str:
    return f"{now.date().replace(day=1) - timedelta(days=1):%Y-%m}"


@pytest.mark.parametrize(("who", "status"), [("bela", 200), ("maya", 403), ("ada", 403)])
def test_billing_is_for_billing_staff(
    client: Any,  # noqa: ANN401  see above
    sign_in: Callable[[str], str],
    who: str,
    status: int,
) -> None:
    sign_in(who)
    assert client.get("/billing").status_code == status
    assert client.get("/billing/self-audit").status_code == status


def test_every_patient_is_on_exactly_one_page(
    client: Any,  # noqa: ANN401  see above
    sign_in: Callable[[str], str],
    db: Any,  # noqa: ANN401  see above
    clinic: Any,  # noqa: ANN401  see above
) -> None:
    wanted = set()
    with connect(db.dsn) as owner:
        for number in range(130):
            patient = uuid4()
            wanted.add(str(patient))
            owner.execute(
                "insert into patient (id, organisation_id, mrn, family_name, given_name,"
                " birth_date, sex) values (%s, %s, %s, %s, 'Same', '1950-01-01', 'female')",
                (patient, clinic.id, f"P{number}", f"Paged{number % 3}"),
            )
            owner.execute(
                "insert into billing_patient (organisation_id, first, patient_id, sort_key, facts,"
                " days_need, minutes_need, evaluated_at) values (%s, %s, %s, %s, '{}', 16, 20,"
                " now())",
                (clinic.id, datetime.now(UTC).date().replace(day=1), patient, f"p{number % 3}"),
            )
    sign_in("bela")
    address, seen = "/billing", []
    while address:
        page = client.get(address).text
        seen += re.findall(r'class="bill-link" href="/billing/patients/([0-9a-f-]+)', page)
        following = re.search(r'id="next-page" href="([^"]+)"', page)
        address = following.group(1).replace("&amp;", "&") if following else ""
    assert len(seen) == 130
    assert set(seen) == wanted


def test_the_evidence_of_another_organisation_is_not_there(  # noqa: PLR0917  fixtures
    client: Any,  # noqa: ANN401  see above
    sign_in: Callable[..., str],
    judged: datetime,
    db: Any,  # noqa: ANN401  see above
    clinic: Any,  # noqa: ANN401  see above
    other_clinic: Any,  # noqa: ANN401  see above
) -> None:
    with connect(db.dsn) as owner:
        found = owner.execute("select line_id from bill_line limit 1").fetchone()
    assert found is not None
    sign_in("bela")
    own = client.get(f"/billing/lines/{found[0]}/evidence.json")
    assert own.headers["content-type"] == "application/json"
    sign_in("bela", other_clinic)
    assert client.get(f"/billing/lines/{found[0]}/evidence.json").status_code == 404
    address = f"/billing/patients/{clinic.patients[0]}?month={last_month(judged)}"
    assert client.get(address).status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_billing_pages(
    desk: Any,  # noqa: ANN401  see above
    judged: datetime,
    clinic: Any,  # noqa: ANN401  see above
    theme: str,
) -> None:
    biller = desk("bela", theme=theme)
    name = last_month(judged)
    for address in (
        "/billing",
        f"/billing?month={name}&status=near",
        f"/billing/patients/{clinic.patients[0]}?month={name}",
        f"/billing/self-audit?month={name}",
    ):
        biller.page.goto(address)
        assert faults(biller.page) == [], address
    biller.page.locator("table a", has_text="to look at").first.click()
    assert faults(biller.page) == []
    assert biller.complaints == []


@pytest.mark.browser
def test_the_month_is_read_by_keyboard_and_fits_a_phone(
    desk: Any,  # noqa: ANN401  see above
    judged: datetime,
) -> None:
    biller = desk("bela")
    page = biller.page
    page.goto(f"/billing?month={last_month(judged)}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("#bill-table .bill-link").nth(1)
    expect(second).to_be_focused()
    name = second.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_contain_text("Billing")
    page.keyboard.press("]")
    expect(page.locator("h1")).to_contain_text(f"{judged:%B}")
    phone = desk("bela", size=(320, 640))
    for address in ("/billing", f"/billing?month={last_month(judged)}&status=blocked"):
        phone.page.goto(address)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 320
        assert phone.page.evaluate("document.querySelector('main').scrollWidth") <= 320
    assert biller.complaints + phone.complaints == []


@pytest.mark.browser
def test_what_is_missing_becomes_a_task_of_the_care_team(
    desk: Any,  # noqa: ANN401  see above
    judged: datetime,
    db: Any,  # noqa: ANN401  see above
) -> None:
    page = desk("bela").page
    page.goto(f"/billing?month={last_month(judged)}&status=blocked")
    row = page.locator("#bill-table tbody tr", has_text="Consent not on file").first
    row.get_by_role("button", name="Request").click()
    page.goto(f"/billing?month={last_month(judged)}&status=blocked")
    expect(page.locator("tr", has_text="Consent not on file").first).to_contain_text("Requested")
    with connect(db.dsn) as owner:
        titles = owner.execute("select title from task").fetchall()
    assert titles == [("Billing: obtain and record the patient's consent",)]


@pytest.mark.browser
def test_work_shows_progress_and_its_file_can_be_kept(
    desk: Any,  # noqa: ANN401  see above
    judged: datetime,
) -> None:
    biller = desk("bela")
    page = biller.page
    page.goto(f"/billing?month={last_month(judged)}")
    page.get_by_role("button", name="CSV", exact=True).click()
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    assert kept.value.suggested_filename == f"billing-{last_month(judged)}-draft.csv"
    assert kept.value.path().read_text().startswith("patient,code,units")
    assert biller.complaints == []


def test_bars_hold_their_threshold_mark() -> None:
    assert (gauge(8, 16, 30).fill, gauge(8, 16, 30).mark) == (26.7, 53.3)
    assert gauge(99, 16, 30).fill == 100
    assert gauge(None, 20, 40).reached is False
    assert gauge(20, 20, 40).reached is True


def test_months_and_their_words() -> None:
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    november, august = today.replace(day=1), today.replace(month=8, day=1)
    assert [f"{each:%b}" for each in months(november, today)] == ["Oct", "Nov"]
    assert [f"{each:%b}" for each in months(august, today)] == ["Jul", "Aug", "Sep", "Oct", "Nov"]
    assert how_long(november, today) == "Month to date, 8 days left."
    assert how_long(august, today) == "Over since 1 Sep."
