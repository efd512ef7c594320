"""Queueing formulas against tables, closed forms, a simulation of events, and percentiles computed in another way."""

import heapq
import math

import numpy as np
import pytest

from estimator.simulation.kernel import N_BINS
from estimator.simulation.latency import (
    BIN_UTILIZATION,
    erlang_c,
    in_flight_percentile,
    period_percentiles_s,
    servers_and_service_s,
    slower_than,
)

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
    wait = float(erlang_c(servers, rho)) / (servers * (1 - rho))
    assert abs(wait - float(written)) <= half_a_digit * 1.02


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


def _one_bin(rho, requests=1000.0):
    histogram = np.zeros((1, N_BINS + 1))
    at = int(rho * N_BINS)
    histogram[0, at] = requests
    return histogram, BIN_UTILIZATION[at]


def _simulated(rho, servers, n_tasks, n_requests, seed):
    """Response times of a service: Poisson requests, sent to tasks at random, first come first served in each."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1 / (rho * servers * n_tasks), n_requests))
    tasks = rng.integers(n_tasks, size=n_requests)
    service = rng.exponential(1.0, n_requests)
    free = [[0.0] * servers for _ in range(n_tasks)]
    times = np.empty(n_requests)
    for i, (arrival, task, takes) in enumerate(zip(arrivals.tolist(), tasks.tolist(), service.tolist(), strict=True)):
        # The server that is free first takes it.
        end = max(free[task][0], arrival) + takes
        heapq.heapreplace(free[task], end)
        times[i] = end - arrival
    return times[n_requests // 10 :]


@pytest.mark.parametrize("rho", [0.5, 0.7, 0.85])
@pytest.mark.parametrize(("servers", "n_tasks"), [(1, 5), (4, 3)])
def test_p95_of_a_simulation_of_events(rho, servers, n_tasks):
    histogram, exact_rho = _one_bin(rho)
    times = _simulated(exact_rho, servers, n_tasks, 250_000, seed=round(1000 * rho) + servers)
    # In half seconds of service time, to see that the unit is kept.
    found = period_percentiles_s(histogram, (0.5, 0.95), servers, 0.5)[:, 0]
    np.testing.assert_allclose(found, 0.5 * np.quantile(times, [0.5, 0.95]), rtol=0.1)


def _percentile_by_bisection(histogram, share, servers, service_s):
    """The time that a share of all requests stays within; the tail as in textbooks, with the mean c mu (1 - rho)."""

    def tail(time, rho):
        waits = _erlang_c_by_sums(servers, rho)
        spare = servers - 1 - servers * rho
        mu_t = time / service_s
        if abs(spare) < 1e-9:
            return math.exp(-mu_t) * (1 + waits * mu_t)
        return math.exp(-mu_t) + waits * (math.exp(-mu_t) - math.exp(-mu_t * (1 + spare))) / spare

    bins = np.flatnonzero(histogram[:N_BINS])
    allowed = (1 - share) * histogram.sum() - histogram[N_BINS]
    low, high = 0.0, 1e6 * service_s
    for _ in range(100):
        middle = (low + high) / 2
        late = sum(histogram[b] * tail(middle, (b + 0.5) / N_BINS) for b in bins)
        low, high = (middle, high) if late > allowed else (low, middle)
    return high


@pytest.mark.parametrize("servers", [1, 2, 4, 8])
def test_period_percentiles_in_another_way(servers):
    rng = np.random.default_rng(servers)
    histogram = np.zeros((6, N_BINS + 1))
    for row in histogram:
        row[rng.integers(0, 480, 12)] = rng.uniform(0, 1e5, 12)
    histogram[3, N_BINS] = 0.003 * histogram[3].sum()
    shares = (0.5, 0.95, 0.99)
    found = period_percentiles_s(histogram, shares, servers, 0.02)
    for row, share in enumerate(shares):
        for column in range(6):
            expected = _percentile_by_bisection(histogram[column], share, servers, 0.02)
            assert found[row, column] == pytest.approx(expected, rel=5e-3)
    assert (np.diff(found, axis=0) > 0).all()


def test_a_period_is_a_percentile_over_requests_not_a_mean_over_minutes():
    histogram = np.zeros((1, N_BINS + 1))
    histogram[0, 51] = 94.0  # quiet minutes
    histogram[0, 486] = 6.0  # busy ones, at 0.95: more than 5 in 100 requests
    quiet, busy = (period_percentiles_s(_one_bin(r)[0], (0.95,), 1, 1.0)[0, 0] for r in (0.1, 0.95))
    both = period_percentiles_s(histogram, (0.95,), 1, 1.0)[0, 0]
    assert quiet < both < busy


def test_more_than_a_share_over_capacity_has_no_bound():
    histogram = np.zeros((3, N_BINS + 1))
    histogram[:, 100] = (95.1, 94.9, 0.0)
    histogram[:, N_BINS] = (4.9, 5.1, 10.0)
    p95 = period_percentiles_s(histogram, (0.95,), 1, 1.0)[0]
    assert np.isfinite(p95).tolist() == [True, False, False]
    np.testing.assert_array_equal(period_percentiles_s(histogram, (0.5,), 1, 1.0)[0] < np.inf, [True, True, False])


def test_no_requests_take_no_time():
    assert period_percentiles_s(np.zeros((2, N_BINS + 1)), (0.5, 0.95), 2, 1.0).tolist() == [[0, 0], [0, 0]]


def test_a_batch_equals_one_at_a_time():
    rng = np.random.default_rng(0)
    histogram = rng.uniform(0, 10, (7, N_BINS + 1)) * (rng.random((7, N_BINS + 1)) < 0.1)
    histogram[:, N_BINS] = 0
    together = period_percentiles_s(histogram, (0.5, 0.95, 0.99), 2, 0.03)
    for i in range(7):
        alone = period_percentiles_s(histogram[i : i + 1], (0.5, 0.95, 0.99), 2, 0.03)
        np.testing.assert_allclose(together[:, i : i + 1], alone, rtol=1e-12)
