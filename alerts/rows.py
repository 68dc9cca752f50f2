"""Between rows and values: how an episode is read from, and written to, its table."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from psycopg import AsyncCursor

from alerts.lifecycle import Episode

_FIELDS = tuple(field.name for field in fields(Episode))
_TUPLES = {"sparkline", "snoozed_kinds"}
MUTABLE = (
    "queue", "severity", "headline", "why", "alert_count", "due_at", "owner_id", "claimed_at",
    "lease_until", "snoozed_until", "snooze_reason", "sparkline", "closed_at", "wakes_on_reading",
    "snoozed_kinds", "snoozed_severity", "kind", "risk", "waiting", "closed_by", "reopened_at",
    "cosign_due_at", "cosigned_by", "cosigned_at", "worst_severity", "acknowledged_at",
)  # fmt: skip
"""Columns that change during an episode's life; queries.sql writes exactly these."""


def episode(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], Episode]:
    """Row factory: an Episode by column name, whatever other columns come along."""
    names = [column.name for column in cursor.description or ()]
    places = {name: names.index(name) for name in _FIELDS if name in names}

    def make(values: Sequence[Any]) -> Episode:
        told: dict[str, Any] = {name: values[place] for name, place in places.items()}
        told |= {name: tuple(told[name]) for name in _TUPLES}
        return Episode(**told)

    return make


def mutable(row: Episode) -> dict[str, object]:
    """The columns that may change, as query parameters."""
    told = {name: getattr(row, name) for name in MUTABLE}
    return {k: list(v) if k in _TUPLES else v for k, v in told.items()}
