"""Pure: load balancer capacity units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.service.behavior import AwsBehavior
from estimator.units import BYTES_PER_GB, BYTES_PER_KB, SECONDS_PER_HOUR
from estimator.workload.request import Workload

#: One LCU has this much of each dimension, in the order of ``DIMENSIONS``.
NEW_CONNECTIONS_PER_S_PER_LCU = 25.0
ACTIVE_CONNECTIONS_PER_LCU = 3000.0
PROCESSED_GB_PER_H_PER_LCU = 1.0
RULE_EVALUATIONS_PER_S_PER_LCU = 1000.0
#: Rules that each request has without charge.
FREE_RULES_PER_REQUEST = 10
DIMENSIONS = ("new connections", "active connections", "processed bytes", "rule evaluations")


def alb_lcu(
    new_connections_per_s: ArrayLike,
    active_connections: ArrayLike,
    processed_gb_per_h: ArrayLike,
    rule_evaluations_per_s: ArrayLike,
) -> NDArray[np.float64]:
    """Load balancer capacity units consumed in each hour.

    The bill counts only the largest of four dimensions, each averaged over the hour first [1]_. So hours must not be
    averaged together before: the leading dimension may differ from hour to hour.

    Parameters
    ----------
    new_connections_per_s : array_like, shape (n_hours,)
        New connections, hourly mean. [connections/s]
    active_connections : array_like, shape (n_hours,)
        Connections open at the same time, hourly mean (the pricing page's "per minute"). [connections]
    processed_gb_per_h : array_like, shape (n_hours,)
        Bytes of requests and responses. [GB/h, decimal]
    rule_evaluations_per_s : array_like, shape (n_hours,)
        Rules evaluated above the ten free ones of each request, hourly mean. [rules/s]

    Returns
    -------
    numpy.ndarray, shape (n_hours,)
        Capacity units. [LCU]

    Raises
    ------
    ValueError
        If an input is negative, or the shapes do not broadcast.

    References
    ----------
    .. [1] AWS, "Elastic Load Balancing pricing", https://aws.amazon.com/elasticloadbalancing/pricing/, read 2026.

    Examples
    --------
    AWS's first example: 1 connection/s for 2 minutes, 5 requests/s, 300 KB/s, 60 rules.

    >>> alb_lcu([1], [120], [1.08], [5 * (60 - 10)]).tolist()
    [1.08]
    """
    return LcuHours(
        lcu_dimensions(new_connections_per_s, active_connections, processed_gb_per_h, rule_evaluations_per_s)
    ).consumed


def lcu_dimensions(
    new_connections_per_s: ArrayLike,
    active_connections: ArrayLike,
    processed_gb_per_h: ArrayLike,
    rule_evaluations_per_s: ArrayLike,
) -> NDArray[np.float64]:
    """Capacity units that each dimension alone would consume.

    Parameters
    ----------
    new_connections_per_s, active_connections, processed_gb_per_h, rule_evaluations_per_s : array_like, shape (n_hours,)
        As in `alb_lcu`. [connections/s, connections, GB/h, rules/s]

    Returns
    -------
    numpy.ndarray, shape (4, n_hours)
        Capacity units, in the order of ``DIMENSIONS``. [LCU]

    Raises
    ------
    ValueError
        If an input is negative, or the shapes do not broadcast.
    """
    values = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (new_connections_per_s, active_connections, processed_gb_per_h, rule_evaluations_per_s)
        )
    )
    for name, value in zip(DIMENSIONS, values, strict=True):
        if np.any(~np.isfinite(value) | (value < 0)):
            raise ValueError(f"{name} must be 0 or more in every hour; the smallest is {np.min(value):g}.")
    capacities = (
        NEW_CONNECTIONS_PER_S_PER_LCU,
        ACTIVE_CONNECTIONS_PER_LCU,
        PROCESSED_GB_PER_H_PER_LCU,
        RULE_EVALUATIONS_PER_S_PER_LCU,
    )
    return np.stack([value / capacity for value, capacity in zip(values, capacities, strict=True)])


@dataclass(frozen=True, eq=False)
class LcuHours:
    """Capacity units of each hour of the period, by dimension.

    Parameters
    ----------
    dimensions : numpy.ndarray, shape (4, n_hours)
        What each dimension alone would consume, in the order of ``DIMENSIONS``. [LCU]
    """

    dimensions: NDArray[np.float64]

    @property
    def consumed(self) -> NDArray[np.float64]:
        """Billed capacity units of each hour, shape (n_hours,). [LCU]"""
        return np.asarray(self.dimensions.max(axis=0))

    @property
    def leading(self) -> str:
        """The dimension that leads in most hours."""
        counts = np.bincount(self.dimensions.argmax(axis=0), minlength=len(DIMENSIONS))
        return DIMENSIONS[int(counts.argmax())]


def lcu_hours(workload: Workload, behavior: AwsBehavior | None = None) -> LcuHours:
    """Capacity units of each hour of a workload's period.

    AWS publishes consumed units by the minute and bills by the hour; since all dimensions of a workload are proportional to its request
    rate, the largest of hourly means and the sum of the minutes' largest are the same here.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    behavior : AwsBehavior, optional
        Which connections count.

    Returns
    -------
    LcuHours
        By dimension and hour.
    """
    behavior = behavior or AwsBehavior()
    requests_per_s = workload.load.hourly_mean()
    new_connections_per_s = requests_per_s / workload.requests_per_connection * behavior.connection_count_factor
    kb_per_request = workload.request_kb + workload.response_kb
    paid_rules = max(0.0, workload.rules_evaluated_per_request - FREE_RULES_PER_REQUEST)
    return LcuHours(
        lcu_dimensions(
            new_connections_per_s,
            new_connections_per_s * workload.connection_s,
            requests_per_s * SECONDS_PER_HOUR * kb_per_request * BYTES_PER_KB / BYTES_PER_GB,
            requests_per_s * paid_rules,
        )
    )
