"""Which limits a chart shows: read from the patient's own alert rules, never a constant. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from alerts.rules import Condition, Field, Metric, Rule, RuleKind
from alerts.severity import Severity
from devices.reading import Kind

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        Kind.BLOOD_PRESSURE: Metric.BP,
        Kind.WEIGHT: Metric.WEIGHT,
        Kind.GLUCOSE: Metric.GLUCOSE,
        Kind.SPO2: Metric.SPO2,
        Kind.TEMPERATURE: Metric.TEMPERATURE,
        Kind.HEART_RATE: Metric.HEART_RATE,
    }
)
ABSOLUTE = frozenset({RuleKind.SPOT, RuleKind.CONFIRMED})
GOALS = ABSOLUTE | {RuleKind.AVERAGE}
WEIGHT_BAND_KG = 0.907
"""Two pounds either side of the person's own weight: how the band is drawn, not a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """In stored units; None where no rule says anything."""

    alert_low: float | None = None
    goal_low: float | None = None
    goal_high: float | None = None
    alert_high: float | None = None
    gain: float | None = None
    """Weight only: the largest gain over the person's own weight that is still let be."""

    @property
    def band(self) -> tuple[float | None, float | None]:
        """The target: inside the goals, or the alert limits where there is no goal."""
        low = self.goal_low if self.goal_low is not None else self.alert_low
        return low, self.goal_high if self.goal_high is not None else self.alert_high

    def against(self, baseline: float | None) -> "Limits":
        """Return weight limits around somebody's own weight."""
        if baseline is None or self.gain is None:
            return self
        return Limits(
            goal_low=baseline - WEIGHT_BAND_KG,
            goal_high=baseline + WEIGHT_BAND_KG,
            alert_high=baseline + self.gain,
            gain=self.gain,
        )


def limits(kind: str, rules: Iterable[Rule]) -> Limits:
    """Return the tightest limits that `rules` set for one kind of reading."""
    about = [rule for rule in rules if METRICS.get(kind) is rule.metric and rule.on_by_default]
    if kind == Kind.WEIGHT:
        return Limits(gain=max(_gains(about), default=None))
    urgent = [r for r in about if r.severity <= Severity.HIGH and r.kind in ABSOLUTE]
    mild = [r for r in about if r.severity > Severity.HIGH and r.kind in GOALS]
    low, high = _edges(urgent)
    goal_low, goal_high = _edges(mild)
    return Limits(
        alert_low=low,
        alert_high=high,
        goal_low=goal_low if low is None or goal_low is None or goal_low > low else None,
        goal_high=goal_high if high is None or goal_high is None or goal_high < high else None,
    )


def baseline(weights: Sequence[float]) -> float | None:
    """Return somebody's own weight: the median of all but the latest third."""
    earlier = weights[: max(len(weights) * 2 // 3, 1)]
    return median(earlier) if earlier else None


def _edges(rules: Iterable[Rule]) -> tuple[float | None, float | None]:
    """The highest lower and the lowest upper limit on the value itself."""
    compared = [c for rule in rules for c in rule.conditions if _on_value(c)]
    low = max((c.limit for c in compared if not c.upward), default=None)
    return low, min((c.limit for c in compared if c.upward), default=None)


def _on_value(condition: Condition) -> bool:
    """Whether a comparison is with the number that a chart draws."""
    return condition.field in {Field.VALUE, Field.SYS}


def _gains(rules: Iterable[Rule]) -> list[float]:
    """The urgent weight gains, in kg."""
    return [
        condition.limit
        for rule in rules
        if rule.severity <= Severity.HIGH
        for condition in rule.conditions
        if condition.field is Field.DELTA_KG and condition.upward
    ]
