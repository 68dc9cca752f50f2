"""One long-lived scanner for each adapter; what it hears is told as sightings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from devices import models
from devices.model import Model
from gateway.sightings import Sighting

log = structlog.get_logger()

_REMEMBERED_ADVERTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A sighting with the object that bleak connects to."""

    sighting: Sighting
    device: BLEDevice


class Scanner:
    """Listens on one adapter until stopped; its callback is there before scanning starts."""

    def __init__(
        self, adapter: str, *, now: Callable[[], datetime], tell: Callable[[Heard], None]
    ) -> None:
        self.adapter = adapter
        self._now = now
        self._tell = tell
        self._scanner: BleakScanner | None = None
        self._models: dict[tuple[str, frozenset[str], frozenset[int]], Model | None] = {}

    async def start(self) -> bool:
        """Begin to listen; return whether the radio took it."""
        await self.stop()
        try:
            scanner = BleakScanner(
                detection_callback=self._detected,
                scanning_mode="active",
                bluez={"adapter": self.adapter},
            )
            await scanner.start()
        except (BleakError, OSError, EOFError, TimeoutError, KeyError) as error:
            log.warning("scan_not_started", adapter=self.adapter, error=str(error))
            return False
        self._scanner = scanner
        return True

    async def stop(self) -> None:
        """End listening; a radio that is gone has ended it already."""
        scanner, self._scanner = self._scanner, None
        if scanner is None:
            return
        try:
            await scanner.stop()
        except (BleakError, OSError, EOFError, TimeoutError, KeyError) as error:
            log.info("scan_not_stopped", adapter=self.adapter, error=str(error))

    def _detected(self, device: BLEDevice, advert: AdvertisementData) -> None:
        sighting = Sighting(
            address=device.address.upper(),
            adapter=self.adapter,
            name=advert.local_name or device.name or "",
            model=self._model(device, advert),
            rssi=advert.rssi,
            at=self._now(),
            advertising_flags=_flags(device),
            manufacturer=advert.manufacturer_data,
        )
        self._tell(Heard(sighting=sighting, device=device))

    def _model(self, device: BLEDevice, advert: AdvertisementData) -> Model | None:
        """Matching walks the catalogue: do it once for each kind of advert, not for each advert."""
        services = frozenset(advert.service_uuids)
        manufacturer = advert.manufacturer_data
        name = advert.local_name or device.name or ""
        marks = frozenset(hash((key, value)) for key, value in manufacturer.items())
        key = (name, services, marks)
        if key not in self._models:
            if len(self._models) >= _REMEMBERED_ADVERTS:
                self._models.clear()
            self._models[key] = models.match(
                name=name, services=services, manufacturer=manufacturer
            )
        return self._models[key]


def _flags(device: BLEDevice) -> int | None:
    """The advert's Flags field, which bleak hands on only among BlueZ's own properties."""
    raw = device.details.get("props", {}).get("AdvertisingFlags")
    return raw[0] if raw else None
