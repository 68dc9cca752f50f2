"""Measurements that come in two frames: glucose with its context, body composition in packets."""

from devices import body_composition, glucose, glucose_context, profiles, quirks
from devices.failure import Reason
from devices.glucose_context import GlucoseContext
from devices.reading import Decoded, FailedMeasurement, Kind, UnreadableError

KETONE_MEAL = 6
"""CareSens meters: the meal code, reserved by the standard, that means ketones."""


def awaits(characteristic: str, frame: bytes) -> str | None:
    """Return the characteristic of the frame that will complete this one, None if it is whole.

    The second packet of a pair awaits one too, taken for itself: ask about the first only.
    """
    code = profiles.short(characteristic)
    if code == "2A18" and glucose.parse(frame).context_follows:
        return "2A34"
    if code == "2A9C" and body_composition.parse(frame).multi_packet:
        return "2A9C"
    return None


def completes(characteristic: str, frame: bytes, following: bytes) -> bool:
    """Whether `following`, of the characteristic that is awaited, belongs to this frame."""
    awaited = awaits(characteristic, frame)
    if awaited == "2A34":
        return glucose_context.parse(following).sequence == glucose.parse(frame).sequence
    if awaited == "2A9C":
        first, second = body_composition.parse(frame), body_composition.parse(following)
        return second.multi_packet and second.imperial == first.imperial
    return False


def decode(
    characteristic: str, frame: bytes, following: bytes, *, quirk: str | None = None
) -> Decoded:
    """Return the one measurement that two frames hold; UnreadableError if they are no pair.

    Its `reading_id` is that of the first frame alone: a context adds to `extra`, not to identity.
    """
    if not completes(characteristic, frame, following):
        raise UnreadableError(f"the frames of {characteristic} are no pair")
    if profiles.short(characteristic) == "2A9C":
        parts = body_composition.parse(frame), body_composition.parse(following)
        return body_composition.read(body_composition.joined(*parts))
    measured = glucose.read(glucose.parse(frame))
    context = glucose_context.parse(following)
    if quirk == quirks.CARESENS and context.meal == KETONE_MEAL:
        return _ketone(measured, context)
    return glucose_context.joined(measured, context)


def _ketone(measured: Decoded, context: GlucoseContext) -> FailedMeasurement:
    """A ketone result must never be filed as a (frighteningly low) glucose."""
    return FailedMeasurement(
        kind=Kind.GLUCOSE,
        reason=Reason.NOT_GLUCOSE,
        device_time=measured.device_time,
        sequence=measured.sequence,
        flags=measured.flags,
        extra={**measured.extra, **glucose_context.remarks(context), "meal": "ketone"},
        trailing=measured.trailing,
    )
