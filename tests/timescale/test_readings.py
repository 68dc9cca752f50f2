"""Readings on real TimescaleDB, and that plain PostgreSQL holds the same sums."""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import Database
from tests.timescale.conftest import Clinic, Timescale

Connection = psycopg.Connection[tuple[Any, ...]]

INSERT = """
insert into reading (
  reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value,
  diastolic, pulse, status, time_quality, gateway_time, received_at, characteristic, frame
)
select r.*, 'device_synced', measured_at, measured_at, '2a35', ''
from unnest(
  %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
  %b::float8[], %b::float8[], %b::float8[], %b::text[]
) as r (
  reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value,
  diastolic, pulse, status
)
on conflict do nothing returning reading_id
"""
CORRECT = """
update reading set status = 'entered_in_error'
where reading_id = %s and patient_id = %s and measured_at = %s
"""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    reading_id: UUID
    organisation_id: UUID
    patient_id: UUID
    kind: str
    measured_at: datetime
    value: float
    diastolic: float | None = None
    pulse: float | None = None
    status: str = "accepted"


def readings(
    clinic: Clinic, start: datetime, *, days: int, patients: Sequence[UUID], seed: int = 1
) -> list[Row]:
    chance = random.Random(seed)
    return [
        Row(
            reading_id=UUID(int=chance.getrandbits(128)),
            organisation_id=clinic.organisation_id,
            patient_id=patient,
            kind=kind,
            measured_at=start + DAY * chance.random() * days,
            value=float(chance.randint(60, 190)),
            diastolic=float(chance.randint(50, 100)) if kind == "blood_pressure" else None,
            pulse=float(chance.randint(50, 100)) if chance.random() < 0.7 else None,
            status=chance.choice(["accepted", "accepted", "flagged", "entered_in_error"]),
        )
        for patient in patients
        for kind in ("blood_pressure", "weight")
        for _ in range(2 * days)
    ]


def store(connection: Connection, rows: Iterable[Row]) -> int:
    each = list(rows)
    columns: list[list[Any]] = [
        [row.reading_id for row in each],
        [row.organisation_id for row in each],
        [row.patient_id for row in each],
        ["cuff-1"] * len(each),
        ["gw1"] * len(each),
        [row.kind for row in each],
        [row.measured_at for row in each],
        [row.value for row in each],
        [row.diastolic for row in each],
        [row.pulse for row in each],
        [row.status for row in each],
    ]
    return len(connection.execute(INSERT, columns).fetchall())


def refresh(connection: Connection) -> None:
    for relation in ("reading_hourly", "reading_daily"):
        connection.execute(f"call refresh_continuous_aggregate('{relation}', null, null)")


def compress(connection: Connection, before: datetime) -> int:
    chunks = connection.execute(
        "select c::text from show_chunks('reading', older_than => %s) as c", (before,)
    ).fetchall()
    for (chunk,) in chunks:
        connection.execute(
            "call convert_to_columnstore(%s::regclass, if_not_columnstore => true)", (chunk,)
        )
    return len(chunks)


def run_job(connection: Connection, procedure: str, relation: str) -> None:
    query = """
      select job_id from timescaledb_information.jobs
      where proc_name = %s and hypertable_name = %s
    """
    jobs = connection.execute(query, (procedure, relation)).fetchall()
    assert len(jobs) == 1
    connection.execute("call run_job(%s)", jobs[0])


def sums(connection: Connection, relation: str, clinic: Clinic) -> list[tuple[Any, ...]]:
    query = f"""
      select patient_id, kind, bucket, n, flagged, avg, min, max, sum, diastolic_avg, pulse_avg
      from {relation} where organisation_id = %s order by 1, 2, 3
    """  # noqa: S608 - names from this file
    return connection.execute(query, (clinic.organisation_id,)).fetchall()


def count(connection: Connection, clinic: Clinic) -> int:
    query = "select count(*) from reading where organisation_id = %s"
    row = connection.execute(query, (clinic.organisation_id,)).fetchone()
    assert row is not None
    return int(row[0])


def approximately(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        tuple(round(cell, 6) if isinstance(cell, float) else cell for cell in row) for row in rows
    ]


def test_the_schema_is_built_on_timescale(timescale: Timescale) -> None:
    with timescale.connect() as connection:
        assert connection.execute("select kind from backend").fetchall() == [("tsl",)]
        jobs = connection.execute(
            """select hypertable_name, proc_name from timescaledb_information.jobs
            where hypertable_name is not null order by 1, 2"""
        ).fetchall()
    assert [tuple(job) for job in jobs] == [
        ("reading", "policy_compression"),
        ("reading", "policy_retention"),
        ("reading_daily", "policy_refresh_continuous_aggregate"),
        ("reading_hourly", "policy_refresh_continuous_aggregate"),
        ("reading_hourly", "policy_retention"),
    ]


def test_both_databases_hold_the_same_sums(
    timescale: Timescale, db: Database, clinic: Clinic, noon: datetime
) -> None:
    patients = [uuid4() for _ in range(3)]
    early = readings(clinic, noon - 100 * DAY, days=60, patients=patients, seed=1)
    late = readings(clinic, noon - 95 * DAY, days=80, patients=patients[:2], seed=2)
    corrected = [row for row in early if row.status == "accepted"][::7]
    with timescale.connect() as tsl, db.connect() as plain:
        for connection in (tsl, plain):
            assert store(connection, early) == len(early)
        refresh(tsl)
        assert compress(tsl, noon - 50 * DAY) > 0
        plain.execute("select maintain(%s)", (noon,))
        for connection in (tsl, plain):
            assert store(connection, late) == len(late)
            for row in corrected:
                connection.execute(CORRECT, (row.reading_id, row.patient_id, row.measured_at))
        live = {name: sums(plain, name, clinic) for name in ("reading_hourly", "reading_daily")}
        refresh(tsl)
        plain.execute("select maintain(%s)", (noon,))
        for relation, before in live.items():
            wanted = approximately(sums(tsl, relation, clinic))
            assert len(wanted) > 100
            assert approximately(sums(plain, relation, clinic)) == wanted
            assert approximately(before) == wanted


def test_the_newest_readings_are_in_the_sums_at_once(
    timescale: Timescale, clinic: Clinic, noon: datetime
) -> None:
    patient = uuid4()
    with timescale.connect() as connection:
        refresh(connection)
        new = readings(clinic, noon + 100 * DAY, days=2, patients=[patient])
        good = [replace(row, status="accepted") for row in new]
        store(connection, good)
        assert sum(row[3] for row in sums(connection, "reading_daily", clinic)) == len(good)


def test_late_readings_reach_compressed_chunks(
    timescale: Timescale, clinic: Clinic, noon: datetime
) -> None:
    patients = [uuid4() for _ in range(4)]
    first = readings(clinic, noon - 400 * DAY, days=40, patients=patients)
    late = readings(clinic, noon - 400 * DAY, days=40, patients=patients, seed=2)
    with timescale.connect() as connection:
        store(connection, first)
        compress(connection, noon - 300 * DAY)
        run_job(connection, "policy_compression", "reading")
        assert store(connection, late) == len(late)
        assert count(connection, clinic) == len(first) + len(late)
        refresh(connection)
        counted = sum(row[3] for row in sums(connection, "reading_hourly", clinic))
        assert counted == len([r for r in first + late if r.status != "entered_in_error"])
        compress(connection, noon - 300 * DAY)
        assert count(connection, clinic) == len(first) + len(late)


def test_sums_outlive_the_readings(timescale: Timescale, clinic: Clinic) -> None:
    long_ago = datetime(2013, 1, 1, tzinfo=UTC)
    old = readings(clinic, long_ago, days=20, patients=[uuid4()])
    with timescale.connect() as connection:
        store(connection, old)
        refresh(connection)
        before = [sums(connection, name, clinic) for name in ("reading_hourly", "reading_daily")]
        run_job(connection, "policy_retention", "reading")
        assert count(connection, clinic) == 0
        for relation in ("reading_hourly", "reading_daily"):
            run_job(connection, "policy_refresh_continuous_aggregate", relation)
        kept = [sums(connection, name, clinic) for name in ("reading_hourly", "reading_daily")]
        assert kept == before
        assert len(kept[1]) > 10
        run_job(connection, "policy_retention", "reading_hourly")
        assert sums(connection, "reading_hourly", clinic) == []
        assert sums(connection, "reading_daily", clinic) == before[1]


def test_the_web_role_sees_its_organisation_compressed_or_not(
    timescale: Timescale, clinic: Clinic, noon: datetime
) -> None:
    ours, theirs = [uuid4()], [uuid4()]
    stranger = Clinic(organisation_id=uuid4())
    rows = [
        replace(r, status="accepted")
        for r in readings(clinic, noon - 90 * DAY, days=80, patients=ours)
    ]
    with timescale.connect() as connection:
        store(connection, rows)
        store(connection, readings(stranger, noon - 90 * DAY, days=80, patients=theirs))
        compress(connection, noon - 40 * DAY)
        refresh(connection)
    with clinic.seen_by_web(timescale) as web:
        seen = web.execute("select distinct patient_id from visible_reading").fetchall()
        assert seen == [(ours[0],)]
        for relation in ("visible_reading_hourly", "visible_reading_daily"):
            query = f"select sum(n), count(distinct patient_id) from {relation}"  # noqa: S608 - names above
            row = web.execute(query).fetchone()
            assert row == (len(rows), 1)
        for hidden in ("reading", "reading_hourly", "reading_daily"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(f"select 1 from {hidden}")  # noqa: S608 - names above


def test_row_security_and_compression_exclude_one_another(timescale: Timescale) -> None:
    """Why the web role reads through a barrier view; if this fails, the view may go."""
    columnstore = pytest.raises(psycopg.Error, match="columnstore enabled")
    with timescale.connect() as connection, columnstore:
        connection.execute("alter table reading enable row level security")


def test_a_patient_s_last_weeks_touch_few_chunks(
    timescale: Timescale, clinic: Clinic, noon: datetime
) -> None:
    patient = uuid4()
    with timescale.connect() as connection:
        store(connection, readings(clinic, noon - 500 * DAY, days=500, patients=[patient]))
        count_all = connection.execute("select count(*) from show_chunks('reading')").fetchone()
    assert count_all is not None
    assert count_all[0] >= 17
    query = "explain select value from visible_reading where patient_id = %s and measured_at > %s"
    with clinic.seen_by_web(timescale) as web:
        plan = "\n".join(row[0] for row in web.execute(query, (patient, noon - 30 * DAY)))
    chunks = set(re.findall(r"_hyper_\d+_\d+_chunk", plan))
    assert 1 <= len(chunks) <= 5  # of eighteen; a compressed one counts twice
    assert "patient_id = " in plan


def test_what_is_kept_can_be_changed(timescale: Timescale) -> None:
    query = """
      select config from timescaledb_information.jobs
      where proc_name = 'policy_retention' and hypertable_name = 'reading'
    """
    with timescale.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("select keep_for('reading', interval '3 years')")
        rows = connection.execute(query).fetchall()
        assert [row[0]["drop_after"] for row in rows] == ["3 years"]


def test_maintain_leaves_timescale_to_its_own_jobs(timescale: Timescale, clinic: Clinic) -> None:
    old = readings(clinic, datetime(2014, 1, 1, tzinfo=UTC), days=2, patients=[uuid4()])
    with timescale.connect() as connection:
        store(connection, old)
        connection.execute("select maintain(%s)", (datetime(2026, 1, 1, tzinfo=UTC),))
        assert count(connection, clinic) == len(old)


def test_a_batch_can_be_copied_in(timescale: Timescale, clinic: Clinic, noon: datetime) -> None:
    """History is loaded with COPY, binary too."""
    row = (
        uuid4(),
        clinic.organisation_id,
        uuid4(),
        "d",
        "g",
        "weight",
        noon,
        80.0,
        "accepted",
        "corrected",
        noon,
        noon,
        "2a9d",
        b"",
    )
    text = """
      copy reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind,
        measured_at, value, status, time_quality, gateway_time, received_at, characteristic, frame)
      from stdin (format binary)
    """
    types = [
        "uuid",
        "uuid",
        "uuid",
        "text",
        "text",
        "text",
        "timestamptz",
        "float8",
        "text",
        "text",
        "timestamptz",
        "timestamptz",
        "text",
        "bytea",
    ]
    with timescale.connect() as connection:
        with connection.cursor().copy(text) as copying:
            copying.set_types(types)
            for _ in range(50):
                copying.write_row((uuid4(), *row[1:]))
        assert count(connection, clinic) == 50


def test_columns_come_and_go_while_readings_are_compressed(
    timescale: Timescale, clinic: Clinic, noon: datetime
) -> None:
    """What the migrations of an upgrade do: expand, fill, contract."""
    rows = readings(clinic, noon - 900 * DAY, days=10, patients=[uuid4()])
    with timescale.connect() as connection:
        store(connection, rows)
        assert compress(connection, noon - 800 * DAY) > 0
        with connection.transaction(force_rollback=True):
            connection.execute("alter table reading add column heard_at timestamptz")
            told = (clinic.organisation_id,)
            connection.execute(
                "update reading set heard_at = gateway_time where organisation_id = %s", told
            )
            connection.execute("alter table reading drop column heard_at")
        assert count(connection, clinic) == len(rows)
