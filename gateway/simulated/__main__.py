"""Run simulated homes: `python -m gateway.simulated --plan plan.json --truth truth.jsonl`.

Prints one JSON line with the D-Bus address of each home (`--buses` also writes them, by gateway,
into a file, when all is ready); a gateway started with DBUS_SYSTEM_BUS_ADDRESS set to its address
sees that home's devices. Ends on SIGTERM, or when standard input,
if it is a pipe, closes: then its parent died. Lines on standard input are requests:
{"press": ADDRESS} (the pairing button), {"measure": ADDRESS},
{"measure": ADDRESS, "values": {"systolic": 190, "diastolic": 110}},
{"measure": ADDRESS, "frame": HEX}.
"""

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from gateway.simulated.bus import DbusDaemonMissing
from gateway.simulated.household import Street
from gateway.simulated.plan import Plan, PlanError, load
from gateway.simulated.schedule import TruthLog


def main() -> int:
    """Run until told to stop; 2 if the plan is wrong, 3 if there can be no radio."""
    arguments = _arguments().parse_args()
    try:
        plan = _with_overrides(load(arguments.plan), arguments)
        with arguments.truth.open("a") as out:
            asyncio.run(_run(plan, TruthLog(out), arguments))
    except PlanError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except DbusDaemonMissing as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


async def _run(plan: Plan, truth: TruthLog, arguments: argparse.Namespace) -> None:
    folder = arguments.bus_folder
    street = Street(plan, now=_clock(plan), truth=truth, bus_folder=folder)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with street.running():
        _announce(street.buses, arguments.buses)
        tasks = [
            asyncio.create_task(work) for work in (stop.wait(), _listen(street), street.live())
        ]
        done, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in done:
            task.result()


def _announce(buses: Mapping[str, str], file: Path | None) -> None:
    """Tell where the homes are: a line on standard output, and the file in one piece."""
    if file is not None:
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(dict(buses)))
        draft.replace(file)
    homes = [{"gateway": name, "bus": bus} for name, bus in buses.items()]
    sys.stdout.write(json.dumps({"homes": homes}) + "\n")
    sys.stdout.flush()


async def _listen(street: Street) -> None:
    """Carry out the lines that come in; return when there will be no more."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    if not _can_be_heard():
        await loop.create_future()
    transport, _ = await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    try:
        while line := await reader.readline():
            try:
                await street.obey(line)
            except (ValueError, KeyError) as error:
                sys.stderr.write(f"not understood: {line!r}: {error}\n")
    finally:
        transport.close()


def _can_be_heard() -> bool:
    """Whether anybody may ever say something: not so on /dev/null, or a file."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()


def _clock(plan: Plan) -> Callable[[], datetime]:
    """A clock that runs `speed` times as fast as the real one, as the plan sets it."""
    started = plan.started_at or datetime.now(UTC)
    return partial(_shown, started, plan.shows or started, plan.speed)


def _shown(started: datetime, shows: datetime, speed: float) -> datetime:
    return shows + (datetime.now(UTC) - started) * speed


def _with_overrides(plan: Plan, arguments: argparse.Namespace) -> Plan:
    names = ("seed", "every_s", "breach_share", "speed", "backlog")
    given = {name: getattr(arguments, name) for name in names}
    chosen = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(plan, **chosen)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.simulated", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--plan", type=Path, required=True, help="JSON: homes, devices, habits")
    parser.add_argument("--truth", type=Path, required=True, help="JSON lines of what was measured")
    parser.add_argument("--buses", type=Path, help="JSON file to write: bus address by gateway")
    parser.add_argument("--bus-folder", type=Path, help="keep addresses the same over restarts")
    parser.add_argument("--seed", type=int, help="same seed, same patients")
    parser.add_argument("--every-s", type=float, help="simulated seconds between measurements")
    parser.add_argument("--breach-share", type=float, help="share of bad days, 0 to 1")
    parser.add_argument("--speed", type=float, help="simulated seconds in a real one")
    parser.add_argument("--backlog", type=int, help="records stored before anything begins")
    return parser


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
