"""Tables of a course: what happened to a service over one period, what moved its desired count, and a flash crowd's ways side by side."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from estimator.billing.lcu import DIMENSIONS, LcuSaving
from estimator.planning.result import Plan
from estimator.report.tables import Table
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile

if TYPE_CHECKING:  # a course needs no replay
    from estimator.simulation.replay import Replay


def course_values(plan: Plan) -> dict[str, Any]:
    """Collect the figures of one period of a service.

    Parameters
    ----------
    plan : Plan
        The service and its course.

    Returns
    -------
    dict
        JSON-ready figures by name; units stand in the names, None is without bound or not known. Requests are those that reach the tasks.
    """
    run, series, lcu = plan.simulation, plan.series, plan.lcu
    led = lcu.leading_by_hour.tolist()
    values = {
        "period_hours": run.period_hours,
        "step_s": series.step_s,
        "mean_requests_per_s": series.requests_per_s.mean(),
        "peak_requests_per_s": series.requests_per_s.max(),
        "requests": series.requests_per_s.sum() * series.step_s,
        "mean_tasks": run.mean_billed_count[0],
        "peak_tasks": run.peak_desired_count[0],
        "min_tasks": series.desired_count.min(),
        "billed_task_hours": run.billed_task_hours[0],
        "spot_billed_task_hours": run.spot_billed_task_hours[0],
        "running_task_hours": run.running_task_hours[0],
        "launched_tasks": run.launched[0],
        "removed_tasks": run.removed[0],
        "replaced_tasks": run.replaced[0],
        "peak_billed_tasks": series.billed_count.max(),
        "peak_utilization": run.peak_utilization[0],
        "minutes_over_capacity": run.minutes_over_capacity[0],
        "minutes_over_promise": run.minutes_over_promise[0],
        "promised_p95_latency_ms": plan.promise.p95_latency_ms,
        "refused_requests": run.unserved_requests[0],
        "peak_queued_requests": run.peak_queued_requests[0],
        "p50_latency_ms": run.p50_latency_ms[0],
        "p95_latency_ms": run.p95_latency_ms[0],
        "p99_latency_ms": run.p99_latency_ms[0],
        "spot_interruptions": run.spot_interruptions[0],
        "stuck_deployments": run.stuck_deployments[0],
        "lcu_hours": lcu.total,
        "peak_hour_lcu": lcu.peak,
        "peak_lcu": lcu.peak_lcu,
    }
    figures: dict[str, Any] = {name: _plain(value) for name, value in values.items()}
    return figures | {
        "leading_dimension": lcu.leading if any(led) else None,
        "hours_led": {name: led.count(name) for name in DIMENSIONS},
    }


def course_table(plan: Plan) -> Table:
    """Show the figures of one period of a service.

    Parameters
    ----------
    plan : Plan
        The service and its course.

    Returns
    -------
    Table
        Figure, unit and what goes with it; what the service does not have, such as a queue or Fargate Spot, is left out.
    """
    v = course_values(plan)
    rows = [
        ("Load on the tasks, mean", _number(v["mean_requests_per_s"]), "requests/s", ""),
        ("Load on the tasks, peak", _number(v["peak_requests_per_s"]), "requests/s", f"in {_step(v['step_s'])}"),
        ("Tasks, mean", f"{v['mean_tasks']:,.2f}", "tasks", f"billed: {v['billed_task_hours']:,.1f} task-hours"),
        ("Tasks, peak", f"{v['peak_tasks']:,.0f}", "tasks", f"of at most {_most_tasks(plan):,}"),
        ("Tasks, fewest", f"{v['min_tasks']:,.0f}", "tasks", f"of at least {plan.spec.min_capacity:,}"),
        ("Tasks, launched", f"{v['launched_tasks']:,.0f}", "tasks", ""),
        ("Tasks, removed", f"{v['removed_tasks']:,.0f}", "tasks", ""),
        ("Highest utilization", _percent(v["peak_utilization"]), "%", "load over capacity"),
        ("Over capacity", _minutes(v["minutes_over_capacity"]), "min", _share(v["minutes_over_capacity"], plan)),
    ]
    if v["promised_p95_latency_ms"] is not None:
        promised = f"p95 of at most {v['promised_p95_latency_ms']:,.4g} ms"
        over = v["minutes_over_promise"]
        rows.append(("Over the promise", _minutes(over), "min", f"{_share(over, plan)}; {promised}"))
    refused = v["refused_requests"]
    of_all = f"{_part(refused / v['requests'])} of {v['requests']:,.0f}" if v["requests"] else ""
    rows.append(("Refused", f"{refused:,.0f}", "requests", of_all))
    if plan.application.queue_per_task > 0 and plan.application.queue_timeout_s > 0:
        rows.append(("Longest queue", f"{v['peak_queued_requests']:,.0f}", "requests", ""))
    for share, part in (("p50", "half of the requests"), ("p95", "95 of 100"), ("p99", "99 of 100")):
        time_ms = v[f"{share}_latency_ms"]
        shown = "without bound" if time_ms is None else f"{time_ms:,.0f}"
        rows.append((f"{share} latency", shown, "ms", f"{part} are answered within it"))
    if plan.spec.capacity_provider_strategy.uses_spot:
        rows.append(("Fargate Spot", f"{v['spot_billed_task_hours']:,.1f}", "task-hours", ""))
        rows.append(("Interruptions of Fargate Spot", f"{v['spot_interruptions']:,.0f}", "tasks", ""))
    if v["replaced_tasks"]:
        rows.append(
            (
                "Tasks, replaced",
                f"{v['replaced_tasks']:,.0f}",
                "tasks",
                "by deployments, interruptions and losses of a zone",
            )
        )
    if plan.operations.deployment_schedules:
        rows.append(("Stuck deployments", f"{v['stuck_deployments']:,.0f}", "deployments", ""))
    led = sorted(((hours, name) for name, hours in v["hours_led"].items() if hours), reverse=True)
    leads = ", ".join(f"{name} in {hours:,} h" for hours, name in led)
    rows += [
        ("Load balancer capacity", f"{v['lcu_hours']:,.2f}", "LCU-hours", f"led by {leads}" if leads else ""),
        ("Its largest hour", f"{v['peak_hour_lcu']:,.2f}", "LCU", ""),
    ]
    if v["peak_lcu"] is not None:
        busiest = _step(max(plan.workload.load.step_s, SECONDS_PER_MINUTE))
        rows.append(("Its peak", f"{v['peak_lcu']:,.2f}", "LCU", f"in {busiest}; a reservation needs at least this"))
    return Table(f"One period of {v['period_hours']:,.10g} hours", ("", ">Figure", "Unit", ""), tuple(rows))


def activities_table(plan: Plan, most: int | None = None) -> Table:
    """Show what moved the desired count, in the words of the AWS console.

    Parameters
    ----------
    plan : Plan
        The service and its course.
    most : int, optional
        How many at the most, the first ones; all by default. [1]

    Returns
    -------
    Table
        When, what was done, why, and how it ended.
    """
    every = plan.series.activities
    shown = every if most is None else every[:most]
    rows = tuple(
        (
            _moment(activity.time_s, plan.workload.load),
            activity.description,
            activity.cause,
            activity.status_message,
        )
        for activity in shown
    )
    time = "Time" if plan.workload.load.start is None else "Time (UTC)"
    count = f"{len(every):,} scaling {'activity' if len(every) == 1 else 'activities'}"
    first = f", the first {len(shown)}" if len(shown) < len(every) else ""
    return Table(f"{count}{first}", (time, "Description", "Cause", "Status"), rows, least=("Status",))


def lcu_savings_table(savings: Sequence[LcuSaving]) -> Table:
    """Show what would lower the load balancer's capacity units.

    Parameters
    ----------
    savings : sequence of LcuSaving
        What `lower_lcu` gives.

    Returns
    -------
    Table
        Change, what it saves of one period, and what to do.
    """
    rows = tuple((saving.name, f"{saving.saved_lcu_hours:,.2f}", saving.advice) for saving in savings)
    return Table("What would lower the capacity units, each alone", ("Change", ">LCU-hours saved", "What to do"), rows)


def replay_rows(found: Replay) -> list[dict[str, Any]]:
    """List how each way to scale came through a flash crowd.

    Parameters
    ----------
    found : Replay
        The flash crowd.

    Returns
    -------
    list of dict
        JSON-ready; ``scaling`` is the way's name, ``policies`` says it, the others are the columns of ``Replay.to_frame``, with None for what
        never was, and ``overwhelmed_at_the_end`` is true if the way is still over capacity when the replay ends.
    """
    rows = found.to_frame().to_dict("records")
    last_s = found.simulation.period_hours * SECONDS_PER_HOUR - found.start_s
    return [
        {"scaling": name, "policies": spec.describe_scaling()}
        | {column: _plain(value) for column, value in row.items()}
        | {"overwhelmed_at_the_end": row["served_again_s"] == last_s}
        for name, spec, row in zip(found.names, found.simulation.specs, rows, strict=True)
    ]


def replay_table(found: Replay) -> Table:
    """Show how each way to scale came through a flash crowd.

    Parameters
    ----------
    found : Replay
        The flash crowd.

    Returns
    -------
    Table
        One row for each way; times count from the crowd's begin.
    """
    rows = tuple(
        (
            row["scaling"],
            f"{row['refused_percent']:,.1f}",
            "never" if row["overwhelmed_at_the_end"] else _clock(row["served_again_s"], "always"),
            _clock(row["first_scale_out_s"], "never"),
            _clock(row["first_new_task_s"], "never"),
            f"{row['tasks_before']:,}",
            f"{row['peak_tasks']:,}",
            f"{row['minutes_over_capacity']:,.1f}",
            f"{row['extra_task_hours']:,.1f}",
        )
        for row in replay_rows(found)
    )
    crowd_min = (found.end_s - found.start_s) / SECONDS_PER_MINUTE
    return Table(
        f"A flash crowd of {crowd_min:,.4g} minutes, from {_number(found.base_requests_per_s)} to {_number(found.peak_requests_per_s)} requests/s",
        (
            "Scaling",
            ">Refused %",
            ">All served after",
            ">Scale-out after",
            ">New task after",
            ">Tasks before",
            ">Peak",
            ">Min over capacity",
            ">Extra task-h",
        ),
        rows,
        least=("Tasks before", "Min over capacity", "New task after", "Extra task-h", "Scale-out after"),
    )


def _plain(value: Any) -> float | int | None:
    """Return a number as JSON has it: whole where it is a count, None where it is without bound or not known."""
    if value is None or not math.isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _number(value: float) -> str:
    return f"{value:,.1f}" if value >= 99.95 else f"{value:.4g}"


def _percent(share: float | None) -> str:
    return "without bound" if share is None else f"{100 * share:,.1f}"


def _most_tasks(plan: Plan) -> int:
    maxima = [action.max_capacity for action in plan.spec.scheduled_actions if action.max_capacity is not None]
    return max([plan.spec.max_capacity, *maxima])


def _minutes(minutes: float) -> str:
    return f"{minutes:,.1f}"


def _share(minutes: float, plan: Plan) -> str:
    return f"{_part(minutes / (plan.simulation.period_hours * 60))} of the period"


def _part(share: float) -> str:
    """Write a part in percent.

    Examples
    --------
    >>> _part(0.125), _part(1e-6), _part(0)
    ('12.5 %', 'less than 0.01 %', '0 %')
    """
    return "less than 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.3g} %"


def _step(step_s: int) -> str:
    if step_s < SECONDS_PER_MINUTE:
        return f"{step_s} seconds"
    return "a minute" if step_s == SECONDS_PER_MINUTE else f"{step_s / SECONDS_PER_MINUTE:g} minutes"


def _clock(seconds: float | None, never: str) -> str:
    """Write a time as minutes and seconds.

    Examples
    --------
    >>> _clock(400, "never"), _clock(None, "never")
    ('6:40', 'never')
    """
    if seconds is None:
        return never
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _moment(time_s: int, load: LoadProfile) -> str:
    """Write a moment of the period, of a load without dates by its day, if it has several.

    Examples
    --------
    >>> from estimator.workload.profile import LoadProfile
    >>> day, week = LoadProfile.constant(1), LoadProfile.weekly(2, 1)
    >>> _moment(3_661, day), _moment(90_061, week)
    ('01:01:01', 'day 2 01:01:01')
    """
    if load.start is not None:
        return f"{load.start + dt.timedelta(seconds=time_s):%Y-%m-%d %H:%M:%S}"
    day, rest = divmod(time_s, SECONDS_PER_DAY)
    hour, rest = divmod(rest, SECONDS_PER_HOUR)
    which = f"day {day + 1} " if load.period_s > SECONDS_PER_DAY else ""
    return f"{which}{hour:02}:{rest // 60:02}:{rest % 60:02}"
