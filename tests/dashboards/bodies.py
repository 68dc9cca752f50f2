"""A body for every operation, made from its schema: a new operation cannot be forgotten."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import UploadFile
from fastapi.dependencies.models import Dependant
from pydantic import TypeAdapter

from dashboards.api import document

Schema = Mapping[str, Any]
NAMED = {"owner": "patient_id", "ids": "episode_id", "members": "staff_id"}
"""Fields whose ids are called something else in addresses."""


def body(operation_id: str, ids: Mapping[str, object]) -> object:
    """The smallest body that an operation takes, with these ids wherever it asks for one."""
    made = document.document()
    named = {each["operationId"]: each for _, each in document.operations(made)}
    if "requestBody" not in named[operation_id]:
        return None
    schema = named[operation_id]["requestBody"]["content"]["application/json"]["schema"]
    return _value("", schema, made["components"]["schemas"], ids)


def form(dependant: Dependant, ids: Mapping[str, object]) -> dict[str, str]:
    """The fields of a page's form, each with something that fits."""
    found: dict[str, object] = {}
    for each in dependant.body_params:
        if each.field_info.annotation is UploadFile:
            continue
        schema = TypeAdapter(each.field_info.annotation).json_schema()
        inside = schema.get("properties", {each.name: schema})
        shared = schema.get("$defs", {})
        found |= {name: _value(name, one, shared, ids) for name, one in inside.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def asks_for_ids(operation_id: str) -> bool:
    """Whether its body names things."""
    return "FOREIGN" in str(body(operation_id, _Any()))


class _Any(dict[str, object]):
    """Ids that are all the same word."""

    def get(self, *_: object) -> str:  # type: ignore[override]  # narrower on purpose
        return "FOREIGN"


def _value(name: str, schema: Schema, shared: Schema, ids: Mapping[str, object]) -> object:
    if "$ref" in schema:
        return _value(name, shared[schema["$ref"].rpartition("/")[2]], shared, ids)
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], shared, ids)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("required", [])
        inside = schema.get("properties", {})
        return {each: _value(each, inside[each], shared, ids) for each in wanted}
    if kind == "array":
        return [_value(name, schema["items"], shared, ids)]
    plain = {"integer": 5, "number": 5, "boolean": True}
    return plain[kind] if kind in plain else _text(name, schema, ids)


def _text(name: str, schema: Schema, ids: Mapping[str, object]) -> str:
    if "examples" in schema:
        return str(schema["examples"][0])
    now = datetime.now(UTC)
    match schema.get("format"):
        case "uuid":
            return str(ids.get(NAMED.get(name, name)))
        case "date":
            return now.date().isoformat()
        case "date-time":
            return (now - timedelta(hours=1)).isoformat()
    return f"{now:%f}@new.invalid" if name == "email" else "x" * max(schema.get("minLength", 1), 1)
