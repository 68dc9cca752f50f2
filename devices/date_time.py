"""The Date Time format (2A08, seven bytes): a device's own clock, without a zone."""

from dataclasses import dataclass
from datetime import datetime

from devices.cursor import Cursor

LENGTH = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime:
    """What the seven bytes say, believable or not; 0 in year, month or day means unknown."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0

    def __str__(self) -> str:
        return (
            f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
            f"T{self.hour:02d}:{self.minute:02d}:{self.second:02d}"
        )

    @property
    def is_unknown(self) -> bool:
        """The device says that it does not know the date."""
        return 0 in (self.year, self.month, self.day)

    @property
    def is_impossible(self) -> bool:
        """A date is claimed that no calendar has, e.g. month 13."""
        return not self.is_unknown and self.naive() is None

    def naive(self) -> datetime | None:
        """Return the naive time, or None if it is unknown or impossible."""
        try:
            return datetime(  # noqa: DTZ001 - the device's clock has no zone
                self.year, self.month, self.day, self.hour, self.minute, self.second
            )
        except ValueError:
            return None


def parse(frame: bytes) -> DateTime:
    """Read the seven bytes; what follows them is not looked at."""
    return read_from(Cursor(frame))


def read_from(cursor: Cursor) -> DateTime:
    """Read seven bytes at the cursor."""
    return DateTime(
        year=cursor.u16(),
        month=cursor.u8(),
        day=cursor.u8(),
        hour=cursor.u8(),
        minute=cursor.u8(),
        second=cursor.u8(),
    )


def encode(moment: DateTime) -> bytes:
    """Return the seven bytes."""
    small = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return moment.year.to_bytes(2, "little") + bytes(small)


def of(moment: datetime) -> DateTime:
    """Return a (naive, local to the home) time to the second, as a device would write it."""
    return DateTime(
        year=moment.year,
        month=moment.month,
        day=moment.day,
        hour=moment.hour,
        minute=moment.minute,
        second=moment.second,
    )


def device_time(moment: DateTime | None) -> datetime | None:
    """Return the time a reading carries: naive, None if absent, unknown or impossible."""
    return None if moment is None else moment.naive()


def doubts(moment: DateTime | None) -> list[str]:
    """Return the quality words that a timestamp earns."""
    return ["time_invalid"] if moment is not None and moment.is_impossible else []
