"""Writes a month's files: drafts while it collects, numbered ones once it is locked."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from uuid import UUID

import msgspec

from billing import analysis, details, export, fhir, filing, month, store, x12_claim
from billing.claims import BillLine
from billing.crew import Crew
from billing.fields import CaseError
from billing.filing import File
from billing.gather import QUERIES, Connection
from billing.month import Action, Difference, Month, Refusal, RefusedError, State
from billing.store import Key
from billing.submission import Address, Practice, Professional, Submission, Subscriber

Progress = Callable[[int], None]
GENDERS = {"female": "F", "male": "M"}


class Format(StrEnum):
    """What a month can be written as."""

    XLSX = "xlsx"
    CSV = "csv"
    X12 = "837p"
    FHIR = "fhir"


SUFFIXES = {Format.XLSX: "xlsx", Format.CSV: "csv", Format.X12: "837", Format.FHIR: "json"}
FOR_LOOKING = (Format.XLSX, Format.CSV)
OPEN = (State.COLLECTING, State.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One file: of which month, by whom and when, told to whom, by how many processes."""

    connection: Connection
    key: Key
    form: Format
    by: str
    now: datetime
    progress: Progress | None
    crew: Crew | None
    production: bool

    @property
    def lines(self) -> Iterator[BillLine]:
        """Yield the month's lines."""
        return store.lines(self.connection, self.key)


def make(  # noqa: PLR0913  which month, in which form, by whom and when
    connection: Connection,
    key: Key,
    form: Format,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
    crew: Crew | None = None,
    production: bool = False,
) -> UUID:
    """Write a file and keep it; of a locked month it counts as exported, else it is a draft."""
    asked = _Asked(
        connection=connection,
        key=key,
        form=form,
        by=by,
        now=now,
        progress=progress,
        crew=crew,
        production=production,
    )
    with connection.transaction():
        before = store.opened(connection, key)
        return (_draft if before.state in OPEN else _export)(asked, before)


def _draft(asked: _Asked, before: Month) -> UUID:
    if asked.form not in FOR_LOOKING:
        raise RefusedError(Refusal.WRONG_STATE, before, Action.EXPORT)
    return _kept(asked, None)


def _export(asked: _Asked, before: Month) -> UUID:
    waiting = store.count(asked.connection, asked.key, "needing_review")
    after = month.export(before, by=asked.by, at=asked.now, needing_review=waiting)
    made = _kept(asked, after.exports)
    store.keep(asked.connection, asked.key, after)
    return made


def _kept(asked: _Asked, number: int | None) -> UUID:
    """Write on disk, then keep it from there."""
    with tempfile.TemporaryDirectory(prefix="tidings-billing-") as folder:
        path = Path(folder) / "file"
        WRITERS[asked.form](asked, path, number or 0)
        file = _described(asked, number, path)
        made = filing.keep(asked.connection, asked.key, file, path, by=asked.by, now=asked.now)
    told = {"format": file.format, "sha256": file.sha256, "lines": file.lines, "number": number}
    store.audit(asked.connection, asked.key, "export", by=asked.by, now=asked.now, detail=told)
    return made


def _described(asked: _Asked, number: int | None, path: Path) -> File:
    return File(
        number=number,
        format=asked.form.value,
        name=f"billing-{asked.key.first:%Y-%m}-{number or 'draft'}.{SUFFIXES[asked.form]}",
        sha256=filing.sha256_of(path),
        lines=store.count(asked.connection, asked.key, "how_many_lines"),
        differences=[_told(each) for each in _changes(asked, number)],
    )


def _changes(asked: _Asked, number: int | None) -> Iterator[Difference]:
    """Yield what a file says differently from the one before, if one left before."""
    if number is not None and number > 1:
        before = store.last_exported(asked.connection, asked.key)
        yield from month.differences_by_patient(before, asked.lines)


def _told(each: Difference) -> dict[str, object]:
    line = each.after or each.before
    if line is None:
        raise ValueError("a difference has a line")
    return {
        "change": each.change.value,
        "patient": line.patient_id,
        "code": line.code,
        "line": line.id,
        "fields": list(each.fields),
        "units": [each.before.units if each.before else 0, each.after.units if each.after else 0],
    }


def _write_csv(asked: _Asked, path: Path, _: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        export.write_csv(out, export.lines_table(asked.lines), asked.progress)


def _write_xlsx(asked: _Asked, path: Path, _: int) -> None:
    tables = (
        export.lines_table(asked.lines),
        analysis.summary(asked.lines, store.fees(asked.connection, asked.key)),
        details.of(asked.connection, asked.key, now=asked.now, crew=asked.crew),
    )
    export.write_xlsx(str(path), tables, created=asked.now, progress=asked.progress)


def _write_fhir(asked: _Asked, path: Path, _: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write('{"resourceType":"Bundle","type":"collection","entry":[')
        for written, resource in enumerate(_resources(asked)):
            out.write(("," if written else "") + '\n{"resource":')
            out.write(msgspec.json.encode(resource).decode() + "}")
            export.tell(asked.progress, written)
        out.write("\n]}\n")


def _resources(asked: _Asked) -> Iterator[fhir.Json]:
    """Yield each patient's claim and its charge items."""
    prices = store.fees(asked.connection, asked.key)
    rows = asked.connection.execute(QUERIES["subscribers"], asked.key.fields)
    payers = {str(row[0]): f"{row[10]} {row[5]}" for row in rows}
    for patient, each in groupby(asked.lines, lambda line: line.patient_id):
        lines = list(each)
        payer = payers.get(patient, "not recorded")
        yield fhir.claim(lines, created=asked.now.date(), coverage=payer, charges=prices)
        yield from map(fhir.charge_item, lines)


def _write_837p(asked: _Asked, path: Path, number: int) -> None:
    told = submission(
        asked.connection, asked.key, number, now=asked.now, production=asked.production
    )
    content = x12_claim.interchange(list(asked.lines), told)
    path.write_text(content, encoding="ascii", newline="")


WRITERS: Mapping[Format, Callable[[_Asked, Path, int], None]] = {
    Format.XLSX: _write_xlsx,
    Format.CSV: _write_csv,
    Format.X12: _write_837p,
    Format.FHIR: _write_fhir,
}


def submission(
    connection: Connection, key: Key, number: int, *, now: datetime, production: bool = False
) -> Submission:
    """Return everything of a claim file that is not a bill line."""
    found = connection.execute(QUERIES["practice"], key.fields).fetchone()
    if found is None:
        raise CaseError("the practice's billing details are not on file")
    name, npi, tax_id, street, city, state, postal, contact, phone, receiver, receiver_id = found
    home = Address(street=street, city=city, state=state, postal_code=postal)
    people = connection.execute(QUERIES["professionals"], key.fields).fetchall()
    return Submission(
        practice=Practice(
            name=name, npi=npi, tax_id=tax_id, address=home, contact=contact, phone=phone
        ),
        receiver_name=receiver,
        receiver_id=receiver_id,
        subscribers={
            str(row[0]): _subscriber(row)
            for row in connection.execute(QUERIES["subscribers"], key.fields)
        },
        professionals={row[0]: _professional(row[0], row[1]) for row in people},
        charges=store.fees(connection, key),
        created=now,
        control_number=key.first.year % 100 * 10_000 + key.first.month * 100 + number,
        production=production,
    )


def _subscriber(row: tuple[object, ...]) -> Subscriber:
    _, family, given, born, sex, member, street, city, state, postal, payer, payer_id, filing = row
    home = Address(
        street=_upper(street), city=_upper(city), state=_upper(state), postal_code=_upper(postal)
    )
    return Subscriber(
        last_name=_upper(family),
        first_name=_upper(given),
        born_on=msgspec.convert(born, type=date),
        gender=GENDERS.get(str(sex), "U"),
        member_id=_upper(member),
        address=home,
        payer_name=_upper(payer),
        payer_id=_upper(payer_id),
        filing=str(filing),
    )


def _professional(npi: str, name: str) -> Professional:
    given, _, family = name.partition(" ")
    return Professional(last_name=(family or given).upper(), first_name=given.upper(), npi=npi)


def _upper(value: object) -> str:
    return str(value).upper()
