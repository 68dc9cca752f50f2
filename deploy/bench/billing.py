"""A billing month at scale: judged in memory, then from the database; ends in JSON.

`python -m deploy.bench.billing [--patients N] [--linear] [--xlsx] [--memory|--database|--lines N]`
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

from billing import case, claims, closing, crew, evaluate, export, files, pack
from billing.claims import BillLine
from billing.gather import Connection
from billing.pack import Pack
from billing.store import Key
from database.migrate import migrate
from database.pool import connect
from deploy.bench import long_file
from deploy.bench.common import conclude
from deploy.embedded.postgres import EmbeddedPostgres

CHUNK = 250
DAYS = 30
ENTRIES = 10
FAMILIES = ("rpm_device", "rpm_mgmt", "ccm")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)
NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
SQL = Path(__file__).with_name("billing.sql")
SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
PATIENTS_PER_NURSE = 50
COPIED = 500
"""Patients judged, then copied, for a file of many lines."""
TARGET_S = 60
"""For 10,000 patients' month on two cores."""


def patient_month(number: int) -> dict[str, object]:
    """Return one synthetic patient's January: thirty days of readings and ten time entries."""
    chance = random.Random(number)
    share = chance.choice((0.3, 0.6, 0.9, 1.0))
    name = f"P{number:06d}"
    return {
        "org_timezone": "America/New_York",
        "patient": {
            "id": name,
            "timezone": chance.choice(ZONES),
            "established_patient": chance.random() > 0.01,
            "chronic_conditions": chance.randint(0, 4),
        },
        "consents": [
            {"program": program, "at": "2025-12-20T09:00:00-05:00"} for program in ("RPM", "CCM")
        ],
        "orders": [{"program": "RPM", "at": "2025-12-20T09:05:00-05:00", "icd10": ["I10"]}],
        "episode": {
            "id": f"E{number}",
            "program": "RPM",
            "monitoring_start": "2026-01-01",
            "setup_education_on": "2026-01-01",
        },
        "readings": [_reading(day, name, share, chance) for day in range(DAYS)],
        "time_entries": [_entry(place, name, chance) for place in range(ENTRIES)],
        "ccm": {"comprehensive_care_plan": True},
        "billing": {"billing_npi": "1234567893", "place_of_service": "11"},
        "evaluate": {
            "window": ["2026-01-01", "2026-01-30"],
            "month": "2026-01",
            "families": list(FAMILIES),
        },
        "as_of": "2026-02-05T12:00:00-05:00",
    }


def _reading(day: int, name: str, share: float, chance: random.Random) -> dict[str, object]:
    at = FIRST + timedelta(days=day, minutes=chance.randint(0, 300))
    return {
        "id": f"{name}-{day}",
        "at": at.isoformat(),
        "received_at": (at + timedelta(minutes=2)).isoformat(),
        "device": "bp-1",
        "entry": "device" if chance.random() < share else "manual",
    }


def _entry(place: int, name: str, chance: random.Random) -> dict[str, object]:
    start = FIRST + timedelta(days=chance.randint(0, 29), minutes=chance.randint(0, 400))
    return {
        "id": f"{name}-T{place}",
        "start": start.isoformat(),
        "end": (start + timedelta(seconds=chance.randint(60, 600))).isoformat(),
        "staff_id": f"S{chance.randint(1, 40)}",
        "role": chance.choice(("rn", "rn", "ma", "physician")),
        "program": chance.choice(("RPM", "RPM", "CCM")),
        "activity": "treatment_mgmt",
        "interactive": chance.random() < 0.4,
        "mode": "audio",
    }


def judged_chunk(first: int, rules: Pack) -> tuple[list[BillLine], Counter[str], int, int]:
    """Judge one chunk of patients; only its lines and counts come back."""
    lines: list[BillLine] = []
    reasons: Counter[str] = Counter()
    readings = entries = 0
    for number in range(first, first + CHUNK):
        parsed = case.parse(patient_month(number))
        found = evaluate.evaluate(parsed, rules)
        lines += claims.bill_lines(parsed, found)
        reasons.update(row.reason for row in found.not_billable)
        readings += len(parsed.readings)
        entries += len(parsed.entries)
    return lines, reasons, readings, entries


def _job(first: int) -> tuple[list[BillLine], Counter[str], int, int]:
    return judged_chunk(first, pack.named("us-medicare-cy2026"))


def month(patients: int, *, xlsx: bool) -> dict[str, object]:
    """Judge a month of so many patients and return what it took."""
    begun = time.perf_counter()
    codes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    totals = Counter[str]()

    def lines() -> Iterator[BillLine]:
        with get_context("spawn").Pool(os.cpu_count()) as pool:
            jobs = pool.imap_unordered(_job, range(0, patients, CHUNK))
            for done, (found, why, readings, entries) in enumerate(jobs, start=1):
                codes.update(line.code for line in found)
                reasons.update(why)
                totals.update(lines=len(found), readings=readings, entries=entries)
                _progress(min(done * CHUNK, patients), patients, begun)
                yield from found

    written = _export(lines(), xlsx=xlsx)
    took = time.perf_counter() - begun
    return {
        "patients": patients,
        "reading_days": totals["readings"],
        "entries": totals["entries"],
        "lines": totals["lines"],
        "seconds": round(took, 2),
        "ms_per_patient": round(1000 * took / patients, 3),
        "xlsx_bytes": written,
        **_peaks(),
        "codes": dict(sorted(codes.items())),
        "reasons": dict(sorted(reasons.items())),
    }


def _export(lines: Iterator[BillLine], *, xlsx: bool) -> int:
    if not xlsx:
        for _ in lines:
            pass
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.xlsx"
        export.write_xlsx(str(path), [export.lines_table(lines)], created=FIRST)
        return path.stat().st_size


def _progress(done: int, patients: int, begun: float) -> None:
    if done % (CHUNK * 8) == 0 or done == patients:
        speed = done / (time.perf_counter() - begun)
        print(f"{done:>7} of {patients} patients, {speed:,.0f}/s", file=sys.stderr, flush=True)


def from_database(patients: int) -> dict[str, object]:
    """Judge, sign, lock and export a month that lies in PostgreSQL; return what each took."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres", settings=SERVER) as server:
            migrate(server.dsn())
            organisation, counted = _filled(server.dsn(), patients)
            key = Key(organisation=organisation, first=OCTOBER)
            return counted | _closed(server.dsn(user="tidings_worker"), key, patients)


def long_files(lines: int) -> list[dict[str, float]]:
    """Write an XLSX of so many lines, and one of a tenth beside it."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres", settings=SERVER) as server:
            migrate(server.dsn())
            organisation, _ = _filled(server.dsn(), COPIED)
            key = Key(organisation=organisation, first=OCTOBER)
            ways = server.dsn(), server.dsn(user="tidings_worker")
            return list(long_file.sizes(*ways, key, lines, NOW))


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


def _closed(dsn: str, key: Key, patients: int) -> dict[str, object]:
    took: dict[str, float] = {}
    team = crew.of(dsn, patients)
    with connect(dsn, autocommit=True) as worker:
        begun = time.perf_counter()

        def tell(done: int, total: int) -> None:
            _progress(done, total, begun)

        with timed(took, "judge"):
            closing.evaluate_month(worker, key, by="bench", now=NOW, progress=tell, crew=team)
        closing.review(worker, key, by="staff:first", now=NOW)
        closing.sign_off(worker, key, by="staff:second", now=NOW)
        with timed(took, "lock"):
            closing.lock(worker, key, by="staff:second", now=NOW, progress=tell, crew=team)
        with timed(took, "xlsx"):
            files.make(worker, key, files.Format.XLSX, by="bench", now=NOW, crew=team)
        lines = one(worker, b"select count(*) from bill_line")
    return {
        "lines": lines,
        "processes": team.processes,
        **{f"{name}_s": round(value, 2) for name, value in took.items()},
        "judge_ms_per_patient": round(1000 * took["judge"] / patients, 3),
        **_peaks(),
    }


@contextmanager
def timed(took: dict[str, float], name: str) -> Iterator[None]:
    """Note how long a block takes, and what our processes and their children burnt in it."""
    begun, burnt = time.perf_counter(), _cpu_s()
    yield
    took[name] = time.perf_counter() - begun
    took[f"{name}_python_cpu"] = _cpu_s() - burnt


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peaks() -> dict[str, int]:
    return {
        "parent_max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "worker_max_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def main() -> None:
    """Run the benchmark as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--linear", action="store_true", help="1,000, 10,000 and 100,000 patients")
    parser.add_argument("--xlsx", action="store_true", help="write the lines to XLSX as they come")
    parser.add_argument("--memory", action="store_true", help="only the pure evaluation")
    parser.add_argument("--database", action="store_true", help="only the month in PostgreSQL")
    parser.add_argument("--lines", type=int, help="only an XLSX of so many lines: time and memory")
    asked = parser.parse_args()
    if asked.lines:
        conclude({"bench": "billing", "long_file": long_files(asked.lines)})
        return
    sizes = (1_000, 10_000, 100_000) if asked.linear else (asked.patients,)
    result: dict[str, object] = {"bench": "billing", "cores": os.cpu_count(), "target_s": TARGET_S}
    if not asked.database:
        result["memory"] = [month(size, xlsx=asked.xlsx) for size in sizes]
    if not asked.memory:
        result["database"] = [from_database(size) for size in sizes]
    conclude(result)


if __name__ == "__main__":
    main()
