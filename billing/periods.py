"""Which period a family is judged over: a window, a month, or the days after a discharge."""

from datetime import date
from zoneinfo import ZoneInfo

from billing import days, windows
from billing.pack import Family, Pack, Parameters
from billing.record import Case
from billing.windows import DAY, Window


def zone_of(case: Case, family: Family, span: Window | None) -> ZoneInfo | None:
    """Return a family's zone: days count where the patient is, minutes where the practice is."""
    if "patient_zone" in family.needs:
        return case.zone_on(span.first) if span else case.patient.zone
    return case.organisation_zone


def span_of(case: Case, pack: Pack, family: Family) -> Window | None:
    """Return the period, or nothing when no window ends in the month."""
    if family.period == "discharge":
        return _after_discharge(case, pack.parameters)
    if family.period == "month":
        return windows.month_of(month_of(case))
    if case.window is not None:
        return Window(first=case.window[0], last=case.window[1])
    return _anchored(case, pack.parameters, family)


def month_of(case: Case) -> date:
    """Return the first day of the month that is billed."""
    if case.month is not None:
        return case.month
    if case.window is not None:
        return case.window[1].replace(day=1)
    zone = case.organisation_zone
    today = case.as_of.astimezone(zone) if zone else case.as_of
    return today.date().replace(day=1)


def anchor_of(case: Case, parameters: Parameters, program: str, zone: ZoneInfo) -> date | None:
    """Return the date from which the windows of an episode run."""
    today = case.as_of.astimezone(zone).date()
    episode = case.episode_of(program, today)
    start = None if episode is None else episode.monitoring_start
    if start is None or parameters.window_anchor == "setup_date":
        return start
    since = Window(first=start, last=today)
    return days.first(case, parameters, program=program, window=since, zone=zone)


def _after_discharge(case: Case, parameters: Parameters) -> Window | None:
    if case.discharge is None:
        return None
    first = case.discharge.on
    return Window(first=first, last=first + (parameters.tcm_period_days - 1) * DAY)


def _anchored(case: Case, parameters: Parameters, family: Family) -> Window | None:
    month = month_of(case)
    if parameters.window_anchor == "calendar_month":
        return windows.month_of(month)
    zone = case.zone_on(month) or case.organisation_zone
    if zone is None:
        return None
    anchor = anchor_of(case, parameters, family.program, zone)
    if anchor is None:
        return None
    return windows.ending_in(anchor, parameters.device_window_days, month)
