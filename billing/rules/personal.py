"""The practitioner's own minutes and the clinical staff's minutes, counted apart."""

from billing.ledger import Tally
from billing.outcome import Fact
from billing.scope import Scope


def personal_and_staff(scope: Scope) -> tuple[Tally, Tally, dict[str, Fact]]:
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
