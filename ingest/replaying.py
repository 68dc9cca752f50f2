"""Replay over the database: what would be read differently, and frames that can be read now."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from database import sql
from devices.reading import Reading, UnreadableError
from devices.wire import VERSION, Readings, WireReading, measured
from ingest import parameters, replay, store
from ingest.acceptance import Context, decide
from ingest.batch import Judged
from ingest.bounds import shipped
from ingest.decision import Decision, Quarantined
from ingest.directory import Connection, Directory
from ingest.door import Address, Letter, ReadingsLetter
from ingest.replay import Difference, Frame, Values

PAGE = 2000
Blocking = psycopg.Connection[tuple[Any, ...]]


def differences(
    connection: Blocking, since: datetime, until: datetime, characteristic: str | None = None
) -> Iterator[tuple[int, list[Difference]]]:
    """Give, page by page, how many readings were looked at and which would differ."""
    told = {"since": since, "until": until, "characteristic": characteristic}
    with connection.transaction(), connection.cursor(name="replay") as cursor:
        cursor.execute(sql.load("ingest")["stored_frames"], told)
        while page := cursor.fetchmany(PAGE):
            found = (_compare(row) for row in page)
            yield len(page), [each for each in found if each is not None]


def apply(connection: Blocking, found: Difference, now: datetime) -> bool:
    """Correct one reading, flag it for a person, judge it again; False if it is gone.

    A reading that is none any more keeps its values and is flagged: a person decides.
    """
    told = {
        "reading_id": found.reading_id,
        "patient_id": found.patient_id,
        "owner": found.patient_id,
        "now": now,
        "flag": replay.REDECODED,
        "why": found.why or "a newer decoder reads it differently",
        **_columns(found.now or found.stored),
    }
    queries = sql.load("ingest")
    with connection.transaction():
        changed = connection.execute(queries["correct_reading"], told).rowcount == 1
        if changed:
            connection.execute(queries["queue_again"], told)
            connection.execute(queries["audit_replay"], told)
    return changed


async def rescue(connection: Connection, now: datetime) -> tuple[int, int]:
    """Judge quarantined unreadable frames again; return how many there were, and were placed."""
    parameters.register(connection)
    cursor = await connection.execute(sql.load("ingest")["unreadable_frames"])
    waiting = await cursor.fetchall()
    placed = 0
    for row in waiting:
        placed += await _rescue(connection, row, now)
    return len(waiting), placed


async def _rescue(connection: Connection, row: tuple[Any, ...], now: datetime) -> bool:
    quarantine_id, gateway, device, model, topic, payload, received_at = row
    reading = _readable_now(payload, model)
    if reading is None:
        return False
    message = Readings(v=VERSION, gateway=gateway, device=device, readings=[reading])
    address, letter = Address("", gateway, "readings"), Letter(topic, payload, received_at)
    decision = await _decide(connection, message, received_at)
    if isinstance(decision, Quarantined):
        return False
    told = {
        "reading_id": reading.id,
        "patient_id": decision.patient_id,
        "owner": decision.patient_id,
        "now": now,
        "id": quarantine_id,
    }
    queries = sql.load("ingest")
    async with connection.transaction():
        judged = Judged(ReadingsLetter(address, letter, message), 0, reading, decision)
        await store.copy_readings(connection, [judged])
        await connection.execute(queries["queue_again"], told)
        await connection.execute(queries["resolve_by_replay"], told)
    return True


async def _decide(connection: Connection, message: Readings, received_at: datetime) -> Decision:
    gateways, devices = await Directory(shipped()).look_up(
        connection, [message.gateway], [message.device], now=received_at
    )
    context = Context(
        gateway=gateways[message.gateway],
        device=devices[message.device],
        medians={},
        bounds=shipped(),
        siblings=message.readings,
        now=received_at,
    )
    return decide(message.readings[0], context)


def _readable_now(payload: bytes, model: str) -> WireReading | None:
    """The quarantined reading as today's decoders read it, None if they cannot either."""
    try:
        told = msgspec.json.decode(payload, type=WireReading)
        frame = Frame(characteristic=told.char, raw=bytes.fromhex(told.frame), model=model)
        decoded = replay.read(frame)
    except (UnreadableError, ValueError):
        return None
    return _as_told(told, decoded) if isinstance(decoded, Reading) else None


def _as_told(told: WireReading, decoded: Reading) -> WireReading:
    """The gateway's reading with what it could not decode."""
    return msgspec.structs.replace(
        measured(told, decoded),
        kind=str(decoded.kind),
        device_time=decoded.device_time,
        sequence=decoded.sequence,
        user_slot=decoded.user_slot,
        flags=decoded.flags,
        extra=dict(decoded.extra),
        reason=None,
        trailing=decoded.trailing,
    )


def _compare(row: tuple[Any, ...]) -> Difference | None:
    reading_id, patient_id, characteristic, raw, model, following, *told = row
    kind, value, diastolic, mean, pulse, original_value, original_unit = told
    frame = Frame(
        characteristic=characteristic,
        raw=raw,
        model=model or "",
        following=None if following is None else bytes.fromhex(following),
    )
    stored = Values(
        kind=kind,
        value=value,
        diastolic=diastolic,
        mean_arterial=mean,
        pulse=pulse,
        original_value=original_value,
        original_unit=original_unit,
    )
    return replay.compare(reading_id, patient_id, stored, frame)


def _columns(found: Values) -> dict[str, object]:
    return {
        "kind": found.kind,
        "value": found.value,
        "diastolic": found.diastolic,
        "mean_arterial": found.mean_arterial,
        "pulse": found.pulse,
        "original_value": found.original_value,
        "original_unit": found.original_unit,
    }
