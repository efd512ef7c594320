"""The files of a stack as they will be: a tree, each file highlighted by its language, and all of them as a zip file."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import streamlit as st

from estimator.errors import ExportError
from estimator.export import render_stack
from estimator.export.cdk import CONFIG_NAME
from estimator.export.cloudformation import TEMPLATE_NAME
from estimator.planning.result import Plan
from estimator.service.stack_options import StackOptions
from estimator.ui import background, cached, compare_search
from estimator.ui.stack_marks import Mark

#: What the highlighter calls the language of a file, by the ending of its name.
_LANGUAGES = {".py": "python", ".json": "json", ".md": "markdown", ".yaml": "yaml", ".yml": "yaml", ".txt": "ini"}
#: Height of the tree and of a file, beyond which each scrolls. [px]
_HEIGHT_PX = 520


#: Height of what stands above a file. [px]
_HEAD_PX = 60
#: Between that and the file. [px]
_GAP_PX = 16
#: The target whose files are there at once.
QUICK = "cdk"
#: How often it is looked whether a template is there. [s]
_LOOK_S = 0.3
_WHOLE, _MARKED = "Whole file", "Marked lines"


def planned(question: cached.Question, of_today: bool) -> Plan | None:
    """Find the plan that the stack is of, with a bar and a way to stop if that takes long.

    Parameters
    ----------
    question : Question
        What is asked.
    of_today : bool
        True for the section ``service`` as it is.

    Returns
    -------
    Plan or None
        With the options of its stack, and its budget; None if one stopped the search.
    """
    # The options of the stack have no part in the search: to change one must not begin the search anew.
    scenario = question.scenario
    bare = replace(question, scenario=scenario.model_copy(update={"stack": StackOptions()}))
    found = cached.estimate(bare) if of_today else compare_search.plan_of(bare, scenario.name)
    if found is None:
        return None
    values = dict(found.scenario) | {"service": scenario.to_dict()["service"], "stack": scenario.to_dict()["stack"]}
    return cached.to_export(question, replace(found, scenario=values, stack=scenario.stack))


def render(question: cached.Question, plan: Plan, target: str) -> Mapping[str, str]:
    """Write the files of a plan's stack.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.
    target : str
        A name in ``EXPORTERS``.

    Returns
    -------
    mapping of str to str
        Text by relative path.

    Raises
    ------
    EstimatorError
        If no stack can be made of the plan.

    Notes
    -----
    A template takes some seconds. It is synthesized beside the page, which looks again and again: there Streamlit ends a run that nobody
    wants any more, such as when the other target is chosen meanwhile.
    """
    key = (question.text, question.stamp, plan.fingerprint(), target)
    found: Mapping[str, str]
    if target == QUICK:
        found = _rendered(*key, plan)
        return found
    job, place = background.ask("stack", key, lambda _: _synthesized(plan, target)), st.empty()
    while not job.wait(_LOOK_S):
        place.empty()
    if job.error is not None:
        raise job.error
    found = job.answer
    return found


def _synthesized(plan: Plan, target: str) -> Mapping[str, str]:
    try:
        return render_stack(plan, target)
    except OSError as error:
        raise ExportError(f"The template could not be synthesized: {error.strerror}. Choose the CDK app.") from None


def zipped(files: Mapping[str, str]) -> bytes:
    """Pack files as a zip file, the same bytes for the same files.

    Parameters
    ----------
    files : mapping of str to str
        Text by relative path.

    Returns
    -------
    bytes
        The file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def show(files: Mapping[str, str], marks: tuple[Mark, ...]) -> None:
    """Show the tree and one file.

    Parameters
    ----------
    files : mapping of str to str
        Text by relative path.
    marks : tuple of Mark
        The numbers of the plan in them.
    """
    names = sorted(files, key=_place)
    counts = Counter(mark.file for mark in marks)
    first = TEMPLATE_NAME if TEMPLATE_NAME in files else CONFIG_NAME
    tree, shown = st.columns([2, 5])
    with tree, st.container(height=_HEIGHT_PX + _HEAD_PX):
        name = st.radio(
            "File",
            names,
            index=names.index(first),
            format_func=_label,
            captions=[_caption(files[name], counts[name]) for name in names],
            key="stack.file",
            help="The folder as it will be; the file that one chooses is shown beside.",
        )
    with shown:
        _show_file(str(name), files[str(name)], {mark.line for mark in marks if mark.file == name})


def _show_file(name: str, text: str, lines: set[int]) -> None:
    """Show a file, or those of its lines that carry numbers of the plan."""
    only = False
    with st.container(horizontal=True, vertical_alignment="center", height=_HEAD_PX, border=False):
        st.markdown(f"`{name}`")
        if lines:
            chosen = st.segmented_control(
                "Lines of the file",
                (_WHOLE, _MARKED),
                required=True,
                default=_WHOLE,
                key="stack.lines",
                label_visibility="collapsed",
                help="The whole file, or the lines that carry numbers of the plan, each with its place.",
            )
            only = chosen == _MARKED
    if only:
        numbered = enumerate(text.splitlines(), 1)
        text = "\n".join(f"{number:>5}  {line}" for number, line in numbered if number in lines)
    language = _LANGUAGES.get(PurePosixPath(name).suffix)
    # The box scrolls and not the code, which the keyboard does not reach.
    with st.container(height=_HEIGHT_PX - _GAP_PX, border=False):
        st.code(text, language=language, line_numbers=not only, wrap_lines=True)


def _place(name: str) -> tuple[bool, str]:
    """Put the files of the top before those of its folders."""
    return "/" in name, name.casefold()


def _label(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    # A dot at the begin of a name, or an underscore, is no Markdown.
    plain = "".join(f"\\{c}" if c in "_*[]" else c for c in last)
    return f":gray[{folder.replace('_', chr(92) + '_')}/]{plain}" if slash else plain


def _caption(text: str, count: int) -> str:
    lines = len(text.splitlines())
    size = f"{lines:,} line{'' if lines == 1 else 's'}"
    return f"{size}, {count} marked" if count else size


@st.cache_resource(max_entries=16, show_spinner=False)
def _rendered(text: str, stamp: tuple[int, ...], fingerprint: str, target: str, _plan: Plan) -> Mapping[str, str]:
    return render_stack(_plan, target)
