"""A box with a radio, in a simulated home; the test is its server and sees what arrives."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devices import wire
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.radio import RadioSource
from gateway.registry import Registry
from gateway.settings import Settings, Tree, build
from gateway.simulated.bluez.shared import Tempo
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.store import Store
from gateway.surroundings import Surroundings

FAST = Tempo(advert_every_s=0.02, connect_timeout_s=0.5, resolve_timeout_s=5)
PATIENCE_S = 60.0
ZONE = ZoneInfo("America/New_York")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a home needs the virtual radio."""
    for item in items:
        if "home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.radio)


def now() -> datetime:
    return datetime.now(UTC)


class Living:
    """A box that lives in the home: its radio runs, what it reads is acknowledged at once."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(path)
        self.outbox = Outbox(self.store, settings.gateway)
        self.registry = Registry(self.store)
        self.readings: list[tuple[str, wire.WireReading]] = []
        self.full = False
        self.around = Surroundings(
            now=now,
            draw=lambda: 0.0,
            zone=ZONE,
            synced=lambda: True,
            disk_free_mb=lambda: 1 if self.full else 10_000,
        )
        self.source = RadioSource(settings, self.around, self.outbox, self.registry, Metrics(0))
        self._stir = asyncio.Event()
        self.source.on_caught(self._stir.set)
        self._task: asyncio.Task[int] | None = None

    def start(self) -> asyncio.Task[int]:
        self._task = asyncio.create_task(self.source.run())
        return self._task

    async def stop(self) -> None:
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=5)
        self._take()
        self.store.close()

    async def until(self, enough: Callable[[], bool]) -> None:
        """Wait until enough has happened; looks again at every frame and ten times a second."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough():
                self._stir.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._stir.wait()
                self._take()

    async def read(self, count: int) -> list[wire.WireReading]:
        """Wait for so many readings and return them as they were measured."""
        await self.until(lambda: len(self.readings) >= count)
        found = [reading for _, reading in self.readings]
        return sorted(found, key=lambda r: (r.sequence or 0, r.at))

    def frames(self) -> list[str]:
        return sorted(reading.frame for _, reading in self.readings)

    def troubles(self) -> set[str]:
        return {trouble.word.value for trouble in self.source.troubles()}

    def _take(self) -> None:
        while self.outbox.settle(ZONE):
            pass
        while (parcel := self.outbox.next_parcel(now())) is not None:
            message = wire.load_readings(parcel.body)
            self.readings += [(message.device, reading) for reading in message.readings]
            self.outbox.acknowledge(parcel.ids)


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(now=now, tempo=FAST) as home:
        yield home


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog that looks often and waits little."""
    monkeypatch.setattr("gateway.ears._LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("gateway.ears._LOOK_IN_PEACE_EVERY_S", 0.05)
    monkeypatch.setattr("gateway.watchdog._RESTART_WAIT", timedelta(seconds=0.02))
    monkeypatch.setattr("gateway.turns._FAILURE_WAIT", timedelta(seconds=0.1))


@pytest.fixture
def quick() -> Iterator[Path]:
    """A directory in memory where there is one: what a sync costs is not tested here."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  as above
    with tempfile.TemporaryDirectory(prefix="tidings-radio-", dir=memory) as directory:
        yield Path(directory)


@pytest.fixture
async def move_in(home: SimulatedHome, quick: Path) -> AsyncIterator[Callable[..., Living]]:
    """Set up a box in the home; it reads every supported device unless settings say otherwise."""
    assert home.address
    boxes: list[Living] = []

    def move_in(**more: object) -> Living:
        radio = {"accept_unknown": True, "idle_s": 0.3, "cool_down_s": 0.2}
        tree: Tree = {"site": "s", "gateway": "gw-1", "zone": "America/New_York", "radio": radio}
        tree.update(more)
        boxes.append(Living(quick / f"outbox{len(boxes)}.db", build(tree)))
        boxes[-1].start()
        return boxes[-1]

    yield move_in
    for box in boxes:
        await box.stop()


def frames(device: Peripheral) -> list[str]:
    """What a device measured, as it was sent."""
    return sorted(record.frame.hex() for record in device.measured)
