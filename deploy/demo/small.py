"""A small synthetic clinic with its papers: what tests of a billing month start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from billing.store import Key
from database.pool import connect
from deploy.demo import paperwork

OCTOBER = date(2026, 10, 1)
NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
SINCE = date(2026, 9, 1)
PLANS = len(paperwork.PLANS)
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """One clinic: as many patients as there are plans."""

    worker: Connection
    owner: Connection
    dsn: str
    key: Key
    patients: list[UUID]
    nurse: UUID

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        return self.owner.execute(query.encode(), values).fetchall()

    def code_rows(self, number: int) -> set[str]:
        """Return the current codes of a patient."""
        patient = self.patients[number]
        query = "select code from bill_line where patient_id = %s and current"
        return {code for (code,) in self.ask(query, patient)}


@contextmanager
def opened(dsn: str, worker_dsn: str, people: int = PLANS) -> Iterator[Small]:
    """Build a clinic and hold two connections to it, as owner and as worker."""
    with connect(dsn, autocommit=True) as owner, connect(worker_dsn, autocommit=True) as worker:
        with owner.transaction():
            organisation, patients, nurse = build(owner, people)
        yield Small(
            worker=worker,
            owner=owner,
            dsn=worker_dsn,
            key=Key(organisation=organisation, first=OCTOBER),
            patients=patients,
            nurse=nurse,
        )


def build(
    run: Connection, people: int = PLANS, name: str = "Small clinic"
) -> tuple[UUID, list[UUID], UUID]:
    """Load one clinic with two months of readings; return its id, patients and nurse."""
    organisation, nurse, doctor = uuid4(), uuid4(), uuid4()
    run.execute(
        "insert into organisation (id, name, time_zone) values (%s, %s, 'America/New_York')",
        (organisation, name),
    )
    for each, login, credential, role, npi in (
        (nurse, "rosa", "RN", "nurse", None),
        (doctor, "theo", "MD", "provider", "1245319599"),
    ):
        run.execute(
            "insert into staff (id, organisation_id, email, display_name, credential, role, npi)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            (each, organisation, f"{login}@{organisation}", login.title() + " Sample", credential,
             role, npi),
        )  # fmt: skip
    patients = [uuid4() for _ in range(people)]
    for number, patient in enumerate(patients):
        run.execute(
            "insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date,"
            " sex, time_zone, conditions) values (%s,%s,%s,%s,'Pat','1950-03-01','female',"
            "'America/New_York','{hypertension,diabetes}')",
            (patient, organisation, f"S {number:04d}", f"Sample{number:02d}"),
        )
        run.execute(
            "insert into enrolment (organisation_id, patient_id, programme, programme_version,"
            " enrolled_at) values (%s, %s, 'pcmh', '1', '2026-09-01')",
            (organisation, patient),
        )
        _readings(run, organisation, patient, number)
    clinic = paperwork.Clinic(
        organisation=organisation,
        name=name,
        zone="America/New_York",
        nurses=(nurse,),
        npi="1245319599",
    )
    papers = [paperwork.Person(id=p, conditions=("hypertension",), since=SINCE) for p in patients]
    paperwork.load(run, clinic, papers, now=NOW)
    return organisation, patients, nurse


def _readings(run: Connection, organisation: UUID, patient: UUID, number: int) -> None:
    rows = [
        (uuid4(), organisation, patient, f"bp-{number}", at, at, at + timedelta(seconds=9), b"\0")
        for day in range(64)
        if (at := datetime(2026, 9, 1, 12, number, tzinfo=UTC) + timedelta(days=day)) < NOW
    ]
    with run.cursor() as cursor:
        cursor.executemany(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id,"
            " kind, measured_at, value, status, time_quality, gateway_time, received_at,"
            " characteristic, frame) values (%s, %s, %s, %s, 'gw', 'blood_pressure', %s, 130,"
            " 'accepted', 'device_synced', %s, %s, '2A35', %s)",
            rows,
        )
