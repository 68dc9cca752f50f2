"""Passwords: argon2id, and the same time for an address that does not exist."""

import asyncio
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher()
NOBODY = HASHER.hash("nobody has this password")
SHORTEST = 12


class Problem(StrEnum):
    """Why a password is not changed; the value is what the person reads."""

    WRONG = "The old password is not right."
    SHORT = "The new password needs at least 12 characters."
    SAME = "The new password is the old one."
    DIFFERENT = "The two new passwords are not the same."


def problem_with(*, old: str, new: str, again: str) -> Problem | None:
    """Return why `new` cannot follow `old`, or None."""
    if len(new) < SHORTEST:
        return Problem.SHORT
    if new == old:
        return Problem.SAME
    return None if new == again else Problem.DIFFERENT


def hashed(password: str) -> str:
    """Return what is stored for a password."""
    return HASHER.hash(password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the stored one; takes as long when nothing is stored."""
    right = await asyncio.to_thread(_verify, stored or NOBODY, password)
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
