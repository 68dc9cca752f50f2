"""A batch between gathering and writing: which look-ups it needs, what is decided. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from devices.reading import Kind
from devices.wire import WireReading
from ingest import acceptance, door
from ingest.bounds import Bounds
from ingest.decision import Decision, Quarantined, Queue, Reason
from ingest.door import Address, EventLetter, Letter, Opened, ReadingsLetter, StatusLetter, Unusable
from ingest.people import Device, Gateway, Medians, OtherRate

Key = tuple[int, str]
HEART_RATE = Kind.HEART_RATE


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One reading with its decision, and where it came from."""

    letter: ReadingsLetter
    at: int
    """Its place in the publication."""
    reading: WireReading
    decision: Decision


class PutAside(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row for quarantine."""

    id: UUID
    is_reading: bool
    organisation_id: UUID | None
    gateway_id: str | None
    device_id: str | None
    reason: Reason
    queue: Queue
    detail: str
    topic: str
    payload: bytes
    gateway_time: datetime | None
    received_at: datetime


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up for a batch."""

    gateways: Mapping[str, Gateway | None]
    devices: Mapping[str, Device | None]
    medians: Mapping[Key, Medians | None]
    other_rates: Mapping[UUID, Sequence[OtherRate]]
    bounds: Bounds
    accept_likely: bool


class Batch(msgspec.Struct, frozen=True):
    """Opened messages, by what they are."""

    readings: tuple[ReadingsLetter, ...] = ()
    events: tuple[EventLetter, ...] = ()
    statuses: tuple[StatusLetter, ...] = ()
    unusable: tuple[Unusable, ...] = ()

    def __len__(self) -> int:
        """How many messages."""
        return len(self.readings) + len(self.events) + len(self.statuses) + len(self.unusable)

    @property
    def everything(self) -> list[Opened]:
        """All messages."""
        return [*self.readings, *self.events, *self.statuses, *self.unusable]

    def halves(self) -> tuple["Batch", "Batch"]:
        """Split in two, to find what cannot be stored; a lone message between its readings."""
        everything = self.everything
        if len(everything) == 1 and self.readings:
            return _split(self.readings[0])
        middle = len(everything) // 2
        return of(everything[:middle]), of(everything[middle:])

    @property
    def divisible(self) -> bool:
        """Whether `halves` gives two batches that are not empty."""
        return len(self) > 1 or any(len(each.message.readings) > 1 for each in self.readings)


def of(opened: Iterable[Opened]) -> Batch:
    """Sort opened messages."""
    readings: list[ReadingsLetter] = []
    events: list[EventLetter] = []
    statuses: list[StatusLetter] = []
    unusable: list[Unusable] = []
    for each in opened:
        if isinstance(each, ReadingsLetter):
            readings.append(each)
        elif isinstance(each, EventLetter):
            events.append(each)
        elif isinstance(each, StatusLetter):
            statuses.append(each)
        else:
            unusable.append(each)
    return Batch(tuple(readings), tuple(events), tuple(statuses), tuple(unusable))


def open_all(letters: Iterable[Letter]) -> Batch:
    """Open and sort publications."""
    return of(door.open_letter(letter) for letter in letters)


def gateways(batch: Batch) -> set[str]:
    """Which gateways the batch is from."""
    return {each.address.gateway for each in batch.everything if each.address is not None}


def devices(batch: Batch) -> set[str]:
    """Which devices measured."""
    return {each.message.device for each in batch.readings}


def median_keys(batch: Batch, known: Mapping[str, Device | None]) -> set[Key]:
    """Whose usual values are needed: everybody's to whom a device is assigned."""
    return {
        (assignment.person.patient_id.int, reading.kind)
        for each in batch.readings
        if (device := known.get(each.message.device)) is not None
        for reading in each.message.readings
        for assignment in device.assignments
    }


def heart_rates(batch: Batch, known: Mapping[str, Device | None]) -> dict[UUID, datetime]:
    """Whose pulse from other devices is needed, and around when."""
    return {
        assignment.person.patient_id: reading.at
        for each in batch.readings
        for reading in each.message.readings
        if reading.kind == HEART_RATE and reading.at.tzinfo is not None
        if (device := known.get(each.message.device)) is not None
        for assignment in device.assignments
    }


def judge(batch: Batch, known: Known) -> Iterator[Judged]:
    """Decide every reading, message by message; one that comes again is not given again."""
    seen: set[int] = set()
    for each in batch.readings:
        readings = each.message.readings
        decisions = acceptance.decide_all(readings, _context(each, known))
        for at, (reading, decision) in enumerate(zip(readings, decisions, strict=True), each.first):
            key = reading.id.int
            if key not in seen:
                seen.add(key)
                yield Judged(each, at, reading, decision)


def _context(letter: ReadingsLetter, known: Known) -> acceptance.Context:
    message = letter.message
    return acceptance.Context(
        gateway=known.gateways.get(message.gateway),
        device=known.devices.get(message.device),
        medians=known.medians,
        other_rates=known.other_rates,
        bounds=known.bounds,
        siblings=message.readings,
        accept_likely=known.accept_likely,
        now=letter.letter.received_at,
    )


def put_aside(
    batch: Batch,
    quarantined: Iterable[tuple[Judged, Quarantined]],
    known: Mapping[str, Gateway | None],
) -> list[PutAside]:
    """What goes to quarantine: readings, messages, and events of strangers."""
    found = {each.reading.id: _reading_aside(each, decision) for each, decision in quarantined}
    for message in batch.unusable:
        found.setdefault(message.id, _message_aside(message, known))
    for event in batch.events:
        if known.get(event.address.gateway) is None:
            found.setdefault(event.message.id, _event_aside(event))
    return list(found.values())


def acknowledged(batch: Batch) -> dict[Address, list[UUID]]:
    """Which ids each gateway may forget, once the batch is stored."""
    found: dict[tuple[str, str], tuple[Address, list[UUID]]] = {}

    def note(address: Address, ids: Iterable[UUID]) -> None:
        found.setdefault((address.site, address.gateway), (address, []))[1].extend(ids)

    for each in batch.readings:
        note(each.address, [reading.id for reading in each.message.readings])
    for event in batch.events:
        note(event.address, [event.message.id])
    for message in batch.unusable:
        if message.address is not None and message.fished:
            note(message.address, message.fished)
    return dict(found.values())


def _split(letter: ReadingsLetter) -> tuple[Batch, Batch]:
    readings = letter.message.readings
    middle = len(readings) // 2
    parts = (
        msgspec.structs.replace(
            letter,
            message=msgspec.structs.replace(letter.message, readings=readings[start:end]),
            first=letter.first + start,
        )
        for start, end in ((0, middle), (middle, len(readings)))
    )
    return Batch((next(parts),)), Batch((next(parts),))


def _reading_aside(judged: Judged, decision: Quarantined) -> PutAside:
    letter = judged.letter
    return PutAside(
        id=judged.reading.id,
        is_reading=True,
        organisation_id=decision.organisation_id,
        gateway_id=letter.message.gateway,
        device_id=letter.message.device,
        reason=decision.reason,
        queue=decision.queue,
        detail=decision.detail,
        topic=letter.letter.topic,
        payload=door.part_of(letter.letter.body, judged.at),
        gateway_time=judged.reading.at if judged.reading.at.tzinfo is not None else None,
        received_at=letter.letter.received_at,
    )


def _message_aside(message: Unusable, known: Mapping[str, Gateway | None]) -> PutAside:
    gateway = known.get(message.address.gateway) if message.address is not None else None
    return PutAside(
        id=message.id,
        is_reading=False,
        organisation_id=gateway.organisation_id if gateway is not None else None,
        gateway_id=message.address.gateway if message.address is not None else None,
        device_id=None,
        reason=message.reason,
        queue=Queue.TECHNICAL,
        detail=message.detail,
        topic=message.letter.topic,
        payload=message.payload,
        gateway_time=None,
        received_at=message.letter.received_at,
    )


def _event_aside(event: EventLetter) -> PutAside:
    return PutAside(
        id=event.message.id,
        is_reading=False,
        organisation_id=None,
        gateway_id=event.address.gateway,
        device_id=event.message.device,
        reason=Reason.UNKNOWN_GATEWAY,
        queue=Queue.TECHNICAL,
        detail=f"event {event.message.event}"[:200],
        topic=event.letter.topic,
        payload=event.letter.body,
        gateway_time=event.message.at if event.message.at.tzinfo is not None else None,
        received_at=event.letter.received_at,
    )
