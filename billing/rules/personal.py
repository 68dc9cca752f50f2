"""The practitioner's own minutes and the clinical staff's minutes, counted apart."""

from collections.abc import Callable

from billing.ledger import Tally
from billing.outcome import Fact, Verdict
from billing.rules.ladder import joined
from billing.scope import Scope

Rank = Callable[[Scope, Tally, Tally], Verdict]
"""Choose among the codes of the practitioner's minutes and of the staff's."""


def judged(scope: Scope, rank: Rank) -> Verdict:
    """Judge a care-management programme, unless something refuses it whole."""
    refusal, facts = scope.refusal, dict[str, Fact]()
    if scope.zone is not None:
        personal, staff, facts = _personal_and_staff(scope)
        if refusal is None:
            return joined(rank(scope, personal, staff), Verdict(facts=facts))
    codes = scope.pack.of(scope.family.name)
    return Verdict(blocked=scope.all_blocked(codes, refusal) if refusal else (), facts=facts)


def _personal_and_staff(scope: Scope) -> tuple[Tally, Tally, dict[str, Fact]]:
    """Return both tallies of a care-management programme and their facts."""
    qhp = scope.parameters.qhp_roles
    everyone = scope.tally(scope.parameters.clinical_roles | qhp)
    personal = everyone.only(lambda entry: entry.role in qhp)
    staff = everyone.only(lambda entry: _staff(scope, entry.role))
    name = scope.family.name
    facts: dict[str, Fact] = {
        f"{name}_minutes": everyone.minutes,
        f"{name}_qhp_minutes": personal.minutes,
        f"{name}_staff_minutes": staff.minutes,
        f"{name}_excluded_entries": everyone.left_out,
    }
    return personal, staff, facts


def _staff(scope: Scope, role: str) -> bool:
    if role not in scope.parameters.clinical_roles:
        return False
    return scope.parameters.qhp_minutes_count_as_staff or role not in scope.parameters.qhp_roles
