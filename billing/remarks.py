"""What a person should look at although it decides nothing: refused rows, overlaps."""

from itertools import pairwise

from billing import ledger
from billing.record import Case, TimeEntry
from billing.windows import DAY

ACCESS = "patient is aligned to ACCESS: check the participation agreement for substitute services"


def of(case: Case) -> tuple[str, ...]:
    """Return the remarks on a case, sorted."""
    found = [*case.remarks, *(row.text for row in case.rejected)]
    found += _zones(case)
    found += _overlaps(case)
    found += _past_midnight(case)
    if case.patient.access_aligned:
        found.append(ACCESS)
    return tuple(sorted(found))


def _zones(case: Case) -> list[str]:
    named = (("patient", case.patient.zone), ("organisation", case.organisation_zone))
    return [f"{who}: no known time zone" for who, zone in named if zone is None]


def _overlaps(case: Case) -> list[str]:
    by_person: dict[str, list[TimeEntry]] = {}
    for entry in case.entries:
        by_person.setdefault(entry.staff_id, []).append(entry)
    found = []
    for person, entries in by_person.items():
        ordered = sorted(entries, key=lambda entry: (entry.start, entry.end, entry.id))
        found += [
            f"{person}: entries {first.id} and {second.id} overlap"
            for first, second in pairwise(ordered)
            if ledger.overlap(first, second)
        ]
    return found


def _past_midnight(case: Case) -> list[str]:
    zone = case.organisation_zone
    if zone is None:
        return []
    return [
        f"entry {entry.id} crosses midnight and is split there"
        for entry in case.entries
        if entry.start.astimezone(zone).date() < (entry.end - DAY / 86_400).astimezone(zone).date()
    ]
