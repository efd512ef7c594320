"""Load balancer capacity units against AWS's pricing page, inputs that are none, and what would lower them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.billing.lcu import (
    DIMENSIONS,
    LCU_CHANGES,
    LcuHours,
    alb_lcu,
    lcu_capacities,
    lcu_dimensions,
    lcu_hours,
    lower_lcu,
)
from estimator.service.behavior import AwsBehavior
from estimator.workload.profile import LoadProfile
from estimator.workload.protocols import protocol_fields
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
    with pytest.raises(ValueError, match="processed bytes of Lambda functions must be 0 or more"):
        alb_lcu(1, 1, 1, 1, lambda_gb_per_h=[1.0, value])


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
    assert hours.leading_by_hour.tolist() == ["new connections", "active connections", "active connections"]
    assert (hours.peak, hours.total) == (3, 7)
    assert math.isnan(hours.peak_lcu)


def test_hours_without_traffic_have_no_leader():
    # Two hours of nothing, one in which bytes lead.
    hours = LcuHours(np.array([[0, 0, 0.1], [0, 0, 0.1], [0, 0, 2], [0, 0, 0]]))
    assert hours.leading_by_hour.tolist() == ["", "", "processed bytes"]
    assert hours.leading == "processed bytes"


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


# A web site of 100 requests/s: 20 new connections/s and 60 s each, 11 kB, 30 rules. New 0.8, active 0.4, bytes
# 100 x 3600 x 11 kB = 3.96 GB, rules 100 x 20 / 1000 = 2.
SITE = {"cpu_ms_per_request": 1, "request_kb": 1, "response_kb": 10, "rules_evaluated_per_request": 30}


def site(**given):
    return Workload(LoadProfile([100.0], 3600), **(SITE | given))


@pytest.mark.parametrize(
    ("given", "dimensions"),
    [
        ({}, [0.8, 0.4, 3.96, 2]),
        # 1,200 active connections / 1,500.
        ({"mutual_tls": True}, [0.8, 0.8, 3.96, 2]),
        # 3.96 / 0.4, and 0.75 x 3.96 + 0.25 x 3.96 / 0.4.
        ({"lambda_target_share": 1}, [0.8, 0.4, 9.9, 2]),
        ({"lambda_target_share": 0.25}, [0.8, 0.4, 5.445, 2]),
        # Responses of 3 kB: 100 x 3600 x 4 kB.
        ({"compression_ratio": 0.3}, [0.8, 0.4, 1.44, 2]),
        # No hits: connections of CloudFront with 100 requests each, and the rest as it was.
        ({"behind_cloudfront": True}, [0.04, 0.02, 3.96, 2]),
        # A fifth of the requests is left, and with it a fifth of all else.
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 0.8}, [0.008, 0.004, 0.792, 0.4]),
        # A fifth of the requests with half of the response bytes: 100 x 3600 x (0.2 x 1 + 0.5 x 10) kB.
        (
            {"behind_cloudfront": True, "cloudfront_hit_ratio": 0.8, "cloudfront_byte_hit_ratio": 0.5},
            [0.008, 0.004, 1.872, 0.4],
        ),
        # 20 requests/s over connections of 4: 5/s.
        (
            {"behind_cloudfront": True, "cloudfront_hit_ratio": 0.8, "cloudfront_requests_per_connection": 4},
            [0.2, 0.1, 0.792, 0.4],
        ),
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 1}, [0, 0, 0, 0]),
        # TLS handshakes are not processed bytes.
        ({"tls_handshake_sent_kb": 5}, [0.8, 0.4, 3.96, 2]),
    ],
)
def test_a_site_by_hand(given, dimensions):
    assert lcu_hours(site(**given)).dimensions[:, 0].tolist() == pytest.approx(dimensions)


@pytest.mark.parametrize("given", [{}, {"mutual_tls": True}, {"lambda_target_share": 0.25}, {"lambda_target_share": 1}])
def test_what_a_unit_holds(given):
    # So much of each dimension is exactly one unit.
    work = site(**given)
    amounts = [20, 1200, 3.96, 2000]
    expected = [amount / capacity for amount, capacity in zip(amounts, lcu_capacities(work), strict=True)]
    assert lcu_hours(work).dimensions[:, 0].tolist() == pytest.approx(expected)


def test_what_a_unit_holds_by_hand():
    assert lcu_capacities(site()) == (25, 3000, 1, 1000)
    assert lcu_capacities(site(mutual_tls=True, lambda_target_share=1)) == pytest.approx((25, 1500, 0.4, 1000))
    # Halves of 1 and 0.4: 1 / (0.5 / 1 + 0.5 / 0.4) = 1 / 1.75.
    assert lcu_capacities(site(lambda_target_share=0.5))[2] == pytest.approx(4 / 7)


def test_bytes_of_lambda_functions_and_of_tasks_add_up():
    # 1 GB / 1 + 0.4 GB / 0.4 in the first hour, connections lead in the second.
    assert alb_lcu([0, 100], 0, 1, 0, lambda_gb_per_h=[0.4, 0.1]).tolist() == [2, 4]
    assert alb_lcu(0, [1500, 4500], 0, 0, mutual_tls=True).tolist() == [1, 3]


def test_the_peak_is_that_of_the_busiest_minute():
    # An hour of 25 requests/s with a minute of 250, one connection each: the hour has (59 x 25 + 250) / 60 / 25 = 1.15 LCU.
    rates = np.full(60, 25.0)
    rates[7] = 250
    given = {
        "cpu_ms_per_request": 1,
        "requests_per_connection": 1,
        "connection_s": 0,
        "request_kb": 0,
        "response_kb": 0,
    }
    hours = lcu_hours(Workload(LoadProfile(rates, 60), **given))
    assert hours.consumed.tolist() == pytest.approx([1.15])
    assert (hours.peak, hours.peak_lcu) == pytest.approx((1.15, 10))
    # In steps of 10 s a minute is the mean of six: (5 x 25 + 250) / 6 = 62.5; of longer steps only the step is known.
    fine = np.full(360, 25.0)
    fine[7] = 250
    assert lcu_hours(Workload(LoadProfile(fine, 10), **given)).peak_lcu == pytest.approx(2.5)
    assert lcu_hours(Workload(LoadProfile(rates, 60).resample(1800), **given)).peak_lcu == pytest.approx(1.3)
    assert lcu_hours(Workload(LoadProfile([0.0], 3600), **given)).peak_lcu == 0


@st.composite
def workloads(draw):
    """Any request, over two hours in steps of a minute."""
    front = draw(st.booleans())
    return Workload(
        LoadProfile(draw(st.lists(st.floats(0, 1000), min_size=120, max_size=120)), 60),
        cpu_ms_per_request=1,
        request_kb=draw(st.floats(0, 100)),
        response_kb=draw(st.floats(0, 100)),
        compression_ratio=draw(st.floats(0.1, 1)),
        requests_per_connection=draw(st.floats(1, 200)),
        connection_s=draw(st.floats(0, 3600)),
        mutual_tls=draw(st.booleans()),
        rules_evaluated_per_request=draw(st.floats(0, 60)),
        lambda_target_share=draw(st.floats(0, 1)),
        behind_cloudfront=front,
        cloudfront_hit_ratio=draw(st.floats(0, 0.99)) if front else 0.0,
        cloudfront_byte_hit_ratio=draw(st.none() | st.floats(0, 1)) if front else None,
        cloudfront_requests_per_connection=draw(st.floats(1, 1000)),
    )


@given(workloads(), st.floats(1, 2))
def test_minute_by_minute_is_the_same_as_hour_by_hour(work, factor):
    # AWS does not say whether an hour is the largest of its mean dimensions, or the sum of what is largest in each minute. From
    # the rates of the minutes, written out anew:
    rates = work.load.requests_per_s
    share = 1 - work.cloudfront_hit_ratio
    byte_hits = work.cloudfront_hit_ratio if work.cloudfront_byte_hit_ratio is None else work.cloudfront_byte_hit_ratio
    per = work.cloudfront_requests_per_connection if work.behind_cloudfront else work.requests_per_connection
    new = rates * share / per * factor
    gb = rates * 3600e-6 * (work.request_kb * share + work.response_kb * work.compression_ratio * (1 - byte_hits))
    minutes = np.max(
        [
            new / 25,
            new * work.connection_s / (1500 if work.mutual_tls else 3000),
            gb * (1 - work.lambda_target_share) + gb * work.lambda_target_share / 0.4,
            rates * share * max(0, work.rules_evaluated_per_request - 10) / 1000,
        ],
        axis=0,
    )
    hours = lcu_hours(work, AwsBehavior(connection_count_factor=factor))
    np.testing.assert_allclose(hours.consumed, minutes.reshape(2, 60).mean(axis=1), rtol=1e-9, atol=1e-12)
    assert hours.peak_lcu == pytest.approx(minutes.max())
    assert hours.peak_lcu >= hours.peak * (1 - 1e-12)


def test_where_the_mix_changes_within_the_hour_the_two_differ():
    # Half an hour with 50 new connections/s, half with 2 GB/h: 2 LCU in every minute, 1 LCU of hourly means. No workload here does so.
    assert alb_lcu([50, 0], 0, [0, 2], 0).mean() == 2
    assert alb_lcu(25, 0, 1, 0) == 1


@given(workloads(), st.floats(0, 1))
def test_more_of_anything_takes_no_fewer_units(work, part):
    def total(**given):
        return lcu_hours(replace(work, **given)).total * (1 + 1e-12)

    hours = lcu_hours(work)
    assert np.all(hours.consumed >= hours.dimensions)
    base = hours.total
    assert total(load=work.load.scaled(2)) == pytest.approx(2 * base)
    for name in ("request_kb", "response_kb", "connection_s", "rules_evaluated_per_request"):
        assert total(**{name: getattr(work, name) * 2}) >= base
    assert total(mutual_tls=True) >= base
    assert total(lambda_target_share=max(work.lambda_target_share, part)) >= base
    for name in ("requests_per_connection", "cloudfront_requests_per_connection"):
        assert total(**{name: getattr(work, name) / 2}) >= base
    if work.behind_cloudfront:
        assert total(cloudfront_hit_ratio=work.cloudfront_hit_ratio * part) >= base
    assert total(compression_ratio=1.0) >= base
    # Nothing that a task or a client's certificates do is a dimension.
    assert lcu_hours(replace(work, tls_handshake_sent_kb=5, concurrency_limit_per_task=4, arrival_cv=3)).total == base


# What would lower them.


def changes(work, **given):
    return [(saving.name, saving.after_lcu_hours) for saving in lower_lcu(replace(work, **given))]


def test_what_lowers_bytes():
    # 3.96 LCU of bytes: compressed to 3 kB a response 4 x 0.36 = 1.44, but rules then lead with 2; half of all with CloudFront.
    found = changes(site())
    assert found == [("cloudfront", pytest.approx(1.98)), ("compression", pytest.approx(2))]
    # Fewer rules lower nothing as long as bytes lead.
    assert "rules" not in dict(found)


def test_what_lowers_rules():
    # 60 rules: 100 x 50 / 1000 = 5 LCU; at most ten rules leave the bytes, 3.96. With CloudFront half of it.
    found = changes(site(rules_evaluated_per_request=60))
    assert found == [("cloudfront", pytest.approx(2.5)), ("rules", pytest.approx(3.96))]


def test_what_lowers_new_connections():
    # 1,000 requests/s over as many connections: 40 LCU. Five over each: 8; 30: 4/3, but they stay open for 60 s now, which is
    # 1000 / 5 x 60 / 3000 = 4 and 2/3. The bytes are 1000 x 3600 x 0.5 kB = 1.8 GB.
    work = Workload(
        LoadProfile([1000.0], 3600),
        cpu_ms_per_request=1,
        requests_per_connection=1,
        connection_s=1,
        request_kb=0.2,
        response_kb=0.3,
    )
    found = changes(work)
    assert found == [
        ("cloudfront", pytest.approx(0.9)),
        ("http2", pytest.approx(1.8)),
        ("keep_alive", pytest.approx(8)),
    ]
    saving = lower_lcu(work)[1]
    assert saving.fields == {"requests_per_connection": 30, "connection_s": 60}
    assert saving.saved_lcu_hours == pytest.approx(38.2)
    assert "30 requests over it in place of 1." in saving.advice
    assert saving.advice.endswith("40 LCU-hours of a period of the load become 1.8.")


def test_what_lowers_active_connections():
    # AWS's second example: 100 new connections/s open for 180 s, 6 LCU. 60 s: 2, new connections and rules then lead with 4;
    # 5 requests each: 80 x 180 / 3000 = 4.8; 30: 0.8; CloudFront: bytes 1.8, rules 2, 2/s x 60 s active.
    work = Workload(
        LoadProfile([400.0], 3600),
        cpu_ms_per_request=1,
        requests_per_connection=4,
        connection_s=180,
        request_kb=0.5,
        response_kb=2,
        rules_evaluated_per_request=20,
    )
    assert changes(work) == [
        ("cloudfront", pytest.approx(2)),
        ("http2", pytest.approx(4)),
        ("idle_timeout", pytest.approx(4)),
        ("keep_alive", pytest.approx(4.8)),
    ]
    # With mutual TLS 12 LCU, 6 without; certificates of clients would not pass CloudFront.
    assert dict(changes(work, mutual_tls=True)) == {
        "http2": pytest.approx(4),
        "idle_timeout": pytest.approx(4),
        "mutual_tls": pytest.approx(6),
        "keep_alive": pytest.approx(9.6),
    }


def test_what_lowers_bytes_of_lambda_functions():
    # 3.96 / 0.4 = 9.9 LCU: from tasks 3.96; compressed 3.6; CloudFront 4.95.
    assert changes(site(lambda_target_share=1)) == [
        ("compression", pytest.approx(3.6)),
        ("lambda_targets", pytest.approx(3.96)),
        ("cloudfront", pytest.approx(4.95)),
    ]


def test_streams_and_busy_connections_are_no_idle_ones():
    # A WebSocket lives as long as it must and is never cached; calls a second apart need their connection.
    websocket = Workload(LoadProfile([10.0], 3600), cpu_ms_per_request=1, **protocol_fields("websocket"))
    assert lcu_hours(websocket).leading == "active connections"
    assert lower_lcu(websocket) == ()
    grpc = Workload(
        LoadProfile([30.0], 3600),
        cpu_ms_per_request=1,
        **protocol_fields("grpc") | {"response_kb": 0.0, "request_kb": 0.0},
    )
    assert lcu_hours(grpc).leading == "active connections"
    assert [saving.name for saving in lower_lcu(grpc)] == ["cloudfront"]


def test_nothing_lowers_nothing():
    assert lower_lcu(replace(site(), load=LoadProfile([0.0], 3600))) == ()
    # Compressed, few rules, behind CloudFront: no advice is left.
    done = site(compression_ratio=0.3, rules_evaluated_per_request=5, behind_cloudfront=True, cloudfront_hit_ratio=0.5)
    assert lower_lcu(done) == ()


@given(workloads())
def test_every_saving_is_one(work):
    behavior = AwsBehavior(connection_count_factor=2)
    found = lower_lcu(work, behavior)
    assert [saving.name for saving in found] == [saving.name for saving in lower_lcu(work, behavior)]
    assert [s.after_lcu_hours for s in found] == sorted(s.after_lcu_hours for s in found)
    for saving in found:
        assert saving.name in LCU_CHANGES
        assert saving.after_lcu_hours < saving.before_lcu_hours == lcu_hours(work, behavior).total
        assert saving.after_lcu_hours == lcu_hours(replace(work, **saving.fields), behavior).total
        assert "{" not in saving.advice
