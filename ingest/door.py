"""From an MQTT publication to something typed, or the reason why it cannot be used. Pure."""

import hashlib
import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from devices import wire
from ingest.decision import Reason

LARGEST = 256 * 1024
"""Bytes of the largest message a gateway has reason to send; larger ones are kept in part."""
KEPT_OF_OVERSIZED = 4096
FISHED_LIMIT = 2 * wire.CATCH_UP_LIMIT
_TOPIC_LEVELS = 5
_NUL = rb"\u0000"
"""JSON may write it, no text column can hold it."""
_IDS = re.compile(rb'"id"\s*:\s*"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"', re.ASCII)


class Address(msgspec.Struct, frozen=True):
    """Whose topic it is; the broker lets a gateway write under its own id only."""

    site: str
    gateway: str
    leaf: str

    @property
    def acks(self) -> str:
        """Where this gateway listens for what it may forget."""
        return _acks_topic(self.site, self.gateway)


class Letter(msgspec.Struct, frozen=True, gc=False):
    """One publication as it came."""

    topic: str
    body: bytes
    received_at: datetime


class ReadingsLetter(msgspec.Struct, frozen=True):
    """Readings of one device."""

    address: Address
    letter: Letter
    message: wire.Readings
    first: int = 0
    """Place in the publication of the first of these readings; not 0 once a message was split."""


class EventLetter(msgspec.Struct, frozen=True):
    """A technical event."""

    address: Address
    letter: Letter
    message: wire.Event


class StatusLetter(msgspec.Struct, frozen=True):
    """A heartbeat or last will."""

    address: Address
    letter: Letter
    message: wire.Status


class Unusable(msgspec.Struct, frozen=True):
    """A message for quarantine, and the ids in it that its gateway may forget all the same."""

    address: Address | None
    letter: Letter
    reason: Reason
    detail: str
    payload: bytes
    fished: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        """A digest, so that the same message sent again is the same row."""
        digest = hashlib.sha256(self.letter.topic.encode() + b"\0" + self.letter.body).digest()
        return UUID(bytes=digest[:16])


Opened = ReadingsLetter | EventLetter | StatusLetter | Unusable


def open_letter(letter: Letter) -> Opened:
    """Return what the publication says; never raises."""
    address = address_of(letter.topic)
    if address is None:
        return _unusable(None, letter, Reason.WRONG_TOPIC, "")
    if len(letter.body) > LARGEST:
        return _unusable(address, letter, Reason.OVERSIZED, f"{len(letter.body)} bytes")
    try:
        opened = _loaded(address, letter)
    except wire.WireError as error:
        return _unusable(address, letter, Reason(error.reason), error.detail)
    except (ValueError, RecursionError) as error:
        return _unusable(address, letter, Reason.MALFORMED, str(error)[:200])
    if opened.message.gateway != address.gateway:
        return _unusable(address, letter, Reason.GATEWAY_MISMATCH, "topic and message differ")
    return opened


@lru_cache(maxsize=8192)
def address_of(topic: str) -> Address | None:
    """Return the address in a topic that we subscribe to, None for any other."""
    levels = topic.split("/")
    if len(levels) != _TOPIC_LEVELS or levels[:2] != ["tidings", f"v{wire.MAJOR}"]:
        return None
    if levels[4] not in {"readings", "events", "status"} or not levels[3]:
        return None
    return Address(levels[2], levels[3], levels[4])


@lru_cache(maxsize=8192)
def _acks_topic(site: str, gateway: str) -> str:
    return f"tidings/v{wire.MAJOR}/{site}/{gateway}/acks"


def not_storable(opened: Opened, why: str) -> Unusable:
    """Return what is left of a message that the database refuses, for quarantine."""
    letter = opened.letter
    fished: tuple[UUID, ...] = ()
    if isinstance(opened, ReadingsLetter):
        part = b",".join(
            part_of(letter.body, opened.first + at) for at in range(len(opened.message.readings))
        )
        letter = Letter(letter.topic, part, letter.received_at)
        fished = tuple(reading.id for reading in opened.message.readings)
    elif isinstance(opened, EventLetter):
        fished = (opened.message.id,)
    elif isinstance(opened, Unusable):
        fished = opened.fished
    return Unusable(
        address=opened.address,
        letter=letter,
        reason=Reason.NOT_STORABLE,
        detail=_printable(why)[:200],
        payload=letter.body,
        fished=fished,
    )


def part_of(body: bytes, at: int) -> bytes:
    """Return the bytes of one reading of a readings message, as they came."""
    return bytes(msgspec.json.decode(body, type=_Parts).readings[at])


class _Parts(msgspec.Struct):
    readings: list[msgspec.Raw]


def _loaded(address: Address, letter: Letter) -> ReadingsLetter | EventLetter | StatusLetter:
    if _NUL in letter.body:
        raise wire.WireError("malformed", "contains NUL")
    if address.leaf == "readings":
        return ReadingsLetter(address, letter, wire.load_readings(letter.body))
    if address.leaf == "events":
        return EventLetter(address, letter, wire.load(letter.body, wire.Event))
    return StatusLetter(address, letter, wire.load(letter.body, wire.Status))


def _unusable(address: Address | None, letter: Letter, reason: Reason, detail: str) -> Unusable:
    """An oversized message is not kept whole, so nothing in it may be forgotten at home."""
    oversized = reason == Reason.OVERSIZED
    return Unusable(
        address=address,
        letter=letter,
        reason=reason,
        detail=_printable(detail),
        payload=letter.body[:KEPT_OF_OVERSIZED] if oversized else letter.body,
        fished=() if oversized else _fish(letter.body),
    )


def _fish(body: bytes) -> tuple[UUID, ...]:
    found = [UUID(match.decode()) for match in _IDS.findall(body)[:FISHED_LIMIT]]
    return tuple(dict.fromkeys(found))


def _printable(text: str) -> str:
    """Text that a column can hold, whatever a parser quoted."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
