"""`tidings web`: the staff application on the command line."""

from typing import Annotated

import typer

from dashboards import __main__ as process

app = typer.Typer(help="The staff application in the browser.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def web(
    host: Annotated[str, typer.Option(help="Address to listen on [TIDINGS_WEB_HOST].")] = "",
    port: Annotated[str, typer.Option(help="Port to listen on [TIDINGS_WEB_PORT].")] = "",
    dsn: Annotated[str, typer.Option(help="Database, as tidings_web [TIDINGS_WEB_DSN].")] = "",
) -> None:
    """Serve the staff application until Ctrl-C; other settings come from the environment."""
    told = {"TIDINGS_WEB_HOST": host, "TIDINGS_WEB_PORT": port, "TIDINGS_WEB_DSN": dsn}
    process.main({name: value for name, value in told.items() if value})
