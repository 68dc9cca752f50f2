"""Alert rules: drafted, asked what-if, published by a second person, never edited afterwards."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from starlette.testclient import TestClient

from alerts import catalogue, process, replay_desk
from alerts.applicability import Level, Override
from alerts.rules import RuleError
from dashboards.permissions import Verb, may
from dashboards.rules import editing, standing, words
from dashboards.rules.publishing import Refusal, Signing, begins, ends, refusal
from tests.dashboards.conftest import Clinic, Db, SignIn

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
ADA, TESS, ID = UUID(int=1), UUID(int=2), UUID(int=3)
PRODUCT = catalogue.product()
SEVERE = PRODUCT.rule("bp_severe")


@pytest.mark.parametrize(
    ("rule_id", "text"),
    [
        ("bp_severe", "Blood pressure 180 mmHg systolic or more or 120 mmHg diastolic or more"),
        ("wt_1d", "Weight up 1.36 kg or more against the first reading of the day before."),
        ("wt_loss", "Weight down 2 kg or more against three days ago."),
        ("bp_above_goal_week", "over 7 days (at least 12 readings). At most one alert per 7 days."),
        ("phq9_item9", "PHQ-9 item 9 (self-harm) 1 or more. 2 or more: critical."),
        ("glu_very_high", "Glucose 400 mg/dL or more or above the meter's range."),
    ],
)
def test_a_rule_is_told_in_plain_words(rule_id: str, text: str) -> None:
    assert text in words.sentence(PRODUCT.rule(rule_id))


@pytest.mark.parametrize("rule", PRODUCT.rules, ids=lambda rule: rule.id)
def test_an_untouched_form_changes_nothing(rule: object) -> None:
    product = PRODUCT.rule(rule.id)  # type: ignore[attr-defined]  # pytest's parameter
    form = {entry.name: entry.value for entry in editing.entries(product, {})}
    assert editing.read(product, form) == {}
    assert words.sentence(product).endswith(".")
    assert "  " not in words.sentence(product)


def test_a_form_asks_for_the_changed_fields_only() -> None:
    form = {entry.name: entry.value for entry in editing.entries(SEVERE, {})}
    changes = editing.read(SEVERE, form | {"any-0": "170", "remeasure.wait": "10m"})
    assert changes == {"any": [{"sys": ">=170"}, {"dia": ">=120"}], "remeasure": {"wait": "10m"}}
    shown = {entry.name: (entry.value, entry.product) for entry in editing.entries(SEVERE, changes)}
    assert shown["any-0"] == ("170", "180")
    assert shown["remeasure.wait"] == ("10m", "5 min")
    assert words.differences(SEVERE, changes)[1] == "Measure again after: 10 min, was 5 min"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("any-0", "high", "no comparison"),
        ("within", "5 weeks", "no length of time"),
        ("n", "one", "no number"),
        ("n", "1", "at least 2"),
        ("severity", "S9", "Invalid"),
        ("any-0", "9" * 30, "too long"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(field: str, value: str, why: str) -> None:
    form = {entry.name: entry.value for entry in editing.entries(SEVERE, {})}
    with pytest.raises(RuleError, match=why):
        editing.read(SEVERE, form | {field: value})


def override(level: Level, changes: dict[str, object], *, days: int = -1) -> Override:
    return Override(
        id=ID,
        level=level,
        rule_id="bp_severe",
        changes=changes,
        disabled=False,
        effective_from=NOW + timedelta(days=days),
        expires_at=NOW + timedelta(days=90),
        programme="pace" if level is Level.PROGRAMME else None,
    )


def test_the_narrowest_level_stands_and_a_later_one_is_told() -> None:
    held = [
        override(Level.ORGANISATION, {"severity": "S3"}),
        override(Level.PROGRAMME, {"severity": "S1"}),
        override(Level.ORGANISATION, {"severity": "S4"}, days=5),
    ]

    def stands(programme: str | None) -> standing.Standing:
        found = standing.standings(PRODUCT, held, programme, NOW)
        return next(each for each in found if each.product.id == "bp_severe")

    assert (stands(None).rule.severity.word, stands(None).later) == ("medium", True)
    assert (stands("pace").rule.severity.word, stands("pace").level) == (
        "critical",
        Level.PROGRAMME,
    )
    assert stands("aco").level is Level.ORGANISATION
    assert standing.in_scope(held, None, NOW) == {"bp_severe": {"severity": "S3"}}
    assert standing.asked({}, {"bp_severe": {"severity": "S3"}}) == {"bp_severe": {}}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, None),
        ({"by": ADA}, Refusal.SAME_PERSON),
        ({"is_draft": False}, Refusal.NO_DRAFT),
        ({"is_changed": False}, Refusal.NOTHING),
        ({"is_current": False}, Refusal.OUTDATED),
        ({"has_what_if": False}, Refusal.NO_WHAT_IF),
        ({"reason": "  "}, Refusal.NO_REASON),
        ({"effective_from": NOW - timedelta(seconds=1)}, Refusal.PAST),
        ({"effective_from": NOW + timedelta(days=181)}, Refusal.TOO_FAR),
    ],
)
def test_who_may_publish_what(changed: dict[str, object], why: Refusal | None) -> None:
    fine: dict[str, object] = {
        "is_draft": True, "is_changed": True, "is_current": True, "has_what_if": True,
        "writers": {ADA}, "by": TESS, "reason": "Fewer false alarms", "effective_from": NOW,
    }  # fmt: skip
    assert refusal(Signing(**(fine | changed)), now=NOW) is why  # type: ignore[arg-type]  # a table


def test_a_version_begins_now_or_at_midnight_of_a_later_day() -> None:
    assert begins("2026-09-15", "America/New_York", NOW) == NOW
    later = begins("2026-09-16", "America/New_York", NOW)
    assert later == datetime(2026, 9, 16, 4, tzinfo=UTC)
    assert begins("soon", "UTC", NOW) is None
    assert ends("2026-09-15", "UTC", NOW) == datetime(2026, 9, 16, tzinfo=UTC)
    assert ends("2027-09-16", "UTC", NOW) is None
    assert ends("2026-09-14", "UTC", NOW) is None


def test_only_a_clinician_publishes() -> None:
    assert may("provider", Verb.PUBLISH_RULES)
    assert not may("administrator", Verb.PUBLISH_RULES)
    assert not may("nurse", Verb.DRAFT_RULES)


HTML = {"accept": "text/html"}


def drafted(client: TestClient, token: str) -> str:
    """Ada's draft with one change; its address."""
    made = client.post("/admin/rules/drafts", data={"csrf_token": token})
    assert made.status_code == 303, made.text
    address = made.headers["location"]
    form = {"csrf_token": token, "on": "on", "any-0": "92", "severity": "S2"}
    saved = client.post(f"{address}/rules/spo2_low", data=form)
    assert saved.status_code == 303, saved.text
    return address


def judged(db: Db) -> None:
    """An alert process answers the what-if question."""

    async def run() -> None:
        async with await process.connect(db.worker_dsn) as connection:
            assert await replay_desk.run_one(connection, db.worker_dsn, now=datetime.now(UTC))

    asyncio.run(run())


def test_a_draft_is_published_by_a_second_person_after_what_if(
    client: TestClient, sign_in: SignIn, db: Db, clinic: Clinic
) -> None:
    token = sign_in("ada")
    address = drafted(client, token)
    assert client.post("/admin/rules/drafts", data={"csrf_token": token}).status_code == 403
    assert (
        client.post(f"{address}/what-if", data={"csrf_token": token, "days": "30"}).status_code
        == 303
    )
    assert "Waiting for its turn" in client.get(f"{address}/what-if").text
    token = sign_in("tess")
    early = client.post(
        f"{address}/publish", data={"csrf_token": token, "reason": "x"}, headers=HTML
    )
    assert early.status_code == 422
    assert "Ask what-if first" in early.text
    judged(db)
    page = client.get(address, headers=HTML).text
    assert "Nurse minutes" in page
    assert "Would have been missed" in page
    done = client.post(f"{address}/publish", data={"csrf_token": token, "reason": "Earlier calls"})
    assert done.status_code == 303, done.text
    page = client.get("/admin/rules", headers=HTML).text
    assert "Version 1" in page
    assert "Earlier calls" in page
    with db.connect() as connection:
        row = connection.execute(
            "select o.level, o.changes, d.number, d.published_by = %s from rule_override o "
            "join rule_draft d on d.id = o.draft_id",
            (clinic.staff["tess"],),
        ).fetchone()
        change = {"any": [{"value": "<=92"}], "severity": "S2"}
        assert row == ("organisation", change, 1, True)
        for statement in ("update rule_draft set reason = 'x'", "delete from rule_override",
                          "update rule_override set changes = '{}'"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    form = {"csrf_token": token, "on": "off"}
    assert client.post(f"{address}/rules/spo2_low", data=form).status_code == 403


def test_whoever_wrote_part_of_a_draft_does_not_publish_it(
    client: TestClient, sign_in: SignIn
) -> None:
    address = drafted(client, sign_in("ada"))
    token = sign_in("tess")
    client.post(f"{address}/rules/bp_severe", data={"csrf_token": token, "on": "off"})
    told = client.post(
        f"{address}/publish", data={"csrf_token": token, "reason": "x"}, headers=HTML
    )
    assert "A second person publishes" in told.text
    token = sign_in("ada")
    refused = client.post(f"{address}/publish", data={"csrf_token": token, "reason": "x"})
    assert refused.status_code == 403


def test_the_next_version_replaces_the_one_before(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    for number, reason in enumerate(("First", "Second"), start=1):
        token = sign_in("ada")
        address = client.post("/admin/rules/drafts", data={"csrf_token": token}).headers["location"]
        form = {"csrf_token": token, "on": "on", "severity": f"S{number + 1}"}
        client.post(f"{address}/rules/spo2_low", data=form)
        client.post(f"{address}/what-if", data={"csrf_token": token, "sample": ""})
        judged(db)
        token = sign_in("tess")
        done = client.post(f"{address}/publish", data={"csrf_token": token, "reason": reason})
        assert done.status_code == 303, done.text
    with db.connect() as connection:
        rows = connection.execute(
            "select changes ->> 'severity', ended_at is null, expires_at > now() "
            "from rule_override order by set_at"
        ).fetchall()
    assert rows == [("S2", True, False), ("S3", True, True)]


def test_a_what_if_can_be_called_off(client: TestClient, sign_in: SignIn, db: Db) -> None:
    token = sign_in("ada")
    address = drafted(client, token)
    client.post(f"{address}/what-if", data={"csrf_token": token})
    assert client.post(f"{address}/what-if/cancel", data={"csrf_token": token}).status_code == 303
    assert "Called off" in client.get(f"{address}/what-if").text

    async def nothing_left() -> bool:
        async with await process.connect(db.worker_dsn) as connection:
            return await replay_desk.run_one(connection, db.worker_dsn, now=datetime.now(UTC))

    assert not asyncio.run(nothing_left())


def test_a_limit_of_one_patient_needs_a_reason_and_an_end(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    token = sign_in("tess")
    patient = clinic.patients[1]
    page = client.get(f"/patients/{patient}/limits", headers=HTML).text
    rule_id = re.findall(r"limits/rules/(\w+)", page)[0]
    address = f"/patients/{patient}/limits/rules/{rule_id}"
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    form = {"csrf_token": token, "on": "off"}
    for told, why in (({}, "Say why"), ({"reason": "Hospice"}, "until when"),
                      ({"reason": "x", "expires": "2099-01-01"}, "within a year")):  # fmt: skip
        answer = client.post(address, data=form | told, headers=HTML)
        assert (answer.status_code, why in answer.text) == (422, True)
    form |= {"reason": "Hospice", "expires": day}
    assert client.post(address, data=form).status_code == 303
    page = client.get(f"/patients/{patient}/limits", headers=HTML).text
    assert "Hospice" in page
    assert f'limits/rules/{rule_id}"' not in page.partition("Rules that judge")[2]
    ended = re.findall(r"(/patients/[\w-]+/limits/[\w-]+/end)", page)[0]
    assert client.post(ended, data={"csrf_token": token}).status_code == 303
    assert (
        "This patient has no limits of their own"
        in client.get(f"/patients/{patient}/limits", headers=HTML).text
    )
    assert client.post(ended, data={"csrf_token": token}).status_code == 404
    token = sign_in("maya")
    assert client.post(address, data=form | {"csrf_token": token}).status_code == 403
