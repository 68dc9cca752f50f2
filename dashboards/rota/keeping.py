"""What is changed about rotas, hours and teams, for pages and programs: checked, then audited."""

from datetime import datetime
from uuid import UUID

from dashboards.door import MissingError, Visit
from dashboards.rota import form, store
from dashboards.rota.form import Filled, FormError
from dashboards.rota.store import Named


class StrangerError(FormError):
    """Somebody is named who does not work here."""


async def add_rota(visit: Visit, filled: Filled) -> None:
    """Begin a rota for some programmes, or for all."""
    zone = form.zone(filled.get("zone"))
    fields: dict[str, object] = {"zone": zone, "programmes": filled.all("programmes")}
    await _put(visit, "put_rota", "rota", filled, fields)


async def add_team(visit: Visit, filled: Filled) -> None:
    """Begin a team."""
    await _put(visit, "put_team", "team", filled, {})


async def set_hours(visit: Visit, filled: Filled) -> None:
    """Set opening hours and holidays."""
    fields = form.hours(filled)
    await store.change(visit.connection, "put_hours", **fields)
    await _record(visit, "hours", visit.staff.organisation_id, fields)


async def add_layer(visit: Visit, rota_id: UUID, filled: Filled) -> None:
    """Add a layer: people who take turns."""
    await _known(visit, rota_id)
    fields = form.layer(filled)
    await _work_here(visit, fields["members"])
    await store.change(visit.connection, "put_layer", rota_id=rota_id, **fields)
    await _record(visit, "rota", rota_id, {"what": "add a layer", **fields})


async def drop_layer(visit: Visit, rota_id: UUID, layer_id: UUID) -> None:
    """Take a layer away."""
    if not await store.change(visit.connection, "drop_layer", rota_id=rota_id, id=layer_id):
        raise MissingError
    await _record(visit, "rota", rota_id, {"what": "remove a layer", "layer": layer_id})


async def add_stand_in(visit: Visit, rota_id: UUID, filled: Filled) -> None:
    """Let somebody stand in for a while."""
    named = await _known(visit, rota_id)
    fields = form.stand_in(filled, named.time_zone)
    await _work_here(visit, [fields["staff_id"]])
    await store.change(visit.connection, "put_override", rota_id=rota_id, **fields)
    await _record(visit, "rota", rota_id, {"what": "stand in", **fields})


async def drop_stand_in(visit: Visit, rota_id: UUID, override_id: UUID) -> None:
    """Take a stand-in back."""
    if not await store.change(visit.connection, "drop_override", rota_id=rota_id, id=override_id):
        raise MissingError
    await _record(visit, "rota", rota_id, {"what": "no stand-in", "override": override_id})


async def add_member(visit: Visit, team_id: UUID, staff_id: UUID) -> None:
    """Add somebody to a team: its patients become theirs to see."""
    if not await store.knows(visit.connection, "team", team_id=team_id):
        raise MissingError
    await _work_here(visit, [staff_id])
    told = {"team_id": team_id, "staff_id": staff_id}
    if await store.change(visit.connection, "put_member", **told):
        await _record(visit, "team", team_id, {"what": "add", "staff": staff_id})


async def drop_member(visit: Visit, team_id: UUID, staff_id: UUID) -> None:
    """Take somebody out of a team."""
    told = {"team_id": team_id, "staff_id": staff_id}
    if not await store.change(visit.connection, "drop_member", **told):
        raise MissingError
    await _record(visit, "team", team_id, {"what": "remove", "staff": staff_id})


async def _put(
    visit: Visit, query: str, kind: str, filled: Filled, fields: dict[str, object]
) -> None:
    """Make something that has a name of its own."""
    name = filled.get("name")[:80]
    if not name:
        raise FormError("Give it a name.")
    fields = {"name": name, **fields}
    if not await store.change(visit.connection, query, **fields):
        raise FormError("That name is taken.")
    await _record(visit, kind, "new", fields)


async def _known(visit: Visit, rota_id: UUID) -> Named:
    named = await store.rotas(visit.connection)
    found = next((each for each in named if each.id == rota_id), None)
    if found is None:
        raise MissingError
    return found


async def _work_here(visit: Visit, staff: object) -> None:
    wanted = staff if isinstance(staff, list) else []
    if not await store.knows_all(visit.connection, wanted):
        raise StrangerError("Choose people who work here.")


async def _record(visit: Visit, kind: str, what: object, told: dict[str, object]) -> None:
    """Keep the change on the trail, values as text."""
    detail = {name: _text(value) for name, value in told.items()}
    await visit.record("change", kind, what, detail=detail)


def _text(value: object) -> object:
    if isinstance(value, list):
        return [str(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)
