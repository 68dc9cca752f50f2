"""A body composition scale: weight 0x181D and composition 0x181B, given to users who consent."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from devices import body_composition, features, user_data, weight
from devices.body_composition import BodyComposition
from devices.date_time import device_time
from devices.reading import UnreadableError
from devices.user_data import ControlPoint, Op, Result
from devices.weight import Weight
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.behaviour import Behaviour
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.link import Link
from gateway.simulated.peripherals.record import Record

COMPOSITION_SERVICE, COMPOSITION, COMPOSITION_FEATURE = 0x181B, 0x2A9C, 0x2A9B
USER_SERVICE, CONTROL_POINT, INCREMENT = 0x181C, 0x2A9F, 0x2A99
MULTIPLE_USERS, COMPOSITION_USERS = 0b10, 0b10


class BodyCompositionScale(DumpingPeripheral):
    """Indicates 2A9D and 2A9C for each measurement, once a user gave the consent code."""

    kind: ClassVar[str] = "body_scale"
    advertised: ClassVar[tuple[int, ...]] = (0x181D, 0x181B)
    service: ClassVar[int] = 0x181D
    measurement: ClassVar[int] = 0x2A9D

    def __init__(self, radio: Device, *, now: Now, behaviour: Behaviour) -> None:
        super().__init__(radio, now=now, behaviour=behaviour)
        self.increment = 1
        self._composition = self.reported(COMPOSITION, indicate=True)
        self._control = self.reported(CONTROL_POINT, indicate=True, write=self._asked)

    def services(self) -> list[Service]:
        """Weight, composition, and the users' control point."""
        told = features.encode(features.Features(raw=COMPOSITION_USERS, width=4))
        feature = gatt.readable(COMPOSITION_FEATURE, told, encrypted=self.encrypts)
        increment = gatt.writable(
            INCREMENT, self._set_increment, read=self._increment, encrypted=self.encrypts
        )
        return [
            *super().services(),
            gatt.service(COMPOSITION_SERVICE, [self._composition, feature]),
            gatt.service(USER_SERVICE, [increment, self._control]),
        ]

    def features(self) -> list[Characteristic[bytes]]:
        """That it knows several users."""
        told = features.Features(raw=MULTIPLE_USERS, width=4)
        return [gatt.readable(0x2A9E, features.encode(told), encrypted=self.encrypts)]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(kg=values["kg"], fat_percent=values["fat_percent"])

    async def measure(
        self, *, kg: float, fat_percent: float, user: int = 1, placeholder: bool = False
    ) -> Record:
        """Weigh somebody and advertise it; a placeholder has zeros for the composition."""
        weighed = Weight(
            weight=kg,
            timestamp=self.clock_face.timestamp(),
            user=user,
            reserved=self.reserved,
        )
        fat = 0.0 if placeholder else fat_percent
        composed = BodyComposition(
            fat_percent=fat, timestamp=self.clock_face.timestamp(), user=user
        )
        record = self.record(
            weight.encode(weighed),
            {"kg": kg, "fat_percent": fat_percent},
            device_time=device_time(weighed.timestamp),
            context=body_composition.encode(composed),
        )
        return await self.remember(record)

    def frames(self, record: Record) -> list[tuple[Characteristic[bytes], bytes]]:
        """Weight first, then what it is made of."""
        composed = [] if record.context is None else [(self._composition, record.context)]
        return [*super().frames(record), *composed]

    def ready(self, link: Link) -> bool:
        """Besides what every device wants: the consent of a user, and ears for both halves."""
        consented = link.consented or self.behaviour.consent is None
        return super().ready(link) and consented and COMPOSITION in link.subscribed

    def _asked(self, value: bytes) -> None:
        """Take a request of a user and indicate the answer."""
        link = self.link
        if link is None:
            return
        try:
            request = user_data.parse(value)
        except UnreadableError:
            request = ControlPoint(op=0)
        answer = self._answer(link, request)
        self.run(self.send(link, self._control, user_data.encode(answer)))

    def _answer(self, link: Link, request: ControlPoint) -> ControlPoint:
        if request.op != Op.CONSENT:
            return user_data.response(request.op, Result.NOT_SUPPORTED)
        if request.code != self.behaviour.consent:
            return user_data.response(request.op, Result.NOT_AUTHORIZED)
        link.consented = True
        return user_data.response(request.op, Result.SUCCESS)

    def _increment(self) -> bytes:
        return user_data.encode_increment(user_data.Increment(count=self.increment))

    def _set_increment(self, value: bytes) -> None:
        self.increment = user_data.parse_increment(value).count
