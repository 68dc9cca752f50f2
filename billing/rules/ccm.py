"""Chronic care management: one of three families a month (complex, practitioner, staff)."""

from billing.ledger import Tally
from billing.outcome import Verdict
from billing.reasons import Reason, qhp_minutes_below
from billing.rules import ladder, personal
from billing.rules.ladder import joined
from billing.scope import Scope


def judge(scope: Scope) -> Verdict:
    """Judge the six codes; the family that is chosen excludes the families ranked below it."""
    return personal.judged(scope, _ranked)


def _ranked(scope: Scope, own: Tally, staff: Tally) -> Verdict:
    verdicts: list[Verdict] = []
    chosen = False
    for name in _order(scope):
        if chosen:
            codes = (scope.code(name), scope.code(f"{name}_addon"))
            verdicts.append(ladder.refused(scope, codes, Reason.CCM_FAMILY_CONFLICT))
            continue
        verdict = _family(scope, name, own if name == "personal" else staff)
        chosen = bool(verdict.lines)
        verdicts.append(verdict)
    return joined(*verdicts)


def _order(scope: Scope) -> tuple[str, ...]:
    if scope.parameters.ccm_prefer == "physician":
        return "complex", "personal", "staff"
    return "complex", "staff", "personal"


def _family(scope: Scope, name: str, counted: Tally) -> Verdict:
    base, addon = scope.code(name), scope.code(f"{name}_addon")
    if name == "complex" and not _complex(scope):
        refused = ladder.refused(scope, (base,), Reason.COMPLEX_CCM_CRITERIA_NOT_MET)
        return joined(refused, ladder.base_missing(scope, addon))
    if name == "personal":
        return ladder.climb(scope, counted, base, addon, below=qhp_minutes_below)
    return ladder.climb(scope, counted, base, addon)


def _complex(scope: Scope) -> bool:
    stated = scope.case.statements
    return stated.complex_mdm and stated.plan_revised
