"""The standardised assessment of activity and nutrition: an event, at most every six months."""

from datetime import date

from billing.outcome import Evidence, Verdict
from billing.reasons import Reason
from billing.scope import Refusal, Scope

MONTHS_A_YEAR = 12


def judge(scope: Scope) -> Verdict:
    """Judge the assessment of the month."""
    codes = scope.pack.of(scope.family.name)
    refusal = scope.refusal or _unfit(scope)
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal))
    on = scope.case.statements.assessment_on
    evidence = Evidence(statements=("assessment.on",))
    return Verdict(lines=tuple(scope.line(code, on=on, evidence=evidence) for code in codes))


def _unfit(scope: Scope) -> Refusal | None:
    stated = scope.case.statements
    if stated.assessment_on is None or stated.assessment_on not in scope.period:
        return Refusal(reason=Reason.ASSESSMENT_NOT_RECORDED)
    if stated.assessment_kind and stated.assessment_kind not in scope.parameters.assessment_kinds:
        return Refusal(reason=Reason.ASSESSMENT_NOT_RECORDED)
    previous = stated.last_assessment_on
    months = scope.parameters.assessment_months
    if previous is not None and stated.assessment_on < _months_later(previous, months):
        return Refusal(reason=Reason.ASSESSMENT_WITHIN_6_MONTHS)
    return None


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    return date(year, month + 1, min(day.day, 28))
