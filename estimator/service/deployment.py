"""How a new revision takes over: rolling, blue/green, canary or linear."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_MINUTE

ROLLING, BLUE_GREEN, CANARY, LINEAR = "ROLLING", "BLUE_GREEN", "CANARY", "LINEAR"
DEPLOYMENT_STRATEGIES = (ROLLING, BLUE_GREEN, CANARY, LINEAR)
_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class DeploymentConfiguration:
    """A deployment strategy with AWS's parameters; those of another strategy are not used.

    Parameters
    ----------
    strategy : str
        ``ROLLING``, ``BLUE_GREEN``, ``CANARY`` or ``LINEAR``.
    minimum_healthy_percent, maximum_percent : int
        Of a rolling deployment: fewest and most tasks while tasks are replaced, as a part of the desired count. [%]
    bake_time_in_minutes : float
        How long both revisions run after all traffic has shifted; not of a rolling deployment. [min]
    canary_bake_time_in_minutes : float
        How long the canary's part of the traffic is watched before the rest follows. [min]
    step_percent : float
        Part of the traffic that a linear deployment shifts at a time. [%]
    step_bake_time_in_minutes : float
        Time between two steps of a linear deployment; none after the last. [min]

    Raises
    ------
    InvalidScenario
        If a value is out of AWS's range.

    References
    ----------
    .. [1] AWS, "Amazon ECS deployment strategies" and "DeploymentConfiguration"; canary 10 min, linear 10 % every 6 min by default; read 2026.

    Examples
    --------
    Ten steps have nine waits between them.

    >>> DeploymentConfiguration("LINEAR").shift_s
    3240
    """

    strategy: str = ROLLING
    minimum_healthy_percent: int = field(default=100, metadata={"low": 0, "high": 100, "whole": True})
    maximum_percent: int = field(default=200, metadata={"low": 100, "high": 200, "whole": True})
    bake_time_in_minutes: float = field(default=10.0, metadata={"low": 0, "high": _A_DAY})
    canary_bake_time_in_minutes: float = field(default=10.0, metadata={"low": 0, "high": _A_DAY})
    step_percent: float = field(default=10.0, metadata={"low": 3, "high": 100})
    step_bake_time_in_minutes: float = field(default=6.0, metadata={"low": 0, "high": _A_DAY})

    def __post_init__(self) -> None:
        if self.strategy not in DEPLOYMENT_STRATEGIES:
            raise InvalidScenario(
                f"strategy is {shown(self.strategy)}; it must be one of {', '.join(DEPLOYMENT_STRATEGIES)}."
            )
        require_in_range(self)

    @property
    def shift_s(self) -> int:
        """Time in which traffic shifts from the old revision to the new one. [s]"""
        if self.strategy == CANARY:
            return round(self.canary_bake_time_in_minutes * SECONDS_PER_MINUTE)
        if self.strategy == LINEAR:
            waits = math.ceil(100 / self.step_percent - 1e-9) - 1
            return round(waits * self.step_bake_time_in_minutes * SECONDS_PER_MINUTE)
        return 0

    @property
    def bake_s(self) -> int:
        """Time in which both revisions run after the shift. [s]"""
        return 0 if self.strategy == ROLLING else round(self.bake_time_in_minutes * SECONDS_PER_MINUTE)

    @property
    def is_rolling(self) -> bool:
        """True if tasks are replaced wave by wave."""
        return self.strategy == ROLLING

    @property
    def most_percent(self) -> int:
        """Tasks of both revisions at the most, as a part of the desired count. [%]"""
        return self.maximum_percent if self.is_rolling else 200
