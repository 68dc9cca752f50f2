"""A private D-Bus daemon on a unix socket of its own: started, stopped, dies with its parent."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

SYSTEM_BUS = "DBUS_SYSTEM_BUS_ADDRESS"
"""The environment variable from which bleak, and every D-Bus client, takes the system bus."""

STOP_WITHIN_S = 5.0

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""

# Runs before the daemon takes the process over, so that the kernel ends it with its parent.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class DbusDaemonMissing(RuntimeError):  # noqa: N818  the name says what is wrong, and to whom
    """The `dbus-daemon` program is not installed, so there can be no virtual radio."""


class DbusDaemonFailed(RuntimeError):  # noqa: N818  as above
    """The `dbus-daemon` program started and gave no address; the text is what it said."""


class PrivateBus:
    """One dbus-daemon; `address` stays the same over `stop` and `start`.

    The kernel ends the daemon with the *thread* that started it: start it in the main thread.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.address = f"unix:path={directory / 'bus'}"
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The daemon's process, while it runs."""
        if self._process is None:
            raise DbusDaemonFailed("dbus-daemon is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start the daemon and return when it listens."""
        config = self.directory / "bus.conf"
        config.write_text(_CONFIG.format(address=self.address))
        process = subprocess.Popen(  # noqa: S603  our own interpreter and a program found on PATH
            _command(config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._process = process
        if process.stdout is not None and process.stdout.readline():
            return self
        _, errors = process.communicate()
        self._process = None
        raise DbusDaemonFailed(errors.strip() or "dbus-daemon ended without a word")

    def stop(self) -> None:
        """Stop the daemon by its pid; every connection to it breaks."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        (self.directory / "bus").unlink(missing_ok=True)


@contextmanager
def running_bus(folder: Path | None = None) -> Iterator[PrivateBus]:
    """Run a private bus, without telling the environment.

    In `folder`, which is made if need be, the address is the same every time (unix sockets want
    short paths); without it the bus has a directory of its own that goes with it.
    """
    with _directory(folder) as directory:
        bus = PrivateBus(directory).start()
        try:
            yield bus
        finally:
            bus.stop()


@contextmanager
def private_bus() -> Iterator[str]:
    """Run a private bus as this process's system bus; yield its address."""
    with running_bus() as bus, as_system_bus(bus.address):
        yield bus.address


@contextmanager
def as_system_bus(address: str) -> Iterator[None]:
    """Make `address` the system bus of this process while the block runs (bleak reads it)."""
    before = os.environ.get(SYSTEM_BUS)  # noqa: TID251  bleak takes its bus from nowhere else
    os.environ[SYSTEM_BUS] = address  # noqa: TID251  as above
    try:
        yield
    finally:
        if before is None:
            del os.environ[SYSTEM_BUS]  # noqa: TID251  as above
        else:
            os.environ[SYSTEM_BUS] = before  # noqa: TID251  as above


@contextmanager
def _directory(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "bus").unlink(missing_ok=True)  # left over from a killed daemon
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="tidings-bus-") as directory:
        yield Path(directory)


def _command(config: Path) -> list[str]:
    """The command line of a daemon that dies with this process."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        raise DbusDaemonMissing(
            "dbus-daemon is not installed: install the package `dbus-daemon` (Debian, Ubuntu)"
            " or `dbus` (Fedora, Homebrew); the virtual radio needs it"
        )
    trampoline = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
    return [*trampoline, daemon, f"--config-file={config}", "--nofork", "--print-address=1"]
