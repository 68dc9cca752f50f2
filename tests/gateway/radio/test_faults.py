"""What goes wrong on the air and at BlueZ: nothing is lost or doubled, and it works again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.ears import EXIT_RADIO
from gateway.settings import build
from gateway.simulated.bluez.calls import ABORTED_BY_LOCAL, IN_PROGRESS, Failure
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Labels, Memory
from gateway.simulated.peripherals.glucometer import Glucometer
from tests.gateway.radio.conftest import FAST, Living, frames, now

MoveIn = Callable[..., Living]
METER = Behaviour(memory=Memory.KEEP, labels=Labels(serial="METER-1"))
ADDRESS = "F0:00:5E:00:53:12"


@pytest.fixture
async def meter(home: SimulatedHome) -> Glucometer:
    device = await home.add(Glucometer, address=ADDRESS, name="GL", behaviour=METER)
    for number in range(20):
        await device.measure(mg_dl=100 + number)
    return device


async def all_read(box: Living, device: Glucometer) -> None:
    """Everything it measured has arrived, once."""
    await box.read(len(device.measured))
    assert box.frames() == frames(device)


REFUSALS = (
    ("RegisterAgent", Failure("AlreadyExists")),
    ("StartDiscovery", IN_PROGRESS),
    ("Connect", ABORTED_BY_LOCAL),
    ("Connect", IN_PROGRESS),
    ("Connect", Failure("Failed", "Software caused connection abort")),
    ("ReadValue", Failure("Failed", "Operation failed with ATT error: 0x0e")),
    ("StartNotify", IN_PROGRESS),
    ("WriteValue", Failure("Failed", "Operation failed with ATT error: 0x80")),
)


async def test_every_refusal_of_bluez_is_overcome(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    for member, failure in REFUSALS:
        home.faults.refuse(member, failure)
    await all_read(move_in(), meter)
    assert sorted(f.member for f in home.faults.fired) == sorted(member for member, _ in REFUSALS)


async def test_half_resolved_services(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    home.faults.half_resolve(times=2)
    await all_read(move_in(), meter)


@pytest.mark.parametrize("after", [0, 1, 7, 19, 20])
async def test_a_device_that_hangs_up_in_the_middle(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer, after: int
) -> None:
    assert home.address
    meter.hang_up_after(after)
    await all_read(move_in(), meter)
    assert meter.hang_ups


async def test_a_device_removed_from_bluez_in_the_middle(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    box = move_in()
    await box.read(1)
    await home.front.adapters["hci0"].remove_device(meter.address)
    await all_read(box, meter)


async def test_an_adapter_that_is_lost_and_comes_back(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    box = move_in()
    await box.read(1)
    adapter = home.front.adapters["hci0"]
    await adapter.lose()
    await box.until(lambda: box.source.radio() == "down")
    assert "radio_down" in box.troubles()
    adapter.appear()
    await meter.measure(mg_dl=300)
    await all_read(box, meter)
    assert box.source.radio() == "ok"


async def test_an_adapter_that_is_switched_off_and_on(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    box = move_in()
    await box.read(1)
    adapter = home.front.adapters["hci0"]
    await adapter.power(on=False)
    await box.until(lambda: box.source.radio() == "down")
    await adapter.power(on=True)
    await meter.measure(mg_dl=300)
    await all_read(box, meter)


async def test_the_death_of_the_bus(
    home: SimulatedHome, move_in: MoveIn, meter: Glucometer
) -> None:
    box = move_in()
    await box.read(1)
    await home.kill_bus()
    await box.until(lambda: box.source.radio() == "down")
    await home.restart_bus()
    await meter.measure(mg_dl=300)
    await all_read(box, meter)


async def test_a_home_without_a_radio_ends_for_the_supervisor(
    home: SimulatedHome, move_in: MoveIn
) -> None:
    await home.front.adapters["hci0"].lose()
    box = move_in()
    assert box._task is not None
    async with asyncio.timeout(30):
        assert await box._task == EXIT_RADIO


@pytest.fixture
async def two_adapters() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(now=now, tempo=FAST, adapters=("hci0", "hci1")) as home:
        yield home


async def test_the_second_adapter_goes_on_when_the_first_is_lost(
    two_adapters: SimulatedHome, tmp_path: Path
) -> None:
    home = two_adapters
    device = await home.add(Glucometer, address=ADDRESS, name="GL", behaviour=METER)
    radio = {"accept_unknown": True, "idle_s": 0.3, "cool_down_s": 0.2}
    box = Living(tmp_path / "two.db", build({"site": "s", "gateway": "g", "radio": radio}))
    box.start()
    await device.measure(mg_dl=100)
    await box.read(1)
    await home.front.adapters["hci0"].lose()
    await box.until(lambda: box.source._ears.failing() == ["hci0"])
    assert box.source.radio() == "ok"
    await device.measure(mg_dl=101)
    await all_read(box, device)
    await box.stop()
