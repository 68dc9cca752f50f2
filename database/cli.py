"""`tidings migrate`: bring the database up to date."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from database import migrate as migrations


class Timescale(StrEnum):
    """Whether readings become a hypertable."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


Dsn = Annotated[
    str,
    typer.Option(
        envvar="TIDINGS_MIGRATE_DSN",
        help="Connection string of the database's owner.",
        show_default=False,
    ),
]


def migrate(
    dsn: Dsn,
    timescale: Annotated[
        Timescale,
        typer.Option(
            envvar="TIDINGS_TIMESCALE",
            help="auto: if the server has it; require: fail without it (production); off: never.",
        ),
    ] = Timescale.AUTO,
    target: Annotated[
        str, typer.Option(help="Last migration to apply, as 0004, or head.")
    ] = "head",
    check: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--check", help="Apply nothing; exit 1 if anything is pending.")
    ] = False,
) -> None:
    """Apply the migrations that this database has not had; safe to run twice or at once."""
    console = Console()
    try:
        if check:
            pending = migrations.status(dsn).pending
            console.print("pending: " + ", ".join(pending) if pending else "up to date")
            raise typer.Exit(1 if pending else 0)
        applied = migrations.migrate(dsn, timescale=timescale.value, target=target)
    except migrations.MigrationError as error:
        Console(stderr=True).print(f"[red]migrate:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error
    for name in applied:
        console.print(f"applied {name}", highlight=False)
    if not applied:
        console.print("up to date")
