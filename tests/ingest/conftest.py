"""Fixtures of ingest's tests; what they are made of is in builders."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from deploy.embedded.broker import EmbeddedBroker
from ingest.settings import Broker, Settings
from tests.conftest import Database
from tests.ingest.builders import (
    Clinic,
    ContextMaker,
    Home,
    LetterMaker,
    ReadingMaker,
    Until,
    build_context,
    build_reading,
    found_clinic,
    post,
    until,
)


@pytest.fixture
def reading() -> ReadingMaker:
    return build_reading


@pytest.fixture
def context() -> ContextMaker:
    return build_context


@pytest.fixture
def letter() -> LetterMaker:
    return post


@pytest.fixture
def eventually() -> Until:
    return until


@pytest.fixture
def clinic(db: Database) -> Clinic:
    return found_clinic(db)


@pytest.fixture
def home(broker: EmbeddedBroker) -> Iterator[Home]:
    made = Home(broker)
    yield made
    made.close()


@pytest.fixture
def told(clinic: Clinic, broker: EmbeddedBroker) -> Settings:
    """Settings of a worker at this test's broker and database."""
    return Settings(
        dsn=clinic.db.worker_dsn,
        clock=lambda: datetime.now(UTC),
        broker=Broker(host=broker.host, port=broker.port),
        drain_s=20.0,
    )
