"""The world that suffers: broker, database, ingest and alerts as processes, networks between."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from database.migrate import migrate
from database.pool import connect
from deploy.chaos.homes import Home
from deploy.chaos.plan import Fault, Kind, Plan
from deploy.chaos.proxy import Proxy
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.broker import Kind as BrokerKind
from deploy.embedded.postgres import EmbeddedPostgres

FULL_BYTES = 8192
"""No session may write a file beyond this: log and tables are out of room at once."""


@dataclass(kw_only=True)
class World:
    """Servers, networks and processes; all plans share what still runs."""

    postgres: EmbeddedPostgres
    broker: EmbeddedBroker
    folder: Path
    organisation: UUID
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    alerts: "subprocess.Popen[bytes] | None" = None
    nets: dict[str, Proxy] = field(default_factory=dict)

    def owner(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection as the owner."""
        return connect(self.postgres.dsn(), autocommit=True)

    def begin(self, plan: Plan) -> None:
        """Start what is not there yet; another number of slots takes workers of its own."""
        if not self.nets:
            self.nets = {name: Proxy(self.broker.port) for name in ("homes", "ingest")}
        if plan.workers != len(self.workers):
            _end(self.workers)
            self.workers = [self._worker(slot, plan.workers) for slot in range(plan.workers)]
        if self.alerts is None:
            self.alerts = self._spawn("alerts", {"TIDINGS_ALERTS_DSN": self._worker_dsn()})

    def end(self) -> None:
        """End processes and networks."""
        _end([*self.workers, *([self.alerts] if self.alerts is not None else [])])
        for net in self.nets.values():
            net.close()
        self.workers, self.alerts, self.nets = [], None, {}

    def keep_alive(self, workers: int) -> None:
        """Start again what is down, as any supervisor would."""
        for slot, process in enumerate(self.workers):
            if process.poll() is not None:
                self.workers[slot] = self._worker(slot, workers)
        if self.alerts is not None and self.alerts.poll() is not None:
            self.alerts = self._spawn("alerts", {"TIDINGS_ALERTS_DSN": self._worker_dsn()})

    def strike(self, fault: Fault, homes: list[Home]) -> Callable[[], None]:
        """Let something go wrong; return what mends it."""
        if fault.kind in {Kind.KILL, Kind.STOP}:
            return self._fell(fault)
        if fault.kind == Kind.CLOCK_JUMP:
            for home in homes:
                home.clock_ahead_s = fault.seconds
            return lambda: _set_right(homes)
        if fault.kind == Kind.DISK_FULL:
            self._limit_files(FULL_BYTES)
            return lambda: self._limit_files(resource.RLIM_INFINITY)
        net = self.nets[fault.target]
        if fault.kind == Kind.CUT:
            net.sever()
        else:
            net.slow = True
        return net.heal

    def _fell(self, fault: Fault) -> Callable[[], None]:
        hard = fault.kind == Kind.KILL
        if fault.target == "broker":
            _signal(self.broker.pid, signal.SIGKILL if hard else signal.SIGTERM)
            return self.broker.restart
        if fault.target == "database":
            _signal(self.postgres.pid, signal.SIGKILL if hard else signal.SIGINT)
            return self.postgres.restart
        chosen = self.workers if fault.target == "ingest" else [self.alerts]
        for process in chosen:
            if process is not None:
                process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        return lambda: None  # the supervisor starts them again

    def _limit_files(self, size: int) -> None:
        """Forbid the database's sessions to extend any file, or allow it again."""
        with suppress(psycopg.Error):
            pids = []
            with self.owner() as owner:
                pids = [
                    row[0]
                    for row in owner.execute(
                        "select pid from pg_stat_activity where usename = 'tidings_worker'"
                    )
                ]
            for pid in pids:
                with suppress(ProcessLookupError, PermissionError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _worker_dsn(self) -> str:
        return self.postgres.dsn(user="tidings_worker")

    def _worker(self, slot: int, slots: int) -> "subprocess.Popen[bytes]":
        return self._spawn(
            "ingest",
            {
                "TIDINGS_INGEST_DSN": self._worker_dsn(),
                "TIDINGS_BROKER_PORT": str(self.nets["ingest"].port),
                "TIDINGS_INGEST_SLOT": str(slot),
                "TIDINGS_INGEST_SLOTS": str(slots),
            },
        )

    def _spawn(self, module: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )


@contextmanager
def world(folder: Path, broker: BrokerKind) -> Iterator[World]:
    """Start broker and database in a folder."""
    folder.chmod(0o711)
    with (
        EmbeddedPostgres(folder / "postgres") as postgres,
        EmbeddedBroker(folder / "broker", kind=broker) as running,
    ):
        migrate(postgres.dsn())
        with connect(postgres.dsn(), autocommit=True) as owner:
            row = owner.execute(
                "insert into organisation (name, time_zone) values ('Chaos', 'UTC') returning id"
            ).fetchone()
        if row is None:
            raise RuntimeError("no organisation")
        made = World(postgres=postgres, broker=running, folder=folder, organisation=row[0])
        try:
            yield made
        finally:
            made.end()


def settle(world: World, homes: list[Home]) -> None:
    """Give the homes patients, whom the rules for diabetes watch."""
    with world.owner() as owner:
        for home in homes:
            told = {"organisation": world.organisation, "name": home.name, "device": home.device}
            owner.execute(
                "with person as ("
                "  insert into patient (organisation_id, mrn, family_name, given_name, birth_date,"
                "    sex, time_zone, conditions)"
                "  values (%(organisation)s, %(name)s, 'Sample', %(name)s, '1950-01-01', 'female',"
                "    'UTC', '{diabetes}') returning id"
                "), enrolled as ("
                "  insert into enrolment (organisation_id, patient_id, programme,"
                "    programme_version, profiles, enrolled_at)"
                "  select %(organisation)s, id, 'pcmh', '2026.1', '{adult_dm}', '2026-01-01'"
                "  from person"
                "), box as ("
                "  insert into gateway (id, organisation_id, site)"
                "  values (%(name)s, %(organisation)s, 'chaos')"
                "), meter as ("
                "  insert into device (id, organisation_id, kinds)"
                "  values (%(device)s, %(organisation)s, '{glucose}') returning id"
                ")"
                " insert into device_assignment (organisation_id, device_id, patient_id,"
                "   assigned_from)"
                " select %(organisation)s, meter.id, person.id, '2026-01-01' from person, meter",
                told,
            )


def _set_right(homes: list[Home]) -> None:
    for home in homes:
        home.clock_ahead_s = 0.0


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        _wait(process)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        process.wait()
