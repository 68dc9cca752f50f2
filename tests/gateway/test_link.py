"""The connection and the publisher against real brokers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded.broker import EmbeddedBroker, Kind
from devices import wire
from gateway import heartbeat
from gateway.backoff import Pace
from gateway.link import NOT_DELIVERED, Address, Link
from gateway.outbox import Visit
from gateway.publisher import Publisher
from gateway.settings import Broker
from tests.gateway.conftest import Disk, World

PREFIX = "tidings/v1/home-1/gw-1"
PATIENCE_S = 15
WRONG = "not the password"
Frame = Callable[..., bytes]


async def until(enough: Callable[[], bool], stir: asyncio.Event) -> None:
    """Wait until something happened that is enough."""
    async with asyncio.timeout(PATIENCE_S):
        while not enough():
            stir.clear()
            await stir.wait()


@dataclass(slots=True)
class Ear:
    """A listener that keeps what it hears, and wakes the test."""

    heard_of: list[tuple[str, object]] = field(default_factory=list)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    publisher: Publisher | None = None
    sessions: list[bool] = field(default_factory=list)

    def connected(self, *, session_present: bool) -> None:
        self.sessions.append(session_present)
        self._note("connected", session_present)
        if self.publisher is not None:
            self.publisher.connected(session_present=session_present)

    def disconnected(self, reason: str) -> None:
        self._note("disconnected", reason)

    def refused(self, code: int) -> None:
        self._note("refused", code)

    def answered(self, mid: int, code: int) -> None:
        self._note("answered", code)
        if self.publisher is not None:
            self.publisher.answered(mid, code)

    def heard(self, channel: str, body: bytes) -> None:
        self._note(channel, body)
        if self.publisher is not None and channel == "acks":
            self.publisher.acknowledged(body)

    async def until(self, what: str, times: int = 1) -> object:
        await until(lambda: len(self.all(what)) >= times, self.stir)
        return self.all(what)[times - 1]

    def all(self, what: str) -> list[object]:
        return [value for word, value in self.heard_of if word == what]

    def _note(self, what: str, value: object) -> None:
        self.heard_of.append((what, value))
        self.stir.set()


class Server:
    """The other side: hears every home, acknowledges if told to."""

    def __init__(self, broker: EmbeddedBroker, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.messages: list[tuple[str, bytes, bool]] = []
        self._loop = asyncio.get_running_loop()
        self._stir = asyncio.Event()
        self._ready = asyncio.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="server", protocol=MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("tidings/v1/+/+/#", 1)
        self.client.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(self._ready.set)
        self.client.on_message = lambda _, __, message: self._take(message)
        self.client.connect(broker.host, broker.port)

    async def __aenter__(self) -> Self:
        self.client.loop_start()
        async with asyncio.timeout(PATIENCE_S):
            await self._ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)

    def readings(self) -> list[UUID]:
        found = [b for topic, b, _ in self.messages if topic.endswith("/readings")]
        return [reading.id for body in found for reading in wire.load_readings(body).readings]

    def say(self, channel: str, body: bytes) -> None:
        self.client.publish(f"{PREFIX}/{channel}", body, 1)

    async def until(self, enough: Callable[[], bool]) -> None:
        await until(enough, self._stir)

    def _take(self, message: MQTTMessage) -> None:
        body = bytes(message.payload)
        self._loop.call_soon_threadsafe(self._note, (message.topic, body, message.retain))
        if message.topic.endswith("/readings") and self.acknowledges:
            ids = [reading.id for reading in wire.load_readings(body).readings]
            self.say("acks", wire.dump(wire.Acks(v=wire.VERSION, ids=ids)))

    def _note(self, message: tuple[str, bytes, bool]) -> None:
        self.messages.append(message)
        self._stir.set()


@asynccontextmanager
async def linked(broker: EmbeddedBroker, ear: Ear, **more: object) -> AsyncIterator[Link]:
    where = Broker(host=broker.host, port=broker.port, **more)  # type: ignore[arg-type]  # a test's
    address = Address(prefix=PREFIX, client_id="gw-1", last_words=heartbeat.last_words("gw-1"))
    link = Link(where, address, ear)
    link.use(where.username, where.password)
    link.start()
    try:
        yield link
    finally:
        await link.stop()


@pytest.fixture(params=[Kind.MOSQUITTO, Kind.IOTCORE])
def any_broker(request: pytest.FixtureRequest) -> EmbeddedBroker:
    names = {Kind.MOSQUITTO: "broker", Kind.IOTCORE: "iotcore_broker"}
    found: EmbeddedBroker = request.getfixturevalue(names[request.param])
    return found


def publisher_for(disk: Disk, link: Link, ear: Ear, world: World) -> Publisher:
    pace = Pace(first=timedelta(seconds=0.3), longest=timedelta(seconds=0.6))
    ear.publisher = Publisher(disk.outbox, link, pace, world.surroundings())
    return ear.publisher


def catch(disk: Disk, world: World, frames: list[bytes]) -> None:
    visit = disk.outbox.begin_visit(Visit(device="CUFF-1", clock_known=True, offset_s=0.0))
    for frame in frames:
        disk.outbox.catch(visit, "2A35", frame, at=world.now)
    disk.outbox.end_visit(visit)


async def test_the_server_has_every_reading_and_the_outbox_is_empty(
    any_broker: EmbeddedBroker, disk: Disk, world: World, cuff_frame: Frame
) -> None:
    ear = Ear()
    async with Server(any_broker) as server, linked(any_broker, ear) as link:
        publisher = publisher_for(disk, link, ear, world)
        await ear.until("connected")
        old = world.now - timedelta(days=1)
        catch(disk, world, [cuff_frame(old + timedelta(minutes=n)) for n in range(120)])
        catch(disk, world, [cuff_frame(world.now, 150)])
        publisher.work()
        await ear.until("acks", 4)
        assert len(set(server.readings())) == 121
        assert disk.outbox.depth().rows == 0


async def test_puback_alone_is_no_proof(
    broker: EmbeddedBroker, disk: Disk, world: World, cuff_frame: Frame
) -> None:
    ear = Ear()
    async with Server(broker, acknowledges=False) as server, linked(broker, ear) as link:
        publisher = publisher_for(disk, link, ear, world)
        await ear.until("connected")
        catch(disk, world, [cuff_frame(world.now)])
        publisher.work()
        assert await ear.until("answered") == 0
        await server.until(lambda: len(server.readings()) == 1)
        assert disk.outbox.depth().rows == 1
        server.acknowledges = True
        world.pass_seconds(1)
        publisher.work()
        await ear.until("acks")
        assert disk.outbox.depth().rows == 0
        assert len(server.readings()) == 2
        assert len(set(server.readings())) == 1


async def test_without_subscribers_the_broker_says_so_and_the_reading_stays(
    broker: EmbeddedBroker, disk: Disk, world: World, cuff_frame: Frame
) -> None:
    ear = Ear()
    async with linked(broker, ear) as link:
        publisher = publisher_for(disk, link, ear, world)
        await ear.until("connected")
        catch(disk, world, [cuff_frame(world.now)])
        publisher.work()
        assert await ear.until("answered") == NOT_DELIVERED
        assert publisher.counts.undelivered == 1
        async with Server(broker):
            world.pass_seconds(5)
            publisher.work()
            await ear.until("acks")
        assert disk.outbox.depth().rows == 0


async def test_a_killed_broker_loses_nothing(
    broker: EmbeddedBroker, disk: Disk, world: World, cuff_frame: Frame
) -> None:
    ear = Ear()
    async with linked(broker, ear) as link:
        publisher = publisher_for(disk, link, ear, world)
        async with Server(broker, acknowledges=False) as server:
            await ear.until("connected")
            catch(disk, world, [cuff_frame(world.now, 100 + n) for n in range(3)])
            publisher.work()
            await server.until(lambda: len(server.readings()) == 3)
        os.kill(broker.pid, signal.SIGKILL)
        await ear.until("disconnected")
        await asyncio.to_thread(broker.restart)
        await ear.until("connected", 2)
        assert ear.sessions[1] is False, "it has forgotten us"
        async with Server(broker) as server:
            world.pass_seconds(2)
            publisher.work()
            await server.until(lambda: len(set(server.readings())) == 3)
            await ear.until("acks")
        assert disk.outbox.depth().rows == 0


async def test_the_status_is_retained_and_goodbye_says_offline(broker: EmbeddedBroker) -> None:
    ear = Ear()
    async with linked(broker, ear) as link:
        await ear.until("connected")
        body = wire.dump(wire.Status(v="1.0", gateway="gw-1", state="online"))
        link.publish("status", body, retain=True)
        await ear.until("answered")
        async with Server(broker) as server:
            await server.until(lambda: bool(server.messages))
            assert server.messages[0] == (f"{PREFIX}/status", body, True)
    async with Server(broker) as server:
        await server.until(lambda: bool(server.messages))
        assert wire.load(server.messages[0][1], wire.Status).state == "offline"


async def test_the_last_will_says_offline_when_the_box_dies(broker: EmbeddedBroker) -> None:
    ear = Ear()
    async with Server(broker) as server, linked(broker, ear) as link:
        await ear.until("connected")
        link._client._sock_close()  # the plug is pulled: no goodbye
        await server.until(lambda: bool(server.messages))
        assert wire.load(server.messages[0][1], wire.Status).state == "offline"
        await ear.until("connected", 2)


async def test_a_command_that_came_while_we_were_away_is_waiting(broker: EmbeddedBroker) -> None:
    ear = Ear()
    async with linked(broker, ear):
        await ear.until("connected")
    async with Server(broker) as server:
        server.say("commands", b"do it")
        await server.until(lambda: any(b == b"do it" for _, b, _ in server.messages))
    later = Ear()
    async with linked(broker, later):
        assert await later.until("commands") == b"do it"


async def test_a_command_we_could_not_take_comes_again(broker: EmbeddedBroker) -> None:
    class Deaf(Ear):
        def heard(self, channel: str, body: bytes) -> None:
            super().heard(channel, body)
            raise OSError("the disk is full")

    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    deaf = Deaf()
    async with Server(broker) as server, linked(broker, deaf):
        await deaf.until("connected")
        server.say("commands", b"do it")
        await deaf.until("commands")
    later = Ear()
    async with linked(broker, later):
        assert await later.until("commands") == b"do it"
    assert len(failures) == 1


async def test_a_wrong_password_is_told_and_another_one_tried(server_directory: Path) -> None:
    passwords = {"gw-1": "right"}
    with EmbeddedBroker(server_directory, kind=Kind.MOSQUITTO, passwords=passwords) as broker:
        ear = Ear()
        async with linked(broker, ear, username="gw-1", password=WRONG) as link:
            assert await ear.until("refused") == 0x87
            link.use("gw-1", "right")
            await ear.until("connected")


async def test_nothing_is_handed_over_without_a_connection(broker: EmbeddedBroker) -> None:
    broker.stop()
    async with linked(broker, Ear()) as link:
        assert link.publish("readings", b"x") is None
