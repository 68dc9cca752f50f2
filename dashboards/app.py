"""The application: parts wired together, routes, what errors look like."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response

from dashboards import health, problems
from dashboards.access import routes as access
from dashboards.accounts import account, code, passkeys, signin, sso
from dashboards.admin import routes as admin
from dashboards.api import document
from dashboards.api import page as api_tokens
from dashboards.api.edge import ConflictError
from dashboards.audit import routes as audit
from dashboards.billing import finding as billing_finding
from dashboards.billing import routes as billing
from dashboards.billing import steps as billing_steps
from dashboards.door import MissingError, RefusedError, ShutError, SignInNeededError
from dashboards.fleet import hubs
from dashboards.fleet import routes as fleet
from dashboards.gateways import routes as gateways
from dashboards.headers import Guard
from dashboards.identity import routes as identity
from dashboards.live import routes as live
from dashboards.live.hub import Hub, running
from dashboards.metrics import Metrics
from dashboards.minutes import routes as minutes
from dashboards.pages import shared
from dashboards.paging import routes as paging
from dashboards.patients import finding, tabs
from dashboards.patients import routes as patients
from dashboards.rota import routes as rota
from dashboards.rules import limits as rule_limits
from dashboards.rules import routes as rules
from dashboards.rules import whatif
from dashboards.settings import Settings
from dashboards.views import routes as views
from dashboards.wiring import Wiring
from dashboards.work import routes as work
from dashboards.worklist import actions, asking
from dashboards.worklist import routes as worklist
from database.pool import open_pool

NOT_FOUND = 404
NOWHERE = ("Not found", "There is nothing at this address.")
ROUTERS = (
    *(signin, code, passkeys, sso, account, worklist, actions, asking),
    *(access, finding, minutes, tabs, patients, work),
    *(billing, billing_steps, billing_finding),
    *(rules, rule_limits, whatif, rota, views),
    *(fleet, hubs, gateways, identity, audit, admin, live, paging, health),
    *(document, *document.MODULES, api_tokens),
)


def create(settings: Settings) -> FastAPI:
    """Return the application; it connects when it starts and lets go when it ends."""
    pages = shared()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hub = Hub(settings.dsn, settings.clock)
        async with open_pool(settings.dsn, most=settings.connections) as pool, running(hub):
            app.state.wiring = Wiring(settings=settings, pool=pool, hub=hub, pages=pages)
            yield

    app = FastAPI(
        title="Tidings", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.metrics = Metrics()
    for module in ROUTERS:
        app.include_router(module.router)
    app.mount("/static", pages.assets)
    _answer_errors(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Guard, https=settings.https)
    app.state.metrics.watch(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    """Say what went wrong in the form that the caller can use."""

    async def sign_in(request: Request, _: Exception) -> Response:
        return problems.sign_in_needed(request)

    async def refused(request: Request, error: Exception) -> Response:
        return problems.answer(request, 403, "Not allowed", str(error))

    async def shut(request: Request, error: Exception) -> Response:
        return problems.shut(request, cast("ShutError", error).patient_id, str(error))

    async def missing(request: Request, _: Exception) -> Response:
        return problems.answer(request, NOT_FOUND, *NOWHERE)

    async def invalid(request: Request, error: Exception) -> Response:
        wrong = cast("RequestValidationError", error).errors()
        told = [{"at": "/".join(map(str, e["loc"])), "detail": str(e["msg"])} for e in wrong]
        words = "A value is missing or wrong."
        return problems.answer(request, 422, "Not understood", words, {"errors": told})

    async def conflict(request: Request, error: Exception) -> Response:
        more = {"reason": cast("ConflictError", error).reason}
        return problems.answer(request, 409, "Not possible", str(error), more)

    async def raised(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        words = str(error.detail) if isinstance(error, HTTPException) else "Something went wrong."
        title, reason = NOWHERE if code == NOT_FOUND else (words, words)
        answer = problems.answer(request, code, title, reason)
        answer.headers.update(_told(request, error))
        return answer

    async def broken(request: Request, error: Exception) -> Response:
        if problems.for_programs(request):
            return await raised(request, error)
        return PlainTextResponse("Internal Server Error", 500)

    app.add_exception_handler(SignInNeededError, sign_in)
    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(ShutError, shut)
    app.add_exception_handler(MissingError, missing)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ConflictError, conflict)
    app.add_exception_handler(HTTPException, raised)
    app.add_exception_handler(Exception, broken)


def _told(request: Request, error: Exception) -> dict[str, str]:
    """Return an error's headers; `Allow` of the API names every method of an address."""
    headers = dict(getattr(error, "headers", None) or {})
    if "Allow" in headers and problems.for_programs(request):
        headers["Allow"] = document.allowed(request.url.path)
    return headers
