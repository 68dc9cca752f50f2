"""What every page with the rail shows: who, where, when."""

from zoneinfo import ZoneInfo

from dashboards.access import store as access
from dashboards.door import Visit
from dashboards.navigation import NAVIGATION
from dashboards.permissions import home


async def shell(visit: Visit, here: str) -> dict[str, object]:
    """Return what the shell template asks for."""
    return {
        "visit": visit,
        "now": visit.now,
        "today": visit.now.astimezone(ZoneInfo(visit.zone)).date(),
        "zone": visit.zone,
        "here": here,
        "home": home(visit.staff.role),
        "navigation": NAVIGATION,
        "glass": await access.live(visit.connection, visit.staff, visit.now),
        "glass_waiting": await access.waiting(visit.connection, visit.staff),
    }
