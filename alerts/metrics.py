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
ANSWERED = Gauge(
    "tidings_alerts_answer_seconds",
    "From opening to the first claim, last 7 days",
    ["severity", "quantile"],
)
RAISED = Gauge("tidings_alerts_raised", "Episodes opened, last 7 days", ["severity"])
MISSED = Gauge("tidings_alerts_missed", "Episodes answered late or not, last 7 days", ["severity"])
REPEATS = Gauge(
    "tidings_alerts_repeats", "Further breaches per alert, last 7 days, mean", ["severity"]
)
USEFUL = Gauge("tidings_alerts_useful_share", "Closed with an action among closed, last 7 days")
CALMED = Gauge("tidings_alerts_calmed_share", "Lowered by later readings, last 7 days")
PER_NURSE_HOUR = Gauge("tidings_alerts_per_nurse_hour", "Closed an hour of handling, last 7 days")
PER_PATIENT_WEEK = Gauge(
    "tidings_alerts_per_patient_week", "Raised a patient and week, last 7 days"
)
UNOWNED = Gauge("tidings_alerts_unowned", "Open episodes beyond their time that nobody has")
OVERRIDES_DUE = Gauge("tidings_alerts_overrides_due", "Changed limits past their review date")
