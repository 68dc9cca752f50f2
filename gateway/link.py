"""The MQTT connection: paho-mqtt with the settings under which nothing is lost; keeps no queue.

paho runs its network thread; what it hears is handed to the event loop, where our state lives.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.settings import Broker

log = structlog.get_logger()

NOT_DELIVERED = 0x10
"""PUBACK "no matching subscribers": the broker has thrown the message away."""
REFUSED_FROM = 0x80
HEARD = ("acks", "commands")
_IN_FLIGHT = 20
_RECONNECT_WITHIN_S = 30


class Listener(Protocol):
    """Who is told, in the event loop, what happens on the connection."""

    def connected(self, *, session_present: bool) -> None:
        """The broker took us; whether it still knew our session."""

    def disconnected(self, reason: str) -> None:
        """The connection is gone; it comes back by itself."""

    def refused(self, code: int) -> None:
        """The broker would not take us."""

    def answered(self, mid: int, code: int) -> None:
        """The broker's PUBACK."""

    def heard(self, channel: str, body: bytes) -> None:
        """A message on one of our channels; it is acknowledged when this returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who we are on the broker, and our last words."""

    prefix: str
    client_id: str
    last_words: bytes
    """Body of the retained status that the broker publishes when we are gone."""


class Link:
    """One MQTT 5 connection that stays up as long as it is wanted."""

    def __init__(self, broker: Broker, address: Address, listener: Listener) -> None:
        self._broker = broker
        self._address = address
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._generation = 0
        self._session_present = False
        self._client = self._make_client()
        self.up = False

    def start(self) -> None:
        """Begin to connect, and to connect again whenever the connection breaks."""
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=self._broker.keepalive_s,
            clean_start=False,
            properties=self._session(),
        )
        self._client.loop_start()

    def publish(self, channel: str, body: bytes, *, retain: bool = False) -> int | None:
        """Hand a QoS 1 message to the connection; None if there is none just now."""
        if not self.up:
            return None
        told = self._client.publish(f"{self._address.prefix}/{channel}", body, 1, retain)
        return told.mid if told.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    async def stop(self) -> None:
        """Say goodbye with the last words and end the network thread."""
        if self.up:
            farewell = self._client.publish(
                f"{self._address.prefix}/status", self._address.last_words, 1, retain=True
            )
            await asyncio.to_thread(_wait, farewell.wait_for_publish)
        self.up = False
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def use(self, username: str | None, password: str | None) -> None:
        """Use this credential from the next attempt to connect on."""
        self._client.username_pw_set(username, password)

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._address.client_id,
            protocol=MQTTv5,
            manual_ack=True,
        )
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.reconnect_delay_set(1, _RECONNECT_WITHIN_S)
        client.will_set(f"{self._address.prefix}/status", self._address.last_words, 1, retain=True)
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls:
            client.tls_set(self._broker.ca, self._broker.certificate, self._broker.key)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _session(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho says nothing here
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        return properties

    def _on_connect(
        self, client: Client, _: object, flags: ConnectFlags, code: ReasonCode, *__: object
    ) -> None:
        if code.is_failure:
            self._tell(lambda: self._listener.refused(code.value))
            return
        self._generation += 1  # here, in the thread that also sees the messages
        self._session_present = flags.session_present
        client.subscribe([(f"{self._address.prefix}/{name}", 1) for name in HEARD])

    def _on_subscribe(
        self, client: Client, _: object, __: int, codes: list[ReasonCode], *___: object
    ) -> None:
        """Only now can an acknowledgement reach us: only now are we there."""
        present = self._session_present
        refused = [code.value for code in codes if code.is_failure]
        if refused:
            log.error("subscription_refused", codes=refused)
        self._tell(lambda: self._arrived(client, session_present=present))

    def _on_disconnect(
        self, client: Client, _: object, __: DisconnectFlags, code: ReasonCode, *___: object
    ) -> None:
        self._tell(lambda: self._left(client, str(code)))

    def _on_publish(self, _: Client, __: object, mid: int, code: ReasonCode, *___: object) -> None:
        self._tell(lambda: self._listener.answered(mid, code.value))

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        generation = self._generation
        self._tell(lambda: self._deliver(client, message, generation))

    def _arrived(self, client: Client, *, session_present: bool) -> None:
        if client is self._client:
            self.up = True
            self._listener.connected(session_present=session_present)

    def _left(self, client: Client, reason: str) -> None:
        if client is self._client and self.up:
            self.up = False
            self._listener.disconnected(reason)

    def _deliver(self, client: Client, message: MQTTMessage, generation: int) -> None:
        """Acknowledge what was handled; an older connection's packet id means nothing now."""
        self._listener.heard(message.topic.rsplit("/", 1)[-1], bytes(message.payload))
        if generation == self._generation and client is self._client:
            client.ack(message.mid, message.qos)

    def _tell(self, what: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)


def _wait(wait_for_publish: Callable[[float], None]) -> None:
    """Give the goodbye a moment; a broker that is gone has our last words already."""
    try:
        wait_for_publish(2.0)
    except (RuntimeError, ValueError) as error:
        log.info("goodbye_not_sent", error=str(error))
