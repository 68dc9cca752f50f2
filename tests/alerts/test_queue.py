"""What staff do with an episode, as the web role under row-level security."""

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from alerts import process, queue
from alerts.closing import Action, ClosingForm, Contact
from alerts.lifecycle import Actor, Episode, Outcome, Refusal
from tests.alerts.conftest import Clinic

CALLED = Contact(mode="audio", who="patient", result="reached")
FORM = ClosingForm(action=Action.EDUCATION, note="Spoke with her", contacts=(CALLED,))


class Desk:
    """A connection of the web role for one organisation, one transaction per call."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic

    async def do(self, operation: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # any operation
        opening = process.connect(self.clinic.web_dsn)
        async with await opening as connection, connection.transaction():
            await connection.execute(
                "select set_config('tidings.organisation', %s, true)",
                (str(self.clinic.organisation),),
            )
            return await operation(connection, *args, **more)


async def low_glucose(clinic: Clinic, value: float = 60) -> UUID:
    patient = clinic.patient("adult_dm")
    clinic.reading(patient, "glucose", value, clinic.now)
    await clinic.judge()
    return clinic.episode(patient)


def episode(outcome: Outcome) -> Episode:
    assert isinstance(outcome, Episode), outcome
    return outcome


async def test_claim_gives_it_to_one_person_for_twenty_minutes(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk = await low_glucose(clinic), Desk(clinic)
    ann, ben = clinic.staff("ann"), clinic.staff("ben")
    got = episode(await desk.do(queue.claim, id_, ann, now=noon))
    assert (got.owner_id, got.lease_until) == (ann.staff_id, noon + timedelta(minutes=20))
    assert await desk.do(queue.claim, id_, ben, now=noon) is Refusal.TAKEN
    later = noon + timedelta(minutes=21)
    assert episode(await desk.do(queue.claim, id_, ben, now=later)).owner_id == ben.staff_id
    assert clinic.one("select count(*) from audit where object_kind = 'episode'") == 3


async def test_of_eight_people_who_claim_at_once_one_gets_it(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk = await low_glucose(clinic), Desk(clinic)
    people = [clinic.staff(f"nurse{n}") for n in range(8)]
    found = await asyncio.gather(*(desk.do(queue.claim, id_, p, now=noon) for p in people))
    assert sum(isinstance(each, Episode) for each in found) == 1
    assert found.count(Refusal.TAKEN) == 7


async def test_take_next_serves_the_most_pressing_and_never_one_twice(
    clinic: Clinic, noon: datetime
) -> None:
    low, critical = await low_glucose(clinic), await low_glucose(clinic, 50)
    desk = Desk(clinic)
    ann, ben = clinic.staff("ann"), clinic.staff("ben")

    async def next_for(person: Actor) -> Any:  # noqa: ANN401  # an outcome
        return await desk.do(queue.take_next, person, ["rn_triage"], now=noon)

    assert episode(await next_for(ann)).id == critical
    assert episode(await next_for(ben)).id == low
    assert await next_for(ann) is Refusal.NOT_FOUND


async def test_take_over_needs_a_reason_and_says_who_lost_it(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk = await low_glucose(clinic), Desk(clinic)
    ann, ben = clinic.staff("ann"), clinic.staff("ben")
    await desk.do(queue.claim, id_, ann, now=noon)
    assert await desk.do(queue.take_over, id_, ben, " ", now=noon) is Refusal.REASON_NEEDED
    assert episode(await desk.do(queue.take_over, id_, ben, "ann is off", now=noon)).owner_id
    detail = clinic.one("select detail from alert_event where action = 'take_over'")
    assert detail["before"]["owner_id"] == str(ann.staff_id)


async def test_a_snooze_is_bounded_by_its_severity(clinic: Clinic, noon: datetime) -> None:
    id_, desk, ann = await low_glucose(clinic), Desk(clinic), clinic.staff("ann")
    too_long = noon + timedelta(hours=4, seconds=1)
    assert await desk.do(queue.snooze, id_, ann, too_long, "x", now=noon) is Refusal.TOO_LONG
    until = noon + timedelta(hours=4)
    assert await desk.do(queue.snooze, id_, ann, until, "", now=noon) is Refusal.REASON_NEEDED
    got = episode(await desk.do(queue.snooze, id_, ann, until, "called her", now=noon))
    assert (got.snoozed_until, got.snoozed_kinds) == (until, ("glucose",))
    assert episode(await desk.do(queue.unsnooze, id_, ann, now=noon)).snoozed_until is None


async def test_a_snooze_is_not_undone_by_an_equal_reading_and_always_broken_by_a_worse_one(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("adult_dm")
    clinic.reading(patient, "glucose", 60, noon)
    await clinic.judge()
    id_, desk, ann = clinic.episode(patient), Desk(clinic), clinic.staff("ann")
    await desk.do(queue.snooze, id_, ann, noon + timedelta(hours=2), "eating", now=noon)
    clinic.reading(patient, "glucose", 61, noon + timedelta(minutes=5))
    await clinic.judge(noon + timedelta(minutes=5))
    assert clinic.one("select snoozed_until from episode where id = %s", id_) is not None
    clinic.reading(patient, "glucose", 50, noon + timedelta(minutes=10))
    await clinic.judge(noon + timedelta(minutes=10))
    assert clinic.ask("select snoozed_until, severity from episode where id = %s", id_) == [
        (None, 1)
    ]


async def test_resolve_closes_with_a_form_and_keeps_it_with_every_alert(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk, ann = await low_glucose(clinic), Desk(clinic), clinic.staff("ann")
    empty = ClosingForm(action=Action.NONE, note=" ")
    assert await desk.do(queue.resolve, id_, ann, empty, now=noon) is Refusal.FORM_INCOMPLETE
    got = episode(await desk.do(queue.resolve, id_, ann, FORM, now=noon))
    assert (got.closed_at, got.closed_by, got.cosign_due_at) == (noon, ann.staff_id, None)
    found = clinic.ask("select state, closed_by, outcome ->> 'note' from alert")
    assert found == [("closed", ann.staff_id, "Spoke with her")]


async def test_only_clinicians_close_critical_and_a_provider_signs_within_a_day(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk = await low_glucose(clinic, 50), Desk(clinic)
    ann, chris = clinic.staff("ann"), clinic.staff("chris", "coordinator")
    doctor = clinic.staff("doctor", "provider")
    assert await desk.do(queue.resolve, id_, chris, FORM, now=noon) is Refusal.NEEDS_CLINICIAN
    silent = ClosingForm(action=Action.NONE, note="looks fine")
    assert await desk.do(queue.resolve, id_, ann, silent, now=noon) is Refusal.FORM_INCOMPLETE
    got = episode(await desk.do(queue.resolve, id_, ann, FORM, now=noon))
    assert got.cosign_due_at == noon + timedelta(hours=24)
    assert await desk.do(queue.cosign, id_, ann, now=noon) is Refusal.NEEDS_PROVIDER
    signed = episode(await desk.do(queue.cosign, id_, doctor, now=noon))
    assert signed.cosigned_by == doctor.staff_id
    assert await desk.do(queue.cosign, id_, doctor, now=noon) is Refusal.NOTHING_TO_SIGN


async def test_undo_within_eight_seconds_puts_everything_back(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk, ann = await low_glucose(clinic), Desk(clinic), clinic.staff("ann")
    await desk.do(queue.claim, id_, ann, now=noon)
    await desk.do(queue.resolve, id_, ann, FORM, now=noon)
    ben = clinic.staff("ben")
    assert await desk.do(queue.undo, id_, ben, now=noon) is Refusal.NOTHING_TO_UNDO
    late = noon + timedelta(seconds=9)
    assert await desk.do(queue.undo, id_, ann, now=late) is Refusal.TOO_LATE
    got = episode(await desk.do(queue.undo, id_, ann, now=noon + timedelta(seconds=8)))
    assert (got.closed_at, got.owner_id) == (None, ann.staff_id)
    assert clinic.ask("select state, closed_at, outcome from alert") == [("raised", None, None)]
    again = await desk.do(queue.undo, id_, ann, now=noon + timedelta(seconds=8))
    assert again is Refusal.NOTHING_TO_UNDO


async def test_reopen_brings_the_alerts_back_unless_a_newer_line_is_open(
    clinic: Clinic, noon: datetime
) -> None:
    id_, desk, ann = await low_glucose(clinic), Desk(clinic), clinic.staff("ann")
    await desk.do(queue.resolve, id_, ann, FORM, now=noon)
    got = episode(await desk.do(queue.reopen, id_, ann, "called back", now=noon))
    assert (got.closed_at, got.owner_id) == (None, None)
    assert clinic.one("select count(*) from alert where closed_at is null") == 1


async def test_bulk_close_takes_only_low(clinic: Clinic, noon: datetime) -> None:
    high = await low_glucose(clinic)
    clinic.run("update episode set severity = 4, worst_severity = 4 where id <> %s", high)
    low = await low_glucose(clinic)
    clinic.run("update episode set severity = 4, worst_severity = 4 where id = %s", low)
    done = await Desk(clinic).do(
        queue.bulk_resolve, [high, low, uuid.uuid4()], clinic.staff("ann"), FORM, now=noon
    )
    assert done[high] is Refusal.ONLY_LOW
    assert episode(done[low]).closed_at == noon
    assert list(done.values()).count(Refusal.NOT_FOUND) == 1


async def test_at_the_end_of_a_shift_everything_changes_hands(
    clinic: Clinic, noon: datetime
) -> None:
    first, second = await low_glucose(clinic), await low_glucose(clinic)
    desk, ann, ben = Desk(clinic), clinic.staff("ann"), clinic.staff("ben")
    for id_ in (first, second):
        await desk.do(queue.claim, id_, ann, now=noon)
    done = await desk.do(queue.hand_over, ann, ben.staff_id, "night shift", now=noon)
    assert {each.owner_id for each in done} == {ben.staff_id}
    assert set(clinic.one("select episode_ids from handover")) == {first, second}


async def test_another_organisation_sees_nothing(clinic: Clinic, noon: datetime) -> None:
    id_ = await low_glucose(clinic)
    other = clinic.one(
        "insert into organisation (name, time_zone) values ('B', 'UTC') returning id"
    )
    stranger = Actor(staff_id=uuid.uuid4(), organisation_id=other, role="nurse")
    async with await process.connect(clinic.web_dsn) as connection, connection.transaction():
        await connection.execute(
            "select set_config('tidings.organisation', %s, true)", (str(other),)
        )
        assert await queue.claim(connection, id_, stranger, now=noon) is Refusal.NOT_FOUND
        assert await queue.find(connection, id_) is None


async def test_views_count_without_scanning(clinic: Clinic, noon: datetime) -> None:
    first, _ = await low_glucose(clinic), await low_glucose(clinic, 50)
    desk, ann = Desk(clinic), clinic.staff("ann")
    await desk.do(queue.claim, first, ann, now=noon)
    counts = "select severity, owned, open from episode_count order by severity"
    assert clinic.ask(counts) == [(1, False, 1), (2, True, 1)]
    clinic.run("select settle_tally()")
    assert clinic.ask(counts) == [(1, False, 1), (2, True, 1)]
    await desk.do(queue.resolve, first, ann, FORM, now=noon)
    assert clinic.ask(counts) == [(1, False, 1)]


async def test_the_record_cannot_be_rewritten(clinic: Clinic) -> None:
    await low_glucose(clinic)
    async with await process.connect(clinic.worker_dsn) as connection:
        try:
            await connection.execute("update alert_event set reason = 'x'")
        except psycopg.errors.InsufficientPrivilege:
            return
    raise AssertionError("alert_event could be changed")
