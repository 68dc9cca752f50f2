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
from ingest.owner import LIKELY, NAMED, Owner, OwnerState
from ingest.people import Device, Gateway, Medians, OtherRate, Person
from ingest.plausibility import UNITS, Sample

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
Refusal = tuple[Reason, str]
"""Why not, and a detail for the person who looks at it."""
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


class Case(msgspec.Struct, frozen=True, gc=False):
    """A reading of a registered device, once its time is settled."""

    reading: WireReading
    device: Device
    moment: clock.Moment
    context: Context


def decide(reading: WireReading, context: Context) -> Decision:
    """Return the one outcome of this reading."""
    return decide_all((reading,), context)[0]


def decide_all(readings: Sequence[WireReading], context: Context) -> list[Decision]:
    """Return the one outcome of each of these readings, which came in one message."""
    device = context.device
    refused = _refused(context.gateway, device, context)
    if refused is None and device is not None:
        return [_measured(reading, device, context) for reading in readings]
    reason, detail = refused or (Reason.UNKNOWN_DEVICE, "")
    organisation_id = context.gateway.organisation_id if context.gateway is not None else None
    aside = Quarantined(reason=reason, detail=detail, organisation_id=organisation_id)
    return [aside] * len(readings)


def decide_for(reading: WireReading, person: Person, device: Device, context: Context) -> Decision:
    """Decide again for the person whom somebody named: everything but the owner is checked."""
    refused = _unusable(reading)
    if refused is not None:
        return _quarantined(refused[0], refused[1], device)
    moment = _moment(reading, device, context)
    if isinstance(moment, clock.Fault):
        return _quarantined(moment.reason, moment.detail, device)
    return _judged(Case(reading, device, moment, context), Owner(NAMED, person))


def _refused(gateway: Gateway | None, device: Device | None, context: Context) -> Refusal | None:
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


def _unusable(reading: WireReading) -> Refusal | None:
    """What keeps a reading out whoever it belongs to: an impossible field, or no value."""
    field = _impossible_field(reading)
    if field is not None:
        return Reason.IMPOSSIBLE_FIELD, field
    if reading.status != "measured" and _shown(reading) is None:
        failed = reading.status == "failed"
        reason = Reason.FAILED_MEASUREMENT if failed else Reason.UNREADABLE_FRAME
        return reason, reading.reason or ""
    if reading.kind not in KINDS:
        return Reason.UNKNOWN_KIND, reading.kind[:50]
    if reading.original_unit is not None and reading.original_unit not in UNITS[reading.kind]:
        return Reason.UNKNOWN_UNIT, reading.original_unit[:50]
    if "control_solution" in reading.flags:
        return Reason.CONTROL_SOLUTION, "not a patient's blood"
    return None


def _impossible_field(reading: WireReading) -> str | None:
    """A field that is well-formed and still no measurement's: the column could not hold it."""
    device_time, sequence, slot = reading.device_time, reading.sequence, reading.user_slot
    if reading.at.tzinfo is None or not EARLIEST_YEAR < reading.at.year < LATEST_YEAR:
        return "at"
    if device_time is not None and device_time.tzinfo is not None:
        return "device_time"
    if sequence is not None and not 0 <= sequence < SEQUENCE_LIMIT:
        return "sequence"
    if slot is not None and not 0 <= slot < SLOT_LIMIT:
        return "user_slot"
    if reading.offset_s is not None and abs(reading.offset_s) > OFFSET_LIMIT:
        return "offset_s"
    return _impossible_number(reading) or (None if _hex(reading.frame) else "frame")


def _impossible_number(reading: WireReading) -> str | None:
    fits = (
        -VALUE_LIMIT <= (reading.value or 0.0) <= VALUE_LIMIT
        and -VALUE_LIMIT <= (reading.diastolic or 0.0) <= VALUE_LIMIT
        and -VALUE_LIMIT <= (reading.mean_arterial or 0.0) <= VALUE_LIMIT
        and -VALUE_LIMIT <= (reading.pulse or 0.0) <= VALUE_LIMIT
        and -VALUE_LIMIT <= (reading.original_value or 0.0) <= VALUE_LIMIT
    )
    return None if fits else "value"


def _hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _shown(reading: WireReading) -> str | None:
    """HI or LO: no number, and still the most urgent thing a meter can say."""
    if reading.status != "failed" or reading.kind != GLUCOSE:
        return None
    return OUT_OF_RANGE_WORDS.get(reading.reason or "")


def _moment(reading: WireReading, device: Device, context: Context) -> clock.Moment | clock.Fault:
    zone_matters = reading.offset_s is None or not reading.synced
    return clock.settle(
        reading,
        context.bounds.time,
        zone=device.zone if zone_matters else None,
        siblings=context.siblings,
        now=context.now,
    )


def _measured(reading: WireReading, device: Device, context: Context) -> Decision:
    refused = _unusable(reading)
    if refused is not None:
        return _quarantined(refused[0], refused[1], device)
    moment = _moment(reading, device, context)
    if isinstance(moment, clock.Fault):
        return _quarantined(moment.reason, moment.detail, device)
    found = owner.find(
        reading, device.assignments, moment.at, context.medians, context.bounds.owner
    )
    return _judged(Case(reading, device, moment, context), found)


def _judged(case: Case, found: Owner) -> Decision:
    """Is the value possible, is the owner known, and what is doubtful about it."""
    reading, device, bounds = case.reading, case.device, case.context.bounds
    shown, value, person = _shown(reading), reading.value, found.person
    if shown is not None:
        value = bounds.out_of_range.get((reading.kind, reading.reason or ""))
    if value is None:
        return _quarantined(Reason.MISSING_VALUE, "", device)
    limits = bounds.in_band[bounds.band(None) if person is None else person.band]
    sample = Sample(reading, value, case.moment.at, limits)
    refused = plausibility.impossible(sample, bounds) if shown is None else None
    if refused is not None:
        return _quarantined(refused.reason, refused.detail, device)
    usual = None
    if person is not None:
        usual = case.context.medians.get((person.patient_id.int, reading.kind))
    refusal = _not_owned(sample, found, usual, case.context)
    if refusal is not None or person is None:
        return _quarantined(*(refusal or (Reason.OWNER_UNKNOWN, "")), device)
    if shown is not None:
        return _placed(case, person, value, (*reading.flags, *case.moment.words, shown), [])
    others = _others(case, person) if case.context.other_rates else ()
    doubts = plausibility.doubts(sample, bounds, usual, others)
    if found.state is LIKELY:
        doubts.append(Doubt.OWNER_LIKELY)
    if case.moment.doubtful:
        doubts.append(Doubt.GATEWAY_CLOCK)
    return _placed(case, person, value, reading.flags + case.moment.words, doubts)


def _others(case: Case, person: Person) -> Sequence[OtherRate]:
    """Recent heart rates of this person from other devices."""
    found = case.context.other_rates.get(person.patient_id, ())
    return [each for each in found if each.device_id != case.device.id]


def _not_owned(
    sample: Sample, found: Owner, usual: Medians | None, context: Context
) -> Refusal | None:
    """Why the reading must not enter this person's chart unasked."""
    person, state = found.person, found.state
    if state is NAMED:
        return None
    if person is None or (state is LIKELY and not context.accept_likely):
        return _OWNER_REASONS[state], "" if person is None else f"patient {person.patient_id}"
    if plausibility.wrong_person(sample, usual, context.bounds):
        return Reason.WRONG_PERSON, f"patient {person.patient_id}"
    return None


def _placed(
    case: Case, person: Person, value: float, words: tuple[str, ...], doubts: list[Doubt]
) -> Accepted | Flagged:
    moment, context = case.moment, case.context
    accepted = Accepted(
        patient_id=person.patient_id,
        organisation_id=case.device.organisation_id,
        measured_at=moment.at,
        time_quality=moment.quality,
        value=value,
        flags=words,
        extra=_extra(case),
        alert=not clock.stale(moment.at, context.bounds.time, now=context.now),
    )
    return _flagged(accepted, doubts) if doubts else accepted


def _flagged(accepted: Accepted, doubts: list[Doubt]) -> Flagged:
    reasons = tuple(dict.fromkeys(doubts))
    told = msgspec.structs.asdict(accepted)
    told["flags"] = tuple(dict.fromkeys((*accepted.flags, *reasons)))
    return Flagged(reasons=reasons, **told)


def _extra(case: Case) -> Mapping[str, float | str]:
    if case.device.averaging == 1:
        return case.reading.extra
    return {**case.reading.extra, "readings_in_mean": float(case.device.averaging)}


def _quarantined(reason: Reason, detail: str, device: Device) -> Quarantined:
    return Quarantined(reason=reason, detail=detail, organisation_id=device.organisation_id)
