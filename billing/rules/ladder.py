"""Base code and add-on: the steps that minutes climb in every care-management family."""

from collections.abc import Callable

from billing.ledger import Tally
from billing.outcome import Evidence, Fact, Line, Verdict
from billing.pack import Code
from billing.reasons import Reason, minutes_below
from billing.scope import Refusal, Scope


def climb(
    scope: Scope,
    tally: Tally,
    base: Code | None,
    addon: Code | None = None,
    *,
    below: Callable[[int], str] = minutes_below,
) -> Verdict:
    """Judge a base code and its add-on by the minutes of a tally."""
    if base is None:
        return Verdict()
    reached = tally.minutes >= base.minutes
    if waiting(scope, reached=reached):
        refusal = Refusal(reason=Reason.PERIOD_NOT_COMPLETE, have=tally.minutes, need=base.minutes)
        return Verdict(blocked=scope.all_blocked(present(base, addon), refusal))
    if not reached:
        short = scope.blocked(base, below(base.minutes), tally.minutes, base.minutes)
        return joined(Verdict(blocked=(short,)), base_missing(scope, addon))
    return joined(Verdict(lines=(step(scope, tally, base),)), further(scope, tally, addon))


def step(scope: Scope, tally: Tally, code: Code) -> Line:
    """Return a base code's line with the moment its threshold was met."""
    return scope.line(code, met_at=tally.reached_at(code.minutes), evidence=time_evidence(tally))


def further(scope: Scope, tally: Tally, addon: Code | None) -> Verdict:
    """Judge an add-on whose base is billed."""
    if addon is None:
        return Verdict()
    if scope.open:
        return Verdict(blocked=(scope.blocked(addon, Reason.PERIOD_NOT_COMPLETE),))
    earned = units_of(addon, tally.minutes)
    if not earned:
        reason = minutes_below(addon.minutes)
        return Verdict(blocked=(scope.blocked(addon, reason, tally.minutes, addon.minutes),))
    cap = getattr(scope.parameters, addon.cap) if addon.cap else None
    units = earned if cap is None else min(earned, cap)
    facts: dict[str, Fact] = {}
    if earned > units:
        facts["units_capped"] = {addon.code: earned - units}
    if not units:
        return Verdict(blocked=(scope.blocked(addon, Reason.UNITS_CAPPED_AT_ZERO),), facts=facts)
    met_at = tally.reached_at(addon.minutes + (units - 1) * addon.each)
    line = scope.line(addon, units, met_at=met_at, evidence=time_evidence(tally))
    return Verdict(lines=(line,), facts=facts)


def units_of(addon: Code, minutes: int) -> int:
    """Return how many full steps the minutes make."""
    return 0 if minutes < addon.minutes else (minutes - addon.minutes) // addon.each + 1


def waiting(scope: Scope, *, reached: bool) -> bool:
    """Tell whether the month has to end first; by parameter a met threshold may go earlier."""
    early = reached and scope.parameters.minutes_service_date == "threshold_met"
    return scope.open and not early


def base_missing(scope: Scope, *addons: Code | None) -> Verdict:
    """Return add-ons as not billable because their base is not."""
    refusal = Refusal(reason=Reason.BASE_CODE_NOT_BILLED)
    return Verdict(blocked=scope.all_blocked(present(*addons), refusal))


def refused(scope: Scope, codes: tuple[Code | None, ...], reason: str) -> Verdict:
    """Return several codes as not billable for one reason."""
    return Verdict(blocked=scope.all_blocked(present(*codes), Refusal(reason=reason)))


def present(*codes: Code | None) -> tuple[Code, ...]:
    """Return the codes that this year's pack has."""
    return tuple(code for code in codes if code is not None)


def time_evidence(tally: Tally, *statements: str) -> Evidence:
    """Return the time entries behind a line."""
    return Evidence(entries=tally.entry_ids, limiting=tally.limiting, statements=statements)


def joined(*verdicts: Verdict) -> Verdict:
    """Return several verdicts as one."""
    facts = {name: value for verdict in verdicts for name, value in verdict.facts.items()}
    return Verdict(
        lines=tuple(line for verdict in verdicts for line in verdict.lines),
        blocked=tuple(row for verdict in verdicts for row in verdict.blocked),
        facts=facts,
    )
