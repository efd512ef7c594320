"""From templates to a scenario and its bill: what the template says goes over the scenario's own sections, and nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from estimator.errors import InvalidScenario
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.repricing.load_balancer_facts import (
    read_cloudfront,
    read_load_balancer,
    read_target_group,
    unpriced_front,
)
from estimator.repricing.network_facts import read_network
from estimator.repricing.reading import ASSUMED, NOT_KNOWN, NOT_PRICED, Fact, Gap, Reading
from estimator.repricing.scaling_facts import read_alarms, read_scaling
from estimator.repricing.service_facts import (
    DEPLOYMENT_PARAMETERS,
    choose_service,
    cluster_of,
    named,
    read_capacity,
    read_deployment,
    read_task,
    services_of,
    task_of,
)
from estimator.repricing.stacks import Resource, World, is_declared, require_declared
from estimator.repricing.surroundings import (
    name_the_rest,
    read_cluster,
    read_counted,
    read_flow_logs,
    read_logs,
    read_records,
)
from estimator.repricing.template_files import TemplateFiles, read_templates
from estimator.repricing.words import value_words
from estimator.scenario import Scenario
from estimator.service.policies import configuration_of

#: Sections of a scenario of which a template says a part, in the order of the answer.
_SECTIONS = ("region", "service", "network", "application", "extras", "request")
#: Fields without which nothing can be priced.
_NEEDED = ("service.cpu_units", "service.memory_mib")


@dataclass(frozen=True, eq=False)
class Repriced:
    """A template priced under a scenario's load.

    Parameters
    ----------
    plan : Plan
        The service as the template has it, with its bill.
    facts : tuple of Fact
        What was understood, with where it stands, and what the scenario's own section says.
    not_understood : tuple of Gap
        What is not priced, not known, or taken for granted.
    scenario : Scenario
        What was priced: the given scenario with what the template says in the place of its own.
    service : str
        Logical id of the service.
    source : str
        The template or folder.
    scenario_from : str
        Where the load comes from.
    services : tuple of str
        Logical ids of all services that could be priced.
    """

    plan: Plan
    facts: tuple[Fact, ...]
    not_understood: tuple[Gap, ...]
    scenario: Scenario
    service: str
    source: str
    scenario_from: str
    services: tuple[str, ...]

    @property
    def differing(self) -> tuple[Fact, ...]:
        """Facts of which the scenario's own section says something else."""
        return tuple(fact for fact in self.facts if fact.differs)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "template": self.source,
            "scenario_from": self.scenario_from,
            "service": self.service,
            "services": list(self.services),
            "facts": [asdict(fact) | {"sources": list(fact.sources)} for fact in self.facts],
            "not_understood": [asdict(gap) for gap in self.not_understood],
            "bill": self.plan.to_dict(),
            "scenario": self.scenario.to_dict(),
        }

    def __str__(self) -> str:
        return f"{self.service} of {self.source}: {self.plan}"


def reprice(
    template: Path | str,
    scenario: Scenario | Path | str | None = None,
    parameters: Mapping[str, str] | None = None,
    service: str | None = None,
    rates: Rates | None = None,
    folder: Path | str | None = None,
) -> Repriced:
    """Price a template under a scenario's load.

    Parameters
    ----------
    template : path
        A CloudFormation template, a folder of templates, or a cloud assembly such as ``cdk.out``.
    scenario : Scenario or path, optional
        What no template says: load, request, boot time, prices; None for the one that an exported folder keeps.
    parameters : mapping of str to str, optional
        Values of the template's parameters by name, or by ``stack:name``; their defaults hold for the others.
    service : str, optional
        Logical id of the service; None to take the only one on Fargate behind a load balancer.
    rates : Rates, optional
        The region's rates; by default what the scenario says.
    folder : path, optional
        What the path of a CSV file in the scenario is relative to; by default where the scenario's file is.

    Returns
    -------
    Repriced
        The bill, what was understood, and what was not.

    Raises
    ------
    InvalidScenario
        If template or scenario cannot be read, there is no such service, or what the template says is nothing that can be priced.
    PriceListUnavailable
        If a price snapshot is missing or damaged.
    """
    files = read_templates(template)
    document, said, beside = _scenario(files, scenario)
    return _repriced(
        files, document, said, parameters or {}, service, rates, Path(folder) if folder is not None else beside
    )


def reprice_both(
    before: Path | str,
    after: Path | str,
    scenario: Scenario | Path | str | None = None,
    parameters: Mapping[str, str] | None = None,
    service: str | None = None,
) -> tuple[Repriced, Repriced]:
    """Price two templates under the same load.

    Parameters
    ----------
    before, after : path
        The templates or folders.
    scenario : Scenario or path, optional
        What no template says; None for the one that the folder of the second keeps.
    parameters : mapping of str to str, optional
        Values of the templates' parameters; each one counts where it is declared.
    service : str, optional
        Logical id of the service; where only one of the two has it, the other's is its only one.

    Returns
    -------
    tuple of (Repriced, Repriced)
        The first and the second.

    Raises
    ------
    InvalidScenario
        As `reprice`; a parameter must be declared in one of the two.
    """
    old, new = read_templates(before), read_templates(after)
    document, said, beside = _scenario(new, scenario)
    given = dict(parameters or {})
    require_declared(given, (*old.templates, *new.templates))
    sides = []
    for files in (old, new):
        own = {key: value for key, value in given.items() if is_declared(key, files.templates)}
        sides.append((files, own, _services_in(files, document, own) if service is not None else []))
    wanted = service if any(named(service, there) for _, _, there in sides) else None
    found = []
    for files, own, there in sides:
        # One that was renamed has another logical id on either side.
        renamed = wanted is not None and not named(wanted, there) and len(there) == 1
        try:
            side = _repriced(files, document, said, own, None if renamed else service, None, beside)
        except InvalidScenario as error:
            way = " Give one that both have, or reprice each alone." if wanted and not named(wanted, there) else ""
            where = "" if str(files.path) in str(error) else f"{files.path}: "
            raise InvalidScenario(f"{where}{error}{way}") from None
        if renamed:
            text = f"It is taken for {wanted}, which {files.path} does not have: it has no other service."
            side = replace(side, not_understood=(Gap(ASSUMED, side.service, text), *side.not_understood))
        found.append(side)
    return found[0], found[1]


def _services_in(files: TemplateFiles, document: Scenario, parameters: Mapping[str, str]) -> list[Resource]:
    try:
        return services_of(World(files.templates, document.region, parameters))
    except RecursionError:  # said in a sentence when it is priced
        return []


def _repriced(
    files: TemplateFiles,
    document: Scenario,
    said: str,
    parameters: Mapping[str, str],
    service: str | None,
    rates: Rates | None,
    folder: Path,
) -> Repriced:
    found = read_scenario_of(files, document, parameters, service)
    try:
        plan = found.scenario.estimate(rates, folder)
    except InvalidScenario as error:
        raise InvalidScenario(f"{files.path}, as it was read, cannot be priced: {error}") from None
    return Repriced(plan, found.facts, found.gaps, found.scenario, found.service, str(files.path), said, found.services)


def _scenario(files: TemplateFiles, scenario: Scenario | Path | str | None) -> tuple[Scenario, str, Path]:
    """Take the scenario that is given, or the one that an exported folder keeps."""
    if isinstance(scenario, Scenario):
        return scenario, f"the scenario {scenario.name}", Path()
    if scenario is not None:
        path = Path(scenario)
        return Scenario.from_file(path), str(path), path.parent
    if files.scenario is None:
        raise InvalidScenario(
            f"No scenario is given, and {files.path} keeps none: no template says how many requests come. Give one with --scenario; "
            "`estimator init` writes one to start from."
        )
    where = f"the scenario in {files.scenario_from}"
    return Scenario.from_dict(files.scenario, where), where, Path(files.scenario_from).parent


@dataclass(frozen=True, eq=False)
class Read:
    """What templates and a scenario come to, before it is priced.

    Parameters
    ----------
    scenario : Scenario
        The given scenario with what the template says in the place of its own.
    facts : tuple of Fact
        What was understood.
    gaps : tuple of Gap
        What was not, or taken for granted.
    service : str
        Logical id of the service.
    services : tuple of str
        Logical ids of all services that could be priced.
    """

    scenario: Scenario
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]
    service: str
    services: tuple[str, ...]


def read_scenario_of(
    files: TemplateFiles, document: Scenario, parameters: Mapping[str, str], wanted: str | None = None
) -> Read:
    """Make a scenario of templates and of what they leave to another scenario.

    Parameters
    ----------
    files : TemplateFiles
        The templates.
    document : Scenario
        The other scenario.
    parameters : mapping of str to str
        Values of the templates' parameters.
    wanted : str, optional
        Logical id of the service; None to take the only one.

    Returns
    -------
    Read
        The scenario, and what was read.

    Raises
    ------
    InvalidScenario
        If there is no such service, or what was read is no scenario.
    """
    world = World(files.templates, document.region, parameters)
    reading = Reading(world, _at_length(document))
    for name, why in files.passed_over:
        reading.note(NOT_KNOWN, name, f"The file was not read: {why}")
    try:
        service = choose_service(world, wanted)
        services = tuple(one.logical_id for one in services_of(world))
        _read_all(reading, document, service)
    except RecursionError:
        raise InvalidScenario(f"{files.path} refers to itself without end. Mend the template.") from None
    made = _made(document, reading, str(files.path))
    gaps = [*reading.gaps, *_left(reading, made, document)]
    return Read(made, _facts(reading, made, document), tuple(gaps), service.logical_id, services)


def _read_all(reading: Reading, document: Scenario, service: Any) -> None:
    world = reading.world
    reading.use(service)
    region = next(
        (one.region for one in world.templates if one.region and service.stack.partition("/")[0] == one.name), ""
    )
    if region:
        reading.facts["region"] = region, ("manifest.json",)
        world.region = region
    task, cluster = task_of(reading, service), cluster_of(reading, service)
    read_task(reading, service, task)
    read_capacity(reading, service, task)
    read_deployment(reading, service)
    group = read_target_group(reading, service)
    balancer = read_load_balancer(reading, service, group)
    read_network(reading, service, balancer)
    read_alarms(reading, read_scaling(reading, service))
    read_cluster(reading, service, cluster)
    read_logs(reading, service, task)
    read_flow_logs(reading)
    read_counted(reading)
    read_cloudfront(reading, balancer)
    read_records(reading)
    unpriced_front(reading)
    name_the_rest(reading, service)


# The scenario.


def _made(document: Scenario, reading: Reading, where: str) -> Scenario:
    """Put what the template says in the place of the scenario's own."""
    values = document.likely().to_dict()
    missing = [name for name in _NEEDED if name not in reading.facts]
    if missing and document.service is None:
        why = reading.left.get(missing[0], "the template does not say it")
        raise InvalidScenario(
            f"{missing[0]} is not known: {why}. Say it in the template, or in the section `service` of the scenario."
        )
    service = _service_values(document)
    for name, (value, _) in reading.facts.items():
        section, _, field = name.partition(".")
        if section == "region":
            values["region"] = value
        elif section == "service":
            service[field] = value
        elif field in values[section]:
            values[section][field] = value
    for path in reading.left:
        if path.startswith("service.deployment."):
            field = path.rpartition(".")[2]
            service["deployment"][field] = (
                getattr(document.service.deployment, field) if document.service else service["deployment"].get(field)
            )
            if service["deployment"][field] is None:
                del service["deployment"][field]
    _keep_history(service, document)
    values["service"] = service
    # What an export is to have besides changes no bill, and need not go with what this template has.
    values.pop("stack", None)
    _go_together(values)
    return Scenario.from_dict(values, f"{where} as it was read")


def _service_values(document: Scenario) -> dict[str, Any]:
    """Return the scenario's own section as it counts, at length."""
    if document.service is None:
        return {}
    spec = document.spec()
    return {
        "cpu_units": spec.task_size.cpu_units,
        "memory_mib": spec.task_size.memory_mib,
        "cpu_architecture": spec.cpu_architecture,
        "min_capacity": spec.min_capacity,
        "max_capacity": spec.max_capacity,
        "scaling": [configuration_of(policy) for policy in spec.scaling],
        "scheduled_actions": [asdict(action) for action in spec.scheduled_actions],
        "capacity_provider_strategy": asdict(spec.capacity_provider_strategy),
        "deployment": asdict(spec.deployment),
    }


def _keep_history(service: dict[str, Any], document: Scenario) -> None:
    """Let a forecaster look as far back as the scenario says; no template has a word for it."""
    days = [policy.history_days for policy in (document.spec().predictive if document.service else ())]
    for policy in service["scaling"]:
        if policy["policy_type"] == "PredictiveScaling" and days:
            policy.setdefault("history_days", days[0])


def _go_together(values: dict[str, Any]) -> None:
    """Leave out what counts only with what the template does not have."""
    request, network = values["request"], values["network"]
    if not request["behind_cloudfront"]:
        request["cloudfront_hit_ratio"], request["cloudfront_byte_hit_ratio"] = 0.0, None
    if network["layout"] != "nat":
        network["nat_gateways"] = None
    elif network["nat_gateways"] is not None:
        network["nat_gateways"] = min(network["nat_gateways"], network["availability_zones"])
    if values["extras"]["flow_log_destination"] == "s3":
        values["extras"]["flow_log_class"] = "STANDARD"
    for name in values["application"]["secrets"]:
        values["application"]["environment"].pop(name, None)


# The answer.


def _at_length(document: Scenario) -> dict[str, Any]:
    """Return a scenario with one way to say each thing, so that two can be compared."""
    values = document.likely().to_dict()
    values["service"] = _service_values(document) or None
    layout = document.network_layout()
    values["network"]["nat_gateways"] = layout.nat_gateways
    values["network"]["interface_endpoints"] = sorted(layout.interface_endpoints)
    return values


def _at(values: Mapping[str, Any], name: str) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _facts(reading: Reading, made: Scenario, document: Scenario) -> tuple[Fact, ...]:
    new, old = _at_length(made), _at_length(document)
    found = []
    for name, (value, sources) in sorted(reading.facts.items(), key=_place):
        own = _at(old, name)
        now = _at(new, name)
        # What the two services have in common is not said again.
        compared = now if name in {"service.scaling", "service.deployment"} else value
        has_own = own is not None or not name.startswith("service.")
        found.append(Fact(name, value, sources, own, has_own and _plain(compared) != _plain(own)))
    return tuple(found)


def _place(item: tuple[str, Any]) -> int:
    return _SECTIONS.index(item[0].partition(".")[0])


def _plain(value: Any) -> Any:
    """Let 30 and 30.0 be the same, and a list and a tuple."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _left(reading: Reading, made: Scenario, document: Scenario) -> list[Gap]:
    """Say of each field that the template leaves open what holds in its place, and why."""
    values = _at_length(made)
    found = []
    for name, why in reading.left.items():
        if name in reading.facts:
            continue
        value = _at(values, name)
        if name == "extras.flow_log_gb" and not value:
            found.append(Gap(NOT_PRICED, name, f"Flow logs: {why}, and the scenario's flow_log_gb is 0."))
            continue
        if name == "service.deployment":
            parts = ("strategy", *(each for each, _, _ in DEPLOYMENT_PARAMETERS[value["strategy"]]))
            value = {part: value[part] for part in parts}
        has_own = document.service is not None or not name.startswith("service.")
        whose = "the scenario's" if has_own else "the default"
        found.append(Gap(ASSUMED, name, f"{value_words(name, value)}, {whose}: {why}."))
    return found
