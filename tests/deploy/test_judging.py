"""Which billing months are judged by themselves, and that the page then has something to show."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from deploy import judging
from deploy.demo.seed import seed
from deploy.judging import Judged
from tests.conftest import Database

NEW_YORK = ZoneInfo("America/New_York")
AUGUST, SEPTEMBER = date(2026, 8, 1), date(2026, 9, 1)


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ({}, [AUGUST, SEPTEMBER]),
        ({AUGUST: ("locked", None)}, [SEPTEMBER]),
        ({AUGUST: ("ready", None), SEPTEMBER: ("collecting", 7)}, [SEPTEMBER]),
        ({AUGUST: ("collecting", 5), SEPTEMBER: ("collecting", 5)}, []),
    ],
    ids=["never judged", "a locked month stays", "a closed one stays; hours old", "judged lately"],
)
def test_months_that_collect_are_judged_every_few_hours(
    noon: datetime, known: dict[date, tuple[str, int | None]], due: list[date]
) -> None:
    months = {
        first: Judged(state=state, at=noon - timedelta(hours=hours) if hours else None)
        for first, (state, hours) in known.items()
    }
    assert list(judging.due(NEW_YORK, months, noon)) == due


def test_the_month_is_the_clinics() -> None:
    just_october_in_utc = datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert list(judging.due(NEW_YORK, {}, just_october_in_utc)) == [AUGUST, SEPTEMBER]


def test_a_clinics_months_are_judged_once(db: Database, noon: datetime) -> None:
    with db.connect() as owner:
        seed(owner, now=noon, password="not a secret")
        assert judging.judge(db.worker_dsn, now=noon) == 2
        assert judging.judge(db.worker_dsn, now=noon + timedelta(hours=1)) == 0
        found = owner.execute("select state from billing_job").fetchall()
    assert found == [("done",), ("done",)]
