"""Timers on a real database, with the clock moved by argument."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from alerts import absence_store, escalation, notify, pages, process, queue, scheduler
from alerts.delivery import Address, Message
from alerts.pages import Acknowledged
from alerts.senders import Sent
from tests.alerts.conftest import Clinic
from tests.alerts.test_queue import Desk

DENVER = ZoneInfo("America/Denver")
SUNDAY_NIGHT = datetime(2026, 9, 20, 2, tzinfo=DENVER)
POLICY = escalation.product_policy()


def on_call(clinic: Clinic) -> dict[str, UUID]:
    """A rota with one person per duty, each with a push, an sms and a voice address."""
    rota = clinic.one(
        "insert into rota (organisation_id, name, time_zone) values (%s, 'Triage',"
        " 'America/Denver') returning id",
        clinic.organisation,
    )
    people: dict[str, UUID] = {}
    for duty, role in (
        ("primary_on_call", "nurse"),
        ("secondary_on_call", "nurse"),
        ("charge_nurse", "nurse"),
        ("supervising_provider", "provider"),
        ("medical_director", "provider"),
    ):
        people[duty] = clinic.staff(duty, role).staff_id
        clinic.run(
            "insert into rota_layer (organisation_id, rota_id, duty, members, starts_at)"
            " values (%s, %s, %s, %s, '2026-01-05 08:00')",
            clinic.organisation,
            rota,
            duty,
            [people[duty]],
        )
        for place, channel in enumerate(("push", "sms", "voice")):
            address(clinic, people[duty], channel, f"{channel}:{duty}", place)
    return people


def address(clinic: Clinic, staff: UUID | None, channel: str, where: str, place: int = 1) -> None:
    clinic.run(
        "insert into contact_channel (organisation_id, staff_id, channel, address, position)"
        " values (%s, %s, %s, %s, %s)",
        clinic.organisation,
        staff,
        channel,
        where,
        place,
    )


class Outbox:
    """Takes messages instead of the world; some addresses may be down."""

    def __init__(self, *down: str) -> None:
        self.down = down
        self.taken: list[tuple[str, Message]] = []

    async def send(self, address: Address, message: Message, _: datetime) -> Sent:
        if address.address in self.down or address.channel in self.down:
            return Sent(ok=False, detail="down")
        self.taken.append((address.address, message))
        return Sent(ok=True)

    @property
    def outside(self) -> notify.Outside:
        return notify.Outside(send=self.send, link="https://tidings.example")


async def minute_by_minute(
    clinic: Clinic, outbox: Outbox, start: datetime, minutes: Sequence[int]
) -> list[tuple[int, str]]:
    """Run scheduler and delivery at these minutes; return what went out when."""
    found: list[tuple[int, str]] = []
    async with await process.connect(clinic.worker_dsn) as connection:
        for minute in minutes:
            now = start + timedelta(minutes=minute)
            await scheduler.tick(connection, POLICY, now=now, slow=False)
            before = len(outbox.taken)
            await notify.deliver_due(connection, outbox.outside, now=now)
            found += [(minute, where) for where, _ in outbox.taken[before:]]
    return found


async def critical(clinic: Clinic, at: datetime) -> UUID:
    patient = clinic.patient("adult_dm")
    clinic.reading(patient, "glucose", 50, at)
    await clinic.judge(at)
    return clinic.episode(patient)


async def test_nobody_acknowledges_a_critical_alert_at_two_on_a_sunday_night(
    clinic: Clinic,
) -> None:
    on_call(clinic)
    outbox = Outbox()
    await critical(clinic, SUNDAY_NIGHT)
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(32)) == [
        (0, "push:primary_on_call"),
        (5, "voice:primary_on_call"),
        (10, "push:secondary_on_call"),
        (20, "voice:supervising_provider"),
        (30, "voice:medical_director"),
    ]
    attempts = clinic.ask("select outcome, ended_at is not null from delivery_attempt")
    assert attempts == [("accepted", True)] * 5
    record = clinic.ask("select reason from alert_event where action = 'page' order by id")
    assert [row[0] for row in record] == [
        "primary_on_call",
        "primary_on_call",
        "secondary_on_call",
        "supervising_provider",
        "medical_director",
    ]


async def test_a_message_says_nothing_about_the_patient(clinic: Clinic) -> None:
    on_call(clinic)
    outbox = Outbox()
    await critical(clinic, SUNDAY_NIGHT)
    await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0])
    ((_, message),) = outbox.taken
    token, code = clinic.ask("select token, reply_code from page")[0]
    assert message.text == (
        f"Tidings: a critical alert is waiting (ref {str(message.page_id)[:8]})."
        f" Open https://tidings.example/page/{token} or reply {code} to take it."
    )
    for secret in ("TEST", "Synthetic", "Glucose", "50"):
        assert secret not in message.text.replace(token, "").replace(code, "").replace(
            str(message.page_id)[:8], ""
        )


async def test_after_two_failures_the_next_channel_is_tried(clinic: Clinic) -> None:
    on_call(clinic)
    outbox = Outbox("push")
    await critical(clinic, SUNDAY_NIGHT)
    start = SUNDAY_NIGHT
    assert await minute_by_minute(clinic, outbox, start, [0, 1, 2]) == [(2, "sms:primary_on_call")]
    tries = clinic.ask(
        "select split_part(channel, ':', 1), outcome from delivery_attempt order by started_at"
    )
    assert tries == [("push", "failed"), ("push", "failed"), ("sms", "accepted")]


async def test_when_no_channel_works_the_last_resort_is_tried_and_operations_know(
    clinic: Clinic,
) -> None:
    on_call(clinic)
    address(clinic, None, "webhook", "https://answering.example")
    outbox = Outbox("push", "sms", "voice")
    await critical(clinic, SUNDAY_NIGHT)
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(8))
    assert found[0][1] == "https://answering.example"
    assert clinic.ask("select rule_id, severity, queue from incident where closed_at is null") == [
        ("notify_undelivered", 1, "ops")
    ]


async def test_with_nobody_on_duty_the_last_resort_is_paged_at_once(clinic: Clinic) -> None:
    address(clinic, None, "webhook", "https://answering.example")
    outbox = Outbox()
    await critical(clinic, SUNDAY_NIGHT)
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0])
    assert found == [(0, "https://answering.example")]
    reason = clinic.one("select reason from alert_event where action = 'page'")
    assert reason == "primary_on_call, nobody on duty: last resort"


async def test_with_no_way_out_at_all_the_page_stays_due_and_operations_know(
    clinic: Clinic,
) -> None:
    outbox = Outbox()
    await critical(clinic, SUNDAY_NIGHT)
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0, 1]) == []
    assert clinic.one("select count(*) from incident where rule_id = 'notify_undelivered'") == 1
    assert clinic.one("select state from page limit 1") == "undelivered"
    address(clinic, None, "webhook", "https://answering.example")
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [2])


async def test_a_claim_ends_paging(clinic: Clinic) -> None:
    on_call(clinic)
    outbox = Outbox()
    id_ = await critical(clinic, SUNDAY_NIGHT)
    await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0])
    now = SUNDAY_NIGHT + timedelta(minutes=3)
    await Desk(clinic).do(queue.claim, id_, clinic.staff("ann"), now=now)
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(4, 20)) == []


@pytest.mark.parametrize("by", ["link", "reply"])
async def test_a_page_is_acknowledged_by_its_link_or_its_code(clinic: Clinic, by: str) -> None:
    people = on_call(clinic)
    outbox = Outbox()
    id_ = await critical(clinic, SUNDAY_NIGHT)
    await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0, 5])
    token, code = clinic.ask("select token, reply_code from page order by created_at desc")[0]
    now = SUNDAY_NIGHT + timedelta(minutes=6)
    dsn = clinic.web_dsn if by == "link" else clinic.worker_dsn
    async with await process.connect(dsn) as connection, connection.transaction():
        if by == "link":
            assert await pages.acknowledge(connection, "wrong", "link", now=now) is (
                Acknowledged.UNKNOWN
            )
            done = await pages.acknowledge(connection, token, "link", now=now)
        else:
            who = people["primary_on_call"]
            done = await pages.acknowledge_by_code(connection, who, f" {code}", now=now)
    assert done is Acknowledged.YOURS
    owner = clinic.one("select owner_id from episode where id = %s", id_)
    assert owner == people["primary_on_call"]
    assert clinic.one("select count(*) from page where state = 'acknowledged'") == 1
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(7, 26)) == []


async def test_a_page_is_repeated_until_somebody_acknowledges(clinic: Clinic) -> None:
    on_call(clinic)
    outbox = Outbox()
    await critical(clinic, SUNDAY_NIGHT)
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(0, 61, 5))
    assert [where for minute, where in found if minute > 30] == [
        "push:primary_on_call",
        "voice:medical_director",
    ] * 3


async def test_an_urgent_line_left_alone_for_twenty_minutes_goes_back_and_pages_again(
    clinic: Clinic,
) -> None:
    on_call(clinic)
    outbox = Outbox()
    id_ = await critical(clinic, SUNDAY_NIGHT)
    await Desk(clinic).do(queue.claim, id_, clinic.staff("ann"), now=SUNDAY_NIGHT)
    assert await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(20)) == []
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(20, 24))
    assert found == [(20, "push:primary_on_call")]
    assert clinic.one("select owner_id from episode where id = %s", id_) is None
    assert clinic.one("select count(*) from alert_event where action = 'lease_expired'") == 1


async def test_a_snooze_that_runs_out_brings_the_line_and_its_clock_back(clinic: Clinic) -> None:
    on_call(clinic)
    outbox = Outbox()
    id_ = await critical(clinic, SUNDAY_NIGHT)
    until = SUNDAY_NIGHT + timedelta(minutes=30)
    await Desk(clinic).do(queue.snooze, id_, clinic.staff("ann"), until, "eating", now=SUNDAY_NIGHT)
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, range(32))
    assert found == [(30, "push:primary_on_call")]
    assert clinic.one("select snoozed_until from episode where id = %s", id_) is None


async def test_without_a_second_measurement_the_unconfirmed_branch_fires_by_itself(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("adult_htn")
    clinic.bp(patient, 190, 100, noon)
    await clinic.judge(noon)
    assert clinic.alerts(patient) == []
    async with await process.connect(clinic.worker_dsn) as connection:
        for minute in (14, 15):
            now = noon + timedelta(minutes=minute)
            await scheduler.tick(connection, POLICY, now=now, slow=False)
            await clinic.judge(now)
            assert len(clinic.alerts(patient)) == (minute == 15)
    assert clinic.one("select state from remeasure_request where rule_id = 'bp_severe'") == (
        "unanswered"
    )


async def test_a_silent_scheduler_raises_an_alarm_itself(clinic: Clinic, noon: datetime) -> None:
    address(clinic, None, "webhook", "https://answering.example")
    outbox = Outbox()
    async with await process.connect(clinic.worker_dsn) as connection:
        await scheduler.beat(connection, now=noon)
        assert not await scheduler.watch(connection, now=noon + timedelta(minutes=3))
        later = noon + timedelta(minutes=4)
        assert await scheduler.watch(connection, now=later)
        assert await scheduler.watch(connection, now=later)
        await notify.deliver_due(connection, outbox.outside, now=later)
        assert [where for where, _ in outbox.taken] == ["https://answering.example"]
        await scheduler.beat(connection, now=later)
        assert not await scheduler.watch(connection, now=later)
    assert clinic.ask("select rule_id, close_reason from incident") == [
        ("scheduler_silent", "it beats again")
    ]


async def test_a_timer_that_fails_stops_the_heartbeat_until_it_runs_again(
    clinic: Clinic, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> int:
        raise ValueError("a rota nobody can read")

    async with await process.connect(clinic.worker_dsn) as connection:
        for module, name in ((absence_store, "check"), (pages, "escalate_due")):
            clinic.run("delete from heartbeat")
            with monkeypatch.context() as patch:
                patch.setattr(module, name, broken, raising=True)
                broken.__module__, broken.__name__ = module.__name__, name
                failed = await scheduler.tick(connection, POLICY, now=noon)
                assert failed.failed
                assert clinic.one("select count(*) from heartbeat") == 0
            again = await scheduler.tick(connection, POLICY, now=noon, before=failed)
            assert again.failed == ()
            assert clinic.one("select count(*) from heartbeat") == 1


async def test_a_failed_absence_check_is_not_forgotten_between_its_turns(
    clinic: Clinic, noon: datetime
) -> None:
    failed = scheduler.Ticked(failed=(scheduler.ABSENCE,))
    async with await process.connect(clinic.worker_dsn) as connection:
        await scheduler.tick(connection, POLICY, now=noon, slow=False, before=failed)
        assert clinic.one("select count(*) from heartbeat") == 0
        await scheduler.tick(connection, POLICY, now=noon, slow=True, before=failed)
        assert clinic.one("select count(*) from heartbeat") == 1


async def test_of_several_processes_one_leads_until_it_dies(clinic: Clinic) -> None:
    async with await process.connect(clinic.worker_dsn) as first:
        assert await scheduler.lead(first)
        async with await process.connect(clinic.worker_dsn) as second:
            assert not await scheduler.lead(second)
            await first.close()
            while not await scheduler.lead(second):
                pass
