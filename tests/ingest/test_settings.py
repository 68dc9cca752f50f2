from datetime import UTC, datetime

import pytest

from ingest import settings
from ingest.supervisor import worker_environment


def clock() -> datetime:
    return datetime(2026, 9, 15, 12, tzinfo=UTC)


def test_the_databases_address_has_no_default() -> None:
    with pytest.raises(ValueError, match="TIDINGS_INGEST_DSN"):
        settings.from_environment({}, clock)


def test_a_slot_has_a_fixed_client_id() -> None:
    environ = {"TIDINGS_INGEST_DSN": "x", "TIDINGS_INGEST_SLOT": "3"}
    assert settings.from_environment(environ, clock).client_id == "ingest-3"


def test_receive_maximum_is_twice_what_the_writers_hold() -> None:
    told = settings.Settings(dsn="x", clock=clock, batch=500, writers=2)
    assert told.receive_maximum == 2000
    assert settings.Settings(dsn="x", clock=clock, batch=50_000).receive_maximum == 65_535


@pytest.mark.parametrize(
    ("environ", "port", "tls"),
    [
        ({}, 1883, False),
        ({"TIDINGS_BROKER_CA": "ca.crt"}, 8883, True),
        ({"TIDINGS_BROKER_TLS": "1"}, 8883, True),
        ({"TIDINGS_BROKER_TLS": "1", "TIDINGS_BROKER_PORT": "1"}, 1, True),
    ],
)
def test_tls_moves_the_port(environ: dict[str, str], port: int, tls: bool) -> None:
    broker = settings.broker_from(environ)
    assert (broker.port, broker.tls) == (port, tls)


def test_each_worker_of_a_machine_has_its_slot_and_metrics_port() -> None:
    environ = {"TIDINGS_INGEST_METRICS_PORT": "9100", "PATH": "/bin"}
    told = worker_environment(environ, slot=5, slots=8, index=1)
    assert told["TIDINGS_INGEST_SLOT"] == "5"
    assert told["TIDINGS_INGEST_SLOTS"] == "8"
    assert told["TIDINGS_INGEST_METRICS_PORT"] == "9101"
    assert told["PATH"] == "/bin"
