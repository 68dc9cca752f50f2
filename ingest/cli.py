"""`tidings ingest`: broker to database, each reading once."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from database.pool import connect
from ingest import __main__ as process
from ingest import replaying
from ingest.replay import Difference

SHOWN = 200
"""Rows of the table; the count is of all."""

app = typer.Typer(help="Broker to database, each reading once.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def ingest(
    context: typer.Context,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, a slot each.")] = 1,
    first_slot: Annotated[
        int, typer.Option(min=0, help="First slot of this machine, when there are several.")
    ] = 0,
    slots: Annotated[
        int, typer.Option(min=0, help="Slots of the whole deployment; 0: this machine's.")
    ] = 0,
) -> None:
    """Consume until Ctrl-C; the settings are TIDINGS_INGEST_* and TIDINGS_BROKER_*."""
    if context.invoked_subcommand is None:
        total = slots or first_slot + workers
        raise typer.Exit(process.supervised(workers, first_slot, total))


@app.command()
def run(
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, a slot each.")] = 1,
) -> None:
    """Consume until Ctrl-C."""
    raise typer.Exit(process.supervised(workers, 0, workers))


@app.command()
def replay(
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 30,
    characteristic: Annotated[str, typer.Option(help="Only this one, e.g. 2A35.")] = "",
    apply: Annotated[  # noqa: FBT002 - typer makes a switch of it
        bool, typer.Option("--apply", help="Correct and flag them; without it, only show.")
    ] = False,
    dsn: Annotated[
        str, typer.Option(help="Database, as tidings_worker.", envvar="TIDINGS_INGEST_DSN")
    ] = "",
) -> None:
    """Read stored frames with today's decoders; show what would be read differently."""
    now = process.clock()
    console = Console()
    looked_at, found = 0, list[Difference]()
    with connect(dsn) as connection:
        pages = replaying.differences(
            connection, now - timedelta(days=days), now, characteristic or None
        )
        for number, differing in pages:
            looked_at += number
            found += differing
    _show(console, found)
    console.print(f"{len(found)} of {looked_at} readings would be read differently")
    if apply:
        with connect(dsn) as connection:
            changed = sum(replaying.apply(connection, each, now) for each in found)
        waiting, placed = process.rescued(dsn)
        console.print(f"{changed} corrected and flagged for a person")
        console.print(f"{placed} of {waiting} unreadable frames can be read now")


def _show(console: Console, found: list[Difference]) -> None:
    table = Table("reading", "kind", "stored", "now")
    for each in found[:SHOWN]:
        now = each.why if each.now is None else f"{each.now.value:g} {each.now.diastolic or ''}"
        stored = f"{each.stored.value:g} {each.stored.diastolic or ''}"
        table.add_row(str(each.reading_id), each.stored.kind, stored, now)
    if found:
        console.print(table)
