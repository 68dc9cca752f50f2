"""Homes by a plan: who measures what, and that the same seed measures the same."""

import asyncio
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gateway.simulated.household import Street
from gateway.simulated.plan import Plan, PlannedDevice, PlannedHome
from gateway.simulated.schedule import TruthLog

pytestmark = pytest.mark.radio

CUFF = PlannedDevice(kind="cuff", address="F1:00:5E:00:53:10", name="UA-651BLE")
SCALE = PlannedDevice(model="and_uc_352ble", address="F1:00:5E:00:53:11", name="UC-352BLE")
METER = PlannedDevice(kind="glucometer", address="F1:00:5E:00:53:12", name="meter+1")
PLAN = Plan(
    homes=(
        PlannedHome(gateway="gw-0001", devices=(CUFF, METER)),
        PlannedHome(gateway="gw-0002", devices=(SCALE,)),
    ),
    backlog=5,
    every_s=0.01,
)


def street(plan: Plan) -> tuple[Street, Callable[[], list[dict[str, Any]]]]:
    """A street, and what its truth log says."""
    out = io.StringIO()

    def said() -> list[dict[str, Any]]:
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return Street(plan, now=lambda: datetime.now(UTC), truth=TruthLog(out)), said


async def backlog(plan: Plan) -> list[dict[str, float]]:
    homes, said = street(plan)
    async with homes.running():
        return [line["values"] for line in said()]


async def test_the_same_seed_measures_the_same() -> None:
    first, again = [await backlog(PLAN) for _ in range(2)]
    other = await backlog(msgspec.structs.replace(PLAN, seed=2))
    assert first == again != other


async def test_one_patient_measures_the_same_whoever_else_there_is() -> None:
    alone = msgspec.structs.replace(PLAN, homes=(PlannedHome(gateway="gw-0001", devices=(METER,)),))
    together = await backlog(PLAN)
    assert [values for values in together if "mg_dl" in values] == await backlog(alone)


async def test_every_device_is_used_again_and_again() -> None:
    homes, said = street(msgspec.structs.replace(PLAN, backlog=0))
    async with homes.running():
        living = asyncio.create_task(homes.live())
        async with asyncio.timeout(10):
            while len({(line["kind"], line["number"]) for line in said()}) < 9:  # noqa: ASYNC110  the log is a file to others
                await asyncio.sleep(0.01)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
    assert {line["gateway"] for line in said() if line["kind"] == "scale"} == {"gw-0002"}


async def test_a_meter_does_not_send_bytes_that_it_did_not_measure() -> None:
    homes, _ = street(PLAN)
    async with homes.running():
        with pytest.raises(ValueError, match="only what it measured"):
            await homes.obey(b'{"measure": "F1:00:5E:00:53:12", "frame": "00"}')
        with pytest.raises(KeyError):
            await homes.obey(b'{"press": "F1:00:5E:00:53:99"}')


async def test_a_device_is_used_as_often_as_the_plan_says_and_stays_to_be_read() -> None:
    homes, said = street(msgspec.structs.replace(PLAN, backlog=0, times=3))
    async with homes.running():
        living = asyncio.create_task(homes.live())
        done, _ = await asyncio.wait([living], timeout=1.0)
        assert not done
        assert sorted(line["number"] for line in said()) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
