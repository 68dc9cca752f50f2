"""What the routes share: settings, pool, live hub, templates; built once by `app.create`."""

from dataclasses import dataclass, field
from typing import cast

from fastapi import Request
from psycopg_pool import AsyncConnectionPool

from dashboards.live.hub import Hub
from dashboards.pages import Pages
from dashboards.settings import Settings
from dashboards.throttle import Throttle
from dashboards.worklist.lately import Lately
from dashboards.worklist.looks import Looks
from dashboards.worklist.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The long-lived parts of one web process."""

    settings: Settings
    pool: AsyncConnectionPool
    hub: Hub
    pages: Pages
    tally: Tally = field(default_factory=Tally)
    looks: Looks = field(default_factory=Looks)
    lately: Lately = field(default_factory=Lately)
    sign_in_throttle: Throttle = field(default_factory=Throttle)


def wiring(request: Request) -> Wiring:
    """Return the parts of the application that a request came to."""
    return cast("Wiring", request.app.state.wiring)
