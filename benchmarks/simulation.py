"""Speed of the simulation, as ratios measured side by side: `python benchmarks/simulation.py`.

A year at one minute with noise unless said otherwise. A ratio is a median over rounds in which both sides run one after the other.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import numpy_loop

from estimator import (
    Application,
    LoadProfile,
    ServiceSpec,
    TargetTrackingScalingPolicy,
    TaskSize,
    Workload,
    load_rates,
    simulate,
)
from estimator.billing.costing import price_month
from estimator.billing.month import BilledMonth
from estimator.simulation.compiled import compiled_run
from estimator.simulation.inputs import PolicyInputs, SimulationInputs, features_of
from estimator.simulation.outcome import run_inputs, run_loop
from estimator.simulation.variants import ALL
from tests.simulation.reference import ReferenceInputs, ReferencePolicy, simulate_reference

STEPS_PER_DAY = 1440
YEAR = 365 * STEPS_PER_DAY


def load(n_steps: int) -> np.ndarray:
    """Requests per second by day and by night, with a weekly swing and noise of 10 percent."""
    k = np.arange(n_steps)
    day = 1 + 0.6 * np.sin(2 * np.pi * k / STEPS_PER_DAY)
    week = 1 + 0.2 * np.sin(2 * np.pi * k / (7 * STEPS_PER_DAY))
    return 150 * day * week * np.random.default_rng(7).lognormal(0.0, 0.1, n_steps)


def inputs(n_steps: int = YEAR, **changes: object) -> SimulationInputs:
    """One lean candidate."""
    values: dict[str, object] = {
        "requests_per_s": load(n_steps),
        "record_from": min(7 * STEPS_PER_DAY, n_steps // 2),
        "cpu_s_per_request": 0.04,
        "task_vcpu": 1.0,
        "task_requests_per_s": 25.0,
        "min_capacity": 2,
        "max_capacity": 60,
        "unbilled_s": 10,
        "running_after_s": 23,
        "ready_wait_s": np.random.default_rng(1).integers(8, 38, 4096),
        "drain_s": 90,
        "policies": (PolicyInputs(lag_s=150, target_value=60.0),),
    }
    return SimulationInputs(**{**values, **changes})  # type: ignore[arg-type]


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


def side_by_side(
    one: Callable[[], object],
    other: Callable[[], object],
    rounds: int = 7,
    clock: Callable[[], float] = time.process_time,  # on one thread, so that it counts no one else's work
) -> tuple[float, float, float]:
    """Median seconds of each, and of the ratio one / other."""
    one()
    other()
    pairs = [(timed(one, clock), timed(other, clock)) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def own(item: SimulationInputs) -> Callable[[], object]:
    """Run an input by the loop that has its features and no others."""
    loop = compiled_run(features_of(item))
    return lambda: run_loop(item, False, loop, True)


def against_python() -> None:
    """Against the loop as plain Python over lists, which is its source, and against the tests' reference, which shares nothing with it."""
    year = inputs()
    for name, used in (("the same code uncompiled", frozenset()), ("all of the code uncompiled", ALL)):
        item = year if not used else inputs(28 * STEPS_PER_DAY)
        steps = len(item.requests_per_s)
        a, b, ratio = side_by_side(partial(run_inputs, item, compiled=False, used=used), own(item), 1)
        print(
            f"compiled / {name}: {ratio:.0f} times as fast ({1e9 * b / steps:.1f} against {1e9 * a / steps:.0f} ns a step)"
        )
    short = inputs(2 * STEPS_PER_DAY)
    steps = len(short.requests_per_s)
    expected = simulate_reference(reference_inputs(short))
    assert expected.billed_task_s == run_inputs(short).billed_task_s
    a, b, ratio = side_by_side(partial(simulate_reference, reference_inputs(short)), own(short), 1)
    print(
        f"compiled / the tests' reference over two days: {ratio:.0f} times as fast ({1e9 * b / steps:.1f} against {1e9 * a / steps:.0f} ns a step)"
    )


def reference_inputs(item: SimulationInputs) -> ReferenceInputs:
    """Return the same for the reference, which has fields of the same names."""
    values = {field.name: getattr(item, field.name) for field in dataclasses.fields(ReferenceInputs)}
    names = [field.name for field in dataclasses.fields(ReferencePolicy)]
    policies = tuple(ReferencePolicy(**{name: getattr(policy, name) for name in names}) for policy in item.policies)
    lists = {name: values[name].tolist() for name in values if isinstance(values[name], np.ndarray)}
    return ReferenceInputs(**{**values, **lists, "policies": policies})


def against_numpy(n: int = 1000, days: int = 365) -> None:
    base = inputs(days * STEPS_PER_DAY)
    minimum = 1 + np.arange(n) % 7
    target = 40.0 + np.arange(n) / 40
    items = [
        replace(base, min_capacity=int(low), policies=(replace(base.policies[0], target_value=float(value)),))
        for low, value in zip(minimum, target, strict=True)
    ]
    loop = compiled_run(frozenset())
    vectorised = partial(
        numpy_loop.run, base.requests_per_s, base.record_from, 60, 0.04, 1.0, 25.0, minimum, np.full(n, 60), target, 300, 300, 150, 3, 15,
        0.9, 10.0, 10, 23, np.asarray(base.ready_wait_s), 90, 60,
    )  # fmt: skip
    start = time.process_time()
    totals = vectorised()
    a = time.process_time() - start
    for i in range(0, n, 37):
        outcome = run_inputs(items[i])
        for name in (
            "billed_task_s",
            "running_task_s",
            "launched",
            "removed",
            "steps_over_capacity",
            "peak_desired_count",
        ):
            assert getattr(totals, name)[i] == getattr(outcome, name), (i, name)
        assert np.allclose(totals.histogram[i], outcome.utilization_histogram)
    b = statistics.median(
        timed(lambda: [run_loop(item, False, loop, True) for item in items], time.process_time) for _ in range(3)
    )
    each = 1e9 / (n * days * STEPS_PER_DAY)
    print(
        f"compiled / numpy over {n:,} candidates x {days} days: {a / b:.1f} times as fast ({b * each:.1f} against {a * each:.0f} ns)"
    )


def threads() -> None:
    items = [inputs(min_capacity=1 + i % 5) for i in range(48)]
    loop = compiled_run(frozenset())

    def run(item: SimulationInputs) -> object:
        return run_loop(item, False, loop, True)

    with ThreadPoolExecutor(2) as pool:
        *_, ratio = side_by_side(
            lambda: [run(item) for item in items], lambda: list(pool.map(run, items)), clock=time.perf_counter
        )
    print(f"two threads / one: {ratio:.2f} times as fast, load of the machine {os.getloadavg()[0]:.1f}")


def features() -> None:
    lean = inputs()
    cpu = lean.policies[0]
    hours = YEAR // 60
    steps = ((0.0, 10.0, 10), (10.0, np.inf, 30))
    cases = {
        "the loop that can do everything": (lean, ALL),
        "mean of datapoints": (replace(lean, mean_of_datapoints=True), None),
        "memory policy": (
            replace(lean, policies=(replace(cpu, metric="memory"),), baseline_memory_mib=300.0, memory_mib_per_request=20.0, residence_s=3.0),
            None,
        ),
        "two policies: CPU, requests": (
            replace(lean, policies=(cpu, replace(cpu, metric="requests", target_value=900.0))),
            None,
        ),
        "step scaling, out and in": (
            replace(
                lean,
                policies=(
                    replace(
                        cpu, kind="step", threshold=70.0, steps=steps, adjustment_type="PercentChangeInCapacity", evaluation_periods=3, datapoints_to_alarm=2,
                    ),
                    replace(cpu, kind="step", threshold=40.0, direction="down", steps=((-np.inf, 0.0, -1),), evaluation_periods=15, datapoints_to_alarm=15),
                ),
            ),
            None,
        ),
        "queue": (replace(lean, queue_per_task=100.0, queue_timeout_s=10.0), None),
        "launch rate": (replace(lean, launch_burst=5, launch_per_s=0.2), None),
        "quota": (replace(lean, max_tasks=12), None),
        "bounds each hour": (replace(lean, bounds=tuple((60 * i, 2 + i % 3, 60, i % 9) for i in range(hours))), None),
        "a deployment a day, two zones lost": (
            replace(lean, deployments=tuple((STEPS_PER_DAY * d + 600, "rolling", 100.0, 200.0, 0, 0) for d in range(365)), zone_losses=(1000, 90_000)),
            None,
        ),
        "Fargate Spot with interruptions": (
            replace(
                lean, spot_base=2, spot_share=0.7, spot_interruptions_per_task_hour=0.01, shortages=((86_400, 90_000),),
                thresholds=np.cumsum(np.random.default_rng(3).exponential(size=20_000)),
            ),
            None,
        ),
        "all of them": (
            replace(
                lean, policies=(cpu, replace(cpu, metric="requests", target_value=900.0)), queue_per_task=100.0, queue_timeout_s=10.0, launch_burst=5,
                launch_per_s=0.2, max_tasks=40, bounds=tuple((60 * i, 2 + i % 3, 60, i % 9) for i in range(hours)),
                deployments=tuple((STEPS_PER_DAY * d + 600, "rolling", 100.0, 200.0, 0, 0) for d in range(365)), spot_base=2, spot_share=0.7,
                spot_interruptions_per_task_hour=0.01, thresholds=np.cumsum(np.random.default_rng(3).exponential(size=20_000)),
            ),
            None,
        ),
    }  # fmt: skip
    run_lean = own(lean)
    seconds = statistics.median(timed(run_lean, time.process_time) for _ in range(15))
    print(f"lean: {1e9 * seconds / YEAR:.1f} ns a candidate-step")
    for name, (item, used) in cases.items():
        loop = compiled_run(features_of(item) if used is None else used)
        a, _, ratio = side_by_side(partial(run_loop, item, False, loop, True), run_lean, 5)
        print(f"  {name}: {ratio:.1f} times the time of lean ({1e9 * a / YEAR:.1f} ns)")


def candidates(n_specs: int, days: int) -> tuple[Workload, list[ServiceSpec]]:
    work = Workload(LoadProfile(load(days * STEPS_PER_DAY), 60), cpu_ms_per_request=40)
    specs = [
        ServiceSpec(
            TaskSize(1024, 2048),
            min_capacity=1 + i % 7,
            max_capacity=60,
            scaling=TargetTrackingScalingPolicy(40 + 50 * i / n_specs),
        )
        for i in range(n_specs)
    ]
    return work, specs


def linear() -> None:
    for what, sizes in (
        ("candidates x a week", [(n, 7) for n in (250, 500, 1000, 2000, 4000)]),
        ("days x 250 candidates", [(250, d) for d in (28, 56, 112, 224)]),
    ):
        line = []
        for n, days in sizes:
            work, specs = candidates(n, days)
            line.append(
                (
                    n if what.startswith("c") else days,
                    statistics.median(timed(lambda w=work, s=specs: simulate(w, s)) for _ in range(3)),
                )
            )
        x, y = np.array(line).T
        slope, start = np.polyfit(x, y, 1)
        print(f"{what}: " + ", ".join(f"{a:,.0f}: {1000 * b:.0f} ms" for a, b in line))
        print(
            f"  the line {1000 * start:.0f} ms + {1000 * slope:.3f} ms each, off by {np.abs(y - start - slope * x).max() / y.max():.1%} at most"
        )


def bills() -> None:
    """A year of 1,000 candidates: their simulation, and their bills."""
    work, specs = candidates(1000, 365)
    start = time.perf_counter()
    run = simulate(work, specs)
    simulated = time.perf_counter() - start
    rates = load_rates("us-east-1")
    billed = timed(lambda: price_month(BilledMonth(work, run, Application(), region="us-east-1"), rates))
    print(
        f"1,000 candidates x 1 year: simulated in {simulated:.1f} s, billed in {billed:.2f} s, {simulated / billed:.0f} times as fast"
    )


def memory() -> None:
    work, specs = candidates(10_000, 7)
    tracemalloc.start()
    simulate(work, specs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    work, _ = candidates(1, 365)
    print(
        f"10,000 candidates: {peak / 1e6:.0f} MB at the most, whatever the period but for the load's {work.load.requests_per_s.nbytes / 1e6:.0f} MB a year"
    )


def main() -> None:
    against_python()
    against_numpy()
    threads()
    features()
    bills()
    linear()
    memory()


if __name__ == "__main__":
    main()
