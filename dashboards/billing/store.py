"""What the billing pages read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from billing import windows
from dashboards.door import Visit
from dashboards.fetch import every, first, run
from database import sql

QUERIES = sql.load("dashboards.billing")
NOBODY = UUID(int=0)
GONE_AFTER = timedelta(minutes=1)
NEWS_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the tiles and the tabs count."""

    everybody: int = 0
    codes: int = 0
    ready: int = 0
    near: int = 0
    near_minutes: int = 0
    near_days: int = 0
    near_contact: int = 0
    blocked: int = 0
    blocked_consent: int = 0
    blocked_order: int = 0
    blocked_eligibility: int = 0
    at_risk: int = 0
    exported: int = 0
    review: int = 0
    new_ones: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One patient's month."""

    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    birth_date: date
    programme: str
    days: int | None
    days_need: int
    minutes: int | None
    minutes_need: int
    contact_on: date | None
    codes: list[list[str]]
    blocked: str
    at_risk: bool
    missing: str
    mend: str
    review: bool
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where the month stands."""

    state: str = "collecting"
    signed_by: str = ""
    exports: int = 0
    evaluated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step of the month."""

    action: str
    who: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was written."""

    id: UUID
    number: int | None
    format: str
    name: str
    lines: int
    sha256: str
    differences: list[Mapping[str, object]]
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that can be had."""

    name: str
    format: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Long work and how far it is."""

    id: UUID
    first: date
    kind: str
    state: str
    done: int
    total: int
    words: str
    export_id: UUID | None
    quiet: timedelta
    """Since its last beat, by the database's clock, which made the beat."""

    @property
    def runs(self) -> bool:
        """Whether its process still works on it."""
        return self.state == "running" and self.quiet < GONE_AFTER

    @property
    def is_news(self) -> bool:
        """Whether somebody may still wait for it."""
        return self.state != "done" or self.quiet < NEWS_FOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient in a month, with the facts that were judged."""

    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    birth_date: date
    programme: str
    facts: dict[str, object]
    evaluated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A line of a claim as the page shows it."""

    line_id: str
    code: str
    units: int
    exported_at: datetime | None
    locked_at: datetime | None
    review_reason: str
    answer: Mapping[str, object] | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Colleague:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SortKey:
    sort_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    line_id: str
    patient_id: UUID


def span(month: date) -> dict[str, object]:
    """Return a month's first and last day, as queries ask for them."""
    return {"first": month, "last": windows.month_of(month).last}


async def totals(visit: Visit, month: date) -> Totals:
    """Return the counts of a month."""
    return await first(visit.connection, Totals, QUERIES["totals"], span(month)) or Totals()


async def stand(visit: Visit, month: date) -> Stand:
    """Return where a month stands."""
    return await first(visit.connection, Stand, QUERIES["month"], span(month)) or Stand()


async def signer(visit: Visit, named: str) -> str:
    """Return the name of whoever signed."""
    found = await first(visit.connection, _Named, QUERIES["signer"], {"signer": named})
    return found.name if found else named


async def rows(visit: Visit, month: date, status: str, after: UUID | None, most: int) -> list[Row]:
    """Return a page of patients after a cursor."""
    wanted = span(month) | {"status": status, "after": after or NOBODY, "most": most}
    found = await first(visit.connection, _SortKey, QUERIES["sort_key"], wanted)
    cursor = {"after_key": found.sort_key if found else ""}
    return await every(visit.connection, Row, QUERIES["rows"], wanted | cursor)


async def steps(visit: Visit, month: date) -> list[Done]:
    """Return a month's steps, newest first."""
    return await every(visit.connection, Done, QUERIES["steps"], span(month))


async def files(visit: Visit, month: date) -> list[File]:
    """Return a month's files, newest first."""
    return await every(visit.connection, File, QUERIES["files"], span(month))


async def kept(visit: Visit, file_id: UUID) -> Kept | None:
    """Return what a file is; its bytes come in pieces."""
    return await first(visit.connection, Kept, QUERIES["file"], {"id": file_id})


async def job(visit: Visit, job_id: UUID) -> Job | None:
    """Return how far a piece of work is."""
    return await first(visit.connection, Job, QUERIES["job"], {"id": job_id})


async def call_off(visit: Visit, job_id: UUID) -> bool:
    """Call a piece of work off; False when it does not run."""
    return await run(visit.connection, QUERIES["call_off"], {"id": job_id}) == 1


async def last_job(visit: Visit, month: date) -> Job | None:
    """Return the newest work on a month."""
    return await first(visit.connection, Job, QUERIES["last_job"], span(month))


async def person(visit: Visit, month: date, patient_id: UUID) -> Person | None:
    """Return a patient's judged month."""
    wanted = span(month) | {"patient": patient_id}
    return await first(visit.connection, Person, QUERIES["person"], wanted)


async def lines(visit: Visit, month: date, patient_id: UUID) -> list[StoredLine]:
    """Return a patient's current lines."""
    wanted = span(month) | {"patient": patient_id}
    return await every(visit.connection, StoredLine, QUERIES["lines"], wanted)


async def line_owner(visit: Visit, line_id: str) -> UUID | None:
    """Return whose a line is."""
    found = await first(visit.connection, _Owner, QUERIES["line_file"], {"line": line_id})
    return found.patient_id if found else None


async def staff_names(visit: Visit) -> dict[str, str]:
    """Return everybody's name by id."""
    found = await every(visit.connection, _Colleague, QUERIES["staff_names"], {})
    return {str(each.id): each.name for each in found}


async def ask(visit: Visit, patient_id: UUID, title: str, due_on: date) -> bool:
    """Give the care team a task, unless it has it already."""
    fields = {
        "patient": patient_id,
        "title": title,
        "due_on": due_on,
        "staff_id": visit.staff.id,
        "now": visit.now,
    }
    return await run(visit.connection, QUERIES["ask"], fields) == 1
