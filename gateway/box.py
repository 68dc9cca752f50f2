"""The box put together: disk, broker, radio or recorded frames; one readable place."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import structlog

from devices import models, wire
from gateway import heartbeat
from gateway.commands import Commands, Orders, RefusedError
from gateway.credentials import Credentials
from gateway.link import Address, Link
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.publisher import Publisher
from gateway.pulse import Body, Pulse
from gateway.registry import Registry
from gateway.sealing import Plain, Seal, Sealed, SealError
from gateway.settings import KnownDevice, Settings
from gateway.source import Enrolment, Source, open_source
from gateway.store import Store
from gateway.surroundings import Surroundings

log = structlog.get_logger()

EXIT_STOPPED = 0
_PAIR_FOR_S = 120
_END_WITHIN_S = 3.0
_CANCEL_TRIES = 3


@dataclass(slots=True)
class Parts:
    """What a running box consists of."""

    store: Store
    outbox: Outbox
    registry: Registry
    source: Source


class Box:
    """Listens to the link and keeps the parts going until told to stop."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._metrics = Metrics(settings.metrics_port)
        store = Store(Path(settings.outbox), _seal(settings))
        registry = Registry(store)
        registry.enrolled_as(settings.broker.fingerprint)
        outbox = Outbox(store, settings.gateway)
        self._parts = Parts(
            store=store,
            outbox=outbox,
            registry=registry,
            source=open_source(settings, around, outbox, registry, self._metrics),
        )
        self._credentials = Credentials(store, settings.broker)
        address = Address(
            prefix=settings.topic_prefix,
            client_id=settings.gateway,
            last_words=heartbeat.last_words(settings.gateway),
        )
        self._link = Link(settings.broker, address, self)
        self._link.use(*self._credentials.current())
        self._publisher = Publisher(outbox, self._link, settings.pace, around)
        self._pulse = Pulse(self._body())
        self._commands = Commands(store, self._orders(), around, self._answer)

    async def run(self, stop: asyncio.Event) -> int:
        """Run until asked to stop or until the radio is beyond help; return the exit code."""
        self._metrics.start()
        self._link.start()
        source = self._parts.source
        source.on_caught(self._publisher.wake)
        tasks = [
            asyncio.create_task(self._publisher.run(), name="publisher"),
            asyncio.create_task(self._pulse.run(), name="pulse"),
            asyncio.create_task(source.run(), name="source"),
            asyncio.create_task(stop.wait(), name="stop"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return _outcome(done)
        finally:
            await _end(tasks)
            await self._commands.stop()
            await self._link.stop()
            self._metrics.stop()
            self._parts.store.close()

    def connected(self, *, session_present: bool) -> None:
        """The broker took us."""
        log.info("broker_connected", session_present=session_present)
        self._credentials.accepted()
        self._publisher.connected(session_present=session_present)
        self._pulse.soon()
        self._commands.resume()

    def disconnected(self, reason: str) -> None:
        """The connection is gone; it comes back by itself."""
        log.warning("broker_disconnected", reason=reason)

    def refused(self, code: int) -> None:
        """The broker does not want us: a revoked or a mistyped credential."""
        log.error("broker_refused_us", code=code)
        self._link.use(*self._credentials.refused())

    def answered(self, mid: int, code: int) -> None:
        """A PUBACK."""
        self._publisher.answered(mid, code)

    def heard(self, channel: str, body: bytes) -> None:
        """An acknowledgement or a command; what cannot be read is logged and let go."""
        try:
            if channel == "acks":
                self._publisher.acknowledged(body)
            elif channel == "commands":
                self._commands.take(wire.load(body, wire.Command))
        except wire.WireError as error:
            log.warning("message_not_understood", channel=channel, reason=error.reason)

    async def _pair(self, command: wire.Command) -> str:
        """Open the enrolment mode for one device, for as long as ordered."""
        lasts = timedelta(seconds=command.seconds or _PAIR_FOR_S)
        wanted = Enrolment(device=command.device, passkey=command.passkey, lasts=lasts)
        return await self._parts.source.pair(wanted)

    async def _forget(self, command: wire.Command) -> str:
        device = self._known(command)
        await self._parts.source.forget(device)
        self._parts.registry.forget(device)
        return f"{device} forgotten"

    async def _set_clock(self, command: wire.Command) -> str:
        identity = self._known(command)
        device = self._parts.registry.get(identity)
        if device is None or not _clock_is_ours(device.model):
            raise RefusedError("the clock of this model is not ours to set")
        self._parts.registry.want_clock(identity, wanted=True)
        return "at the next visit"

    async def _report_now(self, command: wire.Command) -> str:
        if command.arguments.get("everything") == "yes":
            self._parts.outbox.forget_seen()
        self._parts.outbox.hurry(self._around.now())
        self._publisher.wake()
        self._pulse.soon()
        return "reported"

    async def _rotate(self, command: wire.Command) -> str:
        password = command.arguments.get("password")
        if not password:
            raise RefusedError("no password in the arguments")
        self._credentials.rotate(password)
        self._link.use(*self._credentials.current())
        return "kept; used from the next connection on"

    def _known(self, command: wire.Command) -> str:
        """The device of this home that the order names: met before, or only listed so far."""
        wanted = command.device or ""
        listed = {one.identity for one in self._listed()} - {""}
        if self._parts.registry.get(wanted) is None and wanted not in listed:
            raise RefusedError(f"device {command.device} is not known here")
        return wanted

    def _listed(self) -> tuple[KnownDevice, ...]:
        return self._parts.registry.still_listed(self._settings.devices)

    def _answer(self, body: bytes) -> int | None:
        return self._link.publish("results", body)

    def _orders(self) -> Orders:
        return Orders(
            pair=self._pair,
            forget=self._forget,
            set_clock=self._set_clock,
            report_now=self._report_now,
            rotate_credential=self._rotate,
        )

    def _body(self) -> Body:
        return Body(
            settings=replace(self._settings, devices=self._listed()),
            around=self._around,
            outbox=self._parts.outbox,
            registry=self._parts.registry,
            publisher=self._publisher,
            source=self._parts.source,
            metrics=self._metrics,
            version=_version(),
            say=lambda body: self._link.publish("status", body, retain=True),
        )


def _clock_is_ours(model: str) -> bool:
    try:
        return models.by_name(model).clock is not None
    except KeyError:
        return False


def _seal(settings: Settings) -> Seal:
    if settings.outbox_key is None:
        return Plain()
    try:
        return Sealed(bytes.fromhex(settings.outbox_key))
    except ValueError as error:
        raise SealError(f"outbox_key: {error}") from error


def _version() -> str:
    try:
        return version("tidings")
    except PackageNotFoundError:
        return ""


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel, and again where a library has swallowed it: SIGTERM is not to hang."""
    pending = set(tasks)
    for _ in range(_CANCEL_TRIES):
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_END_WITHIN_S)
        if not pending:
            return
    log.warning("not_ended", tasks=[task.get_name() for task in pending])


def _outcome(done: Iterable[asyncio.Task[Any]]) -> int:
    """The stop signal ends well; a part that ended by itself says how, or raises its error."""
    for task in done:
        result = task.result()
        if isinstance(result, int) and not isinstance(result, bool):
            return result
    return EXIT_STOPPED
