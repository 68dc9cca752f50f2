"""One visit to one device, once connected: subscribe, clock, facts, stored records, linger."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from bleak.exc import BleakError

from devices import user_data
from devices.reading import UnreadableError
from gateway import clock, sequences
from gateway.fetching import Fetched, FetchError, Fetching
from gateway.guest import Guest, Outcome, Report
from gateway.known import Device, Facts
from gateway.outbox import CannotStoreError, Outbox, Visit
from gateway.peer import CLOCKS, Peer
from gateway.registry import Registry
from gateway.surroundings import Surroundings

log = structlog.get_logger()

_LONGEST_S = 120.0
"""A visit ends after so long even if the device goes on talking; stored records may take longer."""
_LONGEST_FETCH_S = 900.0
_AFTER_FETCH_S = 1.0
_PATIENCE_S = 10.0
_CLOCK_TOLERANCE_S = 5.0
_PASSING = ("authenticationtimeout", "authenticationcanceled")
"""BlueZ's words for a pairing that the radio cut short: they tell nothing of the bond."""
_BOND_WORDS = ("authentication", "not paired", "encryption", "notauthorized", "key missing")


class ForeignError(Exception):
    """The device that answered is not one of this home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every visit needs of the box."""

    outbox: Outbox
    registry: Registry
    around: Surroundings
    wake: Callable[[], None]
    count_frame: Callable[[str], None]
    idle_s: float | None = None
    """How long to wait for more; None: as the model needs."""


class Session:
    """A visit; `gone` is set when the device hangs up."""

    def __init__(self, peer: Peer, guest: Guest, tools: Tools, gone: asyncio.Event) -> None:
        self._peer = peer
        self._guest = guest
        self._tools = tools
        self._gone = gone
        self._visit = 0
        self._identity: str | None = None
        self._frames = 0
        self._fetching: Fetching | None = None
        self._consented = asyncio.Event()
        self._refusal = ""
        self._stir = asyncio.Event()
        self._broken: CannotStoreError | None = None
        self._reset = False

    async def run(self) -> Report:
        """Do everything a visit consists of; what was caught is safe however it ends."""
        try:
            await self._stay(await self._who())
        except ForeignError as error:
            return self._report(Outcome.FOREIGN, str(error))
        except (FetchError, BleakError, TimeoutError, EOFError, OSError) as error:
            return self._interrupted(error)
        if self._broken is not None:
            return self._report(Outcome.NOT_STORED, str(self._broken))
        if self._frames:
            return self._report(Outcome.READ)
        return self._report(Outcome.FAILED if self._refusal else Outcome.EMPTY, self._refusal)

    async def _who(self) -> Device:
        """Return the device; its identity is resolved before it can tell anything, then kept."""
        registry, guest = self._tools.registry, self._guest
        known = registry.at_address(guest.address)
        identity = known.identity if known else await self._peer.identity(guest.address)
        self._identity = identity
        if not guest.welcome(identity):
            raise ForeignError(identity)
        return registry.remember(
            Device(
                identity=identity,
                address=guest.address,
                model=guest.model.key if guest.model is not None else "",
                name=guest.name,
                enrolled=guest.enrol,
            )
        )

    async def _stay(self, device: Device) -> None:
        outbox, model = self._tools.outbox, self._guest.model
        self._visit = outbox.begin_visit(
            Visit(
                device=device.identity,
                model=device.model,
                quirk=model.quirk if model is not None else None,
                synced=self._tools.around.synced(),
            )
        )
        await self._talk(device)

    def over(self) -> None:
        """The link is gone: only now will no more frames come."""
        if self._visit:
            self._tools.outbox.end_visit(self._visit)
            self._tools.wake()

    async def _talk(self, device: Device) -> None:
        """One that hangs up after its dump is asked for its battery before the dump begins."""
        model = self._guest.model
        hasty = model is not None and model.dump_then_disconnect
        await self._peer.listen(self._hear)
        offset = await self._read_clock(device)
        if hasty:
            await self._facts(device)
        await self._set_clock(offset, device)
        await self._ask_consent()
        if not hasty:
            await self._facts(device)
        fetched = await self._fetch(device)
        await self._linger(_AFTER_FETCH_S if fetched is not None else self._idle_s())

    def _hear(self, code: str, value: bytes) -> None:
        """The notification callback."""
        if code == "2A52":
            self._stir.set()
            if self._fetching is not None:
                self._fetching.answered(value)
        elif code == "2A9F":
            self._hear_consent(value)
        elif code not in CLOCKS:
            self._catch(code, value)

    def _catch(self, code: str, frame: bytes) -> None:
        """The frame is on the disk before anything else happens with it."""
        tools, fetching = self._tools, self._fetching
        try:
            now = tools.around.now()
            new = tools.outbox.catch(self._visit, code, frame, at=now, fetched=fetching is not None)
        except CannotStoreError as error:
            log.exception("frame_not_stored", device=self._identity)
            self._broken = error
            self._gone.set()
            return
        self._frames += new
        self._stir.set()
        if fetching is not None:
            fetching.came(code, frame)
        tools.count_frame(code)
        tools.wake()

    async def _read_clock(self, device: Device) -> float | None:
        """Note how far the clock is off: what was caught so far can then be settled."""
        offset = await self._peer.clock_offset(self._tools.around.now)
        self._tools.outbox.know_clock(self._visit, offset)
        self._tools.wake()
        if offset is not None:
            self._tools.registry.learn(device.identity, Facts(offset_s=offset))
        return offset

    async def _set_clock(self, offset: float | None, device: Device) -> None:
        """Set the clock where the model wants that and it is not right already."""
        wants = self._guest.model.clock if self._guest.model is not None else None
        around = self._tools.around
        local = around.now().astimezone(around.zone)
        home = clock.home_offset_s(local)
        is_right = offset is not None and abs(offset - home) <= _CLOCK_TOLERANCE_S
        if wants is None or (is_right and wants.deadline_s is None and not device.clock_wanted):
            return
        if await self._peer.set_clock(wants.characteristic, local):
            self._tools.outbox.set_clock(self._visit, home)
            self._tools.registry.want_clock(device.identity, wanted=False)

    async def _ask_consent(self) -> None:
        consent = self._guest.consent
        if consent is None or not self._peer.offers("2A9F"):
            return
        asked = user_data.consent(consent.user, consent.code)
        await self._peer.write("2A9F", user_data.encode(asked))
        async with asyncio.timeout(_PATIENCE_S):
            await self._consented.wait()

    def _hear_consent(self, answer: bytes) -> None:
        """A device that refuses may still tell something: the visit goes on."""
        with suppress(UnreadableError):
            result = user_data.parse(answer).result
            self._refusal = "" if result == user_data.Result.SUCCESS else f"no consent: {result}"
        self._consented.set()

    async def _facts(self, device: Device) -> None:
        """Battery every time, firmware once; a device without them is none the worse."""
        level = await self._peer.battery()
        firmware = None if device.firmware else await self._peer.firmware()
        self._tools.registry.learn(device.identity, Facts(battery=level, firmware=firmware))

    async def _fetch(self, device: Device) -> Fetched | None:
        """Ask for stored records where the device keeps them behind a control point."""
        model = self._guest.model
        if not self._peer.offers("2A52") or (model is not None and model.streams_on_subscribe):
            return None
        now, last = self._tools.around.now(), device.last_sequence
        self._fetching = Fetching(
            lambda body: self._peer.write("2A52", body), self._gone, _PATIENCE_S
        )
        try:
            async with asyncio.timeout(_LONGEST_FETCH_S):
                ask = sequences.ask(last, device.fetched_all_at, now)
                fetched = await self._fetching.run(ask, last)
        finally:
            self._fetching = None
        self._remember(device, fetched, now)
        return fetched

    def _remember(self, device: Device, fetched: Fetched, now: datetime) -> None:
        if fetched.reset:
            self._reset = True
            self._tools.registry.restart_sequence(device.identity, fetched.newest)
        if fetched.everything:
            self._tools.registry.fetched_all(device.identity, now)

    async def _linger(self, idle_s: float) -> None:
        """Stay until the device hangs up or has said nothing for a while."""
        end = asyncio.get_running_loop().time() + _LONGEST_S
        while not self._gone.is_set() and asyncio.get_running_loop().time() < end:
            self._stir.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (self._gone, self._stir)]
            await asyncio.wait(waits, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if not self._stir.is_set():
                return

    def _interrupted(self, error: Exception) -> Report:
        """A device that hangs up after it has told something has done what we wanted."""
        if self._broken is not None:
            return self._report(Outcome.NOT_STORED, str(self._broken))
        hung_up = self._gone.is_set()
        if hung_up and self._frames and not isinstance(error, FetchError):
            return self._report(Outcome.READ)
        if not_trusted(error):
            return self._report(Outcome.NOT_TRUSTED, str(error))
        return self._report(Outcome.HUNG_UP if hung_up else Outcome.FAILED, str(error))

    def _report(self, outcome: Outcome, detail: str = "") -> Report:
        return Report(
            outcome=outcome,
            identity=self._identity,
            frames=self._frames,
            detail=detail[:200],
            sequence_reset=self._reset,
        )

    def _idle_s(self) -> float:
        if self._tools.idle_s is not None:
            return self._tools.idle_s
        return self._guest.model.idle_timeout_s if self._guest.model is not None else 8.0


def not_trusted(error: BaseException) -> bool:
    """Whether an error says that there is no bond, or no longer the same one on both sides."""
    return is_about_bond(error) and not any(word in str(error).lower() for word in _PASSING)


def is_about_bond(error: BaseException) -> bool:
    """Whether it was the pairing that failed, for whatever reason."""
    text = str(error).lower()
    return any(word in text for word in _BOND_WORDS)
