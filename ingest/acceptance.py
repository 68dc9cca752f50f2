"""Accepted, flagged or quarantined: what becomes of one reading, with every reason. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec

from devices.reading import Kind
from devices.wire import WireReading
from ingest import clock, owner, plausibility
from ingest.bounds import METRIC_OF, Bounds
from ingest.decision import Accepted, Decision, Doubt, Flagged, Quarantined, Reason
from ingest.owner import Owner, OwnerState
from ingest.people import Device, Gateway, Medians, OtherRate, Person

GLUCOSE = Kind.GLUCOSE
KINDS = frozenset(METRIC_OF)
SEQUENCE_LIMIT = 2**31
SLOT_LIMIT = 2**15
VALUE_LIMIT = 1e9
OFFSET_LIMIT = 1e10
"""What the columns hold; nothing measured comes near."""
EARLIEST_YEAR, LATEST_YEAR = 1969, 2200
OUT_OF_RANGE_WORDS: Mapping[str, str] = MappingProxyType({"above_range": "HI", "below_range": "LO"})
"""What a glucose meter shows instead of a number."""
_OWNER_REASONS: Mapping[OwnerState, Reason] = MappingProxyType(
    {
        OwnerState.UNKNOWN: Reason.OWNER_UNKNOWN,
        OwnerState.AMBIGUOUS: Reason.OWNER_AMBIGUOUS,
        OwnerState.LIKELY: Reason.OWNER_LIKELY,
    }
)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known beside the reading itself."""

    gateway: Gateway | None
    device: Device | None
    medians: Mapping[tuple[int, str], Medians | None]
    """The last seven days of every person the device is assigned to, by kind."""
    other_rates: Mapping[UUID, Sequence[OtherRate]] = {}
    """Recent heart rates of those people; only looked at for heart rates."""
    bounds: Bounds
    siblings: Sequence[WireReading] = ()
    """All readings of the same message."""
    accept_likely: bool = False
    """A weight near exactly one person enters the chart, flagged, instead of identity review."""
    now: datetime


def decide(reading: WireReading, context: Context) -> Decision:
    """Return the one outcome of this reading."""
    gateway, device = context.gateway, context.device
    refused = _refused(gateway, device, context) or _impossible_field(reading)
    if refused is None and reading.status != "measured":
        refused = _without_value(reading)
    if refused is None and device is not None:
        return _measured(reading, device, context)
    organisation_id = gateway.organisation_id if gateway is not None else None
    reason, detail = refused or (Reason.UNKNOWN_DEVICE, "")
    return Quarantined(reason=reason, detail=detail, organisation_id=organisation_id)


def decide_for(reading: WireReading, person: Person, device: Device, context: Context) -> Decision:
    """Decide again for the person somebody named: everything but the owner is checked."""
    refused = _impossible_field(reading) or _without_value(reading)
    if refused is not None:
        return _quarantined(refused[0], refused[1], device)
    moment = _moment(reading, device, context)
    if isinstance(moment, clock.Fault):
        return _quarantined(moment.reason, moment.detail, device)
    return _judged(reading, device, context, moment, Owner(OwnerState.SURE, person), named=True)


def _refused(
    gateway: Gateway | None, device: Device | None, context: Context
) -> tuple[Reason, str] | None:
    """What is wrong with the sender, before looking at the reading."""
    if gateway is None:
        return Reason.UNKNOWN_GATEWAY, ""
    if gateway.revoked:
        return Reason.REVOKED_GATEWAY, ""
    if device is None:
        return Reason.UNKNOWN_DEVICE, ""
    if device.organisation_id != gateway.organisation_id:
        return Reason.ORGANISATION_MISMATCH, "device of another organisation"
    if device.retired_at is not None and device.retired_at <= context.now:
        return Reason.RETIRED_DEVICE, f"since {device.retired_at.isoformat()}"
    return None


def _impossible_field(reading: WireReading) -> tuple[Reason, str] | None:
    """A field that is well-formed and still no measurement's: the column could not hold it."""
    at, device_time = reading.at, reading.device_time
    if at.tzinfo is None or not EARLIEST_YEAR < at.year < LATEST_YEAR:
        return Reason.IMPOSSIBLE_FIELD, "at"
    if device_time is not None and device_time.tzinfo is not None:
        return Reason.IMPOSSIBLE_FIELD, "device_time"
    if reading.sequence is not None and not 0 <= reading.sequence < SEQUENCE_LIMIT:
        return Reason.IMPOSSIBLE_FIELD, "sequence"
    if reading.user_slot is not None and not 0 <= reading.user_slot < SLOT_LIMIT:
        return Reason.IMPOSSIBLE_FIELD, "user_slot"
    if reading.offset_s is not None and abs(reading.offset_s) > OFFSET_LIMIT:
        return Reason.IMPOSSIBLE_FIELD, "offset_s"
    if not (
        _holds(reading.value)
        and _holds(reading.diastolic)
        and _holds(reading.mean_arterial)
        and _holds(reading.pulse)
        and _holds(reading.original_value)
    ):
        return Reason.IMPOSSIBLE_FIELD, "value"
    if not _hex(reading.frame):
        return Reason.IMPOSSIBLE_FIELD, "frame"
    return None


def _holds(number: float | None) -> bool:
    return number is None or -VALUE_LIMIT <= number <= VALUE_LIMIT


def _hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _without_value(reading: WireReading) -> tuple[Reason, str] | None:
    """What the device or the gateway could not measure or read."""
    if reading.status == "unreadable":
        return Reason.UNREADABLE_FRAME, reading.reason or ""
    if reading.status == "failed" and _shown(reading) is None:
        return Reason.FAILED_MEASUREMENT, reading.reason or ""
    return None


def _shown(reading: WireReading) -> str | None:
    """HI or LO: no number, and still the most urgent thing a meter can say."""
    if reading.kind != GLUCOSE:
        return None
    return OUT_OF_RANGE_WORDS.get(reading.reason or "")


def _measured(reading: WireReading, device: Device, context: Context) -> Decision:
    moment = _moment(reading, device, context)
    if isinstance(moment, clock.Fault):
        return _quarantined(moment.reason, moment.detail, device)
    found = owner.find(
        device.assignments,
        at=moment.at,
        user_slot=reading.user_slot,
        kind=reading.kind,
        value=reading.value or 0.0,
        medians=context.medians,
        rules=context.bounds.owner,
    )
    return _judged(reading, device, context, moment, found)


def _moment(reading: WireReading, device: Device, context: Context) -> clock.Moment | clock.Fault:
    return clock.settle(
        reading,
        context.bounds.time,
        zone=device.zone if reading.offset_s is None or not reading.synced else None,
        siblings=context.siblings,
        now=context.now,
    )


def _judged(
    reading: WireReading,
    device: Device,
    context: Context,
    moment: clock.Moment,
    found: Owner,
    *,
    named: bool = False,
) -> Decision:
    """Value, then owner, then doubts; `named`: a person has confirmed whose it is."""
    if reading.kind not in KINDS:
        return _quarantined(Reason.UNKNOWN_KIND, reading.kind[:50], device)
    if "control_solution" in reading.flags:
        return _quarantined(Reason.CONTROL_SOLUTION, "not a patient's blood", device)
    shown = _shown(reading) if reading.status == "failed" else None
    value = reading.value
    if shown is not None:
        value = context.bounds.out_of_range.get((reading.kind, reading.reason or ""))
    if value is None:
        return _quarantined(Reason.MISSING_VALUE, "", device)
    if shown is None:
        refused = _impossible_value(reading, value, context, found)
        if refused is not None:
            return _quarantined(refused.reason, refused.detail, device)
    person = found.person
    if person is None or (found.state == OwnerState.LIKELY and not context.accept_likely):
        named_person = "" if person is None else f"patient {person.patient_id}"
        return _quarantined(_OWNER_REASONS[found.state], named_person, device)
    usual = context.medians.get((person.patient_id.int, reading.kind))
    if not named and plausibility.wrong_person(reading, value, usual, context.bounds):
        return _quarantined(Reason.WRONG_PERSON, f"patient {person.patient_id}", device)
    doubts = [] if shown else _doubts(reading, value, context, moment, person)
    if found.state == OwnerState.LIKELY:
        doubts.append(Doubt.OWNER_LIKELY)
    if moment.doubtful:
        doubts.append(Doubt.GATEWAY_CLOCK)
    words = (*reading.flags, *moment.words, *((shown,) if shown else ()))
    return _placed(reading, device, context, moment, person, value, words, doubts)


def _impossible_value(
    reading: WireReading, value: float, context: Context, found: Owner
) -> plausibility.Impossible | None:
    if reading.original_unit is not None:
        if reading.original_unit not in plausibility.UNITS[reading.kind]:
            return plausibility.Impossible(Reason.UNKNOWN_UNIT, reading.original_unit[:50])
    band = found.person.band if found.person is not None else context.bounds.band(None)
    return plausibility.impossible(reading, value, context.bounds, band)


def _doubts(
    reading: WireReading, value: float, context: Context, moment: clock.Moment, person: Person
) -> list[Doubt]:
    return plausibility.doubts(
        reading,
        value,
        context.bounds,
        person.band,
        at=moment.at,
        usual=context.medians.get((person.patient_id.int, reading.kind)),
        others=context.other_rates.get(person.patient_id, ()),
    )


def _placed(
    reading: WireReading,
    device: Device,
    context: Context,
    moment: clock.Moment,
    person: Person,
    value: float,
    words: tuple[str, ...],
    doubts: list[Doubt],
) -> Accepted | Flagged:
    extra: Mapping[str, float | str] = reading.extra
    if device.averaging > 1:
        extra = {**extra, "readings_in_mean": float(device.averaging)}
    alert = not clock.stale(moment.at, context.bounds.time, now=context.now)
    if not doubts:
        return Accepted(
            patient_id=person.patient_id,
            organisation_id=device.organisation_id,
            measured_at=moment.at,
            time_quality=moment.quality,
            value=value,
            flags=words,
            extra=extra,
            alert=alert,
        )
    reasons = tuple(dict.fromkeys(doubts))
    return Flagged(
        patient_id=person.patient_id,
        organisation_id=device.organisation_id,
        measured_at=moment.at,
        time_quality=moment.quality,
        value=value,
        flags=tuple(dict.fromkeys((*words, *reasons))),
        extra=extra,
        alert=alert,
        reasons=reasons,
    )


def _quarantined(reason: Reason, detail: str, device: Device) -> Quarantined:
    return Quarantined(reason=reason, detail=detail, organisation_id=device.organisation_id)
