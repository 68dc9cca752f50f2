"""maintain() on plain PostgreSQL; tests/timescale compares its sums with TimescaleDB's."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from database.maintenance import Maintained, maintain
from database.pool import open_pool
from tests.conftest import Database

ORGANISATION, PATIENT = UUID(int=1), UUID(int=2)
INSERT = """
insert into reading (
  reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value,
  status, time_quality, gateway_time, received_at, characteristic, frame
) select %s, %s, %s, 'd', 'g', 'weight', t, %s, %s, 'corrected', t, t, '2a9d', ''
from (select %s::timestamptz as t) as at
"""
DAY = timedelta(days=1)


@pytest.fixture
async def pool(db: Database) -> AsyncIterator[AsyncConnectionPool]:
    """The pool of a scheduler, which has a worker's rights."""
    async with open_pool(db.worker_dsn) as opened:
        yield opened


@pytest.fixture
def now() -> datetime:
    """The triggers that note changed days read the database's clock: stay near it."""
    return datetime.now(UTC)


def measure(
    connection: psycopg.Connection[tuple[Any, ...]],
    at: datetime,
    value: float,
    status: str = "accepted",
) -> UUID:
    reading_id = uuid4()
    told = (reading_id, ORGANISATION, PATIENT, value, status, at)
    connection.execute(INSERT, told)
    return reading_id


def daily(connection: psycopg.Connection[tuple[Any, ...]], relation: str) -> list[Any]:
    return connection.execute(f"select n, avg from {relation} order by bucket").fetchall()  # noqa: S608 - names from this file


async def test_a_second_run_finds_nothing_to_do(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    with db.connect() as connection:
        measure(connection, now - DAY, 80)
        measure(connection, now - 3 * DAY, 82)
    assert await maintain(pool, now=now) == Maintained(summed=2, removed=0)
    assert await maintain(pool, now=now) == Maintained(summed=0, removed=0)


async def test_late_changed_and_deleted_readings_reach_their_day(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    day = (now - 40 * DAY).replace(hour=12, minute=0)
    with db.connect() as connection:
        wrong = measure(connection, day, 800)
        await maintain(pool, now=now)
        assert daily(connection, "reading_daily_kept") == [(1, 800)]
        measure(connection, day + timedelta(hours=1), 80)
        connection.execute(
            "update reading set status = 'entered_in_error' where reading_id = %s", (wrong,)
        )
        assert daily(connection, "reading_daily") == [(1, 80)]  # at once
        assert await maintain(pool, now=now) == Maintained(summed=1, removed=0)
        assert daily(connection, "reading_daily_kept") == [(1, 80)]
        connection.execute("delete from reading")
        await maintain(pool, now=now)
        assert daily(connection, "reading_daily_kept") == []
        assert daily(connection, "reading_hourly_kept") == []


async def test_a_day_moved_to_another_patient_leaves_the_first(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    other = uuid4()
    with db.connect() as connection:
        measure(connection, now - DAY, 80)
        await maintain(pool, now=now)
        connection.execute("update reading set patient_id = %s", (other,))
        await maintain(pool, now=now)
        rows = connection.execute("select patient_id, n from reading_daily_kept").fetchall()
    assert rows == [(other, 1)]


async def test_a_change_that_is_not_committed_yet_is_taken_the_next_time(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    with db.connect() as slow, db.connect() as quick:
        slow.autocommit = False
        measure(slow, now - DAY, 80)
        measure(quick, now - DAY, 90)
        assert (await maintain(pool, now=now)).summed == 1
        assert daily(quick, "reading_daily_kept") == [(1, 90)]
        slow.commit()
        assert (await maintain(pool, now=now)).summed == 1
        assert daily(quick, "reading_daily_kept") == [(2, 85)]


async def test_sums_outlive_the_readings(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    with db.connect() as connection:
        for days in (700, 400, 30):
            measure(connection, now - days * DAY, days)
        await maintain(pool, now=now)
        connection.execute("select keep_for('reading', '365 days')")
        connection.execute("select keep_for('reading_hourly', '500 days')")
        assert await maintain(pool, now=now, most=1) == Maintained(summed=0, removed=3)
        assert connection.execute("select value from reading").fetchall() == [(30,)]
        assert daily(connection, "reading_hourly") == [(1, 400), (1, 30)]
        assert daily(connection, "reading_daily") == [(1, 700), (1, 400), (1, 30)]
        # a reading that comes later than that changes no sum
        measure(connection, now - 700 * DAY, 1)
        await maintain(pool, now=now)
        assert daily(connection, "reading_daily") == [(1, 700), (1, 400), (1, 30)]


def test_sums_are_never_kept_shorter_than_readings(db: Database) -> None:
    with db.connect() as connection:
        for what, keep in (("reading", "20 years"), ("reading", None), ("reading_daily", "1 day")):
            with pytest.raises(psycopg.errors.RaiseException, match="longer than their sums"):
                connection.execute("select keep_for(%s, %s::interval)", (what, keep))
        with pytest.raises(psycopg.errors.RaiseException, match="nothing named"):
            connection.execute("select keep_for('readings', '1 day')")


async def test_identities_are_forgotten_a_month_after_readings(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    keep = timedelta(days=365)
    cases = {
        "old": (now - keep - 40 * DAY, now - keep - 40 * DAY),
        "a month not over": (now - keep - 20 * DAY, now - keep - 20 * DAY),
        "new, by a clock that was reset": (datetime(2000, 1, 1, tzinfo=UTC), now),
    }
    with db.connect() as connection:
        connection.execute("select keep_for('reading', '365 days')")
        for at, stored in cases.values():
            connection.execute(
                "insert into reading_identity values (first_reading_id(%s), %s)", (at, stored)
            )
        assert await maintain(pool, now=now, most=1) == Maintained(summed=0, removed=1)
        left = connection.execute("select first_stored_at from reading_identity").fetchall()
    assert sorted(left) == sorted([(cases["a month not over"][1],), (now,)])


def test_ids_begin_with_their_time(db: Database, noon: datetime) -> None:
    milliseconds = int(noon.timestamp() * 1000)
    with db.connect() as connection:
        row = connection.execute("select first_reading_id(%s)", (noon,)).fetchone()
    assert row == (UUID(int=milliseconds << 80),)


async def test_two_schedulers_do_not_meet(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    with db.connect() as other:
        measure(other, now - DAY, 80)
        other.autocommit = False
        other.execute("select pg_advisory_xact_lock(7442)")
        assert await maintain(pool, now=now) == Maintained(summed=0, removed=0)
        other.rollback()
    assert (await maintain(pool, now=now)).summed == 1


def test_the_web_role_sees_its_own_sums(db: Database, now: datetime) -> None:
    with db.connect() as connection:
        measure(connection, now - DAY, 80)
        connection.execute("set role tidings_web")
        assert connection.execute("select n from visible_reading_daily").fetchall() == []
        connection.execute(
            "select set_config('tidings.organisation', %s, false)", (str(ORGANISATION),)
        )
        assert connection.execute("select n from visible_reading_daily").fetchall() == [(1,)]
        for hidden in ("reading_daily", "reading_daily_kept", "reading_changed"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select 1 from {hidden}")  # noqa: S608 - names above
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select maintain(now())")


@pytest.mark.parametrize(
    ("state", "settled", "organisation", "kept"),
    [
        ("released", 400 * DAY, ORGANISATION, 0),
        ("rejected", 300 * DAY, ORGANISATION, 1),
        ("open", None, ORGANISATION, 1),
        ("open", None, None, 0),
    ],
    ids=["settled long ago", "settled lately", "waits for a person", "nobody's"],
)
async def test_dead_letters_go_a_year_after_they_were_settled(
    db: Database, state: str, settled: timedelta | None, organisation: UUID | None, kept: int
) -> None:
    now = datetime.now(UTC)
    with db.connect() as connection:
        connection.execute(
            "insert into quarantine (id, organisation_id, reason, payload, received_at, state,"
            " resolved_at) values (%s, %s, 'malformed', '', %s, %s, %s)",
            (uuid4(), organisation, now - 500 * DAY, state, settled and now - settled),
        )
        async with open_pool(db.worker_dsn) as pool:
            assert (await maintain(pool, now=now)).removed == 1 - kept
        assert connection.execute("select count(*) from quarantine").fetchone() == (kept,)


async def test_dead_letters_that_are_kept_for_ever_stay(
    db: Database, pool: AsyncConnectionPool, now: datetime
) -> None:
    with db.connect() as connection:
        connection.execute("update dead_letter_retention set keep = null")
        connection.execute(
            "insert into quarantine (id, reason, payload, received_at)"
            " values (%s, 'malformed', '', '2001-01-01')",
            (uuid4(),),
        )
        assert (await maintain(pool, now=now)).removed == 0
