"""Which time counts for a programme: entries cut at midnights and judged piece by piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing import agreement, minutes, windows
from billing.agreement import Agreement
from billing.minutes import Interval
from billing.pack import Parameters
from billing.reasons import EntryReason
from billing.record import Case, TimeEntry
from billing.windows import DAY, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The part of one entry that lies on one local day."""

    entry: TimeEntry
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The counted pieces of a programme and period, and how many entries were left out and why."""

    pieces: tuple[Piece, ...]
    left_out: dict[str, int]
    limiting: tuple[str, ...] = ()
    interactive: bool = False

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """Return the intervals of all pieces."""
        return tuple(piece.interval for piece in self.pieces)

    @property
    def minutes(self) -> int:
        """Return the whole minutes of the union."""
        return minutes.whole(self.intervals)

    @property
    def entry_ids(self) -> tuple[str, ...]:
        """Return the ids of the entries that gave minutes."""
        return tuple(sorted({piece.entry.id for piece in self.pieces}))

    def reached_at(self, threshold: int) -> datetime | None:
        """Return when the union reached so many minutes."""
        return minutes.reached_at(self.intervals, threshold)

    def only(self, fitting: Callable[[TimeEntry], bool]) -> "Tally":
        """Return the same tally with some entries only."""
        kept = tuple(piece for piece in self.pieces if fitting(piece.entry))
        return Tally(pieces=kept, left_out=self.left_out, limiting=self.limiting, interactive=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """For which programme, roles and period time is counted."""

    program: str
    roles: frozenset[str]
    span: Window
    zone: ZoneInfo
    not_before: date | None = None

    @property
    def interval(self) -> Interval:
        """Return the period as instants in the organisation's zone."""
        return windows.opening(self.span, self.zone), windows.closing(self.span, self.zone)


def tally(case: Case, parameters: Parameters, question: Question) -> Tally:
    """Return what counts for a programme in a period."""
    judge = _Judge(
        case=case,
        parameters=parameters,
        question=question,
        consents=agreement.given(case.consents, question.program, question.zone),
        elsewhere=tuple(e for e in case.entries if e.patient_id not in ("", case.patient.id)),
    )
    judge.note_rejected()
    pieces: list[Piece] = []
    period = question.interval
    for entry in own_entries(case):
        inside = minutes.clip((entry.start, entry.end), period)
        if entry.program == question.program and inside is not None and judge.eligible(entry):
            pieces += judge.pieces(entry, inside)
    kept, limiting = judge.once_only(pieces)
    return Tally(
        pieces=tuple(sorted(kept, key=lambda piece: (piece.interval, piece.entry.id))),
        left_out={reason: len(ids) for reason, ids in sorted(judge.left_out.items())},
        limiting=limiting,
        interactive=any(counts_as_interactive(piece.entry, parameters) for piece in kept),
    )


def counts_as_interactive(entry: TimeEntry, parameters: Parameters) -> bool:
    """Tell whether an entry is a two-way, real-time contact with patient or caregiver."""
    return (
        entry.interactive
        and entry.mode in parameters.interactive_modes
        and entry.spoke_with in parameters.interactive_with
    )


def own_entries(case: Case) -> Iterator[TimeEntry]:
    """Yield the entries of the patient at hand; others are there to show overlaps."""
    return (entry for entry in case.entries if entry.patient_id in ("", case.patient.id))


def by_day(interval: Interval, zone: ZoneInfo) -> Iterator[tuple[date, Interval]]:
    """Yield the parts of an interval, one for each local date."""
    day = interval[0].astimezone(zone).date()
    if interval[1] <= windows.midnight(day + DAY, zone):
        yield day, interval
        return
    while windows.midnight(day, zone) < interval[1]:
        span = windows.midnight(day, zone), windows.midnight(day + DAY, zone)
        part = minutes.clip(interval, span)
        if part is not None:
            yield day, part
        day += DAY


def overlap(entry: TimeEntry, other: TimeEntry) -> bool:
    """Tell whether one person logged two entries for the same time."""
    return other.staff_id == entry.staff_id and other.start < entry.end and entry.start < other.end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    case: Case
    parameters: Parameters
    question: Question
    consents: tuple[agreement.Given, ...]
    elsewhere: tuple[TimeEntry, ...]
    left_out: dict[str, set[str]] = field(default_factory=dict)

    def note_rejected(self) -> None:
        """Count the rows that the door refused."""
        for row in self.case.rejected:
            if isinstance(row.reason, EntryReason) and row.program == self.question.program:
                self._leave_out(row.reason, row.where)

    def eligible(self, entry: TimeEntry) -> bool:
        """Judge a whole entry, and note why it is left out."""
        reason = self._against(entry)
        if reason is not None:
            self._leave_out(reason, entry.id)
        return reason is None

    def pieces(self, entry: TimeEntry, inside: Interval) -> Iterator[Piece]:
        """Yield the days' parts of an entry that count."""
        for day, part in by_day(inside, self.question.zone):
            reason = self._against_day(part, day)
            if reason is None:
                yield Piece(entry=entry, interval=part)
            else:
                self._leave_out(reason, entry.id)

    def once_only(self, pieces: list[Piece]) -> tuple[list[Piece], tuple[str, ...]]:
        """Cut out what the same person logged at the same time for a programme that goes first."""
        rivals = self._rivals()
        kept: list[Piece] = []
        limiting: set[str] = set()
        for piece in pieces:
            cutting = [rival for rival in rivals if overlap(piece.entry, rival)]
            taken = [(rival.start, rival.end) for rival in cutting]
            left = minutes.without(piece.interval, taken)
            kept += [Piece(entry=piece.entry, interval=part) for part in left]
            if left != (piece.interval,):
                limiting |= {rival.id for rival in cutting}
                self._leave_out(EntryReason.COUNTED_FOR_OTHER_PROGRAM, piece.entry.id)
        return kept, tuple(sorted(limiting))

    def _leave_out(self, reason: EntryReason, name: str) -> None:
        self.left_out.setdefault(reason.value, set()).add(name)

    def _against(self, entry: TimeEntry) -> EntryReason | None:
        if entry.end > self.case.as_of:
            return EntryReason.IN_FUTURE
        if entry.role not in self.question.roles:
            return EntryReason.ROLE_NOT_ALLOWED
        if entry.activity not in self.parameters.activities_counted:
            return EntryReason.ACTIVITY_NOT_ALLOWED
        if any(overlap(entry, other) for other in self.elsewhere):
            return EntryReason.OVERLAPS_OTHER_PATIENT
        return None

    def _against_day(self, part: Interval, day: date) -> EntryReason | None:
        question, parameters = self.question, self.parameters
        state = agreement.on(self.consents, part[0], day)
        if state is Agreement.WITHDRAWN:
            return EntryReason.AFTER_WITHDRAWAL
        if state is Agreement.NOT_YET and parameters.exclude_before_consent:
            return EntryReason.BEFORE_CONSENT
        if question.not_before is not None and day < question.not_before:
            return EntryReason.BEFORE_INITIATING_VISIT
        if parameters.exclude_same_day_em and day in self.case.visits:
            return EntryReason.SAME_DAY_EM
        return None

    def _rivals(self) -> list[TimeEntry]:
        order = self.parameters.minute_priority
        program = self.question.program
        earlier = order[: order.index(program)] if program in order else order
        return [
            entry
            for entry in own_entries(self.case)
            if entry.program in earlier
            and entry.activity in self.parameters.activities_counted
            and entry.end <= self.case.as_of
        ]
