"""Where frames come from: the radio, or a plan of recorded frames on a machine without one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from gateway import heartbeat, recorded
from gateway.commands import RefusedError
from gateway.events import Trouble
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.registry import Registry
from gateway.settings import Settings
from gateway.surroundings import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Which device may be paired, until when."""

    device: str | None
    passkey: str | None
    lasts: timedelta


class Source(Protocol):
    """What the box needs of its radio."""

    async def run(self) -> int:
        """Catch frames until the radio is beyond help; return the exit code for the supervisor."""

    def on_caught(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each frame."""

    def radio(self) -> heartbeat.Radio:
        """How the radio is."""

    def troubles(self) -> list[Trouble]:
        """What is wrong with the radio and its devices."""

    def note_sightings(self) -> None:
        """Write down when each device was last heard."""

    async def pair(self, enrolment: Enrolment) -> str:
        """Pair one device, in the time given; return its identity."""

    async def forget(self, identity: str) -> None:
        """Drop the bond with the device."""


class RecordedFrames:
    """Plays a plan; has no radio that could fail or pair."""

    def __init__(
        self, plan: Path, outbox: Outbox, registry: Registry, around: Surroundings
    ) -> None:
        self._lines = recorded.read_plan(plan)
        self._player = recorded.Player(
            outbox=outbox, registry=registry, around=around, caught=self._caught
        )
        self._wake: Callable[[], None] = _nobody

    async def run(self) -> int:
        """Play the plan, then wait: the box goes on publishing."""
        await recorded.play(self._lines, self._player)
        await asyncio.Event().wait()
        return 0

    def on_caught(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each frame."""
        self._wake = wake

    def radio(self) -> heartbeat.Radio:
        """There is none."""
        return "none"

    def troubles(self) -> list[Trouble]:
        """Nothing can be wrong with what is not there."""
        return []

    def note_sightings(self) -> None:
        """Recorded devices are not heard."""

    async def pair(self, enrolment: Enrolment) -> str:
        """Refuse."""
        raise RefusedError(f"no radio: {enrolment.device} cannot be paired")

    async def forget(self, identity: str) -> None:
        """There is no bond."""

    def _caught(self) -> None:
        self._wake()


def open_source(
    settings: Settings,
    around: Surroundings,
    outbox: Outbox,
    registry: Registry,
    metrics: Metrics,
) -> Source:
    """Return the source that the settings ask for; bleak is loaded only if there is a radio."""
    if settings.radio.recorded:
        return RecordedFrames(Path(settings.radio.recorded), outbox, registry, around)
    from gateway.radio import RadioSource  # noqa: PLC0415  # tens of megabytes a box without needs not

    return RadioSource(settings, around, outbox, registry, metrics)


def _nobody() -> None:
    """Nobody is waiting yet."""
