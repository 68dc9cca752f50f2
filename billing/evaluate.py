"""One case against one pack: every code asked for is billed or has one reason. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from billing import exclusions, gates, overlay, periods, remarks, windows
from billing import pack as packs
from billing.outcome import Blocked, Evaluation, Fact, Line, Verdict
from billing.pack import Family, Pack
from billing.reasons import Reason
from billing.record import Case
from billing.rules import (
    apcm,
    assessment,
    auxiliary,
    behavioural,
    ccm,
    device,
    management,
    pcm,
    professional,
    tcm,
)
from billing.scope import Scope

Row = TypeVar("Row", Line, Blocked)

RULES: dict[str, Callable[[Scope], Verdict]] = {
    "apcm": apcm.judge,
    "rpm_device": device.judge,
    "rpm_mgmt": management.judge,
    "99091": professional.judge,
    "rtm_device": device.judge,
    "rtm_mgmt": management.judge,
    "ccm": ccm.judge,
    "pcm": pcm.judge,
    "tcm": tcm.judge,
    "cocm": behavioural.judge_collaborative,
    "bhi": behavioural.judge_integration,
    "bhi_independent": behavioural.judge_independent,
    "apcm_behavioural": behavioural.judge_apcm_add_on,
    "chi": auxiliary.judge_chi,
    "pin": auxiliary.judge_pin,
    "assessment": assessment.judge,
}


def evaluate(case: Case, pack: Pack) -> Evaluation:
    """Judge every code of the families asked for."""
    rules = packs.adjusted(pack, case.parameters)
    asked = {rules.family(name).name for name in case.families}
    verdicts: list[Verdict] = []
    billed: set[str] = set()
    for family in rules.families:
        if family.name not in asked and not _taken_along(case, family):
            continue
        verdict = _judged(case, rules, family, frozenset(billed))
        if verdict.lines:
            billed.add(family.name)
        if family.name in asked:
            verdicts.append(verdict)
    return Evaluation(
        pack=rules.id,
        version=rules.version,
        digest=rules.digest,
        lines=_in_order(rules, (line for verdict in verdicts for line in verdict.lines)),
        not_billable=_in_order(rules, (row for verdict in verdicts for row in verdict.blocked)),
        facts=_facts(verdicts),
        remarks=remarks.of(case),
    )


def evaluate_in_force(case: Case, known: tuple[Pack, ...] | None = None) -> tuple[Evaluation, ...]:
    """Judge each family by the pack, and the payer's overlay, in force on its date of service."""
    groups: dict[str, list[str]] = {}
    rules: dict[str, Pack] = {}
    for name in case.families:
        pack = _pack_for(case, name, known)
        rules[pack.id] = pack
        groups.setdefault(pack.id, []).append(name)
    return tuple(
        evaluate(replace(case, families=tuple(names)), rules[identifier])
        for identifier, names in groups.items()
    )


def outlook(case: Case, pack: Pack) -> Evaluation:
    """Judge as if month and window were over and nothing more happened."""
    end = windows.month_of(periods.month_of(case)).last
    if case.window is not None:
        end = max(end, case.window[1])
    ahead = max(end - case.as_of.date(), timedelta()) + 2 * windows.DAY
    return evaluate(replace(case, as_of=case.as_of + ahead), pack)


def _pack_for(case: Case, name: str, known: tuple[Pack, ...] | None) -> Pack:
    month = periods.month_of(case)
    first = packs.in_force(month, known)
    span = periods.span_of(case, first, first.family(name))
    month_end = windows.month_of(month).last
    on = span.last if span and first.family(name).period == "window" else month_end
    return overlay.for_payer(packs.in_force(on, known), case.patient.payer, on)


def _taken_along(case: Case, family: Family) -> bool:
    return family.name == "apcm" and case.statements.apcm_chosen


def _judged(case: Case, pack: Pack, family: Family, billed: frozenset[str]) -> Verdict:
    span = periods.span_of(case, pack, family)
    zone = periods.zone_of(case, family, span)
    scope = Scope(case=case, pack=pack, family=family, span=span, zone=zone, billed=billed)
    refusal = gates.refusal(scope) or exclusions.refusal(scope)
    return _covered(RULES[family.name](replace(scope, refusal=refusal)), pack)


def _covered(verdict: Verdict, pack: Pack) -> Verdict:
    refused = [line for line in verdict.lines if line.code in pack.not_covered]
    rows = [
        Blocked(code=line.code, family=line.family, reason=Reason.NOT_COVERED_BY_PAYER)
        for line in refused
    ]
    kept = tuple(line for line in verdict.lines if line not in refused)
    return replace(verdict, lines=kept, blocked=(*verdict.blocked, *rows))


def _in_order(pack: Pack, rows: Iterable[Row]) -> tuple[Row, ...]:
    order = {code.code: index for index, code in enumerate(pack.codes)}
    return tuple(sorted(rows, key=lambda row: order[row.code]))


def _facts(verdicts: list[Verdict]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    capped: dict[str, int] = {}
    for verdict in verdicts:
        for name, value in verdict.facts.items():
            if name == "units_capped" and isinstance(value, dict):
                capped |= value
            else:
                facts.setdefault(name, value)
    return facts | ({"units_capped": capped} if capped else {})
