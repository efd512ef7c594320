"""Stacks that belong together: their parameters, exports and nested stacks joined, and every resource with its properties resolved."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.repricing.intrinsics import Resolver
from estimator.repricing.tokens import Text, Token, plain_text, split_text, tokens_in

#: How deep stacks may nest; AWS has no such limit, our own is there for one that nests itself. [1]
_MAX_NESTING = 10
_STACK = "AWS::CloudFormation::Stack"
#: Property with which a template names a resource itself, so that others may name it by text.
_NAMES = {
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::Service": "ServiceName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::CodeDeploy::DeploymentConfig": "DeploymentConfigName",
    "AWS::WAFv2::WebACL": "Name",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "PolicyName",
    "AWS::CloudWatch::Alarm": "AlarmName",
}


@dataclass(frozen=True, slots=True)
class Template:
    """One template of those that were given.

    Parameters
    ----------
    name : str
        Name of its stack, as far as it is known: of a file alone its name without ending.
    values : mapping
        The template.
    where : str
        What to call it in messages.
    region : str
        Region that a cloud assembly says; empty if none is said.
    file_name : str
        Name of the file; what a nested stack's ``TemplateURL`` or its asset's path ends in.
    stack_name : str
        What ``AWS::StackName`` gives; empty if it is not known.
    """

    name: str
    values: Mapping[str, Any]
    where: str
    region: str = ""
    file_name: str = ""
    stack_name: str = ""


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource of a stack, its properties resolved.

    Parameters
    ----------
    stack : str
        Name of its stack.
    logical_id : str
        Its logical id.
    type : str
        Such as ``AWS::ECS::Service``.
    properties : mapping
        Its properties; tokens stand where only AWS knows.
    is_certain : bool
        False if its condition depends on what is not known.
    hangs_on : tuple of Token
        What that is, as far as it is a parameter or an import.
    """

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    is_certain: bool = True
    hangs_on: tuple[Token, ...] = ()

    def get(self, path: str, default: Any = None) -> Any:
        """Look up a property.

        Parameters
        ----------
        path : str
            Names with dots between, such as ``NetworkConfiguration.AwsvpcConfiguration``.
        default : object
            What to give where there is none.

        Returns
        -------
        object
            The property.
        """
        value: Any = self.properties
        for name in path.split("."):
            if not isinstance(value, Mapping) or name not in value:
                return default
            value = value[name]
        return value

    def items(self, path: str) -> list[Any]:
        """Look up a property that is a list.

        Parameters
        ----------
        path : str
            Names with dots between.

        Returns
        -------
        list
            Its entries; a single value is taken as a list of one, none as an empty one.
        """
        value = self.get(path)
        return value if isinstance(value, list) else [] if value is None else [value]

    def entries(self, path: str) -> list[Mapping[str, Any]]:
        """Look up a property that is a list of mappings.

        Parameters
        ----------
        path : str
            Names with dots between.

        Returns
        -------
        list of mapping
            Those of its entries that are mappings.
        """
        return [item for item in self.items(path) if isinstance(item, Mapping)]

    @property
    def token(self) -> tuple[str, str]:
        """What a token of it names."""
        return self.stack, self.logical_id


@dataclass(eq=False)
class World:
    """All resources of the given stacks, and what ties them.

    Parameters
    ----------
    templates : tuple of Template
        The given templates.
    region : str
        Region code where no template says one.
    given : mapping of str to str
        Values of parameters by name, or by ``stack:name``.

    Raises
    ------
    InvalidScenario
        If a parameter is given that no template has, or with a value that its template does not allow.
    """

    templates: tuple[Template, ...]
    region: str
    given: Mapping[str, str] = field(default_factory=dict)
    #: Imports that were taken for exports whose names are not known whole, by the stack that exports them.
    assumed: dict[str, list[str]] = field(default_factory=dict)
    _resolvers: dict[str, Resolver] = field(default_factory=dict)
    _nested: dict[tuple[str, str], str] = field(default_factory=dict)
    _asking: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        require_declared(self.given, self.templates)
        for template in _outer(self.templates):
            self._add(template, template.name, {}, 0)

    def _add(self, template: Template, name: str, passed: Mapping[str, Callable[[], Any]], depth: int) -> None:
        if name in self._resolvers or depth > _MAX_NESTING:
            return
        parameters = self._parameters(template, name, passed)
        region, own = template.region or self.region, template.stack_name if depth == 0 else ""
        resolver = self._resolvers[name] = Resolver(name, template.values, region, parameters, self, own)
        for logical_id, resource, child in _children(template, self.templates):
            inner = self._nested[name, logical_id] = f"{name}/{logical_id}"
            properties = resource.get("Properties")
            said = properties.get("Parameters") if isinstance(properties, Mapping) else None
            # Resolved when it is asked for: it may be an output of a stack that is nested after this one.
            later = {
                key: self._later(f"{inner}:{key}", resolver, value)
                for key, value in (said if isinstance(said, Mapping) else {}).items()
            }
            self._add(child, inner, later, depth + 1)

    def _later(self, key: str, resolver: Resolver, value: Any) -> Callable[[], Any]:
        return lambda: self._once(key, lambda: resolver.resolve(value), Token("unresolved", "", key))

    def _parameters(
        self, template: Template, name: str, passed: Mapping[str, Callable[[], Any]]
    ) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = {}
        for parameter, said in _declared(template).items():
            kind = str(said.get("Type", "String"))
            value = passed.get(parameter)
            for key in (parameter, f"{name}:{parameter}", f"{template.name}:{parameter}"):
                if key in self.given:
                    _require_allowed(parameter, self.given[key], said)
                    value = functools.partial(_itself, self.given[key])
            # The default of a parameter that Systems Manager keeps is its name there, not its value.
            if value is None and "Default" in said and not kind.startswith("AWS::SSM::"):
                value = functools.partial(_itself, said["Default"])
            if value is not None:
                found[parameter] = functools.partial(_typed, value, kind)
        return found

    # What stands in all stacks.

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource whose condition is not false, in the templates' order."""
        return tuple(self._all())

    def _all(self) -> Iterator[Resource]:
        for name, resolver in self._resolvers.items():
            for logical_id, raw in _resources(resolver.template):
                condition = raw.get("Condition")
                truth = resolver.condition(condition) if isinstance(condition, str) else True
                if truth is False:
                    continue
                kind = raw.get("Type")
                properties = resolver.resolve(raw.get("Properties") or {})
                yield Resource(
                    name,
                    logical_id,
                    kind if isinstance(kind, str) else "",
                    properties if isinstance(properties, dict) else {},
                    truth is True,
                    resolver.undecided_by({"Condition": condition}) if truth is None else (),
                )

    def of_type(self, *types: str) -> list[Resource]:
        """List the resources of some types.

        Parameters
        ----------
        *types : str
            Such as ``AWS::ECS::Service``.

        Returns
        -------
        list of Resource
            In the templates' order.
        """
        return [resource for resource in self.resources if resource.type in types]

    def target(self, value: Any, *types: str) -> Resource | None:
        """Find the resource that a value means.

        Parameters
        ----------
        value : object
            A token or a text with one, or the name or ARN of a resource that its template names so.
        *types : str
            Types that are looked for.

        Returns
        -------
        Resource or None
            The first one; None if none of the given stacks has it.
        """
        meant = {(token.stack, token.name) for token in tokens_in(value) if token.kind == "resource"}
        of_types = self.of_type(*types)
        for resource in of_types:
            if resource.token in meant:
                return resource
        if isinstance(value, str | Text | Token):
            for resource in of_types:
                own = resource.properties.get(_NAMES.get(resource.type, ""))
                if own and (own == value or str(own) == _name_in(value, resource.type)):
                    return resource
        return None

    def means(self, value: Any, resource: Resource) -> bool:
        """Say whether a value means a resource.

        Parameters
        ----------
        value : object
            What stands in another resource.
        resource : Resource
            The resource.

        Returns
        -------
        bool
            True if it is tied to it.
        """
        return self.target(value, resource.type) is resource

    def transforms(self) -> Iterator[tuple[str, str]]:
        """List what CloudFormation would run over the templates, and we do not.

        Yields
        ------
        tuple of (str, str)
            Stack, and name of the transform or function.
        """
        for name, resolver in self._resolvers.items():
            said = resolver.template.get("Transform")
            for transform in said if isinstance(said, list) else [said]:
                if isinstance(transform, Mapping):
                    transform = transform.get("Name")
                if isinstance(transform, str):
                    yield name, transform
            resources = resolver.template["Resources"]
            yield from ((name, key) for key in resources if isinstance(key, str) and key.startswith("Fn::"))

    def without_template(self) -> list[Resource]:
        """List nested stacks whose template does not lie beside.

        Returns
        -------
        list of Resource
            The nested stacks.
        """
        return [one for one in self.of_type(_STACK) if (one.stack, one.logical_id) not in self._nested]

    # What a resolver asks.

    def imported(self, name: Any) -> Any:
        """Look up an export; see `estimator.repricing.intrinsics.Stacks`.

        Parameters
        ----------
        name : str, Token or Text
            Its name.

        Returns
        -------
        object
            Its value; a token if none of the stacks exports it.
        """
        return self._once(("import", str(name)), lambda: self._imported(name), Token("import", "", str(name)))

    def _imported(self, name: Any) -> Any:
        alike: list[tuple[Resolver, Any]] = []
        for resolver in self._resolvers.values():
            for output in _outputs(resolver.template):
                export = output.get("Export")
                own = resolver.resolve(export.get("Name")) if isinstance(export, Mapping) else None
                if own is None:
                    continue
                if own == name:
                    return resolver.resolve(output.get("Value"))
                if _could_be(own, name):
                    alike.append((resolver, output))
        if len(alike) != 1:
            return Token("import", "", str(name))
        resolver, output = alike[0]
        names = self.assumed.setdefault(resolver.stack, [])
        names += [str(name)] if str(name) not in names else []
        return resolver.resolve(output.get("Value"))

    def output_of(self, stack: str, logical_id: str, output: str) -> Any:
        """Look up an output of a nested stack; see `estimator.repricing.intrinsics.Stacks`.

        Parameters
        ----------
        stack : str
            The stack that nests it.
        logical_id : str
            Its logical id there.
        output : str
            Name of the output.

        Returns
        -------
        object
            Its value; a token if its template does not lie beside.
        """
        unknown = Token("resource", stack, logical_id, f"Outputs.{output}")
        child = self._resolvers.get(self._nested.get((stack, logical_id), ""))
        outputs = child.template.get("Outputs") if child else None
        said = outputs.get(output) if isinstance(outputs, Mapping) else None
        if child is None or not isinstance(said, Mapping):
            return unknown
        return self._once((child.stack, output), lambda: child.resolve(said.get("Value")), unknown)

    def _once(self, key: Any, find: Callable[[], Any], otherwise: Any) -> Any:
        """Find a value, unless that asks for itself."""
        if key in self._asking:
            return otherwise
        self._asking.add(key)
        try:
            return find()
        finally:
            self._asking.discard(key)


def _name_in(value: Any, kind: str) -> str | None:
    """Read a resource's name from what another one calls it by: its ARN, or a path or an expression that ends in its name."""
    if isinstance(value, Token):
        return None
    text = str(value)
    if kind == "AWS::Logs::LogGroup":
        return text.partition(":log-group:")[2].removesuffix(":*")
    if kind == "AWS::ECR::Repository":
        return text.partition(":repository/")[2]
    if kind == "AWS::S3::Bucket":
        return (text.partition(":::")[2] or text).partition("/")[0]
    if kind == "AWS::ECS::TaskDefinition":
        return text.rpartition("/")[2].partition(":")[0]
    # In an expression colons are those of AWS::Region and the like.
    path = text if isinstance(value, Text) else text.rpartition(":")[2]
    return path.rpartition("/")[2]


def _resources(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        if isinstance(resource, Mapping) and isinstance(logical_id, str) and not logical_id.startswith("Fn::"):
            yield logical_id, resource


def _outer(templates: tuple[Template, ...]) -> list[Template]:
    """Leave out stacks that only another one has: they are made when that one is."""
    inner = {child.where for template in templates for _, _, child in _children(template, templates)}
    return [template for template in templates if template.where not in inner] or list(templates)


def _children(template: Template, templates: tuple[Template, ...]) -> Iterator[tuple[str, Mapping[str, Any], Template]]:
    for logical_id, resource in _resources(template.values):
        child = _template_of(resource, templates) if resource.get("Type") == _STACK else None
        if child is not None and child.where != template.where:
            yield logical_id, resource, child


def _template_of(resource: Mapping[str, Any], templates: tuple[Template, ...]) -> Template | None:
    """Find the template of a nested stack beside the others: by its asset's path, or by the end of its address."""
    metadata, properties = resource.get("Metadata"), resource.get("Properties")
    said = [metadata.get("aws:asset:path")] if isinstance(metadata, Mapping) else []
    said += [properties.get("TemplateURL")] if isinstance(properties, Mapping) else []
    for value in said:
        if isinstance(value, dict):
            value = next(iter(value.values()), None)
        if isinstance(value, list):
            value = value[-1] if value else None
        if isinstance(value, list):
            value = value[-1] if value else None
        if not isinstance(value, str):
            continue
        name = value.partition("?")[0].rstrip("/").rpartition("/")[2]
        for template in templates:
            if name and template.file_name == name:
                return template
    return None


def _stacks_of(templates: tuple[Template, ...]) -> dict[str, Template]:
    """Name every stack that templates make, nested ones as ``outer/logical id``."""
    found: dict[str, Template] = {}

    def add(template: Template, name: str, depth: int) -> None:
        if name in found or depth > _MAX_NESTING:
            return
        found[name] = template
        for logical_id, _, child in _children(template, templates):
            add(child, f"{name}/{logical_id}", depth + 1)

    for template in _outer(templates):
        add(template, template.name, 0)
    # A parameter may be given for all stacks that are made of a template.
    return {template.name: template for template in templates} | found


def _outputs(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    outputs = template.get("Outputs")
    for output in (outputs if isinstance(outputs, Mapping) else {}).values():
        if isinstance(output, Mapping):
            yield output


def _declared(template: Template) -> dict[str, Mapping[str, Any]]:
    declared = template.values.get("Parameters")
    return {
        str(name): said if isinstance(said, Mapping) else {}
        for name, said in (declared if isinstance(declared, Mapping) else {}).items()
    }


def _itself(value: Any) -> Any:
    return value


def _typed(value: Callable[[], Any], kind: str) -> Any:
    """Give a parameter's value; one of a list is written with commas."""
    found = value()
    if (kind == "CommaDelimitedList" or "List<" in kind) and isinstance(found, str | Text):
        return [part.strip() if isinstance(part, str) else part for part in split_text(found, ",")]
    return found


def _could_be(export: Any, name: Any) -> bool:
    """Say whether two names are the same for some values of what is not known in them, such as the name of a stack."""

    def fits(first: Any, second: Any) -> bool:
        pieces = [
            part if isinstance(part, str) else None for part in (first.parts if isinstance(first, Text) else (first,))
        ]
        written = "".join(
            "\0" if isinstance(part, Token) else part
            for part in (second.parts if isinstance(second, Text) else (second,))
        )
        if sum(len(piece) for piece in pieces if piece) < 3 or None not in pieces:
            return False
        # Each text in its order, with something in the place of each token.
        place, after_token = 0, False
        for number, piece in enumerate(pieces):
            if piece is None:
                place, after_token = place + 1, True
                continue
            last = number == len(pieces) - 1
            found = max(written.rfind(piece), -1) if last else written.find(piece, place)
            if found < place or (not after_token and found != place) or (last and found + len(piece) != len(written)):
                return False
            place, after_token = found + len(piece), False
        return place == len(written) or (after_token and place <= len(written))

    named = isinstance(export, str | Text | Token) and isinstance(name, str | Text | Token)
    return named and (fits(export, name) or fits(name, export))


def is_declared(key: str, templates: tuple[Template, ...]) -> bool:
    """Say whether a parameter is one of some templates.

    Parameters
    ----------
    key : str
        Its name, or ``stack:name``.
    templates : tuple of Template
        The templates.

    Returns
    -------
    bool
        True if one of them declares it.
    """
    stack, _, name = key.rpartition(":")
    if not stack:
        return any(name in _declared(template) for template in templates)
    own = _stacks_of(templates).get(stack)
    return own is not None and name in _declared(own)


def require_declared(given: Mapping[str, str], templates: tuple[Template, ...]) -> None:
    """Refuse a parameter that no template has: it would change nothing, and nobody would know.

    Parameters
    ----------
    given : mapping of str to str
        Values by name, or by ``stack:name``.
    templates : tuple of Template
        The templates.

    Raises
    ------
    InvalidScenario
        Naming those that there are.
    """
    known = [name for template in templates for name in _declared(template)]
    for key in given:
        stack, _, name = key.rpartition(":")
        if name in known and not is_declared(key, templates):
            stacks = [own for own, template in _stacks_of(templates).items() if name in _declared(template)]
            has = _shown_list(f"it is a parameter of {', '.join(stacks)}")
            raise InvalidScenario(f"The stack {shown(stack)} has no parameter {shown(name)}; {has}. Name one of them.")
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            has = f"the templates have {', '.join(dict.fromkeys(known))}" if known else "the templates have none"
            meant = f" Did you mean {close[0]}?" if close else ""
            raise InvalidScenario(f"There is no parameter {shown(name)}; {_shown_list(has)}.{meant}")


def _shown_list(text: str, most: int = 300) -> str:
    """Cut a list that is written out where it is long."""
    return text if len(text) <= most else f"{text[:most].rpartition(',')[0]} and more"


def _require_allowed(name: str, value: str, said: Mapping[str, Any]) -> None:
    allowed = said.get("AllowedValues")
    if isinstance(allowed, list) and value not in map(plain_text, allowed):
        raise InvalidScenario(
            f"The parameter {name} is {shown(value)}; its template allows {_shown_list(', '.join(map(plain_text, allowed)))}. Choose one of them."
        )
