from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from database.pool import OPTIONS, connect
from ingest import batch, cli, replay, replaying
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.door import Letter
from ingest.replay import Frame, Values
from ingest.replaying import Blocking
from ingest.store import Writer
from tests.ingest.builders import Clinic, LetterMaker, ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CUFF_128_80 = "00800050006000"
"""2A35 without flags: 128/80, mean 96 mmHg."""
RIGHT = {"value": 128.0, "diastolic": 80.0, "mean_arterial": 96.0, "original_value": 128.0}


@pytest.fixture
def owner(clinic: Clinic) -> Iterator[Blocking]:
    with connect(clinic.db.worker_dsn) as connection:
        yield connection


async def stored(clinic: Clinic, *letters: Letter) -> None:
    async with Writer(clinic.db.worker_dsn, Directory(shipped()), shipped()) as writer:
        await writer.write(batch.open_all(letters), now=NOON)
    with clinic.db.connect() as connection:
        connection.execute("delete from to_evaluate")


def looked_at(owner: Blocking, characteristic: str | None = None) -> tuple[int, list[object]]:
    pages = list(replaying.differences(owner, NOON - DAY, NOON + DAY, characteristic))
    return sum(number for number, _ in pages), [each for _, found in pages for each in found]


async def test_what_is_read_as_it_was_is_no_difference(
    clinic: Clinic, owner: Blocking, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await stored(clinic, letter(reading(frame=CUFF_128_80, **RIGHT)))
    assert looked_at(owner) == (1, [])
    assert looked_at(owner, "2A18") == (0, [])


async def test_a_difference_is_shown_then_applied_flagged_and_judged_again(
    clinic: Clinic, owner: Blocking, reading: ReadingMaker, letter: LetterMaker
) -> None:
    told = reading(frame=CUFF_128_80, **(RIGHT | {"value": 182.0}))
    await stored(clinic, letter(told))
    [(_, [found])] = list(replaying.differences(owner, NOON - DAY, NOON + DAY))
    assert (found.reading_id, found.stored.value) == (told.id, 182.0)
    assert found.now is not None
    assert found.now.value == 128.0
    assert clinic.one("select value from reading") == 182
    assert replaying.apply(owner, found, NOON)
    owner.commit()
    assert clinic.all("select value, status, flags from reading") == [
        (128.0, "flagged", [replay.REDECODED])
    ]
    assert clinic.all("select patient_id, reading_id from to_evaluate") == [(clinic.anne, told.id)]
    assert clinic.all("select actor, detail->>'what' from audit") == [("process:ingest", "replay")]
    assert looked_at(owner) == (1, [])


async def test_a_frame_that_is_no_reading_any_more_is_left_to_a_person(
    clinic: Clinic, owner: Blocking, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await stored(clinic, letter(reading(frame="00")))
    [(_, [found])] = list(replaying.differences(owner, NOON - DAY, NOON + DAY))
    assert found.now is None
    assert found.why
    assert replaying.apply(owner, found, NOON)
    owner.commit()
    assert clinic.all("select value, status from reading") == [(128.0, "flagged")]


async def test_a_frame_that_can_be_read_now_leaves_quarantine(
    clinic: Clinic, reading: ReadingMaker, letter: LetterMaker
) -> None:
    can = reading(status="unreadable", value=None, frame=CUFF_128_80)
    cannot = reading(status="unreadable", value=None, frame="00")
    await stored(clinic, letter(can), letter(cannot))
    async with await psycopg.AsyncConnection.connect(
        clinic.db.worker_dsn, autocommit=True, options=OPTIONS
    ) as connection:
        assert await replaying.rescue(connection, NOON) == (2, 1)
    assert clinic.all("select reading_id, value, diastolic from reading") == [(can.id, 128.0, 80.0)]
    states = dict(clinic.all("select id, state from quarantine"))
    assert states == {can.id: "released", cannot.id: "open"}
    assert clinic.one("select reading_id from to_evaluate") == can.id


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"value": 128.0 + 1e-5}, True),
        ({"value": 128.1}, False),
        ({"pulse": 60.0}, False),
        ({"original_unit": "kPa"}, False),
        ({"kind": "weight"}, False),
    ],
)
def test_only_real_differences_count(change: dict[str, float], same: bool) -> None:
    told: dict[str, object] = {"kind": "blood_pressure", "original_unit": "mm[Hg]", **RIGHT}
    one = Values(**{**told, **change})  # type: ignore[arg-type]  # a table of cases
    frame = Frame(characteristic="2A35", raw=bytes.fromhex(CUFF_128_80), model="unheard of")
    found = replay.compare(UUID(int=1), UUID(int=2), one, frame)
    assert (found is None) == same


async def test_the_command_shows_before_it_applies(
    clinic: Clinic, reading: ReadingMaker, letter: LetterMaker
) -> None:
    now = datetime.now(UTC)
    wrong = reading(at=now, frame=CUFF_128_80, **(RIGHT | {"value": 182.0}))
    await stored(clinic, letter(wrong, received_at=now))
    told = ["replay", "--days", "1", "--dsn", clinic.db.worker_dsn]
    shown = CliRunner().invoke(cli.app, told)
    assert "1 of 1 readings would be read differently" in shown.output
    assert clinic.one("select value from reading") == 182
