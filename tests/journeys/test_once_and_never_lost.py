"""Promises 2 and 3: stored once; what cannot be used is kept with its reason."""

import asyncio

from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Labels, Memory
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from tests.journeys.conftest import Pipeline

TRUNCATED = bytes.fromhex("03020304050607")
"""A blood pressure frame whose flags promise a timestamp that is missing."""


async def _cuff(
    home: SimulatedHome, serial: str, number: int = 0, memory: Memory = Memory.ERASE
) -> BloodPressureCuff:
    behaviour = Behaviour(labels=Labels(serial=serial), memory=memory, idle_hang_up_s=2.0)
    address = f"F1:00:5E:00:53:{0x40 + number:02X}"
    return await home.add(BloodPressureCuff, address=address, name="cuff", behaviour=behaviour)


async def test_the_same_reading_sent_at_every_visit_is_one_row(
    pipeline: Pipeline, radio: SimulatedHome
) -> None:
    cuff = await _cuff(radio, "CUFF-1", memory=Memory.RESEND)
    pipeline.patient("Testerby", "adult_htn", devices={"CUFF-1": "blood_pressure"})
    pipeline.start("ingest")
    pipeline.start("gateway")
    await cuff.measure(systolic=128, diastolic=81, pulse=66)
    assert await pipeline.until(lambda: _count(pipeline, "reading") == 1), pipeline.log("gateway")
    await asyncio.to_thread(pipeline.end, "gateway")
    (pipeline.folder / "outbox.db").unlink()  # a new box, which has never seen this reading
    pipeline.start("gateway")
    await cuff.measure(systolic=131, diastolic=83, pulse=68)
    assert await pipeline.until(lambda: _count(pipeline, "reading") == 2), pipeline.log("gateway")
    assert len(cuff.sent) >= 3, "the first reading was handed over twice"
    rows = pipeline.ask("select value from reading order by value")  # both within one second
    assert rows == [(128.0,), (131.0,)]
    assert _count(pipeline, "quarantine") == 0


async def test_an_unreadable_frame_and_an_unknown_device_are_kept_with_their_reason(
    pipeline: Pipeline, radio: SimulatedHome
) -> None:
    known = await _cuff(radio, "CUFF-1")
    stranger = await _cuff(radio, "NOBODYS-CUFF", number=1)
    pipeline.patient("Testerby", "adult_htn", devices={"CUFF-1": "blood_pressure"})
    pipeline.start("ingest")
    pipeline.start("gateway")
    await stranger.measure(systolic=128, diastolic=81)
    await known.store_frame(TRUNCATED)
    assert await pipeline.until(lambda: _count(pipeline, "quarantine") == 2), pipeline.log("ingest")
    kept = pipeline.ask("select device_id, reason, state from quarantine order by 1")
    assert kept == [
        ("CUFF-1", "unreadable_frame", "open"),
        ("NOBODYS-CUFF", "unknown_device", "open"),
    ]
    [(payload,)] = pipeline.ask("select payload from quarantine where reason = 'unreadable_frame'")
    assert TRUNCATED.hex().encode() in bytes(payload)
    assert _count(pipeline, "reading") == 0


def _count(pipeline: Pipeline, table: str) -> int:
    queries = {
        "reading": "select count(*) from reading",
        "quarantine": "select count(*) from quarantine",
    }
    return int(pipeline.ask(queries[table])[0][0])
