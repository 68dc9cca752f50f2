"""What home devices do, read through the real bleak."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from bleak import BleakClient

from gateway import visiting
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import (
    Behaviour,
    Bonding,
    ClockService,
    Labels,
    Memory,
)
from gateway.simulated.peripherals.body_scale import BodyCompositionScale
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.glucometer import Glucometer
from gateway.simulated.peripherals.scale import WeightScale
from tests.gateway.radio.conftest import ZONE, Living, frames, now

MoveIn = Callable[..., Living]
A_AND_D = "A&D_UA-651BLE_AB12CD"
CUFF = Behaviour(
    bonding=Bonding.JUST_WORKS,
    clock_deadline_s=5,
    hangs_up_after_dump=True,
    labels=Labels(serial="CUFF-1"),
)
METER = Behaviour(memory=Memory.KEEP, labels=Labels(serial="METER-1"))


async def cuff(
    home: SimulatedHome, behaviour: Behaviour = CUFF, name: str = A_AND_D
) -> BloodPressureCuff:
    address = "F0:00:5E:00:53:10"
    return await home.add(BloodPressureCuff, address=address, name=name, behaviour=behaviour)


async def meter(home: SimulatedHome, behaviour: Behaviour = METER, name: str = "GL") -> Glucometer:
    address = "F0:00:5E:00:53:12"
    return await home.add(Glucometer, address=address, name=name, behaviour=behaviour)


async def test_reads_cuff_scale_and_meter_of_one_home(home: SimulatedHome, move_in: MoveIn) -> None:
    first, second = await cuff(home), await meter(home)
    scale = await home.add(
        WeightScale,
        address="F0:00:5E:00:53:11",
        name="scale",
        behaviour=Behaviour(labels=Labels(serial="SCALE-1")),
    )
    await first.measure(systolic=131, diastolic=84, pulse=66)
    await scale.measure(kg=80.5)
    await second.measure(mg_dl=112)
    box = move_in()
    await box.read(3)
    assert {(device, r.kind, r.value, r.live) for device, r in box.readings} == {
        ("CUFF-1", "blood_pressure", 131.0, True),
        ("METER-1", "glucose", 112.0, True),
        ("SCALE-1", "weight", 80.5, True),
    }


async def test_a_cuff_that_dumps_and_hangs_up_within_its_clock_deadline(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await cuff(home)
    for systolic in (120, 130, 140):
        await device.measure(systolic=systolic, diastolic=80, pulse=60)
    box = move_in()
    await box.read(3)
    assert box.frames() == frames(device)
    await box.until(lambda: box.registry.all()[0].bonded is True)
    assert device.hang_ups == ["sent everything"]
    written = device.clock.times_set[0]
    assert abs(now().astimezone(ZONE).replace(tzinfo=None) - written) < timedelta(seconds=30)
    known = box.registry.get("CUFF-1")
    assert known is not None
    assert (known.battery, known.firmware, known.bonded) == (90, "1.0", True)


async def test_the_second_measurement_is_read_too(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await cuff(home)
    box = move_in()
    for count in (1, 2, 3):
        await device.measure(systolic=120 + count, diastolic=80, pulse=60)
        await box.read(count)
    assert box.frames() == frames(device)


async def test_what_comes_while_we_hang_up_is_kept(
    home: SimulatedHome, move_in: MoveIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await cuff(home, Behaviour(labels=Labels(serial="CUFF-1")))
    hang_up = visiting._hang_up

    async def slowly(client: BleakClient) -> None:
        monkeypatch.setattr(visiting, "_hang_up", hang_up)
        box._take()
        box.store.run("visits_forget")  # as the settling of another device's frame does
        await device.measure(systolic=122, diastolic=80, pulse=60)
        while device.unsent():  # noqa: ASYNC110 - the virtual device has no event for it
            await asyncio.sleep(0.01)
        await home.told()
        await hang_up(client)

    monkeypatch.setattr(visiting, "_hang_up", slowly)
    await device.measure(systolic=121, diastolic=80, pulse=60)
    box = move_in()
    await box.read(2)
    assert box.frames() == frames(device)


async def test_the_factory_clock_is_corrected_and_then_set(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    behaviour = Behaviour(
        clock_deadline_s=5,
        bonding=Bonding.JUST_WORKS,
        factory_clock=datetime(2021, 1, 1),
        labels=Labels(serial="CUFF-1"),
    )
    device = await cuff(home, behaviour)
    await device.measure(systolic=120, diastolic=80)
    box = move_in()
    (reading,) = await box.read(1)
    assert reading.device_time is not None
    assert reading.offset_s is not None
    assert reading.device_time.year == 2021
    corrected = reading.device_time + timedelta(seconds=reading.offset_s)
    assert abs(corrected - now().replace(tzinfo=None)) < timedelta(seconds=30)
    assert reading.live
    assert "clock_fault" in box.troubles()
    await box.until(lambda: len(device.clock.times_set) == 1)


async def test_a_clock_that_is_not_ours_is_read_and_never_written(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await meter(home, Behaviour(clock=ClockService.CURRENT_TIME, clock_error_s=3600))
    await device.measure(mg_dl=100)
    box = move_in()
    (reading,) = await box.read(1)
    assert reading.offset_s == pytest.approx(-3600, abs=30)
    assert device.clock.times_set == []


@pytest.mark.parametrize("copies", [1, 4])
async def test_bursts_and_reserved_bits(home: SimulatedHome, move_in: MoveIn, copies: int) -> None:
    device = await cuff(home, Behaviour(copies=copies, rfu_bits=True), "BP")
    await device.measure(systolic=120, diastolic=80)
    await device.measure(systolic=125, diastolic=80)
    box = move_in()
    await box.read(2)
    assert sorted(reading.value or 0 for _, reading in box.readings) == [120.0, 125.0]
    await box.until(lambda: len(device.sent) == 2 * copies)
    assert len(box.readings) == 2


async def test_a_failed_measurement_arrives_with_its_reason(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await cuff(home)
    await device.fail()
    box = move_in()
    (reading,) = await box.read(1)
    assert (reading.status, reading.value) == ("failed", None)
    assert reading.reason


async def test_stored_glucose_is_fetched_once_then_only_what_is_new(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await meter(home)
    for number in range(30):
        await device.measure(mg_dl=100 + number, meal=1 if number % 5 == 0 else None)
    box = move_in()
    readings = await box.read(30)
    assert [reading.sequence for reading in readings] == list(range(1, 31))
    with_context = [r.sequence for r in readings if "following" in r.extra]
    assert with_context == [1, 6, 11, 16, 21, 26]
    await device.measure(mg_dl=200)
    await box.read(31)
    await box.until(lambda: len(device.requests) >= 2)
    asked = [(request.op, request.operand.hex()) for request in device.requests]
    assert asked == [(1, ""), (1, "011f00")]


async def test_a_meter_whose_counter_starts_again_loses_nothing(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await meter(home)
    for number in range(5):
        await device.measure(mg_dl=100 + number)
    box = move_in()
    await box.read(5)
    await box.until(lambda: device.link is None)
    device.reset_sequence()
    await device.measure(mg_dl=201)
    await device.measure(mg_dl=202)
    await box.read(7)
    assert box.frames() == frames(device)
    await box.until(lambda: "sequence_reset" in box.troubles())
    known = box.registry.get("METER-1")
    assert known is not None
    assert known.last_sequence == 2


async def test_a_meter_that_streams_without_being_asked(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    behaviour = Behaviour(streams_on_subscribe=True, bonding=Bonding.JUST_WORKS)
    device = await meter(home, behaviour, "TRUE METRIX AIR")
    for number in range(4):
        await device.measure(mg_dl=100 + number)
    box = move_in()
    await box.read(4)
    assert box.frames() == frames(device)
    assert device.requests == []


async def test_two_thousand_stored_records(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await meter(home)
    for number in range(2000):
        await device.measure(mg_dl=60 + number / 10)
    box = move_in()
    await box.read(2000)
    assert box.frames() == frames(device)


async def test_the_identity_is_read_once_and_kept(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await cuff(home, Behaviour(labels=None), "BP")
    await device.measure(systolic=120, diastolic=80)
    box = move_in()
    await box.read(1)
    device_id = box.readings[0][0]
    assert device_id == "F0:00:5E:00:53:10"
    await device.measure(systolic=125, diastolic=80)
    await box.read(2)
    assert box.readings[1][0] == device_id


async def test_a_scale_that_refuses_consent_is_a_failure_and_not_an_empty_visit(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    address, refusing = "F0:00:5E:00:53:14", Behaviour(consent=2345, labels=Labels(serial="S-1"))
    scale = await home.add(BodyCompositionScale, address=address, name="BF720", behaviour=refusing)
    await scale.measure(kg=78.3, fat_percent=28.1)
    box = move_in(devices=[{"address": address, "consent_code": 1111}])
    turns = box.source._reception._turns
    await box.until(lambda: address in turns and turns[address].failures > 1)
    assert (box.readings, scale.sent) == ([], [])
    assert "bond_lost" not in box.troubles()


async def test_a_stranger_in_range_is_left_alone(home: SimulatedHome, move_in: MoveIn) -> None:
    mine, neighbours = await cuff(home), await meter(home)
    await neighbours.measure(mg_dl=100)
    await mine.measure(systolic=120, diastolic=80)
    listed = [{"identity": "CUFF-1", "model": "and_ua_651ble"}]
    box = move_in(devices=listed, radio={"idle_s": 0.3, "cool_down_s": 0.2})
    await box.read(1)
    await mine.measure(systolic=125, diastolic=80)
    await box.read(2)
    assert neighbours.sent == []
    assert {device for device, _ in box.readings} == {"CUFF-1"}


async def test_a_device_of_the_listed_model_but_another_serial_is_sent_away(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await cuff(home)
    await device.measure(systolic=120, diastolic=80)
    listed = [{"identity": "ANOTHER", "model": "and_ua_651ble"}]
    box = move_in(devices=listed, radio={"idle_s": 0.3, "cool_down_s": 0.2})
    await box.until(lambda: box.source._household._foreign != {})
    assert device.sent == []
    assert box.readings == []


async def test_a_full_box_leaves_the_records_on_the_device(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    box = move_in()
    box.full = True
    box.source.note_sightings()
    device = await meter(home)
    await device.measure(mg_dl=100)
    await box.until(lambda: len(box.source._reception.sightings()) == 1)
    assert device.sent == []
    box.full = False
    box.source.note_sightings()
    await box.read(1)
