"""The cluster: a name for the service to live under, with both Fargate capacity providers."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct


class ServiceCluster(Construct):
    """An ECS cluster without instances.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    vpc : aws_cdk.aws_ec2.IVpc
        The network of its services.

    Attributes
    ----------
    cluster : aws_cdk.aws_ecs.Cluster
        The cluster.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc) -> None:
        super().__init__(scope, construct_id)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=vpc,
            # Said aloud, because an account may default to "enabled", and each metric is billed: the estimate has none.
            container_insights_v2=ecs.ContainerInsights.DISABLED,
        )
        # The CDK's `enable_fargate_capacity_providers` makes a resource apart, for which nothing waits: the service
        # could come before it, or go after it. As a property of the cluster it lives as long as the cluster.
        self.cluster.node.default_child.capacity_providers = ["FARGATE", "FARGATE_SPOT"]
