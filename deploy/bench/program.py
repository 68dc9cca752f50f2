"""A program that reads the worklist as any would: the web process, a token, one page at a time."""

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from subprocess import Popen
from urllib.parse import quote
from uuid import UUID

import psycopg

from dashboards.api import tokens
from deploy.bench import common
from deploy.bench.common import Servers

PATIENCE_S = 180


@contextmanager
def web(servers: Servers) -> Iterator[int]:
    """Run the staff application on a free port; yield the port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    told = {
        "TIDINGS_WEB_DSN": servers.postgres.dsn(user="tidings_web"),
        "TIDINGS_WEB_PORT": str(port),
    }
    process = common.spawn("dashboards", environment=told)
    try:
        _until_it_answers(port, process)
        yield port
    finally:
        process.kill()
        process.wait()


class Reader:
    """Reads critical lines; what it has read once it does not ask for again."""

    def __init__(self, port: int, token: str) -> None:
        """Keep one connection open."""
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._after = ""

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def critical(self) -> list[str]:
        """Return the record numbers of the lines on the newest page."""
        after = f"&after={quote(self._after)}" if self._after else ""
        target = f"/api/v1/worklist?view=all&sev=critical{after}"
        self._link.request("GET", target, headers=self._headers)
        answer = self._link.getresponse()
        body = json.loads(answer.read())
        if answer.status != http.client.OK:
            raise RuntimeError(f"{target}: {answer.status} {body}")
        if body["next"]:
            self._after = body["next"]
        return [line["mrn"] for line in body["items"]]


def token(servers: Servers, organisation: UUID) -> str:
    """Make a token that may see the worklist."""
    return asyncio.run(_minted(servers.postgres.dsn(user="tidings_web"), organisation))


async def _minted(dsn: str, organisation: UUID) -> str:
    now = datetime.now(UTC)
    wanted = tokens.Wanted(
        name="bench", role="nurse", scopes=("see_worklist",), expires_at=now + timedelta(days=1)
    )
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute(
            "select set_config('tidings.organisation', %s, true)", (str(organisation),)
        )
        _, text = await tokens.mint(connection, wanted, now)
    return text


def _until_it_answers(port: int, process: Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the web process did not start")
