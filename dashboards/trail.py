"""The audit trail: one row for every look and every change, written in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from dashboards.fetch import Connection, run
from database import sql

QUERIES = sql.load("dashboards.accounts")


async def record(  # noqa: PLR0913 -- the columns of the trail, all by name
    connection: Connection,
    *,
    organisation_id: UUID,
    actor: str,
    action: str,
    object_kind: str,
    object_id: str,
    now: datetime,
    patient_id: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append one row; the database chains it to the one before."""
    fields = {
        "organisation_id": organisation_id,
        "now": now,
        "actor": actor,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "patient_id": patient_id,
        "detail": Jsonb(dict(detail or {})),
    }
    await run(connection, QUERIES["audit"], fields)
