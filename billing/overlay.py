"""Payer overlays: what a plan does differently from Medicare, as dated data laid over a pack."""

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from billing.fields import CaseError
from billing.pack import Approval, Pack, adjusted
from billing.record import Override


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One payer's changes: parameters replaced, codes not covered."""

    id: str
    payer: str
    title: str
    effective_from: date
    effective_to: date
    source: str
    confidence: str
    approved: Approval
    parameters: dict[str, Override] = {}
    not_covered: tuple[str, ...] = ()


def read(text: str) -> Overlay:
    """Return the overlay written in a YAML text."""
    try:
        return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), Overlay)
    except msgspec.ValidationError as error:
        raise CaseError(f"payer overlay: {error}") from error


@cache
def shipped() -> tuple[Overlay, ...]:
    """Return the overlays that ship with the product."""
    folder = files("billing") / "packs"
    texts = [item.read_text() for item in folder.iterdir() if item.name.startswith("payer-")]
    return tuple(sorted((read(text) for text in texts), key=lambda overlay: overlay.id))


def laid_over(pack: Pack, overlay: Overlay) -> Pack:
    """Return the pack as the payer applies it; its id and digest tell that it is another one."""
    merged = adjusted(pack, overlay.parameters)
    return msgspec.structs.replace(
        merged,
        not_covered=(*pack.not_covered, *overlay.not_covered),
        overlays=(*pack.overlays, overlay.id),
    )


def for_payer(
    pack: Pack, payer: str, service_date: date, overlays: tuple[Overlay, ...] | None = None
) -> Pack:
    """Return the pack with the payer's overlay in force on a date, or the pack itself."""
    known = shipped() if overlays is None else overlays
    for overlay in known:
        if (
            overlay.payer == payer
            and overlay.effective_from <= service_date <= overlay.effective_to
        ):
            return laid_over(pack, overlay)
    return pack
