"""By when somebody must respond, by severity and the organisation's hours. Pure."""

from datetime import UTC, datetime, timedelta

from alerts.severity import Severity
from care.calendar import OfficeHours

RESPOND_WITHIN = {
    Severity.CRITICAL: timedelta(minutes=5),
    Severity.HIGH: timedelta(minutes=60),
    Severity.LOW: timedelta(days=7),
}


def due_at(
    severity: Severity, since: datetime, hours: OfficeHours, *, factor: float = 1.0
) -> datetime:
    """Return the moment by which an alert of this severity should be answered.

    A factor below one shortens the whole time, as some programmes ask for.
    """
    if severity is Severity.MEDIUM:
        due = hours.end_of_next_business_day(since).astimezone(UTC)
    else:
        due = since + RESPOND_WITHIN[severity]
    return since + (due - since) * factor
