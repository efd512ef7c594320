"""Plans under uncertainty: common random numbers, regret by hand, quantiles with their error, and what to measure next."""

import json
import math
import threading
from dataclasses import replace

import numpy as np
import pytest

from estimator.errors import InvalidScenario, NoFeasiblePlan
from estimator.planning.draws import Case, Contender, Outcomes, run_draws
from estimator.planning.planner import estimate
from estimator.planning.regret import Chance, quantile_of, regrets, weighed
from estimator.planning.uncertainty import Draws, Move, Uncertainty
from estimator.report.uncertainty_figures import bills_figure, regret_figure, tornado_figure
from estimator.report.uncertainty_table import (
    bar_text,
    draws_csv,
    plans_risk_table,
    risk_markdown,
    short_title,
    tornado_table,
)
from estimator.risk import DRAWS, NOT_DRAWN, Cases, assess_risk, draws, model_parameters, rivals
from estimator.scenario import Scenario
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.interval import Interval

SHOP = {
    "region": "us-east-1",
    "load": {"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 10, "scale": {"low": 0.7, "likely": 1, "high": 1.6}},
    "request": {"cpu_ms_per_request": {"low": 20, "likely": 30, "high": 60}},
    "service": {"cpu_units": 1024, "memory_mib": 2048, "max_capacity": 20},
}  # fmt: skip
SPEC = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=20)


def shop(**changes: object) -> Scenario:
    return Scenario.from_dict(SHOP | changes)


def specs() -> list[ServiceSpec]:
    return [
        SPEC,
        replace(SPEC, min_capacity=6),
        replace(SPEC, scaling=TargetTrackingScalingPolicy(40.0)),
        replace(SPEC, task_size=TaskSize(2048, 4096)),
        replace(SPEC, capacity_provider_strategy=CapacityProviderStrategy(1, 1, 3)),
    ]


def outcomes_of(plans: list[ServiceSpec], n: int = 12, scenario: Scenario | None = None, **how: object) -> Outcomes:
    scenario = scenario or shop()
    drawn = draws(scenario, n, 3)
    cases = Cases(scenario)
    contenders = [Contender(f"{i}", spec) for i, spec in enumerate(plans)]
    return run_draws(contenders, lambda i, beside: cases.of({**drawn.at(i), **beside}), n, **how)  # type: ignore[arg-type]


def same(one: Outcomes, other: Outcomes) -> bool:
    names = ("usd", "minutes_over_promise", "minutes_over_capacity", "keeps")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


# Draws.


def test_another_input_and_more_draws_leave_the_others_as_they_were() -> None:
    few, many = draws(shop(), 20), draws(shop(), 50)
    request = {"cpu_ms_per_request": SHOP["request"]["cpu_ms_per_request"], "response_kb": {"low": 1, "likely": 2, "high": 9}}  # type: ignore[index]  # fmt: skip
    more = draws(shop(request=request), 50)
    assert set(more.values) - set(many.values) == {"request.response_kb"}
    for path in ("load.scale", "request.cpu_ms_per_request", "behavior.metric_lag_s"):
        assert many.values[path].tolist() == more.values[path].tolist()
    for path in ("load.scale", "request.cpu_ms_per_request"):
        assert few.values[path].tolist() == many.values[path][:20].tolist()
    assert draws(shop(), 20, 2).values["load.scale"].tolist() != few.values["load.scale"].tolist()


def test_whole_numbers_stay_whole() -> None:
    scenario = shop(application={"boot_s": {"low": 3, "likely": 5, "high": 60}})
    found = draws(scenario, 300, model_uncertainty=False).values["application.boot_s"]
    assert found.dtype == np.int64
    assert 3 <= found.min() < 10
    assert 30 < found.max() <= 60


def test_parameters_of_aws_have_their_default_in_half_of_the_draws() -> None:
    drawn = draws(shop(), 2000)
    lag, low = drawn.values["behavior.low_factor"], drawn.values["behavior.mean_of_datapoints"]
    # Within four standard deviations of a half, and of a quarter.
    assert np.mean(lag == 0.9) == pytest.approx(0.5, abs=0.045)
    assert np.mean(lag == 0.7) == pytest.approx(0.25, abs=0.039)
    assert np.mean(lag == 0.8) == pytest.approx(0.25, abs=0.039)
    assert low.dtype == np.bool_
    assert np.mean(low) == pytest.approx(0.5, abs=0.045)
    assert isinstance(drawn.at(0)["behavior.mean_of_datapoints"], bool)


def test_what_a_scenario_sets_itself_is_not_drawn() -> None:
    usual = model_parameters(shop())
    known = model_parameters(shop(behavior={"metric_lag_s": 60, "provision_s": {"low": 15, "likely": 23, "high": 60}}))
    assert set(usual) - set(known) == {"behavior.metric_lag_s", "behavior.provision_s"}
    assert not any(path.endswith(NOT_DRAWN) for path in usual)
    assert draws(shop(), 5, model_uncertainty=False).model == {}


def test_parameters_that_do_not_go_together_are_drawn_again() -> None:
    # More unbilled seconds than it takes to provision are refused: 20 beside 15.
    drawn = draws(shop(), 500)
    assert drawn.redrawn > 0
    assert not np.any(drawn.values["behavior.unbilled_s"] > drawn.values["behavior.provision_s"])
    again = draws(shop(), 500)
    assert again.redrawn == drawn.redrawn
    assert all(drawn.values[path].tolist() == again.values[path].tolist() for path in drawn.values)


def test_intervals_that_do_not_go_together_are_said() -> None:
    load = {
        "kind": "daily",
        "peak_requests_per_s": {"low": 50, "likely": 100, "high": 101},
        "trough_requests_per_s": {"low": 10, "likely": 50, "high": 100},
    }
    with pytest.raises(InvalidScenario, match=r"load\.peak_requests_per_s \d.*do not go together.*trough.*Narrow one"):
        assess_risk(shop(load=load), n_draws=400, search=False, model_uncertainty=False)
    behavior = {
        "unbilled_s": {"low": 0, "likely": 10, "high": 23},
        "provision_s": {"low": 10, "likely": 23, "high": 60},
    }
    with pytest.raises(InvalidScenario, match=r"behavior\.unbilled_s.*do not go together"):
        draws(shop(behavior=behavior), 200)


@pytest.mark.parametrize(("n", "seed"), [(0, 1), (-1, 1), (2.5, 1), (10, -1), (10, 1.5)])
def test_draws_that_are_none(n: float, seed: float) -> None:
    with pytest.raises(InvalidScenario):
        draws(shop(), n, seed)  # type: ignore[arg-type]


# Cases.


@pytest.mark.parametrize(
    "load",
    [
        {"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 10, "scale": {"low": 0.7, "likely": 1.1, "high": 1.6}},
        {
            "kind": "weekly", "peak_requests_per_s": 60, "trough_requests_per_s": 10, "repeat": 2,
            "noise": {"percent": {"low": 5, "likely": 10, "high": 30}, "seed": 1},
            "events": [{"start": 5, "rise_s": 0, "hold_s": 600, "decay_s": 60, "factor": {"low": 1.5, "likely": 2, "high": 4}}],
            "scale": {"low": 0.7, "likely": 1.1, "high": 1.6},
        },
        {"kind": "weekly", "peak_requests_per_s": {"low": 50, "likely": 60, "high": 90}, "trough_requests_per_s": 10, "scale": 1.2},
        {"kind": "csv", "path": "load.csv", "growth_percent_per_month": {"low": 1, "likely": 5, "high": 9}},
    ],
)  # fmt: skip
def test_a_situation_has_the_load_that_its_scenario_would_have(load: dict[str, object], tmp_path) -> None:
    rows = "".join(f"2026-01-01T{hour:02d}:00:00Z,{3600 * (1 + hour % 7)}\n" for hour in range(24))
    (tmp_path / "load.csv").write_text("timestamp,requests\n" + rows)
    scenario = shop(load=load)
    cases = Cases(scenario, tmp_path)
    drawn = draws(scenario, 3)
    for i in range(3):
        values = drawn.at(i)
        fields = {path: value for path, value in values.items() if path != "history_days"}
        usual = scenario.moved(fields).workload(tmp_path)
        found = cases.of(values).workload
        assert found.load.requests_per_s == pytest.approx(usual.load.requests_per_s, rel=1e-12)
        assert found.load.requests == pytest.approx(usual.load.requests, rel=1e-12)
        assert found.cpu_ms_per_request == usual.cpu_ms_per_request == values["request.cpu_ms_per_request"]


def test_prices_and_months_are_drawn_too() -> None:
    scenario = shop(
        prices={"discounts_percent": {"AmazonECS": {"low": 0, "likely": 10, "high": 20}}},
        hours_per_month={"low": 700, "likely": 730, "high": 744},
    )
    cases = Cases(scenario)
    one = cases.of({"prices.discounts_percent.AmazonECS": 20.0, "hours_per_month": 744.0})
    usual = cases.of({})
    assert one.rates["fargate_linux_x86_vcpu_hour"].discount_percent == 20
    assert usual.rates["fargate_linux_x86_vcpu_hour"].discount_percent == 10
    assert (one.hours_per_month, usual.hours_per_month) == (744, 730)


def test_a_service_meets_the_storage_and_the_history_of_a_case() -> None:
    scenario = shop(
        application={"ephemeral_storage_gib": {"low": 20, "likely": 21, "high": 100}},
        service={
            "cpu_units": 1024, "memory_mib": 2048,
            "scaling": [{"policy_type": "TargetTrackingScaling", "target_value": 60}, {"policy_type": "PredictiveScaling"}],
        },
    )  # fmt: skip
    case = Cases(scenario).of({"application.ephemeral_storage_gib": 90, "history_days": 7})
    spec = case.meet(scenario.spec())
    assert spec.ephemeral_storage_gib == 90
    assert [policy.history_days for policy in spec.predictive] == [7]


# Running plans through draws.


@pytest.mark.parametrize(
    "promise",
    [
        {"p95_latency_ms": 120},
        {"max_minutes_in_flash_crowd": 10, "max_minutes_after_zone_loss": 20, "max_minutes_in_spot_shortage": 30},
        {"min_tasks": 3, "max_minutes_over_capacity": None},
    ],
)
def test_a_bill_is_that_of_an_estimate_of_the_same_draw(promise: dict[str, float]) -> None:
    scenario = shop(promise=promise)
    drawn = draws(scenario, 3, 3)
    plans = specs()
    found = outcomes_of(plans, 3, scenario)
    assert 0 < np.count_nonzero(found.keeps) < found.keeps.size
    for i in range(3):
        values = drawn.at(i)
        values.pop("history_days")
        moved = scenario.moved(values)
        for j, spec in enumerate(plans):
            plan = estimate(
                moved.workload(),
                moved.rates(),
                spec,
                moved.application,
                moved.promise,
                moved.behavior,
                extras=moved.extras,
            )
            assert found.usd[i, j] == pytest.approx(plan.cost.total_usd, rel=1e-12)
            assert found.minutes_over_promise[i, j] == plan.figures["minutes_over_promise_per_month"]
            assert found.minutes_over_capacity[i, j] == plan.figures["minutes_over_capacity_per_month"]
            assert found.keeps[i, j] != any("promise is broken" in text for text in plan.warnings)


def test_plans_meet_the_same_draws_whatever_their_order() -> None:
    plans = specs()
    order = [3, 0, 4, 2, 1]
    found, other = outcomes_of(plans), outcomes_of([plans[i] for i in order])
    assert np.array_equal(found.usd[:, order], other.usd)
    assert np.array_equal(found.keeps[:, order], other.keeps)
    twice = outcomes_of([SPEC, SPEC])
    assert not regrets(twice.usd, twice.minutes_over_promise).any()


def test_what_a_plan_decides_beside_the_service_is_billed_as_it_decides() -> None:
    scenario = shop()
    cases, drawn = Cases(scenario), draws(scenario, 3, 3)
    elsewhere = (("region", "eu-west-1"), ("request.behind_cloudfront", True))
    plans = [
        Contender("here", SPEC),
        Contender("there", SPEC, (), elsewhere),
        Contender("small", replace(SPEC, min_capacity=3)),
    ]
    found = run_draws(plans, lambda i, beside: cases.of({**drawn.at(i), **beside}), 3)
    for i in range(3):
        values = {path: value for path, value in drawn.at(i).items() if path != "history_days"}
        for j, each in enumerate(plans):
            moved = scenario.moved({**values, **dict(each.beside)})
            plan = estimate(moved.workload(), moved.rates(), each.spec, behavior=moved.behavior, extras=moved.extras)
            assert found.usd[i, j] == pytest.approx(plan.cost.total_usd, rel=1e-12)


def test_threads_change_no_figure() -> None:
    one = outcomes_of(specs(), n_threads=1)
    for n_threads in (2, 5, 40):
        assert same(one, outcomes_of(specs(), n_threads=n_threads))


@pytest.mark.parametrize("n_threads", [1, 4])
def test_progress_rises_and_ends_a_run(n_threads: int) -> None:
    parts: list[float] = []
    outcomes_of([SPEC], 9, progress=parts.append, n_threads=n_threads)
    assert parts == [pytest.approx((i + 1) / 9) for i in range(9)]

    class EnoughError(Exception):
        pass

    def stop(part: float) -> None:
        if part > 0.3:
            raise EnoughError

    begun: list[int] = []
    scenario = shop()
    cases = Cases(scenario)

    def case_of(i: int, beside: object) -> Case:
        begun.append(i)
        return cases.of({})

    with pytest.raises(EnoughError):
        run_draws([Contender("one", SPEC)], case_of, 500, stop, n_threads)
    assert len(begun) < 450
    assert threading.active_count() < 20


def test_no_plan_and_no_draw() -> None:
    case = Cases(shop()).of({})
    with pytest.raises(InvalidScenario, match="no plan to follow"):
        run_draws([], lambda i, beside: case, 3)
    with pytest.raises(InvalidScenario, match="n_draws is 0"):
        run_draws([Contender("one", SPEC)], lambda i, beside: case, 0)


def test_more_cpu_time_never_costs_less_on_a_plan_that_only_grows() -> None:
    # Tasks are never removed, and more CPU time asks for at least as many of them.
    spec = replace(SPEC, scaling=TargetTrackingScalingPolicy(60.0, disable_scale_in=True))
    medians = []
    for shift in (0, 5, 15, 40):
        request = {"cpu_ms_per_request": {"low": 20 + shift, "likely": 30 + shift, "high": 60 + shift}}
        found = outcomes_of([spec], 30, shop(request=request))
        medians.append(quantile_of(found.usd[:, 0], 0.5).value)
    assert medians == sorted(medians)
    assert medians[-1] > medians[0]


def test_without_width_and_without_doubt_about_aws_it_is_the_estimate() -> None:
    assert assess_risk(shop(promise={"max_usd_per_month": 321}), n_draws=2, search=False).budget_usd == 321
    certain = shop(
        load={"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 10, "scale": {"low": 1, "likely": 1, "high": 1}},
        request={"cpu_ms_per_request": {"low": 30, "likely": 30, "high": 30}},
    )  # fmt: skip
    found = assess_risk(certain, n_draws=7, model_uncertainty=False, search=False)
    usd = certain.estimate().cost.total_usd
    (plan,) = found.plans
    assert [each.value for each in plan.usd] == [usd, usd, usd]
    assert plan.likely_usd == plan.mean_usd == usd
    assert plan.expected_regret_usd == plan.worst_regret_usd == 0
    assert found.tornado() == ()
    assert found.measure_next.startswith("There is nothing to measure")
    assert any("No number of the scenario is an interval" in note for note in found.notes)


def test_savings_plans_stay_as_they_were_bought() -> None:
    plans = [{"term": "1yr", "payment_option": "No Upfront", "commitment_usd_per_h": None}]
    scenario = shop(savings_plans=plans)
    found = assess_risk(scenario, n_draws=6, model_uncertainty=False, search=False)
    (contender,) = found.contenders
    bought = scenario.estimate().cost
    assert contender.savings_plans[0].commitment_usd_per_h == bought.savings_plans[0].commitment_usd_per_h
    assert found.plans[0].likely_usd == pytest.approx(bought.total_usd, rel=1e-12)
    held = [{**plans[0], "commitment_usd_per_h": contender.savings_plans[0].commitment_usd_per_h}]
    for i in range(3):
        moved = shop(savings_plans=held).moved(found.draws.at(i))
        assert found.outcomes.usd[i, 0] == pytest.approx(moved.estimate().cost.total_usd, rel=1e-12)
    with pytest.raises(InvalidScenario, match="commitment that is to be found"):
        Contender("one", SPEC, scenario.savings_plans)


# Quantiles, chances, regret.


@pytest.mark.parametrize("n", [1, 2, 7, 20, 100, 1001])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_quantile_is_the_order_statistic_of_numpy(n: int, share: float) -> None:
    values = np.random.default_rng(n).lognormal(size=n)
    assert quantile_of(values, share).value == np.quantile(values, share, method="inverted_cdf")


def test_bounds_of_a_quantile_hold_the_true_one_19_times_out_of_20() -> None:
    random = np.random.default_rng(11)
    for share, n in ((0.05, 200), (0.5, 60), (0.95, 200)):
        held = 0
        for _ in range(2000):
            found = quantile_of(random.random(n), share)
            assert found.low is not None
            assert found.high is not None
            held += found.low <= share <= found.high
        # At least 95 %, and order statistics leave little more than that; 4 standard deviations of 2,000 are 2 %.
        assert 0.93 <= held / 2000 <= 0.99


def test_too_few_draws_have_no_bound() -> None:
    # The largest of n draws lies below the true P95 with a chance of 0.95^n, which is 2.6 % for 71 and 2.49 % for 72.
    assert quantile_of(range(71), 0.95).high is None
    assert quantile_of(range(72), 0.95).high == 71
    assert quantile_of(range(71), 0.05).low is None
    assert quantile_of(range(72), 0.05).low == 0


def test_chances_have_wilsons_bounds() -> None:
    # E. B. Wilson, 1927, by hand for 0 of 200: z^2 / (n + z^2).
    low, high = Chance(0, 200).bounds
    assert low == 0
    assert high == pytest.approx(1.96**2 / (200 + 1.96**2), rel=1e-4)
    low, high = Chance(50, 100).bounds
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))


def test_regret_by_hand() -> None:
    usd = [[100.0, 130.0, 180.0], [100.0, 130.0, 180.0], [120.0, 150.0, 190.0]]
    minutes = [[0.0, 0.0, 0.0], [40.0, 5.0, 0.0], [100.0, 30.0, 0.0]]
    # With 2 USD a minute: 100, 130, 180; 180, 140, 180; 320, 210, 190.
    assert weighed(usd, minutes, 2.0).tolist() == [[100, 130, 180], [180, 140, 180], [320, 210, 190]]
    assert regrets(usd, minutes, 2.0).tolist() == [[0, 30, 80], [40, 0, 40], [130, 20, 0]]
    found = uncertainty_of(usd, minutes, usd_per_minute=2.0)
    assert [plan.expected_regret_usd for plan in found.plans] == pytest.approx([170 / 3, 50 / 3, 40])
    assert [plan.worst_regret_usd for plan in found.plans] == [130, 30, 80]
    assert found.least_regret().title == "plan 1"
    # In a month that keeps the promise, slow minutes are those that it allows: 100, 130, 180 in the first two; then 320, 210, 190.
    kept = outcomes(usd, minutes, np.array([[True] * 3, [True] * 3, [False] * 3]))
    assert kept.minutes_that_weigh.tolist() == [[0, 0, 0], [0, 0, 0], [100, 30, 0]]
    assert uncertainty_of(usd, minutes, usd_per_minute=0.0).least_regret().title == "plan 0"
    with pytest.raises(InvalidScenario, match="usd_per_minute_over_promise is -1"):
        regrets(usd, minutes, -1)


def test_a_budget_and_a_promise_by_hand() -> None:
    found = uncertainty_of(
        [[100.0, 130.0], [100.0, 200.0], [90.0, 130.5], [80.0, 50.0]], np.zeros((4, 2)), budget=130.0
    )
    assert [plan.over_budget.share for plan in found.plans if plan.over_budget] == [0, 0.5]
    assert [plan.broken.happened for plan in found.plans] == [0, 4]
    assert [plan.mean_usd for plan in found.plans] == [92.5, 127.625]
    assert uncertainty_of([[1.0]], [[0.0]]).plans[0].over_budget is None


def outcomes(usd: object, minutes: object, keeps: object = None) -> Outcomes:
    usd = np.array(usd, dtype=float)
    late = np.array(minutes, dtype=float)
    # Whoever has minutes over the promise breaks it, and so does each second plan.
    keeps_it = (np.arange(usd.shape[1]) % 2 == 0) & (late == 0) if keeps is None else keeps
    return Outcomes(usd, late, np.zeros(usd.shape), keeps_it)  # type: ignore[arg-type]


def uncertainty_of(
    usd: object, minutes: object, *, usd_per_minute: float = 1.0, budget: float | None = None, moves: tuple[Move, ...] = (), likely: object = None
) -> Uncertainty:  # fmt: skip
    found = outcomes(usd, minutes)
    n = found.usd.shape[1]
    contenders = tuple(Contender(f"plan {i}", replace(SPEC, min_capacity=i + 1)) for i in range(n))
    at_likely = outcomes(found.usd[:1] if likely is None else likely, np.zeros((1, n)))
    nothing = Draws({"a": Interval(1, 2, 3)}, {}, {"a": np.full(found.n_draws, 2.0)}, 1)
    return Uncertainty(contenders, nothing, found, at_likely, moves, usd_per_minute, budget)


def move(name: str, low: list[float], high: list[float], late: float = 0.0, own: bool = True) -> Move:
    """Bills of two plans at both ends; the first one is late at the high end."""
    return Move(name, own, 1.0, 3.0, outcomes([low], [[0.0, 0.0]]), outcomes([high], [[late, 0.0]]))


def test_the_tornado_by_hand() -> None:
    found = uncertainty_of(
        [[100.0, 130.0]], [[0.0, 0.0]],
        moves=(
            move("small", [99.0, 129.0], [103.0, 133.0]),
            move("large", [50.0, 80.0], [150.0, 180.0]),
            move("aws", [90.0, 120.0], [110.0, 140.0], own=False),
            move("decides", [100.0, 130.0], [100.0, 130.0], late=37.0),
            move("nothing", [100.0, 130.0], [100.0, 130.0]),
        ),
    )  # fmt: skip
    rows = found.tornado()
    assert [row.name for row in rows] == ["large", "aws", "small", "decides", "nothing"]
    assert [row.swing_usd for row in rows] == [100, 20, 4, 0, 0]
    assert [row.changes_choice for row in rows] == [False, False, False, True, False]
    # At its high end the first plan costs 100 + 37, the second 130.
    assert (rows[3].best_low, rows[3].best_high, rows[3].stake_usd) == ("plan 0", "plan 1", 7.0)
    # What changes the choice first, then by the swing, your own before AWS's.
    assert [row.name for row in found.to_measure] == ["decides", "large", "small", "aws"]
    assert found.measure_next == (
        "Measure decides next: at the likely values the plan for plan 0 is the best one, at 3 that for plan 1, which then costs $7.00 less a "
        "month, minutes over the promise weighed with the bill."
    )
    assert [row.usd_low for row in found.tornado(1)][:2] == [80, 120]
    values = json.loads(json.dumps(found.to_dict()))
    assert values["tornado"][0]["input"] == "large"
    assert values["least_regret"] == "plan 0"


def test_what_to_measure_where_the_choice_stands() -> None:
    found = uncertainty_of([[100.0, 130.0]], [[0.0, 0.0]], moves=(move("a.b", [50.0, 80.0], [150.0, 180.0]),))
    assert found.measure_next == (
        "Measure a.b next: between 1 and 3 it moves the bill from $50.00 to $150.00 a month, more than any other input; no input alone makes "
        "another of the plans compared the better one."
    )
    aws = uncertainty_of([[100.0]], [[0.0]], moves=(Move("b", False, False, True, outcomes([[1.0]], [[0.0]]), outcomes([[9.0]], [[4.0]])),))  # fmt: skip
    assert aws.measure_next == (
        "Find out b next: between false and true it moves the bill from $1.00 to $9.00 a month and the minutes over the promise from 0.0 to 4.0, "
        "more than any other input."
    )


def test_each_input_alone_is_the_estimate_at_its_end() -> None:
    found = assess_risk(shop(), n_draws=5, search=False)
    rows = {row.name: row for row in found.tornado()}
    for path, low, high in (("request.cpu_ms_per_request", 20, 60), ("behavior.low_factor", 0.7, 0.9)):
        row = rows[path]
        assert (row.low, row.high) == (low, high)
        for value, usd, minutes in ((low, row.usd_low, row.minutes_low), (high, row.usd_high, row.minutes_high)):
            plan = shop().moved({path: value}).estimate()
            assert usd == pytest.approx(plan.cost.total_usd, rel=1e-12)
            assert minutes == plan.figures["minutes_over_promise_per_month"]
    assert rows["load.scale"].swing_usd > rows["behavior.low_factor"].swing_usd


# Rivals.

FEW = {
    "cpu_architectures": ["X86_64"],
    "target_values": [60.0],
    "min_capacities": [2, 3],
    "max_capacity": 20,
    "constant_counts": False,
}


def test_rivals_are_the_plans_for_ends_of_inputs_and_today() -> None:
    scenario = shop(search=FEW)
    contenders, notes = rivals(scenario)
    plans = {each.spec for each in contenders}
    titles = [each.title for each in contenders]
    assert len(plans) == len(contenders)
    assert titles[0].startswith("likely values")
    assert [title for title in titles if title.endswith("today")] == [
        each.title for each in contenders if each.spec == scenario.spec()
    ]
    assert scenario.likely().plan().spec == contenders[0].spec
    ends = {"load.scale": 1.6, "request.cpu_ms_per_request": 60.0}
    assert scenario.moved(ends).plan().spec in plans
    assert scenario.moved({"request.cpu_ms_per_request": 20.0}).plan().spec in plans
    assert scenario.spec() in plans
    assert notes == ()


def test_where_searches_are_few_the_inputs_that_do_most_come_first() -> None:
    request = {"cpu_ms_per_request": {"low": 20, "likely": 30, "high": 200}, "log_bytes_per_request": {"low": 10, "likely": 20, "high": 21}}  # fmt: skip
    values = {name: value for name, value in SHOP.items() if name != "service"}
    scenario = Scenario.from_dict(
        values | {"request": request, "search": FEW, "load": {"kind": "constant", "requests_per_s": 20}}
    )
    parts: list[float] = []
    contenders, notes = rivals(scenario, progress=parts.append, most=2)
    assert [each.title for each in contenders] == ["likely values", "high request.cpu_ms_per_request"]
    assert "2 of 5 ends" in notes[0]
    assert parts == sorted(parts)
    assert parts[-1] == 1


def test_an_end_without_a_plan_is_said() -> None:
    scenario = shop(
        search=FEW | {"max_capacity": 3}, request={"cpu_ms_per_request": {"low": 5, "likely": 6, "high": 5000}}
    )
    contenders, notes = rivals(scenario)
    assert any(each.title.startswith("likely") for each in contenders)
    assert any(note.startswith("No plan keeps the promise at high request.cpu_ms_per_request") for note in notes)
    values = {name: value for name, value in SHOP.items() if name != "service"}
    slow = {"cpu_ms_per_request": {"low": 4000, "likely": 4500, "high": 5000}}
    alone = Scenario.from_dict(values | {"search": FEW | {"max_capacity": 3}, "request": slow})
    with pytest.raises(NoFeasiblePlan):
        rivals(alone)
    with pytest.raises(InvalidScenario, match="no `service` section"):
        assess_risk(alone, search=False)


def test_all_of_it() -> None:
    scenario = shop(
        search=FEW,
        promise={"p95_latency_ms": 150},
        request={"cpu_ms_per_request": 30},
        horizon={"growth_percent_per_month": {"low": 0, "likely": 1, "high": 2}}
    )  # fmt: skip
    parts: list[float] = []
    found = assess_risk(scenario, n_draws=25, budget_usd=250, progress=parts.append)
    again = assess_risk(scenario, n_draws=25, budget_usd=250, n_threads=1)
    assert found.to_dict() == again.to_dict()
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1)
    assert found.least_regret().expected_regret_usd == min(plan.expected_regret_usd for plan in found.plans)
    assert (found.regrets.min(axis=1) == 0).all()
    assert any("Not drawn" in note and "horizon.growth_percent_per_month" in note for note in found.notes)
    assert DRAWS == 200
    # A table, a page, the draws, the figures.
    plans, tornado = plans_risk_table(found), tornado_table(found)
    assert len(plans.rows) == len(found.plans)
    assert plans.rows[0][0] == short_title(found.least_regret().title, found)
    assert "Over $250" in plans.columns[5]
    assert tornado.rows[0][0] == found.tornado()[0].name
    page = risk_markdown(found, "shop")
    assert found.measure_next in page
    assert page.count("\n| ") >= len(plans.rows) + len(tornado.rows) + 2
    rows = draws_csv(found).splitlines()
    assert len(rows) == 26
    assert float(rows[1].split(",")[1]) == found.draws.values["load.scale"][0]
    bars = tornado_figure(found)
    assert list(bars.data[0].y)[-1] == found.tornado()[0].name
    assert bars.data[1].x[-1] + bars.data[1].base == pytest.approx(found.tornado()[0].usd_high)
    assert "[USD/month]" in bars.layout.xaxis.title.text
    shown = bills_figure(found)
    assert math.fsum(shown.data[0].y) == pytest.approx(100)
    assert {line.x0 for line in shown.layout.shapes} == {*(each.value for each in found.least_regret().usd), 250}
    assert len(regret_figure(found).data[0].y) == len(found.plans)


def test_bars_of_text() -> None:
    assert bar_text(100, 100, 100, 0, width=5) == "  |"
    assert bar_text(120, 100, 80, 20, width=5) == "++|--"
    assert bar_text(110, 100, 120, 20, width=5) == "  |++"
