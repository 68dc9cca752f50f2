"""Tables leave as CSV and XLSX, streamed, with nothing a spreadsheet would execute."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from billing import analysis, case, claims, evaluate, export, pack
from billing.export import Table
from billing.record import Case

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")
CREATED = datetime(2026, 2, 5, 12, tzinfo=UTC)
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c"


@pytest.fixture
def judged(month: Callable[..., Raw]) -> Case:
    return case.parse(month())


def as_csv(table: Table) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    export.write_csv(out, table)
    return list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))


def cells(content: bytes, sheet: int = 1) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314  our own file
    return ["".join(cell.itertext()) for cell in root.iter(CELL)]


def test_ready_lines(judged: Case) -> None:
    found = claims.bill_lines(judged, evaluate.evaluate(judged, RULES))
    rows = as_csv(export.lines_table(found))
    assert [row["code"] for row in rows] == ["99453", "99454", "99457"]
    assert rows[2]["date of service"] == "2026-01-31"
    assert rows[2]["threshold met at"] == "2026-01-08T15:20:00+00:00"
    assert rows[2]["parameter hash"] == RULES.digest


def test_sums_by_code_end_with_all(judged: Case) -> None:
    one = claims.bill_lines(judged, evaluate.evaluate(judged, RULES))
    other = [replace(line, patient_id="P2", units=2) for line in one if line.code != "99453"]
    found = analysis.summary([*one, *other], {"99454": Decimal("47.5")})
    assert list(found.rows) == [
        ("99453", 1, 1, 1, 0),
        ("99454", 2, 2, 3, Decimal("142.5")),
        ("99457", 2, 2, 3, 0),
        ("all", 5, 2, 7, Decimal("142.5")),
    ]
    assert list(analysis.summary([], {}).rows) == []


def test_days_with_their_readings(judged: Case) -> None:
    rows = as_csv(export.days_table([judged], RULES))
    assert len(rows) == 16
    assert rows[0] == {
        "patient": "P1",
        "program": "RPM",
        "local day": "2026-01-05",
        "readings": "1",
        "reading ids": "R5",
    }


def test_minutes_with_their_people(judged: Case) -> None:
    (row,) = as_csv(export.minutes_table([judged], RULES))
    assert (row["staff"], row["seconds logged"], row["interactive"]) == ("S1", "1500", "yes")


def test_what_is_missing_and_where_it_is_mended(judged: Case) -> None:
    rows = as_csv(export.missing_table([(judged, evaluate.evaluate(judged, RULES))]))
    found = {row["code"]: (row["what is missing"], row["where"]) for row in rows}
    assert found["99458"] == ("15 more min for 99458", "time")


def test_patients_without_zone_have_no_days_but_stop_nothing(month: Callable[..., Raw]) -> None:
    nowhere = case.parse(month(patient={"id": "P2", "established_patient": True}))
    rows = as_csv(export.days_table([nowhere, case.parse(month())], RULES))
    assert {row["patient"] for row in rows} == {"P1"}


def test_xlsx_holds_the_same_as_csv(judged: Case, tmp_path: Path) -> None:
    found = claims.bill_lines(judged, evaluate.evaluate(judged, RULES))
    out = tmp_path / "month.xlsx"
    tables = [export.lines_table(found), export.days_table([judged], RULES)]
    assert export.write_xlsx(str(out), tables, created=CREATED) == 3 + 16
    first = cells(out.read_bytes())
    assert first[: len(export.LINE_COLUMNS)] == list(export.LINE_COLUMNS)
    assert first[len(export.LINE_COLUMNS) :][1] == "99453"
    assert cells(out.read_bytes(), 2)[5:10] == ["P1", "RPM", "2026-01-05", "1", "R5"]


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    seen: list[int] = []
    given = 0

    def rows() -> Iterator[tuple[str, int]]:
        nonlocal given
        for given in range(1, 5_001):
            yield "P1", given

    table = Table(name="Long", columns=("patient", "number"), rows=rows())
    with (tmp_path / "long.xlsx").open("wb") as out:
        export.write_xlsx(
            out, [table], created=CREATED, progress=lambda done: seen.append(given - done)
        )
    assert seen == [0, 0, 0, 0, 0]


def test_a_long_table_goes_on_on_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_PER_SHEET", 3)
    out = io.BytesIO()
    table = Table(name="Days", columns=("number",), rows=[(number,) for number in range(7)])
    export.write_xlsx(out, [table], created=CREATED)
    sheets = [cells(out.getvalue(), sheet) for sheet in (1, 2, 3)]
    assert sheets == [["number", "0", "1", "2"], ["number", "3", "4", "5"], ["number", "6"]]


def test_nothing_is_a_formula() -> None:
    table = Table(name="Notes", columns=("note",), rows=[("=HYPERLINK(1)",), (date(2026, 1, 5),)])
    assert as_csv(table)[0]["note"] == "'=HYPERLINK(1)"
    out = io.BytesIO()
    export.write_xlsx(out, [table], created=CREATED)
    with zipfile.ZipFile(out) as book:
        assert not re.search(rb"<f>", book.read("xl/worksheets/sheet1.xml"))


def test_the_same_table_is_the_same_file(judged: Case) -> None:
    found = claims.bill_lines(judged, evaluate.evaluate(judged, RULES))
    first, second = io.BytesIO(), io.BytesIO()
    for out in (first, second):
        export.write_xlsx(out, [export.lines_table(found)], created=CREATED)
    assert first.getvalue() == second.getvalue()
