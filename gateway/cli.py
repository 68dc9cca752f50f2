"""`tidings gateway`: run the box, enrol it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import enrolment
from gateway.__main__ import DEFAULT_CONFIG, main

DEFAULT_OUTBOX = "/var/lib/tidings/outbox.db"

app = typer.Typer(no_args_is_help=True, help="The box at home: radio to disk to broker.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def run(context: typer.Context) -> None:
    """Run the box until SIGTERM; `run --help` lists the options."""
    sys.exit(main(context.args))


@app.command()
def enrol(
    server: Annotated[str, typer.Option(help="Address of the clinic's server (https).")],
    code: Annotated[str, typer.Option(help="The one-time code that the clinic gave you.")],
    config: Annotated[Path, typer.Option(help="Where to write.")] = Path(DEFAULT_CONFIG),
    outbox: Annotated[Path, typer.Option(help="Where readings wait.")] = Path(DEFAULT_OUTBOX),
) -> None:
    """Trade a one-time code for this box's id, credential and configuration."""
    try:
        enrolment.make_room(config)
        answer = enrolment.ask(server, code)
        enrolment.keep(answer, config, outbox)
    except (enrolment.EnrolmentError, OSError) as error:
        typer.echo(f"not enrolled: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{answer.gateway} at {answer.site}: {len(answer.devices)} devices; {config}")
