"""One-time codes by time (RFC 6238): six digits, thirty seconds, each usable once. Pure."""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
"""A clock may be one step off, either way."""
MODULUS = 1_000_000


def code(secret: str, step: int) -> str:
    """Return the code of one time step."""
    key = base64.b32decode(secret, casefold=True)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % MODULUS:06d}"


def step_of(now: datetime) -> int:
    """Return the time step that `now` lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def accepted(secret: str, given: str, now: datetime, last_step: int | None) -> int | None:
    """Return the step whose code was given; None if it is wrong or was used before."""
    digits = "".join(given.split())
    for drift in DRIFT:
        step = step_of(now) + drift
        if hmac.compare_digest(code(secret, step).encode(), digits.encode()):
            return step if last_step is None or step > last_step else None
    return None


def address(secret: str, account: str) -> str:
    """Return what an authenticator app reads."""
    label = quote(f"Tidings:{account}")
    return f"otpauth://totp/{label}?secret={secret}&issuer=Tidings&digits=6&period={STEP_SECONDS}"


def secret_of(raw: bytes) -> str:
    """Return random bytes (20 of them) as a secret."""
    return base64.b32encode(raw).decode()
