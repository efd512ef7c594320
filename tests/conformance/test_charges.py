"""The contract of each row of CHARGES."""

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import price_month
from estimator.billing.month import BilledMonth
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of

SPECS = [
    ServiceSpec(
        TaskSize(512, 2048),
        architecture,
        2,
        8,
        network=NetworkLayout.of(layout, zones),
        capacity_provider_strategy=provider,
        ephemeral_storage_gib=storage,
    )
    for architecture in ("X86_64", "ARM64")
    for layout, zones in (("public", 2), ("nat", 3), ("endpoints", 2))
    for provider, storage in (("FARGATE", 20), ("FARGATE_SPOT", 60))
]
APPLICATION = Application(image="nginx:1.29", image_mb=100)
#: Lines that stand on the bill of a service without traffic.
FIXED = {
    *(name for name in CHARGES if name.startswith("fargate_")),
    *("alb_hour", "public_ipv4", "nat_gateway_hour", "interface_endpoint_hour"),
}


def month(specs=SPECS, rate=100.0):
    work = Workload(
        LoadProfile([rate, rate / 10, rate, 0.0], 3600),
        cpu_ms_per_request=20,
        rules_evaluated_per_request=30,
        outbound_sent_kb_per_request=1,
        outbound_received_kb_per_request=1,
    )
    return BilledMonth(work, simulate(work, specs, APPLICATION), APPLICATION)


@pytest.fixture(scope="module")
def busy():
    return month()


@pytest.fixture(scope="module")
def idle():
    return month(rate=0.0)


@pytest.mark.parametrize("name", CHARGES)
def test_its_price_exists_and_it_says_what_it_is(name):
    charge = CHARGES[name]
    assert charge.price in PRICES
    for text in (charge.title, charge.formula, charge.source):
        assert text
    assert "AWS" in charge.source
    assert "read 20" in charge.source


@pytest.mark.parametrize("name", CHARGES)
def test_its_meter(busy, name):
    amount = np.asarray(CHARGES[name].meter(busy), dtype=np.float64)
    assert amount.shape in {(), (len(SPECS),)}
    assert np.isfinite(amount).all()
    assert (amount >= 0).all()
    # Among so many candidates each line is needed by one: a line that none needs is not tested here.
    assert amount.any()


@pytest.mark.parametrize("name", CHARGES)
def test_a_batch_equals_one_at_a_time(busy, name):
    together = np.broadcast_to(CHARGES[name].meter(busy), (len(SPECS),))
    for i, spec in enumerate(SPECS):
        alone = np.broadcast_to(CHARGES[name].meter(month([spec])), (1,))
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-12)


@pytest.mark.parametrize("name", CHARGES)
def test_without_traffic_only_fixed_lines_remain(idle, name):
    amount = np.asarray(CHARGES[name].meter(idle))
    assert bool(amount.any()) == (name in FIXED)


@pytest.mark.parametrize("name", CHARGES)
def test_its_quantity_is_proportional_to_the_month(busy, name):
    half = BilledMonth(busy.workload, busy.simulation, busy.application, busy.hours / 2)
    np.testing.assert_allclose(2 * np.asarray(CHARGES[name].meter(half)), CHARGES[name].meter(busy), rtol=1e-12)


class Watched(Rates):
    """Rates that write down what was asked of them."""

    def __getitem__(self, price):
        self.__dict__.setdefault("asked", []).append(price)
        return super().__getitem__(price)


@pytest.mark.parametrize("i", range(len(SPECS)))
def test_a_rate_is_only_looked_up_for_a_quantity(i):
    one = month([SPECS[i]])
    rates = Watched("us-east-1", rates_of().known)
    bills = price_month(one, rates)
    assert rates.__dict__["asked"] == [CHARGES[name].price for name in bills.quantity]
    with_quantity = {name for name, charge in CHARGES.items() if np.any(charge.meter(one))}
    assert set(bills.quantity) == with_quantity


#: Prices that no line of the bill meters yet; a price leaves this list with its charge.
NOT_METERED_YET = {
    *("fargate_windows_vcpu_hour", "fargate_windows_gb_hour", "fargate_windows_os_license_vcpu_hour"),
    *("alb_reserved_lcu_hour", "alb_trust_store_hour", "public_ipv4_idle_hour", "inter_az_gb"),
    *("logs_ingest_ia_gb", "logs_ingest_vended_gb", "logs_ingest_vended_ia_gb", "logs_delivered_s3_gb"),
    *("logs_storage_gb_month", "logs_insights_scanned_gb", "custom_metric_month", "dashboard_month"),
    *("container_insights_enhanced_ecs_metric_month", "alarm_standard_month", "alarm_high_res_month"),
    *("alarm_composite_month", "alarm_metrics_insights_month"),
    *("web_acl_month", "web_acl_rule_month", "web_acl_request"),
    *("ecr_storage_gb_month", "secret_month", "secret_api_request", "kms_key_month", "kms_request"),
    *("hosted_zone_month", "dns_query_standard"),
}


def test_which_prices_no_charge_meters_yet():
    families = ("sp_compute_", "cloudfront_", "inter_region_out_gb:")
    without = {name for name in PRICES if not name.startswith(families)} - {c.price for c in CHARGES.values()}
    assert without == NOT_METERED_YET
    assert {charge.price for charge in CHARGES.values()} <= set(PRICES)


def test_every_fargate_line_is_for_one_kind_of_task(busy):
    # Each candidate pays one vCPU line and one memory line, of its architecture and provider.
    for i, spec in enumerate(SPECS):
        lines = {
            name
            for name in CHARGES
            if name.startswith("fargate_")
            and "storage" not in name
            and np.broadcast_to(CHARGES[name].meter(busy), (len(SPECS),))[i] > 0
        }
        spot = "spot_" if spec.capacity_provider_strategy.uses_spot else ""
        short = "arm" if spec.cpu_architecture == "ARM64" else "x86"
        assert lines == {f"fargate_{spot}linux_{short}_{leg}_hour" for leg in ("vcpu", "gb")}
