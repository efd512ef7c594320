"""Calibration: 19 in 20 truths are what the draws say, though truths are drawn and billed by other programs than ours.

A truth is drawn by numpy's Beta distribution from the stated intervals, simulated by the tests' reference simulation, and billed by the arithmetic below with
the prices of AWS's pages. It has chances of its own: other waits for health checks, and a warm-up of some hours.
"""

import math

import numpy as np
import pytest

from estimator.risk import assess_risk
from estimator.scenario import Scenario
from tests.simulation.reference import ReferenceInputs, ReferencePolicy, simulate_reference

N_TRUTHS = 200
#: A warm-up brings the count to that of the end of the shift before. [min]
WARM_UP = 120
#: Length of the load. [min]
SHIFT = 480
#: low, likely, high.
INTERVALS = {
    "request.cpu_ms_per_request": (20.0, 30.0, 55.0),
    "load.scale": (0.6, 1.0, 1.5),
    "request.requests_per_connection": (1.0, 4.0, 6.0),
    "behavior.scale_in_step_percent": (0.0, 10.0, 100.0),
}
SCENARIO = {
    "region": "us-east-1",
    "load": {"kind": "csv", "path": "shift.csv"},
    "request": {"cpu_ms_per_request": 30, "request_kb": 0, "response_kb": 0, "log_bytes_per_request": 0},
    "service": {"cpu_units": 1024, "memory_mib": 2048, "min_capacity": 1, "max_capacity": 30, "target_value": 60},
    "extras": {"managed_alarms_billed": False},
}  # fmt: skip


def with_intervals():
    values = {name: dict(section) if isinstance(section, dict) else section for name, section in SCENARIO.items()}
    for path, (low, likely, high) in INTERVALS.items():
        section, name = path.split(".")
        values.setdefault(section, {})[name] = {"low": low, "likely": likely, "high": high}
    return Scenario.from_dict(values)


def rates_per_s(minutes):
    """Requests per second of a shift, which repeats, in each minute counted from its start."""
    return 25 - 20 * np.cos((minutes + 0.5) * 2 * math.pi / SHIFT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the load stands as a file."""
    folder = tmp_path_factory.mktemp("calibration")
    rows = (
        f"2026-01-01T{minute // 60:02d}:{minute % 60:02d}:00Z,{60 * rate!r}"
        for minute, rate in enumerate(rates_per_s(np.arange(SHIFT)).tolist())
    )
    (folder / "shift.csv").write_text("\n".join(["timestamp,requests", *rows]) + "\n")
    return folder


def pert(random, low, likely, high):
    """One value of the PERT distribution as its authors write it."""
    mean = (low + 4 * likely + high) / 6
    alpha = 6 * (mean - low) / (high - low)
    beta = 6 * (high - mean) / (high - low)
    return low + (high - low) * random.beta(alpha, beta)


def truly_billed(random):
    """Draw a truth and bill a month of it. [USD]"""
    cpu_ms, scale, per_connection, step_percent = (pert(random, *ends) for ends in INTERVALS.values())
    requests_per_s = scale * rates_per_s(np.arange(-WARM_UP, SHIFT))
    tracking = ReferencePolicy(
        kind="target_tracking", metric="cpu", period_s=60, lag_s=180, target_value=60.0, disable_scale_in=False, scale_out_datapoints=3,
        scale_in_datapoints=15, low_factor=0.9, scale_out_cooldown_s=300, scale_in_cooldown_s=300, threshold=0.0, direction="up",
        datapoints_to_alarm=1, evaluation_periods=1, steps=(), adjustment_type="ChangeInCapacity", min_adjustment_magnitude=0,
    )  # fmt: skip
    found = simulate_reference(
        ReferenceInputs(
            requests_per_s=requests_per_s.tolist(), record_from=WARM_UP, step_s=60, cpu_s_per_request=cpu_ms / 1000, task_vcpu=1.0,
            task_memory_mib=1.0, task_requests_per_s=1000 / cpu_ms, baseline_memory_mib=0.0, memory_mib_per_request=0.0,
            residence_s=cpu_ms / 1000, queue_per_task=0.0, queue_timeout_s=0.0, slow_utilization=math.inf, min_capacity=1, max_capacity=30,
            max_tasks=10**9, unbilled_s=10, running_after_s=23, ready_wait_s=random.integers(8, 38, 500).tolist(), drain_s=90,
            minimum_billed_s=60, launch_burst=100, launch_per_s=0.0, spot_base=0, spot_share=0.0, spot_interruptions_per_task_hour=0.0,
            spot_warning_s=120, shortages=(), thresholds=(), zones=2, zone_detection_s=60, zone_losses=(), bounds=(), deployments=(),
            policies=(tracking,), scale_in_step_percent=step_percent, alarm_reinvocation=True, mean_of_datapoints=False,
            zero_requests_reported=True,
        )
    )  # fmt: skip
    shifts = 730 * 60 / SHIFT
    task_hours = found.billed_task_s / 3600 * shifts
    # 25 new connections a second, or 3,000 open ones, make a capacity unit; each lives for a minute.
    hourly = requests_per_s[WARM_UP:].reshape(-1, 60).mean(axis=1) / per_connection
    lcu_hours = np.maximum(hourly / 25, hourly * 60 / 3000).sum() * shifts
    fargate = task_hours * (0.04048 + 2 * 0.004445)
    load_balancer = 730 * 0.0225 + lcu_hours * 0.008
    # Two of the load balancer, and one of each task.
    addresses = (2 * 730 + task_hours) * 0.005
    return fargate + load_balancer + addresses


def chance_of_at_most(k, n, p):
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.fixture(scope="module")
def truths():
    random = np.random.default_rng(20_261_123)
    return np.array([truly_billed(random) for _ in range(N_TRUTHS)])


def is_likely(count, n, p):
    """A two-sided binomial test that refuses one in a thousand: of 200 at 0.9 from 165 to 192, at 0.05 from 2 to 21."""
    return chance_of_at_most(count, n, p) > 0.0005 and chance_of_at_most(n - count, n, 1 - p) > 0.0005


def test_truths_fall_where_the_draws_say(truths, folder):
    low, _, high = (each.value for each in risk_of(folder).least_regret().usd)
    below, above = int((truths < low).sum()), int((truths > high).sum())
    assert is_likely(N_TRUTHS - below - above, N_TRUTHS, 0.9), (below, above)
    assert is_likely(below, N_TRUTHS, 0.05), (below, above)
    assert is_likely(above, N_TRUTHS, 0.05), (below, above)


def test_the_check_notices_draws_that_keep_too_close_to_the_likely_values(truths, folder):
    low, _, high = (each.value for each in risk_of(folder, 16.0).least_regret().usd)
    assert not is_likely(int(((truths >= low) & (truths <= high)).sum()), N_TRUTHS, 0.9)


def test_the_likely_values_are_billed_alike(folder):
    # Both programs at the likely values, so that the spread is that of the inputs and not of the programs.
    class Likely:
        def beta(self, alpha, beta):
            return (alpha - 1) / (alpha + beta - 2)

        def integers(self, low, high, n):
            return np.random.default_rng(5).integers(low, high, n)

    ours = with_intervals().estimate(None, folder).cost.total_usd
    assert truly_billed(Likely()) == pytest.approx(ours, rel=0.005)


def risk_of(folder, pert_lambda=4.0):
    return assess_risk(
        with_intervals(),
        None,
        folder,
        n_draws=400,
        seed=3,
        model_uncertainty=False,
        search=False,
        pert_lambda=pert_lambda,
    )
