"""Gathers what `tidings doctor` judges: database, broker, clock. Changes nothing."""

import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import psycopg
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from database import doctor as database_doctor
from database import sql
from database.pool import connect
from deploy.facts import Box, Broker, Facts, Held, Pile, Pipeline
from deploy.findings import PAGE
from gateway.synced import clock_is_synced
from ingest.settings import Broker as Address

PATIENCE_S = 5.0
FACTS_S = 1.5
"""How long the broker has to tell its $SYS figures, which are retained."""
SESSION_S = 86_400
_SYS = {
    "$SYS/broker/version": "version",
    "$SYS/broker/publish/messages/dropped": "dropped",
    "$SYS/broker/store/messages/count": "queued",
}
Connection = psycopg.Connection[tuple[Any, ...]]


def gather(dsn: str, address: Address | None, *, slots: int | None = None) -> Facts:
    """Look at a deployment: the database as its owner, the broker as ingest."""
    broker = None if address is None else look_at_broker(address)
    facts = Facts(now=datetime.now(UTC), clock_set=clock_is_synced(), broker=broker)
    try:
        database = database_doctor.examine(dsn)
        if database.schema.pending or not database.schema.known:
            return replace(facts, database=database)
        seen = look_at_pipeline(dsn, slots, database.unsummed_days)
        return replace(facts, database=database, pipeline=seen, now=datetime.now(UTC))
    except psycopg.Error as error:
        return replace(facts, database_error=_first_line(error))


def look_at_pipeline(dsn: str, slots: int | None, unsummed_days: int) -> Pipeline:
    """Follow readings through the database."""
    with closing(connect(dsn, autocommit=True)) as connection:
        connection.execute("set statement_timeout = '30s'")
        now = _rows(connection, "database_now")[0][0]
        told = {"now": now, "patience": PAGE}
        undelivered, since, unsent, due = _rows(connection, "undelivered_pages", told)[0]
        return Pipeline(
            newest_reading=_rows(connection, "newest_reading", told)[0][0],
            lag=_rows(connection, "commit_lag", told)[0][0],
            unjudged=_pile(connection, "waiting_to_be_judged"),
            parked=_pile(connection, "parked"),
            quarantine=[
                Held(queue=queue, reason=reason, rows=rows, oldest=oldest)
                for queue, reason, rows, oldest in _rows(connection, "quarantine")
            ],
            boxes=[
                Box(id=id_, online=up, last_seen_at=seen, outbox_depth=depth, outbox_oldest=oldest)
                for id_, up, seen, depth, oldest in _rows(connection, "gateways")
            ],
            slots=frozenset(slot for (slot,) in _rows(connection, "slots")),
            slots_wanted=slots,
            beats=[(name, at) for name, at in _rows(connection, "heartbeats")],
            undelivered=Pile(rows=undelivered, oldest=since),
            unsent=Pile(rows=unsent, oldest=due),
            incidents=[
                (severity, " ".join(filter(None, (headline, subject))))
                for severity, headline, subject, _ in _rows(connection, "incidents")
            ],
            nobody_to_page=[name for (name,) in _rows(connection, "nobody_to_page")],
            unsummed_days=unsummed_days,
            now=_rows(connection, "database_now")[0][0],
        )


def look_at_broker(address: Address) -> Broker:
    """Connect as ingest would, ask what is allowed, and whether strangers are let in."""
    place = f"{address.host}:{address.port}"
    loopback = is_loopback(address.host)
    tls = bool(address.tls or address.ca)
    try:
        with _session(address) as told:
            until = _certificate_until(told.client.socket())
            _await_figures(told)
        granted = told.granted
        return Broker(
            address=place,
            loopback=loopback,
            tls=tls,
            certificate_until=until,
            anonymous=_lets_in(replace(address, username="", password="", certificate="", key="")),
            shared=granted.get("SharedSubscriptionAvailable", 1) == 1,
            qos=granted.get("MaximumQoS", 2),
            session_kept=granted.get("SessionExpiryInterval", SESSION_S) >= SESSION_S,
            version=told.figures.get("version", ""),
            dropped=_number(told.figures.get("dropped")),
            queued=_number(told.figures.get("queued")),
        )
    except (OSError, ValueError, ConnectionError) as error:
        return Broker(address=place, loopback=loopback, tls=tls, error=_first_line(error))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Heard:
    """What the broker has told so far, and the loop that listens."""

    def __init__(self, client: mqtt.Client) -> None:
        self.client = client
        self.reason: ReasonCode | None = None
        self.granted: dict[str, int] = {}
        self.figures: dict[str, str] = {}
        client.on_connect = self._connected
        client.on_message = self._message

    def listen(self, seconds: float, *, until: str) -> bool:
        """Read until the attribute is filled; False if the time ran out."""
        deadline = time.monotonic() + seconds
        while not getattr(self, until) and time.monotonic() < deadline:
            if self.client.loop(timeout=0.1) != mqtt.MQTT_ERR_SUCCESS:
                break
        return bool(getattr(self, until))

    def _connected(
        self, _c: mqtt.Client, _u: object, _f: object, code: ReasonCode, found: Properties | None
    ) -> None:
        self.reason = code
        self.granted = vars(found) if found is not None else {}

    def _message(self, _c: mqtt.Client, _u: object, message: mqtt.MQTTMessage) -> None:
        self.figures[_SYS[message.topic]] = message.payload.decode(errors="replace")


@contextmanager
def _session(address: Address) -> Iterator[_Heard]:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"doctor-{secrets.token_hex(6)}",
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    if address.username:
        client.username_pw_set(address.username, address.password or None)
    if address.tls or address.ca:
        client.tls_set_context(_context(address))
    heard = _Heard(client)
    wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho
    wanted.SessionExpiryInterval = SESSION_S
    client.connect_timeout = PATIENCE_S
    client.connect(address.host, address.port, clean_start=True, properties=wanted)
    try:
        _await_welcome(heard)
        yield heard
    finally:
        ended = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call] # paho
        ended.SessionExpiryInterval = 0
        client.disconnect(properties=ended)
        client.loop(timeout=0.1)


def _await_welcome(heard: _Heard) -> None:
    if not heard.listen(PATIENCE_S, until="reason"):
        raise ConnectionError("it does not answer as an MQTT 5 broker")
    if heard.reason is not None and heard.reason.is_failure:
        raise ConnectionError(f"it refuses: {heard.reason}")


def _await_figures(heard: _Heard) -> None:
    heard.client.subscribe([(topic, SubscribeOptions(qos=0)) for topic in _SYS])
    deadline = time.monotonic() + FACTS_S
    while len(heard.figures) < len(_SYS) and time.monotonic() < deadline:
        heard.client.loop(timeout=0.1)


def _lets_in(stranger: Address) -> bool:
    with suppress(OSError, ValueError), _session(stranger):
        return True
    return False


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=address.ca or None)
    if address.certificate:
        context.load_cert_chain(address.certificate, address.key or None)
    return context


def _certificate_until(link: object) -> datetime | None:
    """Return when the certificate that the broker showed, and that we have checked, runs out."""
    shown = link.getpeercert() if isinstance(link, ssl.SSLSocket) else None
    until = shown.get("notAfter") if shown else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(until)), UTC) if until else None


def _pile(connection: Connection, name: str) -> Pile:
    rows, oldest = _rows(connection, name)[0]
    return Pile(rows=rows, oldest=oldest)


def _rows(
    connection: Connection, name: str, told: Mapping[str, object] | None = None
) -> list[tuple[Any, ...]]:
    return connection.execute(sql.load("deploy")[name], told or {}).fetchall()


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
