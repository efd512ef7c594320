"""The section `service` of a scenario: one way to run the service, with its scaling policies."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from estimator.documents import Section
from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.network import NetworkLayout
from estimator.service.policies import POLICIES, ScalingPolicy, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize


class PolicySection(Section):
    """A scaling policy; `policy_type` says which parameters it has."""

    policy_type: str

    def policy(self) -> ScalingPolicy:
        """Make the policy.

        Returns
        -------
        ScalingPolicy
            With AWS's parameters.

        Raises
        ------
        InvalidScenario
            If a value is out of range.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "policy_type"}
        made: ScalingPolicy = POLICIES[self.policy_type].parameters(**values)
        return made

    @model_validator(mode="after")
    def _allowed(self) -> PolicySection:
        self.policy()
        return self


def _section_of(policy_type: str) -> type[PolicySection]:
    """Make the section of one kind of policy: its fields are those of the policy."""
    record = POLICIES[policy_type].parameters
    hints = get_type_hints(record)
    values: dict[str, Any] = {name: (hints[name], item.default) for name, item in record.__dataclass_fields__.items()}
    made: type[PolicySection] = create_model(
        f"{policy_type}Policy",
        __base__=PolicySection,
        __doc__=record.__doc__,
        policy_type=(Literal[policy_type], Field(policy_type, description="AWS's name of this kind of policy.")),  # type: ignore[arg-type]
        **values,
    )
    return made


#: Sections of policies by AWS's ``PolicyType``.
POLICY_SECTIONS: dict[str, type[PolicySection]] = {policy_type: _section_of(policy_type) for policy_type in POLICIES}
#: Any of them; pydantic chooses by `policy_type`.
AnyPolicy: Any = Annotated[reduce(operator.or_, POLICY_SECTIONS.values()), Field(discriminator="policy_type")]


class Service(Section):
    """One way to run the service, such as the one that runs today; `estimator estimate` prices it.

    Parameters
    ----------
    cpu_units, memory_mib : int
        CPU and memory of a task; only pairs that Fargate has. [cpu units, MiB]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    min_capacity, max_capacity : int
        Bounds of the desired count. [tasks]
    target_value : float
        CPU utilization to hold; short for one target tracking policy. [%]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Cooldowns of that policy. [s]
    disable_scale_in : bool
        True to never remove tasks by that policy.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    scaling : list of policies
        Scaling policies in place of that one, each with its ``policy_type`` (TargetTrackingScaling, StepScaling or PredictiveScaling) and AWS's
        parameters; null for that one, an empty list for none.
    scheduled_actions : list of ScheduledAction
        New bounds at given times: ``schedule`` (cron, rate or at), ``timezone``, ``min_capacity``, ``max_capacity``.
    capacity_provider_strategy : CapacityProviderStrategy
        A mix of FARGATE and FARGATE_SPOT: ``fargate_base``, ``fargate_weight`` and ``fargate_spot_weight``; null for ``capacity_provider``.
    deployment : DeploymentConfiguration
        How a new revision takes over; counts where ``operations`` has deployments.
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: Literal["X86_64", "ARM64"] = "X86_64"
    min_capacity: int = 2
    max_capacity: int = 10
    target_value: float = 60.0
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    disable_scale_in: bool = False
    capacity_provider: Literal["FARGATE", "FARGATE_SPOT"] = "FARGATE"
    scaling: tuple[AnyPolicy, ...] | None = None
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    capacity_provider_strategy: CapacityProviderStrategy | None = None
    deployment: DeploymentConfiguration = DeploymentConfiguration()

    def policies(self) -> tuple[ScalingPolicy, ...]:
        """Make the scaling policies.

        Returns
        -------
        tuple of ScalingPolicy
            Those of ``scaling``, or the one that the short fields say.

        Raises
        ------
        InvalidScenario
            If both are given.
        """
        short = (self.target_value, self.scale_out_cooldown_s, self.scale_in_cooldown_s, self.disable_scale_in)
        if self.scaling is None:
            return (TargetTrackingScalingPolicy(*short),)
        if short != (60.0, 300, 300, False):
            raise InvalidScenario(
                "The section service has both scaling and one of target_value, scale_out_cooldown_s, scale_in_cooldown_s and "
                "disable_scale_in. Write these into the policies of scaling."
            )
        return tuple(section.policy() for section in self.scaling)

    def spec(self, network: NetworkLayout, application: Application) -> ServiceSpec:
        """Make the candidate.

        Parameters
        ----------
        network : NetworkLayout
            Where the tasks stand.
        application : Application
            What is deployed.

        Returns
        -------
        ServiceSpec
            The candidate.

        Raises
        ------
        InvalidScenario
            If a value is one that AWS refuses.
        """
        strategy = self.capacity_provider_strategy or CapacityProviderStrategy.of(self.capacity_provider)
        return ServiceSpec(
            TaskSize(self.cpu_units, self.memory_mib),
            self.cpu_architecture,
            self.min_capacity,
            self.max_capacity,
            self.policies(),
            network,
            strategy,
            application.ephemeral_storage_gib,
            self.scheduled_actions,
            self.deployment,
        )
