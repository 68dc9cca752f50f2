"""A box's disk, frames as devices send them, and surroundings whose clock the test holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices import blood_pressure, date_time, glucose
from gateway.outbox import Outbox
from gateway.registry import Registry
from gateway.store import Store
from gateway.surroundings import Surroundings


@dataclass(slots=True)
class World:
    """The surroundings of a box under test; time moves when the test says so."""

    now: datetime
    draw: float = 0.0
    synced: bool = True
    disk_free_mb: int | None = 10_000

    def pass_seconds(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def surroundings(self) -> Surroundings:
        return Surroundings(
            now=lambda: self.now,
            draw=lambda: self.draw,
            zone=UTC,
            synced=lambda: self.synced,
            disk_free_mb=lambda: self.disk_free_mb,
        )


@dataclass(slots=True)
class Disk:
    """A store with everything that lives in it; can lose its power."""

    path: Path
    store: Store = field(init=False)
    outbox: Outbox = field(init=False)
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.store = Store(self.path)
        self.outbox = Outbox(self.store, "gw-1")
        self.registry = Registry(self.store)

    def restart(self) -> None:
        self.store.close()
        self.open()


@pytest.fixture
def world(noon: datetime) -> World:
    return World(now=noon)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "outbox.db")
    yield disk
    disk.store.close()


@pytest.fixture
def cuff_frame() -> Callable[..., bytes]:
    """A blood pressure as a cuff sends it."""

    def frame(moment: datetime, systolic: float = 120.0) -> bytes:
        return blood_pressure.encode(
            blood_pressure.BloodPressure(
                systolic=systolic,
                diastolic=80.0,
                mean_arterial=93.0,
                pulse=60.0,
                timestamp=date_time.of(moment),
            )
        )

    return frame


@pytest.fixture
def meter_frame() -> Callable[..., bytes]:
    """A glucose record as a meter sends it."""

    def frame(moment: datetime, sequence: int, *, context: bool = False) -> bytes:
        return glucose.encode(
            glucose.Glucose(
                sequence=sequence,
                base_time=date_time.of(moment),
                concentration=0.00112,
                type=1,
                location=1,
                context_follows=context,
            )
        )

    return frame
