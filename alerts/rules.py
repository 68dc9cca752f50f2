"""What a rule is: conditions, numbers, severities; no evaluation, no reading of files."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from alerts.severity import Severity


class RuleError(ValueError):
    """A definition that cannot be used; the message names the rule and the field."""


class Metric(StrEnum):
    """What a rule looks at."""

    BP = "bp"
    GLUCOSE = "glucose"
    WEIGHT = "weight"
    SPO2 = "spo2"
    HEART_RATE = "heart_rate"
    TEMPERATURE = "temperature"
    RESPIRATORY_RATE = "respiratory_rate"
    SURVEY = "survey"
    COMPOSITE = "composite"


class RuleKind(StrEnum):
    """How readings are put together before they are compared."""

    SPOT = "spot"
    CONFIRMED = "confirmed"
    AVERAGE = "average"
    DELTA = "delta"
    COUNT = "count"
    TREND = "trend"


class Field(StrEnum):
    """Which number of a reading is compared; FLAG compares a word."""

    SYS = "sys"
    DIA = "dia"
    VALUE = "value"
    DELTA = "delta"
    DELTA_KG = "delta_kg"
    PCT = "pct"
    SCORE = "score"
    FLAG = "flag"


class Against(StrEnum):
    """What a delta is measured from."""

    PREVIOUS_DAY_FIRST = "previous_day_first_reading"
    THREE_DAYS_AGO = "value_3d_ago"
    SEVEN_DAYS_AGO = "value_7d_ago"
    MEDIAN_7D = "median_7d"
    MEDIAN_14D = "median_14d"
    BASELINE = "baseline_at_start"


COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison with a limit, or one quality word that must be present."""

    field: Field
    op: str = ">="
    limit: float = 0.0
    flag: str = ""
    item: str = ""
    """Only answers to this survey item."""

    def met_by(self, number: float) -> bool:
        """True when the number is at or beyond the limit, as the operator says."""
        return COMPARE[self.op](number, self.limit)

    @property
    def upward(self) -> bool:
        """True when higher is worse."""
        return self.op.startswith(">")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """Between which values no comparison of a rule can hold: a quick look before a careful one."""

    low: float = -math.inf
    high: float = math.inf
    dia_low: float = -math.inf
    dia_high: float = math.inf

    def holds(self, value: float, dia: float | None) -> bool:
        """True when a reading of these numbers is inside the limits for certain."""
        inside = self.low < value < self.high
        return inside and (dia is None or self.dia_low < dia < self.dia_high)


NEVER_CALM = Calm(low=math.inf, high=-math.inf)
ROUNDING = 0.001
"""Comparisons are made on rounded numbers; a calm value stays this far from a limit."""


def calm(conditions: Iterable[Condition]) -> Calm:
    """Return the values for which none of these comparisons of single readings holds."""
    edges = {"low": -math.inf, "high": math.inf, "dia_low": -math.inf, "dia_high": math.inf}
    for each in conditions:
        if each.field not in (Field.SYS, Field.VALUE, Field.DIA):
            return NEVER_CALM
        side = "high" if each.upward else "low"
        name = f"dia_{side}" if each.field is Field.DIA else side
        nearest, step = (min, -ROUNDING) if each.upward else (max, ROUNDING)
        edges[name] = nearest(edges[name], each.limit + step)
    return Calm(**edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applies:
    """Whom a profile is for; every part that is given must hold."""

    age_gte: int | None = None
    age_lt: int | None = None
    condition: str | None = None
    trait: str | None = None
    excluding: str | None = None
    pregnant_or_6w_postpartum: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remeasure:
    """Ask the patient to measure again; without an answer `unconfirmed` fires after `no_reply`."""

    wait: timedelta
    no_reply: timedelta
    unconfirmed: Severity | None
    """None: the rule fires on the first reading, so silence adds nothing."""
    when_normal: Severity | None
    """Severity once a normal second value came; None for a rule that has not fired yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one profile, as signed."""

    id: str
    profile: str
    metric: Metric
    kind: RuleKind
    severity: Severity
    any: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    flag: str = ""
    n: int = 1
    min_gap: timedelta = timedelta(0)
    within: timedelta = timedelta(0)
    window: timedelta = timedelta(0)
    min_readings: int = 0
    against: Against | None = None
    max_gap: timedelta | None = None
    remeasure: Remeasure | None = None
    ask: str = ""
    if_symptoms: Severity | None = None
    symptoms_message: str = ""
    worse: tuple[Condition, Severity] | None = None
    patient_message: str = ""
    route: str = ""
    max_one_per: timedelta | None = None
    hysteresis: float | None = None
    severity_up: int = 0
    """Steps worse for a while, as after a discharge."""
    when: Applies = Applies()
    on_by_default: bool = True
    inputs: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[str, ...] = ()
    confidence: str = ""
    version: str = ""
    effective_from: str = ""
    effective_to: str = ""
    written: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """The definition as it was read; an override changes fields of this."""
    calm: Calm = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Work out once which readings need no careful look."""
        object.__setattr__(self, "calm", calm(self.conditions))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every comparison of the rule."""
        return self.any + self.all

    @property
    def worst(self) -> Severity:
        """The worst severity that a breach of this rule can have."""
        told = [self.severity, self.if_symptoms, self.worse[1] if self.worse else None]
        if self.remeasure is not None:
            told.append(self.remeasure.unconfirmed)
        return min(each for each in told if each is not None).up(self.severity_up)

    @property
    def looks_ahead(self) -> bool:
        """True when what happens after a breach can still change it."""
        return self.remeasure is not None or bool(self.ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of rules for a kind of patient."""

    id: str
    rules: tuple[Rule, ...]
    applies: Applies = Applies()
    include: tuple[str, ...] = ()
    otherwise: str = ""
    """The profile that holds when this one does not apply."""
    replaces: tuple[str, ...] = ()
    """Profiles that rest while this one applies."""
    severity_up: int = 0
    severity_up_for: timedelta = timedelta(0)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The product's profiles with the digest of their definitions."""

    profiles: Mapping[str, Profile]
    version: str

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of that id; KeyError if there is none."""
        for profile in self.profiles.values():
            for rule in profile.rules:
                if rule.id == rule_id:
                    return rule
        raise KeyError(rule_id)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order of the files."""
        return tuple(rule for profile in self.profiles.values() for rule in profile.rules)
