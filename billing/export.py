"""Tables of a month as CSV and XLSX, written row by row so that memory does not grow."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import BinaryIO, TextIO

import xlsxwriter  # type: ignore[import-untyped]  # ships no types

from billing import days, ledger, missing, periods
from billing.claims import BillLine, missing_for_claim
from billing.outcome import Evaluation
from billing.pack import Pack
from billing.record import Case
from billing.spreadsheet import harmless

Cell = str | int | float | Decimal | date | datetime | None
Rendered = tuple[str | float, ...]
Progress = Callable[[int], None]
ROWS_PER_SHEET = 1_000_000
EVERY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A name, column headings and rows that may come from a generator."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Tables that grow side by side: each batch holds some rows for every one of them."""

    tables: tuple[Table, ...]
    batches: Iterable[tuple[Iterable[Rendered], ...]]


LINE_COLUMNS = (
    "patient",
    "code",
    "units",
    "service from",
    "service to",
    "date of service",
    "threshold met at",
    "billing NPI",
    "rendering NPI",
    "ordering NPI",
    "place of service",
    "ICD-10",
    "missing for claim",
    "rule pack",
    "version",
    "parameter hash",
    "line id",
)
MISSING_COLUMNS = ("patient", "code", "reason", "what is missing", "where")
DAY_COLUMNS = ("patient", "program", "local day", "readings", "reading ids")
MINUTE_COLUMNS = (
    "patient",
    "program",
    "entry",
    "staff",
    "role",
    "start",
    "end",
    "seconds logged",
    "activity",
    "interactive",
    "mode",
)


def lines_table(lines: Iterable[BillLine]) -> Table:
    """Return the ready lines as a table."""
    return Table(name="Lines", columns=LINE_COLUMNS, rows=(_line_row(line) for line in lines))


def missing_table(judged: Iterable[tuple[Case, Evaluation]]) -> Table:
    """Return every code that is not billable, with its reason and the shortest way."""
    return Table(name="Missing", columns=MISSING_COLUMNS, rows=_missing_rows(judged))


def days_table(cases: Iterable[Case], pack: Pack, program: str = "RPM") -> Table:
    """Return the counted days of a programme."""
    return Table(name="Days", columns=DAY_COLUMNS, rows=_day_rows(cases, pack, program))


def minutes_table(cases: Iterable[Case], pack: Pack) -> Table:
    """Return the time log of the month."""
    return Table(name="Minutes", columns=MINUTE_COLUMNS, rows=_minute_rows(cases, pack))


def write_csv(out: TextIO, table: Table, progress: Progress | None = None) -> int:
    """Write a table and return the number of its rows."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.columns)
    number = 0
    for number, row in enumerate(table.rows, start=1):
        writer.writerow([_plain(cell) for cell in row])
        tell(progress, number)
    return number


def write_xlsx(
    out: BinaryIO | str,
    tables: Iterable[Table | Together],
    *,
    created: datetime,
    progress: Progress | None = None,
) -> int:
    """Write tables as sheets, each row leaving memory at once, and return the number of rows."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    written = 0
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": created, "title": "Billing month"})
        for each in tables:
            for leaves, row in _placed(book, each):
                leaves.put(row)
                written += 1
                tell(progress, written)
    return written


class _Leaves:
    """The sheets of one table: a full one is followed by another."""

    def __init__(self, book: xlsxwriter.Workbook, table: Table) -> None:
        self._book, self._table, self._rows = book, table, 0
        self._open(1)

    def put(self, row: Rendered) -> None:
        part, place = divmod(self._rows, ROWS_PER_SHEET)
        if part and not place:
            self._open(part + 1)
        self._write(place + 1, row)
        self._rows += 1

    def _open(self, part: int) -> None:
        name = self._table.name if part == 1 else f"{self._table.name} {part}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._write(0, self._table.columns)

    def _write(self, number: int, cells: Sequence[str | float]) -> None:
        """A text stays a text, whatever it looks like."""
        for place, cell in enumerate(cells):
            write = self._sheet.write_string if isinstance(cell, str) else self._sheet.write_number
            write(number, place, cell)


def _placed(
    book: xlsxwriter.Workbook, given: Table | Together
) -> Iterator[tuple[_Leaves, Rendered]]:
    """Yield rows as they come, each with the sheets that it belongs to."""
    if isinstance(given, Table):
        alone = (map(rendered, given.rows),)
        given = Together(tables=(given,), batches=(alone,))
    sheets = [_Leaves(book, table) for table in given.tables]
    for batch in given.batches:
        for leaves, rows in zip(sheets, batch, strict=True):
            for row in rows:
                yield leaves, row


def rendered(row: Sequence[Cell]) -> Rendered:
    """Return a row as a spreadsheet holds it: texts and numbers."""
    return tuple([cell if type(cell) is str else _rendered(cell) for cell in row])


def _rendered(cell: Cell) -> str | float:
    return float(cell) if isinstance(cell, int | float | Decimal) else _text(cell)


def _plain(cell: Cell) -> str | int | float | Decimal:
    return cell if isinstance(cell, int | float | Decimal) else harmless(_text(cell))


def _text(cell: str | date | None) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="seconds")
    return "" if cell is None else str(cell)


def tell(progress: Progress | None, number: int) -> None:
    """Say how far it is, now and then."""
    if progress is not None and number % EVERY == 0:
        progress(number)


def _line_row(line: BillLine) -> tuple[Cell, ...]:
    return (
        line.patient_id,
        line.code,
        line.units,
        line.service_from,
        line.service_to,
        line.date_of_service,
        line.threshold_met_at,
        line.billing_npi,
        line.rendering_npi,
        line.ordering_npi,
        line.place_of_service,
        " ".join(line.icd10),
        ", ".join(missing_for_claim(line)),
        line.pack,
        line.pack_version,
        line.parameter_hash,
        line.id,
    )


def _missing_rows(judged: Iterable[tuple[Case, Evaluation]]) -> Iterator[tuple[Cell, ...]]:
    for case, evaluation in judged:
        for row in evaluation.not_billable:
            way = missing.shortest_way(row)
            yield case.patient.id, row.code, row.reason, way.text, way.mend.value


def _day_rows(cases: Iterable[Case], pack: Pack, program: str) -> Iterator[tuple[Cell, ...]]:
    family = pack.family(f"{program.lower()}_device")
    for case in cases:
        span = periods.span_of(case, pack, family)
        zone = periods.zone_of(case, family, span)
        if span is None or zone is None:
            continue
        counted = days.count(case, pack.parameters, program=program, window=span, zone=zone)
        for day, readings in counted.days.items():
            ids = " ".join(reading.id for reading in readings)
            yield case.patient.id, program, day, len(readings), ids


def _minute_rows(cases: Iterable[Case], pack: Pack) -> Iterator[tuple[Cell, ...]]:
    for case in cases:
        for entry in sorted(ledger.own_entries(case), key=lambda entry: (entry.start, entry.id)):
            interactive = ledger.counts_as_interactive(entry, pack.parameters)
            yield (
                case.patient.id,
                entry.program,
                entry.id,
                entry.staff_id,
                entry.role,
                entry.start,
                entry.end,
                int((entry.end - entry.start).total_seconds()),
                entry.activity,
                "yes" if interactive else "no",
                entry.mode,
            )
