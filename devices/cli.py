"""`tidings device`: look at a frame by hand, list what we can read."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from devices import document, models, profiles, quirks
from devices.reading import FailedMeasurement, UnreadableError
from devices.sfloat import Special
from devices.shown import Fields

app = typer.Typer(help="Decode frames of medical devices, list the models we know.")


class Status(StrEnum):
    """What became of a frame."""

    MEASURED = "measured"
    FAILED = "failed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What there is to tell about a frame."""

    characteristic: str
    status: Status
    reason: str | None = None
    """Why there is no value."""
    fields: Fields

    def as_dict(self) -> Fields:
        """Return one flat object.

        The frame's own status bits give way to `status`; its own `reason` (why a clock was
        adjusted) stays, since such a frame has no value that could be missing.
        """
        fields = {
            ("status_bits" if name == "status" else name): v for name, v in self.fields.items()
        }
        told: Fields = {"characteristic": self.characteristic, "reason": None, **fields}
        why: Fields = {"reason": self.reason} if self.reason else {}
        return {**told, "status": self.status, **why}


@app.command()
def decode(
    frame: Annotated[str, typer.Argument(metavar="HEX", help="The frame's bytes in hex.")],
    characteristic: Annotated[
        str, typer.Option("--char", help="Its characteristic, e.g. 2A35; also SFLOAT, FLOAT.")
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", "--quirk", help="Of the device, if it breaks the standard."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Decode a frame; exit code 1 if it is unreadable."""
    quirk = _quirk(model)
    _known(characteristic)
    found = judge(characteristic, _bytes(frame), quirk=quirk)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        Console().print(_table(found))
    raise typer.Exit(1 if found.status is Status.UNREADABLE else 0)


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,  # noqa: FBT002 - a flag of the command line
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/devices.md.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List the models we know, with the evidence for each."""
    if as_markdown:
        typer.echo(document.page(models.known(), models.unsupported()), nl=False)
    elif as_json:
        typer.echo(json.dumps([_summary(key.key) for key in models.known()]))
    else:
        Console().print(_models())


def judge(characteristic: str, frame: bytes, *, quirk: str | None = None) -> Verdict:
    """Return what there is to tell about a frame."""
    profile = profiles.profile(characteristic, quirk=quirk)
    code = profiles.short(characteristic)
    try:
        fields, decoded = profile.fields(frame), profile.decode(frame)
    except UnreadableError as error:
        return Verdict(characteristic=code, status=Status.UNREADABLE, reason=str(error), fields={})
    reason = decoded.reason if isinstance(decoded, FailedMeasurement) else None
    if isinstance(fields.get("value"), Special):
        reason = str(fields["value"])
    more: Fields = {"is_reading": profile.is_reading}
    if decoded is not None:
        more["flags"] = list(decoded.flags)
    return Verdict(
        characteristic=code,
        status=Status.MEASURED if reason is None else Status.FAILED,
        reason=reason,
        fields={**fields, **more},
    )


def _quirk(model: str | None) -> str | None:
    """The quirk of a model, given by its key or as people write its name."""
    if model is None or model in quirks.QUIRKS:
        return model
    wanted = model.casefold()
    for known in models.known():
        names = (known.key, known.name.casefold(), f"{known.maker} {known.name}".casefold())
        if wanted in names:
            return known.quirk
    keys = ", ".join(known.key for known in models.known())
    raise typer.BadParameter(f"no model {model!r}; known: {keys}")


def _known(characteristic: str) -> None:
    try:
        profiles.profile(characteristic)
    except UnreadableError as error:
        known = ", ".join([*profiles.SUPPORTED, *profiles.FORMATS])
        raise typer.BadParameter(f"{error}; known: {known}") from error


def _bytes(text: str) -> bytes:
    """Bytes from hex, however it is separated."""
    digits = text.strip().removeprefix("0x").translate(str.maketrans("", "", " :-\t\n"))
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not hex: {error}") from error


def _table(found: Verdict) -> Table:
    table = Table(title=f"{found.characteristic}: {found.status}", show_header=False)
    for name, value in found.as_dict().items():
        if value is not None:
            table.add_row(name, str(value))
    return table


def _models() -> Table:
    table = Table("Model", "Measures", "Evidence", "Hardware", expand=True)
    table.add_column("Key", no_wrap=True)
    for model in models.known():
        kinds = ", ".join(model.kinds)
        tested = "tested" if model.tested_on_hardware else "untested"
        name = f"{model.maker} {model.name}"
        table.add_row(name, kinds, model.evidence, tested, model.key)
    return table


def _summary(key: str) -> dict[str, object]:
    model = models.by_name(key)
    return {
        "key": model.key,
        "maker": model.maker,
        "name": model.name,
        "kinds": list(model.kinds),
        "services": list(model.services),
        "pairing": model.pairing,
        "evidence": model.evidence,
        "source": model.source,
        "tested_on_hardware": model.tested_on_hardware,
    }
