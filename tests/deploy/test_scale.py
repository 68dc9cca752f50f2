from dataclasses import replace

import msgspec
import pytest

from deploy.bench.scale import FLOOR, HOMES, Level, _messages, conclusion

SMALL = Level(
    patients=1000,
    readings=100_000,
    load_s=1,
    database_mb=50,
    ingest_per_s=15_000,
    patient_ms=2,
    worklist_ms=1,
    counts_ms=1,
    first_patient_ms=3,
    first_worklist_ms=2,
)


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, True),
        ({"patient_ms": 2 * FLOOR}, True),
        ({"patient_ms": 2 * FLOOR + 0.01}, False),
        ({"worklist_ms": FLOOR + 0.01}, False),
        ({"ingest_per_s": 15_000 / FLOOR}, True),
        ({"ingest_per_s": 9_000}, False),
    ],
)
def test_every_cost_is_compared_with_the_smallest_level(
    change: dict[str, float], met: bool
) -> None:
    told = conclusion([SMALL, replace(SMALL, readings=1_000_000, **change)])  # type: ignore[arg-type] # a table
    assert told["floors_met"] is met


def test_the_same_number_of_homes_sends_at_every_level() -> None:
    for patients in (HOMES, 50 * HOMES):
        homes = set()
        for topic, body in _messages(2 * HOMES, patients):
            message = msgspec.json.decode(body)
            home = topic.split("/")[3]
            assert message["gateway"] == home
            assert message["device"] == home.replace("gw", "cuff")
            assert int(home.removeprefix("gw")) < patients
            homes.add(home)
        assert len(homes) == HOMES
