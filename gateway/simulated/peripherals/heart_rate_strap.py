"""A heart rate strap: service 0x180D, a rate while it is worn, without a clock or a memory."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.gatt import Characteristic

from devices import heart_rate
from devices.heart_rate import HeartRate
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.record import Record

CHEST = b"\x01"


class HeartRateStrap(DumpingPeripheral):
    """Notifies 2A37; what nobody hears waits here, so that the truth can be compared."""

    kind: ClassVar[str] = "strap"
    advertised: ClassVar[tuple[int, ...]] = (0x180D,)
    service: ClassVar[int] = 0x180D
    measurement: ClassVar[int] = 0x2A37
    indicates: ClassVar[bool] = False

    def features(self) -> list[Characteristic[bytes]]:
        """Where it is worn."""
        return [gatt.readable(0x2A38, CHEST, encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(rate=round(values["rate"]))

    async def measure(self, *, rate: int) -> Record:
        """Count a heart (/min)."""
        frame = HeartRate(rate=rate, contact=True, contact_supported=True, reserved=self.reserved)
        return await self._remember(frame, {"rate": rate})

    async def fail(self) -> Record:
        """The strap hangs on a hook."""
        nothing = HeartRate(rate=0, contact_supported=True, reserved=self.reserved)
        return await self._remember(nothing, {"rate": None})

    async def _remember(self, frame: HeartRate, values: dict[str, float | None]) -> Record:
        record = self.record(heart_rate.encode(frame), values, device_time=None)
        return await self.remember(record)
