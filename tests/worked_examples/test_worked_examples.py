"""Figures from outside (AWS's pricing pages, the article, arithmetic over list prices) through the real bill.

A row's inputs: ``load`` [requests/s], ``hours`` of the month, ``rates`` (us-east-1's if not given), ``region``, ``size``,
``tasks``, ``architecture``, ``spot``, ``storage`` [GiB], ``nat`` (gateways) or ``endpoints`` (zones), ``request``;
``metered_task_s`` gives the billed seconds of tasks in place of a simulation; ``lcu`` gives the four dimensions by hour, and if need be
the bytes of Lambda functions and ``mutual_tls``.
``sum`` names the lines to add up, ``figure`` whether their cost or quantity.
"""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimator.billing.costing import breakdown, price_month
from estimator.billing.lcu import alb_lcu
from estimator.billing.month import BilledMonth
from estimator.planning.planner import estimate
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

with Path(__file__).with_name("examples.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
KNOWN = {
    *("load", "hours", "rates", "region", "size", "tasks", "architecture", "spot", "storage", "nat", "endpoints"),
    *("secrets", "request", "metered_task_s", "lcu", "sum", "figure"),
}


def figure(given):
    assert set(given) <= KNOWN
    if "lcu" in given:
        hours = dict(given["lcu"])
        dimensions = [hours.pop(name) for name in ("new", "active", "gb", "rules")]
        units = alb_lcu(
            *dimensions, lambda_gb_per_h=hours.pop("lambda_gb", 0), mutual_tls=hours.pop("mutual_tls", False)
        )
        assert not hours
        return float(units.mean())
    network = NetworkLayout.of("public")
    if "nat" in given:
        network = NetworkLayout.of("nat", 2, given["nat"])
    elif "endpoints" in given:
        network = NetworkLayout.of("endpoints", given["endpoints"], uses_secrets=given.get("secrets", False))
    tasks = given.get("tasks", 1)
    spec = ServiceSpec(
        TaskSize(*given.get("size", (256, 512))),
        given.get("architecture", "X86_64"),
        tasks,
        tasks,
        network=network,
        capacity_provider_strategy="FARGATE_SPOT" if given.get("spot") else "FARGATE",
        ephemeral_storage_gib=given.get("storage", 20),
    )
    request = {"cpu_ms_per_request": 0.1} | given.get("request", {})
    workload = Workload(LoadProfile.constant(given.get("load", 0)), **request)
    rates = rates_of(given.get("rates", US_EAST_1), given.get("region", "us-east-1"))
    hours = given.get("hours", 730)
    if "metered_task_s" in given:
        # A load whose period is the month, and tasks that were billed for so many seconds.
        workload = Workload(LoadProfile(np.zeros(hours), 3600), **request)
        run = simulate(workload, [spec])
        run = replace(run, billed_task_hours=np.array([given["metered_task_s"] / 3600]))
        month = BilledMonth(workload, run, Application(), hours)
        cost = breakdown(month, price_month(month, rates), rates, 0)
    else:
        cost = estimate(workload, rates, spec, hours_per_month=hours).cost
    # A named line whose rate is unknown has no cost to add.
    which = "pricing_quantity" if given.get("figure") == "quantity" else "list_cost"
    return sum(getattr(line, which) for line in cost if line.charge in given["sum"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_worked_example(row):
    assert figure(json.loads(row["inputs"])) == pytest.approx(
        float(row["expected"]), rel=0, abs=float(row["tolerance"]) or 1e-12
    )


def test_every_row_has_a_source_and_names_real_lines():
    from estimator.billing.charges import CHARGES

    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 30
    for row in ROWS:
        assert row["description"]
        assert row["source"]
        assert set(json.loads(row["inputs"]).get("sum", ())) <= set(CHARGES)
