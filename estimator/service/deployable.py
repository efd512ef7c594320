"""What AWS would refuse of a service and its stack, said before anything is planned or deployed."""

from __future__ import annotations

from collections.abc import Sequence

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.deployment import DEPLOYMENT_STRATEGIES, ROLLING
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.policies import ScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.stack_options import StackOptions
from estimator.units import SECONDS_PER_MINUTE


def require_deployable(spec: ServiceSpec, options: StackOptions) -> None:
    """Raise if AWS refuses a service's deployment with its scaling.

    Parameters
    ----------
    spec : ServiceSpec
        The service.
    options : StackOptions
        What the stack has besides.

    Raises
    ------
    InvalidScenario
        In one sentence, with what to do.

    Notes
    -----
    Requests per target cannot be tracked where two target groups take turns [1]_; metrics of 20 seconds are not published for a service that
    CodeDeploy deploys [2]_.

    References
    ----------
    .. [1] AWS, "Target tracking scaling policies for Amazon ECS": "the ALBRequestCountPerTarget metric for the target tracking scaling policy is
       not supported for the blue/green deployment type", read 2026.
    .. [2] AWS, "Amazon ECS service high-resolution metrics", read 2026.
    """
    strategy = spec.deployment.strategy
    if options.uses_code_deploy and strategy == ROLLING:
        raise InvalidScenario(
            "deployment_controller is CODE_DEPLOY and the deployment strategy is ROLLING; CodeDeploy replaces tasks blue/green only. Set strategy to "
            "BLUE_GREEN, CANARY or LINEAR, or deployment_controller to ECS."
        )
    if strategy != ROLLING and any(_counts_requests(policy) for policy in spec.scaling):
        raise InvalidScenario(
            f"A scaling policy watches requests per target and the deployment strategy is {strategy}; AWS does not support that with two target "
            "groups. Scale on CPU or memory, or set strategy to ROLLING."
        )
    if options.uses_code_deploy and any(policy.metric.period_s < SECONDS_PER_MINUTE for policy in spec.watching):
        raise InvalidScenario(
            "A scaling policy watches a metric of 20 seconds and deployment_controller is CODE_DEPLOY; ECS publishes those only for services that it "
            "deploys itself. Choose a metric by the minute, or set deployment_controller to ECS."
        )


def require_stack(
    options: StackOptions,
    application: Application,
    network: NetworkLayout,
    extras: Extras,
    behind_cloudfront: bool,
    strategies: Sequence[str] = (),
) -> None:
    """Raise if what a stack has besides does not go with the rest of a scenario.

    Parameters
    ----------
    options : StackOptions
        What the stack has besides.
    application : Application
        What is deployed.
    network : NetworkLayout
        Where the tasks stand.
    extras : Extras
        What is billed around the service.
    behind_cloudfront : bool
        True if CloudFront is in front of the load balancer, or may come to be.
    strategies : sequence of str
        Deployment strategies that a search may choose from.

    Raises
    ------
    InvalidScenario
        In one sentence, with what to do.
    """
    containers = 1 + len(options.sidecars)
    if options.sidecars and extras.containers_per_task != containers:
        raise InvalidScenario(
            f"sidecars make {containers} containers of a task and extras.containers_per_task is {extras.containers_per_task}, by which metrics are "
            f"billed. Set it to {containers}."
        )
    if options.vpc is not None and len(options.vpc.availability_zones) != network.availability_zones:
        raise InvalidScenario(
            f"vpc has {len(options.vpc.availability_zones)} availability_zones and network.availability_zones is {network.availability_zones}; they "
            "must be as many. Change one of them."
        )
    if options.cloudfront_domain_name is not None and not behind_cloudfront:
        raise InvalidScenario(
            "cloudfront_domain_name is given and request.behind_cloudfront is false; there is no distribution to name. Leave it out, or set "
            "behind_cloudfront to true."
        )
    if options.load_balancer is not None and extras.waf_rules is not None:
        raise InvalidScenario(
            f"load_balancer is given and extras.waf_rules is {extras.waf_rules}; an existing load balancer has one web ACL for all its services, set "
            "where it is kept. Leave waf_rules out."
        )
    if options.readonly_root_filesystem and application.is_windows:
        raise InvalidScenario(
            "readonly_root_filesystem is true and operating_system is WINDOWS; ECS has it with LINUX only. Set it to false."
        )
    if options.uses_code_deploy and (wrong := [name for name in strategies if name not in _SHIFTING]):
        raise InvalidScenario(
            f"deployment_controller is CODE_DEPLOY and search.deployment_strategies has {', '.join(wrong)}; CodeDeploy replaces tasks blue/green only. "
            f"Choose from {', '.join(_SHIFTING)}."
        )


_SHIFTING = tuple(name for name in DEPLOYMENT_STRATEGIES if name != ROLLING)


def _counts_requests(policy: ScalingPolicy) -> bool:
    return policy.metric.kind == "requests"
