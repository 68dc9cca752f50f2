"""A closed month in real PostgreSQL: its files, what is corrected later, its evidence."""

import io
import json
from uuid import uuid4

import pandas as pd
import pytest

from billing import closing, commands, evidence, files, gather_papers, store, verify
from billing.claims import BillLine
from billing.fields import CaseError
from billing.files import Format
from billing.month import Refusal, RefusedError, State
from billing.payer import typed_in
from deploy.demo.small import NOW, Small
from tests.billing.conftest import export, judge, lock

COMPLETE = 0


def line_of(small: Small, number: int, code: str) -> BillLine:
    """Return a patient's line; the patient with 99458 too would have two on the same entries."""
    patient = str(small.patients[number])
    lines = store.lines(small.worker, small.key)
    return next(each for each in lines if (each.patient_id, each.code) == (patient, code))


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
    line = line_of(small, COMPLETE, "99457")
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
    waiting = small.ask("select patient_id, code from bill_line where review_reason <> ''")
    codes = {code for _, code in waiting}
    assert {"99454"} <= codes <= {"99453", "99454"}, "set-up rests on the same days, no more does"
    assert len({patient for patient, _ in waiting}) == 1


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
    line = line_of(small, COMPLETE, "99457")
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


def test_evidence_is_verified_against_the_audit_chain(small: Small) -> None:
    lock(small)
    line, entry = small.ask(
        "select line_id, entry_ids[1] from bill_line where cardinality(entry_ids) > 0"
        " and patient_id = %s limit 1",
        small.patients[COMPLETE],
    )[0]
    small.owner.execute("update time_entry set replaced_at = now() where id = %s", (entry,))
    organisation = small.key.organisation
    pack = evidence.as_json(gather_papers.evidence(small.worker, organisation, line)).decode()
    held = verify.read(pack)
    assert len(held.edits) == 1
    assert commands.verify(small.worker, pack) == (line, ())
    tampered = pack.replace("needs review bill_line", "nothing bill_line")
    assert commands.verify(small.worker, tampered)[1] == (verify.Fault.CHANGED,)
    swapped = pack.replace(held.digest, "0" * 64)
    assert commands.verify(small.worker, swapped)[1] == (verify.Fault.DIGEST,)
    (audit,) = held.edits
    small.owner.execute("alter table audit disable trigger user")
    small.owner.execute("update audit set detail = '{}' where id = %s", (int(audit),))
    assert verify.Fault.CHAIN_BROKEN in commands.verify(small.worker, pack)[1]
    small.owner.execute("delete from audit where id = %s", (int(audit),))
    assert verify.Fault.NOT_IN_CHAIN in commands.verify(small.worker, pack)[1]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"line_id": "nobody"}'])
def test_what_is_no_evidence_is_refused_in_one_line(small: Small, content: str) -> None:
    with pytest.raises(CaseError, match=r"evidence|no line"):
        commands.verify(small.worker, content)
