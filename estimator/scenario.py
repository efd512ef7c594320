"""The one document that a user writes, saves and shares: region, load, request, application, promise, choices, own prices (YAML or JSON)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from estimator.billing.savings_plan_options import SavingsPlan, require_savings_plans
from estimator.checks import read_text, require_number
from estimator.documents import (
    Known,
    Section,
    parse_document,
    refuse_truth_values,
    sentence_of,
    take_intervals,
    value_at,
    with_path,
    with_values,
)
from estimator.errors import InvalidScenario
from estimator.load_sections import LOAD_PARTS, LOADS, Load, ShapedLoad
from estimator.planning.limits import require_consistent
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates, require_rates, require_region
from estimator.pricing.snapshots import load_rates
from estimator.sections import Network, Prices
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployable import require_deployable, require_stack
from estimator.service.deployment import ROLLING, DeploymentConfiguration
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import ScheduledAction, StepAdjustment
from estimator.service.spec import ServiceSpec
from estimator.service.stack_options import Domain, ExistingLoadBalancer, ExistingVpc, Sidecar, StackOptions
from estimator.service_sections import POLICY_SECTIONS, PolicySection, Service, require_one_way, require_recurring
from estimator.units import HOURS_PER_MONTH, described_fields
from estimator.workload.horizon import Horizon
from estimator.workload.interval import ENDS, Interval
from estimator.workload.protocols import PROTOCOLS, protocol_fields
from estimator.workload.request import Request, Workload

MAX_DOCUMENT_BYTES = 1_000_000


class Scenario(Section):
    """What a user wants to run and promises; everything that an estimate depends on but AWS's prices.

    Parameters
    ----------
    version : int
        Version of this document: 1.
    name : str
        Name of the service and of the exported stack.
    region : str
        Region code, such as ``eu-west-1``.
    hours_per_month : float
        Length of the billed month. [h]
    load : section
        Requests per second over one period.
    request : section
        What one request asks for.
    application : section
        What is deployed whatever its size.
    network : section
        Where the tasks stand.
    promise : section
        Limits that a plan must keep.
    search : section
        What a plan may choose from.
    service : section
        A service to price as it is.
    operations : section
        What happens beside the load: deployments, the loss of a zone, shortages of Fargate Spot.
    extras : section
        What is billed around the service: log class, metrics and alarms, a firewall, CloudFront's edges, images, keys and names.
    savings_plans : list of SavingsPlan
        Compute Savings Plans: those that you have first, then one to buy: ``term``, ``payment_option``, ``commitment_usd_per_h`` (null for the one that
        costs least), ``partial_upfront_percent``, ``existing``.
    horizon : section
        The months to come, and how the load grows in them; `estimator breakdown` bills each.
    behavior : section
        What is taken for granted of AWS where it does not say.
    prices : section
        Which prices hold: those of a day, and your own.
    stack : section
        What an exported stack has besides, such as names of what is there already; changes neither the course nor the bill.

    Notes
    -----
    Any number of it may be an interval, ``{low: 30, likely: 40, high: 70}``. Its fields then have the likely values, with which all is computed but
    what `estimator.risk` does; the intervals themselves are kept beside them, and written where they stood.
    """

    version: Literal[1] = 1
    name: str = Field(default="web", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$")
    region: str
    hours_per_month: float = float(HOURS_PER_MONTH)
    load: Load
    request: Request
    application: Application = Application()
    network: Network = Network()
    promise: Promise = Promise()
    search: Choices = Choices()
    service: Service | None = None
    operations: Operations = Operations()
    extras: Extras = Extras()
    savings_plans: tuple[SavingsPlan, ...] = ()
    horizon: Horizon = Horizon()
    behavior: AwsBehavior = AwsBehavior()
    prices: Prices = Prices()
    stack: StackOptions = StackOptions()
    _intervals: dict[str, Interval] = PrivateAttr()

    # What is not known exactly.

    def model_post_init(self, context: Any, /) -> None:
        """Begin without intervals: only a reader knows where they stood.

        Parameters
        ----------
        context : object
            What pydantic was given besides the values; nothing here needs it.
        """
        self._intervals = {}

    @property
    def intervals(self) -> dict[str, Interval]:
        """Numbers that are known between two ends, by dotted path, such as ``load.events[0].factor``; not those that were changed since."""
        if not self._intervals:
            return {}
        values = self.model_dump(mode="json")
        return {path: item for path, item in self._intervals.items() if value_at(values, path) == item.likely}

    def likely(self) -> Scenario:
        """Return the scenario with the likely values and no intervals.

        Returns
        -------
        Scenario
            The same in all else.
        """
        copy = self.model_copy()
        copy._intervals = {}
        return copy

    def moved(self, values: Mapping[str, Any], with_load: bool = True) -> Scenario:
        """Return the scenario with other values and no intervals.

        Parameters
        ----------
        values : mapping of str to object
            Values by dotted path. [the fields' units]
        with_load : bool
            False to leave it to the first use of the load whether it can be made.

        Returns
        -------
        Scenario
            The same in all else.

        Raises
        ------
        InvalidScenario
            If a value is not allowed, or does not go with the others.
        """
        return self._read(with_values(self.likely().to_dict(), values), "The scenario", with_load)

    # What the document becomes.

    def workload(self, folder: Path | str = ".") -> Workload:
        """Make the load and its requests.

        Parameters
        ----------
        folder : path
            What the path of a CSV file is relative to.

        Returns
        -------
        Workload
            The workload.
        """
        request = {name: getattr(self.request, name) for name in Request.__dataclass_fields__}
        return Workload(self.load.profile(Path(folder)), **request)

    def rates(self, folder: Path | str = ".") -> Rates:
        """Read the region's prices as the section ``prices`` says; no network.

        Parameters
        ----------
        folder : path
            What the path of a CSV file is relative to.

        Returns
        -------
        Rates
            Of the day, with your own prices and discounts.

        Raises
        ------
        InvalidScenario
            If the file of your own prices cannot be read, a row of it is broken, or the day is one to come.
        PriceListUnavailable
            If a price snapshot is missing or damaged.
        """
        return self.prices.over(load_rates(self.region, as_of=self.prices.as_of), Path(folder))

    def network_layout(self) -> NetworkLayout:
        """Make the network layout.

        Returns
        -------
        NetworkLayout
            With the NAT gateways or endpoints that the layout needs.
        """
        network = self.network
        return NetworkLayout.of(
            network.layout,
            network.availability_zones,
            network.nat_gateways,
            uses_secrets=bool(self.application.secrets),
            load_balancer_ipv4=network.load_balancer_ipv4,
        )

    def spec(self) -> ServiceSpec:
        """Make the candidate of the section ``service``.

        Returns
        -------
        ServiceSpec
            The candidate.

        Raises
        ------
        InvalidScenario
            If there is no such section.
        """
        service = self.service
        if service is None:
            raise InvalidScenario(
                "The scenario has no `service` section to estimate. Add one (cpu_units, memory_mib, min_capacity, ...), or let "
                "`estimator plan` find it."
            )
        spec = service.spec(self.network_layout(), self.application)
        require_deployable(spec, self.stack)
        return spec

    def estimate(self, rates: Rates | None = None, folder: Path | str = ".") -> Plan:
        """Simulate and price the section ``service`` as it is.

        Parameters
        ----------
        rates : Rates, optional
            The region's rates; by default what the section ``prices`` says.
        folder : path
            What the path of a CSV file is relative to.

        Returns
        -------
        Plan
            Its course and bill.
        """
        workload = self.workload(folder)
        require_recurring(self.load, workload.load, self.service, self.operations)
        found = estimate(
            workload,
            self._own(self.rates(folder) if rates is None else rates),
            self.spec(),
            self.application,
            self.promise,
            self.behavior,
            self.hours_per_month,
            self.operations,
            self.extras,
            self.savings_plans,
        )
        return self._signed(found)

    def plan(
        self,
        rates: Rates | None = None,
        folder: Path | str = ".",
        progress: Callable[[float], None] | None = None,
        n_threads: int | None = None,
    ) -> Plan:
        """Find the cheapest candidate that keeps the promise.

        Parameters
        ----------
        rates : Rates, optional
            The region's rates; by default what the section ``prices`` says.
        folder : path
            What the path of a CSV file is relative to.
        progress : callable, optional
            Called with the part that is done, 0 to 1.
        n_threads : int, optional
            Threads, which change nothing in the plan; by default one for each core. [1]

        Returns
        -------
        Plan
            The winner, with why the cheaper ones lost.
        """
        workload = self.workload(folder)
        require_recurring(self.load, workload.load, None, self.operations)
        own = self._own(self.rates(folder) if rates is None else rates)
        others = [region for region in dict.fromkeys(self.search.regions) if region != self.region]
        found = plan(
            workload,
            [own, *(self.prices.over(load_rates(region, as_of=self.prices.as_of), Path(folder)) for region in others)],
            self.promise,
            choices=self.search,
            application=self.application,
            network=self.network_layout(),
            behavior=self.behavior,
            hours_per_month=self.hours_per_month,
            progress=progress,
            operations=self.operations,
            extras=self.extras,
            savings_plans=self.savings_plans,
            n_threads=n_threads,
        )
        return self._signed(found)

    def _own(self, rates: Rates) -> Rates:
        require_rates(rates)
        if rates.region != self.region:
            raise InvalidScenario(
                f"The rates are of {rates.region}, the scenario is for {self.region}. Load the rates of {self.region}."
            )
        if rates.own != self.prices.fingerprint():
            raise InvalidScenario(
                "The rates do not have what the scenario's section `prices` says. Leave them out, or give scenario.rates()."
            )
        return rates

    def _signed(self, found: Plan) -> Plan:
        from dataclasses import replace

        # What a search has chosen beside the service stands where the scenario says it.
        values = self.to_dict()
        values["region"] = found.cost.region
        values["request"]["behind_cloudfront"] = found.workload.behind_cloudfront
        for name in ("container_insights", "log_class"):
            values["extras"][name] = getattr(found.extras, name)
        values["extras"]["cloudfront_edges"] = dict(found.extras.cloudfront_edges)
        return replace(found, scenario=values, stack=self.stack)

    # Reading and writing.

    def to_dict(self) -> dict[str, Any]:
        """Return the document as plain values.

        Returns
        -------
        dict
            JSON-ready; `from_dict` reads it back.
        """
        values: dict[str, Any] = self.model_dump(mode="json")
        if self.service is not None:
            # Of two ways to say one thing only the one that counts, as `from_text` asks for.
            values["service"] = {
                name: value for name, value in values["service"].items() if name not in self.service.without_effect
            }
        intervals = self.intervals
        if intervals:
            values = with_values(values, {path: item.to_dict() for path, item in intervals.items()})
        return values

    def to_yaml(self) -> str:
        """Write the document as YAML.

        Returns
        -------
        str
            `from_text` reads it back.
        """
        import yaml

        return str(yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True))

    @classmethod
    def from_dict(cls, values: object, where: str = "The scenario") -> Scenario:
        """Read the document from plain values.

        Parameters
        ----------
        values : object
            Usually a dict.
        where : str
            What to call the document in messages.

        Returns
        -------
        Scenario
            The document.

        Raises
        ------
        InvalidScenario
            In one sentence: the field, its value, what is allowed.
        """
        try:
            values, intervals = take_intervals(values, where)
        except RecursionError:
            raise InvalidScenario(
                f"{where} holds itself, or is nested too deep; it must be a mapping of sections such as region, load and request."
            ) from None
        scenario = cls._read(values, where)
        read = scenario.model_dump(mode="json")
        for path, interval in intervals.items():
            _require_number_at(path, read, where)
            for end in (ENDS[0], ENDS[-1]):
                value = getattr(interval, end)
                try:
                    cls._read(with_values(values, {path: value}), where, path.startswith("load"))
                except InvalidScenario as error:
                    said = str(error).removeprefix(f"{where}: ")
                    raise InvalidScenario(f"{where}: {path} may be as {end} as {value:g}, and {said}") from None
        scenario._intervals = {path: item for path, item in intervals.items() if not item.is_certain}
        return scenario

    @classmethod
    def _read(cls, values: object, where: str, with_load: bool = True) -> Scenario:
        """Read a document without intervals."""
        if not isinstance(values, Mapping):
            raise InvalidScenario(
                f"{where} must be a mapping of sections such as region, load and request. `estimator init` writes one."
            )
        values = _with_protocol(values, where)
        refuse_truth_values(values, where, _TRUTH_FIELDS)
        try:
            # A section whose fields are all comments is one that is not given.
            scenario = cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            raise InvalidScenario(f"{where}: {sentence_of(error, _known, _KINDS)}") from None
        require_region(scenario.region)
        require_number("hours_per_month", scenario.hours_per_month, 1, 744, advice="730 is the calculators' month.")
        try:
            require_savings_plans(scenario.savings_plans)
        except InvalidScenario as error:
            raise InvalidScenario(f"{where}: {error}") from None
        try:
            layout = scenario.network_layout()
        except InvalidScenario as error:
            raise InvalidScenario(f"{where}: {with_path('network', str(error), Network.model_fields)}") from None
        try:
            require_consistent(scenario.request, scenario.application, layout, scenario.region, extras=scenario.extras)
            scenario._require_stack(layout)
        except InvalidScenario as error:
            raise InvalidScenario(f"{where}: {error}") from None
        if scenario.service is not None:
            try:
                scenario.spec()
            except InvalidScenario as error:
                raise InvalidScenario(f"{where}: {with_path('service', str(error), Service.model_fields)}") from None
        if with_load and not scenario.load.files:
            scenario.load.profile(Path())
        return scenario

    def _require_stack(self, layout: NetworkLayout) -> None:
        behind = self.request.behind_cloudfront or True in self.search.behind_cloudfront
        strategies = self.search.deployment_strategies or (() if self.service else (ROLLING,))
        require_stack(self.stack, self.application, layout, self.extras, behind, strategies)

    @classmethod
    def from_text(cls, text: str, where: str = "The scenario") -> Scenario:
        """Read the document from YAML or JSON.

        Parameters
        ----------
        text : str
            The document.
        where : str
            What to call it in messages.

        Returns
        -------
        Scenario
            The document.

        Raises
        ------
        InvalidScenario
            If it is neither, or says something that is not allowed, or one thing twice.
        """
        values = parse_document(text, where)
        if isinstance(values, Mapping):
            require_one_way(values.get("service"), where)
        return cls.from_dict(values, where)

    @classmethod
    def from_file(cls, path: Path | str) -> Scenario:
        """Read the document from a file.

        Parameters
        ----------
        path : path
            A YAML or JSON file.

        Returns
        -------
        Scenario
            The document.

        Raises
        ------
        InvalidScenario
            If it cannot be read.
        """
        path = Path(path)
        init = f", or let `estimator init {path}` write one"
        text = read_text(path, "scenario", MAX_DOCUMENT_BYTES, "A scenario is a small document.", init)
        return cls.from_text(text, str(path))


#: Fields that are true or false, by name.
_TRUTH_FIELDS = frozenset(
    name
    for record in (
        Request,
        Application,
        Network,
        Choices,
        AwsBehavior,
        Extras,
        SavingsPlan,
        StackOptions,
        Sidecar,
        *POLICY_SECTIONS.values(),
    )
    for name, hint in get_type_hints(record).items()
    if hint is bool
)


#: Kinds of a section of several kinds, by the field that says which one it is.
_KINDS: dict[str, Collection[str]] = {"kind": LOADS, "policy_type": POLICY_SECTIONS}


def _require_number_at(path: str, values: object, where: str) -> None:
    """Raise unless a field that is given as an interval is a number."""
    value = value_at(values, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        kind = "true or false" if isinstance(value, bool) else "no number"
        raise InvalidScenario(f"{where}: {path} is given as an interval, and is {kind}. Give one value.")


def _with_protocol(values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Put what a protocol says of requests under what the section `request` says itself."""
    request = values.get("request")
    if not isinstance(request, Mapping) or "protocol" not in request:
        return values
    try:
        typical = {} if request["protocol"] is None else protocol_fields(request["protocol"])
    except InvalidScenario as error:
        raise InvalidScenario(f"{where}: request: {error}") from None
    return {**values, "request": typical | {name: value for name, value in request.items() if name != "protocol"}}


def _known(path: list[str]) -> Known:
    """Say what is known of the section that a path leads to."""
    sections: dict[str, type] = {
        "request": Request,
        "application": Application,
        "network": Network,
        "promise": Promise,
        "search": Choices,
        "service": Service,
        "scaling": PolicySection,
        "operations": Operations,
        "extras": Extras,
        "savings_plans": SavingsPlan,
        "horizon": Horizon,
        "stack": StackOptions,
        "sidecars": Sidecar,
        "vpc": ExistingVpc,
        "load_balancer": ExistingLoadBalancer,
        "domain": Domain,
        "behavior": AwsBehavior,
        "prices": Prices,
        "scheduled_actions": ScheduledAction,
        "capacity_provider_strategy": CapacityProviderStrategy,
        "deployment": DeploymentConfiguration,
        "step_adjustments": StepAdjustment,
        "spot_shortages": SpotShortage,
        **POLICY_SECTIONS,
    }
    if path == ["load"]:
        return Known(("kind",), {}, {})
    section: type = Scenario
    for part in path:
        section = sections.get(part) or LOADS.get(part) or LOAD_PARTS.get(part) or section
    if issubclass(section, BaseModel):
        fields = section.model_fields
        defaults = {name: field.default for name, field in fields.items() if not field.is_required()}
    else:
        fields = section.__dataclass_fields__  # type: ignore[attr-defined]
        defaults = {name: field.default for name, field in fields.items() if field.default is not MISSING}
    if issubclass(section, ShapedLoad):
        return Known(tuple(section.field_names()), section.described(), defaults)
    names = ("protocol", *fields) if section is Request else tuple(fields)
    return Known(names, described_fields(section), defaults)


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario, with what each field means.

    Returns
    -------
    dict
        JSON Schema, draft 2020-12.
    """
    schema = Scenario.model_json_schema()
    classes = (
        Request,
        Application,
        Promise,
        Choices,
        AwsBehavior,
        *LOADS.values(),
        *LOAD_PARTS.values(),
        Network,
        Service,
        CapacityProviderStrategy,
        DeploymentConfiguration,
        ScheduledAction,
        StepAdjustment,
        *POLICY_SECTIONS.values(),
        Operations,
        SpotShortage,
        Extras,
        SavingsPlan,
        Horizon,
        Prices,
        StackOptions,
        Sidecar,
        ExistingVpc,
        ExistingLoadBalancer,
        Domain,
    )
    parts: dict[str, tuple[Any, type]] = {
        record.__name__: (schema["$defs"][record.__name__], record) for record in classes
    }
    parts["Scenario"] = (schema, Scenario)
    for part, record in parts.values():
        part["description"] = (record.__doc__ or "").partition("\n")[0]
        fields = record.described() if issubclass(record, ShapedLoad) else described_fields(record)
        for name, text in fields.items():
            if name in part.get("properties", {}):
                part["properties"][name]["description"] = text
    schema["$defs"]["Request"]["properties"]["protocol"] = {
        "description": "Typical connections and bytes of a protocol; what the section says itself goes over them.",
        "enum": [*PROTOCOLS, None],
        "default": None,
    }
    _allow_intervals(schema)
    schema["$defs"]["Interval"] = {
        "description": "A number known between two ends only; `estimator risk` says what that does.",
        "type": "object",
        "properties": {
            "low": {"type": "number", "description": "Least value that it may have."},
            "likely": {"type": "number", "description": "Most likely value, with which all else is computed."},
            "high": {"type": "number", "description": "Largest value that it may have."},
        },
        "required": [*ENDS],
        "additionalProperties": False,
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.loads(json.dumps(schema))  # type: ignore[no-any-return]


#: What a JSON Schema says of a field besides what it allows.
_SAID_OF_FIELDS = ("title", "description", "default")


def _allow_intervals(schema: Any) -> None:
    """Let an interval stand wherever a part of a schema allows a number, and not only given ones."""
    interval = {"$ref": "#/$defs/Interval"}
    if isinstance(schema, dict):
        for part in schema.values():
            _allow_intervals(part)
        if schema.get("type") in {"number", "integer"} and not {"const", "enum"} & set(schema):
            allowed = {name: schema.pop(name) for name in list(schema) if name not in _SAID_OF_FIELDS}
            schema["anyOf"] = [allowed, interval]
    elif isinstance(schema, list):
        for part in schema:
            _allow_intervals(part)
