"""The cluster: a name for the service to live under, with both Fargate capacity providers."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from .network_config import ClusterConfig


class ServiceCluster(Construct):
    """An ECS cluster without instances, of one's own or there already.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : ClusterConfig
        Its settings, or its name.
    vpc : aws_cdk.aws_ec2.IVpc
        The network of its services.

    Attributes
    ----------
    cluster : aws_cdk.aws_ecs.ICluster
        The cluster.

    Notes
    -----
    The namespace is an HTTP one: services find each other in it with Service Connect, and it costs nothing. A DNS namespace
    is a hosted zone, which is billed [1]_.

    References
    ----------
    .. [1] AWS, "AWS Cloud Map pricing", read 2026, https://aws.amazon.com/cloud-map/pricing/
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: ClusterConfig, vpc: ec2.IVpc) -> None:
        super().__init__(scope, construct_id)
        if config.existing_name is not None:
            self.cluster: ecs.ICluster = ecs.Cluster.from_cluster_attributes(
                self, "Cluster", cluster_name=config.existing_name, vpc=vpc, security_groups=[]
            )
            return
        cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=vpc,
            # Said aloud even if disabled, because an account may default to "enabled", and each metric is billed.
            container_insights_v2=getattr(ecs.ContainerInsights, config.container_insights.upper()),
        )
        # The CDK's `enable_fargate_capacity_providers` makes a resource apart, for which nothing waits: the service
        # could come before it, or go after it. As a property of the cluster it lives as long as the cluster.
        cluster.node.default_child.capacity_providers = ["FARGATE", "FARGATE_SPOT"]
        if config.cloud_map_namespace is not None:
            cluster.add_default_cloud_map_namespace(
                name=config.cloud_map_namespace,
                type=servicediscovery.NamespaceType.HTTP,
                use_for_service_connect=True,
            )
        self.cluster = cluster
