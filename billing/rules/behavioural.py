"""Behavioural health: collaborative care, general integration, and the add-ons to APCM."""

from msgspec.structs import replace

from billing.ledger import Tally
from billing.outcome import Evidence, Fact, Verdict
from billing.pack import Code
from billing.reasons import Reason
from billing.rules import ladder
from billing.rules.ladder import joined, present
from billing.scope import Refusal, Scope


def judge_integration(scope: Scope) -> Verdict:
    """Judge general behavioural health integration by the primary-care team."""
    roles = scope.parameters.clinical_roles | scope.parameters.behavioural_roles
    return _simple(scope, roles, "bhi_minutes")


def judge_independent(scope: Scope) -> Verdict:
    """Judge integration furnished by psychologists, social workers, therapists and counsellors."""
    roles = scope.parameters.independent_behavioural_roles
    return _simple(scope, roles, "bhi_independent_minutes")


def judge_collaborative(scope: Scope) -> Verdict:
    """Judge collaborative care: first or later month, its add-on, and the thirty-minute code."""
    codes = scope.pack.of(scope.family.name)
    if scope.refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, scope.refusal))
    counted = scope.tally(scope.parameters.behavioural_roles)
    facts: dict[str, Fact] = {"cocm_minutes": counted.minutes}
    first = scope.case.statements.cocm_first_month
    base = scope.code("first" if first else "later")
    other = scope.code("later" if first else "first")
    if base is None:
        return Verdict(facts=facts)
    addon = _after(base, scope.code("addon"))
    return joined(
        ladder.climb(scope, counted, base, addon),
        ladder.refused(scope, (other,), Reason.COCM_MONTH_NOT_APPLICABLE),
        _half_hour(scope, counted, base),
        Verdict(facts=facts),
    )


def judge_apcm_add_on(scope: Scope) -> Verdict:
    """Judge the behavioural add-ons, which need an APCM level billed in the same month."""
    codes = scope.pack.of(scope.family.name)
    chosen = scope.code(scope.case.statements.apcm_behavioural or "none")
    refusal = scope.refusal or _without_base(scope, chosen)
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal))
    others = tuple(code for code in codes if code != chosen)
    evidence = Evidence(statements=("apcm.behavioural",))
    return joined(
        Verdict(lines=tuple(scope.line(code, evidence=evidence) for code in present(chosen))),
        ladder.refused(scope, others, Reason.BEHAVIOURAL_ADD_ON_NOT_CHOSEN),
    )


def _simple(scope: Scope, roles: frozenset[str], fact: str) -> Verdict:
    codes = scope.pack.of(scope.family.name)
    if scope.refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, scope.refusal))
    counted = scope.tally(roles)
    climbed = ladder.climb(scope, counted, scope.code("base"))
    return joined(climbed, Verdict(facts={fact: counted.minutes}))


def _after(base: Code, addon: Code | None) -> Code | None:
    if addon is None:
        return None
    return replace(addon, minutes=base.full + addon.minutes)


def _half_hour(scope: Scope, counted: Tally, base: Code) -> Verdict:
    code = scope.code("short")
    if counted.minutes >= base.minutes and not scope.open:
        return ladder.refused(scope, (code,), Reason.TIER_REPLACED_BY_HIGHER)
    return ladder.climb(scope, counted, code)


def _without_base(scope: Scope, chosen: Code | None) -> Refusal | None:
    if "apcm" not in scope.billed:
        return Refusal(reason=Reason.APCM_BASE_NOT_BILLED)
    if chosen is None:
        return Refusal(reason=Reason.BEHAVIOURAL_ADD_ON_NOT_CHOSEN)
    return None
