"""Building GATT services with little ceremony: short UUIDs, reads and writes as plain functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bumble.att import Attribute, AttributeValue
from bumble.core import UUID
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Descriptor,
    Service,
)

Read = Callable[[], bytes]
Write = Callable[[bytes], None]
Value = AttributeValue[bytes] | bytes

Properties = Characteristic.Properties
Permissions = Attribute.Permissions


def service(
    short: int, characteristics: Sequence[Characteristic[bytes]], *, alias: str | None = None
) -> Service:
    """A primary service of an assigned number, or under the maker's own UUID instead."""
    return Service(_uuid(short, alias), list(characteristics))


def readable(short: int, value: bytes | Read, *, encrypted: bool = False) -> Characteristic[bytes]:
    """A characteristic that can be read."""
    permissions = Permissions.READABLE
    if encrypted:
        permissions |= Permissions.READ_REQUIRES_ENCRYPTION
    held: Value = value if isinstance(value, bytes) else _from(value)
    return Characteristic(UUID.from_16_bits(short), Properties.READ, permissions, held)


def writable(
    short: int, write: Write, *, read: Read | None = None, encrypted: bool = False
) -> Characteristic[bytes]:
    """A characteristic that can be written, and read if `read` is given."""
    permissions, properties = Permissions.WRITEABLE, Properties.WRITE
    if encrypted:
        permissions |= Permissions.WRITE_REQUIRES_ENCRYPTION
    if read is not None:
        permissions |= Permissions.READABLE
        properties |= Properties.READ
    return Characteristic(UUID.from_16_bits(short), properties, permissions, _to(write, read))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a characteristic reports: indicated or notified, to whom, and under which UUID."""

    indicate: bool
    encrypted: bool = False
    write: Write | None = None
    """If given, it takes writes too (a control point)."""
    alias: str | None = None


def reported(device: Device, short: int, source: Source) -> Characteristic[bytes]:
    """A characteristic that the device notifies or indicates."""
    permissions = Permissions(0)
    properties = Properties.INDICATE if source.indicate else Properties.NOTIFY
    if source.write is not None:
        properties |= Properties.WRITE
        permissions |= Permissions.WRITEABLE
    value: Value = b"" if source.write is None else _to(source.write, None)
    made = Characteristic(_uuid(short, source.alias), properties, permissions, value)
    if source.encrypted:
        made.descriptors = [_guarded_subscription(device, made)]
    return made


def _uuid(short: int, alias: str | None) -> UUID:
    return UUID.from_16_bits(short) if alias is None else UUID(alias)


def _guarded_subscription(device: Device, characteristic: Characteristic[bytes]) -> Descriptor:
    """The subscription descriptor of a device that lets only bonded clients subscribe."""
    return Descriptor(
        GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
        Permissions.READABLE | Permissions.WRITEABLE | Permissions.WRITE_REQUIRES_ENCRYPTION,
        device.gatt_server.make_descriptor_value(characteristic),
    )


def _from(read: Read) -> AttributeValue[bytes]:
    def answer(_connection: Connection) -> bytes:
        return read()

    return AttributeValue(read=answer)


def _to(write: Write, read: Read | None) -> AttributeValue[bytes]:
    def take(_connection: Connection, value: bytes) -> None:
        write(value)

    def answer(_connection: Connection) -> bytes:
        return b"" if read is None else read()

    return AttributeValue(read=answer, write=take)
