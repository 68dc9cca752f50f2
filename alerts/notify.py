"""Deliver pages from their table: each attempt on record before it goes out and after it came back.

A worker that dies between leaves the page taken for a minute; then another sends it again: paged
once or twice, never zero times.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import structlog

from alerts import delivery, incidents, metrics, oncall
from alerts.delivery import Address, Choice, Message
from alerts.incidents import Incident
from alerts.senders import Sender, Sent
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
TAKEN_FOR = timedelta(seconds=60)
OPERATIONS = "operations"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """How this process reaches people."""

    send: Sender
    link: str = ""
    last_resort: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    id: UUID
    page_id: UUID
    episode_id: UUID | None
    organisation_id: UUID
    choice: Choice | None
    message: Message
    last_of_round: bool
    for_operations: bool
    """About the system itself: the last resort is whom it is meant for."""


async def deliver_one(connection: Connection, outside: Outside, *, now: datetime) -> bool:
    """Try the most urgent page that is due; False when there is none."""
    async with connection.transaction():
        attempt = await _take(connection, outside, now)
    if attempt is None:
        return False
    if attempt.choice is None:
        await _finish(connection, attempt, Sent(ok=False, detail="no address"), now)
        return True
    sent = await outside.send(attempt.choice.address, attempt.message, now)
    await _finish(connection, attempt, sent, now)
    return True


async def deliver_due(connection: Connection, outside: Outside, *, now: datetime) -> int:
    """Try every page that is due once; return how many attempts were made."""
    count = 0
    while await deliver_one(connection, outside, now=now):
        count += 1
    return count


async def _take(connection: Connection, outside: Outside, now: datetime) -> _Attempt | None:
    found = await connection.execute(
        sql.load("alerts")["take_page"], {"now": now, "until": now + TAKEN_FOR}
    )
    row = await found.fetchone()
    if row is None:
        return None
    page_id, organisation, episode, staff, severity, via, token, code, duty = row
    addresses = await _addresses(connection, outside, organisation, staff, tuple(via))
    tries = await _tries(connection, page_id, addresses)
    choice = delivery.choose(addresses, tries)
    attempt = _Attempt(
        id=uuid.uuid4(),
        page_id=page_id,
        episode_id=episode,
        organisation_id=organisation,
        choice=choice,
        message=delivery.message(page_id, Severity(severity), token, code, link=outside.link),
        last_of_round=_is_last(addresses, tries, choice),
        for_operations=duty == OPERATIONS,
    )
    told = {
        "id": attempt.id,
        "organisation": organisation,
        "page": page_id,
        "channel": _named(choice),
        "attempt": sum(tries.values()) + 1,
        "now": now,
    }
    await connection.execute(sql.load("alerts")["record_attempt"], told)
    return attempt


async def _addresses(
    connection: Connection,
    outside: Outside,
    organisation: UUID,
    staff: UUID | None,
    via: tuple[str, ...],
) -> list[Address]:
    own = await oncall.addresses(connection, organisation, staff) if staff else []
    last = await oncall.addresses(connection, organisation, None)
    ours = [
        Address(
            id=uuid.uuid5(uuid.NAMESPACE_URL, url),
            staff_id=None,
            channel="last_resort",
            address=url,
        )
        for url in outside.last_resort
    ]
    return delivery.order(via, own, [*last, *ours])


async def _tries(
    connection: Connection, page_id: UUID, addresses: list[Address]
) -> dict[UUID, int]:
    """How often each address was tried; a try whose end nobody saw counts."""
    found = await connection.execute(sql.load("alerts")["tries"], {"page": page_id})
    by_name = {row[0]: row[1] for row in await found.fetchall()}
    return {each.id: by_name.get(_name(each), 0) for each in addresses}


def _is_last(addresses: list[Address], tries: dict[UUID, int], choice: Choice | None) -> bool:
    if choice is None:
        return True
    after = {**tries, choice.address.id: tries.get(choice.address.id, 0) + 1}
    return delivery.exhausted(addresses, after)


async def _finish(connection: Connection, attempt: _Attempt, sent: Sent, now: datetime) -> None:
    outcome = "accepted" if sent.ok else "failed"
    wait = delivery.NEXT_ROUND if attempt.last_of_round else delivery.RETRY
    told = {
        "attempt": attempt.id,
        "page": attempt.page_id,
        "outcome": outcome,
        "detail": sent.detail[:200],
        "state": "delivered"
        if sent.ok
        else ("undelivered" if attempt.last_of_round else "pending"),
        "next": None if sent.ok else now + wait,
        "now": now,
    }
    async with connection.transaction():
        await connection.execute(sql.load("alerts")["end_attempt"], told)
        await connection.execute(sql.load("alerts")["end_page"], told)
        if _needs_operations(attempt, sent):
            await incidents.raise_one(connection, _undelivered(attempt), now=now)
    channel = attempt.choice.address.channel if attempt.choice else "none"
    metrics.DELIVERIES.labels(channel, outcome).inc()
    log.info("page_attempt", page=str(attempt.page_id), channel=channel, outcome=outcome)


def _needs_operations(attempt: _Attempt, sent: Sent) -> bool:
    """Nobody was reached, or only through the last resort."""
    beyond = attempt.choice is None or attempt.choice.beyond_person
    if attempt.for_operations and attempt.choice is not None:
        beyond = False
    return beyond or (not sent.ok and attempt.last_of_round)


def _undelivered(attempt: _Attempt) -> Incident:
    return Incident(
        organisation_id=attempt.organisation_id,
        rule_id="notify_undelivered",
        subject=str(attempt.episode_id or attempt.page_id),
        severity=Severity.CRITICAL,
        queue="ops",
        headline="A page reached nobody on duty",
        why="No channel of the person on duty took the page: the last resort is being tried",
    )


def _named(choice: Choice | None) -> str:
    return _name(choice.address) if choice else "none"


def _name(address: Address) -> str:
    return f"{address.channel}:{str(address.id)[:8]}"
