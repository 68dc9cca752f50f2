"""The catalogue of known models, from catalogue/*.yaml: recognise a device by its advert."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec
import yaml

from devices import profiles
from devices.model import Model, Unsupported

_UNSUPPORTED = "unsupported.yaml"
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, ten times as fast, where the library was built with it."""


@cache
def known() -> tuple[Model, ...]:
    """Return every model; the generic profiles come last."""
    found = [msgspec.convert(entry, Model) for entries in _documents() for entry in entries]
    return tuple(sorted(found, key=lambda model: model.is_generic))


@cache
def unsupported() -> tuple[Unsupported, ...]:
    """Return the models that we know we cannot read, and why."""
    entries = _load(_folder() / _UNSUPPORTED)
    return tuple(msgspec.convert(entry, Unsupported) for entry in entries)


def match(
    *, name: str | None, services: Collection[str], manufacturer: Mapping[int, bytes]
) -> Model | None:
    """Return the model that an advert fits best, the generic profile if only that fits.

    Services may be short or 128-bit UUIDs; None means a device that is not ours to read.
    """
    offered = {profiles.short(service) for service in services}
    fits = [
        (model.fit(name=name, services=offered, manufacturer=manufacturer), model)
        for model in known()
    ]
    best = max(fits, key=lambda pair: pair[0])
    return best[1] if best[0] else None


def by_name(key: str) -> Model:
    """Return the model with this key; KeyError if there is none."""
    for model in known():
        if model.key == key:
            return model
    raise KeyError(key)


def entries() -> Iterator[Mapping[str, object]]:
    """Give the catalogue's entries as written, for those who check the data."""
    for document in _documents():
        yield from document


def _documents() -> Iterator[list[dict[str, object]]]:
    for file in sorted(_folder().iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml") and file.name != _UNSUPPORTED:
            yield _load(file)


def _load(file: resources.abc.Traversable) -> list[dict[str, object]]:
    document: list[dict[str, object]] = yaml.load(file.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  it is a safe one
    return document


def _folder() -> resources.abc.Traversable:
    return resources.files("devices") / "catalogue"
