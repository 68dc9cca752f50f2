"""Simulated browsers: each holds the stream of events open and asks for the rows it is told of."""

import asyncio
import gzip
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

GATHERS_S = 0.01
"""A page waits so long for more before it asks, and rests as long as its last answer took:
dashboards/static/js/worklist.js."""
COUNTS_S = 2.0
"""A page asks for the numbers above its list after this to three times this: the same file."""
PATIENCE_S = 20.0
PAUSE_S = 0.5
AT_ONCE = 20
"""Browsers that open their stream at the same time."""
OK = "200"
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True, kw_only=True)
class Change:
    """One change: when it was committed, when each browser was told, when it had the row."""

    at: float = math.inf
    told: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    audience: int
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, now: float) -> None:
        """Note that one more browser has the row."""
        self.shown.append(now)
        if len(self.shown) == self.audience:
            self.whole.set()


@dataclass(slots=True, kw_only=True)
class Browser:
    """One page with the worklist open."""

    port: int
    cookie: str
    changes: dict[str, Change]
    failed: list[str]
    _link: Link | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: list[str] = field(default_factory=list)
    _refresh: asyncio.Task[None] | None = None
    _counting: asyncio.Task[None] | None = None
    _rests_until: float = 0

    async def listen(self, gate: asyncio.Semaphore, ready: asyncio.Event) -> None:
        """Open the page, hold its stream open until cancelled; fetch what it tells of."""
        async with gate:
            await self._ask("/worklist")
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(_request("/events", self.cookie))
            while not (line := await reader.readline()).startswith(b"event: hello"):
                if not line:
                    raise ConnectionError("the stream ended before it began")
        ready.set()
        name = ""
        async for raw in reader:
            said = raw.decode().strip()
            if said.startswith("event: "):
                name = said.removeprefix("event: ")
            elif said.startswith("data: ") and name in {"rows", "new"}:
                self._hear(json.loads(said.removeprefix("data: "))["ids"])

    def _hear(self, ids: Sequence[str]) -> None:
        now = time.monotonic()
        known = [each for each in ids if each in self.changes]
        for each in known:
            self.changes[each].told.append(now)
        self._changed += known
        if self._changed and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._refresh_rows())
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count())

    async def _count(self) -> None:
        """Ask for the numbers above the list some time later."""
        await asyncio.sleep(COUNTS_S * (1 + 2 * random.random()))
        await self._ask("/worklist/rows")

    async def _refresh_rows(self) -> None:
        while self._changed:
            await asyncio.sleep(max(GATHERS_S, self._rests_until - time.monotonic()))
            ids, self._changed = self._changed, []
            began = time.monotonic()
            wanted = "&".join(f"ids={each}" for each in ids)
            status, page = await self._ask(f"/worklist/rows?numbers=no&{wanted}")
            now = time.monotonic()
            self._rests_until = 2 * now - began
            for each in ids:
                if status == OK and f"e-{each}" in page:
                    self.changes[each].show(now)
                else:
                    self.failed.append(status)

    async def _ask(self, path: str) -> tuple[str, str]:
        """Ask over the link that is there, else over a new one: the server ends idle ones."""
        async with self._turn:
            return await self._ask_alone(path)

    async def _ask_alone(self, path: str) -> tuple[str, str]:
        if self._link is not None:
            with suppress(OSError, asyncio.IncompleteReadError):
                return await self._ask_over(self._link, path)
        self._link = await asyncio.open_connection("127.0.0.1", self.port)
        return await self._ask_over(self._link, path)

    async def _ask_over(self, link: Link, path: str) -> tuple[str, str]:
        reader, writer = link
        writer.write(_request(path, self.cookie))
        return await _answer(reader)


def heard(
    port: int, many: int, ids: Sequence[UUID], change: Callable[[UUID], None]
) -> dict[str, object]:
    """Open `many` browsers, change one episode after the other, tell how long browsers waited."""
    return asyncio.run(_heard(port, many, ids, change))


async def _heard(
    port: int, many: int, ids: Sequence[UUID], change: Callable[[UUID], None]
) -> dict[str, object]:
    changes = {str(each): Change(audience=many) for each in ids}
    failed: list[str] = []
    began = time.monotonic()
    listening = await _all_connected(port, many, changes, failed)
    connected = time.monotonic() - began
    for each in ids:
        await asyncio.to_thread(change, each)
        changes[str(each)].at = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(changes[str(each)].whole.wait(), PATIENCE_S)
        await asyncio.sleep(PAUSE_S)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return {"listeners": many, "connected_s": round(connected, 1)} | _figures(changes, many, failed)


async def _all_connected(
    port: int, many: int, changes: dict[str, Change], failed: list[str]
) -> list[asyncio.Task[None]]:
    gate = asyncio.Semaphore(AT_ONCE)
    ready = [asyncio.Event() for _ in range(many)]
    listening = []
    for number, event in enumerate(ready, 1):
        browser = Browser(port=port, cookie=f"bench-{number}", changes=changes, failed=failed)
        listening.append(asyncio.create_task(browser.listen(gate, event)))
    connected = asyncio.gather(*(each.wait() for each in ready))
    either: list[asyncio.Future[Any]] = [connected, *listening]
    first = asyncio.FIRST_COMPLETED  # no browser ends by itself: one that has, has failed
    await asyncio.wait(either, timeout=PATIENCE_S + many, return_when=first)
    if not connected.done():
        raise ConnectionError(next((str(t.exception()) for t in listening if t.done()), "too slow"))
    return listening


def _figures(changes: dict[str, Change], many: int, failed: list[str]) -> dict[str, object]:
    told = [1000 * (at - change.at) for change in changes.values() for at in change.told]
    shown = [1000 * (at - change.at) for change in changes.values() for at in change.shown]
    wanted = many * len(changes)
    return {
        "changes": len(changes),
        "told_ms": spread(told),
        "row_ms": spread(shown),
        "never_told": wanted - len(told),
        "never_shown": wanted - len(shown),
        "refused": len(failed),
    }


def spread(found: Sequence[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the worst, in what was given."""
    if not found:
        return {}
    ordered = sorted(found)
    p95 = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    middle = ordered[len(ordered) // 2]
    return {"p50": round(middle, 1), "p95": round(p95, 1), "max": round(ordered[-1], 1)}


def text(encoding: str, body: bytes) -> str:
    """Return a page's text as a browser unpacks it."""
    return (gzip.decompress(body) if encoding == "gzip" else body).decode()


def _request(path: str, cookie: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "host: 127.0.0.1", f"cookie: sid={cookie}")
    more = ("accept-encoding: gzip", "accept: */*", "tidings-background: 1")
    return "\r\n".join((*lines, *more, "", "")).encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Read one answer whose length is told; return its status and its text."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    told = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    body = await reader.readexactly(int(told["content-length"]))
    return head[0].split()[1], text(told.get("content-encoding", ""), body)
