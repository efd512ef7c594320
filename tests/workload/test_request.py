"""What a request asks for, and which requests reach the load balancer and the tasks."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload, request_notes

#: What a bad value's message says is allowed; every other number is one of 0 or more.
ALLOWED = {
    **dict.fromkeys(
        (
            "cpu_ms_per_request",
            "requests_per_connection",
            "cloudfront_requests_per_connection",
            "arm64_relative_speed",
        ),
        "more than 0",
    ),
    **dict.fromkeys(
        ("tls_resumed_share", "lambda_target_share", "cloudfront_hit_ratio", "cloudfront_byte_hit_ratio"), "from 0 to 1"
    ),
    **dict.fromkeys(("service_time_cv", "arrival_cv"), "from 0 to 100"),
    "compression_ratio": "above 0 to 1",
    "usable_cpu_share": "above 0 to 1",
    "concurrency_limit_per_task": "a whole number from 1 to 1000000",
}
TRUTH_VALUES = {"mutual_tls", "behind_cloudfront"}
NUMBERS = sorted(Request.__dataclass_fields__.keys() - TRUTH_VALUES)
OPTIONAL = {"concurrency_limit_per_task", "cloudfront_byte_hit_ratio"}
FRONT = {"cpu_ms_per_request": 1, "behind_cloudfront": True}


def test_cpu_time_has_no_default():
    with pytest.raises(TypeError, match="cpu_ms_per_request"):
        Request()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, -math.inf, "20", True, [1]])
def test_a_value_that_is_no_number_of_its_range(name, value):
    with pytest.raises(InvalidScenario, match=f"{name} is ") as caught:
        Request(**(FRONT | {name: value}))
    assert repr(value) in str(caught.value)
    assert ALLOWED.get(name, "0 or more") in str(caught.value)


@pytest.mark.parametrize("name", NUMBERS)
def test_none_is_only_what_may_be_left_open(name):
    if name in OPTIONAL:
        assert getattr(Request(**(FRONT | {name: None})), name) is None
    else:
        with pytest.raises(InvalidScenario, match=f"{name} is None"):
            Request(**(FRONT | {name: None}))


@pytest.mark.parametrize("name", NUMBERS)
def test_nothing(name):
    values = FRONT | {name: 0}
    if ALLOWED.get(name, "").startswith(("more", "above", "a whole")):
        with pytest.raises(InvalidScenario, match=f"{name} is 0"):
            Request(**values)
    else:
        assert getattr(Request(**values), name) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service_time_cv", 100.1),
        ("arrival_cv", 101),
        ("compression_ratio", 1.01),
        ("tls_resumed_share", 1.5),
        ("lambda_target_share", 1.001),
        ("cloudfront_hit_ratio", 60),
        ("cloudfront_byte_hit_ratio", 60),
        ("concurrency_limit_per_task", 2.5),
        ("concurrency_limit_per_task", 10_000_000),
    ],
)
def test_more_than_there_can_be(name, value):
    with pytest.raises(InvalidScenario, match=f"{name} is {value}") as caught:
        Request(**(FRONT | {name: value}))
    assert ALLOWED[name] in str(caught.value)


@pytest.mark.parametrize("name", sorted(TRUTH_VALUES))
@pytest.mark.parametrize("value", [1, 0, "yes", None, 0.5])
def test_a_truth_value_is_no_number(name, value):
    with pytest.raises(InvalidScenario, match=f"{name} is .*true or false"):
        Request(**{"cpu_ms_per_request": 1, name: value})


@pytest.mark.parametrize("name", ["cloudfront_hit_ratio", "cloudfront_byte_hit_ratio"])
def test_without_cloudfront_there_are_no_hits(name):
    with pytest.raises(InvalidScenario, match=f"{name} is 0.25 and behind_cloudfront is false.*Set behind_cloudfront"):
        Request(cpu_ms_per_request=1, **{name: 0.25})
    assert getattr(Request(cpu_ms_per_request=1, **{name: 0}), name) == 0


def test_bytes_of_which_no_request_is_left():
    with pytest.raises(InvalidScenario, match=r"cloudfront_byte_hit_ratio is 0\.5 and cloudfront_hit_ratio is 1"):
        Request(**FRONT, cloudfront_hit_ratio=1, cloudfront_byte_hit_ratio=0.5)
    assert Request(**FRONT, cloudfront_hit_ratio=1, cloudfront_byte_hit_ratio=1).load_balancer_kb == 0
    # Not the other way round: a file that is asked for again and has not changed is a request without its bytes.
    assert Request(**FRONT, cloudfront_byte_hit_ratio=0.5).load_balancer_kb == pytest.approx(1 + 5)


def test_cpu_time_by_architecture():
    work = Workload(LoadProfile([10.0, 30.0], 1800), cpu_ms_per_request=50, arm64_relative_speed=1.25)
    # A processor that is 1.25 times as fast needs 1/1.25 of the time.
    assert work.cpu_s_per_request("X86_64") == pytest.approx(0.05)
    assert work.cpu_s_per_request("ARM64") == pytest.approx(0.04)


def test_a_workload_checks_its_request_too():
    with pytest.raises(InvalidScenario, match="response_kb"):
        Workload(LoadProfile.constant(1), cpu_ms_per_request=1, response_kb=-1)


# Where requests and bytes go, of 100 that clients send: hits at CloudFront, the rest at the load balancer, a part of that
# at Lambda functions.
@pytest.mark.parametrize(
    ("given", "at_load_balancer", "at_tasks"),
    [
        ({}, 100, 100),
        ({"behind_cloudfront": True}, 100, 100),
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 0.75}, 25, 25),
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 1}, 0, 0),
        ({"lambda_target_share": 0.2}, 100, 80),
        ({"lambda_target_share": 1}, 100, 0),
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 0.6, "lambda_target_share": 0.25}, 40, 30),
    ],
)
def test_which_requests_reach_the_tasks(given, at_load_balancer, at_tasks):
    work = Workload(LoadProfile([100.0, 300.0], 1800), cpu_ms_per_request=1, **given)
    assert 100 * work.load_balancer_share == pytest.approx(at_load_balancer)
    assert 100 * work.task_share == pytest.approx(at_tasks)
    assert work.task_load.requests_per_s.tolist() == pytest.approx([at_tasks, 3 * at_tasks])
    assert work.load.requests_per_s.tolist() == [100, 300]


def test_where_all_requests_reach_the_tasks_their_load_is_the_load_itself():
    work = Workload(LoadProfile.daily(30, 10), cpu_ms_per_request=1)
    assert work.task_load is work.load
    shared = replace(work, lambda_target_share=0.5)
    assert shared.task_load.fingerprint() == work.load.scaled(0.5).fingerprint() != work.load.fingerprint()


def test_bytes_at_the_load_balancer():
    # 2 kB in; 40 kB out, compressed to 10.
    plain = Request(cpu_ms_per_request=1, request_kb=2, response_kb=40, compression_ratio=0.25)
    assert plain.load_balancer_kb == pytest.approx(12)
    front = replace(plain, behind_cloudfront=True, cloudfront_hit_ratio=0.5)
    assert front.load_balancer_kb == pytest.approx(6)
    # Half of the requests are hits, and with them four fifths of the bytes: 2 x 0.5 + 10 x 0.2.
    assert replace(front, cloudfront_byte_hit_ratio=0.8).load_balancer_kb == pytest.approx(3)
    # Hits without a byte, such as redirects: 2 x 0.5 + 10.
    assert replace(front, cloudfront_byte_hit_ratio=0).load_balancer_kb == pytest.approx(11)


def test_bytes_to_the_internet():
    # 10 kB of response; 6 kB of handshake for each of 4 requests, of which a third resumes: 10 + 6/4 x 2/3.
    request = Request(
        cpu_ms_per_request=1,
        response_kb=10,
        requests_per_connection=4,
        tls_handshake_sent_kb=6,
        tls_resumed_share=1 / 3,
    )
    assert request.internet_sent_kb == pytest.approx(11)
    assert replace(request, compression_ratio=0.5).internet_sent_kb == pytest.approx(6)
    assert replace(request, behind_cloudfront=True).internet_sent_kb == 0
    # Handshakes are no bytes that the load balancer processes.
    assert request.load_balancer_kb == 11 == replace(request, tls_handshake_sent_kb=0).load_balancer_kb


def test_what_the_bill_leaves_out_is_said():
    assert request_notes(Request(cpu_ms_per_request=1)) == ()
    front, function = request_notes(Request(**FRONT, lambda_target_share=0.125, mutual_tls=True))
    assert "CloudFront's functions and logs are not part" in front
    assert "12.5 % of the requests" in function
    assert "Lambda's own bill" in function


def test_every_default_leaves_a_plain_request_as_it_is():
    plain = Request(cpu_ms_per_request=1, request_kb=1.5, response_kb=7.25, requests_per_connection=3)
    assert (plain.load_balancer_share, plain.task_share) == (1, 1)
    assert plain.load_balancer_kb == 8.75
    assert plain.internet_sent_kb == 7.25
    assert plain.requests_per_load_balancer_connection == 3
    # Exponential times, requests at random, and no limit: what the latency formulas took for granted before.
    assert (plain.service_time_cv, plain.arrival_cv, plain.concurrency_limit_per_task) == (1, 1, None)
    assert {item.name for item in fields(Request)} == {*NUMBERS, *TRUTH_VALUES}


# Faults that were there once.
def test_a_whole_number_that_no_float_holds():
    with pytest.raises(InvalidScenario):
        Request(cpu_ms_per_request=10**400)


def test_numbers_from_numpy():
    assert Request(cpu_ms_per_request=np.int64(20)).cpu_ms_per_request == 20
