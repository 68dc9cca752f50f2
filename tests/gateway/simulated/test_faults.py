"""What goes wrong at bluetoothd, on the air and on the bus, as bleak sees it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from gateway.simulated.adverts import uuid128
from gateway.simulated.bluez.calls import (
    ABORTED_BY_LOCAL,
    AUTHENTICATION_FAILED,
    IN_PROGRESS,
    Failure,
)
from gateway.simulated.bluez.shared import Tempo
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.cuff import BloodPressureCuff

pytestmark = pytest.mark.radio

Meet = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
async def cuff(home: SimulatedHome) -> BloodPressureCuff:
    cuff = await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
    await cuff.measure(systolic=128, diastolic=82)
    return cuff


async def reads_normally(cuff: BloodPressureCuff, meet: Meet) -> None:
    if not cuff.has_news:
        await cuff.measure(systolic=131, diastolic=84)
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        assert await listener.next() == cuff.measured[-1].frame


@pytest.mark.parametrize("failure", [IN_PROGRESS, AUTHENTICATION_FAILED])
async def test_connect_fails_once(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet, failure: Failure
) -> None:
    home.faults.refuse("Connect", failure, address=cuff.address)
    with pytest.raises(BleakDBusError, match=failure.name):
        async with meet(cuff):
            pass
    await reads_normally(cuff, meet)


async def test_discovery_is_in_progress_elsewhere(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    home.faults.refuse("StartDiscovery", IN_PROGRESS)
    with pytest.raises(BleakDBusError, match="InProgress"):
        async with meet(cuff):
            pass
    await reads_normally(cuff, meet)


async def test_bleak_tries_again_after_connection_abort(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    home.faults.refuse("Connect", ABORTED_BY_LOCAL, times=2)
    await reads_normally(cuff, meet)
    assert [member for member, _ in home.front.calls].count("Connect") == 3


async def test_retry_connector_works_through_failures(
    home: SimulatedHome, cuff: BloodPressureCuff
) -> None:
    home.faults.refuse("Connect", IN_PROGRESS)
    device = await BleakScanner.find_device_by_address(cuff.address, timeout=5)
    assert device is not None
    client = await establish_connection(BleakClientWithServiceCache, device, cuff.name)
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    await client.start_notify(uuid128(0x2A35), lambda _, value: heard.set_result(bytes(value)))
    assert await heard == cuff.measured[0].frame
    await client.disconnect()


async def test_a_fault_for_one_device_leaves_the_others_alone(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    home.faults.refuse("Connect", IN_PROGRESS, address="F1:00:5E:00:53:99")
    await reads_normally(cuff, meet)
    assert home.faults.fired == []


async def test_a_slow_connect_may_be_given_up(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    device = await BleakScanner.find_device_by_address(cuff.address, timeout=5)
    assert device is not None
    home.faults.delay("Connect", 0.3)
    with pytest.raises(TimeoutError):
        await BleakClient(device, timeout=0.1).connect()
    await reads_normally(cuff, meet)


async def test_connecting_to_a_device_that_fell_silent_fails(
    cuff: BloodPressureCuff, meet: Meet
) -> None:
    device = await BleakScanner.find_device_by_address(cuff.address, timeout=5)
    assert device is not None
    await cuff.fall_silent()
    with pytest.raises(TimeoutError):
        await BleakClient(device, timeout=0.7).connect()
    await cuff.advertise()
    await reads_normally(cuff, meet)


async def test_services_half_resolved(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    home.faults.half_resolve(address=cuff.address)
    with pytest.raises(BleakError, match="failed to discover services"):
        async with meet(cuff):
            pass
    await reads_normally(cuff, meet)


async def test_a_device_is_removed_in_the_middle(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    async with meet(cuff) as listener:
        await home.front.remove_device(cuff.address)
        await listener.until_gone()
        with pytest.raises(BleakError):
            await listener.listen(0x2A35)
    await reads_normally(cuff, meet)


async def test_the_adapter_is_lost_and_comes_back(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    adapter = home.front.adapters["hci0"]
    async with meet(cuff) as listener:
        await adapter.lose()
        await listener.until_gone()
    await home.told()
    with pytest.raises(BleakBluetoothNotAvailableError):
        await BleakScanner.discover(timeout=0.01)
    adapter.appear()
    await home.told()
    await reads_normally(cuff, meet)


async def test_the_adapter_is_switched_off_and_on(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    adapter = home.front.adapters["hci0"]
    async with meet(cuff) as listener:
        await adapter.power(on=False)
        await listener.until_gone()
    await home.told()
    with pytest.raises(BleakBluetoothNotAvailableError, match="powered"):
        await BleakScanner.discover(timeout=0.01)
    await adapter.power(on=True)
    await home.told()
    await reads_normally(cuff, meet)


async def test_the_bus_dies_and_comes_back(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    async with meet(cuff) as listener:
        await home.kill_bus()
        await listener.until_gone()
    await home.restart_bus()
    await reads_normally(cuff, meet)


async def test_a_client_that_dies_leaves_the_link_and_loses_nothing_unsent(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    """As with bluetoothd: the link stays, the subscription goes, the next client takes over."""
    async with meet(cuff) as listener:
        await listener.listen(0x2A35)
        await listener.next()
        link = cuff.link
        assert link is not None
        other = await MessageBus(bus_address=home.address).connect()
        await listener.client.stop_notify(uuid128(0x2A35))
        path = listener.client.services.get_characteristic(uuid128(0x2A35)).obj[0]
        await other.call(_start_notify(path))
        other.disconnect()
        async with asyncio.timeout(5):
            await link.until(lambda: not link.subscribed)
        late = await cuff.measure(systolic=150, diastolic=95)
        await listener.listen(0x2A35)
        assert await listener.next() == late.frame


async def test_a_read_fails_with_the_error_of_the_device(
    home: SimulatedHome, cuff: BloodPressureCuff, meet: Meet
) -> None:
    async with meet(cuff) as listener:
        home.faults.refuse("ReadValue", IN_PROGRESS)
        assert await listener.read(0x2A49), "bleak itself tries again"
        with pytest.raises(BleakGATTProtocolError):
            await listener.write(0x2A49, b"\0")


async def test_a_silent_device_is_forgotten_and_found_again(meet: Meet) -> None:
    tempo = Tempo(advert_every_s=0.02, forget_after_s=0.2)
    async with SimulatedHome(now=lambda: datetime.now(UTC), tempo=tempo) as home:
        cuff = await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
        await cuff.measure(systolic=128, diastolic=82)
        device = await BleakScanner.find_device_by_address(cuff.address, timeout=5)
        assert device is not None
        await cuff.fall_silent()
        async with asyncio.timeout(5):
            while home.front.adapters["hci0"].remotes:  # noqa: ASYNC110  no event says "nothing"
                await asyncio.sleep(0.02)
        await home.told()
        with pytest.raises(BleakError, match="not found"):
            await BleakClient(device).connect()
        await cuff.advertise()
        await reads_normally(cuff, meet)


async def test_two_adapters_see_the_same_device() -> None:
    now = lambda: datetime.now(UTC)  # noqa: E731  one line is enough here
    tempo = Tempo(advert_every_s=0.02)
    async with SimulatedHome(now=now, tempo=tempo, adapters=("hci0", "hci1")) as home:
        cuff = await home.add(BloodPressureCuff, address="F1:00:5E:00:53:10", name="UA-651BLE")
        await cuff.measure(systolic=128, diastolic=82)
        paths = []
        for adapter in ("hci0", "hci1"):
            seen = await BleakScanner.find_device_by_address(
                cuff.address, timeout=5, bluez={"adapter": adapter}
            )
            assert seen is not None
            paths.append(seen.details["path"])
        await home.front.adapters["hci0"].lose()
        await home.told()
        device = await BleakScanner.find_device_by_address(cuff.address, timeout=5)
    assert paths == [f"/org/bluez/{name}/dev_F1_00_5E_00_53_10" for name in ("hci0", "hci1")]
    assert device is not None
    assert "hci1" in device.details["path"]


async def test_acquire_notify(cuff: BloodPressureCuff, meet: Meet) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with meet(cuff) as listener:
        await listener.client.start_notify(
            uuid128(0x2A35),
            lambda _, value: heard.put_nowait(bytes(value)),
            bluez={"use_start_notify": False},
        )
        assert await heard.get() == cuff.measured[0].frame


def _start_notify(path: str) -> Message:
    return Message(
        destination="org.bluez",
        path=path,
        interface="org.bluez.GattCharacteristic1",
        member="StartNotify",
    )
