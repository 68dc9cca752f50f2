import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import wire
from devices.wire import WireError

NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)
ID = UUID("019067f4-19e0-8c5e-9d0a-6f2b7f1c3a55")
READING = wire.WireReading(id=ID, char="2A35", frame="00", at=NOW, kind="weight", value=80.5)
MESSAGES: list[wire.Message] = [
    wire.Readings(v="1.0", gateway="g", device="d", readings=[READING]),
    wire.Acks(v="1.0", ids=[ID]),
    wire.Status(v="1.0", gateway="g", state="offline", devices=[wire.DeviceState(device="d")]),
    wire.Event(v="1.0", id=ID, gateway="g", at=NOW, event="bond_lost", device="d"),
    wire.Command(v="1.0", id=ID, command="pair", expires_at=NOW, arguments={"a": "b"}),
    wire.Result(v="1.0", id=ID, ok=True),
]


def body(**changes: object) -> bytes:
    usual = json.loads(wire.dump(MESSAGES[0]))
    return json.dumps(usual | changes).encode()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_wire(message: wire.Message) -> None:
    assert wire.load(wire.dump(message), type(message)) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_unknown_fields_are_tolerated(message: wire.Message) -> None:
    newer = json.loads(wire.dump(message)) | {"colour": "blue", "more": {"deep": [1]}}
    assert wire.load(json.dumps(newer).encode(), type(message)) == message


@pytest.mark.parametrize("version", ["1", "1.0", "1.1", "1.99"])
def test_a_newer_minor_is_tolerated(version: str) -> None:
    assert wire.load_readings(body(v=version)).v == version


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "", "x", "11"])
def test_an_unknown_major_is_refused_by_name(version: str) -> None:
    with pytest.raises(WireError) as refused:
        wire.load_readings(body(v=version))
    assert refused.value.reason == "unknown_version"
    with pytest.raises(WireError) as refused:
        wire.load(json.dumps({"v": version, "ids": []}).encode(), wire.Acks)
    assert refused.value.reason == "unknown_version"


def test_an_unknown_major_of_another_shape_is_still_told_by_its_version() -> None:
    for kind in (wire.Acks, wire.Event):
        with pytest.raises(WireError) as refused:
            wire.load(b'{"v": "2.0", "everything": "different"}', kind)
        assert refused.value.reason == "unknown_version"
    with pytest.raises(WireError) as refused:
        wire.load_readings(b'{"v": "3.1"}')
    assert refused.value.reason == "unknown_version"


@pytest.mark.parametrize("count", [0, 101])
def test_a_message_holds_1_to_100_readings(count: int) -> None:
    one = json.loads(body())["readings"][0]
    with pytest.raises(WireError) as refused:
        wire.load_readings(body(readings=[one] * count))
    assert refused.value.reason == "wrong_count"


@pytest.mark.parametrize("count", [1, 100])
def test_the_limits_are_within(count: int) -> None:
    one = json.loads(body())["readings"][0]
    assert len(wire.load_readings(body(readings=[one] * count)).readings) == count


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"1.0"',
        b"\xff\xfe",
        b'{"v": 1}',
        b'{"v": "1.0"}',
        body(readings="none"),
        body(readings=[{"id": "no uuid"}]),
        body(gateway=None),
        body(readings=[{"id": str(ID), "char": "2A35", "frame": "00", "at": "yesterday"}]),
        body(
            readings=[
                {"id": str(ID), "char": "2A35", "frame": "00", "at": str(NOW), "status": "odd"}
            ]
        ),
    ],
)
def test_a_malformed_message_is_refused_by_name(broken: bytes) -> None:
    with pytest.raises(WireError) as refused:
        wire.load_readings(broken)
    assert refused.value.reason == "malformed"
    assert refused.value.detail


@given(st.binary(max_size=100))
def test_any_bytes_give_a_message_or_our_own_error(noise: bytes) -> None:
    for kind in (wire.Acks, wire.Status, wire.Event, wire.Command, wire.Result):
        with pytest.raises(WireError):
            wire.load(noise, kind)
    with pytest.raises(WireError):
        wire.load_readings(noise)


def test_defaults_are_not_sent() -> None:
    sent = json.loads(wire.dump(MESSAGES[0]))["readings"][0]
    assert sent == {
        "id": str(ID),
        "char": "2A35",
        "frame": "00",
        "at": "2024-06-30T12:00:00Z",
        "kind": "weight",
        "value": 80.5,
    }


def test_a_device_time_keeps_having_no_zone() -> None:
    timed = wire.WireReading(
        id=ID, char="2A35", frame="00", at=NOW, device_time=datetime(2024, 6, 30, 11)
    )
    message = wire.Readings(v="1.0", gateway="g", device="d", readings=[timed])
    [loaded] = wire.load_readings(wire.dump(message)).readings
    assert loaded.device_time == datetime(2024, 6, 30, 11)
    assert loaded.device_time is not None
    assert loaded.device_time.tzinfo is None


def test_an_order_without_a_zone_is_malformed() -> None:
    order = {"v": "1.0", "id": str(ID), "command": "report_now"}
    timed = json.dumps(order | {"expires_at": "2024-06-30T12:00:00"}).encode()
    with pytest.raises(WireError, match="malformed"):
        wire.load(timed, wire.Command)
