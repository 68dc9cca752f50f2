"""A small clinic's October 2026 in real PostgreSQL: gathered, judged, locked."""

import hashlib
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg import OperationalError

from billing import closing, crew, evaluate, gather, jobs, store
from billing.crew import Crew
from billing.files import Format
from billing.jobs import Kind, Order
from billing.month import Refusal, RefusedError, State
from billing.store import Key
from deploy.demo.small import NOW, OCTOBER, PLANS, Small, build
from tests.billing.conftest import export, judge, lock

COMPLETE, NO_CONSENT, NO_ORDER, NO_VISIT = 0, 5, 6, 11


def codes(small: Small, number: int) -> set[str]:
    patient = small.patients[number]
    query = "select code from bill_line where patient_id = %s and current"
    return {code for (code,) in small.ask(query, patient)}


def row(small: Small, number: int) -> tuple[Any, ...]:
    query = "select blocked, near, ready, missing from billing_patient where patient_id = %s"
    return small.ask(query, small.patients[number])[0]


def test_every_patient_of_the_month_is_judged_with_a_clear_reason(small: Small) -> None:
    assert judge(small) == PLANS
    assert codes(small, COMPLETE) == {"99453", "99454", "99457"}
    assert codes(small, 3) == {"99453", "99454", "99457", "99458"}
    assert row(small, 1)[:3] == ("", "minutes", 3)
    assert row(small, 1)[3].endswith("more min for 99457")
    assert row(small, 2)[1] == "contact"
    assert row(small, NO_CONSENT)[0:4:3] == ("consent", "Consent not on file")
    assert row(small, NO_ORDER)[0:4:3] == ("order", "No order on file")
    assert row(small, NO_VISIT)[0] == "eligibility"
    assert all(codes(small, number) == set() for number in (NO_CONSENT, NO_ORDER, NO_VISIT))


def test_batches_of_any_size_give_the_same_month(small: Small) -> None:
    def gathered(batch: int) -> list[dict[str, object]]:
        found = gather.batches(small.worker, small.key.organisation, OCTOBER, now=NOW, batch=batch)
        return [one.raw for rows in found for one in rows]

    assert gathered(1) == gathered(5) == gathered(1000)
    assert gather.how_many(small.worker, small.key.organisation, OCTOBER) == PLANS


def test_two_processes_give_the_month_that_one_gives(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[tuple[Any, ...]]:
        lines = "select line_id, content, reading_ids, entry_ids from bill_line order by line_id"
        people = "select patient_id, codes, missing, facts from billing_patient order by patient_id"
        return small.ask(lines) + small.ask(people)

    judge(small)
    alone = found()
    monkeypatch.setattr(gather.shares, "__kwdefaults__", {"one": None, "batch": 5})
    pair, told = Crew(dsn=small.dsn, processes=2), list[tuple[int, int]]()
    judged = closing.evaluate_month(
        small.worker, small.key, by="test", now=NOW, crew=pair, progress=lambda *at: told.append(at)
    )
    assert (judged, told[-1]) == (PLANS, (PLANS, PLANS))
    assert len(told) > 2
    assert found() == alone
    assert closing.unproven(small.worker, small.key, now=NOW, crew=pair) == 0


def test_two_processes_write_the_file_that_one_writes(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(small)
    alone = export(small, Format.XLSX)
    monkeypatch.setattr(store, "BATCH", 5)
    pair = Crew(dsn=small.dsn, processes=2)
    assert export(small, Format.XLSX, pair) == alone
    sums = small.ask("select distinct sha256 from billing_export")
    assert sums == [(hashlib.sha256(alone).hexdigest(),)]


def test_whoever_leaves_the_month_leaves_no_line_in_it(small: Small) -> None:
    judge(small)
    stay = "select line_id from bill_line where patient_id <> %s order by line_id"
    gone, before = small.patients[COMPLETE], small.ask(stay, small.patients[COMPLETE])
    assert codes(small, COMPLETE)
    small.owner.execute("update patient set deceased_on = '2026-09-30' where id = %s", (gone,))
    assert judge(small, NOW + timedelta(hours=1)) == PLANS - 1
    assert codes(small, COMPLETE) == set()
    assert small.ask(stay, gone) == before


def test_a_share_that_fails_fails_the_whole_and_leaves_the_month_unevaluated(small: Small) -> None:
    elsewhere = Crew(dsn=f"{small.dsn} dbname=nowhere", processes=2)
    with pytest.raises(OperationalError, match="nowhere"):
        closing.evaluate_month(small.worker, small.key, by="test", now=NOW, crew=elsewhere)
    assert small.ask("select evaluated_at from billing_month") == [(None,)]


@pytest.mark.parametrize(("patients", "most"), [(0, 1), (999, 1), (1000, 2), (100_000, crew.MOST)])
def test_as_many_processes_as_the_patients_are_worth(patients: int, most: int) -> None:
    assert 1 <= crew.of("", patients).processes <= most


def test_a_devices_label_decides_whether_its_days_count(small: Small) -> None:
    device = small.ask(
        "select device_id from reading where patient_id = %s", small.patients[COMPLETE]
    )
    assert {"99454", "99445"} & codes_after(small)
    at = (device[0][0], small.key.organisation)
    small.owner.execute("insert into device (id, organisation_id) values (%s, %s)", at)
    small.owner.execute(
        "insert into device_assignment (device_id, organisation_id, patient_id, assigned_from)"
        " values (%s, %s, %s, '2026-09-01')",
        (*at, small.patients[COMPLETE]),
    )
    small.owner.execute(
        "insert into device_paper (device_id, organisation_id, fda_listed) values (%s, %s, false)",
        at,
    )
    assert not {"99453", "99454", "99445"} & codes_after(small)


def codes_after(small: Small) -> set[str]:
    judge(small)
    return codes(small, COMPLETE)


def test_a_physicians_own_review_is_judged_for_99091(small: Small) -> None:
    patient = small.patients[NO_ORDER + 1]
    small.owner.execute(
        "insert into staff (id, organisation_id, email, display_name, credential, role)"
        " values (%s, %s, 'md@a.invalid', 'Mia Dole', 'MD', 'provider')",
        (patient, small.key.organisation),
    )
    small.owner.execute("delete from time_entry where patient_id = %s", (patient,))
    small.owner.execute(
        "insert into time_entry (organisation_id, patient_id, staff_id, staff_role, programme,"
        " activity, started_at, ended_at, note, source) values (%s, %s, %s, 'provider', 'rpm',"
        " 'review', '2026-10-08 15:00Z', '2026-10-08 15:31Z', 'Read the month', 'timer')",
        (small.key.organisation, patient, patient),
    )
    judge(small)
    found = small.ask("select content from bill_line where code = '99091'")
    assert [row[0]["patient_id"] for row in found] == [str(patient)]


def test_what_is_stated_as_a_fact_is_judged_and_remarked(small: Small) -> None:
    for name, value, on in (
        ("assessment", '"nutrition"', "2026-03-02"),
        ("assessment", '"physical_activity"', "2026-10-05"),
        ("surgical_global", '"2026-09-30"', "2026-07-01"),
        ("surgical_global", '"2026-12-20"', "2026-09-20"),
    ):
        small.owner.execute(
            "insert into care_fact (organisation_id, patient_id, name, value, on_date)"
            " values (%s, %s, %s, %s, %s)",
            (small.key.organisation, small.patients[COMPLETE], name, value, on),
        )
    patient, owner = small.patients[COMPLETE], small.key.organisation
    found = gather.patient(small.worker, owner, OCTOBER, patient, now=NOW)
    assert found is not None
    judged = evaluate.evaluate_in_force(found.case)
    lines = {line.code for each in judged for line in each.lines}
    remarks = {remark for each in judged for remark in each.remarks}
    assert lines == {"99453", "99454", "99457", "G0136"}
    assert [remark[:47] for remark in remarks if "surgical" in remark] == [
        "surgical global period 2026-09-20 to 2026-12-20"
    ]


def test_an_anchor_far_back_is_found_although_the_first_months_hold_no_day_that_counts(
    small: Small,
) -> None:
    patient = small.patients[COMPLETE]
    small.owner.execute(
        "update monitoring_episode set started_on = '2026-03-02' where patient_id = %s", (patient,)
    )
    found = gather.patient(small.worker, small.key.organisation, OCTOBER, patient, now=NOW)
    assert found is not None
    assert found.case.window == (date(2026, 10, 1), date(2026, 10, 30))


def test_a_patient_without_zone_and_without_anything_is_told_and_never_an_exception(
    small: Small,
) -> None:
    small.owner.execute(
        "update patient set time_zone = null where id = %s", (small.patients[COMPLETE],)
    )
    for query in (
        "delete from consent where patient_id = %s",
        "delete from clinical_order where patient_id = %s",
        "delete from monitoring_episode where patient_id = %s",
        "delete from visit where patient_id = %s",
        "delete from time_entry where patient_id = %s",
    ):
        small.owner.execute(query, (small.patients[1],))
    judge(small)
    assert codes(small, COMPLETE) == {"99457"}
    assert row(small, COMPLETE)[3] == "The patient has no time zone"
    assert row(small, 1)[0] == "eligibility"


def test_a_practice_without_a_known_zone_is_told_for_every_patient(small: Small) -> None:
    small.owner.execute("update organisation set time_zone = 'Nowhere/At_All'")
    judge(small)
    assert row(small, COMPLETE)[3] == "The practice has no time zone"
    assert not {"99457", "99470"} & codes(small, COMPLETE)


def test_the_same_minutes_logged_for_two_patients_count_for_neither(small: Small) -> None:
    query = (
        "insert into time_entry (organisation_id, patient_id, staff_id, staff_role, activity,"
        " interactive, mode, with_whom, started_at, ended_at, note, source) values (%s, %s, %s,"
        " 'nurse', 'live_contact', true, 'audio', 'patient', '2026-10-25 15:00+00',"
        " '2026-10-25 15:30+00', 'Spoke about the plan', 'manual')"
    )
    for number in (9, 10):
        values = small.key.organisation, small.patients[number], small.nurse
        small.owner.execute(query, values)
    judge(small)
    assert not {"99457", "99470"} & codes(small, 9)


def test_a_month_is_locked_only_when_signed_by_a_second_person(small: Small) -> None:
    judge(small)
    with pytest.raises(RefusedError, match="not in a state"):
        closing.lock(small.worker, small.key, by="staff:a", now=NOW)
    closing.review(small.worker, small.key, by="staff:a", now=NOW)
    with pytest.raises(RefusedError) as refused:
        closing.sign_off(small.worker, small.key, by="staff:a", now=NOW)
    assert refused.value.refusal is Refusal.SAME_PERSON
    closing.sign_off(small.worker, small.key, by="staff:b", now=NOW)
    after = closing.lock(small.worker, small.key, by="staff:b", now=NOW)
    assert after.state is State.LOCKED
    assert small.ask("select count(*) from bill_line where locked_at is null") == [(0,)]


def test_a_lock_reads_each_patient_once_a_line_however_old_the_statistics_are(
    small: Small,
) -> None:
    small.owner.execute("analyze bill_line, billing_patient")
    judge(small)
    wanted = small.key.fields | {"now": NOW}
    query = f"explain (analyze, format json) {gather.QUERIES['lock_lines']}"
    [(explained,)] = small.worker.execute(query.encode(), wanted).fetchall()
    scans = [node for node in nodes(explained[0]["Plan"]) if "billing_patient" in node.values()]
    [(lines,)] = small.ask("select count(*) from bill_line where locked_at is not null")
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) == lines > 0


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a plan and all below it."""
    return [plan, *(node for below in plan.get("Plans", ()) for node in nodes(below))]


def test_a_running_month_cannot_be_closed(small: Small) -> None:
    key = Key(organisation=small.key.organisation, first=date(2026, 11, 1))
    with pytest.raises(RefusedError) as refused:
        closing.review(small.worker, key, by="staff:a", now=NOW)
    assert refused.value.refusal is Refusal.MONTH_RUNS


def test_a_line_that_was_tampered_with_stops_the_lock(small: Small) -> None:
    judge(small)
    closing.review(small.worker, small.key, by="staff:a", now=NOW)
    closing.sign_off(small.worker, small.key, by="staff:b", now=NOW)
    small.owner.execute(
        "update billing_patient set facts = jsonb_set(facts, '{time_entries}', '[]')"
        " where patient_id = %s",
        (small.patients[COMPLETE],),
    )
    with pytest.raises(RefusedError) as refused:
        closing.lock(small.worker, small.key, by="staff:b", now=NOW)
    assert refused.value.refusal is Refusal.UNPROVEN
    assert store.month(small.worker, small.key).state is State.READY


def test_every_step_is_in_the_audit_chain(small: Small) -> None:
    lock(small)
    export(small)
    actions = [a for (a,) in small.ask("select action from audit order by id")]
    wanted = ["evaluate", "review", "sign off", "lock", "export"]
    assert [a for a in dict.fromkeys(actions) if a in wanted] == wanted
    assert small.ask("select count(*) from audit where hash is null") == [(0,)]


def test_the_self_audit_finds_one_person_with_two_patients_and_identical_notes(
    small: Small,
) -> None:
    for patient in small.patients[:6]:
        small.owner.execute(
            "insert into time_entry (organisation_id, patient_id, staff_id, staff_role, activity,"
            " started_at, ended_at, note, source) values (%s, %s, %s, 'nurse', 'review',"
            " '2026-10-25 15:00+00', '2026-10-25 16:10+00', 'Looked at every value of the week',"
            " 'manual')",
            (small.key.organisation, patient, small.nurse),
        )
    judge(small)
    found = {p for (p,) in small.ask("select distinct pattern from billing_finding")}
    assert {"identical_notes", "two_patients_at_once", "long_entry", "no_prior_visit"} <= found


def test_work_tells_its_progress_and_only_one_runs_at_a_time(small: Small) -> None:
    def order(kind: Kind) -> Order:
        return Order(id=uuid4(), key=small.key, kind=kind, by="staff:a", now=NOW)

    first = order(Kind.EVALUATE)
    assert jobs.begin(small.dsn, first)
    assert not jobs.begin(small.dsn, order(Kind.EXPORT))
    jobs.run(small.dsn, first)
    state = small.ask("select state, done, total, words from billing_job")
    assert state == [("done", PLANS, PLANS, f"{PLANS} patients judged")]
    refused = order(Kind.LOCK)
    assert jobs.begin(small.dsn, refused)
    jobs.run(small.dsn, refused)
    words = small.ask("select state, words from billing_job where id = %s", refused.id)[0]
    assert words[0] == "failed"
    assert "state" in words[1]


def test_another_organisations_month_stays_apart(small: Small) -> None:
    with small.owner.transaction():
        other, patients, _ = build(small.owner, people=2, name="Other clinic")
    judge(small)
    there = Key(organisation=other, first=OCTOBER)
    assert closing.evaluate_month(small.worker, there, by="test", now=NOW) == 2
    kept = {
        p
        for (p,) in small.ask(
            "select distinct patient_id from bill_line where organisation_id = %s", other
        )
    }
    assert kept <= set(patients)
