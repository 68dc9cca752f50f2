"""A batch into the database: look up, decide, write in one transaction; patient when it is away."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection

from database import sql
from database.pool import OPTIONS
from ingest import batch, claims, door, packing, parameters, rows
from ingest.batch import Batch, Known
from ingest.bounds import Bounds
from ingest.claims import Claimed
from ingest.copying import Row
from ingest.directory import Connection, Directory
from ingest.door import Address, StatusLetter
from ingest.packing import Packed
from ingest.silence import within

_POISON_CLASSES = ("22", "23", "54")
"""SQLSTATE classes that blame the data: bisect. Anything else blames the database: wait."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
PATIENCE_S = 60.0
"""For one batch, connecting included; far more than any takes on a server that works."""
SERVER_GIVES_UP = 0.75
"""Of our patience, a statement of the server's."""
_LOG = structlog.get_logger()


class Outcome(msgspec.Struct):
    """What became of a batch, for the gateways and for the metrics."""

    acknowledged: dict[Address, list[UUID]] = {}
    rows: Counter[str] = msgspec.field(default_factory=Counter)
    """accepted, flagged, quarantined, duplicate, event, status, refused."""
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    """Of the quarantined."""
    doubts: Counter[str] = msgspec.field(default_factory=Counter)
    """Of the flagged."""

    def add(self, other: "Outcome") -> None:
        """Take in what became of the other half of a batch."""
        for address, ids in other.acknowledged.items():
            self.acknowledged.setdefault(address, []).extend(ids)
        self.rows += other.rows
        self.reasons += other.reasons
        self.doubts += other.doubts


class Writer:
    """One connection that writes batches; several share a directory."""

    def __init__(
        self,
        dsn: str,
        directory: Directory,
        bounds: Bounds,
        *,
        accept_likely: bool = False,
        on_wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Prepare; `on_wait` is told each pause for a database that is away."""
        self._dsn = dsn
        self._directory = directory
        self._bounds = bounds
        self._accept_likely = accept_likely
        self._on_wait = on_wait
        self._connection: Connection | None = None
        self._careful = 0
        """Batches for which some reading is expected to come again."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def write(self, work: Batch, *, now: datetime) -> Outcome:
        """Store a batch, however long the database is away; only then return."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await self._write_or_bisect(work, now)
            except psycopg.Error as error:
                _LOG.warning("database away", sqlstate=error.sqlstate, kind=type(error).__name__)
                await self.close()
            self._on_wait(pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def touch(self, gateways: dict[str, datetime], devices: dict[str, datetime]) -> None:
        """Note when gateways and devices were last heard of; best effort."""
        await within(PATIENCE_S, self._touch(gateways, devices))

    async def _touch(self, gateways: dict[str, datetime], devices: dict[str, datetime]) -> None:
        connection = await self._connected()
        for name, seen in (("touch_gateways", gateways), ("touch_devices", devices)):
            if seen:
                told = {
                    "ids": rows.text_array(list(seen)),
                    "ats": rows.moment_array(list(seen.values())),
                }
                await connection.execute(sql.load("ingest")[name], told)

    async def _write_or_bisect(self, work: Batch, now: datetime) -> Outcome:
        try:
            return await within(PATIENCE_S, self._write_once(work, now))
        except (psycopg.Error, ValueError, OverflowError, TypeError) as error:
            if not _blames_the_data(error):
                raise
            if work.divisible:
                first, second = work.halves()
                outcome = await self._write_or_bisect(first, now)
                outcome.add(await self._write_or_bisect(second, now))
                return outcome
            return await self._write_last_resort(work, now, error)

    async def _write_last_resort(self, work: Batch, now: datetime, error: Exception) -> Outcome:
        """One message is left: keep it as bytes, or leave it where it came from."""
        why = f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".strip()
        _LOG.error("message not storable", why=why)
        rest = Batch(unusable=tuple(door.not_storable(each, why) for each in work.everything))
        if work.unusable:  # was bytes already: not acknowledged, so the home keeps it
            return Outcome(rows=Counter({"refused": 1}))
        return await self._write_or_bisect(rest, now)

    async def _write_once(self, work: Batch, now: datetime) -> Outcome:
        connection = await self._connected()
        known = await self._look_up(connection, work, now)
        packed = packing.pack(batch.judge(work, known))
        asides = batch.put_aside(work, packed.quarantined, known.gateways)
        try:
            new = await self._store(connection, work, packed, asides)
        except claims.Again:
            self._careful = claims.CAREFUL_BATCHES
            new = await self._store(connection, work, packed, asides)
        return _outcome(work, packed, new)

    async def _store(
        self, connection: Connection, work: Batch, packed: Packed, asides: list[batch.PutAside]
    ) -> Claimed:
        """Write everything in one transaction, or nothing; raises Again unless being careful."""
        ids = packing.identities(packed.placed, asides)
        claim = claims.claim if self._careful else claims.claim_new
        self._careful = max(0, self._careful - 1)
        async with connection.transaction():
            new = await claim(connection, ids)
            await _store_placed(connection, new.of(packed.placed))
            await _store_aside(
                connection, [e for e in asides if not e.is_reading or new.has(e.id.bytes)]
            )
            await _store_seen_again(connection, new)
            await _store_events(connection, work)
            await _store_statuses(connection, work.statuses)
        return new

    async def _look_up(self, connection: Connection, work: Batch, now: datetime) -> Known:
        directory = self._directory
        gateways, devices = await directory.look_up(
            connection, batch.gateways(work), batch.devices(work), now=now
        )
        medians = await directory.medians(connection, batch.median_keys(work, devices), now=now)
        rates = batch.heart_rates(work, devices)
        return Known(
            gateways=gateways,
            devices=devices,
            medians=medians,
            other_rates=await directory.other_rates(
                connection, list(rates), around=list(rates.values())
            ),
            bounds=self._bounds,
            accept_likely=self._accept_likely,
        )

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
            )
            parameters.register(self._connection)
            told = {"ms": round(1000 * SERVER_GIVES_UP * PATIENCE_S)}
            await self._connection.execute(sql.load("ingest")["bound_statements"], told)
        return self._connection


async def _store_placed(connection: Connection, placed: list[Row]) -> None:
    if not placed:
        return
    queries = sql.load("ingest")
    await parameters.copy(connection, queries["copy_readings"], packing.readings(placed))
    to_evaluate = packing.to_evaluate(placed)
    if to_evaluate is not None:
        await parameters.copy(connection, queries["copy_to_evaluate"], to_evaluate)
        await connection.execute(queries["notify_evaluate"])


async def copy_readings(connection: Connection, placed: list[batch.Judged]) -> None:
    """Store readings whose ids are claimed already, without queueing them."""
    readings = packing.readings(packing.pack(placed).placed)
    await parameters.copy(connection, sql.load("ingest")["copy_readings"], readings)


async def _store_aside(connection: Connection, asides: list[batch.PutAside]) -> None:
    if asides:
        queries = sql.load("ingest")
        await connection.execute(queries["store_quarantine"], rows.aside_arrays(asides))
        await connection.execute(queries["notify_technical"])


async def _store_seen_again(connection: Connection, claimed: Claimed) -> None:
    if claimed.again:
        told = {"ids": packing.identity_array(claimed.again)}
        await connection.execute(sql.load("ingest")["seen_again"], told)


async def _store_events(connection: Connection, work: Batch) -> None:
    if work.events:
        queries = sql.load("ingest")
        await connection.execute(queries["store_events"], rows.event_arrays(work.events))
        await connection.execute(queries["notify_technical"])


async def _store_statuses(connection: Connection, statuses: tuple[StatusLetter, ...]) -> None:
    if statuses:
        queries = sql.load("ingest")
        await connection.execute(queries["store_statuses"], rows.status_arrays(statuses))
        states = rows.device_state_arrays(statuses)
        await connection.execute(queries["store_device_states"], states)


def _blames_the_data(error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in _POISON_CLASSES


def _outcome(work: Batch, packed: Packed, claimed: Claimed) -> Outcome:
    sent = sum(len(each.message.readings) for each in work.readings)
    reasons = Counter[str](decision.reason for _, decision in packed.quarantined)
    reasons.update(message.reason for message in work.unusable)
    counted = Counter(
        accepted=len(packed.placed) - len(packed.flagged),
        flagged=len(packed.flagged),
        quarantined=reasons.total(),
        duplicate=sent - len(packed) + len(claimed.again),
        event=len(work.events),
        status=len(work.statuses),
    )
    return Outcome(batch.acknowledged(work), counted, reasons, packed.doubts)
