"""The load balancer: the service's public address, its listeners, and its target groups."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .config import StackConfig
from .edge import cloudfront_peer, make_certificate
from .load_balancer_config import ExistingLoadBalancerConfig
from .log_storage import acknowledge
from .network import ServiceNetwork

HTTP_PORT, HTTPS_PORT = 80, 443

EVERYBODY = "0.0.0.0/0"

PRIORITY_PARAMETER = "ListenerRulePriority"
TEST_CIDR_PARAMETER = "TestListenerCidr"

_FOR_EVERYBODY = {
    "AwsSolutions-EC23": "A service for everybody; load_balancer.ingress_cidrs makes it one for fewer.",
    "CKV_AWS_260": "A service for everybody; with a certificate this port only redirects.",
}
_FOR_TESTERS = {
    "AwsSolutions-EC23": "Closed until the parameter names somebody, which it takes everybody but everybody for."
}


class ServiceLoadBalancer(Construct):
    """An Application Load Balancer, of one's own or there already, with one target group, or two that take turns.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        What it serves, to whom, and how the tasks are replaced.
    network : ServiceNetwork
        Where it stands.
    log_bucket : aws_cdk.aws_s3.IBucket or None
        Where its access logs go, if they are planned.

    Attributes
    ----------
    load_balancer : aws_cdk.aws_elasticloadbalancingv2.IApplicationLoadBalancer
        The load balancer.
    security_group : aws_cdk.aws_ec2.ISecurityGroup
        Its security group.
    listener, test_listener : aws_cdk.aws_elasticloadbalancingv2.IApplicationListener or None
        The listener for everybody, and that for trying a new revision; None where there is none.
    target_group, alternate_target_group : aws_cdk.aws_elasticloadbalancingv2.ApplicationTargetGroup or None
        The tasks, once a service is attached, and those of the other revision; None where one group is enough.
    rule, test_rule : aws_cdk.aws_elasticloadbalancingv2.ApplicationListenerRule or None
        The rules by which ECS shifts requests from one group to the other; None where it has no need of one.
    url : str
        Address of the load balancer: its domain, if it has one. Browsers accept a certificate only under the domain it
        was issued for.
    test_url : str or None
        Address of the test listener.

    Notes
    -----
    ECS shifts requests by rules and CodeDeploy by listeners [1]_: of the listeners made here only those of ECS have rules. A
    rule for every path comes before the default action, which then answers nobody. It forwards all the same, so that a
    service that was deployed otherwise before is reached until the rule is there. A listener that was there already keeps its
    default action, and is given a rule with either; that CodeDeploy shifts such a rule has not been tried.

    The test listener is open to nobody at first. The parameter ``TestListenerCidr`` opens it to the addresses of the testers,
    and takes everything but the whole internet.

    References
    ----------
    .. [1] AWS, "Application Load Balancer resources for blue/green, linear, and canary deployments", read 2026,
       https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        network: ServiceNetwork,
        log_bucket: s3.IBucket | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._vpc = network.vpc
        deployment = config.service.deployment
        self.target_group = self._target_group("Tasks")
        self.alternate_target_group = self._target_group("AlternateTasks") if deployment.has_two_target_groups else None
        self.rule: elbv2.ApplicationListenerRule | None = None
        self.test_rule: elbv2.ApplicationListenerRule | None = None
        self.test_listener: elbv2.IApplicationListener | None = None
        self.test_url: str | None = None
        existing = config.load_balancer.existing
        if existing:
            self._use(existing)
        else:
            self._make(network, log_bucket)

    @property
    def _by_rules(self) -> bool:
        deployment = self._config.service.deployment
        return deployment.has_two_target_groups and not deployment.by_code_deploy

    @property
    def _protocol(self) -> elbv2.ApplicationProtocol:
        return elbv2.ApplicationProtocol.HTTPS if self._config.serves_https else elbv2.ApplicationProtocol.HTTP

    def _address(self, port: int) -> str:
        https = self._config.serves_https
        known = port == (HTTPS_PORT if https else HTTP_PORT)
        name = self._config.edge.origin_name or self.load_balancer.load_balancer_dns_name
        return f"{'https' if https else 'http'}://{name}{'' if known else f':{port}'}"

    def _target_group(self, construct_id: str) -> elbv2.ApplicationTargetGroup:
        application, timings = self._config.application, self._config.load_balancer
        return elbv2.ApplicationTargetGroup(
            self,
            construct_id,
            vpc=self._vpc,
            target_type=elbv2.TargetType.IP,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=application.container_port,
            deregistration_delay=cdk.Duration.seconds(timings.deregistration_delay_s),
            health_check=elbv2.HealthCheck(
                path=application.health_check_path,
                # A redirect, say to a login page, is the answer of a living application. "200,399" would be two codes.
                healthy_http_codes="200-399",
                interval=cdk.Duration.seconds(timings.health_check_interval_s),
                # AWS takes 5 s by default, and insists that it is shorter than the interval, which may be 5 s.
                timeout=cdk.Duration.seconds(min(5, timings.health_check_interval_s - 1)),
                # A new task needs one success whatever stands here: this is for those that were failing.
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _make(self, network: ServiceNetwork, log_bucket: s3.IBucket | None) -> None:
        config = self._config
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="Load balancer: in from its clients, out to the tasks only",
            # The port of the tasks is added with the service.
            allow_all_outbound=False,
        )
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Alb",
            vpc=network.vpc,
            vpc_subnets=network.load_balancer_subnets,
            internet_facing=True,
            security_group=self.security_group,
            drop_invalid_header_fields=True,
            deletion_protection=config.load_balancer.deletion_protection or None,
            minimum_capacity_unit=config.load_balancer.reserved_lcu or None,
        )
        self.load_balancer: elbv2.IApplicationLoadBalancer = load_balancer
        if config.load_balancer.access_logs and log_bucket is not None:
            load_balancer.log_access_logs(log_bucket, "load-balancer")
        self._open_to_clients()
        certificates = [self._certificate()] if config.serves_https else None
        self.listener = self._add_listener(
            load_balancer, "Https" if certificates else "Http", HTTPS_PORT if certificates else HTTP_PORT, certificates
        )
        self.url = self._address(HTTPS_PORT if certificates else HTTP_PORT)
        if certificates and not config.edge.cloudfront:
            load_balancer.add_listener(
                "HttpRedirect",
                port=HTTP_PORT,
                protocol=elbv2.ApplicationProtocol.HTTP,
                open=False,
                default_action=elbv2.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
            )
        if self.alternate_target_group is not None:
            port = config.load_balancer.test_port
            self.test_listener = self._add_listener(load_balancer, "Test", port, certificates)
            self.test_url = self._address(port)
            self._open_to_testers(port)
        if self._by_rules:
            self.rule = self._add_rule("Production", self.listener, 1)
            self.test_rule = self._add_rule("TestRule", self.test_listener, 1)

    def _add_listener(
        self,
        load_balancer: elbv2.ApplicationLoadBalancer,
        construct_id: str,
        port: int,
        certificates: list[acm.ICertificate] | None,
    ) -> elbv2.ApplicationListener:
        if construct_id == "Test" and not self._by_rules:
            action = elbv2.ListenerAction.forward([self.alternate_target_group])
        else:
            action = elbv2.ListenerAction.forward([self.target_group])
        return load_balancer.add_listener(
            construct_id,
            port=port,
            protocol=self._protocol,
            # Who may reach it is said above.
            open=False,
            certificates=certificates,
            # TLS 1.2 and 1.3.
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS if certificates else None,
            default_action=action,
        )

    def _certificate(self) -> acm.ICertificate:
        arn = self._config.application.certificate_arn
        if arn is None:
            return make_certificate(self, self._config)
        return elbv2.ListenerCertificate.from_arn(arn)

    def _add_rule(
        self, construct_id: str, listener: elbv2.IApplicationListener | None, priority: int
    ) -> elbv2.ApplicationListenerRule:
        """Forward every request to the target group, and none to the other: ECS changes the weights at a deployment."""
        groups = [elbv2.WeightedTargetGroup(target_group=self.target_group, weight=1)]
        if self.alternate_target_group is not None:
            groups.append(elbv2.WeightedTargetGroup(target_group=self.alternate_target_group, weight=0))
        return elbv2.ApplicationListenerRule(
            self,
            construct_id,
            listener=listener,
            priority=priority,
            conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
            action=elbv2.ListenerAction.weighted_forward(groups),
        )

    def _open_to_clients(self) -> None:
        config = self._config
        ports = [HTTPS_PORT, HTTP_PORT] if config.serves_https else [HTTP_PORT]
        if config.edge.cloudfront:
            # One port, and nobody but CloudFront: whoever goes round it goes round its rules.
            peer = cloudfront_peer(self, config.region)
            self.security_group.add_ingress_rule(peer, ec2.Port.tcp(ports[0]), "CloudFront")
            return
        if EVERYBODY in config.load_balancer.ingress_cidrs:
            acknowledge(self.security_group, _FOR_EVERYBODY)
        for port in ports:
            for cidr in config.load_balancer.ingress_cidrs:
                self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(port), f"Clients, port {port}")

    def _open_to_testers(self, port: int) -> None:
        stack = cdk.Stack.of(self)
        parameter = cdk.CfnParameter(
            stack,
            TEST_CIDR_PARAMETER,
            default="",
            description=f"IPv4 addresses that may try a new revision on port {port}, such as 203.0.113.0/24; empty for nobody.",
            allowed_pattern=r"|(\d{1,3}\.){3}\d{1,3}/([1-9]|[12]\d|3[0-2])",
            constraint_description="addresses such as 203.0.113.0/24, but not all, or nothing are needed",
        )
        someone = cdk.CfnCondition(
            stack,
            "TestListenerIsOpen",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(parameter.value_as_string, "")),
        )
        ingress = ec2.CfnSecurityGroupIngress(
            self,
            "Testers",
            group_id=self.security_group.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ip=parameter.value_as_string,
            description="Testers of a new revision",
        )
        ingress.cfn_options.condition = someone
        acknowledge(ingress, _FOR_TESTERS)

    def _use(self, existing: ExistingLoadBalancerConfig) -> None:
        """Add a rule to a listener that is there already; who may reach it is set where it is kept."""
        self.security_group = ec2.SecurityGroup.from_security_group_id(
            self,
            "SecurityGroup",
            existing.security_group_id,
            # Else no way to the tasks would be opened: a second one to all does no harm.
            allow_all_outbound=False,
        )
        self.load_balancer = elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes(
            self,
            "Alb",
            load_balancer_arn=existing.arn,
            security_group_id=existing.security_group_id,
            load_balancer_dns_name=existing.dns_name,
            security_group_allows_all_outbound=False,
            vpc=self._vpc,
        )
        priority = cdk.CfnParameter(
            cdk.Stack.of(self),
            PRIORITY_PARAMETER,
            type="Number",
            default=50_000,
            min_value=1,
            max_value=50_000,
            description="Place of the service's rule among those of the listener, which has to be free; by default after all.",
        ).value_as_number
        self.listener = self._existing_listener("Listener", existing.listener_arn)
        self.rule = self._add_rule("Production", self.listener, priority)
        self.url = self._address(HTTPS_PORT if self._config.serves_https else HTTP_PORT)
        if self.alternate_target_group is not None and existing.test_listener_arn is not None:
            self.test_listener = self._existing_listener("Test", existing.test_listener_arn)
            self.test_rule = self._add_rule("TestRule", self.test_listener, priority)

    def _existing_listener(self, construct_id: str, arn: str) -> elbv2.IApplicationListener:
        return elbv2.ApplicationListener.from_application_listener_attributes(
            self, construct_id, listener_arn=arn, security_group=self.security_group
        )
