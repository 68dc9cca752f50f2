"""Parallel, interrupted, repeated, reordered evaluation gives what one quiet evaluation gives."""

import asyncio
import random
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import process, worker
from deploy.chaos import judging, mortal
from tests.alerts.conftest import Clinic
from tests.conftest import Database

WORKERS = 8
PATIENTS = 200
BATCH = 80
"""Readings that arrive in one transaction, with some that came before."""


@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_eight_workers_with_repeated_and_reordered_readings_give_the_quiet_result(
    db: Database, seed: int
) -> None:
    chance = random.Random(seed)
    with db.connect() as owner:
        organisation, found = judging.clinic(owner, chance, patients=PATIENTS, each=3)
        asyncio.run(in_parallel(db, owner, organisation, found, chance))
        expected = judging.expected(judging.quiet(organisation, found))
        assert judging.stored(owner, organisation) == expected
        assert len(expected) > PATIENTS
        assert judging.broken(owner) == []


async def in_parallel(
    db: Database,
    owner: judging.Connection,
    organisation: UUID,
    found: list[judging.Reading],
    chance: random.Random,
) -> None:
    """Eight workers judge while readings arrive; they stop when nothing more comes."""
    arrived = asyncio.Event()

    async def work() -> None:
        async with await process.connect(db.worker_dsn) as connection:
            while True:
                last = arrived.is_set()
                done = await worker.drain(connection, mortal.JUDGING)
                if last and not done.rows and not judging.waiting(owner):
                    return
                await asyncio.sleep(0)

    async def arrive() -> None:
        for start in range(0, len(found), BATCH):
            part, before = found[start : start + BATCH], found[: start + BATCH]
            again = chance.sample(before, BATCH // 5)
            await asyncio.to_thread(judging.store, owner, organisation, part, again=again)
        arrived.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())
        group.create_task(arrive())


async def test_a_duplicate_open_alert_is_impossible_in_the_database(clinic: Clinic) -> None:
    patient = clinic.patient("adult_dm")
    clinic.reading(patient, "glucose", 60, clinic.now)
    await clinic.judge()
    again = (
        "insert into alert (organisation_id, patient_id, episode_id, rule_id, rule_version,"
        " severity, headline, why, raised_at, last_breach_at, due_at) select organisation_id,"
        " patient_id, episode_id, rule_id, rule_version, severity, headline, why, raised_at,"
        " last_breach_at, due_at from alert"
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        clinic.run(again)


def test_workers_killed_at_any_moment_leave_the_quiet_result_and_record(db: Database) -> None:
    """A hundred of them: `python -m deploy.chaos.judging`."""
    found = judging.run(db.dsn, db.worker_dsn, kills=10, seed=5)
    assert found.same, found
    assert sum(found.faults.values()) == 10
    assert found.alerts > 10
    assert found.audited <= found.events
