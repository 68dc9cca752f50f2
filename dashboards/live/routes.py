"""`/events`: the stream a page listens to; ids only, the page fetches what it may see."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, format_sse_event

from dashboards import door
from dashboards.accounts import sessions
from dashboards.caller import SignedIn
from dashboards.live.hub import Event, Hub
from dashboards.permissions import Verb
from dashboards.wiring import Wiring, wiring

QUIET_SECONDS = 8
router = APIRouter()


@router.get("/events", include_in_schema=False)
async def events(
    request: Request,
    who: Annotated[SignedIn, Depends(door.listener(Verb.SEE_WORKLIST))],
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """Stream the organisation's events to a signed-in browser."""
    stream = _stream(wiring(request), who, last_event_id)
    return EventSourceResponse(stream, headers={"X-Accel-Buffering": "no"})


async def _stream(wired: Wiring, who: SignedIn, last_event_id: str) -> AsyncIterator[bytes]:
    """Yield events as they come; a tick when it is quiet; the end when the session ends."""
    hub = wired.hub
    async with hub.subscribed(who.staff.organisation_id, last_event_id) as queue:
        yield format_sse_event(event="hello", data_str="{}", id=f"{hub.boot}-{hub.last}")
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), QUIET_SECONDS)
            except TimeoutError:
                if not await _still_signed_in(wired, who):
                    yield format_sse_event(event="signed-out", data_str="{}")
                    return
                yield format_sse_event(event="tick", data_str="{}")
                continue
            yield on_the_wire(hub, event)
            if event.name == "bye":
                return


def on_the_wire(hub: Hub, event: Event) -> bytes:
    """Return an event's bytes."""
    number = f"{hub.boot}-{event.number}"
    return format_sse_event(event=event.name, data_str=json.dumps(dict(event.data)), id=number)


async def _still_signed_in(wired: Wiring, who: SignedIn) -> bool:
    """Whether the session behind a long stream is still good."""
    settings = wired.settings
    async with wired.pool.connection() as connection:
        return await sessions.still(
            connection, who.session, now=settings.clock(), idle=settings.idle
        )
