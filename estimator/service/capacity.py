"""Which capacity providers tasks run on: Fargate On-Demand, Fargate Spot, or both by base and weight."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario

FARGATE = "FARGATE"
FARGATE_SPOT = "FARGATE_SPOT"
CAPACITY_PROVIDERS = (FARGATE, FARGATE_SPOT)
MAX_BASE = 100_000
MAX_WEIGHT = 1000


@dataclass(frozen=True, slots=True)
class CapacityProviderStrategy:
    """How tasks are spread over Fargate's two capacity providers.

    Parameters
    ----------
    fargate_base : int
        Tasks that run on FARGATE before weights count. [tasks]
    fargate_weight, fargate_spot_weight : int
        Weights by which the other tasks are spread over FARGATE and FARGATE_SPOT. [1]

    Raises
    ------
    InvalidScenario
        If a value is out of AWS's range, or both weights are 0.

    References
    ----------
    .. [1] AWS, "CapacityProviderStrategyItem": base 0 to 100,000 on one provider, weight 0 to 1,000, not all 0; read 2026.

    Examples
    --------
    >>> CapacityProviderStrategy(fargate_base=2, fargate_weight=1, fargate_spot_weight=3).spot_share
    0.75
    """

    fargate_base: int = 0
    fargate_weight: int = 1
    fargate_spot_weight: int = 0

    def __post_init__(self) -> None:
        require_number("fargate_base", self.fargate_base, 0, MAX_BASE, whole=True, advice="They are tasks.")
        for name in ("fargate_weight", "fargate_spot_weight"):
            require_number(name, getattr(self, name), 0, MAX_WEIGHT, whole=True)
        if self.fargate_weight + self.fargate_spot_weight == 0:
            raise InvalidScenario("fargate_weight and fargate_spot_weight are both 0; at least one must be 1 or more.")

    @classmethod
    def of(cls, capacity_provider: str) -> CapacityProviderStrategy:
        """Make the strategy of one capacity provider alone.

        Parameters
        ----------
        capacity_provider : str
            ``FARGATE`` or ``FARGATE_SPOT``.

        Returns
        -------
        CapacityProviderStrategy
            All tasks on it.

        Raises
        ------
        InvalidScenario
            If there is no such provider.
        """
        if capacity_provider not in CAPACITY_PROVIDERS:
            raise InvalidScenario(
                f"capacity_provider is {shown(capacity_provider)}; it must be one of {', '.join(CAPACITY_PROVIDERS)}."
            )
        return cls(0, 0, 1) if capacity_provider == FARGATE_SPOT else cls()

    @property
    def spot_share(self) -> float:
        """Fargate Spot's part of the tasks above the base. [1]"""
        return self.fargate_spot_weight / (self.fargate_weight + self.fargate_spot_weight)

    @property
    def uses_spot(self) -> bool:
        """True if some tasks may run on Fargate Spot."""
        return self.fargate_spot_weight > 0

    def describe(self) -> str:
        """Say the strategy.

        Returns
        -------
        str
            Such as ``Fargate Spot`` or ``75 % Fargate Spot above 2 tasks``; nothing for On-Demand alone.
        """
        if not self.uses_spot:
            return ""
        above = (
            f" above {self.fargate_base} {'task' if self.fargate_base == 1 else 'tasks'}" if self.fargate_base else ""
        )
        share = "" if self.fargate_weight == 0 else f"{100 * self.spot_share:.3g} % "
        return f"{share}Fargate Spot{above}"
