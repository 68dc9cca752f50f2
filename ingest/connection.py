"""The session of one slot with the broker: connected again and again, subscribed every time.

The network is served inline in the event loop, not by paho's thread.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices import wire
from ingest import mqtt
from ingest.metrics import Metrics
from ingest.settings import Settings

LEAVES = ("readings", "events", "status")
ALONE = tuple(f"tidings/v{wire.MAJOR}/+/+/{leaf}" for leaf in LEAVES)
"""A lone slot subscribes plainly: mosquitto restores that after a restart and never a shared one,
and rumqttd (iotcore) panics when a shared group is empty while something is published."""
SHARED = tuple(f"$share/ingest/{topic}" for topic in ALONE)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
HELLO_S = 10.0
"""How long CONNACK and SUBACK may take."""
_LOG = structlog.get_logger()


class Connection:
    """One MQTT session; `number` goes up with every connection, because packet ids start anew."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        deliver: mqtt.Deliver,
        *,
        on_readable: Callable[[], None],
        on_resumed: Callable[[], None],
    ) -> None:
        """Prepare; `on_readable` before a read, `on_resumed` when the broker sends all again."""
        self.number = 0
        self.subscribed = asyncio.Event()
        self.unsubscribed = asyncio.Event()
        self._settings = settings
        self._metrics = metrics
        self._topics = SHARED if settings.slots > 1 else ALONE
        self._on_readable = on_readable
        self._on_resumed = on_resumed
        self._lost = asyncio.Event()
        self._paused = False
        self._leaving = False
        self._client = mqtt.build(settings.client_id, deliver)
        self._prepare()

    async def stay(self) -> None:
        """Keep the session connected until `leave`, with back-off."""
        pause = FIRST_PAUSE_S
        while not self._leaving:
            try:
                await self._connect()
                pause = FIRST_PAUSE_S
                await self._serve()
            except (OSError, TimeoutError, ValueError) as error:
                _LOG.warning("broker away", slot=self._settings.slot, why=str(error)[:200])
            self._metrics.connected.set(0)
            self.subscribed.clear()
            self.close()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def acknowledge(self, mids: Sequence[int], notes: Sequence[tuple[str, bytes]]) -> None:
        """Send PUBACKs for packets of this connection, and notes to the homes."""
        if self._client.socket() is not None:
            self._client.acknowledge(mids, notes)
            self._flush()

    def pause(self) -> None:
        """Leave the socket alone: the broker keeps what we cannot hold."""
        found = self._client.socket()
        if found is not None and not self._paused:
            asyncio.get_running_loop().remove_reader(found)
            self._paused = True

    def resume(self) -> None:
        """Read again."""
        found = self._client.socket()
        if found is not None:
            asyncio.get_running_loop().add_reader(found, self._readable)
            self._paused = False

    @property
    def paused(self) -> bool:
        """Whether the socket is left alone."""
        return self._paused

    def unsubscribe(self) -> None:
        """Ask the broker to give our share to the others."""
        self._leaving = True
        if self.subscribed.is_set():
            self._client.unsubscribe(list(self._topics))
            self._flush()

    def leave(self, *, end_session: bool) -> None:
        """Say goodbye; a session that is not ended queues until we are back."""
        self._leaving = True
        if self._client.socket() is not None:
            self._client.leave(end_session=end_session)
            self._flush()

    def close(self) -> None:
        """Drop the socket."""
        if self._client.socket() is not None:
            self._client._sock_close()  # noqa: SLF001 - paho closes it only on its own errors

    def _prepare(self) -> None:
        client, broker = self._client, self._settings.broker
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set(broker.ca or None, broker.certificate or None, broker.key or None)

    async def _connect(self) -> None:
        settings = self._settings
        self._lost.clear()
        self.number += 1
        await asyncio.to_thread(
            self._client.connect_to,
            settings.broker.host,
            settings.broker.port,
            receive_maximum=settings.receive_maximum,
        )
        self._metrics.connections.inc()
        self.resume()
        await self._ready()
        self._metrics.connected.set(1)
        _LOG.info("subscribed", slot=settings.slot, connection=self.number)

    async def _ready(self) -> None:
        """Wait until the subscription stands."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self.subscribed, self._lost)]
        try:
            await asyncio.wait(waits, timeout=HELLO_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self.subscribed.is_set():
            raise OSError("refused or cut off before the subscription stood")

    async def _serve(self) -> None:
        """Keep the connection alive until it is lost."""
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(1.0):
                    await self._lost.wait()
            except TimeoutError:
                self._client.loop_misc()
                self._flush()

    def _on_connect(
        self, _c: object, _u: object, flags: ConnectFlags, code: ReasonCode, _p: object
    ) -> None:
        if code.is_failure:
            _LOG.warning("broker refused", why=str(code))
            self._lost.set()
            return
        if flags.session_present:
            self._on_resumed()
        others = ALONE if self._topics is SHARED else SHARED
        self._client.unsubscribe(list(others))  # of a session from before the slots changed
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        self._client.subscribe([(topic, options) for topic in self._topics])

    def _on_subscribe(
        self, _c: object, _u: object, _m: int, codes: list[ReasonCode], _p: object
    ) -> None:
        if any(code.is_failure for code in codes):
            _LOG.error("subscription refused", why=[str(code) for code in codes])
            self._lost.set()
        else:
            self.subscribed.set()

    def _on_unsubscribe(self, *_: object) -> None:
        if self._leaving:
            self.unsubscribed.set()

    def _on_disconnect(
        self, _c: object, _u: object, _f: object, code: ReasonCode, _p: object
    ) -> None:
        if not self._leaving:
            _LOG.warning("connection lost", slot=self._settings.slot, why=str(code))
        self._lost.set()

    def _on_socket_close(self, _c: object, _u: object, closing: Any) -> None:  # noqa: ANN401 - plain or TLS socket
        if closing.fileno() >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(closing)
            loop.remove_writer(closing)

    def _readable(self) -> None:
        self._on_readable()
        if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.set()
        self._flush()

    def _flush(self) -> None:
        """Write what paho has queued; if the socket is full, as soon as it is not."""
        client = self._client
        if client.want_write() and client.socket() is not None:
            client.loop_write()
        found = client.socket()
        if found is None:
            return
        loop = asyncio.get_running_loop()
        if client.want_write():
            loop.add_writer(found, self._flush)
        else:
            loop.remove_writer(found)
