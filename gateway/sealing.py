"""Payload columns at rest: sealed with AES-GCM when the box has a key, plain otherwise."""

import os
from typing import Protocol

_PLAIN = b"\x00"
_SEALED = b"\x01"
_NONCE_BYTES = 12
KEY_BYTES = 32


class SealError(ValueError):
    """A stored payload cannot be opened: the key is missing or is not the one that sealed it."""


class Seal(Protocol):
    """Closes and opens stored payloads; an open payload of a box without key stays readable."""

    def close(self, body: bytes) -> bytes:
        """Return what goes to disk."""

    def open(self, stored: bytes) -> bytes:
        """Return the payload, or raise SealError."""


class Plain:
    """No key: payloads are stored as they are, marked as such."""

    def close(self, body: bytes) -> bytes:
        """Mark the payload as plain."""
        return _PLAIN + body

    def open(self, stored: bytes) -> bytes:
        """Return a plain payload; a sealed one needs the key."""
        if stored[:1] != _PLAIN:
            raise SealError("payload is sealed and no outbox key is configured")
        return stored[1:]


class Sealed:
    """AES-256-GCM with a fresh nonce for each payload."""

    def __init__(self, key: bytes) -> None:
        # Here, not above: a box without a key does not pay the megabytes of this import.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if len(key) != KEY_BYTES:
            raise SealError(f"outbox key has {len(key)} bytes, not {KEY_BYTES}")
        self._cipher = AESGCM(key)

    def close(self, body: bytes) -> bytes:
        """Encrypt the payload."""
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, body, _SEALED)

    def open(self, stored: bytes) -> bytes:
        """Decrypt; a payload from before the key was configured is returned as it is."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # see __init__

        if stored[:1] == _PLAIN:
            return stored[1:]
        nonce, body = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, _SEALED)
        except InvalidTag as error:
            raise SealError("payload was sealed with another outbox key") from error
