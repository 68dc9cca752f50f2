"""A pulse oximeter: service 0x1822, spot checks that it stores and a stream while it is worn."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.device import Device
from bumble.gatt import Characteristic

from devices import oximeter
from devices.date_time import device_time
from devices.oximeter import OximeterFeatures, SpotCheck, Stream
from devices.sfloat import Special
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.behaviour import Behaviour
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.record import Record

STREAM = 0x2A5F
STORES_WITH_TIME = 0b1100


class Oximeter(DumpingPeripheral):
    """Indicates 2A5E for each spot check, notifies 2A5F while somebody listens."""

    kind: ClassVar[str] = "oximeter"
    advertised: ClassVar[tuple[int, ...]] = (0x1822,)
    service: ClassVar[int] = 0x1822
    measurement: ClassVar[int] = 0x2A5E

    def __init__(self, radio: Device, *, now: Now, behaviour: Behaviour) -> None:
        super().__init__(radio, now=now, behaviour=behaviour)
        self._stream = self.reported(STREAM, indicate=False)

    def features(self) -> list[Characteristic[bytes]]:
        """The stream, and that it stores spot checks with their time."""
        told = oximeter.encode_features(OximeterFeatures(raw=STORES_WITH_TIME))
        return [self._stream, gatt.readable(0x2A60, told, encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(spo2=values["spo2"], pulse=values.get("pulse"))

    async def measure(
        self, *, spo2: float, pulse: float | None = None, perfusion: float | None = None
    ) -> Record:
        """Take a spot check (%, /min) and advertise it."""
        return await self._remember(
            SpotCheck(
                saturation=spo2,
                pulse=Special.NAN if pulse is None else pulse,
                timestamp=self.clock_face.timestamp(),
                amplitude=perfusion,
                reserved=self.reserved,
            ),
            {"spo2": spo2, "pulse": pulse},
        )

    async def fail(self) -> Record:
        """The finger came out: no number."""
        nothing = SpotCheck(
            saturation=Special.NAN,
            pulse=Special.NAN,
            timestamp=self.clock_face.timestamp(),
            reserved=self.reserved,
        )
        return await self._remember(nothing, {"spo2": None, "pulse": None})

    async def stream(self, *, spo2: float, pulse: float) -> None:
        """Notify what it reads at this moment; nothing is stored."""
        if self.link is not None:
            frame = oximeter.encode_stream(Stream(saturation=spo2, pulse=pulse))
            await self.send(self.link, self._stream, frame)

    async def _remember(self, frame: SpotCheck, values: dict[str, float | None]) -> Record:
        record = self.record(
            oximeter.encode_spot(frame), values, device_time=device_time(frame.timestamp)
        )
        return await self.remember(record)
