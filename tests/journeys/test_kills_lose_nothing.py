"""Promises 1 and 2: a reading that a device handed over is stored, once, whatever is killed."""

import asyncio
import os
import signal
from collections.abc import Callable

from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Labels, Memory
from gateway.simulated.peripherals.glucometer import Glucometer
from tests.journeys.conftest import Pipeline

METERS, ROUNDS = 3, 170
PAUSE_S = 0.05


async def test_kill_9_of_gateway_ingest_broker_and_database_loses_nothing(
    pipeline: Pipeline, radio: SimulatedHome
) -> None:
    meters = [await _meter(radio, number) for number in range(METERS)]
    pipeline.patient(
        "Sampleton", "adult_dm", devices={f"METER-{n}": "glucose" for n in range(METERS)}
    )
    pipeline.start("ingest")
    pipeline.start("gateway")
    victims: dict[int, Callable[[], None]] = {
        30: lambda: pipeline.kill("gateway"),
        60: lambda: pipeline.kill("ingest"),
        90: lambda: _kill(pipeline.broker),
        120: lambda: _kill(pipeline.postgres),
        150: lambda: pipeline.kill("gateway"),
    }
    for round_ in range(ROUNDS):
        for number, meter in enumerate(meters):
            await meter.measure(mg_dl=90 + (round_ + number) % 60)
        if round_ in victims:
            await asyncio.to_thread(victims[round_])
        await asyncio.sleep(PAUSE_S)

    def kept() -> int:
        return int(
            pipeline.ask("select (select count(*) from reading) + count(*) from quarantine")[0][0]
        )

    await pipeline.until(lambda: kept() >= METERS * ROUNDS, patience_s=90)
    assert pipeline.ask("select reason, detail from quarantine") == []
    rows = pipeline.ask("select device_id, sequence from reading order by 1, 2")
    wanted = [(f"METER-{n}", s) for n in range(METERS) for s in range(1, ROUNDS + 1)]
    assert rows == wanted, pipeline.log("gateway") + pipeline.log("ingest")


async def _meter(home: SimulatedHome, number: int) -> Glucometer:
    behaviour = Behaviour(
        memory=Memory.KEEP, labels=Labels(serial=f"METER-{number}"), idle_hang_up_s=2.0
    )
    address = f"F1:00:5E:00:53:{0x20 + number:02X}"
    return await home.add(Glucometer, address=address, name="meter", behaviour=behaviour)


def _kill(server: EmbeddedBroker | EmbeddedPostgres) -> None:
    """End a server as a power cut would, and start it again."""
    os.kill(server.pid, signal.SIGKILL)
    while server.alive():
        pass
    server.restart()
