"""A weight scale: service 0x181D."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.gatt import Characteristic

from devices import features, weight
from devices.date_time import device_time
from devices.weight import Weight
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.record import Record

TIMESTAMP, FINEST = 1, 7 << 3


class WeightScale(DumpingPeripheral):
    """Indicates 2A9D for each measurement."""

    kind: ClassVar[str] = "scale"
    advertised: ClassVar[tuple[int, ...]] = (0x181D,)
    service: ClassVar[int] = 0x181D
    measurement: ClassVar[int] = 0x2A9D

    def features(self) -> list[Characteristic[bytes]]:
        """What it can tell: the time, and weight to 5 g."""
        told = features.Features(raw=TIMESTAMP | FINEST, width=4)
        return [gatt.readable(0x2A9E, features.encode(told), encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(kg=values["kg"])

    async def measure(
        self,
        *,
        kg: float,
        user: int | None = None,
        bmi: float | None = None,
        height_m: float | None = None,
    ) -> Record:
        """Weigh somebody and advertise it."""
        imperial = self.behaviour.imperial
        shown = round(kg / weight.KG_PER_LB, 2) if imperial else kg
        frame = Weight(
            weight=shown,
            imperial=imperial,
            timestamp=self.clock_face.timestamp(),
            user=user,
            bmi=bmi,
            height=height_m,
            reserved=self.reserved,
        )
        return await self._remember(frame, {"kg": kg})

    async def fail(self) -> Record:
        """Somebody stepped off too early: the record says unsuccessful."""
        nothing = Weight(weight=None, timestamp=self.clock_face.timestamp(), reserved=self.reserved)
        return await self._remember(nothing, {"kg": None})

    async def _remember(self, frame: Weight, values: dict[str, float | None]) -> Record:
        record = self.record(weight.encode(frame), values, device_time=device_time(frame.timestamp))
        return await self.remember(record)
