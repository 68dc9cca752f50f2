"""Billing on the command line: run worked cases, judge a case, write its evidence."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from billing import answers, case, claims, commands, dossier, evaluate, evidence, missing, pack, pdf
from billing.__main__ import wall_clock
from billing.answers import Answer
from billing.fields import CaseError
from billing.files import Format
from billing.gather import Connection
from billing.gather_case import month_named
from billing.month import RefusedError
from billing.outcome import Evaluation, Line
from billing.record import Case
from billing.store import Key
from database.pool import connect

app = typer.Typer(no_args_is_help=True, help="Judge, prove and check what may be billed.")

CasesFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A file of worked cases (JSON).")
]
CaseFile = Annotated[
    Path | None,
    typer.Option("--file", exists=True, dir_okay=False, help="One case's input (JSON)."),
]
PatientId = Annotated[str, typer.Option("--patient", help="Id of one patient.")]
MonthName = Annotated[str, typer.Option("--month", help="2026-10; default: the running month.")]
OrganisationName = Annotated[
    str, typer.Option("--organisation", help="Id or name; needed only where there are several.")
]
Dsn = Annotated[
    str,
    typer.Option("--dsn", envvar="TIDINGS_BILLING_DSN", help="Database, as tidings_worker."),
]
PackName = Annotated[
    str,
    typer.Option("--pack", help="Rule pack; default: in force on the date of service."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
OutFolder = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the files.")]


@app.command("cases")
def run_cases(file: CasesFile, quiet: Annotated[bool, typer.Option("--quiet")] = False) -> None:  # noqa: FBT002  typer's way to a flag
    """Run worked cases, compared whole; any difference ends with exit code 1."""
    console = Console()
    try:
        found = list(answers.of_file(file.read_text(encoding="utf-8")))
    except CaseError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None
    wrong = [answer for answer in found if not answer.passed]
    if wrong:
        console.print(_differences(wrong))
    if not quiet or wrong:
        console.print(f"{len(found) - len(wrong)} of {len(found)} cases as expected")
    raise typer.Exit(1 if wrong else 0)


@app.command("evaluate")
def evaluate_case(  # noqa: PLR0913, PLR0917  the options of a command
    file: CaseFile = None,
    patient: PatientId = "",
    month: MonthName = "",
    organisation: OrganisationName = "",
    pack_name: PackName = "",
    dsn: Dsn = "",
    as_json: AsJson = False,  # noqa: FBT002  typer's way to a flag
) -> None:
    """Judge a case from a file, one patient's month, or a whole month (which is then kept)."""
    console = Console()
    if file is not None:
        _show(_judged(file, pack_name, console), console, as_json=as_json)
        return
    now = wall_clock()
    first = _first(month, now, console)
    with _database(dsn, console) as connection:
        if patient:
            found, judged = commands.one_patient(connection, UUID(patient), first, now=now)
            console.print(f"{found.sort_key}, {first:%Y-%m}", highlight=False)
            _show(judged, console, as_json=as_json)
            return
        key = Key(organisation=commands.organisation_of(connection, organisation), first=first)
        done, by_code = commands.month(connection, dsn, key, now=now)
        console.print(f"{first:%Y-%m}: {done:,} patients judged", highlight=False)
        table = Table("code", "lines")
        for code, lines in by_code:
            table.add_row(code, str(lines))
        console.print(table)


@app.command("export")
def export_month(
    month: MonthName,
    form: Annotated[Format, typer.Option("--format", help="What to write.")],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The file to write.")],
    organisation: OrganisationName = "",
    dsn: Dsn = "",
) -> None:
    """Write a month's file: a draft until the month is locked, a numbered export afterwards."""
    console = Console()
    now = wall_clock()
    with _database(dsn, console) as connection:
        owner = commands.organisation_of(connection, organisation)
        key = Key(organisation=owner, first=_first(month, now, console))
        told = commands.export(connection, dsn, key, form, out, now=now)
        console.print(told, highlight=False, soft_wrap=True)


@app.command("evidence")
def make_evidence(
    out: OutFolder,
    file: CaseFile = None,
    line: Annotated[str, typer.Option("--line", help="Id of a stored line.")] = "",
    pack_name: PackName = "",
    dsn: Dsn = "",
) -> None:
    """Write the evidence of a stored line, or of every line of a case, as JSON, CSV and PDF."""
    console = Console()
    if file is None:
        with _database(dsn, console) as connection:
            written, digest = commands.prove(connection, line, out)
        for path in written:
            console.print(f"{path}  {digest[:16]}", highlight=False)
        return
    parsed = _parsed(file, console)
    out.mkdir(parents=True, exist_ok=True)
    for judged in _judged(file, pack_name, console):
        rules = pack.adjusted(pack.named(judged.pack), parsed.parameters)
        for made in claims.bill_lines(parsed, judged):
            papers = dossier.dossier(parsed, made, rules)
            stem = out / f"{made.patient_id}-{made.code}-{made.service_to}"
            stem.with_suffix(".json").write_bytes(evidence.as_json(papers))
            stem.with_suffix(".csv").write_bytes(evidence.as_csv(papers))
            stem.with_suffix(".pdf").write_bytes(pdf.as_pdf(papers))
            console.print(f"{stem}.pdf  {evidence.digest(papers)[:16]}", highlight=False)


@app.command("verify")
def verify_evidence(
    file: Annotated[Path, typer.Argument(help="An evidence pack in JSON.", exists=True)],
    dsn: Dsn = "",
) -> None:
    """Hold an evidence pack against the stored facts and the audit chain."""
    console = Console()
    with _database(dsn, console) as connection:
        line, found = commands.verify(connection, file.read_text(encoding="utf-8"))
    for fault in found:
        console.print(f"[red]{line}: {fault.value}[/red]", highlight=False)
    if found:
        raise typer.Exit(1)
    console.print(f"{line}: as it is stored, and its edits stand in the audit chain")


@app.command("packs")
def list_packs() -> None:
    """List the rule packs: from when to when they hold, and who approved them."""
    table = Table(Column("pack", overflow="fold"), "version", "from", "to", "approved by", "hash")
    for known in pack.shelf():
        signed = known.approved.by or "not signed yet"
        span = str(known.effective_from), str(known.effective_to)
        table.add_row(known.id, known.version, *span, signed, known.digest[:16])
    Console().print(table)


@contextmanager
def _database(dsn: str, console: Console) -> Iterator[Connection]:
    """Open the database; what is refused is told in one line, with exit code 1."""
    if not dsn:
        console.print("[red]Say where the database is: --dsn or TIDINGS_BILLING_DSN[/red]")
        raise typer.Exit(2)
    try:
        with connect(dsn, autocommit=True) as connection:
            yield connection
    except (CaseError, RefusedError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None


def _first(month: str, now: datetime, console: Console) -> date:
    try:
        return month_named(month) if month else now.date().replace(day=1)
    except CaseError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(2) from None


def _show(judged: Iterable[Evaluation], console: Console, *, as_json: bool) -> None:
    for each in judged:
        if as_json:
            console.print_json(json.dumps(plain(each)))
        else:
            console.print(_verdict(each))
            for remark in each.remarks:
                console.print(f"remark: {remark}", highlight=False)


def plain(judged: Evaluation) -> dict[str, object]:
    """Return an evaluation as plain values, for JSON."""
    return {
        "rule_pack": judged.pack,
        "version": judged.version,
        "parameter_hash": judged.digest,
        "codes": [_plain_line(line) for line in judged.lines],
        "not_billable": [
            {
                "code": row.code,
                "reason": row.reason,
                "missing": missing.shortest_way(row).text,
                "where": missing.shortest_way(row).mend.value,
            }
            for row in judged.not_billable
        ],
        "facts": judged.facts,
        "remarks": list(judged.remarks),
    }


def _plain_line(line: Line) -> dict[str, object]:
    met_at = line.threshold_met_at
    return {
        "code": line.code,
        "units": line.units,
        "service_from": line.service_from.isoformat(),
        "service_to": line.service_to.isoformat(),
        "date_of_service": line.date_of_service.isoformat(),
        "threshold_met_at": None if met_at is None else met_at.isoformat(),
        "evidence": {
            "readings": list(line.evidence.readings),
            "time_entries": list(line.evidence.entries),
            "consents": list(line.evidence.consents),
            "orders": list(line.evidence.orders),
            "education": line.evidence.education,
            "statements": list(line.evidence.statements),
        },
    }


def _parsed(file: Path, console: Console) -> Case:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return case.parse(raw["input"] if isinstance(raw, dict) and "input" in raw else raw)
    except (CaseError, json.JSONDecodeError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None


def _judged(file: Path, pack_name: str, console: Console) -> tuple[Evaluation, ...]:
    parsed = _parsed(file, console)
    try:
        if pack_name:
            return (evaluate.evaluate(parsed, pack.named(pack_name)),)
        return evaluate.evaluate_in_force(parsed)
    except CaseError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None


def _differences(wrong: list[Answer]) -> Table:
    table = Table("case", "what", "expected", "found", title="Differences")
    for answer in wrong:
        for difference in answer.differences:
            table.add_row(answer.id, difference.what, difference.expected, difference.found)
    return table


def _verdict(judged: Evaluation) -> Table:
    title = f"{judged.pack} version {judged.version} ({judged.digest[:12]})"
    table = Table("code", "units", "reason", "what is missing", title=title)
    for line in judged.lines:
        table.add_row(line.code, str(line.units), "billable", "")
    for row in judged.not_billable:
        table.add_row(row.code, "", row.reason, missing.shortest_way(row).text)
    return table
