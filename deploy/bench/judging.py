"""Synthetic patients' months judged in memory, by as many processes as there are cores."""

import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from billing import case, claims, evaluate, export, pack
from billing.claims import BillLine
from billing.pack import Pack

CHUNK = 250
DAYS = 30
ENTRIES = 10
FAMILIES = ("rpm_device", "rpm_mgmt", "ccm")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


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
    begun, burnt = time.perf_counter(), burnt_s()
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
                progress(min(done * CHUNK, patients), patients, begun)
                yield from found

    written = _export(lines(), xlsx=xlsx)
    took = time.perf_counter() - begun
    return {
        "patients": patients,
        "reading_days": totals["readings"],
        "entries": totals["entries"],
        "lines": totals["lines"],
        "seconds": round(took, 2),
        "judge_ms_per_patient": round(1000 * took / patients, 3),
        "judge_cpu_ms_per_patient": round(1000 * (burnt_s() - burnt) / patients, 3),
        "xlsx_bytes": written,
        **peaks(),
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


def progress(done: int, patients: int, begun: float) -> None:
    """Tell whoever waits, now and then."""
    if done % (CHUNK * 8) == 0 or done == patients:
        speed = done / (time.perf_counter() - begun)
        print(f"{done:>7} of {patients} patients, {speed:,.0f}/s", file=sys.stderr, flush=True)


def burnt_s() -> float:
    """Return the processor seconds of this process and of its children that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def peaks() -> dict[str, int]:
    """Return the most that this process, and any of its children, ever held."""
    return {
        "parent_max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "worker_max_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
