"""Simulated homes as a plan describes them, and what can be asked of them while they run."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from gateway.simulated.home import SimulatedHome
from gateway.simulated.models import KINDS
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.dump import DumpingPeripheral
from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.simulated.plan import Plan, PlannedDevice, PlannedHome, behaviour_of, kind_of
from gateway.simulated.schedule import Habit, TruthLog, live, measure_once


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line on standard input: press a device's button, or use it now."""

    press: str = ""
    """Address of a device that is to enter pairing mode."""
    measure: str = ""
    """Address of a device to use."""
    values: dict[str, float] | None = None
    """What it is to show; None: something plausible."""
    frame: str = ""
    """Hex: bytes to send as they are, instead."""


class Street:
    """Every home of one plan, running."""

    def __init__(
        self, plan: Plan, *, now: Now, truth: TruthLog, bus_folder: Path | None = None
    ) -> None:
        self.buses: dict[str, str] = {}
        """Bus address by gateway."""
        self._plan = plan
        self._now = now
        self._truth = truth
        self._bus_folder = bus_folder
        self._used: dict[str, tuple[Peripheral, Habit]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the homes and their devices, everything stored that the plan wants stored."""
        async with AsyncExitStack() as stack:
            for number, planned in enumerate(self._plan.homes):
                home = self._home(number, planned.gateway)
                await stack.enter_async_context(home)
                self.buses[planned.gateway] = home.address
                for device in planned.devices:
                    await self._install(home, planned, device)
            yield

    async def live(self) -> None:
        """Use every device as often as the plan says; they stay, to be read, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for device, habit in self._used.values():
                group.create_task(live(device, habit))
        await asyncio.get_running_loop().create_future()

    async def obey(self, line: bytes) -> None:
        """Carry out one request; ValueError if it is none, KeyError if nobody has that address."""
        request = msgspec.json.decode(line, type=Request)
        if request.press:
            await self._used[request.press][0].enter_pairing_mode()
        if request.measure:
            await _use(*self._used[request.measure], request)

    def _home(self, number: int, gateway: str) -> SimulatedHome:
        top = self._bus_folder
        return SimulatedHome(
            now=self._now,
            seed=self._plan.seed + number,
            in_process=False,
            bus_folder=None if top is None else top / gateway,
        )

    async def _install(
        self, home: SimulatedHome, planned: PlannedHome, wanted: PlannedDevice
    ) -> None:
        device = await home.add(
            KINDS[kind_of(wanted)],
            address=wanted.address,
            name=wanted.name,
            behaviour=behaviour_of(wanted),
        )
        device.on_measured = partial(self._truth.note, planned.gateway)
        habit = Habit(
            profile=wanted.patient_profile,
            every_s=self._plan.every_s / self._plan.speed,
            breach_share=self._plan.breach_share,
            chance=random.Random(f"{self._plan.seed} {wanted.address}"),
            times=self._plan.times,
        )
        self._used[device.address] = (device, habit)
        for _ in range(self._plan.backlog):
            await measure_once(device, habit)
        if device.behaviour.pairs_only_in_pairing_mode:
            await device.enter_pairing_mode()


async def _use(device: Peripheral, habit: Habit, request: Request) -> None:
    """Measure what a request says; without anything said, what is plausible."""
    if request.frame:
        if not isinstance(device, DumpingPeripheral):
            raise ValueError(f"a {device.kind} sends only what it measured")
        await device.store_frame(bytes.fromhex(request.frame))
    elif request.values is not None:
        await device.show(request.values)
    else:
        await measure_once(device, habit)
