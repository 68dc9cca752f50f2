"""Orders from the server: carried out at most once per id, not after they expire, and answered.

That they may be given at all is decided by the topic on which they come: the broker lets only the
server write there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from devices import wire
from devices.wire import Command, Result
from gateway import clock
from gateway.store import Store
from gateway.surroundings import Surroundings

log = structlog.get_logger()

_KEEP_ANSWERS_FOR = timedelta(days=30)


class RefusedError(Exception):
    """The order cannot be carried out; the text is the reason that the server gets."""


Order = Callable[[Command], Awaitable[str]]
"""Carries the command out and returns what to say of it, or raises RefusedError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Who carries out which command."""

    pair: Order
    forget: Order
    set_clock: Order
    report_now: Order
    rotate_credential: Order


class Commands:
    """Remembers what was ordered and answered, so that a repeated command is answered alike."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        around: Surroundings,
        answer: Callable[[bytes], int | None],
    ) -> None:
        self._store = store
        self._orders = orders
        self._around = around
        self._answer = answer
        self._running: dict[bytes, asyncio.Task[None]] = {}

    def take(self, command: Command) -> None:
        """Accept a command: it is on the disk when this returns, and is carried out in its turn."""
        key = command.id.bytes
        found = self._store.run("command_result", key)
        if found and found[0][0] is not None:
            self._tell(key, self._store.seal.open(found[0][0]))
            return
        body = self._store.seal.close(wire.dump(command))
        self._store.run("command_put", key, body, clock.to_text(command.expires_at))
        self._start(command)

    def resume(self) -> None:
        """After a restart or a gap: carry out what was left open, answer what was left unsaid."""
        for (body,) in self._store.run("commands_open"):
            self._start(wire.load(self._store.seal.open(body), Command))
        for key, body in self._store.run("commands_untold"):
            self._tell(key, self._store.seal.open(body))
        old = self._around.now() - _KEEP_ANSWERS_FOR
        self._store.run("commands_forget", clock.to_text(old))

    async def stop(self) -> None:
        """End what is under way; it is taken up again after the restart."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, command: Command) -> None:
        key = command.id.bytes
        if key not in self._running:
            task = asyncio.create_task(self._carry_out(command), name=f"command {command.command}")
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _carry_out(self, command: Command) -> None:
        result = await self._result(command)
        log.info("command", command=command.command, ok=result.ok, reason=result.reason)
        body = wire.dump(result)
        self._store.run("command_finish", self._store.seal.close(body), command.id.bytes)
        self._tell(command.id.bytes, body)

    async def _result(self, command: Command) -> Result:
        if self._around.now() >= command.expires_at:
            return _answer(command, ok=False, reason="expired")
        order: Order = getattr(self._orders, command.command)
        try:
            return _answer(command, ok=True, reason=await order(command))
        except RefusedError as refusal:
            return _answer(command, ok=False, reason=str(refusal))
        except Exception as error:
            log.exception("command_failed", command=command.command)
            return _answer(command, ok=False, reason=f"failed: {type(error).__name__}")

    def _tell(self, key: bytes, body: bytes) -> None:
        if self._answer(body) is not None:
            self._store.run("command_told", key)


def _answer(command: Command, *, ok: bool, reason: str) -> Result:
    return Result(v=wire.VERSION, id=command.id, ok=ok, reason=reason)
