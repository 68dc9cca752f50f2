"""Promise 1 at the home: kill -9 at any moment loses no frame that a device handed over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS, KILLS = 20, 10


@pytest.fixture(scope="module")
def verdicts() -> list[dict[str, list[object]]]:
    """200 kills, each at a seeded line of our code or instruction of SQLite."""
    command = [sys.executable, "-m", "tests.gateway.plug", "0", str(SCENARIOS), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_at_least_200_kills_hit_every_stage(verdicts: list[dict[str, list[object]]]) -> None:
    stages = [stage for verdict in verdicts for stage in verdict["stages"]]
    assert len(stages) == SCENARIOS * KILLS
    for stage in ("catch", "settle", "next_parcel", "sent", "acknowledge"):
        assert stages.count(stage) >= 10, stage


@pytest.mark.parametrize("wrong", ["lost", "doubled", "invented", "contexts_lost"])
def test_the_server_has_exactly_what_the_devices_produced(
    verdicts: list[dict[str, list[object]]], wrong: str
) -> None:
    assert {verdict["seed"]: verdict[wrong] for verdict in verdicts if verdict[wrong]} == {}  # type: ignore[index]  # the seed is a number
