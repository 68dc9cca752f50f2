"""What the ingest benchmark concludes from its figures."""

import pytest

from deploy.bench.contenders import lineup
from deploy.bench.flow import Figures
from deploy.bench.ingest import FLOORS, _conclusion
from deploy.bench.punctual import quantile

BUCKETS = [(0.1, 90.0), (0.2, 98.0), (0.4, 100.0), (float("inf"), 100.0)]


def figures(per_s: float) -> Figures:
    return Figures(per_s=per_s, consumer_ms=1.0, postgres_ms=1.0, broker_ms=1.0, peak_mb=50.0)


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.45, 0.05), (0.94, 0.15), (0.99, 0.3), (1.0, 0.4)]
)
def test_a_quantile_is_read_from_buckets_as_prometheus_reads_it(
    share: float, seconds: float
) -> None:
    assert quantile(BUCKETS, share) == pytest.approx(seconds)


@pytest.mark.parametrize(("bridge", "met"), [(1000.0, True), (1200.0, False)])
def test_a_floor_that_is_missed_is_told(bridge: float, met: bool) -> None:
    rates = {"tutorial": 100.0, "careful": 500.0, "bridge": bridge, "ours": 1400.0}
    told = _conclusion({name: [figures(rate)] for name, rate in rates.items()}, 10)
    assert told["floors_met"] is met
    assert told["floors"] == FLOORS


def test_nobody_leaves_a_session_for_which_the_broker_queues() -> None:
    lined_up = lineup.contenders(None, [1, 2])
    assert [each.sessions for each in lined_up] == [
        ("tutorial",),
        ("careful",),
        ("ingest-0",),
        ("ingest-0", "ingest-1"),
    ]
