"""Speed of the time loop, as ratios measured side by side: `python benchmarks/simulation.py`."""

from __future__ import annotations

import time

from estimator import LoadProfile, ServiceSpec, TargetTrackingScalingPolicy, TaskSize, Workload, simulate
from estimator.simulation import engine

STEPS_PER_DAY = 1440


def seconds(days: int, n_specs: int, compiled: bool) -> float:
    """Best of three."""
    week = LoadProfile.weekly(300, 40, weekend_factor=0.6).requests_per_s
    load = LoadProfile(week[: days * STEPS_PER_DAY], 60)
    work = Workload(load, cpu_ms_per_request=40)
    specs = [
        ServiceSpec(
            TaskSize(1024, 2048),
            min_capacity=1 + i % 7,
            max_capacity=60,
            scaling=TargetTrackingScalingPolicy(40 + i / 100),
        )
        for i in range(n_specs)
    ]
    real = engine._run
    engine._run = lambda arguments, keep, n_steps, _: real(arguments, keep, n_steps, compiled)
    try:
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            simulate(work, specs)
            best = min(best, time.perf_counter() - start)
        return best
    finally:
        engine._run = real


def main() -> None:
    seconds(1, 1, compiled=True)
    plain, fast = seconds(7, 4, compiled=False), seconds(7, 4, compiled=True)
    print(f"compiled loop / uncompiled loop, 4 candidates x 1 week: {plain / fast:.0f} times as fast")
    base = seconds(7, 250, compiled=True)
    print(f"250 candidates x 1 week: {base * 1000:.0f} ms")
    print(f"1,000 candidates / 250 candidates: {seconds(7, 1000, compiled=True) / base:.1f} times the time")
    print(f"1 day / 1 week, 250 candidates: {seconds(1, 250, compiled=True) / base:.2f} of the time")


if __name__ == "__main__":
    main()
