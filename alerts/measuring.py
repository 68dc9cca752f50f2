"""How well the alarm system serves: useful share, times to answer, repeats, missed times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from alerts.severity import Severity
from database import sql

Connection = psycopg.Connection[tuple[Any, ...]]
AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]
Row = tuple[Any, ...]
QUERIES = ("measures_by_severity", "measures_whole", "measures_by_rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class BySeverity:
    """One severity's figures; times in minutes, None where nothing was answered."""

    severity: Severity
    episodes: int
    answered_p50: float | None
    answered_p90: float | None
    missed: int
    """Answered late, or still open beyond their time."""
    repeats: float
    """Readings that attached, per alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of one organisation, or of all, over some days."""

    days: int
    raised: int
    by_severity: tuple[BySeverity, ...]
    closed: int
    with_action: int
    artefacts: int
    downgraded: int
    """Lowered by a second measurement or an earlier reading, before anybody had to call."""
    per_patient_week: float
    per_nurse_hour: float
    pages: int
    undelivered: int
    unowned: int
    """Open, not snoozed, beyond their time, and nobody's."""
    old_overrides: int
    by_rule: Mapping[str, tuple[int, int]]
    """Rule -> (closed, closed with an action): which thresholds earn their alerts."""

    @property
    def useful_share(self) -> float | None:
        """Positive predictive value: closed with an action among all closed by people."""
        return round(self.with_action / self.closed, 3) if self.closed else None

    @property
    def calmed_share(self) -> float | None:
        """Alerts that needed nobody, among all."""
        return round(self.downgraded / self.raised, 3) if self.raised else None


def measure(
    connection: Connection, organisation: UUID | None, *, now: datetime, days: int = 30
) -> Measures:
    """Return the figures of the days before `now`, of one organisation or (None) of all."""
    wanted = {"organisation": organisation, "days": days, "now": now}
    severities, whole, rules = (
        connection.execute(sql.load("alerts")[name], wanted).fetchall() for name in QUERIES
    )
    return _measures(severities, whole[0], rules, days)


async def measured(connection: AsyncConnection, *, now: datetime, days: int) -> Measures:
    """Return the figures of the whole installation."""
    wanted = {"organisation": None, "days": days, "now": now}
    severities, whole, rules = [
        await (await connection.execute(sql.load("alerts")[name], wanted)).fetchall()
        for name in QUERIES
    ]
    return _measures(severities, whole[0], rules, days)


def _measures(severities: Sequence[Row], whole: Row, rules: Sequence[Row], days: int) -> Measures:
    return Measures(
        days=days,
        by_severity=tuple(_severity(row) for row in severities),
        closed=whole[0],
        with_action=whole[1],
        artefacts=whole[2],
        downgraded=whole[3],
        per_patient_week=round(float(whole[4] or 0), 3),
        per_nurse_hour=round(float(whole[5] or 0), 2),
        pages=whole[6],
        undelivered=whole[7],
        unowned=whole[8],
        raised=whole[9],
        old_overrides=whole[10],
        by_rule={row[0]: (row[1], row[2]) for row in rules},
    )


def _severity(row: Row) -> BySeverity:
    return BySeverity(
        severity=Severity(row[0]),
        episodes=row[1],
        answered_p50=_rounded(row[2]),
        answered_p90=_rounded(row[3]),
        missed=row[4],
        repeats=round(float(row[5] or 0), 2),
    )


def _rounded(value: object) -> float | None:
    return None if value is None else round(float(str(value)), 1)
