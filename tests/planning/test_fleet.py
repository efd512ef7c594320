"""Many services at once: rows as each by itself, results that come back from a file, and one commitment for all against brute force."""

import datetime as dt
import json
import math
import threading
from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, SavingsPlan, SavingsPlanOption
from estimator.billing.savings_plans import compare_options
from estimator.errors import ExportError, InvalidScenario, NoFeasiblePlan, PriceListUnavailable, RateNotFound
from estimator.planning import fleet as fleet_module
from estimator.planning.fleet import STOPPED, FleetService, plan_fleet
from estimator.planning.fleet_commitment import on_grid, shared_commitments
from estimator.planning.fleet_result import HourlyUsage, ServiceResult
from estimator.planning.fleet_store import FleetStore
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.service.capacity import FARGATE, CapacityProviderStrategy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import ARM64, TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import rates_of

RATES = all_rates()
ONE_YEAR = SavingsPlanOption("1yr", "No Upfront")
SMALL = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=2)
SCALING = ServiceSpec(TaskSize(512, 1024), min_capacity=1, max_capacity=30)
LOADS = {
    "constant": LoadProfile.constant(20),
    "day": LoadProfile.daily(300, 10, 12, step_s=3600),
    "night": LoadProfile.daily(250, 10, 0, step_s=3600),
    "week": LoadProfile.weekly(200, 10, 18, weekend_factor=0.2, step_s=3600),
}


def plan_of(load="constant", spec=SMALL, rates=RATES, cpu_ms=10, **given):
    profile = LOADS[load] if isinstance(load, str) else load
    return estimate(Workload(profile, cpu_ms_per_request=cpu_ms), rates, spec, **given)


def service(name="web", *given, fingerprint=None, rates=RATES, hours=None, **more):
    made = [0]

    def price(tell):
        made[0] += 1
        tell(0.5)
        return plan_of(*given, rates=rates, **more), rates

    each = FleetService(name, price, rates.region, hours, None if fingerprint is None else lambda: fingerprint)
    object.__setattr__(each, "made", made)
    return each


def failing(name, error):
    def price(tell):
        raise error

    return FleetService(name, price, "us-east-1")


def results_of(**plans):
    return [ServiceResult.of(name, plan, RATES) for name, plan in plans.items()]


MIXED = {
    "day": plan_of("day", SCALING),
    "night": plan_of("night", replace(SCALING, cpu_architecture=ARM64)),
    "week": plan_of("week", SCALING),
}


# Rows.


def test_each_row_is_the_service_by_itself():
    fleet = plan_fleet([service("shop", "day", SCALING), service("blog", promise=Promise(p95_latency_ms=300))])
    for found, alone in zip(fleet.results, (MIXED["day"], plan_of(promise=Promise(p95_latency_ms=300))), strict=True):
        assert found.cost == alone.cost
        assert found.service == alone.spec.describe()
        for name, figure in (
            ("mean_tasks", "mean_tasks"),
            ("peak_tasks", "peak_tasks"),
            ("p95_latency_ms", "p95_latency_ms"),
            ("minutes_over_capacity", "minutes_over_capacity_per_month"),
            ("minutes_over_promise", "minutes_over_promise_per_month"),
        ):
            assert getattr(found, name) == alone.figures[figure]
    assert fleet.total_usd == fleet.results[0].cost.total_usd + fleet.results[1].cost.total_usd
    assert [row.name for row in fleet] == ["shop", "blog"]
    assert not fleet.failed


def test_threads_change_nothing():
    def run(n_threads):
        services = [service(load, load, SCALING) for load in LOADS]
        return json.dumps(plan_fleet(services, n_threads=n_threads).to_dict())

    assert run(1) == run(2) == run(4)


def test_a_broken_promise_is_said():
    tight = Promise(p95_latency_ms=20, max_minutes_over_capacity=None)
    fleet = plan_fleet([service("slow", promise=tight), service("fine")])
    assert [len(found.broken) for found in fleet.results] == [1, 0]
    assert fleet.results[0].broken[0].startswith("p95_latency_ms is ")
    assert not any("broken" in text for found in fleet.results for text in found.warnings)


def test_notes_of_a_plan_are_kept():
    unknown = replace(RATES, known={name: rate for name, rate in RATES.known.items() if name != "alb_hour"})
    (found,) = plan_fleet([service(rates=unknown)]).results
    assert found.warnings == plan_of(rates=unknown).warnings != ()


@pytest.mark.parametrize("n_threads", [1, 2])
def test_one_that_fails_does_not_stop_the_rest(n_threads):
    errors = [
        InvalidScenario("requests_per_s is -1."),
        NoFeasiblePlan("No candidate keeps the promise."),
        RateNotFound("alb_hour", "us-east-1", "LoadBalancerUsage", "made"),
        PriceListUnavailable("The snapshot is damaged."),
    ]
    bad = [failing(f"bad {number}", error) for number, error in enumerate(errors)]
    fleet = plan_fleet([service("first"), *bad, service("last")], n_threads=n_threads)
    assert [row.name for row in fleet.failed] == [each.name for each in bad]
    assert [row.why_not for row in fleet.failed] == [str(error) for error in errors]
    assert [found.name for found in fleet.results] == ["first", "last"]
    assert fleet.is_lower_bound
    assert fleet.total_usd == pytest.approx(2 * plan_of().cost.total_usd)
    assert fleet.total_text.startswith("at least $")


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_mistake_of_ours_is_not_hidden_in_a_row(n_threads):
    with pytest.raises(ZeroDivisionError):
        plan_fleet([failing("bad", ZeroDivisionError()), service("good")], n_threads=n_threads)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_keeps_what_is_done(n_threads, tmp_path):
    done = threading.Event()

    class Store(FleetStore):
        def write(self, result, key):
            super().write(result, key)
            done.set()

    def interrupt(tell):
        assert done.wait(60)
        raise KeyboardInterrupt

    last = service("last", fingerprint="c" * 64)
    stopping = [service("first", fingerprint="a" * 64), FleetService("second", interrupt), last]
    if n_threads == 2:
        # Nothing begins after the stop.
        stopping[2] = FleetService("last", interrupt)
    fleet = plan_fleet(stopping, n_threads=n_threads, store=Store(tmp_path))
    assert fleet.was_stopped
    assert [row.name for row in fleet] == ["first", "second", "last"]
    assert [row.why_not for row in fleet] == ["", STOPPED, STOPPED]
    assert last.made == [0]
    again = plan_fleet([stopping[0]], store=FleetStore(tmp_path))
    assert (again.was_saved, stopping[0].made) == (1, [1])


def test_a_running_service_ends_at_its_next_progress_after_a_stop():
    began, told = threading.Event(), []

    def long(tell):
        began.set()
        for part in range(100_000):
            told.append(part)
            tell(part / 100_000)
            threading.Event().wait(0.001)
        raise AssertionError("it was not stopped")

    def interrupt(tell):
        assert began.wait(60)
        raise KeyboardInterrupt

    fleet = plan_fleet([FleetService("long", long), FleetService("stop", interrupt)], n_threads=2)
    assert [row.why_not for row in fleet] == [STOPPED, STOPPED]
    assert len(told) < 100_000


def test_progress_names_the_services_and_ends_with_all():
    seen = []
    plan_fleet(
        [service("a"), service("b")], n_threads=1, progress=lambda part, name: seen.append((round(part, 6), name))
    )
    assert seen == [(0.0, "a"), (0.25, "a"), (0.5, "a"), (0.5, "b"), (0.75, "b"), (1.0, "b")]


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ([], "no service"),
        ([service("a"), service("a")], "Two services are called 'a'"),
        ([service("a", hours=730), service("b", hours=720)], "730 in a and 720 in b"),
    ],
)
def test_fleets_that_are_none(services, words):
    with pytest.raises(InvalidScenario, match=words):
        plan_fleet(services)


def test_months_of_different_lengths_are_seen_in_the_bills_too():
    with pytest.raises(InvalidScenario, match="hours_per_month is 730 in a and 720 in b"):
        plan_fleet([service("a"), service("b", hours_per_month=720)])


def test_too_many_services_and_threads_are_refused(monkeypatch):
    monkeypatch.setattr(fleet_module, "MAX_SERVICES", 2)
    with pytest.raises(InvalidScenario, match="There are 3 services; at most 2"):
        plan_fleet([service(name) for name in "abc"])
    with pytest.raises(InvalidScenario, match="n_threads is 0"):
        plan_fleet([service()], n_threads=0)


# Results in files.


def with_everything():
    existing = SavingsPlan("1yr", "No Upfront", 0.01, existing=True)
    loads = LOADS["week"].starting_at(dt.datetime(2026, 3, 4, tzinfo=dt.UTC))
    plan = plan_of(loads, SCALING, savings_plans=[existing, SavingsPlan("3yr", "All Upfront")])
    return ServiceResult.of("web & co.", plan, RATES)


def test_a_result_comes_back_from_json_to_the_last_digit():
    found = with_everything()
    text = json.dumps(found.to_dict(), allow_nan=False)
    back = ServiceResult.from_dict(json.loads(text))
    assert json.dumps(back.to_dict()) == text
    assert back.cost == found.cost
    assert back.cost.savings_plans[1].text == found.cost.savings_plans[1].text
    assert back.existing == found.existing != ()
    assert back.usage.start == dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    assert np.array_equal(back.usage.units_per_h, found.usage.units_per_h)
    assert json.dumps(shared_commitments([back]).to_dict()) == json.dumps(shared_commitments([found]).to_dict())
    endless = replace(found, p95_latency_ms=math.inf)
    assert (
        ServiceResult.from_dict(json.loads(json.dumps(endless.to_dict(), allow_nan=False))).p95_latency_ms == math.inf
    )


def test_a_resumed_run_is_the_fresh_run(tmp_path):
    def services():
        return [service(name, name, SCALING, fingerprint=name * 20) for name in ("day", "night", "week")]

    fresh = plan_fleet(services(), store=FleetStore(tmp_path))
    first = services()
    part = plan_fleet(first[:1], store=FleetStore(tmp_path))
    later = services()
    resumed = plan_fleet(later, store=FleetStore(tmp_path))
    assert (fresh.was_saved, part.was_saved, resumed.was_saved) == (0, 1, 3)
    assert [each.made for each in (*first[:1], *later)] == [[0]] * 4
    was, now = fresh.to_dict(), resumed.to_dict()
    assert [row.pop("was_saved") for row in (*was["services"], *now["services"])] == [False] * 3 + [True] * 3
    assert json.dumps(was) == json.dumps(now)
    assert not resumed.notes


def test_what_has_changed_is_priced_anew(tmp_path):
    plan_fleet([service("a", fingerprint="1" * 64)], store=FleetStore(tmp_path))
    changed = service("a", "day", SCALING, fingerprint="2" * 64)
    fleet = plan_fleet([changed], store=FleetStore(tmp_path))
    assert (fleet.was_saved, changed.made) == (0, [1])
    assert fleet.results[0].cost == MIXED["day"].cost
    assert len(list(tmp_path.iterdir())) == 2


def edited(text):
    values = json.loads(text)
    values["result"]["peak_tasks"] = 1.0
    return json.dumps(values)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda text: "", "damaged"),
        (lambda text: "[1, 2]", "not this service's result"),
        (lambda text: '{"format": "something else"}', "not this service's result"),
        (lambda text: text.replace("7" * 64, "8" * 64), "not this service's result"),
        (edited, "changed after it was written"),
        (lambda text: '{"a": NaN}', "the number NaN"),
        (lambda text: "[" * 100_000, "damaged"),
    ],
)
def test_a_damaged_or_foreign_file_is_done_again_and_said(tmp_path, damage, why):
    plan_fleet([service("a", fingerprint="7" * 64)], store=FleetStore(tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_text()
    file.write_text(damage(whole))
    again = service("a", fingerprint="7" * 64)
    fleet = plan_fleet([again], store=FleetStore(tmp_path))
    assert again.made == [1]
    (note,) = fleet.notes
    assert str(file) in note
    assert why in note
    assert "a was done again" in note
    assert file.read_text() == whole


def test_failures_and_services_without_a_fingerprint_are_not_saved(tmp_path):
    broken = FleetService("bad", failing("bad", InvalidScenario("no")).price, fingerprint=lambda: "f" * 64)
    plan_fleet([broken, service("nameless")], store=FleetStore(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_folder_that_cannot_be_written_ends_it(tmp_path, n_threads):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ExportError, match="cannot be saved"):
        FleetStore(file / "in it")
    store = FleetStore(tmp_path / "folder")
    store.path_of("a", "a" * 64).mkdir()
    services = [service("a", fingerprint="a" * 64), service("b", fingerprint="b" * 64)]
    with pytest.raises(ExportError, match="cannot be written"):
        plan_fleet(services, n_threads=n_threads, store=store)


def test_names_of_files_stay_inside_the_folder(tmp_path):
    store = FleetStore(tmp_path)
    assert store.path_of("../../etc/passwd", "a" * 64).parent == tmp_path
    assert len(store.path_of("x" * 1000, "a" * 64).name) < 100


# The common grid.


def usage_of(units, start=None, rates=(0.03,), legs=("fargate_linux_x86_vcpu_hour",), on_demand=(0.04,)):
    return HourlyUsage(legs, np.atleast_2d(np.array(units, dtype=float)), on_demand, {ONE_YEAR: rates}, 1.0, start)


@pytest.mark.parametrize(
    ("start", "hour"),
    [
        (None, 0),
        (dt.datetime(2026, 3, 2, tzinfo=dt.UTC), 0),  # a Monday
        (dt.datetime(2026, 3, 4, tzinfo=dt.UTC), 48),  # a Wednesday
        (dt.datetime(2026, 3, 8, 23, tzinfo=dt.UTC), 167),  # a Sunday's last hour
        (dt.datetime(1999, 12, 31, 5, tzinfo=dt.UTC), 4 * 24 + 5),  # a Friday
    ],
)
def test_a_week_keeps_its_weekday(start, hour):
    week = np.arange(168) + 1.0
    laid = on_grid(usage_of(week, start), 2 * 168)[0]
    assert laid[hour] == laid[hour + 168] == 1
    assert np.array_equal(np.roll(laid[:168], -hour), week)


def test_a_day_keeps_its_hours_and_a_year_its_days():
    six = dt.datetime(2026, 3, 4, 6, tzinfo=dt.UTC)
    assert on_grid(usage_of([1.0, *[0.0] * 23], six), 168)[0].nonzero()[0].tolist() == list(range(6, 168, 24))
    second_of_february = dt.datetime(2025, 2, 2, tzinfo=dt.UTC)
    assert on_grid(usage_of([1.0, *[0.0] * 8759], second_of_february), 8760)[0].argmax() == 32 * 24


def result(name, units, start=None, region="us-east-1", **more):
    """A service of which only the hours count."""
    plain = ServiceResult.of(name, plan_of(), RATES)
    lines = tuple(replace(line, contracted_cost=None) for line in plain.cost.lines)
    cost = replace(plain.cost, lines=lines, region=region)
    return replace(plain, cost=cost, usage=usage_of(units, start, **more))


@pytest.mark.parametrize(
    ("periods", "hours", "is_cut"),
    [
        ([24], 168, False),
        ([24, 168], 168, False),
        ([168, 336], 336, False),
        ([168, 8760], 61_320, False),  # 7 years: a week has no whole number in one
        ([8736, 24], 8736, False),
        ([8760, 8784], 8784, True),  # a year and a leap year
        ([25], 4200, False),
    ],
)
def test_the_grid_holds_every_period_or_is_cut(periods, hours, is_cut):
    found = shared_commitments([result(f"web {n}", [1.0] * period) for n, period in enumerate(periods)])
    assert (found.hours, found.is_cut) == (hours, is_cut)
    # 25 % off what each needs in every hour, whatever the grid.
    assert found.best.saving_usd == pytest.approx(len(periods) * 0.01 * 730)


def test_a_cut_period_stays_what_it_is_billed_for():
    units = np.zeros(8760)
    units[:4380] = 2.0
    laid = on_grid(usage_of(units), 8784)[0]
    assert laid.mean() == pytest.approx(1.0)
    found = shared_commitments([result("half", units), result("leap", [3.0] * 8784)])
    # What is left in half of the hours is not worth a commitment at 25 % off.
    assert found.best.commitment_usd_per_h == pytest.approx(3 * 0.03, abs=1e-5)
    assert found.best.saving_usd >= found.best.separate_saving_usd - 1e-9


# One commitment for all.


def hourly_usd(legs, commitment):
    """AWS's rule in one hour: legs of (units, On-Demand rate, Savings Plan rate), the most percent off first."""
    left, usd = commitment, commitment
    for units, on_demand, plan in sorted(legs, key=lambda leg: (leg[2] / leg[1], leg[2])):
        covered = min(units, left / plan)
        left -= covered * plan
        usd += (units - covered) * on_demand
    return usd


def hours_of(plans, option):
    """Legs of all services in each hour of a week, from their simulations and the price list alone."""
    hours = [[] for _ in range(168)]
    for plan in plans:
        task_s = plan.simulation.billed_task_s_by_hour[FARGATE][0]
        size = plan.spec.task_size
        kind = "arm" if plan.spec.cpu_architecture == ARM64 else "x86"
        for leg, per_task in (("vcpu", size.vcpu), ("gb", size.memory_gb)):
            name = f"linux_{kind}_{leg}"
            on_demand = float(RATES[f"fargate_{name}_hour"].tiers[0].price)
            rate = float(RATES[option.price_of(name)].tiers[0].price)
            for hour in range(168):
                hours[hour].append((task_s[hour % task_s.size] / 3600 * per_task, on_demand, rate))
    return hours


@pytest.mark.parametrize("option", [ONE_YEAR, SavingsPlanOption("3yr", "All Upfront")])
def test_the_shared_commitment_is_that_of_brute_force(option):
    found = shared_commitments(results_of(**MIXED))
    shared = next(one for one in found.options if one.option == option)
    hours = hours_of(MIXED.values(), option)

    def fargate_usd(commitment):
        return sum(hourly_usd(legs, commitment) for legs in hours) * 730 / 168

    # Whatever is left as it is: load balancer, addresses, logs.
    around = sum(plan.cost.total_usd for plan in MIXED.values()) - fargate_usd(0.0)
    assert shared.usd_per_month == pytest.approx(around + fargate_usd(shared.commitment_usd_per_h), rel=1e-9)
    most = max(sum(units * plan for units, _, plan in legs) for legs in hours)
    tried = [*np.linspace(0, 1.1 * most, 400).tolist()]
    tried += [shared.commitment_usd_per_h + step * 1e-5 for step in range(-3, 4)]
    best = min(map(fargate_usd, tried))
    assert fargate_usd(shared.commitment_usd_per_h) <= best + 1e-9
    assert 0 < shared.commitment_usd_per_h < most


def test_shared_is_never_dearer_than_separate_which_is_what_each_would_buy():
    found = shared_commitments(results_of(**MIXED))
    assert len(found.options) == len(SAVINGS_PLAN_OPTIONS)
    for shared in found.options:
        alone = {name: compare_options(plan.simulation, RATES)[shared.option] for name, plan in MIXED.items()}
        months = {name: 730 / plan.simulation.period_hours for name, plan in MIXED.items()}
        saved = sum((best.without_usd - best.total_usd) * months[name] for name, best in alone.items())
        assert shared.separate_saving_usd == pytest.approx(saved)
        assert shared.separate_by_service == {name: best.commitment_usd_per_h for name, best in alone.items()}
        # By day and by night: together they are steadier.
        assert shared.usd_per_month < shared.separate_usd_per_month
        assert sum(shared.saving_by_service.values()) == pytest.approx(shared.saving_usd)
        assert shared.saving_usd == pytest.approx(found.total_usd - shared.usd_per_month)
    totals = [shared.usd_per_month for shared in found.options]
    assert totals == sorted(totals)
    assert sum(found.with_best(name) for name in MIXED) == pytest.approx(found.best.usd_per_month)


def test_savings_are_divided_by_what_is_paid_of_each():
    two, one = replace(SMALL, min_capacity=2), replace(SMALL, min_capacity=1, max_capacity=1)
    found = shared_commitments(results_of(two=plan_of(spec=two), one=plan_of(spec=one)))
    for shared in found.options:
        assert shared.saving_by_service["two"] == pytest.approx(2 * shared.saving_by_service["one"])
        # A constant load is committed as a whole, but for the sixth decimal.
        assert shared.applied.used_usd / shared.applied.committed_usd == pytest.approx(1, abs=1e-3)
    shared = next(one for one in found.options if one.option == ONE_YEAR)
    # us-east-1: 25 % off vCPU and 23 % off memory of three tasks of 0.25 vCPU and 0.5 GB.
    usd_per_h = 3 * (0.25 * 0.04048 * 0.25 + 0.5 * 0.004445 * 0.23)
    assert shared.saving_usd == pytest.approx(730 * usd_per_h, rel=1e-3)


def test_one_service_is_what_it_would_buy_alone():
    found = shared_commitments(results_of(day=MIXED["day"]))
    for shared in found.options:
        assert shared.saving_usd == pytest.approx(shared.separate_saving_usd)
        assert shared.commitment_usd_per_h == shared.separate_by_service["day"]


def test_a_plan_to_buy_gives_way_to_the_shared_one():
    bare = shared_commitments(results_of(day=MIXED["day"], night=MIXED["night"]))
    buying = plan_of("day", SCALING, savings_plans=[SavingsPlan("1yr", "No Upfront")])
    found = shared_commitments(results_of(day=buying, night=MIXED["night"]))
    assert buying.cost.total_usd < MIXED["day"].cost.total_usd
    assert found.total_usd == pytest.approx(bare.total_usd)
    assert found.best.usd_per_month == pytest.approx(bare.best.usd_per_month)


@pytest.mark.parametrize("seed", range(6))
def test_any_hours_with_and_without_a_plan_that_you_have(seed):
    draw = np.random.default_rng(seed)
    held = SavingsPlan("1yr", "No Upfront", 0.05, existing=True) if seed % 2 else None
    rates = [(0.04, 0.03), (0.05, 0.03), (0.04, 0.038), (0.06, 0.066)]
    services, hours = [], [[] for _ in range(336)]
    for number, (on_demand, plan) in enumerate(rates):
        period = int(draw.choice([24, 168, 336]))
        units = draw.uniform(0, 4, period) * (draw.uniform(size=period) < 0.7)
        one = result(
            f"web {number}", units, region=("us-east-1", "eu-west-1")[number % 2], rates=(plan,), on_demand=(on_demand,)
        )
        services.append(replace(one, existing=() if held is None else (held,)))
        for hour in range(336):
            hours[hour].append((units[hour % period], on_demand, plan))

    def usd(commitment):
        """Of a month, by AWS's rule hour by hour: plans of one option spend as one."""
        both = commitment + (held.commitment_usd_per_h if held else 0.0)
        return sum(hourly_usd(legs, both) for legs in hours) * 730 / 336

    found = shared_commitments(services)
    (shared,) = found.options
    best = min(usd(step / 1000) for step in range(0, 800))
    assert usd(shared.commitment_usd_per_h) <= best + 1e-9
    assert shared.saving_usd == pytest.approx(usd(0.0) - usd(shared.commitment_usd_per_h))
    assert shared.saving_usd >= shared.separate_saving_usd - 1e-9
    assert sum(shared.saving_by_service.values()) == pytest.approx(shared.saving_usd)
    if held is not None:
        on_demand = sum(units * rate for legs in hours for units, rate, _ in legs) * 730 / 336
        (done,) = found.existing
        assert done.net_savings_usd == pytest.approx(on_demand - usd(0.0))
        assert found.total_usd == pytest.approx(-done.net_savings_usd)


# Plans that you have.

HELD = SavingsPlan("1yr", "No Upfront", 0.01, existing=True)


def held(*plans, spec=SMALL):
    return plan_of(spec=spec, savings_plans=plans)


def test_a_plan_that_several_scenarios_have_is_counted_once():
    plans = {"a": held(HELD), "b": held(HELD)}
    services = [FleetService(name, lambda tell, plan=plan: (plan, RATES)) for name, plan in plans.items()]
    once, shares = plan_fleet(services), plan_fleet(services, existing_are_shares=True)
    own = sum(plan.cost.total_usd for plan in plans.values())
    without = 2 * plan_of().cost.total_usd
    # Each service needs more than 0.01 USD an hour, so that all of the commitment is used, and saves alike.
    saved_once = without - own
    assert once.sum_usd == shares.sum_usd == pytest.approx(own)
    assert once.commitments.counted_once == (HELD,)
    assert once.total_usd == pytest.approx(without - saved_once / 2)
    assert shares.commitments.counted_once == ()
    assert shares.total_usd == pytest.approx(own)
    assert shares.commitments.total_usd == pytest.approx(own)
    assert [done.committed_usd for done in once.commitments.existing] == [pytest.approx(0.01 * 730)]
    assert once.commitments.before_by_service["a"] == pytest.approx(once.commitments.before_by_service["b"])


def test_two_equal_plans_of_one_scenario_are_two():
    found = shared_commitments(results_of(a=held(HELD, HELD), b=held(HELD)))
    assert [done.plan for done in found.existing] == [HELD, HELD]


def test_a_plan_that_you_have_comes_first_and_what_it_leaves_is_committed():
    found = shared_commitments(results_of(a=held(HELD), b=plan_of()))
    bare = shared_commitments(results_of(a=plan_of(), b=plan_of()))
    for shared in found.options:
        if shared.option == ONE_YEAR:
            # The same rates: what you have is a part of what you would have bought.
            alone = next(one for one in bare.options if one.option == ONE_YEAR)
            assert shared.commitment_usd_per_h == pytest.approx(alone.commitment_usd_per_h - 0.01, abs=2e-5)
            assert shared.usd_per_month == pytest.approx(alone.usd_per_month, abs=0.02)
    assert found.best.usd_per_month <= found.best.separate_usd_per_month + 1e-9


def test_a_plan_that_pays_for_nothing_is_paid_and_no_services():
    spot = replace(SMALL, capacity_provider_strategy=CapacityProviderStrategy(0, 0, 1))
    found = shared_commitments(results_of(a=held(HELD, spec=spot)))
    assert found.not_divided_usd == pytest.approx(0.01 * 730)
    assert found.total_usd == pytest.approx(held(HELD, spec=spot).cost.total_usd)
    assert found.options == ()


def test_nothing_on_demand_has_nothing_to_commit_to():
    spot = replace(SMALL, capacity_provider_strategy=CapacityProviderStrategy(0, 0, 1))
    found = shared_commitments(results_of(a=plan_of(spec=spot)))
    assert (found.best, found.why_not) == (None, "Nothing runs on Fargate On-Demand.")
    assert found.total_usd == pytest.approx(plan_of(spec=spot).cost.total_usd)
    assert shared_commitments([]).total_usd == 0


# Rates that are not known.


def test_an_option_without_rates_is_said_and_its_services_are_left_out():
    known = {name: rate for name, rate in RATES.known.items() if "1yr_noupfront" not in name}
    lacking = replace(RATES, known=known)
    both = [
        ServiceResult.of("known", MIXED["day"], RATES),
        ServiceResult.of("unknown", plan_of("night", SCALING, lacking), lacking),
    ]
    found = shared_commitments(both)
    assert found.unknown == {ONE_YEAR: ("us-east-1",)}
    shared = next(one for one in found.options if one.option == ONE_YEAR)
    assert shared.left_out == ("unknown",)
    alone = next(one for one in shared_commitments(both[:1]).options if one.option == ONE_YEAR)
    assert shared.saving_usd == pytest.approx(alone.saving_usd)
    assert shared.saving_by_service["unknown"] == 0
    assert all(not one.left_out for one in found.options if one is not shared)


def test_no_rates_at_all():
    bare = rates_of()
    plan = plan_of("day", SCALING, bare)
    found = shared_commitments([ServiceResult.of("a", plan, bare)])
    assert (found.options, found.best) == ((), None)
    assert "No rate of a Compute Savings Plan is known" in found.why_not
    assert set(found.unknown) == set(SAVINGS_PLAN_OPTIONS)
    assert found.total_usd == pytest.approx(plan.cost.total_usd)


def test_a_plan_that_you_have_at_unknown_rates_is_still_paid_once():
    known = {name: rate for name, rate in RATES.known.items() if "1yr_noupfront" not in name}
    lacking = replace(RATES, known=known)
    plans = [plan_of(rates=lacking, savings_plans=[HELD]) for _ in range(2)]
    found = shared_commitments([ServiceResult.of(f"web {n}", plan, lacking) for n, plan in enumerate(plans)])
    assert "not known in us-east-1" in found.why_not
    assert found.options == ()
    assert found.total_usd == pytest.approx(sum(plan.cost.total_usd for plan in plans) - 0.01 * 730)


def test_services_of_two_regions_share_one_commitment():
    elsewhere = replace(RATES, region="eu-west-1")
    both = [
        ServiceResult.of("here", MIXED["day"], RATES),
        ServiceResult.of("there", plan_of("night", SCALING, elsewhere), elsewhere),
    ]
    found = shared_commitments(both)
    same = shared_commitments([both[0], ServiceResult.of("there", plan_of("night", SCALING), RATES)])
    # The rates are the same, so that it does not matter where they run.
    assert found.best.commitment_usd_per_h == same.best.commitment_usd_per_h
    assert found.best.saving_usd == pytest.approx(same.best.saving_usd)
    assert {each.region for each in both} == {"us-east-1", "eu-west-1"}


def test_plain_values_are_json():
    fleet = plan_fleet([service("a"), failing("b", InvalidScenario("no"))])
    values = json.loads(json.dumps(fleet.to_dict(), allow_nan=False))
    assert [row["usd_per_month"] for row in values["services"]] == [fleet.results[0].cost.total_usd, None]
    assert values["services"][1]["why_not"] == "no"
    assert values["is_lower_bound"]
    frame = fleet.to_frame()
    assert frame["name"].tolist() == ["a", "b"]
    assert repr(fleet).startswith("<1 of 2 services: at least $")
