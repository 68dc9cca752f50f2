"""A new box introduces itself: a one-time code becomes an id, a credential and a configuration."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WITHIN_S = 30
_PEM = "-----BEGIN"
_LARGEST_ANSWER = 1_000_000
_FILES = {"ca": "broker-ca.pem", "certificate": "gateway.pem", "key": "gateway-key.pem"}


class EnrolmentError(Exception):
    """The box could not be enrolled; the message is for the person who tries."""


class BrokerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom to publish; certificates are PEM texts."""

    host: str
    port: int
    tls: bool = True
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


class DeviceAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device of the home."""

    identity: str = ""
    address: str = ""
    model: str = ""
    name: str = ""
    passkey: str | None = None
    consent_user: int = 1
    consent_code: int | None = None
    expected_every_hours: float | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server gives for the code; fields that we do not know are let pass."""

    gateway: str
    site: str
    broker: BrokerAnswer
    devices: list[DeviceAnswer] = []
    heartbeat_s: float = 60.0
    zone: str = "UTC"


def make_room(path: Path) -> None:
    """Raise OSError if the configuration could not be written: no code is used up for that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    probe = path.with_name(path.name + ".new")
    _write(probe, "")
    probe.unlink()


def ask(server: str, code: str) -> Answer:
    """Trade the one-time code for a configuration, over TLS (or loopback) only."""
    url = urlsplit(server)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise EnrolmentError(f"{server} is not https: the credential would travel in the open")
    request = urllib.request.Request(  # noqa: S310  the scheme was checked above
        f"{server.rstrip('/')}/gateways/enrol",
        data=json.dumps({"code": code}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN_S) as reply:  # noqa: S310  as above
            return parse(reply.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise EnrolmentError(_refusal(error.code)) from error
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise EnrolmentError(f"{server} cannot be reached: {error}") from error


def parse(body: bytes) -> Answer:
    """Check the server's answer."""
    try:
        return msgspec.json.decode(body, type=Answer)
    except msgspec.DecodeError as error:
        raise EnrolmentError(f"the server's answer is not understood: {error}") from error


def keep(answer: Answer, path: Path, outbox: Path) -> None:
    """Write the configuration so that only we can read it, whole or not at all."""
    broker = msgspec.structs.asdict(answer.broker)
    for name, file in _FILES.items():
        text = broker[name]
        if text and text.startswith(_PEM):
            _write(path.with_name(file), text)
            broker[name] = str(path.with_name(file))
    _write(path, toml(answer, broker, outbox))


def toml(answer: Answer, broker: Mapping[str, object], outbox: Path) -> str:
    """Return the configuration file."""
    top = {
        "site": answer.site,
        "gateway": answer.gateway,
        "outbox": str(outbox),
        "heartbeat_s": answer.heartbeat_s,
        "zone": answer.zone,
    }
    lines = ["# written by `tidings gateway enrol`", *_table(top), "", "[broker]", *_table(broker)]
    for device in answer.devices:
        lines += ["", "[[devices]]", *_table(msgspec.to_builtins(device))]
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, object]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in values.items() if value is not None]


def _value(value: object) -> str:
    """JSON's strings, numbers and booleans are TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _refusal(status: int) -> str:
    words = {
        401: "the code is wrong or was used already",
        403: "the code is wrong or was used already",
        404: "the code is wrong, or this is not the server's address",
        410: "the code has expired: ask for a new one",
        429: "too many attempts: wait a minute",
    }
    return words.get(status, f"the server refused ({status})")
