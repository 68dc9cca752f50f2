"""Seeded fault plans (deploy/chaos): drawn the same each time, and a short selection really run."""

import json
import subprocess
import sys
from functools import partial

from deploy.chaos import plan
from deploy.chaos.plan import TARGETS


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    drawn = partial(plan.draw, readings=100, lasts_s=5.0)
    assert drawn(3, 1) == drawn(3, 1)
    assert drawn(3, 1) != drawn(3, 2)
    assert drawn(3, 1) != drawn(4, 1)


def test_plans_reach_every_fault_of_every_part() -> None:
    drawn = [plan.draw(number, 1, readings=100, lasts_s=5.0) for number in range(1, 101)]
    struck = {(fault.kind, fault.target) for each in drawn for fault in each.faults}
    assert struck == {(kind, target) for kind, targets in TARGETS.items() for target in targets}
    assert {each.workers for each in drawn} == {1, 2}


def test_nothing_is_missing_and_nothing_doubled_after_a_plan() -> None:
    options = ["--seed", "1", "--only", "1", "--readings", "200", "--seconds", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "deploy.chaos", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["readings"] == 200
    assert {counted[name] for name in counted if name.endswith(("missing", "doubled"))} == {0}
    assert done.returncode == 0, done.stdout
