"""Writes a month's files: drafts while it collects, numbered ones once it is locked."""

import hashlib
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from uuid import UUID

import msgspec

from billing import analysis, details, export, fhir, month, store, x12_claim
from billing.crew import Crew
from billing.fields import CaseError
from billing.gather import QUERIES, Connection
from billing.month import Action, Difference, Refusal, RefusedError, State
from billing.store import File, Key
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
    with connection.transaction():
        before = store.opened(connection, key)
        if before.state in (State.COLLECTING, State.READY):
            if form not in FOR_LOOKING:
                raise RefusedError(Refusal.WRONG_STATE, before, Action.EXPORT)
            return _kept(connection, key, form, None, by=by, now=now, progress=progress, crew=crew)
        waiting = store.count(connection, key, "needing_review")
        after = month.export(before, by=by, at=now, needing_review=waiting)
        made = _kept(
            connection,
            key,
            form,
            after.exports,
            by=by,
            now=now,
            progress=progress,
            crew=crew,
            production=production,
        )
        store.keep(connection, key, after)
    return made


def _kept(  # noqa: PLR0913  the facts of a file, by name
    connection: Connection,
    key: Key,
    form: Format,
    number: int | None,
    *,
    by: str,
    now: datetime,
    progress: Progress | None,
    crew: Crew | None,
    production: bool = False,
) -> UUID:
    changes = _changes(connection, key) if number is not None and number > 1 else ()
    with tempfile.TemporaryDirectory(prefix="tidings-billing-") as folder:
        path = Path(folder) / "file"
        if form is Format.X12:
            _write_837p(connection, key, path, number or 0, now=now, production=production)
        elif form is Format.XLSX:
            _write_xlsx(connection, key, path, now=now, progress=progress, crew=crew)
        else:
            WRITERS[form](connection, key, path, now, progress)
        content = path.read_bytes()
    file = File(
        number=number,
        format=form.value,
        name=f"billing-{key.first:%Y-%m}-{number or 'draft'}.{SUFFIXES[form]}",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        lines=store.count(connection, key, "how_many_lines"),
        differences=[_told(each) for each in changes],
    )
    made = store.keep_file(connection, key, file, by=by, now=now)
    told = {"format": form.value, "sha256": file.sha256, "lines": file.lines, "number": number}
    store.audit(connection, key, "export", by=by, now=now, detail=told)
    return made


def _changes(connection: Connection, key: Key) -> tuple[Difference, ...]:
    return month.differences(store.last_exported(connection, key), store.lines(connection, key))


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


def _write_csv(
    connection: Connection, key: Key, path: Path, _: datetime, progress: Progress | None
) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        export.write_csv(out, export.lines_table(store.lines(connection, key)), progress)


def _write_xlsx(  # noqa: PLR0913  which month, whereto, as of when, told to whom, by how many
    connection: Connection,
    key: Key,
    path: Path,
    *,
    now: datetime,
    progress: Progress | None,
    crew: Crew | None,
) -> None:
    tables = (
        export.lines_table(store.lines(connection, key)),
        analysis.summary(store.lines(connection, key), store.fees(connection, key)),
        details.of(connection, key, now=now, crew=crew),
    )
    export.write_xlsx(str(path), tables, created=now, progress=progress)


def _write_fhir(
    connection: Connection, key: Key, path: Path, now: datetime, progress: Progress | None
) -> None:
    prices = store.fees(connection, key)
    rows = connection.execute(QUERIES["subscribers"], key.fields)
    payers = {str(row[0]): f"{row[10]} {row[5]}" for row in rows}
    written = 0
    with path.open("w", encoding="utf-8") as out:
        out.write('{"resourceType":"Bundle","type":"collection","entry":[')
        for patient, each in groupby(store.lines(connection, key), lambda line: line.patient_id):
            lines = list(each)
            payer = payers.get(patient, "not recorded")
            claim = fhir.claim(lines, created=now.date(), coverage=payer, charges=prices)
            for resource in (claim, *map(fhir.charge_item, lines)):
                out.write(("," if written else "") + '\n{"resource":')
                out.write(msgspec.json.encode(resource).decode() + "}")
                written += 1
            if progress is not None:
                progress(written)
        out.write("\n]}\n")


WRITERS = {Format.CSV: _write_csv, Format.FHIR: _write_fhir}


def _write_837p(  # noqa: PLR0913  the facts of a claim file, by name
    connection: Connection, key: Key, path: Path, number: int, *, now: datetime, production: bool
) -> None:
    lines = list(store.lines(connection, key))
    told = submission(connection, key, number, now=now, production=production)
    path.write_text(x12_claim.interchange(lines, told), encoding="ascii", newline="")


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
