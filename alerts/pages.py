"""Pages: who is to be reached about which episode, and how a person acknowledges one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from alerts import metrics, oncall, queue, routing
from alerts.escalation import Clock, Policy, Turn, turn
from alerts.lifecycle import Actor, Outcome, Refusal
from alerts.severity import Severity
from care import rota
from care.calendar import OfficeHours
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Acknowledged(StrEnum):
    """What became of an acknowledgement; the value is what the person reads."""

    YOURS = "It is yours now."
    TAKEN = "Another person already has it."
    CLOSED = "It is already closed."
    NOTED = "Thank you, noted."
    UNKNOWN = "This page is not known."


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An episode whose clock has something to do."""

    episode_id: UUID
    organisation_id: UUID
    clock: Clock
    programmes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page as stored."""

    id: UUID
    organisation_id: UUID
    episode_id: UUID | None
    staff_id: UUID | None
    severity: Severity
    state: str
    token: str
    role: str


async def escalate_due(
    connection: Connection, policy: Policy, *, now: datetime, most: int = 50
) -> int:
    """Create the pages of every clock that is due, in one transaction; return how many."""
    async with connection.transaction():
        found = [_due(row) for row in await _rows(connection, "clocks_due", now=now, most=most)]
        made = 0
        for each in found:
            made += await _escalate(connection, each, policy, now)
    return made


async def _escalate(connection: Connection, due: Due, policy: Policy, now: datetime) -> int:
    rotas = await oncall.rotas(connection, due.organisation_id)
    serving = rota.for_programmes(rotas, due.programmes)
    hours = await _hours(connection, due.organisation_id)
    todo = turn(policy, due.clock, hours, now=now)
    for number, step in enumerate(todo.steps):
        if "worklist" in step.via:
            await _event(connection, due, f"{step.duty.value}: shown on the worklist", now)
            continue
        person = rota.on_duty(serving, step.duty, now) if serving else None
        await _create(connection, due, (due.clock.step + number, step.duty, step.via), person, now)
    await _moved(connection, due, todo)
    return len(todo.steps)


async def _create(
    connection: Connection,
    due: Due,
    step: tuple[int, rota.Duty, tuple[str, ...]],
    person: UUID | None,
    now: datetime,
) -> None:
    number, duty, via = step
    told = {
        "organisation": due.organisation_id,
        "episode": due.episode_id,
        "step": number,
        "duty": duty.value,
        "staff": person,
        "severity": int(due.clock.severity),
        "channels": list(via),
        "now": now,
        "token": secrets.token_urlsafe(24),
        "code": await _code(connection, person),
    }
    await _rows(connection, "create_page", **told)
    nobody = "" if person else ", nobody on duty: last resort"
    await _event(connection, due, f"{duty.value}{nobody}", now)
    metrics.PAGES.labels(due.clock.severity.word).inc()


async def _code(connection: Connection, person: UUID | None) -> str:
    """A reply code that none of the person's open pages has."""
    used = {row[0] for row in await _rows(connection, "codes_in_use", staff=person)}
    while (code := f"{secrets.randbelow(10_000):04d}") in used:
        pass
    return code


async def _moved(connection: Connection, due: Due, todo: Turn) -> None:
    told = {"id": due.episode_id, "step": todo.done, "next": todo.next_at}
    await connection.execute(sql.load("alerts")["move_clock"], told)


async def _event(connection: Connection, due: Due, reason: str, now: datetime) -> None:
    told = {
        "organisation_id": due.organisation_id,
        "episode_id": due.episode_id,
        "alert_id": None,
        "at": now,
        "action": "page",
        "reason": reason,
        "detail": Jsonb({"severity": int(due.clock.severity)}),
    }
    await connection.execute(sql.load("alerts")["record_event"], told)


async def acknowledge(
    connection: Connection, token: str, via: str, *, now: datetime
) -> Acknowledged:
    """Acknowledge by the link in a page: the person has it, and everybody else's pages stop.

    Runs in the caller's transaction on either role; sets the organisation from the page.
    """
    page = await find(connection, token)
    if page is None:
        return Acknowledged.UNKNOWN
    await connection.execute(
        "select set_config('tidings.organisation', %s, true)", (str(page.organisation_id),)
    )
    return await _acknowledge(connection, page, via, now)


async def acknowledge_by_code(
    connection: Connection, staff_id: UUID, code: str, *, now: datetime
) -> Acknowledged:
    """Acknowledge by the code that the person sent back from their own number."""
    found = await _rows(connection, "page_by_code", staff=staff_id, code=code.strip())
    if not found:
        return Acknowledged.UNKNOWN
    return await _acknowledge(connection, _page(found[0]), "reply", now)


async def find(connection: Connection, token: str) -> Page | None:
    """Return the page of a link, before any organisation is known."""
    found = await _rows(connection, "page_by_token", token=token)
    return _page(found[0]) if found else None


async def _acknowledge(connection: Connection, page: Page, via: str, now: datetime) -> Acknowledged:
    result = Acknowledged.NOTED
    if page.episode_id is not None and page.staff_id is not None:
        actor = Actor(staff_id=page.staff_id, organisation_id=page.organisation_id, role=page.role)
        result = _named(await queue.claim(connection, page.episode_id, actor, now=now))
    told = {"id": page.id, "via": via, "now": now}
    await connection.execute(sql.load("alerts")["acknowledge_page"], told)
    await connection.execute(sql.load("alerts")["close_page_incident"], told)
    return result


def _named(outcome: Outcome) -> Acknowledged:
    refusals = {
        Refusal.TAKEN: Acknowledged.TAKEN,
        Refusal.CLOSED: Acknowledged.CLOSED,
    }
    if isinstance(outcome, Refusal):
        return refusals.get(outcome, Acknowledged.YOURS)
    return Acknowledged.YOURS


def _due(row: Sequence[Any]) -> Due:
    return Due(
        episode_id=row[0],
        organisation_id=row[1],
        clock=Clock(
            severity=Severity(row[2]),
            started_at=row[3],
            step=row[4],
            high_risk=bool(row[5]),
            technical=row[6],
            after_hours=routing.after_hours(row[7], routing.table()),
        ),
        programmes=tuple(row[7]),
    )


def _page(row: Sequence[Any]) -> Page:
    return Page(
        id=row[0],
        organisation_id=row[1],
        episode_id=row[2],
        staff_id=row[3],
        severity=Severity(row[4]),
        state=row[5],
        token=row[6],
        role=row[7] or "",
    )


async def _hours(connection: Connection, organisation: UUID) -> OfficeHours:
    return (await oncall.hours(connection, organisation))[organisation]


async def _rows(connection: Connection, name: str, **wanted: object) -> list[tuple[Any, ...]]:
    found = await connection.execute(sql.load("alerts")[name], wanted)
    return await found.fetchall() if found.description else []
