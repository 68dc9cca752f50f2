"""Frames of real devices and of other people's tests, with what they must decode to."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices import models, profiles
from devices.model import Evidence
from devices.reading import FailedMeasurement, Reading, UnreadableError

RECORDINGS = Path(__file__).parents[1] / "recordings" / "ble_vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(RECORDINGS.read_text())
READABLE = [vector for vector in VECTORS if "error" not in vector["expect"]]
REJECTED = [vector for vector in VECTORS if "error" in vector["expect"]]
CAPTURED = [vector for vector in READABLE if vector["kind"] == "capture"]


def named(vector: dict[str, Any]) -> str:
    return f"{vector['char']}-{vector['hex']}"


@pytest.mark.parametrize("vector", READABLE, ids=named)
def test_decodes_to_the_expected_fields(vector: dict[str, Any]) -> None:
    found = profiles.fields(vector["char"], bytes.fromhex(vector["hex"]), quirk=vector.get("quirk"))
    assert {name: found.get(name) for name in vector["expect"]} == vector["expect"]


@pytest.mark.parametrize("vector", REJECTED, ids=named)
def test_rejects_what_is_cut_short(vector: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        profiles.decode(vector["char"], bytes.fromhex(vector["hex"]))


@pytest.mark.parametrize("vector", READABLE, ids=named)
def test_a_frame_without_a_value_never_becomes_a_number(vector: dict[str, Any]) -> None:
    if vector["char"] in profiles.FORMATS:
        return
    decoded = profiles.decode(
        vector["char"], bytes.fromhex(vector["hex"]), quirk=vector.get("quirk")
    )
    main = {"2A35": ("systolic", "diastolic"), "2A5E": ("spo2",), "2A1C": ("temperature",)}
    values = [vector["expect"][name] for name in main.get(vector["char"], ())]
    if any(isinstance(value, str) for value in values):
        assert isinstance(decoded, FailedMeasurement)
    elif values:
        assert isinstance(decoded, Reading)


@pytest.mark.parametrize("vector", CAPTURED, ids=named)
def test_every_captured_frame_is_used_in_full(vector: dict[str, Any]) -> None:
    decoded = profiles.decode(
        vector["char"], bytes.fromhex(vector["hex"]), quirk=vector.get("quirk")
    )
    assert decoded is None or decoded.trailing == 0


def test_a_model_that_claims_captured_frames_has_them() -> None:
    recorded = {vector["model"] for vector in CAPTURED if "model" in vector}
    claimed = {model.key for model in models.known() if model.evidence is Evidence.CAPTURED}
    assert claimed == recorded


def test_every_recording_names_its_source() -> None:
    assert all(vector["source"] and vector["kind"] for vector in VECTORS)


def test_a_strict_reader_does_not_take_the_bm85s_stray_bytes_for_a_pulse() -> None:
    frame = bytes.fromhex("566a0047000000ea07080b121f00003f000000")
    decoded = profiles.decode("2A35", frame)
    assert isinstance(decoded, Reading)
    assert (decoded.value, decoded.pulse, decoded.trailing) == (106, None, 1)
    assert "pulse_unbelievable" in decoded.flags
