"""What the other pages do: codes, search, identity, tasks, accounts, audit, live events."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from billing.pack import in_force
from billing.standing import Needed, needed
from dashboards.accounts import totp
from dashboards.live.hub import Hub
from dashboards.live.presence import Presence
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
RFC_SECRET = totp.secret_of(b"12345678901234567890")
HTML = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]
)
def test_codes_are_those_of_the_standard(seconds: float, code: str) -> None:
    assert totp.code(RFC_SECRET, seconds // 30) == code


def test_a_code_works_once_and_one_step_either_way() -> None:
    step = totp.step_of(NOON)
    now = totp.code(RFC_SECRET, step)
    assert totp.accepted(RFC_SECRET, f" {now[:3]} {now[3:]}", NOON, None) == step
    assert totp.accepted(RFC_SECRET, totp.code(RFC_SECRET, step - 1), NOON, None) == step - 1
    assert totp.accepted(RFC_SECRET, now, NOON, step) is None
    assert totp.accepted(RFC_SECRET, totp.code(RFC_SECRET, step + 3), NOON, None) is None


def post(client: TestClient, token: str, path: str, **form: str) -> Response:
    return client.post(path, data=form | {"csrf_token": token}, headers=HTML)


def test_with_codes_on_a_password_alone_opens_nothing(
    client: TestClient, sign_in: SignIn, clinic: Clinic, clock: Clock
) -> None:
    token = sign_in("maya")
    code = totp.code(RFC_SECRET, totp.step_of(clock()))
    assert post(client, token, "/account/code", secret=RFC_SECRET, code="000000").status_code == 422
    assert post(client, token, "/account/code", secret=RFC_SECRET, code=code).status_code == 303
    client.cookies.clear()
    form = {"email": clinic.address("maya"), "password": "correct horse battery", "next": "/tasks"}
    answer = client.post("/login", data=form)
    assert answer.headers["location"].startswith("/login/code")
    assert client.get("/worklist", headers=HTML).status_code == 303
    assert client.post("/login/code", data={"code": code, "next": "/tasks"}).status_code == 401
    clock.ahead += timedelta(seconds=60)
    fresh = totp.code(RFC_SECRET, totp.step_of(clock()))
    before = client.cookies["sid"]
    answer = client.post("/login/code", data={"code": fresh, "next": "/tasks"})
    assert answer.headers["location"] == "/tasks"
    assert client.cookies["sid"] != before
    assert client.get("/worklist", headers=HTML).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "names"),
    [("sample", 2), ("SAMPLETON, Yol", 2), ("004 8213", 1), ("1952-03-12", 1), ("03/12/1952", 1),
     ("555-0101", 1), ("%", 0), ("nobody", 0), ("x", 0)],
)  # fmt: skip
def test_finding_a_patient(client: TestClient, sign_in: SignIn, wanted: str, names: int) -> None:
    token = sign_in("maya")
    page = post(client, token, "/patients/search", wanted=wanted).text
    assert page.count('<th scope="row"><a href="/patients/') == names


def test_one_tap_gives_a_reading_to_its_owner_and_judges_again(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    token = sign_in("maya")
    assert "Blood pressure 140/85 mmHg" in client.get("/identity").text
    path = f"/identity/{clinic.quarantined}/release"
    answer = post(client, token, path, patient_id=str(clinic.patients[0]))
    assert answer.headers["location"] == "/identity?problem="
    with db.connect() as connection:
        stored = connection.execute(
            "select patient_id, value, diastolic from reading where reading_id = %s",
            (clinic.quarantined,),
        ).fetchone()
        queued = connection.execute("select count(*) from to_evaluate").fetchone()
        by = connection.execute(
            "select resolved_by from quarantine where id = %s", (clinic.quarantined,)
        ).fetchone()
    assert stored == (clinic.patients[0], 140.0, 85.0)
    assert queued != (0,)
    assert by == (clinic.staff["maya"],)
    assert "somebody was faster" in post(
        client, token, path, patient_id=str(clinic.patients[0])
    ).headers["location"].replace("+", " ")


def reading_of(db: Db, patient: UUID) -> UUID:
    with db.connect() as connection:
        found = connection.execute(
            "select reading_id from reading where patient_id = %s "
            "order by measured_at desc limit 1",
            (patient,),
        ).fetchone()
    assert found
    return UUID(str(found[0]))


def test_a_wrong_persons_reading_is_moved_and_both_are_judged_again(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    token = sign_in("maya")
    mine, theirs = clinic.patients[0], clinic.patients[3]
    reading = reading_of(db, mine)
    path = f"/patients/{mine}/readings/{reading}/correct"
    answer = post(client, token, path, owner=str(theirs), reason="Husband used the cuff")
    assert answer.headers["location"] == f"/patients/{mine}/readings"
    with db.connect() as connection:
        owner = connection.execute(
            "select patient_id from reading where reading_id = %s", (reading,)
        ).fetchone()
        judged = {row[0] for row in connection.execute("select patient_id from to_evaluate")}
    assert owner == (theirs,)
    assert judged == {mine, theirs}


def test_an_artefact_is_struck_not_deleted(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    token = sign_in("maya")
    reading = reading_of(db, clinic.patients[1])
    path = f"/patients/{clinic.patients[1]}/readings/{reading}/correct"
    assert "Say+why" in post(client, token, path, owner="", reason=" ").headers["location"]
    assert post(client, token, path, owner="", reason="Cold hand").status_code == 303
    page = client.get(f"/patients/{clinic.patients[1]}/readings").text
    assert 'class="struck"' in page
    with db.connect() as connection:
        assert connection.execute(
            "select status, %s = any(flags) from reading where reading_id = %s",
            ("artefact", reading),
        ).fetchone() == ("entered_in_error", True)


def test_tasks_and_messages(client: TestClient, sign_in: SignIn, clinic: Clinic) -> None:
    token, patient = sign_in("maya"), clinic.patients[1]
    answer = post(
        client,
        token,
        f"/patients/{patient}/tasks",
        title="Call back",
        due_on="2026-01-05",
        whose="me",
    )
    assert answer.status_code == 303
    page = client.get("/tasks").text
    assert "Call back" in page
    assert "Overdue" in page
    done = page.split('action="/tasks/')[1].split("/done")[0]
    assert post(client, token, f"/tasks/{done}/done").status_code == 303
    assert "Call back" not in client.get("/tasks").text
    post(client, token, f"/patients/{patient}/messages", body="Please measure <b>again</b>")
    assert "&lt;b&gt;again" in client.get(f"/patients/{patient}/messages").text
    assert "TESTERBY, Grace" in client.get("/messages").text


def test_a_task_is_on_the_overview_and_ticked_off_there_leads_back_to_the_record(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    token, record = sign_in("maya"), f"/patients/{clinic.patients[1]}"
    post(client, token, f"{record}/tasks", title="Call back", due_on="2026-01-05", whose="team")
    page = client.get(record).text
    assert "Call back" in page
    path = "/tasks/" + page.split('action="/tasks/')[1].split('"')[0]
    answer = post(client, token, path, back="record")
    assert answer.headers["location"] == f"{record}/tasks"
    assert "Call back" not in client.get(record).text


def test_the_month_on_the_overview_says_what_the_rules_in_force_ask_for(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("maya")
    rules = in_force(datetime.now(UTC).date())
    page = client.get(f"/patients/{clinic.patients[0]}").text
    assert f"days, {rules.parameters.high_tier[0]} needed" in page
    [base] = rules.of("rpm_mgmt", "base")
    assert f"of {base.minutes} min" in page


def test_a_month_that_no_rules_cover_asks_for_nothing() -> None:
    assert needed(date(1999, 1, 1)) == Needed(days=0, minutes=0)


def test_a_disabled_colleague_is_out_at_once(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("jonah")
    inside = client.cookies["sid"]
    token = sign_in("ada")
    assert post(client, token, f"/admin/users/{clinic.staff['ada']}/disable").status_code == 403
    assert post(client, token, f"/admin/users/{clinic.staff['jonah']}/disable").status_code == 303
    client.cookies.clear()
    old = HTML | {"cookie": f"sid={inside}"}
    assert client.get("/worklist", headers=old).status_code == 303


def test_adding_somebody(client: TestClient, sign_in: SignIn) -> None:
    token = sign_in("ada")
    form = {
        "email": "New@a.invalid", "display_name": "New Nurse", "role": "nurse",
        "password": "a long enough one", "credential": "RN",
    }  # fmt: skip
    assert post(client, token, "/admin/users", **form).headers["location"] == "/admin"
    again = post(client, token, "/admin/users", **form).headers["location"]
    assert "has+an+account" in again
    assert post(client, token, "/admin/users", **(form | {"password": "short"})).status_code == 422
    client.cookies.clear()
    entered = client.post(
        "/login", data={"email": "new@a.invalid", "password": "a long enough one"}
    )
    assert entered.headers["location"] == "/worklist"


def test_the_auditor_sees_who_saw_whom_and_that_the_chain_holds(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    sign_in("maya")
    client.get(f"/patients/{clinic.patients[1]}")
    sign_in("ivo")
    page = client.get(f"/audit?patient={clinic.patients[1]}").text
    assert "Maya Reyes" in page
    assert "Look" in page
    assert "rows fit the chain" in client.get("/audit/chain").text
    with db.connect() as connection:
        connection.execute("alter table audit disable trigger append_only")
        connection.execute("update audit set detail = '{\"x\": 1}' where action = 'look'")
    assert "do not fit the chain" in client.get("/audit/chain").text


def test_actions_answer_with_the_row_itself(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    token = sign_in("maya")
    headers = {"x-csrf-token": token, "hx-request": "true"}
    episode = clinic.episodes[1]

    def act(name: str, **form: str) -> Response:
        return client.post(f"/episodes/{episode}/{name}", data=form, headers=headers)

    assert f'hx-target="#e-{episode}"' in act("claim").text
    assert act("claim").status_code == 409
    assert act("note", note="Left a note").status_code == 200
    assert act("snooze", until="morning", reason="x").status_code == 409
    assert act("snooze", until="15m", reason="Measures again").status_code == 200
    assert act("escalate", reason="Worse").status_code == 200
    assert act("take-over", reason="").status_code == 409
    headers["x-csrf-token"] = sign_in("cora")
    taken = client.post(f"/episodes/{clinic.episodes[0]}/claim", headers=headers)
    assert taken.status_code == 409
    assert "Jonah Kim has SAMPLETON, Yolanda already" in taken.text


def test_several_are_claimed_with_one_click(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    headers = {"x-csrf-token": sign_in("maya"), "hx-request": "true"}
    ids = [str(each) for each in clinic.episodes[:3]]
    answer = client.post("/worklist/bulk/claim", data={"ids": ids}, headers=headers)
    assert "Claimed 2. 1 refused" in answer.text
    assert client.post("/worklist/bulk/claim", data={}, headers=headers).status_code == 403
    asked = client.get("/worklist/bulk/snooze", params={"ids": ids}, headers=headers)
    assert "At most 30 minutes" in asked.text


def test_metrics_carry_patterns_not_ids(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("maya")
    client.get(f"/patients/{clinic.patients[0]}")
    text = client.get("/metrics").text
    assert 'route="/patients/{patient_id}"' in text
    assert str(clinic.patients[0]) not in text


def hub() -> Hub:
    return Hub("", lambda: NOON)


def told(organisation: UUID, *, new: bool = False, severity: int = 2) -> str:
    return (
        f'{{"episode": "{uuid4()}", "organisation": "{organisation}", '
        f'"severity": {severity}, "new": {str(new).lower()}, "version": 2}}'
    )


async def test_events_reach_their_organisation_only_and_are_gathered() -> None:
    made, ours, theirs = hub(), uuid4(), uuid4()
    async with made.subscribed(ours) as mine, made.subscribed(theirs) as others:
        made.hear(told(ours))
        made.hear(told(ours))
        made.hear(told(ours, new=True, severity=1))
        made.flush()
        names = [mine.get_nowait() for _ in range(mine.qsize())]
        assert [event.name for event in names] == ["new", "rows"]
        assert len(names[1].data["ids"]) == 2
        assert others.empty()


async def test_whoever_comes_back_hears_what_was_missed_or_reloads() -> None:
    made, ours = hub(), uuid4()
    made.publish("rows", {"ids": []}, to=ours)
    made.publish("rows", {"ids": []}, to=uuid4())
    made.publish("rows", {"ids": []}, to=ours)
    assert [e.number for e in made.missed(ours, f"{made.boot}-1")] == [3]
    for unknown in ("", "old-1", f"{made.boot}-99", "x"):
        assert [e.name for e in made.missed(ours, unknown)] == ["resync"]


async def test_a_slow_browser_is_told_to_reload_instead_of_blocking_others() -> None:
    made, ours = hub(), uuid4()
    async with made.subscribed(ours) as slow:
        for _ in range(200):
            made.publish("rows", {"ids": []}, to=ours)
        assert slow.qsize() <= 64
        assert "resync" in [slow.get_nowait().name for _ in range(slow.qsize())]


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"episode": 1}', '{"organisation": "x"}'])
async def test_an_unreadable_notification_makes_everybody_reload(payload: str) -> None:
    made = hub()
    async with made.subscribed(uuid4()) as queue:
        made.hear(payload)
        assert queue.get_nowait().name == "resync"
    await asyncio.sleep(0)


def test_presence_is_forgotten_by_itself() -> None:
    presence, episode, other = Presence(), uuid4(), uuid4()
    maya, jonah = uuid4(), uuid4()
    assert presence.beat(episode, maya, "Maya", NOON)
    assert not presence.beat(episode, maya, "Maya", NOON + timedelta(seconds=5))
    assert presence.beat(episode, jonah, "Jonah", NOON + timedelta(seconds=6))
    assert presence.viewers(episode, NOON + timedelta(seconds=7)) == ["Jonah", "Maya"]
    presence.beat(other, maya, "Maya", NOON + timedelta(seconds=8))
    assert presence.viewers(episode, NOON + timedelta(seconds=9)) == ["Jonah"]
    assert presence.viewers(episode, NOON + timedelta(seconds=60)) == []
