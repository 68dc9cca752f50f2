"""The console script: every process and tool as a sub-command, loaded only when asked for."""

import importlib
import sys
from dataclasses import dataclass

import typer
from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One sub-command: where it lives, and which extra of the package it needs."""

    name: str
    place: str
    """module:attribute, a typer app or a function."""
    summary: str
    extra: str = "server"


COMMANDS = (
    Command(
        name="demo",
        place="deploy.demo.cli:demo",
        summary="A whole clinic on this machine: simulated homes, broker, database, worklist.",
        extra="demo",
    ),
    Command(
        name="gateway",
        place="gateway.cli:app",
        summary="The box at home: reads devices, keeps, publishes.",
        extra="gateway",
    ),
    Command(
        name="gateways",
        place="dashboards.gateways.cli:app",
        summary="Let boxes in, shut them out, tell them what to do.",
    ),
    Command(
        name="ingest", place="ingest.cli:app", summary="Broker to database, each reading once."
    ),
    Command(name="alerts", place="alerts.cli:app", summary="Rules, queues, escalation, replay."),
    Command(name="web", place="dashboards.cli:app", summary="Staff application and API."),
    Command(name="billing", place="billing.cli:app", summary="Evaluate, export, evidence."),
    Command(name="device", place="devices.cli:app", summary="Decode a frame; list known devices."),
    Command(name="migrate", place="database.cli:migrate", summary="Bring the database up to date."),
    Command(
        name="doctor",
        place="deploy.doctor:doctor",
        summary="Check a deployment; say what is wrong.",
    ),
    Command(
        name="simulate",
        place="deploy.simulate:simulate",
        summary="A fleet of simulated homes at a chosen speed.",
        extra="demo",
    ),
    Command(name="audit", place="dashboards.audit_cli:app", summary="Verify the audit chain."),
)


def main() -> None:
    """Run the sub-command that the command line names."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    app = typer.Typer(
        name="tidings",
        help="Remote patient monitoring, from a Bluetooth reading to a nurse's queue and a bill.",
        no_args_is_help=True,
        add_completion=False,
    )
    app.callback()(_nothing)
    for command in COMMANDS:
        _mount(app, command, asked=command.name == asked)
    app()


def _nothing() -> None:
    """Keep the sub-commands sub-commands, however few there are."""


def _mount(app: typer.Typer, command: Command, *, asked: bool) -> None:
    """Add the real command if it was asked for, else only its name and summary."""
    target = _load(command) if asked else _nothing
    if isinstance(target, typer.Typer):
        app.add_typer(target, name=command.name, help=command.summary)
    else:
        app.command(command.name, help=command.summary if target is _nothing else None)(target)


def _load(command: Command) -> typer.Typer:
    """Import the command; a missing third-party package names the extra that brings it."""
    module, attribute = command.place.split(":")
    try:
        loaded: typer.Typer = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == module.split(".")[0]:
            raise
        Console(stderr=True).print(
            f"[red]{error.name} is not installed.[/] "
            f"Install it with: pip install 'tidings[{command.extra}]'"
        )
        raise SystemExit(1) from error
    return loaded


if __name__ == "__main__":
    main()
