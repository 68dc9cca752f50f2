"""`/page/{token}`: the secret link of a page; looking changes nothing, the button takes it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerts import pages
from alerts.pages import Acknowledged
from dashboards.wiring import wiring

router = APIRouter(tags=["paging"])
GONE = 404
TOO_MANY = 429


@router.get("/page/{token}", include_in_schema=False)
async def ask(request: Request, token: str) -> Response:
    """Ask; a mail program that follows links to look at them must not take anything."""
    return _answer(request, token, None)


@router.post("/page/{token}", include_in_schema=False)
async def take(request: Request, token: str) -> Response:
    """Acknowledge for the person to whom this link was sent."""
    wired = wiring(request)
    now = wired.settings.clock()
    caller = request.client.host if request.client else ""
    if wired.sign_in_throttle.wait(f"page {caller}", now).total_seconds() > 0:
        return _answer(request, token, "Too many tries. Wait a minute.", status=TOO_MANY)
    async with wired.pool.connection() as connection, connection.transaction():
        done = await pages.acknowledge(connection, token, "link", now=now)
    if done is Acknowledged.UNKNOWN:
        return _answer(request, token, done.value, status=GONE)
    wired.sign_in_throttle.forgive(f"page {caller}")
    return _answer(request, token, done.value)


def _answer(request: Request, token: str, said: str | None, *, status: int = 200) -> Response:
    """The one small page, before and after."""
    return wiring(request).pages.html(
        request, "paging/page.html", status=status, token=token, said=said
    )
