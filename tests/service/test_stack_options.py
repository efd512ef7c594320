"""What an exported stack has besides: what is allowed, and what AWS would refuse, said in a sentence before anything is planned."""

from typing import Any

import pytest

from estimator import Scenario
from estimator.errors import InvalidScenario

VPC = {
    "vpc_id": "vpc-0a1b",
    "availability_zones": ["eu-west-1a", "eu-west-1b"],
    "load_balancer_subnet_ids": ["subnet-1a", "subnet-1b"],
    "task_subnet_ids": ["subnet-2a", "subnet-2b"],
}
LOAD_BALANCER = {
    "arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188",
    "security_group_id": "sg-0a1b",
    "listener_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2",
    "dns_name": "web-1.eu-west-1.elb.amazonaws.com",
}
REQUESTS = {
    "policy_type": "TargetTrackingScaling",
    "predefined_metric_type": "ALBRequestCountPerTarget",
    "target_value": 900,
}
FINE = {
    "policy_type": "TargetTrackingScaling",
    "predefined_metric_type": "ECSServiceAverageCPUUtilizationHighResolution",
    "target_value": 60,
}
STEPS_ON_REQUESTS = {
    "policy_type": "StepScaling",
    "metric_name": "RequestCountPerTarget",
    "threshold": 900,
    "step_adjustments": [{"scaling_adjustment": 1, "metric_interval_lower_bound": 0}],
}


def scenario(stack: dict[str, Any] | None = None, service: dict[str, Any] | None = None, **sections: Any) -> Scenario:
    service = {"cpu_units": 1024, "memory_mib": 2048, **(service or {})}
    return Scenario.from_dict(
        {
            "region": "eu-west-1",
            "load": {"kind": "constant", "requests_per_s": 20},
            "request": {"cpu_ms_per_request": 20},
            "service": service,
            "stack": stack or {},
            **sections,
        }
    )


@pytest.mark.parametrize(
    "stack",
    [
        {"vpc": VPC, "load_balancer": LOAD_BALANCER, "cluster_name": "shared", "cloud_map_namespace": "internal"},
        {
            "health_check_command": ["CMD-SHELL", "curl -f http://localhost/"],
            "user": "1000",
            "readonly_root_filesystem": True,
        },
        {"domain": {"name": "shop.example.com", "hosted_zone_id": "Z0A1", "hosted_zone_name": "example.com"}},
        {
            "alarm_email": "ops@example.com",
            "budget_usd_per_month": 100,
            "deletion_protection": True,
            "repository": True,
        },
        {"ingress_cidrs": ["203.0.113.0/24", "198.51.100.7/32"], "test_port": 9000},
    ],
)
def test_it_is_read_and_written_as_it_was(stack: dict[str, Any]) -> None:
    read = scenario(stack)
    assert Scenario.from_dict(read.to_dict()) == read
    for name, value in stack.items():
        assert read.to_dict()["stack"][name] == (
            value | {"test_listener_arn": None} if name == "load_balancer" else value
        )


def test_neither_course_nor_bill_knows_of_it() -> None:
    plain = scenario().estimate()
    told = scenario({"deletion_protection": True, "alarm_email": "ops@example.com", "cluster_name": "x"}).estimate()
    assert told.fingerprint() == plain.fingerprint()
    assert told.stack.cluster_name == "x"


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ({"deployment_controller": "EXTERNAL"}, ["stack.deployment_controller", "'EXTERNAL'", "ECS, CODE_DEPLOY"]),
        ({"canary_percent": 0}, ["stack.canary_percent", "0.1 to 100"]),
        ({"health_check_command": ["curl"]}, ["stack.health_check_command", "CMD or CMD-SHELL"]),
        ({"alarm_email": "ops"}, ["stack.alarm_email", "'ops'", "e-mail"]),
        ({"test_port": 443}, ["stack.test_port", "443", "another"]),
        ({"ingress_cidrs": []}, ["stack.ingress_cidrs", "0.0.0.0/0"]),
        ({"ingress_cidrs": ["203.0.113.7/24"]}, ["stack.ingress_cidrs[0]", "203.0.113.7/24"]),
        ({"vpc": VPC | {"vpc_id": "main"}}, ["stack.vpc.vpc_id", "'main'"]),
        ({"vpc": VPC | {"task_subnet_ids": ["subnet-2a"]}}, ["stack.vpc.task_subnet_ids", "1 subnets for 2"]),
        ({"load_balancer": LOAD_BALANCER | {"arn": "web"}}, ["stack.load_balancer.arn", "'web'"]),
        (
            {"domain": {"name": "shop.example.org", "hosted_zone_id": "Z1", "hosted_zone_name": "example.com"}},
            ["stack.domain.name", "shop.example.org", ".example.com"],
        ),
        ({"cloudfront_domain_name": "www.example.com"}, ["cloudfront_certificate_arn", "Give both"]),
        ({"cluster": "x"}, ["stack.cluster is not a field", "cluster_name"]),
        ({"sidecars": [{"name": "web", "image": "x"}]}, ["sidecars", "web", "name of its own"]),
        ({"sidecars": [{"name": "xray", "image": "x"}]}, ["sidecars", "2 containers", "containers_per_task"]),
        ({"deployment_controller": "CODE_DEPLOY"}, ["CODE_DEPLOY", "ROLLING", "BLUE_GREEN"]),
    ],
)
def test_what_cannot_be_is_one_sentence(stack: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidScenario) as refused:
        scenario(stack)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize("policy", [REQUESTS, STEPS_ON_REQUESTS])
@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_requests_per_target_go_with_one_target_group_only(policy: dict[str, Any], strategy: str) -> None:
    with pytest.raises(
        InvalidScenario,
        match=rf"(requests per target|ALBRequestCountPerTarget) .* {strategy}.* set strategy to ROLLING",
    ):
        scenario(service={"scaling": [policy], "deployment": {"strategy": strategy}})
    assert scenario(service={"scaling": [policy]}).spec().scaling


def test_code_deploy_has_no_metrics_of_20_seconds() -> None:
    service = {"scaling": [FINE], "deployment": {"strategy": "BLUE_GREEN"}}
    assert scenario(service=service).spec().scaling
    with pytest.raises(InvalidScenario, match=r"20 seconds .* CODE_DEPLOY"):
        scenario({"deployment_controller": "CODE_DEPLOY"}, service)


def test_a_search_with_code_deploy_chooses_among_what_it_can() -> None:
    sections: dict[str, Any] = {"service": None, "search": {"deployment_strategies": ["ROLLING", "CANARY"]}}
    with pytest.raises(InvalidScenario, match=r"search\.deployment_strategies has ROLLING"):
        Scenario.from_dict(scenario().to_dict() | sections | {"stack": {"deployment_controller": "CODE_DEPLOY"}})


def test_a_shared_load_balancer_has_no_web_acl_of_one_service() -> None:
    stack = {"vpc": VPC, "load_balancer": LOAD_BALANCER}
    with pytest.raises(
        InvalidScenario, match=r"load_balancer is given and extras\.waf_rules is 3; .* Leave waf_rules out"
    ):
        scenario(stack, extras={"waf_rules": 3})
    assert scenario(stack).extras.waf_rules is None


def test_zones_of_a_named_vpc_are_those_that_are_billed() -> None:
    with pytest.raises(InvalidScenario, match=r"vpc has 2 availability_zones and network\.availability_zones is 3"):
        scenario({"vpc": VPC}, network={"layout": "public", "availability_zones": 3})
