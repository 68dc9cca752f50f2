"""What excludes a family: another practice's claim, our own, or a family billed beside it."""

from collections.abc import Iterable

from billing.pack import Exclusion
from billing.reasons import Reason
from billing.record import BilledClaim
from billing.scope import Refusal, Scope


def refusal(scope: Scope) -> Refusal | None:
    """Return the first exclusion that applies; the pack's matrix is read top down."""
    if any(claim.code in _rival_codes(scope) for claim in _claims(scope) if not claim.own):
        return Refusal(reason=Reason.OTHER_PRACTITIONER_BILLED_PERIOD)
    if any(claim.code in _own_codes(scope) for claim in _claims(scope) if claim.own):
        return Refusal(reason=Reason.ALREADY_BILLED_THIS_PERIOD)
    for row in scope.pack.exclusions:
        if row.family == scope.family.name and _applies(row, scope):
            return Refusal(reason=row.reason)
    return None


def _claims(scope: Scope) -> tuple[BilledClaim, ...]:
    period = scope.period
    return tuple(
        claim
        for claim in scope.case.claims
        if claim.first <= period.last and period.first <= claim.last
    )


def _codes(scope: Scope, families: Iterable[str]) -> set[str]:
    return {code.code for code in scope.pack.codes if code.family in families}


def _rival_codes(scope: Scope) -> set[str]:
    beside = {
        family
        for row in scope.pack.exclusions
        if row.family == scope.family.name and row.whose == "anyone"
        for family in row.beside
    }
    return _codes(scope, set(scope.family.rivals) - beside)


def _own_codes(scope: Scope) -> set[str]:
    codes = scope.pack.of(scope.family.name)
    return {code.code for code in codes if code.part != "setup"}


def _applies(row: Exclusion, scope: Scope) -> bool:
    if row.unless and getattr(scope.parameters, row.unless):
        return False
    if scope.billed.intersection(row.beside):
        return True
    codes = _codes(scope, row.beside) | set(row.codes)
    claims = (c for c in _claims(scope) if c.own or row.whose == "anyone")
    return any(claim.code in codes for claim in claims)
