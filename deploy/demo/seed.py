"""Loads the synthetic clinic into an empty database: people, devices, 90 days of readings."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
from argon2 import PasswordHasher

from care.programme import programmes
from database import sql
from deploy.demo import clinic, desk, history, paperwork
from deploy.demo.clinic import ORGANISATION, Resident
from deploy.demo.history import DAYS, Past
from deploy.demo.homes import COUPLE, MODELS, battery_of, gateway_of

SEED = 2026
PROVIDER_NPI = "1000000004"
Connection = psycopg.Connection[tuple[Any, ...]]
TEAM = uuid5(ORGANISATION, "team heart")
COLUMN_TYPES = [
    "uuid", "text", "text", "timestamptz", "float8", "float8", "float8", "float8", "text[]",
    "timestamp", "int4", "text", "bytea", "uuid", "text",
]  # fmt: skip
STAFF = (
    ("maya", "Maya Reyes", "RN", "nurse"),
    ("jonah", "Jonah Kim", "RN", "nurse"),
    ("tess", "Tess Alder", "MD", "provider"),
    ("cora", "Cora Lindqvist", "MSW", "coordinator"),
    ("bela", "Bela Ortiz", "CPC", "billing"),
    ("nils", "Nils Falk", "CPC", "billing"),  # a month is signed by a second person
    ("otto", "Otto Brand", "", "operations"),
    ("ada", "Ada Monroe", "", "administrator"),
    ("ivo", "Ivo Sands", "", "auditor"),
)
STORY_OF = {  # by medical record number: whose last readings tell which story
    2: "severe pressure",
    3: "gaining weight",
    5: "a little weight",
    8: "gaining weight",
    17: "very low sugar",
    19: "low sugar",
    20: "severe pressure",
    22: "high sugar",
    34: "low sugar",
    41: "severe in pregnancy",
    42: "high in pregnancy",
}


def address(name: str) -> str:
    """Return the sign-in address of one of the demo's staff."""
    return f"{name}@demo.invalid"


def seed(connection: Connection, *, now: datetime, password: str) -> int:
    """Load the clinic unless it is there; return the number of readings loaded."""
    queries = sql.load("deploy.demo")
    named = {"id": ORGANISATION, "name": clinic.ORGANISATION_NAME, "time_zone": clinic.TIME_ZONE}
    with connection.transaction():
        if connection.execute(queries["organisation"], named).fetchone() is None:
            return 0
        people = clinic.residents(seed=SEED, today=now.date())
        _staff(connection, queries, password)
        _patients(connection, queries, people, now)
        _devices(connection, queries, people, now)
        _paperwork(connection, people, now)
        _many(connection, queries["task"], desk.tasks(people, now))
        _many(connection, queries["message"], desk.messages(people, now))
        return _readings(connection, queries, people, now)


def _staff(connection: Connection, queries: dict[str, str], password: str) -> None:
    hashed = PasswordHasher().hash(password)
    rows = [
        {
            "id": uuid5(ORGANISATION, f"staff {login}"),
            "organisation": ORGANISATION,
            "email": address(login),
            "name": name,
            "credential": credential,
            "role": role,
            "npi": PROVIDER_NPI if role == "provider" else None,
            "password_hash": hashed,
            "team": TEAM,
            "staff": uuid5(ORGANISATION, f"staff {login}"),
        }
        for login, name, credential, role in STAFF
    ]
    team = {"id": TEAM, "organisation": ORGANISATION, "name": "Heart and Home"}
    connection.execute(queries["care_team"], team)
    _many(connection, queries["staff"], rows)
    _many(connection, queries["care_team_member"], rows[:4])


def _patients(
    connection: Connection, queries: dict[str, str], people: list[Resident], now: datetime
) -> None:
    start = now - timedelta(days=DAYS)
    rows = [_patient(person) for person in people]
    _many(connection, queries["patient"], rows)
    _many(connection, queries["enrolment"], [_enrolment(p, start) for p in people])
    schedules = [
        {
            "organisation": ORGANISATION,
            "patient": person.id,
            "kind": kind,
            "times": len(history.ROUNDS[kind]),
            "from_on": start.date(),
        }
        for person in people
        for kind in person.cohort.kinds
    ]
    _many(connection, queries["schedule"], schedules)
    changes = [
        {
            "organisation": ORGANISATION,
            "patient": person.id,
            "at": now - timedelta(days=11 + n % 40),
            "what": ("Lisinopril 10 to 20 mg", "Furosemide 40 mg started", "Diet plan agreed")[
                n % 3
            ],
        }
        for n, person in enumerate(people)
        if n % 3 != 1
    ]
    _many(connection, queries["treatment_change"], changes)


def _patient(person: Resident) -> dict[str, object]:
    return {
        "id": person.id,
        "organisation": ORGANISATION,
        "mrn": person.mrn,
        "family": person.family,
        "given": person.given,
        "born": person.born,
        "sex": person.sex,
        "time_zone": clinic.TIME_ZONE,
        "language": person.language,
        "phone": person.phone,
        "site": clinic.SITE,
        "allergies": list(person.allergies),
        "conditions": list(person.cohort.conditions),
        "traits": list(person.traits),
        "team": TEAM,
    }


def _enrolment(person: Resident, at: datetime) -> dict[str, object]:
    recent = timedelta(days=DAYS - 12) if person.cohort.programme == "cti" else timedelta(0)
    return {
        "organisation": ORGANISATION,
        "patient": person.id,
        "programme": person.cohort.programme,
        "version": programmes()[person.cohort.programme].version,
        "profiles": list(person.cohort.profiles),
        "team": TEAM,
        "at": at + recent,
    }


def _devices(
    connection: Connection, queries: dict[str, str], people: list[Resident], now: datetime
) -> None:
    rows = [
        {
            "id": gateway_of(person),
            "organisation": ORGANISATION,
            "site": clinic.SITE,
            "label": f"Home of patient {person.number}",
        }
        for person in people
    ]
    _many(connection, queries["gateway"], rows)
    devices = [
        {
            "id": history.device_of(person, kind),
            "organisation": ORGANISATION,
            "model": MODELS[kind],
            "kinds": [kind],
            "gateway": gateway_of(person),
            "battery": battery_of(person, kind),
            "device": history.device_of(person, kind),
            "patient": person.id,
            "at": now - timedelta(days=DAYS + 1),
        }
        for person in people
        for kind in person.cohort.kinds
    ]
    _many(connection, queries["device"], devices)
    _many(connection, queries["assignment"], [*devices, _shared_scale(people, now)])


def _shared_scale(people: list[Resident], now: datetime) -> dict[str, object]:
    """A scale that a second patient began to use: whose its readings are, a person must say."""
    owner, other = (people[number - 1] for number in COUPLE)
    return {
        "organisation": ORGANISATION,
        "device": history.device_of(owner, "weight"),
        "patient": other.id,
        "at": now - timedelta(days=1),
    }


def _paperwork(connection: Connection, people: list[Resident], now: datetime) -> None:
    staffed = paperwork.Clinic(
        organisation=ORGANISATION,
        name=clinic.ORGANISATION_NAME,
        zone=clinic.TIME_ZONE,
        nurses=(staff_id("maya"), staff_id("jonah")),
        npi=PROVIDER_NPI,
    )
    since = (now - timedelta(days=DAYS - 2)).date()
    papers = [
        paperwork.Person(id=each.id, conditions=each.cohort.conditions, since=since)
        for each in people
    ]
    paperwork.load(connection, staffed, papers, now=now)


def _readings(
    connection: Connection, queries: dict[str, str], people: list[Resident], now: datetime
) -> int:
    connection.execute(queries["readings_arrive"])
    rows = {row[0]: row for person in people for row in _rows(person, now)}
    with connection.cursor() as cursor, cursor.copy(queries["readings_copy"]) as copy:
        copy.set_types(COLUMN_TYPES)
        for row in rows.values():
            copy.write_row(row)
    since = {"organisation": ORGANISATION, "since": now - timedelta(days=1)}
    for step in ("readings_identify", "readings_store", "readings_to_evaluate"):
        connection.execute(queries[step], since)
    return len(rows)


def _rows(person: Resident, now: datetime) -> Iterable[tuple[object, ...]]:
    name = STORY_OF.get(person.number)
    story = history.story(person, name, now=now) if name else ()
    for reading in [*history.past(person, seed=SEED, now=now), *story]:
        yield (*_numbers(reading), person.id, gateway_of(person))


def _numbers(reading: Past) -> tuple[object, ...]:
    """The row with numbers of the one type that binary COPY wants."""
    row = reading.row
    floats = [None if value is None else float(str(value)) for value in row[4:8]]
    return (*row[:4], *floats, *row[8:])


def _many(connection: Connection, query: str, rows: Iterable[Mapping[str, object]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(query, list(rows))


def staff_id(login: str) -> UUID:
    """Return the id of one of the demo's staff."""
    return uuid5(ORGANISATION, f"staff {login}")
