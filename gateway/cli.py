"""`tidings gateway`: run the box, enrol it."""

import sys

import typer

from gateway.__main__ import main

app = typer.Typer(no_args_is_help=True, help="The box at home: radio to disk to broker.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def run(context: typer.Context) -> None:
    """Run the box until SIGTERM; `run --help` lists the options."""
    sys.exit(main(context.args))
