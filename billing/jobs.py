"""Long work on a month, run on a connection of its own: its progress is a row that pages read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billing import closing, crew, files, gather
from billing.crew import Crew
from billing.fields import CaseError
from billing.gather import QUERIES, Connection
from billing.month import RefusedError
from billing.store import Key
from database.pool import connect


class CalledOffError(Exception):
    """Somebody called the work off: what it had begun is rolled back."""


class Kind(StrEnum):
    """What is done."""

    EVALUATE = "evaluate"
    LOCK = "lock"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One piece of long work, and who asked for it."""

    id: UUID
    key: Key
    kind: Kind
    by: str
    now: datetime
    form: files.Format = files.Format.XLSX


def begin(dsn: str, order: Order) -> bool:
    """Note that the work begins; False when other work on this month is under way."""
    row = {"id": order.id, "kind": order.kind.value, "by": order.by, "now": order.now}
    with connect(dsn) as connection:
        found = connection.execute(QUERIES["start_job"], order.key.fields | row).fetchone()
    return found is not None


def run(dsn: str, order: Order) -> None:
    """Do work that has begun to its end, whatever becomes of it; `dsn` is tidings_worker's."""
    with connect(dsn, autocommit=True) as connection, connect(dsn, autocommit=True) as beside:
        progress = _progress(beside, order)
        try:
            words, made = _done(connection, order, progress, _crew(dsn, connection, order))
            ended = {"state": "done", "words": words, "export": made}
        except (RefusedError, CaseError) as error:
            ended = {"state": "failed", "words": str(error), "export": None}
        except CalledOffError:
            return
        except Exception as error:
            ended = {"state": "failed", "words": type(error).__name__, "export": None}
            beside.execute(QUERIES["end_job"], ended | {"id": order.id})
            raise
        beside.execute(QUERIES["end_job"], ended | {"id": order.id})


def _crew(dsn: str, connection: Connection, order: Order) -> Crew:
    key = order.key
    return crew.of(dsn, gather.how_many(connection, key.organisation, key.first))


def _done(
    connection: Connection, order: Order, progress: closing.Progress, helpers: Crew
) -> tuple[str, UUID | None]:
    key, by, now = order.key, order.by, order.now
    if order.kind is Kind.EVALUATE:
        judged = closing.evaluate_month(
            connection, key, by=by, now=now, progress=progress, crew=helpers
        )
        return f"{judged:,} patients judged", None
    if order.kind is Kind.LOCK:
        closing.lock(connection, key, by=by, now=now, progress=progress, crew=helpers)
        return "Locked: every line is proven by its evidence", None

    def written(rows: int) -> None:
        progress(rows, 0)

    made = files.make(connection, key, order.form, by=by, now=now, progress=written, crew=helpers)
    return "Ready to download", made


def _progress(beside: Connection, order: Order) -> closing.Progress:
    def tell(done: int, total: int) -> None:
        told = {"id": order.id, "done": done, "total": total}
        if beside.execute(QUERIES["beat_job"], told).rowcount == 0:
            raise CalledOffError

    return tell
