"""What-if replays: over pure histories, and over a stored clinic in processes of their own."""

import dataclasses
import uuid
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from alerts import catalogue, process, queue, replay, replay_desk, replaying
from alerts.applicability import Level, Override
from alerts.cli import app
from alerts.replay import History, Relevant, Replayed
from alerts.rules import Metric, RuleError
from alerts.severity import Severity
from tests.alerts.conftest import Clinic
from tests.alerts.patients import NOON, before, bp, sample, subject
from tests.alerts.test_queue import FORM, Desk

WHO = subject("adult_dm", "adult_htn")
PRODUCT = catalogue.product()


def history(*values: float) -> History:
    """One glucose a day, the last one today."""
    samples = [sample(Metric.GLUCOSE, v, before(days=d)) for d, v in enumerate(reversed(values))]
    return History(
        subject=WHO, samples=samples, start=before(days=30), end=NOON + timedelta(days=1)
    )


def draft(rule: str, disabled: bool = False, **changes: object) -> Override:
    return Override(
        id=uuid.uuid4(),
        level=Level.ORGANISATION,
        rule_id=rule,
        changes=changes,
        disabled=disabled,
        effective_from=before(days=400),
        expires_at=NOON + timedelta(days=400),
    )


def test_each_new_breach_after_the_handling_time_is_an_alert() -> None:
    found = replay.replay(PRODUCT, (), history(60, 60, 100, 60))
    assert [each.rule_id for each in found].count("glu_level1_hypo") == 3
    twice = [sample(Metric.GLUCOSE, 60), sample(Metric.GLUCOSE, 61, NOON + timedelta(hours=2))]
    again = History(subject=WHO, samples=twice, start=before(days=1), end=NOON + timedelta(days=1))
    assert [each.rule_id for each in replay.replay(PRODUCT, (), again)].count(
        "glu_level1_hypo"
    ) == 1


def test_a_draft_changes_only_its_own_rules() -> None:
    past = history(65, 60, 50, 100)
    looser = [draft("glu_level1_hypo", any=[{"value": "<62"}])]
    current, changed = replay.both(PRODUCT, (), looser, past)
    whole = replay.replay(PRODUCT, looser, past)
    strip = lambda found: [dataclasses.replace(r) for r in found]  # noqa: E731  # a comparison's helper
    assert strip(changed) == strip(whole)
    compared = replay.compare(current, changed, (), patients=1, days=30)
    assert compared.difference == {"glu_level1_hypo": -1}
    assert compared.current.by_severity["critical"] == compared.draft.by_severity["critical"] == 1
    off = replay.both(PRODUCT, (), [draft("glu_level2_hypo", disabled=True)], past)[1]
    assert "glu_level2_hypo" not in {each.rule_id for each in off}


def test_what_mattered_and_would_be_silent_is_listed() -> None:
    past = history(60, 100, 100)
    at = before(days=2)
    mattered = Relevant(
        patient_id=WHO.id, rule_id="glu_level1_hypo", first_at=at, last_at=at, headline="Glucose 60"
    )
    off = [draft("glu_level1_hypo", disabled=True)]
    current, silent = replay.both(PRODUCT, (), off, past)
    assert replay.compare(current, silent, [mattered], patients=1, days=30).missed == (mattered,)
    assert replay.compare(current, current, [mattered], patients=1, days=30).missed == ()


def test_counts_add_up() -> None:
    def one(severity: Severity, night: bool) -> Replayed:
        return Replayed(
            patient_id=WHO.id,
            rule_id="r",
            severity=int(severity),
            at=NOON,
            reading_id=uuid.uuid4(),
            headline="",
            why="",
            night=night,
        )

    found = [one(Severity.CRITICAL, True), one(Severity.LOW, False), one(Severity.LOW, False)]
    counted = replay.counts(found, patients=2, days=7)
    assert counted.alerts == 3
    assert counted.per_patient_week == 1.5
    assert counted.at_night == 1
    assert counted.nurse_minutes == 15 + 2 + 2


def test_the_weekly_list_is_weekly_in_a_replay_too() -> None:
    readings = [bp(150, 90, before(20 * n, days=d)) for d in range(28) for n in range(2)]
    past = History(subject=WHO, samples=readings, start=before(days=21), end=NOON)
    found = [r.rule_id for r in replay.replay(PRODUCT, (), past)]
    assert found.count("bp_above_goal_week") == 3


def filled(clinic: Clinic) -> None:
    for _ in range(3):
        patient = clinic.patient("adult_dm")
        for day in range(10):
            at = clinic.now - timedelta(days=day, hours=1)
            clinic.reading(patient, "glucose", 60 if day % 3 == 0 else 110, at, queue=False)


async def test_a_stored_clinic_is_replayed_with_progress(clinic: Clinic) -> None:
    filled(clinic)
    patient = clinic.patient("adult_dm")
    clinic.reading(patient, "glucose", 60, clinic.now - timedelta(hours=1))
    await clinic.judge()
    ann = clinic.staff("ann")
    await Desk(clinic).do(queue.resolve, clinic.episode(patient), ann, FORM, now=clinic.now)
    steps: list[tuple[int, int]] = []
    asked = replaying.Asked(
        dsn=clinic.worker_dsn,
        organisation=clinic.organisation,
        until=clinic.now,
        days=30,
        draft={"glu_level1_hypo": {"disabled": True}, "glu_level2_hypo": {"severity": "S2"}},
    )
    import asyncio  # noqa: PLC0415  # only here

    found = await asyncio.to_thread(
        replaying.run, asked, processes=1, progress=lambda d, t: steps.append((d, t))
    )
    assert steps == [(4, 4)]
    assert found.current.by_rule["glu_level1_hypo"] == 13
    assert found.difference == {"glu_level1_hypo": -13}
    assert [each.rule_id for each in found.missed] == ["glu_level1_hypo"]
    assert found.noisiest
    assert replaying.as_words(found)["patients"] == 4


async def test_the_staff_application_asks_and_an_alert_process_answers(clinic: Clinic) -> None:
    filled(clinic)
    desk = Desk(clinic)
    rules = {"glu_level1_hypo": {"any": [{"value": "<55"}]}}
    id_ = await desk.do(replay_desk.ask, clinic.organisation, None, rules, days=30)
    async with await process.connect(clinic.worker_dsn) as connection:
        assert await replay_desk.run_one(connection, clinic.worker_dsn, now=clinic.now)
        assert not await replay_desk.run_one(connection, clinic.worker_dsn, now=clinic.now)
    state = await desk.do(replay_desk.look, id_)
    assert (state.state, state.done, state.total) == ("done", 3, 3)
    assert state.result["difference"] == {"glu_level1_hypo": -12}
    with pytest.raises(RuleError):
        await desk.do(
            replay_desk.ask, clinic.organisation, None, {"glu_level1_hypo": {"colour": 1}}
        )


def test_the_command_prints_the_comparison(clinic: Clinic) -> None:
    filled(clinic)
    told = ["replay", "--organisation", str(clinic.organisation), "--dsn", clinic.worker_dsn]
    result = CliRunner().invoke(app, [*told, "--days", "365", "--processes", "1"])
    assert result.exit_code == 0, result.output
    assert "nurse minutes" in result.output


def test_the_command_prints_the_measures(clinic: Clinic) -> None:
    told = ["measures", "--organisation", str(clinic.organisation), "--dsn", clinic.worker_dsn]
    result = CliRunner().invoke(app, told)
    assert result.exit_code == 0, result.output
    assert "closed with an action" in result.output
    assert CliRunner().invoke(app, ["rules", "--profile", "hf"]).exit_code == 0
