"""What stands before the load balancer: a web ACL, CloudFront, and a name with its certificate."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from .config import StackConfig
from .edge_config import BODY_LIMIT, RATE_LIMIT, DomainConfig, EdgeConfig, RuleConfig, web_acl_rules
from .log_storage import acknowledge

# Requests of one client in five minutes, about seven a second: many for a person, few for an attack. A service for
# machines, or for offices behind one address, wants more.
RATE_LIMIT_REQUESTS = 2000
RATE_LIMIT_WINDOW_S = 300

# How long CloudFront keeps an idle connection to the load balancer. By default that closes it after 60 s, which a request
# must not meet. [s]
ORIGIN_KEEPALIVE_S = 55

PREFIX_LIST_PARAMETER = "CloudFrontPrefixListId"

# What cdk-nag (AwsSolutions) and Checkov find and is meant, with the reason.
_OF_THE_DISTRIBUTION = {
    "AwsSolutions-CFR1": "The service is for every country.",
    "AwsSolutions-CFR2": "The web ACL is at the load balancer, where one is planned.",
    "AwsSolutions-CFR3": "Requests are logged at the load balancer, where that is planned.",
    "CKV_AWS_68": "The web ACL is at the load balancer, where one is planned.",
    "CKV_AWS_86": "Requests are logged at the load balancer, where that is planned.",
}
_WITHOUT_OWN_NAME = {
    "AwsSolutions-CFR4": "CloudFront's own name takes no other TLS policy; a name of one's own does.",
    "CKV_AWS_174": "CloudFront's own name takes no other TLS policy; a name of one's own does.",
}
_WITHOUT_HTTPS_ORIGIN = {"AwsSolutions-CFR5": "The load balancer has no certificate; with one, HTTPS goes all the way."}


class WebAcl(Construct):
    """A web ACL of AWS WAF on the load balancer, with as many rules as are planned.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        How many rules, for which tasks, and whether CloudFront stands before them.
    load_balancer : aws_cdk.aws_elasticloadbalancingv2.IApplicationLoadBalancer
        What it protects.

    Attributes
    ----------
    web_acl : aws_cdk.aws_wafv2.CfnWebACL
        The web ACL.

    Notes
    -----
    The groups act as AWS has set them, but for one of the common rules: it refuses a body above 8 KB [1]_, and is told to
    count it instead where the plan has larger requests. Nothing is logged, since that would have a price; CloudWatch
    counts what each rule refuses, and WAF keeps samples.

    Behind CloudFront a client's address is the first in ``X-Forwarded-For``. Whoever writes one there himself has a
    counter of his own for it [2]_.

    References
    ----------
    .. [1] AWS, "Baseline rule groups", read 2026,
       https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
    .. [2] AWS, "Using forwarded IP addresses in AWS WAF", read 2026,
       https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-forwarded-ip-address.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        load_balancer: elbv2.IApplicationLoadBalancer,
    ) -> None:
        super().__init__(scope, construct_id)
        rules = web_acl_rules(config.edge, config.task.operating_system_family)
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            description="Before the load balancer",
            visibility_config=_visibility("WebAcl"),
            # What is refused by a rule of little work is no work for the others.
            rules=[
                _rule(priority, rule, config.edge)
                for priority, rule in enumerate(sorted(rules, key=lambda rule: rule.wcu))
            ],
        )
        wafv2.CfnWebACLAssociation(
            self,
            "Association",
            resource_arn=load_balancer.load_balancer_arn,
            web_acl_arn=self.web_acl.attr_arn,
        )


class Distribution(Construct):
    """CloudFront before the load balancer.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        The names, and the certificate of viewers.
    load_balancer : aws_cdk.aws_elasticloadbalancingv2.IApplicationLoadBalancer
        Where the requests go.
    origin_protocol : aws_cdk.aws_cloudfront.OriginProtocolPolicy
        ``HTTPS_ONLY`` where the load balancer has a certificate, else ``HTTP_ONLY``.

    Attributes
    ----------
    distribution : aws_cdk.aws_cloudfront.Distribution
        The distribution.
    url : str
        Address for viewers.

    Notes
    -----
    A response is cached as long as its ``Cache-Control`` says, and not at all if it says nothing; host, query and
    cookies tell one response from another [1]_. Everything the viewer sends reaches the application.

    Without a name of one's own there is no certificate to set a TLS version on: CloudFront's own name allows TLS 1.0.
    Access logs and a web ACL of CloudFront would have a price of their own; both are at the load balancer, where planned.

    References
    ----------
    .. [1] AWS, "Use managed cache policies", read 2026, ``UseOriginCacheControlHeaders-QueryStrings``,
       https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        load_balancer: elbv2.IApplicationLoadBalancer,
        origin_protocol: cloudfront.OriginProtocolPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = config.edge.cloudfront
        assert settings is not None
        certificate = {}
        if settings.domain_name and settings.certificate_arn:
            certificate = {
                "domain_names": [settings.domain_name],
                "certificate": acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate_arn),
                "minimum_protocol_version": cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            }
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=config.name,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    # Under this name CloudFront checks the load balancer's certificate; else under that of the viewer.
                    config.edge.origin_name or load_balancer.load_balancer_dns_name,
                    protocol_policy=origin_protocol,
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    keepalive_timeout=cdk.Duration.seconds(ORIGIN_KEEPALIVE_S),
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.USE_ORIGIN_CACHE_CONTROL_HEADERS_QUERY_STRINGS,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
                compress=True,
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            **certificate,
        )
        self.url = f"https://{settings.domain_name or self.distribution.distribution_domain_name}"
        findings = dict(_OF_THE_DISTRIBUTION)
        if not certificate:
            findings |= _WITHOUT_OWN_NAME
        if not config.serves_https:
            findings |= _WITHOUT_HTTPS_ORIGIN
        acknowledge(self.distribution, findings)


class DnsName(Construct):
    """A name in Route 53 for the distribution, if viewers use that name for it, else for the load balancer.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        The name and its zone.
    load_balancer : aws_cdk.aws_elasticloadbalancingv2.IApplicationLoadBalancer
        The load balancer.
    distribution : Distribution or None
        The distribution; None for none.

    Notes
    -----
    An alias record, because Route 53 does not bill the queries for it, and because it can be the name of the zone
    itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        load_balancer: elbv2.IApplicationLoadBalancer,
        distribution: Distribution | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        domain = config.edge.domain
        assert domain is not None
        zone = _hosted_zone(self, domain)
        # A name with its final dot is not completed with that of the zone.
        name = f"{domain.name}."
        if distribution is not None and config.edge.domain_is_of_cloudfront:
            target = route53.RecordTarget.from_alias(targets.CloudFrontTarget(distribution.distribution))
            route53.ARecord(self, "Ipv4", zone=zone, record_name=name, target=target)
            route53.AaaaRecord(self, "Ipv6", zone=zone, record_name=name, target=target)
        else:
            target = route53.RecordTarget.from_alias(targets.LoadBalancerTarget(load_balancer))
            route53.ARecord(self, "Ipv4", zone=zone, record_name=name, target=target)


def make_certificate(scope: Construct, config: StackConfig) -> acm.ICertificate:
    """Make the load balancer's certificate for the name in Route 53, where it is validated too.

    Parameters
    ----------
    scope : constructs.Construct
        The stack, or a part of it.
    config : StackConfig
        The name and its zone.

    Returns
    -------
    aws_cdk.aws_certificatemanager.ICertificate
        The certificate, which ACM gives for nothing, and renews.
    """
    domain = config.edge.domain
    assert domain is not None
    return acm.Certificate(
        scope,
        "Certificate",
        domain_name=domain.name,
        validation=acm.CertificateValidation.from_dns(_hosted_zone(scope, domain)),
    )


def cloudfront_peer(scope: Construct, region: str) -> ec2.IPeer:
    """Find the addresses from which CloudFront asks, as a parameter of the stack.

    Parameters
    ----------
    scope : constructs.Construct
        The stack, or a part of it.
    region : str
        The stack's region.

    Returns
    -------
    aws_cdk.aws_ec2.IPeer
        AWS's managed prefix list, which each region knows by another id.

    Notes
    -----
    In a security group the list counts for 55 rules [1]_, and a group takes 60 unless the quota is raised: it can be
    given one port, not two.

    References
    ----------
    .. [1] AWS, "AWS-managed prefix lists", read 2026,
       https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
    """
    stack = cdk.Stack.of(scope)
    parameter = stack.node.try_find_child(PREFIX_LIST_PARAMETER) or cdk.CfnParameter(
        stack,
        PREFIX_LIST_PARAMETER,
        type="String",
        allowed_pattern="pl-[0-9a-f]+",
        constraint_description="must be the id of a prefix list, such as pl-0123456789abcdef0",
        description="Prefix list of CloudFront's addresses in this region, found with: "
        f"aws ec2 describe-managed-prefix-lists --region {region} "
        "--filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing "
        "--query PrefixLists[0].PrefixListId --output text",
    )
    return ec2.Peer.prefix_list(parameter.value_as_string)


def _rule(priority: int, rule: RuleConfig, edge: EdgeConfig) -> wafv2.CfnWebACL.RuleProperty:
    of = wafv2.CfnWebACL
    settings: dict[str, Any]
    if rule.name == RATE_LIMIT:
        limit = _rate_limit(edge.cloudfront is not None)
        settings = {"statement": of.StatementProperty(rate_based_statement=limit)} | {
            "action": of.RuleActionProperty(block={})
        }
    else:
        counted = of.RuleActionOverrideProperty(name=BODY_LIMIT, action_to_use=of.RuleActionProperty(count={}))
        group = of.ManagedRuleGroupStatementProperty(
            vendor_name="AWS",
            name=rule.name,
            rule_action_overrides=[counted] if rule.limits_bodies and edge.large_bodies else None,
        )
        settings = {"statement": of.StatementProperty(managed_rule_group_statement=group)} | {
            "override_action": of.OverrideActionProperty(none={})
        }
    return of.RuleProperty(name=rule.name, priority=priority, visibility_config=_visibility(rule.name), **settings)


def _rate_limit(behind_cloudfront: bool) -> wafv2.CfnWebACL.RateBasedStatementProperty:
    of = wafv2.CfnWebACL
    limit = {"limit": RATE_LIMIT_REQUESTS, "evaluation_window_sec": RATE_LIMIT_WINDOW_S}
    if not behind_cloudfront:
        return of.RateBasedStatementProperty(aggregate_key_type="IP", **limit)
    return of.RateBasedStatementProperty(
        aggregate_key_type="FORWARDED_IP",
        # A header that is no address has not been written by CloudFront alone.
        forwarded_ip_config=of.ForwardedIPConfigurationProperty(
            header_name="X-Forwarded-For", fallback_behavior="MATCH"
        ),
        **limit,
    )


def _visibility(metric_name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric_name, sampled_requests_enabled=True
    )


def _hosted_zone(scope: Construct, domain: DomainConfig) -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(
        scope, "HostedZone", hosted_zone_id=domain.hosted_zone_id, zone_name=domain.hosted_zone_name
    )
