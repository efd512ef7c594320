"""Templates found on disk: one file, a folder of them, or a cloud assembly such as cdk.out with its manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimator.checks import read_text, shown
from estimator.errors import InvalidScenario
from estimator.repricing.stacks import Template
from estimator.repricing.template_documents import MAX_TEMPLATE_BYTES, parse_template, without_controls

#: Templates of one folder; more are a mistake. [1]
_MAX_TEMPLATES = 60
_MANIFEST, _CONFIG, _ASSEMBLY = "manifest.json", "stack_config.json", "cdk.out"
_ENDINGS = (".yaml", ".yml", ".json", ".template")
#: What lies in a cloud assembly or an exported folder, and is no template.
_NO_TEMPLATES = frozenset({
    *("manifest.json", "tree.json", "cdk.json", "cdk.out", "stack_config.json", "stack_config.schema.json"),
    *("validation-report.json", "package.json", "package-lock.json", "tsconfig.json"),
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class TemplateFiles:
    """The templates that a path leads to.

    Parameters
    ----------
    path : pathlib.Path
        What was given.
    templates : tuple of Template
        Those of it.
    scenario : mapping, optional
        The scenario that an exported folder keeps; None if there is none.
    scenario_from : str
        Where that stands.
    passed_over : tuple of (str, str)
        Files of a folder that were not read: name, and why.
    """

    path: Path
    templates: tuple[Template, ...]
    scenario: Any = None
    scenario_from: str = ""
    passed_over: tuple[tuple[str, str], ...] = ()


def read_templates(path: Path | str) -> TemplateFiles:
    """Read the templates that a path leads to.

    Parameters
    ----------
    path : path
        A template in JSON or YAML; a folder of templates; a cloud assembly, or a folder with one in ``cdk.out``.

    Returns
    -------
    TemplateFiles
        At least one template.

    Raises
    ------
    InvalidScenario
        If there is none, or one cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            config = _config_of(path.absolute().parent)
            return TemplateFiles(path, (_read(path),), _scenario_of(config), str(config or ""))
        folder = path / _ASSEMBLY if (path / _ASSEMBLY).is_dir() else path
        over: list[tuple[str, str]] = []
        found = tuple(_of_assembly(folder) if (folder / _MANIFEST).is_file() else _of_folder(folder, over))
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidScenario):
            raise
        raise InvalidScenario(f"{shown(str(path))} cannot be read: {error}. Check the path.") from None
    if not found:
        but = f" ({over[0][1].rstrip('.')})" if over else ""
        raise InvalidScenario(
            f"{path} holds no CloudFormation template{but}. Give a template, or a folder with some, such as cdk.out after `cdk synth`."
        )
    config = _config_of(path) or _config_of(folder)
    return TemplateFiles(path, found, _scenario_of(config), str(config or ""), tuple(over))


def _config_of(folder: Path) -> Path | None:
    """Find what an export has left beside its templates, or beside the folder of its assembly."""
    places = (folder / _CONFIG, *((folder.parent / _CONFIG,) if folder.name == _ASSEMBLY else ()))
    return next((place for place in places if place.is_file()), None)


def _read(path: Path, name: str = "", region: str = "", stack_name: str = "") -> Template:
    text = read_text(path, "template", MAX_TEMPLATE_BYTES, "CloudFormation takes templates up to 1 MB.")
    base = path.name
    for ending in (".template.json", ".nested.template.json", *_ENDINGS):
        base = base.removesuffix(ending)
    return Template(name or base, parse_template(text, str(path)), str(path), region, path.name, stack_name)


def _of_folder(folder: Path, over: list[tuple[str, str]]) -> Iterator[Template]:
    """Read what looks like a template; a folder has other documents too, and what cannot be read is taken down."""
    names = [each for each in sorted(folder.iterdir()) if each.suffix in _ENDINGS and each.name not in _NO_TEMPLATES]
    assembled = [each for each in names if each.name.endswith(".template.json")]
    yield from (
        _read(each) for each in _some(folder, [each for each in assembled or names if _looks_like_one(each, over)])
    )


def _looks_like_one(path: Path, over: list[tuple[str, str]]) -> bool:
    if path.is_dir():
        return False
    try:
        text = read_text(path, "template", MAX_TEMPLATE_BYTES, "CloudFormation takes templates up to 1 MB.")
    except InvalidScenario as error:
        over.append((path.name, str(error)))
        return False
    return "Resources" in text and "AWS::" in text


def _some(folder: Path, paths: list[Path]) -> list[Path]:
    if len(paths) > _MAX_TEMPLATES:
        raise InvalidScenario(
            f"{folder} holds {len(paths)} templates; at most {_MAX_TEMPLATES} are read together. Give a folder with those of one service."
        )
    return paths


def _of_assembly(folder: Path) -> Iterator[Template]:
    """Read the stacks that the manifest names, those of stages too, and templates of nested stacks beside them."""
    seen = 0
    for inner in _assemblies(folder, folder, 0):
        named: set[str] = set()
        for name, artifact in _artifacts(inner):
            properties = artifact.get("properties")
            file = properties.get("templateFile") if isinstance(properties, dict) else None
            if artifact.get("type") != "aws:cloudformation:stack" or not isinstance(file, str):
                continue
            path = _inside(folder, inner / file)
            named.add(path.name)
            stack_name = without_controls(str(artifact["properties"].get("stackName") or name))
            region = without_controls(str(artifact.get("environment", ""))).rpartition("/")[2]
            known = region if region and not region.startswith("unknown") else ""
            yield _read(path, stack_name, known, stack_name)
        nested = [each for each in sorted(inner.glob("*.nested.template.json")) if each.name not in named]
        seen += len(named) + len(nested)
        if seen > _MAX_TEMPLATES:
            _some(folder, [folder] * seen)
        yield from map(_read, nested)


def _assemblies(root: Path, folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    for _, artifact in _artifacts(folder):
        properties = artifact.get("properties")
        name = properties.get("directoryName") if isinstance(properties, dict) else None
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(name, str) and depth < 3:
            inner = _inside(root, folder / name)
            if (inner / _MANIFEST).is_file():
                yield from _assemblies(root, inner, depth + 1)


def _artifacts(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    path = folder / _MANIFEST
    text = read_text(path, "manifest", 20_000_000, "The manifest of a cloud assembly is small.")
    try:
        manifest = json.loads(text)
        artifacts = manifest["artifacts"]
        return [(str(name), each) for name, each in artifacts.items() if isinstance(each, dict)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidScenario(
            f"{path} is no manifest of a cloud assembly: it has no `artifacts`. Run `cdk synth` again, or give the templates themselves."
        ) from None


def _inside(folder: Path, path: Path) -> Path:
    """Refuse what a manifest names outside its own folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidScenario(
            f"The manifest in {folder} names {path.name} outside of the folder. Run `cdk synth` again."
        )
    return path


def _scenario_of(config: Path | None) -> Any:
    if config is None:
        return None
    text = read_text(config, "configuration", 20_000_000, "The configuration of an exported stack is small.")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = values.get("scenario") if isinstance(values, dict) else None
    return found if isinstance(found, dict) and found else None
