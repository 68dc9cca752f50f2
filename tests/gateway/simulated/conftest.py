"""A simulated home that this process's bleak sees, and a listener for what devices say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from gateway.simulated.adverts import uuid128
from gateway.simulated.bluez.shared import Tempo
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.peripheral import Peripheral

FAST = Tempo(advert_every_s=0.02, connect_timeout_s=0.5, resolve_timeout_s=5)
PATIENCE_S = 10.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a home needs the virtual radio."""
    for item in items:
        if "home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.radio)


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(now=lambda: datetime.now(UTC), tempo=FAST) as home:
        yield home


class Listener:
    """Notifications of one client, awaited one by one."""

    def __init__(self, client: BleakClient) -> None:
        self.client = client
        self.gone = asyncio.Event()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(self, short: int) -> None:
        await self.client.start_notify(
            uuid128(short), lambda _, value: self._heard.put_nowait(bytes(value))
        )

    async def next(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._heard.get()

    async def take(self, number: int) -> list[bytes]:
        return [await self.next() for _ in range(number)]

    def rest(self) -> list[bytes]:
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]

    async def write(self, short: int, value: bytes) -> None:
        await self.client.write_gatt_char(uuid128(short), value, response=True)

    async def read(self, short: int) -> bytes:
        return bytes(await self.client.read_gatt_char(uuid128(short)))

    async def until_gone(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.gone.wait()


async def find(device: Peripheral) -> BLEDevice:
    """Find a device by its address, as long as it takes."""
    found = await BleakScanner.find_device_by_address(device.address, timeout=PATIENCE_S)
    assert found is not None, f"{device.name} was not found"
    return found


Meet = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture
def meet() -> Meet:
    """Find a device, connect, and listen."""

    @asynccontextmanager
    async def meeting(device: Peripheral, *, pair: bool = False) -> AsyncIterator[Listener]:
        client = BleakClient(
            await find(device),
            disconnected_callback=lambda _: listener.gone.set(),
            pair=pair,
            timeout=PATIENCE_S,
        )
        listener = Listener(client)
        async with client:
            yield listener

    return meeting


class PairingAgent:
    """An `org.bluez.Agent1` that gives one passkey, or refuses."""

    def __init__(self, bus: MessageBus, passkey: int | None) -> None:
        self.passkey = passkey
        self.asked: list[str] = []
        self._bus = bus
        bus.add_message_handler(self._answer)

    async def register(self, capability: str) -> None:
        for member, signature, body in (
            ("RegisterAgent", "os", ["/agent", capability]),
            ("RequestDefaultAgent", "o", ["/agent"]),
        ):
            await call(self._bus, "/org/bluez", "org.bluez.AgentManager1", member, signature, body)

    def _answer(self, message: Message) -> Message | None:
        if message.interface != "org.bluez.Agent1":
            return None
        self.asked.append(message.member or "")
        if self.passkey is None:
            return Message.new_error(message, "org.bluez.Error.Rejected", "no")
        if message.member == "RequestPasskey":
            return Message.new_method_return(message, "u", [self.passkey])
        return Message.new_method_return(message)


async def call(  # noqa: PLR0917  a D-Bus call has these parts
    bus: MessageBus, path: str, interface: str, member: str, signature: str, body: list[Any]
) -> Message:
    """Call bluetoothd; fail on an error reply."""
    message = Message(
        destination="org.bluez",
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=body,
    )
    reply = await bus.call(message)
    assert reply is not None
    assert reply.message_type is MessageType.METHOD_RETURN, (reply.error_name, reply.body)
    return reply


@pytest.fixture
async def system_bus(home: SimulatedHome) -> AsyncIterator[MessageBus]:
    """A client of the home's bus."""
    bus = await MessageBus(bus_address=home.address).connect()
    yield bus
    bus.disconnect()


Register = Callable[..., Coroutine[Any, Any, PairingAgent]]


@pytest.fixture
def register(system_bus: MessageBus) -> Register:
    """Register a pairing agent."""

    async def registered(passkey: int | None, capability: str = "KeyboardOnly") -> PairingAgent:
        agent = PairingAgent(system_bus, passkey)
        await agent.register(capability)
        return agent

    return registered
