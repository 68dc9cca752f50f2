"""Technical alerts of a patient's equipment: their own line, opened and closed by the system."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from alerts import channel, rows
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
WITHIN = {
    Severity.CRITICAL: timedelta(minutes=5),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(days=1),
    Severity.LOW: timedelta(days=7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about equipment or set-up that a person should see to."""

    patient_id: UUID
    organisation_id: UUID
    rule_id: str
    severity: Severity
    queue: str
    headline: str
    why: str


async def open_alert(connection: Connection, finding: Finding, *, now: datetime) -> bool:
    """Open the alert, or bring an open one up to date; True when something changed.

    The caller holds the patient's lock.
    """
    told = {
        "patient": finding.patient_id,
        "organisation": finding.organisation_id,
        "rule": finding.rule_id,
        "severity": int(finding.severity),
        "queue": finding.queue,
        "headline": finding.headline,
        "why": finding.why,
        "due": now + WITHIN[finding.severity],
        "now": now,
        "alert": uuid.uuid4(),
        "episode": uuid.uuid4(),
    }
    await connection.execute(sql.load("alerts")["technical_episode"], told)
    changed = await connection.execute(sql.load("alerts")["technical_alert"], told)
    if await changed.fetchone() is None:
        return False
    await _refresh(connection, finding.patient_id, now)
    return True


async def close_alert(
    connection: Connection, patient_id: UUID, rule_id: str, *, reason: str, now: datetime
) -> bool:
    """Close the alert because its cause is gone, and the line with the last of them."""
    told = {"patient": patient_id, "rule": rule_id, "reason": reason, "now": now}
    closed = await connection.execute(sql.load("alerts")["technical_close"], told)
    if await closed.fetchone() is None:
        return False
    await _refresh(connection, patient_id, now)
    return True


async def _refresh(connection: Connection, patient_id: UUID, now: datetime) -> None:
    async with connection.cursor(row_factory=rows.episode) as cursor:
        wanted = {"patient": patient_id, "now": now.astimezone(UTC)}
        await cursor.execute(sql.load("alerts")["technical_line"], wanted)
        episode = await cursor.fetchone()
    if episode is not None:
        notice = channel.changed(episode, new=episode.version == 1)
        await connection.execute("select pg_notify(%s, %s)", (channel.WORKLIST, notice))
