"""Scenario file, Python call, command line and app give the same figures for the same scenario."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from estimator import LoadProfile, NetworkLayout, Promise, Scenario, Workload, load_rates, plan
from estimator.pricing.own_prices import with_discounts
from tests.browser import chromium, served

# None of the numbers is a default.
SCENARIO = """
name: four-ways
region: eu-central-1
hours_per_month: 720
load: {kind: weekly, peak_requests_per_s: 140, trough_requests_per_s: 12, peak_hour: 11, weekend_factor: 0.4}
request: {cpu_ms_per_request: 33, response_kb: 18, log_bytes_per_request: 700, requests_per_connection: 3}
network: {layout: nat, availability_zones: 3, nat_gateways: 2}
promise: {p95_latency_ms: 210, max_minutes_over_capacity: 12, min_tasks: 3}
prices: {as_of: 2026-07-01, discounts_percent: {AmazonECS: 7.5, "*": 2}}
"""


@pytest.mark.slow
def test_four_ways_one_bill(tmp_path: Path) -> None:
    path = tmp_path / "four-ways.yaml"
    path.write_text(SCENARIO)
    rates = with_discounts(load_rates("eu-central-1", as_of="2026-07-01"), {"AmazonECS": 7.5, "*": 2})
    scenario = Scenario.from_file(path)
    from_file = scenario.plan(scenario.rates(tmp_path), tmp_path)

    load = LoadProfile.weekly(140, 12, peak_hour=11, weekend_factor=0.4)
    called = plan(
        Workload(load, cpu_ms_per_request=33, response_kb=18, log_bytes_per_request=700, requests_per_connection=3),
        rates,
        Promise(p95_latency_ms=210, max_minutes_over_capacity=12, min_tasks=3),
        network=NetworkLayout.of("nat", 3, 2),
        hours_per_month=720,
    )
    assert called.to_dict() == from_file.to_dict()
    assert called.fingerprint() == from_file.fingerprint()

    command = [sys.executable, "-m", "estimator", "plan", str(path), "--json"]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert printed.pop("prices_stale") == (from_file.cost.stale_text() or None)
    assert printed == json.loads(json.dumps(from_file.to_dict()))

    def ui(port: int) -> list[str]:
        return [sys.executable, "-m", "estimator", "ui", str(path), "--headless", "--port", str(port)]

    with served(ui, tmp_path, tmp_path / "server.log", os.environ) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 2400})
        page.goto(address)
        metric = page.get_by_test_id("stMetric").filter(has_text="Monthly bill").get_by_test_id("stMetricValue")
        expect(metric).to_have_text(f"${from_file.cost.total_usd:,.2f}")
        for line in from_file.cost:
            row = page.get_by_role("row").filter(has_text=line.sku).filter(has_text=line.title)
            expect(row.first).to_contain_text(f"{line.contracted_cost:,.2f}")
            expect(row.first).to_contain_text(f"{line.pricing_quantity:,.2f}")
