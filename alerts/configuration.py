"""A patient whose readings no rule judges is a visible warning, opened and closed by the system."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from alerts import technical
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
RULE = "no_profile"


async def check(
    connection: Connection, found: Mapping[UUID, tuple[UUID, bool]], *, now: datetime
) -> None:
    """Open the warning where no rule is in force, close it where one is again."""
    wanted = {"patients": list(found), "rule": RULE}
    warned = await connection.execute(sql.load("alerts")["open_of_rule"], wanted)
    open_ = {row[0] for row in await warned.fetchall()}
    for patient, (organisation, judged) in sorted(found.items()):
        if not judged and patient not in open_:
            await technical.open_alert(connection, _warning(patient, organisation), now=now)
        elif judged and patient in open_:
            await technical.close_alert(
                connection, patient, RULE, reason="a rule is in force", now=now
            )


def _warning(patient: UUID, organisation: UUID) -> technical.Finding:
    return technical.Finding(
        patient_id=patient,
        organisation_id=organisation,
        rule_id=RULE,
        severity=Severity.MEDIUM,
        queue="configuration",
        headline="No alert rules",
        why="Readings arrive, but no alert profile applies to this patient: nothing judges them",
    )
