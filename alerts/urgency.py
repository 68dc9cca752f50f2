"""Which values could be critical for anybody: who comes first while readings queue. Pure.

Only the order depends on it: every reading is judged, and by the same rules.
"""

import math
from collections.abc import Iterable

from alerts.rules import Catalogue, Condition, Field, Metric, Rule
from alerts.severity import Severity

KINDS = {
    Metric.BP: "blood_pressure",
    Metric.GLUCOSE: "glucose",
    Metric.SPO2: "spo2",
    Metric.HEART_RATE: "heart_rate",
    Metric.TEMPERATURE: "temperature",
    Metric.RESPIRATORY_RATE: "respiratory_rate",
}
PULSED = (Metric.BP, Metric.SPO2)


def limits(catalogue: Catalogue) -> dict[str, list[object]]:
    """Return, kind by kind, from where on a value could be critical under any profile."""
    rules = [rule for rule in catalogue.rules if _urgent(rule)]
    slow, fast = _bounds(rules, Metric.HEART_RATE, Field.VALUE)
    found: dict[str, list[object]] = {
        name: [] for name in ("kinds", "low", "high", "diastolic", "slow", "fast")
    }
    for metric, kind in KINDS.items():
        low, high = _bounds(rules, metric, Field.SYS if metric is Metric.BP else Field.VALUE)
        pulsed = metric in PULSED
        row = (kind, low, high, _bounds(rules, metric, Field.DIA)[1])
        for name, value in zip(found, (*row, *((slow, fast) if pulsed else _NEVER)), strict=True):
            found[name].append(value)
    return found


def _urgent(rule: Rule) -> bool:
    """Critical by itself, or so once confirmed within the hour and with symptoms."""
    quick = rule.remeasure is not None and rule.worst is Severity.CRITICAL
    return quick or rule.severity is Severity.CRITICAL


_NEVER = (-math.inf, math.inf)


def _bounds(rules: Iterable[Rule], metric: Metric, field: Field) -> tuple[float, float]:
    """The loosest lower and upper limit."""
    own = [c for rule in rules if rule.metric is metric for c in rule.conditions]
    wanted: list[Condition] = [c for c in own if c.field is field]
    low = [c.limit for c in wanted if not c.upward]
    high = [c.limit for c in wanted if c.upward]
    return max(low, default=-math.inf), min(high, default=math.inf)
