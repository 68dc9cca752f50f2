"""What a family's rules look at: the case, the pack, the period, and what was billed before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from billing import agreement, ledger, windows
from billing.ledger import Question, Tally
from billing.outcome import Blocked, Evidence, Line
from billing.pack import Code, Family, Pack, Parameters
from billing.record import Case, Consent, Order
from billing.windows import Window

SOMEWHERE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no code of a family can be billed."""

    reason: str
    have: int | None = None
    need: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One family's question; `zone` is missing when nobody recorded it."""

    case: Case
    pack: Pack
    family: Family
    span: Window | None
    zone: ZoneInfo | None
    billed: frozenset[str] = frozenset()
    refusal: Refusal | None = None

    @property
    def parameters(self) -> Parameters:
        """Return the pack's parameters."""
        return self.pack.parameters

    @property
    def period(self) -> Window:
        """Return the period; families that need one are refused without it."""
        today = self.case.as_of.astimezone(self.clock).date()
        return self.span or Window(first=today, last=today)

    @property
    def clock(self) -> ZoneInfo:
        """Return the zone in which dates are told."""
        return self.zone or SOMEWHERE

    @property
    def open(self) -> bool:
        """Tell whether the period still runs."""
        return not windows.closed(self.period, self.clock, self.case.as_of)

    @property
    def consents(self) -> tuple[Consent, ...]:
        """Return the consents that hold in the period."""
        months = dict(self.parameters.consent_valid_months).get(self.family.program, 0)
        return agreement.consents_for(
            self.case.consents, self.family.program, self.period, self.clock, months
        )

    @property
    def orders(self) -> tuple[Order, ...]:
        """Return the orders in force in the period."""
        return agreement.orders_for(self.case.orders, self.family.program, self.period, self.clock)

    def code(self, part: str, system: str = "") -> Code | None:
        """Return the family's code that plays a part in this pack."""
        return self.pack.one(self.family.name, part, system)

    def tally(self, roles: Iterable[str], not_before: date | None = None) -> Tally:
        """Return the time that counts for the family's programme in the period."""
        question = Question(
            program=self.family.program,
            roles=frozenset(roles),
            span=self.period,
            zone=self.clock,
            not_before=not_before,
        )
        return ledger.tally(self.case, self.parameters, question)

    def blocked(
        self, code: Code, reason: str, have: int | None = None, need: int | None = None
    ) -> Blocked:
        """Return the code as not billable."""
        return Blocked(code=code.code, family=self.family.name, reason=reason, have=have, need=need)

    def all_blocked(self, codes: Iterable[Code], refusal: Refusal) -> tuple[Blocked, ...]:
        """Return every code as not billable for one reason."""
        return tuple(self.blocked(c, refusal.reason, refusal.have, refusal.need) for c in codes)

    def line(
        self,
        code: Code,
        units: int = 1,
        *,
        met_at: datetime | None = None,
        on: date | None = None,
        evidence: Evidence | None = None,
    ) -> Line:
        """Return the code as billable, with the consents and orders of the period added."""
        return Line(
            code=code.code,
            units=units,
            family=self.family.name,
            service_from=self.period.first,
            service_to=self.period.last,
            date_of_service=on or self._service_date(met_at),
            threshold_met_at=None if met_at is None else met_at.astimezone(UTC),
            evidence=self.with_papers(evidence or Evidence()),
        )

    def with_papers(self, evidence: Evidence) -> Evidence:
        """Return evidence completed by the consents and orders of the period."""
        return Evidence(
            readings=evidence.readings,
            entries=evidence.entries,
            limiting=evidence.limiting,
            consents=tuple(consent.id for consent in self.consents),
            orders=tuple(order.id for order in self.orders),
            education=evidence.education,
            statements=evidence.statements,
        )

    def _service_date(self, met_at: datetime | None) -> date:
        by_threshold = self.parameters.minutes_service_date == "threshold_met"
        if met_at is not None and by_threshold and self.family.period == "month":
            return met_at.astimezone(self.clock).date()
        return self.period.last
