"""A bound on how long the database may say nothing: after it, it is as good as away."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")
_GRACE_S = 0.05


class SilentError(psycopg.OperationalError):
    """No answer in time, and no error either: a frozen server, or a network that swallows."""


async def within(limit_s: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; SilentError when it takes longer, its connection is unusable."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
        if done:
            return task.result()
    finally:
        await _abandon(task)
    raise SilentError(f"no answer from the database within {limit_s:g} s")


async def _abandon(task: "asyncio.Task[Any]") -> None:
    """Cancel until it is over: psycopg answers the first time by waiting for the server again."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_GRACE_S)
