"""Rule packs: dated data that says which codes exist, what they count and who approved it."""

import hashlib
import json
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml

from billing.fields import CaseError
from billing.record import Override

Frozen = msgspec.Struct


class Parameters(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every number and list a compliance officer may change; the names are those of the cases."""

    device_window_days: int
    window_anchor: Literal["first_counted_day", "setup_date", "calendar_month"]
    low_tier: tuple[int, int] | None
    high_tier: tuple[int, int]
    setup_min_days: int
    count_manual_readings: bool
    rtm_count_manual_readings: bool
    late_grace_hours: int
    exclude_inpatient_days: bool
    exclude_before_consent: bool
    exclude_same_day_em: bool
    interactive_modes: frozenset[str]
    interactive_with: frozenset[str]
    qhp_roles: frozenset[str]
    clinical_roles: frozenset[str]
    therapist_roles: frozenset[str]
    auxiliary_roles: frozenset[str]
    peer_roles: frozenset[str]
    behavioural_roles: frozenset[str]
    independent_behavioural_roles: frozenset[str]
    activities_counted: frozenset[str]
    qhp_minutes_count_as_staff: bool
    minute_priority: tuple[str, ...]
    minutes_service_date: Literal["month_end", "threshold_met"]
    max_units_99458: int | None
    max_units_99439: int | None
    allow_99091_with_rpm_mgmt: bool
    ccm_prefer: Literal["physician", "staff", "clinical_staff"]
    consent_valid_months: tuple[tuple[str, int], ...]
    min_chronic_conditions: int
    tcm_business_days: int
    tcm_attempts_without_contact: int
    tcm_high_visit_day: int
    tcm_moderate_visit_day: int
    tcm_period_days: int
    assessment_months: int
    assessment_kinds: frozenset[str]
    covered_diagnoses: tuple[str, ...] | None
    holidays: frozenset[date]


class Code(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One billing code: its own short label, its part in the family and its thresholds."""

    code: str
    label: str
    family: str
    part: str
    source: str
    confidence: str
    system: str = ""
    minutes: int = 0
    each: int = 0
    full: int = 0
    cap: str = ""


class Family(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Codes judged together: their programme, their gates and whose claims rival them."""

    name: str
    program: str
    period: Literal["window", "month", "discharge"]
    needs: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    visit: str = ""


class Exclusion(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A family that may not be billed beside another one, and the reason to give."""

    family: str
    beside: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    reason: str
    whose: Literal["own", "anyone"] = "own"
    unless: str = ""
    source: str


class SelfAudit(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of the self-audit."""

    enrolment_spike_factor: float
    enrolment_spike_floor: int
    prior_visit_years: int
    devices_per_month: int
    hours_per_day: int
    entry_minutes: int
    threshold_share: float
    identical_notes: int
    note_length: int


class Source(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a rule was read."""

    id: str
    text: str
    url: str = ""


class Approval(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signed the pack; empty until a compliance officer does."""

    by: str = ""
    role: str = ""
    at: date | None = None
    note: str = ""


class Pack(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True, cache_hash=True):
    """The rules in force for services between two dates."""

    id: str
    version: str
    title: str
    effective_from: date
    effective_to: date
    notice: str
    sources: tuple[Source, ...]
    unconfirmed: tuple[str, ...]
    approved: Approval
    parameters: Parameters
    families: tuple[Family, ...]
    codes: tuple[Code, ...]
    exclusions: tuple[Exclusion, ...]
    not_covered: tuple[str, ...] = ()
    self_audit: SelfAudit
    overlays: tuple[str, ...] = ()

    def family(self, name: str) -> Family:
        """Return a family by name, or tell which ones exist."""
        for family in self.families:
            if family.name == name:
                return family
        known = ", ".join(family.name for family in self.families)
        raise CaseError(f"evaluate.families: {self.id} has no family {name!r}; it has {known}")

    def of(self, family: str, part: str = "", system: str = "") -> tuple[Code, ...]:
        """Return a family's codes in the pack's order."""
        return tuple(
            code
            for code in self.codes
            if code.family == family
            and part in ("", code.part)
            and (not system or code.system in ("", system))
        )

    def one(self, family: str, part: str, system: str = "") -> Code | None:
        """Return the code that plays a part, if this year has one."""
        return next(iter(self.of(family, part, system)), None)

    @property
    def digest(self) -> str:
        """Return the hash that ties a bill line to exactly these parameters and rules."""
        return _digest(self)


@cache
def _digest(pack: Pack) -> str:
    plain = msgspec.to_builtins(pack, order="deterministic")
    for unhashed in ("approved", "notice", "sources", "unconfirmed"):
        plain.pop(unhashed)
    body = json.dumps(_sorted(plain), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _sorted(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def read(text: str) -> Pack:
    """Return the pack written in a YAML text."""
    try:
        return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), Pack)
    except msgspec.ValidationError as error:
        raise CaseError(f"rule pack: {error}") from error


def adjusted(pack: Pack, changes: dict[str, Override]) -> Pack:
    """Return the pack with some parameters replaced, as a payer or a case asks."""
    if not changes:
        return pack
    merged = {**msgspec.to_builtins(pack.parameters), **changes}
    try:
        parameters = msgspec.convert(merged, Parameters)
    except msgspec.ValidationError as error:
        raise CaseError(f"parameters: {error}") from error
    return msgspec.structs.replace(pack, parameters=parameters)


def _is_pack(name: str) -> bool:
    return name.endswith(".yaml") and not name.startswith("payer-")


@cache
def shelf() -> tuple[Pack, ...]:
    """Return the packs that ship with the product, oldest first."""
    folder = files("billing") / "packs"
    texts = [item.read_text() for item in folder.iterdir() if _is_pack(item.name)]
    return tuple(sorted((read(text) for text in texts), key=lambda pack: pack.effective_from))


def in_force(service_date: date, packs: tuple[Pack, ...] | None = None) -> Pack:
    """Return the pack that holds for a service date: history keeps its own rules."""
    known = shelf() if packs is None else packs
    for pack in known:
        if pack.effective_from <= service_date <= pack.effective_to:
            return pack
    spans = ", ".join(f"{p.id} {p.effective_from}..{p.effective_to}" for p in known)
    raise CaseError(f"no rule pack covers {service_date}; known are {spans}")


def named(identifier: str, packs: tuple[Pack, ...] | None = None) -> Pack:
    """Return a pack by its id."""
    known = shelf() if packs is None else packs
    for pack in known:
        if pack.id == identifier:
            return pack
    raise CaseError(f"no rule pack {identifier!r}; known are {', '.join(p.id for p in known)}")
