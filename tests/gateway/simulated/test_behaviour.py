"""Each habit of a device, as bleak sees it."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import pytest
from bleak import BleakScanner
from bleak.exc import BleakError

from devices import blood_pressure, clock, weight
from devices.reading import FailedMeasurement, Reading
from gateway.simulated.adverts import uuid128
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding, Memory
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.scale import WeightScale

pytestmark = pytest.mark.radio

Meet = Callable[..., AbstractAsyncContextManager[Any]]


async def cuff_with(home: SimulatedHome, behaviour: Behaviour) -> BloodPressureCuff:
    return await home.add(
        BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE", behaviour=behaviour
    )


async def test_dump_then_hang_up_oldest_first(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(hangs_up_after_dump=True))
    records = [await cuff.measure(systolic=110 + n, diastolic=80) for n in range(5)]
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.until_gone()
        assert listener.rest() == [record.frame for record in records]
    assert cuff.hang_ups == ["sent everything"]


async def test_hangs_up_if_its_clock_is_not_set_in_time(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(clock_deadline_s=0.4))
    await cuff.measure(systolic=128, diastolic=82)
    with contextlib.suppress(BleakError):  # a slow machine may not get through discovery
        async with meet(cuff) as listener:
            await listener.listen(0x2A35)
            await listener.until_gone()
            assert listener.rest() == []
    assert cuff.hang_ups == ["clock was not set in time"]
    assert cuff.has_news


async def test_sends_when_its_clock_was_set_in_time(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(clock_deadline_s=5))
    record = await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.write(0x2A08, clock.setting_date_time(datetime(2026, 9, 15, 12)))
        assert await listener.next() == record.frame
    assert cuff.clock.times_set == [datetime(2026, 9, 15, 12)]


async def test_a_factory_clock_dates_records_in_its_own_past(home: SimulatedHome) -> None:
    cuff = await cuff_with(home, Behaviour(factory_clock=datetime(2017, 1, 1)))
    record = await cuff.measure(systolic=128, diastolic=82)
    timestamp = blood_pressure.parse(record.frame).timestamp
    assert timestamp is not None
    assert timestamp.year == 2017


@pytest.mark.parametrize("behaviour", [Behaviour(has_clock=False), Behaviour(clock_lost=True)])
async def test_without_a_clock_there_is_no_timestamp(
    home: SimulatedHome, behaviour: Behaviour
) -> None:
    cuff = await cuff_with(home, behaviour)
    record = await cuff.measure(systolic=128, diastolic=82)
    assert blood_pressure.parse(record.frame).timestamp is None
    assert record.device_time is None


async def test_bursts_repeat_the_same_frame(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(copies=3))
    record = await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        assert await listener.take(3) == [record.frame] * 3
    assert len(cuff.sent) == 3
    assert cuff.transferred == [record]


async def test_a_failed_measurement_is_sent_as_one(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour())
    await cuff.fail()
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        decoded = blood_pressure.read(blood_pressure.parse(await listener.next()))
    assert isinstance(decoded, FailedMeasurement)
    assert "cuff_loose" in decoded.flags


async def test_reserved_bits_are_set_and_harm_nobody(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(rfu_bits=True))
    await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        frame = await listener.next()
    assert frame[0] & 0xE0 == 0xE0
    reading = blood_pressure.read(blood_pressure.parse(frame))
    assert isinstance(reading, Reading)
    assert reading.value == 128


async def test_a_scale_may_weigh_in_pounds(home: SimulatedHome) -> None:
    scale = await home.add(
        WeightScale,
        address="F1:00:5E:00:53:11",
        name="UC-352BLE",
        behaviour=Behaviour(imperial=True),
    )
    reading = weight.read(weight.parse((await scale.measure(kg=81.25)).frame))
    assert isinstance(reading, Reading)
    assert reading.original_unit == "[lb_av]"
    assert reading.value == pytest.approx(81.25, abs=0.005)


async def test_a_cuff_may_measure_in_kilopascals(home: SimulatedHome) -> None:
    cuff = await cuff_with(home, Behaviour(imperial=True))
    record = await cuff.measure(systolic=128, diastolic=82)
    reading = blood_pressure.read(blood_pressure.parse(record.frame))
    assert isinstance(reading, Reading)
    assert reading.original_unit == "kPa"
    assert reading.value == pytest.approx(128, abs=0.5)


@pytest.mark.parametrize(
    ("memory", "second_session", "kept"),
    [(Memory.ERASE, [3], 0), (Memory.KEEP, [3], 3), (Memory.RESEND, [1, 2, 3], 3)],
)
async def test_memory(
    home: SimulatedHome, meet: Meet, memory: Memory, second_session: list[int], kept: int
) -> None:
    cuff = await cuff_with(home, Behaviour(memory=memory, hangs_up_after_dump=True))
    for systolic in (111, 112):
        await cuff.measure(systolic=systolic, diastolic=80)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.until_gone()
    await cuff.measure(systolic=113, diastolic=80)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.until_gone()
        frames = listener.rest()
    assert frames == [cuff.measured[number - 1].frame for number in second_session]
    assert len(cuff.stored) == kept


async def test_an_idle_device_hangs_up(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour(idle_hang_up_s=0.4))
    await cuff.measure(systolic=128, diastolic=82)
    with contextlib.suppress(BleakError):  # a slow machine may not get through discovery
        async with meet(cuff) as listener:
            await listener.until_gone()
    assert cuff.hang_ups == ["nothing was said for too long"]


async def test_advertises_only_within_its_window(home: SimulatedHome) -> None:
    cuff = await cuff_with(home, Behaviour(advertise_window_s=0.1))
    async with BleakScanner() as scanner, asyncio.timeout(10):
        for _ in range(2):
            await cuff.measure(systolic=128, diastolic=82)
            await anext(aiter(scanner.advertisement_data()))
            await cuff.advertiser.quiet.wait()
    assert cuff.has_news


@pytest.mark.parametrize(("pairing", "flags"), [(False, 0x04), (True, 0x05)])
async def test_the_flags_tell_pairing_mode_from_transfer(
    home: SimulatedHome, pairing: bool, flags: int
) -> None:
    cuff = await cuff_with(home, Behaviour(bonding=Bonding.JUST_WORKS))
    await cuff.measure(systolic=128, diastolic=82)
    if pairing:
        await cuff.enter_pairing_mode()
    async with BleakScanner() as scanner, asyncio.timeout(10):
        heard = await anext(aiter(scanner.advertisement_data()))
    _, properties = heard[1].platform_data
    assert properties["AdvertisingFlags"] == bytes([flags])


async def test_a_device_hangs_up_in_the_middle_and_sends_the_rest_later(
    home: SimulatedHome, meet: Meet
) -> None:
    cuff = await cuff_with(home, Behaviour())
    records = [await cuff.measure(systolic=110 + n, diastolic=80) for n in range(4)]
    cuff.hang_up_after(2)
    heard: list[bytes] = []
    for _ in range(2):
        async with meet(cuff) as listener:
            await listener.listen(0x2A35)
            heard += await listener.take(2)
    assert heard == [record.frame for record in records]


async def test_a_device_whose_listener_left_waits_for_another(
    home: SimulatedHome, meet: Meet
) -> None:
    cuff = await cuff_with(home, Behaviour())
    await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.next()
        await listener.client.stop_notify(uuid128(0x2A35))
        late = await cuff.measure(systolic=140, diastolic=90)
        assert cuff.has_news
        await listener.listen(0x2A35)
        assert await listener.next() == late.frame


async def test_a_scale_may_speak_its_makers_own_service(home: SimulatedHome, meet: Meet) -> None:
    own = {
        0x181D: "23434100-1fe4-1eff-80cb-00ff78297d8b",
        0x2A9D: "23434101-1fe4-1eff-80cb-00ff78297d8b",
    }
    scale = await home.add(
        WeightScale,
        address="F1:00:5E:00:53:11",
        name="A&D_UC-352BLE_001122",
        behaviour=Behaviour(aliases=own),
    )
    record = await scale.measure(kg=81.25)
    async with BleakScanner() as scanner, asyncio.timeout(10):
        heard = await anext(aiter(scanner.advertisement_data()))
    assert heard[1].service_uuids == [own[0x181D]]
    async with meet(scale) as listener:
        heard_frame = asyncio.get_running_loop().create_future()
        await listener.client.start_notify(
            own[0x2A9D], lambda _, value: heard_frame.set_result(bytes(value))
        )
        assert await heard_frame == record.frame
    assert scale.sent[0].characteristic == "2A9D"


async def test_any_bytes_can_be_sent(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, Behaviour())
    await cuff.store_frame(b"\x1e\x80")
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        assert await listener.next() == b"\x1e\x80"
