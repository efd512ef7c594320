"""The page of the stack: the files, their numbers and what each option costs are those of the Python API."""

import io
import json
import zipfile
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from estimator.budget import with_budget
from estimator.export import render_stack
from estimator.planning.regions import bill_again
from estimator.scenario import Scenario
from estimator.ui import stack_files, stack_form, stack_review
from estimator.ui.stack_marks import find_marks, json_lines
from estimator.units import data_path

pytestmark = pytest.mark.slow

NAME = "shop-daily-peak"
PATIENCE_S = 120


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """The example as the page's controls write it: a file may say 730 where they say 730.0."""
    return Scenario.from_dict(Scenario.from_file(data_path("examples", f"{NAME}.yaml")).to_dict())


@pytest.fixture(scope="module")
def plan(scenario):
    return scenario.plan()


@pytest.fixture
def page() -> AppTest:
    def script():
        from estimator.ui import stack_page

        stack_page.show()

    return _well(AppTest.from_function(script, default_timeout=PATIENCE_S).run())


def _well(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def _of(widgets, label: str):
    (found,) = [widget for widget in widgets if widget.label == label]
    return found


def _shown(page: AppTest) -> str:
    """The file that is shown: the first of the codes."""
    return page.code[0].value


def _captions(page: AppTest) -> list[str]:
    return [caption.value.replace("\\", "") for caption in page.caption]


def _with(scenario: Scenario, **sections) -> Scenario:
    values = scenario.to_dict()
    for section, fields in sections.items():
        values[section] = values[section] | fields
    return Scenario.from_dict(values)


def _review(page: AppTest):
    (found,) = [table.value for table in page.table if table.value.columns[0] == "Left\N{NO-BREAK SPACE}out"]
    return found.set_index("Switched on in the scenario by")["USD/month"]


def test_every_file_is_that_of_the_export(page, plan):
    files = render_stack(plan, "cdk")
    tree = _of(page.radio, "File")
    assert len(tree.options) == len(files)
    assert _shown(page) == files["stack_config.json"].strip()
    _well(tree.set_value("fargate_stack/stack.py").run())
    assert _shown(page) == files["fargate_stack/stack.py"].strip()
    assert page.code[0].language == "python"
    assert f"**{plan.cost.total_text}**" in page.markdown[0].value.replace("\\", "")
    commands = [code.value for code in page.code]
    assert "estimator export scenario.yaml my-stack" in commands


def test_every_marked_line_says_its_number(page, plan):
    files = render_stack(plan, "cdk")
    marks = find_marks(plan, files)
    for mark in marks:
        assert mark.value in files[mark.file].splitlines()[mark.line - 1]
    found = {mark.name: mark.value for mark in reversed(marks)}
    assert found["task.cpu_units"] == str(plan.spec.task_size.cpu_units)
    assert found["service.max_capacity"] == str(plan.spec.max_capacity)
    assert found["scaling[0].target_value"] == str(plan.spec.scaling[0].target_value)
    (table,) = [table.value for table in page.table if "Line" in table.value.columns]
    assert table["Line"].tolist() == [mark.line for mark in marks]
    _well(_of(page.get("button_group"), "Lines of the file").set_value("Marked lines").run())
    lines = {mark.line for mark in marks if mark.file == "stack_config.json"}
    assert [int(line.split(maxsplit=1)[0]) for line in _shown(page).splitlines()] == sorted(lines)


@pytest.mark.parametrize("indent", [1, 2])
def test_the_line_of_each_value_is_found(indent):
    document = {"a": [], "b": {"c": [1, {"d": "x\ny"}], "e": {}}, "f": None}
    text = json.dumps(document, indent=indent)
    for path, line in json_lines(text).items():
        value = document
        for key in path:
            value = value[key]
        assert json.dumps(value) in text.splitlines()[line - 1]
    assert set(json_lines(json.dumps(document)).values()) == {1}


def test_what_each_option_costs_is_the_difference_of_two_estimates(scenario, plan):
    rates = scenario.rates()
    priced = stack_review.costs(plan, rates)
    service = _with(scenario, extras={}).estimate(rates)
    assert bill_again(service, rates).total_usd == service.cost.total_usd
    for field, value in (("waf_rules", 3), ("kms_keys", 1), ("container_insights", "enhanced")):
        # The service that runs today, simulated anew with the option, and without.
        more = _with(scenario, extras={field: value}).estimate(rates).cost.total_usd
        of_today = stack_review.costs(service, rates)[field]
        assert of_today.usd == pytest.approx(more - service.cost.total_usd)
    # AWS, "AWS Key Management Service pricing", read 2026: $1 a month for a key.
    assert priced["kms_keys"].usd == pytest.approx(1.0)
    # AWS, "Amazon CloudWatch pricing", read 2026: $3 a month for a dashboard, $0.10 for an alarm.
    assert (priced["dashboards"].usd, priced["standard_alarms"].usd) == (pytest.approx(3.0), pytest.approx(0.4))


def test_an_unknown_rate_is_said_and_never_nothing(scenario, plan):
    rates = scenario.rates()
    poorer = replace(rates, known={name: rate for name, rate in rates.known.items() if name != "kms_key_month"})
    cost = stack_review.costs(plan, poorer)["kms_keys"]
    assert cost.is_lower_bound
    assert "unknown" in cost.text


def test_options_change_the_stack_the_bill_and_the_review(page, scenario):
    costs = _review(page)
    _well(_of(page.button, "Switch all on").click().run())
    _of(page.text_input, "E-mail for alarms and budget").input("ops@example.com")
    _of(page.toggle, "Protect the load balancer against deletion").set_value(True)
    _well(page.run())
    assert not page.error
    extras = {extra.field: extra.on for extra in stack_form.EXTRAS}
    stack = {"alarm_email": "ops@example.com", "deletion_protection": True}
    strict = _with(scenario, extras=extras, stack=stack)
    files = render_stack(with_budget(strict.plan()), "cdk")
    assert _shown(page) == files["stack_config.json"].strip()
    left = set(_review(page).index)
    assert not [key for key in left if key.startswith("extras.")]
    assert "stack.deletion_protection: true" not in left
    # What is on still says what it costs.
    assert f"${costs['extras.alb_access_logs: true']:,.2f} a month" in _captions(page)
    # The app's other pages can have the same.
    assert stack_form.EDIT + "extras.waf_rules.on" in page.session_state
    _well(_of(page.button, "Switch all off").click().run())
    assert json.loads(_shown(page))["edge"]["waf_rules"] is None


def test_what_does_not_go_together_is_a_sentence_and_can_be_mended(page):
    _well(_of(page.text_input, "Reachable from (CIDR)").input("10.0.0.0/33").run())
    (error,) = page.error
    assert "ingress" in error.value
    assert not [code for code in page.code if "schema_version" in code.value]
    _well(_of(page.text_input, "Reachable from (CIDR)").input("10.0.0.0/8, 192.0.2.0/24").run())
    assert not page.error
    assert json.loads(_shown(page))["load_balancer"]["ingress_cidrs"] == ["10.0.0.0/8", "192.0.2.0/24"]


def test_other_pages_take_what_the_forms_say_unless_it_does_not_go_together():
    def script():
        import streamlit as st

        from estimator.scenario import Scenario
        from estimator.ui import stack_form
        from estimator.units import data_path

        given = Scenario.from_file(data_path("examples", "shop-daily-peak.yaml")).to_dict()
        assert stack_form.apply(given) == given
        st.session_state["edit.extras.waf_rules"], st.session_state["edit.extras.waf_rules.on"] = 3, True
        found = stack_form.apply(given)
        assert found == given | {"extras": given["extras"] | {"waf_rules": 3}}
        assert stack_form.apply(found) == found
        st.session_state["edit.stack.ingress_cidrs"] = "nowhere"
        assert stack_form.apply(given) == given

    _well(AppTest.from_function(script, default_timeout=PATIENCE_S).run())


def test_what_runs_today_is_exported_as_it_is(page, scenario):
    _well(_of(page.get("button_group"), "Stack of").set_value("What runs today").run())
    config = json.loads(_shown(page))
    assert config["service"]["max_capacity"] == scenario.spec().max_capacity
    assert _shown(page) == render_stack(scenario.estimate(), "cdk")["stack_config.json"].strip()
    assert any(code.value.endswith("--as-is") for code in page.code)


def test_the_zip_holds_the_files_and_is_the_same_each_time(plan):
    files = render_stack(plan, "cdk")
    packed = stack_files.zipped(files)
    assert packed == stack_files.zipped(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == files
