"""Principal care management of one high-risk condition: by the practitioner or by staff."""

from billing.ledger import Tally
from billing.outcome import Verdict
from billing.reasons import Reason, qhp_minutes_below
from billing.rules import ladder, personal
from billing.rules.ladder import joined
from billing.scope import Scope


def judge(scope: Scope) -> Verdict:
    """Judge the four codes; the practitioner's family goes first."""
    return personal.judged(scope, _ranked)


def _ranked(scope: Scope, own: Tally, staff: Tally) -> Verdict:
    codes = scope.code("personal"), scope.code("personal_addon")
    by_practitioner = ladder.climb(scope, own, *codes, below=qhp_minutes_below)
    pair = scope.code("staff"), scope.code("staff_addon")
    if by_practitioner.lines:
        return joined(by_practitioner, ladder.refused(scope, pair, Reason.PCM_FAMILY_CONFLICT))
    return joined(by_practitioner, ladder.climb(scope, staff, *pair))
