"""The budget of a stack: the bill that 95 of 100 drawn months stay within."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Scenario
from estimator.budget import bill_that_is_kept, with_budget
from estimator.export import render_stack
from estimator.ui import stack_files
from estimator.ui.cached import Question


def scenario(**stack: Any) -> Scenario:
    return Scenario.from_dict(
        {
            "region": "eu-west-1",
            "load": {"kind": "constant", "requests_per_s": 50},
            "request": {"cpu_ms_per_request": 20, "response_kb": {"low": 10, "likely": 20, "high": 60}},
            "service": {"cpu_units": 1024, "memory_mib": 2048},
            "stack": stack,
        }
    )


def test_it_is_the_bill_at_the_percentile_of_the_interval() -> None:
    document = scenario()
    plan = document.estimate()
    dearest = document.moved({"request.response_kb": 60}).estimate()
    shares = (0.5, 0.8, 0.95)
    kept = [bill_that_is_kept(plan, share=share) for share in shares]
    assert plan.cost.total_usd <= kept[0] < kept[1] < kept[2] < dearest.cost.total_usd * 1.05
    # The bill grows with the bytes of a response, whose 80th percentile is by the beta distribution of PERT: 1 + 4 (20 - 10) / 50, 1 + 4 (60 - 20) / 50.
    draws = np.random.default_rng(5).beta(1.8, 4.2, 200_000)
    at_80 = 10 + 50 * np.quantile(draws, 0.8)
    assert kept[1] == pytest.approx(
        document.moved({"request.response_kb": at_80}).estimate().cost.total_usd, rel=0.1
    )  # 200 draws


def test_it_is_set_where_somebody_is_told_and_none_was_given() -> None:
    plan = scenario(alarm_email="ops@example.com").estimate()
    told = with_budget(plan)
    assert told.stack.budget_usd_per_month == np.ceil(bill_that_is_kept(plan))
    assert replace(told, stack=plan.stack).fingerprint() == plan.fingerprint()


def test_the_app_the_command_line_and_python_export_the_same(tmp_path: Path, call) -> None:
    document = scenario(alarm_email="ops@example.com")
    (tmp_path / "shop.yaml").write_text(document.to_yaml(), encoding="utf-8")
    assert call("export", tmp_path / "shop.yaml", tmp_path / "stack", "--as-is").returncode == 0
    assert call("estimate", tmp_path / "shop.yaml", "--export", tmp_path / "other").returncode == 0
    question = Question(document.likely(), tmp_path, intervals=document.intervals)
    plan = stack_files.planned(question, of_today=True)
    texts = {
        (tmp_path / "stack" / "stack_config.json").read_text(encoding="utf-8"),
        (tmp_path / "other" / "stack_config.json").read_text(encoding="utf-8"),
        render_stack(with_budget(document.estimate()))["stack_config.json"],
        stack_files.render(question, plan, "cdk")["stack_config.json"],
    }
    assert len(texts) == 1
    assert json.loads(texts.pop())["observability"]["budget_usd_per_month"] == np.ceil(
        bill_that_is_kept(document.estimate())
    )


def test_no_budget_where_cloudformation_makes_none() -> None:
    values = scenario(alarm_email="ops@example.com").to_dict() | {"region": "eu-north-1"}
    plan = Scenario.from_dict(values).estimate()
    assert with_budget(plan) is plan


@pytest.mark.parametrize("stack", [{}, {"alarm_email": "ops@example.com", "budget_usd_per_month": 12.5}])
def test_else_it_stays_as_it_is(stack: dict[str, Any]) -> None:
    plan = scenario(**stack).estimate()
    assert with_budget(plan) is plan


def test_no_budget_without_all_rates() -> None:
    document = scenario(alarm_email="ops@example.com")
    spot = {
        "capacity_provider_strategy": {"fargate_weight": 0, "fargate_spot_weight": 1},
        "cpu_units": 1024,
        "memory_mib": 2048,
    }
    values = document.to_dict() | {"region": "ap-southeast-3", "service": spot}
    plan = Scenario.from_dict(values).estimate()
    assert plan.cost.is_lower_bound
    assert with_budget(plan) is plan
