"""The stack: network, cluster, load balancer, service, its scaling and delivery, and what stands around them, joined and tagged."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from .cluster import ServiceCluster
from .config import StackConfig
from .delivery import Delivery
from .edge import Distribution, DnsName, WebAcl
from .load_balancer import ServiceLoadBalancer
from .log_storage import LogStorage
from .network import ServiceNetwork
from .observability import Observability
from .repository import RepositoryStack
from .scaling import ServiceScaling
from .service import WebService

# What ECS and CodeDeploy write to at a deployment. CloudFormation updates a resource whose tags change, and writes the
# template's target groups back: the traffic would go where no tasks are. So no tag that a new plan changes is on them.
_SHIFTED = ["AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule"]


def add_stacks(app: Construct, config: StackConfig) -> None:
    """Add the stack of the service to an app, and that of its repository if one is planned.

    Parameters
    ----------
    app : constructs.Construct
        The app.
    config : StackConfig
        The numbers.
    """
    stacks: list[cdk.Stack] = [FargateStack(app, config)]
    if config.repository:
        stacks.append(RepositoryStack(app, config))
    for stack in stacks:
        # With these the bill can be laid beside the estimate, and that of one service beside that of another.
        tags = cdk.Tags.of(stack)
        tags.add("estimator:fingerprint", config.fingerprint, exclude_resource_types=_SHIFTED)
        tags.add("estimator:prices-published", config.prices_published, exclude_resource_types=_SHIFTED)
        tags.add("estimator:service", config.name)


class FargateStack(cdk.Stack):
    """Everything that the estimate has priced, and nothing else.

    Parameters
    ----------
    scope : constructs.Construct
        The app.
    config : StackConfig
        The numbers.

    Notes
    -----
    The stack knows its region and no account: with both, the CDK would look up zones in that account, and a synthesis
    without credentials would get invented ones. It has no assets, so that no account has to be bootstrapped: the
    template alone can be deployed. CloudFormation takes it directly up to 51,200 bytes, which is why that of many zones,
    policies or other parts is written without indentation.
    """

    def __init__(self, scope: Construct, config: StackConfig) -> None:
        super().__init__(
            scope,
            config.name,
            env=cdk.Environment(region=config.region),
            synthesizer=cdk.BootstraplessSynthesizer(),
            suppress_template_indentation=_is_large(config),
            description=f"Fargate web service, planned with the prices of {config.prices_published}",
        )
        network = ServiceNetwork(self, "Network", config=config.network)
        storage = LogStorage(self, "LogStorage", config=config, vpc=None if config.network.existing else network.vpc)
        cluster = ServiceCluster(self, "Cluster", config=config.cluster, vpc=network.vpc)
        balancer = ServiceLoadBalancer(self, "LoadBalancer", config=config, network=network, log_bucket=storage.bucket)
        observability = Observability(
            self,
            "Observability",
            config=config,
            load_balancer=balancer.load_balancer,
            target_group=balancer.target_group,
            two_target_groups=balancer.alternate_target_group is not None,
            cluster_name=cluster.cluster.cluster_name,
            service_name=None,
            key=storage.key,
        )
        alarms = observability.rollback_alarms
        web = WebService(
            self,
            "Web",
            config=config,
            network=network,
            cluster=cluster,
            key=storage.key,
            rollback_alarms=alarms,
        )
        delivery = Delivery(
            self,
            "Delivery",
            config=config,
            load_balancer=balancer,
            service=web.service,
            rollback_alarms=alarms,
        )
        observability.watch_service(web.service)
        ServiceScaling(self, "Scaling", config=config, service=web.service, target_group=balancer.target_group)
        distribution = self._add_edge(config, balancer)
        self._add_outputs(cluster, balancer, web, delivery)
        if distribution is not None:
            cdk.CfnOutput(self, "DistributionUrl", value=distribution.url, description="Address of the service")

    def _add_edge(self, config: StackConfig, balancer: ServiceLoadBalancer) -> Distribution | None:
        if config.edge.waf_rules is not None:
            WebAcl(self, "WebAcl", config=config, load_balancer=balancer.load_balancer)
        distribution = None
        if config.edge.cloudfront:
            of = cloudfront.OriginProtocolPolicy
            distribution = Distribution(
                self,
                "Distribution",
                config=config,
                load_balancer=balancer.load_balancer,
                origin_protocol=of.HTTPS_ONLY if config.serves_https else of.HTTP_ONLY,
            )
        if config.edge.domain:
            DnsName(self, "DnsName", config=config, load_balancer=balancer.load_balancer, distribution=distribution)
        return distribution

    def _add_outputs(
        self, cluster: ServiceCluster, balancer: ServiceLoadBalancer, web: WebService, delivery: Delivery
    ) -> None:
        cdk.CfnOutput(self, "LoadBalancerUrl", value=balancer.url, description="Address of the load balancer")
        cdk.CfnOutput(self, "ClusterName", value=cluster.cluster.cluster_name, description="ECS cluster")
        cdk.CfnOutput(self, "ServiceName", value=web.service.service_name, description="ECS service")
        cdk.CfnOutput(self, "LogGroupName", value=web.log_group.log_group_name, description="What the containers print")
        cdk.CfnOutput(
            self,
            "TaskSecurityGroupId",
            value=web.security_group.security_group_id,
            description="Security group of the tasks, to be let in by what they use",
        )
        if balancer.test_url is not None:
            cdk.CfnOutput(
                self, "TestUrl", value=balancer.test_url, description="Address of the new revision in a deployment"
            )
        group = delivery.deployment_group
        if group is not None:
            cdk.CfnOutput(
                self, "CodeDeployApplication", value=group.application.application_name, description="CodeDeploy"
            )
            cdk.CfnOutput(
                self, "CodeDeployDeploymentGroup", value=group.deployment_group_name, description="CodeDeploy"
            )
            cdk.CfnOutput(
                self,
                "TaskDefinitionArn",
                value=web.task_definition.task_definition_arn,
                description="The newest task definition, for the AppSpec of the next deployment",
            )


def _is_large(config: StackConfig) -> bool:
    """Guess whether the template would be above what CloudFormation takes directly, were it easy to read."""
    parts = [
        config.network.availability_zones - 2,
        (len(config.scaling) + len(config.scheduled_actions)) // 2,
        len(config.application.sidecars),
        config.observability.standard_alarms // 2,
        2 * config.observability.dashboards,
        config.edge.waf_rules or 0,
        2 * bool(config.edge.cloudfront),
        2 * config.service.deployment.has_two_target_groups,
        config.load_balancer.access_logs + bool(config.network.flow_logs) + config.security.kms_keys,
    ]
    return sum(parts) > 2
