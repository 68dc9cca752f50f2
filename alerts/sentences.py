"""The words of an alert: a short headline and one plain sentence that says why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from alerts.matching import Match
from alerts.rules import Condition, Field, Metric, Rule, RuleKind

POUNDS_PER_KG = 2.2046226218


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What else has to be said about a breach."""

    unconfirmed: bool = False
    normal: bool = False
    late: bool = False
    symptoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    short: str
    name: str
    unit: str
    digits: int
    scale: float = 1.0
    zero: float = 0.0
    """Readings and limits are kept in canonical units; clinicians here read lb and °F."""

    def shown(self, value: float) -> float:
        """Return a value in the unit that is read."""
        return value * self.scale + self.zero


WORDS: Mapping[Metric, _Words] = MappingProxyType(
    {
        Metric.BP: _Words(short="BP", name="Blood pressure", unit="mmHg", digits=0),
        Metric.GLUCOSE: _Words(short="Glucose", name="Glucose", unit="mg/dL", digits=0),
        Metric.WEIGHT: _Words(
            short="Weight", name="Weight", unit="lb", digits=1, scale=POUNDS_PER_KG
        ),
        Metric.SPO2: _Words(short="SpO₂", name="Oxygen saturation", unit="%", digits=0),
        Metric.HEART_RATE: _Words(short="Pulse", name="Heart rate", unit="/min", digits=0),
        Metric.TEMPERATURE: _Words(
            short="Temp", name="Temperature", unit="°F", digits=1, scale=9 / 5, zero=32
        ),
        Metric.RESPIRATORY_RATE: _Words(short="Resp", name="Breathing", unit="/min", digits=0),
        Metric.SURVEY: _Words(short="Survey", name="Answer", unit="", digits=0),
        Metric.COMPOSITE: _Words(short="Trend", name="Personal trend", unit="", digits=1),
    }
)
ITEMS = MappingProxyType({"44261-6": "PHQ-9 total", "44260-8": "PHQ-9 item 9 (self-harm)"})
FLAGS = MappingProxyType({"irregular_pulse": "Irregular pulse", "HI": "above the meter's range"})
OPERATORS = MappingProxyType({">=": "or more", "<=": "or less", ">": "above", "<": "below"})


def headline(rule: Rule, match: Match) -> str:
    """Return the few words of a worklist row: "BP 183/111", "+3.5 lb in 1 day"."""
    words = WORDS[rule.metric]
    if rule.kind is RuleKind.DELTA and match.reference:
        return f"{_change(rule, match)} {_since(match)}".strip()
    if rule.kind is RuleKind.AVERAGE:
        return f"{words.short} mean {value_of(rule.metric, match.value, match.dia)}"
    if rule.flag:
        return f"{FLAGS.get(rule.flag, rule.flag)} {match.counted} times"
    if rule.metric is Metric.SURVEY:
        return f"{_item(match)} {match.value:.0f}"
    return f"{words.short} {measured(rule.metric, match.value, match.dia)}"


def why(rule: Rule, match: Match, told: Told) -> str:
    """Return the sentence: what was measured, how it was put together, and the limit."""
    text = f"{_WHY[rule.kind](rule, match)}; {limit(rule, match)}"
    if rule.flag:
        text = _WHY[rule.kind](rule, match)
    if told.unconfirmed:
        text += "; not measured again in time"
    if told.symptoms:
        text += f"; patient reports {', '.join(_plain(each) for each in told.symptoms)}"
    if told.normal:
        text += "; normal when measured again"
    return f"Late reading: {text}" if told.late else text


def computed(rule: Rule, match: Match) -> dict[str, float | str]:
    """Return the numbers that were compared, with the limit, for the record."""
    numbers: dict[str, float | str] = {"value": match.value, "compared": match.number}
    if match.dia is not None:
        numbers["diastolic"] = match.dia
    if match.condition and match.condition.field is not Field.FLAG:
        numbers |= {"limit": match.condition.limit, "operator": match.condition.op}
        numbers["field"] = match.condition.field.value
    if match.reference:
        numbers["reference"] = match.reference.value
    if match.counted > 1:
        numbers["counted"] = match.counted
    return numbers | {"kind": rule.kind.value}


def measured(metric: Metric, value: float, dia: float | None = None) -> str:
    """A value with its unit as a clinician writes it."""
    unit = WORDS[metric].unit
    text = value_of(metric, value, dia)
    if metric is Metric.BP or not unit:
        return text
    return f"{text}{unit}" if unit == "/min" else f"{text} {unit}"


def value_of(metric: Metric, value: float, dia: float | None = None) -> str:
    """A value without its unit: 183/111, 185.4."""
    words = WORDS[metric]
    digits = words.digits
    text = f"{words.shown(value):.{digits}f}"
    return f"{text}/{dia:.{digits}f}" if dia is not None else text


def limit(rule: Rule, match: Match) -> str:
    """The limit that was passed: "limit 3 lb", "limit 180 systolic or 120 diastolic"."""
    if rule.kind is RuleKind.DELTA:
        return f"limit {_delta_limit(rule, match.condition)}"
    if match.condition is not None and match.condition.field is Field.FLAG:
        return "above what the meter can show"
    if rule.metric is Metric.BP:
        return f"limit {_joined([_bp_limit(each) for each in rule.conditions])}"
    numbers = [each for each in rule.conditions if each.field is not Field.FLAG]
    return f"limit {_joined([_bound(rule, each) for each in numbers])}"


def _spot(rule: Rule, match: Match) -> str:
    if rule.metric is Metric.SURVEY:
        return f"{_item(match)} {match.value:.0f}"
    return _named(rule, match)


def _confirmed(rule: Rule, match: Match) -> str:
    values = [value_of(rule.metric, each.value, each.dia) for each in reversed(match.samples)]
    unit = WORDS[rule.metric].unit
    tail = f"{values[-1]} {unit}" if unit != "/min" else f"{values[-1]}{unit}"
    name = WORDS[rule.metric].name
    if len(values) == 1:
        return f"{name} {tail}"
    return f"{name} {', '.join(values[:-1])} and {tail} within {span(rule.within)}"


def _average(rule: Rule, match: Match) -> str:
    shown = f"{value_of(rule.metric, match.value, match.dia)} {WORDS[rule.metric].unit}".strip()
    return (
        f"Mean {WORDS[rule.metric].name.lower()} {shown} over {span(rule.window)} "
        f"({match.counted} readings on {match.days} days)"
    )


def _delta(rule: Rule, match: Match) -> str:
    direction = "above" if match.number >= 0 else "below"
    words = match.reference.words if match.reference else "before"
    return f"{_named(rule, match)}, {_change(rule, match, signed=False)} {direction} {words}"


def _count(rule: Rule, match: Match) -> str:
    if rule.flag:
        name = FLAGS.get(rule.flag, rule.flag)
        return f"{name} flagged in {match.counted} sessions within {span(rule.window)}"
    name = WORDS[rule.metric].name
    latest = measured(rule.metric, match.value, match.dia)
    return f"{name} beyond its limit {match.counted} times within {span(rule.window)}, now {latest}"


_WHY = MappingProxyType(
    {
        RuleKind.SPOT: _spot,
        RuleKind.CONFIRMED: _confirmed,
        RuleKind.AVERAGE: _average,
        RuleKind.DELTA: _delta,
        RuleKind.COUNT: _count,
        RuleKind.TREND: _spot,
    }
)


def span(length: timedelta) -> str:
    """A length of time in words: 30 minutes, 24 hours, 3 days."""
    minutes = int(length.total_seconds() // 60)
    for size, word in ((1440, "day"), (60, "hour")):
        if minutes % size == 0 and minutes > size:
            return f"{minutes // size} {word}s"
    if minutes == 60:  # noqa: PLR2004  # an hour reads better than 60 minutes
        return "1 hour"
    return f"{minutes} minutes" if minutes != 1440 else "24 hours"  # noqa: PLR2004  # one day


def _named(rule: Rule, match: Match) -> str:
    unit = " mmHg" if rule.metric is Metric.BP else ""
    return f"{WORDS[rule.metric].name} {measured(rule.metric, match.value, match.dia)}{unit}"


def _change(rule: Rule, match: Match, *, signed: bool = True) -> str:
    words, digits = WORDS[rule.metric], max(1, WORDS[rule.metric].digits)
    percent = match.condition is not None and match.condition.field is Field.PCT
    number = abs(match.number) * (1 if percent else words.scale)
    sign = ("+" if match.number >= 0 else "-") if signed else ""
    return f"{sign}{number:.{digits}f} {'%' if percent else words.unit}"


def _since(match: Match) -> str:
    if not match.reference or len(match.samples) == 1:
        return "since the start"
    if "median" in match.reference.words:
        return "from own median"
    days = round((match.samples[0].at - match.samples[-1].at) / timedelta(days=1))
    return "in 1 day" if days <= 1 else f"in {days} days"


def _delta_limit(rule: Rule, condition: Condition | None) -> str:
    if condition is None:
        return ""
    if condition.field is Field.PCT:
        return f"{abs(condition.limit):g} %"
    words = WORDS[rule.metric]
    return f"{round(abs(condition.limit) * words.scale, 1):g} {words.unit}"


def _bp_limit(condition: Condition) -> str:
    name = "diastolic" if condition.field is Field.DIA else "systolic"
    strictly = f"{OPERATORS[condition.op]} " if condition.op in "<>" else ""
    return f"{strictly}{condition.limit:g} {name}"


def _bound(rule: Rule, condition: Condition) -> str:
    words = WORDS[rule.metric]
    space = "" if words.unit == "/min" else " "
    number = f"{round(words.shown(condition.limit), 1):g}{space}{words.unit}".strip()
    word = OPERATORS[condition.op]
    return f"{word} {number}" if condition.op in "<>" else f"{number} {word}"


def _item(match: Match) -> str:
    item = match.condition.item if match.condition else ""
    return ITEMS.get(item, item or "Answer")


def _joined(parts: list[str]) -> str:
    return " or ".join(parts)


def _plain(item: str) -> str:
    return item.replace("_", " ")
