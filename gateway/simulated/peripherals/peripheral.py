"""What every virtual device does: advertise, pair, keep its clock, store records, send, hang up."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import ClassVar

from bumble.device import Connection, Device
from bumble.gatt import Characteristic, Service

from devices import battery
from gateway.simulated.peripherals import bond, gatt, information
from gateway.simulated.peripherals.advertiser import Advertiser, said_of
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding
from gateway.simulated.peripherals.books import Books
from gateway.simulated.peripherals.clock import DeviceClock, Now
from gateway.simulated.peripherals.clock_service import ClockFace
from gateway.simulated.peripherals.link import Link
from gateway.simulated.peripherals.record import Record, Sent

log = logging.getLogger(__name__)

RESERVED_FLAGS = 0xE0
"""Bits of the first byte that most profiles reserve."""


class Peripheral(Books, ABC):
    """One virtual device. Its tests read `measured`, `sent` and `transferred`: the truth."""

    kind: ClassVar[str]
    """The word for it in plans."""
    advertised: ClassVar[tuple[int, ...]]
    """Services that it advertises."""
    measurement: ClassVar[int]
    """The characteristic that its records leave by."""

    def __init__(self, radio: Device, *, now: Now, behaviour: Behaviour) -> None:
        super().__init__()
        self.radio = radio
        self.name = radio.name
        self.address = radio.static_address.to_string(with_type_qualifier=False)
        self.behaviour = behaviour
        self.clock = DeviceClock(now, behaviour)
        self.clock_face = ClockFace(self.clock, behaviour.clock, self._clock_was_set)
        self.battery_percent = behaviour.battery_percent or 0
        self.hang_ups: list[str] = []
        """Why it ended links, in its own words."""
        self.on_measured: Callable[[Peripheral, Record], None] = _nobody_listens
        self.pairing_mode = False
        self.link: Link | None = None
        self._now = now
        self._shorts: dict[Characteristic[bytes], str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        interval_ms = behaviour.advertising_interval_ms
        self.advertiser = Advertiser(radio, interval_ms=interval_ms)
        self._hang_up_after: int | None = None
        self._window: asyncio.TimerHandle | None = None

    @property
    def encrypts(self) -> bool:
        """Whether its data is for bonded clients only, and it says so to others."""
        return self.behaviour.bonding is not Bonding.NONE and not self.behaviour.silent_until_bonded

    async def power_on(self) -> None:
        """Put the battery in."""
        timed = self.clock_face.services(encrypted=self.encrypts)
        told = information.services(self.behaviour, self.address, self._battery)
        self.radio.add_services([*self.services(), *timed, *told])
        self.radio.pairing_config_factory = lambda _: bond.pairing_config(
            self.behaviour, self._willing
        )
        self.radio.on(self.radio.EVENT_CONNECTION, self._linked)
        await self.radio.power_on()
        await self.advertise()

    async def power_off(self) -> None:
        """Take the battery out: no advertising, no link, nothing under way."""
        if self._window is not None:
            self._window.cancel()
        await self.hang_up("switched off")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.fall_silent()

    async def enter_pairing_mode(self) -> None:
        """Hold the button: advertise, and say in the flags that it wants to be paired."""
        self.pairing_mode = True
        await self.advertise()

    async def advertise(self) -> None:
        """Advertise if there is a reason to and no link, else be silent."""
        if self.link is None:
            reason = self.pairing_mode or self.has_news
            await self.advertiser.say(self._said() if reason else None)

    async def fall_silent(self) -> None:
        """Stop advertising, whatever there is to send."""
        await self.advertiser.say(None)

    async def hang_up(self, why: str) -> None:
        """End the link from the device's side."""
        link = self.link
        if link is not None:
            self.hang_ups.append(why)
            # Shielded: the end of the link cancels whoever asked for it, in mid-command.
            await asyncio.shield(asyncio.ensure_future(link.connection.disconnect()))

    def hang_up_after(self, records: int) -> None:
        """Let it hang up, once, when so many more records have left."""
        self._hang_up_after = records

    async def forget_bonds(self) -> None:
        """Take the battery out: it no longer knows who it was paired with."""
        if self.radio.keystore is not None:
            await self.radio.keystore.delete_all()

    @abstractmethod
    def services(self) -> list[Service]:
        """Its own services, made once."""

    @abstractmethod
    async def serve(self, link: Link) -> None:
        """Do what it does on a link until it has nothing more to say."""

    @abstractmethod
    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure these values, by the names of `measure`'s arguments."""

    async def remember(self, record: Record) -> Record:
        """Store a new record and let the world know."""
        self.enter(record)
        self.on_measured(self, record)
        if self.link is not None:
            self.link.touch()
        await self._open_window()
        return record

    def record(
        self,
        frame: bytes,
        values: Mapping[str, float | None],
        *,
        device_time: datetime | None,
        sequence: int | None = None,
        context: bytes | None = None,
    ) -> Record:
        """A record of now, numbered; `device_time` is what the frame says."""
        return Record(
            number=len(self.measured) + 1,
            characteristic=f"{self.measurement:04X}",
            frame=frame,
            measured_at=self._now(),
            device_time=device_time,
            sequence=sequence,
            context=context,
            values=values,
        )

    @property
    def reserved(self) -> int:
        """The reserved bits that it sets in its frames."""
        return RESERVED_FLAGS if self.behaviour.rfu_bits else 0

    def reported(
        self, short: int, *, indicate: bool, write: gatt.Write | None = None
    ) -> Characteristic[bytes]:
        """A characteristic that it sends from; whoever subscribes is noted on the link."""
        source = gatt.Source(
            indicate=indicate,
            encrypted=self.encrypts,
            write=write,
            alias=self.behaviour.aliases.get(short),
        )
        made = gatt.reported(self.radio, short, source)
        self._shorts[made] = f"{short:04X}"

        def note(_connection: Connection, notify: bool, indication: bool) -> None:  # noqa: FBT001  bumble's signature
            if self.link is not None:
                self.link.note(short, listens=notify or indication)

        made.on(made.EVENT_SUBSCRIPTION, note)
        return made

    async def send(self, link: Link, sender: Characteristic[bytes], frame: bytes) -> None:
        """Indicate (and await the confirmation) or notify one frame."""
        server = self.radio.gatt_server
        if sender.properties & Characteristic.Properties.INDICATE:
            await server.indicate_subscriber(link.connection, sender, frame)
        else:
            await server.notify_subscriber(link.connection, sender, frame)
            await asyncio.sleep(0)
        link.touch()

    async def send_record(
        self, link: Link, record: Record, frames: list[tuple[Characteristic[bytes], bytes]]
    ) -> None:
        """Send the frames of one record, as often as is its habit, and note it."""
        for _ in range(self.behaviour.copies):
            for sender, frame in frames:
                await self.send(link, sender, frame)
                where = self._shorts[sender]
                self.sent.append(Sent(record=record, characteristic=where, frame=frame))
        if await link.drained(self.radio):
            self.close(record)
        await self._count_down()

    def secured(self, link: Link) -> bool:
        """Whether it is willing to talk: bonded, if it wants a bond."""
        return self.behaviour.bonding is Bonding.NONE or link.encrypted

    async def _count_down(self) -> None:
        if self._hang_up_after is None:
            return
        self._hang_up_after -= 1
        if self._hang_up_after <= 0:
            self._hang_up_after = None
            await self.hang_up("told to in the middle")

    async def _open_window(self) -> None:
        """Start advertising, for as long as is its habit."""
        if self._window is not None:
            self._window.cancel()
        await self.advertise()
        seconds = self.behaviour.advertise_window_s
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._window = loop.call_later(seconds, self._close_window)

    def _close_window(self) -> None:
        self._window = None
        if self.link is None:
            self.run(self.fall_silent())

    def _linked(self, connection: Connection) -> None:
        link = self.link = Link(connection)
        self.advertiser.interrupted()
        connection.on(connection.EVENT_DISCONNECTION, self._unlinked)
        connection.on(connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, link.touch)
        connection.on(connection.EVENT_PAIRING, self._bonded)
        self.run(self.serve(link))
        if self.behaviour.clock_deadline_s is not None:
            self.run(self._insist_on_clock(link, self.behaviour.clock_deadline_s))
        if self.behaviour.idle_hang_up_s is not None:
            self.run(self._tire(link, self.behaviour.idle_hang_up_s))

    def _unlinked(self, _reason: int) -> None:
        if self.link is not None:
            self.link.subscribed.clear()
        self.link = None
        for task in self._tasks:
            task.cancel()
        if self._window is not None or self.behaviour.advertise_window_s is None:
            self.run(self.advertise())

    def _bonded(self, _keys: object) -> None:
        self.pairing_mode = False

    async def _insist_on_clock(self, link: Link, deadline_s: float) -> None:
        await link.until(lambda: self.secured(link))
        if not await link.clock_set_within(deadline_s):
            await self.hang_up("clock was not set in time")

    async def _tire(self, link: Link, seconds: float) -> None:
        await link.idle(seconds)
        await self.hang_up("nothing was said for too long")

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Do something while the link lasts."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("virtual device %s failed", self.name, exc_info=task.exception())

    def _willing(self) -> bool:
        if self.behaviour.bonding is Bonding.NONE:
            return False
        return self.pairing_mode or not self.behaviour.pairs_only_in_pairing_mode

    def _said(self) -> bytes:
        pairing = self.pairing_mode
        return said_of(self.name, self.advertised, self.behaviour, pairing=pairing)

    def _clock_was_set(self) -> None:
        if self.link is not None:
            self.link.clock_set = True
            self.link.touch()

    def _battery(self) -> bytes:
        return battery.encode(battery.Battery(level=self.battery_percent))


def _nobody_listens(_peripheral: Peripheral, _record: Record) -> None:
    """Until somebody wants to know."""
