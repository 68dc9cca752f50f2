"""What billing needs to prove a month, invented: consents, orders, visits, time, fees, coverage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from database import sql

Connection = psycopg.Connection[tuple[Any, ...]]
Rows = list[dict[str, object]]
DAY = timedelta(days=1)
FIRST_HOUR, LAST_HOUR = 9, 17
SLOT = timedelta(minutes=20)
DIAGNOSES = {"heart_failure": "I50.9", "hypertension": "I10", "diabetes": "E11.9"}
FEES = {"99453": "19.73", "99445": "43.03", "99454": "43.03", "99470": "26.50", "99457": "47.87",
        "99458": "38.49", "99490": "60.49"}  # fmt: skip
"""Invented amounts in the usual range: a site loads its own fee schedule."""
NOTES = (
    "Looked at the trend and at yesterday's values",
    "Compared this week with the last one",
    "Checked values against the goals of the plan",
    "Talked about salt, the morning dose and swelling",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is on file for a patient, and how many minutes somebody worked in a month."""

    minutes: tuple[int, ...] = ()
    call: bool = True
    """The last stretch of a month is a telephone call with the patient."""
    consent: bool = True
    order: bool = True
    visit: bool = True
    educated: bool = True


PLANS = (
    Plan(minutes=(9, 16)),
    Plan(minutes=(5, 9)),
    Plan(minutes=(12, 10), call=False),
    Plan(minutes=(15, 14, 17)),
    Plan(minutes=(6,)),
    Plan(minutes=(11,), consent=False),
    Plan(minutes=(8, 6), order=False),
    Plan(minutes=(10, 11), educated=False),
    Plan(minutes=(7, 11)),
    Plan(minutes=()),
    Plan(minutes=(9, 13)),
    Plan(minutes=(12,), visit=False),
)
"""Dealt out in turn: complete, six minutes short, no call, long, short, without papers, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Whose paperwork it is, and who does the work."""

    organisation: UUID
    name: str
    zone: str
    nurses: tuple[UUID, ...]
    npi: str
    """Of the professional who orders and renders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One patient with the day on which monitoring began."""

    id: UUID
    conditions: tuple[str, ...]
    since: date


def load(
    connection: Connection, clinic: Clinic, people: Sequence[Person], *, now: datetime
) -> None:
    """Put the paperwork of these patients on file, and time until `now`."""
    queries = sql.load("deploy.demo")
    shared = {"organisation": clinic.organisation, "npi": clinic.npi, "staff": clinic.nurses[0]}
    connection.execute(queries["billing_practice"], shared | {"name": clinic.name.upper()})
    _many(connection, queries["fee"], [shared | {"code": c, "amount": a} for c, a in FEES.items()])
    rows = [(each, PLANS[n % len(PLANS)]) for n, each in enumerate(people)]
    _many(
        connection, queries["coverage"], [_coverage(shared, p, n) for n, (p, _) in enumerate(rows)]
    )
    _many(connection, queries["consent"], [_begun(shared, p) for p, plan in rows if plan.consent])
    _many(connection, queries["order"], [_ordered(shared, p) for p, plan in rows if plan.order])
    _many(connection, queries["visit"], [_seen(shared, p) for p, plan in rows if plan.visit])
    episodes = [_episode(shared, person, plan) for person, plan in rows]
    _many(connection, queries["monitoring_episode"], episodes)
    _many(connection, queries["time_entry"], _worked(clinic, rows, now))


def _coverage(shared: dict[str, object], person: Person, number: int) -> dict[str, object]:
    return shared | {"patient": person.id, "member": f"1EG4TE5MK{number:02d}"}


def _begun(shared: dict[str, object], person: Person) -> dict[str, object]:
    at = datetime.combine(person.since, time(14), tzinfo=UTC)
    return shared | {"patient": person.id, "at": at}


def _ordered(shared: dict[str, object], person: Person) -> dict[str, object]:
    codes = [DIAGNOSES[each] for each in person.conditions if each in DIAGNOSES] or ["I10"]
    return _begun(shared, person) | {"icd10": codes}


def _seen(shared: dict[str, object], person: Person) -> dict[str, object]:
    return shared | {"patient": person.id, "on": person.since - 20 * DAY}


def _episode(shared: dict[str, object], person: Person, plan: Plan) -> dict[str, object]:
    educated = person.since if plan.educated else None
    return shared | {"patient": person.id, "on": person.since, "educated_on": educated}


def _worked(clinic: Clinic, rows: Iterable[tuple[Person, Plan]], now: datetime) -> Rows:
    """Return stretches of work, one after the other for each nurse: nobody is in two places."""
    people = list(rows)
    made: Rows = []
    for month in _months(min(person.since for person, _ in people), now.date()):
        slots = {nurse: iter(_slots(month, clinic.zone)) for nurse in clinic.nurses}
        for turn in range(max(len(plan.minutes) for _, plan in people)):
            for number, (person, plan) in enumerate(people):
                if turn >= len(plan.minutes):
                    continue
                nurse = clinic.nurses[number % len(clinic.nurses)]
                start = next(slots[nurse])
                if start < now - SLOT and start.date() > person.since:
                    made.append(_entry(clinic, person, plan, turn=turn, nurse=nurse, start=start))
    return made


def _entry(  # noqa: PLR0913  whose work for whom, and when
    clinic: Clinic, person: Person, plan: Plan, *, turn: int, nurse: UUID, start: datetime
) -> dict[str, object]:
    live = plan.call and turn == len(plan.minutes) - 1
    seconds = 60 * plan.minutes[turn] + (person.id.int + turn) % 40
    return {
        "organisation": clinic.organisation,
        "patient": person.id,
        "staff": nurse,
        "activity": "live_contact" if live else "review",
        "live": live,
        "mode": "audio" if live else None,
        "with": "patient" if live else None,
        "start": start,
        "end": start + timedelta(seconds=seconds),
        "note": f"{NOTES[3] if live else NOTES[turn % 3]} ({start:%d %b})",
    }


def _months(first: date, last: date) -> list[date]:
    found = [first.replace(day=1)]
    while (following := (found[-1] + 32 * DAY).replace(day=1)) <= last:
        found.append(following)
    return found


def _slots(month: date, zone: str) -> Iterable[datetime]:
    """Yield the working times of a month, spread over its days."""
    days = [month + n * DAY for n in range(31) if (month + n * DAY).month == month.month]
    working = [day for day in days if day.weekday() < 5]
    here = ZoneInfo(zone)
    for step in range((LAST_HOUR - FIRST_HOUR) * 3):
        for day in working:
            begins = datetime.combine(day, time(FIRST_HOUR, 5), tzinfo=here)
            yield (begins + step * SLOT).astimezone(UTC)


def _many(connection: Connection, query: str, rows: Iterable[Mapping[str, object]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(query, list(rows))
