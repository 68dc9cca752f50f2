"""Device Information: System ID 2A23 and the strings 2A24 to 2A29; who a device is."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from devices.cursor import Cursor
from devices.shown import Fields

STRINGS: Mapping[str, str] = MappingProxyType(
    {
        "2A24": "model",
        "2A25": "serial",
        "2A26": "firmware",
        "2A27": "hardware",
        "2A28": "software",
        "2A29": "manufacturer",
    }
)
_EUI_64_MIDDLE = b"\xfe\xff"
_MANUFACTURER_BYTES = 5
_NO_SERIAL = frozenset({"", "0", "none", "n/a", "unknown", "serial number", "serialnumber"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemId:
    """2A23: 40 bits chosen by the manufacturer, then its 24-bit OUI, both little-endian."""

    manufacturer: int
    oui: int
    trailing: bytes = b""

    @property
    def mac(self) -> str | None:
        """The address that an EUI-64 was made of, None if the id is no such EUI-64."""
        low = self.manufacturer.to_bytes(_MANUFACTURER_BYTES, "little")
        if low[3:] != _EUI_64_MIDDLE:
            return None
        return (self.oui.to_bytes(3, "big") + low[2::-1]).hex(":").upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One of the strings; devices pad them with zeros or blanks."""

    text: str


def parse(frame: bytes) -> SystemId:
    """Read 2A23."""
    cursor = Cursor(frame)
    manufacturer = int.from_bytes(cursor.take(_MANUFACTURER_BYTES), "little")
    return SystemId(manufacturer=manufacturer, oui=cursor.u24(), trailing=cursor.rest())


def encode(system: SystemId) -> bytes:
    """Return 2A23."""
    manufacturer = system.manufacturer.to_bytes(_MANUFACTURER_BYTES, "little")
    return manufacturer + system.oui.to_bytes(3, "little") + system.trailing


def system_id(mac: str) -> SystemId:
    """Return the EUI-64 System ID that a device with this address has."""
    address = bytes.fromhex(mac.replace(":", ""))
    low = address[:2:-1] + _EUI_64_MIDDLE
    return SystemId(
        manufacturer=int.from_bytes(low, "little"), oui=int.from_bytes(address[:3], "big")
    )


def parse_text(frame: bytes) -> Text:
    """Read a string up to its first zero; bytes that are no UTF-8 become U+FFFD."""
    return Text(text=bytes(frame).split(b"\0", 1)[0].decode("utf-8", "replace").strip())


def encode_text(text: Text) -> bytes:
    """Return the string's bytes."""
    return text.text.encode()


def identity(*, serial: str | None, system: SystemId | None, address: str) -> str:
    """Return the stable identity of a device: serial number, else System ID, else address.

    Some models ship the same serial number in every unit: those that say nothing are passed over.
    """
    known = (serial or "").strip()
    if known.lower() not in _NO_SERIAL and known.strip("0- "):
        return known
    if system is not None and (system.manufacturer or system.oui):
        return f"{system.oui:06X}{system.manufacturer:010X}"
    return address.upper()


def fields(system: SystemId) -> Fields:
    """Return the decoded fields of 2A23."""
    return {
        "oui": f"{system.oui:06x}",
        "manufacturer": f"{system.manufacturer:010x}",
        "mac": system.mac,
    }


def text_fields(text: Text) -> Fields:
    """Return the decoded field of a string."""
    return {"text": text.text}
