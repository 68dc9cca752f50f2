"""Keeps sums, retention and billing months up to date: `python -m deploy.maintain [--every 600]`.

For a deployment whose alert process does not do so itself; several at once do no harm.
"""

import argparse
import asyncio
import os
import signal
import sys
from datetime import datetime

import psycopg
from psycopg_pool import AsyncConnectionPool

from database import sql
from database.maintenance import Maintained, maintain
from database.pool import open_pool
from deploy import judging

DSN = "TIDINGS_ALERTS_DSN"


async def upkeep(pool: AsyncConnectionPool) -> tuple[datetime, Maintained]:
    """Maintain once, by the database's clock, and note when: `tidings doctor` looks at it."""
    async with pool.connection() as connection:
        now = (await (await connection.execute(sql.load("deploy")["database_now"])).fetchall())[0][
            0
        ]
    done = await maintain(pool, now=now)
    async with pool.connection() as connection:
        await connection.execute(sql.load("deploy")["note"], {"name": "maintenance", "now": now})
    return now, done


async def run(dsn: str, every_s: float, stop: asyncio.Event) -> None:
    """Maintain until told to stop; once if there is no interval. A database away is waited for."""
    async with open_pool(dsn, most=1) as pool:
        while not stop.is_set():
            try:
                now, done = await upkeep(pool)
                judged = await asyncio.to_thread(judging.judge, dsn, now=now)
                print(
                    f"{now:%F %T} summed {done.summed}, removed {done.removed}, "
                    f"judged {judged} billing months",
                    flush=True,
                )
            except (psycopg.Error, TimeoutError) as error:
                if not every_s:
                    raise
                print(f"maintenance failed: {error}", file=sys.stderr, flush=True)
            if not every_s:
                return
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                continue


async def main() -> None:
    """Read the command line and the environment, and run."""
    parser = argparse.ArgumentParser(prog="python -m deploy.maintain", description=__doc__)
    parser.add_argument("--every", type=float, default=0, help="seconds; 0: once")
    given = parser.parse_args()
    if not os.environ.get(DSN):
        parser.error(f"{DSN} is not set")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(os.environ[DSN], given.every, stop)


if __name__ == "__main__":
    asyncio.run(main())
