"""Every catalogued behaviour that can be simulated, read through the real bleak."""

from collections.abc import Callable

import pytest

from devices import models
from devices.pairs import KETONE_MEAL
from gateway.simulated.home import SimulatedHome
from gateway.simulated.models import MODELS
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding, Memory
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.glucometer import Glucometer
from gateway.simulated.values import USUAL
from tests.gateway.radio.conftest import Living

MoveIn = Callable[..., Living]
ADDRESS = "F0:00:5E:00:53:21"
NAMES = {
    "and_ua_651ble": "A&D_UA-651BLE_AB12CD",
    "and_uc_352ble": "A&D_UC-352BLE_AB12CD",
    "and_uc_352ble_own_service": "A&D_UC-352BLE_AB12CE",
    "accu_chek_guide": "meter+12345",
    "contour_next_one": "Contour7830H0123",
    "true_metrix_air": "TRUE METRIX AIR",
    "omron_standard_cuff": "BLESmart_0000",
    "omron_standard_scale": "BLESmart_0001",
    "beurer_bm54": "BM54",
    "beurer_bf720": "BF720",
    "choicemmed_md300": "MD300CI218",
    "generic_thermometer": "thermometer",
    "generic_heart_rate": "strap",
}


def test_no_simulated_model_is_left_out() -> None:
    assert set(NAMES) == set(MODELS)


@pytest.mark.parametrize("key", MODELS)
async def test_is_recognised_and_read_whole(home: SimulatedHome, move_in: MoveIn, key: str) -> None:
    simulated = MODELS[key]
    listed = {
        "address": ADDRESS,
        "passkey": str(simulated.behaviour.passkey),
        "consent_code": simulated.behaviour.consent,
    }
    device = await home.add(
        simulated.kind, address=ADDRESS, name=NAMES[key], behaviour=simulated.behaviour
    )
    await device.enter_pairing_mode()
    usual = USUAL[device.kind]
    for number in range(2):
        await device.show({name: mean + number for name, (mean, _) in usual.items()})
    box = move_in(devices=[{name: value for name, value in listed.items() if value is not None}])
    told = sum(2 if record.context is not None else 1 for record in device.measured)
    await box.read(told)
    sent = sorted(
        frame.hex()
        for record in device.measured
        for frame in (record.frame, record.context)
        if frame is not None
    )
    assert box.frames() == sent
    assert {reading.status for _, reading in box.readings} == {"measured"}
    known = box.registry.all()[0]
    assert known.model == key.removesuffix("_own_service")
    assert models.by_name(known.model).kinds[0] in {r.kind for _, r in box.readings}


async def test_a_bm85_is_read_by_its_own_decoder(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await home.add(BloodPressureCuff, address=ADDRESS, name="BM85")
    await device.store_frame(bytes.fromhex("56710049000000ea07080b1438000041010000"))
    [reading] = await move_in().read(1)
    assert (reading.value, reading.pulse, reading.user_slot) == (113, 65, 1)
    assert (reading.trailing, reading.flags) == (0, ())


async def test_a_ketone_of_a_caresens_is_never_a_glucose(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    habits = Behaviour(bonding=Bonding.PASSKEY, passkey=271828, memory=Memory.KEEP)
    name = "CareSens N Premier"
    device = await home.add(Glucometer, address=ADDRESS, name=name, behaviour=habits)
    await device.measure(mg_dl=12, meal=KETONE_MEAL)
    [reading] = await move_in(devices=[{"address": ADDRESS, "passkey": "271828"}]).read(1)
    assert (reading.status, reading.reason, reading.value) == ("failed", "not_glucose", None)


async def test_a_frame_that_is_cut_short_arrives_with_its_reason(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await home.add(BloodPressureCuff, address=ADDRESS, name="cuff")
    await device.store_frame(b"\x1e\x80")
    [reading] = await move_in().read(1)
    assert (reading.status, reading.frame) == ("unreadable", "1e80")
    assert "truncated" in (reading.reason or "")
