"""The API's document as a page for people: operations by subject, their scopes and bodies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from dashboards.api import document
from dashboards.api.document import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value that an operation takes."""

    name: str
    place: str
    """path, query or body."""
    kind: str
    required: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation as a person reads it."""

    tag: str
    method: str
    path: str
    scope: str
    words: str
    fields: tuple[Field, ...]


@cache
def subjects() -> list[tuple[str, list[Operation]]]:
    """Return every operation by its subject, in the document's order."""
    made = document.document()
    told = {route.name: (route.endpoint.__doc__ or "").strip() for route in document.routes()}
    found = [_operation(at, each, told, made) for at, each in document.operations(made)]
    ordered = sorted(found, key=lambda each: each.tag)
    return [(tag, list(several)) for tag, several in groupby(ordered, key=lambda each: each.tag)]


def _operation(at: str, operation: Json, told: Mapping[str, str], made: Json) -> Operation:
    method, _, path = at.partition(" ")
    shared = made["components"]["schemas"]
    return Operation(
        tag=operation["tags"][0],
        method=method,
        path=path,
        scope=operation["x-scope"],
        words=told[operation["operationId"]],
        fields=(*_parameters(operation), *_body(operation, shared)),
    )


def _parameters(operation: Json) -> Iterator[Field]:
    for each in operation.get("parameters", []):
        yield Field(
            name=each["name"],
            place=each["in"],
            kind=_kind(each["schema"]),
            required=each.get("required", False),
            words=each.get("description", ""),
        )


def _body(operation: Json, shared: Json) -> Iterator[Field]:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    whole = shared[_named(schema)] if "$ref" in schema else {}
    for name, each in whole.get("properties", {}).items():
        yield Field(
            name=name,
            place="body",
            kind=_kind(each),
            required=name in whole.get("required", []),
            words=each.get("description", ""),
        )


def _kind(schema: Json) -> str:
    """Return what kind of value it is, in a few words."""
    if "$ref" in schema:
        return _named(schema)
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))


def _named(schema: Json) -> str:
    return str(schema["$ref"].rpartition("/")[2])
