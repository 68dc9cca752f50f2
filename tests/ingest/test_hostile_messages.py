"""Ten thousand malformed, oversized, wrong-type and hostile messages; good ones in between."""

import asyncio
import json
import os
import random
import string
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from devices import wire
from ingest import batch
from ingest.bounds import shipped
from ingest.consumer import Consumer
from ingest.decision import Reason
from ingest.directory import Directory
from ingest.door import Letter
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.store import Writer
from tests.ingest.builders import Clinic, Home, LetterMaker, ReadingMaker, Until

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
TOPIC = "tidings/v1/s/gw1/readings"
HOSTILE: tuple[object, ...] = (
    None, True, -1, 0, 2**63, -(2**70), 1e308, -0.0, "", "x" * 5000, "\x00", "\x1f", "\ufffe",
    "'; drop table reading; --", "../../etc/passwd", "{{7*7}}", "<script>", [], {}, [[]], "NaN",
    "1970-01-01T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00",
    "2026-09-15T12:00:00+14:00",
    "not-a-date", "00000000-0000-0000-0000-000000000000", "zz", "0", "ff" * 600,
)  # fmt: skip


def template(number: int) -> dict[str, Any]:
    reading = {
        "id": str(UUID(int=(1 << 80) + number)),
        "char": "2A35",
        "frame": "00",
        "at": "2026-09-15T11:59:58Z",
        "kind": "blood_pressure",
        "value": 128.0,
        "diastolic": 80.0,
        "device_time": "2026-09-15T11:59:58",
        "offset_s": 0.0,
        "sequence": number,
        "flags": [],
        "extra": {},
    }
    return {"v": "1.0", "gateway": "gw1", "device": "cuff", "readings": [reading]}


def hostile(number: int, chance: random.Random) -> bytes:
    """One message that is wrong in one or several ways; deterministic."""
    told = template(number)
    spot = told["readings"][0] if chance.random() < 0.7 else told
    for _ in range(chance.randint(1, 3)):
        key = chance.choice([*spot, "unheard_of"])
        spot[key] = chance.choice(HOSTILE)
    body = json.dumps(told).encode("utf-8", "surrogatepass")
    way = chance.random()
    if way < 0.1:
        return body[: chance.randrange(len(body))]
    if way < 0.2:
        at = chance.randrange(len(body))
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    if way < 0.25:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(200)))
    if way < 0.3:
        return body.replace(b"1.0", chance.choice((b"2.0", b"1", b"", b"1.99", b"x.y")), 1)
    if way < 0.32:
        return b"[" * chance.randrange(1, 5000)
    return body


def topic(chance: random.Random) -> str:
    if chance.random() < 0.95:
        return TOPIC
    words = ("tidings", "v1", "s", "gw1", "gw2", "readings", "events", "status", "$SYS", "é", "")
    return "/".join(chance.choice(words) for _ in range(chance.randint(1, 6)))


async def test_ten_thousand_are_each_kept_or_stored_and_good_ones_all_stored(
    clinic: Clinic, letter: LetterMaker, reading: ReadingMaker
) -> None:
    chance = random.Random(4)
    good = [reading(sequence=number) for number in range(100)]
    letters = []
    for number in range(10_000):
        letters.append(Letter(topic(chance), hostile(number, chance), NOON))
        if number % 100 == 0:
            letters.append(letter(good[number // 100]))
    decided: Counter[str] = Counter()
    async with Writer(clinic.db.worker_dsn, Directory(shipped()), shipped()) as writer:
        for at in range(0, len(letters), 500):
            outcome = await writer.write(batch.open_all(letters[at : at + 500]), now=NOON)
            decided += outcome.rows
    stored = {row[0] for row in clinic.all("select reading_id from reading")}
    assert {each.id for each in good} <= stored
    assert decided["refused"] == 0
    assert decided.total() >= len(letters)  # whatever comes is counted as something
    reasons = dict(clinic.all("select reason, count(*) from quarantine group by 1"))
    assert set(reasons) <= set(Reason)
    assert reasons["malformed"] > 1000
    assert len(reasons) >= 10


async def test_hostile_messages_do_not_stop_a_consumer(
    told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    chance = random.Random(5)
    good = [reading(at=datetime.now(UTC)) for _ in range(30)]
    consumer = Consumer(told, Metrics())
    task = asyncio.create_task(consumer.run())
    await consumer.connection.subscribed.wait()
    for number in range(1500):
        leaf = chance.choice(["readings", "readings", "events", "status"])
        home.say(hostile(number, chance), leaf)
        if number % 50 == 0:
            home.send(good[number // 50])
    await eventually(lambda: {each.id for each in good} <= home.forgotten)
    consumer.stop(end_session=False)
    await task


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def test_megabyte_messages_do_not_fill_the_memory(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    environ = {
        **os.environ,
        "TIDINGS_INGEST_DSN": told.dsn,
        "TIDINGS_BROKER_PORT": str(told.broker.port),
    }
    process = subprocess.Popen([sys.executable, "-m", "ingest"], env=environ)  # noqa: ASYNC220 - at once
    good = reading(at=datetime.now(UTC))
    try:
        while not home.forgotten:
            home.send(good)
            await asyncio.sleep(0.1)
        words = random.Random(6).choices(string.ascii_letters, k=1_000_000)
        for number in range(200):
            home.say(f"{number}{''.join(words)}".encode())
        await eventually(
            lambda: clinic.one("select count(*) from quarantine where reason = 'oversized'") == 200
        )
        assert resident_mb(process.pid) < 150
        assert clinic.one("select max(octet_length(payload)) from quarantine") == 4096
    finally:
        process.terminate()
        process.wait(20)


def test_status_and_event_take_the_same_beating() -> None:
    chance = random.Random(7)
    kinds = {"status": wire.Status, "events": wire.Event}
    for number in range(2000):
        leaf = chance.choice([*kinds])
        letters = [Letter(f"tidings/v1/s/gw1/{leaf}", hostile(number, chance), NOON)]
        opened = batch.open_all(letters)
        assert len(opened) == 1
