"""What the scheduler has the database do every few minutes, on TimescaleDB and without it.

Plain PostgreSQL sums up the days that changed and deletes what is past its retention; TimescaleDB
does that by jobs of its own and is only rid of old identities and settled dead letters.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from database import sql

MOST = 20_000
"""Rows of a kind that one transaction deletes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What was done: days of one patient and kind summed up, rows past their retention removed."""

    summed: int
    removed: int


async def maintain(pool: AsyncConnectionPool, *, now: datetime, most: int = MOST) -> Maintained:
    """Maintain until nothing is left to do; at once when another process is at it already."""
    summed = removed = 0
    while True:
        async with pool.connection() as connection:
            done = await _once(connection, now, most)
        summed += done.summed
        removed += done.removed
        if done.removed == 0:
            return Maintained(summed=summed, removed=removed)


async def _once(
    connection: AsyncConnection[tuple[Any, ...]], now: datetime, most: int
) -> Maintained:
    query = sql.load("database")["maintain"]
    row = await (await connection.execute(query, {"now": now, "most": most})).fetchone()
    if row is None:
        raise RuntimeError("maintain() returned no row")
    return Maintained(summed=row[0], removed=row[1])
