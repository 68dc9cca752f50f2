"""Ingest against what somebody would otherwise use; the last line is one JSON object.

`python -m deploy.bench.ingest [--messages 40000] [--rounds 3] [--workers 1,2] [--only ours,...]
[--soak 10000000]`

Each contender takes one-reading messages live: publisher, broker, contender and PostgreSQL share
this machine. Ours does all its checks; the others insert what the message says, unique by id. The
ratios are of ours with the number of workers that did best: mq-bridge has its best concurrency.
Then ours alone: catching up with 50 readings a message, how late it is at half its rate and, with
--soak, its memory over many readings.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from operator import attrgetter

from deploy.bench import common, flow
from deploy.bench.common import Servers, say
from deploy.bench.contenders.lineup import (
    CATCH_UP_EACH,
    PATIENTS,
    Contender,
    bridge_environment,
    contenders,
    ours,
)
from deploy.bench.contenders.table import TABLE
from deploy.bench.flow import Figures
from deploy.bench.memory import MEMORY_FLOOR_MB, soak
from deploy.bench.punctual import P99_FLOOR_MS, p99_ms

FLOORS = {"careful": 1.5, "bridge": 1.3, "tutorial": 8.0}
CATCH_UP_FLOOR = 60_000
AT_HALF_S = 10


def main() -> None:
    """Run the rounds and conclude."""
    told = _arguments()
    chosen = told.only.split(",") if told.only else []
    workers = [int(number) for number in told.workers.split(",")]
    with common.servers() as servers, bridge_environment(chosen) as bridge:
        with servers.owner() as owner:
            common.found_clinic(owner, PATIENTS)
            owner.execute(TABLE)
        lined_up = [
            each for each in contenders(bridge, workers) if not chosen or each.name in chosen
        ]
        found = _rounds(servers, lined_up, told.rounds, told.messages)
        alone = _alone(servers, found)
        if not chosen or "catch_up" in chosen:
            alone |= _catching_up(servers, workers, told.messages // 10)
        if told.soak:
            alone |= soak(servers, told.soak)
    common.conclude(_conclusion(found, told.messages) | alone)


def _rounds(
    servers: Servers, lined_up: Sequence[Contender], rounds: int, messages: int
) -> dict[str, list[Figures]]:
    """Let everybody run in turn, so that a busy minute of the machine hits all alike."""
    found: dict[str, list[Figures]] = {each.name: [] for each in lined_up}
    for number in range(rounds):
        for contender in lined_up:
            figures = flow.run(servers, contender, messages)
            found[contender.name].append(figures)
            _tell(f"round {number + 1}", contender.name, figures)
    return found


def _catching_up(servers: Servers, workers: Sequence[int], messages: int) -> dict[str, object]:
    """What ours does with messages of 50 readings, by number of workers."""
    told: dict[int, Figures] = {}
    for number in workers:
        told[number] = figures = flow.run(servers, ours(number, each=CATCH_UP_EACH), messages)
        _tell("alone  ", f"catch_up, {number}", figures)
    best = max(told.values(), key=attrgetter("per_s"))
    return {
        "catch_up_readings_per_s": round(best.per_s * CATCH_UP_EACH),
        "catch_up_floor": CATCH_UP_FLOOR,
        "catch_up_by_workers": {
            number: {
                "readings_per_s": round(each.per_s * CATCH_UP_EACH),
                "consumer_ms_per_1000": round(each.consumer_ms, 1),
                "postgres_ms_per_1000": round(each.postgres_ms, 1),
                "peak_mb": round(each.peak_mb, 1),
            }
            for number, each in told.items()
        },
    }


def _alone(servers: Servers, found: Mapping[str, Sequence[Figures]]) -> dict[str, object]:
    """What only ours promises."""
    alone: dict[str, object] = {}
    if "ours" in found:
        rate = statistics.median(each.per_s for each in found["ours"]) / 2
        late = p99_ms(servers, rate, round(rate * AT_HALF_S))
        say(f"alone    at {rate:,.0f} messages/s, 99 % are stored within {late:.0f} ms")
        alone |= {"p99_ms_at_half_rate": round(late), "p99_ms_floor": P99_FLOOR_MS}
        alone["memory_mb_floor"] = MEMORY_FLOOR_MB
    return alone


def _tell(when: str, name: str, figures: Figures) -> None:
    say(
        f"{when}  {name:16} {figures.per_s:9,.0f} messages/s   per 1,000 readings:"
        f" consumer {figures.consumer_ms:6.1f} ms, PostgreSQL {figures.postgres_ms:6.1f} ms,"
        f" broker {figures.broker_ms:5.1f} ms   peak {figures.peak_mb:.0f} MB"
    )


def _conclusion(found: Mapping[str, Sequence[Figures]], messages: int) -> dict[str, object]:
    rates = {name: round(each) for name, each in _medians(found, "per_s").items()}
    best = max((rates[name] for name in rates if name.startswith("ours")), default=None)
    ratios = {
        name: round(best / rates[name], 2) for name in FLOORS if best is not None and name in rates
    }
    return {
        "bench": "ingest",
        "messages": messages,
        "cores": os.cpu_count(),
        "backend": "plain",
        "readings_per_s": rates,
        "ratio_to": ratios,
        "floors": FLOORS,
        "floors_met": all(ratio >= FLOORS[name] for name, ratio in ratios.items()),
        "consumer_ms_per_1000": _medians(found, "consumer_ms"),
        "postgres_ms_per_1000": _medians(found, "postgres_ms"),
        "broker_ms_per_1000": _medians(found, "broker_ms"),
        "peak_mb": _medians(found, "peak_mb"),
    }


def _medians(found: Mapping[str, Sequence[Figures]], field: str) -> dict[str, float]:
    return {
        name: round(statistics.median(getattr(each, field) for each in runs), 1)
        for name, runs in found.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--only", default="", help="contenders, by commas")
    parser.add_argument("--soak", type=int, default=0, help="readings over which to watch memory")
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
