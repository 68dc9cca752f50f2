"""What the directory knows of gateway, device and patients, as acceptance is told; no look-ups."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolled gateway."""

    id: str
    organisation_id: UUID
    revoked: bool = False


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A patient as far as plausibility needs one."""

    patient_id: UUID
    band: str = "adult"
    zone: ZoneInfo | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Whose device, from when to when; a shared device by user slot."""

    person: Person
    slot: int | None = None
    start: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the device is this person's at a moment."""
        return self.start <= at and (self.end is None or at < self.end)


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A registered device and all its assignments."""

    id: str
    organisation_id: UUID
    averaging: int = 1
    retired_at: datetime | None = None
    assignments: tuple[Assignment, ...] = ()

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone of its people, if they share one."""
        zones = {assignment.person.zone for assignment in self.assignments}
        return zones.pop() if len(zones) == 1 else None


class Medians(msgspec.Struct, frozen=True, kw_only=True):
    """A patient's own readings of one kind over the last seven days."""

    value: float
    diastolic: float | None = None
    pulse: float | None = None
    last_value: float | None = None
    last_at: datetime | None = None


class OtherRate(msgspec.Struct, frozen=True, kw_only=True):
    """A heart rate of the same patient from another device."""

    device_id: str
    at: datetime
    rate: float
