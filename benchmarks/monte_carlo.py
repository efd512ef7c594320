"""Speed of the draws: `python benchmarks/monte_carlo.py [DRAWS]`, by default 500 draws of the load x 50 candidates x a year at one minute.

The whole is timed: draws, load, simulation, bills and limits. A smaller run draws what AWS does not document too; then it is shown how the time of smaller
runs grows with each of the three factors.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from estimator import ServiceSpec, TargetTrackingScalingPolicy, TaskSize
from estimator.planning.draws import Contender, Outcomes, run_draws
from estimator.risk import Cases, draws
from estimator.scenario import Scenario

DAYS, CANDIDATES, DRAWS = 365, 50, 500
STEPS_PER_DAY = 1440
WARM_UP_DAYS = 7


def scenario(days: int) -> Scenario:
    """A weekly load with daylight saving and noise, known to a factor."""
    return Scenario.from_text(f"""
region: us-east-1
load:
  kind: weekly
  peak_requests_per_s: 200
  trough_requests_per_s: 40
  weekend_factor: 0.6
  calendar: {{time_zone: Europe/Berlin, start: 2026-01-01, days: {days}}}
  noise: {{percent: 10, seed: 1}}
  scale: {{low: 0.6, likely: 1, high: 2}}
request: {{cpu_ms_per_request: 40}}
promise: {{p95_latency_ms: 300}}
""")


def contenders(n: int) -> list[Contender]:
    """Candidates that hold CPU targets from 40 to 75 percent with different minimums."""
    return [
        Contender(
            f"{i}",
            ServiceSpec(
                TaskSize(1024, 2048),
                min_capacity=2 + i % 5,
                max_capacity=60,
                scaling=TargetTrackingScalingPolicy(40 + 35 * i / n),
            ),
        )
        for i in range(n)
    ]


def run(n_draws: int, n_candidates: int, days: int, model: bool = False) -> tuple[float, float, Outcomes]:
    """Seconds of the whole by the clock and of all cores' work, and what came out."""
    start, worked = time.perf_counter(), time.process_time()
    document = scenario(days)
    drawn = draws(document, n_draws, seed=1, model_uncertainty=model)
    cases = Cases(document)
    found = run_draws(contenders(n_candidates), lambda i, beside: cases.of({**drawn.at(i), **beside}), n_draws)
    return time.perf_counter() - start, time.process_time() - worked, found


def said(name: str, seconds: float, worked: float, n_draws: int) -> str:
    steps = n_draws * CANDIDATES * (DAYS + WARM_UP_DAYS) * STEPS_PER_DAY
    rate = f"{steps / seconds / 1e6:,.0f} million candidate-steps a second"
    return f"{name}: {seconds:.1f} s ({worked:.1f} s of work on {os.cpu_count()} cores), {rate}"


def main() -> None:
    n_draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    run(2, 2, 28)  # compiles, if that is still to be done
    seconds, worked, found = run(n_draws, CANDIDATES, DAYS)
    print(said(f"{n_draws} draws x {CANDIDATES} candidates x {DAYS} days", seconds, worked, n_draws))
    print(f"  bills from ${found.usd.min():,.0f} to ${found.usd.max():,.0f}, {found.keeps.mean():.0%} keep the promise")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak_mb:,.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")
    fewer = max(n_draws // 10, 10)
    seconds, worked, _ = run(fewer, CANDIDATES, DAYS, model=True)
    print(said(f"{fewer} draws of what AWS does not document too", seconds, worked, fewer))
    for what, sizes in (
        ("draws", [(n, 10, 91) for n in (20, 40, 80)]),
        ("candidates", [(20, n, 91) for n in (10, 20, 40)]),
        ("days", [(20, 10, n) for n in (91, 182, 364)]),
    ):
        times = [run(*size)[0] for size in sizes]
        print(
            f"{what}: "
            + ", ".join(
                f"{' x '.join(map(str, size))}: {1000 * s:,.0f} ms" for size, s in zip(sizes, times, strict=True)
            )
            + f"; four times as many take {times[-1] / times[0]:.1f} times as long"
        )


if __name__ == "__main__":
    main()
