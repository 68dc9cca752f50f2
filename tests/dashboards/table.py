"""The route table, and what each route asks for: tests are made from it, so none is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from dashboards.app import create
from dashboards.permissions import Verb
from dashboards.settings import Settings

OPEN = {
    "/", "/login", "/login/code", "/healthz", "/metrics", "/gateways/enrol", "/page/{token}",
    "/api/v1/openapi.json", "/login/passkey", "/login/passkey/options", "/login/sso/{name}",
    "/login/sso/{name}/done",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, with the whole path at which it answers."""

    path: str
    name: str
    methods: frozenset[str]
    dependant: Dependant


def routes() -> list[Route]:
    """Every route of ours, without the parts that only start with a database."""
    app = create(Settings(dsn="", clock=lambda: None))  # type: ignore[arg-type,return-value]  # never asked
    return list(_below("", app.routes))


def _below(prefix: str, found: list[BaseRoute]) -> Iterator[Route]:
    """What routers hold, however deep: one includes another under a prefix of its own."""
    for each in found:
        if isinstance(each, APIRoute):
            yield Route(
                path=prefix + each.path,
                name=each.name,
                methods=frozenset(each.methods or ()),
                dependant=each.dependant,
            )
        elif inside := getattr(each, "original_router", None):
            yield from _below(prefix + getattr(each, "include_context").prefix, inside.routes)  # noqa: B009 -- FastAPI's own, without a type


def verbs_of(route: Route) -> list[Verb]:
    """The verbs that the dependencies of a route ask for."""
    waiting, found = [route.dependant], []
    while waiting:
        each = waiting.pop()
        found += [v for v in [getattr(each.call, "verb", None)] if v]
        waiting += each.dependencies
    return found
