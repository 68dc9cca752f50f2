"""What is known of a model of device: how to recognise it and how to treat it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from devices.reading import Kind


class Pairing(StrEnum):
    """How a bond is made."""

    NONE = "none"
    JUST_WORKS = "just_works"
    PASSKEY = "passkey"


class Evidence(StrEnum):
    """What our knowledge of a model rests on."""

    CAPTURED = "captured"
    """Frames of a real unit are among our recordings."""
    REPORTED = "reported"
    """Developers who have one say so in public."""
    VENDOR_DOCUMENT = "vendor_document"
    NONE = "none"
    """Assumed from its family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManufacturerData:
    """Bytes that an advert carries under a company's number; only masked bits count."""

    company: int
    value: str
    """Hex, from the first byte after the company number."""
    mask: str
    """Hex, as long as the value."""

    def fits(self, advertised: Mapping[int, bytes]) -> bool:
        """Whether an advert carries these bytes."""
        data = advertised.get(self.company)
        value, mask = bytes.fromhex(self.value), bytes.fromhex(self.mask)
        if data is None or len(data) < len(value):
            return False
        seen = zip(data, value, mask, strict=False)
        return all(byte & bits == wanted & bits for byte, wanted, bits in seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingMode:
    """How an advert shows that a person has put the device into pairing mode."""

    advertising_flags: int | None = None
    """The value of the advert's Flags field."""
    manufacturer: ManufacturerData | None = None
    name_pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWrite:
    """Where and how fast the device wants to be told the time."""

    service: str
    characteristic: str
    """2A2B (Current Time) or 2A08 (Date Time)."""
    deadline_s: float | None = None
    """It hangs up if the clock is not written this soon after the link is encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model, or one generic profile."""

    key: str
    maker: str
    name: str
    kinds: tuple[Kind, ...]
    services: tuple[str, ...] = ()
    """Services that it offers, any of which recognises it when it has no name pattern."""
    name_pattern: str | None = None
    """Regular expression for the whole advertised name, case ignored."""
    manufacturer: ManufacturerData | None = None
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The maker's own services and characteristics that are a standard one in disguise."""
    pairing: Pairing = Pairing.JUST_WORKS
    passkey_found: str = ""
    """Where a person finds the passkey."""
    pairing_mode: PairingMode | None = None
    silent_until_bonded: bool = False
    clock: ClockWrite | None = None
    """None: its clock is not ours to write."""
    racp: bool = False
    """Stored records are asked for through the Record Access Control Point."""
    streams_on_subscribe: bool = False
    dump_then_disconnect: bool = False
    """It hangs up when it has sent all it has: success, not a fault."""
    deletes_after_transfer: bool = False
    last_value_wins: bool = False
    """Values before the last one of a session are not final."""
    consent: bool = False
    """Wants a user slot and consent code (User Data) before it shows anything."""
    user_slots: int = 1
    weight_step_kg: float | None = None
    averaging: str = ""
    """How the device averages, if it does; empty: single measurements."""
    idle_timeout_s: float = 8.0
    """A session ends when nothing came for so long."""
    quirk: str | None = None
    """Name of the decoder for its frames (devices.quirks)."""
    evidence: Evidence
    source: str
    tested_on_hardware: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_generic(self) -> bool:
        """Stands for any device of a profile, not for a model."""
        return self.name_pattern is None and self.manufacturer is None and not self.aliases

    def in_pairing_mode(
        self,
        *,
        name: str | None = None,
        manufacturer: Mapping[int, bytes] | None = None,
        advertising_flags: int | None = None,
    ) -> bool | None:
        """Return whether an advert invites pairing; None where this model's adverts cannot tell."""
        mode = self.pairing_mode
        if mode is None:
            return None
        if mode.manufacturer is not None and manufacturer:
            return mode.manufacturer.fits(manufacturer)
        if mode.advertising_flags is not None and advertising_flags is not None:
            return mode.advertising_flags == advertising_flags
        if mode.name_pattern is not None and name is not None:
            return re.fullmatch(mode.name_pattern, name) is not None
        return None

    def fit(
        self, *, name: str | None, services: Collection[str], manufacturer: Mapping[int, bytes]
    ) -> int:
        """Return how well an advert fits, 0 if not at all: name over manufacturer over service."""
        offered = set(services) & {*self.services, *self.aliases}
        own = any(len(service) > _STANDARD for service in offered)
        named = self.name_pattern is not None and re.fullmatch(
            self.name_pattern, name or "", re.IGNORECASE
        )
        made = self.manufacturer is not None and self.manufacturer.fits(manufacturer)
        if named:
            return _NAMED + bool(offered)
        if own or (made and (offered or not services)):
            return _MADE
        return _OFFERED if offered and self.is_generic else 0


_NAMED, _MADE, _OFFERED = 4, 2, 1
_STANDARD = 4
"""Digits of a standard service; longer ones are a maker's own and tell the maker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A model that people will ask for and that we cannot read."""

    maker: str
    name: str
    reason: str
