"""What the benchmarks share: servers, a clinic of any size, messages, a publisher, /proc."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from database.migrate import migrate
from database.pool import connect
from deploy.embedded.broker import EmbeddedBroker, Kind
from deploy.embedded.postgres import EmbeddedPostgres
from devices import wire
from devices.wire import WireReading
from ingest.mqtt import _length as length_of
from ingest.mqtt import varint

TICKS = os.sysconf("SC_CLK_TCK")
FRAME = "1e7800500060d00707e209150c000048000100"
WINDOW = 4000
"""Unacknowledged messages of the publisher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """A broker and a database of the benchmark's own."""

    broker: EmbeddedBroker
    postgres: EmbeddedPostgres

    def owner(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection as the owner."""
        return connect(self.postgres.dsn(), autocommit=True)


@contextmanager
def servers() -> Iterator[Servers]:
    """Start mosquitto and a migrated PostgreSQL, durable as in production."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
        with (
            EmbeddedPostgres(Path(top) / "postgres", settings=settings) as postgres,
            EmbeddedBroker(Path(top) / "broker", kind=Kind.MOSQUITTO) as broker,
        ):
            migrate(postgres.dsn())
            yield Servers(broker=broker, postgres=postgres)


def found_clinic(owner: psycopg.Connection[tuple[Any, ...]], patients: int) -> UUID:
    """Fill the database with patients, a gateway and a cuff each; return the organisation."""
    row = owner.execute(
        "insert into organisation (name, time_zone) values ('Bench', 'UTC') returning id"
    ).fetchone()
    if row is None:
        raise RuntimeError("no organisation")
    organisation: UUID = row[0]
    told = {"organisation": organisation, "last": patients - 1}
    owner.execute(
        "insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex)"
        " select %(organisation)s, n::text, 'Sample', 'P' || n, '1950-01-01', 'female'"
        " from generate_series(0, %(last)s) as n",
        told,
    )
    owner.execute(
        "insert into gateway (id, organisation_id, site)"
        " select 'gw' || n, %(organisation)s, 's' from generate_series(0, %(last)s) as n",
        told,
    )
    owner.execute(
        "insert into device (id, organisation_id)"
        " select 'cuff' || n, %(organisation)s from generate_series(0, %(last)s) as n",
        told,
    )
    owner.execute(
        "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
        " select organisation_id, 'cuff' || mrn, id, '2020-01-01' from patient",
    )
    owner.execute("analyze")
    return organisation


def reading_at(number: int, at: datetime, *, live: bool = True) -> WireReading:
    """Return one of the cuffs' readings; its id begins with its time, as real ones do."""
    head = int(at.timestamp() * 1000).to_bytes(6, "big")
    return WireReading(
        id=UUID(bytes=head + os.urandom(10)),
        char="2A35",
        frame=FRAME,
        at=at,
        kind="blood_pressure",
        value=118.0 + number % 23,
        diastolic=76.0 + number % 11,
        mean_arterial=92.0 + number % 7,
        pulse=60.0 + number % 31,
        original_value=118.0 + number % 23,
        original_unit="mm[Hg]",
        device_time=at.replace(tzinfo=None),
        offset_s=1.5,
        sequence=number,
        live=live,
    )


def our_messages(count: int, patients: int, *, each: int = 1) -> list[tuple[str, bytes]]:
    """Return topics and bodies in our own message format, `each` readings a message."""
    now = datetime.now(UTC)
    made = []
    for number in range(count):
        who = number * 7919 % patients
        first = now - timedelta(seconds=(count - number) * each / 1000)
        readings = [
            reading_at(number * each + k, first + timedelta(milliseconds=k), live=each == 1)
            for k in range(each)
        ]
        message = wire.Readings(
            v=wire.VERSION, gateway=f"gw{who}", device=f"cuff{who}", readings=readings
        )
        made.append((f"tidings/v1/s/gw{who}/readings", wire.dump(message)))
    return made


def flat_messages(count: int, patients: int) -> list[tuple[str, bytes]]:
    """Return the same readings as one flat object each, as a simpler system would send them."""
    made = []
    for topic, body in our_messages(count, patients):
        message = msgspec.json.decode(body)
        flat = {**message, **message.pop("readings")[0]}
        made.append((topic.replace("tidings", "bench", 1), msgspec.json.encode(flat)))
    return made


def publish(port: int, messages: Sequence[tuple[str, bytes]], rate: float | None = None) -> None:
    """Publish QoS 1 as fast as the broker takes it, or at a rate, from a raw socket."""
    packets = [
        _publication(topic, body, n % 65_535 + 1) for n, (topic, body) in enumerate(messages)
    ]
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _hello(link)
        sent = acknowledged = 0
        rest = b""
        began = time.monotonic()
        while acknowledged < len(packets):
            allowed = len(packets)
            if rate is not None:
                allowed = min(allowed, int((time.monotonic() - began) * rate) + 1)
            until = min(sent + 500, allowed, acknowledged + WINDOW)
            if until > sent:
                link.sendall(b"".join(packets[sent:until]))
                sent = until
            if sent == acknowledged:
                time.sleep(0.001)
                continue
            count, rest = _pubacks(link, rest, wait=until == sent)
            acknowledged += count


def end_session(port: int, client_id: str) -> None:
    """Have the broker forget a client that will not come back, and what it queues for it."""
    with socket.create_connection(("127.0.0.1", port)) as link:
        _hello(link, client_id)


def _hello(link: socket.socket, client_id: str = "publisher") -> None:
    name = client_id.encode()
    body = b"\x00\x04MQTT\x05\x02\x00\x00\x00" + len(name).to_bytes(2, "big") + name
    link.sendall(b"\x10" + length_of(len(body)) + body)
    link.recv(4096)


def _publication(topic: str, body: bytes, mid: int) -> bytes:
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + b"\0" + body
    return b"\x32" + length_of(len(rest)) + rest


def _pubacks(link: socket.socket, rest: bytes, *, wait: bool) -> tuple[int, bytes]:
    link.settimeout(0.05 if wait else 0.0)
    try:
        raw = rest + link.recv(65_536)
    except (BlockingIOError, TimeoutError):
        return 0, rest
    finally:
        link.settimeout(None)
    count = at = 0
    while len(raw) - at >= 2:
        length, start = varint(raw, at + 1)
        if start + length > len(raw):
            break
        count += raw[at] == 0x40
        at = start + length
    return count, raw[at:]


def descendants(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += descendants(int(path.parent.name))
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor seconds that these processes have used, ended children included."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mb(pid: int, what: str = "VmHWM") -> float:
    """Return a process's resident memory: its peak, or with VmRSS what it holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


def spawn(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - Popen[bytes]
    """Start `python -m module`."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], env={**os.environ, **(environment or {})}
    )


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, flush=True)


def conclude(figures: Mapping[str, object]) -> None:
    """Print the last line."""
    print(json.dumps(figures, separators=(",", ":")), flush=True)
