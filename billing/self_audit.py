"""Self-audit: the patterns OIG looks for, and time-log habits that survive no review."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing import ledger, minutes
from billing.pack import Pack, SelfAudit
from billing.record import TimeEntry


class Pattern(StrEnum):
    """What a finding is about; the first five are OIG's."""

    ENROLMENT_SPIKE = "spike of new enrolments"
    NO_PRIOR_VISIT = "patient without a prior visit"
    SEVERAL_DEVICES = "several devices in a month"
    DEVICE_WITHOUT_MANAGEMENT = "device supply without management"
    SEVERAL_PRACTICES = "same patient at several practices"
    AT_THRESHOLD = "times exactly at a threshold"
    IDENTICAL_NOTES = "identical notes"
    LONG_DAY = "more hours in a day than limit"
    TWO_PATIENTS_AT_ONCE = "one person with two patients at once"
    LONG_ENTRY = "entry longer than limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One patient's start in a programme, with the last visit before it."""

    patient_id: str
    on: date
    prior_visit_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledMonth:
    """What was billed for one patient in a month, by whom, and how many devices were supplied."""

    patient_id: str
    codes: frozenset[str]
    devices: int = 0
    practices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at, with the ids to drill down to."""

    pattern: Pattern
    subject: str
    number: float
    limit: float
    ids: tuple[str, ...] = ()


SUPPLY_FAMILIES = ("rpm_device", "rtm_device")
MANAGEMENT_FAMILIES = ("rpm_mgmt", "rtm_mgmt", "99091")
MINUTES_AN_HOUR = 60


def of_enrolments(enrolments: Iterable[Enrolment], month: date, rules: Pack) -> Iterator[Finding]:
    """Yield a month's spike of enrolments, and patients without a recent visit."""
    limits = rules.self_audit
    known = list(enrolments)
    by_month = Counter(row.on.replace(day=1) for row in known)
    now = by_month[month]
    earlier = [by_month[_months_before(month, back)] for back in (1, 2, 3)]
    usual = sum(earlier) / len(earlier)
    limit = max(limits.enrolment_spike_factor * usual, limits.enrolment_spike_floor)
    new = sorted(row.patient_id for row in known if row.on.replace(day=1) == month)
    if now > limit:
        yield _finding(Pattern.ENROLMENT_SPIKE, f"{month:%Y-%m}", now, limit, new)
    for row in sorted(known, key=lambda row: row.patient_id):
        oldest = row.on - timedelta(days=365 * limits.prior_visit_years)
        if row.prior_visit_on is None or not oldest <= row.prior_visit_on <= row.on:
            years = limits.prior_visit_years
            yield _finding(Pattern.NO_PRIOR_VISIT, row.patient_id, 0, years, [row.patient_id])


def of_claims(billed: Iterable[BilledMonth], rules: Pack) -> Iterator[Finding]:
    """Yield what OIG looks for in a month's claims."""
    limits = rules.self_audit
    supply = {c.code for name in SUPPLY_FAMILIES for c in rules.of(name) if c.part != "setup"}
    management = {c.code for name in MANAGEMENT_FAMILIES for c in rules.of(name)}
    for row in sorted(billed, key=lambda row: row.patient_id):
        who, ids = row.patient_id, sorted(row.codes)
        if row.devices > limits.devices_per_month:
            yield _finding(Pattern.SEVERAL_DEVICES, who, row.devices, limits.devices_per_month, ids)
        if row.codes & supply and not row.codes & management:
            yield _finding(Pattern.DEVICE_WITHOUT_MANAGEMENT, who, 0, 1, ids)
        if len(row.practices) > 1:
            practices = sorted(row.practices)
            yield _finding(Pattern.SEVERAL_PRACTICES, who, len(practices), 1, practices)


def of_time(entries: Iterable[TimeEntry], zone: ZoneInfo, rules: Pack) -> Iterator[Finding]:
    """Yield what is odd in a month's time log."""
    limits = rules.self_audit
    thresholds = frozenset(code.minutes for code in rules.codes if code.minutes)
    by_person: dict[str, list[TimeEntry]] = defaultdict(list)
    for entry in entries:
        by_person[entry.staff_id].append(entry)
    for person, logged in sorted(by_person.items()):
        ordered = sorted(logged, key=lambda entry: (entry.start, entry.end, entry.id))
        yield from _at_threshold(person, ordered, thresholds, limits)
        yield from _identical_notes(person, ordered, limits)
        yield from _long_days(person, ordered, zone, limits)
        yield from _two_at_once(person, ordered)
        yield from _long_entries(ordered, limits)


def _at_threshold(
    person: str, entries: list[TimeEntry], thresholds: frozenset[int], limits: SelfAudit
) -> Iterator[Finding]:
    """Yield a person whose patients' sums stand exactly on thresholds instead of spreading."""
    by_patient: dict[tuple[str, str], list[TimeEntry]] = defaultdict(list)
    for entry in entries:
        by_patient[entry.patient_id, entry.program].append(entry)
    exact = [
        patient
        for (patient, _), rows in by_patient.items()
        if minutes.whole((row.start, row.end) for row in rows) in thresholds
    ]
    share = len(exact) / len(by_patient)
    if len(exact) >= limits.identical_notes and share >= limits.threshold_share:
        yield _finding(
            Pattern.AT_THRESHOLD, person, share, limits.threshold_share, sorted(set(exact))
        )


def _identical_notes(person: str, entries: list[TimeEntry], limits: SelfAudit) -> Iterator[Finding]:
    by_note: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        note = " ".join(entry.note.lower().split())
        if len(note) >= limits.note_length:
            by_note[note].append(entry.id)
    for ids in by_note.values():
        if len(ids) >= limits.identical_notes:
            yield _finding(
                Pattern.IDENTICAL_NOTES, person, len(ids), limits.identical_notes, sorted(ids)
            )


def _long_days(
    person: str, entries: list[TimeEntry], zone: ZoneInfo, limits: SelfAudit
) -> Iterator[Finding]:
    by_day: dict[date, list[tuple[str, minutes.Interval]]] = defaultdict(list)
    for entry in entries:
        for day, part in ledger.by_day((entry.start, entry.end), zone):
            by_day[day].append((entry.id, part))
    for day, parts in sorted(by_day.items()):
        worked = minutes.whole(part for _, part in parts)
        if worked > limits.hours_per_day * MINUTES_AN_HOUR:
            ids = sorted({name for name, _ in parts})
            subject = f"{person} {day.isoformat()}"
            yield _finding(
                Pattern.LONG_DAY, subject, worked / MINUTES_AN_HOUR, limits.hours_per_day, ids
            )


def _two_at_once(person: str, entries: list[TimeEntry]) -> Iterator[Finding]:
    running: list[TimeEntry] = []
    for entry in entries:
        running = [other for other in running if other.end > entry.start]
        for other in running:
            if other.patient_id != entry.patient_id and ledger.overlap(other, entry):
                ids = [other.id, entry.id]
                yield _finding(Pattern.TWO_PATIENTS_AT_ONCE, person, 2, 1, ids)
        running.append(entry)


def _long_entries(entries: list[TimeEntry], limits: SelfAudit) -> Iterator[Finding]:
    for entry in entries:
        lasted = minutes.whole([(entry.start, entry.end)])
        if lasted > limits.entry_minutes:
            yield _finding(
                Pattern.LONG_ENTRY, entry.staff_id, lasted, limits.entry_minutes, [entry.id]
            )


def _finding(
    pattern: Pattern, subject: str, number: float, limit: float, ids: list[str]
) -> Finding:
    return Finding(pattern=pattern, subject=subject, number=number, limit=limit, ids=tuple(ids))


def _months_before(month: date, back: int) -> date:
    index = month.year * 12 + month.month - 1 - back
    return date(index // 12, index % 12 + 1, 1)
