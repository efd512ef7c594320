"""What stands around the service and is billed: its cluster, logs, dashboards, keys, names, images; and what nobody asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimator.repricing.load_balancer_facts import read_bucket
from estimator.repricing.reading import ASSUMED, NOT_KNOWN, NOT_PRICED, Reading, number_of, pairs_of, why_unknown
from estimator.repricing.resource_types import is_free, spoken
from estimator.repricing.service_facts import SERVICE, TASK, main_container
from estimator.repricing.stacks import Resource
from estimator.repricing.tokens import is_known, tokens_in
from estimator.service.application import LOG_RETENTION_DAYS
from estimator.service.extras import CONTAINER_INSIGHTS, FLOW_LOG_DESTINATIONS, LOG_CLASSES

_LOG_GROUP, _FLOW_LOG, _KEY, _ZONE, _REPOSITORY = (
    "AWS::Logs::LogGroup",
    "AWS::EC2::FlowLog",
    "AWS::KMS::Key",
    "AWS::Route53::HostedZone",
    "AWS::ECR::Repository",
)


def read_cluster(reading: Reading, service: Resource, cluster: Resource | None) -> None:
    """Read how the cluster is observed.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    cluster : Resource, optional
        Its cluster.
    """
    field = "extras.container_insights"
    if cluster is None:
        if service.get("Cluster") is None:
            reading.leave(field, f"{service.logical_id} stands in the account's default cluster")
        else:
            reading.leave(field, f"the cluster of {service.logical_id} stands in none of the given stacks")
        return
    settings = pairs_of(cluster.entries("ClusterSettings"), "Name")
    value = settings.get("containerInsights")
    if value is None:
        reading.note(
            ASSUMED,
            cluster,
            "It does not say containerInsights, so the account's own setting holds: taken as disabled, as AWS sets it.",
        )
        reading.say(field, "disabled", cluster)
    elif not is_known(value) or str(value) not in CONTAINER_INSIGHTS:
        reading.leave(field, why_unknown(f"{cluster.logical_id}: containerInsights", value))
        reading.use(cluster)
    else:
        reading.say(field, str(value), cluster)


# Logs.


def read_logs(reading: Reading, service: Resource, task: Resource | None) -> None:
    """Read where the containers' logs go, and how long they are kept.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    task : Resource, optional
        The task definition.
    """
    fields = ("application.log_retention_days", "extras.log_class")
    if task is None:
        for field in fields:
            reading.leave(field, "the task definition stands in none of the given stacks")
        return
    written = [
        (container, configuration)
        for container in task.entries("ContainerDefinitions")
        if isinstance(configuration := container.get("LogConfiguration"), Mapping)
    ]
    if not written:
        reading.say("request.log_bytes_per_request", 0.0, task)
        for field in fields:
            reading.leave(field, f"no container of {task.logical_id} writes a log")
        return
    main = main_container(reading.world, service, task)
    container, configuration = next((each for each in written if each[0] is main), written[0])
    if container is not main:
        text = f"The container behind the load balancer writes no log: that of {container.get('Name')} is taken for it."
        reading.note(ASSUMED, task, text)
    for other, its in written:
        if other is not container and _goes_to(its) != _goes_to(configuration):
            where = its.get("LogDriver") if _group_of(its) is None else f"{its.get('LogDriver')} to {_group_of(its)}"
            text = f"The log of {other.get('Name')} goes by {where}: the bill has the log bytes of a request once, where the application's go."
            reading.note(ASSUMED, task, text)
    if str(configuration.get("LogDriver")) != "awslogs":
        name = str(configuration.get("LogDriver"))
        reading.note(ASSUMED, task, f"Its log goes by {name}: it is priced as CloudWatch Logs would be.")
        for field in fields:
            reading.leave(field, f"the log of {task.logical_id} goes by {name}")
        return
    group = reading.world.target(_group_of(configuration), _LOG_GROUP)
    if group is None:
        for field in fields:
            reading.leave(field, f"the log group of {task.logical_id} stands in none of the given stacks")
        return
    _retention(reading, group)
    _log_class(reading, group, "extras.log_class")


def _group_of(configuration: Mapping[str, Any]) -> Any:
    options = configuration.get("Options")
    return options.get("awslogs-group") if isinstance(options, Mapping) else None


def _goes_to(configuration: Mapping[str, Any]) -> tuple[str, Any]:
    return str(configuration.get("LogDriver")), _group_of(configuration)


def _retention(reading: Reading, group: Resource) -> None:
    field = "application.log_retention_days"
    days = group.get("RetentionInDays")
    reading.use(group)
    if days is None:
        reading.leave(field, f"{group.logical_id} keeps logs for ever, which no month's bill can have")
    elif number_of(days) is None:
        reading.leave(field, why_unknown(f"{group.logical_id}.RetentionInDays", days))
    elif number_of(days) not in LOG_RETENTION_DAYS:
        reading.leave(field, f"{group.logical_id}.RetentionInDays is {days}, which CloudWatch Logs does not have")
    else:
        reading.say(field, number_of(days), group)


def _log_class(reading: Reading, group: Resource, field: str) -> None:
    value = str(group.get("LogGroupClass", "STANDARD"))
    if value in LOG_CLASSES:
        reading.say(field, value, group)
    else:
        reading.leave(field, f"the class of {group.logical_id}, {value}, is not modelled")


def read_flow_logs(reading: Reading) -> None:
    """Read where flow logs go; without any there is nothing of them on the bill.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    """
    world = reading.world
    logs = world.of_type(_FLOW_LOG)
    if not logs:
        reading.say("extras.flow_log_gb", 0.0)
        return
    first = logs[0]
    if len(logs) > 1:
        reading.note(
            ASSUMED,
            logs,
            f"{len(logs)} flow logs: where they go is read from the first, and the scenario's flow_log_gb is taken for all.",
        )
    reading.use(*logs)
    destination = str(first.get("LogDestinationType", "cloud-watch-logs"))
    if destination not in FLOW_LOG_DESTINATIONS:
        reading.note(NOT_PRICED, first, f"Flow logs to {destination}.")
        reading.say("extras.flow_log_gb", 0.0, first)
        return
    reading.leave("extras.flow_log_gb", "no template says how much flow logs are")
    reading.say("extras.flow_log_destination", destination, first)
    if destination == "s3":
        read_bucket(reading, first.get("LogDestination"), first)
        return
    group = world.target(first.get("LogGroupName") or first.get("LogDestination"), _LOG_GROUP)
    if group is None:
        reading.leave(
            "extras.flow_log_class", f"the log group of {first.logical_id} stands in none of the given stacks"
        )
        return
    reading.use(group)
    _log_class(reading, group, "extras.flow_log_class")
    days, kept = (
        number_of(group.get("RetentionInDays")),
        reading.facts.get("application.log_retention_days", (None,))[0],
    )
    if kept is not None and days != kept:
        lasts = "for ever" if days is None else f"{days} days"
        reading.note(
            ASSUMED,
            group,
            f"It keeps flow logs {lasts}; the bill has them as long as the application's log, {kept} days.",
        )


# Counted.


def read_counted(reading: Reading) -> None:
    """Count what is billed by the piece: dashboards, keys, hosted zones, images that are kept.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    """
    world = reading.world
    dashboards = world.of_type("AWS::CloudWatch::Dashboard")
    reading.say("extras.dashboards", len(dashboards), *dashboards)
    keys = world.of_type(_KEY, "AWS::KMS::ReplicaKey")
    reading.say("extras.kms_keys", len(keys), *keys)
    zones = world.of_type(_ZONE)
    if zones:
        reading.say("extras.hosted_zones", len(zones), *zones)
    else:
        reading.leave("extras.hosted_zones", "none of the given stacks makes a hosted zone")
    _images(reading)


def _images(reading: Reading) -> None:
    field = "extras.ecr_images"
    repositories = reading.world.of_type(_REPOSITORY)
    kept = {one: _kept(one) for one in repositories}
    known = {one: count for one, count in kept.items() if count is not None}
    reading.use(*repositories)
    if known:
        first = next((one for one in known if one.token in reading.used), next(iter(known)))
        reading.say(field, known[first], first)
    elif repositories:
        reading.leave(field, f"{repositories[0].logical_id} has no rule that counts images")
    else:
        reading.leave(field, "none of the given stacks makes a repository")
    if len(repositories) > 1:
        reading.note(NOT_PRICED, repositories[1:], f"{len(repositories) - 1} more repositories.")


def _kept(repository: Resource) -> int | None:
    """Say how many images a lifecycle policy lets stand."""
    import json

    text = repository.get("LifecyclePolicy.LifecyclePolicyText")
    if not isinstance(text, str):
        return None
    try:
        rules = json.loads(text)["rules"]
        counts = [
            rule["selection"]["countNumber"]
            for rule in rules
            if rule["selection"].get("countType") == "imageCountMoreThan"
            and rule["selection"].get("tagStatus") != "untagged"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    whole = [count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count > 0]
    return max(whole) if whole else None


def read_records(reading: Reading) -> None:
    """Say which names lie in a hosted zone of elsewhere.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    """
    world = reading.world
    outside = [
        one
        for one in world.of_type("AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup")
        if world.target(one.get("HostedZoneId"), _ZONE) is None
    ]
    if outside and not world.of_type(_ZONE):
        text = "Its hosted zone stands in none of the given stacks: whether it is on the bill, the scenario's hosted_zones says."
        reading.note(ASSUMED, outside, text)


# What nobody asked about.


def name_the_rest(reading: Reading, service: Resource) -> None:
    """Name each resource that may cost something and is not on the bill.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service that is priced.
    """
    world = reading.world
    for other in world.of_type(SERVICE):
        if other is not service:
            reading.note(NOT_PRICED, other, "Another ECS service, with its tasks and its scaling.")
            reading.use(other, world.target(other.get("TaskDefinition"), TASK))
    _started_otherwise(reading)
    by_type: dict[str, list[Resource]] = {}
    for resource in world.resources:
        if resource.token not in reading.used and not is_free(resource.type):
            by_type.setdefault(resource.type, []).append(resource)
    for kind, resources in sorted(by_type.items()):
        reading.note(
            NOT_PRICED,
            resources,
            f"{spoken(kind)} ({kind})." if spoken(kind) else f"{kind or 'A resource without a type'}.",
        )
    for stack, name in world.transforms():
        reading.note(
            NOT_KNOWN,
            stack,
            f"{name} is run by CloudFormation before it reads the template, and not here: what it makes is not seen.",
        )
    for nested in world.without_template():
        reading.note(
            NOT_KNOWN,
            nested,
            "The template of this nested stack does not lie beside the others: what it makes is not seen.",
        )
        reading.use(nested)
    uncertain = [one for one in world.resources if not one.is_certain]
    if uncertain:
        on = dict.fromkeys(token.name for one in uncertain for token in one.hangs_on if token.kind == "parameter")
        unknown = f"what is not known ({', '.join(on)})" if on else "what is not known"
        text = f"The condition of each depends on {unknown}; they are taken to be made."
        reading.note(ASSUMED, uncertain, text)
    for stack, names in world.assumed.items():
        text = f"Its exports, whose names depend on what is not known, are taken for the imports {', '.join(names)}: no other one can be it."
        reading.note(ASSUMED, stack, text)
    _without_values(reading)


def _started_otherwise(reading: Reading) -> None:
    """Name tasks that no service keeps running: those of a schedule or an event, and definitions that nothing here starts."""
    world = reading.world
    for rule in world.of_type("AWS::Events::Rule", "AWS::Scheduler::Schedule"):
        targets = (*rule.entries("Targets"), *rule.entries("Target"))
        started = [own for target in targets if isinstance(own := target.get("EcsParameters"), Mapping)]
        if not started:
            continue
        tasks = [world.target(own.get("TaskDefinitionArn"), TASK) for own in started]
        reading.use(rule, *tasks)
        by = "event" if rule.get("EventPattern") is not None and rule.get("ScheduleExpression") is None else "schedule"
        about = dict.fromkeys([rule, *(task for task in tasks if task is not None)])
        reading.note(NOT_PRICED, about, f"Tasks that it starts by {by}.")
    idle = [task for task in world.of_type(TASK) if task.token not in reading.used]
    if idle:
        reading.note(NOT_PRICED, idle, "A task definition that no service uses, with the tasks that are started of it.")


def _without_values(reading: Reading) -> None:
    """List the parameters without a value on which something depends."""
    names = dict.fromkeys(
        token.name
        for resource in reading.world.resources
        for token in (*resource.hangs_on, *tokens_in(dict(resource.properties)))
        if token.kind == "parameter"
    )
    for name in names:
        if not name.startswith("AssetParameters"):
            reading.note(
                NOT_KNOWN,
                name,
                "The parameter has no default and no value was given; give it with --parameter where it matters.",
            )
