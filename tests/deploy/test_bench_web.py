import pytest

from deploy.bench import web
from deploy.bench.crowd import listeners


def test_a_spread_tells_the_middle_the_95th_and_the_worst() -> None:
    assert listeners.spread([float(n) for n in range(100, 0, -1)]) == {
        "p50": 51.0, "p95": 95.0, "max": 100.0,
    }  # fmt: skip
    assert listeners.spread([]) == {}


@pytest.mark.parametrize(("slowest", "met"), [(web.TARGET_MS - 0.1, True), (web.TARGET_MS, False)])
def test_one_slow_page_is_enough_to_miss_the_floor(slowest: float, met: bool) -> None:
    quick = {"p50": 1.0, "p95": 2.0, "max": 900.0}
    pages = {"view all": quick, "patient page": quick | {"p95": slowest}, "never asked": {}}
    assert web.pages_met({"view mine": quick}, pages) is met


@pytest.mark.parametrize(
    ("listening", "slowest", "never", "met"),
    [
        (200, 999.0, 0, True),
        (200, 1000.0, 0, False),
        (200, 500.0, 1, False),
        (1000, 9000.0, 40, True),
    ],
    ids=["in time", "too late", "one browser never had it", "more than is promised"],
)
def test_every_browser_of_a_large_clinic_must_have_the_row_in_time(
    listening: int, slowest: float, never: int, met: bool
) -> None:
    told = {"listeners": listening, "row_ms": {"max": slowest}, "never_shown": never}
    assert web.live_met([told]) is met
