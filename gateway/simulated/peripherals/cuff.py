"""A blood pressure cuff: service 0x1810."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.gatt import Characteristic

from devices import blood_pressure, features
from devices.blood_pressure import BloodPressure
from devices.date_time import device_time
from devices.sfloat import Number, Special, shifted
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.record import Record

MOVEMENT, CUFF_LOOSE, IRREGULAR_PULSE = 1, 2, 4


class BloodPressureCuff(DumpingPeripheral):
    """Indicates 2A35 for each measurement."""

    kind: ClassVar[str] = "cuff"
    advertised: ClassVar[tuple[int, ...]] = (0x1810,)
    service: ClassVar[int] = 0x1810
    measurement: ClassVar[int] = 0x2A35

    def features(self) -> list[Characteristic[bytes]]:
        """What it can tell: movement, a loose cuff, an irregular pulse."""
        told = features.Features(raw=MOVEMENT | CUFF_LOOSE | IRREGULAR_PULSE)
        return [gatt.readable(0x2A49, features.encode(told), encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(
            systolic=values["systolic"],
            diastolic=values["diastolic"],
            pulse=values.get("pulse"),
        )

    async def measure(  # noqa: PLR0913  one argument for each thing that a cuff shows
        self,
        *,
        systolic: float,
        diastolic: float,
        pulse: float | None = None,
        mean: float | None = None,
        status: int = 0,
        user: int | None = None,
    ) -> Record:
        """Take a measurement (mmHg, /min) and advertise it; `status` holds the quality bits."""
        average = round((systolic + 2 * diastolic) / 3) if mean is None else mean
        frame = BloodPressure(
            systolic=self._wire(systolic),
            diastolic=self._wire(diastolic),
            mean_arterial=self._wire(average),
            kpa=self.behaviour.imperial,
            timestamp=self.clock_face.timestamp(),
            pulse=pulse,
            user=user,
            status=status,
            reserved=self.reserved,
        )
        values = {"systolic": systolic, "diastolic": diastolic, "pulse": pulse}
        return await self._remember(frame, values)

    async def fail(self) -> Record:
        """Try to measure and fail: the record has NaN for every number."""
        nothing = BloodPressure(
            systolic=Special.NAN,
            diastolic=Special.NAN,
            mean_arterial=Special.NAN,
            timestamp=self.clock_face.timestamp(),
            pulse=Special.NAN,
            status=CUFF_LOOSE,
            reserved=self.reserved,
        )
        return await self._remember(nothing, {"systolic": None, "diastolic": None, "pulse": None})

    def _wire(self, mmhg: float) -> Number:
        """The pressure in the unit that this cuff sends."""
        if not self.behaviour.imperial:
            return mmhg
        return shifted(round(mmhg / blood_pressure.MMHG_PER_KPA * 10), -1)

    async def _remember(self, frame: BloodPressure, values: dict[str, float | None]) -> Record:
        record = self.record(
            blood_pressure.encode(frame), values, device_time=device_time(frame.timestamp)
        )
        return await self.remember(record)
