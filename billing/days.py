"""Transmission days: the distinct local dates with at least one reading that counts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing import agreement, windows
from billing.pack import Parameters
from billing.reasons import ReadingReason
from billing.record import Case, Reading, Stay
from billing.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """The counted days with their readings, and what was left out for which reason."""

    days: dict[date, tuple[Reading, ...]]
    left_out: dict[str, int]

    @property
    def total(self) -> int:
        """Return the number of transmission days."""
        return len(self.days)

    @property
    def reading_ids(self) -> tuple[str, ...]:
        """Return the ids of every reading that makes a day count."""
        return tuple(reading.id for day in self.days.values() for reading in day)

    def reached_at(self, threshold: int) -> datetime | None:
        """Return when the day that met the threshold was transmitted for the first time."""
        if threshold < 1 or self.total < threshold:
            return None
        return list(self.days.values())[threshold - 1][0].at.astimezone(UTC)


def count(
    case: Case, parameters: Parameters, *, program: str, window: Window, zone: ZoneInfo
) -> DayCount:
    """Count the days of one programme in one window."""
    days: dict[date, list[Reading]] = {}
    left_out: Counter[str] = Counter()
    judge = _judge(case, parameters, program, window, zone)
    for day, reading in _inside(case, program, window, zone):
        reason = judge.against(reading, day)
        if reason is None:
            days.setdefault(day, []).append(reading)
        else:
            left_out[reason.value] += 1
    left_out.update(_rejected(case, program))
    ordered = {day: _in_order(days[day]) for day in sorted(days)}
    return DayCount(days=ordered, left_out=dict(sorted(left_out.items())))


def first(
    case: Case, parameters: Parameters, *, program: str, window: Window, zone: ZoneInfo
) -> date | None:
    """Return the first day that counts; cheaper than counting them all."""
    judge = _judge(case, parameters, program, window, zone)
    inside = sorted(_inside(case, program, window, zone), key=lambda pair: pair[0])
    return next((day for day, reading in inside if judge.against(reading, day) is None), None)


def local_days(readings: tuple[Reading, ...], zone: ZoneInfo) -> set[date]:
    """Return the local dates on which something was measured."""
    return {reading.at.astimezone(zone).date() for reading in readings}


def inpatient(stays: tuple[Stay, ...], day: date) -> bool:
    """Tell whether a date lies in a hospital stay; admission and discharge days belong to it."""
    return any(stay.first <= day and (stay.last is None or day <= stay.last) for stay in stays)


def _inside(
    case: Case, program: str, window: Window, zone: ZoneInfo
) -> Iterator[tuple[date, Reading]]:
    for reading in case.readings:
        day = reading.at.astimezone(zone).date()
        if reading.program == program and day in window:
            yield day, reading


def _judge(
    case: Case, parameters: Parameters, program: str, window: Window, zone: ZoneInfo
) -> "_Judge":
    return _Judge(
        case=case,
        parameters=parameters,
        program=program,
        consents=agreement.given(case.consents, program, zone),
        deadline=windows.closing(window, zone) + timedelta(hours=parameters.late_grace_hours),
    )


def _in_order(readings: list[Reading]) -> tuple[Reading, ...]:
    return tuple(sorted(readings, key=lambda reading: (reading.at, reading.id)))


def _rejected(case: Case, program: str) -> Counter[str]:
    reasons = [
        row.reason
        for row in case.rejected
        if isinstance(row.reason, ReadingReason) and row.program == program
    ]
    return Counter(reason.value for reason in reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    case: Case
    parameters: Parameters
    program: str
    consents: tuple[agreement.Given, ...]
    deadline: datetime

    def against(self, reading: Reading, day: date) -> ReadingReason | None:
        """Return the first thing that speaks against a reading."""
        if reading.manual and not self._manual_counts():
            return ReadingReason.MANUAL
        if reading.flaw is not None:
            return reading.flaw
        if reading.at > self.case.as_of:
            return ReadingReason.FUTURE
        return self._without_consent(reading, day) or self._by_time_and_place(reading, day)

    def _manual_counts(self) -> bool:
        if self.program == "RTM":
            return self.parameters.rtm_count_manual_readings
        return self.parameters.count_manual_readings

    def _without_consent(self, reading: Reading, day: date) -> ReadingReason | None:
        state = agreement.on(self.consents, reading.at, day)
        if state is agreement.Agreement.WITHDRAWN:
            return ReadingReason.AFTER_WITHDRAWAL
        if state is agreement.Agreement.NOT_YET and self.parameters.exclude_before_consent:
            return ReadingReason.BEFORE_CONSENT
        return None

    def _by_time_and_place(self, reading: Reading, day: date) -> ReadingReason | None:
        stays = self.case.stays
        if stays and self.parameters.exclude_inpatient_days and inpatient(stays, day):
            return ReadingReason.INPATIENT
        if reading.received_at is not None and reading.received_at >= self.deadline:
            return ReadingReason.LATE
        return None
