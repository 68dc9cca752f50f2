"""What to do about a radio that fails or is silent: restart, reset, give up. Pure.

A home can be silent for hours, so that silence alone never ends the box; only errors do.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(seconds=90)
SILENT_RESTARTS = 3
RECOVER_AGAIN_AFTER = timedelta(hours=1)
FAILED_RESTARTS = 3
DOWN_AFTER = 2
"""Failed starts in a row: bluetoothd is often not ready at the first one after a power cut."""
FAILED_RECOVERIES = 2
_RESTART_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(seconds=60)


class Step(StrEnum):
    """What to do now, and why."""

    NOTHING = "nothing: the radio is heard, or it is too early to tell"
    RESTART = "restart the scanner"
    RECOVER = "reset the adapter"
    GIVE_UP = "exit: the supervisor starts us anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one adapter is, and what was done about it."""

    heard_at: datetime
    """The last advertisement, or the start."""
    stepped_at: datetime
    """The last restart or reset, or the start."""
    scanning: bool = True
    """The last attempt to start scanning succeeded and nothing has ended it since."""
    failures: int = 0
    """Starts that failed in a row."""
    silent_restarts: int = 0
    recoveries: int = 0
    """Resets since the radio last worked."""
    recovered_at: datetime | None = None


def decide(health: Health, now: datetime) -> Step:
    """Return what to do about this adapter."""
    return _about_silence(health, now) if health.scanning else _about_failure(health, now)


def is_down(health: Health) -> bool:
    """Whether the radio fails for longer than a box takes to start, or needed a reset."""
    return not health.scanning and (health.failures >= DOWN_AFTER or health.recoveries > 0)


def newly_found(at: datetime) -> Health:
    """An adapter on which scanning has yet to start."""
    return Health(heard_at=at, stepped_at=at - _LONGEST_WAIT, scanning=False)


def lost(health: Health) -> Health:
    """Note that the adapter, or the bus to it, is gone: whatever scanned has ended."""
    return replace(health, scanning=False)


def heard(health: Health, at: datetime) -> Health:
    """Note an advertisement: whatever was wrong is over."""
    return replace(health, heard_at=at, scanning=True, failures=0, silent_restarts=0, recoveries=0)


def restarted(health: Health, at: datetime, *, works: bool) -> Health:
    """Note a restart of the scanner and whether scanning started."""
    return replace(
        health,
        stepped_at=at,
        scanning=works,
        failures=0 if works else health.failures + 1,
        silent_restarts=health.silent_restarts + 1 if health.scanning and works else 0,
    )


def recovered(health: Health, at: datetime) -> Health:
    """Note a reset of the adapter."""
    return replace(
        health,
        stepped_at=at,
        recovered_at=at,
        silent_restarts=0,
        failures=0,
        recoveries=health.recoveries + 1,
        scanning=False,
    )


def _about_silence(health: Health, now: datetime) -> Step:
    if now - max(health.heard_at, health.stepped_at) < SILENT_AFTER:
        return Step.NOTHING
    if health.silent_restarts < SILENT_RESTARTS:
        return Step.RESTART
    last = health.recovered_at
    if last is None or now - last >= RECOVER_AGAIN_AFTER:
        return Step.RECOVER
    return Step.NOTHING if now - health.stepped_at < RECOVER_AGAIN_AFTER / 6 else Step.RESTART


def _about_failure(health: Health, now: datetime) -> Step:
    wait = min(_RESTART_WAIT * 2 ** min(health.failures, 10), _LONGEST_WAIT)
    if now - health.stepped_at < wait:
        return Step.NOTHING
    if health.failures < FAILED_RESTARTS:
        return Step.RESTART
    return Step.RECOVER if health.recoveries < FAILED_RECOVERIES else Step.GIVE_UP
