from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from database.pool import OPTIONS
from devices.reading import Kind
from ingest import batch, release
from ingest.bounds import shipped
from ingest.directory import Connection, Directory
from ingest.door import Letter
from ingest.release import By, ReleaseError
from ingest.store import Writer
from tests.ingest.builders import Clinic, LetterMaker, ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)


@pytest.fixture
async def worker(clinic: Clinic) -> AsyncIterator[Connection]:
    made = await psycopg.AsyncConnection.connect(
        clinic.db.worker_dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
    )
    yield made
    await made.close()


@pytest.fixture
def nurse(clinic: Clinic) -> By:
    return By(organisation_id=clinic.organisation, staff_id=uuid4(), now=LATER, note="Ben's scale")


async def put_aside(clinic: Clinic, *letters: Letter) -> None:
    async with Writer(clinic.db.worker_dsn, Directory(shipped()), shipped()) as writer:
        await writer.write(batch.open_all(letters), now=NOON)


def shared_scale(clinic: Clinic) -> None:
    with clinic.db.connect() as connection:
        connection.execute(
            "insert into device (id, organisation_id) values ('scale', %s)", (clinic.organisation,)
        )
        for patient in (clinic.anne, clinic.ben):
            connection.execute(
                "insert into device_assignment (organisation_id, device_id, patient_id,"
                " assigned_from) values (%s, 'scale', %s, '2020-01-01')",
                (clinic.organisation, patient),
            )


async def test_a_reading_of_nobody_is_given_to_somebody(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    shared_scale(clinic)
    told = reading(Kind.WEIGHT, value=84.0)
    await put_aside(clinic, letter(told, device="scale"))
    done = await release.release(worker, told.id, clinic.ben, nurse)
    assert (done.reading_id, done.patient_id, done.measured_at) == (told.id, clinic.ben, told.at)
    stored = clinic.all("select patient_id, value, measured_at, received_at, status from reading")
    assert stored == [(clinic.ben, 84.0, told.at, NOON, "accepted")]
    queued = clinic.all("select patient_id, reading_id, received_at from to_evaluate")
    assert queued == [(clinic.ben, told.id, LATER)]
    closed = clinic.all("select state, resolved_by, resolved_at, resolution from quarantine")
    assert closed == [("released", nurse.staff_id, LATER, "Ben's scale")]
    audited = clinic.all("select actor, object_id, patient_id, detail->>'what' from audit")
    assert audited == [(f"staff:{nurse.staff_id}", str(told.id), clinic.ben, "release")]


async def test_released_once(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    shared_scale(clinic)
    told = reading(Kind.WEIGHT)
    await put_aside(clinic, letter(told, device="scale"))
    await release.release(worker, told.id, clinic.ben, nurse)
    with pytest.raises(ReleaseError, match="somebody was faster"):
        await release.release(worker, told.id, clinic.anne, nurse)
    await put_aside(clinic, letter(told, device="scale"))
    assert clinic.all("select patient_id from reading") == [(clinic.ben,)]


async def test_a_device_is_registered_before_its_readings_are_released(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    await put_aside(clinic, letter(told, device="new"))
    with pytest.raises(ReleaseError, match="register device new first"):
        await release.release(worker, told.id, clinic.anne, nurse)
    with clinic.db.connect() as connection:
        connection.execute(
            "insert into device (id, organisation_id) values ('new', %s)", (clinic.organisation,)
        )
    await release.release(worker, told.id, clinic.anne, nurse)
    assert clinic.one("select patient_id from reading") == clinic.anne


async def test_an_impossible_value_stays_out_of_every_chart(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading(Kind.WEIGHT, value=900.0)
    await put_aside(clinic, letter(told))
    with pytest.raises(ReleaseError, match="out_of_bounds"):
        await release.release(worker, told.id, clinic.anne, nurse)
    assert clinic.one("select state from quarantine") == "open"
    assert clinic.one("select count(*) from audit") == 0


async def test_a_person_may_say_when_it_was(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading(device_time=datetime(2000, 1, 1), live=False)
    await put_aside(clinic, letter(told))
    with pytest.raises(ReleaseError, match="clock_fault"):
        await release.release(worker, told.id, clinic.anne, nurse)
    with pytest.raises(ReleaseError, match="after the reading was received"):
        await release.release(worker, told.id, clinic.anne, nurse, measured_at=LATER)
    then = NOON - timedelta(hours=5)
    await release.release(worker, told.id, clinic.anne, nurse, measured_at=then)
    assert clinic.all("select measured_at, time_quality from reading") == [(then, "unknown")]


async def test_an_old_reading_is_released_without_an_alert(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    shared_scale(clinic)
    old = datetime(2026, 7, 1)
    told = reading(Kind.WEIGHT, device_time=old, offset_s=0.0, live=False)
    await put_aside(clinic, letter(told, device="scale"))
    await release.release(worker, told.id, clinic.ben, nurse)
    assert clinic.one("select count(*) from reading") == 1
    assert clinic.one("select count(*) from to_evaluate") == 0


async def test_nobody_releases_into_or_out_of_another_organisation(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    shared_scale(clinic)
    told = reading(Kind.WEIGHT)
    await put_aside(clinic, letter(told, device="scale"))
    stranger = By(organisation_id=uuid4(), staff_id=uuid4(), now=LATER)
    with pytest.raises(ReleaseError):
        await release.release(worker, told.id, clinic.ben, stranger)
    with pytest.raises(ReleaseError):
        await release.reject(worker, told.id, stranger)
    with pytest.raises(ReleaseError, match="no such patient"):
        await release.release(worker, told.id, uuid4(), nurse)


async def test_a_message_that_cannot_be_read_is_only_rejected(
    clinic: Clinic, worker: Connection, nurse: By
) -> None:
    await put_aside(clinic, Letter("tidings/v1/s/gw1/readings", b"garbage", NOON))
    one = clinic.one("select id from quarantine")
    with pytest.raises(ReleaseError, match="no reading to release"):
        await release.release(worker, one, clinic.anne, nurse)
    await release.reject(worker, one, nurse)
    assert clinic.one("select state from quarantine") == "rejected"
    with pytest.raises(ReleaseError, match="somebody was faster"):
        await release.reject(worker, one, nurse)


async def test_a_moved_reading_is_judged_again_for_both(
    clinic: Clinic, worker: Connection, nurse: By, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    await put_aside(clinic, letter(told))
    with clinic.db.connect() as connection:
        connection.execute("delete from to_evaluate")
    await release.move(worker, told.id, clinic.anne, clinic.ben, nurse)
    assert clinic.all("select patient_id from reading") == [(clinic.ben,)]
    queued = clinic.all("select patient_id, reading_id from to_evaluate order by id")
    assert queued == [(clinic.anne, told.id), (clinic.ben, told.id)]
    assert clinic.one("select count(*) from audit") == 2
    with pytest.raises(ReleaseError, match="not this patient's"):
        await release.move(worker, told.id, clinic.anne, clinic.ben, nurse)
