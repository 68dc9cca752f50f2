"""Sums over a month's lines and time log; rows themselves are streamed elsewhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby

import pandas as pd

from billing.claims import BillLine
from billing.export import Table

ALL = "all"
SUMMARY_COLUMNS = ("code", "lines", "patients", "units", "amount")


def summary(lines: Iterable[BillLine], fees: Mapping[str, Decimal]) -> Table:
    """Return lines, patients, units and amount for each code, with a last row for all.

    The lines come in the order of patients: only one patient's are in memory.
    """
    counted, people, units = Counter[str](), Counter[str](), Counter[str]()
    for _, theirs in groupby(lines, lambda line: line.patient_id):
        sums = [(line.code, line.units) for line in theirs]
        counted.update(code for code, _ in sums)
        people.update({ALL, *(code for code, _ in sums)})
        for code, each in sums:
            units[code] += each
    rows = [
        (code, counted[code], people[code], units[code], fees.get(code, Decimal()) * units[code])
        for code in sorted(counted)
    ]
    whole = (ALL, counted.total(), people[ALL], units.total(), sum((r[4] for r in rows), Decimal()))
    return Table(name="Summary", columns=SUMMARY_COLUMNS, rows=(*rows, whole) if rows else ())


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
