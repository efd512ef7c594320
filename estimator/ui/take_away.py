"""What leaves the page: the stack, the scenario, and the same plan as a command and as Python."""

from __future__ import annotations

from functools import partial

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.bill_documents import DOCUMENTS
from estimator.report.focus import focus_frame
from estimator.ui import cached, link, stack_files, tables
from estimator.ui.uploads import FILE_NAME

#: Documents of the bill by the ending of their names: label, media type, what it is for.
_DOCUMENTS = {
    ".html": ("Page (HTML)", "text/html", "One page to read, print or send, with the arithmetic of each line."),
    ".md": ("Markdown", "text/markdown", "For a pull request or a wiki."),
    ".csv": ("Lines (CSV)", "text/csv", "A row for each line, with list, contracted, effective and billed cost."),
    ".json": ("JSON", "application/json", "What `estimator plan --json` prints."),
}

_PYTHON = """\
from estimator import Scenario, export_stack, with_budget

scenario = Scenario.from_file("scenario.yaml")
best = scenario.plan(scenario.rates())
print(best.cost.total_text)  # {total}
best.cost.to_frame()
export_stack(with_budget(best), "cdk", "my-stack")
"""


def show(question: cached.Question, plan: Plan) -> None:
    """Show the downloads.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.
    """
    name = question.scenario.name
    with st.container(horizontal=True):
        try:
            stack_files.render(question, plan, stack_files.QUICK)
        except EstimatorError as error:
            st.error(tables.plain(str(error)), icon=":material/error:")
        else:
            st.download_button(
                "Download the stack",
                partial(_packed, question, plan),
                f"{name}-stack.zip",
                "application/zip",
                key="download.stack",
                on_click="ignore",
                icon=":material/download:",
                help="An AWS CDK app in Python that deploys exactly this plan: see the README.md inside.",
            )
        st.download_button(
            "Download the scenario",
            lambda: question.document.to_yaml(),
            "scenario.yaml",
            "application/yaml",
            key="download.scenario",
            on_click="ignore",
            icon=":material/description:",
            help="The one document that this page shows: the command line and Python read it.",
        )
    _bill(name, plan, cached.rates(question))
    _files(question)
    _link(question)
    with st.expander("The same plan on the command line and in Python", icon=":material/terminal:"):
        st.code("estimator plan scenario.yaml --export my-stack --output bill.html", language="bash", wrap_lines=True)
        st.code(_PYTHON.format(total=plan.cost.total_text), language="python", wrap_lines=True)


def _packed(question: cached.Question, plan: Plan) -> bytes:
    """Pack the stack when it is asked for: its budget takes a look at many months."""
    return stack_files.zipped(stack_files.render(question, cached.to_export(question, plan), stack_files.QUICK))


def _files(question: cached.Question) -> None:
    """Say which files the scenario reads."""
    own, upload = question.scenario.prices.overrides, question.upload
    for path in (*question.scenario.load.files, *((own,) if own is not None else ())):
        called = f", your file {tables.plain(upload.name)}," if upload is not None and path == FILE_NAME else ","
        st.caption(f"The scenario reads `{path}`{called} which must lie beside it.")


def _link(question: cached.Question) -> None:
    """Show the link to these settings, or say why there is none."""
    scenario, upload = question.scenario, question.upload
    address = link.write(question.document, upload)
    if address is None:
        if scenario.prices.overrides is None and (upload is not None or not scenario.load.files):
            st.caption("These settings are too long for a link: send the scenario instead.")
        return
    with st.expander("A link to these settings", icon=":material/link:"):
        if upload is not None:
            st.caption(
                f"Who opens it is asked for the file {tables.plain(upload.name)}, which the link does not carry."
            )
        st.code(address, language=None, wrap_lines=True)


def _bill(name: str, plan: Plan, rates: Rates) -> None:
    """Offer the bill as documents, each written when it is asked for."""
    with (
        st.expander("Download the bill", type="compact", icon=":material/receipt_long:", key="download.bill"),
        st.container(horizontal=True),
    ):
        for ending, (label, media_type, use) in _DOCUMENTS.items():
            st.download_button(
                label,
                partial(DOCUMENTS[ending], plan, rates),
                f"{name}-bill{ending}",
                media_type,
                key=f"download.bill{ending}",
                on_click="ignore",
                help=use,
            )
        st.download_button(
            "FOCUS 1.0 (CSV)",
            lambda: focus_frame(plan.cost).to_csv(index=False, lineterminator="\n"),
            f"{name}-focus.csv",
            "text/csv",
            key="download.focus",
            on_click="ignore",
            help="The columns of the FinOps Open Cost and Usage Specification.",
        )
