"""Judges the billing months that still collect, so that the page opens on today's numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from billing import jobs
from billing.month import State
from billing.store import Key
from database import sql
from database.pool import connect

AGAIN_AFTER = timedelta(hours=6)
BY = "process:maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How a month stands, and when it was judged last."""

    state: str
    at: datetime | None


def due(zone: ZoneInfo, known: Mapping[date, Judged], now: datetime) -> Iterator[date]:
    """Yield the clinic's month and the one before, where they collect and were not judged lately.

    Months are those of the clinic's zone; a month that somebody closed is left as it is.
    """
    this = now.astimezone(zone).date().replace(day=1)
    for first in ((this - timedelta(days=1)).replace(day=1), this):
        month = known.get(first, Judged(state=State.COLLECTING, at=None))
        if month.state == State.COLLECTING and (not month.at or now - month.at >= AGAIN_AFTER):
            yield first


def judge(dsn: str, *, now: datetime) -> int:
    """Judge what is due in every clinic; return how many months. `dsn` is tidings_worker's."""
    orders = [
        jobs.Order(
            id=uuid4(),
            key=Key(organisation=organisation, first=first),
            kind=jobs.Kind.EVALUATE,
            by=BY,
            now=now,
        )
        for organisation, (zone, known) in _clinics(dsn, now).items()
        for first in due(zone, known, now)
    ]
    begun = [order for order in orders if jobs.begin(dsn, order)]
    for order in begun:
        jobs.run(dsn, order)
    return len(begun)


def _clinics(dsn: str, now: datetime) -> dict[UUID, tuple[ZoneInfo, dict[date, Judged]]]:
    since = {"since": now.date() - timedelta(days=70)}
    found: dict[UUID, tuple[ZoneInfo, dict[date, Judged]]] = {}
    with connect(dsn) as connection:
        rows = connection.execute(sql.load("deploy")["billing_months"], since).fetchall()
    for organisation, zone, first, state, at in rows:
        _, known = found.setdefault(organisation, (ZoneInfo(zone), {}))
        if first is not None:
            known[first] = Judged(state=state, at=at)
    return found
