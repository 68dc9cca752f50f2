"""An alert rule in plain words, and what a change to it amounts to. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from alerts import applicability, sentences
from alerts.rules import Against, Condition, Field, Metric, Rule, RuleError, RuleKind
from dashboards.faces import humane

ACRONYMS = MappingProxyType(
    {
        "bp": "BP", "hf": "HF", "spo2": "SpO₂", "glu": "Glucose", "hr": "Heart rate",
        "phq9": "PHQ-9", "phq": "PHQ", "gad7": "GAD-7", "copd": "COPD", "htn": "hypertension",
        "dm": "diabetes", "rr": "Breathing rate", "wt": "Weight", "temp": "Temperature",
        "neut": "Neutropenia", "preg": "Pregnancy", "crit": "critical", "dka": "DKA", "hhs": "HHS",
        "level1": "level 1", "level2": "level 2", "stage2": "stage 2", "item9": "item 9",
        "hypo": "hypoglycemia", "o2": "oxygen", "7pct": "7 %", "1d": "in 1 day",
        "3d": "in 3 days", "7d": "in 7 days", "resp": "Respiratory", "30d": "30 days",
        "behavioural": "behavioral", "paediatric": "pediatric",
    }
)  # fmt: skip
CODES = MappingProxyType({"S1": "critical", "S2": "high", "S3": "medium", "S4": "low"})
AGAINST = MappingProxyType(
    {
        Against.PREVIOUS_DAY_FIRST: "the first reading of the day before",
        Against.THREE_DAYS_AGO: "three days ago",
        Against.SEVEN_DAYS_AGO: "seven days ago",
        Against.MEDIAN_7D: "the patient's own 7-day median",
        Against.MEDIAN_14D: "the patient's own 14-day median",
        Against.BASELINE: "the patient's baseline at the start",
    }
)
PARTS = MappingProxyType(
    {
        "severity": "Severity", "n": "Times", "min_gap": "At least apart", "within": "Within",
        "window": "Over", "min_readings": "Readings needed", "max_gap": "Readings at most apart",
        "max_one_per": "At most one alert per", "hysteresis": "Calm only beyond the limit by",
        "remeasure.wait": "Measure again after", "remeasure.no_reply_after": "Wait for the answer",
        "unconfirmed.severity": "Severity without an answer",
        "unconfirmed.after": "No answer after", "if_symptoms.severity": "Severity with symptoms",
        "if_remeasure_ok.severity": "Severity when normal again", "worse.value": "Worse from",
        "worse.severity": "Severity when worse",
    }
)  # fmt: skip


def title(rule_id: str) -> str:
    """Return bp_severe as BP severe."""
    text = _spelled(rule_id)
    return text[:1].upper() + text[1:]


def sentence(rule: Rule) -> str:
    """Return when the rule fires and what follows."""
    fires = f"{_subject(rule)} {_limits(rule)}".strip()
    parts = [f"{fires}{_how(rule)}."]
    parts += [each for each in (_again(rule), _asking(rule), _worse(rule), _rarely(rule)) if each]
    return " ".join(parts)


KEPT_IN = MappingProxyType({Metric.WEIGHT: "kg", Metric.TEMPERATURE: "°C"})
"""Rules are written in canonical units; alerts say them in those of the clinic."""


def condition(rule: Rule, each: Condition) -> str:
    """Return one comparison: 180 mmHg systolic or more."""
    if each.field is Field.FLAG:
        return sentences.FLAGS.get(each.flag, each.flag)
    unit = unit_of(rule, each)
    number = f"{abs(each.limit):g}{'' if unit == '/min' else ' '}{unit}".strip()
    if rule.metric is Metric.BP and each.field in {Field.SYS, Field.DIA}:
        number += " systolic" if each.field is Field.SYS else " diastolic"
    word = sentences.OPERATORS[each.op]
    item = f"{sentences.ITEMS.get(each.item, each.item)} " if each.item else ""
    return f"{item}{word} {number}" if each.op in "<>" else f"{item}{number} {word}"


def unit_of(rule: Rule, each: Condition) -> str:
    """Return the unit of a comparison's limit."""
    if each.field is Field.PCT:
        return "%"
    return KEPT_IN.get(rule.metric) or sentences.WORDS[rule.metric].unit


def differences(product: Rule, changes: Mapping[str, object]) -> list[str]:
    """Return what changes in words: Severity: high, was medium."""
    if changes.get("disabled"):
        return ["Switched off"]
    try:
        changed = applicability.validated(product, changes)
    except RuleError as error:
        return [str(error)]
    found = []
    if limits(changed) != limits(product):
        found.append(f"Limit: {limits(changed)}, was {limits(product)}")
    before, after = flat(product.written), flat({**product.written, **changes})
    for name, text in PARTS.items():
        old, new = before.get(name), after.get(name)
        if new is not None and new != old:
            was = f", was {value(old)}" if old is not None else ""
            found.append(f"{text}: {value(new)}{was}")
    return found


def value(raw: object) -> str:
    """Return S2 as high, 5m as 5 min."""
    text = str(raw)
    if text in CODES:
        return CODES[text]
    units = {"m": "min", "h": "h", "d": "d", "s": "s"}
    if text[:-1].isdigit() and text[-1:] in units:
        return f"{text[:-1]} {units[text[-1]]}"
    return text


def flat(written: Mapping[str, object]) -> dict[str, object]:
    """Return {"worse": {"value": 1}} as {"worse.value": 1}."""
    found: dict[str, object] = {}
    for name, each in written.items():
        if isinstance(each, Mapping):
            found |= {f"{name}.{inner}": deep for inner, deep in each.items()}
        else:
            found[name] = each
    return found


def limits(rule: Rule) -> str:
    """Return every comparison, joined as the rule joins them."""
    told = _change if rule.kind is RuleKind.DELTA else condition
    either = " or ".join(told(rule, each) for each in rule.any)
    both = " and ".join(told(rule, each) for each in rule.all)
    return " and ".join(part for part in (both, either) if part)


def _spelled(name: str) -> str:
    return " ".join(ACRONYMS.get(word, word) for word in name.split("_"))


def _subject(rule: Rule) -> str:
    if rule.flag:
        return f"{sentences.FLAGS.get(rule.flag, humane(rule.flag))} seen"
    name = sentences.WORDS[rule.metric].name
    return {
        RuleKind.AVERAGE: f"Mean {name.lower()}",
        RuleKind.DELTA: name,
    }.get(rule.kind, "" if rule.metric is Metric.SURVEY else name)


def _limits(rule: Rule) -> str:
    return f"{limits(rule)} against {AGAINST[rule.against]}" if rule.against else limits(rule)


def _change(rule: Rule, each: Condition) -> str:
    """A rise or fall by so much: "up 2 kg or more"."""
    number = f"{abs(each.limit):g} {unit_of(rule, each)}"
    more = f"by more than {number}" if each.op in "<>" else f"{number} or more"
    return f"{'up' if each.upward else 'down'} {more}"


def _how(rule: Rule) -> str:
    if rule.kind is RuleKind.AVERAGE:
        return f" over {sentences.span(rule.window)} (at least {rule.min_readings} readings)"
    if rule.kind is RuleKind.COUNT:
        return f" {rule.n} times within {sentences.span(rule.window)}"
    if rule.kind is RuleKind.CONFIRMED:
        return f", {_times(rule.n)} within {sentences.span(rule.within)}"
    return ""


def _again(rule: Rule) -> str:
    if rule.remeasure is None:
        return ""
    wait, late = sentences.span(rule.remeasure.wait), sentences.span(rule.remeasure.no_reply)
    text = f"The patient is asked to measure again after {wait}"
    if rule.remeasure.unconfirmed is None:
        return f"{text}."
    return f"{text}; without an answer in {late} it is {rule.remeasure.unconfirmed.word}."


def _asking(rule: Rule) -> str:
    if not rule.ask:
        return ""
    worse = f"; with symptoms it is {rule.if_symptoms.word}" if rule.if_symptoms else ""
    return f"Asks about {_spelled(rule.ask)}{worse}."


def _worse(rule: Rule) -> str:
    return (
        f"{condition(rule, rule.worse[0])}: {rule.worse[1].word}.".capitalize()
        if rule.worse
        else ""
    )


def _rarely(rule: Rule) -> str:
    return f"At most one alert per {sentences.span(rule.max_one_per)}." if rule.max_one_per else ""


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def joined(parts: Sequence[str]) -> str:
    """Return a few words as one line."""
    return "; ".join(parts) or "As the product has it"
