"""An alert worker on whose database connection a fault waits: a process that ends where told."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

from alerts import catalogue, routing, worker
from database.pool import OPTIONS, connect

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
JUDGING = worker.Judging(
    catalogue=catalogue.product(), table=routing.table(), patients=1, clock=lambda: NOON
)
"""Made on import, once for all the processes that are forked from here."""


class Fault(StrEnum):
    """How a worker ends."""

    BEFORE = "killed before the statement was sent"
    AFTER = "killed when it was sent, its answer unread"
    BACKEND = "its database backend terminated"


def live(dsn: str, fault: Fault, at: int) -> None:
    """Judge one patient a transaction until the queue is empty, or until the fault comes."""
    try:
        asyncio.run(_work(dsn, fault, at))
    except psycopg.OperationalError:
        os._exit(1)


async def _work(dsn: str, fault: Fault, at: int) -> None:
    connection = await Mortal.connect(dsn, autocommit=True, prepare_threshold=None, options=OPTIONS)
    connection.fault, connection.left = fault, at
    async with connection:
        await worker.drain(connection, JUDGING)


class Mortal(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection on which a fault waits at one of its round trips."""

    fault = Fault.BEFORE
    left = sys.maxsize

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  # as psycopg has it
    ) -> RV:
        """Make one round trip, or end there."""
        self.left -= 1
        if self.left == 0 and self.fault is Fault.BACKEND:
            with connect(self.info.dsn) as other:
                other.execute("select pg_terminate_backend(%s)", (self.info.backend_pid,))
        elif self.left == 0:
            if self.fault is Fault.AFTER:
                next(gen, None)
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().wait(gen, interval, timeout)
