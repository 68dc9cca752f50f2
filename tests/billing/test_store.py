"""A small clinic's October 2026 in real PostgreSQL: gathered, judged, locked, corrected."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import psycopg
import pytest

from billing import closing, evidence, files, gather, gather_papers, jobs, store
from billing.fields import CaseError
from billing.files import Format
from billing.jobs import Kind, Order
from billing.month import Refusal, RefusedError, State
from billing.remittance import typed_in
from billing.store import Key
from database.pool import connect
from deploy.demo import paperwork

OCTOBER = date(2026, 10, 1)
NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
SINCE = date(2026, 9, 1)
PLANS = len(paperwork.PLANS)
Connection = psycopg.Connection[tuple[Any, ...]]
COMPLETE, NO_CONSENT, NO_ORDER, NO_VISIT = 0, 5, 6, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways into the test's database."""

    dsn: str
    worker_dsn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """One clinic: as many patients as there are plans."""

    worker: Connection
    owner: Connection
    dsn: str
    key: Key
    patients: list[UUID]
    nurse: UUID

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.owner.execute(query, values).fetchall()


def add_readings(run: Connection, organisation: UUID, patient: UUID, number: int) -> None:
    rows = [
        (uuid4(), organisation, patient, f"bp-{number}", at, at, at + timedelta(seconds=9), b"\0")
        for day in range(64)
        if (at := datetime(2026, 9, 1, 12, number, tzinfo=UTC) + timedelta(days=day)) < NOW
    ]
    with run.cursor() as cursor:
        cursor.executemany(
            "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id,"
            " kind, measured_at, value, status, time_quality, gateway_time, received_at,"
            " characteristic, frame) values (%s, %s, %s, %s, 'gw', 'blood_pressure', %s, 130,"
            " 'accepted', 'device_synced', %s, %s, '2A35', %s)",
            rows,
        )


def build(
    run: Connection, people: int = PLANS, name: str = "Small clinic"
) -> tuple[UUID, Any, Any]:
    organisation, nurse, doctor = uuid4(), uuid4(), uuid4()
    run.execute(
        "insert into organisation (id, name, time_zone) values (%s, %s, 'America/New_York')",
        (organisation, name),
    )
    for each, login, credential, role, npi in (
        (nurse, "rosa", "RN", "nurse", None),
        (doctor, "theo", "MD", "provider", "1245319599"),
    ):
        run.execute(
            "insert into staff (id, organisation_id, email, display_name, credential, role, npi)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            (each, organisation, f"{login}@{organisation}", login.title() + " Sample", credential,
             role, npi),
        )  # fmt: skip
    patients = [uuid4() for _ in range(people)]
    for number, patient in enumerate(patients):
        run.execute(
            "insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date,"
            " sex, time_zone, conditions) values (%s,%s,%s,%s,'Pat','1950-03-01','female',"
            "'America/New_York','{hypertension,diabetes}')",
            (patient, organisation, f"S {number:04d}", f"Sample{number:02d}"),
        )
        run.execute(
            "insert into enrolment (organisation_id, patient_id, programme, programme_version,"
            " enrolled_at) values (%s, %s, 'pcmh', '1', '2026-09-01')",
            (organisation, patient),
        )
        add_readings(run, organisation, patient, number)
    clinic = paperwork.Clinic(
        organisation=organisation,
        name=name,
        zone="America/New_York",
        nurses=(nurse,),
        npi="1245319599",
    )
    papers = [paperwork.Person(id=p, conditions=("hypertension",), since=SINCE) for p in patients]
    paperwork.load(run, clinic, papers, now=NOW)
    return organisation, patients, nurse


@pytest.fixture
def small(db: Ways) -> Iterator[Small]:
    with (
        connect(db.dsn, autocommit=True) as owner,
        connect(db.worker_dsn, autocommit=True) as worker,
    ):
        with owner.transaction():
            organisation, patients, nurse = build(owner)
        yield Small(
            worker=worker,
            owner=owner,
            dsn=db.worker_dsn,
            key=Key(organisation=organisation, first=OCTOBER),
            patients=patients,
            nurse=nurse,
        )


def judge(small: Small, now: datetime = NOW) -> int:
    return closing.evaluate_month(small.worker, small.key, by="test", now=now)


def lock(small: Small) -> None:
    judge(small)
    closing.review(small.worker, small.key, by="staff:first", now=NOW)
    closing.sign_off(small.worker, small.key, by="staff:second", now=NOW)
    closing.lock(small.worker, small.key, by="staff:second", now=NOW)


def export(small: Small, form: Format = Format.CSV) -> bytes:
    made = files.make(small.worker, small.key, form, by="staff:first", now=NOW)
    return small.ask("select content from billing_export where id = %s", made)[0][0]


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


def test_drafts_may_leave_a_collecting_month_but_no_claim_file(small: Small) -> None:
    judge(small)
    assert export(small).startswith(b"patient,code,")
    assert store.month(small.worker, small.key).state is State.COLLECTING
    with pytest.raises(RefusedError):
        files.make(small.worker, small.key, Format.X12, by="staff:a", now=NOW)


def test_the_exported_lines_read_back_with_pandas_are_the_stored_ones(small: Small) -> None:
    lock(small)
    read = pd.read_csv(io.BytesIO(export(small)), dtype={"code": str})
    kept = small.ask("select code, sum(units) from bill_line where current group by code")
    assert read.groupby("code")["units"].sum().to_dict() == {c: int(n) for c, n in kept}
    assert set(read["rule pack"]) == {"us-medicare-cy2026"}


def test_fhir_and_xlsx_hold_every_line(small: Small) -> None:
    lock(small)
    bundle = json.loads(export(small, Format.FHIR))
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    lines = small.ask("select count(*) from bill_line where current")[0][0]
    assert kinds.count("ChargeItem") == lines
    assert export(small, Format.XLSX).startswith(b"PK")
    assert store.month(small.worker, small.key).exports == 2


def test_a_corrected_entry_makes_the_locked_line_wait_and_stops_the_next_file(
    small: Small,
) -> None:
    lock(small)
    export(small)
    line = next(x for x in store.lines(small.worker, small.key) if x.code == "99457")
    small.owner.execute(
        "update time_entry set replaced_at = now() where id = %s", (line.evidence.entries[0],)
    )
    waiting = small.ask("select line_id, review_reason from bill_line where review_reason <> ''")
    assert [name for name, _ in waiting] == [line.id]
    assert "was corrected" in waiting[0][1]
    noted = small.ask("select object_id from audit where action = 'needs review'")
    assert noted == [(line.id,)]
    with pytest.raises(RefusedError) as refused:
        export(small)
    assert refused.value.refusal is Refusal.NEEDS_REVIEW


def test_a_reading_entered_in_error_makes_the_supply_line_wait(small: Small) -> None:
    lock(small)
    line = next(x for x in store.lines(small.worker, small.key) if x.code == "99454")
    small.owner.execute(
        "update reading set status = 'entered_in_error' where reading_id = %s",
        (line.evidence.readings[0],),
    )
    waiting = {
        name for (name,) in small.ask("select code from bill_line where review_reason <> ''")
    }
    assert waiting == {"99453", "99454"}


def test_judging_a_locked_month_again_changes_no_line_and_marks_what_fails_now(
    small: Small,
) -> None:
    lock(small)
    before = [line.id for line in store.lines(small.worker, small.key)]
    judge(small)
    assert small.ask("select count(*) from bill_line where review_reason <> ''") == [(0,)]
    small.owner.execute(
        "update consent set withdrawn_at = given_at + interval '1 hour' where patient_id = %s",
        (small.patients[COMPLETE],),
    )
    judge(small)
    assert [line.id for line in store.lines(small.worker, small.key)] == before
    marked = small.ask("select distinct patient_id from bill_line where review_reason <> ''")
    assert marked == [(small.patients[COMPLETE],)]


def test_a_confirmed_line_needs_a_reason_and_leaves(small: Small) -> None:
    lock(small)
    line = next(x for x in store.lines(small.worker, small.key) if x.code == "99457")
    small.owner.execute(
        "update time_entry set replaced_at = now() where id = %s", (line.evidence.entries[0],)
    )
    with pytest.raises(RefusedError):
        closing.confirm(small.worker, small.key, line.id, by="staff:a", now=NOW, reason=" ")
    closing.confirm(small.worker, small.key, line.id, by="staff:a", now=NOW, reason="Same minutes")
    export(small)
    assert small.ask("select count(*) from audit where action = 'confirm'") == [(1,)]


def test_a_reopened_month_shows_what_the_next_file_says_differently(small: Small) -> None:
    lock(small)
    export(small)
    with pytest.raises(RefusedError):
        closing.reopen(small.worker, small.key, by="staff:a", now=NOW, reason="")
    closing.reopen(small.worker, small.key, by="staff:a", now=NOW, reason="Call was not logged")
    small.owner.execute(
        "insert into time_entry (organisation_id, patient_id, staff_id, staff_role, activity,"
        " interactive, mode, with_whom, started_at, ended_at, note, source) values"
        " (%s, %s, %s, 'nurse', 'live_contact', true, 'audio', 'patient', '2026-10-24 15:00+00',"
        " '2026-10-24 15:25+00', 'Spoke about the plan', 'manual')",
        (small.key.organisation, small.patients[9], small.nurse),
    )
    lock(small)
    export(small)
    told = small.ask("select differences from billing_export order by number desc limit 1")[0][0]
    assert [(d["change"], d["code"], d["patient"]) for d in told] == [
        ("added", "99457", str(small.patients[9]))
    ]


def test_evidence_is_the_same_bytes_every_time_and_names_every_reading(small: Small) -> None:
    lock(small)
    line = next(x for x in store.lines(small.worker, small.key) if x.code == "99454")
    owner = small.key.organisation
    once = gather_papers.evidence(small.worker, owner, line.id)
    small.owner.execute(
        "insert into audit (organisation_id, actor, action, object_kind, object_id, patient_id)"
        " values (%s, 'staff:a', 'look', 'patient', 'x', %s)",
        (owner, line.patient_id),
    )
    again = gather_papers.evidence(small.worker, owner, line.id)
    assert evidence.as_json(once) == evidence.as_json(again)
    text = evidence.as_json(once).decode()
    assert all(name in text for name in line.evidence.readings)
    assert "Rosa Sample" not in text
    assert "RPM consent 2026-01" in text
    with pytest.raises(CaseError):
        gather_papers.evidence(small.worker, uuid4(), line.id)


def test_other_rules_than_those_of_the_line_make_no_evidence(small: Small) -> None:
    lock(small)
    line = next(iter(store.lines(small.worker, small.key)))
    small.owner.execute(
        "update bill_line set content = jsonb_set(content, '{parameter_hash}', '\"0\"')"
        " where line_id = %s",
        (line.id,),
    )
    with pytest.raises(CaseError, match="not those"):
        gather_papers.evidence(small.worker, small.key.organisation, line.id)


def test_answers_are_kept_by_line_and_strays_are_given_back(small: Small) -> None:
    lock(small)
    export(small)
    line = next(x for x in store.lines(small.worker, small.key) if x.code == "99453")
    answer = {
        "claim_id": "C", "code": "99453", "charged": "19.73", "paid": "19.73",
        "answered_on": "2026-11-20",
    }  # fmt: skip
    given = tuple(typed_in(answer | {"line_id": name}) for name in (line.id, "nobody"))
    fitting, strays = closing.answers(small.worker, small.key, given, by="staff:a", now=NOW)
    assert (fitting, len(strays)) == (1, 1)
    assert store.month(small.worker, small.key).state is State.ANSWERED
    assert small.ask("select count(*) from monitoring_episode where setup_billed") == [(1,)]


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
