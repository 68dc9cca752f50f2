"""Who is on call over the coming days, as shifts with their hand-offs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from care.rota import Duty, Rota, on_duty

DAYS = 14
QUARTER = timedelta(minutes=15)
DUTIES: Mapping[Duty, str] = MappingProxyType(
    {
        Duty.PRIMARY: "Primary on call",
        Duty.SECONDARY: "Secondary on call",
        Duty.CHARGE_NURSE: "Charge nurse",
        Duty.PROVIDER: "Supervising provider",
        Duty.DIRECTOR: "Medical director",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One stretch of one duty; `staff_id` None: nobody."""

    from_at: datetime
    to_at: datetime
    staff_id: UUID | None


def shifts(rota: Rota, duty: Duty, start: datetime, *, days: int = DAYS) -> list[Shift]:
    """Return the shifts of the coming days, to the quarter hour; a change of person ends one."""
    found: list[Shift] = []
    for step in range(days * 96):
        at = start + step * QUARTER
        who = on_duty(rota, duty, at)
        if found and found[-1].staff_id == who:
            began = found.pop().from_at
            found.append(Shift(from_at=began, to_at=at + QUARTER, staff_id=who))
        else:
            found.append(Shift(from_at=at, to_at=at + QUARTER, staff_id=who))
    return found


def quarter(at: datetime) -> datetime:
    """Return the quarter hour that a moment lies in."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def uncovered(found: Mapping[Duty, Sequence[Shift]]) -> list[Duty]:
    """Return the duties that a page must always reach, and that have a gap."""
    needed = (Duty.PRIMARY, Duty.PROVIDER)
    return [duty for duty in needed if any(s.staff_id is None for s in found[duty])]
