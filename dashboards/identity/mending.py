"""Giving readings to people, moving and striking them, on a worker's connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import psycopg
from fastapi import Request
from pydantic import BaseModel, Field

from dashboards.door import MissingError, RefusedError, Visit
from dashboards.fetch import Connection
from dashboards.identity import store
from dashboards.patients.routes import known
from dashboards.wiring import wiring
from database.pool import OPTIONS
from ingest.release import By, ReleaseError, move, reject, release

NOT_SET_UP = "This server may not change readings: TIDINGS_WORKER_DSN is not set."


class Correction(BaseModel):
    """The correction form: an owner moves the reading, none strikes it."""

    owner: UUID | None = None
    reason: Annotated[str, Field(max_length=300)] = ""


async def given(request: Request, visit: Visit, quarantine_id: UUID, patient_id: UUID) -> None:
    """Give a quarantined reading to a person; ReleaseError says why not."""
    await store.kept(visit, quarantine_id)
    await known(visit.connection, patient_id)
    async with _worker(request) as connection:
        await release(connection, quarantine_id, patient_id, _by(visit, "identity review"))


async def rejected(request: Request, visit: Visit, quarantine_id: UUID, reason: str) -> None:
    """Close a row for good."""
    async with _worker(request) as connection:
        try:
            await reject(connection, quarantine_id, _by(visit, reason.strip() or "rejected"))
        except ReleaseError as error:
            raise MissingError from error


async def corrected(
    request: Request, visit: Visit, patient_id: UUID, reading_id: UUID, form: Correction
) -> None:
    """Move a reading or strike it; ReleaseError says why not."""
    await known(visit.connection, patient_id)
    await store.one(visit, patient_id, reading_id)
    reason = form.reason.strip()
    if not reason:
        raise ReleaseError("Say why.")
    async with _worker(request) as connection:
        if form.owner:
            await known(visit.connection, form.owner)
            await move(connection, reading_id, patient_id, form.owner, _by(visit, reason))
        elif not await store.strike(connection, visit, patient_id, reading_id, reason):
            raise ReleaseError("This reading is struck already.")


def _by(visit: Visit, note: str) -> By:
    return By(
        organisation_id=visit.staff.organisation_id,
        staff_id=visit.staff.id,
        now=visit.now,
        note=note,
    )


@asynccontextmanager
async def _worker(request: Request) -> AsyncIterator[Connection]:
    """Open a connection that may change readings; the web role may not."""
    dsn = wiring(request).settings.worker_dsn
    if not dsn:
        raise RefusedError(NOT_SET_UP)
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
    )
    async with connection:
        yield connection
