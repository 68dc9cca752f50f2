"""Devices that simply send what they stored, oldest first, as soon as somebody listens."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.behaviour import Behaviour, Memory
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.link import Link
from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.simulated.peripherals.record import Record


class DumpingPeripheral(Peripheral):
    """A cuff, a scale, a thermometer: one characteristic, everything that is new."""

    service: ClassVar[int]
    indicates: ClassVar[bool] = True

    def __init__(self, radio: Device, *, now: Now, behaviour: Behaviour) -> None:
        super().__init__(radio, now=now, behaviour=behaviour)
        self.report = self.reported(self.measurement, indicate=self.indicates)

    def services(self) -> list[Service]:
        """The profile's service: measurement, features, and the clock if it is kept here."""
        mine = [
            self.report,
            *self.features(),
            *self.clock_face.characteristics(encrypted=self.encrypts),
        ]
        return [gatt.service(self.service, mine, alias=self.behaviour.aliases.get(self.service))]

    @abstractmethod
    def features(self) -> list[Characteristic[bytes]]:
        """The other characteristics of its service."""

    async def serve(self, link: Link) -> None:
        """Dump whenever somebody listens and there is something to send."""
        await self._dump(link, self._everything if self._resends else self.unsent)
        while True:
            await self._dump(link, self.unsent)

    async def _dump(self, link: Link, due: Callable[[], list[Record]]) -> None:
        """Wait until there is something due and somebody to hear it, then send it."""
        await link.until(lambda: self.ready(link) and bool(due()))
        for record in due():
            await link.until(lambda: self.ready(link))
            await self.send_record(link, record, self.frames(record))
            if self.behaviour.memory is Memory.ERASE:
                self.erase(record)
        if self.behaviour.hangs_up_after_dump:
            await self.hang_up("sent everything")

    async def store_frame(self, frame: bytes) -> Record:
        """Store bytes as they are: a recording, or something that no decoder reads."""
        return await self.remember(self.record(frame, {}, device_time=None))

    def frames(self, record: Record) -> list[tuple[Characteristic[bytes], bytes]]:
        """What it sends of one record, and from where."""
        return [(self.report, record.frame)]

    def ready(self, link: Link) -> bool:
        """Somebody listens, is allowed to, and has set the clock if that is a must."""
        clock_done = link.clock_set or self.behaviour.clock_deadline_s is None
        return self.measurement in link.subscribed and self.secured(link) and clock_done

    @property
    def _resends(self) -> bool:
        return self.behaviour.memory is Memory.RESEND

    def _everything(self) -> list[Record]:
        return list(self.stored)
