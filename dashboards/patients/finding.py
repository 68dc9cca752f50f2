"""Finding a patient: names and numbers travel in the body, never in an address."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse

from dashboards.door import Visit, holding
from dashboards.patients import store
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/patients", tags=["patients"])
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
MOST = 50
SHORTEST = 2


@router.get("", response_class=HTMLResponse)
async def recent(request: Request, visit: Looking) -> HTMLResponse:
    """Search, and the people one looked at last."""
    found = await store.recent(visit.connection, f"staff:{visit.staff.id}", 20)
    return wiring(request).pages.html(
        request,
        "patients/search.html",
        await shell(visit, "patients"),
        found=found,
        wanted="",
        heading="You looked at these last",
    )


@router.post("/search", response_class=HTMLResponse)
async def search(
    request: Request, visit: Looking, wanted: Annotated[str, Form(max_length=80)] = ""
) -> HTMLResponse:
    """Patients by name, record number, birth date or telephone."""
    text = " ".join(wanted.split())
    enough = len(text) >= SHORTEST
    found = await looked_up(visit, text) if enough else []
    heading = f"{len(found)} found" if len(found) < MOST else f"First {MOST} found: say more"
    return wiring(request).pages.html(
        request,
        "patients/search.html",
        await shell(visit, "patients"),
        found=found,
        wanted=text,
        heading=heading if enough else "Type at least two letters",
    )


async def looked_up(visit: Visit, text: str) -> list[store.Found]:
    """Search; whom it showed is on the trail."""
    found = await store.search(visit.connection, _literal(text), MOST)
    await visit.record(
        "look", "search", "patients", detail={"patients": [str(each.id) for each in found]}
    )
    return found


def _literal(text: str) -> str:
    """Take away what LIKE would read as a pattern."""
    return text.replace("\\", "").replace("%", "").replace("_", "")
