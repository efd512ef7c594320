"""The CDK app of ``export/stack/`` with the plan's configuration, README and cost table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any

from estimator.billing.costing import usd_text
from estimator.errors import ExportError, InvalidScenario
from estimator.export.instructions import readme_blanks
from estimator.export.stack.fargate_stack.config import parse_config
from estimator.export.stack.fargate_stack.section import ConfigError
from estimator.markdown import markdown_table
from estimator.planning.result import Plan
from estimator.service.cloudfront_plans import PAY_AS_YOU_GO
from estimator.service.deployable import require_deployable
from estimator.service.policies import ScalingPolicy, ScheduledAction, configuration_of
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import LINUX, WINDOWS

CONFIG_NAME = "stack_config.json"
SCHEMA_VERSION = 4
STACK_FOLDER = Path(__file__).resolve().parent / "stack"
#: AWS's operating system family of a task, by ours.
OPERATING_SYSTEM_FAMILIES = {LINUX: "LINUX", WINDOWS: "WINDOWS_SERVER_2022_CORE"}
#: AWS, "Baseline rule groups", read 2026: the common rules of a web ACL refuse a larger body. [kB]
WAF_BODY_KB = 8
#: Files of the folder that are not part of the app, or not copied as they are.
_LEFT_OUT = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "cdk.out", ".venv"}


def render(plan: Plan) -> dict[str, str]:
    """Write the CDK app sized to a plan.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict of str to str
        Text by relative path.

    Raises
    ------
    ExportError
        If the stack does not know the deployment strategy or the network, or its own check refuses the configuration, such as an image that
        private tasks cannot reach.
    """
    files = {}
    for path in sorted(STACK_FOLDER.rglob("*")):
        name = path.relative_to(STACK_FOLDER)
        if path.is_file() and name.as_posix() != "__init__.py" and not _LEFT_OUT & set(name.parts):
            files[name.as_posix()] = path.read_text(encoding="utf-8")
    config = stack_config(plan)
    try:
        parse_config(config)
    except ConfigError as error:
        raise ExportError(f"No stack can be made of this plan: {error} Mend the scenario.") from None
    files[CONFIG_NAME] = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    files["README.md"] = Template(files["README.md"]).substitute(_readme_parts(plan) | readme_blanks(config))
    return files


def stack_config(plan: Plan) -> dict[str, Any]:
    """Everything that the stack and its bill depend on.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict
        The document of ``stack_config.json``; its JSON Schema lies beside it.

    Raises
    ------
    ExportError
        If AWS would refuse the service, or the stack has no such network, dashboard or key.
    """
    spec, application, extras, options = plan.spec, plan.application, plan.extras, plan.stack
    try:
        require_deployable(spec, options)
    except InvalidScenario as error:
        raise ExportError(f"No stack can be made of this plan: {error}") from None
    _require_whole(plan)
    return {
        "schema_version": SCHEMA_VERSION,
        "name": str(plan.scenario.get("name", "web")),
        "region": plan.cost.region,
        "fingerprint": plan.fingerprint(),
        "prices_published": plan.cost.newest_published,
        "application": {
            "image": application.image,
            "container_port": application.container_port,
            "health_check_path": application.health_check_path,
            "environment": dict(application.environment),
            "secrets": dict(application.secrets),
            "certificate_arn": application.certificate_arn,
            "stop_timeout_s": application.stop_timeout_s,
            "log_retention_days": application.log_retention_days,
            "log_class": extras.log_class,
            "health_check_command": None
            if options.health_check_command is None
            else list(options.health_check_command),
            "user": options.user,
            "readonly_root_filesystem": options.readonly_root_filesystem,
            "sidecars": [asdict(one) | {"environment": dict(one.environment)} for one in options.sidecars],
        },
        "network": _network(plan),
        "cluster": {
            "existing_name": options.cluster_name,
            "container_insights": extras.container_insights,
            "cloud_map_namespace": options.cloud_map_namespace,
        },
        "task": {
            "cpu_units": spec.task_size.cpu_units,
            "memory_mib": spec.task_size.memory_mib,
            "cpu_architecture": spec.cpu_architecture,
            "operating_system_family": OPERATING_SYSTEM_FAMILIES[application.operating_system],
            "ephemeral_storage_gib": spec.ephemeral_storage_gib,
        },
        "service": {
            "capacity_provider_strategy": asdict(spec.capacity_provider_strategy),
            "min_capacity": spec.min_capacity,
            "max_capacity": spec.max_capacity,
            "health_check_grace_s": _health_check_grace_s(plan),
            "deployment": _deployment(plan),
        },
        "scaling": [_policy(policy) for policy in spec.scaling],
        "scheduled_actions": [_scheduled_action(action) for action in spec.scheduled_actions],
        "load_balancer": {
            "health_check_interval_s": application.health_check_interval_s,
            "deregistration_delay_s": application.deregistration_delay_s,
            "existing": None if options.load_balancer is None else asdict(options.load_balancer),
            "access_logs": extras.alb_access_logs,
            "s3_log_retention_days": extras.s3_log_retention_days,
            "deletion_protection": options.deletion_protection,
            "reserved_lcu": extras.reserved_lcu,
            "test_port": options.test_port,
            "ingress_cidrs": list(options.ingress_cidrs),
        },
        "edge": {
            "waf_rules": extras.waf_rules,
            "large_bodies": plan.workload.request_kb > WAF_BODY_KB,
            "cloudfront": _cloudfront(plan),
            "domain": None if options.domain is None else asdict(options.domain),
        },
        "observability": {
            "standard_alarms": extras.standard_alarms,
            "high_resolution_alarms": extras.high_resolution_alarms,
            "dashboards": _at_most_one("dashboards", extras.dashboards),
            "p95_latency_ms": plan.promise.p95_latency_ms,
            "alarm_email": options.alarm_email,
            "budget_usd_per_month": options.budget_usd_per_month,
        },
        "security": {"kms_keys": _at_most_one("kms_keys", extras.kms_keys)},
        "repository": {"images_kept": max(extras.ecr_images, 1)} if options.repository else None,
        "estimate": plan.cost.to_dict() | {"assumptions": plan.assumptions},
        "scenario": dict(plan.scenario),
    }


def _require_whole(plan: Plan) -> None:
    """Refuse a plan whose bill has what the stack would not have."""
    if plan.workload.mutual_tls:
        raise ExportError(
            "mutual_tls is true; the exported stack has no trust store. Set it to false in the section request of the scenario."
        )
    containers = 1 + len(plan.stack.sidecars)
    if plan.extras.containers_per_task != containers:
        raise ExportError(
            f"containers_per_task is {plan.extras.containers_per_task} and the stack has {containers} in a task. Name the others under stack.sidecars, or "
            f"set extras.containers_per_task to {containers}."
        )


def _network(plan: Plan) -> dict[str, Any]:
    network, options, extras = plan.spec.network, plan.stack, plan.extras
    if network.layout == "ipv6":
        raise ExportError(
            "The network layout is ipv6; the exported stack has IPv4 networks only. Set layout to public, nat or endpoints in the section "
            "network of the scenario."
        )
    if not network.load_balancer_ipv4:
        raise ExportError(
            "load_balancer_ipv4 is false; the load balancer of the exported stack has public IPv4 addresses. Set it to true in the section "
            "network of the scenario."
        )
    return {
        "layout": network.layout,
        "availability_zones": network.availability_zones,
        "nat_gateways": network.nat_gateways,
        "interface_endpoints": list(network.interface_endpoints),
        "existing": None
        if options.vpc is None
        else {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options.vpc).items()},
        "flow_logs": _flow_logs(plan) if extras.flow_log_gb else None,
    }


def _flow_logs(plan: Plan) -> dict[str, Any]:
    extras = plan.extras
    to_s3 = extras.flow_log_destination == "s3"
    return {
        "destination": extras.flow_log_destination,
        "log_class": extras.flow_log_class,
        "retention_days": extras.s3_log_retention_days if to_s3 else plan.application.log_retention_days,
    }


def _deployment(plan: Plan) -> dict[str, Any]:
    values = {
        "controller": plan.stack.deployment_controller,
        **asdict(plan.spec.deployment),
        "canary_percent": plan.stack.canary_percent,
    }
    # ECS takes whole numbers of some; the stack's own check refuses any other.
    return {name: _whole(value) for name, value in values.items()}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value == int(value) else value


def _cloudfront(plan: Plan) -> dict[str, Any] | None:
    if not plan.workload.behind_cloudfront:
        return None
    if plan.extras.cloudfront_plan != PAY_AS_YOU_GO:
        raise ExportError(
            f"cloudfront_plan is {plan.extras.cloudfront_plan}; the exported stack makes no flat-rate plan, which has to be approved apart. Export "
            f"with cloudfront_plan {PAY_AS_YOU_GO}, and buy the plan for the distribution."
        )
    return {
        "domain_name": plan.stack.cloudfront_domain_name,
        "certificate_arn": plan.stack.cloudfront_certificate_arn,
    }


def _at_most_one(name: str, count: int) -> int:
    if count > 1:
        raise ExportError(f"{name} is {count}; the exported stack makes one at the most. Set extras.{name} to 1 or 0.")
    return count


def _policy(policy: ScalingPolicy) -> dict[str, Any]:
    """Write a policy without what AWS has no parameter for: how far its forecaster looks back is up to it."""
    configuration = configuration_of(policy)
    configuration.pop("history_days", None)
    if "step_adjustments" in configuration:
        configuration["step_adjustments"] = list(configuration["step_adjustments"])
    return configuration


def _scheduled_action(action: ScheduledAction) -> dict[str, Any]:
    return {**asdict(action), "schedule": action.schedule.strip()}


def _health_check_grace_s(plan: Plan) -> int:
    """Time in which a new task may fail health checks: its slowest start as simulated, and as many checks again as count against it."""
    application, behavior = plan.application, plan.behavior
    return application.boot_s + behavior.registration_s + 4 * application.health_check_interval_s


def _readme_parts(plan: Plan) -> dict[str, str]:
    heads = ("Charge", ">Quantity a month", ">USD/unit", ">USD/month", "SKU", "Price date")
    rows = [
        (
            line.title,
            f"{line.pricing_quantity:,.2f} {line.pricing_unit}",
            line.effective_unit_price,
            usd_text(line.effective_cost),
            _cell(line.sku_text),
            line.published,
        )
        for line in plan.cost
    ]
    rows.append(("**Total**", "", "", f"**{plan.cost.total_text}**", "", ""))
    image = plan.application.image
    return {
        "name": str(plan.scenario.get("name", "web")),
        "region": plan.cost.region,
        "summary": plan.spec.describe(),
        "tasks": f"{plan.spec.min_capacity} to {plan.spec.max_capacity} tasks",
        "scaling": _scaling_text(plan.spec),
        "bill_table": "\n".join(markdown_table(heads, rows)),
        "image_note": f"The image is `{image}`."
        if image
        else "No image was given: the stack has the parameter `ContainerImage`, without a default, and asks for it when it is deployed.",
        "prices_note": " ".join(
            filter(None, (plan.cost.savings_plans_text, plan.cost.prices_text, plan.cost.scope_text))
        ),
    }


def _scaling_text(spec: ServiceSpec) -> str:
    """Say the scaling in words, and each scheduled action."""
    actions = [
        action.describe() + ("" if action.schedule.strip().startswith("rate") else f" {action.timezone}")
        for action in spec.scheduled_actions
    ]
    return spec.describe_scaling() + (f" ({'; '.join(actions)})" if actions else "")


def _cell(text: str) -> str:
    """Keep a reason that somebody wrote inside its cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
