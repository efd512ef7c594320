"""A plan made deployable: EXPORTERS, a preview of what an export changes, and the folder that is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from estimator.errors import ExportError
from estimator.export import cdk, cloudformation
from estimator.export.folders import preview_folder, write_export
from estimator.export.preview import Preview
from estimator.planning.result import Plan


@dataclass(frozen=True, slots=True)
class Exporter:
    """A kind of stack.

    Parameters
    ----------
    title : str
        What it is, in words.
    render : callable
        From a plan to ``{relative path: text}``.
    marker : str
        A file that every such export holds: a folder that has it may be written over.
    require : callable
        Raises ExportError if programs that it needs are missing.
    """

    title: str
    render: Callable[[Plan], dict[str, str]]
    marker: str
    require: Callable[[], None] = lambda: None


EXPORTERS: dict[str, Exporter] = {
    "cdk": Exporter("AWS CDK app in Python", cdk.render, cdk.CONFIG_NAME),
    "cloudformation": Exporter(
        "CloudFormation template", cloudformation.render, cdk.CONFIG_NAME, cloudformation.require_cdk
    ),
}


def require_target(target: str) -> None:
    """Refuse a target that there is not, or whose programs are missing, before anything is computed.

    Parameters
    ----------
    target : str
        A name in ``EXPORTERS``.

    Raises
    ------
    ExportError
        If nothing can be exported with it.
    """
    if target not in EXPORTERS:
        raise ExportError(f"There is no export target {target!r}; choose one of {', '.join(EXPORTERS)}.")
    EXPORTERS[target].require()


def render_stack(plan: Plan, target: str = "cdk") -> dict[str, str]:
    """Write a plan's stack as texts.

    Parameters
    ----------
    plan : Plan
        The plan.
    target : str
        A name in ``EXPORTERS``.

    Returns
    -------
    dict of str to str
        Text by relative path.

    Raises
    ------
    ExportError
        If there is no such target, or the programs that it needs are missing.
    """
    require_target(target)
    return EXPORTERS[target].render(plan)


def preview_export(plan: Plan, target: str, folder: Path | str) -> Preview:
    """Say what an export would do to each file of a folder; nothing is written.

    Parameters
    ----------
    plan : Plan
        The plan.
    target : str
        A name in ``EXPORTERS``.
    folder : path
        A new or empty folder, or that of an earlier export.

    Returns
    -------
    Preview
        Files that are new, changed (with a unified diff), unchanged, no longer part of the export and removed, or kept because somebody
        edited them.

    Raises
    ------
    ExportError
        If the folder holds something else, or cannot be read.
    """
    texts = render_stack(plan, target)
    return preview_folder(Path(folder), target, EXPORTERS[target].marker, texts)


def export_stack(plan: Plan, target: str, folder: Path | str, *, force: bool = False) -> Path:
    """Write a plan's stack into a folder, whole or not at all.

    A new folder appears complete. In the folder of an earlier export only the files of the export are replaced, and those removed that are
    no longer part of it and that nobody edited.

    Parameters
    ----------
    plan : Plan
        The plan.
    target : str
        A name in ``EXPORTERS``.
    folder : path
        A new or empty folder, or that of an earlier export.
    force : bool
        True to write over files of an earlier export that were edited since.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ExportError
        If the folder holds something else or edited files, or cannot be written.
    """
    return write_export(preview_export(plan, target, folder), force=force)
