"""The page of the stack: its options with what each costs, its files, what a review would still ask for, and how to take it home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from estimator.errors import EstimatorError
from estimator.export import EXPORTERS
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.tables import Table
from estimator.ui import cached, compare_csv, controls, failure, stack_files, stack_form, stack_review, tables
from estimator.ui.stack_marks import find_marks, marks_table

_TARGETS = {"cdk": "CDK app in Python", "cloudformation": "CloudFormation template"}
_SYNTHESIZING = "Synthesizing the template, some 10 seconds; to go on without it, choose the CDK app ..."
#: Rows from which on a table scrolls. [1]
_LONG = 20
_PYTHON = """\
from estimator import Scenario, export_stack, with_budget

scenario = Scenario.from_file("scenario.yaml")
best = scenario.{verb}(scenario.rates())
print(best.cost.total_text)  # {total}
export_stack(with_budget(best), "{target}", "my-stack")
"""


def show() -> None:
    """Show the page."""
    st.title("The stack, as it will be")
    summary = st.container()

    try:
        with st.sidebar:
            question = controls.show("stack")
        of_today = _is_of_today(question)
        st.header("Make it stricter", anchor="stricter")
        st.caption(
            "Each is a part of the stack and a line of the bill. What it costs is the bill with it less the bill without."
        )
        values = question.scenario.to_dict()
        places = stack_form.show_extras(values)
        with st.expander("Names, addresses and deployments: free of charge", icon=":material/tune:"):
            stack_form.show_options(values)
        question = replace(question, scenario=stack_form.read(values))
        plan = stack_files.planned(question, of_today)
        if plan is None:
            return
        priced = _priced(question.text, question.stamp, plan.fingerprint(), plan, _rates(question, plan))
        for field, place in places.items():
            place.caption(tables.plain(priced[field].text))
        summary.markdown(_words(plan))
        st.header("The files", anchor="files")
        target = _target()
        with st.spinner("Writing the files ..." if target == stack_files.QUICK else _SYNTHESIZING):
            files = stack_files.render(question, plan, target)
    except EstimatorError as error:
        failure.show(error)
        return

    marks = find_marks(plan, files)
    stack_files.show(files, marks)

    st.header("Where the numbers stand", anchor="numbers")
    st.caption(
        "Every number of the plan and the lines that carry it. To size the stack otherwise, change the scenario and export again."
    )
    _table(marks_table(marks), f"{question.scenario.name}-numbers", "numbers")

    st.header("What a strict review would still ask for", anchor="review")
    review = stack_review.review_table(files, priced)
    if review.rows:
        st.caption(
            "Rules are those of cdk-nag (AwsSolutions), Checkov (CKV) and AWS Security Hub (ECS, ELB). Each is left out because the plan's bill "
            "is without it, or because only you can give it."
        )
        _table(review, f"{question.scenario.name}-review", "review")
    else:
        st.success("Nothing that we know of.", icon=":material/verified:")

    st.header("Take it home", anchor="take")
    _take(question, plan, target, files, of_today)


def _is_of_today(question: cached.Question) -> bool:
    return question.scenario.service is not None and controls.is_today(
        "Stack of",
        "stack.service",
        "The service that the plan found, or the section `service` of the scenario as it is.",
    )


def _rates(question: cached.Question, plan: Plan) -> Rates:
    """Read the rates of the plan's region, which may be another one that the search chose."""
    if plan.cost.region == question.scenario.region:
        return cached.rates(question)
    return question.scenario.moved({"region": plan.cost.region}).rates(question.folder)


@st.cache_resource(max_entries=32, show_spinner=False)
def _priced(
    text: str, stamp: tuple[int, ...], fingerprint: str, _plan: Plan, _rates: Rates
) -> dict[str, stack_review.Cost]:
    return stack_review.costs(_plan, _rates)


def _target() -> str:
    chosen = st.segmented_control(
        "As",
        list(EXPORTERS),
        required=True,
        default=next(iter(EXPORTERS)),
        format_func=lambda name: _TARGETS.get(name, name),
        key="stack.target",
        help="A project that makes the template, to be changed and tested; or the template alone, which takes some seconds to synthesize and "
        "needs the extra [cdk] on this machine.",
    )
    return str(chosen)


def _words(plan: Plan) -> str:
    described = tables.plain(plan.spec.describe())
    return f"It deploys **{described}** in {plan.cost.region}, for **{tables.plain(plan.cost.total_text)}**."


def _table(table: Table, name: str, key: str) -> None:
    """Show a table that may be long, and what downloads it."""
    tables.show(table, height=420 if len(table.rows) > _LONG else "content")
    heads = [head.lstrip(">") for head in table.columns]
    frame = pd.DataFrame(list(table.rows), columns=heads)
    compare_csv.show(frame, key=f"download.stack.{key}", name=name, text="The rows above, as they are shown.")


def _take(question: cached.Question, plan: Plan, target: str, files: Mapping[str, str], of_today: bool) -> None:
    name = question.scenario.name
    with st.container(horizontal=True):
        st.download_button(
            "Download the stack",
            lambda: stack_files.zipped(files),
            f"{name}-{target}.zip",
            "application/zip",
            key="download.stack.zip",
            on_click="ignore",
            icon=":material/download:",
            help="The files above, packed. The README.md inside says how to deploy, change and delete it.",
        )
        st.download_button(
            "Download the scenario",
            lambda: question.document.to_yaml(),
            "scenario.yaml",
            "application/yaml",
            key="download.stack.scenario",
            on_click="ignore",
            icon=":material/description:",
            help="The one document that this page shows: the command line and Python read it.",
        )
    options = ("" if target == "cdk" else f" --target {target}") + (" --as-is" if of_today else "")
    st.caption("The same files from the command line, and from Python:")
    st.code(f"estimator export scenario.yaml my-stack{options}", language="bash", wrap_lines=True)
    verb = "estimate" if of_today else "plan"
    st.code(_PYTHON.format(verb=verb, total=plan.cost.total_text, target=target), language="python", wrap_lines=True)
