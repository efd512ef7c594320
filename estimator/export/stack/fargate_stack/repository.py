"""The repository: where the application's images are pushed to, in a stack of its own."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from .config import StackConfig


class RepositoryStack(cdk.Stack):
    """An ECR repository, deployed before the service: the service cannot start before its image is there.

    Parameters
    ----------
    scope : constructs.Construct
        The app.
    config : StackConfig
        Name, region and how many images are kept.

    Notes
    -----
    Tags cannot be moved: a tag is one build, and a deployment of it is the same tomorrow. Each image is scanned when it
    is pushed, which basic scanning does for nothing. CloudFormation does not delete a repository that holds images, so
    that no image is lost by deleting the stack.
    """

    def __init__(self, scope: Construct, config: StackConfig) -> None:
        super().__init__(
            scope,
            f"{config.name}-repository",
            env=cdk.Environment(region=config.region),
            synthesizer=cdk.BootstraplessSynthesizer(),
            description=f"Images of {config.name}",
        )
        assert config.repository is not None
        repository = ecr.Repository(
            self,
            "Repository",
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            lifecycle_rules=[
                ecr.LifecycleRule(description="The newest stay", max_image_count=config.repository.images_kept)
            ],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cdk.CfnOutput(self, "RepositoryUri", value=repository.repository_uri, description="Where to push images")
