"""The simulation of events against hand arithmetic and queues that have exact answers."""

import math

import numpy as np
import pytest

from tests.simulation.event_queue import ROUTINGS, gamma, responses, steady_responses


def _of(arrivals, services, *args, **kwargs):
    def column(values):
        return np.array(values, dtype=float)[:, None]

    return responses(column(arrivals), column(services), *args, **kwargs)[:, 0].tolist()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_one_task_serves_in_the_order_of_arrival(routing):
    # One server: 0-2, 2-4, 4-6, 10-11. Two: 0-2, 1-3, 2-4, 10-11.
    assert _of([0, 1, 2, 10], [2, 2, 2, 1], 1, 1, routing) == [2, 3, 4, 1]
    assert _of([0, 1, 2, 10], [2, 2, 2, 1], 1, 2, routing) == [2, 2, 2, 1]


def test_routing_of_two_tasks():
    # The first task is busy until 5; the second one is free from 2 on.
    assert _of([0, 1, 2.5], [5, 1, 1], 2, 1, "round_robin") == [5, 1, 3.5]
    assert _of([0, 1, 2.5], [5, 1, 1], 2, 1, "least_outstanding") == [5, 1, 1]
    # A request that waits is outstanding too: the third one waits in either task, the fourth one then in the other.
    assert _of([0, 1, 2, 3], [9, 9, 9, 1], 2, 1, "least_outstanding") in ([9, 9, 16, 8], [9, 9, 17, 7])


def test_random_routing_chooses_every_task_as_often():
    # Requests of 1 s, one each second, never meet; of 1000 s, each waits for all before it in its task.
    assert set(_of(np.arange(50), np.ones(50), 4, 1, "random", seed=1)) == {1}
    n = 4000
    waited = np.array(_of(np.zeros(n), np.ones(n), 4, 1, "random", seed=2))
    # The longest response is the number of requests of the task that has most: 1000 and some standard deviations of 27.
    assert 1000 < waited.max() < 1110


@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0, 2.0])
def test_draws_have_their_mean_and_variation(cv):
    drawn = gamma(np.random.default_rng(3), cv, (400_000,))
    assert drawn.mean() == pytest.approx(1, rel=0.015)
    assert drawn.std() == pytest.approx(cv, rel=0.02, abs=1e-12)


def test_constant_gaps_and_constant_service_never_wait():
    times = steady_responses(0.95, 3, 2, "round_robin", 0.0, 0.0, n_services=2, n_requests=300, skipped=0)
    np.testing.assert_allclose(times, 1, rtol=1e-9)


def test_one_server_has_exponential_responses():
    times = steady_responses(0.7, 1, 1, n_services=800, n_requests=3000, skipped=1000, seed=11)
    np.testing.assert_allclose(np.quantile(times, [0.5, 0.95, 0.99]), -np.log([0.5, 0.05, 0.01]) / 0.3, rtol=0.03)


# Mean wait in service times, from queueing tables.
@pytest.mark.parametrize(("servers", "rho", "wait"), [(2, 0.7, 0.961), (4, 0.8, 0.746), (8, 0.8, 0.286)])
def test_several_servers_have_the_wait_of_the_tables(servers, rho, wait):
    times = steady_responses(rho, 1, servers, n_services=800, n_requests=2500, skipped=800, seed=servers)
    assert times.mean() - 1 == pytest.approx(wait, rel=0.03)


@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_one_server_has_the_wait_of_pollaczek_and_khinchine(cv):
    times = steady_responses(0.7, 1, 1, service_time_cv=cv, n_services=1000, n_requests=2500, skipped=1000, seed=17)
    assert times.mean() - 1 == pytest.approx(0.7 / 0.3 * (1 + cv**2) / 2, rel=0.04)


def erlang_arrivals_p95(stages, rho):
    """p95 of E_k/M/1: responses are exponential with rate 1 - sigma, the root of sigma = (k rho / (k rho + 1 - sigma))**k."""
    sigma = 0.5
    for _ in range(500):
        sigma = (stages * rho / (stages * rho + 1 - sigma)) ** stages
    return math.log(20) / (1 - sigma)


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_gamma_arrivals_have_the_responses_of_erlang_arrivals(rho):
    times = steady_responses(
        rho, 1, 1, arrival_cv=0.5, n_services=800, n_requests=2500, skipped=1000, seed=23
    )  # 1 / sqrt(4): four stages
    assert np.quantile(times, 0.95) == pytest.approx(erlang_arrivals_p95(4, rho), rel=0.03)


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_round_robin_gives_each_task_every_nth_request(rho):
    times = steady_responses(rho, 4, 1, "round_robin", n_services=250, n_requests=2000, skipped=800, seed=29)
    assert np.quantile(times, 0.95) == pytest.approx(erlang_arrivals_p95(4, rho), rel=0.03)


def test_least_outstanding_lies_between_one_queue_for_all_and_round_robin():
    p95 = {
        (routing, n_tasks): np.quantile(
            steady_responses(0.8, n_tasks, 4 // n_tasks, routing, 1.0, 1.0, 100, 1800, 600, seed=31), 0.95
        )
        for routing, n_tasks in (("random", 1), ("least_outstanding", 4), ("round_robin", 4))
    }
    one, least, turns = p95.values()
    assert 1.1 * one < least < turns / 1.3
