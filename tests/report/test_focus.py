"""A bill in FOCUS's columns: its four costs, its periods, and what an estimate does not know."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from estimator.planning.planner import estimate
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.snapshots import load_rates
from estimator.report.focus import CATEGORIES, COLUMNS, focus_frame
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of
from tests.test_cli import check_refused, scenario_file

#: FOCUS 1.0, ServiceCategory.
ALLOWED_CATEGORIES = {
    *(
        "AI and Machine Learning",
        "Analytics",
        "Business Applications",
        "Compute",
        "Databases",
        "Developer Tools",
        "Multicloud",
        "Identity",
    ),
    *(
        "Integration",
        "Internet of Things",
        "Management and Governance",
        "Media",
        "Migration",
        "Mobile",
        "Networking",
        "Security",
        "Storage",
    ),
    *("Web", "Other"),
}
WORK = Workload(LoadProfile.constant(1000), cpu_ms_per_request=1, response_kb=20)
SPEC = ServiceSpec(TaskSize(2048, 4096), network=NetworkLayout.of("nat"), capacity_provider_strategy="FARGATE_SPOT")


def test_the_four_costs_add_up_to_the_bill():
    rates = with_discounts(load_rates("eu-west-1"), {"AmazonECS": 10, "AWSDataTransfer": 5})
    cost = estimate(WORK, rates, SPEC).cost
    frame = focus_frame(cost)
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == len(cost.lines)
    assert frame["ListCost"].sum() == pytest.approx(cost.list_total_usd)
    for column in ("ContractedCost", "BilledCost", "EffectiveCost"):
        assert frame[column].sum() == pytest.approx(cost.total_usd)
    assert cost.total_usd < cost.list_total_usd
    # What has one price is quantity times price; egress has tiers, and so no one price.
    plain = frame[frame["ListUnitPrice"].notna()]
    assert (plain["PricingQuantity"] * plain["ListUnitPrice"]).tolist() == pytest.approx(plain["ListCost"].tolist())
    egress = frame[frame["ChargeDescription"].str.startswith("Data transfer out")].iloc[0]
    assert egress.isna()["ListUnitPrice"]


def test_services_and_categories_are_named():
    frame = focus_frame(estimate(WORK, load_rates("eu-west-1"), SPEC).cost).set_index("ChargeDescription")
    assert set(frame["ServiceCategory"]) <= ALLOWED_CATEGORIES
    assert set(CATEGORIES.values()) <= ALLOWED_CATEGORIES
    assert frame.loc["Fargate Spot vCPU, Linux x86", ["PricingCategory", "ServiceCategory"]].tolist() == [
        "Dynamic",
        "Compute",
    ]
    assert frame.loc["Application Load Balancer", ["ServiceName", "RegionId"]].tolist() == [
        "Elastic Load Balancing",
        "eu-west-1",
    ]
    assert frame.loc["Alarms", "ServiceCategory"] == "Management and Governance"


def test_periods_and_unknown_rates():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_lcu_hour"})
    cost = estimate(WORK, rates, SPEC).cost
    frame = focus_frame(cost, dt.date(2026, 11, 1)).set_index("ChargeDescription")
    assert set(frame["BillingPeriodStart"]) == set(frame["ChargePeriodStart"]) == {"2026-11-01T00:00:00Z"}
    assert set(frame["BillingPeriodEnd"]) == {"2026-12-01T00:00:00Z"}
    assert set(frame["ChargePeriodEnd"]) == {"2026-12-01T10:00:00Z"}  # 730 hours
    assert set(focus_frame(cost, dt.date(2026, 12, 15))["BillingPeriodEnd"]) == {"2027-01-01T00:00:00Z"}
    assert frame.isna().loc["Load balancer capacity units", ["ListCost", "BilledCost", "ListUnitPrice"]].all()


def test_the_command_line_writes_it_whole(call, tmp_path: Path) -> None:
    path, target = scenario_file(tmp_path, service={"cpu_units": 256, "memory_mib": 512}), tmp_path / "focus.csv"
    result = call("estimate", path, "--focus", target)
    assert result.returncode == 0
    assert f"Wrote {target}." in result.stderr
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert tuple(rows[0]) == COLUMNS
    assert {row["BillingCurrency"] for row in rows} == {"USD"}
    check_refused(call("estimate", path, "--focus", target), "focus.csv exists already", "--force")
