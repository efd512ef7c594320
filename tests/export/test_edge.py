"""What stands before the load balancer of an exported stack: web ACL, CloudFront, DNS name and certificate."""

import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.export.synthesis import STACK, Synthesized, document, lint_errors

# AWS, "AWS Managed Rules rule groups list", read 2026: capacity of each group.
WCU = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
}
# AWS, "Using rate-based rule statements in AWS WAF", read 2026: "2, as a base cost".
RATE_WCU = 2
ADDRESS_LISTS = {"AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesAnonymousIpList"}

NAME = {"name": "shop.example.com", "hosted_zone_id": "Z0123456789ABC", "hosted_zone_name": "example.com"}
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012"
CLOUDFRONT = {"domain_name": "shop.example.com", "certificate_arn": CERTIFICATE}
NAMELESS = {"domain_name": None, "certificate_arn": None}
WINDOWS = {"operating_system_family": "WINDOWS_SERVER_2022_CORE", "cpu_units": 2048, "memory_mib": 5120}
ON_DEMAND = {"capacity_provider_strategy": {"fargate_base": 0, "fargate_weight": 1, "fargate_spot_weight": 0}}

Build = Callable[[dict[str, Any]], Synthesized]


@pytest.fixture(scope="module")
def build(synthesize: Any, stack: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The constructs of ``edge.py`` before a load balancer of the test's own."""
    import aws_cdk as cdk
    from aws_cdk import aws_cloudfront as cloudfront
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticloadbalancingv2 as elbv2

    edge = importlib.import_module("fargate_stack.edge")

    context = json.loads((STACK / "cdk.json").read_text())["context"]

    def run(document: dict[str, Any]) -> Synthesized:
        config = stack.config.parse_config(document)
        outdir = tmp_path_factory.mktemp("cdk.out")
        app = cdk.App(context=context, outdir=str(outdir), analytics_reporting=False)
        made = cdk.Stack(
            app, "shop", env=cdk.Environment(region=config.region), synthesizer=cdk.BootstraplessSynthesizer()
        )
        zones = [cdk.Fn.select(zone, cdk.Fn.get_azs()) for zone in range(2)]
        public = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
        vpc = ec2.Vpc(made, "Vpc", availability_zones=zones, nat_gateways=0, subnet_configuration=[public])
        load_balancer = elbv2.ApplicationLoadBalancer(made, "Alb", vpc=vpc, internet_facing=True)
        distribution = None
        if config.edge.cloudfront:
            protocol = cloudfront.OriginProtocolPolicy
            distribution = edge.Distribution(
                made,
                "CloudFront",
                config=config,
                load_balancer=load_balancer,
                origin_protocol=protocol.HTTPS_ONLY if config.serves_https else protocol.HTTP_ONLY,
            )
            load_balancer.connections.allow_from(edge.cloudfront_peer(made, config.region), ec2.Port.tcp(443))
            cdk.CfnOutput(made, "Url", value=distribution.url)
        if config.edge.domain:
            edge.DnsName(made, "Dns", config=config, load_balancer=load_balancer, distribution=distribution)
            edge.make_certificate(made, config)
        if config.edge.waf_rules is not None:
            edge.WebAcl(made, "Waf", config=config, load_balancer=load_balancer)
        app.synth()
        text = (outdir / "shop.template.json").read_text()
        return Synthesized(document, json.loads(text), text, outdir)

    return run


@pytest.fixture(scope="module")
def plain(build: Build) -> Synthesized:
    return build(document(edge={"waf_rules": 8, "domain": NAME}))


@pytest.fixture(scope="module")
def behind_cloudfront(build: Build) -> Synthesized:
    return build(document(edge={"waf_rules": 6, "cloudfront": CLOUDFRONT, "domain": NAME}))


def rules(result: Synthesized) -> list[dict[str, Any]]:
    """The rules of the web ACL as AWS evaluates them."""
    found = sorted(result.one("WAFv2::WebACL")["Rules"], key=lambda rule: rule["Priority"])
    assert [rule["Priority"] for rule in found] == list(range(len(found)))
    return list(found)


def groups(result: Synthesized) -> list[str]:
    statements = [rule["Statement"] for rule in rules(result)]
    return [one["ManagedRuleGroupStatement"]["Name"] for one in statements if "ManagedRuleGroupStatement" in one]


def rate_limit(result: Synthesized) -> dict[str, Any]:
    (rule,) = (rule for rule in rules(result) if "RateBasedStatement" in rule["Statement"])
    assert rule["Action"] == {"Block": {}}
    return dict(rule["Statement"]["RateBasedStatement"])


@pytest.mark.slow
class TestTemplate:
    @pytest.mark.parametrize("name", ["plain", "behind_cloudfront"])
    def test_cfn_lint_finds_no_error(self, name: str, request: pytest.FixtureRequest) -> None:
        from cfnlint.api import lint

        result: Synthesized = request.getfixturevalue(name)
        found = lint(result.text, regions=[result.document["region"]])
        assert [f"{one.rule.id} {one.message}" for one in found if one.rule.id.startswith("E")] == []

    def test_web_acl_is_on_the_load_balancer(self, plain: Synthesized) -> None:
        assert plain.one("WAFv2::WebACL")["Scope"] == "REGIONAL"
        assert plain.one("WAFv2::WebACL")["DefaultAction"] == {"Allow": {}}
        assert plain.one("WAFv2::WebACLAssociation") == {
            "ResourceArn": {"Ref": plain.id_of("ElasticLoadBalancingV2::LoadBalancer")},
            "WebACLArn": {"Fn::GetAtt": [plain.id_of("WAFv2::WebACL"), "Arn"]},
        }

    def test_rules_fit_in_the_capacity_that_the_price_includes(self, plain: Synthesized) -> None:
        names = groups(plain)
        assert len(names) == len(set(names)) == 7
        # A group that is not in the table, such as Bot Control, has a price by request.
        assert sum(WCU[name] for name in names) + RATE_WCU == 1477 <= 1500
        assert set(names) > ADDRESS_LISTS
        for rule in rules(plain):
            assert rule["VisibilityConfig"]["CloudWatchMetricsEnabled"] is True
            if "ManagedRuleGroupStatement" in rule["Statement"]:
                # A group that is overridden with Count refuses nothing.
                assert rule["OverrideAction"] == {"None": {}}

    def test_large_bodies_are_counted_where_the_plan_has_them(self, plain: Synthesized, build: Build) -> None:
        def overrides(result: Synthesized) -> dict[str, Any]:
            named = [rule["Statement"].get("ManagedRuleGroupStatement", {}) for rule in rules(result)]
            return {one["Name"]: one["RuleActionOverrides"] for one in named if "RuleActionOverrides" in one}

        assert overrides(plain) == {}
        # AWS, "Baseline rule groups", read 2026: the rule that refuses bodies above 8 KB.
        counted = [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}]
        large = build(document(edge={"waf_rules": 3, "large_bodies": True}))
        assert overrides(large) == {"AWSManagedRulesCommonRuleSet": counted}
        assert lint_errors(large.text) == []

    def test_rate_is_limited_by_address(self, plain: Synthesized) -> None:
        limit = rate_limit(plain)
        assert limit["AggregateKeyType"] == "IP"
        # AWS, "Rate-based rule high-level settings in AWS WAF", read 2026.
        assert limit["EvaluationWindowSec"] in (60, 120, 300, 600)
        assert limit["Limit"] >= 10

    def test_each_count_of_rules_is_the_count_in_the_web_acl(self, build: Build) -> None:
        assert build(document()).all("WAFv2::WebACL") == []
        assert rules(build(document(edge={"waf_rules": 0}))) == []
        three = build(document(edge={"waf_rules": 3}))
        assert len(rules(three)) == 3
        assert set(groups(three)) == {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"}
        rate_limit(three)

    def test_windows_has_rules_of_its_own(self, build: Build) -> None:
        names = set(groups(build(document(edge={"waf_rules": 7}, task=WINDOWS, service=ON_DEMAND))))
        assert "AWSManagedRulesWindowsRuleSet" in names
        assert not names & {"AWSManagedRulesLinuxRuleSet", "AWSManagedRulesUnixRuleSet"}

    def test_behind_cloudfront_the_address_is_that_of_the_viewer(self, behind_cloudfront: Synthesized) -> None:
        limit = rate_limit(behind_cloudfront)
        assert limit["AggregateKeyType"] == "FORWARDED_IP"
        assert limit["ForwardedIPConfig"]["HeaderName"] == "X-Forwarded-For"
        # AWS: "These rules use the source IP address from the web request origin", which is CloudFront here.
        assert not ADDRESS_LISTS & set(groups(behind_cloudfront))
        assert len(rules(behind_cloudfront)) == 6

    def test_distribution(self, behind_cloudfront: Synthesized) -> None:
        config = behind_cloudfront.one("CloudFront::Distribution")["DistributionConfig"]
        assert config["Enabled"] is True
        assert config["HttpVersion"] == "http2and3"
        assert config["Aliases"] == ["shop.example.com"]
        assert config["ViewerCertificate"] == {
            "AcmCertificateArn": CERTIFICATE,
            "MinimumProtocolVersion": "TLSv1.2_2021",
            "SslSupportMethod": "sni-only",
        }
        behavior = config["DefaultCacheBehavior"]
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
        assert behavior["Compress"] is True
        assert {"POST", "PUT", "DELETE", "PATCH"} < set(behavior["AllowedMethods"])
        # AWS, "Use managed cache policies", UseOriginCacheControlHeaders-QueryStrings, and "Use managed origin request
        # policies", AllViewer, read 2026.
        assert behavior["CachePolicyId"] == "4cc15a8a-d715-48a4-82b8-cc0b614638fe"
        assert behavior["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"

    def test_origin_is_the_load_balancer(self, behind_cloudfront: Synthesized) -> None:
        (origin,) = behind_cloudfront.one("CloudFront::Distribution")["DistributionConfig"]["Origins"]
        alb = behind_cloudfront.id_of("ElasticLoadBalancingV2::LoadBalancer")
        assert origin["DomainName"] == {"Fn::GetAtt": [alb, "DNSName"]}
        assert origin["CustomOriginConfig"] == {
            # AWS, "Edit attributes for your Application Load Balancer", read 2026: it closes an idle connection after 60 s.
            "OriginKeepaliveTimeout": 55,
            "OriginProtocolPolicy": "https-only",
            "OriginSSLProtocols": ["TLSv1.2"],
        }
        assert behind_cloudfront.template["Outputs"]["Url"]["Value"] == "https://shop.example.com"

    def test_only_cloudfront_reaches_the_load_balancer(self, behind_cloudfront: Synthesized) -> None:
        parameter = behind_cloudfront.template["Parameters"]["CloudFrontPrefixListId"]
        assert "Default" not in parameter
        assert "--region ca-central-1" in parameter["Description"]
        # AWS, "Locations and IP address ranges of CloudFront edge servers", read 2026.
        assert "com.amazonaws.global.cloudfront.origin-facing" in parameter["Description"]
        group = behind_cloudfront.one("EC2::SecurityGroup")
        ingress = group.get("SecurityGroupIngress", []) + behind_cloudfront.all("EC2::SecurityGroupIngress")
        # AWS, "AWS-managed prefix lists", read 2026: it counts for 55 rules, of the 60 that a group takes.
        assert [rule.get("SourcePrefixListId") for rule in ingress] == [{"Ref": "CloudFrontPrefixListId"}]

    def test_name_of_the_viewers_leads_to_the_distribution(self, behind_cloudfront: Synthesized) -> None:
        records = behind_cloudfront.all("Route53::RecordSet")
        assert sorted(record["Type"] for record in records) == ["A", "AAAA"]
        distribution = behind_cloudfront.id_of("CloudFront::Distribution")
        for record in records:
            assert record["Name"] == "shop.example.com."
            assert record["HostedZoneId"] == NAME["hosted_zone_id"]
            assert record["AliasTarget"]["DNSName"] == {"Fn::GetAtt": [distribution, "DomainName"]}

    def test_name_leads_to_the_load_balancer(self, plain: Synthesized) -> None:
        record = plain.one("Route53::RecordSet")
        alb = plain.id_of("ElasticLoadBalancingV2::LoadBalancer")
        assert record["Type"] == "A"
        assert record["Name"] == "shop.example.com."
        assert {"Fn::GetAtt": [alb, "DNSName"]} in record["AliasTarget"]["DNSName"]["Fn::Join"][1]
        assert record["AliasTarget"]["HostedZoneId"] == {"Fn::GetAtt": [alb, "CanonicalHostedZoneID"]}

    def test_certificate_is_validated_in_the_zone(self, plain: Synthesized) -> None:
        certificate = plain.one("CertificateManager::Certificate")
        assert certificate["DomainName"] == "shop.example.com"
        assert certificate["ValidationMethod"] == "DNS"
        assert certificate["DomainValidationOptions"] == [
            {"DomainName": "shop.example.com", "HostedZoneId": NAME["hosted_zone_id"]}
        ]

    def test_cloudfront_without_a_name(self, build: Build) -> None:
        result = build(document(edge={"cloudfront": NAMELESS}))
        config = result.one("CloudFront::Distribution")["DistributionConfig"]
        assert "Aliases" not in config
        assert "ViewerCertificate" not in config
        assert config["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
        distribution = result.id_of("CloudFront::Distribution")
        assert result.template["Outputs"]["Url"]["Value"] == {
            "Fn::Join": ["", ["https://", {"Fn::GetAtt": [distribution, "DomainName"]}]]
        }

    def test_another_name_is_that_of_the_origin(self, build: Build) -> None:
        """CloudFront trusts a certificate with the name of the origin, or with that of the viewer."""
        result = build(document(edge={"cloudfront": NAMELESS, "domain": NAME}))
        (origin,) = result.one("CloudFront::Distribution")["DistributionConfig"]["Origins"]
        assert origin["DomainName"] == "shop.example.com"
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
        alb = result.id_of("ElasticLoadBalancingV2::LoadBalancer")
        assert result.one("Route53::RecordSet")["AliasTarget"]["HostedZoneId"] == {
            "Fn::GetAtt": [alb, "CanonicalHostedZoneID"]
        }


@pytest.mark.parametrize(
    ("edge", "words"),
    [
        ({"waf_rules": -1}, ["edge.waf_rules is -1", "from 0"]),
        ({"waf_rules": 2.5}, ["edge.waf_rules is 2.5"]),
        ({"waf_rules": 9}, ["edge.waf_rules is 9", "at most 8", "1500 capacity units"]),
        ({"waf_rules": 7, "cloudfront": CLOUDFRONT}, ["edge.waf_rules is 7", "at most 6", "behind CloudFront"]),
        ({"cloudfront": CLOUDFRONT | {"domain_name": None}}, ["edge.cloudfront.domain_name is None"]),
        ({"cloudfront": CLOUDFRONT | {"certificate_arn": None}}, ["edge.cloudfront.certificate_arn is None"]),
        (
            {"cloudfront": CLOUDFRONT | {"certificate_arn": CERTIFICATE.replace("us-east-1", "ca-central-1")}},
            ["edge.cloudfront.certificate_arn is", "us-east-1"],
        ),
        ({"cloudfront": CLOUDFRONT | {"domain_name": "https://x.example"}}, ["edge.cloudfront.domain_name is 'https:"]),
        ({"cloudfront": CLOUDFRONT | {"price": 1}}, ["edge.cloudfront.price is 1"]),
        ({"domain": NAME | {"name": "shop.example.org"}}, ["edge.domain.name is 'shop.example.org'", "'example.com'"]),
        ({"domain": NAME | {"name": "notexample.com"}}, ["edge.domain.name is 'notexample.com'", "'example.com'"]),
        ({"domain": NAME | {"hosted_zone_id": "example"}}, ["edge.domain.hosted_zone_id is 'example'"]),
        ({"domain": NAME | {"hosted_zone_name": "com."}}, ["edge.domain.hosted_zone_name is 'com.'"]),
        ({"domain": []}, ["edge.domain is []"]),
    ],
)
def test_refusals(stack: SimpleNamespace, edge: dict[str, Any], words: list[str]) -> None:
    message = refusal(stack, document(edge=edge))
    for word in words:
        assert word in message


def test_windows_has_fewer_rules(stack: SimpleNamespace) -> None:
    message = refusal(stack, document(edge={"waf_rules": 8}, task=WINDOWS, service=ON_DEMAND))
    assert "edge.waf_rules is 8" in message
    assert "at most 7" in message


def test_certificate_of_the_load_balancer_asks_for_a_name(stack: SimpleNamespace) -> None:
    """Without a name, CloudFront would check the certificate against the load balancer's own, and answer 502."""
    regional = {"certificate_arn": CERTIFICATE.replace("us-east-1", "ca-central-1")}
    message = refusal(stack, document(application=regional, edge={"cloudfront": NAMELESS}))
    assert "edge.cloudfront.domain_name is None" in message


def test_name_of_an_existing_load_balancer_is_not_touched(stack: SimpleNamespace) -> None:
    elb = "arn:aws:elasticloadbalancing:ca-central-1:111122223333"
    existing = {
        "arn": f"{elb}:loadbalancer/app/shared/778d41231b141a0f",
        "security_group_id": "sg-0123456789abcdef0",
        "listener_arn": f"{elb}:listener/app/shared/778d41231b141a0f/f2f7dc8efc522ab2",
        "test_listener_arn": None,
        "dns_name": "shared-1.ca-central-1.elb.amazonaws.com",
    }
    network = {
        "vpc_id": "vpc-0123456789abcdef0",
        "availability_zones": ["ca-central-1a", "ca-central-1b"],
        "load_balancer_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "task_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    }
    changes: dict[str, Any] = {"network": {"existing": network}, "load_balancer": {"existing": existing}}
    stack.config.parse_config(document(**changes))
    assert "edge.domain.name is 'shop.example.com'" in refusal(stack, document(**changes, edge={"domain": NAME}))
    assert "edge.waf_rules is 0: an existing" in refusal(stack, document(**changes, edge={"waf_rules": 0}))


def test_apex_of_the_zone_is_a_name_in_it(stack: SimpleNamespace) -> None:
    config = stack.config.parse_config(document(edge={"domain": NAME | {"name": "example.com"}}))
    assert config.edge.domain.name == "example.com"


def refusal(stack: SimpleNamespace, broken: dict[str, Any]) -> str:
    check = importlib.import_module("fargate_stack.edge_config").check_edge
    error = importlib.import_module("fargate_stack.section").ConfigError
    with pytest.raises(error) as caught:
        check(stack.config.parse_config(broken))
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message
