"""The web process: `python -m dashboards`."""

import gc
import os
from collections.abc import Mapping
from datetime import UTC, datetime

import uvicorn

from dashboards.app import create
from dashboards.settings import from_environment


def wall_clock() -> datetime:
    """Return the time; everything below receives it as an argument."""
    return datetime.now(UTC)


def main(told: Mapping[str, str] | None = None) -> None:
    """Serve the staff application until told to stop; `told` goes before the environment."""
    settings = from_environment({**os.environ, **(told or {})}, wall_clock)
    app = create(settings)
    gc.collect()
    gc.freeze()  # what every request needs is never looked at again, so that no page waits for it
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,  # addresses carry record ids
        server_header=False,
        timeout_graceful_shutdown=3,
        proxy_headers=settings.https,
    )


if __name__ == "__main__":
    main()
