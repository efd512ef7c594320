"""What a request asks for."""

import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload

POSITIVE = ("cpu_ms_per_request", "requests_per_connection", "arm64_relative_speed")


def test_cpu_time_has_no_default():
    with pytest.raises(TypeError, match="cpu_ms_per_request"):
        Request()


@pytest.mark.parametrize("name", Request.__dataclass_fields__)
@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, -math.inf, "20", None, True, [1]])
def test_a_value_that_is_no_number_of_0_or_more(name, value):
    with pytest.raises(InvalidScenario, match=name) as caught:
        Request(**({"cpu_ms_per_request": 1} | {name: value}))
    assert repr(value) in str(caught.value)
    assert ("more than 0" if name in POSITIVE else "0 or more") in str(caught.value)


@pytest.mark.parametrize("name", Request.__dataclass_fields__)
def test_nothing(name):
    values = {"cpu_ms_per_request": 1} | {name: 0}
    if name in POSITIVE:
        with pytest.raises(InvalidScenario, match=f"{name} is 0"):
            Request(**values)
    else:
        assert getattr(Request(**values), name) == 0


def test_cpu_time_by_architecture():
    work = Workload(LoadProfile([10.0, 30.0], 1800), cpu_ms_per_request=50, arm64_relative_speed=1.25)
    # A processor that is 1.25 times as fast needs 1/1.25 of the time.
    assert work.cpu_s_per_request("X86_64") == pytest.approx(0.05)
    assert work.cpu_s_per_request("ARM64") == pytest.approx(0.04)


def test_a_workload_checks_its_request_too():
    with pytest.raises(InvalidScenario, match="response_kb"):
        Workload(LoadProfile.constant(1), cpu_ms_per_request=1, response_kb=-1)


# Faults that were there once.
def test_a_whole_number_that_no_float_holds():
    with pytest.raises(InvalidScenario):
        Request(cpu_ms_per_request=10**400)


def test_numbers_from_numpy():
    assert Request(cpu_ms_per_request=np.int64(20)).cpu_ms_per_request == 20
