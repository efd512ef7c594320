"""Queueing formulas against tables, closed forms, a simulation of events, and percentiles computed in another way."""

import math

import numpy as np
import pytest

from estimator.simulation.latency import (
    BIN_UTILIZATION,
    BIN_WAIT_S,
    erlang_c,
    in_flight_percentile,
    mean_wait,
    period_percentiles_s,
    servers_and_service_s,
    slower_than,
    step_percentiles_s,
    task_queue,
    utilization_within,
)
from estimator.simulation.parameters import N_BINS, N_WAIT_BINS
from estimator.simulation.requests import wait_bin
from tests.simulation.event_queue import responses, steady_responses

# Mean wait in service times, Wq/s, of M/M/c: queueing tables; utilizations .5 .6 .7 .8 .9; with its last digit.
TABLE = {
    1: ("1.000", "1.500", "2.333", "4.000", "9.000"),
    2: ("0.333", "0.563", "0.961", "1.778", "4.263"),
    4: ("0.087", "0.179", "0.357", "0.746", "1.969"),
    8: ("0.0148", "0.0436", "0.113", "0.286", "0.877"),
    16: ("0.0011", "0.0065", "0.027", "0.0953", "0.370"),
}


@pytest.mark.parametrize("servers", TABLE)
@pytest.mark.parametrize("column", range(5))
def test_mean_wait(servers, column):
    rho = (0.5, 0.6, 0.7, 0.8, 0.9)[column]
    written = TABLE[servers][column]
    half_a_digit = 0.5 * 10 ** -len(written.split(".")[1])
    assert abs(float(mean_wait(servers, rho)) - float(written)) <= half_a_digit * 1.02


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0, 3.0])
def test_mean_wait_of_general_queues(rho, cv):
    # Pollaczek and Khinchine; Kingman's bound in heavy traffic is reached from below.
    assert float(mean_wait(1, rho, 1.0, cv)) == pytest.approx(rho / (1 - rho) * (1 + cv**2) / 2)
    assert float(mean_wait(1, rho, cv, 0.5)) == pytest.approx(rho / (1 - rho) * (cv**2 + 0.25) / 2)
    assert float(mean_wait(4, rho, cv, cv)) == pytest.approx(cv**2 * float(mean_wait(4, rho)))


def test_mean_wait_at_the_edges():
    assert mean_wait(2, [0.0, 1.0, 1.5, np.inf]).tolist() == [0, np.inf, np.inf, np.inf]
    assert mean_wait(2, [0.5, 1.0], 0.0, 0.0).tolist() == [0, np.inf]


@pytest.mark.parametrize(("servers", "rho", "waits"), [(4, 0.7, 0.4287), (8, 0.8, 0.4576)])
def test_probability_of_a_wait(servers, rho, waits):
    assert float(erlang_c(servers, rho)) == pytest.approx(waits, abs=5e-5)


def _erlang_c_by_sums(servers, rho):
    # The textbook form, by factorials: another way than the recursion.
    offered = servers * rho
    last = offered**servers / math.factorial(servers) / (1 - rho)
    return last / (math.fsum(offered**n / math.factorial(n) for n in range(servers)) + last)


@pytest.mark.parametrize("servers", [1, 2, 3, 4, 8, 16, 32])
def test_erlang_c_equals_the_sum_of_factorials(servers):
    rho = np.linspace(0.01, 0.99, 50)
    np.testing.assert_allclose(erlang_c(servers, rho), [_erlang_c_by_sums(servers, r) for r in rho], rtol=1e-10)


@pytest.mark.parametrize("servers", [1, 2, 8, 32])
def test_limits(servers):
    assert erlang_c(servers, [0.0, 1.0, 1.5, np.inf]).tolist() == [0, 1, 1, 1]
    assert float(slower_than(0.0, 0.5, servers, 1.0)) == pytest.approx(1)
    assert float(slower_than(1e6, 0.5, servers, 1.0)) == pytest.approx(0, abs=1e-12)
    assert slower_than(5.0, [1.0, 2.0, np.inf], servers, 1.0).tolist() == [1, 1, 1]
    # Without other requests: the service time alone, exponential.
    assert float(slower_than(2.0, 0.0, servers, 0.5)) == pytest.approx(math.exp(-4))
    assert float(in_flight_percentile(0.0, servers, 0.999)) == 0


@pytest.mark.parametrize("servers", [1, 2, 8])
@pytest.mark.parametrize("rho", [0.3, 0.533, 0.7, 0.95])
@pytest.mark.parametrize("share", [0.9, 0.999])
def test_requests_in_flight(servers, rho, share):
    # Birth and death, state by state: p(n) = p(n - 1) * offered / min(n, servers), summed up to the share.
    weights, offered = [1.0], servers * rho
    for n in range(1, 3000):
        weights.append(weights[-1] * offered / min(n, servers))
    upto = np.cumsum(weights) / math.fsum(weights)
    exact = int(np.argmax(upto >= share))
    # Below the number of servers there is always room for one request each.
    assert float(in_flight_percentile(rho, servers, share)) == max(exact, servers)


def test_one_server_has_a_closed_form():
    times, rho = np.meshgrid([0.1, 1.0, 3.0, 20.0], [0.1, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(slower_than(times, rho, 1, 0.4), np.exp(-times * (1 - rho) / 0.4), rtol=1e-9)


@pytest.mark.parametrize("servers", [2, 4, 8, 16])
def test_where_both_rates_are_equal_there_is_no_jump(servers):
    # c (1 - rho) = 1: the general form divides by nothing there.
    edge = 1 - 1 / servers
    middle = float(slower_than(2.0, edge, servers, 1.0))
    assert middle == pytest.approx(math.exp(-2) * (1 + 2 * _erlang_c_by_sums(servers, edge)), rel=1e-9)
    for aside in (1e-4, 1e-6, 1e-7, 1e-9, -1e-9, -1e-7, -1e-6, -1e-4):
        assert float(slower_than(2.0, edge + aside, servers, 1.0)) == pytest.approx(middle, rel=20 * abs(aside) + 1e-8)


def test_more_load_is_slower_and_more_time_is_safer():
    rho = np.linspace(0, 0.999, 200)
    times = np.geomspace(0.01, 100, 50)
    for servers in (1, 2, 4, 16):
        beyond = slower_than(times[:, None], rho[None, :], servers, 1.0)
        assert (np.diff(beyond, axis=1) >= -1e-12).all()
        assert (np.diff(beyond, axis=0) <= 1e-12).all()


@pytest.mark.parametrize(
    ("vcpu", "servers", "service_s"), [(0.25, 1, 0.4), (0.5, 1, 0.2), (1, 1, 0.1), (2, 2, 0.1), (16, 16, 0.1)]
)
def test_a_part_of_a_vcpu_is_one_slower_server(vcpu, servers, service_s):
    assert servers_and_service_s(vcpu, 0.1) == (servers, pytest.approx(service_s))


def _histograms(n, rho=None, requests=1000.0):
    by_utilization, by_wait = np.zeros((n, N_BINS)), np.zeros((n, N_WAIT_BINS + 1))
    if rho is not None:
        by_utilization[:, int(rho * N_BINS)] = requests
    return by_utilization, by_wait


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("vcpu", [1, 4])
def test_p95_of_a_simulation_of_events(rho, vcpu):
    exact_rho = BIN_UTILIZATION[int(rho * N_BINS)]
    times = steady_responses(exact_rho, 2, vcpu, "random", 1.0, 1.0, 500, 2600, 1000, seed=round(1000 * rho) + vcpu)
    # In half seconds of service time, to see that the unit is kept.
    expected = 0.5 * np.quantile(times, [0.5, 0.95])
    servers, service_s = servers_and_service_s(vcpu, 0.5)
    found = period_percentiles_s(*_histograms(1, rho), (0.5, 0.95), servers, service_s)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=0.05)
    by_step = [step_percentiles_s(exact_rho, share, servers, service_s) for share in (0.5, 0.95)]
    np.testing.assert_allclose(by_step, expected, rtol=0.05)


# With other variations than 1 the formulas are approximations; what the p95 is off by was measured with more requests.
@pytest.mark.parametrize(
    ("arrival_cv", "service_time_cv", "servers", "rho", "off"),
    [
        (1.0, 0.0, 1, 0.5, 1.08),
        (1.0, 0.0, 4, 0.8, 1.02),
        (1.0, 0.5, 1, 0.5, 1.04),
        (1.0, 2.0, 1, 0.5, 0.96),
        (1.0, 2.0, 4, 0.8, 0.99),
        (0.5, 1.0, 1, 0.5, 1.06),
        (0.5, 0.5, 1, 0.5, 1.09),
        (0.5, 0.5, 4, 0.8, 1.02),
        (2.0, 1.0, 1, 0.5, 0.97),
        (2.0, 1.0, 4, 0.5, 0.87),
        (2.0, 2.0, 1, 0.5, 0.93),
    ],
)
def test_p95_of_other_variations(arrival_cv, service_time_cv, servers, rho, off):
    times = steady_responses(rho, 1, servers, "random", arrival_cv, service_time_cv, 800, 2500, 1000, seed=8)
    p95 = float(step_percentiles_s(rho, 0.95, servers, 1.0, arrival_cv, service_time_cv))
    assert p95 / np.quantile(times, 0.95) == pytest.approx(off, abs=0.03)


def test_one_queue_for_all_tasks_would_be_too_kind():
    # Four tasks of 1 vCPU at a utilization of 0.8, p95 in service times.
    p95 = {
        routing: np.quantile(steady_responses(0.8, 4, 1, routing, 1.0, 1.0, 250, 2000, 800, seed=7), 0.95)
        for routing in ("random", "round_robin")
    }
    own, pooled = (float(step_percentiles_s(0.8, 0.95, servers, 1.0)) for servers in (1, 4))
    assert p95["random"] == pytest.approx(own, rel=0.05)
    assert p95["random"] == pytest.approx(3.17 * pooled, rel=0.05)
    # In turn: the same queue, with requests that come as evenly as every fourth of independent ones.
    assert p95["round_robin"] == pytest.approx(float(step_percentiles_s(0.8, 0.95, 1, 1.0, arrival_cv=0.5)), rel=0.05)
    assert p95["round_robin"] == pytest.approx(0.66 * own, rel=0.05)


@pytest.mark.parametrize(("cv", "rho"), [(0.0, 0.9), (2.0, 0.7)])
def test_in_flight_of_other_variations(cv, rho):
    # Independent requests, one server: each leaves behind as many as arrive while it is there.
    times = steady_responses(rho, 1, 1, "random", 1.0, cv, 500, 2500, 1000, seed=5)
    left = np.random.default_rng(6).poisson(rho * times)
    found = float(in_flight_percentile(rho, 1, 0.99, 1.0, cv))
    assert found == pytest.approx(np.quantile(left, 0.99), rel=0.1, abs=1)
    for servers in (1, 4):
        more = in_flight_percentile(rho, servers, 0.999, 1.0, cv) - in_flight_percentile(rho, servers, 0.999)
        assert np.sign(float(more)) == np.sign(cv - 1)


def _percentile_by_bisection(by_utilization, by_wait, share, servers, service_s):
    """The time that a share of all requests stays within; the tail as in textbooks, with the mean c mu (1 - rho)."""

    def tail(time, rho):
        waits = _erlang_c_by_sums(servers, rho)
        spare = servers - 1 - servers * rho
        mu_t = time / service_s
        if abs(spare) < 1e-9:
            return math.exp(-mu_t) * (1 + waits * mu_t)
        return math.exp(-mu_t) + waits * (math.exp(-mu_t) - math.exp(-mu_t * (1 + spare))) / spare

    bins, waits = np.flatnonzero(by_utilization), np.flatnonzero(by_wait[:-1])
    allowed = (1 - share) * (by_utilization.sum() + by_wait.sum()) - by_wait[-1]
    low, high = 0.0, 1e6 * service_s
    for _ in range(100):
        middle = (low + high) / 2
        late = sum(by_utilization[b] * tail(middle, (b + 0.5) / N_BINS) for b in bins)
        for b in waits:
            served = middle - 0.001 * 2 ** ((b + 0.5) / 8)
            late += by_wait[b] * (math.exp(-served / service_s) if served > 0 else 1)
        low, high = (middle, high) if late > allowed else (low, middle)
    return high


@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("servers", [1, 2, 4, 8])
def test_period_percentiles_in_another_way(servers, waiting):
    rng = np.random.default_rng(servers)
    by_utilization, by_wait = _histograms(6)
    for row in by_utilization:
        row[rng.integers(0, 480, 12)] = rng.uniform(0, 1e5, 12)
    if waiting:
        for row in by_wait[:5]:  # and one in the same call in which nobody waits
            row[rng.integers(1, 120, 6)] = rng.uniform(0, 1e5, 6)
    by_wait[3, -1] = 0.003 * (by_utilization[3].sum() + by_wait[3].sum())
    shares = (0.5, 0.95, 0.99)
    found = period_percentiles_s(by_utilization, by_wait, shares, servers, 0.02)
    for row, share in enumerate(shares):
        for column in range(6):
            expected = _percentile_by_bisection(by_utilization[column], by_wait[column], share, servers, 0.02)
            assert found[row, column] == pytest.approx(expected, rel=5e-3)
    assert (np.diff(found, axis=0) > 0).all()


def test_a_period_is_a_percentile_over_requests_not_a_mean_over_minutes():
    by_utilization, by_wait = _histograms(1)
    by_utilization[0, 51] = 94.0  # quiet minutes
    by_utilization[0, 486] = 6.0  # busy ones, at 0.95: more than 5 in 100 requests
    quiet, busy = (period_percentiles_s(*_histograms(1, rho), (0.95,), 1, 1.0)[0, 0] for rho in (0.1, 0.95))
    both = period_percentiles_s(by_utilization, by_wait, (0.95,), 1, 1.0)[0, 0]
    assert quiet < both < busy


def test_more_than_a_share_over_capacity_has_no_bound():
    by_utilization, by_wait = _histograms(3)
    by_utilization[:, 100] = (95.1, 94.9, 0.0)
    by_wait[:, N_WAIT_BINS] = (4.9, 5.1, 10.0)
    p95 = period_percentiles_s(by_utilization, by_wait, (0.95,), 1, 1.0)[0]
    assert np.isfinite(p95).tolist() == [True, False, False]
    p50 = period_percentiles_s(by_utilization, by_wait, (0.5,), 1, 1.0)[0]
    np.testing.assert_array_equal(p50 < np.inf, [True, True, False])


def test_no_requests_take_no_time():
    assert period_percentiles_s(*_histograms(2), (0.5, 0.95), 2, 1.0).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("cv", [0.0, 0.3, 1.0])
def test_a_batch_equals_one_at_a_time(cv):
    rng = np.random.default_rng(0)
    by_utilization, by_wait = _histograms(7)
    by_utilization += rng.uniform(0, 10, by_utilization.shape) * (rng.random(by_utilization.shape) < 0.1)
    by_wait[:4, 1:-1] += rng.uniform(0, 10, (4, N_WAIT_BINS - 1)) * (rng.random((4, N_WAIT_BINS - 1)) < 0.1)
    given = ((0.5, 0.95, 0.99), 2, 0.03, 1.0, cv)
    together = period_percentiles_s(by_utilization, by_wait, *given)
    for i in range(7):
        alone = period_percentiles_s(by_utilization[i : i + 1], by_wait[i : i + 1], *given)
        np.testing.assert_allclose(together[:, i : i + 1], alone, rtol=1e-12)


def test_bins_of_waiting_time_are_those_of_the_time_loop():
    # Eight per doubling from a millisecond on: bin 80 begins at 1.024 s.
    assert BIN_WAIT_S[80] == pytest.approx(1.024 * 2 ** (1 / 16))
    assert [wait_bin(wait) for wait in BIN_WAIT_S.tolist()] == list(range(N_WAIT_BINS))
    edge_s = 0.001 * 2 ** (1 / 8)
    assert (wait_bin(edge_s * (1 - 1e-6)), wait_bin(edge_s * (1 + 1e-6))) == (0, 1)


@pytest.mark.parametrize("at", [0, 1, 40, 90, N_WAIT_BINS - 1])
def test_a_standing_queue_takes_its_wait_and_a_service_time(at):
    by_utilization, by_wait = _histograms(1)
    by_wait[0, at] = 100.0
    wait_s = 0.001 * 2 ** ((at + 0.5) / 8)
    shares = (0.5, 0.95, 0.99)
    for servers in (1, 4):
        found = period_percentiles_s(by_utilization, by_wait, shares, servers, 0.2)[:, 0]
        np.testing.assert_allclose(found, [wait_s - 0.2 * math.log(1 - share) for share in shares], rtol=1e-9)
        constant = period_percentiles_s(by_utilization, by_wait, shares, servers, 0.2, 1.0, 0.0)[:, 0]
        np.testing.assert_allclose(constant, wait_s + 0.2, rtol=1e-5)
        # Two stages, each exponential: 4.744 / 2 of the mean are exceeded by 5 of 100.
        two = period_percentiles_s(by_utilization, by_wait, (0.95,), servers, 0.2, 1.0, math.sqrt(0.5))[0, 0]
        assert two == pytest.approx(wait_s + 0.2 * 4.7439 / 2, rel=2e-3)


def test_many_who_wait_raise_the_percentile_and_few_do_not():
    by_utilization, by_wait = _histograms(3, 0.5, 100.0)
    by_wait[:, 100] = (0.0, 1.0, 20.0)  # 6.05 s
    p95 = period_percentiles_s(by_utilization, by_wait, (0.95,), 1, 0.1)[0]
    # Without: exponential with almost 0.2 s on average. Few: 4.05 of the other 100 may be slower. Many: 13.95 of the 20 wait less.
    mean_s = 0.1 / (1 - BIN_UTILIZATION[N_BINS // 2])
    assert p95[0] == pytest.approx(mean_s * math.log(20), rel=1e-6)
    assert p95[1] == pytest.approx(mean_s * math.log(100 / 4.05), rel=1e-3)
    assert p95[2] == pytest.approx(0.001 * 2 ** (100.5 / 8) + 0.1 * math.log(20 / 6), rel=1e-6)


def test_a_flash_crowd_of_a_simulation_of_events():
    # Minutes of 1.3 times the capacity of four tasks, and what follows; service times of 0.1 s.
    loads, step_s, service_s, n_services = [0.5, 1.3, 1.3, 1.3, 0.7, 0.7, 0.7, 0.7], 60.0, 0.1, 25
    rng = np.random.default_rng(9)
    expected_by = np.append(0.0, np.cumsum(loads)) * 4 / service_s * step_s
    drawn = np.cumsum(rng.exponential(size=(round(expected_by[-1]), n_services)), axis=0)
    arrivals = np.interp(drawn, expected_by, step_s * np.arange(len(loads) + 1))
    times = responses(arrivals, rng.exponential(service_s, arrivals.shape), 4, 1, "random", seed=10)
    times = times[drawn < expected_by[-1]]

    by_utilization, by_wait = _histograms(1)
    queue, capacity = 0.0, 4 / service_s * step_s
    for load in loads:
        arriving, before = load * capacity, queue
        queue = max(0.0, before + arriving - capacity)
        if before == queue == 0:
            by_utilization[0, int(load * N_BINS)] += arriving
        else:
            by_wait[0, wait_bin((before + queue) / 2 * step_s / capacity)] += arriving
    found = period_percentiles_s(by_utilization, by_wait, (0.5, 0.95), 1, service_s)[:, 0]
    p50, p95 = np.quantile(times, [0.5, 0.95])
    # A minute's mean stands for all its requests, and the tasks' queues differ: the longest waits are longer than that.
    assert found[0] == pytest.approx(p50, rel=0.2)
    assert 0.8 * p95 < found[1] < p95


def _gamma_tail(shape, time):
    """Part of gamma distributed times of mean 1 that are longer; a whole shape is a number of exponential stages."""
    x = shape * time
    return math.fsum(math.exp(j * math.log(x) - x - math.lgamma(j + 1)) for j in range(shape))


@pytest.mark.parametrize("stages", [2, 4, 25, 400, 900, 2500, 40_000])
def test_service_times_have_a_gamma_tail(stages):
    cv = stages**-0.5
    times = [1 + cv * deviations for deviations in (-0.5, 0, 0.5, 1, 2, 3, 4)]
    expected = [_gamma_tail(stages, time) for time in times]
    np.testing.assert_allclose(slower_than(times, 0.0, 3, 1.0, 1.0, cv), expected, rtol=1e-3, atol=1e-5)


def test_service_times_that_vary_much_have_a_gamma_tail():
    # Shape 1/2 is the square of a normal variable.
    times = np.array([1e-6, 1e-3, 0.01, 0.5, 1, 2, 5, 20])
    expected = [math.erfc(math.sqrt(time / 2)) for time in times.tolist()]
    np.testing.assert_allclose(slower_than(0.5 * times, 0.0, 3, 0.5, 1.0, math.sqrt(2)), expected, rtol=1e-9)


@pytest.mark.parametrize("servers", [1, 4])
@pytest.mark.parametrize("rho", [0.2, 0.7, 0.97])
@pytest.mark.parametrize("arrival_cv", [0.5, 1.0, 2.0])
def test_a_response_is_a_wait_and_a_service_time(servers, rho, arrival_cv):
    # Two stages: the service time's density is 4 t exp(-2 t), and its convolution with an exponential wait in closed form.
    times = np.array([0.02, 0.3, 1.0, 2.5, 6.0, 15.0, 40.0])
    drain = servers * (1 - rho) / ((arrival_cv**2 + 0.5) / 2)
    a = 2 - drain
    convolved = 4 * np.exp(-drain * times) * (1 - np.exp(-a * times) * (1 + a * times)) / a**2
    expected = np.exp(-2 * times) * (1 + 2 * times) + _erlang_c_by_sums(servers, rho) * convolved
    found = slower_than(0.5 * times, rho, servers, 0.5, arrival_cv, math.sqrt(0.5))
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-5)


@pytest.mark.parametrize("servers", [1, 4])
@pytest.mark.parametrize("arrival_cv", [0.5, 2.0])
def test_constant_and_exponential_service_times_in_closed_form(servers, arrival_cv):
    waits, rho = _erlang_c_by_sums(servers, 0.8), 0.8
    times = np.array([0.2, 0.999, 1.0, 2.0, 5.0])
    rate = servers * 0.2 / (arrival_cv**2 / 2)
    expected = np.where(times < 1, 1.0, waits * np.exp(-rate * (times - 1)))
    np.testing.assert_allclose(slower_than(times, rho, servers, 1.0, arrival_cv, 0.0), expected, rtol=1e-9)
    rate = servers * 0.2 / ((arrival_cv**2 + 1) / 2)
    expected = np.exp(-times) + waits * (np.exp(-times) - np.exp(-rate * times)) / (rate - 1)
    np.testing.assert_allclose(slower_than(times, rho, servers, 1.0, arrival_cv, 1.0), expected, rtol=1e-9)


def test_variations_of_exactly_one_are_the_default_and_a_little_more_is_close_to_it():
    times, rho = np.geomspace(0.01, 100, 40)[:, None], np.linspace(0, 1.1, 23)[None, :]
    for servers in (1, 3, 16):
        plain = slower_than(times, rho, servers, 0.3)
        assert (plain == slower_than(times, rho, servers, 0.3, 1.0, 1.0)).all()
        np.testing.assert_allclose(slower_than(times, rho, servers, 0.3, 1.0, 1.0001), plain, rtol=0.01, atol=1e-4)


@pytest.mark.parametrize("cv", [1e-5, 2e-4, 0.01, 0.0317, 0.2499, 0.2501, 3.0, 10.0])
def test_more_variation_of_any_size_is_slower_at_the_far_end(cv):
    rho = np.linspace(0, 0.999, 50)
    times = np.geomspace(0.01, 1e4, 60)
    beyond = slower_than(times[:, None], rho[None, :], 2, 1.0, 1.0, cv)
    assert (np.diff(beyond, axis=1) >= -1e-9).all()
    assert (np.diff(beyond, axis=0) <= 1e-9).all()
    assert slower_than([0.0, 0.5, np.inf], [[0.5], [1.0]], 2, 1.0, 1.0, cv).tolist()[1] == [1, 1, 1]
    assert slower_than([0.0, np.inf], 0.5, 2, 1.0, 1.0, cv).tolist() == [1, 0]
    near = [float(step_percentiles_s(0.9, 0.95, 2, 1.0, 1.0, cv * factor)) for factor in (0.999, 1.0, 1.001)]
    assert near[0] <= near[1] * (1 + 1e-4) <= near[2] * (1 + 2e-4)
    assert near[2] == pytest.approx(near[0], rel=0.01)


def test_percentiles_of_steps():
    rho = np.array([0.0, 0.2, 0.5, 0.9, 0.99, 0.9995, 1 - 1e-6])
    # One server: the response time is exponential.
    np.testing.assert_allclose(step_percentiles_s(rho, 0.95, 1, 0.02), 0.02 * math.log(20) / (1 - rho), rtol=1e-6)
    assert step_percentiles_s([1.0, 1.5, np.inf], 0.95, 1, 0.02).tolist() == [np.inf] * 3
    for servers, cv in ((2, 1.0), (4, 0.4), (16, 2.0)):
        for at in (30, 250, 400, 490):
            by_utilization, by_wait = _histograms(1, BIN_UTILIZATION[at])
            period = period_percentiles_s(by_utilization, by_wait, (0.99,), servers, 0.02, 1.0, cv)[0, 0]
            step = step_percentiles_s(BIN_UTILIZATION[at], 0.99, servers, 0.02, 1.0, cv)
            assert float(step) == pytest.approx(period, rel=2e-3)
    # Close to capacity only the wait counts.
    assert float(step_percentiles_s(1 - 1e-7, 0.95, 4, 0.02, 1.5, 0.5)) == pytest.approx(
        0.02 * 1.25 * math.log(20) / 4e-7, rel=1e-3
    )


def test_percentiles_of_steps_with_a_standing_queue():
    found = step_percentiles_s([0.5, 0.5, 1.2, 1.2, np.inf], 0.95, 1, 0.1, wait_s=[0.0, 3.0, 3.0, 0.0, 40.0])
    idle = 0.1 * math.log(20)
    np.testing.assert_allclose(found, [2 * idle, 3 + idle, 3 + idle, np.inf, 40 + idle], rtol=1e-9)


@pytest.mark.parametrize(("servers", "cvs"), [(1, (1.0, 1.0)), (4, (1.0, 1.0)), (4, (1.5, 0.3)), (2, (1.0, 0.0))])
@pytest.mark.parametrize("time_s", [0.45, 0.7, 2.0, 30.0])
def test_utilization_within_is_the_inverse(servers, cvs, time_s):
    found = utilization_within(time_s, 0.95, servers, 0.1, *cvs)
    assert 0 < found < 1
    assert float(slower_than(time_s, found, servers, 0.1, *cvs)) == pytest.approx(0.05, rel=1e-6)
    assert float(slower_than(time_s, found + 1e-6, servers, 0.1, *cvs)) > 0.05
    assert float(step_percentiles_s(found, 0.95, servers, 0.1, *cvs)) == pytest.approx(time_s, rel=2e-3)


def test_utilization_within_at_the_edges():
    # One server: exponential responses.
    assert utilization_within(1.0, 0.95, 1, 0.1) == pytest.approx(1 - 0.1 * math.log(20))
    # Constant service times of 0.1 s: nobody is served within less.
    assert utilization_within(0.0999, 0.95, 1, 0.1, 1.0, 0.0) == 0
    # Of those that are served at once, 5 of 100 may wait.
    assert utilization_within(0.1001, 0.95, 1, 0.1, 1.0, 0.0) == pytest.approx(0.05, rel=0.01)
    assert [utilization_within(time_s, 0.95, 2, 0.1) for time_s in (-1.0, 0.0, 0.29, math.inf)] == [0, 0, 0, math.inf]


def test_a_task_without_a_limit_queues_for_its_cpu():
    for vcpu, cpu_s in ((0.25, 0.0123), (1, 0.1), (16, 0.007)):
        queue = task_queue(vcpu, cpu_s, 0.3)
        assert (queue.servers, queue.service_s) == servers_and_service_s(vcpu, cpu_s)
        assert (queue.requests_per_s, queue.added_s, queue.service_time_cv) == (vcpu / cpu_s, 0.3, 1.0)
        # A limit that leaves the CPU busy changes nothing, nor does one that is just what the CPU has.
        assert task_queue(vcpu, cpu_s, 0.3, 10**6) == queue
        assert task_queue(vcpu, cpu_s, 0.0, max(1, vcpu)) == task_queue(vcpu, cpu_s)
        assert task_queue(vcpu, cpu_s, 0.3, None, 0.5).service_time_cv == 0.5


def test_a_limit_that_binds_makes_requests_queue_for_workers():
    # Ten workers, each busy for 10 ms of CPU on a quarter of a vCPU and 160 ms of wait: 50 requests per second, not 100.
    queue = task_queue(0.25, 0.0025, 0.19, 10)
    assert (queue.servers, queue.added_s) == (10, 0.0)
    assert (queue.service_s, queue.requests_per_s) == (pytest.approx(0.2), pytest.approx(50))
    assert queue.residence_s == pytest.approx(task_queue(0.25, 0.0025, 0.19).residence_s)
    # Fewer workers than vCPUs.
    assert task_queue(4, 0.1, 0.0, 2).requests_per_s == pytest.approx(20)
    # The wait does not vary: 0.01 s of 0.2 s do, by as much again on average.
    assert queue.service_time_cv == pytest.approx(0.05)
    idle = step_percentiles_s(0.0, 0.95, queue.servers, queue.service_s, 1.0, queue.service_time_cv)
    assert float(idle) == pytest.approx(0.19 + 0.01 * math.log(20), rel=0.03)
    # One worker at 0.8 of its 5 requests per second: Pollaczek and Khinchine with almost constant service times.
    one = task_queue(0.25, 0.0025, 0.19, 1)
    assert 0.2 * float(mean_wait(1, 0.8, 1.0, one.service_time_cv)) == pytest.approx(0.2 * 4 / 2, rel=0.01)
