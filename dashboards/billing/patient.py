"""One patient's month taken apart: codes and reasons, days and readings, minutes. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from billing import days, gather_case, ledger, missing, periods, standing, windows
from billing import pack as packs
from billing.ledger import Question
from billing.outcome import Blocked, Line
from billing.pack import Family, Pack
from billing.record import Case, Reading, TimeEntry
from billing.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSeen:
    """A code with its units, or its one reason and the shortest way."""

    code: str
    label: str
    units: int
    service_from: date | None
    service_to: date | None
    reason: str
    missing: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySeen:
    """A date of the window and the readings that make it count."""

    on: date
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySeen:
    """A time entry: what of it counts, or why it does not."""

    entry: TimeEntry
    seconds: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A patient's month for the page."""

    case: Case
    zone: str
    codes: tuple[CodeSeen, ...]
    window: Window | None
    days: tuple[DaySeen, ...]
    counted_days: int
    days_left_out: dict[str, int]
    entries: tuple[EntrySeen, ...]
    minutes: int
    remarks: tuple[str, ...]
    rules: str


def seen(facts: dict[str, object]) -> Seen:
    """Return a stored month as the page shows it, as if nothing more happened in it."""
    case = standing.ahead(gather_case.parsed(facts))
    rules = packs.in_force(windows.month_of(periods.month_of(case)).last)
    program = "RTM" if "rtm_device" in case.families else "RPM"
    window, counted = _days(case, rules, rules.family(f"{program.lower()}_device"))
    entries, minutes = _entries(case, rules, program)
    judged = standing.judged(case)
    zone = case.organisation_zone
    found = counted.days if counted else {}
    return Seen(
        case=case,
        zone="UTC" if zone is None else zone.key,
        codes=tuple(_codes(case, rules)),
        window=window,
        days=() if window is None else tuple(_every(window, found)),
        counted_days=len(found),
        days_left_out=counted.left_out if counted else {},
        entries=entries,
        minutes=minutes,
        remarks=tuple(text for each in judged for text in each.remarks),
        rules=f"{rules.id}, version {rules.version}, parameters {rules.digest[:12]}",
    )


def _codes(case: Case, rules: Pack) -> list[CodeSeen]:
    labels = {code.code: code.label for code in rules.codes}
    found = []
    for judged in standing.judged(case):
        found += [_billed(line, labels.get(line.code, "")) for line in judged.lines]
        found += [_blocked(row, labels.get(row.code, "")) for row in judged.not_billable]
    return found


def _billed(line: Line, label: str) -> CodeSeen:
    return CodeSeen(
        code=line.code,
        label=label,
        units=line.units,
        service_from=line.service_from,
        service_to=line.service_to,
        reason="",
        missing="",
        mend="",
    )


def _blocked(row: Blocked, label: str) -> CodeSeen:
    way = missing.shortest_way(row)
    return CodeSeen(
        code=row.code,
        label=label,
        units=0,
        service_from=None,
        service_to=None,
        reason=row.reason,
        missing=way.text,
        mend=way.mend.value,
    )


def _days(case: Case, rules: Pack, family: Family) -> tuple[Window | None, days.DayCount | None]:
    span = periods.span_of(case, rules, family)
    zone = periods.zone_of(case, family, span)
    if span is None or zone is None:
        return span, None
    counted = days.count(case, rules.parameters, program=family.program, window=span, zone=zone)
    return span, counted


def _every(window: Window, found: dict[date, tuple[Reading, ...]]) -> list[DaySeen]:
    every = [window.first + n * windows.DAY for n in range(window.length)]
    return [DaySeen(on=day, readings=found.get(day, ())) for day in every]


def _entries(case: Case, rules: Pack, program: str) -> tuple[tuple[EntrySeen, ...], int]:
    zone = case.organisation_zone
    span = windows.month_of(periods.month_of(case))
    if zone is None:
        return (), 0
    roles = rules.parameters.clinical_roles
    question = Question(program=program, roles=roles, span=span, zone=zone)
    whole = ledger.tally(case, rules.parameters, question)
    begins, ends = question.interval
    found = [
        _entry(case, entry, rules, question, whole)
        for entry in sorted(ledger.own_entries(case), key=_when)
        if entry.start < ends and entry.end > begins
    ]
    return tuple(found), whole.minutes


def _when(entry: TimeEntry) -> tuple[datetime, str]:
    return entry.start, entry.id


def _entry(
    case: Case, entry: TimeEntry, rules: Pack, question: Question, whole: ledger.Tally
) -> EntrySeen:
    pieces = [piece.interval for piece in whole.pieces if piece.entry is entry]
    seconds = sum(int((end - start).total_seconds()) for start, end in pieces)
    others = tuple(e for e in case.entries if e.patient_id not in ("", case.patient.id))
    alone = replace(case, entries=(entry, *others), rejected=())
    asked = replace(question, program=entry.program)
    reasons = tuple(ledger.tally(alone, rules.parameters, asked).left_out)
    return EntrySeen(entry=entry, seconds=seconds, reasons=reasons)
