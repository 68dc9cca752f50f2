"""An embedded MQTT 5 broker on 127.0.0.1: mosquitto where there is one, else the iotcore wheel.

    with EmbeddedBroker(directory) as broker:
        client.connect(broker.host, broker.port)

iotcore keeps everything in memory and knows neither passwords nor ACLs: for the demo only.
"""

import base64
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Self

from deploy.embedded import child
from deploy.embedded.account import Account, EmbeddedError, unprivileged, workplace

HOST = "127.0.0.1"
PATIENCE = 15.0
"""Seconds that a broker has to listen."""
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/mosquitto/sbin")
"""Where mosquitto may be when it is not on the PATH."""

INGEST = "ingest"
"""The one user that reads every home's messages and writes to every home."""


class Kind(StrEnum):
    """Which broker runs."""

    MOSQUITTO = "mosquitto"
    IOTCORE = "iotcore"


_MOSQUITTO = """\
# written by deploy/embedded/broker.py at every start
listener {port} {host}
set_tcp_nodelay true
# the client's Receive Maximum rules; a bounded queue would drop messages that it has acknowledged
max_inflight_messages 0
max_queued_messages 0
persistence true
persistence_location {place}/
autosave_interval 60
log_dest stderr
log_type error
log_type warning
"""

_ACL = """\
user {ingest}
topic read $SYS/#
topic read tidings/v1/#
topic write tidings/v1/+/+/acks
topic write tidings/v1/+/+/commands

pattern write tidings/v1/+/%u/readings
pattern write tidings/v1/+/%u/events
pattern write tidings/v1/+/%u/status
pattern write tidings/v1/+/%u/results
pattern read tidings/v1/+/%u/acks
pattern read tidings/v1/+/%u/commands
"""

_IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "v5-1"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


class EmbeddedBroker:
    """One MQTT broker and its directory; the port stays the same over restarts."""

    host = HOST

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        kind: Kind | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a broker; port 0 picks a free one.

        With `passwords` (user -> password) a gateway, whose user is its id, may write only under
        its own id, and INGEST reads everything.
        """
        self.directory = directory.absolute()
        self.kind = kind or (Kind.MOSQUITTO if find_mosquitto() else Kind.IOTCORE)
        self._chosen = port
        self.port = port
        self._passwords = dict(passwords or {})
        self._process: subprocess.Popen[bytes] | None = None
        if self._passwords and self.kind is Kind.IOTCORE:
            raise EmbeddedError("iotcore knows no passwords: install mosquitto")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The broker's process id."""
        if self._process is None:
            raise EmbeddedError("the embedded broker is not running")
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether the broker runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start; return when it takes connections."""
        if self.alive():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE
        while not self._attempt(deadline):
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"{self.kind} did not start: {self._last_words()}")
            time.sleep(0.05)  # another program was faster to take the free port, or keeps it still

    def stop(self) -> None:
        """Stop; mosquitto saves its queues first."""
        if self._process is not None:
            child.stop(self._process, (signal.SIGTERM, signal.SIGKILL))
            self._process = None

    def restart(self) -> None:
        """Stop if it runs, start again on the same port."""
        self.stop()
        self.start()

    def _attempt(self, deadline: float) -> bool:
        self.port = self.port or free_port()
        if self._process is not None:
            child.release(self._process)
        if _listens(self.port):  # somebody else does
            return False
        self._process = self._spawn()
        while self.alive() and time.monotonic() < deadline:
            if _listens(self.port):
                self._chosen = self.port
                return True
            time.sleep(0.01)
        self.port = self._chosen
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self.kind is Kind.IOTCORE:
            account, command, place = None, self._iotcore(), self.directory
        else:
            account = unprivileged()
            place = workplace(self.directory, "mosquitto", account)
            command = self._mosquitto(place, account)
        with (self.directory / "broker.log").open("ab") as log:
            return child.start(command, ends_on="TERM", log=log, directory=place, account=account)

    def _mosquitto(self, place: Path, account: Account | None) -> list[str | Path]:
        program = find_mosquitto()
        if program is None:
            raise EmbeddedError("mosquitto is not installed: apt install mosquitto")
        text = _MOSQUITTO.format(port=self.port, host=HOST, place=place)
        if self._passwords:
            acl = _ACL.format(ingest=INGEST)
            _write(place / "acl", acl, account)
            _write(place / "passwords", _password_file(self._passwords), account)
            text += f"password_file {place}/passwords\nacl_file {place}/acl\n"
        text += f"allow_anonymous {'false' if self._passwords else 'true'}\n"
        _write(place / "mosquitto.conf", text, account)
        return [program, "-c", place / "mosquitto.conf"]

    def _iotcore(self) -> list[str | Path]:
        if importlib.util.find_spec("iotcore") is None:
            raise EmbeddedError(
                "no MQTT broker: install mosquitto (apt install mosquitto, brew install "
                "mosquitto) or pip install 'tidings[demo]'"
            )
        config = self.directory / "iotcore.toml"
        config.write_text(_IOTCORE.format(port=self.port, host=HOST), encoding="utf-8")
        # its log repeats every packet at level error
        flags = ("--config", str(config), "--log-level", "CRITICAL")
        return [sys.executable, "-P", "-m", "iotcore", *flags]

    def _last_words(self) -> str:
        if _listens(self.port):
            return f"port {self.port} is taken"
        return (self.directory / "broker.log").read_text(errors="replace")[-400:].strip()


def find_mosquitto() -> str | None:
    """Return mosquitto's path, if it is installed."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _password_file(passwords: Mapping[str, str]) -> str:
    """Return mosquitto's format: user:$7$iterations$salt$hash, PBKDF2 with SHA-512."""
    return "".join(f"{user}:{_hashed(password)}\n" for user, password in passwords.items())


def _hashed(password: str, iterations: int = 101) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _write(path: Path, text: str, account: Account | None) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    if account is not None:
        os.chown(path, account.uid, account.gid)
