"""Oximeter, thermometer, heart rate strap and body composition scale, over real bleak."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from devices import body_composition, heart_rate, oximeter, saturation, thermometer, user_data
from devices.reading import FailedMeasurement, Reading
from devices.user_data import Op, Result
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour
from gateway.simulated.peripherals.body_scale import BodyCompositionScale
from gateway.simulated.peripherals.heart_rate_strap import HeartRateStrap
from gateway.simulated.peripherals.oximeter import Oximeter
from gateway.simulated.peripherals.thermometer import Thermometer

pytestmark = pytest.mark.radio

Meet = Callable[..., AbstractAsyncContextManager[Any]]

ADDRESS = "F1:00:5E:00:53:13"


async def test_oximeter_spot_check_failure_and_stream(home: SimulatedHome, meet: Meet) -> None:
    device = await home.add(Oximeter, address=ADDRESS, name="MD300")
    await device.measure(spo2=94, pulse=88, perfusion=4.2)
    await device.fail()
    async with meet(device) as listener:
        await listener.listen(0x2A5E)
        good, bad = [
            saturation.read_spot(oximeter.parse_spot(frame)) for frame in await listener.take(2)
        ]
        await listener.listen(0x2A5F)
        await device.stream(spo2=93, pulse=90)
        live = oximeter.parse_stream(await listener.next())
    assert isinstance(good, Reading)
    assert (good.value, good.pulse, good.extra["perfusion_index"]) == (94, 88, 4.2)
    assert isinstance(bad, FailedMeasurement)
    assert live.saturation == 93


@pytest.mark.parametrize(("fahrenheit", "unit"), [(False, "Cel"), (True, "[degF]")])
async def test_thermometer(home: SimulatedHome, meet: Meet, fahrenheit: bool, unit: str) -> None:
    device = await home.add(
        Thermometer, address=ADDRESS, name="thermo", behaviour=Behaviour(imperial=fahrenheit)
    )
    await device.measure(celsius=38.2)
    await device.fail()
    async with meet(device) as listener:
        await listener.listen(0x2A1C)
        good, bad = [thermometer.read(thermometer.parse(each)) for each in await listener.take(2)]
    assert isinstance(good, Reading)
    assert good.value == pytest.approx(38.2, abs=0.06)
    assert good.original_unit == unit
    assert isinstance(bad, FailedMeasurement)


async def test_heart_rate_strap(home: SimulatedHome, meet: Meet) -> None:
    device = await home.add(HeartRateStrap, address=ADDRESS, name="strap")
    await device.measure(rate=77)
    await device.fail()
    async with meet(device) as listener:
        await listener.listen(0x2A37)
        good, bad = [heart_rate.read(heart_rate.parse(each)) for each in await listener.take(2)]
    assert isinstance(good, Reading)
    assert good.value == 77
    assert isinstance(bad, FailedMeasurement)
    assert bad.flags == ("no_contact",)


async def test_body_scale_gives_nothing_without_consent(home: SimulatedHome, meet: Meet) -> None:
    device = await home.add(
        BodyCompositionScale, address=ADDRESS, name="BF720", behaviour=Behaviour(consent=2345)
    )
    record = await device.measure(kg=78.3, fat_percent=28.1, user=2)
    async with meet(device) as listener:
        for short in (0x2A9D, 0x2A9C, 0x2A9F):
            await listener.listen(short)
        outcomes = []
        for request in (user_data.consent(2, 1111), user_data.delete(), user_data.consent(2, 2345)):
            await listener.write(0x2A9F, user_data.encode(request))
            outcomes.append(await listener.next())
        weighed, composed = await listener.take(2)
        assert await listener.read(0x2A99)
    assert [user_data.parse(outcome).result for outcome in outcomes] == [
        Result.NOT_AUTHORIZED,
        Result.NOT_SUPPORTED,
        Result.SUCCESS,
    ]
    assert user_data.parse(outcomes[0]).request == Op.CONSENT
    assert weighed == record.frame
    reading = body_composition.read(body_composition.parse(composed))
    assert isinstance(reading, Reading)
    assert (reading.value, reading.user_slot) == (28.1, 2)


async def test_body_scale_placeholder(home: SimulatedHome) -> None:
    device = await home.add(BodyCompositionScale, address=ADDRESS, name="BF720")
    record = await device.measure(kg=78.3, fat_percent=28.1, placeholder=True)
    assert record.context is not None
    empty = body_composition.read(body_composition.parse(record.context))
    assert isinstance(empty, FailedMeasurement)
