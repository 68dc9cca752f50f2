"""Which queue an alert goes to, from the patient's programmes; the table is routing.yaml."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec
import yaml

from alerts.escalation import AfterHours
from alerts.policy import Alert
from alerts.samples import Subject
from alerts.severity import Severity


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of the table: every given part must hold."""

    queue: str
    severity: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    barrier: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    sla_factor: float = 1.0


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole table."""

    default: str
    by_route: Mapping[str, str]
    technical: Mapping[str, str]
    after_hours: Mapping[str, AfterHours]
    programmes: Mapping[str, tuple[_Line, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where an alert goes and how its time is stretched."""

    queue: str
    sla_factor: float = 1.0


@cache
def table() -> Table:
    """Return routing.yaml; msgspec.ValidationError stops the start."""
    text = resources.files("alerts").joinpath("routing.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Table)


def after_hours(programmes: Collection[str], lines: Table) -> AfterHours:
    """Return what a patient's programmes say of high alerts outside the hours: the boldest wins."""
    told = {lines.after_hours[each] for each in programmes if each in lines.after_hours}
    return next((each for each in AfterHours if each in told), lines.after_hours["default"])


def route(alert: Alert, subject: Subject, lines: Table) -> Route:
    """Return the queue of an alert: its own route, else its patient's programmes, else the default.

    A critical or high alert never follows a rule's own weekly route away from triage.
    """
    if alert.technical:
        return Route(queue=lines.technical.get(alert.route, "tech"))
    if alert.severity > Severity.HIGH and alert.route in lines.by_route:
        return Route(queue=lines.by_route[alert.route])
    facts = _facts(alert, subject)
    for enrolment in subject.enrolments:
        for line in lines.programmes.get(enrolment.programme, ()):
            if _holds(line, facts):
                return Route(queue=line.queue, sla_factor=line.sla_factor)
    queue = alert.route if alert.kind == "adherence" and alert.route else lines.default
    return Route(queue=queue)


def _facts(alert: Alert, subject: Subject) -> dict[str, frozenset[str]]:
    """What the table may ask about; traits name barriers, units and outcomes as kind:value."""
    named: dict[str, set[str]] = {"risk": set(), "barrier": set(), "unit": set(), "outcome": set()}
    for trait in subject.traits:
        kind, _, value = trait.partition(":")
        if kind in named:
            named[kind].add(value)
    if "high_risk" in subject.traits:
        named["risk"].add("high")
    return {
        **{key: frozenset(values) for key, values in named.items()},
        "severity": frozenset({alert.severity.code}),
        "kind": frozenset({alert.kind}),
        "metric": frozenset({alert.kind}),
        "profile": frozenset({alert.profile}),
    }


def _holds(line: _Line, facts: Mapping[str, frozenset[str]]) -> bool:
    asked = {key: frozenset(getattr(line, key)) for key in facts}
    return all(not wanted or wanted & facts[key] for key, wanted in asked.items())
