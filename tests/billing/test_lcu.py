"""Load balancer capacity units against AWS's pricing page, and inputs that are none."""

import numpy as np
import pytest

from estimator.billing.lcu import DIMENSIONS, LcuHours, alb_lcu, lcu_dimensions, lcu_hours
from estimator.service.behavior import AwsBehavior
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

# AWS, "Elastic Load Balancing pricing", the two examples.
# A: 1 connection/s for 2 minutes, 5 requests/s, 300 KB/s, 60 rules. B: 100 connections/s for 3 minutes, 4 requests/s
# on each second's new connections (400 requests/s), 1,000 KB/s, 20 rules.
EXAMPLES = [
    # new/s, active, GB/h, paid rules/s; LCU by dimension; LCU
    ((1, 120, 1.08, 5 * 50), (0.04, 0.04, 1.08, 0.25), 1.08),
    ((100, 18_000, 3.6, 400 * 10), (4, 6, 3.6, 4), 6),
]


@pytest.mark.parametrize(("inputs", "dimensions", "lcu"), EXAMPLES)
def test_the_examples_of_aws(inputs, dimensions, lcu):
    assert lcu_dimensions(*([value] for value in inputs))[:, 0].tolist() == pytest.approx(dimensions)
    assert alb_lcu(*([value] for value in inputs)).tolist() == pytest.approx([lcu])


def test_the_examples_of_aws_from_requests():
    day = LoadProfile.constant(5)
    one = Workload(
        day,
        cpu_ms_per_request=1,
        requests_per_connection=5,
        connection_s=120,
        request_kb=10,
        response_kb=50,
        rules_evaluated_per_request=60,
    )
    np.testing.assert_allclose(lcu_hours(one).dimensions, np.tile([[0.04], [0.04], [1.08], [0.25]], 24))
    two = Workload(
        LoadProfile.constant(400),
        cpu_ms_per_request=1,
        requests_per_connection=4,
        connection_s=180,
        request_kb=0.5,
        response_kb=2,
        rules_evaluated_per_request=20,
    )
    np.testing.assert_allclose(lcu_hours(two).dimensions, np.tile([[4.0], [6.0], [3.6], [4.0]], 24))
    assert (lcu_hours(one).leading, lcu_hours(two).leading) == ("processed bytes", "active connections")


def test_hours_are_not_averaged_together():
    # 12 h at 100 connections/s and 1 GB/h: 4 LCU; 12 h at 2/s and 6 GB/h: 6 LCU; mean 5.0. Averaged first: 51/25 = 2.04
    # or 3.5.
    new, gb = [100] * 12 + [2] * 12, [1] * 12 + [6] * 12
    assert alb_lcu(new, 0, gb, 0).mean() == 5.0
    assert alb_lcu([np.mean(new)], 0, [np.mean(gb)], 0).tolist() == [3.5]


def test_a_constant_mix_may_be_averaged():
    rates = np.array([1.0, 5, 20, 3])
    hourly = alb_lcu(rates / 5, rates * 12, rates * 0.1, rates * 2)
    mean = rates.mean()
    assert hourly.mean() == pytest.approx(float(alb_lcu(mean / 5, mean * 12, mean * 0.1, mean * 2)))


def test_each_dimension_is_averaged_over_its_hour_first():
    # Half an hour at 100 requests/s, half at none: 50 on average, 50/25 = 2 LCU of new connections.
    work = Workload(
        LoadProfile([100.0, 0.0], 1800), cpu_ms_per_request=1, requests_per_connection=1, request_kb=0, response_kb=0
    )
    assert lcu_hours(work).consumed.tolist() == [2]


def test_each_hour_of_a_load_has_its_own_units():
    work = Workload(
        LoadProfile([50.0, 250.0], 3600), cpu_ms_per_request=1, requests_per_connection=1, request_kb=0, response_kb=0
    )
    # 50/25 and 250/25 of new connections.
    assert lcu_hours(work).consumed.tolist() == [2, 10]


# AWS's ten free rules: 25 rules at 400 requests/s are 400 x 15 = 6,000 paid evaluations a second, 6 LCU; ten rules are free.
@pytest.mark.parametrize(("rules", "lcu"), [(25, 6.0), (10, 0.0), (9, 0.0), (0, 0.0), (11, 0.4), (10.5, 0.2)])
def test_ten_rules_of_each_request_are_free(rules, lcu):
    work = Workload(LoadProfile([400.0], 3600), cpu_ms_per_request=1, rules_evaluated_per_request=rules)
    assert lcu_hours(work).dimensions[3].tolist() == pytest.approx([lcu])


def test_keep_alive_spares_new_connections_only():
    def dimensions(per_connection):
        work = Workload(
            LoadProfile([100.0], 3600),
            cpu_ms_per_request=1,
            requests_per_connection=per_connection,
            connection_s=60,
            request_kb=1,
            response_kb=9,
        )
        return lcu_hours(work).dimensions[:, 0].tolist()

    # 100/s: 4 LCU new, 6000 active: 2 LCU; 100 x 3600 x 10 kB = 3.6 GB.
    assert dimensions(1) == pytest.approx([4, 2, 3.6, 0])
    assert dimensions(100) == pytest.approx([0.04, 0.02, 3.6, 0])


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("value", [-1, -1e-9, float("nan"), float("inf")])
def test_inputs_that_are_none(place, value):
    inputs = [[1.0, 2.0]] * 4
    inputs[place] = [1.0, value]
    with pytest.raises(ValueError, match=DIMENSIONS[place]):
        alb_lcu(*inputs)


def test_shapes():
    with pytest.raises(ValueError, match="broadcast"):
        alb_lcu([1, 2, 3], [1, 2], 0, 0)
    assert alb_lcu([25, 50], 0, 0, 0).tolist() == [1, 2]
    assert alb_lcu(25, 0, 0, 0).shape == ()
    assert alb_lcu([], [], [], []).shape == (0,)
    together = alb_lcu([1, 200], [5000, 3], [2, 2], [0, 9000])
    assert together.tolist() == [float(alb_lcu(*x)) for x in ((1, 5000, 2, 0), (200, 3, 2, 9000))]


def test_the_leading_dimension_is_the_one_of_most_hours():
    dimensions = np.array([[3, 1, 1], [0, 2, 2], [0, 0, 0], [0, 0, 0.0]])
    hours = LcuHours(dimensions)
    assert hours.leading == "active connections"
    assert hours.consumed.tolist() == [3, 2, 2]


def test_connections_to_the_targets_can_be_counted_too():
    # An hour of 50 new connections/s: 2 LCU, and 4 if the connection to the target counts as well.
    work = Workload(
        LoadProfile([50.0], 3600),
        cpu_ms_per_request=1,
        requests_per_connection=1,
        connection_s=0,
        request_kb=0,
        response_kb=0,
    )
    assert lcu_hours(work).consumed.tolist() == [2.0]
    assert lcu_hours(work, AwsBehavior(connection_count_factor=2)).consumed.tolist() == [4.0]
