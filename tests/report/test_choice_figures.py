"""What a choice costs as it is moved: the drawn figures are those of the bills."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.savings_plan_options import SavingsPlan, SavingsPlanOption
from estimator.billing.savings_plans import best_commitment, fargate_usage
from estimator.errors import InvalidScenario
from estimator.planning.networks import break_even_gb, compare_networks
from estimator.planning.planner import estimate
from estimator.report.choice_figures import commitment_figure, networks_figure
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates

RATES = all_rates()
WORK = Workload(LoadProfile.daily(300, 20), cpu_ms_per_request=20, outbound_received_kb_per_request=1)
SPEC = ServiceSpec(TaskSize(1024, 2048), max_capacity=20)
OPTION = SavingsPlanOption("1yr", "No Upfront")


def test_a_line_for_each_layout_meets_its_bill_today():
    plan = estimate(WORK, RATES, replace(SPEC, min_capacity=20))
    bills = compare_networks(plan, RATES)
    figure = networks_figure(bills, plan, RATES)
    served = [bill for bill in bills if bill.cost]
    assert [trace.name for trace in figure.data] == [bill.title for bill in served]
    (today,) = {shape.x0 for shape in figure.layout.shapes}
    assert today > 0
    for trace, bill in zip(figure.data, served, strict=True):
        # A line is straight here: no tier begins within it.
        assert np.interp(today, trace.x, trace.y) == pytest.approx(bill.network_usd, rel=1e-6)
    crossing = next(gb for gb in (break_even_gb(served[0], other, plan, RATES) for other in served[1:]) if gb)
    assert crossing < figure.data[0].x[-1]
    assert networks_figure(bills, plan, RATES, most_gb=50).data[0].x[-1] == 50


def test_the_curve_of_a_commitment_has_its_least_at_the_mark():
    plan = estimate(WORK, RATES, SPEC)
    curve, without, least = commitment_figure(plan, RATES, OPTION).data
    best = best_commitment(fargate_usage(plan.simulation, RATES, OPTION))
    assert least.x[0] == best.commitment_usd_per_h
    assert least.y[0] == pytest.approx(min(curve.y))
    assert min(curve.y) < without.y[0]
    assert curve.y[0] == pytest.approx(without.y[0])
    fargate = sum(line.effective_cost for line in plan.cost if line.charge.startswith("fargate_linux"))
    assert without.y[0] == pytest.approx(fargate)


def test_what_you_have_is_paid_in_both_lines():
    plan = estimate(WORK, RATES, SPEC)
    existing = SavingsPlan("3yr", "No Upfront", 0.05, existing=True)
    with_it = estimate(WORK, RATES, SPEC, savings_plans=[existing])
    before, after = (commitment_figure(each, RATES, OPTION).data[1].y[0] for each in (plan, with_it))
    assert before - after == pytest.approx(plan.cost.total_usd - with_it.cost.total_usd)


def test_nothing_to_commit_to():
    spot = estimate(WORK, RATES, replace(SPEC, capacity_provider_strategy="FARGATE_SPOT"))
    with pytest.raises(InvalidScenario, match="Nothing runs on Fargate On-Demand"):
        commitment_figure(spot, RATES, OPTION)
