"""Parsing readings and time entries; a bad row is kept as rejected, with its reason."""

from collections.abc import Iterable
from datetime import UTC, datetime

from billing import fields
from billing.fields import CaseError, Row, ZonelessError
from billing.reasons import EntryReason, ReadingReason
from billing.record import Reading, Rejected, TimeEntry

DEFAULT_PROGRAM = "RPM"
UNCONFIRMED_OWNERS = ("likely", "ambiguous", "unknown", "unconfirmed")
FLAWED_STATES = {
    "quarantined": ReadingReason.QUARANTINED,
    "entered_in_error": ReadingReason.ENTERED_IN_ERROR,
    "entered-in-error": ReadingReason.ENTERED_IN_ERROR,
    "invalid": ReadingReason.INVALID,
    "rejected": ReadingReason.INVALID,
}


def readings(
    raw: Iterable[object], devices: dict[str, Row]
) -> tuple[tuple[Reading, ...], tuple[Rejected, ...]]:
    """Return the readings that can be read and those that cannot."""
    good: list[Reading] = []
    bad: list[Rejected] = []
    for index, item in enumerate(raw):
        where = f"readings[{index}]"
        try:
            good.append(_reading(fields.mapping(item, where), where, devices))
        except CaseError as error:
            reason = ReadingReason.UNREADABLE
            if isinstance(error, ZonelessError):
                reason = ReadingReason.WITHOUT_ZONE
            bad.append(_rejected(item, where, reason, str(error)))
    return tuple(good), tuple(bad)


def entries(raw: Iterable[object]) -> tuple[tuple[TimeEntry, ...], tuple[Rejected, ...]]:
    """Return the time entries that can be read and those that cannot."""
    good: list[TimeEntry] = []
    bad: list[Rejected] = []
    for index, item in enumerate(raw):
        where = f"time_entries[{index}]"
        try:
            good.append(_entry(fields.mapping(item, where), where))
        except _BackwardsError as error:
            bad.append(_rejected(item, where, EntryReason.ENDS_BEFORE_START, str(error)))
        except ZonelessError as error:
            bad.append(_rejected(item, where, EntryReason.WITHOUT_ZONE, str(error)))
        except CaseError as error:
            bad.append(_rejected(item, where, EntryReason.UNREADABLE, str(error)))
    return tuple(good), tuple(bad)


class _BackwardsError(CaseError):
    """An entry that ends before it starts."""


def _rejected(
    item: object, where: str, reason: EntryReason | ReadingReason, message: str
) -> Rejected:
    program = item.get("program") if isinstance(item, dict) else None
    return Rejected(
        where=where, program=fields.text(program, DEFAULT_PROGRAM), reason=reason, text=message
    )


def _reading(row: Row, where: str, devices: dict[str, Row]) -> Reading:
    at = fields.instant(fields.first_of(row, "at", "measured_at"), f"{where}.at")
    device = fields.text(fields.first_of(row, "device", "device_id"))
    received = fields.optional_instant(row.get("received_at"), f"{where}.received_at")
    return Reading(
        id=fields.text(row.get("id")) or f"{_stamp(at)}/{device}",
        at=at,
        device=device,
        program=fields.text(row.get("program"), DEFAULT_PROGRAM),
        manual=row.get("entry") != "device",
        received_at=received,
        flaw=_flaw(row, where, devices.get(device, {})),
    )


def _flaw(row: Row, where: str, device: Row) -> ReadingReason | None:
    state = fields.text(fields.first_of(row, "status", "quality", "state")).lower()
    return FLAWED_STATES.get(state) or _told(row, where) or _by_device(device)


def _told(row: Row, where: str) -> ReadingReason | None:
    if fields.flag(row.get("quarantined"), f"{where}.quarantined"):
        return ReadingReason.QUARANTINED
    if fields.flag(row.get("entered_in_error"), where):
        return ReadingReason.ENTERED_IN_ERROR
    if not fields.flag(row.get("valid"), where, default=True):
        return ReadingReason.INVALID
    return ReadingReason.OWNER_NOT_CONFIRMED if _owner_unsure(row, where) else None


def _by_device(device: Row) -> ReadingReason | None:
    if device.get("fda_listed") is False:
        return ReadingReason.DEVICE_NOT_LISTED
    return ReadingReason.MORE_SPECIFIC_CODE if device.get("more_specific_code") else None


def _owner_unsure(row: Row, where: str) -> bool:
    if not fields.flag(row.get("owner_confirmed"), where, default=True):
        return True
    return fields.text(row.get("owner")).lower() in UNCONFIRMED_OWNERS


def _entry(row: Row, where: str) -> TimeEntry:
    start = fields.instant(row.get("start"), f"{where}.start")
    end = fields.instant(row.get("end"), f"{where}.end")
    if end < start:
        hint = "an entry past midnight needs the next day's date"
        raise _BackwardsError(
            f"{where}: ends {row.get('end')} before it starts {row.get('start')}; {hint}"
        )
    staff = fields.text(fields.first_of(row, "staff_id", "staff"))
    return TimeEntry(
        id=fields.text(row.get("id")) or f"{_stamp(start)}/{staff}",
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        staff_id=staff,
        role=fields.text(row.get("role")).lower(),
        program=fields.text(row.get("program"), DEFAULT_PROGRAM),
        activity=fields.text(row.get("activity")).lower(),
        patient_id=fields.text(fields.first_of(row, "patient_id", "patient")),
        interactive=_two_way(row, where),
        mode=fields.text(row.get("mode")).lower(),
        spoke_with=fields.text(row.get("with"), "patient").lower(),
        note=fields.text(row.get("note")),
    )


def _two_way(row: Row, where: str) -> bool:
    two_way = fields.flag(row.get("two_way"), f"{where}.two_way", default=True)
    return fields.flag(row.get("interactive"), f"{where}.interactive") and two_way


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
