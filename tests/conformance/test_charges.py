"""The contract of each row of CHARGES."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import price_month
from estimator.billing.month import BilledMonth
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.cloudfront_plans import PREMIUM_LEVELS
from estimator.service.extras import EDGES, Extras
from estimator.service.network import NetworkLayout
from estimator.service.policies import ECS_CPU, ECS_CPU_20S, TargetTrackingScalingPolicy
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
        scaling=(TargetTrackingScalingPolicy(60, predefined_metric_type=ECS_CPU if storage == 20 else ECS_CPU_20S),),
    )
    for architecture in ("X86_64", "ARM64")
    for layout, zones in (("public", 2), ("nat", 3), ("endpoints", 2), ("ipv6", 2))
    for provider, storage in (("FARGATE", 20), ("FARGATE_SPOT", 60))
]
#: Some applications and what is billed around them: no line is needed by all of them, and each by one.
AROUND = (
    (Application(image="nginx:1.29", image_mb=100), Extras(), {}),
    (
        Application(image_mb=100, secrets={"KEY": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key"}),
        Extras(
            log_class="INFREQUENT_ACCESS",
            log_insights_scanned_gb=7,
            flow_log_gb=3,
            flow_log_class="INFREQUENT_ACCESS",
            alb_access_logs=True,
            container_insights="enabled",
            standard_alarms=2,
            dashboards=1,
            reserved_lcu=100,
            waf_rules=4,
            kms_keys=1,
            kms_requests=1e6,
            hosted_zones=1,
            dns_queries=1e6,
        ),
        {"mutual_tls": True},
    ),
    (
        Application(),
        Extras(
            container_insights="enhanced",
            high_resolution_alarms=1,
            cloudfront_edges=dict.fromkeys(EDGES, 0.1),
            cloudfront_free_tier=False,
            cloudfront_http_share=0.3,
            flow_log_gb=3,
        ),
        {"behind_cloudfront": True, "cloudfront_hit_ratio": 0.5},
    ),
    # Fargate does not have all of the candidates with Windows: the meters do not mind.
    (Application(operating_system="WINDOWS"), Extras(), {}),
    *(
        (
            Application(),
            Extras(cloudfront_plan=plan, cloudfront_premium_tb=level, flow_log_gb=3, flow_log_destination="s3"),
            {"behind_cloudfront": True},
        )
        for plan, level in (("pro", None), ("business", None), *(("premium", level) for level in PREMIUM_LEVELS))
    ),
)
#: Lines that stand on the bill of a service without traffic.
FIXED = {
    *(name for name in CHARGES if name.startswith(("fargate_", "cloudfront_plan:"))),
    *("alb_hour", "public_ipv4", "nat_gateway_hour", "interface_endpoint_hour", "alb_reserved_lcu", "alb_trust_store"),
    *(
        "logs_insights",
        "flow_logs",
        "custom_metrics",
        "enhanced_metrics",
        "alarms",
        "high_resolution_alarms",
        "dashboards",
    ),
    *("web_acl", "web_acl_rules", "ecr_storage", "secrets", "kms_keys", "kms_requests", "hosted_zones", "dns_queries"),
    *("flow_logs_ia", "flow_logs_s3", "s3_log_storage", "logs_storage", "logs_ingestion"),
}
#: Lines that are the same in a month of any length: priced by the month, or given for one.
MONTHLY = {
    *(name for name in CHARGES if name.startswith("cloudfront_plan:")),
    *("flow_logs_ia", "flow_logs_s3", "s3_log_storage"),
    *(
        "logs_storage",
        "logs_insights",
        "flow_logs",
        "custom_metrics",
        "enhanced_metrics",
        "alarms",
        "high_resolution_alarms",
    ),
    *(
        "dashboards",
        "web_acl",
        "web_acl_rules",
        "ecr_storage",
        "secrets",
        "kms_keys",
        "kms_requests",
        "hosted_zones",
        "dns_queries",
    ),
}


def month(specs=SPECS, rate=100.0, around=AROUND[0]):
    application, extras, request = around
    work = Workload(
        LoadProfile([rate, rate / 10, rate, 0.0], 3600),
        cpu_ms_per_request=20,
        rules_evaluated_per_request=30,
        log_bytes_per_request=500,
        outbound_sent_kb_per_request=1,
        outbound_received_kb_per_request=1,
        **request,
    )
    return BilledMonth(work, simulate(work, specs, application), application, extras=extras)


@pytest.fixture(scope="module")
def busy():
    return [month(around=around) for around in AROUND]


@pytest.fixture(scope="module")
def idle():
    return [month(rate=0.0, around=around) for around in AROUND]


@pytest.fixture(scope="module")
def alone():
    return [[month([spec], around=around) for spec in SPECS[:6]] for around in AROUND]


def metered(name, months):
    return [np.asarray(CHARGES[name].meter(each), dtype=np.float64) for each in months]


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
    amounts = metered(name, busy)
    for amount in amounts:
        assert amount.shape in {(), (len(SPECS),)}
        assert np.isfinite(amount).all()
        assert (amount >= 0).all()
    # Among so many candidates each line is needed by one: a line that none needs is not tested here.
    assert any(amount.any() for amount in amounts)


@pytest.mark.parametrize("name", CHARGES)
def test_a_batch_equals_one_at_a_time(busy, alone, name):
    for together, months in zip(metered(name, busy), alone, strict=True):
        for i, amount in enumerate(metered(name, months)):
            expected = np.broadcast_to(together, (len(SPECS),))[i]
            np.testing.assert_allclose(np.broadcast_to(amount, (1,))[0], expected, rtol=1e-12)


@pytest.mark.parametrize("name", CHARGES)
def test_without_traffic_only_fixed_lines_remain(idle, name):
    assert any(amount.any() for amount in metered(name, idle)) == (name in FIXED)


@pytest.mark.parametrize("name", CHARGES)
def test_its_quantity_is_proportional_to_the_month(busy, name):
    for each, whole in zip(busy, metered(name, busy), strict=True):
        half = replace(each, hours=each.hours / 2)
        (found,) = metered(name, [half])
        np.testing.assert_allclose(found if name in MONTHLY else 2 * found, whole, rtol=1e-12)


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
    *("public_ipv4_idle_hour", "alarm_composite_month", "alarm_metrics_insights_month"),
}


def test_which_prices_no_charge_meters_yet():
    families = ("sp_compute_", "inter_region_out_gb:")
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
            and np.broadcast_to(CHARGES[name].meter(busy[0]), (len(SPECS),))[i] > 0
        }
        spot = "spot_" if spec.capacity_provider_strategy.uses_spot else ""
        short = "arm" if spec.cpu_architecture == "ARM64" else "x86"
        assert lines == {f"fargate_{spot}linux_{short}_{leg}_hour" for leg in ("vcpu", "gb")}
