"""Sums over a month's lines and time log, with pandas; rows themselves are streamed elsewhere."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import pandas as pd

from billing.claims import BillLine
from billing.export import Table

SUMMARY_COLUMNS = ("code", "lines", "patients", "units", "amount")


def summary(lines: Iterable[BillLine], fees: Mapping[str, Decimal]) -> Table:
    """Return lines, patients, units and amount for each code, with a last row for all."""
    counted = pd.DataFrame.from_records(
        ((line.code, line.patient_id, line.units) for line in lines),
        columns=["code", "patient", "units"],
    )
    if counted.empty:
        return Table(name="Summary", columns=SUMMARY_COLUMNS, rows=())
    by_code = counted.groupby("code", sort=True).agg(
        lines=("units", "size"), patients=("patient", "nunique"), units=("units", "sum")
    )
    rows = [
        (str(code), int(row.lines), int(row.patients), int(row.units), _amount(fees, code, row))
        for code, row in by_code.iterrows()
    ]
    total = sum((row[4] for row in rows), Decimal())
    whole = len(counted), int(counted["patient"].nunique()), int(counted["units"].sum())
    return Table(name="Summary", columns=SUMMARY_COLUMNS, rows=(*rows, ("all", *whole, total)))


def by_person(entries: Iterable[tuple[str, str, int]]) -> list[tuple[str, int, int, float]]:
    """Return (person, entries, minutes, median minutes of an entry) from (person, day, seconds)."""
    logged = pd.DataFrame.from_records(list(entries), columns=["person", "day", "seconds"])
    if logged.empty:
        return []
    sums = logged.groupby("person", sort=True)["seconds"].agg(["size", "sum", "median"])
    return [
        (str(person), int(row["size"]), int(row["sum"] // 60), round(float(row["median"]) / 60, 1))
        for person, row in sums.iterrows()
    ]


def _amount(fees: Mapping[str, Decimal], code: object, row: "pd.Series[int]") -> Decimal:
    return fees.get(str(code), Decimal()) * int(row["units"])
