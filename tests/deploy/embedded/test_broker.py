import importlib.util
import os
import signal
import threading
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from deploy.embedded import broker as launcher
from deploy.embedded.account import EmbeddedError
from deploy.embedded.broker import EmbeddedBroker, Kind

WAIT = 10
NOT_AUTHORISED = 0x87


class Peer:
    """A client that remembers what it was told, and can wait for it."""

    def __init__(self, broker: EmbeddedBroker, name: str, password: str | None = None) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        if password is not None:
            self.client.username_pw_set(name, password)
        self.connected, self.subscribed, self.came = (threading.Event() for _ in range(3))
        self.acknowledged = threading.Event()
        self.refused = False
        self.reason = 0
        self.messages: list[bytes] = []
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho has no types here
        session.SessionExpiryInterval = 600
        self.client.connect(broker.host, broker.port, clean_start=False, properties=session)
        self.client.loop_start()
        assert self.connected.wait(WAIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, *told: Any) -> None:  # noqa: ANN401 - paho's callback arguments
        self.refused = told[3].is_failure
        self.connected.set()

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.messages.append(bytes(message.payload))
        self.came.set()

    def _on_publish(self, *told: Any) -> None:  # noqa: ANN401 - paho's callback arguments
        self.reason = told[3].value
        self.acknowledged.set()

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        assert self.subscribed.wait(WAIT)

    def publish(self, topic: str, payload: bytes = b"x") -> int:
        self.acknowledged.clear()
        self.client.publish(topic, payload, qos=1)
        assert self.acknowledged.wait(WAIT)
        return self.reason


@pytest.fixture(params=["broker", "iotcore_broker"])
def either(request: pytest.FixtureRequest) -> EmbeddedBroker:
    found: EmbeddedBroker = request.getfixturevalue(request.param)
    return found


def test_delivers_through_a_shared_subscription(either: EmbeddedBroker) -> None:
    with Peer(either, "ingest-0") as ingest, Peer(either, "home") as home:
        ingest.subscribe("$share/ingest/tidings/v1/+/+/readings")
        assert home.publish("tidings/v1/north/gw1/readings", b"120/80") == 0
        assert ingest.came.wait(WAIT)
    assert ingest.messages == [b"120/80"]


def test_comes_back_on_the_same_port_after_a_kill(either: EmbeddedBroker) -> None:
    pid, port = either.pid, either.port
    os.kill(pid, signal.SIGKILL)
    either.restart()
    assert (either.pid != pid, either.port) == (True, port)
    with Peer(either, "home") as home:
        assert not home.refused


def test_stops_and_is_not_alive_then(either: EmbeddedBroker) -> None:
    assert either.alive()
    either.stop()
    assert not either.alive()
    with pytest.raises(ConnectionRefusedError):
        Peer(either, "home")


def test_mosquitto_keeps_every_queued_message_over_a_restart(broker: EmbeddedBroker) -> None:
    wanted = 3_000  # three times the default at which mosquitto drops what it has acknowledged
    with Peer(broker, "worker") as worker:
        worker.subscribe("tidings/v1/+/+/readings")
    with Peer(broker, "home") as home:
        published = [
            home.client.publish("tidings/v1/n/g/readings", b"%d" % n, 1) for n in range(wanted)
        ]
        for each in published:
            each.wait_for_publish(WAIT)
    broker.restart()
    with Peer(broker, "worker") as worker:
        while len(worker.messages) < wanted:
            worker.came.clear()
            assert len(worker.messages) == wanted or worker.came.wait(WAIT)
    assert sorted(map(int, worker.messages)) == list(range(wanted))


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("tidings/v1/north/gw1/readings", True),
        ("tidings/v1/north/gw1/events", True),
        ("tidings/v1/north/gw1/status", True),
        ("tidings/v1/north/gw1/results", True),
        ("tidings/v1/north/gw2/readings", False),
        ("tidings/v1/north/gw1/acks", False),
        ("tidings/v1/north/gw1/commands", False),
        ("anything", False),
    ],
)
def test_a_gateway_writes_under_its_own_id_only(
    guarded: EmbeddedBroker, topic: str, allowed: bool
) -> None:
    with Peer(guarded, "gw1", "open-1") as gateway, Peer(guarded, "ingest", "open-i") as ingest:
        ingest.subscribe("$share/ingest/tidings/v1/#")
        assert (gateway.publish(topic) != NOT_AUTHORISED) == allowed
        assert gateway.publish("tidings/v1/north/gw1/readings", b"last") == 0
        while b"last" not in ingest.messages:
            ingest.came.clear()
            assert b"last" in ingest.messages or ingest.came.wait(WAIT)
    assert (b"x" in ingest.messages) == allowed


@pytest.fixture(scope="module")
def guarded(server_directories):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - a fixture
    passwords = {"gw1": "open-1", "gw2": "open-2", "ingest": "open-i"}
    place = next(server_directories)
    with EmbeddedBroker(place, kind=Kind.MOSQUITTO, passwords=passwords) as running:
        yield running


def test_a_gateway_reads_only_what_is_for_it(guarded: EmbeddedBroker) -> None:
    with Peer(guarded, "gw1", "open-1") as gateway, Peer(guarded, "ingest", "open-i") as ingest:
        gateway.subscribe("tidings/v1/+/+/acks")
        assert ingest.publish("tidings/v1/north/gw2/acks", b"another's") == 0
        assert ingest.publish("tidings/v1/north/gw1/acks", b"mine") == 0
        assert gateway.came.wait(WAIT)
    assert gateway.messages == [b"mine"]


@pytest.mark.parametrize("password", ["wrong", None])
def test_refuses_whom_it_does_not_know(guarded: EmbeddedBroker, password: str | None) -> None:
    with Peer(guarded, "gw1", password) as gateway:
        assert gateway.refused


def test_takes_iotcore_where_there_is_no_mosquitto(
    server_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "find_mosquitto", lambda: None)
    assert EmbeddedBroker(server_directory).kind is Kind.IOTCORE
    with pytest.raises(EmbeddedError, match="install mosquitto"):
        EmbeddedBroker(server_directory, passwords={"gw1": "x"})


def test_says_what_to_install_when_there_is_no_broker(
    server_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "find_mosquitto", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match="apt install mosquitto"):
        EmbeddedBroker(server_directory).start()


def test_a_taken_port_is_reported(
    server_directory: Path, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "PATIENCE", 0.3)
    second = EmbeddedBroker(server_directory / "second", port=broker.port, kind=Kind.MOSQUITTO)
    with pytest.raises(EmbeddedError, match="is taken"):
        second.start()
