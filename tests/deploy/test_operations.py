"""What an operator relies on: rules and panels name real metrics, the files name real settings."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import alerts.metrics
import dashboards.metrics
import gateway.metrics
import ingest.metrics
from alerts.settings import from_environment as alerts_settings
from dashboards.settings import from_environment as web_settings
from ingest.decision import Reason
from ingest.settings import broker_from
from ingest.settings import from_environment as ingest_settings
from tidings.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [
    (path.stem, panel["title"], target["expr"])
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
    for panel in json.loads(path.read_text())["panels"]
    for target in panel["targets"]
]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
REGISTRIES = (
    REGISTRY,  # that of the alert process, whose metrics are global
    dashboards.metrics.Metrics().registry,
    gateway.metrics.Metrics(0).registry,
    ingest.metrics.Metrics().registry,
)
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
PROMETHEUS_OWN = {"up", "process_resident_memory_bytes"}


def exported() -> dict[str, set[str]]:
    """Series that the processes' registries hold, with the labels each carries."""
    found: dict[str, set[str]] = {}
    for registry in REGISTRIES:
        for collector in list(registry._collector_to_names):
            labels = set(getattr(collector, "_labelnames", ()))
            for family in collector.collect():
                if family.name.startswith("tidings_"):
                    found |= {family.name + end: labels for end in ENDINGS[family.type]}
    return found


EXPORTED = exported()


def series(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:tidings_[a-z0-9_]+|up|process_[a-z_]+)\b(?!:)", expression))


def test_the_metrics_are_found_in_the_code() -> None:
    assert alerts.metrics.OPEN._labelnames == ("severity", "technical")
    assert {
        "tidings_ingest_lag_seconds_bucket",
        "tidings_alerts_latency_seconds_bucket",
        "tidings_web_requests_total",
        "tidings_gateway_outbox_rows",
        "tidings_scheduler_beat_timestamp_seconds",
    } <= EXPORTED.keys()


@pytest.mark.parametrize(("board", "title", "expression"), PANELS)
def test_every_panel_draws_a_metric_that_exists(board: str, title: str, expression: str) -> None:
    assert series(expression), f"{board}: {title} draws nothing"
    assert series(expression) - EXPORTED.keys() - PROMETHEUS_OWN == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_rule_asks_for_what_exists(rule: dict[str, Any]) -> None:
    recorded = {each["record"] for each in RULES if "record" in each}
    assert series(rule["expr"]) - EXPORTED.keys() - PROMETHEUS_OWN == set()
    assert set(re.findall(r"tidings:[a-z0-9_:]+", rule["expr"])) <= recorded


@pytest.mark.parametrize(
    "expression", sorted({rule["expr"] for rule in RULES} | {panel[2] for panel in PANELS})
)
def test_labels_that_are_asked_for_are_carried(expression: str) -> None:
    asked = {
        label.strip()
        for group in re.findall(r"\bby\s*\(([^)]*)\)", expression)
        for label in group.split(",")
    }
    carried = {label for name in series(expression) for label in EXPORTED.get(name, set())}
    assert asked - {"le", "instance", "job"} <= carried


def test_every_alarm_says_what_to_do_and_the_guide_explains_it() -> None:
    alarms = [rule for rule in RULES if "alert" in rule]
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in alarms)
    assert all(rule["labels"]["severity"] in {"page", "look"} for rule in alarms)
    explained = set(re.findall(r"^\| `(\w+)` \|", OPERATIONS, re.MULTILINE))
    assert {rule["alert"] for rule in alarms} - explained == set()


def test_the_guide_explains_every_metric_and_every_reason_of_quarantine() -> None:
    plain = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in EXPORTED}
    assert {name for name in plain if f"`{name}`" not in OPERATIONS} == set()
    assert {reason for reason in Reason if f"`{reason}`" not in OPERATIONS} == set()


def test_the_rules_know_how_many_slots_there_are() -> None:
    workers = SERVICES["ingest"]["command"][-1]
    (rule,) = (each for each in RULES if each.get("alert") == "IngestSlotWithoutOwner")
    assert rule["expr"].endswith(f"< {workers}")
    assert SERVICES["doctor"]["command"][-2:] == ["--slots", workers]


def test_a_metric_that_does_not_exist_would_be_seen() -> None:
    assert series("rate(tidings_ingest_invented_total[5m]) > 0") - EXPORTED.keys()


def test_prometheus_scrapes_the_ports_that_the_processes_open() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    first = int(environment("ingest")["TIDINGS_INGEST_METRICS_PORT"])
    workers = int(SERVICES["ingest"]["command"][-1])
    assert targets["ingest"] == [f"127.0.0.1:{first + n}" for n in range(workers)]
    assert targets["alerts"] == [
        f"127.0.0.1:{environment('alerts')['TIDINGS_ALERTS_METRICS_PORT']}"
    ]
    assert targets["web"] == [f"127.0.0.1:{environment('web')['TIDINGS_WEB_PORT']}"]
    assert config["rule_files"] == ["rules.yml"]


def environment(service: str) -> dict[str, str]:
    """What the process sees after deploy/entrypoint.sh; secrets by name."""
    given = SERVICES[service].get("environment", {})
    return {name.removesuffix("_FILE"): str(value) for name, value in given.items()}


OURS = [name for name, service in SERVICES.items() if "TIDINGS_IMAGE" in service.get("image", "")]


@pytest.mark.parametrize("name", OURS)
def test_every_service_of_ours_runs_a_command_that_exists(name: str) -> None:
    words = " ".join(SERVICES[name]["command"])
    commands = {command.name for command in COMMANDS}
    assert set(re.findall(r"\btidings ([a-z]+)", words)) <= commands
    for module in re.findall(r"python -m ([\w.]+)", words):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists()
    assert words.startswith(("tidings ", "python -m ", "sleep ", "sh -c "))
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_setting_is_read_somewhere_and_every_secret_is_given(name: str) -> None:
    code = "\n".join(
        path.read_text()
        for folder in ("alerts", "dashboards", "database", "deploy", "ingest")
        for path in (ROOT / folder).rglob("*.py")
    )
    given = SERVICES[name].get("environment", {})
    ours = {setting.removesuffix("_FILE") for setting in given if setting.startswith("TIDINGS_")}
    assert {setting for setting in ours - {"TIDINGS_DOMAIN"} if setting not in code} == set()
    used = set(re.findall(r"/run/secrets/([\w.-]+)", json.dumps(given)))
    assert used <= set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])


def test_the_processes_accept_their_settings() -> None:
    def clock() -> datetime:
        return datetime(2026, 9, 15, tzinfo=UTC)

    secret = {"TIDINGS_BROKER_PASSWORD": "x"}
    broker = ingest_settings({**environment("ingest"), **secret}, clock).broker
    assert (broker.tls, broker.host, broker.port) == (True, "broker", 8883)
    told = environment("alerts") | {"TIDINGS_ALERTS_LINK": "https://clinic.example"}
    told["TIDINGS_ALERTS_DEAD_MAN"] = ""
    assert alerts_settings(told).metrics_port == 9111
    assert web_settings(environment("web"), clock).https is True
    assert broker_from(environment("doctor")).tls is True


def test_nothing_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for setting, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|DSN|KEY", setting):
                assert setting.endswith("_FILE"), setting
                assert str(value).startswith("/run/secrets/")


def test_only_these_ports_are_open_to_the_network() -> None:
    open_ = {port for service in SERVICES.values() for port in service.get("ports", [])}
    assert open_ == {"80:80", "443:443", "8883:8883", "127.0.0.1:3000:3000"}


def test_whoever_waits_for_health_waits_for_somebody_who_tells() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
        shared = re.fullmatch(r"service:(\w+)", service.get("network_mode", ""))
        assert shared is None or (shared[1] == "ground" and "ports" not in service)


def test_every_file_that_is_mounted_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_the_image_holds_every_folder_of_code() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert copied == {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
    assert "HEALTHCHECK" not in text  # each service has its own
    assert re.search(r"^USER 10001$", text, re.MULTILINE)


def test_settings_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("host=database password=a b'c")
    told = {"PATH": os.environ["PATH"], "TIDINGS_WEB_DSN_FILE": f"{tmp_path}/dsn"}
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    command = ["sh", str(DEPLOY / "entrypoint.sh"), sys.executable, "-c", program]
    done = subprocess.run(command, env=told, capture_output=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["TIDINGS_WEB_DSN"] == "host=database password=a b'c"
    assert "TIDINGS_WEB_DSN_FILE" not in seen
    told["TIDINGS_WEB_DSN_FILE"] = f"{tmp_path}/missing"
    failed = subprocess.run(command, env=told, capture_output=True, check=False)
    assert failed.returncode != 0
