"""The answer to an action: the rows that changed, the pane's buttons, the counts, one toast."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from starlette.responses import HTMLResponse

from alerts.lifecycle import Outcome, Refusal
from dashboards.door import MissingError, Visit
from dashboards.wiring import wiring
from dashboards.worklist import gather, store
from dashboards.worklist.filters import Filters

CONFLICT = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to say once it is done."""

    said: str
    undo: bool = False
    opens: UUID | None = None
    """The episode that the pane shows next."""


async def answer(
    request: Request, visit: Visit, episode_id: UUID, done: Outcome, to_say: Answer
) -> HTMLResponse:
    """Render what an action changed; a refusal repairs the row and says why."""
    if done is Refusal.NOT_FOUND:
        raise MissingError
    wired = wiring(request)
    shown = await gather.pane(visit, episode_id)
    was_refused = isinstance(done, Refusal)
    wanted = [episode_id] + ([to_say.opens] if to_say.opens else [])
    rows = await store.by_id(visit.connection, wanted)
    context = gather.shared(visit, shown_filters(request))
    context |= await gather.counted(visit, wired.tally, fresh=True)
    response = wired.pages.html(
        request,
        "worklist/answer.html",
        context,
        status=CONFLICT if was_refused else 200,
        rows=rows,
        gone={row.id for row in rows if row.closed_at},
        pane=shown,
        toast=_words(done, shown, to_say.said),
        toast_tone="danger" if was_refused else "",
        undo=f"/episodes/{episode_id}/undo" if to_say.undo and not was_refused else "",
        problem="",
    )
    if not was_refused:
        response.headers["Tidings-Done"] = json.dumps(_events(shown, to_say))
    return response


def shown_filters(request: Request) -> Filters:
    """Return the filters of the page that asked."""
    return Filters.of_page(request.headers.get("hx-current-url", ""))


def _words(done: Outcome, shown: gather.Pane, said: str) -> str:
    """Return the toast's words."""
    if isinstance(done, Refusal):
        if done is Refusal.TAKEN and shown.row.owner_name:
            return f"{shown.row.owner_name} has {shown.row.name} already."
        return str(done.value)
    return f"{said} {shown.row.name}"


def _events(shown: gather.Pane, to_say: Answer) -> dict[str, object]:
    """What the page's script is told: ids only."""
    told: dict[str, object] = {"id": str(shown.row.id), "closed": shown.row.closed_at is not None}
    if to_say.opens:
        told["opens"] = str(to_say.opens)
    return told


async def answer_many(
    request: Request, visit: Visit, done: Mapping[UUID, Outcome], said: str
) -> HTMLResponse:
    """Render what an action on several episodes changed, with the refusals counted."""
    wired = wiring(request)
    rows = await store.by_id(visit.connection, list(done))
    if not rows:
        raise MissingError
    refused = [outcome for outcome in done.values() if isinstance(outcome, Refusal)]
    context = gather.shared(visit, shown_filters(request))
    context |= await gather.counted(visit, wired.tally, fresh=True)
    words = f"{said} {len(done) - len(refused)}"
    if refused:
        words += f". {len(refused)} refused: {refused[0].value}"
    return wired.pages.html(
        request,
        "worklist/answer.html",
        context,
        rows=rows,
        gone=frozenset(),
        pane=None,
        toast=words,
        toast_tone="danger" if refused else "",
        undo="",
        problem="",
    )
