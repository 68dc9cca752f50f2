"""What an XLSX file says of each patient beside the lines: each case is read and judged once."""

from collections.abc import Iterator
from datetime import datetime

from billing import evaluate, export, store, windows
from billing import pack as packs
from billing.crew import Crew, deal
from billing.export import Rendered, Together
from billing.gather import Connection, Share
from billing.store import Key

Batch = tuple[list[Rendered], ...]


def of(connection: Connection, key: Key, *, now: datetime, crew: Crew | None = None) -> Together:
    """Return what is missing, the days and the minutes of a month, a share of patients at once."""
    rules = packs.in_force(windows.month_of(key.first).last)
    tables = export.missing_table(()), export.days_table((), rules), export.minutes_table((), rules)
    return Together(tables=tables, batches=_batches(connection, key, now, crew))


def _batches(connection: Connection, key: Key, now: datetime, crew: Crew | None) -> Iterator[Batch]:
    yield from deal(store.shares(connection, key, now=now), of_share, connection, crew)


def of_share(connection: Connection, share: Share) -> Batch:
    """Return the rows of some patients for each of the tables."""
    key = Key(organisation=share.organisation, first=share.first)
    rules = packs.in_force(windows.month_of(key.first).last)
    cases = list(store.cases_of(connection, key, share.ids))
    judged = ((case, each) for case in cases for each in evaluate.evaluate_in_force(case))
    tables = (
        export.missing_table(judged),
        export.days_table(cases, rules),
        export.minutes_table(cases, rules),
    )
    return tuple([export.rendered(row) for row in table.rows] for table in tables)
