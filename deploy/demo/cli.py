"""`tidings demo`: a whole clinic on this machine, with progress, until Ctrl-C."""

import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel

from deploy.demo.check import check as look
from deploy.demo.check import passed, table
from deploy.demo.launch import Clinic, NoRadioError, Wishes, keep, running
from deploy.demo.place import DEFAULT, Place
from deploy.demo.processes import ProcessError
from deploy.demo.seed import address
from deploy.embedded.account import EmbeddedError

WATCH_S = 0.5


def demo(
    data: Annotated[Path, typer.Option(help="Where everything is kept between runs.")] = DEFAULT,
    port: Annotated[int, typer.Option(help="Port of the web application; 0: a free one.")] = 8000,
    every: Annotated[float, typer.Option(help="Seconds between a device's measurements.")] = 12.0,
    *,
    radio: Annotated[
        bool, typer.Option("--radio/--no-radio", help="Virtual Bluetooth, or recorded frames.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Watch every hop unattended, then end; exit 0 or 1.")
    ] = False,
) -> None:
    """Run a whole synthetic clinic on this machine: homes, broker, database, worklist."""
    console = Console()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with (
            TemporaryDirectory(prefix="tidings-") as sockets,
            running(
                Wishes(
                    place=Place(root=data.absolute()),
                    port=0 if check else port,
                    radio=radio,
                    every_s=every,
                    sockets=Path(sockets),
                ),
                lambda text: console.print(f"[green]·[/] {text}"),
            ) as clinic,
        ):
            console.print(_welcome(clinic))
            code = _watch_the_path(clinic, console) if check else _stay(clinic, console)
    except (NoRadioError, ProcessError, EmbeddedError) as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        code = 0
    console.print("Everything has ended; the data stays in", str(data))
    raise SystemExit(code)


def _welcome(clinic: Clinic) -> Panel:
    lines = (
        f"Ready: [bold]{clinic.url}[/]",
        f"nurse          {address('maya')}   password {clinic.password}",
        f"administrator  {address('ada')}    password {clinic.password}",
        "Synthetic patients only. Not an alarm system. Ctrl-C ends everything.",
    )
    return Panel("\n".join(lines), title="Tidings", expand=False)


def _watch_the_path(clinic: Clinic, console: Console) -> int:
    hops = look(clinic, console.print)
    console.print(table(hops))
    console.print(
        "[green]The whole path works[/]" if passed(hops) else "[red]The path is broken[/]"
    )
    return 0 if passed(hops) else 1


def _stay(clinic: Clinic, console: Console) -> int:
    try:
        while True:
            keep(clinic, console.print)
            sleep(WATCH_S)
    except KeyboardInterrupt:
        console.print("\nEnding ...")
        return 0


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
