"""How much time this month holds for a patient; what the banner shows."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from dashboards.door import Visit
from dashboards.minutes import store
from dashboards.patients import record


def month_start(visit: Visit) -> datetime:
    """Return the first moment of this month in the clinic's zone."""
    return record.month_start(visit.now.astimezone(ZoneInfo(visit.zone)))


async def month_seconds(visit: Visit, patient_id: UUID) -> int:
    """Return the seconds counted for a patient this month."""
    return await store.month_seconds(visit, patient_id, month_start(visit))
