"""What is to be done for patients."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from dashboards.faces import Named
from dashboards.fetch import Connection, every
from database import sql

QUERIES = sql.load("dashboards.work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Named):
    """Something to be done."""

    id: UUID
    patient_id: UUID
    title: str
    due_on: date
    assigned_to: UUID | None
    assigned_name: str | None
    done_at: datetime | None
    family_name: str
    given_name: str
    mrn: str


async def tasks_of(connection: Connection, patient_id: UUID) -> list[Task]:
    """Return the open tasks of one patient, the earliest due first."""
    fields = {"patient_id": patient_id, "staff_id": None}
    return await every(connection, Task, QUERIES["tasks"], fields)


async def tasks_for(connection: Connection, staff_id: UUID) -> list[Task]:
    """Return somebody's own open tasks and the team's."""
    fields = {"patient_id": None, "staff_id": staff_id}
    return await every(connection, Task, QUERIES["tasks"], fields)
