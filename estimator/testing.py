"""A scenario's service in a test: assert_plan(scenario, budget_usd=500, ...), for pytest and any other test runner.

Notes
-----
It raises AssertionError, as a test does, and knows no test runner: the message alone says what is broken and what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a test file is collected before anything is loaded that computes
    from estimator.planning.guard import CheckedPlan, GuardLimits
    from estimator.planning.result import Plan


def assert_plan(
    scenario: Path | str,
    *,
    search: bool | None = None,
    against: Path | str | None = None,
    budget_usd: float | None = None,
    p95_latency_ms: float | None = None,
    p99_latency_ms: float | None = None,
    max_minutes_over_capacity: float | None = None,
    max_minutes_over_promise: float | None = None,
    max_refused_percent: float | None = None,
    max_increase_usd: float | None = None,
    max_increase_percent: float | None = None,
    max_stale_days: float | None = None,
) -> Plan:
    """Assert that the service of a scenario keeps its promise and the limits that are given; each goes over the promise's own.

    Parameters
    ----------
    scenario : path
        A scenario's file, YAML or JSON.
    search : bool, optional
        True to hold the plan that a search finds, False to hold the section ``service``; by default that section where there is one.
    against : path, optional
        The scenario's file from which an increase of the bill is measured.
    budget_usd : float, optional
        Most that the bill may come to. [USD/month]
    p95_latency_ms, p99_latency_ms : float, optional
        95 and 99 of 100 requests of the period are answered within this time. [ms]
    max_minutes_over_capacity : float, optional
        Minutes whose load is more than the healthy tasks can serve. [min/month]
    max_minutes_over_promise : float, optional
        Minutes that are over capacity, or in which the promised p95 latency does not hold. [min/month]
    max_refused_percent : float, optional
        Requests that find no capacity. [percent]
    max_increase_usd : float, optional
        Most that the bill may be more than that of ``against``. [USD/month]
    max_increase_percent : float, optional
        Most that the bill may be more than that of ``against``, in percent of it. [percent]
    max_stale_days : float, optional
        Days since a rate was last seen on AWS's list. [days]

    Returns
    -------
    Plan
        The service with its course and bill, for further assertions.

    Raises
    ------
    AssertionError
        If a limit is broken, or cannot be said to hold, since a rate is not known; with a table of these limits, and what to do.
    InvalidScenario
        If a file or a limit is none.

    Examples
    --------
    >>> from estimator.units import data_path
    >>> found = assert_plan(data_path("examples", "shop-daily-peak.yaml"), search=False, max_minutes_over_capacity=44_640, p95_latency_ms=10_000)
    >>> found.spec.task_size.cpu_units
    1024
    """
    from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound
    from estimator.planning.guard import OK, GuardLimits, check_plan

    limits = GuardLimits(
        budget_usd=budget_usd,
        p95_latency_ms=p95_latency_ms,
        p99_latency_ms=p99_latency_ms,
        max_minutes_over_capacity=max_minutes_over_capacity,
        max_minutes_over_promise=max_minutes_over_promise,
        max_refused_percent=max_refused_percent,
        max_increase_usd=max_increase_usd,
        max_increase_percent=max_increase_percent,
        max_stale_days=max_stale_days,
    )
    if limits.needs_base and against is None:
        raise InvalidScenario("An increase is limited and there is no base to measure it from; give `against`.")
    base = None if against is None else _priced(Path(against), search, None)
    try:
        plan = _priced(Path(scenario), search, limits)
    except (NoFeasiblePlan, RateNotFound) as error:
        raise AssertionError(f"{scenario}: {error}") from error
    checked = check_plan(plan, limits, base)
    if checked.state != OK:
        raise AssertionError(_message(str(scenario), checked))
    return plan


def _priced(path: Path, search: bool | None, limits: GuardLimits | None) -> Plan:
    from estimator.scenario import Scenario

    document = Scenario.from_file(path)
    if limits is not None:
        document = document.model_copy(update={"promise": limits.over(document.promise)})
    searched = document.service is None if search is None else search
    return document.plan(folder=path.parent) if searched else document.estimate(folder=path.parent)


def _message(name: str, checked: CheckedPlan) -> str:
    from dataclasses import replace

    from estimator.planning.guard import OK
    from estimator.report.comparison import advice_text, checks_table
    from estimator.report.terminal import plain_table

    failed = replace(checked, checks=tuple(check for check in checked.checks if check.state != OK))
    table = replace(checks_table(failed), title=f"{name}: {checked.headline}")
    return "\n".join([plain_table(table), *advice_text(failed)])
