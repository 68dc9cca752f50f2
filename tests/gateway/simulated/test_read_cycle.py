"""Each of the first three device kinds, read by the real bleak over a real D-Bus daemon."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from bleak import BleakScanner

from devices import battery, blood_pressure, clock, glucose, information, racp, weight
from devices.reading import Reading
from gateway.simulated.adverts import uuid128
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, ClockService, Labels
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.glucometer import Glucometer
from gateway.simulated.peripherals.scale import WeightScale

pytestmark = pytest.mark.radio

Meet = Callable[..., AbstractAsyncContextManager[Any]]


async def test_a_device_is_discovered_by_what_it_advertises(home: SimulatedHome) -> None:
    behaviour = Behaviour(manufacturer_data=(0x0087, b"\x01\x02"))
    cuff = await home.add(
        BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE", behaviour=behaviour
    )
    await cuff.measure(systolic=128, diastolic=82)
    async with BleakScanner() as scanner, asyncio.timeout(10):
        [(device, advert)] = [seen async for seen in _first(scanner, 1)]
    assert (device.address, device.name) == ("F1:00:5E:00:53:10", "UA-651BLE")
    assert advert.service_uuids == [uuid128(0x1810)]
    assert advert.manufacturer_data == {0x0087: b"\x01\x02"}


async def test_a_device_with_nothing_to_send_is_silent(home: SimulatedHome) -> None:
    await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
    scale = await home.add(WeightScale, address="F1:00:5E:00:53:11", name="UC-352BLE")
    await scale.measure(kg=80)
    async with BleakScanner() as scanner, asyncio.timeout(10):
        heard = [device async for device, _ in _first(scanner, 5)]
    assert {device.name for device in heard} == {"UC-352BLE"}


async def test_cuff(home: SimulatedHome, meet: Meet) -> None:
    cuff = await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
    first = await cuff.measure(systolic=128, diastolic=82, pulse=66, status=4)
    second = await cuff.measure(systolic=161, diastolic=99, pulse=71)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        frames = await listener.take(2)
    assert frames == [first.frame, second.frame]
    reading = blood_pressure.read(blood_pressure.parse(frames[0]))
    assert isinstance(reading, Reading)
    assert (reading.value, reading.diastolic, reading.pulse) == (128, 82, 66)
    assert reading.flags == ("irregular_pulse",)
    assert reading.device_time == first.device_time
    assert cuff.transferred == [first, second]
    assert cuff.stored == []


async def test_a_measurement_during_the_session_comes_at_once(
    home: SimulatedHome, meet: Meet
) -> None:
    cuff = await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
    await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.next()
        live = await cuff.measure(systolic=140, diastolic=90)
        assert await listener.next() == live.frame


async def test_scale(home: SimulatedHome, meet: Meet) -> None:
    scale = await home.add(WeightScale, address="F1:00:5E:00:53:11", name="UC-352BLE")
    await scale.measure(kg=81.25)
    async with meet(scale) as listener:
        await listener.listen(0x2A9D)
        reading = weight.read(weight.parse(await listener.next()))
    assert isinstance(reading, Reading)
    assert (reading.value, reading.original_unit) == (81.25, "kg")


async def test_glucometer_sends_2000_records_in_order(home: SimulatedHome, meet: Meet) -> None:
    meter = await home.add(Glucometer, address="F1:00:5E:00:53:12", name="meter+1")
    for number in range(2000):
        await meter.measure(mg_dl=80 + number % 100)
    async with meet(meter) as listener:
        await listener.listen(0x2A18)
        await listener.listen(0x2A52)
        await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
        frames = await listener.take(2001)
    assert racp.parse(frames.pop()).code == racp.Code.SUCCESS
    assert frames == [record.frame for record in meter.measured]
    assert glucose.parse(frames[1999]).sequence == 2000
    assert not meter.has_news


@pytest.mark.parametrize("service", [ClockService.DATE_TIME, ClockService.CURRENT_TIME])
async def test_the_clock_can_be_read_and_set(
    home: SimulatedHome, meet: Meet, service: ClockService
) -> None:
    behaviour = Behaviour(clock=service, factory_clock=datetime(2019, 1, 1))
    cuff = await home.add(
        BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE", behaviour=behaviour
    )
    early = await cuff.measure(systolic=128, diastolic=82)
    async with meet(cuff) as listener:
        shown = clock.parse_date_time(await listener.read(service)).moment
        moment = datetime(2026, 9, 15, 12)
        dated = service is ClockService.DATE_TIME
        new = clock.setting_date_time(moment) if dated else clock.setting(moment)
        await listener.write(service, new)
    late = await cuff.measure(systolic=128, diastolic=82)
    assert shown.year == 2019
    assert early.device_time is not None
    assert early.device_time.year == 2019
    assert late.device_time is not None
    assert late.device_time - moment < timedelta(seconds=5)


async def test_a_device_tells_its_battery_and_labels(home: SimulatedHome, meet: Meet) -> None:
    labels = Labels(manufacturer="A&D", model="UA-651BLE", serial="5160700077", firmware="1.2")
    cuff = await home.add(
        BloodPressureCuff,
        address="F1:00:5E:00:53:10",
        name="UA-651BLE",
        behaviour=Behaviour(battery_percent=15, labels=labels),
    )
    await cuff.enter_pairing_mode()
    async with meet(cuff) as listener:
        level = battery.percent(battery.parse(await listener.read(0x2A19)))
        serial = information.parse_text(await listener.read(0x2A25)).text
        system = information.parse(await listener.read(0x2A23))
    assert (level, serial, system.mac) == (15, "5160700077", "F1:00:5E:00:53:10")


async def _first(scanner: BleakScanner, number: int) -> AsyncIterator[tuple[Any, Any]]:
    async for seen in scanner.advertisement_data():
        yield seen
        number -= 1
        if not number:
            return
