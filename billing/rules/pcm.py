"""Principal care management of one high-risk condition: by the practitioner or by staff."""

from billing.outcome import Verdict
from billing.reasons import Reason, qhp_minutes_below
from billing.rules import ladder
from billing.rules.ladder import joined
from billing.rules.personal import personal_and_staff
from billing.scope import Scope


def judge(scope: Scope) -> Verdict:
    """Judge the four codes; the practitioner's family goes first."""
    codes = scope.pack.of(scope.family.name)
    if scope.zone is None:
        return Verdict(
            blocked=() if scope.refusal is None else scope.all_blocked(codes, scope.refusal)
        )
    personal, staff, facts = personal_and_staff(scope)
    if scope.refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, scope.refusal), facts=facts)
    own = ladder.climb(
        scope,
        personal,
        scope.code("personal"),
        scope.code("personal_addon"),
        below=qhp_minutes_below,
    )
    pair = scope.code("staff"), scope.code("staff_addon")
    if own.lines:
        by_staff = ladder.refused(scope, pair, Reason.PCM_FAMILY_CONFLICT)
    else:
        by_staff = ladder.climb(scope, staff, *pair)
    return joined(own, by_staff, Verdict(facts=facts))
