"""Several workers on one machine: a process each, started again when it falls."""

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import FrameType

RESTART_AFTER_S = 1.0
GRACE_S = 25.0


def supervise(environ: Mapping[str, str], workers: int, first_slot: int, slots: int) -> int:
    """Run the workers until SIGTERM or Ctrl-C; return the exit status."""
    stop = threading.Event()

    def _stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    environments = [
        worker_environment(environ, first_slot + index, slots, index) for index in range(workers)
    ]
    children = [_start(each) for each in environments]
    while not stop.wait(RESTART_AFTER_S):
        for index, child in enumerate(children):
            if child.poll() is not None:
                children[index] = _start(environments[index])
    return _end(children)


def worker_environment(
    environ: Mapping[str, str], slot: int, slots: int, index: int
) -> dict[str, str]:
    """Return one worker's settings: its slot, and a metrics port of its own."""
    port = int(environ.get("TIDINGS_INGEST_METRICS_PORT", "0"))
    return {
        **environ,
        "TIDINGS_INGEST_SLOT": str(slot),
        "TIDINGS_INGEST_SLOTS": str(slots),
        "TIDINGS_INGEST_METRICS_PORT": str(port + index if port else 0),
    }


def _start(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ingest"]
    return subprocess.Popen(command, env=dict(environment), start_new_session=True)  # noqa: S603 - our own module


def _end(children: list[subprocess.Popen[bytes]]) -> int:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return max(abs(child.wait()) for child in children)
