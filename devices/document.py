"""Writes docs/devices.md from the catalogue."""

from collections.abc import Iterable, Sequence

from devices.model import Evidence, Model, Unsupported

_EVIDENCE = {
    Evidence.CAPTURED: "frames of a real unit",
    Evidence.REPORTED: "reports of developers",
    Evidence.VENDOR_DOCUMENT: "the maker's document",
    Evidence.NONE: "none: assumed",
}
_HEAD = """# Devices

<!-- Generated from devices/catalogue by `tidings device list --markdown`; do not edit by hand. -->

What Tidings can read, and how sure we are. **Tested on hardware** says whether we ourselves have
used the device; **evidence** says what our knowledge rests on where we have not. Decoders are
tested with frames of real devices in `tests/recordings/`, sessions with simulated devices.
To add a model, add an entry to `devices/catalogue` and a recording of its frames.
"""


def page(models: Sequence[Model], unsupported: Sequence[Unsupported]) -> str:
    """Return the page."""
    named = [model for model in models if not model.is_generic]
    generic = [model for model in models if model.is_generic]
    parts = [
        _HEAD,
        "## Known models\n",
        _table(_MODEL_HEAD, (_row(model) for model in named)),
        "## Any device of a standard profile\n",
        _table(_MODEL_HEAD, (_row(model) for model in generic)),
        "## How each model is treated\n",
        *(_details(model) for model in named),
        "## Not supported\n",
        _table(
            ("Maker", "Model", "Why"),
            ((each.maker, each.name, each.reason) for each in unsupported),
        ),
    ]
    return "\n".join(parts)


_MODEL_HEAD = ("Maker", "Model", "Measures", "Pairing", "Tested on hardware", "Evidence")


def _row(model: Model) -> tuple[str, ...]:
    return (
        model.maker,
        model.name,
        ", ".join(kind.replace("_", " ") for kind in model.kinds),
        model.pairing.replace("_", " "),
        "yes" if model.tested_on_hardware else "no",
        _EVIDENCE[model.evidence],
    )


def _details(model: Model) -> str:
    lines = [f"### {model.maker} {model.name}\n", f"Key `{model.key}`. Source: {model.source}.\n"]
    lines += [f"- {fact}" for fact in (*_facts(model), *model.notes)]
    return "\n".join(lines) + "\n"


def _facts(model: Model) -> Iterable[str]:
    """What the gateway does differently for this model, in words."""
    if model.name_pattern:
        yield f"Recognised by its name: `{model.name_pattern}`."
    if model.passkey_found:
        yield f"Passkey: {model.passkey_found}."
    if model.clock is not None:
        deadline = model.clock.deadline_s
        soon = "" if deadline is None else f", within {deadline:g} s of the encrypted link"
        yield f"Clock written to {model.clock.characteristic} in {model.clock.service}{soon}."
    yield from (fact for told, fact in _flags(model) if told)
    if model.averaging:
        yield f"Averaging: {model.averaging}."
    if model.weight_step_kg is not None:
        yield f"Weighs in steps of {model.weight_step_kg:g} kg."


def _flags(model: Model) -> Iterable[tuple[bool, str]]:
    yield model.racp, "Stored records are asked for, from the last one seen."
    yield model.streams_on_subscribe, "Sends its stored records when subscribed to."
    yield model.dump_then_disconnect, "Sends what it has, then hangs up."
    yield model.deletes_after_transfer, "Deletes its records once they are sent."
    yield model.last_value_wins, "Only the last value of a session counts."
    yield model.silent_until_bonded, "Shows nothing before it is bonded."
    yield model.consent, "Needs a user slot and consent code."
    yield bool(model.aliases), "Also recognised by the maker's own service."
    yield model.quirk is not None, "Read by a decoder of its own."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
