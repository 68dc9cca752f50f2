"""99091: a physician's own review of the data, in a window, apart from management."""

from dataclasses import replace

from billing import ledger, minutes, windows
from billing.ledger import Question, Tally
from billing.outcome import Fact, Verdict
from billing.pack import Parameters
from billing.reasons import Reason, qhp_minutes_below
from billing.rules import ladder
from billing.rules.ladder import joined
from billing.scope import Refusal, Scope

FAMILY = "99091"
MANAGEMENT = "rpm_mgmt"


def judge(scope: Scope) -> Verdict:
    """Judge the code by the minutes of physicians and other qualified professionals."""
    codes = scope.pack.of(FAMILY)
    if scope.zone is None or scope.span is None:
        without_window = scope.refusal or Refusal(reason=Reason.WINDOW_NOT_GIVEN)
        return Verdict(blocked=scope.all_blocked(codes, without_window))
    counted = scope.tally(scope.parameters.qhp_roles)
    facts: dict[str, Fact] = {"qhp_minutes_30d": counted.minutes}
    refusal = scope.refusal or _shares_minutes(scope)
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal), facts=facts)
    climbed = ladder.climb(scope, counted, scope.code("base"), below=qhp_minutes_below)
    return joined(climbed, Verdict(facts=facts))


def reserved(scope: Scope, counted: Tally) -> frozenset[str]:
    """Return the entries that management leaves to 99091, where a payer allows both in one month.

    They are left only when enough is left for management without them: the same minute never
    supports two codes.
    """
    allowed = scope.parameters.allow_99091_with_rpm_mgmt and FAMILY in scope.case.families
    code = scope.pack.one(FAMILY, "base")
    if not allowed or code is None or scope.family.name != MANAGEMENT:
        return frozenset()
    qhp = _in_window(scope)
    if qhp is None or qhp.minutes < code.minutes:
        return frozenset()
    rest = left_without(counted, frozenset(qhp.entry_ids), scope.parameters)
    least = min(c.minutes for c in scope.pack.of(MANAGEMENT))
    enough = rest.interactive and rest.minutes >= least
    return frozenset(qhp.entry_ids) if enough else frozenset()


def left_without(counted: Tally, entries: frozenset[str], parameters: Parameters) -> Tally:
    """Return a tally without some entries and without the time they cover."""
    taken = [piece.interval for piece in counted.pieces if piece.entry.id in entries]
    kept = counted.only(lambda entry: entry.id not in entries)
    pieces = tuple(
        replace(piece, interval=part)
        for piece in kept.pieces
        for part in minutes.without(piece.interval, taken)
    )
    interactive = any(ledger.counts_as_interactive(p.entry, parameters) for p in pieces)
    limiting = tuple(sorted({*counted.limiting, *(entries if taken else ())}))
    return replace(kept, pieces=pieces, interactive=interactive, limiting=limiting)


def _in_window(scope: Scope) -> Tally | None:
    window = scope.case.window
    if window is None:
        return None
    question = Question(
        program=scope.family.program,
        roles=scope.parameters.qhp_roles,
        span=windows.Window(first=window[0], last=window[1]),
        zone=scope.clock,
    )
    return ledger.tally(scope.case, scope.parameters, question)


def _shares_minutes(scope: Scope) -> Refusal | None:
    if MANAGEMENT not in scope.billed:
        return None
    month = replace(scope, family=scope.pack.family(MANAGEMENT), span=_month(scope))
    if reserved(month, month.tally(scope.parameters.clinical_roles)):
        return None
    return Refusal(reason=Reason.EXCLUSIVE_WITH_RPM_MGMT_SAME_MONTH)


def _month(scope: Scope) -> windows.Window:
    return windows.month_of(scope.case.month or scope.period.last)
