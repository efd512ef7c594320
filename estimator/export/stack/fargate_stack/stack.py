"""The stack: network, cluster, load balancer, service and scaling, joined and tagged."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from constructs import Construct

from .cluster import ServiceCluster
from .config import StackConfig
from .load_balancer import PublicLoadBalancer
from .network import ServiceNetwork
from .scaling import ServiceScaling
from .service import WebService


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
    template alone can be deployed. CloudFormation takes it directly up to 51,200 bytes, which is why that of many zones
    or policies is written without indentation.
    """

    def __init__(self, scope: Construct, config: StackConfig) -> None:
        super().__init__(
            scope,
            config.name,
            env=cdk.Environment(region=config.region),
            synthesizer=cdk.BootstraplessSynthesizer(),
            suppress_template_indentation=config.network.availability_zones > 3
            or len(config.scaling) + len(config.scheduled_actions) > 4,
            description=f"Fargate web service, planned with the prices of {config.prices_published}",
        )
        network = ServiceNetwork(self, "Network", config=config.network)
        cluster = ServiceCluster(self, "Cluster", vpc=network.vpc)
        load_balancer = PublicLoadBalancer(
            self, "LoadBalancer", application=config.application, timings=config.load_balancer, network=network
        )
        web = WebService(self, "Web", config=config, network=network, cluster=cluster, load_balancer=load_balancer)
        ServiceScaling(self, "Scaling", config=config, service=web.service, target_group=load_balancer.target_group)

        # With these the bill can be laid beside the estimate.
        cdk.Tags.of(self).add("estimator:fingerprint", config.fingerprint)
        cdk.Tags.of(self).add("estimator:prices-published", config.prices_published)

        cdk.CfnOutput(self, "LoadBalancerUrl", value=load_balancer.url, description="Address of the service")
        cdk.CfnOutput(self, "ClusterName", value=cluster.cluster.cluster_name, description="ECS cluster")
        cdk.CfnOutput(self, "ServiceName", value=web.service.service_name, description="ECS service")
        cdk.CfnOutput(self, "LogGroupName", value=web.log_group.log_group_name, description="What the containers print")
