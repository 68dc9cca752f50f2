"""By when somebody must respond, by severity and the organisation's hours. Pure."""

from datetime import UTC, datetime, timedelta

from alerts.severity import Severity
from care.calendar import OfficeHours

RESPOND_WITHIN = {
    Severity.CRITICAL: timedelta(minutes=5),
    Severity.HIGH: timedelta(minutes=60),
    Severity.LOW: timedelta(days=7),
}


def due_at(severity: Severity, since: datetime, hours: OfficeHours) -> datetime:
    """Return the moment by which an alert of this severity should be answered."""
    if severity is Severity.MEDIUM:
        return hours.end_of_next_business_day(since).astimezone(UTC)
    return since + RESPOND_WITHIN[severity]
