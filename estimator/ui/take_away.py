"""What leaves the page: the stack, the scenario, and the same plan as a command and as Python."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.result import Plan
from estimator.ui import cached, link, tables

_PYTHON = """\
from estimator import Scenario, export_stack

scenario = Scenario.from_file("scenario.yaml")
best = scenario.plan(scenario.rates())
print(best.cost.total_text)  # {total}
best.cost.to_frame()
export_stack(best, "cdk", "my-stack")
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
            stack = cached.stack_zip(plan)
        except EstimatorError as error:
            st.error(tables.plain(str(error)), icon=":material/error:")
        else:
            st.download_button(
                "Download the stack",
                stack,
                f"{name}-stack.zip",
                "application/zip",
                key="download.stack",
                on_click="ignore",
                icon=":material/download:",
                help="An AWS CDK app in Python that deploys exactly this plan: see the README.md inside.",
            )
        st.download_button(
            "Download the scenario",
            question.scenario.to_yaml(),
            "scenario.yaml",
            "application/yaml",
            key="download.scenario",
            on_click="ignore",
            icon=":material/description:",
            help="The one document that this page shows: the command line and Python read it.",
        )
    own = question.scenario.prices.overrides
    for path in (*question.scenario.load.files, *((own,) if own is not None else ())):
        st.caption(f"The scenario reads `{path}`, which must lie beside it.")
    address = link.write(question.scenario)
    if address is not None:
        with st.expander("A link to these settings", icon=":material/link:"):
            st.code(address, language=None, wrap_lines=True)
    with st.expander("The same plan on the command line and in Python", icon=":material/terminal:"):
        st.code("estimator plan scenario.yaml --export my-stack", language="bash")
        st.code(_PYTHON.format(total=plan.cost.total_text), language="python")
