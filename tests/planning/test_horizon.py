"""A bill month by month, by the prices of us-east-1: two tasks of 1 vCPU serve 200 requests/s of 10 ms, whatever the month."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.billing.charges import CHARGES
from estimator.errors import InvalidScenario
from estimator.planning import horizon as module
from estimator.planning.horizon import Horizon, bill_by_month
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, nearly, rates_of, workloads
from tests.properties.test_laws import few

RATES = rates_of()
TWO = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2)
#: 1 kB in and 10 kB out, five requests a connection: the bytes lead, 0.0396 LCU for each request/s.
WORK = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)


def service(work=WORK, spec=TWO, **given):
    return estimate(work, RATES, spec, **given)


def at(requests_per_s, spec=TWO, **given):
    return estimate(replace(WORK, load=LoadProfile.constant(requests_per_s)), RATES, spec, **given)


def usd(month, charge):
    return next((line.effective_cost for line in month.cost if line.charge == charge), 0.0)


def test_ten_percent_a_month_is_almost_three_times_in_a_year():
    found = bill_by_month(service(), RATES, Horizon(12, 10))
    first, last = found.months[0].cost.requests, found.months[-1].cost.requests
    assert first == pytest.approx(10 * 730 * 3600)
    assert last == pytest.approx(1.1**11 * first)
    assert found.months[-1].load_factor == pytest.approx(2.85311670611)
    # The sum of a geometric series.
    assert found.requests == pytest.approx(first * (1.1**12 - 1) / 0.1)
    assert [month.month for month in found.months] == list(range(1, 13))


def test_each_line_by_hand():
    found = bill_by_month(service(), RATES, Horizon(4, 100))
    for month, requests_per_s in zip(found.months, (10, 20, 40, 80), strict=True):
        gb = requests_per_s * 730 * 3600 * 10e3 / 1e9
        assert usd(month, "fargate_linux_x86_vcpu_hour") == pytest.approx(2 * 730 * 0.04048)
        assert usd(month, "alb_hour") == pytest.approx(730 * 0.0225)
        assert usd(month, "alb_lcu_hour") == pytest.approx(requests_per_s * 0.0396 * 730 * 0.008)
        # Tiers begin anew in each month: 10,240 GB at 9 cents.
        assert usd(month, "internet_egress") == pytest.approx(min(gb, 10_240) * 0.09 + max(gb - 10_240, 0) * 0.085)


def test_a_month_is_what_an_estimate_of_its_load_says():
    scaling = replace(TWO, min_capacity=2, max_capacity=40)
    given = {
        "extras": Extras(waf_rules=3),
        "operations": Operations(zone_losses_h=(9.0,)),
        "behavior": AwsBehavior(provision_s=60),
        "promise": Promise(p95_latency_ms=200),
        "hours_per_month": 720,
    }
    found = bill_by_month(at(100, scaling, **given), RATES, Horizon(5, 50))
    for month in found.months:
        alone = at(100 * 1.5 ** (month.month - 1), scaling, **given)
        assert nearly(month.cost.total_usd, alone.cost.total_usd)
        assert [line.charge for line in month.cost] == [line.charge for line in alone.cost]
        assert month.cost.hours_per_month == 720
        assert month.peak_tasks == alone.figures["peak_tasks"]
        assert month.p95_latency_ms == pytest.approx(alone.figures["p95_latency_ms"])
        broken = [text for text in alone.warnings if text.startswith("The promise is broken: ")]
        assert [f"The promise is broken: {reason}." for reason in month.broken] == broken
    assert found.months[0].peak_tasks < found.months[-1].peak_tasks


def test_the_first_month_that_breaks_the_promise_is_said():
    """10 requests/s, doubled each month: 160 in the fifth, 320 in the sixth, of which 200 are served."""
    found = bill_by_month(service(), RATES, Horizon(7, 100))
    assert [not month.broken for month in found.months] == [True] * 5 + [False] * 2
    broken = found.first_broken
    assert broken is not None
    assert (broken.month, broken.load_factor) == (6, 32)
    assert broken.minutes_over_capacity == pytest.approx(730 * 60)
    assert broken.unserved_share == pytest.approx(1 - 200 / 320)
    assert math.isinf(broken.p95_latency_ms)
    assert broken.broken == ("max_minutes_over_capacity is 43,800; at most 5 min/month",)
    assert found.verdict.startswith("Month 6 is the first that breaks the promise, at 32 times the load of the first: ")
    assert any("In month 6 37.5 % of the requests find no capacity" in note for note in found.notes)
    assert found.to_dict()["first_broken_month"] == 6


def test_a_promise_that_is_kept_or_broken_from_the_start():
    kept = bill_by_month(service(), RATES, Horizon(3))
    assert kept.first_broken is None
    assert (
        kept.verdict == f"The service keeps its promise in all 3 months. All 3 months together: ${kept.total_usd:,.2f}."
    )
    one = bill_by_month(service(), RATES, Horizon(1))
    assert one.verdict == f"The service keeps its promise in the month. The month together: ${one.total_usd:,.2f}."
    never = bill_by_month(service(promise=Promise(min_tasks=3)), RATES, Horizon(3, 5))
    assert never.verdict.startswith("The promise is broken from the first month: min_tasks is 2; at least 3 tasks. ")


@pytest.mark.parametrize(("growth", "simulated"), [(0, 1), (1, 24), (-1, 24)])
def test_months_of_equal_load_are_simulated_once(monkeypatch, growth, simulated):
    loads, done = [], []
    once = module.reprice

    def counted(plan, rates):
        loads.append(plan.workload.load.mean_requests_per_s)
        return once(plan, rates)

    monkeypatch.setattr(module, "reprice", counted)
    found = bill_by_month(service(), RATES, Horizon(24, growth), done.append)
    assert len(loads) == len(set(loads)) == simulated
    assert len(found.months) == 24
    assert done == pytest.approx([month / 24 for month in range(1, 25)])
    if not growth:
        assert found.total_usd == pytest.approx(24 * service().cost.total_usd)


def test_users_grow_with_the_load():
    found = bill_by_month(service(), RATES, Horizon(3, 50, users=1000))
    assert [month.users for month in found.months] == [1000, 1500, 2250]
    for month in found.months:
        assert month.usd_per_user == pytest.approx(month.cost.total_usd / month.users)
    assert bill_by_month(service(), RATES, Horizon(1)).months[0].usd_per_user is None


def test_a_table_of_months_and_charges():
    found = bill_by_month(service(), RATES, Horizon(3, 25))
    frame = found.to_frame()
    assert frame.index.tolist() == [1, 2, 3]
    assert frame.columns.tolist() == [name for name in CHARGES if name in frame.columns]
    assert frame.sum(axis=1).tolist() == pytest.approx([month.cost.total_usd for month in found.months])
    assert frame.to_numpy().sum() == pytest.approx(found.total_usd)
    assert frame.loc[2, "alb_lcu_hour"] == pytest.approx(1.25 * frame.loc[1, "alb_lcu_hour"])


def test_what_is_unknown_is_not_0_and_what_is_not_there_is():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_lcu_hour"})
    found = bill_by_month(estimate(WORK, rates, TWO), rates, Horizon(2, 10))
    frame = found.to_frame()
    assert found.is_lower_bound
    assert "at least $" in found.verdict
    assert frame["alb_lcu_hour"].isna().all()
    assert not frame.drop(columns="alb_lcu_hour").isna().any(axis=None)
    assert found.to_dict()["months"][0]["usd_by_charge"]["alb_lcu_hour"] is None
    cached = replace(WORK, behind_cloudfront=True)
    grown = bill_by_month(service(replace(cached, load=LoadProfile.constant(3))), RATES, Horizon(3, 100)).to_frame()
    # CloudFront's 10 million free requests hold the 7.9 million of the first month; 15.8 million in the second are 5.8 too many.
    requests = [3 * 2**k * 730 * 3600 for k in range(3)]
    assert grown["cloudfront_requests:US"].tolist() == pytest.approx([max(0, n - 1e7) * 1e-6 for n in requests])
    assert grown["cloudfront_requests:US"].tolist()[0] == 0


def test_a_long_load_is_said_to_be_a_mean_of_months():
    year = replace(WORK, load=LoadProfile.constant(5, 3600).repeated(60))
    plan = service(year)
    assert any("1,440 hours, more than a month" in note for note in bill_by_month(plan, RATES, Horizon(2)).notes)
    assert bill_by_month(plan, RATES, Horizon(1)).notes == ()
    assert bill_by_month(service(), RATES, Horizon(2)).notes == ()


def test_plain_values_are_json():
    found = bill_by_month(service(), RATES, Horizon(7, 100, users=10))
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["months"][-1]["p95_latency_ms"] is None
    assert sum(month["usd"] for month in values["months"]) == pytest.approx(values["total_usd"])
    for month in values["months"]:
        assert sum(month["usd_by_charge"].values()) == pytest.approx(month["usd"])


@few
@given(workloads(), st.integers(1, 4), st.floats(-50, 100), st.floats(0, 60))
def test_more_load_never_costs_less_and_months_add_up(workload, months, growth, more):
    # Of a service that does not scale; one that scales may be lucky with its minutes.
    plan = estimate(workload, RATES, replace(TWO, max_capacity=2))
    growing = Horizon(months, growth)
    found = bill_by_month(plan, RATES, growing)
    totals = [month.cost.total_usd for month in found.months]
    assert nearly(found.total_usd, sum(totals))
    assert nearly(totals[0], plan.cost.total_usd)
    assert totals == sorted(totals, reverse=growth < 0)
    faster = bill_by_month(plan, RATES, replace(growing, growth_percent_per_month=min(growth + more, 100)))
    assert faster.total_usd >= found.total_usd * (1 - 1e-12)
    # A horizon is the beginning of any longer one.
    longer = bill_by_month(plan, RATES, replace(growing, months=months + 1))
    assert [month.cost.total_usd for month in longer.months[:-1]] == totals


@pytest.mark.parametrize(
    ("given_values", "words"),
    [
        ({"months": 0}, "months is 0; it must be a whole number from 1 to 60"),
        ({"months": 61}, "months is 61"),
        ({"months": 1.5}, "months is 1.5; it must be a whole number"),
        ({"growth_percent_per_month": -51}, "growth_percent_per_month is -51; it must be a number from -50 to 100"),
        ({"growth_percent_per_month": 101}, "growth_percent_per_month is 101"),
        ({"growth_percent_per_month": math.nan}, "growth_percent_per_month is nan"),
        ({"users": 0}, "users is 0; it must be a number of more than 0"),
    ],
)
def test_a_horizon_out_of_bounds_is_refused(given_values, words):
    with pytest.raises(InvalidScenario) as refused:
        Horizon(**given_values)
    assert words in str(refused.value)


def test_a_load_beyond_all_measure_is_refused_before_anything_is_simulated(monkeypatch):
    plan = service()
    monkeypatch.setattr(module, "reprice", None)
    # 10 x 2 ** 27 is the first above a thousand million.
    with pytest.raises(InvalidScenario, match=r"in month 28 the load peaks at 1.34e\+09 requests/s.*fewer months"):
        bill_by_month(plan, RATES, Horizon(60, 100))
