"""Who belongs to this home: whom to visit, whom to let pair, with which number."""

import asyncio
from datetime import datetime, timedelta

import structlog

from gateway.guest import Consent, Guest
from gateway.known import Device
from gateway.registry import Registry
from gateway.settings import KnownDevice, Settings
from gateway.sightings import House, Interest, Sighting, Wanted, belongs, interest, passkey_for

log = structlog.get_logger()

_FOREIGN_FOR = timedelta(hours=24)


class Household:
    """Listed and paired devices, and the pairing that is open."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._configured = settings.devices
        self._accept_unknown = settings.radio.accept_unknown
        self._registry = registry
        self._passkeys = registry.passkeys()
        self._foreign: dict[str, datetime] = {}
        self._inviting: dict[str, Sighting] = {}
        self._wanted: Wanted | None = None
        self._paired: asyncio.Future[str] | None = None

    @property
    def _listed(self) -> tuple[KnownDevice, ...]:
        """The devices of the configuration, without those that the clinic ordered to forget."""
        return self._registry.still_listed(self._configured)

    def interest(self, sighting: Sighting) -> Interest:
        """Return whether to visit this device now, and why."""
        device = self._registry.at_address(sighting.address)
        found = interest(sighting, device, self._house(), self._wanted)
        told = self._foreign.get(sighting.address)
        if found is Interest.LISTED and told is not None and sighting.at - told < _FOREIGN_FOR:
            return Interest.STRANGER
        return found

    def guest(self, sighting: Sighting, why: Interest) -> Guest:
        """Return what a visit needs to know; while it lasts the device may pair."""
        self._inviting[sighting.address] = sighting
        return Guest(
            address=sighting.address,
            model=sighting.model,
            name=sighting.name,
            consent=self._consent(sighting),
            welcome=lambda identity: self._welcome(identity, sighting, why),
            enrol=why is Interest.PAIR,
        )

    def visited(self, sighting: Sighting, why: Interest, identity: str | None) -> None:
        """The visit is over; one that was ordered as a pairing is settled if it succeeded."""
        self._inviting.pop(sighting.address, None)
        if identity is None or why is not Interest.PAIR or self._wanted is None:
            return
        self._remember_passkey(identity, sighting.address, self._wanted.passkey)
        if self._paired is not None and not self._paired.done():
            self._paired.set_result(identity)

    def turned_away(self, sighting: Sighting) -> None:
        """It is not one of ours: leave it in peace for a day."""
        self._foreign[sighting.address] = sighting.at

    def may_pair(self, address: str) -> bool:
        """Whether BlueZ may pair with this device now: only one that we are visiting."""
        return address in self._inviting

    def passkey(self, address: str) -> str | None:
        """Return the number of the device that we are visiting."""
        sighting = self._inviting.get(address)
        if sighting is None:
            return None
        wanted = self._wanted
        if wanted is not None and wanted.passkey and wanted.until > sighting.at:
            return wanted.passkey
        return self._passkeys.get(address) or passkey_for(sighting, self._listed)

    async def pair(self, wanted: Wanted, lasts: timedelta) -> str | None:
        """Open the enrolment mode; return the identity that was paired, None if none was."""
        self._wanted = wanted
        self._paired = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(lasts.total_seconds()):
                return await self._paired
        except TimeoutError:
            return None
        finally:
            self._wanted, self._paired = None, None

    @property
    def is_pairing(self) -> bool:
        """Whether the enrolment mode is open."""
        return self._wanted is not None

    def _welcome(self, identity: str, sighting: Sighting, why: Interest) -> bool:
        if why is Interest.PAIR:
            wanted = self._wanted
            names = (sighting.address, sighting.name, None)
            return wanted is not None and (
                wanted.device in names or _is(wanted, identity, sighting)
            )
        known = self._registry.get(identity)
        enrolled = known is not None and known.enrolled
        return enrolled or belongs(identity, sighting.address, self._house())

    def _house(self) -> House:
        located = frozenset(d.identity for d in self._registry.all() if d.address)
        return House(listed=self._listed, located=located, accept_unknown=self._accept_unknown)

    def _consent(self, sighting: Sighting) -> Consent | None:
        device = self._registry.at_address(sighting.address)
        for one in self._listed:
            if one.consent_code is not None and _same(one, device, sighting):
                return Consent(user=one.consent_user, code=one.consent_code)
        return None

    def _remember_passkey(self, identity: str, address: str, passkey: str | None) -> None:
        if passkey:
            self._registry.set_passkey(identity, passkey)
            self._passkeys[address] = passkey


def _is(wanted: Wanted, identity: str, sighting: Sighting) -> bool:
    """Ordered by identity or by model."""
    model = sighting.model.key if sighting.model is not None else None
    return wanted.device in (identity, model)


def _same(one: KnownDevice, device: Device | None, sighting: Sighting) -> bool:
    if one.address.upper() == sighting.address:
        return True
    return device is not None and one.identity == device.identity
