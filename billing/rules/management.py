"""RPM and RTM management: minutes of the month, with at least one real-time contact."""

from billing.ledger import Tally
from billing.outcome import Blocked, Fact, Verdict
from billing.pack import Code
from billing.reasons import Reason, minutes_below
from billing.rules import ladder, professional
from billing.rules.ladder import joined, present
from billing.scope import Refusal, Scope


def judge(scope: Scope) -> Verdict:
    """Judge the short code, the base code and the add-on of one monitoring programme."""
    if scope.zone is None:
        return Verdict(blocked=_all(scope, scope.refusal))
    counted = _counted(scope)
    program = scope.family.program.lower()
    facts: dict[str, Fact] = {
        f"{program}_minutes": counted.minutes,
        f"{program}_interactive": counted.interactive,
        f"{program}_excluded_entries": counted.left_out,
    }
    if scope.refusal is not None:
        return Verdict(blocked=_all(scope, scope.refusal), facts=facts)
    return joined(_by_minutes(scope, counted), Verdict(facts=facts))


def _all(scope: Scope, refusal: Refusal | None) -> tuple[Blocked, ...]:
    codes = scope.pack.of(scope.family.name)
    return () if refusal is None else scope.all_blocked(codes, refusal)


def _counted(scope: Scope) -> Tally:
    roles = scope.parameters.clinical_roles
    if scope.family.program == "RTM":
        roles |= scope.parameters.therapist_roles
    counted = scope.tally(roles)
    reserved = professional.reserved(scope, counted)
    return professional.left_without(counted, reserved, scope.parameters) if reserved else counted


def _by_minutes(scope: Scope, counted: Tally) -> Verdict:
    short, base = scope.code("short"), scope.code("base")
    addon = scope.code("addon")
    if base is None:
        return Verdict()
    reached = counted.interactive and counted.minutes >= base.minutes
    if ladder.waiting(scope, reached=reached):
        refusal = Refusal(
            reason=Reason.PERIOD_NOT_COMPLETE, have=counted.minutes, need=base.minutes
        )
        return Verdict(blocked=_all(scope, refusal))
    if not counted.interactive:
        return joined(_silent(scope, counted, short, base), ladder.base_missing(scope, addon))
    if reached:
        replaced = ladder.refused(scope, (short,), Reason.TIER_REPLACED_BY_HIGHER)
        return joined(replaced, ladder.climb(scope, counted, base, addon))
    below = scope.blocked(base, minutes_below(base.minutes), counted.minutes, base.minutes)
    return joined(
        ladder.climb(scope, counted, short),
        Verdict(blocked=(below,)),
        ladder.base_missing(scope, addon),
    )


def _silent(scope: Scope, counted: Tally, *codes: Code | None) -> Verdict:
    """Nobody spoke with the patient: whatever the minutes, that is the reason."""
    reason = Reason.NO_INTERACTIVE_COMMUNICATION
    rows = (scope.blocked(code, reason, counted.minutes, code.minutes) for code in present(*codes))
    return Verdict(blocked=tuple(rows))
