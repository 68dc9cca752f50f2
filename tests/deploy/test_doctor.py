import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import typer
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from database import doctor as database_doctor
from database.migrate import Status
from deploy import probes
from deploy.advice import ADVICE, Gravity, Trouble
from deploy.doctor import exit_code, report
from deploy.embedded.broker import INGEST, EmbeddedBroker, Kind
from deploy.facts import Box, Broker, Facts, Held, Pile, Pipeline
from deploy.findings import (
    AT_HOME,
    BACKUP,
    CERTIFICATE,
    CLOCK,
    DRILL,
    LAG,
    LOOKED_AT,
    MAINTENANCE,
    OFFLINE,
    QUEUED,
    SCHEDULER,
    UNJUDGED,
    examine,
)  # fmt: skip
from ingest.settings import Broker as Address
from tests.conftest import Database
from tidings.__main__ import COMMANDS, _load

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
TICK = timedelta(seconds=1)
BEATS = (("scheduler", NOON), ("backup", NOON), ("restore_drill", NOON), ("maintenance", NOON))
DATABASE = database_doctor.Facts(
    server="18.6",
    timescale=None,
    kind="plain",
    schema=Status(current="0006", pending=(), known=True),
    sessions=5,
    most_sessions=100,
    idle_since=None,
    roles=(("tidings_web", True, False), ("tidings_worker", True, False)),
)
BEHIND = Status(current=None, pending=("0001_base",), known=True)
PIPELINE = Pipeline(now=NOON, slots=frozenset({0, 1}), beats=BEATS)
BROKER = Broker(address="broker:8883", tls=True, dropped=0, queued=0)
HEALTHY = Facts(now=NOON, clock_set=True, database=DATABASE, pipeline=PIPELINE, broker=BROKER)
ONLINE = Box(id="gw-1", online=True, last_seen_at=NOON)
AWAY = Box(id="gw-2", online=False, last_seen_at=NOON - OFFLINE)


def beats(**ages: timedelta | None) -> tuple[tuple[str, datetime], ...]:
    """The usual beats, some of them older; None: never."""
    usual: dict[str, timedelta | None] = dict.fromkeys(dict(BEATS), timedelta(0))
    return tuple((n, NOON - age) for n, age in {**usual, **ages}.items() if age is not None)


def troubles(facts: Facts) -> list[Trouble]:
    return [finding.trouble for finding in examine(facts)]


def test_nothing_is_wrong_with_a_healthy_deployment() -> None:
    assert examine(HEALTHY) == []


@pytest.mark.parametrize(
    ("fits", "too_much", "trouble"),
    [
        ({"lag": LAG}, {"lag": LAG + TICK}, Trouble.LAG),
        (
            {"unjudged": Pile(rows=1, oldest=NOON - UNJUDGED)},
            {"unjudged": Pile(rows=1, oldest=NOON - UNJUDGED - TICK)},
            Trouble.UNJUDGED,
        ),
        ({"parked": Pile()}, {"parked": Pile(rows=1, oldest=NOON)}, Trouble.PARKED),
        ({}, {"undelivered": Pile(rows=1, oldest=NOON)}, Trouble.UNDELIVERED),
        ({}, {"unsent": Pile(rows=1, oldest=NOON)}, Trouble.UNSENT),
        ({"slots_wanted": 2}, {"slots_wanted": 3}, Trouble.SLOT_FREE),
        ({}, {"slots": frozenset({0, 2})}, Trouble.SLOT_FREE),
        ({}, {"slots": frozenset()}, Trouble.NO_INGEST),
        (
            {"beats": beats(scheduler=SCHEDULER)},
            {"beats": beats(scheduler=SCHEDULER + TICK)},
            Trouble.SCHEDULER,
        ),
        ({}, {"beats": beats(scheduler=None)}, Trouble.SCHEDULER),
        (
            {"beats": beats(maintenance=MAINTENANCE)},
            {"beats": beats(maintenance=MAINTENANCE + TICK)},
            Trouble.MAINTENANCE,
        ),
        (
            {"beats": beats(maintenance=None)},
            {"beats": beats(maintenance=None), "unsummed_days": 1},
            Trouble.MAINTENANCE,
        ),
        ({"beats": beats(backup=BACKUP)}, {"beats": beats(backup=BACKUP + TICK)}, Trouble.BACKUP),
        ({}, {"beats": beats(backup=None)}, Trouble.BACKUP),
        (
            {"beats": beats(restore_drill=DRILL)},
            {"beats": beats(restore_drill=DRILL + TICK)},
            Trouble.DRILL,
        ),
        ({}, {"nobody_to_page": ("Clinic",)}, Trouble.NOBODY_TO_PAGE),
        ({}, {"incidents": ((2, "Readings wait"),)}, Trouble.INCIDENT),
        ({}, {"incidents": ((3, "A hub is alone"),)}, Trouble.INCIDENT_LESSER),
        (
            {"boxes": (AWAY,)},
            {"boxes": (replace(AWAY, last_seen_at=NOON - OFFLINE - TICK),)},
            Trouble.OFFLINE,
        ),
        (
            {"boxes": (AWAY, AWAY, AWAY, ONLINE, ONLINE, ONLINE, ONLINE)},
            {"boxes": (AWAY, AWAY, AWAY, ONLINE, ONLINE, ONLINE)},
            Trouble.MANY_OFFLINE,
        ),
        ({"boxes": (AWAY, AWAY)}, {"boxes": (AWAY, AWAY, AWAY)}, Trouble.MANY_OFFLINE),
        (
            {"boxes": (replace(ONLINE, outbox_oldest=NOON - AT_HOME),)},
            {"boxes": (replace(ONLINE, outbox_depth=4, outbox_oldest=NOON - AT_HOME - TICK),)},
            Trouble.STUCK_AT_HOME,
        ),
    ],
)
def test_each_fault_of_the_pipeline_at_its_limit(
    fits: dict[str, object], too_much: dict[str, object], trouble: Trouble
) -> None:
    assert troubles(replace(HEALTHY, pipeline=replace(PIPELINE, **fits))) == []  # type: ignore[arg-type] # a table
    assert troubles(replace(HEALTHY, pipeline=replace(PIPELINE, **too_much))) == [trouble]  # type: ignore[arg-type] # of changes


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"error": "refused"}, Trouble.BROKER_AWAY),
        ({"shared": False}, Trouble.BROKER_UNFIT),
        ({"qos": 0}, Trouble.BROKER_UNFIT),
        ({"session_kept": False}, Trouble.BROKER_UNFIT),
        ({"anonymous": True}, Trouble.BROKER_OPEN),
        ({"tls": False}, Trouble.BROKER_OPEN),
        ({"anonymous": True, "tls": False, "loopback": True}, None),
        ({"certificate_until": NOON + CERTIFICATE}, Trouble.CERTIFICATE),
        ({"certificate_until": NOON + CERTIFICATE + TICK}, None),
        ({"dropped": 1}, Trouble.BROKER_DROPS),
        ({"dropped": None, "queued": None}, None),
        ({"queued": QUEUED}, None),
        ({"queued": QUEUED + 1}, Trouble.BROKER_FULL),
    ],
)
def test_each_fault_of_the_broker(change: dict[str, object], trouble: Trouble | None) -> None:
    facts = replace(HEALTHY, broker=replace(BROKER, **change))  # type: ignore[arg-type] # a table of changes
    assert troubles(facts) == ([trouble] if trouble else [])


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"now": NOON + CLOCK}, None),
        ({"now": NOON + CLOCK + TICK}, Trouble.CLOCKS_APART),
        ({"now": NOON - CLOCK - TICK}, Trouble.CLOCKS_APART),
        ({"clock_set": False}, Trouble.CLOCK_UNSET),
        ({"database_error": "connection refused"}, Trouble.DATABASE_AWAY),
        ({"database": replace(DATABASE, sessions=90)}, Trouble.DATABASE),
        (
            {
                "database": replace(
                    DATABASE, schema=Status(current=None, pending=("x",), known=True)
                ),
                "pipeline": None,
            },
            Trouble.MIGRATE,
        ),
    ],
)
def test_each_fault_of_clock_and_database(
    change: dict[str, object], trouble: Trouble | None
) -> None:
    facts = replace(HEALTHY, **change)  # type: ignore[arg-type] # a table of changes
    assert troubles(facts) == ([trouble] if trouble else [])


def test_quarantine_is_a_notice_by_reason_until_nobody_has_looked_for_a_day() -> None:
    seen = Held(queue="technical", reason="unknown_unit", rows=3, oldest=NOON - LOOKED_AT)
    old = Held(queue="identity_review", reason="owner_ambiguous", rows=1,
               oldest=NOON - LOOKED_AT - TICK)  # fmt: skip
    facts = replace(HEALTHY, pipeline=replace(PIPELINE, quarantine=(seen, old)))
    first, second = examine(facts)
    assert (first.trouble, first.gravity) == (Trouble.QUARANTINE_OLD, Gravity.FAULT)
    assert first.detail == "owner_ambiguous (identity_review): 1, the oldest for 24 h"
    assert (second.trouble, second.gravity) == (Trouble.QUARANTINE, Gravity.NOTICE)
    assert second.detail.startswith("unknown_unit (technical): 3")


def test_a_long_list_of_boxes_is_cut_and_counted() -> None:
    away = [Box(id=f"gw-{n}", online=False, last_seen_at=None) for n in range(13)]
    online = [replace(ONLINE, id=f"on-{n}") for n in range(14)]
    (finding,) = examine(replace(HEALTHY, pipeline=replace(PIPELINE, boxes=(*away, *online))))
    assert finding.detail.endswith("gw-9 (never seen) and 3 more")


def test_faults_come_first_and_decide_the_exit_code() -> None:
    notice = replace(PIPELINE, nobody_to_page=("Clinic",))
    both = replace(notice, parked=Pile(rows=1, oldest=NOON))
    assert exit_code(examine(replace(HEALTHY, pipeline=notice))) == 0
    found = examine(replace(HEALTHY, pipeline=both))
    assert [each.gravity for each in found] == [Gravity.FAULT, Gravity.NOTICE]
    assert exit_code(found) == 1


def test_every_trouble_is_explained() -> None:
    assert set(ADVICE) == set(Trouble)
    assert all(len(advice.text) > 20 for advice in ADVICE.values())


def test_the_report_is_plain_enough_for_a_program() -> None:
    told = report(HEALTHY, examine(replace(HEALTHY, clock_set=False)))
    assert told["healthy"] is True
    assert json.loads(json.dumps(told, default=str))["findings"][0]["trouble"] == "clock_unset"


def test_the_pipeline_is_read_from_a_real_database(db: Database) -> None:
    with db.connect() as owner:
        (organisation,) = owner.execute(
            "insert into organisation (name, time_zone) values ('Clinic', 'UTC') returning id"
        ).fetchone() or (None,)
        told = {"organisation": organisation}
        owner.execute(
            "insert into gateway (id, organisation_id, site, state, last_seen_at, status) values"
            " ('gw-1', %(organisation)s, 's', 'online', now(), jsonb_build_object("
            "'outbox_depth', 7, 'outbox_oldest', now() - interval '1 hour')),"
            " ('gw-2', %(organisation)s, 's', 'never_seen', null, '{}')",
            told,
        )
        owner.execute(
            "insert into quarantine (id, organisation_id, reason, payload, received_at) values"
            " (gen_random_uuid(), %(organisation)s, 'unknown_unit', '', now() - interval '2 days')",
            told,
        )
        owner.execute(
            "insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at,"
            " received_at, queued_at) values (%(organisation)s, gen_random_uuid(),"
            " gen_random_uuid(), 'weight', now(), now(), now() - interval '5 minutes')",
            told,
        )
        owner.execute(
            "insert into evaluation_failure (organisation_id, patient_id, rows, error)"
            " values (%(organisation)s, gen_random_uuid(), '[]', 'KeyError')",
            told,
        )
        owner.execute(
            "insert into page (organisation_id, duty, severity, channels, created_at,"
            " next_attempt_at, state, token, reply_code) values"
            " (%(organisation)s, 'd', 1, '{}', now(), null, 'undelivered', 'a', '1'),"
            " (%(organisation)s, 'd', 2, '{}', now(), now() - interval '3 minutes', 'pending',"
            " 'b', '2'),"
            " (%(organisation)s, 'd', 2, '{}', now(), now(), 'pending', 'c', '3')",
            told,
        )
        owner.execute("insert into heartbeat values ('scheduler', now() - interval '1 hour')")
        owner.execute("select pg_advisory_lock(7442, 0)")
        facts = probes.gather(db.dsn, None, slots=2)
    assert facts.pipeline is not None
    assert (facts.pipeline.unsent.rows, facts.pipeline.undelivered.rows) == (1, 1)
    assert {
        Trouble.SLOT_FREE, Trouble.STUCK_AT_HOME, Trouble.QUARANTINE_OLD, Trouble.UNJUDGED,
        Trouble.PARKED, Trouble.SCHEDULER, Trouble.UNDELIVERED, Trouble.UNSENT,
    } == set(troubles(facts)) - {Trouble.BACKUP, Trouble.DRILL, Trouble.CLOCK_UNSET}  # fmt: skip


def test_the_lag_is_that_of_what_was_stored_lately(db: Database) -> None:
    with db.connect() as owner:
        owner.execute(
            "with stored as (insert into reading (reading_id, organisation_id, patient_id,"
            " device_id, gateway_id, kind, measured_at, value, status, time_quality, gateway_time,"
            " received_at, characteristic, frame) values (gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), 'd', 'g', 'weight', now(), 80, 'accepted', 'corrected', now(),"
            " now() - interval '9 seconds', '2A9D', '') returning reading_id)"
            " insert into reading_identity select reading_id, now() from stored"
        )
        pipeline = probes.look_at_pipeline(db.dsn, None, 0)
    assert pipeline.lag == timedelta(seconds=9)
    assert pipeline.newest_reading is not None


def test_a_database_that_is_away_is_a_finding(db: Database) -> None:
    facts = probes.gather(make_conninfo(db.dsn, dbname="gone"), None)
    assert Trouble.DATABASE_AWAY in troubles(facts)


def test_a_real_broker_is_seen_as_it_is(broker: EmbeddedBroker) -> None:
    seen = probes.look_at_broker(Address(host=broker.host, port=broker.port))
    assert seen.error == ""
    assert (seen.loopback, seen.tls, seen.anonymous) == (True, False, True)
    assert (seen.shared, seen.session_kept, seen.qos) == (True, True, 2)
    assert seen.version.startswith("mosquitto")
    assert seen.dropped == 0
    assert seen.queued is not None


def test_a_broker_that_asks_for_a_password_lets_no_stranger_in(server_directory: object) -> None:
    directory = server_directory
    with EmbeddedBroker(directory, kind=Kind.MOSQUITTO, passwords={INGEST: "right"}) as running:  # type: ignore[arg-type] # a path
        address = Address(host=running.host, port=running.port, username=INGEST, password="right")
        assert probes.look_at_broker(address).anonymous is False
        refused = probes.look_at_broker(replace(address, password="wrong"))
    assert "refuses" in refused.error
    assert "refused" in probes.look_at_broker(address).error


def test_the_command_prints_json_and_says_by_its_exit_code(
    db: Database, broker: EmbeddedBroker
) -> None:
    doctor = next(command for command in COMMANDS if command.name == "doctor")

    app = typer.Typer()
    app.command()(_load(doctor))
    environment = {
        "TIDINGS_MIGRATE_DSN": db.dsn,
        "TIDINGS_BROKER_HOST": broker.host,
        "TIDINGS_BROKER_PORT": str(broker.port),
    }
    done = CliRunner().invoke(app, ["--json"], env=environment)
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert {"no_ingest", "scheduler"} <= {each["trouble"] for each in told["findings"]}
    assert told["facts"]["broker"].startswith(f"127.0.0.1:{broker.port} mosquitto")
    shown = CliRunner().invoke(app, ["--no-broker"], env=environment)
    assert "no ingest process runs" in shown.stdout
    assert CliRunner().invoke(app, [], env={"TIDINGS_MIGRATE_DSN": ""}).exit_code == 2
