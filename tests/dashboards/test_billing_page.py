"""The billing month in a real browser, and through the routes behind it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from playwright.sync_api import expect
from starlette.testclient import TestClient

from billing import closing, files
from billing.store import Key
from database.pool import connect
from deploy.demo import paperwork
from tests.dashboards.axe import faults
from tests.dashboards.conftest import Clinic, Clock, Db, OpenDesk, SignIn


@pytest.fixture
def judged(db: Db, clinic: Clinic, clock: Clock) -> datetime:
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
    client: TestClient,
    sign_in: SignIn,
    who: str,
    status: int,
) -> None:
    sign_in(who)
    assert client.get("/billing").status_code == status
    assert client.get("/billing/self-audit").status_code == status


def test_every_patient_is_on_exactly_one_page(
    client: TestClient,
    sign_in: SignIn,
    db: Db,
    clinic: Clinic,
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
    client: TestClient,
    sign_in: SignIn,
    judged: datetime,
    db: Db,
    clinic: Clinic,
    other_clinic: Clinic,
) -> None:
    (line,) = one(db, "select line_id from bill_line limit 1")
    sign_in("bela")
    own = client.get(f"/billing/lines/{line}/evidence.json")
    assert own.headers["content-type"] == "application/json"
    sign_in("bela", other_clinic)
    assert client.get(f"/billing/lines/{line}/evidence.json").status_code == 404
    address = f"/billing/patients/{clinic.patients[0]}?month={last_month(judged)}"
    assert client.get(address).status_code == 404


@pytest.mark.browser
def test_axe_finds_nothing_on_the_billing_pages(
    desk: OpenDesk,
    judged: datetime,
    clinic: Clinic,
) -> None:
    biller = desk("bela")
    name = last_month(judged)
    for address in (
        "/billing",
        f"/billing?month={name}&status=near",
        f"/billing/patients/{clinic.patients[0]}?month={name}",
        f"/billing/patients/{clinic.patients[0]}/papers?month={name}",
        f"/billing/self-audit?month={name}",
    ):
        biller.page.goto(address)
        assert faults(biller.page) == [], address
    biller.page.locator("table a", has_text="to look at").first.click()
    assert faults(biller.page) == []
    assert biller.complaints == []


@pytest.mark.browser
def test_the_month_is_read_by_keyboard_and_fits_a_phone(
    desk: OpenDesk,
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
    desk: OpenDesk,
    judged: datetime,
    db: Db,
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
    desk: OpenDesk,
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


def kept(client: TestClient, patient: UUID, kind: str, /, **filled: str) -> Response:
    month = filled.pop("month")
    address = f"/billing/patients/{patient}/papers/{kind}?month={month}"
    return client.post(address, data=filled, follow_redirects=False)


def one(db: Db, query: str, *values: object) -> Any:  # noqa: ANN401  a row's columns
    with db.connect() as owner:
        found = owner.execute(query.encode(), values).fetchone()
    assert found is not None
    return found


def gate(db: Db, patient: UUID) -> str:
    query = "select blocked from billing_patient where patient_id = %s and first = '2026-10-01'"
    (found,) = one(db, query, patient)
    return str(found)


def blocked(db: Db, by: str) -> UUID:
    query = "select patient_id from billing_patient where blocked = %s and first = '2026-10-01'"
    (found,) = one(db, query, by)
    return UUID(str(found))


PAPERS = {
    "consent": {
        "program": "RPM",
        "at": "2026-10-01T09:00",
        "method": "verbal_documented",
        "cost_share_told": "true",
        "one_practitioner_told": "true",
    },
    "order": {
        "program": "RPM",
        "at": "2026-10-01T09:00",
        "ordering_npi": "1245319599",
        "icd10": "i10, E11.9",
    },
}


@pytest.mark.parametrize("kind", ["consent", "order"])
def test_a_recorded_paper_unblocks_the_month_at_once(
    client: TestClient,
    sign_in: SignIn,
    judged: datetime,
    db: Db,
    kind: str,
) -> None:
    patient, month = blocked(db, kind), last_month(judged)
    csrf = sign_in("bela")
    page = client.get(f"/billing?month={month}&status=blocked").text
    assert f"/billing/patients/{patient}/papers?month={month}#{kind}" in page
    answer = kept(client, patient, kind, month=month, csrf_token=csrf, **PAPERS[kind])
    assert answer.status_code == 303
    assert gate(db, patient) != kind
    with connect(db.dsn) as owner:
        trail = owner.execute(
            "select action, actor, detail ->> 'program' from audit where object_kind = %s"
            " and patient_id = %s and action = 'change'",
            (kind, patient),
        ).fetchall()
    assert [(action, program) for action, _, program in trail] == [("change", "RPM")]
    assert trail[0][1].startswith("staff:")
    assert "recorded by" in client.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    ("kind", "wrong", "status"),
    [
        ("consent", {"at": "2027-10-01T09:00"}, 303),
        ("consent", {"method": "implied"}, 422),
        ("order", {"ordering_npi": "1245319590"}, 422),
        ("order", {"icd10": "hypertension"}, 422),
    ],
    ids=["future", "no method", "mistyped NPI", "no diagnosis"],
)
def test_a_wrong_paper_changes_nothing(  # noqa: PLR0917  fixtures
    client: TestClient,
    sign_in: SignIn,
    judged: datetime,
    db: Db,
    kind: str,
    wrong: dict[str, str],
    status: int,
) -> None:
    patient = blocked(db, kind)
    csrf = sign_in("maya")
    filled = PAPERS[kind] | wrong
    answer = kept(client, patient, kind, month=last_month(judged), csrf_token=csrf, **filled)
    assert answer.status_code == status
    assert "FUTURE" in answer.headers.get("location", "FUTURE")
    assert gate(db, patient) == kind


def test_papers_are_for_who_documents_or_bills(
    client: TestClient,
    sign_in: SignIn,
    clinic: Clinic,
    other_clinic: Clinic,
) -> None:
    address = f"/billing/patients/{clinic.patients[0]}/papers"
    for who, status in (("maya", 200), ("bela", 200), ("ada", 403)):
        sign_in(who)
        assert client.get(address).status_code == status, who
    sign_in("bela", other_clinic)
    assert client.get(address).status_code == 404


def test_what_the_practice_states_is_judged_and_the_newest_holds(
    client: TestClient, sign_in: SignIn, judged: datetime, db: Db, clinic: Clinic
) -> None:
    month, csrf, patient = last_month(judged), sign_in("maya"), clinic.patients[0]
    told = {"month": month, "csrf_token": csrf}

    def state(name: str, on: str, **value: str) -> object:
        kept(client, patient, "statement", **told, name=name, on=on, **value)
        query = "select facts from billing_patient where patient_id = %s and first = '2026-10-01'"
        return one(db, query, patient)[0]

    assert dict(state("comprehensive_care_plan", "2026-10-03"))["ccm"] == {
        "comprehensive_care_plan": True
    }
    later = dict(state("comprehensive_care_plan", "2026-10-09", value="no"))
    assert later["ccm"] == {"comprehensive_care_plan": False}
    assessed = dict(state("assessment", "2026-10-12", value="nutrition"))["assessment"]
    assert (assessed["on"], assessed["kind"]) == ("2026-10-12", "nutrition")
    page = client.get(f"/billing/patients/{patient}/papers?month={month}").text
    assert "Comprehensive care plan is on file" in page
    assert "Nutrition" in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("assessment", "weather"),
        ("qmb", "perhaps"),
        ("apcm_behavioural", "yes"),
        ("surgical_global", "2026-10-01"),
        ("surgical_global", "soon"),
        ("liked", "yes"),
    ],
)
def test_a_statement_that_no_rule_knows_is_refused(  # noqa: PLR0917  fixtures
    client: TestClient, sign_in: SignIn, db: Db, clinic: Clinic, name: str, value: str
) -> None:
    told = {"month": "2026-10", "csrf_token": sign_in("maya"), "on": "2026-10-05"}
    answer = kept(client, clinic.patients[0], "statement", **told, name=name, value=value)
    assert answer.status_code == 422
    assert one(db, "select count(*) from care_fact") == (0,)


def test_education_a_visit_a_withdrawal_and_a_label_are_kept(
    client: TestClient,
    sign_in: SignIn,
    judged: datetime,
    db: Db,
    clinic: Clinic,
) -> None:
    month, csrf = last_month(judged), sign_in("maya")
    patient, device, consent = one(
        db,
        "select a.patient_id, a.device_id, c.id from device_assignment a"
        " join consent c using (patient_id) where a.organisation_id = %s limit 1",
        clinic.id,
    )
    told = {"month": month, "csrf_token": csrf}
    note = "Showed how to put on the cuff"
    day = {"started_on": "2026-10-01", "education_on": "2026-10-02", "note": note}
    assert kept(client, patient, "education", **told, **day).status_code == 303
    assert kept(client, patient, "visit", **told, kind="em", on="2026-10-03").status_code == 303
    gone = {"consent_id": str(consent), "at": "2026-11-20T09:00"}
    assert kept(client, patient, "withdrawal", **told, **gone).status_code == 303
    label = {"device_id": device, "make": "Acme", "udi": "(01)00844588003288", "listed": "no"}
    assert kept(client, patient, "device", **told, **label).status_code == 303
    page = client.get(f"/billing/patients/{patient}/papers?month={month}").text
    assert all(each in page for each in (note, "Evaluation and management", "Withdrawn", "Acme"))
    query = "select facts -> 'devices' from billing_patient where patient_id = %s and first = %s"
    (devices,) = one(db, query, patient, "2026-10-01")
    assert {each["fda_listed"] for each in devices if each["id"] == device} == {False}


def test_an_answer_typed_in_stands_beside_its_line(
    client: TestClient,
    sign_in: SignIn,
    judged: datetime,
    db: Db,
    clinic: Clinic,
) -> None:
    month, csrf = last_month(judged), sign_in("bela")
    key = Key(organisation=clinic.id, first=datetime.strptime(month, "%Y-%m").date())
    with connect(db.worker_dsn, autocommit=True) as worker:
        closing.review(worker, key, by="staff:one", now=judged)
        closing.sign_off(worker, key, by="staff:two", now=judged)
        closing.lock(worker, key, by="staff:two", now=judged)
        files.make(worker, key, files.Format.CSV, by="staff:one", now=judged)
        line, patient, code = worker.execute(
            "select line_id, patient_id, code from bill_line where first = %s and current limit 1",
            (key.first,),
        ).fetchone() or ("", "", "")
    told = {"code": code, "patient": str(patient), "answered_on": "2026-11-20"}
    filled = told | {"charged": "60.00", "paid": "47.50", "reasons": "CO-45", "csrf_token": csrf}
    address = f"/billing/{month}/lines/{line}/answer"
    for name, value, problem in (("charged", "a lot", "AMOUNT"), ("code", "99999", "STRAY")):
        answer = client.post(address, data=filled | {name: value}, follow_redirects=False)
        assert problem in answer.headers["location"]
    assert client.post(address, data=filled, follow_redirects=False).status_code == 303
    page = client.get(f"/billing/patients/{patient}?month={month}").text
    assert "Paid in part 47.50 (CO-45)" in page
    assert "Answered" in client.get(f"/billing?month={month}").text
