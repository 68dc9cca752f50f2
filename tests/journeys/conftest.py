"""The real processes of a small clinic, each of which a test may kill and start again."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from database.migrate import migrate
from database.pool import connect
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres
from gateway.simulated.bluez.shared import Tempo
from gateway.simulated.home import SimulatedHome

PATIENCE_S = 60.0
SITE, GATEWAY = "home", "gw-1"
QUICK = Tempo(advert_every_s=0.05, connect_timeout_s=1, resolve_timeout_s=5)


@dataclass(kw_only=True)
class Pipeline:
    """Broker, database and the processes between a simulated radio and the worklist."""

    postgres: EmbeddedPostgres
    broker: EmbeddedBroker
    folder: Path
    environment: dict[str, str]
    organisation: UUID
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, **more: str) -> None:
        """Start `python -m name`; its log is in the folder."""
        self.environment.update(more)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", name],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """End a process as a power cut would, and start it again."""
        self.running[name].kill()
        self.running[name].wait()
        self.start(name)

    def end(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        process = self.running.pop(name)
        process.terminate()
        process.wait()

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        with connect(self.postgres.dsn(), autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def tell(self, query: str, *values: object) -> None:
        """Change the database as its owner."""
        with connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(query, values)

    def patient(self, family: str, *profiles: str, devices: dict[str, str]) -> UUID:
        """Enrol a patient and give them devices: identity -> kind."""
        patient = uuid4()
        self.tell(
            "insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date,"
            " sex, time_zone) values (%s, %s, %s, %s, 'Synthetic', '1950-03-01', 'female', 'UTC')",
            *(patient, self.organisation, f"MRN {family}", family),
        )
        self.tell(
            "insert into enrolment (organisation_id, patient_id, programme, programme_version,"
            " profiles, enrolled_at) values (%s, %s, 'pcmh', '2026.1', %s, '2026-01-01')",
            *(self.organisation, patient, list(profiles)),
        )
        for device, kind in devices.items():
            self.tell(
                "insert into device (id, organisation_id, kinds) values (%s, %s, %s)",
                *(device, self.organisation, [kind]),
            )
            self.tell(
                "insert into device_assignment (organisation_id, device_id, patient_id,"
                " assigned_from) values (%s, %s, %s, '2026-01-01')",
                *(self.organisation, device, patient),
            )
        return patient

    def log(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / f"{name}.log").read_text()[-4000:]

    async def until(self, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
        """Wait for something to become true; False when patience ends."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while not done():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.1)
        return True


@pytest.fixture
def pipeline(server_directories: Iterator[Path], tmp_path: Path) -> Iterator[Pipeline]:
    """Broker and database of this test's own; processes are started by the test."""
    with (
        EmbeddedPostgres(next(server_directories)) as postgres,
        EmbeddedBroker(next(server_directories)) as broker,
    ):
        migrate(postgres.dsn())
        line = Pipeline(
            postgres=postgres,
            broker=broker,
            folder=tmp_path,
            organisation=uuid4(),
            environment={
                "TIDINGS_SITE": SITE,
                "TIDINGS_GATEWAY": GATEWAY,
                "TIDINGS_OUTBOX": str(tmp_path / "outbox.db"),
                "TIDINGS_RESEND_S": "3",
                "TIDINGS_CLOCK": "trusted",
                "TIDINGS_BROKER_HOST": broker.host,
                "TIDINGS_BROKER_PORT": str(broker.port),
                "TIDINGS_INGEST_DSN": postgres.dsn(user="tidings_worker"),
                "TIDINGS_ALERTS_DSN": postgres.dsn(user="tidings_worker"),
                "TIDINGS_WEB_DSN": postgres.dsn(user="tidings_web"),
            },
        )
        line.tell(
            "insert into organisation (id, name, time_zone) values (%s, 'Journeys', 'UTC')",
            line.organisation,
        )
        line.tell(
            "insert into gateway (id, organisation_id, site) values (%s, %s, %s)",
            *(GATEWAY, line.organisation, SITE),
        )
        yield line
        for process in line.running.values():
            process.kill()
            process.wait()


@pytest.fixture
async def radio(pipeline: Pipeline) -> AsyncIterator[SimulatedHome]:
    """A simulated home on a bus of its own, which the gateway process is pointed at."""
    async with SimulatedHome(now=lambda: datetime.now(UTC), tempo=QUICK, in_process=False) as home:
        pipeline.environment.update(
            DBUS_SYSTEM_BUS_ADDRESS=home.address,
            TIDINGS_RADIO_SIMULATED="true",
            TIDINGS_RADIO_ACCEPT_UNKNOWN="true",
            TIDINGS_RADIO_IDLE_S="0.5",
            TIDINGS_RADIO_COOL_DOWN_S="0.3",
        )
        yield home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a radio needs dbus-daemon."""
    for item in items:
        if "radio" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.radio)
