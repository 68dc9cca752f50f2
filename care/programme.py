"""Care programmes as data: who takes part, which alert profiles apply, whose queue it goes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from care import predicate
from care.predicate import DefinitionError, Facts, Predicate

DEFAULT_QUEUE = "rn_triage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where an alert goes when the condition holds; `sla_factor` shortens the time to respond."""

    when: Predicate
    queue: str
    sla_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One version of one care model; immutable once a patient is enrolled on it."""

    id: str
    model: str
    version: str
    eligibility: Predicate
    roles: tuple[str, ...]
    profiles: tuple[str, ...]
    """Alert profiles; `inherit` means those of the patient's other programmes."""
    routes: tuple[Route, ...]
    severity_up: int = 0
    """How many steps more severe its alerts are (care transitions: one, for 30 days)."""


def route(programme: Programme, facts: Facts) -> tuple[str, float]:
    """Return the queue and SLA factor for an alert; the first route that holds wins."""
    for candidate in programme.routes:
        if candidate.when.holds(facts):
            return candidate.queue, candidate.sla_factor
    return DEFAULT_QUEUE, 1.0


@cache
def programmes() -> Mapping[str, Programme]:
    """Return every programme that ships, by id; DefinitionError if one cannot be used."""
    files = resources.files("care").joinpath("programmes").iterdir()
    texts = [f.read_text(encoding="utf-8") for f in files if f.name.endswith(".yaml")]
    loaded = [_load(yaml.safe_load(text)) for text in texts]
    return {programme.id: programme for programme in sorted(loaded, key=lambda p: p.id)}


def _load(data: object) -> Programme:
    """Parse one definition."""
    if not isinstance(data, Mapping) or "id" not in data:
        raise DefinitionError("a programme is a mapping with an id")
    where = str(data["id"])
    try:
        monitoring = data["monitoring"]
        return Programme(
            id=where,
            model=data["model"],
            version=str(data["version"]),
            eligibility=predicate.load(
                data["population"]["eligibility"], where=f"{where}.eligibility"
            ),
            roles=tuple(member["role"] for member in data["team"]),
            profiles=tuple(monitoring["profiles"]),
            routes=tuple(_route(entry, where) for entry in data.get("routing", ())),
            severity_up=monitoring.get("boost", {}).get("severity_up", 0),
        )
    except (KeyError, TypeError) as error:
        raise DefinitionError(f"{where}: {error!r} is missing or of the wrong form") from error


def _route(entry: Mapping[str, object], where: str) -> Route:
    factor = entry.get("sla_factor", 1.0)
    if not isinstance(factor, int | float) or factor <= 0:
        raise DefinitionError(f"{where}.routing: sla_factor {factor!r} is not a positive number")
    when = predicate.load(entry["when"], where=f"{where}.routing")
    return Route(when=when, queue=str(entry["queue"]), sla_factor=float(factor))
