"""How rows, events and outcomes look in words. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType

from care.programme import programmes
from dashboards import faces
from dashboards.patients import rules
from dashboards.patients.limits import Limits, baseline, limits
from dashboards.worklist.store import Episode, Happening
from devices.reading import Kind

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "open": "Alert opened",
        "attach": "Another reading joined",
        "raise": "Severity rose",
        "downgrade": "Severity fell",
        "claim": "claimed it",
        "release": "released it",
        "take_over": "took over",
        "snooze": "snoozed it",
        "unsnooze": "ended the snooze",
        "wake": "Snooze ended",
        "escalate": "escalated it",
        "wait": "is waiting for an answer",
        "resolve": "resolved it",
        "undo": "undid it",
        "reopen": "reopened it",
        "cosign": "co-signed",
        "hand_over": "handed it over",
        "note": "wrote",
        "lease_over": "Claim lapsed",
        "page": "Page sent",
    }
)


def respond(row: Episode, now: datetime) -> faces.Respond:
    """Return a row's respond-in cell."""
    return faces.respond(row.due_at, row.opened_at, now)


def _limits(row: Episode, now: datetime) -> Limits:
    """The limits of the leading measurement."""
    of_rules = _of_rules(
        row.kind,
        row.birth_date,
        row.time_zone,
        (tuple(row.conditions), tuple(row.traits), tuple(row.programmes), tuple(row.profiles)),
        now.replace(minute=0, second=0, microsecond=0),
    )
    own = baseline(row.sparkline) if row.kind == Kind.WEIGHT else None
    return of_rules.against(own)


@lru_cache(maxsize=20_000)
def _of_rules(
    kind: str, born: date, zone: str, facts: tuple[tuple[str, ...], ...], hour: datetime
) -> Limits:
    """What the rules say, found once an hour: the same rows are drawn again and again."""
    conditions, traits, programmes, profiles = facts
    who = rules.subject(
        birth_date=born,
        conditions=conditions,
        traits=traits,
        stays=[rules.stay(",".join(programmes), profiles, rules.LONG_AGO)],
        zone=zone,
    )
    return limits(kind, rules.in_force(who, hour))


def spark(row: Episode, now: datetime) -> faces.Spark | None:
    """Return a row's sparkline with its target band."""
    if len(row.sparkline) < 2:  # noqa: PLR2004 -- a line needs two points
        return None
    low, high = _limits(row, now).band
    return faces.spark(row.sparkline, low, high)


def spark_tone(row: Episode) -> str:
    """Return whether the last value is outside: the dot's colour."""
    return "out" if row.severity <= 2 else "in"  # noqa: PLR2004 -- critical and high


def sentence(event: Happening) -> str:
    """Return one line of the timeline."""
    words = ACTIONS.get(event.action, faces.humane(event.action))
    if event.action == "note":
        return f"{event.by_name or 'Somebody'}: {event.reason}"
    if event.by_name:
        return f"{event.by_name} {words[:1].lower()}{words[1:]}"
    return f"{words}: {event.headline}" if event.headline else words


def facts(computed: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the compared values of an alert as name and text."""
    return [
        (faces.humane(name), _text(value))
        for name, value in computed.items()
        if value not in (None, "", [], {})
    ]


def programme(name: str) -> str:
    """Return a care programme's name."""
    known = programmes().get(name)
    return known.model if known else faces.humane(name)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{faces.humane(str(k))} {_text(v)}" for k, v in value.items())
    return str(value)


FILTERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "respond": respond,
        "spark": spark,
        "spark_tone": spark_tone,
        "sentence": sentence,
        "facts": facts,
        "programme": programme,
        "tel": lambda number: "".join(c for c in number if c.isdigit() or c == "+"),
    }
)
