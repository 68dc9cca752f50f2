"""Security headers on every answer, and refusal of unsafe requests from other sites."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FIXED: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    }
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED = "Cross-site request refused"
ELSEWHERE = "This request did not come from a page of ours and brings no token of its own."
FOR_BOXES = frozenset({"/gateways/enrol"})
"""No browser asks here and no cookie counts: the one-time code in the body is the whole proof."""


def comes_from_here(headers: Headers) -> bool:
    """Whether a browser says that our own page sent this request, or no browser sent it.

    Fetch metadata decide; Origin stands in for browsers without them. A request that carries
    neither is refused unless it brings its own bearer token instead of a cookie.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return headers.get("authorization", "").lower().startswith("bearer ")


class Guard:
    """ASGI middleware: the headers above, no-store by default, and the same-origin rule."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.fixed = dict(FIXED)
        if https:
            self.fixed["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if _is_unsafe(scope) and not comes_from_here(Headers(scope=scope)):
            refusal = JSONResponse(
                {"type": "about:blank", "title": REFUSED, "status": 403, "detail": ELSEWHERE},
                status_code=403,
                media_type="application/problem+json",
            )
            await refusal(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)


def _is_unsafe(scope: Scope) -> bool:
    """Whether the request could do something in the name of whoever is signed in."""
    if scope["path"].startswith("/api/") and "cookie" not in Headers(scope=scope):
        return False  # the door refuses it: no token, no session
    return scope["method"] not in SAFE and scope["path"] not in FOR_BOXES
