"""`tidings billing`: a changed expectation ends with exit code 1, and every code is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from billing.cli import app

Raw = dict[str, Any]
FOLDER = Path(__file__).parent / "cases"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return result.exit_code, result.output

    return invoke


@pytest.fixture
def saved(month: Callable[..., Raw], tmp_path: Path) -> Path:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(month()))
    return path


@pytest.mark.parametrize(("name", "count"), [("us_medicare_cy2026.json", 41), ("own.json", 179)])
def test_all_cases_pass(run: Callable[..., tuple[int, str]], name: str, count: int) -> None:
    assert run("cases", FOLDER / name) == (0, f"{count} of {count} cases as expected\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("codes", 0, "units", 2), "units of 99453"),
        (("not_billable", 0, "reason", "NO_ORDER"), "reason of 99454"),
        (("facts", None, "transmission_days", 9), "fact transmission_days"),
    ],
    ids=["units", "reason", "fact"],
)
def test_a_changed_expectation_fails_the_run(
    run: Callable[..., tuple[int, str]], tmp_path: Path, change: tuple[Any, ...], told: str
) -> None:
    document = json.loads((FOLDER / "us_medicare_cy2026.json").read_text())
    row = next(row for row in document["cases"] if row["id"] == "MGT-21")["expected"]
    section, place, name, value = change
    target = row[section] if place is None else row[section][place]
    target[name] = value
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    code, output = run("cases", path)
    assert code == 1
    assert "MGT-21" in output
    assert told in output
    assert "40 of 41 cases as expected" in output


def test_a_file_without_cases_fails(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("{}")
    code, output = run("cases", path)
    assert code == 1
    assert "no rule pack" in output


def test_a_case_is_judged(run: Callable[..., tuple[int, str]], saved: Path) -> None:
    code, output = run("evaluate", "--file", saved)
    assert code == 0
    assert "us-medicare-cy2026 version" in output
    assert "15 more min for 99458" in output


def test_a_case_is_judged_as_json(run: Callable[..., tuple[int, str]], saved: Path) -> None:
    code, output = run("evaluate", "--file", saved, "--json", "--pack", "us-medicare-cy2026")
    judged = json.loads(output)
    assert code == 0
    assert [line["code"] for line in judged["codes"]] == ["99453", "99454", "99457"]
    assert judged["codes"][2]["evidence"]["time_entries"] == ["T1"]
    assert judged["not_billable"][0]["where"] == "nothing"
    assert judged["facts"]["rpm_minutes"] == 25


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("{", (), "Expecting property name"),
        ('{"patient": {}}', (), "patient: a case needs a patient"),
        (None, ("--pack", "nowhere"), "no rule pack 'nowhere'"),
    ],
    ids=["not JSON", "no patient", "no such pack"],
)
def test_what_cannot_be_judged_is_told_in_one_line(
    run: Callable[..., tuple[int, str]],
    saved: Path,
    text: str | None,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    if text is not None:
        saved.write_text(text)
    code, output = run("evaluate", "--file", saved, *arguments)
    assert code == 1
    assert told in output


def test_evidence_is_written_for_every_line(
    run: Callable[..., tuple[int, str]], saved: Path, tmp_path: Path
) -> None:
    out = tmp_path / "evidence"
    code, _ = run("evidence", "--file", saved, "--out", out)
    assert code == 0
    names = {path.name for path in out.iterdir()}
    assert {f"P1-99454-2026-02-03.{kind}" for kind in ("pdf", "csv", "json")} <= names
    assert len(names) == 9


def test_packs_are_listed_with_their_approval(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run("packs")
    assert code == 0
    assert "us-medicare-cy2025" in output
    assert "not signed yet" in output
