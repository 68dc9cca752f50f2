"""What every part of the API shares: its router, pages of a list, words, refusals."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from dashboards.door import RefusedError
from dashboards.faces import SEVERITIES
from devices.reading import UNITS, Kind

PREFIX = "/api/v1"
DEVICE = "^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,99}$"
"""What a device may be called in an address."""
Item = TypeVar("Item")


class ConflictError(Exception):
    """Understood and allowed, but not possible as things are; the words may be shown."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@contextmanager
def refusing(reason: str) -> Iterator[None]:
    """Turn what a page refuses in words into a conflict with a reason for programs."""
    try:
        yield
    except RefusedError as error:
        raise ConflictError(reason, str(error)) from error


class Asked(BaseModel):
    """A request body: unknown fields are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """Part of an answer, read from the values that the pages show."""

    model_config = ConfigDict(from_attributes=True)


class Page(Told, Generic[Item]):
    """A list, or one page of it."""

    items: list[Item]
    next: Annotated[
        str, Field(description="Give it back as `after` for the next page; empty: the end.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[Item]):
    """What becomes a `Page`."""

    items: Sequence[Item]
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """Something that was made."""

    id: UUID


class Made(Told):
    """Something that was made."""

    id: Annotated[UUID, Field(description="Under which it can be asked for.")]


class Problem(BaseModel):
    """An error, as RFC 9457 says; `reason` and `errors` are ours."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="A sentence that may be shown to a person.")]
    reason: Annotated[str, Field(description="Why, as one word for programs.")] = ""
    errors: Annotated[list[dict[str, str]], Field(description="Which values, and why.")] = []


def _from_words(value: object) -> object:
    """Take a date as JSON writes it, not as a number."""
    if not isinstance(value, str | date):
        raise ValueError("give a date as text")  # noqa: TRY004 -- pydantic reports ValueErrors
    return value


def _whole(value: object) -> object:
    """Take 7.0 as 7: JSON knows no difference."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""After the bounds of a strict integer."""
Text = Annotated[str, Field(pattern="^[^\\x00]*$")]
"""The database stores no NUL."""
Reason = Annotated[
    str, Field(pattern="^[^\\x00]*$", max_length=300, description="Why; kept on the trail.")
]
SeverityWord = Annotated[
    str,
    BeforeValidator(lambda level: SEVERITIES.get(level, level)),
    Field(description="How bad.", json_schema_extra={"enum": list(SEVERITIES.values())}),
]
Moment = Annotated[datetime, Field(description="UTC.")]
GivenMoment = Annotated[AwareDatetime, BeforeValidator(_from_words)]
GivenDate = Annotated[date, BeforeValidator(_from_words)]
Month = Annotated[str, Field(pattern="^20[0-9][0-9]-(0[1-9]|1[0-2])$", description="2026-09.")]


def unit(kind: str) -> str:
    """Return the UCUM unit in which values of a kind are stored."""
    return UNITS[Kind(kind)] if kind in set(Kind) else ""


def router(tag: str) -> APIRouter:
    """Return a router whose operations are called what their functions are called."""
    named: Callable[[APIRoute], str] = lambda route: route.name  # noqa: E731 -- typed
    return APIRouter(prefix=PREFIX, tags=[tag], generate_unique_id_function=named)


def once(ids: Sequence[UUID]) -> list[UUID]:
    """Return ids without repetition."""
    return sorted(set(ids))
