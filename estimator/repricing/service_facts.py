"""The service and its tasks: which one it is, what a task is made of, what it runs on, and how a new revision takes over.

Notes
-----
What a template leaves out is what AWS's pages of the resources say happens then: 30 s until a task that is asked to stop is killed, rolling
deployments of 100 to 200 %, one task, no public address [1]_. With neither launch type nor strategy the cluster's default strategy counts [2]_.

References
----------
.. [1] AWS, "AWS::ECS::Service" and "AWS::ECS::TaskDefinition", CloudFormation Template Reference, read 2026.
.. [2] AWS, "Amazon ECS service definition parameters", Amazon ECS Developer Guide, read 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.repricing.reading import ASSUMED, NOT_KNOWN, NOT_PRICED, Reading, number_of, why_unknown
from estimator.repricing.stacks import Resource, World
from estimator.repricing.tokens import Text, Token, is_known, joined, tokens_in
from estimator.service.capacity import FARGATE, FARGATE_SPOT
from estimator.service.deployment import BLUE_GREEN, CANARY, LINEAR, ROLLING
from estimator.service.task_size import LINUX, WINDOWS
from estimator.units import CPU_UNITS_PER_VCPU, MIB_PER_FARGATE_GB

SERVICE, TASK, CLUSTER = "AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::ECS::Cluster"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
_ASSOCIATIONS = "AWS::ECS::ClusterCapacityProviderAssociations"
#: AWS, "AWS::ECS::TaskDefinition ContainerDefinition", StopTimeout on Fargate, read 2026. [s]
_STOP_TIMEOUT_S = 30
_SIZE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(vcpu|gb)?\s*", re.IGNORECASE)
#: AWS, "Working with deployment configurations in CodeDeploy", predefined ones of ECS, read 2026.
_PREDEFINED = re.compile(
    r"CodeDeployDefault\.ECS(?:(Canary)(\d+)Percent(\d+)Minutes|(Linear)(\d+)PercentEvery(\d+)Minutes?|AllAtOnce)"
)

#: Services of which a message says why they cannot be priced. [1]
_MOST_REASONS = 3
#: Parameters of a strategy: our name, AWS's path, and its default where its pages name one.
DEPLOYMENT_PARAMETERS: dict[str, tuple[tuple[str, str, int | None], ...]] = {
    ROLLING: (
        ("minimum_healthy_percent", "MinimumHealthyPercent", 100),
        ("maximum_percent", "MaximumPercent", 200),
    ),
    BLUE_GREEN: (("bake_time_in_minutes", "BakeTimeInMinutes", None),),
    CANARY: (
        ("bake_time_in_minutes", "BakeTimeInMinutes", None),
        ("canary_bake_time_in_minutes", "CanaryConfiguration.CanaryBakeTimeInMinutes", 10),
    ),
    LINEAR: (
        ("bake_time_in_minutes", "BakeTimeInMinutes", None),
        ("step_percent", "LinearConfiguration.StepPercent", 10),
        ("step_bake_time_in_minutes", "LinearConfiguration.StepBakeTimeInMinutes", 6),
    ),
}


def services_of(world: World) -> list[Resource]:
    """List the services that can be priced: on Fargate, behind a target group that may be of an Application Load Balancer.

    Parameters
    ----------
    world : World
        The resources.

    Returns
    -------
    list of Resource
        In the templates' order.
    """
    return [one for one in world.of_type(SERVICE) if _why_not(world, one) is None]


def choose_service(world: World, wanted: str | None) -> Resource:
    """Choose the service.

    Parameters
    ----------
    world : World
        The resources.
    wanted : str, optional
        Logical id, or ``stack/logical id``; None to take the only one.

    Returns
    -------
    Resource
        The service.

    Raises
    ------
    InvalidScenario
        If there is none, or several and none is named, or no such one.
    """
    found = services_of(world)
    names = ", ".join(_full(one) for one in found)
    if wanted is not None:
        those = named(wanted, found)
        if len(those) != 1:
            there = f"there are {names}" if found else _none(world)
            if refused := [one for one in named(wanted, world.of_type(SERVICE)) if one not in found]:
                there = "; ".join(f"{_full(one)}: {_why_not(world, one)}" for one in refused)
            raise InvalidScenario(
                f"There is no single service {shown(wanted)} on Fargate behind a load balancer; {there}."
            )
        return those[0]
    if not found:
        raise InvalidScenario(
            f"No service can be priced: {_none(world)}. Give the stacks with an ECS service on Fargate."
        )
    if len(found) > 1:
        raise InvalidScenario(
            f"There are {len(found)} services on Fargate behind a load balancer: {names}. Choose one with --service."
        )
    return found[0]


def named(wanted: str | None, services: list[Resource]) -> list[Resource]:
    """List the services of a name.

    Parameters
    ----------
    wanted : str, optional
        Logical id, or ``stack/logical id``.
    services : list of Resource
        The services.

    Returns
    -------
    list of Resource
        Those that are called so; more than one if stacks use a logical id again.
    """
    return [one for one in services if wanted in {one.logical_id, _full(one)}]


def _full(resource: Resource) -> str:
    return f"{resource.stack}/{resource.logical_id}"


def _none(world: World) -> str:
    others = world.of_type(SERVICE)
    if others:
        whys = "; ".join(f"{one.logical_id}: {_why_not(world, one)}" for one in others[:_MOST_REASONS])
        more = f"; and {len(others) - _MOST_REASONS} more" if len(others) > _MOST_REASONS else ""
        return f"none of the ECS services runs on Fargate behind an Application Load Balancer ({whys}{more})"
    return "the templates have no ECS service"


def _why_not(world: World, service: Resource) -> str | None:
    """Say why a service cannot be priced; None if it can."""
    return _why_not_fargate(world, service) or _why_not_behind(world, service)


def _why_not_fargate(world: World, service: Resource) -> str | None:
    entries, _ = _strategy_of(world, service)
    launch = _launch_type(service)
    if entries:
        # One that stands in the templates is of an Auto Scaling group, or of managed instances.
        strange = [
            each
            for each in (entry.get("CapacityProvider") for entry in entries)
            if str(each) not in {FARGATE, FARGATE_SPOT} and (is_known(each) or _is_resource(each))
        ]
        return f"its tasks run on the capacity provider {strange[0]}" if strange else None
    if launch is not None and is_known(launch):
        return None if str(launch) == FARGATE else f"its launch type is {launch}"
    task = world.target(service.get("TaskDefinition"), TASK)
    needs = task.items("RequiresCompatibilities") if task is not None else []
    if task is None or FARGATE in needs or not is_known(needs) or (launch is not None and not needs):
        return None
    if launch is not None:
        return f"its task definition is made for {', '.join(map(str, needs))}"
    return "neither it nor its cluster says what its tasks run on, and its task definition does not ask for FARGATE"


def _is_resource(value: Any) -> bool:
    return isinstance(value, Token) and value.kind == "resource"


def _launch_type(service: Resource) -> Any:
    """Give the launch type, or what stands in the place of it or of a strategy that is not known."""
    said, strategy = service.get("LaunchType"), service.get("CapacityProviderStrategy")
    return strategy if said is None and isinstance(strategy, Token) else said


def _strategy_of(world: World, service: Resource) -> tuple[list[Mapping[str, Any]], Resource]:
    """Give the strategy that holds, and what says it: the service, or its cluster where that has neither strategy nor launch type."""
    own = service.entries("CapacityProviderStrategy")
    if own or _launch_type(service) is not None:
        return own, service
    cluster = world.target(service.get("Cluster"), CLUSTER)
    if cluster is not None:
        associated = [one for one in world.of_type(_ASSOCIATIONS) if world.means(one.get("Cluster"), cluster)]
        for holder in (*reversed(associated), cluster):
            if entries := holder.entries("DefaultCapacityProviderStrategy"):
                return entries, holder
    return [], service


def _why_not_behind(world: World, service: Resource) -> str | None:
    if attached_of(world, service):
        return None
    said = service.get("LoadBalancers")
    groups = [
        (group, group.get("Protocol"))
        for entry in service.entries("LoadBalancers")
        if (group := world.target(entry.get("TargetGroupArn"), TARGET_GROUP)) is not None
    ]
    if not is_known(said) and not service.entries("LoadBalancers"):
        return why_unknown("its load balancers", said)
    for group, protocol in groups:
        if not is_known(protocol):
            return why_unknown(f"the protocol of {group.logical_id}", protocol)
    return f"its target group is for {groups[0][1]}" if groups else "it stands behind no target group"


def attached_of(world: World, service: Resource) -> Mapping[str, Any]:
    """Find the entry of a service's load balancers that leads to an Application Load Balancer.

    Parameters
    ----------
    world : World
        The resources.
    service : Resource
        The service.

    Returns
    -------
    mapping
        The first entry whose target group is for HTTP or HTTPS, else the first whose target group stands elsewhere; empty if there is none.
    """
    entries = [entry for entry in service.entries("LoadBalancers") if entry.get("TargetGroupArn") is not None]
    groups = [world.target(entry["TargetGroupArn"], TARGET_GROUP) for entry in entries]
    for entry, group in zip(entries, groups, strict=True):
        if group is not None and str(group.get("Protocol", "HTTP")) in {"HTTP", "HTTPS"}:
            return entry
    return next((entry for entry, group in zip(entries, groups, strict=True) if group is None), {})


def main_container(world: World, service: Resource, task: Resource) -> Mapping[str, Any]:
    """Find the container behind the load balancer.

    Parameters
    ----------
    world : World
        The resources.
    service : Resource
        The service.
    task : Resource
        Its task definition.

    Returns
    -------
    mapping
        The one that the service names, else the first; empty if there is none.
    """
    containers = task.entries("ContainerDefinitions")
    name = attached_of(world, service).get("ContainerName")
    return next((each for each in containers if each.get("Name") == name), containers[0] if containers else {})


def task_of(reading: Reading, service: Resource) -> Resource | None:
    """Find the service's task definition.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.

    Returns
    -------
    Resource or None
        None if none of the stacks has it.
    """
    return reading.world.target(service.get("TaskDefinition"), TASK)


def read_task(reading: Reading, service: Resource, task: Resource | None) -> None:
    """Read what a task is made of.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    task : Resource, optional
        Its task definition.
    """
    if task is None:
        why = f"the task definition of {service.logical_id} stands in none of the given stacks"
        for name in ("service.cpu_units", "service.memory_mib", "service.cpu_architecture", "application.image"):
            reading.leave(name, why)
        return
    _size(reading, task, "service.cpu_units", "Cpu", CPU_UNITS_PER_VCPU)
    _size(reading, task, "service.memory_mib", "Memory", MIB_PER_FARGATE_GB)
    reading.read("service.cpu_architecture", task, "RuntimePlatform.CpuArchitecture", "X86_64")
    family = reading.read("application.operating_system", task, "RuntimePlatform.OperatingSystemFamily", LINUX)
    if family is not None:
        system = WINDOWS if str(family).startswith("WINDOWS") else LINUX
        reading.say("application.operating_system", system, *([task] if task.get("RuntimePlatform") else []))
    reading.read("application.ephemeral_storage_gib", task, "EphemeralStorage.SizeInGiB", 20)
    if task.items("Volumes"):
        kinds = {key for volume in task.entries("Volumes") for key in volume if key.endswith("Configuration")}
        if kinds:
            reading.note(NOT_PRICED, task, f"Volumes of the task ({', '.join(sorted(kinds))}).")
    if service.items("VolumeConfigurations"):
        reading.note(NOT_PRICED, service, "EBS volumes of the tasks.")
    _containers(reading, service, task)


def _size(reading: Reading, task: Resource, name: str, path: str, unit: float) -> None:
    """Read a size in AWS's two ways to write it: ``1024`` or ``1 vCPU``, ``2048`` or ``2 GB``."""
    value = task.get(path)
    if value is None or not is_known(value):
        why = f"{task.logical_id} has no {path}" if value is None else why_unknown(f"{task.logical_id}.{path}", value)
        reading.use(task)
        reading.leave(name, why)
        return
    match = _SIZE.fullmatch(str(value)[:40])
    if match is None:
        raise InvalidScenario(
            f"{task.logical_id}.{path} is {shown(value)}; Fargate takes a size such as 1024 or 1 vCPU. Mend the template."
        )
    size = float(match[1]) * (unit if match[2] else 1)
    reading.say(name, int(size) if size == int(size) else size, task)


def _containers(reading: Reading, service: Resource, task: Resource) -> None:
    containers = task.entries("ContainerDefinitions")
    reading.say("extras.containers_per_task", max(len(containers), 1), task)
    attached = attached_of(reading.world, service)
    main = main_container(reading.world, service, task)
    if containers and main.get("Name") != attached.get("ContainerName"):
        reading.note(
            ASSUMED,
            task,
            "Its first container is taken for the one behind the load balancer: none has the name that the service gives.",
        )
    port = number_of(attached.get("ContainerPort"))
    if port is None:
        ports = main.get("PortMappings")
        first = ports[0] if isinstance(ports, list) and ports and isinstance(ports[0], Mapping) else {}
        port = number_of(first.get("ContainerPort"))
    if port is not None:
        reading.say("application.container_port", port, service)
    else:
        reading.leave("application.container_port", "the container's port is not known")
    _image(reading, task, main.get("Image"))
    stop = main.get("StopTimeout", _STOP_TIMEOUT_S)
    if number_of(stop) is None:
        reading.leave("application.stop_timeout_s", why_unknown(f"{task.logical_id}: StopTimeout", stop))
    else:
        reading.say("application.stop_timeout_s", number_of(stop), *([task] if "StopTimeout" in main else []))
    _secrets(reading, task, containers)


def _image(reading: Reading, task: Resource, image: Any) -> None:
    if isinstance(image, Token) and image.kind in {"parameter", "unresolved", "import"}:
        reading.leave("application.image", why_unknown(f"{task.logical_id}: Image", image))
    elif image is not None:
        reading.say("application.image", str(_with_repositories(reading, image)), task)


def _with_repositories(reading: Reading, image: Any) -> Any:
    """Write the address of a repository of these stacks as ECR has it, so that it is seen to be there."""
    resolver_region = reading.world.region
    parts = image.parts if isinstance(image, Text) else (image,)
    written: list[Any] = []
    for part in parts:
        repository = reading.world.target(part, "AWS::ECR::Repository") if isinstance(part, Token) else None
        if repository is None or not isinstance(part, Token):
            written.append(part)
            continue
        reading.use(repository)
        if part.kind == "unresolved" and '"Arn"' not in part.name and ":" in part.name:
            # A part of its ARN, which the CDK takes apart for account and region.
            index = re.search(r"\[(\d),", part.name)
            written.append({"3": resolver_region}.get(index[1] if index else "", "${AWS::AccountId}"))
        elif part.attribute == "RepositoryUri":
            written.append(f"${{AWS::AccountId}}.dkr.ecr.{resolver_region}.amazonaws.com/{repository.logical_id}")
        else:
            written.append(repository.logical_id)
    return joined(written) if written else ""


def _secrets(reading: Reading, task: Resource, containers: list[Mapping[str, Any]]) -> None:
    found: dict[str, str] = {}
    parameters = 0
    for container in containers:
        entries = container.get("Secrets")
        for entry in entries if isinstance(entries, list) else []:
            if not isinstance(entry, Mapping) or entry.get("Name") is None:
                continue
            reference = _secret_arn(reading, entry.get("ValueFrom"))
            if ":secretsmanager:" not in reference:
                parameters += 1
                continue
            name = str(entry["Name"])
            found[f"{container.get('Name')}.{name}" if name in found else name] = reference
    reading.say("application.secrets", found, task)
    if parameters:
        reading.note(
            ASSUMED,
            task,
            f"{parameters} of its secrets come from the Parameter Store and are taken for standard parameters, which cost nothing.",
        )


def _secret_arn(reading: Reading, value: Any) -> str:
    """Write a reference to a secret; one of these stacks gets the shape of its ARN, whose seven parts the bill counts."""
    secret = reading.world.target(value, "AWS::SecretsManager::Secret")
    if secret is None:
        return str(value)
    reading.use(secret)
    parts = value.parts if isinstance(value, Text) else (value,)
    arn = f"arn:aws:secretsmanager:{reading.world.region}:${{AWS::AccountId}}:secret:{secret.logical_id}"
    return "".join(arn if isinstance(part, Token) and secret.token in _meant(part) else str(part) for part in parts)


def _meant(token: Token) -> set[tuple[str, str]]:
    return {(each.stack, each.name) for each in tokens_in(token)}


# What the tasks run on, and how many without a scalable target.


def cluster_of(reading: Reading, service: Resource) -> Resource | None:
    """Find the service's cluster.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.

    Returns
    -------
    Resource or None
        None if none of the stacks has it.
    """
    return reading.world.target(service.get("Cluster"), CLUSTER)


def read_capacity(reading: Reading, service: Resource, task: Resource | None) -> None:
    """Read what the tasks run on.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    task : Resource, optional
        Its task definition.
    """
    name = "service.capacity_provider_strategy"
    entries, said_by = _strategy_of(reading.world, service)
    launch = _launch_type(service)
    if not entries:
        if not is_known(launch):
            reading.leave(name, why_unknown(f"{service.logical_id}: its launch type or strategy", launch))
            return
        if launch is None and FARGATE not in (task.items("RequiresCompatibilities") if task is not None else ()):
            reading.leave(name, f"nothing in the given stacks says what the tasks of {service.logical_id} run on")
            return
        if launch is None:
            reading.note(
                ASSUMED,
                service,
                "Neither it nor its cluster says what tasks run on: taken as FARGATE, as its task definition asks for.",
            )
        reading.say(name, _strategy(0, 1, 0), service)
        return
    unknown = next((entry for entry in entries if not is_known(dict(entry))), None)
    if unknown is not None:
        reading.leave(name, why_unknown(f"{said_by.logical_id}: its strategy", dict(unknown)))
        return
    base = {str(each.get("CapacityProvider")): number_of(each.get("Base", 0)) or 0 for each in entries}
    weight = {str(each.get("CapacityProvider")): number_of(each.get("Weight", 0)) or 0 for each in entries}
    if len(entries) == 1 and not any(weight.values()):
        weight = dict.fromkeys(weight, 1)
    if base.get(FARGATE_SPOT):
        reading.note(
            ASSUMED,
            said_by,
            f"Its base of {base[FARGATE_SPOT]} tasks on FARGATE_SPOT is left out: only FARGATE's base is modelled.",
        )
    reading.say(name, _strategy(base.get(FARGATE, 0), weight.get(FARGATE, 0), weight.get(FARGATE_SPOT, 0)), said_by)


def _strategy(base: float, weight: float, spot: float) -> dict[str, float]:
    return {"fargate_base": base, "fargate_weight": weight, "fargate_spot_weight": spot}


# How a new revision takes over.


def read_deployment(reading: Reading, service: Resource) -> None:
    """Read how a new revision takes over.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    """
    controller = service.get("DeploymentController.Type", "ECS")
    if controller == "CODE_DEPLOY":
        _code_deploy(reading, service)
        return
    strategy = service.get("DeploymentConfiguration.Strategy", ROLLING)
    for path, said in (("DeploymentController.Type", controller), ("DeploymentConfiguration.Strategy", strategy)):
        if not is_known(said):
            reading.leave("service.deployment", why_unknown(f"{service.logical_id}.{path}", said))
            return
    strange = f"controller {controller}" if controller != "ECS" else f"strategy {strategy}"
    if controller != "ECS" or str(strategy) not in DEPLOYMENT_PARAMETERS:
        text = f"How a new revision takes over is not known: it is deployed by the {strange}, of which the model knows nothing."
        reading.note(NOT_KNOWN, service, text)
        reading.leave("service.deployment", f"{service.logical_id} is deployed by the {strange}")
        return
    found: dict[str, Any] = {"strategy": strategy}
    for name, path, default in DEPLOYMENT_PARAMETERS[strategy]:
        said = service.get(f"DeploymentConfiguration.{path}", default)
        value = number_of(said)
        if value is not None:
            found[name] = value
        else:
            missing = f"{service.logical_id} has no {path}, and AWS's pages name no default for {strategy}"
            why = missing if said is None else why_unknown(f"{service.logical_id}.{path}", said)
            reading.leave(f"service.deployment.{name}", why)
    reading.say("service.deployment", found, service)


def _code_deploy(reading: Reading, service: Resource) -> None:
    """Read the deployment group of a service that CodeDeploy deploys; its blue/green is AWS's older one."""
    world = reading.world
    for group in world.of_type("AWS::CodeDeploy::DeploymentGroup"):
        for entry in group.entries("ECSServices"):
            if world.means(entry.get("ServiceName"), service):
                found = _shift(reading, group)
                if found is not None:
                    wait = group.get(
                        "BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes",
                        0,
                    )
                    found["bake_time_in_minutes"] = number_of(wait) or 0
                    reading.say("service.deployment", found, service, group)
                return
    reading.note(
        NOT_KNOWN,
        service,
        "CodeDeploy deploys it, and none of the given stacks has its deployment group: taken as blue/green at once.",
    )
    reading.say("service.deployment", {"strategy": BLUE_GREEN, "bake_time_in_minutes": 0}, service)


def _shift(reading: Reading, group: Resource) -> dict[str, Any] | None:
    """Say how a deployment group shifts the traffic."""
    said = group.get("DeploymentConfigName", "CodeDeployDefault.ECSAllAtOnce")
    own = reading.world.target(said, "AWS::CodeDeploy::DeploymentConfig")
    if own is not None:
        reading.use(own)
        canary, linear = (
            own.get("TrafficRoutingConfig.TimeBasedCanary"),
            own.get("TrafficRoutingConfig.TimeBasedLinear"),
        )
        if isinstance(canary, Mapping):
            return {"strategy": CANARY, "canary_bake_time_in_minutes": number_of(canary.get("CanaryInterval")) or 0}
        if isinstance(linear, Mapping):
            return _linear(
                number_of(linear.get("LinearPercentage")) or 100, number_of(linear.get("LinearInterval")) or 0
            )
        return {"strategy": BLUE_GREEN}
    match = _PREDEFINED.fullmatch(str(said))
    if match is None:
        reading.leave(
            "service.deployment", f"{group.logical_id}: nothing is known of its deployment configuration {said}"
        )
        return None
    if match[1]:
        return {"strategy": CANARY, "canary_bake_time_in_minutes": int(match[3])}
    return _linear(int(match[5]), int(match[6])) if match[4] else {"strategy": BLUE_GREEN}


def _linear(percent: float, minutes: float) -> dict[str, Any]:
    return {"strategy": LINEAR, "step_percent": percent, "step_bake_time_in_minutes": minutes}
