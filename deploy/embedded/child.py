"""A server as a child process that ends with us, on every POSIX system and from any thread.

A shell keeps one end of a pipe whose other end only we hold, then becomes the server. Its
watcher asks the server to stop when the pipe breaks, which is when we are gone, even by kill -9.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from deploy.embedded.account import Account, switched

# The watcher is a grandchild (the server must not find a child it does not know). A line from
# us means a regular end, the end of the pipe means that we died.
_SHELL = """
exec 3<&0
( (read -r regular <&3 || kill -s "$0" $$) >/dev/null 2>&1 & )
exec "$@" 3<&- </dev/null
"""


def start(  # noqa: PLR0913 - what a process needs to be told
    command: Sequence[str | Path],
    *,
    ends_on: str,
    log: IO[bytes],
    directory: Path,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own; `ends_on` is INT or TERM, sent when we die."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _SHELL, ends_on, *command],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=directory,
        env=dict(os.environ if environment is None else environment),
        pass_fds=keep,
        start_new_session=True,
        **switched(account),
    )


def release(process: subprocess.Popen[bytes]) -> None:
    """Send the watcher away: the server has ended, its process id may soon be another's."""
    if process.stdin is not None and not process.stdin.closed:
        try:
            process.stdin.write(b"\n")
            process.stdin.close()
        except BrokenPipeError:
            pass  # the watcher was killed


def stop(process: subprocess.Popen[bytes], signals: Sequence[int], patience: float = 20) -> None:
    """Ask with the first signal, insist with the next ones; return when the server is gone."""
    for number in signals:
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        break
    release(process)
