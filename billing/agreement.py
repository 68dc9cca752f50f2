"""Consent: whether the patient had agreed to a programme at a time, and was still agreed."""

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.record import Consent, Order
from billing.windows import Window


class Agreement(StrEnum):
    """The state of consent at one moment."""

    GIVEN = "given"
    NOT_YET = "not yet"
    WITHDRAWN = "withdrawn"


Given = tuple[date, datetime | None]


def given(consents: tuple[Consent, ...], program: str, zone: ZoneInfo) -> tuple[Given, ...]:
    """Return a programme's consents as the local date of each and its withdrawal, if any."""
    return tuple(
        (consent.at.astimezone(zone).date(), consent.withdrawn_at)
        for consent in consents
        if consent.program == program and consent.valid
    )


def on(consents: tuple[Given, ...], at: datetime, day: date) -> Agreement:
    """Return the state; the whole day of the consent counts, a withdrawal is to the minute."""
    state = Agreement.NOT_YET
    for since, withdrawn in consents:
        if since <= day:
            if withdrawn is None or at < withdrawn:
                return Agreement.GIVEN
            state = Agreement.WITHDRAWN
    return state


def consents_for(
    consents: tuple[Consent, ...], program: str, span: Window, zone: ZoneInfo, valid_months: int
) -> tuple[Consent, ...]:
    """Return the consents that hold on some day of a period, oldest first."""
    holding = [
        consent
        for consent in consents
        if consent.program == program and _holds(consent, span, zone, valid_months)
    ]
    return tuple(sorted(holding, key=lambda consent: (consent.at, consent.id)))


def _holds(consent: Consent, span: Window, zone: ZoneInfo, valid_months: int) -> bool:
    given = consent.at.astimezone(zone).date()
    withdrawn = consent.withdrawn_at
    if not consent.valid or given > span.last:
        return False
    if withdrawn is not None and withdrawn.astimezone(zone).date() < span.first:
        return False
    return not valid_months or _months_later(given, valid_months) >= span.first


def orders_for(
    orders: tuple[Order, ...], program: str, span: Window, zone: ZoneInfo
) -> tuple[Order, ...]:
    """Return the orders in force on some day of a period, oldest first."""
    holding = [
        order
        for order in orders
        if order.program == program
        and order.at.astimezone(zone).date() <= span.last
        and (order.ended_at is None or order.ended_at.astimezone(zone).date() >= span.first)
    ]
    return tuple(sorted(holding, key=lambda order: (order.at, order.id)))


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))
