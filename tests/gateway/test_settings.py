from pathlib import Path

import pytest

from gateway import settings
from gateway.settings import SettingsError

FILE = """
site = "home-7"
gateway = "gw-7"
heartbeat_s = 30

[broker]
host = "broker.example"
port = 8883
tls = true
password = "from the file"

[[devices]]
identity = "CUFF-1"
model = "and_ua_651ble"
passkey = "123456"
expected_every_hours = 48
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(FILE)
    return path


def test_reads_a_file(file: Path) -> None:
    found = settings.read(file, {})
    assert found.topic_prefix == "tidings/v1/home-7/gw-7"
    assert (found.broker.host, found.broker.port, found.broker.tls) == (
        "broker.example",
        8883,
        True,
    )
    assert found.devices[0].expected_every_hours == 48
    assert found.pace.first.total_seconds() == 30


def test_environment_goes_before_file_and_command_line_before_both(file: Path) -> None:
    found = settings.read(
        file,
        {
            "TIDINGS_BROKER_PASSWORD": "from outside",
            "TIDINGS_GATEWAY": "gw-8",
            "TIDINGS_BROKER_TLS": "false",
        },
        gateway="gw-9",
        radio__recorded="plan.jsonl",
    )
    assert (found.broker.password, found.gateway, found.broker.tls) == (
        "from outside",
        "gw-9",
        False,
    )
    assert found.radio.recorded == "plan.jsonl"


def test_needs_no_file() -> None:
    found = settings.read(None, {"TIDINGS_SITE": "s", "TIDINGS_GATEWAY": "g"})
    assert found.broker.host == "127.0.0.1"
    assert found.devices == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('site = "s"', "gateway"),
        ('site = "s"\ngateway = "a/b"', "a/b"),
        ('site = "s"\ngateway = "+"', "topic"),
        ('site = ""\ngateway = "g"', "site"),
        ('site = "s"\ngateway = "g"\nzone = "Mars/Olympus"', "Mars"),
        ('site = "s"\ngateway = "g"\nheart_beat = 3', "unknown setting heart_beat"),
        ('site = "s"\ngateway = "g"\n[broker]\nhots = "x"', "unknown setting broker.hots"),
        ('site = "s"\ngateway = "g"\n[[devices]]\nserial = "x"', "unknown setting devices.serial"),
        ('site = "s"\ngateway = "g"\n[broker]\nport = "many"', "int"),
        ('site = "s"\ngateway = "g"\nbroker = 3', "not a section"),
        ("site = ", "gateway.toml"),
    ],
)
def test_names_the_setting_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said.replace("+", r"\+")):
        settings.read(path, {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        settings.read(tmp_path / "nowhere.toml", {})


def test_secrets_are_not_shown(file: Path) -> None:
    shown = repr(settings.read(file, {"TIDINGS_OUTBOX_KEY": "ab" * 32}))
    assert "123456" not in shown
    assert "from the file" not in shown
    assert "abab" not in shown
