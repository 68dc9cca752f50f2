"""The regular look at everything: heartbeat, technical events, housekeeping."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from devices import wire
from gateway import events, heartbeat
from gateway.events import Trouble
from gateway.heartbeat import Vitals
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.publisher import Publisher
from gateway.registry import Registry
from gateway.settings import Settings
from gateway.surroundings import Surroundings

log = structlog.get_logger()


class Source(Protocol):
    """Where frames come from, as far as the pulse wants to know."""

    def radio(self) -> heartbeat.Radio:
        """How the radio is."""

    def troubles(self) -> list[Trouble]:
        """What is wrong with the radio and its devices."""

    def note_sightings(self) -> None:
        """Write down when each device was last heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The parts of the box that the pulse looks at."""

    settings: Settings
    around: Surroundings
    outbox: Outbox
    registry: Registry
    publisher: Publisher
    source: Source
    metrics: Metrics
    version: str
    say: Callable[[bytes], object]
    """Publish a status, retained."""


class Pulse:
    """Beats at the set interval, and at once when asked to report."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._started_at = body.around.now()
        self._told: dict[str, datetime] = {}
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Beat for as long as the box runs."""
        while True:
            self._now.clear()
            self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._body.settings.heartbeat_s):
                    await self._now.wait()

    def soon(self) -> None:
        """Beat now: somebody asked, or the connection is back."""
        self._now.set()

    def beat(self) -> None:
        """Look at everything once; say how it is and what is wrong."""
        body = self._body
        body.source.note_sightings()
        body.registry.refresh()
        self._tell(self._troubles())
        vitals, devices = self.vitals(), body.registry.all()
        body.metrics.show(vitals, body.publisher.counts, devices)
        status = heartbeat.status(body.settings.gateway, vitals, devices)
        body.say(wire.dump(status))
        body.publisher.wake()

    def vitals(self) -> Vitals:
        """Return how the box is just now."""
        body = self._body
        return Vitals(
            at=body.around.now(),
            started_at=self._started_at,
            version=body.version,
            radio=body.source.radio(),
            synced=body.around.synced(),
            depth=body.outbox.depth(),
            disk_free_mb=body.around.disk_free_mb(),
        )

    def _troubles(self) -> list[Trouble]:
        body, vitals = self._body, self.vitals()
        troubles = events.of_space(vitals.depth, vitals.disk_free_mb, body.settings.limits)
        if not vitals.synced:
            troubles.append(Trouble(word=events.Word.GATEWAY_CLOCK, detail="not synchronised"))
        for known in body.registry.still_listed(body.settings.devices):
            found = body.registry.find(known.identity, known.address)
            troubles += events.of_silence(known, found, since=self._started_at, now=vitals.at)
        return troubles + body.source.troubles()

    def _tell(self, troubles: list[Trouble]) -> None:
        now = self._body.around.now()
        fresh, self._told = events.news(troubles, self._told, now)
        for trouble in fresh:
            log.warning("technical_event", word=trouble.word, device=trouble.device)
            self._body.outbox.report(events.event(self._body.settings.gateway, trouble, now))
