"""A stack downloaded, unpacked and synthesized, and prices refreshed from a server of our own, in a real browser."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from estimator.pricing.folders import FOLDER_VARIABLE
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.units import data_path
from tests.browser import app, stranger
from tests.pricing.aws_double import AwsDouble

pytestmark = pytest.mark.slow

NAME, REGION = "shop-daily-peak", "eu-west-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("journeys")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsDouble]:
    with AwsDouble([REGION]) as double:
        yield double


@pytest.fixture(scope="module")
def page(folder, aws, browser) -> Iterator[Page]:
    own = aws.environment | {FOLDER_VARIABLE: str(folder / "prices")}
    with app(folder, environment=own) as address, stranger(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        yield page


def test_a_stack_is_downloaded_unpacked_and_synthesized(page, folder):
    page.get_by_role("link", name="Stack", exact=True).click()
    expect(page.get_by_role("heading", name="Take it home")).to_be_visible()
    # A switch of a strict review, and the file that it changes.
    page.get_by_text("Access logs of the load balancer").first.click()
    values = Scenario.from_file(data_path("examples", f"{NAME}.yaml")).to_dict()
    values["extras"]["alb_access_logs"] = True
    plan = Scenario.from_dict(values).plan()
    # The last thing on the page: all above it is new too.
    expect(page.get_by_text(f"# {plan.cost.total_text}")).to_be_visible()
    expect(page.get_by_role("cell", name="extras.alb_access_logs: true")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the stack").click()
    stack = folder / "stack"
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        archive.extractall(stack)
    config = json.loads((stack / "stack_config.json").read_text(encoding="utf-8"))
    assert config["estimate"]["total_usd_per_month"] == plan.cost.total_usd
    environment = os.environ | {"CDK_OUTDIR": str(folder / "cdk.out")}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=stack, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((folder / "cdk.out" / f"{NAME}.template.json").read_text(encoding="utf-8"))
    (task,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::ECS::TaskDefinition")
    size = plan.spec.task_size
    assert (task["Properties"]["Cpu"], task["Properties"]["Memory"]) == (str(size.cpu_units), str(size.memory_mib))


def test_prices_are_refreshed_fail_and_are_stopped(page, aws, folder, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder / "prices"))
    page.get_by_role("link", name="Prices", exact=True).click()
    refresh = page.get_by_role("button", name=f"Refresh {REGION}")
    aws.catalogue.drop("nat_gateway_hour", REGION)
    aws.catalogue.change("alb_hour", REGION, price="0.0300000000")
    refresh.click()
    expect(page.get_by_test_id("stAlert").filter(has_text="nat_gateway_hour")).to_be_visible()
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.0252"
    page.get_by_text("Keep older prices that AWS's list lacks").click()
    refresh.click()
    expect(page.get_by_test_id("stAlert").filter(has_text="is done")).to_be_visible()
    expect(page.get_by_role("cell", name="alb_hour").first).to_be_visible()
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.03"
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    listed = download.value.path().read_text(encoding="utf-8")
    assert "alb_hour" in listed
    aws.catalogue.change("alb_hour", REGION, price="0.0400000000")
    aws.trickle(100, "AmazonEC2")
    refresh.click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(page.get_by_role("progressbar")).to_be_visible()
    stop.click()
    expect(page.get_by_test_id("stAlert").filter(has_text="Stopped")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.03"
