from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from database.doctor import FORGOTTEN, UNSUMMED_DAYS, Facts, Queue, Wrong, examine, findings
from database.migrate import Status, migrate, names
from tests.conftest import Database

HEALTHY = Facts(
    server="18.6",
    timescale=None,
    kind="plain",
    schema=Status(current="0006", pending=(), known=True),
    sessions=5,
    most_sessions=100,
    idle_since=None,
    roles=(("tidings_web", True, False), ("tidings_worker", True, False)),
)


def test_a_fresh_database_is_healthy(db: Database, noon: datetime) -> None:
    facts = examine(db.dsn)
    assert (facts.kind, facts.timescale, facts.schema.pending) == ("plain", None, ())
    assert facts.server.startswith("18.")
    assert findings(facts, now=noon) == []


def test_an_unmigrated_database_is_behind(empty: str, noon: datetime) -> None:
    (finding,) = findings(examine(empty), now=noon)
    assert (finding.wrong, finding.detail) == (Wrong.BEHIND, ", ".join(names()))


def test_rights_are_compared_with_what_they_should_be(db: Database, noon: datetime) -> None:
    with db.connect() as owner:
        owner.execute("grant select on reading to tidings_web")
        owner.execute("revoke insert on reading from tidings_worker")
        owner.execute("create table diary (organisation_id uuid)")
        owner.execute("grant select on diary to tidings_web")
    found = [(finding.wrong, finding.detail) for finding in findings(examine(db.dsn), now=noon)]
    assert found == [
        (Wrong.UNGUARDED, "diary"),
        (Wrong.UNGUARDED, "reading"),
        (Wrong.RIGHT_TOO_MUCH, "tidings_web: select on reading"),
        (Wrong.RIGHT_MISSING, "tidings_worker: insert on reading"),
    ]


def test_waiting_work_is_counted_with_its_age(db: Database, noon: datetime) -> None:
    with db.connect() as owner:
        owner.execute(
            """insert into to_evaluate
            (organisation_id, patient_id, reading_id, kind, measured_at, received_at, queued_at)
            select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'weight', t, t, t
            from (select %s::timestamptz - n * interval '1 minute' as t
                  from generate_series(1, 3) as n) as times""",
            (noon,),
        )
    facts = examine(db.dsn)
    queues = {queue.name: (queue.rows, queue.oldest) for queue in facts.queues}
    assert queues["to_evaluate"] == (3, noon - timedelta(minutes=3))
    (finding,) = findings(facts, now=noon)
    assert finding.wrong is Wrong.WAITING
    assert finding.detail == "to_evaluate: 3 rows, the oldest for 0:03:00"
    assert findings(facts, now=noon - timedelta(minutes=2)) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"schema": Status(current="0099", pending=(), known=False)}, Wrong.AHEAD),
        ({"roles": (("tidings_web", True, False),)}, Wrong.NO_ROLE),
        ({"roles": (HEALTHY.roles[0], ("tidings_worker", False, False))}, Wrong.NO_ROLE),
        ({"roles": (("tidings_web", True, True), HEALTHY.roles[1])}, Wrong.ROLE_TOO_STRONG),
        ({"sessions": 90}, Wrong.FEW_SESSIONS_LEFT),
        ({"failed_jobs": ("policy_retention on reading",)}, Wrong.JOB_FAILED),
        ({"unsummed_days": UNSUMMED_DAYS + 1}, Wrong.NOT_MAINTAINED),
    ],
)
def test_each_fault_has_a_name(noon: datetime, change: dict[str, object], wrong: Wrong) -> None:
    facts = replace(HEALTHY, **change)  # type: ignore[arg-type] # a table of changes
    assert [finding.wrong for finding in findings(facts, now=noon)] == [wrong]
    assert findings(HEALTHY, now=noon) == []


def test_a_forgotten_transaction_is_told_after_a_while(noon: datetime) -> None:
    facts = replace(HEALTHY, idle_since=noon)
    assert findings(facts, now=noon + FORGOTTEN) == []
    (finding,) = findings(facts, now=noon + FORGOTTEN + timedelta(seconds=1))
    assert finding.wrong is Wrong.IDLE_TRANSACTION


def test_old_quarantine_is_a_fact_and_no_fault(noon: datetime) -> None:
    queue = Queue(name="quarantine technical", rows=3, oldest=noon - timedelta(days=9))
    assert findings(replace(HEALTHY, queues=(queue,)), now=noon) == []


def test_half_a_migration_is_examined_all_the_same(empty: str, noon: datetime) -> None:
    migrate(empty, target="0001")
    assert findings(examine(empty), now=noon)[0].wrong is Wrong.BEHIND
