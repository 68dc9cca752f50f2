"""One simulated home: a private bus, a virtual bluetoothd, the air, and devices that measure."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from gateway.simulated import bleak_bus
from gateway.simulated.air import Air
from gateway.simulated.bluez.faults import Faults
from gateway.simulated.bluez.front import BluezFront
from gateway.simulated.bluez.shared import Tempo
from gateway.simulated.bus import PrivateBus, as_system_bus, running_bus
from gateway.simulated.peripherals.behaviour import Behaviour
from gateway.simulated.peripherals.clock import Now
from gateway.simulated.peripherals.peripheral import Peripheral

P = TypeVar("P", bound=Peripheral)


class SimulatedHome:
    """Everything that bleak needs to believe in a radio, while the `async with` block runs.

    With `in_process`, this process's own system bus is the home's: bleak here sees the devices.
    Without it, give `address` to a gateway process as DBUS_SYSTEM_BUS_ADDRESS.
    """

    bus: PrivateBus
    front: BluezFront

    def __init__(  # noqa: PLR0913  each has a default but the clock
        self,
        *,
        now: Now,
        seed: int = 0,
        adapters: Sequence[str] = ("hci0",),
        tempo: Tempo | None = None,
        in_process: bool = True,
        bus_folder: Path | None = None,
    ) -> None:
        self.air = Air(seed=seed)
        self.devices: dict[str, Peripheral] = {}
        """By address."""
        self._now = now
        self._adapters = adapters
        self._tempo = tempo or Tempo()
        self._in_process = in_process
        self._bus_folder = bus_folder
        self._stack = AsyncExitStack()

    @property
    def address(self) -> str:
        """The bus, for DBUS_SYSTEM_BUS_ADDRESS."""
        return self.bus.address

    @property
    def faults(self) -> Faults:
        """What is to go wrong at the virtual bluetoothd."""
        return self.front.faults

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.bus = stack.enter_context(running_bus(self._bus_folder))
            if self._in_process:
                stack.enter_context(as_system_bus(self.bus.address))
            stack.push_async_callback(self.air.close)
            await self._start_front()
            stack.push_async_callback(self.front.stop)
            if self._in_process:
                stack.push_async_callback(bleak_bus.disconnect)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for device in self.devices.values():
            await device.power_off()
        await self._stack.aclose()

    async def add(
        self, kind: type[P], *, address: str, name: str, behaviour: Behaviour | None = None
    ) -> P:
        """Put a device into the home, battery in."""
        radio = self.air.radio(name, address)
        device = kind(radio, now=self._now, behaviour=behaviour or Behaviour())
        self.devices[device.address] = device
        await device.power_on()
        return device

    async def kill_bus(self) -> None:
        """Let the D-Bus daemon die: every client loses its connection."""
        self.bus.stop()
        await self.front.die()

    async def restart_bus(self) -> None:
        """Start the daemon again at the same address, and bluetoothd on it."""
        self.bus.start()
        await self.front.revive(self.bus.address)

    async def told(self) -> None:
        """Return when bleak in this process has heard everything that happened so far."""
        await self.front.told()
        await bleak_bus.catch_up()

    async def _start_front(self) -> None:
        centrals = {}
        for number, name in enumerate(self._adapters, start=1):
            centrals[name] = self.air.radio(name, f"C0:00:5E:00:53:{number:02X}")
            await centrals[name].power_on()
        self.front = BluezFront(centrals, tempo=self._tempo)
        await self.front.start(self.bus.address)
