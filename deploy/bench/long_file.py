"""An XLSX of a month of many lines: judged patients are copied, then written; what that takes."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from billing import closing, crew, files, filing
from billing.store import Key
from database.pool import connect

SQL = Path(__file__).with_name("billing_copies.sql")
Figures = dict[str, float]


def sizes(dsn: str, worker_dsn: str, key: Key, lines: int, now: datetime) -> Iterator[Figures]:
    """Write a tenth of the lines, then all: side by side they tell what grows with the file."""
    with connect(worker_dsn, autocommit=True) as worker:
        closing.evaluate_month(worker, key, by="bench", now=now)
    copies = 0
    for wanted in (lines // 10, lines):
        copies, patients = _copied(dsn, copies, wanted)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            yield alone.submit(_written, worker_dsn, key, patients, now).result()


def _copied(dsn: str, copies: int, lines: int) -> tuple[int, int]:
    """Copy the judged patients until there are so many lines; return copies and patients."""
    with connect(dsn, autocommit=True) as owner:
        query = "select count(*), count(distinct patient_id) from bill_line"
        have, people = owner.execute(query).fetchone() or (0, 0)
        each = have // (copies + 1)
        until = -(-lines // each) - 1
        for part in SQL.read_text(encoding="utf-8").split("-- part\n")[1:]:
            owner.execute(part.encode(), {"after": copies, "until": until})
        return until, people // (copies + 1) * (until + 1)


def _written(dsn: str, key: Key, patients: int, now: datetime) -> Figures:
    """Write the file and read it back; a process does this once: the peaks are this file's."""
    team = crew.of(dsn, patients)
    with connect(dsn, autocommit=True) as worker:
        begun = time.perf_counter()
        made = files.make(worker, key, files.Format.XLSX, by="bench", now=now, crew=team)
        took = time.perf_counter() - begun
        size = sum(map(len, filing.pieces(worker, key, made)))
        query = "select lines from billing_export where id = %s"
        (lines,) = worker.execute(query, (made,)).fetchone() or (0,)
    return {
        "lines": lines,
        "patients": patients,
        "processes": team.processes,
        "xlsx_s": round(took, 2),
        "xlsx_mb": round(size / 2**20, 1),
        "parent_peak_mb": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
        "worker_peak_mb": getrusage(RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
