"""What a reader of a plan should know beside its figures: notes(...), a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from estimator.billing.extra_charges import viewer_traffic
from estimator.service.application import DUAL_STACK_ECR, Application
from estimator.service.behavior import AwsBehavior
from estimator.service.cloudfront_plans import plan_note
from estimator.service.extras import Extras
from estimator.service.network import IPV6_REGIONS, NetworkLayout
from estimator.service.operations import Operations
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import ARM64
from estimator.simulation.courses import STEP_S
from estimator.simulation.result import Simulation
from estimator.units import SECONDS_PER_MINUTE
from estimator.workload.request import Workload, request_notes

_PLAIN = Extras()
#: Above this part of unserved requests a plan carries a note. [1]
MUCH_UNSERVED = 0.001
#: AWS, "Regions and Zones": us-east-1 has more, some accounts see two in us-west-1. [1]
USUAL_ZONES = 3


def notes(
    spec: ServiceSpec,
    workload: Workload,
    application: Application,
    behavior: AwsBehavior,
    operations: Operations,
    run: Simulation,
    hours_per_month: float,
    region: str,
    extras: Extras,
) -> tuple[str, ...]:
    """Say what a reader of a plan should know.

    Parameters
    ----------
    spec : ServiceSpec
        The candidate.
    workload : Workload
        Its load.
    application : Application
        What is deployed.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    run : Simulation
        The candidate over one period.
    hours_per_month : float
        Length of the billed month. [h]
    region : str
        Region code.
    extras : Extras
        What is billed around the service.

    Returns
    -------
    tuple of str
        Sentences.
    """
    return (
        *_of_load(workload, run),
        *_of_service(spec, workload, application, behavior, run),
        *network_conditions(spec.network, application, region),
        *_of_policies(spec),
        *_of_operations(operations, run, hours_per_month),
        *request_notes(workload),
        *_of_cloudfront(workload, extras, hours_per_month),
        *_of_extras(workload, extras),
    )


def network_conditions(network: NetworkLayout, application: Application, region: str) -> tuple[str, ...]:
    """Say what must hold outside the service for a network layout to serve.

    Parameters
    ----------
    network : NetworkLayout
        Where the tasks stand.
    application : Application
        What is deployed.
    region : str
        Region code.

    Returns
    -------
    tuple of str
        Sentences; none where nothing must.
    """
    found = []
    if network.layout == "ipv6":
        found.append(
            "Tasks have IPv6 addresses alone: all that they call must speak IPv6, and so must the registry of their image. Ways to IPv4 (NAT64) "
            "are not in the bill."
        )
        image = application.image
        if image is None:
            found.append(
                f"Give the image by ECR's dual-stack name, such as 123456789012{DUAL_STACK_ECR}{region}.on.aws/web:1."
            )
        elif ".dkr.ecr." in image:
            name = image.replace(".dkr.ecr.", DUAL_STACK_ECR).replace(".amazonaws.com/", ".on.aws/")
            found.append(f"Image {image} has an IPv4 name: give it by ECR's dual-stack name, {name}.")
        if region not in IPV6_REGIONS:
            found.append(
                f"When its list was read, in 2026, AWS did not name {region} among the regions in which Fargate runs tasks with IPv6 alone: see that "
                "it does before you deploy."
            )
    if not network.load_balancer_ipv4:
        found.append("The load balancer has no public IPv4 addresses: whoever calls it, CloudFront too, needs IPv6.")
    return tuple(found)


def _of_cloudfront(workload: Workload, extras: Extras, hours_per_month: float) -> Iterator[str]:
    if workload.behind_cloudfront:
        traffic = viewer_traffic(workload, hours_per_month)
        if text := plan_note(extras.cloudfront_plan, *traffic, extras.cloudfront_premium_tb):
            yield text


def _of_extras(workload: Workload, extras: Extras) -> Iterator[str]:
    """Say which settings count for nothing, since what they are of is switched off."""
    off = {
        "cloudfront_": "request.behind_cloudfront is false" if not workload.behind_cloudfront else "",
        "insights_": "container_insights is disabled" if extras.container_insights == "disabled" else "",
        "access_log_": "alb_access_logs is false" if not extras.alb_access_logs else "",
    }
    for prefix, why in off.items():
        names = [item.name for item in fields(extras) if item.name.startswith(prefix)]
        moved = [name for name in names if why and getattr(extras, name) != getattr(_PLAIN, name)]
        if moved:
            yield f"In `extras`, {', '.join(moved)} {'count' if len(moved) > 1 else 'counts'} for nothing: {why}."


def _of_load(workload: Workload, run: Simulation) -> Iterator[str]:
    yield from workload.load.notes
    if workload.load.step_s > STEP_S:
        minutes = workload.load.step_s / SECONDS_PER_MINUTE
        yield f"The load is known by means of {minutes:g} minutes: peaks inside them are not seen, so tasks, latency and bill may be higher."
    unserved = float(run.unserved_requests[0]) / max(workload.task_load.requests, 1e-300)
    if unserved > MUCH_UNSERVED:
        yield (
            f"{100 * unserved:.1f} % of the requests find no capacity and are not served; the lines that follow traffic (load balancer, "
            "transfer, logs) count them all the same."
        )


def _of_service(
    spec: ServiceSpec, workload: Workload, application: Application, behavior: AwsBehavior, run: Simulation
) -> Iterator[str]:
    if spec.cpu_architecture == ARM64:
        speed = workload.arm64_relative_speed
        compared = "as fast as" if speed == 1 else f"{speed:g} times as fast as"
        yield f"ARM64 needs an image built for it, and its vCPU is taken to be {compared} an x86 one: measure it (arm64_relative_speed)."
    if spec.network.availability_zones > USUAL_ZONES:
        yield f"Most regions have {USUAL_ZONES} zones: see that yours has {spec.network.availability_zones} before you deploy."
    peak_vcpu = float(run.peak_desired_count[0]) * spec.task_size.vcpu
    deploying_vcpu = peak_vcpu * spec.deployment.most_percent / 100
    if deploying_vcpu > behavior.fargate_vcpu_quota:
        during = f", and up to {deploying_vcpu:g} during a deployment" if deploying_vcpu > peak_vcpu else ""
        yield (
            f"At its peak the service has {peak_vcpu:g} vCPU{during}; the account's quota of concurrent Fargate vCPU is taken to be "
            f"{behavior.fargate_vcpu_quota:g}. Look it up in Service Quotas and ask for more in time."
        )
    if application.is_windows:
        yield (
            f"The time to provision a task, {behavior.provision_s} s, was measured with Linux: with Windows measure yours (provision_s), and give "
            "the size of its image (image_mb)."
        )
    if application.image is None and spec.network.layout == "nat":
        yield "No image is given: it is taken to come from ECR in the region, past the NAT gateway."
    if spec.capacity_provider_strategy.uses_spot:
        yield (
            "How often Fargate Spot is interrupted is not published: it is taken to be once in "
            f"{1 / max(behavior.spot_interruptions_per_task_hour, 1e-9):,.0f} task-hours (spot_interruptions_per_task_hour). Shortages count "
            "only where the scenario's `operations` name them."
        )
    if spec.task_size.cpu_units == 32768:
        yield "32 vCPU tasks are new: some regions and tools may not have them yet."
    if run.stuck_deployments[0]:
        yield (
            f"{run.stuck_deployments[0]:g} deployments of the period can replace no task: between minimum_healthy_percent and maximum_percent of "
            "so few tasks there is none to start or stop. Allow 200 % or less than 100 %."
        )


def _of_policies(spec: ServiceSpec) -> Iterator[str]:
    """Policies that can never act."""
    if spec.watching and spec.min_capacity == spec.max_capacity and not spec.scheduled_actions:
        yield f"Its scaling policies can never act: min_capacity and max_capacity are both {spec.min_capacity}."
    if not spec.deployment.is_rolling and any(policy.metric.kind == "requests" for policy in spec.scaling):
        yield (
            f"A policy goes by requests per target, and {spec.deployment.strategy} deployments move traffic between two target groups: its alarm "
            "needs the sum of both, by metric math."
        )
    for policy in spec.watching:
        # The alarm of target tracking breaches above its target, and no share goes over 100 %.
        if (
            isinstance(policy, TargetTrackingScalingPolicy)
            and policy.metric.is_percentage
            and policy.target_value >= 100
        ):
            yield f"{policy.describe()} never scales out: the metric is never above 100 %. Choose a lower target."


def _of_operations(operations: Operations, run: Simulation, hours_per_month: float) -> Iterator[str]:
    each = [
        f"{len(items)} {one if len(items) == 1 else several}"
        for items, one, several in (
            (operations.zone_losses_h, "loss of a zone", "losses of a zone"),
            (operations.spot_shortages, "shortage of Fargate Spot", "shortages of Fargate Spot"),
        )
        if items
    ]
    times = hours_per_month / run.period_hours
    if each and times > 1.01:
        yield (
            f"Each period of {run.period_hours:g} hours has {' and '.join(each)}, so a month has {times:.3g} times as much. For fewer, give a "
            "longer load (`repeat`)."
        )
