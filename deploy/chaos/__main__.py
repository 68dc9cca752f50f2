"""`python -m deploy.chaos --plans 100 --seed 1`: the last line is one JSON object."""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg

from deploy.chaos import check, plan, world
from deploy.chaos.check import Count
from deploy.chaos.homes import Home, traffic
from deploy.chaos.plan import Plan
from deploy.chaos.world import World
from deploy.embedded.broker import Kind as BrokerKind
from deploy.embedded.broker import find_mosquitto

HOMES = 4
PATIENCE_S = 90.0


def main() -> None:
    """Run the plans and conclude."""
    told = _arguments()
    counts = []
    failed = []
    with (
        tempfile.TemporaryDirectory(prefix="tidings-chaos-") as top,
        world.world(Path(top), BrokerKind(told.broker)) as place,
    ):
        for number in told.only or range(1, told.plans + 1):
            chosen = plan.draw(number, told.seed, readings=told.readings, lasts_s=told.seconds)
            if told.broker == BrokerKind.IOTCORE:  # its shared subscriptions do not last
                chosen = replace(chosen, workers=1)
            found = run(place, chosen)
            counts.append(found)
            failed += [] if found.clean else [number]
            _tell(chosen, found)
            if not found.clean:
                place.end()  # the next plan begins with processes of its own
            if not found.clean and told.keep_logs:
                _keep(place, number, Path(told.keep_logs))
    conclusion = _conclusion(counts, failed)
    conclusion |= {"seed": told.seed, "broker": told.broker}
    print(json.dumps(conclusion, separators=(",", ":")), flush=True)
    sys.exit(1 if failed else 0)


def run(place: World, chosen: Plan) -> Count:
    """Run one plan and count."""
    place.begin(chosen)
    homes = [
        Home(name=f"home-{chosen.number}-{index}", port=place.nets["homes"].port)
        for index in range(HOMES)
    ]
    world.settle(place, homes)
    for home in homes:
        home.open()
    stop = threading.Event()
    measuring = threading.Thread(
        target=traffic, args=(homes, chosen.readings, chosen.lasts_s, str(chosen.number))
    )
    supervising = threading.Thread(target=_supervise, args=(place, chosen.workers, stop))
    measuring.start()
    supervising.start()
    try:
        _suffer(place, chosen, homes)
        measuring.join()
        _until(lambda: _forgotten(homes))
        _until(lambda: _judged(place))
        with place.owner() as owner:
            return check.count(owner, homes)
    finally:
        stop.set()
        supervising.join()
        for home in homes:
            home.close()


def _suffer(place: World, chosen: Plan, homes: list[Home]) -> None:
    """Strike and mend at their times."""
    began = time.monotonic()
    due: list[tuple[float, Callable[[], None]]] = []
    for fault in chosen.faults:
        _mend(due, began, fault.at_s)
        mend = place.strike(fault, homes)
        due.append((fault.at_s + fault.lasts_s, mend))
    _mend(due, began, float("inf"))


def _mend(due: list[tuple[float, Callable[[], None]]], began: float, until_s: float) -> None:
    """Mend whatever is over by then, and wait until then."""
    for at, mend in sorted(due, key=lambda each: each[0]):
        if at <= until_s:
            time.sleep(max(0.0, began + at - time.monotonic()))
            mend()
            due.remove((at, mend))
    if until_s != float("inf"):
        time.sleep(max(0.0, began + until_s - time.monotonic()))


def _supervise(place: World, workers: int, stop: threading.Event) -> None:
    while not stop.wait(0.3):
        place.keep_alive(workers)


def _forgotten(homes: list[Home]) -> bool:
    """Whether every home was told to forget everything; what it was not told is sent again."""
    for home in homes:
        home.send()
    return not any(home.outbox for home in homes)


def _judged(place: World) -> bool:
    try:
        with place.owner() as owner:
            return check.waiting(owner) == 0
    except psycopg.Error:
        return False


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)


def _tell(chosen: Plan, found: Count) -> None:
    verdict = "ok  " if found.clean else "FAIL"
    faults = "; ".join(str(fault) for fault in chosen.faults)
    print(
        f"{verdict} plan {chosen.number}: {found.readings} readings, {found.missing} missing,"
        f" {found.doubled} doubled, {found.alerts} alerts, {found.alerts_missing} missing,"
        f" {found.alerts_doubled} doubled ({chosen.workers} workers; {faults})",
        flush=True,
    )


def _keep(place: World, number: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for log in place.folder.rglob("*.log"):
        (folder / f"{number}-{log.name}").write_bytes(log.read_bytes())


def _conclusion(counts: list[Count], failed: list[int]) -> dict[str, object]:
    return {
        "chaos": "pipeline",
        "plans": len(counts),
        "readings": sum(found.readings for found in counts),
        "missing": sum(found.missing for found in counts),
        "doubled": sum(found.doubled for found in counts),
        "alerts": sum(found.alerts for found in counts),
        "alerts_missing": sum(found.alerts_missing for found in counts),
        "alerts_doubled": sum(found.alerts_doubled for found in counts),
        "failed": failed,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, action="append", help="run just this plan")
    parser.add_argument("--readings", type=int, default=240, help="in each plan")
    parser.add_argument("--seconds", type=float, default=3.0, help="traffic of each plan")
    parser.add_argument("--keep-logs", default="", help="folder for the logs of failed plans")
    default = BrokerKind.MOSQUITTO if find_mosquitto() else BrokerKind.IOTCORE
    parser.add_argument("--broker", choices=[*BrokerKind], default=default)
    return parser.parse_args()


if __name__ == "__main__":
    main()
