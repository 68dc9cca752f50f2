"""Bonds: with a passkey, without a number, refused, forgotten; through a real D-Bus agent."""

import contextlib
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from bleak.exc import BleakDBusError, BleakError

from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding
from gateway.simulated.peripherals.cuff import BloodPressureCuff

pytestmark = pytest.mark.radio

Meet = Callable[..., AbstractAsyncContextManager[Any]]
Register = Callable[..., Coroutine[Any, Any, Any]]

PASSKEY = Behaviour(bonding=Bonding.PASSKEY, passkey=871204)
JUST_WORKS = Behaviour(bonding=Bonding.JUST_WORKS)


async def cuff_with(home: SimulatedHome, behaviour: Behaviour) -> BloodPressureCuff:
    cuff = await home.add(
        BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE", behaviour=behaviour
    )
    await cuff.measure(systolic=128, diastolic=82)
    return cuff


async def test_the_agent_gives_the_passkey(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, PASSKEY)
    agent = await register(871204)
    async with meet(cuff, pair=True) as listener:
        await listener.listen(0x2A35)
        assert await listener.next() == cuff.measured[0].frame
    assert agent.asked == ["RequestPasskey"]


async def test_a_wrong_passkey_does_not_pair(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, PASSKEY)
    await register(111111)
    with pytest.raises(BleakDBusError, match="AuthenticationFailed"):
        async with meet(cuff, pair=True):
            pass
    assert cuff.has_news


async def test_an_agent_that_refuses_does_not_pair(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, PASSKEY)
    await register(None)
    with pytest.raises(BleakDBusError, match="AuthenticationFailed"):
        async with meet(cuff, pair=True):
            pass


@pytest.mark.parametrize(("passkey", "paired"), [(0, True), (None, False)], ids=["yes", "no"])
async def test_the_agent_compares_numbers(
    home: SimulatedHome, meet: Meet, register: Register, passkey: int | None, paired: bool
) -> None:
    cuff = await cuff_with(home, Behaviour(bonding=Bonding.COMPARISON))
    agent = await register(passkey, "DisplayYesNo")
    with contextlib.suppress(BleakDBusError):
        async with meet(cuff, pair=True) as listener:
            await listener.listen(0x2A35)
            await listener.next()
    assert agent.asked == ["RequestConfirmation"]
    assert cuff.has_news is not paired


async def test_an_unpaired_client_is_refused_and_told_so(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, PASSKEY)
    async with meet(cuff) as listener:
        with pytest.raises(BleakDBusError, match="Not paired"):
            await listener.read(0x2A49)
        with pytest.raises(BleakDBusError, match="Not paired"):
            await listener.listen(0x2A35)
    assert cuff.has_news


async def test_a_bond_outlives_the_link(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, PASSKEY)
    agent = await register(871204)
    async with meet(cuff, pair=True):
        pass
    async with meet(cuff, pair=True) as listener:
        assert await listener.read(0x2A49)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.next()
    assert len(agent.asked) == 1


async def test_just_works_pairs_without_an_agent(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(home, JUST_WORKS)
    async with meet(cuff, pair=True) as listener:
        await listener.listen(0x2A35)
        assert await listener.next() == cuff.measured[0].frame


async def test_an_attribute_that_wants_a_bond_asks_the_agent_for_authorization(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, JUST_WORKS)
    agent = await register(0, "NoInputNoOutput")
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.next()
    assert agent.asked == ["RequestAuthorization"]


async def test_an_agent_may_refuse_a_device_that_nobody_chose(
    home: SimulatedHome, meet: Meet, register: Register
) -> None:
    cuff = await cuff_with(home, JUST_WORKS)
    await register(None, "NoInputNoOutput")
    async with meet(cuff) as listener:
        with pytest.raises(BleakDBusError, match="Not paired"):
            await listener.listen(0x2A35)
    assert cuff.has_news


async def test_pairing_only_in_pairing_mode_which_the_flags_tell(
    home: SimulatedHome, meet: Meet
) -> None:
    behaviour = Behaviour(bonding=Bonding.JUST_WORKS, pairs_only_in_pairing_mode=True)
    cuff = await cuff_with(home, behaviour)
    with pytest.raises(BleakDBusError, match="AuthenticationFailed"):
        async with meet(cuff, pair=True):
            pass
    await cuff.enter_pairing_mode()
    async with meet(cuff, pair=True) as listener:
        await listener.listen(0x2A35)
        await listener.next()
    assert not cuff.pairing_mode


async def test_a_device_that_forgot_the_bond_breaks_the_link(
    home: SimulatedHome, meet: Meet
) -> None:
    cuff = await cuff_with(home, JUST_WORKS)
    async with meet(cuff, pair=True):
        pass
    await cuff.forget_bonds()
    with pytest.raises(BleakError, match="disconnected"):
        async with meet(cuff):
            pass
    assert cuff.has_news


async def test_silent_until_bonded(home: SimulatedHome, meet: Meet) -> None:
    cuff = await cuff_with(
        home, Behaviour(bonding=Bonding.JUST_WORKS, silent_until_bonded=True, idle_hang_up_s=1)
    )
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.until_gone()
        assert listener.rest() == []
    async with meet(cuff, pair=True) as listener:
        await listener.listen(0x2A35)
        assert await listener.next() == cuff.measured[0].frame
