"""Whom the box visits: devices of this home, others only while a pairing is ordered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from devices.model import Model
from gateway.known import Device
from gateway.settings import KnownDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One advertisement, as far as it matters."""

    address: str
    adapter: str
    name: str
    model: Model | None
    rssi: int
    at: datetime
    advertising_flags: int | None = None
    manufacturer: Mapping[int, bytes]

    @property
    def invites_pairing(self) -> bool:
        """Whether a person seems to have put it into pairing mode; unknown counts as yes."""
        if self.model is None:
            return False
        told = self.model.in_pairing_mode(
            name=self.name,
            manufacturer=self.manufacturer,
            advertising_flags=self.advertising_flags,
        )
        return told is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The pairing that was ordered and is still open."""

    device: str | None
    """Identity, address, name or model key; None: any supported device that invites pairing."""
    passkey: str | None
    until: datetime


class Interest(StrEnum):
    """Whether to visit a device, and why (not)."""

    KNOWN = "visit: it belongs to this home"
    LISTED = "visit: it may be one that is listed for this home"
    PAIR = "visit: pairing was ordered"
    OPEN = "visit: this box reads every supported device"
    STRANGER = "ignore: not of this home"
    UNSUPPORTED = "ignore: no model that we can read"

    @property
    def is_visit(self) -> bool:
        """Whether to connect."""
        return self not in (Interest.STRANGER, Interest.UNSUPPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What belongs to this home, as far as the box knows."""

    listed: Sequence[KnownDevice]
    located: frozenset[str]
    """Identities whose address is known."""
    accept_unknown: bool


def interest(
    sighting: Sighting, device: Device | None, house: House, wanted: Wanted | None
) -> Interest:
    """Return whether to visit; `device` is what is remembered of this address."""
    if wanted is not None and sighting.at < wanted.until and _is_wanted(sighting, device, wanted):
        return Interest.PAIR
    if device is not None and (device.enrolled or _listed(sighting, device, house)):
        return Interest.KNOWN
    if sighting.model is None:
        return Interest.UNSUPPORTED
    if device is None and any(_may_be(sighting, one, house) for one in house.listed):
        return Interest.LISTED
    return Interest.OPEN if house.accept_unknown else Interest.STRANGER


def passkey_for(sighting: Sighting, listed: Sequence[KnownDevice]) -> str | None:
    """Return the configured passkey of the device that this may be."""
    by_address = [one for one in listed if one.address.upper() == sighting.address]
    may_be = by_address or [one for one in listed if not one.address and _fits(sighting, one)]
    return next((one.passkey for one in may_be if one.passkey), None)


def belongs(identity: str, address: str, house: House) -> bool:
    """Whether the device that was met is listed for this home."""
    return house.accept_unknown or any(
        identity == one.identity or address == one.address.upper() for one in house.listed
    )


def _is_wanted(sighting: Sighting, device: Device | None, wanted: Wanted) -> bool:
    if sighting.model is None:
        return False
    if wanted.device is None:
        return device is None and sighting.invites_pairing
    names = {sighting.address, sighting.name, sighting.model.key}
    return wanted.device in names or (device is not None and device.identity == wanted.device)


def _listed(sighting: Sighting, device: Device, house: House) -> bool:
    return belongs(device.identity, sighting.address, house)


def _may_be(sighting: Sighting, one: KnownDevice, house: House) -> bool:
    """Whether a listed device, whose address nobody knows yet, could look like this."""
    if one.address:
        return one.address.upper() == sighting.address
    return one.identity not in house.located and _fits(sighting, one)


def _fits(sighting: Sighting, one: KnownDevice) -> bool:
    if one.name:
        return one.name == sighting.name
    return sighting.model is not None and one.model in ("", sighting.model.key)
