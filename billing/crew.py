"""A month's patients dealt out to several processes: whoever is free takes the next share."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from billing.gather import Connection, Share
from database.pool import connect

PATIENTS_EACH = 1000
"""For fewer than this, starting another process takes longer than it saves."""
MOST = 4
"""Processes beside each other: each holds one connection."""
AHEAD = 2
"""Shares that wait for each process."""
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many processes work, and the database that each of them opens."""

    dsn: str
    processes: int


def of(dsn: str, patients: int) -> Crew:
    """Return the crew that so many patients are worth on this machine."""
    return Crew(dsn=dsn, processes=min(os.cpu_count() or 1, MOST, 1 + patients // PATIENTS_EACH))


def deal(
    shares: Iterable[Share],
    work: Callable[[Connection, Share], Done],
    connection: Connection,
    crew: Crew | None = None,
) -> Iterator[Done]:
    """Yield what each share gave, in order; without a crew they are done here, one by one."""
    if crew is None or crew.processes == 1:
        yield from (work(connection, share) for share in shares)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(crew.processes, mp_context=context, initializer=_tie) as pool:
        running: deque[Future[Done]] = deque()
        for share in shares:
            running.append(pool.submit(_done, crew.dsn, work, share))
            if len(running) >= AHEAD * crew.processes:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _tie() -> None:
    """End with the process that deals: after its kill -9 nobody else would end this one."""
    Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    if dealer := parent_process():
        dealer.join()
        os._exit(1)


def _done(dsn: str, work: Callable[[Connection, Share], Done], share: Share) -> Done:
    return work(_opened(dsn), share)


@cache
def _opened(dsn: str) -> Connection:
    """Return this process's own connection, opened once."""
    return connect(dsn, autocommit=True)
