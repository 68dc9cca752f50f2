"""Founds a clinic on a real server: an organisation, its first administrator, its last resort.

`python -m deploy.clinic --name "..." --time-zone America/New_York --email ada@clinic.example
--person "Ada Example" [--last-resort mailto://...]`; everybody else is added in the browser.
"""

import argparse
import os
import secrets
import sys
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import psycopg

from dashboards.accounts import passwords
from database import sql
from database.pool import connect

DSN = "TIDINGS_WORKER_DSN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """What a clinic begins with."""

    name: str
    time_zone: str
    email: str
    person: str
    last_resort: str = ""


def found(connection: psycopg.Connection[tuple[Any, ...]], clinic: Clinic, password: str) -> UUID:
    """Write it in one transaction, with its line in the audit trail; return the organisation."""
    if clinic.time_zone not in available_timezones():
        raise ValueError(f"{clinic.time_zone!r} is no time zone: say America/New_York or the like")
    queries = sql.load("deploy")
    with connection.transaction():
        told = {"name": clinic.name, "time_zone": clinic.time_zone}
        row = connection.execute(queries["found_organisation"], told).fetchone()
        if row is None:
            raise ValueError(f"there is an organisation {clinic.name!r} already")
        organisation: UUID = row[0]
        account = {
            "organisation": organisation,
            "email": clinic.email.lower(),
            "person": clinic.person,
            "hash": passwords.hashed(password),
        }
        connection.execute(queries["found_administrator"], account)
        if clinic.last_resort:
            resort = {"organisation": organisation, "address": clinic.last_resort}
            connection.execute(queries["found_last_resort"], resort)
        connection.execute(queries["found_audit"], {"organisation": organisation})
    return organisation


def main() -> None:
    """Read the command line, found the clinic, and print the first password once."""
    parser = argparse.ArgumentParser(prog="python -m deploy.clinic", description=__doc__)
    parser.add_argument("--name", required=True, help="of the organisation")
    parser.add_argument("--time-zone", required=True, help="IANA name; billing months use it")
    parser.add_argument("--email", required=True, help="of the first administrator")
    parser.add_argument("--person", required=True, help="the administrator's name")
    parser.add_argument("--last-resort", default="", help="apprise address for pages nobody takes")
    given = parser.parse_args()
    if not os.environ.get(DSN):
        parser.error(f"{DSN} is not set")
    password = secrets.token_urlsafe(16)
    try:
        with connect(os.environ[DSN], autocommit=True) as connection:
            organisation = found(connection, Clinic(**vars(given)), password)
    except (ValueError, psycopg.Error) as error:
        sys.exit(f"clinic: {str(error).splitlines()[0]}")
    print(f"{given.name}: {organisation}")
    print(f"{given.email} signs in with {password}; it is not shown again")


if __name__ == "__main__":
    main()
