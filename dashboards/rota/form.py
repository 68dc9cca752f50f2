"""What the forms of rota and hours say, read at the door. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from care.rota import Duty, OnHolidays

LONGEST_TURN = 60
WEEK = range(1, 8)


class FormError(ValueError):
    """A form that cannot be used; the message may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form as it came: several values may have one name."""

    values: Sequence[tuple[str, str]]

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of that name."""
        return next((value.strip() for each, value in self.values if each == name), default)

    def all(self, name: str) -> list[str]:
        """Return every value of that name."""
        return [value for each, value in self.values if each == name and value]


def layer(filled: Filled) -> dict[str, object]:
    """Return a layer's columns; FormError says what is missing."""
    members = [staff(each) for each in filled.all("members")]
    if not members:
        raise FormError("Choose at least one person.")
    between = (_time(filled.get("from_time")), _time(filled.get("to_time")))
    if (between[0] is None) != (between[1] is None):
        raise FormError("Give both times of day, or none for round the clock.")
    return {
        "duty": duty(filled),
        "layer": _number(filled.get("layer", "1"), "Layer", 1, 9),
        "members": members,
        "starts_at": _wall_clock(filled.get("starts_at")),
        "turn": timedelta(days=_number(filled.get("turn", "7"), "Days of a turn", 1, LONGEST_TURN)),
        "from_time": between[0],
        "to_time": between[1],
        "days": _days(filled),
        "on_holidays": _one_of(OnHolidays, filled.get("on_holidays", "as_usual")),
    }


def stand_in(filled: Filled, zone: str) -> dict[str, object]:
    """Return an override's columns; times are those of the rota's zone."""
    here = ZoneInfo(zone)
    from_at = _wall_clock(filled.get("from_at")).replace(tzinfo=here).astimezone(UTC)
    to_at = _wall_clock(filled.get("to_at")).replace(tzinfo=here).astimezone(UTC)
    if to_at <= from_at:
        raise FormError("It must end after it begins.")
    return {
        "duty": duty(filled),
        "staff_id": staff(filled.get("staff_id")),
        "from_at": from_at,
        "to_at": to_at,
        "reason": filled.get("reason")[:300],
    }


def hours(filled: Filled) -> dict[str, object]:
    """Return the opening hours' columns."""
    opens, closes = _time(filled.get("opens")), _time(filled.get("closes"))
    if opens is None or closes is None or closes <= opens:
        raise FormError("Opening must come before closing.")
    return {
        "opens": opens,
        "closes": closes,
        "days": _days(filled),
        **_country(filled.get("country").upper(), filled.get("subdivision").upper()),
        "extra_holidays": [_day(each) for each in filled.get("extra_holidays").split()],
    }


def zone(name: str) -> str:
    """Return an IANA zone's name."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FormError(f"There is no time zone {name[:40]!r}.") from error


def duty(filled: Filled) -> str:
    """Return the duty that a form is about."""
    return _one_of(Duty, filled.get("duty"))


def staff(text: str) -> UUID:
    """Return whom a form names."""
    try:
        return UUID(text)
    except ValueError as error:
        raise FormError("Choose a person.") from error


def _country(country: str, subdivision: str) -> Mapping[str, object]:
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known or (subdivision and subdivision not in known[country]):
        raise FormError("Give a country code such as US, and a state such as NM or nothing.")
    return {"country": country, "subdivision": subdivision or None}


def _days(filled: Filled) -> list[int]:
    days = sorted({_number(each, "Day", 1, 7) for each in filled.all("days")})
    if not days:
        raise FormError("Choose at least one day of the week.")
    return days


def _number(text: str, name: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise FormError(f"{name}: a number from {least} to {most}.")
    return int(text)


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as error:
        raise FormError(f"{text[:20]!r} is no time of day.") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise FormError(f"{text[:20]!r} is no day such as 2026-12-24.") from error


def _wall_clock(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise FormError("Give a day and a time.") from error


def _one_of(kind: type[Duty] | type[OnHolidays], text: str) -> str:
    try:
        return kind(text).value
    except ValueError as error:
        raise FormError("Choose one of the list.") from error
