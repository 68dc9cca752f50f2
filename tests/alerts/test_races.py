"""Parallel, interrupted, repeated, reordered evaluation gives what one quiet evaluation gives."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from alerts import applicability, catalogue, evaluation, process, worker
from alerts.evaluation import Decided, Gathered
from alerts.rules import Metric
from alerts.samples import Enrolment, Sample, Subject
from care.calendar import OfficeHours
from tests.alerts.conftest import Clinic

DENVER = ZoneInfo("America/Denver")
VALUES = {"glucose": [50, 60, 65, 100, 260, 310, 420], "weight": [80, 80.5, 81, 81.5, 83, 84.5]}
WORKERS = 8
Reading = tuple[UUID, UUID, str, float, datetime]


def readings(clinic: Clinic, chance: random.Random, patients: int, each: int) -> list[Reading]:
    """So many readings of so many patients over the last nine days."""
    found: list[Reading] = []
    for _ in range(patients):
        patient = clinic.patient("adult_dm", "hf", conditions=("heart_failure",))
        for _ in range(each):
            kind = chance.choice(list(VALUES))
            at = clinic.now - timedelta(minutes=chance.randrange(9 * 24 * 60))
            found.append((uuid.uuid4(), patient, kind, chance.choice(VALUES[kind]), at))
    return found


def store(clinic: Clinic, found: Sequence[Reading], *, again: Sequence[Reading] = ()) -> None:
    """Store readings and queue them, some twice, in the order given; one transaction."""
    rows = [(r, clinic.organisation, p, kind, at, value, at, at) for r, p, kind, value, at in found]
    queued = [(clinic.organisation, p, r, kind, at, at) for r, p, kind, _, at in [*found, *again]]
    with clinic.connection.transaction(), clinic.connection.cursor() as cursor:
        cursor.executemany(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id,"
            " kind, measured_at, value, status, time_quality, gateway_time, received_at,"
            " characteristic, frame) values (%s, %s, %s, 'd', 'g', %s, %s, %s, 'accepted',"
            " 'device_synced', %s, %s, '2A18', '')",
            rows,
        )
        cursor.executemany(
            "insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at,"
            " received_at) values (%s, %s, %s, %s, %s, %s)",
            queued,
        )
        cursor.execute("select pg_notify('tidings_evaluate', '')")


def quiet(clinic: Clinic, found: Sequence[Reading]) -> dict[UUID, Decided]:
    """What the pure engine makes of each patient's sorted history, in one call."""
    result: dict[UUID, Decided] = {}
    for patient in {row[1] for row in found}:
        who = Subject(
            id=patient,
            organisation_id=clinic.organisation,
            zone=DENVER,
            birth_date=datetime(1960, 1, 1).date(),
            conditions=frozenset({"heart_failure"}),
            enrolments=(
                Enrolment(
                    programme="pcmh",
                    profiles=("adult_dm", "hf"),
                    enrolled_at=clinic.now - timedelta(days=60),
                ),
            ),
        )
        samples = tuple(
            Sample(id=r, metric=Metric(kind), at=at, received_at=at, value=value)
            for r, p, kind, value, at in found
            if p == patient
        )
        gathered = Gathered(
            subject=who,
            rules=applicability.in_force(catalogue.product(), (), who, clinic.now),
            samples=samples,
            pending=frozenset(each.id for each in samples),
            hours=OfficeHours(zone=DENVER),
        )
        result[patient] = evaluation.evaluate(gathered, now=clinic.now, new_id=uuid.uuid4)
    return result


def stored_alerts(clinic: Clinic) -> dict[tuple[UUID, str], Any]:
    """Open alerts that stand: severity, words and the readings behind them."""
    rows = clinic.ask(
        "select a.patient_id, a.rule_id, a.severity, a.headline, a.why,"
        " array_agg(b.reading_id order by b.reading_id) from alert a"
        " join alert_breach b on b.alert_id = a.id and b.standing"
        " where a.closed_at is null group by a.id"
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def quiet_alerts(decided: dict[UUID, Decided]) -> dict[tuple[UUID, str], Any]:
    return {
        (patient, alert.rule_id): (
            int(alert.severity),
            alert.headline,
            alert.why,
            sorted(each.reading_id for each in alert.standing),
        )
        for patient, found in decided.items()
        for alert in found.alerts
        if alert.standing
    }


async def test_eight_workers_with_repeated_and_reordered_readings_give_the_quiet_result(
    clinic: Clinic,
) -> None:
    chance = random.Random(20260915)
    found = readings(clinic, chance, patients=60, each=8)
    chance.shuffle(found)
    finished = asyncio.Event()

    async def work() -> None:
        async with await process.connect(clinic.worker_dsn) as connection:
            while True:
                last = finished.is_set()
                done = await worker.drain(connection, clinic.judging())
                if last and not done.rows and not clinic.one("select count(*) from to_evaluate"):
                    return
                await asyncio.sleep(0)

    async def arrive() -> None:
        for start in range(0, len(found), 20):
            part = found[start : start + 20]
            await asyncio.to_thread(store, clinic, part, again=chance.sample(part, 5))
        finished.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())
        group.create_task(arrive())
    assert stored_alerts(clinic) == quiet_alerts(quiet(clinic, found))
    twice = "select patient_id from alert where closed_at is null group by patient_id, rule_id"
    assert clinic.ask(f"{twice} having count(*) > 1") == []
    lines = clinic.ask("select patient_id from episode where closed_at is null")
    assert len(lines) == len(set(lines))
    wrong = clinic.ask(
        "select e.id from episode e join alert a on a.episode_id = e.id and a.closed_at is null"
        " group by e.id having e.severity <> min(a.severity) or e.alert_count <> count(*)"
    )
    assert wrong == []


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
    try:
        clinic.run(again)
    except psycopg.errors.UniqueViolation:
        return
    raise AssertionError("two open alerts for one patient and rule")


def test_workers_killed_at_any_moment_leave_the_quiet_result_and_record(
    clinic: Clinic,
) -> None:
    chance = random.Random(5)
    found = sorted(readings(clinic, chance, patients=80, each=5), key=lambda row: row[4])
    clinic.run("update organisation set name = name")
    store(clinic, found)
    kills = 0
    while clinic.one("select count(*) from to_evaluate"):
        with worker_process(clinic.worker_dsn) as child:
            left = clinic.one("select count(*) from to_evaluate")
            while clinic.one("select count(*) from to_evaluate") == left:
                assert child.poll() is None
            if kills < 4:
                time.sleep(chance.uniform(0, 0.08))
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
            else:
                while clinic.one("select count(*) from to_evaluate"):
                    assert child.poll() is None
                child.terminate()
            child.wait()
    assert kills >= 3
    expected = quiet(clinic, found)
    assert stored_alerts(clinic) == quiet_alerts(expected)
    events = clinic.ask(
        "select a.patient_id, a.rule_id, e.reason, e.detail ->> 'reading' from alert_event e"
        " join alert a on a.id = e.alert_id order by e.id"
    )
    for patient, decided in expected.items():
        rules = {each.id: each.rule_id for each in decided.alerts}
        wanted = [(rules[e.alert_id], e.action.value, str(e.reading_id)) for e in decided.events]
        assert [row[1:] for row in events if row[0] == patient] == wanted


def worker_process(dsn: str) -> subprocess.Popen[bytes]:
    """A real alert process, one patient a transaction."""
    told = {"TIDINGS_ALERTS_DSN": dsn, "TIDINGS_ALERTS_PATIENTS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "alerts"], env={**os.environ, **told}, stdout=subprocess.DEVNULL
    )
