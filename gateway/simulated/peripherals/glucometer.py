"""A blood glucose meter: service 0x1808, stored records on request (RACP)."""

from collections.abc import Mapping
from typing import ClassVar

from bumble.att import ATT_Error
from bumble.device import Device
from bumble.gatt import Service

from devices import features, glucose, glucose_context, racp
from devices.date_time import DateTime
from devices.glucose import Glucose
from devices.glucose_context import GlucoseContext
from devices.racp import Code, ControlPoint, Op
from devices.reading import UnreadableError
from devices.sfloat import Special
from gateway.simulated.peripherals import gatt, records_store
from gateway.simulated.peripherals.behaviour import Behaviour, Memory
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.clock_service import UNKNOWN
from gateway.simulated.peripherals.link import Link
from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.simulated.peripherals.record import Record

CONTEXT, FEATURE, CONTROL_POINT = 0x2A34, 0x2A51, 0x2A52
IN_PROGRESS, NOT_SUBSCRIBED = 0xFE, 0xFD
"""ATT errors that the profile uses."""
CAPILLARY_PLASMA, FINGER, CONTROL_SOLUTION = 2, 1, 10
STATUS_BITS = 0x03FF
LAST_SEQUENCE = 0xFFFF


class Glucometer(Peripheral):
    """Notifies 2A18 (and 2A34) on request, indicates the outcome on 2A52."""

    kind: ClassVar[str] = "glucometer"
    advertised: ClassVar[tuple[int, ...]] = (0x1808,)
    measurement: ClassVar[int] = 0x2A18

    def __init__(self, radio: Device, *, now: Now, behaviour: Behaviour) -> None:
        super().__init__(radio, now=now, behaviour=behaviour)
        self.next_sequence = 1
        self.offset_minutes: int | None = None
        """If set, records carry the factory's base time plus this offset."""
        self.requests: list[ControlPoint] = []
        """Everything that was asked at the control point."""
        self._report = self.reported(self.measurement, indicate=False)
        self._context = self.reported(CONTEXT, indicate=False)
        self._control = self.reported(CONTROL_POINT, indicate=True, write=self._asked)
        self._request: ControlPoint | None = None
        self._aborted = False

    def services(self) -> list[Service]:
        """The glucose service."""
        told = features.encode(features.Features(raw=STATUS_BITS))
        feature = gatt.readable(FEATURE, told, encrypted=self.encrypts)
        mine = [self._report, self._context, feature, self._control]
        return [
            gatt.service(
                self.advertised[0],
                [*mine, *self.clock_face.characteristics(encrypted=self.encrypts)],
            )
        ]

    async def show(self, values: Mapping[str, float]) -> Record:
        """Measure what is given by name."""
        return await self.measure(mg_dl=values["mg_dl"])

    async def measure(
        self,
        *,
        mg_dl: float,
        meal: int | None = None,
        control: bool = False,
        status: int | None = None,
    ) -> Record:
        """Take a measurement and advertise it; with a `meal` a context record follows it."""
        moles = self.behaviour.imperial
        shown = round(mg_dl / glucose.MG_DL_PER_MMOL_L, 1) if moles else mg_dl
        frame = Glucose(
            sequence=self.next_sequence,
            base_time=self._base_time(),
            offset_minutes=self.offset_minutes,
            concentration=glucose.wire_concentration(shown, moles=moles),
            moles=moles,
            type=CONTROL_SOLUTION if control else CAPILLARY_PLASMA,
            location=FINGER,
            status=status,
            context_follows=meal is not None,
            reserved=self.reserved,
        )
        return await self._remember(frame, {"mg_dl": mg_dl}, meal)

    async def fail(self, *, status: int = 1 << 2) -> Record:
        """Too little blood (or what `status` says): the record has no number."""
        frame = Glucose(
            sequence=self.next_sequence,
            base_time=self._base_time(),
            offset_minutes=self.offset_minutes,
            concentration=Special.NAN,
            type=CAPILLARY_PLASMA,
            location=FINGER,
            status=status,
            reserved=self.reserved,
        )
        return await self._remember(frame, {"mg_dl": None}, None)

    def reset_sequence(self) -> None:
        """Clear the memory, as when the meter is replaced: numbers start at 1 again."""
        for record in list(self.stored):
            self.erase(record)
        self.next_sequence = 1

    async def serve(self, link: Link) -> None:
        """Answer one request after another."""
        if self.behaviour.streams_on_subscribe:
            await self._stream(link)
            return
        while True:
            await link.until(lambda: self._request is not None)
            await self._obey(link)

    async def _stream(self, link: Link) -> None:
        """Send what it holds without being asked, then all that is new."""
        everything = self.behaviour.memory is Memory.RESEND
        while True:
            await link.until(lambda: self.measurement in link.subscribed and self.secured(link))
            for record in list(self.stored) if everything else self.unsent():
                await link.until(lambda: self.measurement in link.subscribed)
                await self._send_glucose(link, record)
            everything = False
            await link.until(lambda: self.has_news)

    async def _obey(self, link: Link) -> None:
        request = self._request
        if request is None:
            return
        decided = records_store.answer(request, self.stored)
        for record in decided.send:
            await link.until(lambda: self.measurement in link.subscribed)
            if self._aborted:
                break
            await self._send_glucose(link, record)
        for record in decided.delete:
            self.erase(record)
        self._request = None
        await self._finish(link, decided.last)

    async def _finish(self, link: Link, last: ControlPoint) -> None:
        """Indicate how the request ended: as decided, or that it was aborted."""
        if self._aborted:
            self._aborted = False
            last = racp.response(Op.ABORT, Code.SUCCESS)
        await self.send(link, self._control, racp.encode(last))

    async def _send_glucose(self, link: Link, record: Record) -> None:
        frames = [(self._report, record.frame)]
        if record.context is not None:
            frames.append((self._context, record.context))
        await self.send_record(link, record, frames)

    def _asked(self, value: bytes) -> None:
        """Take a request, or refuse it as the profile says."""
        link = self.link
        if link is None or not {self.measurement, CONTROL_POINT} <= link.subscribed:
            raise ATT_Error(NOT_SUBSCRIBED)
        try:
            request = racp.parse(value)
        except UnreadableError:
            request = ControlPoint(op=0)
        self.requests.append(request)
        if request.op == Op.ABORT:
            self._abort(link)
        elif self._request is not None:
            raise ATT_Error(IN_PROGRESS)
        else:
            self._request = request
        link.touch()

    def _abort(self, link: Link) -> None:
        if self._request is not None:
            self._aborted = True
            return
        failed = racp.encode(racp.response(Op.ABORT, Code.ABORT_UNSUCCESSFUL))
        self.run(self.send(link, self._control, failed))

    def _unlinked(self, _reason: int) -> None:
        self._request, self._aborted = None, False
        super()._unlinked(_reason)

    def _base_time(self) -> DateTime:
        return self.clock_face.timestamp() or UNKNOWN

    async def _remember(
        self, frame: Glucose, values: dict[str, float | None], meal: int | None
    ) -> Record:
        context = None
        if meal is not None:
            context = glucose_context.encode(GlucoseContext(sequence=frame.sequence, meal=meal))
        self.next_sequence = self.next_sequence % LAST_SEQUENCE + 1
        made = self.record(
            glucose.encode(frame),
            values,
            device_time=glucose.user_time(frame),
            sequence=frame.sequence,
            context=context,
        )
        return await self.remember(made)
