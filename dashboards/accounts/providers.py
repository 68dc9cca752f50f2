"""Identity providers that organisations sign in with, as the environment names them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from dashboards.permissions import ROLES

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One OpenID Connect provider of one organisation."""

    name: str
    """In addresses: /login/sso/{name}."""
    label: str
    """On the sign-in page."""
    organisation_id: UUID
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    new_role: str = ""
    """Role of accounts that it may make; empty: it makes none."""


def from_environment(environ: Mapping[str, str]) -> tuple[Provider, ...]:
    """Read TIDINGS_SSO=name,name and TIDINGS_SSO_<NAME>_*; ValueError for what cannot work."""
    names = [name.strip().lower() for name in environ.get("TIDINGS_SSO", "").split(",")]
    return tuple(_provider(environ, name) for name in names if name)


def _provider(environ: Mapping[str, str], name: str) -> Provider:
    if not name.isalnum():
        raise ValueError(f"TIDINGS_SSO: {name!r}: letters and digits only")
    told = {key: environ.get(f"TIDINGS_SSO_{name.upper()}_{key}", "") for key in _KEYS}
    missing = [key for key in _REQUIRED if not told[key]]
    if missing:
        raise ValueError(f"TIDINGS_SSO_{name.upper()}_{missing[0]} is not set")
    if told["NEW_ROLE"] and told["NEW_ROLE"] not in ROLES:
        raise ValueError(f"TIDINGS_SSO_{name.upper()}_NEW_ROLE: no role {told['NEW_ROLE']!r}")
    return Provider(
        name=name,
        label=told["LABEL"] or name.capitalize(),
        organisation_id=UUID(told["ORGANISATION"]),
        issuer=_safe(told["ISSUER"].rstrip("/")),
        client_id=told["CLIENT_ID"],
        client_secret=told["CLIENT_SECRET"],
        new_role=told["NEW_ROLE"],
    )


_REQUIRED = ("ORGANISATION", "ISSUER", "CLIENT_ID", "CLIENT_SECRET")
_KEYS = (*_REQUIRED, "LABEL", "NEW_ROLE")


def _safe(issuer: str) -> str:
    """Return an issuer that is reached by TLS, or on this machine."""
    parts = urlsplit(issuer)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return issuer
    raise ValueError(f"issuer {issuer!r}: https only")
