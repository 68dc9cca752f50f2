"""Where a client reads and sets a device's clock: Date Time or Current Time."""

from collections.abc import Callable

from bumble.gatt import Characteristic, Service

from devices import clock, date_time
from devices.date_time import DateTime
from devices.reading import UnreadableError
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.behaviour import ClockService
from gateway.simulated.peripherals.clock import DeviceClock

CURRENT_TIME = 0x1805
UNKNOWN = DateTime(year=0, month=0, day=0)


class ClockFace:
    """A device's clock as its clients see it; `on_set` is called when one of them set it."""

    def __init__(self, kept: DeviceClock, kind: ClockService, on_set: Callable[[], None]) -> None:
        self._clock = kept
        self._kind = kind
        self._on_set = on_set

    def timestamp(self) -> DateTime | None:
        """The time as it goes into a frame, None if the device has none."""
        shown = self._clock.read()
        return None if shown is None else date_time.of(shown)

    def characteristics(self, *, encrypted: bool) -> list[Characteristic[bytes]]:
        """Date Time, for devices that have it in their profile's own service."""
        if self._kind is not ClockService.DATE_TIME:
            return []
        return [gatt.writable(self._kind, self._set, read=self._date_time, encrypted=encrypted)]

    def services(self, *, encrypted: bool) -> list[Service]:
        """The Current Time service, for devices that have it."""
        if self._kind is not ClockService.CURRENT_TIME:
            return []
        current = gatt.writable(self._kind, self._set, read=self._current, encrypted=encrypted)
        return [gatt.service(CURRENT_TIME, [current])]

    def _set(self, value: bytes) -> None:
        try:
            written = clock.parse_date_time(value).moment.naive()
        except UnreadableError:
            return
        if written is not None:
            self._clock.write(written)
            self._on_set()

    def _date_time(self) -> bytes:
        return date_time.encode(self.timestamp() or UNKNOWN)

    def _current(self) -> bytes:
        shown = self._clock.read()
        if shown is None:
            return clock.encode(clock.CurrentTime(moment=UNKNOWN))
        return clock.setting(shown, reason=0)
