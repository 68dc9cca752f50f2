"""How late ingest stores while messages come at a steady rate, by its own histogram."""

import socket
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from deploy.bench import flow
from deploy.bench.common import Servers
from deploy.bench.contenders.lineup import ours

P99_FLOOR_MS = 300
Buckets = list[tuple[float, float]]
"""(seconds, messages that took no longer), ascending."""


def p99_ms(servers: Servers, rate: float, messages: int) -> float:
    """Publish at this rate; return milliseconds from receipt to commit that 99 % keep to."""
    port = _free_port()
    seen: Buckets = []

    def watch(_stored: int, _pids: list[int]) -> None:
        seen[:] = _buckets(port)

    flow.run(servers, ours(1, metrics_port=port), messages, rate=rate, watch=watch)
    return 1000 * quantile(seen, 0.99)


def quantile(buckets: Buckets, share: float) -> float:
    """Return the value below which that share lies, linear within its bucket."""
    wanted = share * buckets[-1][1]
    low = before = 0.0
    for bound, count in buckets:
        if count >= wanted and count > before:
            return (
                low
                if bound == float("inf")
                else low + (bound - low) * (wanted - before) / (count - before)
            )
        low, before = bound, count
    return low


def _buckets(port: int) -> Buckets:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sorted(
        (float(sample.labels["le"]), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "tidings_ingest_lag_seconds_bucket"
    )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
