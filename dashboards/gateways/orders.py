"""Orders to a box over MQTT: publish the command, wait for its answer."""

import queue
import threading
from contextlib import suppress
from datetime import datetime

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices import wire
from ingest.settings import Broker

NOBODY_THERE = 0x10
"""PUBACK: no matching subscribers."""
AGAIN_AFTER_S = 1.0


class UnreachableError(Exception):
    """The broker cannot be asked to pass anything on; the text says why."""


Ear = queue.Queue[wire.Result | UnreachableError]


def give(
    broker: Broker, topic: str, command: wire.Command, *, now: datetime, wait_s: float
) -> wire.Result | None:
    """Publish the command below the box's topic and return its answer; None if none came in time.

    The broker keeps the command for a box that is away until it expires; the same id given again
    is answered again, and carried out once.
    """
    lasts_s = max(1, round((command.expires_at - now).total_seconds()))
    dialogue, client = _Dialogue(topic, command, lasts_s), _client(broker)
    dialogue.listen(client)
    try:
        client.connect(broker.host, broker.port)
    except OSError as error:
        raise UnreachableError(f"{broker.host}:{broker.port}: {error}") from error
    client.loop_start()
    try:
        return _answer(dialogue.told, wait_s)
    finally:
        client.disconnect()
        client.loop_stop()


def _answer(told: Ear, wait_s: float) -> wire.Result | None:
    try:
        answer = told.get(timeout=wait_s)
    except queue.Empty:
        return None
    if isinstance(answer, UnreachableError):
        raise answer
    return answer


def _client(broker: Broker) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    if broker.username:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set(broker.ca or None, broker.certificate or None, broker.key or None)
    return client


class _Dialogue:
    """One command and its answer; it is asked only when the answer can be heard."""

    def __init__(self, topic: str, command: wire.Command, lasts_s: int) -> None:
        self.told = Ear()
        self._topic = topic
        self._command = command
        self._expiry = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        self._expiry.MessageExpiryInterval = lasts_s

    def listen(self, client: Client) -> None:
        """Take part in what happens on this connection."""
        client.on_connect, client.on_subscribe = self._connected, self._subscribed
        client.on_publish, client.on_message = self._published, self._heard

    def _connected(
        self, client: Client, _: object, __: object, code: ReasonCode, *___: object
    ) -> None:
        if code.is_failure:
            self.told.put(UnreachableError(f"the broker refused us: {code}"))
        else:
            client.subscribe(f"{self._topic}/results", 1)

    def _subscribed(
        self, client: Client, _: object, __: int, codes: list[ReasonCode], *___: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self.told.put(UnreachableError("the broker does not let us hear the answer"))
        self._publish(client)

    def _publish(self, client: Client) -> None:
        body = wire.dump(self._command)
        client.publish(f"{self._topic}/commands", body, 1, properties=self._expiry)

    def _published(
        self, client: Client, _: object, __: int, code: ReasonCode, *___: object
    ) -> None:
        """The broker throws away what is for a box that was never here: try until it is."""
        if code.value == NOBODY_THERE:
            again = threading.Timer(AGAIN_AFTER_S, self._publish, (client,))
            again.daemon = True
            again.start()

    def _heard(self, _: Client, __: object, message: MQTTMessage) -> None:
        with suppress(wire.WireError):  # somebody else's answer, or nobody's
            result = wire.load(bytes(message.payload), wire.Result)
            if result.id == self._command.id:
                self.told.put(result)
