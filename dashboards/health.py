"""`/healthz` and `/metrics`: for machines; no identities, no labels that grow."""

from fastapi import APIRouter, Request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from dashboards.metrics import Metrics
from dashboards.wiring import wiring

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz(request: Request) -> JSONResponse:
    """Whether pages can be served and live events are heard."""
    wired = wiring(request)
    async with wired.pool.connection() as connection:
        await connection.execute("select 1")
    live = wired.hub.listening.is_set()
    return JSONResponse({"status": "ok" if live else "not live"}, 200 if live else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus's view of this process."""
    measured: Metrics = request.app.state.metrics
    measured.audience.set(wiring(request).hub.audience)
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)
