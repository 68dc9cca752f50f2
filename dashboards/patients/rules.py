"""The alert rules in force for somebody, as far as charts need them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts import applicability, catalogue
from alerts.applicability import Override
from alerts.rules import Rule
from alerts.samples import Enrolment as Stay
from alerts.samples import Subject

NOBODY = UUID(int=0)


def subject(  # noqa: PLR0913 -- what rules may know of somebody
    *,
    birth_date: date,
    conditions: Iterable[str],
    traits: Iterable[str],
    stays: Iterable[Stay],
    zone: str = "UTC",
    patient_id: UUID = NOBODY,
) -> Subject:
    """Return what rules may know of somebody."""
    return Subject(
        id=patient_id,
        organisation_id=NOBODY,
        zone=ZoneInfo(zone),
        birth_date=birth_date,
        conditions=frozenset(conditions),
        traits=frozenset(traits),
        enrolments=tuple(stays),
    )


def stay(programme: str, profiles: Iterable[str], enrolled_at: datetime) -> Stay:
    """Return one stay in a programme, as the rules see it."""
    return Stay(programme=programme, profiles=tuple(profiles), enrolled_at=enrolled_at)


def in_force(who: Subject, at: datetime, overrides: Sequence[Override] = ()) -> tuple[Rule, ...]:
    """Return the rules that would judge a reading now."""
    found = applicability.in_force(catalogue.product(), overrides, who, at)
    return tuple(rule for rule in found if applicability.holds_for(rule.when, who, at))


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
