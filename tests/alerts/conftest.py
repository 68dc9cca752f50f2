"""A small clinic in the database, and a worker to judge its readings."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from alerts import catalogue, process, routing, worker
from alerts.lifecycle import Actor
from alerts.worker import Judging
from tests.conftest import Database

MINUTE = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class Clinic:
    """One organisation; every helper writes as the owner of the schema."""

    connection: psycopg.Connection[tuple[Any, ...]]
    worker_dsn: str
    web_dsn: str
    organisation: UUID
    now: datetime
    people: dict[str, UUID] = field(default_factory=dict)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(query.encode(), values).fetchall()
        return found

    def one(self, query: str, *values: object) -> Any:  # noqa: ANN401  # whatever the query selects
        rows = self.ask(query, *values)
        return rows[0][0] if rows else None

    def run(self, query: str, *values: object) -> None:
        self.connection.execute(query.encode(), values)

    def staff(self, name: str, role: str = "nurse") -> Actor:
        if name not in self.people:
            self.people[name] = self.one(
                "insert into staff (organisation_id, email, display_name, role)"
                " values (%s, %s, %s, %s) returning id",
                self.organisation,
                f"{name}@example.org",
                name,
                role,
            )
        return Actor(staff_id=self.people[name], organisation_id=self.organisation, role=role)

    def patient(
        self,
        *profiles: str,
        born: date = date(1960, 1, 1),
        conditions: tuple[str, ...] = (),
        traits: tuple[str, ...] = (),
        zone: str | None = "America/Denver",
        programme: str = "pcmh",
    ) -> UUID:
        patient: UUID = self.one(
            "insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex,"
            " time_zone, conditions, traits) values (%s, %s, 'TEST', 'Synthetic', %s, 'female', %s,"
            " %s, %s) returning id",
            self.organisation,
            str(uuid.uuid4())[:8],
            born,
            zone,
            list(conditions),
            list(traits),
        )
        self.run(
            "insert into enrolment (organisation_id, patient_id, programme, programme_version,"
            " profiles, enrolled_at) values (%s, %s, %s, '1', %s, %s)",
            self.organisation,
            patient,
            programme,
            list(profiles),
            self.now - timedelta(days=60),
        )
        return patient

    def reading(
        self,
        patient: UUID,
        kind: str,
        value: float,
        at: datetime,
        *,
        dia: float | None = None,
        pulse: float | None = None,
        flags: tuple[str, ...] = (),
        status: str = "accepted",
        received: datetime | None = None,
        queue: bool = True,
    ) -> UUID:
        id_ = uuid.uuid4()
        came = received or at
        self.run(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id,"
            " kind, measured_at, value, diastolic, pulse, status, flags, time_quality,"
            " gateway_time, received_at, characteristic, frame)"
            " values (%s, %s, %s, 'd', 'g', %s, %s, %s, %s, %s, %s, %s, 'device_synced', %s, %s,"
            " '2A35', '')",
            id_,
            self.organisation,
            patient,
            kind,
            at,
            value,
            dia,
            pulse,
            status,
            list(flags),
            came,
            came,
        )
        if queue:
            self.enqueue(patient, id_, kind, at, came)
        return id_

    def enqueue(
        self, patient: UUID, reading: UUID, kind: str, at: datetime, came: datetime
    ) -> None:
        self.run(
            "insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at,"
            " received_at) values (%s, %s, %s, %s, %s, %s)",
            self.organisation,
            patient,
            reading,
            kind,
            at,
            came,
        )

    def bp(
        self,
        patient: UUID,
        sys: float,
        dia: float,
        at: datetime,
        *,
        pulse: float | None = None,
        queue: bool = True,
    ) -> UUID:
        return self.reading(patient, "blood_pressure", sys, at, dia=dia, pulse=pulse, queue=queue)

    def judging(self, now: datetime | None = None) -> Judging:
        moment = now or self.now
        return Judging(catalogue=catalogue.product(), table=routing.table(), clock=lambda: moment)

    async def judge(self, now: datetime | None = None) -> worker.Done:
        async with await process.connect(self.worker_dsn) as connection:
            return await worker.drain(connection, self.judging(now))

    def alerts(self, patient: UUID) -> list[tuple[Any, ...]]:
        return self.ask(
            "select rule_id, severity, headline, why from alert where patient_id = %s and not"
            " technical order by rule_id",
            patient,
        )

    def episode(self, patient: UUID) -> UUID:
        found: UUID = self.one(
            "select id from episode where patient_id = %s and not technical", patient
        )
        return found


@pytest.fixture
def clinic(db: Database, noon: datetime) -> Iterator[Clinic]:
    with db.connect() as connection:
        row = connection.execute(
            "insert into organisation (name, time_zone) values ('Synthetic Clinic',"
            " 'America/Denver') returning id"
        ).fetchone()
        assert row is not None
        yield Clinic(
            connection=connection,
            worker_dsn=db.worker_dsn,
            web_dsn=db.web_dsn,
            organisation=row[0],
            now=noon,
        )


@pytest.fixture
async def as_worker(db: Database) -> AsyncIterator[process.Connection]:
    async with await process.connect(db.worker_dsn) as connection:
        yield connection


@pytest.fixture
def minutes(noon: datetime) -> Callable[[float], datetime]:
    """Moments relative to noon."""
    return lambda count: (noon + timedelta(minutes=count)).astimezone(UTC)
