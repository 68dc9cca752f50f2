"""Bonds: made only when ordered or for a known device, and missed when they are gone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.commands import RefusedError
from gateway.sightings import Interest, Sighting
from gateway.simulated.bluez.calls import Failure
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding, Labels, Memory
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.glucometer import Glucometer
from gateway.source import Enrolment
from tests.gateway.radio.conftest import Living, frames

MoveIn = Callable[..., Living]
QUIET = {"idle_s": 0.3, "cool_down_s": 0.2}
"""Settings of a real home: strangers are left alone."""
METER = Behaviour(
    bonding=Bonding.PASSKEY,
    passkey=271828,
    silent_until_bonded=True,
    memory=Memory.KEEP,
    labels=Labels(serial="METER-1"),
)
CUFF = Behaviour(
    bonding=Bonding.JUST_WORKS,
    pairs_only_in_pairing_mode=True,
    clock_deadline_s=5,
    hangs_up_after_dump=True,
    labels=Labels(serial="CUFF-1"),
)


async def meter(home: SimulatedHome) -> Glucometer:
    name, address = "Contour7830H0123", "F0:00:5E:00:53:12"
    return await home.add(Glucometer, address=address, name=name, behaviour=METER)


async def cuff(home: SimulatedHome) -> BloodPressureCuff:
    name, address = "A&D_UA-651BLE_AB12CD", "F0:00:5E:00:53:10"
    return await home.add(BloodPressureCuff, address=address, name=name, behaviour=CUFF)


def listed(passkey: str) -> list[dict[str, str]]:
    return [{"identity": "METER-1", "model": "contour_next_one", "passkey": passkey}]


async def bonded(home: SimulatedHome, move_in: MoveIn) -> tuple[Glucometer, Living]:
    """A meter of which the box has read one record."""
    device = await meter(home)
    await device.measure(mg_dl=100)
    box = move_in(devices=listed("271828"), radio=QUIET)
    await box.read(1)
    return device, box


async def test_a_listed_meter_bonds_with_its_passkey_and_speaks(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device, box = await bonded(home, move_in)
    await device.measure(mg_dl=110)
    await box.read(2)
    assert box.frames() == frames(device)
    assert [member for member, _ in home.front.agents.asked] == ["RequestPasskey"], "bonded once"


async def test_a_wrong_passkey_is_a_lost_bond_for_the_clinic(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await meter(home)
    await device.measure(mg_dl=100)
    box = move_in(devices=listed("111111"), radio=QUIET)
    await box.until(lambda: box.source._reception.is_bond_lost(device.address))
    assert device.sent == []


async def test_a_device_that_forgot_us_is_reported_and_never_removed(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device, box = await bonded(home, move_in)
    await box.until(lambda: device.link is None and box.registry.all()[0].bonded is True)
    await device.forget_bonds()
    await device.measure(mg_dl=110)
    await box.until(lambda: "bond_lost" in box.troubles())
    assert "RemoveDevice" not in {member for member, _ in home.front.calls}


TIMED_OUT = Failure("Failed", "Operation timed out")
CUT_SHORT = Failure("AuthenticationTimeout", "Authentication Timeout")


async def test_a_weak_radio_is_no_lost_bond(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await cuff(home)
    box = move_in(radio=QUIET)
    await device.enter_pairing_mode()
    await pair(box, None, None)
    await box.until(lambda: device.link is None)
    home.faults.refuse("Connect", TIMED_OUT, address=device.address, times=4)
    home.faults.refuse("Connect", CUT_SHORT, address=device.address)
    home.faults.half_resolve(address=device.address, times=2)
    seen: set[str] = set()

    def is_sent() -> bool:
        seen.update(box.troubles())
        return bool(device.sent)

    await device.measure(systolic=120, diastolic=80)
    await box.until(is_sent)
    await box.read(1)
    assert "bond_lost" not in seen
    assert len(home.faults.fired) == 5


async def pair(box: Living, device: str | None, passkey: str | None, seconds: float = 15) -> str:
    wanted = Enrolment(device=device, passkey=passkey, lasts=timedelta(seconds=seconds))
    return await box.source.pair(wanted)


async def test_pairing_on_order_makes_the_device_one_of_the_home(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await cuff(home)
    box = move_in(radio=QUIET)
    await device.enter_pairing_mode()
    assert await pair(box, None, None) == "CUFF-1"
    known = box.registry.get("CUFF-1")
    assert known is not None
    assert (known.enrolled, known.bonded) == (True, True)
    await device.measure(systolic=120, diastolic=80)
    await box.read(1)


async def test_pairing_keeps_the_passkey_for_later(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await meter(home)
    await device.measure(mg_dl=100)
    box = move_in(radio=QUIET)
    assert await pair(box, "contour_next_one", "271828") == "METER-1"
    assert box.registry.passkeys() == {device.address: "271828"}
    await box.read(1)


async def test_nobody_pairs_without_an_order(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await cuff(home)
    await device.enter_pairing_mode()
    box = move_in(radio=QUIET)
    await box.until(lambda: box.source._ears.works)
    with pytest.raises(RefusedError, match="nothing was paired"):
        await pair(box, "accu_chek_guide", None, seconds=0.5)
    assert box.registry.all() == []
    assert "Pair" not in {member for member, _ in home.front.calls}


async def test_one_pairing_at_a_time(home: SimulatedHome, move_in: MoveIn) -> None:
    assert home.address
    box = move_in(radio=QUIET)
    first = asyncio.create_task(pair(box, None, None, seconds=0.5))
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="another pairing"):
        await pair(box, None, None)
    with pytest.raises(RefusedError, match="nothing was paired"):
        await first


async def test_pairing_again_after_the_device_forgot_us(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    device = await cuff(home)
    box = move_in(radio=QUIET)
    await device.enter_pairing_mode()
    await pair(box, None, None)
    await box.until(lambda: device.link is None)
    await device.forget_bonds()
    again = asyncio.create_task(pair(box, "CUFF-1", None))
    await box.until(lambda: box.source._household.is_pairing)
    await device.enter_pairing_mode()
    assert await again == "CUFF-1"
    await device.measure(systolic=120, diastolic=80)
    await box.read(1)


async def test_a_device_that_the_configuration_lists_stays_forgotten(
    home: SimulatedHome, move_in: MoveIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, box = await bonded(home, move_in)
    await box.until(lambda: device.link is None and not box.source._reception.is_busy)
    await box.source.forget("METER-1")
    box.registry.forget("METER-1")
    household = box.source._household
    judged: list[Interest] = []
    judge = household.interest

    def overheard(sighting: Sighting) -> Interest:
        judged.append(judge(sighting))
        return judged[-1]

    monkeypatch.setattr(household, "interest", overheard)
    await device.measure(mg_dl=110)
    await box.until(lambda: len(judged) > 2)
    assert set(judged) == {Interest.STRANGER}


async def test_a_forgotten_device_loses_its_bond(home: SimulatedHome, move_in: MoveIn) -> None:
    device = await cuff(home)
    box = move_in(radio=QUIET)
    await device.enter_pairing_mode()
    await pair(box, None, None)
    await box.until(lambda: device.link is None)
    await box.source.forget("CUFF-1")
    box.registry.forget("CUFF-1")
    await device.measure(systolic=120, diastolic=80)
    assert "RemoveDevice" in {member for member, _ in home.front.calls}
    assert device.sent == []
