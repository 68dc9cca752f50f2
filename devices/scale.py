"""What every scale says beside its number: when it was, and whose turn it was."""

from collections.abc import Mapping
from typing import Protocol

from devices import bits, date_time
from devices.date_time import DateTime
from devices.failure import Reason
from devices.reading import FailedMeasurement, Kind, Reading


class Weighed(Protocol):
    """A measurement of a scale as on the wire."""

    @property
    def timestamp(self) -> DateTime | None:
        """When it was, if the scale has a clock."""

    @property
    def user(self) -> int | None:
        """Which of its users stood on it, if it keeps them apart."""

    @property
    def trailing(self) -> bytes:
        """What followed the last field."""


def reading(  # noqa: PLR0913  what a reading is made of
    measured: Weighed,
    *,
    kind: Kind,
    value: float,
    original: float,
    unit: str,
    extra: Mapping[str, float | str],
) -> Reading:
    """Return what a scale measured."""
    return Reading(
        kind=kind,
        value=value,
        original_value=original,
        original_unit=unit,
        device_time=date_time.device_time(measured.timestamp),
        user_slot=bits.user_slot(measured.user),
        flags=bits.ordered(date_time.doubts(measured.timestamp)),
        extra=extra,
        trailing=len(measured.trailing),
    )


def failed(measured: Weighed, *, kind: Kind, reason: Reason) -> FailedMeasurement:
    """Return that a scale tried and has no value."""
    return FailedMeasurement(
        kind=kind,
        reason=reason,
        device_time=date_time.device_time(measured.timestamp),
        user_slot=bits.user_slot(measured.user),
        flags=bits.ordered(date_time.doubts(measured.timestamp)),
        trailing=len(measured.trailing),
    )
