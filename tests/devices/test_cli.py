import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from devices import cli, models, profiles
from devices.cli import Status, app
from tests.devices.test_vectors import READABLE, REJECTED, named

RUN = CliRunner()
NAMED_OTHERWISE = {"status": "status_bits"}
"""The frame's own status gives way to what became of the frame."""


def decoded(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = RUN.invoke(app, ["decode", *arguments, "--json"])
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_reading_is_one_object_in_the_units_of_the_wire() -> None:
    assert decoded("15bdf00b009ff03c001200", "--char", "2A35") == {
        "characteristic": "2A35",
        "unit": "kPa",
        "systolic": 18.9,
        "diastolic": 11.0,
        "map": 15.9,
        "pulse": 60.0,
        "status_bits": 18,
        "flags": ["cuff_loose", "pulse_below_range"],
        "trailing": 0,
        "is_reading": True,
        "status": "measured",
        "reason": None,
    }


@pytest.mark.parametrize(
    ("frame", "characteristic", "reason"),
    [
        ("16ff07ff07ff07e80706170e230aff070000", "2A35", "not_a_number"),
        ("00ffff", "2A9D", "unsuccessful"),
        ("9803000096230000000000000000", "2A9C", "placeholder"),
        ("ff07", "SFLOAT", "NaN"),
        ("01008000", "FLOAT", "RFU"),
    ],
)
def test_a_failed_measurement_says_why(frame: str, characteristic: str, reason: str) -> None:
    found = decoded(frame, "--char", characteristic)
    assert (found["status"], found["reason"]) == ("failed", reason)


def test_an_unreadable_frame_says_why_and_exits_1() -> None:
    found = decoded("1f0048", "--char", "2A35", code=1)
    assert found == {
        "characteristic": "2A35",
        "status": "unreadable",
        "reason": "truncated: byte 5 is needed, the frame has 3",
    }


@pytest.mark.parametrize(
    ("frame", "characteristic"), [("00d7f000000000", "2A36"), ("06000106", "2A52"), ("64", "2A19")]
)
def test_what_is_never_a_reading_says_so(frame: str, characteristic: str) -> None:
    found = decoded(frame, "--char", characteristic)
    assert (found["status"], found["reason"], found["is_reading"]) == ("measured", None, False)


@pytest.mark.parametrize(
    "frame",
    ["0x00bdf00b009ff0", "00 BD F0 0B 00 9F F0", "00:bd:f0:0b:00:9f:f0", "00-bd-f00b009ff0"],
)
def test_hex_may_be_written_in_any_way(frame: str) -> None:
    assert decoded(frame, "--char", "0x2a35")["systolic"] == 18.9


@pytest.mark.parametrize("model", ["beurer_bm85", "BM85", "beurer bm85"])
def test_a_model_that_breaks_the_standard_is_read_its_own_way(model: str) -> None:
    frame = "56710049000000ea07080b1438000041010000"
    found = decoded(frame, "--char", "2A35", "--model", model)
    assert (found["pulse"], found["user_id"]) == (65.0, 1)


def test_a_model_without_a_quirk_is_read_by_the_standard() -> None:
    assert decoded("007000", "--char", "2A9D", "--model", "and_uc_352ble")["weight"] == 0.56


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["zz", "--char", "2A35"], "not hex"),
        (["000", "--char", "2A35"], "not hex"),
        (["00", "--char", "2AFF"], "not supported"),
        (["00", "--char", "2A35", "--model", "toaster"], "no model"),
        (["00"], "--char"),
        ([], "HEX"),
    ],
)
def test_a_mistake_gets_a_clear_error(arguments: list[str], complaint: str) -> None:
    result = RUN.invoke(app, ["decode", *arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2
    assert complaint in result.output


def test_people_get_a_table() -> None:
    result = RUN.invoke(app, ["decode", "00bdf00b009ff0", "--char", "2A35"])
    assert result.exit_code == 0
    assert "2A35: measured" in result.stdout
    assert "18.9" in result.stdout


def test_list_names_every_model() -> None:
    shown = RUN.invoke(app, ["list"], env={"COLUMNS": "160"}).stdout
    listed = json.loads(RUN.invoke(app, ["list", "--json"]).stdout)
    assert [entry["key"] for entry in listed] == [model.key for model in models.known()]
    assert all(entry["key"] in shown for entry in listed)
    assert not any(entry["tested_on_hardware"] for entry in listed)


def test_list_prints_the_page() -> None:
    assert RUN.invoke(app, ["list", "--markdown"]).stdout.startswith("# Devices\n")


@pytest.mark.parametrize("vector", READABLE, ids=named)
def test_every_recorded_frame_is_told_field_by_field(vector: dict[str, Any]) -> None:
    quirk = ("--quirk", vector["quirk"]) if "quirk" in vector else ()
    found = decoded(vector["hex"], "--char", vector["char"], *quirk)
    for name, expected in vector["expect"].items():
        assert found[NAMED_OTHERWISE.get(name, name)] == expected, name
    assert found["status"] in ("measured", "failed")


@pytest.mark.parametrize("vector", REJECTED, ids=named)
def test_every_recorded_frame_that_is_broken_is_told_to_be(vector: dict[str, Any]) -> None:
    found = decoded(vector["hex"], "--char", vector["char"], code=1)
    assert (found["status"], bool(found["reason"])) == ("unreadable", True)


@pytest.mark.parametrize("code", [*profiles.SUPPORTED, *profiles.FORMATS])
@given(frame=st.binary(max_size=40))
def test_any_bytes_are_one_object_with_a_status_and_a_reason(code: str, frame: bytes) -> None:
    verdict = cli.judge(code, frame)
    told = json.loads(json.dumps(verdict.as_dict(), allow_nan=False))
    assert told["status"] == verdict.status
    assert bool(verdict.reason) is (verdict.status is not Status.MEASURED)
    assert code == "2A2B" or told["reason"] == verdict.reason
    assert verdict.status is Status.UNREADABLE or 0 <= told["trailing"] <= len(frame)


def test_what_follows_the_last_field_is_counted_for_every_kind_of_frame() -> None:
    found = decoded("64ffff", "--char", "2A19")
    assert (found["level"], found["trailing"]) == (100, 2)
