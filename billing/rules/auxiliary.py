"""Community health integration and illness navigation: minutes of auxiliary personnel."""

from billing.outcome import Fact, Verdict
from billing.reasons import Reason
from billing.rules import ladder
from billing.rules.ladder import joined
from billing.scope import Refusal, Scope


def judge_chi(scope: Scope) -> Verdict:
    """Judge community health integration."""
    codes = scope.pack.of(scope.family.name)
    refusal = scope.refusal or _home_health(scope)
    if scope.zone is None and refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal))
    visit = scope.case.statements.initiating_visits.get(scope.family.visit)
    counted = scope.tally(scope.parameters.auxiliary_roles, visit)
    facts: dict[str, Fact] = {
        "chi_minutes": counted.minutes,
        "chi_excluded_entries": counted.left_out,
    }
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal), facts=facts)
    climbed = ladder.climb(scope, counted, scope.code("base"), scope.code("addon"))
    return joined(climbed, Verdict(facts=facts))


def judge_pin(scope: Scope) -> Verdict:
    """Judge illness navigation by a navigator or by a peer; one of them a month."""
    codes = scope.pack.of(scope.family.name)
    if scope.refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, scope.refusal))
    visit = scope.case.statements.initiating_visits.get(scope.family.visit)
    parameters = scope.parameters
    navigator = scope.tally(parameters.auxiliary_roles - parameters.peer_roles, visit)
    peer = scope.tally(parameters.peer_roles, visit)
    facts: dict[str, Fact] = {
        "pin_minutes": navigator.minutes,
        "pin_peer_minutes": peer.minutes,
    }
    own = ladder.climb(scope, navigator, scope.code("base"), scope.code("addon"))
    pair = scope.code("peer_base"), scope.code("peer_addon")
    if own.lines:
        by_peer = ladder.refused(scope, pair, Reason.PIN_SAME_MONTH)
    else:
        by_peer = ladder.climb(scope, peer, *pair)
    return joined(own, by_peer, Verdict(facts=facts))


def _home_health(scope: Scope) -> Refusal | None:
    if scope.family.name in scope.case.statements.home_health:
        return Refusal(reason=Reason.HOME_HEALTH_PLAN_OF_CARE)
    return None
