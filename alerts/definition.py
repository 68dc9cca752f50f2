"""Parse rule definitions at the door: an unknown field or operator stops the start of a process."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec

from alerts.rules import (
    Applies,
    Condition,
    Field,
    Profile,
    Remeasure,
    Rule,
    RuleError,
    RuleKind,
)
from alerts.severity import Severity, from_code, mildest
from alerts.written import AppliesNode, LimitNode, ProfileNode, RemeasureNode, RuleNode

_COMPARISON = re.compile(r"^(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)$")
_DURATION = re.compile(r"^(\d+)([smhd])$")
Node = TypeVar("Node", bound=msgspec.Struct)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
QUICK = timedelta(hours=1)
"""A confirmed rule that reaches further back waits for the next ordinary measurement."""
LEAST_TO_CONFIRM = 2


def profile(content: object) -> Profile:
    """Return the profile of one file's content; RuleError says what is wrong and where."""
    node = _convert(content, ProfileNode, "profile")
    written = content["rules"] if isinstance(content, Mapping) else []
    rules = [_rule(each, node.profile) for each in node.rules]
    return Profile(
        id=node.profile,
        rules=tuple(
            dataclasses.replace(made, written=as_read)
            for made, as_read in zip(rules, written, strict=True)
        ),
        applies=_applies(node.applies),
        include=node.include,
        otherwise=node.otherwise,
        replaces=node.replaces,
        severity_up=node.severity_up.steps,
        severity_up_for=duration(node.severity_up.for_, node.profile),
        note=node.note,
    )


def rule(content: object, *, profile_id: str) -> Rule:
    """Return one rule; RuleError names the rule and the field that cannot be used."""
    made = _rule(_convert(content, RuleNode, profile_id), profile_id)
    return dataclasses.replace(made, written=content if isinstance(content, Mapping) else {})


def changed(original: Rule, changes: Mapping[str, object]) -> Rule:
    """Return the rule with some fields as an override gives them; RuleError if one is unusable."""
    fixed = sorted({"id", "kind", "metric"} & set(changes))
    if fixed:
        raise RuleError(f"override of {original.id}: {', '.join(fixed)} cannot be changed")
    made = rule({**original.written, **changes}, profile_id=original.profile)
    return dataclasses.replace(made, version=original.version, severity_up=original.severity_up)


def duration(text: str, where: str) -> timedelta:
    """Return 5m, 24h, 3d or 30s as a length of time."""
    found = _DURATION.match(text)
    if not found:
        raise RuleError(f"{where}: {text!r} is no length of time such as 5m, 24h or 3d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _rule(node: RuleNode, profile_id: str) -> Rule:
    name = f"{profile_id}/{node.id}"
    made = Rule(
        id=node.id,
        profile=profile_id,
        metric=node.metric,
        kind=node.kind,
        severity=from_code(node.severity),
        any=tuple(_condition(each, name) for each in node.any),
        all=tuple(_condition(each, name) for each in node.all),
        flag=node.flag,
        n=node.n,
        min_gap=duration(node.min_gap, name),
        within=duration(node.within, name),
        window=duration(node.window, name),
        min_readings=node.min_readings,
        against=node.against,
        max_gap=_optional(node.max_gap, name),
        max_one_per=_optional(node.max_one_per, name),
        hysteresis=node.hysteresis,
    )
    return _checked(_asking(node, _described(node, made), name), name)


def _described(node: RuleNode, made: Rule) -> Rule:
    return dataclasses.replace(
        made,
        patient_message=node.patient_message,
        route=node.route,
        when=_applies(node.when),
        on_by_default=node.default == "on",
        inputs=node.inputs,
        note=node.override_note,
        sources=node.sources,
        confidence=node.confidence,
        effective_from=node.effective_from,
        effective_to=node.effective_to,
    )


def _asking(node: RuleNode, made: Rule, name: str) -> Rule:
    """What may change a breach afterwards: a second value, an answer, a worse number."""
    return dataclasses.replace(
        made,
        ask=node.ask,
        if_symptoms=from_code(node.if_symptoms.severity) if node.if_symptoms else None,
        symptoms_message=node.if_symptoms.patient_message if node.if_symptoms else "",
        worse=(_condition(LimitNode(value=node.worse.value), name), from_code(node.worse.severity))
        if node.worse
        else None,
        remeasure=_remeasure(node, made, name),
    )


def _remeasure(node: RuleNode, made: Rule, name: str) -> Remeasure | None:
    """What the rule says about measuring again, filled up with defaults.yaml's numbers."""
    confirmed = made.kind is RuleKind.CONFIRMED
    quick = confirmed and made.within <= QUICK
    if not (quick or node.remeasure or node.unconfirmed):
        return None
    asked = node.remeasure or RemeasureNode()
    silent = node.unconfirmed
    unconfirmed = from_code(silent.severity) if silent else mildest(made.severity, Severity.HIGH)
    normal = from_code(node.if_remeasure_ok.severity) if node.if_remeasure_ok else Severity.LOW
    return Remeasure(
        wait=max(duration(asked.wait, name), made.min_gap),
        no_reply=duration((silent.after if silent else "") or asked.no_reply_after, name),
        unconfirmed=unconfirmed if confirmed else None,
        when_normal=None if confirmed else normal,
    )


def _checked(made: Rule, name: str) -> Rule:
    """Refuse a rule that could never fire or whose parts contradict one another."""
    if not made.conditions and not made.flag:
        raise RuleError(f"{name}: needs any, all or flag")
    if made.kind is RuleKind.DELTA and made.against is None:
        raise RuleError(f"{name}: a delta needs against")
    if made.kind in (RuleKind.AVERAGE, RuleKind.COUNT) and not made.window:
        raise RuleError(f"{name}: {made.kind.value} needs window")
    if made.kind is RuleKind.CONFIRMED and (made.n < LEAST_TO_CONFIRM or not made.within):
        raise RuleError(f"{name}: confirmed needs n of at least 2 and within")
    if made.kind is RuleKind.AVERAGE and made.min_readings < 1:
        raise RuleError(f"{name}: an average needs min_readings")
    return made


def _condition(node: LimitNode, name: str) -> Condition:
    given = [field for field in Field if getattr(node, field.value)]
    if len(given) != 1:
        raise RuleError(f"{name}: one comparison at a time, not {len(given)}")
    field, text = given[0], getattr(node, given[0].value)
    if field is Field.FLAG:
        return Condition(field=field, flag=text)
    found = _COMPARISON.match(text)
    if not found:
        raise RuleError(f"{name}: {text!r} is no comparison such as >=180")
    return Condition(field=field, op=found[1], limit=float(found[2]), item=node.item)


def _applies(node: AppliesNode) -> Applies:
    return Applies(
        age_gte=node.age_gte,
        age_lt=node.age_lt,
        condition=node.condition,
        trait=node.trait,
        excluding=node.excluding,
        pregnant_or_6w_postpartum=node.pregnant_or_6w_postpartum,
    )


def _optional(text: str, name: str) -> timedelta | None:
    return duration(text, name) if text else None


def _convert(content: object, kind: type[Node], where: str) -> Node:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise RuleError(f"{_named(content, where)}: {error}") from error


def _named(content: object, where: str) -> str:
    if isinstance(content, Mapping):
        return f"{where} {content.get('profile') or content.get('id') or ''}".strip()
    return where
