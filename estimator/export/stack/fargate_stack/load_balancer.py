"""The load balancer: the service's public address."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from .config import ApplicationConfig, LoadBalancerConfig
from .network import ServiceNetwork


class PublicLoadBalancer(Construct):
    """An Application Load Balancer that is open to the internet, and its one target group.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    application : ApplicationConfig
        Port, health-check path and certificate.
    timings : LoadBalancerConfig
        Timings of the target group.
    network : ServiceNetwork
        Where it stands.

    Attributes
    ----------
    listener : aws_cdk.aws_elasticloadbalancingv2.ApplicationListener
        The listener that forwards requests.
    target_group : aws_cdk.aws_elasticloadbalancingv2.ApplicationTargetGroup
        The tasks, once a service is attached.
    url : str
        Address of the load balancer. Browsers accept a certificate only under the domain it was issued for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        application: ApplicationConfig,
        timings: LoadBalancerConfig,
        network: ServiceNetwork,
    ) -> None:
        super().__init__(scope, construct_id)
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Alb",
            vpc=network.vpc,
            vpc_subnets=network.load_balancer_subnets,
            internet_facing=True,
            drop_invalid_header_fields=True,
        )
        self.target_group = elbv2.ApplicationTargetGroup(
            self,
            "Tasks",
            vpc=network.vpc,
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
        if application.certificate_arn is None:
            self.listener = load_balancer.add_listener(
                "Http",
                port=80,
                protocol=elbv2.ApplicationProtocol.HTTP,
                open=True,
                default_target_groups=[self.target_group],
            )
            self.url = f"http://{load_balancer.load_balancer_dns_name}"
        else:
            self.listener = load_balancer.add_listener(
                "Https",
                port=443,
                protocol=elbv2.ApplicationProtocol.HTTPS,
                open=True,
                certificates=[elbv2.ListenerCertificate.from_arn(application.certificate_arn)],
                ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
                default_target_groups=[self.target_group],
            )
            load_balancer.add_listener(
                "HttpRedirect",
                port=80,
                protocol=elbv2.ApplicationProtocol.HTTP,
                open=True,
                default_action=elbv2.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
            )
            self.url = f"https://{load_balancer.load_balancer_dns_name}"
