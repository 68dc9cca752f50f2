"""What ingest tells Prometheus; names carry their units, labels never a patient or device."""

from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from ingest.store import Outcome

LAG_BUCKETS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.3,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    120.0,
    600.0,
)
BATCH_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class LagHistogram(Collector):
    """Seconds from the broker's delivery to the commit, counted a whole batch at a time."""

    def __init__(self) -> None:
        self._counts = [0] * (len(LAG_BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, received: Iterable[datetime], now: datetime) -> None:
        """Count how long ago each message came; many came in the same read."""
        for at, number in Counted(received).items():
            lag = (now - at).total_seconds()
            self._counts[bisect_left(LAG_BUCKETS, lag)] += number
            self._sum += lag * number

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Give Prometheus cumulative buckets."""
        family = HistogramMetricFamily(
            "tidings_ingest_lag_seconds", "From delivery by the broker to the commit, per message."
        )
        total, buckets = 0, []
        bounds = [*map(str, LAG_BUCKETS), "+Inf"]
        for bound, count in zip(bounds, self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric([], buckets, self._sum)
        yield family


class Metrics:
    """Every figure of one worker process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        ProcessCollector(registry=registry)
        self._ages: list[Callable[[], float]] = []
        self.lag = LagHistogram()
        registry.register(self.lag)
        self.messages = Counter(
            "tidings_ingest_messages", "Messages taken from the broker.", registry=registry
        )
        self.rows = Counter(
            "tidings_ingest_rows", "Decisions by outcome.", ["outcome"], registry=registry
        )
        self.quarantined = Counter(
            "tidings_ingest_quarantined", "Quarantined by reason.", ["reason"], registry=registry
        )
        self.flagged = Counter(
            "tidings_ingest_flagged", "Doubts of flagged readings.", ["doubt"], registry=registry
        )
        self.batch = Histogram(
            "tidings_ingest_batch_messages",
            "Messages in one transaction.",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.commit = Histogram(
            "tidings_ingest_commit_seconds",
            "From the first look-up of a batch to its commit.",
            registry=registry,
        )
        self.writer_wait = Histogram(
            "tidings_ingest_writer_wait_seconds",
            "From the arrival of a batch's first message until a writer took it.",
            registry=registry,
        )
        self.oldest = Gauge(
            "tidings_ingest_oldest_unacknowledged_seconds",
            "Age of the oldest message that is neither stored nor acknowledged.",
            registry=registry,
        )
        self.oldest.set_function(lambda: max((age() for age in self._ages), default=0.0))
        self.database_wait = Counter(
            "tidings_ingest_database_wait_seconds",
            "Time spent waiting for a database that was away.",
            registry=registry,
        )
        self.connections = Counter(
            "tidings_ingest_broker_connections", "Connections to the broker.", registry=registry
        )
        self.dropped_acks = Counter(
            "tidings_ingest_dropped_pubacks",
            "Acknowledgements of an older connection, not sent.",
            registry=registry,
        )
        self.waiting = Gauge(
            "tidings_ingest_waiting_bytes", "Messages held in memory.", registry=registry
        )
        self.connected = Gauge(
            "tidings_ingest_broker_connected", "1 while subscribed.", registry=registry
        )
        self.slots = Gauge(
            "tidings_ingest_slots_held", "Slots that this process owns.", registry=registry
        )

    def watch(self, age: Callable[[], float]) -> None:
        """Ask a slot for the age of its oldest message whenever somebody looks."""
        self._ages.append(age)

    def forget(self, age: Callable[[], float]) -> None:
        """The slot is no longer ours."""
        self._ages.remove(age)

    def stored(
        self, outcome: Outcome, received: list[datetime], *, began: datetime, now: datetime
    ) -> None:
        """Count one committed batch."""
        self.messages.inc(len(received))
        self.batch.observe(len(received))
        self.commit.observe((now - began).total_seconds())
        self.writer_wait.observe(max(0.0, (began - min(received)).total_seconds()))
        self.lag.observe(received, now)
        for word, number in outcome.rows.items():
            self.rows.labels(word).inc(number)
        for word, number in outcome.reasons.items():
            self.quarantined.labels(word).inc(number)
        for word, number in outcome.doubts.items():
            self.flagged.labels(word).inc(number)
