"""Reads patients' months from the database, a batch at a time: set-based and bounded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from billing import fields, gather_case, windows
from billing.gather_case import Raw
from billing.record import Case
from database import sql

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]
BATCH = 250
NOBODY = UUID(int=0)
LOOK_BACK = timedelta(days=32)
"""A window that ends in the month began at most thirty days before it."""
QUERIES = sql.load("billing")
PARTS = tuple(name for name in QUERIES if name.startswith("part_") and name != "part_all_readings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One patient's month: the case as it is kept, and as it is judged."""

    patient_id: UUID
    sort_key: str
    programme: str
    raw: Raw
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some patients of a month, and as of when they are judged."""

    organisation: UUID
    first: date
    now: datetime
    ids: list[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What every batch of a month is asked with."""

    connection: Connection
    clinic: Raw
    first: date
    now: datetime
    span: dict[str, object]


def clinic(connection: Connection, organisation: UUID) -> Raw:
    """Return an organisation's name, zone and identifiers, or KeyError."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(QUERIES["clinic"], {"organisation": organisation}).fetchone()
    if found is None:
        raise KeyError(organisation)
    return dict(found)


def how_many(connection: Connection, organisation: UUID, first: date) -> int:
    """Return how many patients a month has."""
    wanted = _span(clinic(connection, organisation), first) | {
        "organisation": organisation,
        "one": None,
    }
    found = connection.execute(QUERIES["how_many"], wanted).fetchone()
    return 0 if found is None else int(found[0])


def shares(  # noqa: PLR0913  whose month, as of when, and how much at once
    connection: Connection,
    organisation: UUID,
    first: date,
    *,
    now: datetime,
    one: UUID | None = None,
    batch: int = BATCH,
) -> Iterator[Share]:
    """Yield the month's patients by their ids, so many at once."""
    span = _span(clinic(connection, organisation), first)
    wanted = span | {"organisation": organisation, "one": one, "most": batch}
    after = NOBODY
    while True:
        rows = connection.execute(QUERIES["share"], wanted | {"after": after}).fetchall()
        if not rows:
            return
        ids = [row[0] for row in rows]
        yield Share(organisation=organisation, first=first, now=now, ids=ids)
        after = ids[-1]


def people(connection: Connection, share: Share) -> list[Gathered]:
    """Return what the database holds of a share's patients."""
    known = clinic(connection, share.organisation)
    span = _span(known, share.first) | {"organisation": share.organisation, "ids": share.ids}
    asked = _Asked(connection=connection, clinic=known, first=share.first, now=share.now, span=span)
    with connection.cursor() as cursor:
        set_json_loads(msgspec.json.decode, cursor)
        found = cursor.execute(QUERIES["people"], span).fetchall()
        return _gathered(asked, cursor, found)


def batches(  # noqa: PLR0913  whose month, as of when, and how much at once
    connection: Connection,
    organisation: UUID,
    first: date,
    *,
    now: datetime,
    one: UUID | None = None,
    batch: int = BATCH,
) -> Iterator[list[Gathered]]:
    """Yield the month's patients in batches; only one batch is in memory at a time."""
    for share in shares(connection, organisation, first, now=now, one=one, batch=batch):
        yield people(connection, share)


def patient(
    connection: Connection, organisation: UUID, first: date, patient_id: UUID, *, now: datetime
) -> Gathered | None:
    """Return one patient's month, or nothing when the patient has none."""
    for found in batches(connection, organisation, first, now=now, one=patient_id):
        return found[0]
    return None


def owner_of(connection: Connection, patient_id: UUID) -> UUID | None:
    """Return a patient's organisation."""
    query = "select organisation_id from patient where id = %s"
    found = connection.execute(query, (patient_id,)).fetchone()
    return None if found is None else found[0]


def _span(known: Raw, first: date) -> dict[str, object]:
    """Return a month's edges: instants in the practice's zone, a day wider for the patients'."""
    zone = fields.zone(known["time_zone"]) or ZoneInfo("UTC")
    month = windows.month_of(first)
    begins = windows.opening(month, zone)
    return {
        "first": month.first,
        "last": month.last,
        "month_from": begins,
        "until": windows.closing(month, zone) + windows.DAY,
        "entries_from": begins - LOOK_BACK,
        "readings_from": begins - LOOK_BACK,
    }


def _gathered(asked: _Asked, cursor: Cursor, found: list[tuple[Any, ...]]) -> list[Gathered]:
    parts = _parts(asked, cursor, [row[0] for row in found])
    return [_one(asked, row, parts[row[0]]) for row in found]


def _parts(asked: _Asked, cursor: Cursor, ids: list[UUID]) -> dict[UUID, dict[str, object]]:
    found: dict[UUID, dict[str, object]] = {each: {} for each in ids}
    for name in PARTS:
        for patient_id, rows in cursor.execute(QUERIES[name], asked.span | {"ids": ids}):
            found[patient_id][name.removeprefix("part_")] = rows
    return found


def _one(asked: _Asked, row: tuple[Any, ...], parts: dict[str, object]) -> Gathered:
    patient_id, sort_key, facts, programme, programmes = row
    person = facts | {"programmes": programmes}
    raw, case = _made(asked, person, parts)
    if gather_case.needs_older_readings(case, asked.first):
        query = QUERIES["part_all_readings"]
        wanted = asked.span | {"ids": [patient_id]}
        everything = asked.connection.execute(query, wanted).fetchone()
        if everything is not None:
            raw, case = _made(asked, person, parts | {"readings": everything[1]})
    return Gathered(
        patient_id=patient_id,
        sort_key=sort_key,
        programme=programme,
        raw=raw,
        case=gather_case.with_window(case, raw),
    )


def _made(asked: _Asked, person: Raw, parts: dict[str, object]) -> tuple[Raw, Case]:
    as_of = asked.now.astimezone(UTC)
    raw = gather_case.raw_case(person, parts, asked.clinic, first=asked.first, as_of=as_of)
    return raw, gather_case.parsed(raw)
