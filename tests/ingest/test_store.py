import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from database import sql
from database.pool import connect
from devices import wire
from devices.reading import Kind
from devices.wire import WireReading
from ingest import batch, copying, store
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.door import Letter
from ingest.store import Outcome, Writer
from tests.ingest.builders import Clinic, LetterMaker, ReadingMaker, until

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


@pytest.fixture
async def writer(clinic: Clinic) -> AsyncIterator[Writer]:
    async with Writer(clinic.db.worker_dsn, Directory(shipped()), shipped()) as made:
        yield made


async def write(writer: Writer, *letters: Letter, now: datetime = NOON) -> Outcome:
    return await writer.write(batch.open_all(letters), now=now)


async def test_a_reading_is_stored_whole(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading(
        value=128.0,
        diastolic=80.0,
        mean_arterial=96.0,
        pulse=61.0,
        original_value=128.0,
        device_time=datetime(2026, 9, 15, 7, 59, 58),
        offset_s=14_400.0,
        sequence=7,
        user_slot=2,
        flags=("irregular_pulse",),
        extra={"bmi": 22.5, "meal": "none"},
        frame="0a0b",
    )
    outcome = await write(writer, letter(told))
    assert outcome.rows["accepted"] == 1
    [stored] = clinic.all("select to_jsonb(reading) - 'received_at' from reading")
    assert stored[0] == {
        "reading_id": str(told.id),
        "organisation_id": str(clinic.organisation),
        "patient_id": str(clinic.anne),
        "device_id": "cuff",
        "gateway_id": "gw1",
        "kind": "blood_pressure",
        "measured_at": "2026-09-15T11:59:58+00:00",
        "value": 128,
        "diastolic": 80,
        "mean_arterial": 96,
        "pulse": 61,
        "original_value": 128,
        "original_unit": "mm[Hg]",
        "status": "accepted",
        "flags": ["irregular_pulse"],
        "time_quality": "device_synced",
        "device_time": "2026-09-15T07:59:58",
        "gateway_time": "2026-09-15T11:59:58+00:00",
        "clock_offset_s": 14400,
        "live": True,
        "user_slot": 2,
        "sequence": 7,
        "entry": "device",
        "extra": {"bmi": 22.5, "meal": "none"},
        "characteristic": "2A35",
        "frame": "\\x0a0b",
    }
    queued = clinic.all("select patient_id, reading_id, kind, received_at from to_evaluate")
    assert queued == [(clinic.anne, told.id, "blood_pressure", NOON)]


async def test_the_same_reading_twice_is_one_row(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    first = await write(writer, letter(told))
    again = await write(writer, letter(told, gateway="gw2"), letter(told))
    assert clinic.one("select count(*) from reading") == 1
    assert clinic.one("select count(*) from to_evaluate") == 1
    assert (first.rows["duplicate"], again.rows["duplicate"]) == (0, 2)
    acknowledged = {address.gateway: ids for address, ids in again.acknowledged.items()}
    assert acknowledged == {"gw1": [told.id], "gw2": [told.id]}


async def test_what_is_new_beside_what_is_known_is_stored(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    readings = [reading() for _ in range(5)]
    await write(writer, letter(readings[1], readings[3]))
    await write(writer, letter(*readings))
    stored = {found[0] for found in clinic.all("select reading_id from reading")}
    assert stored == {each.id for each in readings}


async def test_a_flagged_reading_is_stored_and_judged(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await write(writer, letter(reading(flags=("movement",))))
    assert clinic.all("select status, flags from reading") == [("flagged", ["movement"])]
    assert clinic.one("select count(*) from to_evaluate") == 1


async def test_an_old_reading_is_stored_and_not_judged(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    long_ago = datetime(2026, 7, 1)
    told = reading(device_time=long_ago, offset_s=0.0, live=False)
    await write(writer, letter(told, reading()))
    assert clinic.one("select count(*) from reading") == 2
    judged = clinic.all("select reading_id from to_evaluate")
    assert (told.id,) not in judged
    assert len(judged) == 1


async def test_an_unknown_device_ends_in_quarantine_with_its_reason(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    outcome = await write(writer, letter(told, device="stranger"))
    assert clinic.one("select count(*) from reading") == 0
    kept = clinic.all(
        "select id, organisation_id, gateway_id, device_id, reason, queue, state, topic,"
        " gateway_time, received_at, times_seen from quarantine"
    )
    assert kept == [
        (
            told.id,
            clinic.organisation,
            "gw1",
            "stranger",
            "unknown_device",
            "technical",
            "open",
            "tidings/v1/s/gw1/readings",
            told.at,
            NOON,
            1,
        )
    ]
    payload = clinic.one("select payload from quarantine")
    assert msgspec.json.decode(payload, type=wire.WireReading) == told
    assert [told.id] in outcome.acknowledged.values()


async def test_quarantine_counts_how_often_it_came(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    for _ in range(3):
        await write(writer, letter(told, device="stranger"))
    assert clinic.all("select times_seen from quarantine") == [(3,)]


async def test_what_was_quarantined_first_stays_there_when_it_comes_again(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading()
    await write(writer, letter(told, device="later"))
    with clinic.db.connect() as connection:
        connection.execute(
            "insert into device (id, organisation_id) values ('later', %s)", (clinic.organisation,)
        )
        connection.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
            " values (%s, 'later', %s, '2020-01-01')",
            (clinic.organisation, clinic.anne),
        )
    later = NOON + timedelta(seconds=30)
    await write(writer, letter(told, device="later", received_at=later), now=later)
    assert clinic.one("select count(*) from reading") == 0
    assert clinic.all("select state, times_seen from quarantine") == [("open", 2)]


async def test_a_device_of_another_organisation_is_nobodys(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    with clinic.db.connect() as connection:
        connection.execute(
            "with o as (insert into organisation (name, time_zone) values ('B', 'UTC')"
            " returning id)"
            " insert into device (id, organisation_id) select 'theirs', id from o"
        )
    await write(writer, letter(reading(), device="theirs"))
    found = clinic.all("select reason, organisation_id from quarantine")
    assert found == [("organisation_mismatch", clinic.organisation)]


async def test_an_unusable_message_is_kept_and_its_ids_are_acknowledged(
    clinic: Clinic, writer: Writer
) -> None:
    one = uuid4()
    body = f'{{"v":"7.0","readings":[{{"id":"{one}"}}]}}'.encode()
    outcome = await write(writer, Letter("tidings/v1/s/gw1/readings", body, NOON))
    kept = clinic.all("select reason, payload, organisation_id from quarantine")
    assert kept == [("unknown_version", body, clinic.organisation)]
    assert [one] in outcome.acknowledged.values()


async def test_assignments_change_within_a_second(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await write(writer, letter(reading()))
    with clinic.db.connect() as connection:
        connection.execute("update device_assignment set assigned_to = %s", (NOON,))
        connection.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
            " values (%s, 'cuff', %s, %s)",
            (clinic.organisation, clinic.ben, NOON),
        )
    later = NOON + timedelta(seconds=1, milliseconds=1)
    fresh = reading(at=later)
    await write(writer, letter(fresh, received_at=later), now=later)
    assert (
        clinic.one("select patient_id from reading where reading_id = %s", fresh.id) == clinic.ben
    )


async def test_compares_with_the_patients_own_week(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    before = [
        reading(Kind.WEIGHT, value=81.0, at=NOON - timedelta(hours=hours)) for hours in (50, 40, 30)
    ]
    await write(writer, letter(*before))
    later = NOON + timedelta(minutes=11)
    told = reading(Kind.WEIGHT, value=180.0, at=later)
    await write(writer, letter(told, received_at=later), now=later)
    flags = clinic.one("select flags from reading where reading_id = %s", told.id)
    assert flags == ["unit_mix_up_suspected"]


async def test_two_devices_that_disagree_are_flagged(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    with clinic.db.connect() as connection:
        connection.execute(
            "insert into device (id, organisation_id) values ('strap', %s)", (clinic.organisation,)
        )
        connection.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
            " values (%s, 'strap', %s, '2020-01-01')",
            (clinic.organisation, clinic.anne),
        )
    await write(writer, letter(reading(pulse=70.0, at=NOON - timedelta(minutes=4))))
    told = reading(Kind.HEART_RATE, value=95.0)
    await write(writer, letter(told, device="strap"))
    flags = clinic.one("select flags from reading where reading_id = %s", told.id)
    assert flags == ["devices_disagree"]


async def test_events_are_stored_once_and_strangers_events_are_kept(
    clinic: Clinic, writer: Writer
) -> None:
    def event(gateway: str, number: int) -> Letter:
        told = wire.Event(
            v="1.0", id=UUID(int=number), gateway=gateway, at=NOON, event="low_battery"
        )
        return Letter(f"tidings/v1/s/{gateway}/events", wire.dump(told), NOON)

    outcome = await write(writer, event("gw1", 1), event("gw1", 1), event("nobody", 2))
    await write(writer, event("gw1", 1))
    assert clinic.all("select id, gateway_id from gateway_event") == [(UUID(int=1), "gw1")]
    assert clinic.all("select id, reason from quarantine") == [(UUID(int=2), "unknown_gateway")]
    assert len(outcome.acknowledged) == 2


async def test_a_heartbeat_updates_the_gateway_and_its_devices(
    clinic: Clinic, writer: Writer
) -> None:
    def status(state: Literal["online", "offline"], **device: Any) -> Letter:  # noqa: ANN401 - any field
        told = wire.Status(
            v="1.0",
            gateway="gw1",
            state=state,
            outbox_depth=3,
            devices=[wire.DeviceState(device="cuff", **device)],
        )
        return Letter("tidings/v1/s/gw1/status", wire.dump(told), NOON)

    await write(writer, status("online", battery=40, last_seen=NOON, firmware="1.2"))
    assert clinic.all(
        "select state, last_seen_at, status->'outbox_depth' from gateway where id = 'gw1'"
    ) == [("online", NOON, 3)]
    assert clinic.all("select battery, firmware, last_seen_at from device") == [(40, "1.2", NOON)]
    await write(writer, status("offline", battery=4000))
    assert clinic.one("select state from gateway where id = 'gw1'") == "offline"
    assert clinic.one("select battery from device") == 40


async def test_a_heartbeat_of_a_stranger_changes_nothing(clinic: Clinic, writer: Writer) -> None:
    with clinic.db.connect() as connection:
        connection.execute("update gateway set revoked_at = now() where id = 'gw2'")
        connection.execute(
            "with o as (insert into organisation (name, time_zone) values ('B', 'UTC')"
            " returning id)"
            " insert into gateway (id, organisation_id, site) select 'theirs', id, 's' from o"
        )
    for gateway in ("nobody", "gw2", "theirs"):
        devices = [wire.DeviceState(device="cuff", battery=1)]
        told = wire.Status(v="1.0", gateway=gateway, state="online", devices=devices)
        await write(writer, Letter(f"tidings/v1/s/{gateway}/status", wire.dump(told), NOON))
    assert clinic.one("select state from gateway where id = 'gw2'") == "never_seen"
    assert clinic.one("select battery from device") is None


async def test_last_seen_is_noted(clinic: Clinic, writer: Writer) -> None:
    await writer.touch({"gw1": NOON, "nobody": NOON}, {"cuff": NOON})
    await writer.touch({"gw1": NOON - timedelta(hours=1)}, {})
    assert clinic.one("select last_seen_at from gateway where id = 'gw1'") == NOON
    assert clinic.one("select last_seen_at from device") == NOON


async def test_listeners_are_told(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    with connect(clinic.db.worker_dsn, autocommit=True) as listener:
        listener.execute("listen tidings_evaluate")
        listener.execute("listen tidings_technical")
        await write(writer, letter(reading()))
        assert {note.channel for note in listener.notifies(timeout=5, stop_after=1)} == {
            "tidings_evaluate"
        }
        await write(writer, letter(reading(), device="stranger"))
        assert {note.channel for note in listener.notifies(timeout=5, stop_after=1)} == {
            "tidings_technical"
        }


async def test_concurrent_workers_store_each_reading_once(
    clinic: Clinic, reading: ReadingMaker, letter: LetterMaker
) -> None:
    readings = [reading() for _ in range(300)]
    orders = [readings, readings[::-1], readings[100:] + readings[:100]]

    async def work(order: list[WireReading]) -> int:
        async with Writer(clinic.db.worker_dsn, Directory(shipped()), shipped()) as writer:
            done = [
                await write(writer, *(letter(each) for each in order[at : at + 60]))
                for at in range(0, 300, 60)
            ]
        return sum(outcome.rows["duplicate"] for outcome in done)

    duplicates = await asyncio.gather(*map(work, orders))
    assert clinic.one("select count(*) from reading") == 300
    assert clinic.one("select count(*) from to_evaluate") == 300
    assert sum(duplicates) == 600


async def poisoned(clinic: Clinic) -> None:
    with clinic.db.connect() as connection:
        connection.execute("alter table reading add check (sequence is distinct from 666)")


async def test_one_poison_reading_does_not_stop_the_others(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await poisoned(clinic)
    readings = [reading(sequence=number) for number in (1, 666, 2, 3)]
    together = letter(*readings)
    apart = [letter(reading(sequence=number)) for number in (4, 666, 5)]
    outcome = await write(writer, together, *apart)
    assert clinic.one("select count(*) from reading") == 5
    assert clinic.one("select count(*) from quarantine where reason = 'not_storable'") == 2
    assert clinic.one("select min(detail) from quarantine") == "CheckViolation 23514"
    ids = {one for ids in outcome.acknowledged.values() for one in ids}
    assert {each.id for each in readings} <= ids
    assert len(ids) == 7


async def test_what_not_even_quarantine_takes_is_left_at_home(
    clinic: Clinic, writer: Writer
) -> None:
    with clinic.db.connect() as connection:
        connection.execute("alter table quarantine add check (payload <> 'bad')")
    one = Letter("tidings/v1/s/gw1/readings", b"bad", NOON)
    other = Letter("tidings/v1/s/gw1/readings", b"worse", NOON)
    outcome = await write(writer, one, other)
    assert outcome.rows["refused"] == 1
    assert clinic.all("select payload from quarantine") == [(b"worse",)]


async def test_waits_while_the_database_is_away(
    clinic: Clinic, reading: ReadingMaker, letter: LetterMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(store, "FIRST_PAUSE_S", 0.01)
    away = Writer("host=/nowhere", Directory(shipped()), shipped(), on_wait=waits.append)
    writing = asyncio.create_task(write(away, letter(reading())))
    await until(lambda: len(waits) >= 2)
    away._dsn = clinic.db.worker_dsn
    outcome = await writing
    await away.close()
    assert outcome.rows["accepted"] == 1
    assert waits[1] == 2 * waits[0]


async def test_a_server_that_ends_every_connection_loses_nothing(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await write(writer, letter(reading()))
    with clinic.db.connect() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'tidings_worker'"
        )
    await write(writer, letter(reading()))
    assert clinic.one("select count(*) from reading") == 2


async def test_a_table_that_is_not_there_yet_is_waited_for(
    clinic: Clinic, reading: ReadingMaker, letter: LetterMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_PAUSE_S", 0.01)
    waits: list[float] = []
    with clinic.db.connect() as connection:
        connection.execute("alter table to_evaluate rename to to_evaluate_later")
    async with Writer(
        clinic.db.worker_dsn, Directory(shipped()), shipped(), on_wait=waits.append
    ) as writer:
        writing = asyncio.create_task(write(writer, letter(reading())))
        await until(lambda: waits)
        with clinic.db.connect() as connection:
            connection.execute("alter table to_evaluate_later rename to to_evaluate")
        await writing
    assert clinic.one("select count(*) from reading") == 1


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("copy_readings", copying.READING_COLUMNS),
        ("copy_to_evaluate", copying.TO_EVALUATE_COLUMNS),
    ],
)
def test_a_copy_names_every_column_in_its_order(name: str, columns: tuple[str, ...]) -> None:
    query = sql.load("ingest")[name]
    listed = query[query.index("(") + 1 : query.index(")")].replace("\n", " ").split(",")
    assert tuple(name.strip() for name in listed) == columns


def test_the_workers_role_does_not_bypass_row_security(clinic: Clinic) -> None:
    found = clinic.all(
        "select rolsuper, rolbypassrls from pg_roles where rolname = 'tidings_worker'"
    )
    assert found == [(False, False)]


async def test_the_web_role_sees_only_its_organisations_quarantine(
    clinic: Clinic, writer: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await write(writer, letter(reading(), device="stranger"), letter(reading(), gateway="nobody"))
    with contextlib.closing(connect(clinic.db.web_dsn)) as web:
        seen = []
        for organisation in (clinic.organisation, uuid4()):
            web.execute("select set_config('tidings.organisation', %s, true)", (str(organisation),))
            seen.append(web.execute("select count(*) from quarantine").fetchone())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("select count(*) from reading")
    assert seen == [(1,), (0,)]
