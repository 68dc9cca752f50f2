"""Flag and status bits: which are set, and what they are called."""

from collections.abc import Mapping
from typing import TypeVar

UNKNOWN_USER = 0xFF
Flag = TypeVar("Flag", bound=int)


def words(raw: int | None, names: Mapping[int, str]) -> list[str]:
    """Return the names of the set bits (by bit number); bits without a name are left alone."""
    return [] if raw is None else [name for bit, name in names.items() if raw >> bit & 1]


def present(fields: Mapping[Flag, object]) -> int:
    """Return the flags whose field is there, i.e. not None."""
    return sum(flag for flag, field in fields.items() if field is not None)


def user_slot(raw: int | None) -> int | None:
    """Return the user slot, None if it is absent or 0xFF, which means unknown."""
    return None if raw == UNKNOWN_USER else raw


def ordered(found: list[str]) -> tuple[str, ...]:
    """Return quality words as readings carry them: sorted, each once."""
    return tuple(sorted(set(found)))
