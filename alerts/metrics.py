"""What Prometheus reads of the alert process; no label ever names a patient."""

from prometheus_client import Counter, Gauge, Histogram

EVALUATED = Counter("tidings_alerts_evaluated", "Readings judged")
LATENCY = Histogram(
    "tidings_alerts_latency_seconds",
    "From the broker's receipt of a reading to its judgement",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)
CHANGED = Counter("tidings_alerts_episodes_changed", "Episodes opened or changed by readings")
BATCHES_FAILED = Counter("tidings_alerts_batches_failed", "Transactions that raised an error")
PARKED = Counter("tidings_alerts_parked", "Readings that could not be judged")
QUEUE = Gauge("tidings_alerts_queue", "Readings waiting to be judged")
SCHEDULER_BEAT = Gauge("tidings_scheduler_beat_timestamp_seconds", "When the scheduler last ran")
DELIVERIES = Counter("tidings_alerts_deliveries", "Delivery attempts", ["channel", "outcome"])
PAGES = Counter("tidings_alerts_pages", "Pages created", ["severity"])
OPEN = Gauge("tidings_alerts_open", "Open episodes", ["severity", "technical"])
