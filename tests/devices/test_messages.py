"""The message reference tells the truth: each of its examples is loaded and compared."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devices import pairs, profiles, wire
from devices.reading import Capture, FailedMeasurement, Kind, Reading, UnreadableError, reading_id

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
SECTIONS = re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (name, body)
    for name, text in SECTIONS
    for body in re.findall(r"```json\n(.*?)```", text, re.DOTALL)
]
MESSAGES: dict[str, type[Any]] = {
    "Readings": wire.Readings,
    "Acks": wire.Acks,
    "Status": wire.Status,
    "Event": wire.Event,
    "Command": wire.Command,
    "Result": wire.Result,
}
BUNDLES = [wire.load_readings(body.encode()) for name, body in EXAMPLES if name == "Readings"]
READINGS = [reading for bundle in BUNDLES for reading in bundle.readings]


def test_every_message_has_an_example() -> None:
    assert {name for name, _body in EXAMPLES} == set(MESSAGES)


@pytest.mark.parametrize(("name", "body"), EXAMPLES)
def test_an_example_is_a_message_and_says_no_more_than_the_message(name: str, body: str) -> None:
    message = wire.load(body.encode(), MESSAGES[name])
    assert json.loads(wire.dump(message)) == json.loads(body)


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: str(reading.id))
def test_an_example_reading_is_what_its_frame_says(reading: wire.WireReading) -> None:
    frame = bytes.fromhex(reading.frame)
    if reading.status == "unreadable":
        with pytest.raises(UnreadableError, match=re.escape(str(reading.reason))):
            profiles.decode(reading.char, frame)
        return
    decoded = profiles.decode(reading.char, frame)
    assert isinstance(decoded, Reading | FailedMeasurement)
    assert (reading.kind, reading.device_time) == (decoded.kind, decoded.device_time)
    assert (reading.sequence, reading.flags) == (decoded.sequence, decoded.flags)
    if isinstance(decoded, Reading):
        values = (reading.value, reading.original_value, reading.original_unit, reading.diastolic)
        assert values == (
            decoded.value,
            decoded.original_value,
            decoded.original_unit,
            decoded.diastolic,
        )
        assert decoded.extra.items() <= reading.extra.items()
    else:
        assert (reading.status, reading.reason) == ("failed", decoded.reason)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: str(bundle.device))
def test_an_examples_id_is_the_readings_identity(bundle: wire.Readings) -> None:
    for reading in bundle.readings:
        capture = Capture(
            device_id=bundle.device,
            characteristic=reading.char,
            frame=bytes.fromhex(reading.frame),
            captured_at=reading.at,
        )
        unreadable = reading.status == "unreadable"
        decoded = None if unreadable else profiles.decode(reading.char, capture.frame)
        assert reading.id == reading_id(capture, decoded)


def test_the_example_with_a_meal_has_a_context_to_come() -> None:
    [with_meal] = [reading for reading in READINGS if "meal" in reading.extra]
    assert pairs.awaits(with_meal.char, bytes.fromhex(with_meal.frame)) == "2A34"


def test_every_topic_and_kind_is_listed() -> None:
    for topic in ("readings", "events", "status", "results", "acks", "commands"):
        assert f"| `{topic}` |" in PAGE
    for kind in Kind:
        assert f"| `{kind}` |" in PAGE
