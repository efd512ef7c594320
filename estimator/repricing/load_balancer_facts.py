"""The load balancer: from the service's target group over listeners and rules to it, and what stands in front of it.

Notes
-----
What a template leaves out is AWS's default: 300 s of draining, a health check of ``/`` every 30 s, an internet-facing load balancer with public IPv4
addresses, no access logs and no reserved capacity [1]_.

References
----------
.. [1] AWS, "AWS::ElasticLoadBalancingV2::LoadBalancer" and "AWS::ElasticLoadBalancingV2::TargetGroup", CloudFormation Template Reference, read 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from estimator.billing.lcu import FREE_RULES_PER_REQUEST
from estimator.repricing.reading import ASSUMED, NOT_PRICED, Reading, number_of, pairs_of, truth, why_unknown
from estimator.repricing.service_facts import TARGET_GROUP, attached_of
from estimator.repricing.stacks import Resource
from estimator.repricing.tokens import is_known

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_LISTENER, _RULE = "AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule"
_DISTRIBUTION, _VPC_ORIGIN = "AWS::CloudFront::Distribution", "AWS::CloudFront::VpcOrigin"
_WEB_ACL, _ASSOCIATION = "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"
#: AWS, "AWS WAF pricing", intelligent threat mitigation, read 2026.
_PAID_GROUPS = {
    "AWSManagedRulesBotControlRuleSet": "Bot Control",
    "AWSManagedRulesATPRuleSet": "Account takeover prevention",
    "AWSManagedRulesACFPRuleSet": "Account creation fraud prevention",
    "AWSManagedRulesAntiDDoSRuleSet": "Anti-DDoS protection",
}
#: AWS, "Target groups for your Application Load Balancers", read 2026. [s]
_DEREGISTRATION_DELAY_S, _HEALTH_CHECK_INTERVAL_S = 300, 30
#: AWS, "Update the IP address types for your Application Load Balancer", read 2026.
_WITHOUT_IPV4 = "dualstack-without-public-ipv4"


def read_target_group(reading: Reading, service: Resource) -> Resource | None:
    """Read the target group of the service.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.

    Returns
    -------
    Resource or None
        None if none of the stacks has it.
    """
    groups = [
        reading.world.target(entry.get("TargetGroupArn"), TARGET_GROUP) for entry in service.entries("LoadBalancers")
    ]
    group = reading.world.target(attached_of(reading.world, service).get("TargetGroupArn"), TARGET_GROUP)
    reading.use(*groups)
    # The second group of blue/green.
    for entry in service.entries("LoadBalancers"):
        advanced = entry.get("AdvancedConfiguration")
        if isinstance(advanced, Mapping):
            reading.use(reading.world.target(advanced.get("AlternateTargetGroupArn"), TARGET_GROUP))
    if len(groups) > 1:
        which = "one that stands elsewhere" if group is None else group.logical_id
        text = f"It stands behind {len(groups)} target groups; the health check and the draining are those of {which}."
        reading.note(ASSUMED, service, text)
    if group is None:
        why = f"the target group of {service.logical_id} stands in none of the given stacks"
        for name in ("health_check_path", "health_check_interval_s", "deregistration_delay_s"):
            reading.leave(f"application.{name}", why)
        return None
    reading.read("application.health_check_path", group, "HealthCheckPath", "/")
    reading.read("application.health_check_interval_s", group, "HealthCheckIntervalSeconds", _HEALTH_CHECK_INTERVAL_S)
    attributes = pairs_of(group.entries("TargetGroupAttributes"))
    delay = attributes.get("deregistration_delay.timeout_seconds", _DEREGISTRATION_DELAY_S)
    if number_of(delay) is None:
        reading.leave(
            "application.deregistration_delay_s", why_unknown(f"{group.logical_id}: the deregistration delay", delay)
        )
    else:
        said = "deregistration_delay.timeout_seconds" in attributes
        reading.say("application.deregistration_delay_s", number_of(delay), *([group] if said else []))
    return group


def read_load_balancer(reading: Reading, service: Resource, group: Resource | None) -> Resource | None:
    """Read the load balancer that forwards to a target group.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    group : Resource, optional
        Its target group.

    Returns
    -------
    Resource or None
        None if none of the stacks has it.
    """
    world = reading.world
    listeners, rules = _listeners(reading, group)
    reading.use(*listeners, *rules)
    found = [world.target(listener.get("LoadBalancerArn"), LOAD_BALANCER) for listener in listeners]
    balancers = list(dict.fromkeys(one for one in found if one is not None and _is_application(one)))
    _rules_of(reading, listeners)
    if not balancers and not listeners and not rules:
        balancers = _only_one(reading, service)
    _security(reading, listeners)
    if not balancers:
        why = f"the load balancer of {service.logical_id} stands in none of the given stacks"
        for name in ("network.load_balancer_ipv4", "extras.alb_access_logs", "extras.reserved_lcu"):
            reading.leave(name, why)
        reading.note(
            ASSUMED, service, f"{why[0].upper()}{why[1:]}: its hours and capacity units are on the bill all the same."
        )
        _web_acl(reading, None)
        return None
    balancer = balancers[0]
    if len(balancers) > 1:
        reading.note(
            NOT_PRICED,
            balancers[1:],
            f"It is reached by {len(balancers)} load balancers; {balancer.logical_id} alone is on the bill.",
        )
        reading.use(*balancers[1:])
    _addresses(reading, balancer)
    units = balancer.get("MinimumLoadBalancerCapacity.CapacityUnits", 0)
    if number_of(units) is None:
        reading.leave("extras.reserved_lcu", why_unknown(f"{balancer.logical_id}: its reserved capacity units", units))
    else:
        reading.say("extras.reserved_lcu", number_of(units), *([balancer] if units else []))
    _access_logs(reading, balancer)
    _web_acl(reading, balancer)
    return balancer


def _listeners(reading: Reading, group: Resource | None) -> tuple[list[Resource], list[Resource]]:
    """Find the listeners that lead to a target group, first those that forward to it themselves."""
    world = reading.world
    if group is None:
        return [], []
    direct = [one for one in world.of_type(_LISTENER) if _forwards(reading, one.entries("DefaultActions"), group)]
    rules = [one for one in world.of_type(_RULE) if _forwards(reading, one.entries("Actions"), group)]
    by_rule = [world.target(rule.get("ListenerArn"), _LISTENER) for rule in rules]
    return list(dict.fromkeys([*direct, *(one for one in by_rule if one is not None)])), rules


def _is_application(balancer: Resource) -> bool:
    kind = balancer.get("Type", "application")
    return not is_known(kind) or str(kind) == "application"


def _rules_of(reading: Reading, listeners: list[Resource]) -> None:
    """Hold the listeners' rules against those that the scenario counts; up to ten of a request cost nothing."""
    name = "request.rules_evaluated_per_request"
    counted = reading.own(name) or 0
    for listener in listeners:
        rules = [one for one in reading.world.of_type(_RULE) if reading.world.means(one.get("ListenerArn"), listener)]
        if len(rules) > max(FREE_RULES_PER_REQUEST, counted):
            text = f"{len(rules)} rules stand in it; the scenario counts {counted:g} evaluated per request ({name})."
            reading.note(ASSUMED, listener, text)


def _forwards(reading: Reading, actions: list[Mapping[str, Any]], group: Resource) -> bool:
    return any(reading.world.means(arn, group) for action in actions for arn in _groups_of(action))


def _groups_of(action: Mapping[str, Any]) -> Iterator[Any]:
    if action.get("TargetGroupArn") is not None:
        yield action["TargetGroupArn"]
    forward = action.get("ForwardConfig")
    groups = forward.get("TargetGroups") if isinstance(forward, Mapping) else None
    for each in groups if isinstance(groups, list) else []:
        if isinstance(each, Mapping):
            yield each.get("TargetGroupArn")


def _only_one(reading: Reading, service: Resource) -> list[Resource]:
    """Take the one load balancer there is where no listener leads to it, and say so."""
    balancers = [one for one in reading.world.of_type(LOAD_BALANCER) if _is_application(one)]
    if len(balancers) != 1:
        return []
    reading.note(
        ASSUMED,
        balancers,
        f"It is taken for the load balancer of {service.logical_id}: no listener leads from one to the other.",
    )
    return balancers


def _security(reading: Reading, listeners: list[Resource]) -> None:
    """Read certificate and mutual TLS from the listeners that forward to the tasks."""
    if not listeners:
        for name in ("application.certificate_arn", "request.mutual_tls"):
            reading.leave(name, "no listener of the given stacks leads to the target group")
        return
    secure = [one for one in listeners if str(one.get("Protocol")) == "HTTPS"]
    certificates = [each.get("CertificateArn") for one in secure for each in one.entries("Certificates")]
    arn = next((each for each in certificates if each is not None), None)
    reading.say("application.certificate_arn", str(arn) if arn is not None else None, *(secure or listeners))
    modes = {str(one.get("MutualAuthentication.Mode", "off")) for one in listeners}
    if "passthrough" in modes:
        reading.note(ASSUMED, listeners, "Mutual TLS passes through without a trust store; it is counted as none.")
    reading.say(
        "request.mutual_tls", "verify" in modes, *([one for one in listeners if one.get("MutualAuthentication")])
    )
    reading.use(*reading.world.of_type("AWS::ElasticLoadBalancingV2::TrustStore") if "verify" in modes else ())


def _addresses(reading: Reading, balancer: Resource) -> None:
    scheme, kind = balancer.get("Scheme", "internet-facing"), balancer.get("IpAddressType", "ipv4")
    if not is_known([scheme, kind]):
        reading.leave(
            "network.load_balancer_ipv4",
            why_unknown(f"{balancer.logical_id}: its scheme or address type", [scheme, kind]),
        )
        reading.use(balancer)
        return
    internal = str(scheme) == "internal"
    if internal:
        text = "It is internal: it has no public addresses; what it sends is priced as if it went to the internet, as the scenario's requests do."
        reading.note(ASSUMED, balancer, text)
    reading.say("network.load_balancer_ipv4", not internal and str(kind) != _WITHOUT_IPV4, balancer)


# Logs and what stands in front.


def _access_logs(reading: Reading, balancer: Resource) -> None:
    attributes = pairs_of(balancer.entries("LoadBalancerAttributes"))
    enabled = attributes.get("access_logs.s3.enabled", False)
    if not is_known(enabled):
        reading.leave("extras.alb_access_logs", why_unknown(f"{balancer.logical_id}: access_logs.s3.enabled", enabled))
        return
    on = truth(enabled)
    reading.say("extras.alb_access_logs", on, *([balancer] if on else []))
    if on:
        read_bucket(reading, attributes.get("access_logs.s3.bucket"), balancer)
    for name in ("connection_logs.s3.enabled", "health_check_logs.s3.enabled"):
        if truth(attributes.get(name, False)):
            reading.note(NOT_PRICED, balancer, f"{name.partition('.')[0].replace('_', ' ').capitalize()} in S3.")


def read_bucket(reading: Reading, name: Any, source: Resource) -> None:
    """Read after how many days a bucket of logs lets them go.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    name : object
        Its name, as the resource gives it.
    source : Resource
        What writes into it.
    """
    field = "extras.s3_log_retention_days"
    bucket = reading.world.target(name, "AWS::S3::Bucket")
    if bucket is None:
        reading.leave(field, f"the bucket of {source.logical_id} stands in none of the given stacks")
        return
    reading.use(bucket)
    rules = bucket.entries("LifecycleConfiguration.Rules")
    days = [number_of(rule.get("ExpirationInDays")) for rule in rules if rule.get("Status", "Enabled") == "Enabled"]
    known = [each for each in days if each is not None]
    if not known:
        reading.leave(field, f"{bucket.logical_id} keeps logs for ever")
    elif field in reading.facts and reading.facts[field][0] != max(known):
        other = reading.facts[field]
        reading.note(
            ASSUMED,
            bucket,
            f"It keeps logs {max(known)} days and {', '.join(other[1])} {other[0]}: the bill has one number of days, {other[0]}.",
        )
    else:
        reading.say(field, max(known), bucket)


def _web_acl(reading: Reading, balancer: Resource | None) -> None:
    """Read the web ACL that protects the load balancer; one of another stack is what an association with none of these means."""
    world = reading.world
    for association in world.of_type(_ASSOCIATION):
        if world.target(association.get("ResourceArn"), LOAD_BALANCER) is not balancer:
            continue
        acl = world.target(association.get("WebACLArn"), _WEB_ACL)
        if acl is None:
            reading.leave(
                "extras.waf_rules", f"the web ACL of {association.logical_id} stands in none of the given stacks"
            )
            reading.use(association)
            return
        reading.say("extras.waf_rules", len(acl.entries("Rules")), acl, association)
        _paid_groups(reading, acl)
        return
    reading.say("extras.waf_rules", None)


def _paid_groups(reading: Reading, acl: Resource) -> None:
    """Name groups of rules that cost more than a rule does."""
    for rule in acl.entries("Rules"):
        statement = rule.get("Statement")
        group = statement.get("ManagedRuleGroupStatement") if isinstance(statement, Mapping) else None
        if not isinstance(group, Mapping):
            continue
        name, vendor = str(group.get("Name")), str(group.get("VendorName", "AWS"))
        if name in _PAID_GROUPS:
            reading.note(NOT_PRICED, acl, f"{_PAID_GROUPS[name]} ({name}), with its fee and its requests.")
        elif vendor != "AWS":
            reading.note(NOT_PRICED, acl, f"The rules {name} of {vendor}, with their subscription.")


def read_cloudfront(reading: Reading, balancer: Resource | None) -> None:
    """Say whether CloudFront stands in front of the load balancer.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    balancer : Resource, optional
        The load balancer.
    """
    field = "request.behind_cloudfront"
    world = reading.world
    for distribution in world.of_type(_DISTRIBUTION):
        for origin in distribution.entries("DistributionConfig.Origins"):
            if _leads_to(reading, origin, balancer):
                reading.say(field, True, distribution)
                if distribution.get("DistributionConfig.WebACLId") is not None:
                    text = "Its web ACL is priced only with a flat-rate plan (extras.cloudfront_plan): the bill's own web ACL stands at the load balancer."
                    reading.note(NOT_PRICED, distribution, text)
                if distribution.get("DistributionConfig.Logging") is not None:
                    reading.note(NOT_PRICED, distribution, "Its access logs in S3.")
                return
    if balancer is None and world.of_type(_DISTRIBUTION):
        reading.leave(field, "the load balancer stands in none of the given stacks")
    else:
        reading.say(field, False)


def _leads_to(reading: Reading, origin: Mapping[str, Any], balancer: Resource | None) -> bool:
    world = reading.world
    if balancer is None:
        return str(origin.get("DomainName")).rstrip(".").endswith((".elb.amazonaws.com", ".elb.amazonaws.com.cn"))
    if world.means(origin.get("DomainName"), balancer):
        return True
    private = origin.get("VpcOriginConfig")
    if isinstance(private, Mapping):
        own = world.target(private.get("VpcOriginId"), _VPC_ORIGIN)
        if own is not None and world.means(own.get("VpcOriginEndpointConfig.Arn"), balancer):
            reading.use(own)
            return True
    # A name of its own, which a record leads to the load balancer.
    name = origin.get("DomainName")
    records = [one for one in world.of_type("AWS::Route53::RecordSet") if _same_name(one.get("Name"), name)]
    return any(world.means(one.get("AliasTarget.DNSName"), balancer) for one in records)


def _same_name(first: Any, second: Any) -> bool:
    return first is not None and str(first).rstrip(".").lower() == str(second).rstrip(".").lower()


def unpriced_front(reading: Reading) -> None:
    """Name web ACLs that nothing ties to the load balancer.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    """
    for acl in reading.world.of_type(_WEB_ACL):
        if acl.token not in reading.used:
            scope = acl.get("Scope")
            kind = (
                "of CloudFront" if str(scope) == "CLOUDFRONT" else "that protects something else than the load balancer"
            )
            reading.note(NOT_PRICED, acl, f"A web ACL {kind}, with {len(acl.entries('Rules'))} rules.")
            reading.use(acl)
