"""Why a device has no value: the reasons that failed measurements carry."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from devices.sfloat import Number, Special


class Reason(StrEnum):
    """What the device said instead of a value; profiles add the names of their status bits."""

    NOT_A_NUMBER = "not_a_number"
    NOT_AT_THIS_RESOLUTION = "not_at_this_resolution"
    ABOVE_RANGE = "above_range"
    BELOW_RANGE = "below_range"
    RESERVED_VALUE = "reserved_value"
    UNSUCCESSFUL = "unsuccessful"
    """The profile's own word for no result, e.g. weight 0xFFFF."""
    NO_VALUE = "no_value"
    """A record without the field that it is about."""
    PLACEHOLDER = "placeholder"
    """A frame of zeros that some scales send before, or instead of, a result."""
    NOT_GLUCOSE = "not_glucose"
    """A meter's record of something else, e.g. ketones."""


_SPECIALS: Mapping[Special, Reason] = MappingProxyType(
    {
        Special.NAN: Reason.NOT_A_NUMBER,
        Special.NRES: Reason.NOT_AT_THIS_RESOLUTION,
        Special.POSITIVE_INFINITY: Reason.ABOVE_RANGE,
        Special.NEGATIVE_INFINITY: Reason.BELOW_RANGE,
        Special.RESERVED: Reason.RESERVED_VALUE,
    }
)


def reason(*numbers: Number | None) -> Reason | None:
    """Return why the first of these numbers that has no value has none."""
    for number in numbers:
        if number is None:
            return Reason.NO_VALUE
        if isinstance(number, Special):
            return _SPECIALS[number]
    return None
