"""The form of one rule: its fields, and the changes that a filled-in form asks for. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts import applicability
from alerts.rules import Condition, Field, Rule, RuleError
from dashboards.rules import words

NUMBERS = frozenset({"n", "min_readings", "hysteresis"})
SEVERITIES = tuple(words.CODES.items())
OPERATOR = re.compile(r"^(>=|<=|>|<)")
LONGEST = 20
"""Characters in a field: no limit and no length of time is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of the form."""

    name: str
    label: str
    value: str
    product: str
    """What the product has, where that differs."""
    hint: str = ""
    is_severity: bool = False


def entries(product: Rule, changes: Mapping[str, object]) -> list[Entry]:
    """Return the fields of a rule as it stands with `changes`."""
    now = words.flat({**product.written, **_without_off(changes)})
    was = words.flat(product.written)
    names = [name for name in words.PARTS if name in was or name == "max_one_per"]
    limits = [*_limits(product, "all", changes), *_limits(product, "any", changes)]
    return [_entry("severity", now, was), *limits] + [
        _entry(name, now, was) for name in names if name != "severity"
    ]


def read(product: Rule, form: Mapping[str, str]) -> dict[str, object]:
    """Return the changes that a form asks for; RuleError says which value cannot be used."""
    if form.get("on") == "off":
        return {"disabled": True}
    changes: dict[str, object] = {}
    for name in ("any", "all"):
        limits = _limits_read(product, name, form)
        if limits != list(_written_list(product, name)):
            changes[name] = limits
    changes |= _fields_read(product, form)
    applicability.validated(product, changes)
    return changes


def _without_off(changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in changes.items() if name != "disabled"}


def _entry(name: str, now: Mapping[str, object], was: Mapping[str, object]) -> Entry:
    value, product = str(now.get(name, "")), str(was.get(name, ""))
    compared = name == "worse.value"
    shown = OPERATOR.sub("", value) if compared else value
    severity = name.endswith("severity")
    hint = "" if severity or compared or name in NUMBERS else "Such as 5m, 24h or 3d"
    return Entry(
        name=name,
        label=words.PARTS[name],
        value=shown,
        product=words.value(product) if product and product != value else "",
        hint=hint,
        is_severity=severity,
    )


def _written_list(rule: Rule, name: str) -> Sequence[Mapping[str, str]]:
    found = rule.written.get(name, ())
    return found if isinstance(found, Sequence) else ()


def _limits(product: Rule, name: str, changes: Mapping[str, object]) -> list[Entry]:
    """One entry for each comparison with a number."""
    changed = changes.get(name)
    conditions = product.any if name == "any" else product.all
    found = []
    for place, (condition, written) in enumerate(
        zip(conditions, _written_list(product, name), strict=True)
    ):
        if condition.field is Field.FLAG:
            continue
        own = changed[place] if isinstance(changed, list) and place < len(changed) else written
        value, was = (OPERATOR.sub("", one[condition.field]).strip() for one in (own, written))
        found.append(
            Entry(
                name=f"{name}-{place}",
                label=f"Limit: {_direction(condition)}",
                value=value,
                product=was if was != value else "",
                hint=words.unit_of(product, condition),
            )
        )
    return found


def _direction(condition: Condition) -> str:
    """What the limit bounds: "systolic, this or more"."""
    side = {">=": "this or more", "<=": "this or less", ">": "above", "<": "below"}[condition.op]
    name = {Field.SYS: "systolic, ", Field.DIA: "diastolic, ", Field.PCT: "percent, "}
    return name.get(condition.field, "") + side


def _limits_read(product: Rule, name: str, form: Mapping[str, str]) -> list[dict[str, str]]:
    conditions = product.any if name == "any" else product.all
    found = []
    for place, (condition, written) in enumerate(
        zip(conditions, _written_list(product, name), strict=True)
    ):
        given = _given(form, f"{name}-{place}")
        one = dict(written)
        if given is not None and condition.field is not Field.FLAG:
            one[condition.field] = f"{condition.op}{given}"
        found.append(one)
    return found


def _fields_read(product: Rule, form: Mapping[str, str]) -> dict[str, object]:
    changes: dict[str, object] = {}
    for name in words.PARTS:
        given = _given(form, name)
        top, _, inner = name.partition(".")
        if given is None or not given or (inner and top not in product.written):
            continue
        was = words.flat(product.written).get(name)
        new = _typed(name, given, was)
        if new == was:
            continue
        if inner:
            changes[top] = {**_nested(product, top), **_nested_change(changes, top), inner: new}
        else:
            changes[top] = new
    return changes


def _nested(product: Rule, top: str) -> dict[str, object]:
    found = product.written[top]
    return dict(found) if isinstance(found, Mapping) else {}


def _nested_change(changes: Mapping[str, object], top: str) -> dict[str, object]:
    found = changes.get(top, {})
    return dict(found) if isinstance(found, Mapping) else {}


def _typed(name: str, given: str, was: object) -> object:
    if name == "worse.value":
        sign = OPERATOR.match(str(was))
        return f"{sign[0] if sign else '>='}{given}"
    if name not in NUMBERS:
        return given
    try:
        return float(given) if name == "hysteresis" else int(given)
    except ValueError as error:
        raise RuleError(f"{words.PARTS[name]}: {given!r} is no number") from error


def _given(form: Mapping[str, str], name: str) -> str | None:
    """What was typed, without spaces; RuleError for what is far too long."""
    if name not in form:
        return None
    text = form[name].strip().replace(" ", "")
    if len(text) > LONGEST:
        raise RuleError(f"{words.PARTS.get(name, 'Limit')}: {text[:LONGEST]}… is too long")
    return text
