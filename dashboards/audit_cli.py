"""`tidings audit`: check the audit chain of every organisation, from its first row."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from database import sql
from database.pool import connect

app = typer.Typer(help="The audit trail.", no_args_is_help=True)
BROKEN = 1


@app.callback()
def audit() -> None:
    """The audit trail."""


@app.command()
def verify(
    dsn: Annotated[
        str,
        typer.Option(
            help="Database, as its owner or as tidings_worker.", envvar="TIDINGS_DATABASE_DSN"
        ),
    ],
) -> None:
    """Work out every hash again; exit 1 if a row was changed, removed or slipped in."""
    with connect(dsn) as connection:
        rows = connection.execute(sql.load("dashboards.audit")["verify"].encode()).fetchall()
    table = Table("Organisation", "Rows", "Do not fit", "First of them", "Last row")
    for name, count, broken, first, last in rows:
        table.add_row(str(name), f"{count:,}", f"{broken:,}", str(first or ""), f"{last:%F %T} UTC")
    Console().print(table)
    if any(broken for _, _, broken, _, _ in rows):
        raise typer.Exit(BROKEN)
