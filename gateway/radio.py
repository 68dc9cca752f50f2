"""The radio of the box: ears, household and reception put together as a source of frames."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from devices import models
from gateway import events, heartbeat
from gateway.agent import PairingAgent
from gateway.bluez import Bluez
from gateway.commands import RefusedError
from gateway.ears import Ears
from gateway.events import Room, Trouble, Word
from gateway.household import Household
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.reception import Host, Reception
from gateway.registry import Registry
from gateway.session import Tools
from gateway.settings import Settings
from gateway.sightings import Wanted
from gateway.source import Enrolment
from gateway.surroundings import Surroundings

log = structlog.get_logger()


class RadioSource:
    """Catches frames from the devices of this home."""

    def __init__(
        self,
        settings: Settings,
        around: Surroundings,
        outbox: Outbox,
        registry: Registry,
        metrics: Metrics,
    ) -> None:
        models.known()  # parsed now, not when the first device speaks
        self._settings = settings
        self._around = around
        self._outbox = outbox
        self._registry = registry
        self._metrics = metrics
        self._wake: Callable[[], None] = _nobody
        self._household = Household(settings, registry)
        agent = PairingAgent(allowed=self._household.may_pair, passkey=self._household.passkey)
        self._bluez = Bluez(agent)
        self._reception = Reception(self._host())
        wanted = settings.radio.adapters
        self._ears = Ears(wanted, self._bluez, around, self._reception.hear)
        self._room = Room.ENOUGH

    async def run(self) -> int:
        """Listen and visit until the radio is beyond help."""
        visiting = asyncio.create_task(self._reception.run(), name="reception")
        try:
            return await self._ears.watch(lambda: self._reception.is_busy)
        finally:
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
            await self._reception.stop()
            await self._ears.stop()
            self._bluez.close()

    def on_caught(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each frame."""
        self._wake = wake

    def radio(self) -> heartbeat.Radio:
        """How the radio is."""
        if self._ears.down:
            return "down"
        return "simulated" if self._settings.radio.simulated else "ok"

    def troubles(self) -> list[Trouble]:
        """What is wrong with the radio and its devices."""
        found = self._reception.troubles()
        if self._ears.down:
            detail = ", ".join(self._ears.failing()) or "no adapter"
            found.append(Trouble(word=Word.RADIO_DOWN, detail=detail))
        return found

    def note_sightings(self) -> None:
        """Write down when each device was last heard, and look how much room there is."""
        for heard in self._reception.sightings():
            device = self._registry.at_address(heard.sighting.address)
            if device is not None:
                sighting = heard.sighting
                self._registry.saw(device.identity, at=sighting.at, rssi=sighting.rssi)
        depth, free = self._outbox.depth(), self._around.disk_free_mb()
        self._room = events.room(depth, free, self._settings.limits)

    async def pair(self, enrolment: Enrolment) -> str:
        """Open the enrolment mode for one device; a bond that is there makes room for a new one."""
        if self._household.is_pairing:
            raise RefusedError("another pairing is open")
        known = self._registry.get(enrolment.device or "")
        if known is not None:
            await self._drop_bond(known.address)
        wanted = Wanted(
            device=enrolment.device,
            passkey=enrolment.passkey,
            until=self._around.now() + enrolment.lasts,
        )
        identity = await self._household.pair(wanted, enrolment.lasts)
        if identity is None:
            raise RefusedError(f"nothing was paired in {enrolment.lasts.total_seconds():.0f} s")
        return identity

    async def forget(self, identity: str) -> None:
        """Drop the bond with the device."""
        device = self._registry.get(identity)
        await self._drop_bond(device.address if device is not None else None)

    async def _drop_bond(self, address: str | None) -> None:
        if address is None:
            return
        self._reception.forget(address)
        for adapter in await self._bluez.adapters():
            await self._bluez.remove_device(adapter, address)

    def _caught(self) -> None:
        self._wake()

    def _host(self) -> Host:
        radio = self._settings.radio
        return Host(
            household=self._household,
            tools=Tools(
                outbox=self._outbox,
                registry=self._registry,
                around=self._around,
                wake=self._caught,
                count_frame=self._metrics.count_frame,
                idle_s=radio.idle_s,
            ),
            limits=self._settings.limits,
            cool_down=timedelta(seconds=radio.cool_down_s),
            has_room=lambda: self._room is not Room.FULL,
            count_visit=self._metrics.count_visit,
        )


def _nobody() -> None:
    """Nobody is waiting yet."""
