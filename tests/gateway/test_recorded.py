import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from devices import blood_pressure, glucose, weight
from devices.wire import load_readings
from gateway import recorded
from gateway.recorded import PlanError, Player
from tests.gateway.conftest import Disk, World

CUFF = {
    "device": "CUFF-1",
    "char": "2A35",
    "every_s": 0,
    "times": 3,
    "values": {"systolic": [110, 180], "diastolic": [70, 100], "pulse": [60, 90]},
}
SCALE = {"device": "SCALE-1", "char": "2A9D", "every_s": 0, "times": 1, "values": {"kg": [70, 90]}}
METER = {"device": "M-1", "char": "2A18", "every_s": 0, "times": 2, "values": {"mg_dl": [70, 300]}}
HEX = {"device": "X", "char": "2A35", "every_s": 0, "times": 2, "hex": ["16ff", "16fe{time}{seq}"]}


def plan(tmp_path: Path, *lines: dict[str, object] | str) -> Path:
    path = tmp_path / "plan.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(["# a plan", "", *text]))
    return path


async def test_frames_take_the_way_of_a_notification(
    disk: Disk, world: World, tmp_path: Path
) -> None:
    woken: list[bool] = []
    player = Player(
        outbox=disk.outbox,
        registry=disk.registry,
        around=world.surroundings(),
        caught=lambda: woken.append(True),
    )
    lines = recorded.read_plan(plan(tmp_path, CUFF, SCALE, METER, HEX))
    await recorded.play(lines, player)
    while disk.outbox.settle(UTC):
        pass
    found: dict[str, list[str]] = {}
    while (parcel := disk.outbox.next_parcel(world.now)) is not None:
        message = load_readings(parcel.body)
        found.setdefault(message.device, []).extend(r.status for r in message.readings)
        disk.outbox.acknowledge(parcel.ids)
    assert found == {
        "CUFF-1": ["measured"] * 3,
        "SCALE-1": ["measured"],
        "M-1": ["measured"] * 2,
        "X": ["unreadable"] * 2,
    }
    assert len(woken) == 8
    assert {device.identity for device in disk.registry.all()} == set(found)


def test_draws_within_the_ranges_and_the_same_from_the_same_seed(
    tmp_path: Path, noon: datetime
) -> None:
    cuff, scale, meter = recorded.read_plan(plan(tmp_path, CUFF, SCALE, METER))
    draw = Random(1)
    measured = blood_pressure.parse(recorded.frame(cuff, 0, noon, draw))
    assert 110 <= float(measured.systolic) <= 180
    assert 70 <= (weight.parse(recorded.frame(scale, 0, noon, draw)).weight or 0) <= 90
    assert glucose.parse(recorded.frame(meter, 7, noon, draw)).sequence == 7
    again = [recorded.frame(cuff, 0, noon, Random(4)) for _ in range(2)]
    assert again[0] == again[1]


def test_fills_time_and_sequence_into_recorded_bytes(tmp_path: Path, noon: datetime) -> None:
    (line,) = recorded.read_plan(plan(tmp_path, HEX))
    assert recorded.frame(line, 2, noon, Random(1)).hex() == "16ff"
    assert recorded.frame(line, 1, noon, Random(1)).hex() == "16fe" + "ea07090f0c0000" + "0100"


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"device": "X"}',
        {**HEX, "hex": "16f"},
        {**CUFF, "char": "2A37"},
        {**CUFF, "values": {"systolic": [1, 2]}},
    ],
    ids=["no JSON", "fields missing", "half a byte", "no encoder", "a range missing"],
)
def test_says_which_line_cannot_be_played(tmp_path: Path, line: dict[str, object] | str) -> None:
    with pytest.raises(PlanError, match=r"plan\.jsonl:3"):
        recorded.read_plan(plan(tmp_path, line))
