"""The demo's processes: started as children that die with it, started again when they fall."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

PR_SET_PDEATHSIG = 1
GRACE_S = 8.0
RESTART_AFTER_S = 1.0
TOO_MANY_FALLS = 20


class ProcessError(RuntimeError):
    """A process that will not stay up; the message names it and its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: `python -m module arguments` with these settings, logging to a file."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Child:
    """One running program, and when it fell last."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    falls: int = 0
    fell_at: float | None = None


class Family:
    """All children of the demo, started and watched from the main thread."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, program: Program) -> Child:
        """Start one program."""
        log = self._logs / f"{program.name}.log"
        child = Child(program=program, log=log, process=_spawn(program, log))
        self._children.append(child)
        return child

    def watch(self) -> list[str]:
        """Start again what fell a moment ago; return the names of those that just fell."""
        fallen = []
        for child in self._children:
            if child.process.poll() is None:
                continue
            if child.fell_at is None:
                child.fell_at, child.falls = monotonic(), child.falls + 1
                fallen.append(child.program.name)
            elif monotonic() - child.fell_at >= RESTART_AFTER_S:
                self._again(child)
        return fallen

    def _again(self, child: Child) -> None:
        if child.falls > TOO_MANY_FALLS:
            raise ProcessError(f"{child.program.name} keeps falling; see {child.log}")
        child.process, child.fell_at = _spawn(child.program, child.log), None

    def stop(self) -> None:
        """End the children, the last started first; those that do not listen are killed."""
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
        deadline = monotonic() + GRACE_S
        for child in reversed(self._children):
            try:
                child.process.wait(max(0.1, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


@contextmanager
def family(logs: Path) -> Iterator[Family]:
    """Yield a family that is ended whatever happens."""
    members = Family(logs)
    try:
        yield members
    finally:
        members.stop()


def _spawn(program: Program, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", program.module, *program.arguments],
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
            preexec_fn=_die_with_the_parent,  # noqa: PLW1509 - one thread only, and prctl is safe
        )


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
