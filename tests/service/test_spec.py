"""Candidates, network layouts, applications and AWS's behavior: each value out of range is named."""

import math
import subprocess
import sys

import pytest

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize

SIZE = TaskSize(256, 512)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"cpu_architecture": "arm64"}, "cpu_architecture", ["'arm64'", "X86_64, ARM64"]),
        ({"cpu_architecture": None}, "cpu_architecture", ["None", "X86_64, ARM64"]),
        ({"capacity_provider_strategy": "SPOT"}, "capacity_provider", ["'SPOT'", "FARGATE, FARGATE_SPOT"]),
        ({"min_capacity": 0}, "min_capacity", ["0", "1 to 5000"]),
        ({"min_capacity": -1}, "min_capacity", ["-1"]),
        ({"min_capacity": 5001, "max_capacity": 6000}, "min_capacity", ["5001", "5000"]),
        ({"min_capacity": math.nan}, "min_capacity", ["nan"]),
        ({"min_capacity": 5, "max_capacity": 4}, "max_capacity", ["4", "min_capacity (5)"]),
        ({"max_capacity": 5001}, "max_capacity", ["5001", "5000"]),
    ],
)
def test_candidates(values, field, said):
    with pytest.raises(InvalidScenario, match=field) as caught:
        ServiceSpec(SIZE, **values)
    for part in said:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("vpn",), "layout"),
        ((None,), "layout"),
        (("public", 1), "availability_zones"),
        (("public", 7), "availability_zones"),
        (("nat", 2, 0), "nat_gateways"),
        (("nat", 2, 3), "nat_gateways"),
        (("public", 2, 1), "nat_gateways"),
        (("endpoints", 2, 1), "nat_gateways"),
        (("public", 2, 0, ("logs",)), "interface_endpoints"),
        (("nat", 2, 1, ("logs",)), "interface_endpoints"),
    ],
)
def test_layouts_that_do_not_fit_together(arguments, field):
    with pytest.raises(InvalidScenario, match=field):
        NetworkLayout(*arguments)


def test_what_a_private_task_needs():
    # AWS, "Amazon ECR interface VPC endpoints": ecr.api, ecr.dkr, logs, and secretsmanager where secrets are read.
    assert NetworkLayout.of("endpoints").interface_endpoints == ("ecr.api", "ecr.dkr", "logs")
    assert NetworkLayout.of("endpoints", uses_secrets=True).interface_endpoints[-1] == "secretsmanager"
    assert NetworkLayout.of("nat").nat_gateways == 1
    assert NetworkLayout.of("nat", 3, 3).nat_gateways == 3
    assert NetworkLayout.of("public", uses_secrets=True) == NetworkLayout("public", 2, 0, ())


@pytest.mark.parametrize(
    ("record", "field", "value", "said"),
    [
        (Application, "image_mb", -1, "0 to 100000"),
        (Application, "container_port", 0, "1 to 65535"),
        (Application, "container_port", 65_536, "65535"),
        (Application, "container_port", 80.5, "whole"),
        (Application, "container_port", "80", "'80'"),
        (Application, "container_port", True, "True"),
        (Application, "health_check_interval_s", 4, "5 to 300"),
        (Application, "health_check_interval_s", 301, "5 to 300"),
        (Application, "deregistration_delay_s", 3601, "3600"),
        (Application, "stop_timeout_s", 121, "120"),
        (Application, "ephemeral_storage_gib", 19, "20 to 200"),
        (Application, "ephemeral_storage_gib", 201, "20 to 200"),
        (Application, "health_check_path", "health", "begin with /"),
        (Application, "log_retention_days", 31, "30"),
        (Application, "image", "nginx 1", "without spaces"),
        (AwsBehavior, "low_factor", 0.05, "0.1 to 1"),
        (AwsBehavior, "low_factor", math.nan, "nan"),
        (AwsBehavior, "scale_out_datapoints", 0, "1 to 60"),
        (AwsBehavior, "scale_in_datapoints", 1.5, "whole"),
        (AwsBehavior, "pull_mb_per_s", 0, "0.1"),
        (AwsBehavior, "pull_mb_per_s", math.inf, "inf"),
        (AwsBehavior, "scale_in_step_percent", 101, "100"),
        (AwsBehavior, "unbilled_s", 24, "at most 23"),
        (AwsBehavior, "seed", -1, "-1"),
        (AwsBehavior, "metric_lag_s", None, "None"),
    ],
)
def test_values_out_of_range(record, field, value, said):
    with pytest.raises(InvalidScenario, match=field) as caught:
        record(**{field: value})
    assert said in str(caught.value)


def test_a_variable_has_one_value():
    with pytest.raises(InvalidScenario, match=r"KEY.*environment and secrets"):
        Application(environment={"KEY": "a"}, secrets={"KEY": "arn:aws:secretsmanager:eu-west-1:1:secret:x"})


def test_every_default_keeps_its_own_range():
    assert Application() == Application()
    assert AwsBehavior(unbilled_s=23).unbilled_s == 23


def test_fingerprints_are_equal_in_every_process():
    spec = ServiceSpec(SIZE, "ARM64", 3, 9, network=NetworkLayout.of("endpoints", 3))
    code = (
        "from estimator import *\n"
        "print(ServiceSpec(TaskSize(256, 512), 'ARM64', 3, 9, network=NetworkLayout.of('endpoints', 3)).fingerprint())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert other.stdout.strip() == spec.fingerprint()
    assert len(spec.fingerprint()) == 64


def test_fingerprints_differ_with_every_field():
    base = ServiceSpec(SIZE, min_capacity=2)
    others = [
        ServiceSpec(TaskSize(256, 1024)),
        ServiceSpec(SIZE, "ARM64"),
        ServiceSpec(SIZE, min_capacity=3),
        ServiceSpec(SIZE, max_capacity=11),
        ServiceSpec(SIZE, capacity_provider_strategy="FARGATE_SPOT"),
        ServiceSpec(SIZE, ephemeral_storage_gib=21),
        ServiceSpec(SIZE, network=NetworkLayout.of("nat")),
    ]
    assert len({spec.fingerprint() for spec in [base, *others]}) == 8


def test_what_is_said_of_a_candidate():
    text = ServiceSpec(SIZE, "ARM64", 2, 10, capacity_provider_strategy="FARGATE_SPOT").describe()
    assert text == "2-10 tasks of 0.25 vCPU, 0.5 GB, ARM64, CPU target 60 %, Fargate Spot"


# Faults that were there once.
@pytest.mark.parametrize("gib", [-5, 19, 201])
def test_ephemeral_storage_that_aws_refuses(gib):
    with pytest.raises(InvalidScenario, match="ephemeral_storage_gib"):
        ServiceSpec(SIZE, ephemeral_storage_gib=gib)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ServiceSpec(SIZE, min_capacity=2.5),
        lambda: ServiceSpec(SIZE, max_capacity=3.5),
        lambda: NetworkLayout("public", 2.5),
        lambda: NetworkLayout("nat", 2, 1.5),
    ],
)
def test_counts_are_whole(make):
    with pytest.raises(InvalidScenario):
        make()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_cooldowns_are_numbers(value):
    from estimator.service.policies import TargetTrackingScalingPolicy

    with pytest.raises(InvalidScenario):
        TargetTrackingScalingPolicy(scale_in_cooldown_s=value)
