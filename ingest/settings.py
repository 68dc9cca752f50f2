"""What an ingest process must be told, and how it is read from the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how to sign in."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One worker process; `dsn` connects as tidings_worker, `clock` is the only clock it knows."""

    dsn: str
    clock: Callable[[], datetime]
    broker: Broker = Broker()
    slot: int = 0
    slots: int = 1
    """How many slots the whole deployment has: every one must have an owner."""
    batch: int = 1000
    """Messages in one transaction at most."""
    batch_bytes: int = 2_000_000
    linger_s: float = 0.06
    """How long a message may wait for company."""
    writers: int = 2
    """Transactions in flight: one is prepared while the other is written."""
    buffer_bytes: int = 16_000_000
    """Beyond it the socket is left alone until batches are stored."""
    touch_s: float = 10.0
    """How often last-seen times are written."""
    drain_s: float = 10.0
    accept_likely: bool = False
    metrics_port: int = 0
    """On 127.0.0.1; 0: none."""

    @property
    def receive_maximum(self) -> int:
        """Twice what the writers hold, so that the next batch fills meanwhile."""
        return min(2 * self.batch * max(self.writers, 1), 65_535)

    @property
    def client_id(self) -> str:
        """Fixed per slot: the broker's session belongs to it."""
        return f"ingest-{self.slot}"


def from_environment(environ: Mapping[str, str], clock: Callable[[], datetime]) -> Settings:
    """Read TIDINGS_* variables; ValueError if the database's address is missing."""
    dsn = environ.get("TIDINGS_INGEST_DSN", "")
    if not dsn:
        raise ValueError("TIDINGS_INGEST_DSN is not set: ingest needs the database's address")
    return Settings(
        dsn=dsn,
        clock=clock,
        broker=broker_from(environ),
        slot=int(environ.get("TIDINGS_INGEST_SLOT", "0")),
        slots=int(environ.get("TIDINGS_INGEST_SLOTS", "1")),
        batch=int(environ.get("TIDINGS_INGEST_BATCH", "1000")),
        linger_s=float(environ.get("TIDINGS_INGEST_LINGER_MS", "60")) / 1000,
        writers=int(environ.get("TIDINGS_INGEST_WRITERS", "2")),
        accept_likely=environ.get("TIDINGS_INGEST_ACCEPT_LIKELY", "") == "1",
        metrics_port=int(environ.get("TIDINGS_INGEST_METRICS_PORT", "0")),
    )


def broker_from(environ: Mapping[str, str]) -> Broker:
    """Read TIDINGS_BROKER_* variables, the same as the gateway's."""
    tls = environ.get("TIDINGS_BROKER_TLS", "") == "1" or bool(environ.get("TIDINGS_BROKER_CA"))
    return Broker(
        host=environ.get("TIDINGS_BROKER_HOST", "127.0.0.1"),
        port=int(environ.get("TIDINGS_BROKER_PORT", "8883" if tls else "1883")),
        username=environ.get("TIDINGS_BROKER_USERNAME", ""),
        password=environ.get("TIDINGS_BROKER_PASSWORD", ""),
        tls=tls,
        ca=environ.get("TIDINGS_BROKER_CA", ""),
        certificate=environ.get("TIDINGS_BROKER_CERTIFICATE", ""),
        key=environ.get("TIDINGS_BROKER_KEY", ""),
    )
