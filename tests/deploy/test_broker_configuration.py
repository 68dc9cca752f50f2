"""deploy/mosquitto, deploy/certificates.sh and deploy/prepare.py with a real mosquitto."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from dashboards.gateways import mosquitto
from deploy import prepare, probes
from deploy.embedded import child
from deploy.embedded.account import unprivileged
from deploy.embedded.broker import find_mosquitto, free_port
from ingest.settings import Broker as Address
from tests.conftest import NO_MOSQUITTO

PATIENCE_S = 20.0
DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def secrets_(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is missing: apt install openssl, or `make test`")
    prepare.prepare(tmp_path / "secrets", ["localhost", "127.0.0.1"])
    return tmp_path / "secrets"


@pytest.fixture
def production(server_directory: Path, secrets_: Path) -> Iterator[Callable[[bool], int]]:
    """Starts mosquitto with deploy/mosquitto/mosquitto.conf; only paths and the port differ."""
    program, started = find_mosquitto() or pytest.fail(NO_MOSQUITTO), []

    def start(certificates: bool) -> int:
        port = free_port()
        _lay_out(server_directory, secrets_, port, certificates=certificates)
        with (server_directory / "log").open("ab") as log:
            process = child.start(
                [program, "-c", server_directory / "mosquitto.conf"],
                ends_on="TERM", log=log, directory=server_directory, account=unprivileged(),
            )  # fmt: skip
        started.append(process)
        _wait_for(port, process, server_directory / "log")
        return port

    yield start
    for process in started:
        child.stop(process, (15, 9))


def _lay_out(place: Path, secrets: Path, port: int, *, certificates: bool) -> None:
    place.mkdir()
    text = (DEPLOY / "mosquitto/mosquitto.conf").read_text()
    if certificates:
        text = text.replace("#certificates ", "").replace("password_file", "#password_file")
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1")
    for folder in ("/run/secrets", "/mosquitto/accounts", "/mosquitto/data"):
        text = text.replace(folder, str(place))
    (place / "mosquitto.conf").write_text(text)
    (place / "passwords").write_text((secrets / "broker_accounts").read_text())
    (place / "acl").write_text((DEPLOY / "mosquitto/acl").read_text())
    for name in ("authority.pem", "broker.pem", "broker-key.pem"):
        shutil.copy(secrets / name, place / name)
    revoked = secrets / "authority/revoked.pem"
    shutil.copy(revoked, place / "revoked.pem")
    account = unprivileged()
    for path in (place, *place.iterdir()):
        if account is not None:
            os.chown(path, account.uid, account.gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # nothing tells when a port is open
    pytest.fail(f"mosquitto does not listen: {log.read_text()}")


def test_the_production_broker_lets_in_who_has_an_account(
    production: Callable[[bool], int], secrets_: Path
) -> None:
    port = production(False)
    address = Address(
        host="127.0.0.1", port=port, tls=True, ca=str(secrets_ / "authority.pem"),
        username="ingest", password=(secrets_ / "broker_password").read_text(),
    )  # fmt: skip
    seen = probes.look_at_broker(address)
    assert (seen.error, seen.tls, seen.anonymous, seen.shared) == ("", True, False, True)
    assert seen.certificate_until is not None
    assert seen.session_kept is True


def _publish(port: int, secrets: Path, name: str, topic: str) -> str:
    """Publish with a client certificate; return the acknowledgement's reason, or why not."""
    said: list[str] = []
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
    )
    folder = secrets / "authority"
    client.tls_set(f"{folder}/authority.pem", f"{folder}/{name}.pem", f"{folder}/{name}-key.pem")
    client.on_publish = lambda _c, _u, _m, reason, _p: said.append(str(reason))
    client.on_connect = lambda c, _u, _f, _r, _p: c.publish(topic, b"{}", qos=1)
    try:
        client.connect("127.0.0.1", port)
        while not said and client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS:
            pass
    except OSError:
        return "not let in"
    client.disconnect()
    return said[0] if said else "not let in"


def test_a_certificate_speaks_under_its_own_name_until_it_is_revoked(
    production: Callable[[bool], int], secrets_: Path
) -> None:
    script = ["sh", str(DEPLOY / "certificates.sh"), str(secrets_ / "authority")]
    for name in ("gw-1", "gw-2"):
        subprocess.run([*script, "client", name], check=True, capture_output=True)
    subprocess.run([*script, "revoke", "gw-2"], check=True, capture_output=True)
    port = production(True)
    own, other = "tidings/v1/s/gw-1/readings", "tidings/v1/s/gw-3/readings"
    assert _publish(port, secrets_, "gw-1", own) in {"Success", "No matching subscribers"}
    assert _publish(port, secrets_, "gw-1", other) == "Not authorized"
    assert _publish(port, secrets_, "gw-1", "tidings/v1/s/gw-1/acks") == "Not authorized"
    assert _publish(port, secrets_, "gw-2", "tidings/v1/s/gw-2/readings") == "not let in"


def test_secrets_are_made_once(secrets_: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets_.iterdir() if path.is_file()}
    assert prepare.prepare(secrets_, ["localhost"]) == []
    assert before == {path.name: path.read_bytes() for path in secrets_.iterdir() if path.is_file()}
    wanted = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["secrets"]
    assert set(wanted) == set(before)
    assert secrets_.stat().st_mode & 0o077 == 0


def test_both_access_lists_let_the_server_do_the_same() -> None:
    lines = [line for line in (DEPLOY / "mosquitto/acl").read_text().splitlines() if line]
    server = lines[lines.index("user ingest") : lines.index("user ingest") + 5]
    assert server == mosquitto.access([], "ingest").splitlines()
    boxes = {
        (words[1], words[2].rsplit("/", 1)[1])
        for words in map(str.split, lines)
        if words[0] == "pattern"
    }
    wanted = {("write", leaf) for leaf in mosquitto.BOX_WRITES}
    assert boxes == wanted | {("read", leaf) for leaf in mosquitto.BOX_READS}
