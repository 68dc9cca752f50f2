"""A day of a small synthetic clinic ends with everybody's alerts in somebody's hands."""

from datetime import timedelta

from deploy.day import run
from deploy.day.__main__ import tables, words
from tests.conftest import Database


async def test_a_day_ends_with_nothing_unowned(db: Database) -> None:
    shares: list[float] = []
    found = await run.day(
        db.dsn,
        db.worker_dsn,
        patients=60,
        seed=3,
        step=timedelta(minutes=10),
        progress=shares.append,
    )
    assert found.well, found
    assert found.readings > 60
    assert found.lines
    assert found.alerts >= sum(each.opened for each in found.lines)
    assert sum(count for _, count, _ in found.pages) > 0
    assert found.handovers > 0
    assert shares[-1] == 1
    shown, sums = tables(found)
    assert (shown.row_count, words(found)["well"]) == (len(found.lines), True)
    assert sums.row_count > 6
