"""A thermometer: service 0x1809."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.gatt import Characteristic

from devices import thermometer
from devices.date_time import device_time
from devices.sfloat import Special
from devices.thermometer import Site, Temperature
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.record import Record

EAR = 3


class Thermometer(DumpingPeripheral):
    """Indicates 2A1C for each measurement."""

    kind: ClassVar[str] = "thermometer"
    advertised: ClassVar[tuple[int, ...]] = (0x1809,)
    service: ClassVar[int] = 0x1809
    measurement: ClassVar[int] = 0x2A1C

    def features(self) -> list[Characteristic[bytes]]:
        """Where it measures."""
        site = thermometer.encode_site(Site(site=EAR))
        return [gatt.readable(0x2A1D, site, encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(celsius=values["celsius"])

    async def measure(self, *, celsius: float) -> Record:
        """Take a temperature and advertise it."""
        fahrenheit = self.behaviour.imperial
        frame = Temperature(
            temperature=round(celsius * 1.8 + 32, 1) if fahrenheit else celsius,
            fahrenheit=fahrenheit,
            timestamp=self.clock_face.timestamp(),
            site=EAR,
            reserved=self.reserved,
        )
        return await self._remember(frame, {"celsius": celsius})

    async def fail(self) -> Record:
        """Taken out too early: no number."""
        nothing = Temperature(
            temperature=Special.NAN,
            timestamp=self.clock_face.timestamp(),
            reserved=self.reserved,
        )
        return await self._remember(nothing, {"celsius": None})

    async def _remember(self, frame: Temperature, values: dict[str, float | None]) -> Record:
        record = self.record(
            thermometer.encode(frame), values, device_time=device_time(frame.timestamp)
        )
        return await self.remember(record)
