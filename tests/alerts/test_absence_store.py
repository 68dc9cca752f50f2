"""Measurements that were ordered and did not come, on a real database, as the days go by."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from alerts import escalation, process, scheduler
from tests.alerts.conftest import Clinic

POLICY = escalation.product_policy()


def ordered(clinic: Clinic, patient: UUID, kind: str, now: datetime) -> None:
    clinic.run(
        "insert into measurement_schedule (organisation_id, patient_id, kind, from_on)"
        " values (%s, %s, %s, %s)",
        clinic.organisation,
        patient,
        kind,
        date(2026, 8, 1),
    )
    assert now


async def days_pass(clinic: Clinic, start: datetime, days: int) -> None:
    async with await process.connect(clinic.worker_dsn) as connection:
        for day in range(days):
            now = start + timedelta(days=day)
            await scheduler.tick(connection, POLICY, now=now)
            await scheduler.tick(connection, POLICY, now=now + timedelta(hours=1))


async def test_missed_measurements_are_nudged_then_become_outreach(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("adult_htn")
    ordered(clinic, patient, "blood_pressure", noon)
    clinic.bp(patient, 120, 80, noon, queue=False)
    await days_pass(clinic, noon, 5)
    nudges = clinic.ask("select rule_id, channel from patient_nudge order by for_on")
    assert nudges == [("missing_daily", "portal"), ("missing_2", "sms")]
    assert clinic.ask("select rule_id, severity, kind, headline, why from alert") == [
        (
            "missing_3",
            3,
            "adherence",
            "No blood pressure for 3 days",
            "No blood pressure reading on 3 ordered days in a row; last reading 15 Sep",
        )
    ]
    assert clinic.one("select queue from episode") == "ma_outreach"


async def test_a_heart_failure_patient_who_misses_two_mornings_goes_to_the_nurse(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("hf", conditions=("heart_failure",), programme="aco")
    ordered(clinic, patient, "weight", noon)
    clinic.reading(patient, "weight", 80, noon, queue=False)
    await days_pass(clinic, noon, 4)
    assert clinic.ask("select rule_id, severity from alert") == [("missing_hf_2", 3)]
    assert clinic.one("select queue from episode") == "rn_triage"
    clinic.reading(patient, "weight", 80, noon + timedelta(days=4))
    await clinic.judge(noon + timedelta(days=4))
    assert clinic.ask("select severity, state, closed_at from alert") == [(4, "downgraded", None)]


@pytest.mark.parametrize("state", ["inpatient", "travel_hold"])
async def test_no_absence_while_the_patient_is_away(
    clinic: Clinic, noon: datetime, state: str
) -> None:
    patient = clinic.patient("adult_htn")
    ordered(clinic, patient, "blood_pressure", noon)
    clinic.run(
        "insert into patient_hold (organisation_id, patient_id, state, from_at) values"
        " (%s, %s, %s, %s)",
        clinic.organisation,
        patient,
        state,
        noon - timedelta(days=2),
    )
    await days_pass(clinic, noon, 5)
    assert clinic.one("select count(*) from alert") == 0


async def test_a_silent_gateway_is_the_work_item_and_not_the_patient(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("adult_htn")
    ordered(clinic, patient, "blood_pressure", noon)
    clinic.run(
        "insert into gateway (id, organisation_id, site, last_seen_at, state)"
        " values ('g', %s, 's', %s, 'offline')",
        clinic.organisation,
        noon - timedelta(hours=3),
    )
    clinic.run(
        "insert into device (id, organisation_id, gateway_id, battery) values ('d', %s, 'g', 4)",
        clinic.organisation,
    )
    clinic.run(
        "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
        " values (%s, 'd', %s, %s)",
        clinic.organisation,
        patient,
        noon - timedelta(days=9),
    )
    await days_pass(clinic, noon, 4)
    shown = "select rule_id, severity, technical from alert where closed_at is null order by 1"
    assert clinic.ask(shown) == [("dev_battery", 3, True), ("gw_offline", 3, True)]
    lines = clinic.ask("select technical, queue, alert_count from episode where closed_at is null")
    assert lines == [(True, "tech", 2)]
    back = noon + timedelta(days=4)
    clinic.run("update gateway set last_seen_at = %s, state = 'online'", back)
    clinic.run("update device set battery = 90")
    async with await process.connect(clinic.worker_dsn) as connection:
        await scheduler.tick(connection, POLICY, now=back)
    assert clinic.one("select count(*) from alert where technical and closed_at is null") == 0
    assert clinic.one("select count(*) from episode where technical and closed_at is null") == 0


async def test_too_few_days_for_the_device_window_is_one_line_for_outreach(
    clinic: Clinic, noon: datetime
) -> None:
    patient = clinic.patient("adult_htn")
    ordered(clinic, patient, "blood_pressure", noon)
    for day in (0, 1, 2):
        clinic.bp(patient, 120, 80, noon + timedelta(days=day), queue=False)
    await days_pass(clinic, noon, 17)
    raised = "select rule_id, severity from alert where rule_id = 'billing_days_risk'"
    assert clinic.ask(raised) == []
    await days_pass(clinic, noon + timedelta(days=17), 3)
    assert clinic.ask(f"{raised} and route = 'outreach'") == [("billing_days_risk", 4)]
    assert clinic.one("select why from alert where rule_id = 'billing_days_risk'") == (
        "Days with a reading in this 30-day window can reach 15: 16 are out of reach"
    )
    clinic.run("update alert set closed_at = %s where closed_at is null", noon)
    await days_pass(clinic, noon + timedelta(days=20), 10)
    assert len(clinic.ask(raised)) == 1
    await days_pass(clinic, noon + timedelta(days=44), 4)
    assert len(clinic.ask(raised)) == 2
