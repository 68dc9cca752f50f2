"""`tidings alerts`: the alert process and its tools."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
import yaml
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from alerts import __main__ as process
from alerts import catalogue, measuring, replaying, report
from database.pool import connect

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


@app.command()
def replay(  # the options of a command
    organisation: Annotated[str, typer.Option(help="Id of the organisation.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days of history.")] = 90,
    draft: Annotated[
        Path | None, typer.Option(help="YAML: rule id -> changed fields, or {disabled: true}.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 2,
    dsn: Annotated[
        str, typer.Option(help="Database, as tidings_worker.", envvar="TIDINGS_ALERTS_DSN")
    ] = "",
) -> None:
    """Say what a draft of rules would have done with stored history."""
    changes = yaml.safe_load(draft.read_text(encoding="utf-8")) if draft else {}
    with connect(dsn, autocommit=True) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101  # a select without from gives one row
    asked = replaying.Asked(
        dsn=dsn, organisation=UUID(organisation), until=row[0], days=days, draft=changes
    )
    with Progress(transient=True) as bar:
        task = bar.add_task("Replaying", total=None)
        found = replaying.run(
            asked,
            processes=processes,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for shown in report.replay_tables(found):
        Console().print(shown)


@app.command()
def measures(
    organisation: Annotated[str, typer.Option(help="Id of the organisation.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days to look back.")] = 30,
    dsn: Annotated[
        str, typer.Option(help="Database, as tidings_worker.", envvar="TIDINGS_ALERTS_DSN")
    ] = "",
) -> None:
    """Print the measures of the alarm system: useful share, times to answer, repeats, missed."""
    with connect(dsn, autocommit=True) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None  # noqa: S101  # a select without from gives one row
        found = measuring.measure(connection, UUID(organisation), now=row[0], days=days)
    for shown in report.measure_tables(found):
        Console().print(shown)
