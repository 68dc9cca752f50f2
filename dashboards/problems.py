"""Errors in the form that the caller can use: a page, a toast for htmx, or problem details."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from dashboards.wiring import wiring

SEE_OTHER = 303
UNAUTHORISED = 401
NO_MORE: Mapping[str, object] = MappingProxyType({})


def wants_html(request: Request) -> bool:
    """Whether the caller is a browser that navigates."""
    return "text/html" in request.headers.get("accept", "")


def for_programs(request: Request) -> bool:
    """Whether the caller came to the API."""
    return request.url.path.startswith("/api/")


def is_htmx(request: Request) -> bool:
    """Whether the caller is htmx on one of our pages."""
    return "hx-request" in request.headers


def answer(
    request: Request, status: int, title: str, reason: str, more: Mapping[str, object] = NO_MORE
) -> Response:
    """Answer with an error; `more` is for programs."""
    if for_programs(request):
        return problem_details(status, title, reason, more)
    if is_htmx(request):
        return wiring(request).pages.html(
            request, "parts/toast.html", status=status, toast=reason, toast_tone="danger", undo=""
        )
    if wants_html(request):
        return wiring(request).pages.html(
            request, "parts/refused.html", status=status, title=title, reason=reason
        )
    return problem_details(status, title, reason)


def shut(request: Request, patient_id: UUID, reason: str) -> Response:
    """Send a browser that navigates to where the glass can be broken; tell anybody else."""
    if request.method == "GET" and wants_html(request) and not is_htmx(request):
        return RedirectResponse(f"/patients/{patient_id}/open", SEE_OTHER)
    return answer(request, 403, "Not allowed", reason)


def problem_details(
    status: int, title: str, reason: str, more: Mapping[str, object] = NO_MORE
) -> JSONResponse:
    """Answer as RFC 9457 says."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": reason, **more}
    headers = {"WWW-Authenticate": "Bearer"} if status == UNAUTHORISED else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def sign_in_needed(request: Request) -> Response:
    """Send a browser to the sign-in page and back; tell anybody else."""
    if for_programs(request):
        return problem_details(UNAUTHORISED, "Token needed", "Send a token that is in force.")
    if is_htmx(request):
        headers = {"HX-Reswap": "none"}
        return Response(status_code=UNAUTHORISED, headers=headers)
    if request.method == "GET" and wants_html(request):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", SEE_OTHER)
    return problem_details(UNAUTHORISED, "Sign-in needed", "Sign in first.")
