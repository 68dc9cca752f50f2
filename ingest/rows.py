"""Decisions as the columns of `store_batch` and the other statements. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from operator import attrgetter
from typing import Any

import msgspec

from devices.wire import DeviceState
from ingest import arrays
from ingest.arrays import Column
from ingest.batch import Judged, PutAside
from ingest.decision import Accepted, Placed
from ingest.door import EventLetter, StatusLetter

SEPARATOR = "\x1f"
"""Between flags; `string_to_array` takes them apart."""
BATTERY_LIMIT = 100
_JSON = msgspec.json.Encoder()
_BY_ID = attrgetter("int")
_READING_COLUMNS = (
    ("reading_id", arrays.uuids),
    ("organisation_id", arrays.uuids),
    ("patient_id", arrays.uuids),
    ("device_id", arrays.texts),
    ("gateway_id", arrays.texts),
    ("kind", arrays.texts),
    ("measured_at", arrays.timestamptzs),
    ("value", arrays.float8s),
    ("diastolic", arrays.float8s),
    ("mean_arterial", arrays.float8s),
    ("pulse", arrays.float8s),
    ("original_value", arrays.float8s),
    ("original_unit", arrays.texts),
    ("status", arrays.texts),
    ("flags", arrays.texts),
    ("time_quality", arrays.texts),
    ("device_time", arrays.timestamps),
    ("gateway_time", arrays.timestamptzs),
    ("received_at", arrays.timestamptzs),
    ("clock_offset_s", arrays.float4s),
    ("live", arrays.bools),
    ("user_slot", arrays.int2s),
    ("sequence", arrays.int4s),
    ("extra", arrays.texts),
    ("characteristic", arrays.texts),
    ("frame", arrays.blobs),
    ("alert", arrays.bools),
)
_ASIDE_COLUMNS = (
    ("aside_id", arrays.uuids),
    ("aside_is_reading", arrays.bools),
    ("aside_organisation_id", arrays.uuids),
    ("aside_gateway_id", arrays.texts),
    ("aside_device_id", arrays.texts),
    ("aside_reason", arrays.texts),
    ("aside_detail", arrays.texts),
    ("aside_topic", arrays.texts),
    ("aside_payload", arrays.blobs),
    ("aside_gateway_time", arrays.timestamptzs),
    ("aside_received_at", arrays.timestamptzs),
    ("aside_queue", arrays.texts),
)


def batch_columns(placed: Sequence[Judged], asides: Sequence[PutAside]) -> dict[str, Column]:
    """Return the parameters of `store_batch`."""
    identities = [each.reading.id for each in placed]
    identities += [each.id for each in asides if each.is_reading]
    identities.sort(key=_BY_ID)
    columns = {"identity": arrays.uuids(identities)}
    columns |= _columns(_READING_COLUMNS, [reading_row(each, each.decision) for each in placed])
    columns |= _columns(_ASIDE_COLUMNS, [_aside_row(each) for each in asides])
    return columns


def reading_row(judged: Judged, decision: Any) -> tuple[Any, ...]:  # noqa: ANN401 - Placed, checked by `placed`
    """Return one row, in the order of `_READING_COLUMNS`."""
    chosen: Placed = decision
    reading, message = judged.reading, judged.letter.message
    return (
        reading.id,
        chosen.organisation_id,
        chosen.patient_id,
        message.device,
        message.gateway,
        reading.kind,
        chosen.measured_at,
        chosen.value,
        reading.diastolic,
        reading.mean_arterial,
        reading.pulse,
        reading.original_value,
        reading.original_unit,
        "accepted" if isinstance(chosen, Accepted) else "flagged",
        SEPARATOR.join(chosen.flags),
        chosen.time_quality,
        reading.device_time,
        reading.at,
        judged.letter.letter.received_at,
        reading.offset_s,
        reading.live,
        reading.user_slot,
        reading.sequence,
        _JSON.encode(chosen.extra).decode() if chosen.extra else None,
        reading.char,
        bytes.fromhex(reading.frame),
        chosen.alert,
    )


def _aside_row(aside: PutAside) -> tuple[Any, ...]:
    return (
        aside.id,
        aside.is_reading,
        aside.organisation_id,
        aside.gateway_id,
        aside.device_id,
        aside.reason,
        aside.detail,
        aside.topic,
        aside.payload,
        aside.gateway_time,
        aside.received_at,
        aside.queue,
    )


def event_columns(events: Iterable[EventLetter]) -> dict[str, Column]:
    """Return the parameters of `store_events`, each event once."""
    once = {event.message.id: event for event in events}
    told = [once[key] for key in sorted(once, key=_BY_ID)]
    return {
        "id": arrays.uuids([event.message.id for event in told]),
        "gateway_id": arrays.texts([event.address.gateway for event in told]),
        "device_id": arrays.texts([event.message.device for event in told]),
        "event": arrays.texts([event.message.event for event in told]),
        "detail": arrays.texts([event.message.detail for event in told]),
        "at": arrays.timestamptzs([_aware(event) for event in told]),
        "received_at": arrays.timestamptzs([event.letter.received_at for event in told]),
    }


def status_columns(statuses: Iterable[StatusLetter]) -> dict[str, Column]:
    """Return the parameters of `store_statuses`: the last word of each gateway."""
    last = {status.address.gateway: status for status in statuses}
    told = [last[name] for name in sorted(last)]
    return {
        "gateway_id": arrays.texts([status.address.gateway for status in told]),
        "state": arrays.texts([status.message.state for status in told]),
        "at": arrays.timestamptzs([status.letter.received_at for status in told]),
        "status": arrays.texts([_JSON.encode(status.message).decode() for status in told]),
    }


def device_state_columns(statuses: Iterable[StatusLetter]) -> dict[str, Column]:
    """Return the parameters of `store_device_states`: the last word on each device."""
    last = {
        state.device: (status.address.gateway, state)
        for status in statuses
        for state in status.message.devices
    }
    told = [(name, *last[name]) for name in sorted(last)]
    return {
        "device_id": arrays.texts([name for name, _, _ in told]),
        "gateway_id": arrays.texts([gateway for _, gateway, _ in told]),
        "battery": arrays.int2s([_battery(state) for _, _, state in told]),
        "firmware": arrays.texts([state.firmware for _, _, state in told]),
        "last_seen_at": arrays.timestamptzs([_last_seen(state) for _, _, state in told]),
    }


def _columns(spec: Sequence[tuple[str, Any]], rows: list[tuple[Any, ...]]) -> dict[str, Column]:
    by_column = zip(*rows, strict=True) if rows else [() for _ in spec]
    return {name: encode(values) for (name, encode), values in zip(spec, by_column, strict=True)}


def _aware(event: EventLetter) -> Any:  # noqa: ANN401 - datetime; a naive one is not believed
    return event.message.at if event.message.at.tzinfo else event.letter.received_at


def _battery(state: DeviceState) -> int | None:
    in_range = state.battery is not None and 0 <= state.battery <= BATTERY_LIMIT
    return state.battery if in_range else None


def _last_seen(state: DeviceState) -> Any:  # noqa: ANN401 - datetime or None
    seen = state.last_seen
    return seen.astimezone(UTC) if seen is not None and seen.tzinfo is not None else None
