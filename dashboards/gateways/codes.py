"""One-time codes and passwords: made at random, told once, kept as digests."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: nothing in it is read as something else."""
LENGTH = 16
"""80 bits: not to be guessed within the life of a code."""
GROUP = 4
MISREAD = str.maketrans("OIL", "011")
ITERATIONS = 101
"""mosquitto's own; the passwords are 256 random bits, which no number of iterations improves."""


class Verdict(StrEnum):
    """What became of a code that somebody gave."""

    GOOD = "good"
    UNKNOWN = "the code is wrong"
    USED = "the code was used already"
    EXPIRED = "the code has expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code as it is kept."""

    expires_at: datetime
    used_at: datetime | None


def new() -> str:
    """Return a fresh code in groups that can be read aloud."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def digest(code: str) -> bytes:
    """Return what is kept of a code, however it was typed."""
    plain = "".join(code.upper().split()).replace("-", "").translate(MISREAD)
    return hashlib.sha256(f"tidings gateway code {plain}".encode()).digest()


def judge(code: Code | None, now: datetime) -> Verdict:
    """Return whether a code opens the door now."""
    if code is None:
        return Verdict.UNKNOWN
    if code.used_at is not None:
        return Verdict.USED
    return Verdict.GOOD if now < code.expires_at else Verdict.EXPIRED


def password() -> str:
    """Return a fresh password for the broker."""
    return secrets.token_urlsafe(32)


def hashed(password: str) -> str:
    """Return a password as mosquitto keeps it: $7$iterations$salt$PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
