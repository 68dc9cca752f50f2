"""RPM and RTM device codes: set-up once per episode, supply once per window by its days."""

from billing import days
from billing.days import DayCount
from billing.outcome import Blocked, Evidence, Fact, Line, Verdict
from billing.pack import Code
from billing.reasons import Reason, days_below
from billing.record import Episode
from billing.rules.ladder import joined, present
from billing.scope import Scope


def judge(scope: Scope) -> Verdict:
    """Judge set-up and supply of one monitoring programme."""
    episode = scope.case.episode_of(scope.family.program, scope.period.last)
    system = _system(scope, episode)
    codes = scope.pack.of(scope.family.name, system=system)
    if scope.zone is None or scope.span is None:
        return Verdict(blocked=_refused(scope, codes))
    counted = days.count(
        scope.case,
        scope.parameters,
        program=scope.family.program,
        window=scope.span,
        zone=scope.zone,
    )
    facts = _facts(scope, counted)
    if scope.refusal is not None:
        return Verdict(blocked=_refused(scope, codes), facts=facts)
    setup = _setup(scope, counted, episode)
    return joined(setup, _supply(scope, counted, system), Verdict(facts=facts))


def _system(scope: Scope, episode: Episode | None) -> str:
    return scope.case.rtm_system(episode) if scope.family.program == "RTM" else ""


def _refused(scope: Scope, codes: tuple[Code, ...]) -> tuple[Blocked, ...]:
    return () if scope.refusal is None else scope.all_blocked(codes, scope.refusal)


def _facts(scope: Scope, counted: DayCount) -> dict[str, Fact]:
    own: dict[str, Fact] = {
        "transmission_days": counted.total,
        "excluded_readings": counted.left_out,
    }
    program = scope.family.program.lower()
    return own | {f"{program}_{name}": value for name, value in own.items()}


def _setup(scope: Scope, counted: DayCount, episode: Episode | None) -> Verdict:
    code = scope.code("setup")
    if code is None:
        return Verdict()
    need = scope.parameters.setup_min_days
    if _already_billed(scope, code, episode):
        return Verdict(blocked=(scope.blocked(code, Reason.SETUP_ALREADY_BILLED_THIS_EPISODE),))
    if episode is None or episode.education_on is None or not _educated(scope, episode):
        return Verdict(blocked=(scope.blocked(code, Reason.SETUP_NO_EDUCATION_RECORDED),))
    met_at = counted.reached_at(max(need, 1))
    if met_at is None:
        row = scope.blocked(code, Reason.SETUP_DAYS_BELOW_MIN, counted.total, need)
        return Verdict(blocked=(row,))
    on = max(episode.education_on, met_at.astimezone(scope.clock).date())
    evidence = Evidence(readings=counted.reading_ids, education=episode.education_id)
    return Verdict(lines=(scope.line(code, met_at=met_at, on=on, evidence=evidence),))


def _educated(scope: Scope, episode: Episode) -> bool:
    return episode.education_on is not None and episode.education_on <= scope.period.last


def _already_billed(scope: Scope, code: Code, episode: Episode | None) -> bool:
    if episode is None:
        return False
    start = episode.monitoring_start
    return episode.setup_already_billed or any(
        claim.own and claim.code == code.code and (start is None or claim.last >= start)
        for claim in scope.case.claims
    )


def _supply(scope: Scope, counted: DayCount, system: str) -> Verdict:
    low, high = scope.code("low", system), scope.code("high", system)
    if scope.open:
        rows = [
            scope.blocked(code, Reason.PERIOD_NOT_COMPLETE, counted.total, need)
            for code, need in ((low, _floor(scope)), (high, scope.parameters.high_tier[0]))
            if code is not None
        ]
        return Verdict(blocked=tuple(rows))
    if counted.total >= scope.parameters.high_tier[0]:
        replaced = tuple(
            scope.blocked(code, Reason.TIER_REPLACED_BY_HIGHER) for code in present(low)
        )
        lines = tuple(
            _line(scope, counted, code, scope.parameters.high_tier[0]) for code in present(high)
        )
        return Verdict(lines=lines, blocked=replaced)
    return joined(_low(scope, counted, low), _below_high(scope, counted, high))


def _low(scope: Scope, counted: DayCount, code: Code | None) -> Verdict:
    if code is None:
        return Verdict()
    if scope.parameters.low_tier is None:
        return Verdict(blocked=(scope.blocked(code, Reason.NOT_COVERED_BY_PAYER),))
    need = _floor(scope)
    if counted.total >= need:
        return Verdict(lines=(_line(scope, counted, code, need),))
    return Verdict(blocked=(scope.blocked(code, days_below(need), counted.total, need),))


def _below_high(scope: Scope, counted: DayCount, code: Code | None) -> Verdict:
    need = scope.parameters.high_tier[0]
    rows = [scope.blocked(c, days_below(need), counted.total, need) for c in present(code)]
    return Verdict(blocked=tuple(rows))


def _floor(scope: Scope) -> int:
    tier = scope.parameters.low_tier
    return scope.parameters.high_tier[0] if tier is None else tier[0]


def _line(scope: Scope, counted: DayCount, code: Code, threshold: int) -> Line:
    evidence = Evidence(readings=counted.reading_ids)
    return scope.line(code, met_at=counted.reached_at(threshold), evidence=evidence)
