"""What surrounds a case: texts, names, serial numbers, edits. Reviewers read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ABSENT = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePaper:
    """A device as it stands in the assets list."""

    id: str
    make: str = ABSENT
    model: str = ABSENT
    serial: str = ABSENT
    udi: str = ABSENT
    listing: str = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to something the line rests on, with its place in the audit chain."""

    at: datetime
    by: str
    what: str
    before: str
    after: str
    reason: str
    audit_id: str = ABSENT
    audit_hash: str = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Everything around a case that counts nothing but that a reviewer reads."""

    organisation: str = ABSENT
    patient_label: str = ABSENT
    order_texts: Mapping[str, str] = field(default_factory=dict)
    consent_texts: Mapping[str, str] = field(default_factory=dict)
    education_note: str = ABSENT
    staff: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[DevicePaper, ...] = ()
    gateway_times: Mapping[str, datetime] = field(default_factory=dict)
    changes_from_data: tuple[str, ...] = ()
    care_plan: str = ABSENT
    attestation: str = ABSENT
    edits: tuple[Edit, ...] = ()
    chain_head: str = ABSENT
