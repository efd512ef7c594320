"""Plans for real request traces against two usual ways to size a service: `python benchmarks/traces.py FOLDER`.

FOLDER holds CSV files with the columns timestamp and requests. A small trace is multiplied by a constant, so that its mean is at least 100
requests/s; the shape stays. Every service runs On-Demand in the same region and network; the baselines may choose architecture and size freely.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from estimator import (
    Choices,
    LoadProfile,
    Plan,
    Promise,
    ServiceSpec,
    TargetTrackingScalingPolicy,
    Workload,
    estimate,
    load_from_csv,
    load_rates,
    plan,
)
from estimator.pricing.rates import Rates
from estimator.service.task_size import CPU_ARCHITECTURES, TASK_SIZES

LEAST_MEAN_REQUESTS_PER_S = 100.0
PROMISES = {
    "p95 within 250 ms, 5 min/month over capacity": Promise(p95_latency_ms=250),
    "p95 within 250 ms, 60 min/month over capacity": Promise(p95_latency_ms=250, max_minutes_over_capacity=60),
}


def workload(path: Path) -> tuple[Workload, float]:
    """A trace as the load of a service whose requests take 30 ms of CPU, and what it was multiplied by."""
    load = load_from_csv(path, gaps="interpolate", whole="hours")
    factor = max(1.0, LEAST_MEAN_REQUESTS_PER_S / load.mean_requests_per_s)
    load = LoadProfile(load.requests_per_s * factor, load.step_s, path.stem, load.start)
    return Workload(
        load, cpu_ms_per_request=30, response_kb=20, baseline_memory_mib=300, memory_mib_per_request=2
    ), factor


def kept(found: Plan) -> bool:
    """Say whether a service keeps its promise."""
    return not found.broken


def constant(work: Workload, rates: Rates, promise: Promise) -> Plan | None:
    """The cheapest constant count, over all sizes: as few tasks of a size as keep the promise."""
    best: Plan | None = None
    seen: dict[tuple[str, float], int | None] = {}
    for architecture in CPU_ARCHITECTURES:
        for size in TASK_SIZES:
            key = architecture, size.vcpu
            if key not in seen:
                seen[key] = fewest(work, rates, promise, architecture, size)
            n = seen[key]
            if n is None or (
                best is not None
                and best.spec.task_size.vcpu == size.vcpu
                and best.spec.cpu_architecture == architecture
            ):
                continue  # the next larger memory is dearer
            found = estimate(work, rates, service(size, architecture, n, n, ()), promise=promise)
            if kept(found) and (best is None or found.cost.total_usd < best.cost.total_usd):
                best = found
    return best


def fewest(work: Workload, rates: Rates, promise: Promise, architecture: str, size: object) -> int | None:
    """The fewest tasks of a size that keep the promise, memory aside, by halving; more tasks are never worse."""
    roomy = next(s for s in reversed(TASK_SIZES) if s.vcpu == size.vcpu)  # type: ignore[attr-defined]
    peak_vcpu = work.load.peak_requests_per_s * work.cpu_s_per_request(architecture)
    low, high = 1, int(4 * peak_vcpu / roomy.vcpu) + 4
    keeps = lambda n: kept(estimate(work, rates, service(roomy, architecture, n, n, ()), promise=promise))  # noqa: E731
    if high > 5000 or not keeps(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle + 1, high)
    return low


def service(size: object, architecture: str, low: int, high: int, scaling: tuple[object, ...]) -> ServiceSpec:
    """A candidate of a baseline."""
    return ServiceSpec(size, architecture, low, high, scaling)  # type: ignore[arg-type]


def default(work: Workload, rates: Rates, promise: Promise, target: float) -> tuple[Plan, bool]:
    """AWS's usual default, CPU target and at least 2 tasks, at the smallest size that fits: of those that keep the promise, else of all."""
    first: Plan | None = None
    for size in TASK_SIZES:
        peak_vcpu = work.load.peak_requests_per_s * work.cpu_s_per_request("X86_64")
        high = max(4, int(2 * peak_vcpu / size.vcpu / (target / 100)))
        if high > 5000:
            continue
        for architecture in CPU_ARCHITECTURES:
            spec = service(size, architecture, 2, high, (TargetTrackingScalingPolicy(target),))
            found = estimate(work, rates, spec, promise=promise)
            if kept(found):
                return found, True
            if all(one.constraint != "memory_mib" for one in found.broken):
                first = first or found
    assert first is not None
    return first, False


def line(title: str, found: Plan | None, best: Plan, keeps: bool = True) -> None:
    """Print one service beside the plan."""
    if found is None:
        print(f"  {title}: none keeps the promise")
        return
    figures = found.figures
    saved = 1 - best.cost.total_usd / found.cost.total_usd
    fargate = [sum(x.effective_cost or 0 for x in one.cost if x.charge.startswith("fargate")) for one in (found, best)]
    broken = "" if keeps else "; BREAKS the promise: " + ", ".join(one.reason for one in found.broken)
    print(
        f"  {title}: ${found.cost.total_usd:,.2f} (tasks ${fargate[0]:,.2f}), plan {100 * saved:+.1f} % cheaper (tasks "
        f"{100 * (1 - fargate[1] / fargate[0]):+.1f} %); p95 {figures['p95_latency_ms']:.0f} ms, "
        f"{figures['minutes_over_capacity_per_month']:.1f} min over; {found.spec.describe()}{broken}"
    )


def main(folder: Path) -> None:
    """Compare for each trace and promise."""
    rates = load_rates("us-east-1")
    for path in sorted(folder.glob("*.csv")):
        work, factor = workload(path)
        load = work.load
        print(
            f"\n{path.name} x {factor:g}: {load.period_hours / 24:.0f} days, "
            f"mean {load.mean_requests_per_s:,.0f}, peak {load.peak_requests_per_s:,.0f} requests/s"
        )
        for words, promise in PROMISES.items():
            start = time.perf_counter()
            best = plan(work, rates, promise, choices=Choices())
            seconds = time.perf_counter() - start
            print(f" {words} ({seconds:.1f} s; {best.effort})")
            line("plan", best, best)
            line("peak-sized constant count", constant(work, rates, promise), best)
            for target in (70.0, 75.0):
                found, keeps = default(work, rates, promise, target)
                line(f"target {target:g} %, at least 2", found, best, keeps)
                if not keeps:
                    loose = replace(
                        promise, max_minutes_over_capacity=found.figures["minutes_over_capacity_per_month"] + 1e-9
                    )
                    if found.figures["p95_latency_ms"] > (promise.p95_latency_ms or 1e18):
                        loose = replace(loose, p95_latency_ms=found.figures["p95_latency_ms"])
                    line("   at its own, broken promise", found, plan(work, rates, loose, choices=Choices()), keeps)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
