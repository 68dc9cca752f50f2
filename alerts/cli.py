"""`tidings alerts`: the alert process and its tools."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts import __main__ as process
from alerts import catalogue

app = typer.Typer(help="Rules, queues, escalation, replay.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def alerts(context: typer.Context) -> None:
    """Run the alert process until Ctrl-C; the settings are TIDINGS_ALERTS_*."""
    if context.invoked_subcommand is None:
        process.main()


@app.command()
def run() -> None:
    """Run the alert process until Ctrl-C."""
    process.main()


@app.command()
def rules(
    profile: Annotated[str, typer.Option(help="Only this profile.")] = "",
) -> None:
    """List the product's rules with their version."""
    found = catalogue.product()
    shown = Table(title=f"Rules, version {found.version}")
    for column in ("profile", "rule", "kind", "severity", "sources"):
        shown.add_column(column)
    for rule in found.rules:
        if not profile or rule.profile == profile:
            words = (rule.profile, rule.id, rule.kind.value, rule.severity.word)
            shown.add_row(*words, " ".join(rule.sources))
    Console().print(shown)
