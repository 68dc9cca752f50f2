"""`tidings ingest`: broker to database, each reading once."""

from typing import Annotated

import typer

from ingest import __main__ as process

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
