"""The container images, and the right to pull them."""

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from .application_config import ecr_repository
from .config import StackConfig

PARAMETER = "ContainerImage"


def application_image(scope: Construct, config: StackConfig, execution_role: iam.IRole) -> ecs.ContainerImage:
    """Choose the application's image, and let the execution role pull it and nothing more.

    Parameters
    ----------
    scope : constructs.Construct
        Where a reference to a repository goes.
    config : StackConfig
        The image, and where the stack stands.
    execution_role : aws_cdk.aws_iam.IRole
        The role that ECS uses to start a task.

    Returns
    -------
    aws_cdk.aws_ecs.ContainerImage
        A private ECR image, which the role may then pull; an image from elsewhere, which takes no rights; or the
        parameter ``ContainerImage``, with the right to pull from any ECR repository of the stack's account and region.
    """
    if config.application.image is not None:
        return named_image(scope, "Repository", config.application.image, execution_role)
    _grant_pull_from_own_registry(scope, execution_role)
    return ecs.ContainerImage.from_registry(_image_parameter(scope, config).value_as_string)


def named_image(scope: Construct, construct_id: str, image: str, execution_role: iam.IRole) -> ecs.ContainerImage:
    """Take an image by its name, and let the execution role pull it if it lies in a private ECR repository.

    Parameters
    ----------
    scope : constructs.Construct
        Where a reference to the repository goes.
    construct_id : str
        Name of the reference.
    image : str
        The image.
    execution_role : aws_cdk.aws_iam.IRole
        The role that ECS uses to start a task.

    Returns
    -------
    aws_cdk.aws_ecs.ContainerImage
        The image.
    """
    repository = ecr_repository(image)
    if repository is not None:
        imported = ecr.Repository.from_repository_attributes(
            scope,
            construct_id,
            repository_name=repository.name,
            repository_arn=cdk.Stack.of(scope).format_arn(
                service="ecr",
                account=repository.account,
                region=repository.region,
                resource="repository",
                resource_name=repository.name,
            ),
        )
        imported.grant_pull(execution_role)
        # Left as it was written, tag or digest; the right that this warning asks for has just been given.
        cdk.Annotations.of(scope).acknowledge_warning("@aws-cdk/aws-ecs:ecrImageRequiresPolicy")
    return ecs.ContainerImage.from_registry(image)


def _image_parameter(scope: Construct, config: StackConfig) -> cdk.CfnParameter:
    if config.network.layout == "endpoints":
        domain = f"dkr.ecr.{config.region}.amazonaws.com"
        return cdk.CfnParameter(
            cdk.Stack.of(scope),
            PARAMETER,
            description=f"Image in this account's ECR, for example 111122223333.{domain}/web:1; "
            "the tasks have no way to any other registry.",
            allowed_pattern=rf"\d{{12}}\.{domain.replace('.', chr(92) + '.')}(\.cn)?/\S+",
            constraint_description=f"an image in the private ECR of {config.region} is needed",
        )
    return cdk.CfnParameter(
        cdk.Stack.of(scope),
        PARAMETER,
        description="Image to run: from a public registry, or from the ECR of this account and region.",
        allowed_pattern=r"\S+",
        constraint_description="an image such as nginx:1.29 is needed",
    )


def _grant_pull_from_own_registry(scope: Construct, execution_role: iam.IRole) -> None:
    repositories = cdk.Stack.of(scope).format_arn(service="ecr", resource="repository", resource_name="*")
    # GetAuthorizationToken is for a registry as a whole: AWS knows no resource for it.
    execution_role.add_to_principal_policy(
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
    )
    execution_role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            resources=[repositories],
        ),
    )
