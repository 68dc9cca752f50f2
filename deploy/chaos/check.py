"""The count at the end: every id once, every alert that should be there once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from deploy.chaos.homes import BREACH_MG_DL, Home

RULE = "glu_very_high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a plan left behind."""

    readings: int
    missing: int
    doubled: int
    alerts: int
    alerts_missing: int
    alerts_doubled: int

    @property
    def clean(self) -> bool:
        """Whether nothing is missing and nothing is there twice."""
        return not (self.missing or self.doubled or self.alerts_missing or self.alerts_doubled)


def count(owner: psycopg.Connection[tuple[Any, ...]], homes: list[Home]) -> Count:
    """Compare what the homes measured with what the database holds."""
    made: set[UUID] = set().union(*(home.made for home in homes))
    names = [home.device for home in homes]
    stored = [
        row[0]
        for row in owner.execute(
            "select reading_id from reading where device_id = any(%(names)s)"
            " union all select id from quarantine where device_id = any(%(names)s)",
            {"names": names},
        )
    ]
    due = _rows(
        owner,
        "select distinct patient_id from reading where device_id = any(%s) and value >= %s"
        " and status = 'accepted'",
        names,
        BREACH_MG_DL,
    )
    there = _rows(
        owner,
        "select patient_id from alert where rule_id = %s and patient_id in"
        " (select patient_id from device_assignment where device_id = any(%s))",
        RULE,
        names,
    )
    return Count(
        readings=len(made),
        missing=len(made - set(stored)),
        doubled=len(stored) - len(set(stored)),
        alerts=len(due),
        alerts_missing=len(set(due) - set(there)),
        alerts_doubled=len(there) - len(set(there)),
    )


def waiting(owner: psycopg.Connection[tuple[Any, ...]]) -> int:
    """Return how many readings no rule has looked at."""
    return int(_rows(owner, "select count(*) from to_evaluate")[0])


def _rows(owner: psycopg.Connection[tuple[Any, ...]], query: str, *values: object) -> list[Any]:
    return [row[0] for row in owner.execute(query.encode(), values or None)]
