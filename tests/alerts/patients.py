"""Subjects and readings for the pure tests, and the engine run over them."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts import applicability, catalogue, evaluation
from alerts.evaluation import Decided, Gathered
from alerts.policy import Alert
from alerts.rules import Metric
from alerts.samples import Enrolment, Sample, Subject
from care.calendar import OfficeHours

NOON = datetime(2026, 9, 15, 18, tzinfo=UTC)
"""Tuesday noon in Denver."""
DENVER = ZoneInfo("America/Denver")
HOURS = OfficeHours(zone=DENVER)
ORGANISATION = UUID(int=1)
_ids = itertools.count(1)


def ids() -> UUID:
    """Return ids in order."""
    return UUID(int=next(_ids))


def subject(
    *profiles: str,
    age: int = 60,
    conditions: Sequence[str] = (),
    traits: Sequence[str] = (),
    programme: str = "pcmh",
    enrolled: datetime = NOON - timedelta(days=60),
    baseline: float | None = None,
) -> Subject:
    """A patient in Denver."""
    return Subject(
        id=UUID(int=7),
        organisation_id=ORGANISATION,
        zone=DENVER,
        birth_date=date(2026 - age, 1, 1),
        conditions=frozenset(conditions),
        traits=frozenset(traits),
        enrolments=(Enrolment(programme=programme, profiles=profiles, enrolled_at=enrolled),),
        baselines={Metric.WEIGHT: baseline} if baseline else {},
    )


def sample(
    metric: Metric,
    value: float,
    at: datetime = NOON,
    *,
    dia: float | None = None,
    flags: Sequence[str] = (),
    flagged: bool = False,
    received: datetime | None = None,
    item: str = "",
    questionnaire: str = "",
) -> Sample:
    """One reading."""
    return Sample(
        id=ids(),
        metric=metric,
        at=at,
        received_at=received or at,
        value=value,
        dia=dia,
        flags=frozenset(flags),
        flagged=flagged,
        item=item,
        questionnaire=questionnaire,
    )


def bp(sys: float, dia: float = 75, at: datetime = NOON, **more: bool) -> Sample:
    """One blood pressure."""
    return sample(Metric.BP, sys, at, dia=dia, **more)


def before(minutes: float = 0, *, hours: float = 0, days: float = 0) -> datetime:
    """A moment before noon."""
    return NOON - timedelta(minutes=minutes, hours=hours, days=days)


def after(minutes: float = 0, *, hours: float = 0, days: float = 0) -> datetime:
    """A moment after noon."""
    return NOON + timedelta(minutes=minutes, hours=hours, days=days)


def decide(
    who: Subject,
    samples: Sequence[Sample],
    *,
    now: datetime | None = None,
    pending: Sequence[Sample] | None = None,
    opened: Sequence[Alert] = (),
    closed: Sequence[Alert] = (),
    held: Sequence[tuple[datetime, datetime | None]] = (),
) -> Decided:
    """Judge the readings (all of them, unless `pending` names some) with the product's rules."""
    moment = now or max(each.at for each in samples)
    rules = applicability.in_force(catalogue.product(), (), who, moment)
    waiting = samples if pending is None else pending
    gathered = Gathered(
        subject=who,
        rules=rules,
        samples=tuple(samples),
        pending=frozenset(each.id for each in waiting),
        open={each.rule_id: each for each in opened},
        closed={each.rule_id: each for each in closed},
        held=tuple(held),
        hours=HOURS,
    )
    return evaluation.evaluate(gathered, now=moment, new_id=ids)


def fired(decided: Decided) -> dict[str, int]:
    """Rule -> severity of every alert."""
    return {each.rule_id: int(each.severity) for each in decided.alerts}
