"""How the alarm system serves, as numbers for Prometheus; only the leading process shows them."""

import math
from datetime import datetime
from typing import Any

import psycopg

from alerts import measuring, metrics
from alerts.measuring import Measures
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
DAYS = 7
PLAIN = (
    metrics.USEFUL,
    metrics.CALMED,
    metrics.PER_NURSE_HOUR,
    metrics.PER_PATIENT_WEEK,
    metrics.UNOWNED,
    metrics.OVERRIDES_DUE,
)
LABELLED = (metrics.OPEN, metrics.ANSWERED, metrics.RAISED, metrics.MISSED, metrics.REPEATS)


async def refresh(connection: Connection, *, now: datetime) -> Measures:
    """Measure the last week and set every gauge; return what was found."""
    found = await measuring.measured(connection, now=now, days=DAYS)
    counted = await connection.execute(sql.load("alerts")["open_by_severity"])
    show(found)
    metrics.OPEN.clear()
    for severity, technical, count in await counted.fetchall():
        metrics.OPEN.labels(Severity(severity).word, str(technical).lower()).set(count)
    return found


def show(found: Measures) -> None:
    """Set the gauges; a severity that had nothing has none."""
    forget()
    for row in found.by_severity:
        word = row.severity.word
        for quantile, minutes in (("0.5", row.answered_p50), ("0.9", row.answered_p90)):
            if minutes is not None:
                metrics.ANSWERED.labels(word, quantile).set(60 * minutes)
        metrics.RAISED.labels(word).set(row.episodes)
        metrics.MISSED.labels(word).set(row.missed)
        metrics.REPEATS.labels(word).set(row.repeats)
    metrics.USEFUL.set(_or_nothing(found.useful_share))
    metrics.CALMED.set(_or_nothing(found.calmed_share))
    metrics.PER_NURSE_HOUR.set(found.per_nurse_hour)
    metrics.PER_PATIENT_WEEK.set(found.per_patient_week)
    metrics.UNOWNED.set(found.unowned)
    metrics.OVERRIDES_DUE.set(found.old_overrides)


def forget() -> None:
    """Show nothing: another process leads now."""
    for gauge in LABELLED:
        gauge.clear()
    for gauge in PLAIN:
        gauge.set(math.nan)


def _or_nothing(share: float | None) -> float:
    return math.nan if share is None else share
