"""`python -m deploy.day [--patients 1000] [--seed 1]`: one day of a synthetic clinic, in minutes.

Embedded database, the alert process's own code, simulated patients and nurses; prints a summary
and ends in one JSON object. Exit 1 when a reading is unjudged, or a line that is pressing or
overdue is nobody's.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from database.migrate import migrate
from deploy.day import run
from deploy.day.run import Summary
from deploy.embedded.postgres import EmbeddedPostgres

SETTINGS = {"fsync": "off", "synchronous_commit": "off"}


def main() -> None:
    """Live through the day and tell of it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.day", description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory(prefix="tidings-day-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres", settings=SETTINGS) as server:
            migrate(server.dsn())
            found = _lived(server, given.patients, given.seed)
    for table in tables(found):
        Console().print(table)
    print(json.dumps(words(found)), flush=True)
    sys.exit(0 if found.well else 1)


def tables(found: Summary) -> tuple[Table, Table]:
    """The day's lines by severity, and the sums."""
    lines = Table(title=f"{found.patients} patients, {found.readings} readings, one day")
    for column in ("severity", "lines", "closed", "taken p50", "p90", "late"):
        lines.add_column(column)
    for row in found.lines:
        times = (_minutes(row.p50), _minutes(row.p90))
        lines.add_row(row.severity.word, str(row.opened), str(row.closed), *times, str(row.late))
    sums = Table(title="The day")
    sums.add_column("what")
    sums.add_column("count")
    told = [(f"pages to {duty}", f"{n}, {ok} acknowledged") for duty, n, ok in found.pages]
    told += [
        ("alerts", str(found.alerts)),
        ("nurses at the queues", str(found.nurses)),
        ("hand-overs", str(found.handovers)),
        ("lines still open", str(found.still_open)),
        ("readings not judged", str(found.unjudged)),
        ("critical or high and nobody's", str(found.pressing)),
        ("overdue and nobody's", str(found.unowned)),
        ("incidents", str(found.incidents)),
    ]
    for what, count in told:
        sums.add_row(what, count)
    return lines, sums


def words(found: Summary) -> dict[str, object]:
    """The summary as plain values."""
    plain = {name: getattr(found, name) for name in Summary.__slots__}
    by_severity = {
        row.severity.word: {"lines": row.opened, "p50": row.p50, "p90": row.p90, "late": row.late}
        for row in found.lines
    }
    return {"day": "clinic", **plain, "lines": by_severity, "well": found.well}


def _lived(server: EmbeddedPostgres, patients: int, seed: int) -> Summary:
    with Progress(transient=True) as bar:
        task = bar.add_task("A day", total=1.0)
        return asyncio.run(
            run.day(
                server.dsn(),
                server.dsn(user="tidings_worker"),
                patients=patients,
                seed=seed,
                progress=lambda share: bar.update(task, completed=share),
            )
        )


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} min"


if __name__ == "__main__":
    main()
