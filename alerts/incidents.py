"""Operations' own alarms: one open per cause, closed when the cause is gone; no patient in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something about the system that operations must see to."""

    organisation_id: UUID | None
    rule_id: str
    subject: str
    severity: Severity
    queue: str
    headline: str
    why: str


async def raise_one(connection: Connection, incident: Incident, *, now: datetime) -> bool:
    """Open the incident, or count it again; True when it is new."""
    told = {
        "organisation": incident.organisation_id,
        "rule": incident.rule_id,
        "subject": incident.subject,
        "severity": int(incident.severity),
        "queue": incident.queue,
        "headline": incident.headline,
        "why": incident.why,
        "now": now,
    }
    found = await connection.execute(sql.load("alerts")["raise_incident"], told)
    row = await found.fetchone()
    return bool(row and row[0])


async def close(
    connection: Connection, rule_id: str, subject: str, *, reason: str, now: datetime
) -> None:
    """Close what is open for that cause."""
    told = {"rule": rule_id, "subject": subject, "reason": reason, "now": now}
    await connection.execute(sql.load("alerts")["close_incident"], told)
