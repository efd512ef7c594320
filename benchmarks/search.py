"""The search against an exhaustive one, side by side: `python benchmarks/search.py`.

Each row is a scenario of a week or a month by the minute, with at least 500 different courses to choose from. The share is that of all courses'
steps which the search runs, with those that it runs only to say why others lost. Times are of one search and one exhaustive search after
another, both with the compiled loop. Then a year, and how the search grows with the period and with the space. `--quick` takes every fourth
scenario and no year.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from estimator.errors import NoFeasiblePlan
from estimator.planning.planner import plan
from estimator.planning.promise import Choices, Promise
from estimator.pricing.snapshots import load_rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.simulation.dynamics import dynamics_of
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.planning.exhaustive import WITH_SAVINGS_PLANS, Case, nightly, work

DAY = 1440
#: Of the scenarios' steps the search may run so many. [1]
MOST = 0.20
#: Different courses that a scenario has at least. [1]
LEAST_COURSES = 500
RATES = load_rates("us-east-1")
EVERY_DAY = Operations(deployment_schedules=("cron(0 10 * * ? *)",))
QUEUES = Application(queue_per_task=20, queue_timeout_s=5)
MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
#: Fields of `Case` that stay as they are.
_LOAD = {"arm64_relative_speed": 1.0}


@dataclass(frozen=True)
class Row:
    """What came of one scenario."""

    name: str
    courses: int
    steps: int
    all_steps: int
    search_s: float
    exhaustive_s: float
    usd: float

    @property
    def share(self) -> float:
        return self.steps / self.all_steps


def rate(days: int, mean: float, seed: int, noise: float = 0.1, spikes: int = 0, weekend: float = 1.0) -> LoadProfile:
    """Days and weeks with noise, and crowds of an hour and a half."""
    rng = np.random.default_rng(seed)
    k = np.arange(days * DAY)
    series = mean * (1 + 0.7 * np.sin(2 * np.pi * k / DAY)) * (1 + 0.2 * np.sin(2 * np.pi * k / (7 * DAY)))
    series *= np.where(k // DAY % 7 >= 5, weekend, 1.0) * rng.lognormal(0, noise, k.size)
    for begin in rng.integers(0, k.size - 200, spikes):
        series[begin : begin + 90] *= rng.uniform(1.5, 4)
    return LoadProfile(series, 60, start=MONDAY)


def event(days: int, mean: float, factor: float) -> LoadProfile:
    """One day of all is an event of six hours."""
    load = rate(days, mean, 1, 0.05)
    series = load.requests_per_s.copy()
    begin = days // 2 * DAY + 10 * 60
    series[begin : begin + 6 * 60] *= factor
    return LoadProfile(series, 60, start=MONDAY)


def scenarios() -> Iterator[tuple[str, Case]]:
    """Named scenarios."""
    shop = {"baseline_memory_mib": 300.0, "memory_mib_per_request": 5.0}

    def case(load: LoadProfile, promise: Promise, choices: Choices | None = None, cpu_ms: float = 20, **more: object):  # type: ignore[no-untyped-def]
        return Case(work(load, cpu_ms, **{**shop, **_LOAD}), promise, choices or Choices(), rates=RATES, **more)  # type: ignore[arg-type]

    quick = Promise(p95_latency_ms=200)
    yield "week, smooth", case(rate(7, 100, 1, 0.0), Promise(p95_latency_ms=300))
    yield "week, noisy", case(rate(7, 100, 2, 0.2), Promise(p95_latency_ms=300))
    yield "week, small", case(rate(7, 4, 3), Promise(p95_latency_ms=300))
    yield "week, large", case(rate(7, 3000, 4), Promise(p95_latency_ms=300), cpu_ms=10)
    yield "week, spiky", case(rate(7, 100, 5, spikes=4), Promise(p95_latency_ms=500, max_minutes_over_capacity=60))
    yield "28 days, weekends", case(rate(28, 150, 6, weekend=0.3), quick)
    yield "30 days, smooth", case(rate(30, 60, 7, 0.0), Promise(p95_latency_ms=1000))
    yield "30 days, noisy", case(rate(30, 300, 8, 0.2), quick)
    yield "30 days, large", case(rate(30, 2000, 9, 0.05), Promise(p95_latency_ms=100), cpu_ms=5)
    yield "30 days, small", case(rate(30, 5, 10, 0.2), Promise(p95_latency_ms=300), cpu_ms=60)
    yield "31 days, spiky", case(rate(31, 80, 11, spikes=8), Promise(p99_latency_ms=2000, max_minutes_over_capacity=60))
    yield "30 days, constant nights", case(nightly(30, 20, 200), Promise(p95_latency_ms=300))
    yield "week, constant nights", case(nightly(7, 50, 400), Promise(max_minutes_over_capacity=120))
    yield "30 days, an event", case(event(30, 100, 4.0), Promise(p95_latency_ms=300, max_minutes_over_capacity=30))
    yield "week, an event", case(event(7, 100, 6.0), Promise(max_minutes_over_capacity=60))
    yield "30 days, p99", case(rate(30, 100, 12), Promise(p99_latency_ms=400))
    yield (
        "30 days, minutes over the promise",
        case(rate(30, 100, 13), Promise(150, max_minutes_over_capacity=None, max_minutes_over_promise=500)),
    )
    yield (
        "30 days, refused",
        case(rate(30, 100, 14, spikes=3), Promise(max_minutes_over_capacity=None, max_refused_percent=0.05)),
    )
    yield "30 days, no limit of the latency", case(rate(30, 100, 15), Promise())
    yield "week, four tasks at least", case(rate(7, 30, 16), Promise(p95_latency_ms=300, min_tasks=4))
    yield (
        "30 days, x86 alone",
        case(rate(30, 100, 17), quick, Choices(cpu_architectures=("X86_64",), scale_in_cooldowns_s=(60, 300))),
    )
    yield (
        "week, many cooldowns",
        case(
            rate(7, 200, 18),
            Promise(p95_latency_ms=300),
            Choices(
                scale_out_cooldowns_s=(0, 60, 300), scale_in_cooldowns_s=(60, 300, 900), target_values=(50.0, 70.0)
            ),
        ),
    )
    yield (
        "30 days, Spot mixes",
        case(
            rate(30, 100, 19),
            Promise(p95_latency_ms=300, max_minutes_over_capacity=30),
            Choices(spot_percents=(0, 50, 100), target_values=(50.0, 70.0), scale_out_cooldowns_s=(60,)),
        ),
    )
    yield (
        "week, Spot, interrupted often",
        case(
            rate(7, 100, 20),
            Promise(max_minutes_over_capacity=60),
            Choices(spot_percents=(0, 70), target_values=(40.0, 60.0, 80.0), scale_out_cooldowns_s=(60,)),
            behavior=AwsBehavior(spot_interruptions_per_task_hour=0.05),
        ),
    )
    yield (
        "week, layouts",
        case(
            rate(7, 100, 21), quick, Choices(layouts=("public", "nat", "endpoints"), target_values=(45.0, 60.0, 75.0))
        ),
    )
    yield (
        "30 days, queue",
        case(
            rate(30, 100, 22, spikes=2), Promise(p95_latency_ms=500, max_minutes_over_capacity=60), application=QUEUES
        ),
    )
    yield (
        "30 days, many schedules",
        case(
            rate(30, 150, 23, weekend=0.4),
            quick,
            Choices(
                scheduled_minimum_percents=(0.0, 50.0, 75.0, 100.0),
                target_values=(50.0, 70.0),
                scale_out_cooldowns_s=(60,),
            ),
        ),
    )
    yield (
        "week, Savings Plans",
        replace(
            case(
                nightly(7, 40, 200),
                Promise(max_minutes_over_capacity=300),
                Choices(savings_plan_terms=("1yr",), cpu_units=(256, 512, 1024, 2048), memory_mib=(1024, 2048, 4096)),
            ),
            rates=WITH_SAVINGS_PLANS,
        ),
    )
    yield (
        "week, Windows",
        case(
            rate(7, 300, 24),
            Promise(p95_latency_ms=300),
            Choices(cpu_architectures=("X86_64",), scale_in_cooldowns_s=(60, 300)),
            application=Application(operating_system="WINDOWS"),
        ),
    )
    yield (
        "30 days, deployed every day",
        case(rate(30, 100, 25), Promise(p95_latency_ms=300, max_minutes_over_capacity=30), operations=EVERY_DAY),
    )
    yield (
        "week, loss of a zone",
        case(rate(7, 100, 26), Promise(max_minutes_over_capacity=60), operations=Operations(zone_losses_h=(50.0,))),
    )


def follow(name: str, case: Case) -> Row:
    """Search both ways, and raise unless both find the same."""
    courses = len({dynamics_of(spec, case.operations) for spec in case.specs})
    assert courses >= LEAST_COURSES, f"{name} has {courses} courses; {LEAST_COURSES} are wanted"
    start = time.perf_counter()
    try:
        found = case.plan()
    except NoFeasiblePlan as error:
        raise AssertionError(f"{name}: there is no plan, so nothing is compared. {error}") from error
    search_s = time.perf_counter() - start
    start = time.perf_counter()
    best = case.best
    exhaustive_s = time.perf_counter() - start
    assert best is not None
    assert found.spec == best.spec, f"{name}: {found.spec.describe()} instead of {best.spec.describe()}"
    return Row(name, courses, found.effort.steps, found.effort.all_steps, search_s, exhaustive_s, best.usd)


def compare(names: list[str] | None = None, every: int = 1) -> list[Row]:
    """Follow all scenarios and print them."""
    rows: list[Row] = []
    print(f"{'scenario':36}{'courses':>8}{'steps run':>11}{'search':>9}{'all':>9}{'USD/month':>11}")
    for place, (name, case) in enumerate(scenarios()):
        if place % every or (names and name not in names):
            continue
        row = follow(name, case)
        rows.append(row)
        print(
            f"{name:36}{row.courses:8,}{100 * row.share:10.1f}%{row.search_s:8.1f}s{row.exhaustive_s:8.1f}s{row.usd:11,.2f}",
            flush=True,
        )
    return rows


def growth() -> None:
    """A month, three months and a year with the default space, and a year with half of it and twice as much."""
    print(
        f"\n{'load':14}{'space':10}{'candidates':>11}{'courses':>9}{'whole':>7}{'given up':>10}{'steps run':>11}{'time':>9}"
    )
    half = Choices(target_values=(50.0, 70.0), scale_out_cooldowns_s=(60, 300))
    twice = Choices(scale_in_cooldowns_s=(120, 300))
    for name, days, space_name, space in (
        ("1 month", 30, "default", Choices()),
        ("3 months", 91, "default", Choices()),
        ("1 year", 364, "half", half),
        ("1 year", 364, "default", Choices()),
        ("1 year", 364, "twice", twice),
    ):
        load = rate(days, 150, 30, weekend=0.8)
        demand = Workload(load, cpu_ms_per_request=20, baseline_memory_mib=300, memory_mib_per_request=5)
        start = time.perf_counter()
        effort = plan(demand, RATES, Promise(p95_latency_ms=300), choices=space).effort
        seconds = time.perf_counter() - start
        print(
            f"{name:14}{space_name:10}{effort.candidates:11,}{effort.courses:9,}{effort.whole:7,}{effort.given_up:10,}"
            f"{100 * effort.share:10.1f}%{seconds:8.1f}s",
            flush=True,
        )


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    # So that the first row does not pay for compiling.
    _, first = next(scenarios())
    replace(first, choices=Choices(cpu_units=(1024,), memory_mib=(2048,))).plan()
    rows = compare(every=4 if quick else 1)
    steps, every_step = sum(row.steps for row in rows), sum(row.all_steps for row in rows)
    mean = float(np.mean([row.share for row in rows]))
    search_s, exhaustive_s = sum(row.search_s for row in rows), sum(row.exhaustive_s for row in rows)
    print(
        f"\n{len(rows)} scenarios, the same winner in each. Steps run: {100 * mean:.1f} % of all, each scenario for one; "
        f"{100 * steps / every_step:.1f} %, each step for one. The search took {search_s:.0f} s, all courses {exhaustive_s:.0f} s."
    )
    if not quick:
        growth()
    if mean > MOST or steps > MOST * every_step:
        print(f"\nThat is more than {100 * MOST:.0f} %.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
