"""The candidates: every valid task size x architecture x target x minimum."""

from __future__ import annotations

import math

from estimator.errors import InvalidScenario
from estimator.planning.promise import Choices
from estimator.service.application import Application
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TASK_SIZES, is_offered
from estimator.workload.request import Workload

#: Minimums that are tried as parts of what the peak needs.
_MINIMUM_SHARES = (0.25, 0.5, 0.75, 1.0)


def candidates(
    workload: Workload, choices: Choices, application: Application, network: NetworkLayout, min_tasks: int = 1
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
        The network layout.
    min_tasks : int
        Fewest tasks that the promise asks for, tried as a minimum too. [tasks]

    Returns
    -------
    list of ServiceSpec
        Small sizes first; only what Fargate has with the application's operating system.

    Raises
    ------
    InvalidScenario
        If there is nothing of the kind.
    """
    found = []
    strategy = CapacityProviderStrategy.of(choices.capacity_provider)
    offered = {
        architecture: [
            size
            for size in TASK_SIZES
            if is_offered(application.operating_system, size, architecture, strategy.uses_spot)
        ]
        for architecture in choices.cpu_architectures
    }
    if not any(offered.values()):
        raise InvalidScenario(
            f"operating_system is {application.operating_system} with cpu_architectures {', '.join(choices.cpu_architectures)} and "
            f"capacity_provider {choices.capacity_provider}; Fargate has Windows on X86_64, without Spot. Let `search` have X86_64 and FARGATE, or "
            "set operating_system to LINUX."
        )
    for architecture, sizes in offered.items():
        peak_vcpu = workload.task_load.peak_requests_per_s * workload.cpu_s_per_request(architecture)
        for size in sizes:
            for target in choices.target_values:
                needed = max(1, math.ceil(peak_vcpu / size.vcpu / (target / 100) - 1e-9))
                minimums = sorted(
                    set(choices.min_capacities)
                    or {1, 2, 3, min_tasks, *(max(2, math.ceil(needed * s)) for s in _MINIMUM_SHARES)}
                )
                for minimum in minimums:
                    maximum = choices.max_capacity
                    if maximum is None:
                        wanted = max(2 * minimum, math.ceil(needed * choices.max_capacity_headroom))
                        # A size that would need more tasks than the quota is simulated at the quota, and found over capacity.
                        maximum = min(wanted, choices.target_group_quota)
                    if minimum > maximum:
                        continue
                    policy = TargetTrackingScalingPolicy(
                        target, choices.scale_out_cooldown_s, choices.scale_in_cooldown_s
                    )
                    found.append(
                        ServiceSpec(
                            size,
                            architecture,
                            minimum,
                            maximum,
                            (policy,),
                            network,
                            strategy,
                            application.ephemeral_storage_gib,
                        )
                    )
    return found
