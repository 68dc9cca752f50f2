import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import __version__ as paho_version
from paho.mqtt.enums import MQTTErrorCode

from ingest import mqtt


def test_the_tuned_client_is_for_the_paho_that_is_installed() -> None:
    assert paho_version == mqtt.TESTED_PAHO
    assert isinstance(mqtt.build("x", print), mqtt.TunedClient)


def test_another_paho_gets_the_stock_client() -> None:
    built = mqtt.build("x", print, version="2.3.0")
    assert type(built) is mqtt.StockClient


@given(value=st.integers(0, 2**28 - 1), before=st.binary(max_size=3))
def test_lengths_are_read_as_they_were_written(value: int, before: bytes) -> None:
    raw = before + mqtt._length(value) + b"\xff"
    assert mqtt.varint(raw, len(before)) == (value, len(raw) - 1)


def test_a_length_of_five_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="four"):
        mqtt.varint(b"\xff\xff\xff\xff\x01", 0)


def publish(
    topic: str, payload: bytes, mid: int, properties: bytes = b"\0", header: int = 0x32
) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + properties + payload
    return bytes([header]) + mqtt._length(len(body)) + body


class Wire:
    """A client at one end of a socket pair; the test is the broker at the other."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes, int]] = []
        self.client = mqtt.TunedClient("x", lambda *each: self.got.append(each))
        self.ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.client._sock = theirs

    def send(self, raw: bytes) -> MQTTErrorCode:
        self.ours.sendall(raw)
        return self.client.loop_read()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.client._sock_close()
    made.ours.close()


def test_publications_arrive_whole_however_they_are_cut(wire: Wire) -> None:
    raw = b"".join(publish("a/b", b"x" * size, size + 1) for size in (0, 1, 127, 128, 300))
    cuts = [0, 1, 2, 9, 10, 200, 201, len(raw)]
    for start, end in pairwise(cuts):
        assert wire.send(raw[start:end]) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [(topic, len(body), mid) for topic, body, mid in wire.got] == [
        ("a/b", 0, 1),
        ("a/b", 1, 2),
        ("a/b", 127, 128),
        ("a/b", 128, 129),
        ("a/b", 300, 301),
    ]


def test_properties_duplicates_and_retained_flags_do_not_matter(wire: Wire) -> None:
    expiry = b"\x05\x02\x00\x00\x00\x3c"
    wire.send(publish("a", b"x", 7, properties=expiry, header=0x3B))
    assert wire.got == [("a", b"x", 7)]


def test_a_topic_that_is_no_utf8_still_arrives(wire: Wire) -> None:
    body = b"\x00\x01\xff" + b"\x00\x09" + b"\0" + b"x"
    wire.send(b"\x32" + mqtt._length(len(body)) + body)
    assert wire.got == [("\ufffd", b"x", 9)]


def test_qos_0_arrives_with_nothing_to_acknowledge(wire: Wire) -> None:
    wire.send(b"\x30\x05\x00\x01a\x00x")
    assert wire.got == [("a", b"x", 0)]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x32\xff\xff\xff\xff\x01",
        b"\x32\x00",
        b"\x32\x03\xff\xff\x00",
        b"\x32\x06\x00\x01a\x00\x01\x09",
        b"\x00\x00",
        b"\xf0\x00",
    ],
    ids=["length", "empty", "topic cut", "properties cut", "type 0", "AUTH"],
)
def test_a_broken_packet_ends_the_connection(wire: Wire, raw: bytes) -> None:
    assert wire.send(raw) == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert wire.client.socket() is None


def test_the_end_of_the_stream_is_a_lost_connection(wire: Wire) -> None:
    wire.ours.shutdown(socket.SHUT_WR)
    assert wire.client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST


def test_acknowledgements_and_notes_are_one_write(wire: Wire) -> None:
    wire.client.acknowledge([1, 515], [("t", b"note")])
    wire.client.loop_write()
    assert wire.ours.recv(100) == b"\x40\x02\x00\x01\x40\x02\x02\x03\x30\x08\x00\x01t\x00note"


@given(raw=st.binary(max_size=60))
def test_any_bytes_from_a_broker_end_in_a_result(raw: bytes) -> None:
    wire = Wire()
    try:
        assert wire.send(raw) in set(MQTTErrorCode)
    finally:
        wire.client._sock_close()
        wire.ours.close()
