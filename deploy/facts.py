"""What `tidings doctor` looks at, as values; no judgement and no reading of anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from database import doctor as database_doctor


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A gateway in use, as its last heartbeat left it."""

    id: str
    online: bool
    last_seen_at: datetime | None
    outbox_depth: int = 0
    outbox_oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Open quarantine of one reason."""

    queue: str
    reason: str
    rows: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """Rows that wait, and since when the oldest does."""

    rows: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """From the broker to a person, as the database shows it at `now` (its own clock)."""

    now: datetime
    newest_reading: datetime | None = None
    lag: timedelta | None = None
    unjudged: Pile = Pile()
    parked: Pile = Pile()
    quarantine: Sequence[Held] = ()
    boxes: Sequence[Box] = ()
    slots: frozenset[int] = frozenset()
    slots_wanted: int | None = None
    """How many slots the deployment has; None: as many as the highest owned one says."""
    beats: Sequence[tuple[str, datetime]] = ()
    undelivered: Pile = Pile()
    unsent: Pile = Pile()
    incidents: Sequence[tuple[int, str]] = ()
    """Severity and words of operations' open alarms."""
    nobody_to_page: Sequence[str] = ()
    unsummed_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The broker as a client with ingest's credential sees it."""

    address: str
    error: str = ""
    """Why it cannot be used; the rest is then empty."""
    loopback: bool = False
    tls: bool = False
    certificate_until: datetime | None = None
    anonymous: bool = False
    """Lets in whoever does not say who he is."""
    shared: bool = True
    qos: int = 2
    session_kept: bool = True
    version: str = ""
    dropped: int | None = None
    queued: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was looked at; None: not asked for, or not to be had."""

    now: datetime
    """By this machine's clock."""
    clock_set: bool
    """Whether the network sets this machine's clock."""
    database: database_doctor.Facts | None = None
    database_error: str = ""
    pipeline: Pipeline | None = None
    broker: Broker | None = None
