"""Homes that measure: gateways with an outbox, which forget a reading only when told to."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from devices import wire
from devices.wire import WireReading

RESEND_S = 1.0
"""Real gateways wait 30 to 60 s."""
BREACH_MG_DL = 450.0


@dataclass(slots=True)
class Kept:
    """A reading in the outbox."""

    body: bytes
    sent_at: float = 0.0


@dataclass(kw_only=True)
class Home:
    """One gateway with one meter."""

    name: str
    port: int
    outbox: dict[UUID, Kept] = field(default_factory=dict)
    made: set[UUID] = field(default_factory=set)
    breaches: set[UUID] = field(default_factory=set)
    clock_ahead_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: paho.Client | None = None

    @property
    def device(self) -> str:
        """The meter's identity."""
        return f"meter-{self.name}"

    def open(self) -> None:
        """Connect, and stay connected."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, protocol=paho.MQTTv5)
        client.on_message = self._acknowledged
        client.on_connect = self._connected
        client.reconnect_delay_set(1, 1)
        client.connect_async("127.0.0.1", self.port)
        client.loop_start()
        self._client = client

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def measure(self, *, breach: bool) -> None:
        """Take one reading into the outbox."""
        at = datetime.now(UTC) + timedelta(seconds=self.clock_ahead_s)
        reading = WireReading(
            id=uuid4(),
            char="2A18",
            frame="00",
            at=at,
            kind="glucose",
            value=BREACH_MG_DL if breach else 110.0,
            original_unit="mg/dL",
        )
        message = wire.Readings(
            v=wire.VERSION, gateway=self.name, device=self.device, readings=[reading]
        )
        self.made.add(reading.id)
        if breach:
            self.breaches.add(reading.id)
        with self._lock:
            self.outbox[reading.id] = Kept(wire.dump(message))

    def send(self) -> None:
        """Publish what was never sent, or too long ago."""
        client = self._client
        if client is None or not client.is_connected():
            return
        now = time.monotonic()
        with self._lock:
            due = [kept for kept in self.outbox.values() if now - kept.sent_at > RESEND_S]
        for kept in due:
            kept.sent_at = now
            client.publish(f"tidings/v1/chaos/{self.name}/readings", kept.body, qos=1)

    def _connected(
        self, client: paho.Client, _u: object, _f: object, _code: object, _p: object
    ) -> None:
        client.subscribe(f"tidings/v1/chaos/{self.name}/acks", 1)

    def _acknowledged(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        ids = wire.load(bytes(message.payload), wire.Acks).ids
        with self._lock:
            for one in ids:
                self.outbox.pop(one, None)


def traffic(homes: list[Home], readings: int, lasts_s: float, seed: str) -> None:
    """Let the homes measure, evenly over the time; every second home has one breach."""
    chance = random.Random(seed)
    breaching = {chance.randrange(readings // len(homes)): home for home in homes[::2]}
    began = time.monotonic()
    for number in range(readings):
        home = homes[number % len(homes)]
        turn = number // len(homes)
        home.measure(breach=breaching.get(turn) is home)
        for each in homes:
            each.send()
        time.sleep(max(0.0, began + lasts_s * (number + 1) / readings - time.monotonic()))
