"""One radio's advertising: said once, changed or ended, never two ways at the same time."""

import asyncio
from dataclasses import replace

from bumble.device import Device

from gateway.simulated import adverts
from gateway.simulated.peripherals.behaviour import Behaviour, Bonding


class Advertiser:
    """Says one advertisement until told to say another, or none; a link ends it too."""

    def __init__(self, radio: Device, *, interval_ms: int) -> None:
        self._radio = radio
        self._interval_ms = interval_ms
        self.quiet = asyncio.Event()
        """Set while nothing is advertised."""
        self.quiet.set()
        self._said: bytes | None = None
        self._one_at_a_time = asyncio.Lock()

    async def say(self, wanted: bytes | None) -> None:
        """Advertise this, or fall silent; whoever is cancelled here leaves no command half done."""
        await asyncio.shield(asyncio.ensure_future(self._say(wanted)))

    def interrupted(self) -> None:
        """A link was made, which ended the advertising."""
        self._said = None
        self._tell()

    async def _say(self, wanted: bytes | None) -> None:
        async with self._one_at_a_time:
            if wanted == self._said:
                return
            self._said = wanted
            await self._radio.stop_advertising()
            if wanted is not None:
                await self._radio.start_advertising(
                    advertising_data=wanted,
                    advertising_interval_min=self._interval_ms,
                    advertising_interval_max=self._interval_ms,
                )
            self._tell()

    def _tell(self) -> None:
        if self._said is None:
            self.quiet.set()
        else:
            self.quiet.clear()


def said_of(name: str, services: tuple[int, ...], behaviour: Behaviour, *, pairing: bool) -> bytes:
    """What a device with these services says of itself; bonding devices tell their mode."""
    flags = adverts.Discoverable.GENERAL
    if behaviour.bonding is not Bonding.NONE:
        flags = adverts.Discoverable.PAIRING if pairing else adverts.Discoverable.TRANSFER
    manufacturer = behaviour.manufacturer_data
    if pairing and behaviour.pairing_manufacturer_data is not None:
        manufacturer = behaviour.pairing_manufacturer_data
    uuids = tuple(behaviour.aliases.get(short, adverts.uuid128(short)) for short in services)
    advert = adverts.Advert(name=name, services=uuids, flags=flags, manufacturer=manufacturer)
    try:
        return adverts.dump(advert)
    except ValueError:  # a real device puts the name into its scan response, which this air lacks
        return adverts.dump(replace(advert, name=""))
