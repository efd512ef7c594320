"""Every candidate simulated, priced and held against the promise: what any search has to come to, without a bound of any kind."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from estimator.billing.committed import with_savings_plans
from estimator.billing.costing import breakdown, price_month
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, SavingsPlan
from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.limits import limits
from estimator.planning.planner import plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.result import Plan
from estimator.planning.search import candidates, network_layouts
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations, SpotShortage
from estimator.service.spec import ServiceSpec
from estimator.simulation.engine import simulate
from estimator.units import HOURS_PER_MONTH
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import rates_of

#: Figures that differ by no more than this part are the same: sums in another order have other last digits.
SAME = 1e-11
RATES = rates_of()
WITH_SAVINGS_PLANS = all_rates()
MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One candidate as it is when all of it is known.

    Parameters
    ----------
    spec : ServiceSpec
        The candidate.
    place : int
        Its position.
    usd : float
        Its bill, at the cheapest way to pay for it. [USD/month]
    p95_latency_ms : float
        Its p95 latency. [ms]
    figures : dict of str to (float, float, bool)
        Limit, figure, and whether the limit is a ceiling, by the limit's name.
    purchase : tuple of SavingsPlan
        The cheapest way to pay.
    """

    spec: ServiceSpec
    place: int
    usd: float
    p95_latency_ms: float
    figures: dict[str, tuple[float, float, bool]]
    purchase: tuple[SavingsPlan, ...] = ()

    @property
    def broken(self) -> set[str]:
        """Limits that it breaks."""
        return {
            name
            for name, (limit, actual, is_ceiling) in self.figures.items()
            if (actual > limit * (1 + 1e-12) if is_ceiling else actual < limit)
        }


@dataclass(frozen=True, eq=False)
class Case:
    """What is searched, and by both ways."""

    workload: Workload
    promise: Promise = field(default_factory=Promise)
    choices: Choices = field(default_factory=Choices)
    application: Application = field(default_factory=Application)
    operations: Operations = field(default_factory=Operations)
    network: NetworkLayout = field(default_factory=NetworkLayout)
    behavior: AwsBehavior = field(default_factory=AwsBehavior)
    extras: Extras = field(default_factory=Extras)
    rates: Rates = RATES
    savings_plans: tuple[SavingsPlan, ...] = ()

    def plan(self, **how: Any) -> Plan:
        """Search."""
        return plan(
            self.workload,
            self.rates,
            self.promise,
            choices=self.choices,
            application=self.application,
            network=self.network,
            behavior=self.behavior,
            operations=self.operations,
            extras=self.extras,
            savings_plans=self.savings_plans,
            **how,
        )

    @cached_property
    def specs(self) -> list[ServiceSpec]:
        """All candidates."""
        least = max(self.promise.min_tasks or 1, self.promise.min_availability_zones or 1)
        layouts = network_layouts(self.choices, self.application, self.network)
        return candidates(self.workload, self.choices, self.application, self.network, least, layouts)

    @cached_property
    def month(self) -> BilledMonth:
        """The month of all candidates, each followed to its end."""
        run = simulate(
            self.workload,
            self.specs,
            self.application,
            self.behavior,
            operations=self.operations,
            p95_latency_ms=self.promise.p95_latency_ms,
            keep_hours=True,
        )
        return BilledMonth(
            self.workload, run, self.application, HOURS_PER_MONTH, self.rates.region, self.behavior, self.extras
        )

    @cached_property
    def everyone(self) -> list[Candidate]:
        """All candidates, in their order; drills are left to `best`."""
        month = self.month
        bills = price_month(month, self.rates)
        rows = limits(month, self.promise)
        found = []
        for place, spec in enumerate(self.specs):
            usd, purchase = float(bills.total_usd[place]), ()
            if any(self.purchases):
                alone = breakdown(month, bills, self.rates, place)
                system = self.application.operating_system
                billed = [
                    with_savings_plans(alone, month.simulation, self.rates, plans, system, place).total_usd
                    for plans in self.purchases
                ]
                usd = min(billed)
                purchase = self.purchases[billed.index(usd)]
            figures = {row.name: (float(row.limit[place]), float(row.actual[place]), row.is_ceiling) for row in rows}
            p95 = float(month.simulation.p95_latency_ms[place])
            found.append(Candidate(spec, place, usd, p95, figures, purchase))
        return found

    @cached_property
    def purchases(self) -> list[tuple[SavingsPlan, ...]]:
        """Ways to pay: what you have, what is to be bought, and each option of a term that may be chosen."""
        have = tuple(one for one in self.savings_plans if one.existing)
        terms = self.choices.savings_plan_terms
        if not terms:
            return [self.savings_plans]
        options = [one for one in SAVINGS_PLAN_OPTIONS if one.term in terms]
        return [have, self.savings_plans, *((*have, SavingsPlan(one.term, one.payment_option)) for one in options)]

    def drilled(self, candidate: Candidate) -> dict[str, float]:
        """Minutes that a candidate's drills add."""
        situation = Situation(self.workload, self.application, self.behavior, self.operations, self.promise)
        return drill_minutes(candidate.spec, situation)

    @cached_property
    def best(self) -> Candidate | None:
        """The cheapest that keeps the promise, of those that cost the same the quickest, of these the first."""
        kept = sorted((one for one in self.everyone if not one.broken), key=lambda one: one.usd)
        while kept:
            equal = [one for one in kept if one.usd <= kept[0].usd * (1 + SAME)]
            quickest = min(one.p95_latency_ms for one in equal)
            equal = [
                one for one in equal if one.p95_latency_ms <= quickest * (1 + SAME) or one.p95_latency_ms == quickest
            ]
            first = min(equal, key=lambda one: one.place)
            if all(minutes <= getattr(self.promise, name) for name, minutes in self.drilled(first).items()):
                return first
            kept.remove(first)
        return None


def daily(days: int, requests_per_s: float, noise: float = 0.0, seed: int = 0, swing: float = 0.7) -> LoadProfile:
    """Days by the minute, with noise."""
    k = np.arange(days * 1440)
    weekly = 1 + 0.2 * np.sin(2 * np.pi * k / (7 * 1440))
    rate = requests_per_s * (1 + swing * np.sin(2 * np.pi * k / 1440)) * weekly
    return LoadProfile(rate * np.random.default_rng(seed).lognormal(0, noise, k.size), 60, start=MONDAY)


def nightly(days: int, night: float, day: float) -> LoadProfile:
    """Two levels a day, without noise: long stretches in which nothing moves."""
    hours = np.repeat([night, day, night], [9 * 60, 8 * 60 + 10, 7 * 60 - 10])
    return LoadProfile(np.tile(hours, days), 60, start=MONDAY)


def spiky(days: int, requests_per_s: float, seed: int) -> LoadProfile:
    """Days with noise, and crowds of 20 minutes and up to four times the load."""
    rng = np.random.default_rng(seed)
    rate = daily(days, requests_per_s, 0.1, seed).requests_per_s.copy()
    for begin in rng.integers(0, rate.size - 20, days):
        rate[begin : begin + 20] *= rng.uniform(1.5, 4)
    return LoadProfile(rate, 60, start=MONDAY)


def work(load: LoadProfile, cpu_ms: float = 20.0, **more: Any) -> Workload:
    """A load of small requests."""
    return Workload(load, cpu_ms_per_request=cpu_ms, **{"arm64_relative_speed": 0.9, **more})


def space(**more: Any) -> Choices:
    """A space of some dozens of candidates."""
    values: dict[str, Any] = {
        "cpu_units": (256, 512, 1024),
        "memory_mib": (1024, 2048),
        "target_values": (50.0, 70.0),
        "min_capacities": (2, 4, 7),
        "constant_counts": False,
    }
    return Choices(**{**values, **more})


EVERY_DAY = Operations(deployment_schedules=("cron(0 10 * * ? *)",))
QUEUES = Application(queue_per_task=20, queue_timeout_s=5)


def small_case(seed: int) -> Case:
    """A day or two in coarse steps with a handful of everything, drawn from a seed."""
    rng = np.random.default_rng(seed)

    def one(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    def some(*values: Any) -> tuple[Any, ...]:
        return tuple(sorted(rng.permutation(values)[: rng.integers(1, len(values) + 1)].tolist()))

    step_s = one(900, 3600)
    n = one(1, 2) * 86_400 // step_s
    spike = np.full(n, 20.0)
    spike[rng.integers(0, n)] = rng.uniform(20, 400)
    rate = one(rng.uniform(0, 100, n), np.repeat(rng.uniform(0, 120, 8), -(-n // 8))[:n], spike)
    promise = Promise(
        p95_latency_ms=one(None, 150.0, 300.0, 1000.0),
        p99_latency_ms=one(None, None, 2000.0),
        max_minutes_over_capacity=one(None, 0.0, 60.0, 3000.0),
        max_minutes_over_promise=one(None, None, 2000.0),
        max_refused_percent=one(None, None, 0.0, 1.0),
        max_vcpu=one(None, 8.0),
        min_tasks=one(1, 2, 3),
    )
    chosen = Choices(
        cpu_units=(256, 512, 1024),
        memory_mib=(512, 2048),
        target_values=some(40.0, 60.0, 80.0, 100.0),
        min_capacities=some(1, 2, 4, 7),
        max_capacity=one(None, 8, 30),
        scale_in_cooldowns_s=one((300,), (60, 900)),
        constant_counts=one(True, False),
        spot_percents=one((), (0, 70), (100,)),
    )
    return Case(
        work(LoadProfile(rate, step_s), one(8.0, 25.0), memory_mib_per_request=2.0),
        promise,
        chosen,
        one(Application(), QUEUES),
        one(Operations(), EVERY_DAY, Operations(zone_losses_h=(12.0,))),
        behavior=one(
            AwsBehavior(),
            AwsBehavior(enforce_vcpu_quota=True),
            AwsBehavior(scale_in_datapoints=3, spot_interruptions_per_task_hour=3.0),
        ),
    )


#: Searches of different kinds, each named for what it has.
CASES: dict[str, partial[Case]] = {
    "smooth day": partial(Case, work(daily(1, 60)), Promise(p95_latency_ms=300), space()),
    "noisy week": partial(
        Case, work(daily(7, 60, 0.2, 1)), Promise(p95_latency_ms=400, max_minutes_over_capacity=60), space()
    ),
    "nights": partial(
        Case,
        work(nightly(7, 20, 100)),
        Promise(max_minutes_over_capacity=300),
        space(scale_in_cooldowns_s=(60, 300, 900)),
    ),
    "crowds": partial(
        Case, work(spiky(7, 50, 2)), Promise(p99_latency_ms=2000, max_minutes_over_capacity=200), space()
    ),
    "refused": partial(
        Case,
        work(spiky(7, 50, 3)),
        Promise(max_refused_percent=0.05, max_minutes_over_capacity=None),
        space(),
    ),
    "minutes over the promise": partial(
        Case,
        work(daily(3, 60, 0.2, 4)),
        Promise(p95_latency_ms=150, max_minutes_over_promise=4000, max_minutes_over_capacity=None),
        space(),
    ),
    "no limit of the load": partial(
        Case, work(daily(2, 60, 0.1, 5)), Promise(None, None, None, None), space(min_capacities=(1, 2))
    ),
    "queue": partial(
        Case,
        work(spiky(3, 50, 6)),
        Promise(p95_latency_ms=500, max_minutes_over_capacity=400, max_refused_percent=0.5),
        space(),
        QUEUES,
    ),
    "Spot": partial(
        Case,
        work(daily(3, 80, 0.1, 7)),
        Promise(max_minutes_over_capacity=100),
        space(spot_percents=(0, 50, 100)),
        operations=Operations(spot_shortages=(SpotShortage(20.0, 3.0),)),
        behavior=AwsBehavior(spot_interruptions_per_task_hour=0.05),
    ),
    "Spot alone": partial(
        Case,
        work(daily(2, 80, 0.1, 8)),
        Promise(max_minutes_over_capacity=500),
        space(capacity_provider="FARGATE_SPOT"),
        behavior=AwsBehavior(spot_interruptions_per_task_hour=5.0),
    ),
    "deployments and the loss of a zone": partial(
        Case,
        work(daily(3, 60, 0.1, 9)),
        Promise(max_minutes_over_capacity=300, max_vcpu=12),
        space(deployment_strategies=("ROLLING", "BLUE_GREEN")),
        operations=replace(EVERY_DAY, zone_losses_h=(40.0,)),
    ),
    "quota of vCPU": partial(
        Case,
        work(daily(2, 80, 0.1, 10)),
        Promise(max_minutes_over_capacity=13_000),
        space(),
        behavior=AwsBehavior(enforce_vcpu_quota=True, fargate_vcpu_quota=2.75),
    ),
    "schedules": partial(
        Case,
        work(nightly(7, 15, 120)),
        Promise(p95_latency_ms=400, max_minutes_over_capacity=60),
        space(scheduled_minimum_percents=(0.0, 50.0, 75.0, 100.0), constant_counts=True),
    ),
    "schedules and deployments": partial(
        Case,
        work(nightly(7, 15, 120)),
        Promise(max_minutes_over_capacity=300),
        space(scheduled_minimum_percents=(0.0, 60.0)),
        operations=EVERY_DAY,
    ),
    "slow launches": partial(
        Case,
        work(nightly(2, 20, 400)),
        Promise(max_minutes_over_capacity=1800),
        space(cpu_units=(256,), min_capacities=(2, 20), scheduled_minimum_percents=(0.0, 75.0)),
        behavior=AwsBehavior(launch_burst=5, launch_per_s=0.02),
    ),
    "32 vCPU": partial(
        Case,
        work(daily(1, 2000, 0.1, 11)),
        Promise(p95_latency_ms=100, max_minutes_over_capacity=100),
        space(cpu_units=(8192, 16384, 32768), memory_mib=(61440, 65536, 122880), min_capacities=(2, 3)),
    ),
    "tiers of metrics": partial(
        Case,
        work(daily(1, 400, 0.1, 12)),
        Promise(max_minutes_over_capacity=300),
        space(min_capacities=(2, 10)),
        extras=Extras(container_insights="enabled", insights_metrics_per_service=9999),
    ),
    "memory of a request": partial(
        Case,
        work(daily(1, 60), baseline_memory_mib=400.0, memory_mib_per_request=30.0),
        Promise(p95_latency_ms=300),
        space(memory_mib=(512, 1024, 2048, 4096)),
    ),
    "layouts": partial(
        Case,
        work(daily(1, 60, 0.1, 13)),
        Promise(p95_latency_ms=300),
        space(layouts=("public", "nat", "endpoints")),
        Application(image_mb=300),
    ),
    "Windows": partial(
        Case,
        work(daily(1, 60, 0.1, 14)),
        Promise(max_minutes_over_capacity=200),
        space(cpu_architectures=("X86_64",), cpu_units=(1024, 2048), memory_mib=(2048, 4096)),
        Application(operating_system="WINDOWS"),
    ),
    "zone drill": partial(
        Case,
        work(daily(1, 60)),
        Promise(max_minutes_over_capacity=60, max_minutes_after_zone_loss=2),
        space(cpu_units=(512,), min_capacities=(2, 4, 8)),
    ),
    "nothing is good enough": partial(
        Case, work(daily(1, 60)), Promise(p95_latency_ms=60, max_minutes_over_capacity=0), space()
    ),
}


def told(candidate: Candidate | None) -> str:
    """A candidate, for the message of a test that fails."""
    if candidate is None:
        return "none"
    targets = [(one.target_value, one.scale_out_cooldown_s, one.scale_in_cooldown_s) for one in candidate.spec.scaling]
    usd = candidate.usd if math.isfinite(candidate.usd) else math.nan
    return f"{candidate.spec.describe()} {targets} at {usd:.6f} USD, p95 {candidate.p95_latency_ms:.6g} ms"
