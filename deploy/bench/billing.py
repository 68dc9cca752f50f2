"""A billing month at scale: judged in memory, then from the database; ends in JSON.

`python -m deploy.bench.billing [--patients N] [--linear] [--xlsx] [--memory|--database|--lines N]`
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from billing import closing, crew, files
from billing.gather import Connection
from billing.store import Key
from database.migrate import migrate
from database.pool import connect
from deploy.bench import judging, long_file
from deploy.bench.common import TICKS, conclude, cpu_s, descendants
from deploy.embedded.postgres import EmbeddedPostgres

OCTOBER = date(2026, 10, 1)
NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
SQL = Path(__file__).with_name("billing.sql")
SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
PATIENTS_PER_NURSE = 50
COPIED = 500
"""Patients judged, then copied, for a file of many lines."""
TARGET_S = 60
"""For 10,000 patients' month on two cores."""


def from_database(patients: int) -> dict[str, object]:
    """Judge, sign, lock and export a month that lies in PostgreSQL; return what each took."""
    with _server() as server:
        organisation, counted = _filled(server.dsn(), patients)
        key = Key(organisation=organisation, first=OCTOBER)
        return counted | _closed(server, key, patients)


def long_files(lines: int) -> list[dict[str, float]]:
    """Write an XLSX of so many lines, and one of a tenth beside it."""
    with _server() as server:
        organisation, _ = _filled(server.dsn(), COPIED)
        key = Key(organisation=organisation, first=OCTOBER)
        ways = server.dsn(), server.dsn(user="tidings_worker")
        return list(long_file.sizes(*ways, key, lines, NOW))


@contextmanager
def _server() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres", settings=SERVER) as server:
            migrate(server.dsn())
            yield server


def _filled(dsn: str, patients: int) -> tuple[UUID, dict[str, object]]:
    parts = [part.encode() for part in SQL.read_text(encoding="utf-8").split("-- part\n")[1:]]
    with connect(dsn, autocommit=True) as owner:
        organisation = one(owner, parts[0])
        told = {"organisation": organisation, "patients": patients}
        told["staff"] = max(4, patients // PATIENTS_PER_NURSE)
        for part in parts[1:]:
            owner.execute(part, told)
        return organisation, {
            "patients": patients,
            "reading_days": one(owner, b"select count(*) from reading"),
            "entries": one(owner, b"select count(*) from time_entry"),
        }


def one(connection: Connection, query: bytes) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return a query's one value."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError(query)
    return row[0]


def _closed(server: EmbeddedPostgres, key: Key, patients: int) -> dict[str, object]:
    dsn = server.dsn(user="tidings_worker")
    took: dict[str, float] = {}
    team = crew.of(dsn, patients)
    tell = _told(time.perf_counter())
    with connect(dsn, autocommit=True) as worker:
        with timed(took, "judge", server):
            closing.evaluate_month(worker, key, by="bench", now=NOW, progress=tell, crew=team)
        closing.review(worker, key, by="staff:first", now=NOW)
        closing.sign_off(worker, key, by="staff:second", now=NOW)
        with timed(took, "lock", server):
            closing.lock(worker, key, by="staff:second", now=NOW, progress=tell, crew=team)
        with timed(took, "xlsx", server):
            files.make(worker, key, files.Format.XLSX, by="bench", now=NOW, crew=team)
        lines = one(worker, b"select count(*) from bill_line")
    return {
        "lines": lines,
        "processes": team.processes,
        **{name: round(value, 2) for name, value in took.items()},
        "judge_ms_per_patient": round(1000 * took["judge_s"] / patients, 3),
        "judge_cpu_ms_per_patient": round(1000 * took["judge_cpu_s"] / patients, 3),
        **judging.peaks(),
    }


def _told(begun: float) -> closing.Progress:
    def tell(done: int, total: int) -> None:
        judging.progress(done, total, begun)

    return tell


@contextmanager
def timed(took: dict[str, float], name: str, server: EmbeddedPostgres) -> Iterator[None]:
    """Note how long a block takes, and the processor time that we and the server burn in it."""
    begun, burnt = time.perf_counter(), judging.burnt_s() + _burnt_s(server.pid)
    yield
    took[f"{name}_s"] = time.perf_counter() - begun
    took[f"{name}_cpu_s"] = judging.burnt_s() + _burnt_s(server.pid) - burnt
    print(name, took, file=sys.stderr, flush=True)


def _burnt_s(postmaster: int) -> float:
    """Return the processor seconds of a server, of its sessions and of those that ended."""
    fields = Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()
    ended = int(fields[13]) + int(fields[14])
    return cpu_s(descendants(postmaster)) + ended / TICKS


def ratio(figures: Sequence[Mapping[str, object]]) -> float | None:
    """Return the last size's processor time a patient, in that of the size before it."""
    each = [float(str(row["judge_cpu_ms_per_patient"])) for row in figures]
    return round(each[-1] / each[-2], 2) if len(each) > 1 else None


def main() -> None:
    """Run the benchmark as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--linear", action="store_true", help="10,000 and 100,000 patients")
    parser.add_argument("--xlsx", action="store_true", help="write the lines to XLSX as they come")
    parser.add_argument("--memory", action="store_true", help="only the pure evaluation")
    parser.add_argument("--database", action="store_true", help="only the month in PostgreSQL")
    parser.add_argument("--lines", type=int, help="only an XLSX of so many lines: time and memory")
    asked = parser.parse_args()
    if asked.lines:
        conclude({"bench": "billing", "long_file": long_files(asked.lines)})
        return
    sizes = (10_000, 100_000) if asked.linear else (asked.patients,)
    result: dict[str, object] = {"bench": "billing", "cores": os.cpu_count(), "target_s": TARGET_S}
    if not asked.database:
        result["memory"] = memory = [judging.month(size, xlsx=asked.xlsx) for size in sizes]
        result["memory_ratio"] = ratio(memory)
    if not asked.memory:
        result["database"] = database = [from_database(size) for size in sizes]
        result["database_ratio"] = ratio(database)
    conclude(result)


if __name__ == "__main__":
    main()
