"""The commented scenario that `estimator init` writes."""

from __future__ import annotations

import textwrap
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from estimator.load_sections import DailyLoad
from estimator.planning.promise import Choices, Promise
from estimator.sections import Network, Prices
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.stack_options import StackOptions
from estimator.service_sections import Service
from estimator.units import described_fields
from estimator.workload.horizon import Horizon
from estimator.workload.request import Request

_HEAD = """\
# What you want to run, and what you promise. Edit it, then:
#   estimator plan FILE --export my-stack     the cheapest service that keeps the promise, and its stack
#   estimator estimate FILE                   the bill of the section `service` as it is
#   estimator risk FILE                       the same with numbers that are known between two ends only
#   estimator ui FILE                         the what-if app
# `estimator schema` prints the JSON Schema; fields in comments stand at their defaults.
# Any number may be an interval, such as cpu_ms_per_request: {low: 15, likely: 20, high: 35}; all but `estimator risk` take the likely value.
version: 1
name: web
# Region code; `estimator prices show --region eu-west-1` lists what is known of its prices.
region: eu-west-1
# Length of the billed month. [h]
# hours_per_month: 730

# One period of load, repeated. Other kinds:
#   load: {kind: constant, requests_per_s: 20}
#   load: {kind: weekly, peak_requests_per_s: 200, trough_requests_per_s: 20, peak_hour: 20, weekend_factor: 0.5}
#   load: {kind: seasonal, peak_requests_per_s: 200, trough_requests_per_s: 20, peak_day: 183}
#   load: {kind: csv, path: requests.csv, timestamp_column: timestamp, requests_column: requests, gaps: error, whole: error}
#   load: {kind: parquet, path: requests.parquet, unit: requests_per_s}
#   load: {kind: access_logs, path: logs, step_s: 60, gaps: zero, whole: hours}
# `estimator load cloudwatch` makes such a CSV file from a load balancer's metrics; `estimator load show FILE` shows any load.
"""

_SHAPES = """\
  # Any kind may be bent further, in this order (a calendar: only a day or a week); docs/loads.md says how. For example:
  # calendar: {time_zone: Europe/Berlin, start: 2026-01-01, days: 365}
  # season: {swing_percent: 20, peak_day: 350}
  # growth_percent_per_month: 2
  # events: [{start: 12, rise_s: 600, hold_s: 7200, decay_s: 3600, factor: 3}]
  # noise: {percent: 15, seed: 1, correlation_s: 300}
  # scale: 1.5
"""

_SCALING = """\
  # In place of target_value, any of AWS's policies, several at once, and scheduled actions; docs/scaling.md says what each field means.
  # A schedule of some weekdays needs a load of a week: kind weekly, or `repeat: 7`. For example:
  # scaling:
  #   - {policy_type: TargetTrackingScaling, predefined_metric_type: ALBRequestCountPerTarget, target_value: 1500}
  #   - {policy_type: StepScaling, threshold: 85, step_adjustments: [{scaling_adjustment: 50, metric_interval_lower_bound: 0}],
  #      adjustment_type: PercentChangeInCapacity, cooldown_s: 60, evaluation_periods: 1, datapoints_to_alarm: 1}
  #   - {policy_type: PredictiveScaling, target_value: 60}
  # scheduled_actions:
  #   - {schedule: "cron(0 7 * * ? *)", timezone: Europe/Berlin, min_capacity: 4}
  #   - {schedule: "cron(0 22 * * ? *)", timezone: Europe/Berlin, min_capacity: 2}
  # capacity_provider_strategy: {fargate_base: 2, fargate_weight: 1, fargate_spot_weight: 3}
"""


_SAVINGS_PLANS = """\
# Compute Savings Plans: those that you have first, then one to buy; none by default. Null finds the commitment that costs least:
# savings_plans:
#   - {term: 3yr, payment_option: No Upfront, commitment_usd_per_h: 0.1, existing: true}
#   - {term: 1yr, payment_option: No Upfront, commitment_usd_per_h: null}
"""


def scenario_template() -> str:
    """Write a scenario in which every field says what it means.

    Returns
    -------
    str
        YAML.
    """
    load = {"kind": "daily", "peak_requests_per_s": 100, "trough_requests_per_s": 15, "peak_hour": 20}
    service = {"cpu_units": 1024, "memory_mib": 2048, "min_capacity": 2, "max_capacity": 20, "target_value": 70}
    request = {"cpu_ms_per_request": 20, "response_kb": 20}
    sections = [
        _section("load", "", described_fields(DailyLoad), load, {}) + _SHAPES,
        _section(
            "request",
            "What one request asks for; CPU time has no default: measure it. `protocol: http2` (http1, grpc, websocket, sse) sets typical "
            "connections.",
            described_fields(Request),
            request,
            _defaults(Request),
        ),
        _section(
            "application",
            "What is deployed whatever its size.",
            described_fields(Application),
            {},
            _defaults(Application),
        ),
        _section(
            "network",
            "Where the tasks stand.",
            described_fields(Network),
            {"layout": "public"},
            {name: field.default for name, field in Network.model_fields.items() if name != "layout"},
        ),
        _section(
            "promise",
            "Limits that a plan must keep; null switches one off.",
            described_fields(Promise),
            {"p95_latency_ms": 250},
            _defaults(Promise),
        ),
        _section("search", "What a plan may choose from.", described_fields(Choices), {}, _defaults(Choices)),
        _section(
            "service",
            "A service to price as it is, such as the one that runs today.",
            described_fields(Service),
            service,
            {name: field.default for name, field in Service.model_fields.items() if not field.is_required()},
        )
        + _SCALING,
        _section(
            "operations",
            "What happens beside the load; nothing by default.",
            described_fields(Operations),
            {},
            _defaults(Operations),
        ),
        _section(
            "extras",
            "What is billed around the service; by default what comes with any.",
            described_fields(Extras),
            {},
            _defaults(Extras),
        ),
        _SAVINGS_PLANS,
        _section(
            "horizon",
            "The months to come; `estimator breakdown` bills each of them.",
            described_fields(Horizon),
            {},
            _defaults(Horizon),
        ),
        _section(
            "behavior",
            "What is taken for granted of AWS where it does not say; docs/uncertain.md says what each does to a result.",
            described_fields(AwsBehavior),
            {},
            _defaults(AwsBehavior),
        ),
        _section(
            "prices",
            "Which prices hold; by default the newest of AWS's list.",
            described_fields(Prices),
            {},
            {name: field.default for name, field in Prices.model_fields.items()},
        ),
        _section(
            "stack",
            "What an exported stack has besides; changes neither the course nor the bill. docs/stack.md says more.",
            described_fields(StackOptions),
            {},
            _defaults(StackOptions),
        ),
    ]
    return _HEAD + "\n".join(sections)


def _defaults(record: Any) -> dict[str, Any]:
    found = {}
    for item in fields(record):
        if item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
    return found


def _section(name: str, title: str, meaning: dict[str, str], given: dict[str, Any], defaults: dict[str, Any]) -> str:
    lines = [f"# {title}"] if title else []
    lines.append(f"{name}:")
    said = ""
    for field, value in (given | {k: v for k, v in defaults.items() if k not in given}).items():
        if field in meaning and meaning[field] != said:
            said = meaning[field]
            lines += textwrap.wrap(meaning[field], 116, initial_indent="  # ", subsequent_indent="  #   ")
        lines.append(f"  {'' if field in given else '# '}{field}: {_yaml(value)}")
    return "\n".join(lines) + "\n"


def _yaml(value: Any) -> str:
    import yaml

    plain = list(value) if isinstance(value, tuple) else asdict(value) if is_dataclass(value) else value  # type: ignore[arg-type]
    return str(
        yaml.safe_dump(plain, default_flow_style=True, width=10**6, sort_keys=False).replace("\n...", "").strip()
    )
