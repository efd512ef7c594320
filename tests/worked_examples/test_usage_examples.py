"""Plain quantities priced by others, and by hand, through `price_usage`: AWS's pricing pages, bills, calculators, articles.

A row's inputs: ``quantities`` by name; ``fargate``, what `fargate_tasks` takes; ``alb`` with its ``hours`` and what `alb_lcu` takes;
``hours_per_month``. ``rates`` are those that the example was published with, a price or its tiers. With ``as_of`` the row is priced at
the shipped rates of that day; a row with both has the same result with either, so that formula and rates are both held.
"""

import csv
import json
import math
from collections import Counter
from pathlib import Path

import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.lcu import alb_lcu
from estimator.billing.usage import fargate_tasks, price_usage
from estimator.pricing.catalog import PRICES
from estimator.pricing.folders import shipped_folder
from estimator.pricing.snapshots import load_rates
from estimator.service.task_size import TaskSize
from tests.properties.strategies import rates_of

with Path(__file__).with_name("usage.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
LCU_INPUTS = ("new_connections_per_s", "active_connections", "processed_gb_per_h", "rule_evaluations_per_s")
PRICED = [pytest.param(row, how, id=f"{row['id']}-{how}") for row in ROWS for how in ("rates", "as_of") if row[how]]


def fargate(size, **given):
    return fargate_tasks(task_size=TaskSize(*size), **given)


def load_balancer(hours, **given):
    dimensions = [given.pop(name, 0) for name in LCU_INPUTS]
    return {"alb_hour": math.ceil(hours), "alb_lcu_hour": float(alb_lcu(*dimensions, **given)) * hours}


def quantities_of(inputs):
    assert set(inputs) <= {"quantities", "fargate", "alb", "hours_per_month"}
    total = Counter(inputs.get("quantities", {}))
    if "fargate" in inputs:
        total.update(fargate(**inputs["fargate"]))
    if "alb" in inputs:
        total.update(load_balancer(**inputs["alb"]))
    return total


def prices_of(row):
    names = quantities_of(json.loads(row["inputs"]))
    return {CHARGES[name].price if name in CHARGES else name for name in names}


@pytest.mark.parametrize(("row", "how"), PRICED)
def test_worked_example(row, how):
    inputs = json.loads(row["inputs"])
    published = json.loads(row["rates"]) if how == "rates" else None
    rates = (
        rates_of(published, row["region"])
        if published
        else load_rates(row["region"], shipped_folder(), as_of=row["as_of"])
    )
    bill = price_usage(quantities_of(inputs), rates, inputs.get("hours_per_month", 730))
    assert not bill.is_lower_bound
    assert bill.total_usd == pytest.approx(float(row["expected_usd"]), rel=0, abs=float(row["tolerance"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_row_says_where_its_figure_is_from(row):
    assert row["description"]
    assert row["rates"] or row["as_of"]
    assert 0 < float(row["tolerance"]) <= 0.005
    # What others published names the place; what did not come from others is written out.
    assert ("://" in row["source"]) == (row["published"] == "yes")
    assert row["published"] in {"yes", "no"}
    assert row["arithmetic"] or row["published"] == "yes"


def test_the_table_is_wide():
    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 75
    assert len({row["region"] for row in ROWS}) >= 18
    assert sum(row["published"] == "yes" for row in ROWS) >= 50
    covered = set().union(*map(prices_of, ROWS))
    assert covered <= set(PRICES)
    assert len(covered) >= 45
    # A new charge wants an example.
    assert {charge.price for charge in CHARGES.values()} <= covered
