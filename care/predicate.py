"""Conditions written as data: {field, op, value} | {all: [..]} | {any: [..]} | {not: ..}; no code.

Unknown fields and operators fail when a definition is loaded, never while it is used.
"""

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

Fact = str | float | bool | None
Facts = Mapping[str, Fact]


class DefinitionError(ValueError):
    """A definition that cannot be used; the message says where and why."""


def _within(fact: object, values: object) -> bool:
    return isinstance(values, Collection) and fact in values


def _same(fact: object, value: object) -> bool:
    return fact == value


_OPERATORS: Mapping[str, Callable[[object, object], bool]] = {
    "eq": _same,
    "ne": lambda fact, value: fact != value,
    "in": _within,
    "nin": lambda fact, values: not _within(fact, values),
    "is_set": lambda fact, _: fact is not None,
    "matches_code": lambda fact, value: isinstance(fact, str) and fact.startswith(str(value)),
}
_ORDERINGS: Mapping[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of a named fact."""

    field: str
    op: str
    value: object = None

    def holds(self, facts: Facts) -> bool:
        """Say whether it holds; a fact that is not known never satisfies an ordering."""
        fact = facts.get(self.field)
        if self.op in _OPERATORS:
            return _OPERATORS[self.op](fact, self.value)
        if not isinstance(fact, int | float) or not isinstance(self.value, int | float):
            return False
        return _ORDERINGS[self.op](fact, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Conditions joined by all, any or not."""

    join: str
    parts: "tuple[Predicate, ...]"

    def holds(self, facts: Facts) -> bool:
        """Say whether the combination holds."""
        results = [part.holds(facts) for part in self.parts]
        if self.join == "all":
            return all(results)
        return any(results) if self.join == "any" else not results[0]


Predicate = Condition | Combination


def load(data: object, *, where: str = "") -> Predicate:
    """Parse a predicate; DefinitionError names what is wrong in it."""
    if not isinstance(data, Mapping):
        raise DefinitionError(f"{where}: a condition is a mapping, not {data!r}")
    for join in ("all", "any"):
        if join in data:
            parts = tuple(load(part, where=f"{where}.{join}") for part in data[join])
            return Combination(join=join, parts=parts)
    if "not" in data:
        return Combination(join="not", parts=(load(data["not"], where=f"{where}.not"),))
    return _condition(data, where)


def _condition(data: Mapping[str, object], where: str) -> Condition:
    unknown = set(data) - {"field", "op", "value"}
    if unknown or "field" not in data or "op" not in data:
        raise DefinitionError(f"{where}: {dict(data)!r} is no condition")
    op = str(data["op"])
    if op not in _OPERATORS and op not in _ORDERINGS:
        raise DefinitionError(f"{where}: unknown op {op!r}")
    return Condition(field=str(data["field"]), op=op, value=data.get("value"))
