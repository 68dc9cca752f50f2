"""Alert workers killed at every point of their transactions: what they leave is the quiet result.

`python -m deploy.chaos.judging [--kills 100] [--seed 1]`; ends in one JSON object. Each worker is a
process of its own that a real SIGKILL ends before or right after a seeded round trip to the
database, or whose database backend is terminated there.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from alerts import applicability, catalogue, evaluation
from alerts.evaluation import Decided, Gathered
from alerts.policy import TELLS
from alerts.rules import Metric
from alerts.samples import Enrolment, Sample, Subject
from care.calendar import OfficeHours
from database import sql
from database.migrate import migrate
from database.pool import connect
from deploy.chaos import mortal
from deploy.chaos.mortal import NOON, Fault
from deploy.embedded.postgres import EmbeddedPostgres

Connection = psycopg.Connection[tuple[Any, ...]]
ZONE = ZoneInfo("America/Denver")
BORN = date(1960, 1, 1)
PROFILES = ("adult_dm", "hf")
VALUES = {
    "glucose": [50.0, 60.0, 65.0, 100.0, 260.0, 310.0, 420.0],
    "weight": [80.0, 80.5, 81.0, 81.5, 83.0, 84.5],
}
READINGS_EACH = 4
PATIENTS_PER_KILL = 2
PRELOADED = [mortal.__name__, "database.migrate", "deploy.embedded.postgres"]
"""What a worker process has in memory from the start: it is born in milliseconds."""
ROUND_TRIPS = 45
"""Of a transaction about one patient there are up to about so many: a kill hits one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One stored reading."""

    id: UUID
    patient: UUID
    kind: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went."""

    seed: int
    faults: Mapping[str, int]
    alerts: int
    events: int
    audited: int
    differences: int
    broken: int
    left: int

    @property
    def same(self) -> bool:
        """True when alerts, record and audit are those of one quiet evaluation."""
        return not (self.differences or self.broken or self.left)


def run(dsn: str, worker_dsn: str, *, kills: int, seed: int) -> Outcome:
    """Kill so many workers over a fresh clinic, let a last one finish, and compare."""
    chance = random.Random(seed)
    with connect(dsn, autocommit=True) as owner:
        organisation, found = clinic(owner, chance, patients=PATIENTS_PER_KILL * kills)
        store(owner, organisation, found, again=chance.sample(found, len(found) // 5))
        faults: Counter[str] = Counter()
        while faults.total() < kills and waiting(owner):
            (fault,) = chance.choices(list(Fault), weights=(2, 2, 1))
            faults[fault.name.lower()] += _ended(worker_dsn, fault, chance.randint(1, ROUND_TRIPS))
        _ended(worker_dsn, Fault.BEFORE, sys.maxsize)
        here, there = stored(owner, organisation), quiet(organisation, found)
        return _compared(owner, here, there, faults, seed)


def clinic(
    owner: Connection, chance: random.Random, *, patients: int, each: int = READINGS_EACH
) -> tuple[UUID, list[Reading]]:
    """Enrol patients; return readings of their last nine days, in any order, not yet stored."""
    queries = sql.load("deploy.chaos")
    told = {"now": NOON, "profiles": list(PROFILES), "born": BORN, "patients": patients}
    organisation: UUID = owner.execute(queries["organisation"]).fetchall()[0][0]
    told |= {"organisation": organisation}
    people = [row[0] for row in owner.execute(queries["patients"], told)]
    found = [_reading(chance, who) for who in people for _ in range(each)]
    chance.shuffle(found)
    return organisation, found


def store(
    owner: Connection, organisation: UUID, found: Sequence[Reading], *, again: Sequence[Reading]
) -> None:
    """Store readings and queue them, some a second time."""
    queries = sql.load("deploy.chaos")
    for name, rows in (("readings", found), ("queue", [*found, *again])):
        told: dict[str, object] = {
            "organisation": organisation,
            "ids": [each.id for each in rows],
            "patients": [each.patient for each in rows],
            "kinds": [each.kind for each in rows],
            "values": [each.value for each in rows],
            "ats": [each.at for each in rows],
        }
        owner.execute(queries[name], told)


def quiet(organisation: UUID, found: Sequence[Reading]) -> dict[UUID, Decided]:
    """What the pure engine makes of each patient's sorted history, in one call."""
    by_patient: dict[UUID, list[Sample]] = {}
    for each in found:
        made = Sample(
            id=each.id, metric=Metric(each.kind), at=each.at, received_at=each.at, value=each.value
        )
        by_patient.setdefault(each.patient, []).append(made)
    return {who: _decided(organisation, who, samples) for who, samples in by_patient.items()}


def stored(owner: Connection, organisation: UUID) -> dict[tuple[UUID, str], Any]:
    """Open alerts that stand: severity, words and the readings behind them."""
    told = {"organisation": organisation}
    rows = owner.execute(sql.load("deploy.chaos")["standing"], told).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def expected(decided: Mapping[UUID, Decided]) -> dict[tuple[UUID, str], Any]:
    """The same of what the engine decided."""
    return {
        (patient, alert.rule_id): (
            int(alert.severity),
            alert.headline,
            alert.why,
            sorted(each.reading_id for each in alert.standing),
        )
        for patient, each in decided.items()
        for alert in each.alerts
        if alert.standing
    }


def broken(owner: Connection) -> list[tuple[Any, ...]]:
    """Patients with two open alerts of a rule, two lines, or a line that says what is not so."""
    return owner.execute(sql.load("deploy.chaos")["broken"]).fetchall()


def waiting(owner: Connection) -> int:
    """How many readings are still to be judged."""
    count: int = owner.execute(sql.load("deploy.chaos")["waiting"]).fetchall()[0][0]
    return count


def _compared(
    owner: Connection,
    here: Mapping[tuple[UUID, str], Any],
    decided: Mapping[UUID, Decided],
    faults: Mapping[str, int],
    seed: int,
) -> Outcome:
    queries = sql.load("deploy.chaos")
    there = expected(decided)
    record = _by_patient(owner.execute(queries["record"]).fetchall())
    audit = _by_patient(owner.execute(queries["audited"]).fetchall())
    wrong = sum(here.get(key) != there.get(key) for key in {**here, **there})
    for patient, each in decided.items():
        wrong += record.get(patient, []) != _record(each, audited=False)
        wrong += audit.get(patient, []) != _record(each, audited=True)
    return Outcome(
        seed=seed,
        faults=dict(faults),
        alerts=len(here),
        events=sum(len(rows) for rows in record.values()),
        audited=sum(len(rows) for rows in audit.values()),
        differences=wrong,
        broken=len(broken(owner)),
        left=waiting(owner),
    )


def _record(decided: Decided, *, audited: bool) -> list[tuple[str, ...]]:
    rules = {each.id: each.rule_id for each in decided.alerts}
    if audited:
        told = [event for event in decided.events if event.action in TELLS]
        return [(rules[event.alert_id], event.action.value) for event in told]
    return [
        (rules[event.alert_id], event.action.value, str(event.reading_id))
        for event in decided.events
    ]


def _by_patient(rows: Sequence[tuple[Any, ...]]) -> dict[UUID, list[tuple[str, ...]]]:
    found: dict[UUID, list[tuple[str, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(tuple(row[1:]))
    return found


def _decided(organisation: UUID, patient: UUID, samples: Sequence[Sample]) -> Decided:
    stay = Enrolment(programme="pcmh", profiles=PROFILES, enrolled_at=NOON - timedelta(days=60))
    who = Subject(
        id=patient,
        organisation_id=organisation,
        zone=ZONE,
        birth_date=BORN,
        conditions=frozenset({"heart_failure"}),
        enrolments=(stay,),
    )
    gathered = Gathered(
        subject=who,
        rules=applicability.in_force(catalogue.product(), (), who, NOON),
        samples=tuple(samples),
        pending=frozenset(each.id for each in samples),
        hours=OfficeHours(zone=ZONE),
    )
    return evaluation.evaluate(gathered, now=NOON, new_id=uuid.uuid4)


def _reading(chance: random.Random, patient: UUID) -> Reading:
    kind = chance.choice(list(VALUES))
    return Reading(
        id=UUID(int=chance.getrandbits(128)),
        patient=patient,
        kind=kind,
        value=chance.choice(VALUES[kind]),
        at=NOON - timedelta(minutes=chance.randrange(9 * 24 * 60)),
    )


def _ended(dsn: str, fault: Fault, at: int) -> bool:
    """Run one worker process; True if the fault hit it before its work was done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    child = context.Process(target=mortal.live, args=(dsn, fault, at))
    child.start()
    child.join()
    return child.exitcode != 0


def main() -> None:
    """Run it on a database of its own; the last line is the result."""
    parser = argparse.ArgumentParser(prog="python -m deploy.chaos.judging", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidings-chaos-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres") as server:
            migrate(server.dsn())
            found = run(
                server.dsn(),
                server.dsn(user="tidings_worker"),
                kills=given.kills,
                seed=given.seed,
            )
    told = {name: getattr(found, name) for name in Outcome.__slots__}
    print(json.dumps({"chaos": "judging", **told, "same": found.same}), flush=True)
    sys.exit(0 if found.same else 1)


if __name__ == "__main__":
    main()
