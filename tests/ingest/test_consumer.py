import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from deploy.embedded.broker import INGEST, EmbeddedBroker, Kind
from devices import wire
from devices.wire import WireReading
from ingest import mqtt
from ingest.connection import ALONE, SHARED
from ingest.consumer import Arrival, Consumer
from ingest.door import Address, Letter
from ingest.metrics import Metrics
from ingest.settings import Broker, Settings
from ingest.store import Outcome
from tests.ingest.builders import Clinic, Home, ReadingMaker, Until


async def nothing() -> None:
    pass


@contextlib.asynccontextmanager
async def consuming(
    settings: Settings,
    *,
    end_session: bool = False,
    after_commit: Callable[[], Awaitable[None]] = nothing,
) -> AsyncIterator[Consumer]:
    consumer = Consumer(settings, Metrics(), after_commit=after_commit)
    task = asyncio.create_task(consumer.run())
    subscribed = asyncio.create_task(consumer.connection.subscribed.wait())
    done, _ = await asyncio.wait(
        {task, subscribed}, return_when=asyncio.FIRST_COMPLETED, timeout=20
    )
    assert subscribed in done
    try:
        yield consumer
    finally:
        consumer.stop(end_session=end_session)
        await task


def fresh(reading: ReadingMaker) -> WireReading:
    return reading(at=datetime.now(UTC))


async def test_a_reading_is_stored_and_the_home_may_forget_it(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    one = fresh(reading)
    async with consuming(told):
        home.send(one)
        await eventually(lambda: one.id in home.forgotten)
    assert clinic.all("select reading_id, gateway_id from reading") == [(one.id, "gw1")]


async def test_the_stock_client_does_the_same(  # noqa: PLR0917 - pytest passes them by name
    clinic: Clinic,
    told: Settings,
    home: Home,
    reading: ReadingMaker,
    eventually: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt, "TESTED_PAHO", "none")
    readings = [fresh(reading) for _ in range(50)]
    async with consuming(told) as consumer:
        assert type(consumer.connection._client) is mqtt.StockClient
        for each in readings:
            home.send(each)
        await eventually(lambda: len(home.forgotten) == 50)
    assert clinic.one("select count(*) from reading") == 50


async def test_nothing_is_acknowledged_before_the_commit(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    committed, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        committed.set()
        await go_on.wait()

    one = fresh(reading)
    async with consuming(told, after_commit=hold):
        home.send(one)
        await committed.wait()
        assert clinic.one("select count(*) from reading") == 1
        assert home.forgotten == set()
        go_on.set()
        await eventually(lambda: one.id in home.forgotten)


class KilledError(Exception):
    pass


async def test_dying_between_commit_and_acknowledgement_stores_once(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    async def die() -> None:
        raise KilledError

    readings = [fresh(reading) for _ in range(20)]
    consumer = Consumer(told, Metrics(), after_commit=die)
    task = asyncio.create_task(consumer.run())
    await consumer.connection.subscribed.wait()
    for each in readings:
        home.send(each)
    with pytest.raises(KilledError):
        await task
    assert clinic.one("select count(*) from reading") > 0
    assert home.forgotten == set()
    async with consuming(told):
        await eventually(lambda: len(home.forgotten) == 20)
    assert clinic.one("select count(*) from reading") == 20


def worker(settings: Settings) -> "subprocess.Popen[bytes]":
    environ = {
        **os.environ,
        "TIDINGS_INGEST_DSN": settings.dsn,
        "TIDINGS_BROKER_PORT": str(settings.broker.port),
    }
    return subprocess.Popen([sys.executable, "-m", "ingest"], env=environ)


async def test_killing_the_worker_loses_nothing(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    readings = [fresh(reading) for _ in range(600)]
    process = worker(told)
    try:
        while not home.forgotten:  # from then on there is a session
            home.send(readings[0])
            await asyncio.sleep(0.1)
        for number, each in enumerate(readings):
            if number in {200, 400}:
                await eventually(lambda: home.forgotten)
                process.kill()
                process.wait()
                process = worker(told)
                home.forgotten.clear()
            home.send(each)
            await asyncio.sleep(0.001)
        await eventually(lambda: clinic.one("select count(*) from reading") == 600)
        assert clinic.one("select count(distinct reading_id) from reading") == 600
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


async def test_a_restarted_broker_is_subscribed_to_again(  # noqa: PLR0917 - pytest passes them by name
    clinic: Clinic,
    told: Settings,
    broker: EmbeddedBroker,
    home: Home,
    reading: ReadingMaker,
    eventually: Until,
) -> None:
    first, second = fresh(reading), fresh(reading)
    async with consuming(told) as consumer:
        home.send(first)
        await eventually(lambda: first.id in home.forgotten)
        broker.restart()
        await eventually(lambda: not consumer.connection.subscribed.is_set())
        await eventually(consumer.connection.subscribed.is_set)
        await eventually(home.client.is_connected)
        home.send(second)
        await eventually(lambda: second.id in home.forgotten)
    assert clinic.one("select count(*) from reading") == 2


async def test_a_kept_session_queues_until_we_are_back(
    told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    async with consuming(told, end_session=False):
        pass
    one = fresh(reading)
    home.send(one).wait_for_publish(10)
    async with consuming(told):
        await eventually(lambda: one.id in home.forgotten)


async def test_a_drained_slot_leaves_no_ghost(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    mine, other = replace(told, slots=2), replace(told, slots=2, slot=1)
    readings = [fresh(reading) for _ in range(300)]
    async with consuming(mine):
        async with consuming(other, end_session=True):
            for each in readings[:100]:
                home.send(each)
        for each in readings[100:]:
            home.send(each)
        await eventually(lambda: len(home.forgotten) == 300)
    assert clinic.one("select count(*) from reading") == 300


async def test_acknowledgements_of_an_older_connection_are_dropped(told: Settings) -> None:
    metrics = Metrics()
    consumer = Consumer(told, metrics)
    sent: list[object] = []
    consumer.connection.number = 2
    consumer.connection.acknowledge = lambda mids, notes: sent.append((mids, notes))
    letter = Letter("tidings/v1/s/gw1/readings", b"", datetime.now(UTC))
    arrivals = [Arrival(1, 7, letter), Arrival(2, 7, letter), Arrival(2, 0, letter)]
    consumer._acknowledge(arrivals, Outcome())
    assert sent == [([7], [])]
    assert metrics.registry.get_sample_value("tidings_ingest_dropped_pubacks_total") == 1


async def test_what_a_resumed_session_sends_again_is_not_kept_twice(told: Settings) -> None:
    consumer = Consumer(told, Metrics())
    consumer._arrived("t", b"body", 1)
    consumer._forget_arrivals()
    assert (len(consumer._arrivals), consumer._bytes) == (0, 0)


async def test_many_ids_are_acknowledged_in_several_notes(told: Settings) -> None:
    consumer = Consumer(told, Metrics())
    sent: list[tuple[str, bytes]] = []
    consumer.connection.acknowledge = lambda _mids, notes: sent.extend(notes)
    ids = [uuid4() for _ in range(1100)]
    outcome = Outcome(acknowledged={Address("s", "gw1", "readings"): ids})
    consumer._acknowledge([], outcome)
    assert [len(wire.load(body, wire.Acks).ids) for _, body in sent] == [500, 500, 100]
    assert {topic for topic, _ in sent} == {"tidings/v1/s/gw1/acks"}


async def test_a_flood_is_left_at_the_broker(
    clinic: Clinic, told: Settings, home: Home, eventually: Until
) -> None:
    """8 MB of messages through a buffer of 1 MB: reading pauses, nothing is lost."""
    small = replace(told, buffer_bytes=1_000_000, batch_bytes=500_000)
    paused: list[int] = []
    async with consuming(small) as consumer:
        pause = consumer.connection.pause
        consumer.connection.pause = lambda: (paused.append(consumer._bytes), pause())
        for number in range(80):
            home.say(b"%d" % number + b" " * 100_000)
        await eventually(lambda: clinic.one("select count(*) from quarantine") == 80)
        assert not consumer.connection.paused
    assert paused
    assert max(paused) < 6_000_000


async def test_bad_credentials_are_retried_and_never_fatal(
    told: Settings, server_directories: Iterator[Path], eventually: Until
) -> None:
    passwords = {INGEST: "right", "gw1": "g"}
    with EmbeddedBroker(
        next(server_directories), kind=Kind.MOSQUITTO, passwords=passwords
    ) as broker:
        wrong = Broker(host=broker.host, port=broker.port, username=INGEST, password="wrong")
        metrics = Metrics()
        consumer = Consumer(replace(told, broker=wrong), metrics)
        task = asyncio.create_task(consumer.run())
        name = "tidings_ingest_broker_connections_total"
        await eventually(lambda: (metrics.registry.get_sample_value(name) or 0) >= 2)
        assert not task.done()
        consumer.stop(end_session=False)
        await task
        right = replace(wrong, password="right")
        async with consuming(replace(told, broker=right)):
            pass


async def test_sessions_outlive_us_and_the_window_is_bounded() -> None:
    """What the broker is told at CONNECT, as a recording server sees it."""
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await seen.put(await reader.read(200))
        writer.close()

    server = await asyncio.start_server(record, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = mqtt.build("ingest-0", lambda *_: None)
    async with server:
        await asyncio.to_thread(client.connect_to, "127.0.0.1", port, receive_maximum=4000)
        packet = await seen.get()
        client._sock_close()
    properties = Properties(PacketTypes.CONNECT)
    properties.unpack(packet[12:])
    assert packet[9] & 0x02 == 0  # clean start
    assert (properties.SessionExpiryInterval, properties.ReceiveMaximum) == (86_400, 4000)


def test_several_slots_share_what_a_lone_one_takes_alone() -> None:
    assert ALONE == (
        "tidings/v1/+/+/readings",
        "tidings/v1/+/+/events",
        "tidings/v1/+/+/status",
    )
    assert tuple(f"$share/ingest/{topic}" for topic in ALONE) == SHARED


async def test_a_session_from_before_the_slots_changed_is_tidied_up(
    told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    async with consuming(told):
        pass
    shared = replace(told, slots=2)
    readings = [fresh(reading) for _ in range(20)]
    arrived: list[str] = []
    async with consuming(shared) as mine, consuming(replace(shared, slot=1)) as other:
        for consumer in (mine, other):
            took = consumer._arrived
            consumer.connection._client._deliver = lambda topic, body, mid, took=took: (
                arrived.append(topic),
                took(topic, body, mid),
            )
        for each in readings:
            home.send(each)
        await eventually(lambda: {each.id for each in readings} <= home.forgotten)
    assert len(arrived) == 20


async def test_iotcore_serves_as_well(
    clinic: Clinic,
    iotcore_broker: EmbeddedBroker,
    told: Settings,
    reading: ReadingMaker,
    eventually: Until,
) -> None:
    settings = replace(told, broker=Broker(host=iotcore_broker.host, port=iotcore_broker.port))
    forgotten: set[UUID] = set()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="gw1", protocol=paho.MQTTv5)
    client.on_message = lambda _c, _u, message: forgotten.update(
        wire.load(bytes(message.payload), wire.Acks).ids
    )
    client.connect(iotcore_broker.host, iotcore_broker.port)
    client.subscribe("tidings/v1/s/gw1/acks", 1)
    client.loop_start()
    readings = [fresh(reading) for _ in range(100)]
    try:
        async with consuming(settings):
            for _ in range(10):  # as a box does: again, until it is acknowledged
                for each in (one for one in readings if one.id not in forgotten):
                    message = wire.Readings(v="1.0", gateway="gw1", device="cuff", readings=[each])
                    client.publish("tidings/v1/s/gw1/readings", wire.dump(message), qos=1)
                with suppress(TimeoutError):
                    await eventually(lambda: len(forgotten) == 100, 3)
                    break
            assert len(forgotten) == 100
    finally:
        client.disconnect()
        client.loop_stop()
    assert clinic.one("select count(*) from reading") == 100
