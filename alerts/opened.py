"""Read what patients have open already: episodes, alerts, and the evidence behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import psycopg

from alerts import rows
from alerts.lifecycle import Episode
from alerts.policy import Alert, Evidence
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass(slots=True)
class Alerts:
    """Open alerts, and the last closed of each rule, by patient and rule."""

    open: dict[UUID, dict[str, Alert]] = field(default_factory=dict)
    closed: dict[UUID, dict[str, Alert]] = field(default_factory=dict)


async def episodes(
    connection: Connection, patients: Sequence[UUID], *, technical: bool
) -> dict[UUID, Episode]:
    """Return and lock the open episode of each patient who has one."""
    async with connection.cursor(row_factory=rows.episode) as cursor:
        wanted = {"patients": list(patients), "technical": technical}
        await cursor.execute(sql.load("alerts")["open_episodes"], wanted)
        return {each.patient_id: each for each in await cursor.fetchall()}


async def alerts(connection: Connection, patients: Sequence[UUID], now: datetime) -> Alerts:
    """Return the alerts of each patient with their evidence."""
    wanted = {"patients": list(patients), "technical": False, "now": now}
    async with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        await cursor.execute(sql.load("alerts")["alerts_of"], wanted)
        found = await cursor.fetchall()
    proofs: dict[UUID, dict[UUID, Evidence]] = {}
    ids = [row["id"] for row in found]
    for row in await _evidence(connection, ids):
        proofs.setdefault(row[0], {})[row[1]] = _proof(row)
    result = Alerts()
    for each in found:
        place = result.open if each["closed_at"] is None else result.closed
        made = _alert(each, proofs.get(each["id"], {}))
        place.setdefault(each["patient_id"], {})[made.rule_id] = made
    return result


def _alert(row: Mapping[str, Any], proofs: Mapping[UUID, Evidence]) -> Alert:
    same = ("id", "rule_id", "rule_version", "profile", "kind", "route", "state", "headline", "why",
            "raised_at", "due_at", "closed_at", "counts_from", "technical")  # fmt: skip
    told: dict[str, Any] = {name: row[name] for name in same}
    return Alert(
        **told, severity=Severity(row["severity"]), evidence=MappingProxyType(dict(proofs))
    )


async def _evidence(connection: Connection, ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    found = await connection.execute(sql.load("alerts")["evidence_of"], {"alerts": ids})
    return await found.fetchall()


def _proof(row: Sequence[Any]) -> Evidence:
    return Evidence(
        reading_id=row[1],
        at=row[2],
        severity=Severity(row[3]),
        standing=row[4],
        headline=row[5],
        why=row[6],
        reading_ids=tuple(row[7]),
        computed=row[8],
        late=row[9],
        answered_normal=row[10],
    )
