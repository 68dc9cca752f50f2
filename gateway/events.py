"""Technical events: what is wrong with the box or a device; told once, then daily. Pure."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from devices import wire
from gateway import clock
from gateway.known import Depth, Device
from gateway.settings import KnownDevice, Limits

TELL_AGAIN_AFTER = timedelta(hours=24)
_NAMESPACE = uuid.UUID("6b0c9a52-40c9-5c86-9a5c-0f1f3c7a8b11")


class Word(StrEnum):
    """The name of an event, as it goes on the wire."""

    LOW_BATTERY = "low_battery"
    DEVICE_UNSEEN = "device_unseen"
    REPEATED_FAILURES = "repeated_failures"
    CLOCK_FAULT = "clock_fault"
    BOND_LOST = "bond_lost"
    SEQUENCE_RESET = "sequence_reset"
    DISK_LOW = "disk_low"
    OUTBOX_FILLING = "outbox_filling"
    READINGS_REFUSED = "readings_refused"
    GATEWAY_CLOCK = "gateway_clock"
    RADIO_DOWN = "radio_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong now, with the device concerned, if any."""

    word: Word
    device: str | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """Two troubles with the same key are the same one."""
        return f"{self.word}|{self.device or ''}"


class Room(StrEnum):
    """Whether there is room for more readings, and why not."""

    ENOUGH = "enough"
    LOW = "low: somebody should look"
    FULL = "full: devices keep their records"


def room(depth: Depth, disk_free_mb: int | None, limits: Limits) -> Room:
    """Judge the space that is left; nothing that waits is ever thrown away to make more."""
    free = disk_free_mb if disk_free_mb is not None else limits.disk_warn_mb
    if depth.rows >= limits.rows or free < limits.disk_least_mb:
        return Room.FULL
    if depth.rows >= limits.rows_warn or free < limits.disk_warn_mb:
        return Room.LOW
    return Room.ENOUGH


def of_space(depth: Depth, disk_free_mb: int | None, limits: Limits) -> list[Trouble]:
    """Return what is wrong with the outbox and its disk."""
    judged = room(depth, disk_free_mb, limits)
    detail = f"{depth.rows} rows wait, {disk_free_mb} MB free"
    troubles = []
    if disk_free_mb is not None and disk_free_mb < limits.disk_warn_mb:
        troubles.append(Trouble(word=Word.DISK_LOW, detail=detail))
    if depth.rows >= limits.rows_warn:
        troubles.append(Trouble(word=Word.OUTBOX_FILLING, detail=detail))
    if judged is Room.FULL:
        troubles.append(Trouble(word=Word.READINGS_REFUSED, detail=detail))
    return troubles


def of_device(device: Device, failures: int, limits: Limits) -> list[Trouble]:
    """Return what is wrong with a device as the box knows it."""
    name = device.identity
    troubles = []
    if device.battery is not None and device.battery <= limits.battery_warn:
        detail = f"{device.battery} %"
        troubles.append(Trouble(word=Word.LOW_BATTERY, device=name, detail=detail))
    if clock.at_fault(device.offset_s):
        detail = f"{device.offset_s:.0f} s behind"
        troubles.append(Trouble(word=Word.CLOCK_FAULT, device=name, detail=detail))
    if failures >= limits.failures_warn:
        detail = f"{failures} visits in a row failed"
        troubles.append(Trouble(word=Word.REPEATED_FAILURES, device=name, detail=detail))
    return troubles


def of_silence(
    known: KnownDevice, device: Device | None, *, since: datetime, now: datetime
) -> list[Trouble]:
    """Return whether a device that the home should use was not read for longer than expected.

    `since` is when the box started to listen: silence before that tells nothing.
    """
    if known.expected_every_hours is None:
        return []
    read = device.last_read if device is not None else None
    last = since if read is None else max(read, since)
    allowed = timedelta(hours=known.expected_every_hours)
    if now - last <= allowed:
        return []
    detail = f"no reading for {(now - last).total_seconds() / 3600:.0f} h"
    return [Trouble(word=Word.DEVICE_UNSEEN, device=known.identity or known.address, detail=detail)]


def news(
    standing: Iterable[Trouble], told: Mapping[str, datetime], now: datetime
) -> tuple[list[Trouble], dict[str, datetime]]:
    """Return what must be told now, and what has been told once this is done.

    A trouble that went away is forgotten, so that it is told at once when it comes back.
    """
    fresh: list[Trouble] = []
    after: dict[str, datetime] = {}
    for trouble in standing:
        last = told.get(trouble.key)
        if last is None or now - last >= TELL_AGAIN_AFTER:
            fresh.append(trouble)
            last = now
        after[trouble.key] = last
    return fresh, after


def event(gateway: str, trouble: Trouble, now: datetime) -> wire.Event:
    """Return the trouble as it goes on the wire."""
    name = f"{gateway}|{trouble.key}|{clock.to_text(now)}"
    return wire.Event(
        v=wire.VERSION,
        id=uuid.uuid5(_NAMESPACE, name),
        gateway=gateway,
        at=now,
        event=trouble.word,
        device=trouble.device,
        detail=trouble.detail,
    )
