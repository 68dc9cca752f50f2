"""Advanced primary care management: one of three levels a month, without minutes."""

from billing.outcome import Evidence, Verdict
from billing.reasons import Reason
from billing.rules import ladder
from billing.rules.ladder import joined, present
from billing.scope import Refusal, Scope

ATTESTATION = "apcm.capabilities_attested"


def judge(scope: Scope) -> Verdict:
    """Judge the three levels; exactly one can apply."""
    codes = scope.pack.of(scope.family.name)
    refusal = scope.refusal or _unfit(scope)
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal))
    fitting = scope.code(_level(scope))
    others = tuple(code for code in codes if code != fitting)
    lines = tuple(
        scope.line(code, evidence=Evidence(statements=(ATTESTATION, "patient.chronic_conditions")))
        for code in present(fitting)
    )
    return joined(
        Verdict(lines=lines), ladder.refused(scope, others, Reason.APCM_LEVEL_NOT_APPLICABLE)
    )


def _unfit(scope: Scope) -> Refusal | None:
    stated = scope.case.statements
    if not stated.apcm_chosen:
        return Refusal(reason=Reason.APCM_NOT_CHOSEN)
    if not stated.apcm_attested:
        return Refusal(reason=Reason.APCM_CAPABILITIES_NOT_ATTESTED)
    return Refusal(reason=Reason.PERIOD_NOT_COMPLETE) if scope.open else None


def _level(scope: Scope) -> str:
    patient = scope.case.patient
    qmb = patient.qmb or scope.case.statements.apcm_qmb
    if patient.chronic_conditions < scope.parameters.min_chronic_conditions:
        return "level1"
    return "level3" if qmb else "level2"
