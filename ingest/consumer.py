"""One slot's consumer: takes from the broker, stores, and only then acknowledges.

The network is served inline in the event loop. Two writers take turns, so that one batch is
prepared while the other is written. A packet id is acknowledged only on the connection it came by;
what a gateway may forget is told by reading id, whatever the connection.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import structlog
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices import wire
from ingest import batch, mqtt
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.door import Letter
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.store import Outcome, Writer

GROUP = "$share/ingest"
TOPICS = tuple(
    f"{GROUP}/tidings/v{wire.MAJOR}/+/+/{leaf}" for leaf in ("readings", "events", "status")
)
LONGEST_PAUSE_S = 10.0
HELLO_S = 10.0
"""How long CONNACK and SUBACK may take."""
IDLE_S = 1.0
"""A drained slot has been quiet for this long."""
_LOG = structlog.get_logger()


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A message in memory, with what it takes to acknowledge it."""

    connection: int
    """Which connection it came by."""
    mid: int
    letter: Letter


async def _nothing() -> None:
    """Do nothing between commit and acknowledgement."""


class Consumer:
    """One MQTT session and the writers behind it."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        directory: Directory | None = None,
        after_commit: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """Prepare; `after_commit` is where fault injection cuts the wire."""
        self._settings = settings
        self._metrics = metrics
        self._directory = directory or Directory(shipped())
        self._after_commit = after_commit
        self._client = mqtt.build(settings.client_id, self._arrived)
        self._arrivals: deque[Arrival] = deque()
        self._bytes = 0
        self._connection = 0
        self._received_at = settings.clock()
        self._something = asyncio.Event()
        self._lost = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._unsubscribed = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._busy = 0
        self._paused = False
        self._stopping = False
        self._gateways_seen: dict[str, datetime] = {}
        self._devices_seen: dict[str, datetime] = {}
        self._prepare_client()

    @property
    def subscribed(self) -> asyncio.Event:
        """Set while messages come in."""
        return self._subscribed

    async def run(self, stop: asyncio.Event, *, end_session: bool) -> None:
        """Consume until `stop`; then finish what has come, and end or keep the session."""
        serving = asyncio.create_task(self._stay_connected())
        tasks = [serving, asyncio.create_task(self._touch_forever())]
        tasks += [asyncio.create_task(self._write_forever()) for _ in range(self._settings.writers)]
        try:
            stopped = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            for task in done - {stopped}:
                task.result()
            await self._drain(end_session=end_session)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._drop_socket()

    # the network

    def _prepare_client(self) -> None:
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

    async def _stay_connected(self) -> None:
        pause = 0.1
        while not self._stopping:
            try:
                await self._connect()
                pause = 0.1
                await self._serve()
            except (OSError, TimeoutError, ValueError) as error:
                _LOG.warning("broker away", slot=self._settings.slot, why=str(error)[:200])
            self._metrics.connected.set(0)
            self._subscribed.clear()
            self._drop_socket()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _connect(self) -> None:
        settings = self._settings
        self._lost.clear()
        self._connection += 1
        await asyncio.to_thread(
            self._client.connect_to,
            settings.broker.host,
            settings.broker.port,
            receive_maximum=settings.receive_maximum,
        )
        self._metrics.connections.inc()
        self._resume()
        async with asyncio.timeout(HELLO_S):
            ready = asyncio.create_task(self._subscribed.wait())
            lost = asyncio.create_task(self._lost.wait())
            try:
                await asyncio.wait({ready, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ready.cancel()
                lost.cancel()
        if not self._subscribed.is_set():
            raise OSError("refused or cut off before the subscription stood")
        self._metrics.connected.set(1)
        _LOG.info("subscribed", slot=settings.slot, connection=self._connection)

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
        if flags.session_present:  # what nobody has taken up yet comes again
            self._arrivals.clear()
            self._bytes = 0
        options = SubscribeOptions(qos=1)
        self._client.subscribe([(topic, options) for topic in TOPICS])

    def _on_subscribe(
        self, _c: object, _u: object, _m: int, codes: list[ReasonCode], _p: object
    ) -> None:
        if any(code.is_failure for code in codes):
            _LOG.error("subscription refused", why=[str(code) for code in codes])
            self._lost.set()
        else:
            self._subscribed.set()

    def _on_unsubscribe(self, *_: object) -> None:
        self._unsubscribed.set()

    def _on_disconnect(
        self, _c: object, _u: object, _f: object, code: ReasonCode, _p: object
    ) -> None:
        if not self._stopping:
            _LOG.warning("connection lost", slot=self._settings.slot, why=str(code))
        self._lost.set()

    def _on_socket_close(self, _c: object, _u: object, closing: Any) -> None:  # noqa: ANN401 - plain or TLS socket
        loop = asyncio.get_running_loop()
        if closing.fileno() >= 0:
            loop.remove_reader(closing)
            loop.remove_writer(closing)

    def _drop_socket(self) -> None:
        found = self._client.socket()
        if found is not None:
            self._client._sock_close()  # noqa: SLF001 - paho closes it only on its own errors

    def _readable(self) -> None:
        self._received_at = self._settings.clock()
        rc = self._client.loop_read()
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.set()
        self._flush()
        self._metrics.waiting.set(self._bytes)
        if self._bytes > self._settings.buffer_bytes:
            self._pause()

    def _flush(self) -> None:
        """Write what paho has queued; if the socket is full, as soon as it is not."""
        client = self._client
        found = client.socket()
        if found is None:
            return
        if client.want_write():
            client.loop_write()
        loop = asyncio.get_running_loop()
        if client.socket() is None:
            return
        if client.want_write():
            loop.add_writer(found, self._flush)
        else:
            loop.remove_writer(found)

    def _pause(self) -> None:
        """Leave the socket alone: the broker keeps what we cannot hold."""
        found = self._client.socket()
        if found is not None and not self._paused:
            asyncio.get_running_loop().remove_reader(found)
            self._paused = True

    def _resume(self) -> None:
        found = self._client.socket()
        if found is not None:
            asyncio.get_running_loop().add_reader(found, self._readable)
            self._paused = False

    # batches

    def _arrived(self, topic: str, body: bytes, mid: int) -> None:
        letter = Letter(topic, body, self._received_at)
        self._arrivals.append(Arrival(self._connection, mid, letter))
        self._bytes += len(body)
        self._something.set()

    async def _write_forever(self) -> None:
        settings = self._settings
        async with Writer(
            settings.dsn,
            self._directory,
            shipped(),
            accept_likely=settings.accept_likely,
            on_wait=self._metrics.database_wait.inc,
        ) as writer:
            while True:
                async with self._collecting:
                    taken = await self._next_batch()
                    self._busy += 1
                try:
                    await self._store(writer, taken)
                finally:
                    self._busy -= 1

    async def _next_batch(self) -> list[Arrival]:
        """Wait for a message, then a moment for company."""
        await self._something.wait()
        settings = self._settings
        if len(self._arrivals) < settings.batch and self._bytes < settings.batch_bytes:
            await asyncio.sleep(settings.linger_s)
        taken: list[Arrival] = []
        size = 0
        while self._arrivals and len(taken) < settings.batch and size < settings.batch_bytes:
            arrival = self._arrivals.popleft()
            size += len(arrival.letter.body)
            taken.append(arrival)
        self._bytes -= size
        if not self._arrivals:
            self._something.clear()
        if self._paused and self._bytes < settings.buffer_bytes // 2:
            self._resume()
        return taken

    async def _store(self, writer: Writer, taken: list[Arrival]) -> None:
        began = self._settings.clock()
        work = batch.open_all(arrival.letter for arrival in taken)
        outcome = await writer.write(work, now=began)
        await self._after_commit()
        self._acknowledge(taken, outcome)
        received = [arrival.letter.received_at for arrival in taken]
        self._metrics.stored(outcome, received, began=began, now=self._settings.clock())
        for each in work.readings:
            self._gateways_seen[each.address.gateway] = each.letter.received_at
            self._devices_seen[each.message.device] = each.letter.received_at

    def _acknowledge(self, taken: list[Arrival], outcome: Outcome) -> None:
        """Everything is committed: the broker and the homes may forget."""
        if self._client.socket() is None:
            return
        current = [each.mid for each in taken if each.mid and each.connection == self._connection]
        notes = [
            (address.acks, wire.dump(wire.Acks(v=wire.VERSION, ids=ids[at : at + 500])))
            for address, ids in outcome.acknowledged.items()
            for at in range(0, len(ids), 500)
        ]
        self._metrics.dropped_acks.inc(sum(each.mid > 0 for each in taken) - len(current))
        self._client.acknowledge(current, notes)
        self._flush()

    async def _touch_forever(self) -> None:
        """Write last-seen times apart from the batches, each gateway and device once."""
        settings = self._settings
        async with Writer(settings.dsn, self._directory, shipped()) as writer:
            while True:
                await asyncio.sleep(settings.touch_s)
                gateways, self._gateways_seen = self._gateways_seen, {}
                devices, self._devices_seen = self._devices_seen, {}
                try:
                    await writer.touch(gateways, devices)
                except psycopg.Error:
                    await writer.close()  # only the writers wait; a last-seen time may be lost

    async def _drain(self, *, end_session: bool) -> None:
        """Take nothing new, store what has come, acknowledge it, say goodbye."""
        self._stopping = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.drain_s
        if end_session and self._subscribed.is_set():
            self._client.unsubscribe(list(TOPICS))
            self._flush()
        quiet_since = loop.time()
        while loop.time() < deadline:
            if self._arrivals or self._busy:
                quiet_since = loop.time()
            elif not end_session or loop.time() - quiet_since >= IDLE_S:
                break
            await asyncio.sleep(0.01)
        clean = not self._arrivals and not self._busy
        if self._client.socket() is not None:
            self._client.leave(end_session=end_session and clean and self._unsubscribed.is_set())
            self._flush()
        _LOG.info("stopped", slot=self._settings.slot, drained=clean)
