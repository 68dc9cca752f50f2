"""Reads a month's time log, enrolments and claims for the self-audit, and says what it finds."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from billing import gather, self_audit, windows
from billing import pack as packs
from billing.fields import zone
from billing.gather import QUERIES, Connection
from billing.record import TimeEntry
from billing.self_audit import BilledMonth, Enrolment, Finding
from billing.store import Key


def of(connection: Connection, key: Key) -> Iterator[Finding]:
    """Yield what the self-audit finds in a month; without a known zone there are no months."""
    clinic = gather.clinic(connection, key.organisation)
    here = zone(clinic["time_zone"])
    if here is None:
        return
    rules = packs.in_force(windows.month_of(key.first).last)
    span = key.fields | _edges(key, here)
    for logged in _by_person(connection, span):
        yield from self_audit.of_time(logged, here, rules)
    enrolled = connection.execute(QUERIES["audit_enrolments"], span)
    known = [Enrolment(patient_id=str(p), on=on, prior_visit_on=seen) for p, on, seen in enrolled]
    yield from self_audit.of_enrolments(known, key.first, rules)
    billed = [
        BilledMonth(
            patient_id=str(patient),
            codes=frozenset(codes),
            devices=devices,
            practices=frozenset((*others, str(clinic["npi"]))),
        )
        for patient, codes, devices, others in connection.execute(QUERIES["audit_claims"], span)
    ]
    yield from self_audit.of_claims(billed, rules)


def _by_person(connection: Connection, span: dict[str, object]) -> Iterator[list[TimeEntry]]:
    """Yield each person's time of a month; only one person's is in memory."""
    with connection.cursor("audit_entries") as cursor:
        rows = map(_entry, cursor.execute(QUERIES["audit_entries"], span))
        for _, logged in groupby(rows, key=lambda entry: entry.staff_id):
            yield list(logged)


def _entry(row: tuple[Any, ...]) -> TimeEntry:
    entry, start, end, staff, role, program, activity, patient, note = row
    return TimeEntry(
        id=entry,
        start=start,
        end=end,
        staff_id=staff,
        role=role,
        program=program,
        activity=activity,
        patient_id=patient,
        note=note,
    )


def _edges(key: Key, here: ZoneInfo) -> dict[str, object]:
    span = windows.month_of(key.first)
    return {"month_from": windows.opening(span, here), "until": windows.closing(span, here)}
