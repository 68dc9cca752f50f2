from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import wire
from ingest import door
from ingest.decision import Reason
from ingest.door import EventLetter, Letter, ReadingsLetter, StatusLetter, Unusable
from tests.ingest.builders import ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
TOPIC = "tidings/v1/s/gw1/readings"
OPENED = ReadingsLetter | EventLetter | StatusLetter | Unusable


def opened(body: bytes, topic: str = TOPIC) -> Any:  # noqa: ANN401 - each test knows which
    return door.open_letter(Letter(topic, body, NOON))


def good(reading: ReadingMaker) -> bytes:
    return wire.dump(wire.Readings(v="1.0", gateway="gw1", device="cuff", readings=[reading()]))


def test_each_leaf_has_its_message(reading: ReadingMaker) -> None:
    event = wire.Event(v="1.0", id=uuid4(), gateway="gw1", at=NOON, event="low_battery")
    status = wire.Status(v="1.0", gateway="gw1", state="online")
    assert isinstance(opened(good(reading)), ReadingsLetter)
    assert isinstance(opened(wire.dump(event), "tidings/v1/s/gw1/events"), EventLetter)
    assert isinstance(opened(wire.dump(status), "tidings/v1/s/gw1/status"), StatusLetter)


def test_acknowledgements_go_back_to_where_it_came_from(reading: ReadingMaker) -> None:
    assert opened(good(reading)).address.acks == "tidings/v1/s/gw1/acks"


@pytest.mark.parametrize(
    "topic",
    [
        "tidings/v1/s/gw1",
        "tidings/v2/s/gw1/readings",
        "tidings/v1/s/gw1/readings/x",
        "tidings/v1/s/gw1/acks",
        "tidings/v1/s//readings",
        "other/v1/s/gw1/readings",
        "",
        "\ufffd",
    ],
)
def test_a_topic_that_is_none_of_ours(reading: ReadingMaker, topic: str) -> None:
    body = good(reading)
    found = opened(body, topic)
    assert (found.reason, found.address, found.payload) == (Reason.WRONG_TOPIC, None, body)


def test_nobody_writes_for_another_gateway(reading: ReadingMaker) -> None:
    found = opened(good(reading), "tidings/v1/s/gw2/readings")
    assert (found.reason, found.address.gateway) == (Reason.GATEWAY_MISMATCH, "gw2")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"null", Reason.MALFORMED),
        (b'{"v":"1.0"}', Reason.MALFORMED),
        (b'{"v":"2.0"}', Reason.UNKNOWN_VERSION),
        (b'{"v":"1.0","gateway":"gw1","device":"d","readings":[]}', Reason.WRONG_COUNT),
        (b"[" * 100_000, Reason.MALFORMED),
        (b'{"v":"1.0","gateway":"\\u0000","device":"d","readings":[]}', Reason.MALFORMED),
        (b'{"v":"1.0","gateway":"\\ud800","device":"d","readings":[]}', Reason.MALFORMED),
    ],
)
def test_what_cannot_be_used_keeps_its_bytes(body: bytes, reason: Reason) -> None:
    found = opened(body)
    assert isinstance(found, Unusable)
    assert (found.reason, found.payload) == (reason, body)


def test_ids_are_fished_out_of_what_cannot_be_used() -> None:
    first, second = uuid4(), uuid4()
    body = f'{{"v":"9.0","readings":[{{"id":"{first}"}},{{"id" : "{second}"}},{{"id":"{first}"}}]}}'
    assert opened(body.encode()).fished == (first, second)


def test_no_more_ids_are_fished_than_two_messages_hold() -> None:
    body = b'{"v":"9.0"' + b"".join(f',"id":"{UUID(int=n)}"'.encode() for n in range(1000))
    assert len(opened(body).fished) == 2 * wire.CATCH_UP_LIMIT


def test_an_oversized_message_is_kept_in_part_and_not_acknowledged() -> None:
    body = b'{"id":"00000000-0000-4000-8000-000000000001"' + b" " * 1_000_000
    found = opened(body)
    assert (found.reason, found.detail) == (Reason.OVERSIZED, f"{len(body)} bytes")
    assert (len(found.payload), found.fished) == (door.KEPT_OF_OVERSIZED, ())


def test_the_same_bytes_are_the_same_row() -> None:
    assert opened(b"x").id == opened(b"x").id
    assert opened(b"x").id != opened(b"y").id
    assert opened(b"x").id != opened(b"x", "tidings/v1/s/gw2/readings").id


def test_a_part_is_what_the_gateway_wrote() -> None:
    body = b'{"v":"1.0", "readings": [ {"new_field": 1}, {"id":  "x"} ]}'
    assert door.part_of(body, 1) == b'{"id":  "x"}'


def test_what_the_database_refuses_becomes_bytes_again(reading: ReadingMaker) -> None:
    first = opened(good(reading))
    rest = door.not_storable(first, "DataError 22P05\0")
    assert (rest.reason, rest.detail) == (Reason.NOT_STORABLE, "DataError 22P05")
    assert rest.payload == door.part_of(first.letter.body, 0)
    assert rest.fished == (first.message.readings[0].id,)


@given(body=st.binary(max_size=200) | st.text().map(str.encode), topic=st.text(max_size=40))
def test_any_publication_is_opened(body: bytes, topic: str) -> None:
    assert isinstance(opened(body, topic), Unusable)
    assert isinstance(opened(body), OPENED)
