"""What the web process measures of itself."""

import time

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5)


class Metrics:
    """One registry a process; labels are route patterns, never addresses."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ["method", "route", "status"]
        self.requests = Counter(
            "tidings_web_requests", "Requests answered.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "tidings_web_request_seconds",
            "Time to answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.audience = Gauge(
            "tidings_web_live_browsers", "Browsers listening.", registry=self.registry
        )

    def watch(self, app: FastAPI) -> None:
        """Measure every request of an application."""
        app.add_middleware(_Watch, metrics=self)


class _Watch:
    """ASGI middleware that counts."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            if route != "/events":
                spent = time.perf_counter() - began
                self.metrics.seconds.labels(scope["method"], route).observe(spent)
