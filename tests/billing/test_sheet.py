"""Rows written in one piece are byte for byte what the library writes cell by cell."""

import io
import zipfile
from collections.abc import Sequence

import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from billing.sheet import RowSheet

OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
Row = Sequence[str | float]
PLAIN = st.text("abc XYZ019-/.:|é", max_size=8)
CELLS = PLAIN | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8)


def by_row(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        sheet = book.add_worksheet("Rows", worksheet_class=RowSheet)
        for number, row in enumerate(rows):
            sheet.put(number, row)
    return sheet_of(out)


def by_cell(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        sheet = book.add_worksheet("Rows")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                else:
                    sheet.write_number(number, place, cell)
    return sheet_of(out)


def sheet_of(out: io.BytesIO) -> bytes:
    with zipfile.ZipFile(out) as book:
        return book.read("xl/worksheets/sheet1.xml")


@given(rows=ROWS)
@example(
    rows=[["a", 1.0], [" a"], ["a ", "b"], ["a", " b"], ["_x0041_"], ["x", "_x"], ["<r>b</r>"]]
)
@example(rows=[["a|b", ""], ["", " "], ["a\nb"], ["\x01", "\ufffe"], ['"'], ["&amp;"], ["𝄞"]])
@example(
    rows=[["x" * 40_000], [str(place) for place in range(60)], [1e300, -0.1, 12345678901234567.0]]
)
def test_rows_are_what_the_library_writes(rows: list[Row]) -> None:
    assert by_row(rows) == by_cell(rows)


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_as_by_the_library(odd: float) -> None:
    with pytest.raises(TypeError, match="not supported"):
        by_row([["a", odd]])
