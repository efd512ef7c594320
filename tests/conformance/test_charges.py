"""The contract of each row of CHARGES."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import breakdown, price_month
from estimator.billing.lcu import DIMENSIONS, lcu_hours
from estimator.billing.month import BilledMonth
from estimator.billing.working import written
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.cloudfront_plans import PREMIUM_LEVELS
from estimator.service.extras import EDGES, Extras
from estimator.service.network import NetworkLayout
from estimator.service.policies import ECS_CPU, ECS_CPU_20S, StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of
from tests.workings import calculated, operations

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


def month(specs=SPECS, rate=100.0, around=AROUND[0], **more):
    application, extras, request = around
    asked = {
        "cpu_ms_per_request": 20,
        "rules_evaluated_per_request": 30,
        "log_bytes_per_request": 500,
        "outbound_sent_kb_per_request": 1,
        "outbound_received_kb_per_request": 1,
    }
    work = Workload(LoadProfile([rate, rate / 10, rate, 0.0], 3600), **asked | request)
    return BilledMonth(work, simulate(work, specs, application), application, extras=extras, **more)


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


#: What the formulas have besides: requests that go elsewhere, bytes that shrink, free amounts, alarms by hand, a little of everything.
BESIDES = (
    (
        Application(image_mb=310, secrets={"A": "arn:aws:secretsmanager:eu-west-1:1:secret:a", "B": "arn:b"}),
        Extras(
            free_egress=True,
            container_insights="enabled",
            insights_log_bytes_per_task_minute=1700,
            managed_alarms_billed=False,
            standard_alarms=3,
            reserved_lcu=100,
            alb_access_logs=True,
            flow_log_gb=3,
            flow_log_destination="s3",
        ),
        {
            "tls_handshake_sent_kb": 5.3,
            "tls_resumed_share": 0.3,
            "requests_per_connection": 3.0,
            "compression_ratio": 0.3,
            "lambda_target_share": 0.25,
            "outbound_sent_kb_per_request": 0.7,
            "log_bytes_per_request": 333.0,
            "rules_evaluated_per_request": 1500.0,
        },
    ),
    (
        Application(image="nginx:1.29", image_mb=77),
        Extras(cloudfront_http_share=0.2, cloudfront_upload_share=0.4, hosted_zones=2, waf_rules=3),
        {
            "behind_cloudfront": True,
            "cloudfront_hit_ratio": 0.6,
            "cloudfront_byte_hit_ratio": 0.9,
            "compression_ratio": 0.7,
            "mutual_tls": True,
            "response_kb": 123.0,
            "tls_handshake_sent_kb": 5.0,
            "outbound_sent_kb_per_request": 0.0,
        },
    ),
    (
        Application(log_retention_days=90),
        Extras(cloudfront_plan="pro", hosted_zones=2, flow_log_gb=3, alb_access_logs=True),
        {"behind_cloudfront": True, "request_kb": 0.1, "response_kb": 0.2, "connection_s": 3000.0},
    ),
)
STEPS = ServiceSpec(
    TaskSize(1024, 3072),
    min_capacity=2,
    max_capacity=8,
    network=NetworkLayout.of("nat", 3, 2, load_balancer_ipv4=False),
    scaling=(StepScalingPolicy(60.0), TargetTrackingScalingPolicy(60, predefined_metric_type=ECS_CPU)),
)


@pytest.fixture(scope="module")
def worked(busy):
    """Months that between them take every way that a formula can go."""
    counted_twice = AwsBehavior(connection_count_factor=2.0, cross_zone_ends_billed=1)
    besides = [month([*SPECS, STEPS], around=around, hours=700.25, behavior=counted_twice) for around in BESIDES]
    # So few requests that each file of access logs has one.
    return [*busy, *besides, month(rate=0.001, around=BESIDES[0], region="us-gov-west-1")]


def workings(name, months):
    """The working and the quantity of each candidate that has one."""
    for each in months:
        amounts = np.broadcast_to(np.asarray(CHARGES[name].meter(each), dtype=np.float64), (len(each.specs),))
        for i in np.flatnonzero(amounts).tolist():
            yield CHARGES[name].working(each, i), float(amounts[i])


@pytest.mark.parametrize("name", CHARGES)
def test_its_working_is_what_its_meter_does(worked, name):
    found = list(workings(name, worked))
    assert found
    for working, quantity in found:
        # A number has eight digits.
        assert calculated(working) == pytest.approx(quantity, rel=1e-6), working


#: Lines whose quantity is a number that the user gives, or 1: all others are calculated.
GIVEN = {
    *(name for name in CHARGES if name.startswith(("cloudfront_plan:", "flow_logs", "web_acl"))),
    *("alb_hour", "logs_insights", "dashboards", "secrets", "kms_keys", "kms_requests", "dns_queries"),
}


@pytest.mark.parametrize("name", CHARGES)
def test_a_working_is_more_than_the_quantity(worked, name):
    bare = [working for working, _ in workings(name, worked) if not operations(working)]
    assert not bare or name in GIVEN | {"s3_log_requests", "hosted_zones"}
    assert len(bare) < len(list(workings(name, worked))) or name in GIVEN


def test_each_dimension_of_the_load_balancer_is_worked_out(worked):
    for each in worked:
        units = lcu_hours(each.workload, each.behavior)
        *alone, total = CHARGES["alb_lcu_hour"].working(each, 0).split("; ")
        assert [text.partition(" alone: ")[0] for text in alone] == list(DIMENSIONS)
        hours = []
        for text, consumed in zip(alone, units.dimensions.sum(axis=1) * each.periods, strict=True):
            arithmetic, said = text.partition(" alone: ")[2].split(" = ")
            assert calculated(arithmetic) == pytest.approx(consumed, rel=1e-6)
            assert said.startswith(f"{written(consumed)} LCU-hours, largest in ")
            hours.append(calculated(said.partition(", largest in ")[2]))
        # In one hour of four there is no traffic.
        assert sum(hours) == pytest.approx(each.hours * 3 / 4)
        leading = DIMENSIONS[int(np.argmax(hours))]
        assert f"where {leading} are largest" in total
        assert ("within the reservation" in total) == bool(each.extras.reserved_lcu)


def test_a_bill_has_the_workings_of_its_candidate(worked):
    each, rates = worked[0], rates_of()
    bills = price_month(each, rates)
    for i in (0, 5, len(SPECS) - 1):
        for line in breakdown(each, bills, rates, i):
            assert line.working == CHARGES[line.charge].working(each, i)
            assert calculated(line.working) == pytest.approx(line.pricing_quantity, rel=1e-6)
