"""Advertising data: the few fields that our devices send, packed and parsed. Pure."""

from dataclasses import dataclass
from enum import IntEnum

LEGACY_LIMIT = 31
"""Bytes that one legacy advertisement may carry."""


class Field(IntEnum):
    """Advertising data types that we use."""

    FLAGS = 0x01
    SOME_16_BIT_SERVICES = 0x02
    ALL_16_BIT_SERVICES = 0x03
    SOME_128_BIT_SERVICES = 0x06
    ALL_128_BIT_SERVICES = 0x07
    SHORT_NAME = 0x08
    COMPLETE_NAME = 0x09
    TX_POWER = 0x0A
    MANUFACTURER = 0xFF


class Discoverable(IntEnum):
    """Values of the flags field: A&D devices tell pairing mode from transfer mode by it."""

    TRANSFER = 0x04
    PAIRING = 0x05
    GENERAL = 0x06


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """What one advertisement says."""

    name: str = ""
    services: tuple[str, ...] = ()
    """Full 128-bit UUIDs in lower case."""
    flags: int | None = None
    manufacturer: tuple[int, bytes] | None = None
    """Company identifier and its bytes."""


def uuid128(short: int) -> str:
    """The full form of a UUID that the Bluetooth SIG assigned."""
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"


def dump(advert: Advert) -> bytes:
    """Pack an advertisement; raise ValueError if a legacy packet cannot carry it."""
    packed = b"".join(_field(kind, body) for kind, body in _fields(advert))
    if len(packed) > LEGACY_LIMIT:
        raise ValueError(f"advertisement of {len(packed)} bytes, at most {LEGACY_LIMIT} fit")
    return packed


def load(packed: bytes) -> Advert:
    """Parse an advertisement; fields that are cut off or unknown are left out."""
    name, services, flags, manufacturer = "", [], None, None
    for kind, body in _split(packed):
        match kind:
            case Field.FLAGS if body:
                flags = body[0]
            case Field.SOME_16_BIT_SERVICES | Field.ALL_16_BIT_SERVICES:
                services += [uuid128(int.from_bytes(two, "little")) for two in _chunks(body, 2)]
            case Field.SOME_128_BIT_SERVICES | Field.ALL_128_BIT_SERVICES:
                services += [_dashed(sixteen) for sixteen in _chunks(body, 16)]
            case Field.SHORT_NAME | Field.COMPLETE_NAME:
                name = body.decode("utf-8", "replace")
            case Field.MANUFACTURER if len(body) >= 2:  # noqa: PLR2004  a company id is two bytes
                manufacturer = (int.from_bytes(body[:2], "little"), body[2:])
    return Advert(name=name, services=tuple(services), flags=flags, manufacturer=manufacturer)


def _fields(advert: Advert) -> list[tuple[Field, bytes]]:
    """The fields of an advertisement in the order in which they are sent."""
    fields: list[tuple[Field, bytes]] = []
    if advert.flags is not None:
        fields.append((Field.FLAGS, bytes([advert.flags])))
    short = [uuid for uuid in advert.services if uuid128(int(uuid[:8], 16)) == uuid]
    if short:
        body = b"".join(int(uuid[:8], 16).to_bytes(2, "little") for uuid in short)
        fields.append((Field.ALL_16_BIT_SERVICES, body))
    long = [bytes.fromhex(uuid.replace("-", "")) for uuid in advert.services if uuid not in short]
    fields += [(Field.SOME_128_BIT_SERVICES, body[::-1]) for body in long]
    if advert.manufacturer is not None:
        company, body = advert.manufacturer
        fields.append((Field.MANUFACTURER, company.to_bytes(2, "little") + body))
    if advert.name:
        fields.append((Field.COMPLETE_NAME, advert.name.encode()))
    return fields


def _field(kind: Field, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def _split(packed: bytes) -> list[tuple[int, bytes]]:
    """Cut length-type-value triples; stop at the first that is not whole."""
    fields, at = [], 0
    while at < len(packed) and packed[at] and at + packed[at] < len(packed):
        end = at + 1 + packed[at]
        fields.append((packed[at + 1], packed[at + 2 : end]))
        at = end
    return fields


def _chunks(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body) - size + 1, size)]


def _dashed(little_endian: bytes) -> str:
    text = little_endian[::-1].hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
