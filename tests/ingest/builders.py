"""What ingest's tests are made of: readings and contexts to vary, a small clinic, a home."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded.broker import EmbeddedBroker
from devices import wire
from devices.reading import UNITS, Kind
from devices.wire import WireReading
from ingest import acceptance
from ingest.bounds import shipped
from ingest.door import Letter
from ingest.people import Assignment, Device, Gateway, Person
from tests.conftest import Database

ORGANISATION = UUID("00000000-0000-4000-8000-00000000000a")
ANNE = UUID("00000000-0000-4000-8000-0000000000a1")
NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
TYPICAL = {
    Kind.BLOOD_PRESSURE: {"value": 128.0, "diastolic": 80.0},
    Kind.WEIGHT: {"value": 81.0},
    Kind.GLUCOSE: {"value": 110.0},
    Kind.SPO2: {"value": 96.0, "pulse": 70.0},
    Kind.TEMPERATURE: {"value": 36.8},
    Kind.HEART_RATE: {"value": 70.0},
    Kind.BODY_COMPOSITION: {"value": 25.0},
}

ReadingMaker = Callable[..., WireReading]
ContextMaker = Callable[..., acceptance.Context]
LetterMaker = Callable[..., Letter]
Until = Callable[[Callable[[], object]], Awaitable[None]]


def build_reading(kind: str = Kind.BLOOD_PRESSURE, **changes: Any) -> WireReading:  # noqa: ANN401 - any field
    told: dict[str, Any] = {
        "id": uuid4(),
        "char": "2A35",
        "frame": "00",
        "at": NOON - timedelta(seconds=2),
        "kind": str(kind),
        "original_unit": UNITS.get(Kind(kind)) if kind in set(Kind) else None,
    }
    told |= TYPICAL.get(Kind(kind), {}) if kind in set(Kind) else {}
    return WireReading(**(told | changes))


def build_context(**changes: Any) -> acceptance.Context:  # noqa: ANN401 - any field
    person = changes.pop("person", Person(patient_id=ANNE))
    averaging = changes.pop("averaging", 1)
    assignments = changes.pop(
        "assignments", (Assignment(person=person, start=NOON - timedelta(days=400)),)
    )
    told: dict[str, Any] = {
        "gateway": Gateway(id="gw", organisation_id=ORGANISATION),
        "device": Device(
            id="cuff",
            organisation_id=ORGANISATION,
            averaging=averaging,
            assignments=tuple(assignments),
        ),
        "medians": {},
        "bounds": shipped(),
        "now": NOON,
    }
    return acceptance.Context(**(told | changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Anne has a cuff and a gateway; Ben is of the same clinic, without a device."""

    db: Database
    organisation: UUID
    anne: UUID
    ben: UUID

    def one(self, query: str, *values: object) -> Any:  # noqa: ANN401 - whatever is asked for
        """Return the one value that a query gives."""
        with self.db.connect() as connection:
            row = connection.execute(query.encode(), values or None).fetchone()
        return row[0] if row is not None else None

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.db.connect() as connection:
            found: list[tuple[Any, ...]] = connection.execute(
                query.encode(), values or None
            ).fetchall()
        return found


def found_clinic(db: Database) -> Clinic:
    with db.connect() as connection:

        def new(query: str, *values: object) -> UUID:
            row = connection.execute(f"{query} returning id".encode(), values).fetchone()
            assert row is not None
            made: UUID = row[0]
            return made

        organisation = new("insert into organisation (name, time_zone) values ('A', 'UTC')")
        person = (
            "insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex)"
            " values (%s, %s, 'Sample', %s, '1950-01-01', 'female')"
        )
        anne = new(person, organisation, "1", "Anne")
        ben = new(person, organisation, "2", "Ben")
        for number in range(1, 4):
            connection.execute(
                "insert into gateway (id, organisation_id, site) values (%s, %s, 's')",
                (f"gw{number}", organisation),
            )
        connection.execute(
            "insert into device (id, organisation_id) values ('cuff', %s)", (organisation,)
        )
        connection.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
            " values (%s, 'cuff', %s, '2020-01-01')",
            (organisation, anne),
        )
    return Clinic(db=db, organisation=organisation, anne=anne, ben=ben)


def post(
    *readings: WireReading,
    gateway: str = "gw1",
    device: str = "cuff",
    received_at: datetime = NOON,
) -> Letter:
    """Return a publication of these readings."""
    message = wire.Readings(v="1.0", gateway=gateway, device=device, readings=list(readings))
    return Letter(f"tidings/v1/s/{gateway}/readings", wire.dump(message), received_at)


class Home:
    """A gateway as the broker sees it: publishes, and notes what it may forget."""

    def __init__(self, broker: EmbeddedBroker, gateway: str = "gw1") -> None:
        self.gateway = gateway
        self.forgotten: set[UUID] = set()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=gateway, protocol=paho.MQTTv5
        )
        self.client.max_inflight_messages_set(1000)
        self.client.on_message = self._acks
        self.client.on_connect = lambda *_: self.client.subscribe(f"tidings/v1/s/{gateway}/acks", 1)
        self._listening = threading.Event()
        self.client.on_subscribe = lambda *_: self._listening.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert self._listening.wait(10)

    def _acks(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.forgotten.update(wire.load(bytes(message.payload), wire.Acks).ids)

    def say(self, body: bytes, leaf: str = "readings") -> paho.MQTTMessageInfo:
        """Publish, QoS 1."""
        return self.client.publish(f"tidings/v1/s/{self.gateway}/{leaf}", body, qos=1)

    def send(self, *readings: WireReading, device: str = "cuff") -> paho.MQTTMessageInfo:
        """Publish readings in one message."""
        told = {"v": "1.0", "gateway": self.gateway, "device": device}
        return self.say(wire.dump(wire.Readings(readings=list(readings), **told)))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def until(claim: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - what is awaited is in other processes
            await asyncio.sleep(0.01)
