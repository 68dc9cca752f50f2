"""What is written when readings are judged, on a real database."""

import dataclasses
from datetime import datetime, timedelta

import psycopg

from alerts import catalogue, process, urgency, worker
from tests.alerts.conftest import Clinic
from tests.conftest import Database

TWICE = (
    "Blood pressure 183/111 and 186/112 mmHg within 30 minutes; limit 180 systolic or 120 diastolic"
)


async def test_a_confirmed_breach_is_one_alert_in_one_line(clinic: Clinic, noon: datetime) -> None:
    patient = clinic.patient("adult_htn")
    clinic.bp(patient, 183, 111, noon - timedelta(minutes=6))
    clinic.bp(patient, 186, 112, noon)
    await clinic.judge()
    assert clinic.alerts(patient) == [
        (
            "bp_severe",
            2,
            "BP 186/112",
            TWICE,
        )
    ]
    assert clinic.ask(
        "select severity, headline, alert_count, queue, sparkline, version, due_at from episode"
        " where patient_id = %s",
        patient,
    ) == [(2, "BP 186/112", 1, "rn_triage", [183.0, 186.0], 1, noon + timedelta(hours=1))]
    assert clinic.one("select count(*) from to_evaluate") == 0


async def test_the_line_says_why_in_the_clinicians_words(clinic: Clinic, noon: datetime) -> None:
    patient = clinic.patient("hf", conditions=("heart_failure",))
    clinic.reading(patient, "weight", 82.5, noon - timedelta(days=1))
    clinic.reading(patient, "weight", 84.1, noon)
    await clinic.judge()
    found = {row[0]: row for row in clinic.alerts(patient)}
    assert found["wt_1d"][2:] == (
        "+3.5 lb in 1 day",
        "Weight 185.4 lb, 3.5 lb above yesterday's first reading; limit 3 lb",
    )
    assert found["wt_1d"][1] == 2
    assert found["wt_1d_soft"][1] == 3
    assert clinic.one("select alert_count from episode where patient_id = %s", patient) == 2


async def test_the_same_reading_twice_changes_nothing(clinic: Clinic, noon: datetime) -> None:
    patient = clinic.patient("adult_dm")
    id_ = clinic.reading(patient, "glucose", 50, noon)
    await clinic.judge()
    before = clinic.ask("select id, version, alert_count from episode")
    clinic.enqueue(patient, id_, "glucose", noon, noon)
    await clinic.judge()
    assert clinic.ask("select id, version, alert_count from episode") == before
    assert clinic.one("select count(*) from alert_event") == 2


async def test_a_patient_without_rules_is_a_visible_warning(clinic: Clinic, noon: datetime) -> None:
    patient = clinic.patient("paediatric_none")
    clinic.bp(patient, 190, 120, noon)
    await clinic.judge()
    await clinic.judge()
    assert clinic.ask("select technical, severity, queue, headline, alert_count from episode") == [
        (True, 3, "configuration", "No alert rules", 1)
    ]
    clinic.run("update enrolment set profiles = '{adult_htn}'")
    clinic.bp(patient, 120, 80, noon)
    await clinic.judge()
    assert clinic.one("select count(*) from episode where closed_at is null") == 0
    assert clinic.ask("select action from alert_event order by id") == [("open",), ("close",)]


async def test_browsers_are_told_ids_only(clinic: Clinic, noon: datetime, db: Database) -> None:
    patient = clinic.patient("adult_dm")
    with psycopg.connect(db.dsn, autocommit=True) as ears:
        ears.execute("listen tidings_worklist")
        clinic.reading(patient, "glucose", 50, noon)
        await clinic.judge()
        notice = next(ears.notifies(timeout=5, stop_after=1))
    episode = clinic.episode(patient)
    assert notice.payload == (
        f'{{"episode":"{episode}","organisation":"{clinic.organisation}","severity":1,'
        f'"new":true,"version":1}}'
    )


async def test_a_reading_that_breaks_the_judge_is_parked_and_the_rest_go_on(
    clinic: Clinic, noon: datetime
) -> None:
    broken, sound = clinic.patient("adult_dm"), clinic.patient("adult_dm")
    clinic.run("update patient set birth_date = '0001-01-01' where id = %s", broken)
    clinic.run(
        "insert into rule_override (organisation_id, level, patient_id, rule_id, changes, reason,"
        " set_by, set_at, effective_from, expires_at, review_at) values (%s, 'patient', %s,"
        " 'glu_level1_hypo', '{\"nonsense\": 1}', 'x', %s, %s, %s, %s, %s)",
        clinic.organisation,
        broken,
        clinic.staff("doctor", "provider").staff_id,
        *[noon - timedelta(days=1)] * 2,
        *[noon + timedelta(days=9)] * 2,
    )
    clinic.reading(broken, "glucose", 50, noon)
    clinic.reading(sound, "glucose", 50, noon)
    await clinic.judge()
    assert [row[0] for row in clinic.alerts(sound)] == ["glu_level1_hypo", "glu_level2_hypo"]
    assert clinic.one("select error from evaluation_failure where patient_id = %s", broken)
    assert clinic.one("select count(*) from to_evaluate") == 0


async def test_under_load_a_value_that_could_be_critical_comes_first(
    clinic: Clinic, noon: datetime
) -> None:
    quiet = [clinic.patient("adult_dm") for _ in range(6)]
    for patient in quiet:
        clinic.reading(patient, "glucose", 110, noon)
    urgent = clinic.patient("adult_dm")
    clinic.reading(urgent, "glucose", 50, noon)
    backlog = worker.Backlog()
    two_at_a_time = dataclasses.replace(clinic.judging(), patients=2)
    async with await process.connect(clinic.worker_dsn) as connection:
        await worker.run_once(connection, two_at_a_time, backlog)
        assert clinic.alerts(urgent) == []
        done = await worker.run_once(connection, two_at_a_time, backlog)
        assert done.patients == 1
        assert len(clinic.alerts(urgent)) == 2
        await worker.drain(connection, two_at_a_time)
    assert clinic.one("select count(*) from to_evaluate") == 0


def test_the_limits_of_urgency_are_the_loosest_of_any_critical_rule() -> None:
    found = urgency.limits(catalogue.product())
    rows = {kind: values for kind, *values in zip(*found.values(), strict=True)}
    assert rows["blood_pressure"][:3] == [90, 160, 110]
    assert rows["glucose"][:2] == [54, 400]
    assert rows["spo2"][0] == 91
    assert rows["blood_pressure"][3:] == [40, 131]


def test_under_load_a_transaction_becomes_as_short_as_an_urgent_value_may_wait() -> None:
    backlog = worker.Backlog()
    assert backlog.bite == worker.ROWS
    backlog.paced(512, took_s=0.4)
    assert backlog.bite == 256
    backlog.paced(256, took_s=5.0)
    assert backlog.bite == worker.LEAST
    backlog.paced(128, took_s=0.001)
    assert backlog.bite == worker.ROWS
