"""The evidence pack says everything, the same way, byte for byte."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from billing import case, claims, dossier, evaluate, evidence, pack, pdf, spreadsheet
from billing.dossier import Dossier
from billing.papers import DevicePaper, Edit, Papers

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")
NOON = datetime(2026, 1, 9, 17, tzinfo=UTC)
PAPERS = Papers(
    organisation="Example Clinic",
    patient_label="TESTER, Ann",
    staff={"S1": "Maya Reyes, RN"},
    devices=(DevicePaper(id="bp-1", make="Example", model="X-1", serial="0042", listing="K123"),),
    consent_texts={"C1": "Verbal, read from text version 3"},
    gateway_times={"R5": datetime(2026, 1, 5, 12, 31, tzinfo=UTC)},
    changes_from_data=("Dose raised after the week's mean",),
    edits=(
        Edit(
            at=NOON,
            by="S1",
            what="entry T1",
            before="24 min",
            after="25 min",
            reason="stopped late",
            audit_id="771",
            audit_hash="ab12",
        ),
    ),
    chain_head="cd34",
)


def papers_of(raw: Raw, code: str) -> Dossier:
    parsed = case.parse(raw)
    found = claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))
    line = next(line for line in found if line.code == code)
    return dossier.dossier(parsed, line, RULES, PAPERS)


def rows(papers: Dossier, title: str) -> list[dict[str, str]]:
    (section,) = [section for section in papers.sections if section.title.startswith(title)]
    return [dict(zip(section.columns, row, strict=True)) for row in section.rows]


def test_every_day_is_listed_with_its_reading_and_times(month: Callable[..., Raw]) -> None:
    listed = rows(papers_of(month(), "99454"), "Counted days")
    assert [row["reading"] for row in listed] == [f"R{day}" for day in range(5, 21)]
    assert listed[0] == {
        "local day": "2026-01-05",
        "reading": "R5",
        "device": "bp-1",
        "measured at": "2026-01-05 07:30:00-05:00",
        "gateway at": "2026-01-05 07:31:00-05:00",
        "received at": "not recorded",
    }


def test_every_minute_is_listed_with_its_person(month: Callable[..., Raw]) -> None:
    papers = papers_of(month(), "99457")
    (entry,) = rows(papers, "Time log")
    assert (entry["who"], entry["credential"], entry["use"]) == ("Maya Reyes, RN", "rn", "counts")
    (contact,) = rows(papers, "Real-time contacts")
    assert (contact["mode"], contact["what was said"][:11]) == ("audio", "Spoke about")


def test_papers_and_edits_are_in_it(month: Callable[..., Raw]) -> None:
    papers = papers_of(month(), "99454")
    assert rows(papers, "Devices")[0]["serial"] == "0042"
    assert rows(papers, "Consent")[0]["text"] == "Verbal, read from text version 3"
    assert rows(papers, "Edits (audit chain head: cd34)")[0]["audit hash"] == "ab12"
    facts = {row["item"]: row["value"] for row in rows(papers, "Rules")}
    assert facts["parameter hash"] == RULES.digest
    assert facts["approved by"] == "not signed yet"
    assert facts["late_grace_hours"] == "0"


def test_it_is_counted_again_from_the_evidence_alone(month: Callable[..., Raw]) -> None:
    counted = {
        row["item"]: row["value"] for row in rows(papers_of(month(), "99454"), "Counted again")
    }
    assert (counted["99454"], counted["transmission_days"]) == ("1 units", "16")


def test_what_is_not_there_says_so(month: Callable[..., Raw]) -> None:
    parsed = case.parse(month())
    (_, line, _) = claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))
    bare = dossier.dossier(parsed, line, RULES)
    assert rows(bare, "Care plan") == [{"text": "not recorded"}]
    assert rows(bare, "Devices")[0]["make"] == "not recorded"


def test_json_and_csv_hold_the_same_facts(month: Callable[..., Raw]) -> None:
    papers = papers_of(month(), "99454")
    document = json.loads(evidence.as_json(papers))
    table = list(csv.DictReader(io.StringIO(evidence.as_csv(papers).decode(), newline="")))
    cells = sum(len(row) for section in document["sections"] for row in section["rows"])
    assert len(table) == cells + 1
    assert document["digest"] == table[0]["value"] == evidence.digest(papers)


PROGRAM = """
import json, sys
from billing import case, claims, dossier, evaluate, evidence, pack, pdf
rules = pack.named("us-medicare-cy2026")
parsed = case.parse(json.loads(sys.stdin.read()))
line = claims.bill_lines(parsed, evaluate.evaluate(parsed, rules))[1]
papers = dossier.dossier(parsed, line, rules)
import hashlib
for make in (evidence.as_json, evidence.as_csv, pdf.as_pdf):
    print(hashlib.sha256(make(papers)).hexdigest())
"""


def test_byte_for_byte_the_same_in_another_process(month: Callable[..., Raw]) -> None:
    raw = month()
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(raw),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    raw["readings"].reverse()
    parsed = case.parse(raw)
    line = claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))[1]
    papers = dossier.dossier(parsed, line, RULES)
    makers = (evidence.as_json, evidence.as_csv, pdf.as_pdf)
    assert told == [hashlib.sha256(make(papers)).hexdigest() for make in makers]


def test_the_pdf_carries_no_date_and_its_own_identifier(month: Callable[..., Raw]) -> None:
    papers = papers_of(month(), "99457")
    printed = pdf.as_pdf(papers)
    assert printed.startswith(b"%PDF-")
    assert b"CreationDate" not in printed
    assert evidence.digest(papers)[:32].encode() in printed


def test_another_fact_is_another_digest(month: Callable[..., Raw]) -> None:
    first = papers_of(month(), "99454")
    assert evidence.digest(first) != evidence.digest(replace(first, created_for="Other Clinic"))


@pytest.mark.parametrize("note", ["=cmd()", "+1", "-1", "@a", "\t=1"])
def test_no_value_becomes_a_formula(note: str) -> None:
    assert spreadsheet.harmless(note) == f"'{note}"


def test_text_is_escaped_in_the_page(month: Callable[..., Raw]) -> None:
    raw = month()
    raw["time_entries"][0]["note"] = "<script>alert(1)</script>"
    page = evidence.as_html(papers_of(raw, "99457"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
