"""The adapters and their scanners, watched over: restarted, reset, or given up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway import watchdog
from gateway.bluez import Bluez, BluezError
from gateway.scanner import Heard, Scanner
from gateway.surroundings import Surroundings
from gateway.watchdog import Health, Step

log = structlog.get_logger()

EXIT_RADIO = 75
"""The radio cannot be brought back from inside: the supervisor is to start us anew."""
_LOOK_EVERY_S = 1.0
_LOOK_IN_PEACE_EVERY_S = 5.0
_DEFAULT_ADAPTER = "hci0"


@dataclass(slots=True)
class _Ear:
    """One adapter: its scanner and how it is."""

    scanner: Scanner
    health: Health
    address: str = ""


class Ears:
    """Listens on every adapter that is wanted, or that is there."""

    def __init__(
        self,
        wanted: tuple[str, ...],
        bluez: Bluez,
        around: Surroundings,
        tell: Callable[[Heard], None],
    ) -> None:
        self._wanted = wanted
        self._bluez = bluez
        self._around = around
        self._tell = tell
        self._ears: dict[str, _Ear] = {}

    @property
    def works(self) -> bool:
        """Whether at least one adapter listens, or none was tried yet."""
        return not self._ears or any(ear.health.scanning for ear in self._ears.values())

    @property
    def down(self) -> bool:
        """Whether every adapter that was tried is beyond a slow start."""
        ears = self._ears.values()
        return bool(ears) and all(watchdog.is_down(ear.health) for ear in ears)

    def failing(self) -> list[str]:
        """Return the adapters that do not listen."""
        return [name for name, ear in self._ears.items() if not ear.health.scanning]

    async def watch(self, is_busy: Callable[[], bool]) -> int:
        """Keep the scanners going; return when the radio is beyond help."""
        while True:
            present = await self._present()
            for name in self._wanted or {*present, *self._ears} or {_DEFAULT_ADAPTER}:
                self._ear(name).address = present.get(name, self._ear(name).address)
                if name not in present:
                    self._lose(name)
            for ear in self._ears.values():
                if await self._tend(ear) is Step.GIVE_UP and not self.works:
                    return EXIT_RADIO
            peace = self.works and not is_busy()
            await asyncio.sleep(_LOOK_IN_PEACE_EVERY_S if peace else _LOOK_EVERY_S)

    async def stop(self) -> None:
        """Stop listening."""
        for ear in self._ears.values():
            await ear.scanner.stop()

    async def _present(self) -> dict[str, str]:
        """Return the adapters that are there and switched on; none if BlueZ is not there."""
        try:
            await self._bluez.prepare()
            return await self._bluez.adapters()
        except BluezError as error:
            log.warning("bluez_not_there", error=str(error))
            return {}

    def _ear(self, name: str) -> _Ear:
        if name not in self._ears:
            now = self._around.now()
            self._ears[name] = _Ear(
                scanner=Scanner(name, now=self._around.now, tell=self._heard),
                health=watchdog.newly_found(now),
            )
        return self._ears[name]

    def _heard(self, heard: Heard) -> None:
        ear = self._ears[heard.sighting.adapter]
        ear.health = watchdog.heard(ear.health, heard.sighting.at)
        self._tell(heard)

    def _lose(self, name: str) -> None:
        ear = self._ear(name)
        ear.health = watchdog.lost(ear.health)

    async def _tend(self, ear: _Ear) -> Step:
        step = watchdog.decide(ear.health, self._around.now())
        if step is Step.RESTART or (step is Step.GIVE_UP and self.works):
            works = await ear.scanner.start()
            ear.health = watchdog.restarted(ear.health, self._around.now(), works=works)
            log.info("scanner_restarted", adapter=ear.scanner.adapter, works=works)
        elif step is Step.RECOVER:
            await self._recover(ear)
        return step

    async def _recover(self, ear: _Ear) -> None:
        """Reset the adapter's hardware; only a real one can be."""
        from bluetooth_auto_recovery import recover_adapter  # noqa: PLC0415  rarely needed, heavy

        name = ear.scanner.adapter
        number = int(name.removeprefix("hci") or 0) if name.startswith("hci") else 0
        await ear.scanner.stop()
        try:
            done = await recover_adapter(number, ear.address)
        except Exception:
            log.exception("adapter_not_reset", adapter=name)
            done = False
        log.warning("adapter_reset", adapter=name, done=done)
        ear.health = watchdog.recovered(ear.health, self._around.now())
