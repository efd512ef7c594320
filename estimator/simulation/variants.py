"""Copies of the loop for what a scenario uses: the functions as they stand, with some of the features' names False.

Notes
-----
Compiled, a copy has only the code of its features, which makes the plain case some times as fast; uncompiled it spares the looks at
what is not used. Any copy whose features include those of a scenario gives the same figures.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any

from estimator.service import scaling
from estimator.simulation import (
    alarms,
    decisions,
    disturbances,
    features,
    kernel,
    one_policy,
    parameters,
    requests,
    schedule,
    stopping,
    tasks,
)

Loop = Callable[..., int]

#: Sources of the compiled code.
MODULES = (
    alarms,
    decisions,
    disturbances,
    features,
    kernel,
    one_policy,
    parameters,
    requests,
    scaling,
    schedule,
    stopping,
    tasks,
)
#: What the loop calls, each after what it calls itself.
CALLED: tuple[Callable[..., Any], ...] = (
    scaling.decide_target_tracking,
    scaling.decide_step_scaling,
    tasks.spot,
    tasks.begin,
    tasks.add_change,
    tasks.change,
    tasks.change_between,
    tasks.take_changes,
    tasks.is_spot,
    tasks.next_wait,
    tasks.after_shortage,
    tasks.place_task,
    tasks.launch,
    tasks.remove,
    tasks.move,
    tasks.set_desired,
    tasks.running_tasks,
    disturbances.until_ready,
    disturbances.spot_between,
    disturbances.deploy,
    disturbances.replace_wave,
    disturbances.lose_zone,
    disturbances.interrupt,
    schedule.interrupt_due,
    schedule.change_bounds,
    schedule.disturb,
    alarms.begin_alarms,
    alarms.cpu_percent,
    alarms.datapoint,
    alarms.add_datapoints,
    alarms.mean_known,
    alarms.look,
    decisions.any_acts,
    decisions.want_of,
    decisions.decide,
    decisions.decide_step,
    one_policy.alarms_of,
    one_policy.lay_aside,
    one_policy.next_decision,
    one_policy.decide_alone,
    schedule.calm_until,
    requests.serve,
    requests.wait_bin,
    requests.record_requests,
    requests.record_step,
    kernel.go_one_step,
    kernel.go_calm_steps,
    kernel.add_sums,
    stopping.is_settled,
)
#: Called at more than one place by the loop that can do everything.
_SHARED = frozenset(
    {
        "decide_target_tracking",
        "decide_step_scaling",
        "add_change",
        "change_between",
        "after_shortage",
        "launch",
        "remove",
        "move",
        "set_desired",
        "mean_known",
        "want_of",
        "cpu_percent",
        "spot",
        "is_settled",
    }
)
#: Those that a loop calls once which uses none of `_MOVERS`.
_CALLED_ONCE = frozenset({"change_between", "launch", "remove", "move", "set_desired"})
#: Features that move tasks besides the one policy.
_MOVERS = frozenset({"SEVERAL_POLICIES", "QUOTA", "BOUNDS", "DISTURBANCES"})
ALL = frozenset(features.FEATURES)


def shared(used: frozenset[str]) -> frozenset[str]:
    """List what a loop calls at more than one place, so that it is compiled once.

    Parameters
    ----------
    used : frozenset of str
        Features.

    Returns
    -------
    frozenset of str
        Names of functions; what the others do is compiled into their caller.
    """
    return _SHARED if used & _MOVERS else _SHARED - _CALLED_ONCE


def label(used: frozenset[str]) -> str:
    """Name a variant.

    Parameters
    ----------
    used : frozenset of str
        Features.

    Returns
    -------
    str
        A letter or a line for each feature, in the order of ``FEATURES``.

    Examples
    --------
    >>> label(frozenset({"QUEUE", "BOUNDS"}))
    '_Q___B_'
    """
    letters = ["P", "Q", "S", "L", "T", "B", "D"]
    return "".join(a if name in used else "_" for a, name in zip(letters, features.FEATURES, strict=True))


@cache
def plain_run(used: frozenset[str]) -> Loop:
    """Make the uncompiled loop with some features.

    Parameters
    ----------
    used : frozenset of str
        Features.

    Returns
    -------
    callable
        Takes what `estimator.simulation.kernel.run` takes.
    """
    return build(used, lambda function, _: function)


def build(used: frozenset[str], finish: Callable[[Callable[..., Any], bool], Callable[..., Any]]) -> Loop:
    """Copy the loop and all that it calls.

    Parameters
    ----------
    used : frozenset of str
        Features.
    finish : callable
        Takes each copied function, and True for the loop itself; what it returns takes the copy's place.

    Returns
    -------
    callable
        The loop.
    """
    names: dict[str, Any] = {name: name in used for name in features.FEATURES}
    for function in (*CALLED, kernel.run):
        names[function.__name__] = finish(_with_names(function, names, label(used)), function is kernel.run)
    loop: Loop = names["run"]
    return loop


def _with_names(function: Callable[..., Any], names: dict[str, Any], suffix: str) -> Callable[..., Any]:
    """Copy a function so that names it reads mean something else; numba tells copies apart by their qualified name."""
    assert isinstance(function, types.FunctionType)
    copy = types.FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_{suffix}"
    return copy
