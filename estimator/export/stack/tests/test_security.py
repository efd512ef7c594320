"""cdk-nag's AwsSolutions: no error but those of what the plan leaves out, each by its name and with its reason."""

from typing import Any

from conftest import Synthesized  # type: ignore[import-not-found, unused-ignore]

Config = dict[str, Any]


def left_out(config: Config) -> dict[str, str]:
    """Name the rules that find what the plan leaves out, with the reason; `README.md` says how each is switched on."""
    network, balancer = config["network"], config["load_balancer"]
    expected = {
        "AwsSolutions-VPC7": ("the plan has no flow logs", not network["flow_logs"]),
        "AwsSolutions-ECS4": (
            "the plan has no Container Insights",
            config["cluster"]["container_insights"] == "disabled",
        ),
        "AwsSolutions-ELB2": ("the plan has no access logs of the load balancer", not balancer["access_logs"]),
        "AwsSolutions-EC23": (
            "the load balancer is for everybody",
            "0.0.0.0/0" in balancer["ingress_cidrs"] and not config["edge"]["cloudfront"],
        ),
        "AwsSolutions-ECS2": (
            "environment variables in plain text are what was asked for",
            bool(config["application"]["environment"]),
        ),
    }
    return {rule: reason for rule, (reason, is_left_out) in expected.items() if is_left_out}


#: Roles with an action for which AWS knows no resources, such as ecr:GetAuthorizationToken, or what only describes load balancers.
WITHOUT_RESOURCES = ("/Web/Task/ExecutionRole/DefaultPolicy/Resource", "/Delivery/Role/Resource")


def is_expected(rule: str, path: str, config: Config) -> bool:
    """Say whether a finding has its reason."""
    if rule == "AwsSolutions-IAM5[Resource::*]":
        return path.endswith(WITHOUT_RESOURCES)
    if rule.startswith("AwsSolutions-IAM5[Resource::arn:") and rule.endswith(":repository/*]"):
        # Where the image is asked for at deployment, it may be in any repository of the account and region.
        return config["application"]["image"] is None
    return rule in left_out(config)


def test_cdk_nag_finds_nothing_but_what_is_left_out(synthesized: Synthesized, config: Config) -> None:
    """Every other finding is one to mend, or to acknowledge beside the resource with a reason."""
    assert [(rule, path) for rule, path in synthesized.findings if not is_expected(rule, path, config)] == []
