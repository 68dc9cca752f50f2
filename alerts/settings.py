"""What the alert process must be told, and how it is read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One alert process; `dsn` connects as tidings_worker. Time comes from the database."""

    dsn: str
    metrics_port: int = 0
    """On 127.0.0.1; 0: none."""
    poll: timedelta = timedelta(seconds=1)
    """How long to wait for a notice before looking anyway."""
    tick: timedelta = timedelta(seconds=5)
    """How often the scheduler looks at its timers."""
    patients: int = 64
    link: str = ""
    """Address of the staff application, for the acknowledgement link in a page."""
    dead_man: str = ""
    """Address that the scheduler calls every minute; whoever listens there misses it at once."""
    last_resort: tuple[str, ...] = ()
    """apprise addresses tried when nobody on duty can be reached."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read TIDINGS_ALERTS_* variables; ValueError names the one that is wrong."""
    dsn = environ.get("TIDINGS_ALERTS_DSN", "")
    if not dsn:
        raise ValueError("TIDINGS_ALERTS_DSN is not set: the alert process needs the database")
    return Settings(
        dsn=dsn,
        metrics_port=int(environ.get("TIDINGS_ALERTS_METRICS_PORT", "0")),
        poll=timedelta(seconds=float(environ.get("TIDINGS_ALERTS_POLL_SECONDS", "1"))),
        tick=timedelta(seconds=float(environ.get("TIDINGS_ALERTS_TICK_SECONDS", "5"))),
        patients=int(environ.get("TIDINGS_ALERTS_PATIENTS", "64")),
        link=_address(environ, "TIDINGS_ALERTS_LINK"),
        dead_man=_address(environ, "TIDINGS_ALERTS_DEAD_MAN"),
        last_resort=tuple(environ.get("TIDINGS_ALERTS_LAST_RESORT", "").split()),
    )


def _address(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if value and urlsplit(value).scheme not in ("http", "https"):
        raise ValueError(f"{name}={value!r} is no http address")
    return value.rstrip("/")
