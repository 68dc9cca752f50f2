"""`tidings doctor`: looks at a deployment and says what is wrong, where, and what to do."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from deploy import findings, probes
from deploy.advice import Gravity
from deploy.facts import Facts
from deploy.findings import Finding
from ingest.settings import broker_from

DSN = "TIDINGS_MIGRATE_DSN"


def doctor(
    dsn: Annotated[
        str,
        typer.Option(
            envvar=DSN, help="Connection string of the database's owner.", show_default=False
        ),
    ] = "",
    broker: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option(help="Look at the broker too (TIDINGS_BROKER_*, as ingest).")
    ] = True,
    slots: Annotated[
        int, typer.Option(min=0, help="Ingest slots of the deployment; 0: as found.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say what is wrong with this deployment and what to do; exit 1 if anything cannot wait."""
    if not dsn:
        Console(stderr=True).print(f"[red]doctor:[/red] give --dsn or {DSN}")
        raise typer.Exit(2)
    facts = probes.gather(dsn, broker_from(os.environ) if broker else None, slots=slots or None)
    found = findings.examine(facts)
    if as_json:
        print(json.dumps(report(facts, found), default=_plain))
    else:
        _show(facts, found, Console())
    raise typer.Exit(exit_code(found))


def exit_code(found: Sequence[Finding]) -> int:
    """Return 1 if anything cannot wait."""
    return int(any(finding.gravity is Gravity.FAULT for finding in found))


def report(facts: Facts, found: Sequence[Finding]) -> dict[str, object]:
    """Return what a program that watches us wants to read."""
    return {
        "at": facts.now,
        "healthy": exit_code(found) == 0,
        "facts": summary(facts),
        "findings": [
            {
                "trouble": finding.trouble.name.lower(),
                "gravity": finding.gravity.value,
                "what": finding.trouble.value,
                "detail": finding.detail,
                "advice": finding.advice,
            }
            for finding in found
        ],
    }


def summary(facts: Facts) -> dict[str, object]:
    """Return what was seen, whether or not it is wrong."""
    database, pipeline, broker = facts.database, facts.pipeline, facts.broker
    seen: dict[str, object] = {}
    if database is not None:
        seen["database"] = f"PostgreSQL {database.server}, {database.kind or 'not migrated'}"
        seen["TimescaleDB"] = database.timescale or "none"
        seen["schema"] = database.schema.current or "none"
    if broker is not None:
        seen["broker"] = f"{broker.address} {broker.version}".strip()
    if pipeline is not None:
        lag = pipeline.lag.total_seconds() if pipeline.lag is not None else None
        seen["newest reading"] = pipeline.newest_reading
        seen["slowest commit, last 10 minutes (s)"] = lag
        seen["waiting to be judged"] = pipeline.unjudged.rows
        seen["in quarantine"] = sum(held.rows for held in pipeline.quarantine)
        seen["ingest slots owned"] = sorted(pipeline.slots)
        seen["gateways online"] = sum(box.online for box in pipeline.boxes)
        seen["gateways in use"] = len(pipeline.boxes)
    return seen


def _show(facts: Facts, found: Sequence[Finding], console: Console) -> None:
    seen = Table(title="What was seen", show_header=False, title_justify="left")
    for name, value in summary(facts).items():
        seen.add_row(name, "-" if value is None else str(value))
    console.print(seen)
    if not found:
        console.print("[green]Nothing is wrong.[/]")
    for finding in found:
        color = "red" if finding.gravity is Gravity.FAULT else "yellow"
        console.print(
            f"[{color}]{finding.gravity.value}[/]  [bold]{finding.trouble.value}[/]: "
            f"{finding.detail}",
            highlight=False,
        )
        console.print(Padding(finding.advice, (0, 0, 0, 8)), highlight=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{value!r} has no JSON form")
