"""What the web process must be told, and how it is read from the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from dashboards.accounts import providers
from dashboards.accounts.providers import Provider
from ingest.settings import Broker, broker_from

LOOPBACK_NAMES = frozenset({"localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxDoor:
    """Where boxes at home reach the broker; `ca` is a file with the authority that signed it."""

    host: str
    port: int = 8883
    tls: bool = True
    ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One web process; `dsn` connects as tidings_web, `clock` is the only clock it knows."""

    dsn: str
    clock: Callable[[], datetime]
    host: str = "127.0.0.1"
    port: int = 8000
    worker_dsn: str = ""
    """As tidings_worker: only for giving readings to people and correcting them; may be empty."""
    https: bool = False
    """Set behind TLS: cookies become Secure and carry the __Host- prefix."""
    origin: str = ""
    """How browsers reach us (https://tidings.example): passkeys and single sign-on belong to it;
    empty: as the browser says."""
    sso: tuple[Provider, ...] = ()
    idle: timedelta = timedelta(minutes=15)
    session_life: timedelta = timedelta(hours=12)
    connections: int = 10
    demo_sign_ins: tuple[str, ...] = ()
    """Shown on the sign-in page of a demo: never set this on a real clinic."""
    broker: Broker | None = None
    """For orders to boxes; None: orders are given on the command line only."""
    boxes: BoxDoor | None = None
    """What a one-time code tells a box; None: codes are made on the command line only."""

    @property
    def cookie(self) -> str:
        """Name of the session cookie."""
        return "__Host-sid" if self.https else "sid"


def from_environment(environ: Mapping[str, str], clock: Callable[[], datetime]) -> Settings:
    """Read TIDINGS_* variables; ValueError for plain http on anything but loopback."""
    host = environ.get("TIDINGS_WEB_HOST", "127.0.0.1")
    https = environ.get("TIDINGS_WEB_HTTPS", "") == "1"
    if not https and not _is_loopback(host):
        raise ValueError(f"TIDINGS_WEB_HOST={host}: set TIDINGS_WEB_HTTPS=1 behind a TLS proxy")
    return Settings(
        dsn=_required(environ, "TIDINGS_WEB_DSN"),
        worker_dsn=environ.get("TIDINGS_WORKER_DSN", ""),
        clock=clock,
        host=host,
        port=int(environ.get("TIDINGS_WEB_PORT", "8000")),
        https=https,
        origin=environ.get("TIDINGS_WEB_ORIGIN", "").rstrip("/"),
        sso=providers.from_environment(environ),
        idle=timedelta(minutes=int(environ.get("TIDINGS_WEB_IDLE_MINUTES", "15"))),
        connections=int(environ.get("TIDINGS_WEB_CONNECTIONS", "10")),
        demo_sign_ins=tuple(filter(None, environ.get("TIDINGS_DEMO_SIGN_INS", "").split(";"))),
        broker=broker_from(environ) if environ.get("TIDINGS_BROKER_HOST") else None,
        boxes=_boxes(environ),
    )


def _boxes(environ: Mapping[str, str]) -> BoxDoor | None:
    """Read TIDINGS_GATEWAY_BROKER_*, as `tidings gateways code` does."""
    host = environ.get("TIDINGS_GATEWAY_BROKER_HOST")
    if not host:
        return None
    return BoxDoor(
        host=host,
        port=int(environ.get("TIDINGS_GATEWAY_BROKER_PORT", "8883")),
        tls=environ.get("TIDINGS_GATEWAY_BROKER_TLS", "1").lower() in {"1", "true", "yes"},
        ca=environ.get("TIDINGS_GATEWAY_BROKER_CA", ""),
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    """Return a variable that has no default."""
    value = environ.get(name)
    if not value:
        raise ValueError(f"{name} is not set: the web process needs the database's address")
    return value


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
