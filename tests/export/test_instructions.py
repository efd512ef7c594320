"""The README of an exported stack: what it says of its own configuration is so, and is said where it matters alone."""

from typing import Any

import pytest

from estimator.export.instructions import left_out, readme_blanks
from tests.export.synthesis import document, hardened

CERTIFICATE = hardened()["application"]["certificate_arn"]
IN_CLOUDFRONT = CERTIFICATE.replace("ca-central-1", "us-east-1")
NAME = {"name": "shop.example.com", "hosted_zone_id": "Z0123456789ABC", "hosted_zone_name": "example.com"}
NAMELESS = {"domain_name": None, "certificate_arn": None}
VIEWERS = {"domain_name": "www.example.com", "certificate_arn": IN_CLOUDFRONT}
ELB = "arn:aws:elasticloadbalancing:ca-central-1:111122223333"
SHARED = {
    "arn": f"{ELB}:loadbalancer/app/shared/778d41231b141a0f",
    "security_group_id": "sg-0123456789abcdef0",
    "listener_arn": f"{ELB}:listener/app/shared/778d41231b141a0f/f2f7dc8efc522ab2",
    "test_listener_arn": None,
    "dns_name": "shared-1.ca-central-1.elb.amazonaws.com",
}
VPC = {"layout": "nat", "nat_gateways": 2, "existing": {"vpc_id": "vpc-0123456789abcdef0"}}
GREEN: dict[str, Any] = {"service": {"deployment": {"strategy": "BLUE_GREEN"}}}
CODE_DEPLOY: dict[str, Any] = {"service": {"deployment": {"strategy": "BLUE_GREEN", "controller": "CODE_DEPLOY"}}}
HTTPS: dict[str, Any] = {"application": {"certificate_arn": CERTIFICATE}}
WATCHED: dict[str, Any] = {"observability": {"standard_alarms": 4, "budget_usd_per_month": 50}}
BEHIND: dict[str, Any] = {"load_balancer": {"existing": SHARED}, "network": VPC}

#: A blank, what the configuration has, words that it says then, and words that it does not.
CASES: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("destroy_text", {"load_balancer": {"deletion_protection": True}}, "is protected: set `stack.del", "Nothing to"),
    ("destroy_text", {}, "Nothing stays behind", "is protected"),
    # Which output is the address.
    ("address_text", {}, "`LoadBalancerUrl` is the address", "certificate"),
    ("address_text", HTTPS, "Point the name in your certificate at the load balancer", "is the address"),
    ("address_text", {"edge": {"domain": NAME}}, "The address is https://shop.example.com", "Point"),
    ("address_text", {"edge": {"cloudfront": NAMELESS}}, "`DistributionUrl` is the address", "Point"),
    ("address_text", {"edge": {"cloudfront": VIEWERS}}, "Point www.example.com at the distribution", "is part of"),
    ("address_text", BEHIND | {"edge": {"cloudfront": NAMELESS}}, "`DistributionUrl` is the address.", "nobody but"),
    ("address_text", BEHIND, "that is there already", "is the address"),
    ("address_text", {}, "`kms:Decrypt` for the execution role", None),
    ("address_text", {"application": {"secrets": {}}}, "is the address", "kms:Decrypt"),
    # How a new revision is tried.
    ("deployment_text", GREEN, "curl -i <TestUrl>/alive", "--connect-to"),
    (
        "deployment_text",
        GREEN | HTTPS,
        "curl -i --connect-to ::<load balancer>:9292 https://<your name>:9292/alive",
        "curl -i <TestUrl>",
    ),
    ("deployment_text", GREEN | HTTPS | {"edge": {"domain": NAME}}, "curl -i <TestUrl>/alive", "--connect-to"),
    (
        "deployment_text",
        GREEN | {"edge": {"domain": NAME, "cloudfront": VIEWERS | {"domain_name": NAME["name"]}}},
        "--connect-to",
        "curl -i <TestUrl>",
    ),
    ("deployment_text", CODE_DEPLOY, "its tasks are no longer on Spot", "has not been tried"),
    ("deployment_text", CODE_DEPLOY | {"load_balancer": {"existing": SHARED}}, "has not been tried", "TestUrl"),
    # What alarms and the budget see.
    ("watch_text", WATCHED, "undo a deployment.", "shared load balancer"),
    ("watch_text", WATCHED | {"load_balancer": {"existing": SHARED}}, "undo a deployment.", "shared load balancer"),
    (
        "watch_text",
        WATCHED | GREEN | {"load_balancer": {"existing": SHARED}},
        "They watch all services of the shared load balancer, and undo no deployment.",
        "what the tasks answer",
    ),
    ("watch_text", WATCHED | BEHIND, "It does not see what is there already", None),
    ("watch_text", WATCHED, "The budget is $50.00", "there already"),
    (
        "bill_note",
        BEHIND,
        "The load balancer and the VPC with its NAT gateways are there already; their hours are on this bill",
        "is there",
    ),
    ("bill_note", {"network": VPC}, "The VPC with its NAT gateways is there already; its hours", "load balancer"),
    # What the web ACL refuses of honest clients.
    ("contents", {"edge": {"waf_rules": 1}}, "refuses bodies above 8 KB.", "2,000"),
    ("contents", {"edge": {"waf_rules": 3}}, "above 8 KB and more than 2,000 requests in five minutes", "counted"),
    ("contents", {"edge": {"waf_rules": 3, "large_bodies": True}}, "8 KB are counted", "refuses bodies"),
    ("contents", {}, "one service", "refuses"),
    ("contents", {"application": {"readonly_root_filesystem": True}}, "`/tmp` only: 64 MiB", "refuses"),
    # How another image or certificate comes in.
    ("change_text", {}, "deploy with another `ContainerImage`", "The certificate"),
    ("change_text", {"application": {"image": "nginx:1.29"}}, "`application.image` in the scenario", "ContainerImage"),
    ("change_text", HTTPS | CODE_DEPLOY, "see that the traffic is on the first target group", "stays as it is"),
    ("change_text", HTTPS | GREEN, "what ECS shifts is a rule", "With CodeDeploy"),
]


@pytest.mark.parametrize(("blank", "changes", "said", "not_said"), CASES)
def test_it_says_what_is_so(blank: str, changes: dict[str, Any], said: str, not_said: str | None) -> None:
    text = readme_blanks(document(**changes))[blank]
    assert said in text
    assert not_said is None or not_said not in text


def test_without_anything_there_already_the_bill_needs_no_note() -> None:
    assert readme_blanks(document())["bill_note"] == ""


def test_what_cloudfront_leaves_open_is_said_with_the_file_to_write_it_in() -> None:
    def rows(**edge: Any) -> list[str]:
        return [key for asks, _, key in left_out(document(edge=edge)) if "CloudFront" in asks]

    assert rows() == rows(waf_rules=3) == []
    assert rows(cloudfront=NAMELESS) == ["no key: fargate_stack/edge.py"]
    assert rows(cloudfront=NAMELESS, waf_rules=3) == ["no key: fargate_stack/edge.py"] * 2
    review = readme_blanks(document(edge={"cloudfront": NAMELESS}))["review"]
    assert "| none | no key: fargate_stack/edge.py |" in review


def test_a_web_acl_is_not_asked_of_a_load_balancer_that_others_share() -> None:
    keys = {key for _, _, key in left_out(document(**BEHIND))}
    assert "extras.waf_rules: 3" not in keys
    assert "extras.waf_rules: 3" in {key for _, _, key in left_out(document())}
