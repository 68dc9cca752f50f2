"""Boxes: let in once by a code, told what to do, shut out; with the real broker and a real box."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from starlette.testclient import TestClient
from typer.testing import CliRunner

from dashboards.gateways import codes, mosquitto
from dashboards.gateways.cli import app as gateways
from dashboards.gateways.codes import Code, Verdict
from dashboards.gateways.mosquitto import Account
from deploy.embedded.broker import INGEST, EmbeddedBroker, Kind
from gateway import settings as box_settings
from gateway.cli import app as box_cli
from tests.dashboards.conftest import Clinic, Clock, Db

ROOT = Path(__file__).parents[2]
SECRET = "the server's own"
PATIENCE_S = 30.0
Run = Callable[..., str]
Sync = Callable[[], str]
Start = Callable[..., subprocess.Popen[bytes]]
PLAN = {
    "device": "CUFF-1",
    "char": "2A35",
    "every_s": 1,
    "values": {"systolic": [118, 126], "diastolic": [74, 79]},
}


# codes ------------------------------------------------------------------------------------------


def test_a_code_is_the_same_however_it_is_typed() -> None:
    code = codes.new()
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert codes.digest(typed) == codes.digest(code) != codes.digest(codes.new())


@pytest.mark.parametrize(
    ("minutes", "used", "verdict"),
    [
        (1, False, Verdict.GOOD),
        (0, False, Verdict.EXPIRED),
        (-1, False, Verdict.EXPIRED),
        (1, True, Verdict.USED),
        (-1, True, Verdict.USED),
    ],
)
def test_a_code_is_good_once_and_for_a_while(
    noon: datetime, minutes: int, used: bool, verdict: Verdict
) -> None:
    code = Code(expires_at=noon + timedelta(minutes=minutes), used_at=noon if used else None)
    assert codes.judge(code, noon) is verdict
    assert codes.judge(None, noon) is Verdict.UNKNOWN


# mosquitto's files ------------------------------------------------------------------------------

names = st.text(max_size=12)


@given(boxes=st.lists(st.tuples(names, names, st.sampled_from([None, "$7$101$a$b"])), max_size=6))
def test_no_name_can_smuggle_a_line_into_the_brokers_files(
    boxes: list[tuple[str, str, str | None]],
) -> None:
    accounts = [Account(gateway=a, site=b, password_hash=c) for a, b, c in boxes]
    for line in mosquitto.access(accounts, "ingest").splitlines():
        assert not line or line.startswith(("user ", "topic read ", "topic write "))
        assert line.count("+") == 0 or "ingest" not in line
    users = [line.split(":")[0] for line in mosquitto.passwords(accounts, "").splitlines()]
    assert set(users) <= {one.gateway for one in accounts if one.is_open}


def test_operators_keep_their_own_users_and_revoked_boxes_go() -> None:
    accounts = [
        Account(gateway="gw-1", site="s", password_hash="$7$new"),
        Account(gateway="gw-2", site="s", password_hash=None),
    ]
    before = "ingest:$7$x\ngw-1:$7$old\ngw-2:$7$y\n"
    assert mosquitto.passwords(accounts, before) == "ingest:$7$x\ngw-1:$7$new\n"


# the door ---------------------------------------------------------------------------------------


@pytest.fixture
def run(db: Db) -> Run:
    """`tidings gateways ...` against this test's database."""

    def call(*words: object, ok: bool = True) -> str:
        arguments = [str(words[0]), "--dsn", db.worker_dsn, *map(str, words[1:])]
        done = CliRunner().invoke(gateways, arguments)
        assert (done.exit_code == 0) is ok, (done.output, done.exception)
        return done.output

    return call


@pytest.fixture
def code(run: Run) -> Run:
    """A fresh code for a box of clinic A."""

    def make(gateway: str = "gw-new", **more: object) -> str:
        options = [f"--{name}={value}" for name, value in more.items()]
        where = ("--gateway", gateway, "--site", "home-9", "--organisation", "Clinic A of samples")
        return run("code", *where, *options).splitlines()[0]

    return make


def knock(client: TestClient, code: str) -> Response:
    """As a box does: no cookie, no browser's headers."""
    return client.post("/gateways/enrol", json={"code": code}, headers={"sec-fetch-site": "none"})


def test_a_code_opens_once_and_every_step_is_on_record(
    client: TestClient, code: Run, db: Db, clinic: Clinic
) -> None:
    given = code()
    answer = knock(client, given)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["gateway"], told["site"], told["zone"]) == (
        "gw-new",
        "home-9",
        "America/New_York",
    )
    assert told["broker"]["username"] == "gw-new"
    second = knock(client, given)
    assert (second.status_code, "password" in second.text) == (403, False)
    with db.connect() as owner:
        kept = owner.execute("select * from gateway_code, gateway_credential").fetchall()
        trail = owner.execute(
            "select action from audit where object_kind = 'gateway' and object_id = 'gw-new'"
            " and organisation_id = %s order by id",
            (clinic.id,),
        ).fetchall()
    assert trail == [("offer_code",), ("enrol",)]
    for secret in (given, given.replace("-", ""), told["broker"]["password"]):
        assert secret not in str(kept)


def test_an_expired_a_replaced_and_a_guessed_code_are_refused(
    client: TestClient, code: Run, clock: Clock
) -> None:
    old, new = code(), code(minutes=5)
    assert knock(client, old).status_code == 410  # replaced by the newer one
    clock.ahead = timedelta(minutes=6)
    assert knock(client, new).status_code == 410
    assert knock(client, codes.new()).status_code == 403


def test_guessing_is_slowed_down(client: TestClient) -> None:
    assert [knock(client, codes.new()).status_code for _ in range(12)][-1] == 429


@pytest.mark.usefixtures("other_clinic")
def test_a_box_of_another_clinic_is_out_of_reach(run: Run) -> None:
    where = ("--gateway", "gw-b", "--site", "home", "--organisation", "Clinic A of samples")
    with pytest.raises(AssertionError, match="another organisation"):
        run("code", *where)


@pytest.mark.parametrize("name", ["a b", "a/b", "#", "+", "a:b", "x\nuser y", "", "$SYS", "-x"])
def test_a_name_that_would_change_the_topic_is_refused(name: str) -> None:
    words = ["code", "--dsn", "nowhere", f"--gateway={name}", "--site=home"]
    done = CliRunner().invoke(gateways, words)
    assert (done.exit_code, "cannot be part of a topic" in done.output) == (1, True)


# broker, box and server together ----------------------------------------------------------------


@pytest.fixture
def guarded(server_directory: Path) -> Iterator[EmbeddedBroker]:
    """A mosquitto that knows the server's user and nobody else."""
    own = {INGEST: SECRET}
    with EmbeddedBroker(server_directory, kind=Kind.MOSQUITTO, passwords=own) as broker:
        yield broker


@pytest.fixture
def sync(run: Run, guarded: EmbeddedBroker) -> Sync:
    """Bring the broker's accounts up to date, as the process beside it does."""
    place = (guarded.directory / "mosquitto").resolve()
    files = ("--passwords", place / "passwords", "--access", place / "acl")
    return lambda: run("broker", *files, "--pid", guarded.pid, "--server", INGEST)


@pytest.fixture
def config(address: str, guarded: EmbeddedBroker, sync: Sync, tmp_path: Path, run: Run) -> Path:
    """What a box got for its code; the broker knows it."""
    _code(run, guarded)
    run("device", "gw-1", "CUFF-1", "--model", "and_ua_651ble", "--passkey", "123456")
    path = tmp_path / "gateway.toml"
    given = _code(run, guarded)
    arguments = ["enrol", "--server", address, "--code", given, "--config", str(path)]
    done = CliRunner().invoke(box_cli, [*arguments, "--outbox", str(tmp_path / "outbox.db")])
    assert done.exit_code == 0, done.output
    sync()
    return path


def _code(run: Run, guarded: EmbeddedBroker) -> str:
    where = ("--gateway", "gw-1", "--site", "home-1", "--organisation", "Clinic A of samples")
    broker = ("--host", "127.0.0.1", "--port", guarded.port, "--no-tls")
    return run("code", *where, *broker).splitlines()[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start processes that end with the test."""
    running = []

    def begin(module: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{module}.log").open("ab") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", module, *map(str, arguments)],
                    cwd=ROOT,
                    env={**os.environ, **environment},
                    stdout=log,
                    stderr=log,
                )
            )
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def box(start: Start, config: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """The box, as enrolled, with a cuff that measures every second."""
    plan = tmp_path / "plan.jsonl"
    plan.write_text(json.dumps(PLAN))
    return start("gateway", "--config", config, "--recorded", plan, TIDINGS_CLOCK="trusted")


def until(done: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def count(db: Db, query: str) -> int:
    with db.connect() as owner:
        row = owner.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_an_enrolled_box_is_heard_and_a_revoked_one_can_neither_publish_nor_read(  # noqa: PLR0917 -- all of it
    db: Db,
    clinic: Clinic,
    guarded: EmbeddedBroker,
    config: Path,
    box: subprocess.Popen[bytes],
    start: Start,
    run: Run,
    sync: Sync,
    tmp_path: Path,
) -> None:
    with db.connect() as owner:
        owner.execute(
            "insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)"
            " values (%s, 'CUFF-1', %s, '2020-01-01')",
            (clinic.id, clinic.patients[0]),
        )
    start(
        "ingest",
        TIDINGS_INGEST_DSN=db.worker_dsn,
        TIDINGS_BROKER_PORT=str(guarded.port),
        TIDINGS_BROKER_USERNAME=INGEST,
        TIDINGS_BROKER_PASSWORD=SECRET,
    )
    arrived = "select count(*) from reading where gateway_id = 'gw-1' and status = 'accepted'"
    assert until(lambda: count(db, arrived) > 2)

    told = box_settings.read(config, {})
    assert (told.devices[0].identity, told.devices[0].passkey) == ("CUFF-1", "123456")
    spy = Spy(guarded.port, "gw-1", told.broker.password)
    assert until(lambda: spy.codes == [0])
    run("revoke", "gw-1", "--reason", "box was stolen")
    sync()
    assert until(lambda: len(spy.codes) > 1)  # thrown out at once, and refused from then on
    assert set(spy.codes[1:]) == {"not authorised"}
    before = count(db, arrived)
    assert until(lambda: "broker_refused_us" in (tmp_path / "gateway.log").read_text())
    server = Spy(guarded.port, INGEST, SECRET)
    server.client.publish("tidings/v1/home-1/gw-1/commands", b"{}", 1).wait_for_publish(5)
    assert (count(db, arrived), spy.heard) == (before, [])
    assert box.poll() is None  # it goes on measuring; nothing is thrown away
    for one in (spy, server):
        one.client.disconnect()
        one.client.loop_stop()


class Spy:
    """A client with a box's credential; what became of its attempts, and what it heard."""

    def __init__(self, port: int, user: str, password: str | None) -> None:
        self.codes: list[object] = []
        self.heard: list[bytes] = []
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_message = lambda _, __, message: self.heard.append(bytes(message.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _connected(
        self, client: Client, _: object, __: object, code: ReasonCode, *___: object
    ) -> None:
        self.codes.append("not authorised" if code.is_failure else 0)
        client.subscribe("tidings/v1/home-1/gw-1/commands", 1)


@pytest.mark.usefixtures("box")
def test_an_order_is_answered_once_however_often_it_is_given(
    db: Db,
    guarded: EmbeddedBroker,
    run: Run,
    sync: Sync,
    config: Path,
) -> None:
    there = ("--port", guarded.port, "--username", INGEST, "--password", SECRET)
    first = run("command", "gw-1", "report_now", *there)
    assert "done: reported" in first
    order = UUID(first.rstrip().rsplit("(", 1)[1].rstrip(")"))
    again = run("command", "gw-1", "report_now", "--again", order, *there)
    assert again == first
    refused = run("command", "gw-1", "forget", "--device", "NOBODY", *there, ok=False)
    assert "refused: device NOBODY is not known here" in refused
    assert count(db, "select count(*) from gateway_command where answered_at is not null") == 2
    assert "done" in run("command", "gw-1", "forget", "--device", "CUFF-1", *there)
    at_home = "select count(*) from device where id = 'CUFF-1' and gateway_id is not null"
    assert count(db, at_home) == 0, "enrolled again, the box is not told of it"

    rotated = run("command", "gw-1", "rotate_credential", *there)
    assert "kept" in rotated
    order = UUID(rotated.rstrip().rsplit("(", 1)[1].rstrip(")"))
    asked_again = ("--again", order, *there)
    assert run("command", "gw-1", "rotate_credential", *asked_again) == rotated, "answered alike"
    sync()  # the broker lets go of the old password; the box comes back with the new one
    old = Spy(guarded.port, "gw-1", box_settings.read(config, {}).broker.password)
    assert until(lambda: old.codes)
    assert old.codes[0] == "not authorised"
    old.client.disconnect()
    old.client.loop_stop()
    patience = ("--wait", 90)  # a box that was refused comes back after its back-off
    assert "done" in run("command", "gw-1", "report_now", *there, *patience)


@pytest.mark.usefixtures("config")
def test_an_order_to_a_box_that_is_away_says_how_to_ask_again(
    run: Run, guarded: EmbeddedBroker
) -> None:
    there = ("--port", guarded.port, "--username", INGEST, "--password", SECRET)
    told = run("command", "gw-1", "report_now", "--wait", "0.5", *there, ok=False)
    assert "--again" in told
    run("revoke", "gw-1")
    assert "is revoked" in run("command", "gw-1", "report_now", *there, ok=False)


def test_the_process_beside_the_broker_hears_of_every_change(  # noqa: PLR0917 -- the whole way
    run: Run, code: Run, client: TestClient, db: Db, start: Start, tmp_path: Path
) -> None:
    passwords, access = tmp_path / "passwords", tmp_path / "acl"
    files = ("--passwords", passwords, "--access", access, "--watch")
    start("tidings", "gateways", "broker", "--dsn", db.worker_dsn, *files)
    assert until(access.exists)
    assert knock(client, code()).status_code == 200
    assert until(lambda: passwords.read_text().startswith("gw-new:$7$"))
    may_write = "topic write tidings/v1/home-9/gw-new/readings"
    assert until(lambda: may_write in access.read_text())  # a file after the other
    run("revoke", "gw-new")
    assert until(lambda: "gw-new" not in passwords.read_text() + access.read_text())
    assert (passwords.stat().st_mode & 0o777, access.stat().st_mode & 0o777) == (0o600, 0o600)
    assert knock(client, code()).status_code == 200  # enrolled again, it is one of ours again
    assert count(db, "select count(*) from gateway where id = 'gw-new' and revoked_at is null") == 1
