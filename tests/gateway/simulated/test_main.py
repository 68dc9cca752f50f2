"""`python -m gateway.simulated`: a process of homes for gateways and demos."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner

from gateway.simulated import bleak_bus
from gateway.simulated.adverts import uuid128
from gateway.simulated.bus import as_system_bus

pytestmark = pytest.mark.radio

CUFF = {
    "kind": "cuff",
    "address": "F1:00:5E:00:53:10",
    "name": "UA-651BLE",
    "serial": "SIM-1",
    "behaviour": {"advertising_interval_ms": 20},
}
SCALE = {"model": "and_uc_352ble", "address": "F1:00:5E:00:53:11", "name": "UC-352BLE"}
PLAN = {
    "homes": [
        {"gateway": "gw-0001", "devices": [CUFF]},
        {"gateway": "gw-0002", "devices": [SCALE]},
    ],
    "every_s": 3600,
}

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(
        *arguments: str, plan: object = PLAN, stdin: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        files = ["--plan", str(tmp_path / "plan.json"), "--truth", str(tmp_path / "truth.jsonl")]
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.simulated", *files, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
        process.communicate()


def homes(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    return {home["gateway"]: home["bus"] for home in announced["homes"]}


def truth(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


async def test_another_process_reads_what_the_truth_log_says(start: Start, tmp_path: Path) -> None:
    folder, file = tmp_path / "b", tmp_path / "buses.json"
    process = start("--backlog", "3", "--buses", str(file), "--bus-folder", str(folder))
    buses = homes(process)
    assert buses["gw-0001"] == f"unix:path={folder}/gw-0001/bus"
    assert json.loads((tmp_path / "buses.json").read_text()) == buses
    with as_system_bus(buses["gw-0001"]):
        device = await BleakScanner.find_device_by_name("UA-651BLE", timeout=10)
        assert device is not None
        heard: list[str] = []
        async with BleakClient(device) as client:
            serial = await client.read_gatt_char(uuid128(0x2A25))
            done = asyncio.Event()

            def hear(_: object, value: bytearray) -> None:
                heard.append(value.hex())
                if len(heard) == 3:
                    done.set()

            await client.start_notify(uuid128(0x2A35), hear)
            async with asyncio.timeout(10):
                await done.wait()
        await bleak_bus.disconnect()
    assert bytes(serial) == b"SIM-1"
    lines = [line for line in truth(tmp_path) if line["gateway"] == "gw-0001"]
    assert [line["frame"] for line in lines[:3]] == heard
    assert lines[0]["device"] == "F1:00:5E:00:53:10"


def test_does_what_is_asked_on_its_input_and_ends_when_that_closes(
    start: Start, tmp_path: Path
) -> None:
    process = start()
    homes(process)
    asked = {"measure": CUFF["address"], "values": {"systolic": 190, "diastolic": 110}}
    raw = {"measure": CUFF["address"], "frame": "1e8000"}
    lines = f"nonsense\n{json.dumps(asked)}\n{json.dumps(raw)}\n"
    _, errors = process.communicate(lines, timeout=10)
    assert process.returncode == 0
    assert "not understood: b'nonsense" in errors
    assert "1e8000" in [line["frame"] for line in truth(tmp_path)]
    assert {"systolic": 190, "diastolic": 110, "pulse": None} in [
        line["values"] for line in truth(tmp_path)
    ]


def test_runs_without_an_input_until_it_is_terminated(start: Start) -> None:
    process = start(stdin=subprocess.DEVNULL)
    homes(process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_simulated_time_is_counted_from_where_the_plan_says(start: Start, tmp_path: Path) -> None:
    times = {"started_at": "2026-01-01T00:00:00Z", "shows": "2020-01-01T00:00:00Z", "speed": 1}
    process = start("--backlog", "1", plan={**PLAN, **times})
    homes(process)
    shown = datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC) + datetime(2020, 1, 1, tzinfo=UTC)
    for line in truth(tmp_path):
        assert abs(datetime.fromisoformat(line["measured_at"]) - shown) < timedelta(minutes=10)


def test_says_what_is_wrong_with_a_plan(start: Start) -> None:
    process = start(plan={"homes": [{"gateway": "g", "devices": [{**CUFF, "kind": "toaster"}]}]})
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "kind 'toaster' is none of" in errors
