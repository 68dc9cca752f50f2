"""A device's clock: Current Time 2A2B and Date Time 2A08, read and written."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from devices import date_time, packing
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.shown import Fields

MANUAL, EXTERNAL, ZONE_CHANGE, DAYLIGHT_SAVING = 1, 2, 4, 8
"""Bits of the adjust reason."""
FRACTIONS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """2A2B: ten bytes."""

    moment: DateTime
    day_of_week: int = 0
    """1 is Monday, 7 Sunday, 0 unknown."""
    fraction: int = 0
    """1/256 s."""
    reason: int = 0
    trailing: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDateTime:
    """2A08: seven bytes."""

    moment: DateTime
    trailing: bytes = b""


def parse(frame: bytes) -> CurrentTime:
    """Read 2A2B."""
    cursor = Cursor(frame)
    return CurrentTime(
        moment=date_time.read_from(cursor),
        day_of_week=cursor.u8(),
        fraction=cursor.u8(),
        reason=cursor.u8(),
        trailing=cursor.rest(),
    )


def encode(clock: CurrentTime) -> bytes:
    """Return 2A2B."""
    small = bytes((clock.day_of_week, clock.fraction, clock.reason))
    return packing.moment(clock.moment) + small + clock.trailing


def parse_date_time(frame: bytes) -> DeviceDateTime:
    """Read 2A08."""
    cursor = Cursor(frame)
    return DeviceDateTime(moment=date_time.read_from(cursor), trailing=cursor.rest())


def encode_date_time(clock: DeviceDateTime) -> bytes:
    """Return 2A08."""
    return packing.moment(clock.moment) + clock.trailing


def setting(now: datetime, *, reason: int = EXTERNAL) -> bytes:
    """Return the 2A2B to write so that the device shows `now`, a time local to the home."""
    clock = CurrentTime(
        moment=date_time.of(now),
        day_of_week=now.isoweekday(),
        fraction=now.microsecond * FRACTIONS // 1_000_000,
        reason=reason,
    )
    return encode(clock)


def setting_date_time(now: datetime) -> bytes:
    """Return the 2A08 to write so that the device shows `now`, a time local to the home."""
    return date_time.encode(date_time.of(now))


def naive(clock: CurrentTime | DeviceDateTime) -> datetime | None:
    """Return what the device's clock shows, None if it is not set."""
    shown = clock.moment.naive()
    if shown is None or isinstance(clock, DeviceDateTime):
        return shown
    return shown + timedelta(seconds=clock.fraction / FRACTIONS)


def fields(clock: CurrentTime) -> Fields:
    """Return the decoded fields of 2A2B."""
    return {
        "datetime": str(clock.moment),
        "dow": clock.day_of_week,
        "frac256": clock.fraction,
        "reason": clock.reason,
    }


def date_time_fields(clock: DeviceDateTime) -> Fields:
    """Return the decoded fields of 2A08."""
    return {"datetime": str(clock.moment)}
