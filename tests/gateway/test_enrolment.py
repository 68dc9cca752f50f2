import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from gateway import enrolment, settings
from gateway.cli import app
from gateway.enrolment import EnrolmentError

ANSWER = {
    "gateway": "gw-7",
    "site": "home-7",
    "broker": {
        "host": "broker.example",
        "port": 8883,
        "tls": True,
        "username": "gw-7",
        "password": 'q"uo\\te',
        "ca": "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
    },
    "devices": [{"identity": "CUFF-1", "model": "and_ua_651ble", "passkey": "123456"}],
    "heartbeat_s": 30,
    "zone": "America/New_York",
    "something_new": {"that": "we do not know"},
}


class Desk(BaseHTTPRequestHandler):
    """A server that takes one code."""

    codes: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.codes.append(asked["code"])
        status = {"right": 200, "late": 410, "many": 429}.get(asked["code"], 403)
        body = json.dumps(ANSWER).encode() if self.path == "/gateways/enrol" else b"{}"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as above
        """Be quiet."""


@pytest.fixture(scope="module")
def desk() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_code_becomes_a_configuration_that_the_box_can_run_with(
    desk: str, tmp_path: Path
) -> None:
    config, outbox = tmp_path / "etc" / "gateway.toml", tmp_path / "outbox.db"
    arguments = ["enrol", "--server", desk, "--code", "right", "--config", str(config)]
    done = CliRunner().invoke(app, [*arguments, "--outbox", str(outbox)])
    assert done.exit_code == 0, done.output
    found = settings.read(config, {})
    assert (found.gateway, found.site, found.zone) == ("gw-7", "home-7", "America/New_York")
    assert (found.broker.host, found.broker.password) == ("broker.example", 'q"uo\\te')
    assert (found.devices[0].identity, found.devices[0].passkey) == ("CUFF-1", "123456")
    assert Path(found.broker.ca or "").read_text() == ANSWER["broker"]["ca"]  # type: ignore[index]  # a test's
    for path in config.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("code", "said"),
    [("wrong", "wrong or was used"), ("late", "expired"), ("many", "too many attempts")],
)
def test_a_refused_code_is_explained_and_nothing_is_written(
    desk: str, tmp_path: Path, code: str, said: str
) -> None:
    config = tmp_path / "gateway.toml"
    done = CliRunner().invoke(
        app, ["enrol", "--server", desk, "--code", code, "--config", str(config)]
    )
    assert done.exit_code == 1
    assert said in done.output
    assert not config.exists()


def test_a_code_is_not_used_up_by_a_box_that_cannot_write(desk: str, tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where the directory should be")
    arguments = ["enrol", "--server", desk, "--code", "precious"]
    done = CliRunner().invoke(app, [*arguments, "--config", str(tmp_path / "etc/gateway.toml")])
    assert (done.exit_code, "not enrolled" in done.output) == (1, True)
    assert "precious" not in Desk.codes


def test_a_code_never_travels_in_the_open() -> None:
    with pytest.raises(EnrolmentError, match="not https"):
        enrolment.ask("http://clinic.example", "right")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EnrolmentError, match="cannot be reached"):
        enrolment.ask("http://127.0.0.1:9", "right")


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"gateway": 3}'])
def test_an_answer_that_is_no_configuration_is_refused(body: bytes) -> None:
    with pytest.raises(EnrolmentError, match="not understood"):
        enrolment.parse(body)
