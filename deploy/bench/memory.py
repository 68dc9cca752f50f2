"""Ingest's resident memory over a long run: one worker, portion after portion."""

import time
from multiprocessing import get_context

from deploy.bench import common, flow
from deploy.bench.common import Servers, say
from deploy.bench.contenders.lineup import CATCH_UP_EACH, PATIENTS, ours

MEMORY_FLOOR_MB = 150
PORTION = 5000
"""Messages."""
PATIENCE_S = 120.0
GROWTH = 1.1
"""The last third may hold so much of what the first third held."""


def soak(servers: Servers, readings: int) -> dict[str, object]:
    """Send so many readings to one worker; return its memory after each portion."""
    _forget(servers)
    contender = ours(1)
    [worker] = contender.start(servers)
    curve = []
    try:
        flow.warm_up(servers, contender)
        _forget(servers)
        for number in range(1, max(3, readings // (PORTION * CATCH_UP_EACH)) + 1):
            _portion(servers)
            curve.append(round(common.memory_mb(worker.pid, "VmRSS"), 1))
            say(f"soak     {number * PORTION * CATCH_UP_EACH:11,} readings   {curve[-1]:.1f} MB")
        peak = common.memory_mb(worker.pid)
    finally:
        worker.kill()
        worker.wait()
    third = len(curve) // 3
    return {
        "soak_readings": len(curve) * PORTION * CATCH_UP_EACH,
        "soak_mb": curve,
        "soak_peak_mb": round(peak, 1),
        "soak_flat": max(curve[-third:]) <= GROWTH * max(curve[:third]),
    }


def _portion(servers: Servers) -> None:
    """Publish a portion, wait until it is stored, and make room for the next."""
    sent = common.our_messages(PORTION, PATIENTS, each=CATCH_UP_EACH)
    publisher = get_context("spawn").Process(
        target=common.publish, args=(servers.broker.port, sent)
    )
    publisher.start()
    publisher.join()
    deadline = time.monotonic() + PATIENCE_S
    with servers.owner() as owner:
        while time.monotonic() < deadline:
            row = owner.execute("select count(*) from reading").fetchone()
            if row is not None and row[0] >= PORTION * CATCH_UP_EACH:
                break
            time.sleep(0.2)
        else:
            raise RuntimeError("not everything arrived")
    _forget(servers)


def _forget(servers: Servers) -> None:
    with servers.owner() as owner:
        owner.execute("truncate reading, reading_identity, to_evaluate, quarantine")
