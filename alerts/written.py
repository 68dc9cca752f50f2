"""Rules and profiles as they are written in a file or an override: strict nodes, no meaning yet."""

from typing import Literal

import msgspec

from alerts.rules import Against, Metric, RuleKind

Code = Literal["S1", "S2", "S3", "S4"]


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A strict mapping: a field that we do not know is an error."""


class LimitNode(_Node, frozen=True):
    """One comparison: `{sys: ">=180"}`, `{flag: HI}`, `{item: "44261-6", value: ">=20"}`."""

    sys: str = ""
    dia: str = ""
    value: str = ""
    delta: str = ""
    delta_kg: str = ""
    pct: str = ""
    score: str = ""
    flag: str = ""
    item: str = ""


class AppliesNode(_Node, frozen=True, rename={"excluding": "not"}):
    """Whom a profile or a rule is for."""

    age_gte: int | None = None
    age_lt: int | None = None
    condition: str | None = None
    trait: str | None = None
    excluding: str | None = None
    pregnant_or_6w_postpartum: bool | None = None


class ThenNode(_Node, frozen=True):
    """What follows an answer, a second value or silence."""

    severity: Code
    patient_message: str = ""
    after: str = ""


class WorseNode(_Node, frozen=True):
    """From which value on the severity is another."""

    value: str
    severity: Code


class RemeasureNode(_Node, frozen=True):
    """How long to wait for a second measurement."""

    wait: str = "5m"
    no_reply_after: str = "15m"


class RuleNode(_Node, frozen=True, kw_only=True):
    """A rule as written in a file or an override."""

    id: str
    kind: RuleKind
    severity: Code
    metric: Metric = Metric.COMPOSITE
    any: tuple[LimitNode, ...] = ()
    all: tuple[LimitNode, ...] = ()
    flag: str = ""
    n: int = 1
    min_gap: str = "0m"
    within: str = "0m"
    window: str = "0m"
    min_readings: int = 0
    against: Against | None = None
    max_gap: str = ""
    remeasure: RemeasureNode | None = None
    ask: str = ""
    if_symptoms: ThenNode | None = None
    unconfirmed: ThenNode | None = None
    if_remeasure_ok: ThenNode | None = None
    worse: WorseNode | None = None
    patient_message: str = ""
    route: str = ""
    max_one_per: str = ""
    hysteresis: float | None = None
    when: AppliesNode = AppliesNode()
    default: Literal["on", "off"] = "on"
    inputs: tuple[str, ...] = ()
    override_note: str = ""
    sources: tuple[str, ...] = ()
    confidence: str = ""
    effective_from: str = ""
    effective_to: str = ""


class UpNode(_Node, frozen=True):
    """Steps of severity for a while, as after a discharge."""

    steps: int = 0
    for_: str = msgspec.field(default="0m", name="for")


class ProfileNode(_Node, frozen=True, kw_only=True):
    """A whole file."""

    profile: str
    rules: tuple[RuleNode, ...]
    applies: AppliesNode = AppliesNode()
    include: tuple[str, ...] = ()
    otherwise: str = ""
    replaces: tuple[str, ...] = ()
    severity_up: UpNode = UpNode()
    reference: dict[str, dict[str, str]] = {}
    note: str = ""
