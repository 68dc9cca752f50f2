"""Reading single fields of a case at the door: one error of ours, with place and value in it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.record import Override

BELIEVABLE_YEARS = range(1900, 2200)
Day = TypeVar("Day", bound=date)


class CaseError(ValueError):
    """The case cannot be judged at all; the message says where and why."""


class ZonelessError(CaseError):
    """A time without offset: nobody can say which day it belongs to."""


PARAMETER_NAMES = ("parameters", "params", "parameter_overrides", "overrides")
Row = Mapping[str, object]


def mapping(value: object, where: str) -> Row:
    """Return an object; anything else is an error that names the place."""
    if not isinstance(value, dict | Mapping):  # dict first: far quicker to tell
        raise CaseError(f"{where}: expected an object, found {value!r}")
    return value


def rows(parent: Row, key: str) -> tuple[object, ...]:
    """Return a list's elements; an absent or null list is empty."""
    value = parent.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CaseError(f"{key}: expected a list, found {value!r}")
    return tuple(value)


def section(parent: Row, key: str) -> Row:
    """Return a nested object; absent or null is empty."""
    value = parent.get(key)
    return {} if value is None else mapping(value, key)


def first_of(row: Row, *names: str) -> object:
    """Return the first stated value among the names under which one field is known."""
    for name in names:
        value = row.get(name)
        if value is not None:
            return value
    return None


def text(value: object, default: str = "") -> str:
    """Return text; null is the default."""
    return default if value is None else str(value)


def flag(value: object, where: str, *, default: bool = False) -> bool:
    """Return a truth value; only true, false and null are understood."""
    if value is None:
        return default
    if not isinstance(value, bool):
        raise CaseError(f"{where}: expected true or false, found {value!r}")
    return value


def count(value: object, where: str) -> int:
    """Return a whole number that is not negative; null is 0."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CaseError(f"{where}: expected a whole number of at least 0, found {value!r}")
    return value


def instant(value: object, where: str) -> datetime:
    """Return an aware time; a text without zone is an error of its own."""
    parsed = value if isinstance(value, datetime) else _parsed_instant(value, where)
    if parsed.tzinfo is None:
        raise ZonelessError(f"{where}: {value!r} has no time zone")
    _believable(parsed, where)
    return parsed


def _parsed_instant(value: object, where: str) -> datetime:
    if not isinstance(value, str):
        raise CaseError(f"{where}: expected a time, found {value!r}")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise CaseError(
            f"{where}: {value!r} is not a time such as 2026-01-31T08:00:00-05:00"
        ) from None


def optional_instant(value: object, where: str) -> datetime | None:
    """Return an aware time or nothing."""
    return None if value is None else instant(value, where)


def day(value: object, where: str, zone: ZoneInfo | None = None) -> date:
    """Return a date; a full time is turned into the date in the zone given."""
    if isinstance(value, datetime):
        return value.astimezone(zone).date() if zone else value.date()
    if isinstance(value, str) and "T" in value:
        return (
            instant(value, where).astimezone(zone).date() if zone else instant(value, where).date()
        )
    try:
        parsed = value if isinstance(value, date) else date.fromisoformat(text(value))
    except ValueError:
        raise CaseError(f"{where}: {value!r} is not a date such as 2026-01-31") from None
    return _believable(parsed, where)


def _believable(when: Day, where: str) -> Day:
    if when.year not in BELIEVABLE_YEARS:
        raise CaseError(f"{where}: the year {when.year} cannot be meant")
    return when


def optional_day(value: object, where: str, zone: ZoneInfo | None = None) -> date | None:
    """Return a date or nothing."""
    return None if value is None else day(value, where, zone)


def moment(value: object, where: str, zone: ZoneInfo | None) -> datetime:
    """Return an aware time; a bare date is that day's beginning in the organisation's zone."""
    if isinstance(value, str) and len(value) == len("2026-01-31") and zone is not None:
        return datetime.combine(day(value, where), time(), tzinfo=zone)
    return instant(value, where)


def month(value: object, where: str) -> date:
    """Return the first day of a month written as 2026-01."""
    try:
        return _believable(date.fromisoformat(f"{text(value)}-01"), where)
    except ValueError:
        raise CaseError(f"{where}: {value!r} is not a month such as 2026-01") from None


def zone(value: object) -> ZoneInfo | None:
    """Return the time zone, or nothing when absent or unknown: the rules give that its reason."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def overrides(value: object) -> dict[str, Override]:
    """Return parameter overrides; the pack checks names and types."""
    if value is None:
        return {}
    return {name: _override(item, name) for name, item in mapping(value, "parameters").items()}


def _override(value: object, name: str) -> Override:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list) and all(isinstance(item, int | str) for item in value):
        return [item for item in value if isinstance(item, int | str)]
    raise CaseError(f"parameters.{name}: {value!r} is no parameter value")
