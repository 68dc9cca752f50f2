"""What acceptance may say of a reading, with every reason it may give; no rules."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class TimeQuality(StrEnum):
    """How the effective time came about."""

    DEVICE_SYNCED = "device_synced"
    CORRECTED = "corrected"
    GATEWAY_RECEPTION = "gateway_reception"
    UNKNOWN = "unknown"


class Queue(StrEnum):
    """Which people look at a quarantined reading."""

    IDENTITY_REVIEW = "identity_review"
    TECHNICAL = "technical"


class Reason(StrEnum):
    """Why a reading, or a whole message, is in quarantine."""

    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown_version"
    WRONG_COUNT = "wrong_count"
    OVERSIZED = "oversized"
    WRONG_TOPIC = "wrong_topic"
    GATEWAY_MISMATCH = "gateway_mismatch"
    IMPOSSIBLE_FIELD = "impossible_field"
    NOT_STORABLE = "not_storable"
    UNKNOWN_GATEWAY = "unknown_gateway"
    REVOKED_GATEWAY = "revoked_gateway"
    UNKNOWN_DEVICE = "unknown_device"
    RETIRED_DEVICE = "retired_device"
    ORGANISATION_MISMATCH = "organisation_mismatch"
    FAILED_MEASUREMENT = "failed_measurement"
    UNREADABLE_FRAME = "unreadable_frame"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_UNIT = "unknown_unit"
    MISSING_VALUE = "missing_value"
    CONTROL_SOLUTION = "control_solution"
    OUT_OF_BOUNDS = "out_of_bounds"
    UNIT_MIX_UP = "unit_mix_up"
    IN_FUTURE = "in_future"
    CLOCK_FAULT = "clock_fault"
    CLOCK_UNKNOWN = "clock_unknown"
    OWNER_UNKNOWN = "owner_unknown"
    OWNER_AMBIGUOUS = "owner_ambiguous"
    OWNER_LIKELY = "owner_likely"
    WRONG_PERSON = "wrong_person"


IDENTITY_REASONS = frozenset(
    {
        Reason.OWNER_UNKNOWN,
        Reason.OWNER_AMBIGUOUS,
        Reason.OWNER_LIKELY,
        Reason.WRONG_PERSON,
    }
)


class Doubt(StrEnum):
    """Why a stored reading is flagged: shown, but nobody is paged until a person confirms it."""

    SOFT_BOUNDS = "soft_bounds"
    DIASTOLIC_SOFT_BOUNDS = "diastolic_soft_bounds"
    PULSE_OUT_OF_RANGE = "pulse_out_of_range"
    JUMP = "jump"
    PRESSURES_TOO_CLOSE = "pressures_too_close"
    PULSE_PRESSURE = "pulse_pressure"
    MEAN_OUTSIDE = "mean_outside"
    MOVEMENT = "movement"
    CUFF_LOOSE = "cuff_loose"
    WEAK_PERFUSION = "weak_perfusion"
    PULSE_ABSENT = "pulse_absent"
    UNIT_MIX_UP = "unit_mix_up_suspected"
    DEVICES_DISAGREE = "devices_disagree"
    GATEWAY_CLOCK = "gateway_clock_unsynced"
    OWNER_LIKELY = "owner_likely"


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A reading that enters a chart: whose, when and which value."""

    patient_id: UUID
    organisation_id: UUID
    measured_at: datetime
    time_quality: TimeQuality
    value: float
    flags: tuple[str, ...]
    """Quality words of device and clock, and the doubts if there are any."""
    extra: Mapping[str, float | str]
    alert: bool
    """False: too old to be judged by the rules."""


class Accepted(Placed, frozen=True, kw_only=True, gc=False):
    """Stored and judged."""


class Flagged(Placed, frozen=True, kw_only=True, gc=False):
    """Stored and shown; excluded from paging until confirmed."""

    reasons: tuple[Doubt, ...]


class Quarantined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Kept with its reason, in nobody's chart, until a person has dealt with it."""

    reason: Reason
    detail: str = ""
    organisation_id: UUID | None = None

    @property
    def queue(self) -> Queue:
        """Identity questions go to people who know the patients, the rest to technicians."""
        return Queue.IDENTITY_REVIEW if self.reason in IDENTITY_REASONS else Queue.TECHNICAL


Decision = Accepted | Flagged | Quarantined
