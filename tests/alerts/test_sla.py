"""By when somebody must respond; programmes may ask for less."""

from datetime import datetime, timedelta

import pytest

from alerts import sla
from alerts.severity import Severity
from tests.alerts.conftest import Clinic
from tests.alerts.patients import HOURS, NOON


@pytest.mark.parametrize(
    ("severity", "within"),
    [
        (Severity.CRITICAL, timedelta(minutes=5)),
        (Severity.HIGH, timedelta(hours=1)),
        (Severity.MEDIUM, timedelta(hours=29)),
        (Severity.LOW, timedelta(days=7)),
    ],
)
def test_each_severity_has_its_time_and_a_factor_shortens_it(
    severity: Severity, within: timedelta
) -> None:
    assert sla.due_at(severity, NOON, HOURS) == NOON + within
    assert sla.due_at(severity, NOON, HOURS, factor=0.5) == NOON + within / 2


@pytest.mark.parametrize(("programme", "minutes"), [("pcmh", 60), ("cti", 30)])
async def test_a_programme_halves_the_time_to_respond(
    clinic: Clinic, noon: datetime, programme: str, minutes: int
) -> None:
    patient = clinic.patient("adult_dm", programme=programme)
    clinic.reading(patient, "glucose", 65, noon)
    await clinic.judge()
    due = noon + timedelta(minutes=minutes)
    shown = "select severity, due_at from"
    assert clinic.ask(f"{shown} alert") == clinic.ask(f"{shown} episode") == [(2, due)]
    clinic.reading(patient, "glucose", 64, noon + timedelta(minutes=9))
    await clinic.judge(noon + timedelta(minutes=9))
    assert clinic.ask(f"{shown} alert") == [(2, due)]
    clinic.reading(patient, "glucose", 50, noon + timedelta(minutes=10))
    await clinic.judge(noon + timedelta(minutes=10))
    worse = noon + timedelta(minutes=10 + minutes / 12)
    assert clinic.ask("select min(due_at) from alert") == [(worse,)]
