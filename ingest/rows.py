"""What the statements take, but for readings themselves: arrays. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from uuid import UUID

import msgspec

from devices.wire import DeviceState
from ingest import binary
from ingest.batch import PutAside
from ingest.binary import Array
from ingest.door import EventLetter, StatusLetter

BATTERY_LIMIT = 100
_JSON = msgspec.json.Encoder()
_BY_INT = attrgetter("int")


def uuid_array(ids: Sequence[UUID]) -> Array:
    """Return a uuid[]."""
    return binary.array(binary.UUID_OID, binary.uuids(ids))


def text_array(values: Sequence[str | None]) -> Array:
    """Return a text[]."""
    return binary.array(binary.TEXT_OID, binary.texts(values))


def moment_array(values: Sequence[datetime | None]) -> Array:
    """Return a timestamptz[]."""
    return binary.array(binary.TIMESTAMPTZ_OID, binary.timestamptzs(values))


def aside_arrays(asides: Sequence[PutAside]) -> dict[str, Array]:
    """Return the parameters of `store_quarantine`."""
    return {
        "id": uuid_array([each.id for each in asides]),
        "organisation_id": binary.array(
            binary.UUID_OID, binary.uuids([each.organisation_id for each in asides])
        ),
        "gateway_id": text_array([each.gateway_id for each in asides]),
        "device_id": text_array([each.device_id for each in asides]),
        "reason": text_array([each.reason for each in asides]),
        "detail": text_array([each.detail for each in asides]),
        "topic": text_array([each.topic for each in asides]),
        "payload": binary.array(binary.BYTEA_OID, binary.blobs([each.payload for each in asides])),
        "gateway_time": moment_array([each.gateway_time for each in asides]),
        "received_at": moment_array([each.received_at for each in asides]),
        "queue": text_array([each.queue for each in asides]),
    }


def event_arrays(events: Iterable[EventLetter]) -> dict[str, Array]:
    """Return the parameters of `store_events`, each event once."""
    once = {event.message.id: event for event in events}
    told = [once[key] for key in sorted(once, key=_BY_INT)]
    return {
        "id": uuid_array([event.message.id for event in told]),
        "gateway_id": text_array([event.address.gateway for event in told]),
        "device_id": text_array([event.message.device for event in told]),
        "event": text_array([event.message.event for event in told]),
        "detail": text_array([event.message.detail for event in told]),
        "at": moment_array([_believed(event) for event in told]),
        "received_at": moment_array([event.letter.received_at for event in told]),
    }


def status_arrays(statuses: Iterable[StatusLetter]) -> dict[str, Array]:
    """Return the parameters of `store_statuses`: the last word of each gateway."""
    last = {status.address.gateway: status for status in statuses}
    told = [last[name] for name in sorted(last)]
    return {
        "gateway_id": text_array([status.address.gateway for status in told]),
        "state": text_array([status.message.state for status in told]),
        "at": moment_array([status.letter.received_at for status in told]),
        "status": text_array([_JSON.encode(status.message).decode() for status in told]),
    }


def device_state_arrays(statuses: Iterable[StatusLetter]) -> dict[str, Array]:
    """Return the parameters of `store_device_states`: the last word on each device."""
    last = {
        state.device: (status.address.gateway, state)
        for status in statuses
        for state in status.message.devices
    }
    told = [(name, *last[name]) for name in sorted(last)]
    batteries = [_battery(state) for _, _, state in told]
    return {
        "device_id": text_array([name for name, _, _ in told]),
        "gateway_id": text_array([gateway for _, gateway, _ in told]),
        "battery": binary.array(binary.INT2_OID, binary.int2s(batteries)),
        "firmware": text_array([state.firmware for _, _, state in told]),
        "last_seen_at": moment_array([_last_seen(state) for _, _, state in told]),
    }


def _believed(event: EventLetter) -> datetime:
    """When the event was; a time without a zone is not believed."""
    return event.message.at if event.message.at.tzinfo else event.letter.received_at


def _battery(state: DeviceState) -> int | None:
    in_range = state.battery is not None and 0 <= state.battery <= BATTERY_LIMIT
    return state.battery if in_range else None


def _last_seen(state: DeviceState) -> datetime | None:
    seen = state.last_seen
    return seen.astimezone(UTC) if seen is not None and seen.tzinfo is not None else None
