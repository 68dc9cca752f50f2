from collections import Counter
from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ingest.metrics import Metrics
from ingest.store import Outcome

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


def told(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_batch_is_counted_once_it_is_stored() -> None:
    metrics = Metrics()
    outcome = Outcome(
        rows=Counter(accepted=2, quarantined=1),
        reasons=Counter(unknown_device=1),
        doubts=Counter(jump=1),
    )
    received = [NOON - timedelta(milliseconds=ms) for ms in (4, 40, 400)]
    metrics.stored(outcome, received, began=NOON - timedelta(seconds=1), now=NOON)
    samples = told(metrics)
    assert samples["tidings_ingest_messages_total",] == 3
    assert samples["tidings_ingest_rows_total", "accepted"] == 2
    assert samples["tidings_ingest_quarantined_total", "unknown_device"] == 1
    assert samples["tidings_ingest_flagged_total", "jump"] == 1
    assert samples["tidings_ingest_lag_seconds_bucket", "0.005"] == 1
    assert samples["tidings_ingest_lag_seconds_bucket", "0.05"] == 2
    assert samples["tidings_ingest_lag_seconds_bucket", "0.5"] == 3
    assert samples["tidings_ingest_lag_seconds_bucket", "+Inf"] == 3
    assert round(samples["tidings_ingest_lag_seconds_sum",], 3) == 0.444
    assert samples["tidings_ingest_commit_seconds_sum",] == 1


def test_names_carry_their_units_and_no_label_a_patient() -> None:
    labels = {
        label
        for family in Metrics().registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert labels <= {"outcome", "reason", "doubt", "le"}


def test_the_oldest_message_of_any_slot_is_told_as_long_as_the_slot_is_ours() -> None:
    metrics = Metrics()
    young, old = (lambda: 3.0), (lambda: 7.0)
    metrics.watch(young)
    metrics.watch(old)
    assert told(metrics)["tidings_ingest_oldest_unacknowledged_seconds",] == 7
    metrics.forget(old)
    assert told(metrics)["tidings_ingest_oldest_unacknowledged_seconds",] == 3


def test_memory_is_told() -> None:
    assert told(Metrics())["process_resident_memory_bytes",] > 1e6
