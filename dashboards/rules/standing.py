"""Which rules hold at each level, and what a draft would put in their place. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts import applicability
from alerts.applicability import Level, Override
from alerts.rules import Catalogue, Rule, RuleError

Changes = Mapping[str, Mapping[str, object]]
"""Rule id -> changed fields, or {"disabled": True}: a whole version of one scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One rule as it holds for a scope."""

    product: Rule
    rule: Rule
    level: Level | None
    """Whose change holds; None: the product's own."""
    is_off: bool
    later: bool
    """A change has been signed that begins later."""


def standings(
    catalogue: Catalogue, overrides: Iterable[Override], programme: str | None, at: datetime
) -> list[Standing]:
    """Return every product rule as it stands for the organisation, or one of its programmes."""
    mine = [each for each in overrides if _concerns(each, programme)]
    by_rule: dict[str, list[Override]] = {}
    for each in mine:
        by_rule.setdefault(each.rule_id, []).append(each)
    return [_standing(rule, by_rule.get(rule.id, ()), at) for rule in catalogue.rules]


def in_scope(overrides: Iterable[Override], programme: str | None, at: datetime) -> Changes:
    """Return the changes of one scope that hold at that moment, as a draft begins with them."""
    level = Level.PROGRAMME if programme else Level.ORGANISATION
    found: dict[str, dict[str, object]] = {}
    own = [o for o in overrides if o.level is level and o.programme == programme]
    for each in sorted(own, key=lambda o: o.effective_from):
        if each.effective_from <= at < each.expires_at:
            found[each.rule_id] = _over(found.get(each.rule_id, {}), each)
    return found


def asked(draft: Changes, holding: Changes) -> Changes:
    """Return what a replay has to be told: also which rules go back to the product's own."""
    back: Changes = {rule_id: {} for rule_id in holding if rule_id not in draft}
    return {rule_id: dict(each) for rule_id, each in {**back, **draft}.items()}


def _over(before: Mapping[str, object], override: Override) -> dict[str, object]:
    if override.disabled:
        return {"disabled": True}
    return {
        name: each for name, each in {**before, **override.changes}.items() if name != "disabled"
    }


def _concerns(override: Override, programme: str | None) -> bool:
    if override.level is Level.PROGRAMME:
        return programme is not None and override.programme == programme
    return override.level is Level.ORGANISATION


def _standing(product: Rule, overrides: Sequence[Override], at: datetime) -> Standing:
    rule, level, is_off = product, None, not product.on_by_default
    for each in sorted(overrides, key=lambda o: (o.level, o.effective_from)):
        if not each.effective_from <= at < each.expires_at:
            continue
        level, is_off = each.level, each.disabled
        if not each.disabled:
            rule = _changed(rule, each)
    return Standing(
        product=product,
        rule=rule,
        level=level,
        is_off=is_off,
        later=any(each.effective_from > at for each in overrides),
    )


def _changed(rule: Rule, override: Override) -> Rule:
    """The rule with an override; one that the product no longer understands changes nothing."""
    try:
        return applicability.validated(rule, override.changes)
    except RuleError:
        return rule
