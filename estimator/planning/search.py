"""The candidates: every valid task size x architecture x target x cooldown x minimum x schedule x Spot mix x layout, and constant counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from estimator.errors import InvalidScenario
from estimator.planning.busy_hours import BusyHours, busy_hours
from estimator.planning.promise import Choices
from estimator.service.application import Application
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.network import NetworkLayout
from estimator.service.policies import ScalingPolicy, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize, is_offered
from estimator.workload.request import Workload

#: Minimums that are tried for any size, and as parts of what the peak needs.
_MINIMUMS = (1, 2, 3, 4, 6)
#: More candidates than this are not a search but a mistake.
MAX_CANDIDATES = 1_000_000
_MINIMUM_SHARES = (0.25, 0.5, 0.75, 1.0)
#: Constant counts that are tried, as parts of the tasks that the peak would keep fully busy.
_CONSTANT_SHARES = (0.6, 0.8, 0.9, 1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 2.0)


def candidates(
    workload: Workload,
    choices: Choices,
    application: Application,
    network: NetworkLayout,
    min_tasks: int = 1,
    layouts: Sequence[NetworkLayout] = (),
) -> list[ServiceSpec]:
    """List the candidates.

    Parameters
    ----------
    workload : Workload
        The load, whose peak bounds minimums and maximums.
    choices : Choices
        What may be chosen.
    application : Application
        What is deployed.
    network : NetworkLayout
        The network layout, where that is not to be chosen; its zones count in any case.
    min_tasks : int
        Fewest tasks that the promise asks for, tried as a minimum too. [tasks]
    layouts : sequence of NetworkLayout
        Layouts to take; by default those of the choices.

    Returns
    -------
    list of ServiceSpec
        Small sizes first; only what Fargate has with the application's operating system.

    Raises
    ------
    InvalidScenario
        If there is nothing of the kind, or far too much.
    """
    layouts = layouts or network_layouts(choices, application, network)
    deployments = [DeploymentConfiguration(name) for name in choices.deployment_strategies] or [
        DeploymentConfiguration()
    ]
    percents = choices.scheduled_minimum_percents or (0.0,)
    busy = busy_hours(workload.task_load) if any(percents) else None
    found: list[ServiceSpec] = []
    offered = False
    for architecture in choices.cpu_architectures:
        sizes = _sizes(choices, application, architecture)
        offered = offered or bool(sizes)
        for vcpu, members in sizes.items():
            tasks_per_rate = workload.cpu_s_per_request(architecture) / vcpu
            peak = workload.task_load.peak_requests_per_s
            ways = _ways(peak, tasks_per_rate, choices, percents, busy, min_tasks)
            for scaling, minimum, maximum, actions in ways:
                for strategy, layout, deployment in product(_strategies(choices, minimum), layouts, deployments):
                    first = ServiceSpec(
                        members[0],
                        architecture,
                        minimum,
                        maximum,
                        scaling,
                        layout,
                        strategy,
                        application.ephemeral_storage_gib,
                        actions,
                        deployment,
                    )
                    if len(found) > MAX_CANDIDATES:
                        raise InvalidScenario(
                            f"search has more than {MAX_CANDIDATES:,} candidates; list fewer values in its longest lists (target_values, min_capacities, "
                            "cooldowns, spot_percents, layouts), or fewer sizes by cpu_units and memory_mib."
                        )
                    found.extend(
                        first if size is members[0] else first.with_task_size(size)
                        for size in members
                        if is_offered(application.operating_system, size, architecture, strategy.uses_spot)
                    )
    if not found and (not offered or application.is_windows):
        raise InvalidScenario(
            f"operating_system is {application.operating_system} with cpu_architectures {', '.join(choices.cpu_architectures)} and "
            f"capacity_provider {choices.capacity_provider}; Fargate has Windows on X86_64, without Spot. Let `search` have X86_64 and FARGATE, or "
            "set operating_system to LINUX."
        )
    return found


def _sizes(choices: Choices, application: Application, architecture: str) -> dict[float, list[TaskSize]]:
    """Sizes by their CPU: what differs in memory alone has one course."""
    found: dict[float, list[TaskSize]] = {}
    for size in choices.task_sizes:
        if is_offered(application.operating_system, size, architecture, False):
            found.setdefault(size.vcpu, []).append(size)
    return found


def network_layouts(choices: Choices, application: Application, network: NetworkLayout) -> list[NetworkLayout]:
    """List the network layouts that may be chosen.

    Parameters
    ----------
    choices : Choices
        What may be chosen.
    application : Application
        What is deployed.
    network : NetworkLayout
        The layout as it is; the others have its zones.

    Returns
    -------
    list of NetworkLayout
        At least one.
    """
    zones, secrets = network.availability_zones, bool(application.secrets)
    return [
        network
        if layout == network.layout
        else NetworkLayout.of(layout, zones, uses_secrets=secrets, load_balancer_ipv4=network.load_balancer_ipv4)
        for layout in choices.layouts
    ] or [network]


def _strategies(choices: Choices, minimum: int) -> list[CapacityProviderStrategy]:
    """Mixes of capacity providers; the minimum is On-Demand, so that a shortage leaves so many tasks."""
    if not choices.spot_percents:
        return [CapacityProviderStrategy.of(choices.capacity_provider)]
    found = []
    for percent in choices.spot_percents:
        on_demand, spot = round(100 - percent), round(percent)
        parts = math.gcd(on_demand, spot)
        base = minimum if spot else 0
        found.append(CapacityProviderStrategy(base, on_demand // parts, spot // parts))
    return found


def _ways(
    peak_requests_per_s: float,
    tasks_per_rate: float,
    choices: Choices,
    percents: tuple[float, ...],
    busy: BusyHours | None,
    min_tasks: int,
) -> Iterator[tuple[tuple[ScalingPolicy, ...], int, int, tuple[ScheduledAction, ...]]]:
    """Policies, minimum, maximum and scheduled actions, for tasks of one size; the rate is that of a fully busy one."""
    if choices.constant_counts:
        busy_tasks = peak_requests_per_s * tasks_per_rate
        counts = set(choices.min_capacities) or {
            *_MINIMUMS,
            min_tasks,
            *(max(1, math.ceil(busy_tasks * share - 1e-9)) for share in _CONSTANT_SHARES),
        }
        most = min(choices.max_capacity or choices.target_group_quota, choices.target_group_quota)
        for count in sorted(counts):
            if count <= most:
                yield (), count, count, ()
    for target, out_s, in_s in product(
        choices.target_values, choices.scale_out_cooldowns_s, choices.scale_in_cooldowns_s
    ):
        policy = TargetTrackingScalingPolicy(target, out_s, in_s)
        each = tasks_per_rate / (target / 100)
        for minimum, maximum, actions in _bounds(peak_requests_per_s, each, choices, percents, busy, min_tasks):
            yield (policy,), minimum, maximum, actions


def _bounds(
    peak_requests_per_s: float,
    tasks_per_rate: float,
    choices: Choices,
    percents: tuple[float, ...],
    busy: BusyHours | None,
    min_tasks: int,
) -> Iterator[tuple[int, int, tuple[ScheduledAction, ...]]]:
    """Minimum, maximum and scheduled actions, for tasks of one size with one target."""
    needed = max(1, math.ceil(peak_requests_per_s * tasks_per_rate - 1e-9))
    minimums = set(choices.min_capacities) or {
        *_MINIMUMS,
        min_tasks,
        *(max(2, math.ceil(needed * share)) for share in _MINIMUM_SHARES),
    }
    for minimum in sorted(minimums):
        maximum = choices.max_capacity
        if maximum is None:
            wanted = max(2 * minimum, math.ceil(needed * choices.max_capacity_headroom))
            # A size that would need more tasks than the quota is simulated at the quota, and found over capacity.
            maximum = min(wanted, choices.target_group_quota)
        if minimum > maximum:
            continue
        said: set[int] = set()
        for percent in percents:
            in_busy_hours = minimum
            if busy is not None and percent:
                in_busy_hours = math.ceil(busy.peak_requests_per_s * tasks_per_rate * percent / 100 - 1e-9)
            in_busy_hours = min(max(in_busy_hours, minimum), maximum)
            if in_busy_hours in said or (percent and in_busy_hours == minimum):
                continue
            said.add(in_busy_hours)
            actions = () if busy is None or in_busy_hours == minimum else busy.actions(in_busy_hours, minimum, maximum)
            yield minimum, maximum, actions
        if not said:
            # No busy hours, or none that need more.
            yield minimum, maximum, ()
