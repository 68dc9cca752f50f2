"""Connections: one pool a process, rows as tuples, UTC sessions, no server-side prepared names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

OPTIONS = "-c timezone=UTC"


def connect(dsn: str, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Open one blocking connection; unprepared, so that it also works through a pooler."""
    return psycopg.connect(dsn, autocommit=autocommit, prepare_threshold=None, options=OPTIONS)


@asynccontextmanager
async def open_pool(
    dsn: str, *, least: int = 1, most: int = 10
) -> AsyncIterator[AsyncConnectionPool]:
    """Open a pool of asynchronous connections and close it at the end."""
    settings = {"prepare_threshold": None, "options": OPTIONS}
    pool = AsyncConnectionPool(dsn, min_size=least, max_size=most, kwargs=settings, open=False)
    async with pool:
        yield pool


@asynccontextmanager
async def as_organisation(
    pool: AsyncConnectionPool, organisation_id: UUID
) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    """One transaction that sees only the given organisation's rows (for the web role)."""
    async with pool.connection() as connection:
        await connection.execute(
            "select set_config('tidings.organisation', %s, true)", (str(organisation_id),)
        )
        yield connection
