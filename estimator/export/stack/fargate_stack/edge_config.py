"""What stands before the load balancer: the web ACL and its rules, CloudFront, and a name in DNS."""

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .section import ConfigError, Section

if TYPE_CHECKING:
    from .config import StackConfig

# AWS, "Web ACL capacity units (WCUs) in AWS WAF", read 2026: "The basic price for a web ACL includes up to 1,500 WCUs".
INCLUDED_WCU = 1500

LINUX_ONLY, WINDOWS_ONLY = ("LINUX",), ("WINDOWS_SERVER_2022_CORE",)
ANY_SYSTEM = LINUX_ONLY + WINDOWS_ONLY

RATE_LIMIT = "RateLimit"

# AWS, "Baseline rule groups", read 2026: the rule of the common rule set that refuses bodies above 8 KB.
BODY_LIMIT = "SizeRestrictions_BODY"

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN_NAME = rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+"
_NAME_NEEDED = "a name in small letters such as 'www.example.com'"
_HOSTED_ZONE_ID = r"Z[A-Z0-9]{1,31}"
# CloudFront looks for certificates there only.
_CLOUDFRONT_CERTIFICATE_ARN = r"arn:aws:acm:us-east-1:\d{12}:certificate/[A-Za-z0-9-]+"


@dataclass(frozen=True)
class RuleConfig:
    """One rule of the web ACL, and one on the bill: a managed group counts as one, whatever it holds [1]_.

    Attributes
    ----------
    name : str
        Name of AWS's managed rule group, or `RATE_LIMIT` for the rule that limits the rate of each client.
    wcu : int
        Capacity that it takes. [WCU]
    by_address : bool
        Whether it looks at the address that the request comes from, which behind CloudFront is CloudFront's own.
    limits_bodies : bool
        Whether `BODY_LIMIT` is one of its rules.
    operating_system_families : tuple[str, ...]
        Tasks that it is for.

    References
    ----------
    .. [1] AWS, "Security Services Best Practices", "WAF cost", read 2026: "Each rule group (whether custom or managed)
       counts as a single rule for billing purposes",
       https://aws.github.io/aws-security-services-best-practices/guides/waf/waf-cost/docs/
    """

    name: str
    wcu: int
    by_address: bool = False
    limits_bodies: bool = False
    operating_system_families: tuple[str, ...] = ANY_SYSTEM


# In order of use: a web ACL of three rules has the first three. None of them has a price by request.
# AWS, "AWS Managed Rules rule groups list" and "Using rate-based rule statements", read 2026, for the capacities.
RULES = (
    RuleConfig("AWSManagedRulesCommonRuleSet", 700, limits_bodies=True),
    RuleConfig("AWSManagedRulesKnownBadInputsRuleSet", 200),
    RuleConfig(RATE_LIMIT, 2),
    RuleConfig("AWSManagedRulesAmazonIpReputationList", 25, by_address=True),
    RuleConfig("AWSManagedRulesSQLiRuleSet", 200),
    RuleConfig("AWSManagedRulesAnonymousIpList", 50, by_address=True),
    RuleConfig("AWSManagedRulesLinuxRuleSet", 200, operating_system_families=LINUX_ONLY),
    RuleConfig("AWSManagedRulesUnixRuleSet", 100, operating_system_families=LINUX_ONLY),
    RuleConfig("AWSManagedRulesWindowsRuleSet", 200, operating_system_families=WINDOWS_ONLY),
)


@dataclass(frozen=True)
class CloudFrontConfig:
    """A CloudFront distribution before the load balancer.

    Attributes
    ----------
    domain_name : str or None
        Name of one's own that viewers use; None for CloudFront's.
    certificate_arn : str or None
        ACM certificate of that name, in us-east-1; None without one.
    """

    domain_name: str | None
    certificate_arn: str | None


@dataclass(frozen=True)
class DomainConfig:
    """A name in a hosted zone of Route 53 that is there already.

    Attributes
    ----------
    name : str
        The name.
    hosted_zone_id : str
        Id of the zone.
    hosted_zone_name : str
        Name of the zone, in which the name lies.
    """

    name: str
    hosted_zone_id: str
    hosted_zone_name: str


@dataclass(frozen=True)
class EdgeConfig:
    """What stands before the load balancer.

    Attributes
    ----------
    waf_rules : int or None
        Rules of the web ACL; None for no web ACL.
    large_bodies : bool
        Whether bodies above 8 KB are expected, which the web ACL then counts and does not refuse.
    cloudfront : CloudFrontConfig or None
        The distribution; None for none.
    domain : DomainConfig or None
        The name; None for none.
    """

    waf_rules: int | None
    large_bodies: bool
    cloudfront: CloudFrontConfig | None
    domain: DomainConfig | None

    @property
    def domain_is_of_cloudfront(self) -> bool:
        """Whether the name is the one under which viewers reach the distribution, and not the load balancer's."""
        return (
            self.domain is not None and self.cloudfront is not None and self.domain.name == self.cloudfront.domain_name
        )

    @property
    def origin_name(self) -> str | None:
        """The name of one's own that leads to the load balancer, if there is one."""
        return None if self.domain is None or self.domain_is_of_cloudfront else self.domain.name


def read_edge(section: Section) -> EdgeConfig:
    """Read the key ``edge``.

    Parameters
    ----------
    section : Section
        What the document has there.

    Returns
    -------
    EdgeConfig
        What stands before the load balancer.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    section.check_keys("waf_rules large_bodies cloudfront domain")
    return EdgeConfig(
        waf_rules=section.optional_integer("waf_rules", 0, INCLUDED_WCU),
        large_bodies=section.boolean("large_bodies"),
        cloudfront=_cloudfront(section.optional_section("cloudfront", "domain_name certificate_arn")),
        domain=_domain(section.optional_section("domain", "name hosted_zone_id hosted_zone_name")),
    )


def check_edge(config: "StackConfig") -> None:
    """Refuse what does not go with the rest of the document.

    Parameters
    ----------
    config : StackConfig
        All of the configuration.

    Raises
    ------
    ConfigError
        If there are too many rules, CloudFront could not trust the load balancer's certificate, or the name or the web ACL
        of an existing load balancer is asked for.

    Notes
    -----
    CloudFront speaks HTTPS with an origin whose certificate has the origin's own name or that of the ``Host`` header
    [1]_. The load balancer's own name is never in it, so that one of the two names has to be given.

    References
    ----------
    .. [1] AWS, "HTTP 502 status code (Bad Gateway)", read 2026,
       https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html
    """
    edge = config.edge
    web_acl_rules(edge, config.task.operating_system_family)
    if edge.cloudfront and config.serves_https and not edge.cloudfront.domain_name and edge.origin_name is None:
        raise ConfigError(
            "edge.cloudfront.domain_name is None: the load balancer has a certificate, and CloudFront trusts it under a name of that "
            "certificate only; give the name here or in edge.domain, or leave application.certificate_arn null."
        )
    if config.load_balancer.existing and edge.origin_name is not None:
        raise ConfigError(
            f"edge.domain.name is {edge.origin_name!r}: the name of an existing load balancer is set where that is kept; leave "
            "edge.domain null."
        )
    if config.load_balancer.existing and edge.waf_rules is not None:
        raise ConfigError(
            f"edge.waf_rules is {edge.waf_rules}: an existing load balancer has one web ACL for all its services, set where it is kept; "
            "null is needed."
        )


def web_acl_rules(edge: EdgeConfig, operating_system_family: str) -> tuple[RuleConfig, ...]:
    """Choose the rules of the web ACL: the first of `RULES` that do something for such tasks.

    Parameters
    ----------
    edge : EdgeConfig
        How many, and whether CloudFront stands before them.
    operating_system_family : str
        ``LINUX`` or ``WINDOWS_SERVER_2022_CORE``.

    Returns
    -------
    tuple[RuleConfig, ...]
        As many as ``waf_rules`` says; none without a web ACL.

    Raises
    ------
    ConfigError
        If there are not so many, or they take more capacity than the price includes.
    """
    useful = [
        rule
        for rule in RULES
        if operating_system_family in rule.operating_system_families and not (rule.by_address and edge.cloudfront)
    ]
    fitting = sum(total <= INCLUDED_WCU for total in itertools.accumulate(rule.wcu for rule in useful))
    wanted = edge.waf_rules or 0
    if wanted > fitting:
        raise ConfigError(
            f"edge.waf_rules is {wanted}: at most {fitting} is needed, as many rules as the stack knows for such tasks"
            f"{' behind CloudFront' if edge.cloudfront else ''} within the {INCLUDED_WCU} capacity units that the price of a web ACL "
            "includes; plan with fewer, or write one of your own into RULES in fargate_stack/edge_config.py."
        )
    return tuple(useful[:wanted])


def _cloudfront(section: Section | None) -> CloudFrontConfig | None:
    if section is None:
        return None
    cloudfront = CloudFrontConfig(
        domain_name=section.optional_text("domain_name", _DOMAIN_NAME, f"{_NAME_NEEDED}, or null, is needed"),
        certificate_arn=section.optional_text(
            "certificate_arn",
            _CLOUDFRONT_CERTIFICATE_ARN,
            "the ARN of an ACM certificate in us-east-1, or null, is needed",
        ),
    )
    if cloudfront.domain_name and not cloudfront.certificate_arn:
        raise section.refusal("certificate_arn", None, "the certificate of domain_name, in us-east-1, is needed")
    if cloudfront.certificate_arn and not cloudfront.domain_name:
        raise section.refusal("domain_name", None, "a name that the certificate has is needed")
    return cloudfront


def _domain(section: Section | None) -> DomainConfig | None:
    if section is None:
        return None
    domain = DomainConfig(
        name=section.text("name", _DOMAIN_NAME, f"{_NAME_NEEDED} is needed"),
        hosted_zone_id=section.text(
            "hosted_zone_id", _HOSTED_ZONE_ID, "the id of a hosted zone such as 'Z0123456789ABCDEFGHIJ' is needed"
        ),
        hosted_zone_name=section.text("hosted_zone_name", _DOMAIN_NAME, "a name such as 'example.com' is needed"),
    )
    if not re.fullmatch(rf"(.+\.)?{re.escape(domain.hosted_zone_name)}", domain.name):
        raise section.refusal("name", domain.name, f"a name in the zone {domain.hosted_zone_name!r} is needed")
    return domain
