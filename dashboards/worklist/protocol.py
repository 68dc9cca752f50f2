"""What to do about an alert, step by step, read from the rule that fired. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alerts import catalogue
from alerts.rules import Metric, Rule
from dashboards.worklist.store import Alert

HOW_TO_REPEAT: Mapping[Metric, str] = MappingProxyType(
    {
        Metric.BP: "Sit for five minutes, back supported, cuff on the bare arm",
        Metric.SPO2: "Warm hand, nail polish off, sit upright, wait one minute",
        Metric.WEIGHT: "Same scale, hard floor, light clothes, after the toilet",
        Metric.GLUCOSE: "Wash and dry the hands, new strip",
        Metric.TEMPERATURE: "Wait half an hour after hot or cold drinks",
        Metric.HEART_RATE: "Rest for five minutes first",
    }
)
RED_FLAG = (
    "Chest pain, confusion, blue lips, fainting or trouble speaking: tell the patient to call 911 "
    "and stay on the line."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a protocol."""

    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The steps for one alert; none for technical alerts and rules that are not the product's."""

    name: str = ""
    steps: tuple[Step, ...] = ()
    red_flag: str = RED_FLAG


def protocol(alerts: list[Alert]) -> Protocol:
    """Return what the leading alert's rule asks for."""
    if not alerts:
        return Protocol()
    try:
        rule = catalogue.product().rule(alerts[0].rule_id)
    except KeyError:
        return Protocol()
    return Protocol(name=f"Protocol {rule.id} · {alerts[0].rule_version}", steps=_steps(rule))


def _steps(rule: Rule) -> tuple[Step, ...]:
    """Measure again, ask, escalate."""
    symptoms = rule.ask.replace("_", " ")
    steps = [
        Step(text="Ask for a new reading now", hint=HOW_TO_REPEAT.get(rule.metric, "")),
        Step(
            text=f"Call the patient: ask about {symptoms}" if symptoms else "Call the patient",
            hint="With symptoms this rule is more severe" if rule.if_symptoms else "",
        ),
        Step(text="Still outside the limit: escalate to the on-call clinician"),
    ]
    return tuple(steps)
