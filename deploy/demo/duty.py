"""Who is on call in the demo, and where their pages go: a pager process on this machine."""

from typing import Any
from uuid import uuid5

import psycopg

from database import sql
from deploy.demo.clinic import ORGANISATION, TIME_ZONE

Connection = psycopg.Connection[tuple[Any, ...]]
ROTA = uuid5(ORGANISATION, "rota")
DUTIES = {
    "primary_on_call": ("maya", "jonah"),
    "secondary_on_call": ("jonah", "maya"),
    "charge_nurse": ("maya",),
    "supervising_provider": ("tess",),
    "medical_director": ("tess",),
}
"""Duty to logins, in the order of their weeks."""


def arrange(connection: Connection, *, pager: str) -> None:
    """Put the rota there once, and point everybody's pages at the pager that runs now."""
    queries = sql.load("deploy.demo")
    named = {"id": ROTA, "organisation": ORGANISATION, "time_zone": TIME_ZONE}
    with connection.transaction():
        if connection.execute(queries["rota"], named).fetchone() is not None:
            for duty, logins in DUTIES.items():
                members = [_staff(login) for login in logins]
                layer = {"organisation": ORGANISATION, "rota": ROTA, "duty": duty}
                connection.execute(queries["rota_layer"], {**layer, "members": members})
        connection.execute(queries["channels_forget"], named)
        for login in {login for logins in DUTIES.values() for login in logins}:
            person = {"organisation": ORGANISATION, "staff": _staff(login)}
            connection.execute(queries["channel"], {**person, "address": f"{pager}/{login}"})


def _staff(login: str) -> object:
    return uuid5(ORGANISATION, f"staff {login}")
