"""How the alarm system serves: the numbers of a known week, and what Prometheus is shown."""

import math
from datetime import datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from alerts import gauges, measuring, process, queue
from alerts.closing import Action, ClosingForm, Contact
from alerts.severity import Severity
from tests.alerts.conftest import Clinic

CALLED = (Contact(mode="audio", who="patient", result="reached"),)


async def a_week(clinic: Clinic, noon: datetime) -> datetime:
    """Three critical lines, answered after 1, 9 and no minutes; one of two closed was useful."""
    patients = [clinic.patient("adult_dm") for _ in range(3)]
    for patient in patients:
        clinic.reading(patient, "glucose", 50, noon)
    await clinic.judge(noon)
    clinic.reading(patients[0], "glucose", 49, noon + timedelta(minutes=1))
    await clinic.judge(noon + timedelta(minutes=1))
    nurse = clinic.staff("ann")
    async with await process.connect(clinic.worker_dsn) as connection:
        for patient, minutes, action in (
            (patients[0], 1, Action.EDUCATION),
            (patients[1], 9, Action.NONE),
        ):
            at = noon + timedelta(minutes=minutes)
            line = clinic.episode(patient)
            form = ClosingForm(action=action, note="called", contacts=CALLED)
            async with connection.transaction():
                await queue.claim(connection, line, nurse, now=at)
                await queue.resolve(connection, line, nurse, form, now=at + timedelta(minutes=30))
    return noon + timedelta(hours=1)


async def test_the_measures_of_a_known_week(clinic: Clinic, noon: datetime) -> None:
    now = await a_week(clinic, noon)
    found = measuring.measure(clinic.connection, clinic.organisation, now=now, days=7)
    (row,) = found.by_severity
    assert (row.severity, row.episodes, row.missed) == (Severity.CRITICAL, 3, 2)
    assert (row.answered_p50, row.answered_p90) == (5.0, pytest.approx(8.2))
    assert row.repeats > 0
    both = 2  # each line has the critical and the high rule of a low glucose
    assert (found.closed, found.with_action, found.useful_share) == (2 * both, both, 0.5)
    assert found.per_nurse_hour == 2 * both
    assert found.per_patient_week == both
    assert (found.unowned, found.raised) == (1, 3 * both)
    assert found.by_rule["glu_level2_hypo"] == (2, 1)


async def test_another_organisation_and_an_older_week_are_not_counted(
    clinic: Clinic, noon: datetime
) -> None:
    now = await a_week(clinic, noon)
    other = clinic.one(
        "insert into organisation (name, time_zone) values ('Other', 'UTC') returning id"
    )
    assert measuring.measure(clinic.connection, other, now=now).raised == 0
    whole = measuring.measure(clinic.connection, None, now=now)
    assert whole == measuring.measure(clinic.connection, clinic.organisation, now=now)
    late = now + timedelta(days=31)
    assert measuring.measure(clinic.connection, None, now=late).by_severity == ()


async def test_prometheus_is_shown_them_by_whoever_leads(clinic: Clinic, noon: datetime) -> None:
    now = await a_week(clinic, noon)
    clinic.run("select settle_tally()")
    async with await process.connect(clinic.worker_dsn) as connection:
        await gauges.refresh(connection, now=now)
    critical = {"severity": "critical"}
    shown = REGISTRY.get_sample_value
    assert shown("tidings_alerts_open", {**critical, "technical": "false"}) == 1
    assert shown("tidings_alerts_answer_seconds", {**critical, "quantile": "0.5"}) == 300
    assert shown("tidings_alerts_missed", critical) == 2
    assert shown("tidings_alerts_raised", critical) == 3
    assert shown("tidings_alerts_useful_share") == 0.5
    assert shown("tidings_alerts_unowned") == 1
    gauges.forget()
    assert shown("tidings_alerts_open", {**critical, "technical": "false"}) is None
    assert math.isnan(shown("tidings_alerts_unowned") or 0.0)
