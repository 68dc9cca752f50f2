"""The MQTT 5 client of one slot: paho, tuned where it was measured to be slow, stock elsewhere.

The tuned client parses PUBLISH itself (stock paho builds an empty Properties object for each) and
reads and acknowledges many at a time. It touches private names of the one paho version it was
tested with; with any other version `build` returns the stock client, slower and otherwise equal.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from paho.mqtt import MQTTException
from paho.mqtt import __version__ as paho_version
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TESTED_PAHO = "2.2.0"
SESSION_EXPIRY_S = 86_400
KEEPALIVE_S = 30
READ_BYTES = 262_144
READS_A_TURN = 16
"""So that a flood leaves room for the rest of the process."""
_PUBLISH_QOS_1, _WITHOUT_DUP_AND_RETAIN = 0x32, 0xF6
_SMALLEST_PACKET, _SMALLEST_PUBLISH = 2, 5
_PUBACK = 0x40
_PUBLISH_QOS_0 = b"\x30"

Deliver = Callable[[str, bytes, int], None]
"""Topic, payload, packet id (0: nothing to acknowledge)."""


class StockClient(paho.Client):
    """paho as it is, with manual acknowledgement."""

    def __init__(self, client_id: str, deliver: Deliver) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._deliver = deliver
        self.on_message = self._hand_over

    def _hand_over(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        topic = bytes(message._topic).decode("utf-8", "replace")  # noqa: SLF001 - `.topic` raises on invalid UTF-8
        self._deliver(topic, bytes(message.payload), message.mid if message.qos else 0)

    def acknowledge(self, mids: Iterable[int], notes: Iterable[tuple[str, bytes]]) -> None:
        """Send one packet after the other."""
        for mid in mids:
            self.ack(mid, 1)
        for topic, payload in notes:
            self.publish(topic, payload, qos=0)

    def connect_to(self, host: str, port: int, *, receive_maximum: int) -> None:
        """Open the session, or resume it; blocks until the CONNECT is sent."""
        told = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        told.SessionExpiryInterval = SESSION_EXPIRY_S
        told.ReceiveMaximum = receive_maximum
        self.connect(host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=told)

    def leave(self, *, end_session: bool) -> None:
        """Disconnect; an ended session takes nothing more, a kept one queues until we are back."""
        told = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho's
        if end_session:
            told.SessionExpiryInterval = 0
        self.disconnect(properties=told)


class TunedClient(StockClient):
    """The same, with its own reader for the one packet that comes by the thousand."""

    _buffer = b""

    def connect_to(self, host: str, port: int, *, receive_maximum: int) -> None:
        """Open the session, or resume it; half a packet of an older connection is forgotten."""
        self._buffer = b""
        super().connect_to(host, port, receive_maximum=receive_maximum)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Take in whatever has come."""
        for _ in range(READS_A_TURN):
            try:
                data = self._sock_recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            self._buffer += data
            rc = self._parse()
            if rc or self._sock is None:
                return self._loop_rc_handle(rc) if rc else rc
            if len(data) < READ_BYTES // 2 and not self._pending():
                break
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, mids: Iterable[int], notes: Iterable[tuple[str, bytes]]) -> None:
        """Send everything with one system call."""
        packets = [b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids]
        packets += [publication(topic, payload) for topic, payload in notes]
        if packets:
            self._packet_queue(_PUBACK, b"".join(packets), 0, 1)

    def _pending(self) -> bool:
        """Over TLS, bytes may wait above the socket, where select does not see them."""
        pending = getattr(self._sock, "pending", None)
        return pending is not None and pending() > 0

    def _parse(self) -> MQTTErrorCode:
        """Handle every whole packet in the buffer."""
        buffer, at, end = self._buffer, 0, len(self._buffer)
        with self._msgtime_mutex:
            self._last_bytes_received = paho.time_func()
        rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        while end - at >= _SMALLEST_PACKET and not rc and self._sock is not None:
            try:
                length, start = varint(buffer, at + 1)
            except IndexError:
                break
            except ValueError:
                rc = MQTTErrorCode.MQTT_ERR_PROTOCOL
                break
            if start + length > end:
                break
            if buffer[at] & _WITHOUT_DUP_AND_RETAIN == _PUBLISH_QOS_1:
                rc = self._take(buffer, start, start + length)
            else:
                rc = self._stock(buffer[at], bytearray(buffer[start : start + length]))
            at = start + length
        self._buffer = buffer[at:]
        return rc

    def _take(self, buffer: bytes, start: int, end: int) -> MQTTErrorCode:
        """Hand over a publication: topic, packet id, properties that nobody reads, payload."""
        if end - start < _SMALLEST_PUBLISH:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        topic_end = start + 2 + (buffer[start] << 8 | buffer[start + 1])
        if topic_end + 3 > end:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        mid = buffer[topic_end] << 8 | buffer[topic_end + 1]
        properties, payload = buffer[topic_end + 2], topic_end + 3
        if properties >= 0x80:  # noqa: PLR2004 - the continuation bit
            try:
                properties, payload = varint(buffer[:end], topic_end + 2)
            except (IndexError, ValueError):
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
        payload += properties
        if payload > end:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        topic = buffer[start + 2 : topic_end].decode("utf-8", "replace")
        self._deliver(topic, buffer[payload:end], mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _stock(self, header: int, packet: bytearray) -> MQTTErrorCode:
        """Let paho handle every other packet, as if it had read it itself."""
        self._in_packet |= {
            "command": header,
            "have_remaining": 1,
            "remaining_length": len(packet),
            "packet": packet,
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except MQTTException:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL


def build(client_id: str, deliver: Deliver, *, version: str | None = None) -> StockClient:
    """Return the tuned client with the paho it was tested with, else the stock one."""
    tested = (version or paho_version) == TESTED_PAHO
    return TunedClient(client_id, deliver) if tested else StockClient(client_id, deliver)


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return a variable byte integer and where it ends; IndexError if it is cut off."""
    value, shift = 0, 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
        shift += 7
        if shift > 21:  # noqa: PLR2004 - four bytes at most
            raise ValueError("a length of more than four bytes")


def publication(topic: str, payload: bytes) -> bytes:
    """Return a QoS 0 PUBLISH packet without properties."""
    name = topic.encode()
    body = b"".join((len(name).to_bytes(2, "big"), name, b"\0", payload))
    return b"".join((_PUBLISH_QOS_0, _length(len(body)), body))


@lru_cache(maxsize=1024)
def _length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
