"""What the command line does with a database: evaluate, close, export, prove."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from billing import closing, crew, evidence, files, filing, gather, gather_papers, pdf
from billing import verify as verifying
from billing.fields import CaseError
from billing.files import Format
from billing.gather import QUERIES, Connection, Gathered
from billing.outcome import Evaluation
from billing.standing import judged
from billing.store import Key
from billing.verify import Fault

BY = "process:billing"


def organisation_of(connection: Connection, named: str) -> UUID:
    """Return the organisation with this id or name; without one, the only one there is."""
    known = connection.execute(QUERIES["clinics"]).fetchall()
    fitting = [row for row in known if not named or named in (str(row[0]), row[1])]
    if len(fitting) != 1:
        names = ", ".join(f"{name} ({each})" for each, name in known) or "none"
        raise CaseError(f"--organisation: name one of {names}")
    return UUID(str(fitting[0][0]))


@contextmanager
def shown(what: str) -> Iterator[closing.Progress]:
    """Show progress on the terminal; yields the function to call with (done, total)."""
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield tell


def one_patient(
    connection: Connection, patient_id: UUID, first: date, *, now: datetime
) -> tuple[Gathered, tuple[Evaluation, ...]]:
    """Return a patient's month as it stands; nothing is written."""
    organisation = gather.owner_of(connection, patient_id)
    if organisation is None:
        raise CaseError(f"no patient {patient_id}")
    found = gather.patient(connection, organisation, first, patient_id, now=now)
    if found is None:
        raise CaseError(f"patient {patient_id} is not enrolled in {first:%Y-%m}")
    return found, judged(found.case)


def month(
    connection: Connection, dsn: str, key: Key, *, now: datetime
) -> tuple[int, list[tuple[str, int]]]:
    """Judge a month and keep it; return how many patients, and lines by code."""
    helpers = crew.of(dsn, gather.how_many(connection, key.organisation, key.first))
    with shown("Judging patients") as tell:
        done = closing.evaluate_month(connection, key, by=BY, now=now, progress=tell, crew=helpers)
    rows = connection.execute(QUERIES["lines_by_code"], key.fields).fetchall()
    return done, [(code, lines) for code, lines in rows]


def export(  # noqa: PLR0913  which month, in which form, whereto and as of when
    connection: Connection, dsn: str, key: Key, form: Format, out: Path, *, now: datetime
) -> str:
    """Write a month's file; return what it is."""
    helpers = crew.of(dsn, gather.how_many(connection, key.organisation, key.first))
    with shown("Writing rows") as tell:

        def written(rows: int) -> None:
            tell(rows, 0)

        made = files.make(connection, key, form, by=BY, now=now, progress=written, crew=helpers)
    found = connection.execute(QUERIES["export"], key.fields | {"id": made}).fetchone()
    if found is None:
        raise CaseError("the file is gone")
    name, sha256, lines, number = found
    with out.open("wb") as saved:
        saved.writelines(filing.pieces(connection, key, made))
    kind = "draft, not counted as exported" if number is None else f"export {number}"
    return f"{out}: {lines} lines, {kind}, sha256 {sha256} ({name})"


def prove(connection: Connection, line_id: str, out: Path) -> tuple[list[Path], str]:
    """Write the evidence of a line; return the files and the digest of its facts."""
    owner = connection.execute(QUERIES["line_owner"], {"line": line_id}).fetchone()
    if owner is None:
        raise CaseError(f"no line {line_id!r}")
    papers = gather_papers.evidence(connection, owner[0], line_id)
    out.mkdir(parents=True, exist_ok=True)
    written = {
        out / f"{line_id}.json": evidence.as_json(papers),
        out / f"{line_id}.csv": evidence.as_csv(papers),
        out / f"{line_id}.pdf": pdf.as_pdf(papers),
    }
    for path, content in written.items():
        path.write_bytes(content)
    return list(written), evidence.digest(papers)


def verify(connection: Connection, content: str) -> tuple[str, tuple[Fault, ...]]:
    """Hold an evidence pack (JSON) against what is stored; return its line and its faults."""
    held = verifying.read(content)
    owner = connection.execute(QUERIES["line_owner"], {"line": held.line_id}).fetchone()
    if owner is None:
        raise CaseError(f"no line {held.line_id!r}")
    papers = gather_papers.evidence(connection, owner[0], held.line_id)
    wanted = {"organisation": owner[0], "ids": [int(name) for name in held.edits if name.isdigit()]}
    trail = connection.execute(QUERIES["audit_rows"], wanted).fetchall()
    stored = verifying.read(evidence.as_json(papers).decode())
    return held.line_id, verifying.faults(held, stored, trail)
