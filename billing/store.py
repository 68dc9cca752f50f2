"""What billing keeps: months with their steps, patients' standings, lines, findings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb, set_json_loads

from billing import gather_case, windows
from billing.claims import BillLine
from billing.gather import NOBODY, QUERIES, Gathered, Share
from billing.month import Action as MonthAction
from billing.month import Month, State, Step
from billing.record import Case
from billing.self_audit import Finding
from billing.standing import Standing

Connection = psycopg.Connection[tuple[Any, ...]]
BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One organisation's month."""

    organisation: UUID
    first: date

    @property
    def fields(self) -> dict[str, object]:
        """Return what every query asks with."""
        return {
            "organisation": self.organisation,
            "first": self.first,
            "last": windows.month_of(self.first).last,
        }


def month(connection: Connection, key: Key) -> Month:
    """Return a month with its history; one that nobody touched is collecting."""
    found = connection.execute(QUERIES["month"], key.fields).fetchone()
    if found is None:
        return Month(organisation=str(key.organisation), first=key.first)
    return Month(
        organisation=str(key.organisation),
        first=key.first,
        state=State(found[0]),
        signed_by=found[1],
        exports=found[2],
        steps=tuple(
            Step(action=MonthAction(action), by=by, at=at, note=note)
            for action, by, at, note in connection.execute(QUERIES["steps"], key.fields)
        ),
    )


def opened(connection: Connection, key: Key) -> Month:
    """Return a month for changing: whoever else wants to waits until this transaction ends."""
    connection.execute(QUERIES["lock_month"], key.fields)
    connection.execute(QUERIES["open_month"], key.fields)
    return month(connection, key)


def keep(connection: Connection, key: Key, after: Month) -> None:
    """Store a month's state and its newest step, and append both to the audit trail."""
    step = after.steps[-1]
    state = {"state": after.state.value, "signed_by": after.signed_by, "exports": after.exports}
    connection.execute(QUERIES["keep_month"], key.fields | state)
    told = {"action": step.action.value, "by": step.by, "at": step.at, "note": step.note}
    connection.execute(QUERIES["keep_step"], key.fields | told)
    note = {"state": after.state.value, "note": step.note, "exports": after.exports}
    audit(connection, key, step.action.value, by=step.by, now=step.at, detail=note)


def audit(  # noqa: PLR0913  the columns of the trail, all by name
    connection: Connection,
    key: Key,
    action: str,
    *,
    by: str,
    now: datetime,
    kind: str = "billing_month",
    object_id: str = "",
    patient: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append one row to the audit trail; the database chains it."""
    row = {
        "at": now,
        "actor": by,
        "action": action,
        "object_kind": kind,
        "object_id": object_id or f"{key.first:%Y-%m}",
        "patient": patient,
        "detail": Jsonb(dict(detail or {})),
    }
    connection.execute(QUERIES["audit"], key.fields | row)


def keep_standings(
    connection: Connection, key: Key, rows: Iterable[tuple[Gathered, Standing]], now: datetime
) -> None:
    """Store how patients stand, with the facts from which it follows again."""
    made = [_standing(found, how) for found, how in rows]
    connection.execute(QUERIES["keep_patients"], key.fields | _document(made) | {"now": now})


def _document(rows: list[dict[str, object]]) -> dict[str, object]:
    return {"rows": msgspec.json.encode(rows).decode()}


def _standing(found: Gathered, how: Standing) -> dict[str, object]:
    return {
        "patient": found.patient_id,
        "sort_key": found.sort_key,
        "programme": found.programme,
        "days": how.days,
        "days_need": how.days_need,
        "minutes": how.minutes,
        "minutes_need": how.minutes_need,
        "contact_on": how.contact_on,
        "codes": how.codes,
        "ready": how.ready,
        "near": how.near,
        "blocked": how.blocked,
        "at_risk": how.at_risk,
        "missing": how.missing,
        "mend": how.mend,
        "facts": found.raw,
    }


def keep_lines(
    connection: Connection, key: Key, patients: list[UUID], lines: list[BillLine], now: datetime
) -> None:
    """Make these the current lines of these patients; what left in a file stays as history."""
    gone = {"ids": patients, "lines": [line.id for line in lines]}
    connection.execute(QUERIES["drop_lines"], key.fields | gone)
    made = [_line(line) for line in lines]
    connection.execute(QUERIES["keep_lines"], key.fields | _document(made) | {"now": now})


def _line(line: BillLine) -> dict[str, object]:
    entries = (*line.evidence.entries, *line.evidence.limiting)
    return {
        "patient": line.patient_id,
        "line": line.id,
        "code": line.code,
        "units": line.units,
        "content": line,
        "reading_ids": line.evidence.readings,
        "entry_ids": entries,
        "pack": line.pack,
        "pack_version": line.pack_version,
        "parameter_hash": line.parameter_hash,
    }


def as_line(content: object) -> BillLine:
    """Return a stored line."""
    return msgspec.convert(content, BillLine)


def lines(connection: Connection, key: Key) -> Iterator[BillLine]:
    """Yield the current lines of a month in the order of patients, a batch at a time."""
    after: dict[str, object] = {"after_patient": NOBODY, "after_line": ""}
    while True:
        wanted = key.fields | after | {"most": BATCH}
        with connection.cursor() as cursor:
            set_json_loads(msgspec.json.decode, cursor)
            found = cursor.execute(QUERIES["lines"], wanted).fetchall()
        for _, content in found:
            yield as_line(content)
        if len(found) < BATCH:
            return
        last = as_line(found[-1][1])
        after = {"after_patient": UUID(last.patient_id), "after_line": last.id}


def shares(connection: Connection, key: Key, *, now: datetime) -> Iterator[Share]:
    """Yield the judged patients of a month by their ids, so many at once."""
    for ids in _judged(connection, key):
        yield Share(organisation=key.organisation, first=key.first, now=now, ids=ids)


def cases(connection: Connection, key: Key) -> Iterator[Case]:
    """Yield the judged cases of a month from their stored facts, a batch at a time."""
    for ids in _judged(connection, key):
        yield from cases_of(connection, key, ids)


def cases_of(connection: Connection, key: Key, ids: list[UUID]) -> Iterator[Case]:
    """Yield the judged cases of some patients."""
    with connection.cursor() as cursor:
        set_json_loads(msgspec.json.decode, cursor)
        for (facts,) in cursor.execute(QUERIES["facts_of_share"], key.fields | {"ids": ids}):
            yield gather_case.parsed(facts)


def _judged(connection: Connection, key: Key) -> Iterator[list[UUID]]:
    after = NOBODY
    while True:
        wanted = key.fields | {"after": after, "most": BATCH}
        ids = [row[0] for row in connection.execute(QUERIES["judged_share"], wanted)]
        if not ids:
            return
        yield ids
        after = ids[-1]


def count(connection: Connection, key: Key, query: str) -> int:
    """Return the number that a counting query gives."""
    found = connection.execute(QUERIES[query], key.fields).fetchone()
    return 0 if found is None else int(found[0])


def last_exported(connection: Connection, key: Key) -> Iterator[BillLine]:
    """Yield the lines of the last file that left, in the order of patients."""
    with connection.cursor("last_exported") as cursor:
        for (content,) in cursor.execute(QUERIES["last_exported"], key.fields):
            yield as_line(content)


def keep_findings(connection: Connection, key: Key, findings: Iterable[Finding]) -> int:
    """Replace the self-audit's findings of a month; return how many there are."""
    connection.execute(QUERIES["forget_findings"], key.fields)
    rows = [
        key.fields
        | {
            "pattern": each.pattern.name.lower(),
            "subject": each.subject,
            "number": each.number,
            "most": each.limit,
            "ids": list(each.ids),
        }
        for each in findings
    ]
    with connection.cursor() as cursor:
        cursor.executemany(QUERIES["keep_finding"], rows)
    return len(rows)


def fees(connection: Connection, key: Key) -> dict[str, Decimal]:
    """Return the fee schedule in force at the end of a month."""
    return dict(connection.execute(QUERIES["fees"], key.fields).fetchall())
