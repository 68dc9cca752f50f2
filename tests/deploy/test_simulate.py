"""A fleet of simulated homes: what was measured is stored, once; and a difference is noticed."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.broker import EmbeddedBroker
from deploy.fleet import counts, street
from deploy.fleet.counts import Frames, Verdict
from deploy.fleet.street import CHARACTERISTICS, SLACK_S, Fleet
from devices import profiles
from devices.reading import Reading
from tests.conftest import Database

ROOT = Path(__file__).parents[2]
FLEET = Fleet(
    homes=3,
    days=2,
    per_day=4,
    speed=17_280,
    kinds=tuple(CHARACTERISTICS),
    seed=1,
    started_at=datetime(2026, 9, 15, 12, tzinfo=UTC),
)


def simulate(*options: object) -> tuple[int, dict[str, Any]]:
    """Run `tidings simulate` as a process; its exit code and its last line."""
    command = [sys.executable, "-m", "tidings", "simulate", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def counted(told: dict[str, Any]) -> tuple[int, int, int]:
    return told["device"], told["outbox"], told["database"]


def test_a_day_of_two_homes_is_all_stored_once() -> None:
    code, told = simulate("--homes", 2, "--days", 1, "--speed", 34_560, "--no-radio")
    assert (code, counted(told), told["quarantined"]) == (0, (24, 24, 24), {}), told


@pytest.mark.radio
def test_two_days_of_two_homes_over_virtual_bluetooth_are_all_stored_once() -> None:
    chosen = ("--devices", "cuff,glucometer", "--per-day", 2)
    code, told = simulate("--homes", 2, "--days", 2, "--speed", 34_560, *chosen)
    assert (code, counted(told), told["quarantined"]) == (0, (16, 16, 16), {}), told


def test_a_fleet_whose_readings_nobody_stores_is_unequal(
    db: Database, broker: EmbeddedBroker
) -> None:
    where = ("--dsn", db.dsn, "--broker", f"{broker.host}:{broker.port}")
    quick = ("--days", 0.1, "--speed", 8640, "--patience", 4)
    code, told = simulate("--homes", 1, "--devices", "cuff", "--no-radio", *quick, *where)
    assert (code, counted(told), told["waiting"]) == (1, (1, 1, 0), 1), told
    assert len(told["lost"]) == 1


TRUTH: Frames = Counter({("cuff-0001", "01"): 1, ("cuff-0001", "02"): 1})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({("cuff-0001", "02"): -1}, "lost"),
        ({("cuff-0001", "02"): 1}, "doubled"),
        ({("cuff-0001", "03"): 1}, "invented"),
    ],
)
def test_every_difference_is_named(change: dict[tuple[str, str], int], found: str) -> None:
    held = TRUTH.copy()
    held.update(change)
    verdict = counts.compare(TRUTH, [], +held, {})
    assert [name for name in ("lost", "doubled", "invented") if getattr(verdict, name)] == [found]
    assert not verdict.equal


@pytest.mark.parametrize(
    "different",
    [{"device": 1}, {"outbox": 1}, {"database": 1}, {"waiting": 1}],
    ids=str,
)
def test_equal_means_every_count(different: dict[str, Any]) -> None:
    same = Verdict(
        device=2,
        outbox=2,
        database=2,
        waiting=0,
        quarantined={},
        lost=[],
        doubled=[],
        invented=[],
    )
    assert same.equal
    assert not replace(same, **different).equal


def test_every_device_has_an_address_of_its_own() -> None:
    fleet = replace(FLEET, homes=500)
    found = street.devices(fleet)
    assert len({one.address for one in found}) == len({one.identity for one in found}) == 1500
    assert all(int(one.address[:2], 16) >> 6 == 3 for one in found)  # static random


@pytest.mark.parametrize("kind", CHARACTERISTICS)
def test_a_device_without_a_radio_measures_what_can_be_read(kind: str) -> None:
    [device] = [d for d in street.devices(replace(FLEET, homes=1)) if d.kind == kind]
    made = list(street.measured(FLEET, device))
    assert len(made) == FLEET.times == 8
    for one in made:
        decoded = profiles.decode(CHARACTERISTICS[kind], one.frame)
        assert isinstance(decoded, Reading)
        assert decoded.device_time == one.at.replace(tzinfo=None, microsecond=0)


@pytest.mark.parametrize("speed", [1, 60, 2880, 100_000])
def test_no_measurement_is_in_the_future(speed: float) -> None:
    fleet = replace(FLEET, speed=speed)
    last = timedelta(seconds=fleet.lasts_s + SLACK_S)
    assert fleet.shows + last * speed == fleet.started_at + last
