"""How this box is set up: from a TOML file, then environment variables; checked at the door."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from gateway.backoff import Pace


class SettingsError(ValueError):
    """The configuration cannot be used; the message names the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the MQTT broker is and who we are to it."""

    host: str = "127.0.0.1"
    port: int = 1883
    tls: bool = False
    ca: str | None = None
    """File with the authority that signed the broker; None: the system's authorities."""
    certificate: str | None = None
    key: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 60
    session_expiry_s: int = 7 * 86_400

    @property
    def fingerprint(self) -> str:
        """What tells one enrolment from the next: each gives a new password."""
        return hashlib.sha256(f"{self.username}\x1f{self.password}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Radio:
    """Which adapters to use and how to treat devices that nobody listed."""

    adapters: tuple[str, ...] = ()
    """Names such as hci0; empty: every adapter that is there."""
    accept_unknown: bool = False
    """Visit any supported device in range: for demonstrations, never in a home."""
    recorded: str | None = None
    """A plan of recorded frames to play instead of using a radio."""
    simulated: bool = False
    """The radio is a virtual one; the heartbeat says so."""
    idle_s: float | None = None
    """How long a visit waits for more; None: as the model of the device needs."""
    cool_down_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A device that belongs to this home."""

    identity: str = ""
    address: str = ""
    model: str = ""
    name: str = ""
    passkey: str | None = field(default=None, repr=False)
    consent_user: int = 1
    consent_code: int | None = None
    """The user slot and code that some scales want before they show anything."""
    expected_every_hours: float | None = None
    """How often the home should measure: silence for longer is a technical event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the box may keep, and when it cries out."""

    rows: int = 500_000
    rows_warn: int = 400_000
    disk_warn_mb: int = 500
    disk_least_mb: int = 50
    battery_warn: int = 20
    failures_warn: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `__main__` needs to put the box together."""

    site: str
    gateway: str
    outbox: str = "outbox.db"
    outbox_key: str | None = field(default=None, repr=False)
    """64 hex digits; payloads at rest are sealed when it is set."""
    heartbeat_s: float = 60.0
    resend_s: float = 30.0
    metrics_port: int = 0
    """On 127.0.0.1; 0: no metrics."""
    clock: Literal["auto", "trusted"] = "auto"
    """trusted: do not ask the kernel whether the network sets the clock (containers, demo)."""
    zone: str = "UTC"
    """The home's time zone: what device displays show."""
    broker: Broker = Broker()
    radio: Radio = Radio()
    limits: Limits = Limits()
    devices: tuple[KnownDevice, ...] = ()

    @property
    def topic_prefix(self) -> str:
        """Everything this box says or hears lies below this topic."""
        return f"tidings/v1/{self.site}/{self.gateway}"

    @property
    def pace(self) -> Pace:
        """How patiently readings are sent again."""
        return Pace(first=timedelta(seconds=self.resend_s))


_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "TIDINGS_SITE": ("site",),
        "TIDINGS_GATEWAY": ("gateway",),
        "TIDINGS_OUTBOX": ("outbox",),
        "TIDINGS_OUTBOX_KEY": ("outbox_key",),
        "TIDINGS_HEARTBEAT_S": ("heartbeat_s",),
        "TIDINGS_RESEND_S": ("resend_s",),
        "TIDINGS_GATEWAY_METRICS_PORT": ("metrics_port",),
        "TIDINGS_CLOCK": ("clock",),
        "TIDINGS_ZONE": ("zone",),
        "TIDINGS_BROKER_HOST": ("broker", "host"),
        "TIDINGS_BROKER_PORT": ("broker", "port"),
        "TIDINGS_BROKER_TLS": ("broker", "tls"),
        "TIDINGS_BROKER_CA": ("broker", "ca"),
        "TIDINGS_BROKER_CERTIFICATE": ("broker", "certificate"),
        "TIDINGS_BROKER_KEY": ("broker", "key"),
        "TIDINGS_BROKER_USERNAME": ("broker", "username"),
        "TIDINGS_BROKER_PASSWORD": ("broker", "password"),
        "TIDINGS_RADIO_ACCEPT_UNKNOWN": ("radio", "accept_unknown"),
        "TIDINGS_RADIO_RECORDED": ("radio", "recorded"),
        "TIDINGS_RADIO_SIMULATED": ("radio", "simulated"),
        "TIDINGS_RADIO_IDLE_S": ("radio", "idle_s"),
        "TIDINGS_RADIO_COOL_DOWN_S": ("radio", "cool_down_s"),
    }
)

Tree = dict[str, object]


def read(path: Path | None, environment: Mapping[str, str], **given: str | None) -> Settings:
    """Return the settings of file, then environment, then command line: the latter wins."""
    tree = _parsed(path)
    for name, keys in _NAMES.items():
        if name in environment:
            _put(tree, keys, environment[name])
    for name, value in given.items():
        if value is not None:
            _put(tree, tuple(name.split("__")), value)
    return build(tree)


def build(tree: Tree) -> Settings:
    """Check a tree of settings and return them, or raise SettingsError naming the culprit."""
    _reject_unknown(tree, Settings, "")
    for name, kind in (("broker", Broker), ("radio", Radio), ("limits", Limits)):
        _reject_unknown(tree.get(name, {}), kind, f"{name}.")
    devices = tree.get("devices", ())
    for device in devices if isinstance(devices, list) else ():
        _reject_unknown(device, KnownDevice, "devices.")
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
        ZoneInfo(settings.zone)
    except (msgspec.ValidationError, KeyError, ValueError) as error:
        raise SettingsError(str(error)) from error
    for name in ("site", "gateway"):
        _plain_topic_level(name, getattr(settings, name))
    return settings


def _parsed(path: Path | None) -> Tree:
    if path is None:
        return {}
    try:
        return dict(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _put(tree: Tree, keys: tuple[str, ...], value: str) -> None:
    for key in keys[:-1]:
        branch = tree.setdefault(key, {})
        if not isinstance(branch, dict):
            raise SettingsError(f"{key} is not a section")
        tree = branch
    tree[keys[-1]] = value


def _reject_unknown(tree: object, kind: type, prefix: str) -> None:
    """A mistyped setting must not be ignored in silence."""
    if not isinstance(tree, dict):
        raise SettingsError(f"{prefix or 'configuration'} is not a section")
    unknown = sorted(set(tree) - {one.name for one in fields(kind)})
    if unknown:
        raise SettingsError(f"unknown setting {prefix}{unknown[0]}")


def _plain_topic_level(name: str, value: str) -> None:
    """One level of a topic: nothing that MQTT or a broker's access list reads as more."""
    if not value or not value.isprintable() or set(value) & set("/+#$ "):
        raise SettingsError(f"{name} {value!r} cannot be part of a topic")
