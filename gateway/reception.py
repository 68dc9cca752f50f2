"""Adverts in, visits out: at once, fair between devices, a few at a time on each adapter."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from gateway import events, turns
from gateway.events import Trouble, Word
from gateway.guest import Outcome, Report
from gateway.household import Household
from gateway.scanner import Heard
from gateway.session import Tools
from gateway.settings import Limits
from gateway.sightings import Interest
from gateway.turns import Turn
from gateway.visiting import Invitation, visit

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0
_FRESH = timedelta(seconds=10)
"""A device that was heard longer ago has probably gone to sleep."""
_LINKS = 4
"""Visits at the same time on one adapter."""
_SIGNS_OF_A_LOST_BOND: Mapping[Outcome, int] = MappingProxyType(
    {Outcome.NOT_TRUSTED: 2, Outcome.DROPPED: 3}
)
"""So often before a person is asked to pair again: a weak radio breaks links too."""
_STOP_WITHIN_S = 5.0


@dataclass(slots=True)
class _Line:
    """What goes on at one adapter."""

    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    links: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the reception needs of the box."""

    household: Household
    tools: Tools
    limits: Limits
    cool_down: timedelta
    has_room: Callable[[], bool]
    count_visit: Callable[[str], None]


class Reception:
    """Keeps the turns and runs the visits."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._heard: dict[str, Heard] = {}
        self._turns: dict[str, Turn] = {}
        self._lines: dict[str, _Line] = {}
        self._distrust: dict[str, Counter[Outcome]] = {}
        self._resets: dict[str, Trouble] = {}
        self._visits: set[asyncio.Task[None]] = set()
        self._stir = asyncio.Event()

    def hear(self, heard: Heard) -> None:
        """Take an advertisement; a device of ours that has waited long enough gets its turn."""
        sighting = heard.sighting
        known = self._heard.get(sighting.address)
        if known is not None or self._host.household.interest(sighting).is_visit:
            self._heard[sighting.address] = heard
            turn = turns.heard(self._turns.get(sighting.address), sighting.at)
            self._turns[sighting.address] = turn
            if not turn.busy:
                self._stir.set()

    async def run(self) -> None:
        """Begin visits as turns come up."""
        while True:
            self._stir.clear()
            while self._begin_one():
                pass
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._stir.wait()

    async def stop(self) -> None:
        """End all visits; what they caught is safe."""
        tasks = list(self._visits)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_WITHIN_S)

    @property
    def is_busy(self) -> bool:
        """Whether a visit is going on (BlueZ pauses scanning meanwhile)."""
        return bool(self._visits)

    def sightings(self) -> list[Heard]:
        """What was heard last of each device of ours."""
        return list(self._heard.values())

    def forget(self, address: str) -> None:
        """Begin anew with this device."""
        for kept in (self._heard, self._turns, self._distrust):
            kept.pop(address, None)

    def troubles(self) -> list[Trouble]:
        """What is wrong with devices, as the visits show it."""
        registry = self._host.tools.registry
        found = list(self._resets.values())
        for device in registry.all():
            turn = self._turns.get(device.address or "")
            failures = turn.failures if turn is not None else 0
            found += events.of_device(device, failures, self._host.limits)
            if self.is_bond_lost(device.address or ""):
                detail = "the device and the box no longer share a bond; pair it again"
                found.append(Trouble(word=Word.BOND_LOST, device=device.identity, detail=detail))
        return found

    def is_bond_lost(self, address: str) -> bool:
        """Whether the visits say that the device and the box no longer share a bond."""
        signs = self._distrust.get(address, Counter())
        return any(signs[sign] >= enough for sign, enough in _SIGNS_OF_A_LOST_BOND.items())

    def _begin_one(self) -> bool:
        if not self._host.has_room():
            return False
        now = self._host.tools.around.now()
        free = {
            address: turn
            for address, turn in self._turns.items()
            if self._line(self._heard[address]).links < _LINKS
        }
        address = turns.next_turn(free, now, cool_down=self._host.cool_down, fresh=_FRESH)
        if address is None:
            return False
        heard = self._heard[address]
        why = self._host.household.interest(heard.sighting)
        if not why.is_visit:
            self.forget(address)
            return True
        self._turns[address] = turns.started(self._turns[address])
        task = asyncio.create_task(self._visit(heard, why), name=f"visit {address}")
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)
        return True

    async def _visit(self, heard: Heard, why: Interest) -> None:
        sighting, host = heard.sighting, self._host
        line = self._line(heard)
        invitation = Invitation(
            heard=heard,
            guest=host.household.guest(sighting, why),
            latest=lambda: self._heard.get(sighting.address, heard),
        )
        line.links += 1
        try:
            report = await visit(invitation, host.tools, line.connecting)
        except Exception as error:
            log.exception("visit_failed", address=sighting.address)
            report = Report(outcome=Outcome.FAILED, detail=type(error).__name__)
        finally:
            line.links -= 1
        self._ended(heard, why, report)

    def _ended(self, heard: Heard, why: Interest, report: Report) -> None:
        address, now = heard.sighting.address, self._host.tools.around.now()
        log.info(
            "visit",
            address=address,
            device=report.identity,
            outcome=report.outcome,
            frames=report.frames,
            detail=report.detail,
        )
        self._host.count_visit(report.outcome)
        failed = report.outcome.is_failure
        identity = None if failed or report.outcome is Outcome.FOREIGN else report.identity
        self._host.household.visited(heard.sighting, why, identity)
        if address in self._turns:
            turn = turns.ended(self._turns[address], now, failed=failed, brought=report.frames)
            self._turns[address] = turn
        self._judge(heard, report, now)
        self._stir.set()

    def _judge(self, heard: Heard, report: Report, now: datetime) -> None:
        """Draw the conclusions that outlast the visit."""
        address = heard.sighting.address
        if report.outcome is Outcome.FOREIGN:
            self._host.household.turned_away(replace(heard.sighting, at=now))
            self.forget(address)
        elif report.outcome is Outcome.NOT_TRUSTED or self._breaks_on_bond(address, report):
            self._distrust.setdefault(address, Counter())[report.outcome] += 1
        elif not report.outcome.is_failure:
            self._distrust.pop(address, None)
        if report.identity is not None:
            self._resets.pop(report.identity, None)
            if report.sequence_reset:
                self._resets[report.identity] = Trouble(
                    word=Word.SEQUENCE_RESET, device=report.identity, detail="memory was cleared"
                )

    def _breaks_on_bond(self, address: str, report: Report) -> bool:
        """A bonded device that hangs up as soon as the link is encrypted may have forgotten us."""
        device = self._host.tools.registry.at_address(address)
        return report.outcome is Outcome.DROPPED and device is not None and bool(device.bonded)

    def _line(self, heard: Heard) -> _Line:
        return self._lines.setdefault(heard.sighting.adapter, _Line())
