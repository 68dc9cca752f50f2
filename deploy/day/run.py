"""Run the day minute by minute: readings come, are judged, timers run, pages go out, people act."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from alerts import catalogue, escalation, notify, process, routing, scheduler, worker
from alerts.lifecycle import Actor
from alerts.severity import Severity
from database import sql
from database.pool import connect
from deploy.day import people, plan
from deploy.day.people import Person, Team
from deploy.day.plan import DAY, START, Measured, Resident

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
STEP = timedelta(minutes=2)
SLOW = timedelta(minutes=30)
PATIENTS_PER_NURSE = 125
SHIFTS = ((7, 15), (13, 21), (0, 7), (21, 24))
DUTIES = {
    "primary_on_call": "night nurse",
    "secondary_on_call": "second nurse",
    "charge_nurse": "charge nurse",
    "supervising_provider": "provider",
    "medical_director": "director",
}
PROVIDERS = ("provider", "director")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The day's lines of one severity; times in minutes."""

    severity: Severity
    opened: int
    closed: int
    taken: int
    p50: float | None
    p90: float | None
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the day came to."""

    patients: int
    nurses: int
    readings: int
    alerts: int
    lines: tuple[Lines, ...]
    pages: tuple[tuple[str, int, int], ...]
    """Duty, pages, how many were acknowledged."""
    unjudged: int
    unowned: int
    """Beyond their time and nobody's."""
    pressing: int
    """Critical or high, open and nobody's."""
    still_open: int
    incidents: int
    handovers: int

    @property
    def well(self) -> bool:
        """True when every reading was judged and nothing pressing or overdue is nobody's."""
        return not (self.unjudged or self.unowned or self.pressing)


async def day(  # noqa: PLR0913  # the database, the clinic, and how fine and loud
    dsn: str,
    worker_dsn: str,
    *,
    patients: int,
    seed: int,
    step: timedelta = STEP,
    progress: Callable[[float], None] = lambda _: None,
) -> Summary:
    """Live through one day of a fresh clinic; `progress` is told the share that is over."""
    chance = random.Random(seed)
    here = plan.residents(chance, patients)
    with connect(dsn, autocommit=True) as owner:
        organisation, team = _founded(owner, here, chance)
        _history(owner, organisation, here, chance)
        owner.execute("analyze")
    todo = _of_the_day(here, chance)
    async with await process.connect(worker_dsn) as connection:
        today = _Day(
            connection=connection, organisation=organisation, team=team, people=here, length=step
        )
        now = START
        while now < START + DAY:
            now += step
            due = [each for each in todo if each.at <= now]
            todo = todo[len(due) :]
            await today.step(due, now)
            progress((now - START) / DAY)
        return await _summed(connection, team, patients, now)


@dataclass(slots=True, kw_only=True)
class _Day:
    """What stays the same from step to step."""

    connection: Connection
    organisation: UUID
    team: Team
    people: Sequence[Resident]
    length: timedelta

    async def step(self, due: Sequence[Measured], now: datetime) -> None:
        again = await self._again(now)
        if due or again:
            await _stored(self.connection, self.organisation, [*due, *again], queued=True)
        judging = worker.Judging(
            catalogue=catalogue.product(), table=routing.table(), clock=lambda: now
        )
        await worker.drain(self.connection, judging)
        slow = (now - START) % SLOW == timedelta(0)
        await scheduler.tick(self.connection, escalation.product_policy(), now=now, slow=slow)
        await notify.deliver_due(self.connection, notify.Outside(send=self.team.hear), now=now)
        await people.work(self.connection, self.team, now=now)
        await people.go_home(self.connection, self.team, now=now, step=self.length)

    async def _again(self, now: datetime) -> list[Measured]:
        """Most patients who are asked to measure again do; half of the values are calm."""
        told = {"now": now, "step": self.length}
        rows = await _rows(self.connection, "to_measure_again", told)
        chance, by_id = self.team.chance, {each.id: each for each in self.people}
        found: list[Measured] = []
        for patient in sorted({row[1] for row in rows}):
            who = by_id[patient]
            if chance.random() < plan.MEASURES_AGAIN:
                wrong = chance.random() >= plan.CALM_AGAIN
                habit = plan.HABITS[who.profile][-1]
                found.append(plan.measured(chance, who, habit, now, wrong=wrong))
        return found


def _founded(
    owner: psycopg.Connection[tuple[Any, ...]], here: Sequence[Resident], chance: random.Random
) -> tuple[UUID, Team]:
    """Write organisation, patients, staff, rota and how people are reached."""
    queries = sql.load("deploy.day")
    organisation: UUID = owner.execute(queries["organisation"]).fetchall()[0][0]
    told: dict[str, object] = {"organisation": organisation}
    owner.execute(
        queries["patients"],
        {
            **told,
            "ids": [each.id for each in here],
            "mrns": [f"SYN-{number}" for number in range(len(here))],
            "profiles": [each.profile for each in here],
            "conditions": [each.condition for each in here],
            "since": START - 60 * DAY,
        },
    )
    crew: dict[str, Person] = {}
    for name, shifts in _hired(len(here)).items():
        role = "provider" if name in PROVIDERS else "nurse"
        row = owner.execute(queries["staff"], {**told, "name": name, "role": role}).fetchall()[0]
        actor = Actor(staff_id=row[0], organisation_id=organisation, role=role)
        crew[name] = Person(actor=actor, shifts=shifts)
        owner.execute(queries["channel"], {**told, "staff": row[0]})
    rota = owner.execute(queries["rota"], told).fetchall()[0][0]
    for duty, name in DUTIES.items():
        layer = {**told, "rota": rota, "duty": duty, "members": [crew[name].actor.staff_id]}
        owner.execute(queries["layer"], layer)
    staff = {each.actor.staff_id: each for each in crew.values()}
    return organisation, Team(chance=chance, people=staff)


def _hired(patients: int) -> dict[str, tuple[tuple[int, int], ...]]:
    """Everybody's shifts: nurses by day, one at night, and those who only answer pages."""
    nurses = max(2, -(-patients // PATIENTS_PER_NURSE))
    by_day = {f"nurse {number}": (SHIFTS[number % 2],) for number in range(nurses)}
    return {**by_day, **dict.fromkeys(DUTIES.values(), ()), "night nurse": SHIFTS[2:]}


def _history(
    owner: psycopg.Connection[tuple[Any, ...]],
    organisation: UUID,
    here: Sequence[Resident],
    chance: random.Random,
) -> None:
    found = [
        each
        for back in range(plan.HISTORY_DAYS, 0, -1)
        for who in here
        for each in plan.readings(chance, who, START - back * DAY)
    ]
    owner.execute(sql.load("deploy.day")["readings"], _columns(organisation, found, queued=False))


def _of_the_day(here: Sequence[Resident], chance: random.Random) -> list[Measured]:
    found = [
        each for who in here for each in plan.readings(chance, who, START, troubled=plan.TROUBLED)
    ]
    return sorted(found, key=lambda each: (each.at, each.id))


async def _stored(
    connection: Connection, organisation: UUID, found: Sequence[Measured], *, queued: bool
) -> None:
    told = _columns(organisation, found, queued=queued)
    await connection.execute(sql.load("deploy.day")["readings"], told)


def _columns(organisation: UUID, found: Sequence[Measured], *, queued: bool) -> dict[str, object]:
    return {
        "organisation": organisation,
        "ids": [each.id for each in found],
        "patients": [each.patient for each in found],
        "kinds": [each.kind for each in found],
        "values": [float(each.value) for each in found],
        "dias": [float(each.dia) for each in found],
        "ats": [each.at for each in found],
        "queued": queued,
    }


async def _summed(connection: Connection, team: Team, patients: int, now: datetime) -> Summary:
    told = {"now": now, "start": START}
    (whole,) = await _rows(connection, "totals", told)
    lines = [
        Lines(
            severity=Severity(row[0]), opened=row[1], closed=row[2], taken=row[3], p50=row[4],
            p90=row[5], late=row[6],
        )
        for row in await _rows(connection, "raised", told)
    ]  # fmt: skip
    return Summary(
        patients=patients,
        nurses=sum(bool(each.shifts) for each in team.people.values()),
        readings=whole[0],
        alerts=whole[1],
        lines=tuple(lines),
        pages=tuple((row[0], row[1], row[2]) for row in await _rows(connection, "escalations", {})),
        unjudged=whole[2],
        unowned=whole[3],
        pressing=whole[4],
        still_open=whole[5],
        incidents=whole[6],
        handovers=whole[7],
    )


async def _rows(
    connection: Connection, name: str, wanted: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql.load("deploy.day")[name], wanted)).fetchall()
