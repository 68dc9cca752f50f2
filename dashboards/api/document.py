"""The OpenAPI document: made from the API's routes alone; errors, scopes and links added."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from dashboards.api import (
    access,
    admin,
    audit,
    billing,
    corrections,
    edge,
    enrolments,
    episodes,
    fleet,
    hubs,
    me,
    minutes,
    months,
    papers,
    patients,
    replays,
    rota,
    rules,
    views,
    work,
    worklist,
)
from dashboards.api.edge import Problem
from dashboards.permissions import Verb

MODULES = (
    *(me, worklist, views, episodes, patients, enrolments, corrections, work, minutes),
    *(rota, fleet, hubs, billing, months, papers, rules, replays),
    *(admin, access, audit),
)
router = APIRouter(include_in_schema=False)
Json = dict[str, Any]
SUMMARY = (
    "Everything that the staff pages do, with the same authorisation. Send "
    "`Authorization: Bearer tdg_...`; an administrator makes tokens under Admin, API tokens. "
    "Times are UTC, severities critical, high, medium, low; units are UCUM and named where they "
    "matter. Every error is a problem document (RFC 9457). Every look and every change is audited."
)
ERRORS = {
    "400": "The body cannot be read.",
    "401": "No token, or one that is revoked or expired.",
    "403": "The role or the token does not allow it.",
    "404": "There is no such thing in this organisation.",
    "409": "Not possible as things are; `reason` says why.",
    "422": "A value is missing or wrong; `errors` says which.",
}
BARE_ACTS = frozenset({"claim", "release", "undo", "take_next"})
"""They take no body and answer with what they changed, or refuse."""
FROM_LISTS = {
    ("worklist", "patient_id"): "items/0/patient_id",
    ("worklist", "episode_id"): "items/0/id",
    ("recent_patients", "patient_id"): "items/0/id",
    ("search_patients", "patient_id"): "items/0/id",
    ("readings", "reading_id"): "items/0/reading_id",
    ("identity_review", "quarantine_id"): "items/0/id",
    ("tasks", "task_id"): "items/0/id",
    ("patient_tasks", "task_id"): "items/0/id",
    ("add_task", "task_id"): "id",
    ("time", "entry_id"): "entries/0/id",
    ("users", "staff_id"): "items/1/id",
    ("teams", "team_id"): "items/0/id",
    ("saved_views", "view_id"): "items/0/view/id",
    ("rotas", "rota_id"): "items/0/id",
    ("rotas", "layer_id"): "items/0/layers/0/id",
    ("rotas", "override_id"): "items/0/stand_ins/0/id",
    ("gateways", "gateway_id"): "items/0/id",
    ("devices", "device_id"): "items/0/id",
    ("gateway", "order_id"): "orders/0/id",
    ("patient_papers", "consent_id"): "consents/0/id",
    ("patient_papers", "device_id"): "devices/0/id",
    ("patient_limits", "rule_id"): "rules/0/id",
    ("patient_limits", "limit_id"): "own/0/id",
    ("enrolments", "enrolment_id"): "items/0/id",
    ("begin_draft", "version_id"): "id",
    ("rule_versions", "version_id"): "items/0/id",
    ("ask_what_if", "replay_id"): "id",
    ("broken_glass", "glass_id"): "items/0/id",
    ("billing_patients", "patient_id"): "items/0/patient_id",
    ("billing_findings", "finding_id"): "items/0/id",
    ("start_billing_job", "job_id"): "id",
    ("start_replay", "replay_id"): "id",
    ("billing_month", "file_id"): "files/0/id",
    ("billing_patient", "line_id"): "lines/0/line_id",
}
"""Where the ids come from that other operations take: the document's links."""


@cache
def document() -> Json:
    """Return the document."""
    bare = FastAPI(title="Tidings", version="1", description=SUMMARY)
    for module in MODULES:
        bare.include_router(module.router)
    made = bare.openapi()
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for unused in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(unused, None)
    wanted = dict(scopes())
    for _, operation in operations(made):
        operation["security"] = [{"token": []}]
        operation["x-scope"] = wanted[operation["operationId"]]
        operation["description"] = f"Needs the scope `{operation['x-scope']}`."
        operation["responses"] |= _errors(operation)
    _link(made)
    OpenAPI.model_validate(made)
    return made


@router.get("/api/v1/openapi.json")
async def openapi() -> JSONResponse:
    """The document; it holds nothing that is not in the source."""
    return JSONResponse(document())


def routes() -> Iterator[APIRoute]:
    """Yield every route of the API."""
    for module in MODULES:
        yield from (route for route in module.router.routes if isinstance(route, APIRoute))


def allowed(path: str) -> str:
    """Return the methods of whatever operations answer at a path, as `Allow` lists them."""
    found = {m for route in routes() if route.path_regex.match(path) for m in route.methods or ()}
    return ", ".join(sorted(found))


def scopes() -> Iterator[tuple[str, str]]:
    """Yield each operation with the scope it needs."""
    for route in routes():
        verbs = [getattr(each.call, "verb", None) for each in route.dependant.dependencies]
        yield route.name, next(verb.name.lower() for verb in verbs if isinstance(verb, Verb))


def operations(made: Json) -> Iterator[tuple[str, Json]]:
    """Yield each operation of a document after its method and path."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def table() -> str:
    """Return the operations as the table of docs/api.md."""
    rows = ["| operation | what it does | scope |", "| --- | --- | --- |"]
    for route in routes():
        method, path = min(route.methods or ()), route.path.removeprefix(edge.PREFIX)
        said = (route.endpoint.__doc__ or "").strip()
        rows.append(f"| `{method} {path}` | {said} | `{dict(scopes())[route.name]}` |")
    return "\n".join(rows)


def _errors(operation: Json) -> Json:
    """Return the errors that an operation may answer with."""
    given = {each["in"] for each in operation.get("parameters", [])}
    codes = ["401", "403"]
    codes += ["404"] if given else []
    codes += ["400"] if "requestBody" in operation else []
    codes += ["422"] if given or "requestBody" in operation else []
    responses = operation["responses"]
    codes += ["409"] if "200" not in responses or "requestBody" in operation else []
    codes += (
        ["409"] if operation["operationId"] in {"claim", "release", "undo", "take_next"} else []
    )
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses.pop("422", None)
    return {code: {"description": ERRORS[code], "content": problem} for code in sorted(set(codes))}


def _link(made: Json) -> None:
    """Say which answers hold the ids that other operations take."""
    named = {operation["operationId"]: (at, operation) for at, operation in operations(made)}
    for source in dict.fromkeys(source for source, _ in FROM_LISTS):
        places = {name: place for (of, name), place in FROM_LISTS.items() if of == source}
        answer = next(v for k, v in named[source][1]["responses"].items() if k.startswith("2"))
        held = _asked(named[source][0])
        for target, (at, _) in named.items():
            asks = _asked(at)
            if set(asks) & set(places) and set(asks) <= {*places, *held}:
                parameters = {each: _found(each, places) for each in asks}
                link = {"operationId": target, "parameters": parameters}
                answer.setdefault("links", {})[target] = link


def _asked(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _found(name: str, places: dict[str, str]) -> str:
    """Return where an answer, or else the request before it, holds an id."""
    return f"$response.body#/{places[name]}" if name in places else f"$request.path.{name}"
