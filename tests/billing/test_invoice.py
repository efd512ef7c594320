"""A bill that AWS sent against our prices: formats, what each line is, why its price is what it is, and the sums of a month."""

import csv
import datetime as dt
import gzip
import json
import math
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from estimator.billing.invoice import VERDICTS, check_invoice, explain_line
from estimator.billing.invoice_lines import InvoiceLine, read_invoice
from estimator.billing.invoice_recognition import NO_USAGE, NOT_CERTAIN, NOT_PRICED, OTHER_CURRENCY, recognize
from estimator.commands.invoice import invoice
from estimator.errors import InvalidScenario
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, possible_in
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from estimator.report.invoice_table import invoice_table, invoice_totals_table

DAY = dt.date(2026, 3, 10)
#: Service that stands on a bill where prices have a source of their own.
BILLED_UNDER = {SPOT_FEED: "AmazonECS", SAVINGS_PLANS: "AmazonECS", "CloudFrontPlans": "AmazonCloudFront"}
#: Levels of one plan have one usage type, so that it alone names none of them.
TWINS = "cloudfront_plan_month:premium_"
EGRESS = "$0.090 per GB - first 10 TB / month data transfer out beyond the global free tier"
FREE_EGRESS = "$0.000 per GB - data transfer out under the monthly global free tier"


def rate(price: str, published: str, *prices: str, begins: tuple[float, ...] = (0,)) -> Rate:
    tiers = tuple(Tier(begin, usd) for begin, usd in zip(begins, prices, strict=True))
    return Rate(price, PRICES[price].unit, tiers, published=dt.date.fromisoformat(published))


#: AWS's tiers of data transfer out in Virginia; the other histories are made up.
KNOWN = (
    rate("internet_egress_gb", "2025-12-02", "0.09", "0.085", "0.07", begins=(0, 10240, 51200)),
    rate("alb_hour", "2026-01-05", "0.0225"),
    rate("fargate_windows_vcpu_hour", "2026-05-01", "0.046552"),
    rate("fargate_windows_vcpu_hour", "2025-01-01", "0.09148"),
    rate("fargate_windows_vcpu_hour", "2024-01-01", "0.1"),
    rate("fargate_spot_linux_x86_vcpu_hour", "2026-02-01", "0.0128"),
    rate("fargate_linux_x86_vcpu_hour", "2025-10-27", "0.04048"),
    rate("sp_compute_1yr_noupfront__fargate_linux_x86_vcpu_hour", "2026-01-01", "0.032384"),
    rate("nat_gateway_gb", "2026-06-01", "0.045"),
    rate("kms_request", "2025-08-28", "0.000003"),
)


def rates_at(region: str, day: dt.date | None) -> Rates:
    held = sorted((each for each in KNOWN if day is None or each.published <= day), key=lambda each: each.published)
    return Rates(region, {each.price: each for each in held}, as_of=day)


def line(usage_type: str, *, rate: str | None = None, listed: str | None = None, **facts: object) -> InvoiceLine:
    stated = {"unit_price": rate, "list_unit_price": listed} | {
        name: facts.pop(name, None) for name in ("quantity", "cost", "plan_unit_price")
    }
    numbers = {name: None if text is None else Decimal(str(text)) for name, text in stated.items()}
    return InvoiceLine(usage_type, **{"start": DAY, **numbers, **facts})


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# Formats.

LEGACY = {
    "lineItem/LineItemType": "Usage",
    "lineItem/ProductCode": "AmazonS3",
    "lineItem/UsageType": "USE1-EUC1-AWS-Out-Bytes",
    "lineItem/Operation": "HeadBucket",
    "lineItem/LineItemDescription": "$0.02 per GB - US East (Northern Virginia) data transfer to EU (Germany)",
    "lineItem/UsageStartDate": "2026-03-04T23:00:00Z",
    "lineItem/UsageAmount": "12.5",
    "lineItem/UnblendedRate": "0.0200000000",
    "lineItem/UnblendedCost": "0.2500000000",
    "product/region": "us-east-1",
    "product/servicecode": "AWSDataTransfer",
    "pricing/RateCode": "2BG23N2FNX3BKABC.JRTCKXETXF.6YS6EN2CT7",
    "pricing/publicOnDemandRate": "2.0E-2",
    "pricing/unit": "GB",
    "pricing/currency": "USD",
}
CUR_2 = {
    "line_item_line_item_type": "Usage",
    "line_item_product_code": "AmazonS3",
    "line_item_usage_type": "USE1-EUC1-AWS-Out-Bytes",
    "line_item_operation": "HeadBucket",
    "line_item_line_item_description": LEGACY["lineItem/LineItemDescription"],
    "line_item_usage_start_date": "2026-03-04 23:00:00",
    "line_item_usage_amount": "12.5",
    "line_item_unblended_rate": "0.0200000000",
    "line_item_unblended_cost": "0.2500000000",
    "product_region_code": "us-east-1",
    "product_servicecode": "AWSDataTransfer",
    "pricing_rate_code": LEGACY["pricing/RateCode"],
    "pricing_public_on_demand_rate": "0.0200000000",
    "pricing_unit": "GB",
    "pricing_currency": "USD",
}
FOCUS = {
    "ChargeCategory": "Usage",
    "x_ServiceCode": "AmazonS3",
    "x_UsageType": "USE1-EUC1-AWS-Out-Bytes",
    "x_Operation": "HeadBucket",
    "ChargeDescription": LEGACY["lineItem/LineItemDescription"],
    "ChargePeriodStart": "2026-03-04T23:00:00Z",
    "ConsumedQuantity": "12.5",
    "ContractedUnitPrice": "0.02",
    "BilledCost": "0.25",
    "RegionId": "us-east-1",
    "SkuId": "2BG23N2FNX3BKABC",
    "SkuPriceId": LEGACY["pricing/RateCode"],
    "ListUnitPrice": "0.02",
    "PricingUnit": "GB",
    "BillingCurrency": "USD",
}


@pytest.mark.parametrize("row", [LEGACY, CUR_2, FOCUS], ids=["legacy", "cur2", "focus"])
def test_the_three_formats_say_the_same(tmp_path: Path, row: dict[str, str]) -> None:
    (read,) = read_invoice(write(tmp_path / "bill.csv", [row]))
    service = "" if row is FOCUS else "AWSDataTransfer"
    assert read == InvoiceLine(
        "USE1-EUC1-AWS-Out-Bytes",
        dt.date(2026, 3, 4),
        "HeadBucket",
        "AmazonS3",
        service,
        "2BG23N2FNX3BKABC",
        LEGACY["lineItem/LineItemDescription"],
        "us-east-1",
        "Usage",
        "GB",
        "USD",
        Decimal("12.5"),
        Decimal("0.02"),
        Decimal("0.02"),
        Decimal("0.25"),
        row=2,
    )
    assert recognize(read) == "inter_region_out_gb:to_EUC1"
    # AWS: 0.02 USD a GB from Virginia to Frankfurt.
    found = explain_line(read, lambda region, day: load_rates(region, as_of=day))
    assert (found.verdict, found.our_unit_price, found.region) == ("same", "0.02", "us-east-1")


def test_what_an_export_lacks_is_unknown_and_not_0(tmp_path: Path) -> None:
    kept = ("lineItem/UsageType", "lineItem/UsageStartDate", "pricing/publicOnDemandRate")
    (read,) = read_invoice(write(tmp_path / "bill.csv", [{name: LEGACY[name] for name in kept}]))
    assert (read.quantity, read.unit_price, read.cost, read.charged) == (None, None, None, None)
    (empty,) = read_invoice(write(tmp_path / "bill.csv", [LEGACY | {"lineItem/UsageAmount": ""}]))
    assert empty.quantity is None
    assert check_invoice([read], rates_at).totals == ()


def test_a_bill_packed_with_gzip(tmp_path: Path) -> None:
    plain = write(tmp_path / "bill.csv", [LEGACY])
    packed = tmp_path / "bill.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_invoice(packed) == read_invoice(plain)
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-20])
    with pytest.raises(InvalidScenario, match="no whole gzip file"):
        read_invoice(packed)
    packed.write_bytes(plain.read_bytes())
    with pytest.raises(InvalidScenario, match="no whole gzip file"):
        read_invoice(packed)


@pytest.mark.parametrize(
    ("row", "missing", "words"),
    [
        (LEGACY, "lineItem/UsageStartDate", "legacy CUR without the column lineItem/UsageStartDate"),
        (CUR_2, "line_item_usage_start_date", "CUR 2.0 without the column line_item_usage_start_date"),
        (FOCUS, "ChargePeriodStart", "FOCUS without the column ChargePeriodStart"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, row: dict[str, str], missing: str, words: str) -> None:
    path = write(tmp_path / "bill.csv", [{name: cell for name, cell in row.items() if name != missing}])
    with pytest.raises(InvalidScenario, match=words):
        read_invoice(path)


def test_a_bill_without_any_price_is_refused(tmp_path: Path) -> None:
    kept = {name: LEGACY[name] for name in ("lineItem/UsageType", "lineItem/UsageStartDate")}
    words = "lineItem/UnblendedRate or pricing/publicOnDemandRate or lineItem/UnblendedCost"
    with pytest.raises(InvalidScenario, match=words):
        read_invoice(write(tmp_path / "bill.csv", [kept]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fruit,count\napple,1\n", "none of a bill's.*lineItem/UsageType.*line_item_usage_type.*x_UsageType"),
        ("", "is empty"),
        (",".join(LEGACY) + "\n", "no lines"),
        (",".join(LEGACY) + "\n" + "x," * 40 + "\n", "line 2: it has more cells than the 15 columns"),
    ],
)
def test_what_is_no_bill(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidScenario, match=words):
        read_invoice(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenario, match="No such file"):
        read_invoice(tmp_path / "none.csv")
    (tmp_path / "bill.parquet").write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(InvalidScenario, match="no CSV text in UTF-8"):
        read_invoice(tmp_path / "bill.parquet")


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("lineItem/UnblendedRate", "cheap", "line 2: lineItem/UnblendedRate is 'cheap'; it must be a number"),
        ("lineItem/UsageAmount", "nan", "line 2: lineItem/UsageAmount is 'nan'"),
        ("lineItem/UsageStartDate", "March", "line 2: lineItem/UsageStartDate is 'March'; it must begin with a day"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(tmp_path: Path, column: str, cell: str, words: str) -> None:
    with pytest.raises(InvalidScenario, match=words):
        read_invoice(write(tmp_path / "bill.csv", [LEGACY | {column: cell}]))


# What a line is.


@pytest.mark.parametrize("region", REGIONS)
def test_every_price_is_recognized_by_its_usage_type_in_every_region(region: str) -> None:
    found, expected = {}, {}
    for name in (*possible_in(region), *possible_in("global")):
        query = PRICES[name].query
        plan = dict(query.attributes) if query.service_code == SAVINGS_PLANS else {}
        on_bill = line(
            query.usage_type_in(region),
            product_code=BILLED_UNDER.get(query.service_code, query.service_code),
            operation="LoadBalancing:Application" if query.service_code == "AWSELB" else "",
            region=region,
            line_type="SavingsPlanCoveredUsage" if plan else "Usage",
            purchase_term=plan.get("purchaseTerm", ""),
            purchase_option=plan.get("purchaseOption", ""),
        )
        found[name] = recognize(on_bill)
        expected[name] = None if name.startswith(TWINS) else name
        if plan:
            # Usage that no plan is said of is at the On-Demand price.
            bare = replace(on_bill, line_type="Usage", purchase_term="", purchase_option="")
            on_demand = recognize(bare)
            assert on_demand is not None
            assert PRICES[on_demand].query.service_code == "AmazonECS"
    assert found == expected


@pytest.mark.parametrize(
    ("usage_type", "product_code", "operation", "price"),
    [
        ("CAN1-DataTransfer-Regional-Bytes", "AWSCloudShell", "CloudShell data transfer", "inter_az_gb"),
        ("DataTransfer-Out-Bytes", "AmazonS3", "ListAllMyBuckets", "internet_egress_gb"),
        ("USW2-EU-AWS-Out-Bytes", "AmazonS3", "ReadLocation", "inter_region_out_gb:to_EU"),
        ("ca-central-1-KMS-Keys", "awskms", "CurrentKeys", "kms_key_month"),
        ("EU-NatGateway-Bytes", "AmazonEC2", "NatGateway", "nat_gateway_gb"),
        ("EU-DataProcessing-Bytes", "AmazonCloudWatch", "PutLogEvents", "logs_ingest_standard_gb"),
        ("EU-TimedStorage-ByteHrs", "AmazonCloudWatch", "HourlyStorageMetering", "logs_storage_gb_month"),
        ("EU-TimedStorage-ByteHrs", "AmazonECR", "", "ecr_storage_gb_month"),
        ("USE1-SpotUsage-Fargate-GB-Hours", "AmazonECS", "FargateTask", "fargate_spot_linux_x86_gb_hour"),
        ("EU-LoadBalancerUsage", "AWSELB", "LoadBalancing:Application", "alb_hour"),
        # Services of us-east-1 differ in whether they write its prefix.
        ("CW:MetricsUsage", "AmazonCloudWatch", "", "container_insights_enhanced_ecs_metric_month"),
        ("USE1-CW:MetricsUsage", "AmazonCloudWatch", "", "container_insights_enhanced_ecs_metric_month"),
        # The same words leave Ireland, or CloudFront's European edges.
        ("EU-DataTransfer-Out-Bytes", "AmazonEC2", "RunInstances", "internet_egress_gb"),
        ("EU-DataTransfer-Out-Bytes", "AmazonCloudFront", "GET", "cloudfront_internet_egress_gb:EU"),
    ],
)
def test_lines_of_bills(usage_type: str, product_code: str, operation: str, price: str) -> None:
    assert recognize(line(usage_type, product_code=product_code, operation=operation)) == price


@pytest.mark.parametrize(
    ("usage_type", "product_code", "operation"),
    [
        ("USE1-BoxUsage:t3.micro", "AmazonEC2", "RunInstances"),
        ("EU-Requests-Tier2", "AmazonS3", "GetObject"),
        ("EU-TimedStorage-ByteHrs", "AmazonDynamoDB", ""),
        ("EU-DataProcessing-Bytes", "AWSELB", "LoadBalancing"),
        ("EU-LoadBalancerUsage", "AWSELB", "LoadBalancing:Network"),
        ("EU-LoadBalancerUsage", "AWSELB", "LoadBalancing"),
        ("EU-LCUUsage", "AWSELB", "LoadBalancing:Gateway"),
        ("EU-ReservedLCUUsage", "AWSELB", "LoadBalancing:Network"),
        ("us-east-1-KMS-Requests-Asymmetric", "awskms", "Sign"),
        ("CAN1-CW:Requests", "AmazonCloudWatch", "ListMetrics"),
        ("USW2-DataTransfer-In-Bytes", "AmazonS3", "PutObject"),
        ("USE1-DataTransfer-xAZ-Out-Bytes", "AWSCloudShell", ""),
        ("EU-DNS-Queries", "AmazonRoute53", ""),
        ("USE1-USE1-AWS-Out-Bytes", "AmazonS3", ""),
    ],
)
def test_what_is_not_priced_is_not_claimed(usage_type: str, product_code: str, operation: str) -> None:
    other = line(usage_type, product_code=product_code, operation=operation, region="us-east-1", rate="0.1")
    found = explain_line(other, rates_at)
    assert (found.price, found.verdict, found.text) == (None, "not ours", NOT_PRICED)


def test_requests_to_a_bucket_in_ireland_are_none_of_cloudfronts() -> None:
    assert recognize(line("EU-Requests-Tier1", product_code="AmazonCloudFront")) == "cloudfront_http_request:EU"
    assert recognize(line("EU-Requests-Tier1", product_code="AmazonS3")) != "cloudfront_http_request:EU"


@pytest.mark.parametrize("usage_type", ["EU-Requests-Tier1", "EU-TimedStorage-ByteHrs", "EU-DataTransfer-Out-Bytes"])
def test_what_several_services_have_is_not_guessed(usage_type: str) -> None:
    found = explain_line(line(usage_type, rate="0.1"), rates_at)
    assert (found.verdict, found.text) == ("not ours", NOT_CERTAIN)


def test_a_usage_type_without_prefix_is_of_us_east_1() -> None:
    nat = line("NatGateway-Bytes", product_code="AmazonEC2")
    assert recognize(nat) == recognize(replace(nat, region="us-east-1")) == "nat_gateway_gb"
    assert recognize(replace(nat, region="eu-west-1")) is None
    # The spelling that the service does not usually have needs the region's name.
    vcpu = line("Fargate-vCPU-Hours:perCPU", product_code="AmazonECS")
    assert recognize(vcpu) is None
    assert recognize(replace(vcpu, region="us-east-1")) == "fargate_linux_x86_vcpu_hour"
    prefixed = line("USE1-DataTransfer-Out-Bytes", product_code="AmazonApiGateway", region="us-east-1")
    assert recognize(prefixed) == "internet_egress_gb"


def test_a_load_balancer_without_an_operation_is_known_by_its_description() -> None:
    said = "$0.0252 per Application LoadBalancer-hour (or partial hour)"
    other = "$0.0252 per Network LoadBalancer-hour (or partial hour)"
    balancer = line("EU-LoadBalancerUsage", product_code="AWSELB", description=said)
    assert recognize(balancer) == "alb_hour"
    assert recognize(replace(balancer, description=other)) is None


@pytest.mark.parametrize(
    ("region", "description", "price"),
    [
        ("us-west-2", "USD 0.02 per GB for EUN1-AWS-Out-Bytes in EU (Stockholm)", "inter_region_out_gb:to_EUN1"),
        ("ca-west-1", "USD 1.0 per Keys for ca-west-1-KMS-Keys in Canada West (Calgary)", "kms_key_month"),
        (
            "us-east-1",
            "$0.02 per GB - US East (Northern Virginia) data transfer to EU (Germany)",
            "inter_region_out_gb:to_EUC1",
        ),
        (
            "us-east-1",
            "$0.01 per GB - US East (Northern Virginia) data transfer to US East (Ohio)",
            "inter_region_out_gb:to_USE2",
        ),
        ("us-east-1", "$0.0116 per On Demand Linux t2.micro Instance Hour", None),
        ("", "USD 0.02 per GB for EUN1-AWS-Out-Bytes in EU (Stockholm)", None),
    ],
)
def test_without_a_usage_type_the_description_decides(region: str, description: str, price: str | None) -> None:
    assert recognize(line("", region=region, description=description)) == price


def test_a_sku_decides_where_the_usage_type_does_not() -> None:
    rates = Rates("eu-west-1", {"nat_gateway_gb": replace(KNOWN[-2], sku="DTH8595YVPFXV226")})
    known = line("", sku="DTH8595YVPFXV226", region="eu-west-1", listed="0.045")
    assert recognize(known) is None
    assert recognize(known, rates) == "nat_gateway_gb"
    assert recognize(replace(known, sku="DTH8595YVPFXxxx"), rates) is None
    assert explain_line(known, lambda region, day: rates).verdict == "same"


# Why its price is what it is.


def egress(**facts: object) -> InvoiceLine:
    return line("DataTransfer-Out-Bytes", product_code="AmazonEC2", service_code="AWSDataTransfer", **facts)


def windows(**facts: object) -> InvoiceLine:
    return line("USE1-Fargate-Windows-vCPU-Hours:perCPU", product_code="AmazonECS", **facts)


@pytest.mark.parametrize(
    ("on_bill", "verdict", "words"),
    [
        (egress(rate="0.0900000000", listed="0.09", description=EGRESS), "same", "published 2025-12-02"),
        (egress(listed="0.09"), "same", "0.09 is our rate"),
        # AWS's list price of a price with tiers is that of the first, whatever tier the line is in.
        (egress(rate="0.085", listed="0.09"), "tier", "from 10,240 GB on"),
        (egress(rate="0.07"), "tier", "from 51,200 GB on"),
        (egress(rate="0.0", listed="0.09", description=FREE_EGRESS), "free tier", "its list price 0.09 is our rate"),
        (egress(listed="0.09", description=FREE_EGRESS), "free tier", "free by a free tier"),
        (egress(rate="0", listed="0.09"), "free tier", "charged at 0"),
        (egress(rate="0", description=FREE_EGRESS), "free tier", "states no list price"),
        # 0.0792 is 12 % below 0.09.
        (egress(rate="0.0792", listed="0.09"), "discount", "0.0792 is 12 % below the list price 0.09"),
        (egress(rate="0.0792"), "differs", "0.0792 is none of our rates; ours is 0.09, from 10,240 on 0.085"),
        (egress(rate="0.12", listed="0.09"), "differs", "0.12 is none"),
        (egress(rate="0", listed="0.12", description=FREE_EGRESS), "differs", "0.12 is none"),
        (egress(), "unknown", "states no price"),
        # A cost is rounded to ten places.
        (egress(quantity="3.3333333333", cost="0.3000000000"), "same", "our rate"),
        (egress(quantity="0.0000000123", cost="0.0000000011"), "same", "our rate"),
        (egress(quantity="3", cost="0.3"), "differs", "0.1 is none"),
        (windows(rate="0.09148"), "same", "now it is 0.046552"),
        (windows(rate="0.046552"), "same", "published 2026-05-01 and so after the bill"),
        (windows(rate="0.1"), "older", "our rate of 2024-01-01; now it is 0.046552"),
        (windows(rate="0.2"), "differs", "0.2 is none"),
        (line("NatGateway-Bytes", product_code="AmazonEC2", rate="0.045"), "same", "and so after the bill"),
        (line("NatGateway-Bytes", product_code="AmazonEC2", rate="0.05"), "older", "before any rate that we know"),
        (line("NatGateway-Bytes", product_code="AmazonEC2", rate="0.05", start=None), "differs", "none of our rates"),
        (
            line("NatGateway-Hours", product_code="AmazonEC2", rate="0.045"),
            "unknown",
            "no rate of ours is known in us-",
        ),
        (line("us-east-1-KMS-Requests", product_code="awskms", rate="3.0E-6"), "same", "0.000003 is our rate"),
    ],
)
def test_a_unit_price_is_explained(on_bill: InvoiceLine, verdict: str, words: str) -> None:
    found = explain_line(on_bill, rates_at)
    assert found.verdict == verdict
    assert words in found.text


def test_a_rate_that_never_changed_does_not_search_for_ever() -> None:
    always = rates_at("us-east-1", None)
    assert explain_line(egress(rate="0.12"), lambda region, day: always).verdict == "differs"


def test_a_bill_of_a_day_to_come_is_held_against_the_newest_rates() -> None:
    asked = []

    def recorded(region: str, day: dt.date | None) -> Rates:
        asked.append(day)
        return rates_at(region, None)

    assert explain_line(egress(rate="0.09", start=dt.date(2999, 1, 1)), recorded).verdict == "same"
    assert set(asked) == {None}


@pytest.mark.parametrize(
    ("description", "usd"),
    [
        ("$0.40 per 1,000,000 queries for the first 1 Billion queries", "0.0000004"),
        ("$0.60 per million requests", "0.0000006"),
        ("$0.01 per 10K requests", "0.000001"),
        ("$1 per customer managed KMS key version in Canada (Central)", "1"),
        ("USD 0.02 per GB for EUN1-AWS-Out-Bytes in EU (Stockholm)", "0.02"),
        ("$0.0225 per Application LoadBalancer-hour (or partial hour)", "0.0225"),
        ("$0.60 per Million requests", "0.0000006"),
        ("$0.025 per Megabyte", "0.025"),
        ("AWS Fargate - vCPU - EU (Ireland)", None),
    ],
)
def test_the_price_that_a_description_begins_with(description: str, usd: str | None) -> None:
    charged = line("", description=description).charged
    assert charged == (None if usd is None else Decimal(usd))


def test_a_rounded_description_does_not_stand_against_a_list_price() -> None:
    said = "$0.05 per vCPU-hour"
    assert line("x", description=said, listed="0.04656").charged is None


SAVING = {"purchase_term": "1yr", "purchase_option": "No Upfront"}


def test_usage_that_a_savings_plan_covers() -> None:
    covered = line(
        "USE1-Fargate-vCPU-Hours:perCPU",
        product_code="AmazonECS",
        line_type="SavingsPlanCoveredUsage",
        rate="0.04048",
        plan_unit_price="0.032384",
        **SAVING,
    )
    found = explain_line(covered, rates_at)
    assert found.price == "sp_compute_1yr_noupfront__fargate_linux_x86_vcpu_hour"
    assert found.verdict == "discount"
    assert found.text == "covered by a Savings Plan; 0.032384 in the plan, our rate of this plan is 0.032384"
    bare = explain_line(replace(covered, purchase_term="", purchase_option=""), rates_at)
    assert (bare.price, bare.verdict) == ("fargate_linux_x86_vcpu_hour", "discount")
    assert "our rate without it is 0.04048" in bare.text


def test_focus_says_a_commitment_by_its_pricing_category(tmp_path: Path) -> None:
    row = FOCUS | {"PricingCategory": "Committed", "x_UsageType": "USE1-Fargate-vCPU-Hours:perCPU"}
    row |= {"x_ServiceCode": "AmazonECS", "BilledCost": "0"}
    (read,) = read_invoice(write(tmp_path / "bill.csv", [row]))
    found = explain_line(read, rates_at)
    assert (found.price, found.verdict) == ("fargate_linux_x86_vcpu_hour", "discount")


def test_spot_prices_move() -> None:
    spot = line("USE1-SpotUsage-Fargate-vCPU-Hours:perCPU", product_code="AmazonECS", rate="0.0128")
    assert explain_line(spot, rates_at).verdict == "same"
    moved = explain_line(replace(spot, unit_price=Decimal("0.0131")), rates_at)
    assert moved.verdict == "discount"
    assert "0.0131" in moved.text
    assert "0.0128" in moved.text


@pytest.mark.parametrize(
    "line_type", ["SavingsPlanNegation", "EdpDiscount", "PrivateRateDiscount", "SppDiscount", "BundledDiscount"]
)
def test_lines_that_take_something_off(line_type: str) -> None:
    found = explain_line(egress(line_type=line_type, cost="-3"), rates_at)
    assert (found.verdict, found.price) == ("discount", "internet_egress_gb")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"line_type": "Tax"}, NO_USAGE),
        ({"line_type": "Credit"}, NO_USAGE),
        ({"line_type": "SavingsPlanRecurringFee"}, NO_USAGE),
        ({"currency": "CNY"}, OTHER_CURRENCY),
    ],
)
def test_why_a_line_is_not_ours(facts: dict[str, str], reason: str) -> None:
    found = explain_line(egress(rate="0.09", **facts), rates_at)
    assert (found.verdict, found.text, found.price) == ("not ours", reason, None)


# A whole bill.


def test_quantities_of_a_month_are_added_up_before_tiers() -> None:
    # AWS's tiers: 10,240 GB at 9 cents, the next 40,960 at 8.5.
    bill = [
        egress(rate="0.09", quantity=6000, cost=540, region="us-east-1"),
        egress(rate="0.09", quantity=4240, cost="381.6", start=dt.date(2026, 3, 31)),
        egress(rate="0.085", quantity=1000, cost=85),
        egress(rate="0", listed="0.09", quantity=100, cost=0, description=FREE_EGRESS),
        egress(rate="0.09", quantity=10, cost="0.9", start=dt.date(2026, 4, 1)),
        egress(rate="0.09"),
        egress(line_type="EdpDiscount", cost=-50),
        line("USE1-BoxUsage:t3.micro", product_code="AmazonEC2", quantity=1, cost=1),
    ]
    check = check_invoice(bill, rates_at)
    march, april = check.totals
    assert (march.month, march.region, march.price) == ("2026-03", "us-east-1", "internet_egress_gb")
    assert (march.quantity, march.free_quantity, march.unit) == (11240, 100, "GB")
    assert march.billed_usd == pytest.approx(1006.6)
    assert march.our_usd == pytest.approx(10240 * 0.09 + 1000 * 0.085)
    assert march.difference_usd == pytest.approx(0, abs=1e-9)
    assert (march.lines, march.lines_without_quantity, march.discounts_usd) == (4, 1, -50)
    assert (april.month, april.our_usd) == ("2026-04", pytest.approx(0.9))
    assert check.counts == {"same": 4, "free tier": 1, "tier": 1, "discount": 1, "not ours": 1}
    assert check.reasons == {NOT_PRICED: 1}


def test_a_quantity_charged_in_the_wrong_tier_shows_in_the_sum() -> None:
    check = check_invoice([egress(rate="0.085", quantity=1000, cost=85)], rates_at)
    assert check.counts == {"tier": 1}
    assert check.totals[0].difference_usd == pytest.approx(-5)


def test_a_month_is_priced_at_the_rates_that_held_in_it() -> None:
    bill = [
        windows(rate="0.09148", quantity=100, cost="9.148"),
        windows(rate="0.046552", quantity=100, cost="4.6552", start=dt.date(2026, 6, 1)),
    ]
    assert [total.our_usd for total in check_invoice(bill, rates_at).totals] == pytest.approx([9.148, 4.6552])


def test_sums_without_a_rate_or_below_0_are_unknown_and_not_0() -> None:
    nat = line("NatGateway-Hours", product_code="AmazonEC2", rate="0.045", quantity=10, cost="0.45")
    check = check_invoice([nat, egress(rate="0.09", quantity=-1, cost="-0.09")], rates_at)
    assert [total.our_usd for total in check.totals] == [None, None]
    assert [total.difference_usd for total in check.totals] == [None, None]
    assert "unknown" in invoice_totals_table(check).rows[0]
    assert invoice_totals_table(check).footer[6] == "at least 0.00"


def test_each_day_of_a_region_is_asked_for_once() -> None:
    asked = []

    def recorded(region: str, day: dt.date | None) -> Rates:
        asked.append((region, day))
        return rates_at(region, day)

    check_invoice([egress(rate="0.09")] * 50, recorded)
    assert len(asked) == len(set(asked)) <= 2


def test_a_check_as_frame_values_and_table() -> None:
    other = line("USE1-BoxUsage:t3.micro", product_code="AmazonEC2")
    check = check_invoice([egress(rate="0.09"), egress(rate="0.09"), egress(rate="0.12"), other], rates_at)
    frame = check.to_frame()
    assert list(frame["verdict"]) == ["same", "same", "differs", "not ours"]
    assert list(frame["unit_price"][:3]) == ["0.09", "0.09", "0.12"]
    values = json.loads(json.dumps(check.to_dict()))
    assert values["verdicts"] == check.counts
    assert values["not_ours"] == {NOT_PRICED: 1}
    assert [each["price"] for each in values["explanations"]] == [*["internet_egress_gb"] * 3, None]
    rows = invoice_table(check).rows
    # What differs comes first, what is alike is counted.
    assert [row[1:3] for row in rows] == [("differs", "1"), ("same", "2"), ("not ours", "1")]
    assert check.counts_text == (f"4 lines: 3 recognized (2 same, 1 differs), 1 not ours (1 {NOT_PRICED}).")
    assert set(check.counts) <= set(VERDICTS)


def run(*arguments: object):
    app = typer.Typer()
    app.command()(invoice)
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_command_prints_lines_sums_and_counts(tmp_path: Path) -> None:
    legacy = LEGACY | {"lineItem/ProductCode": "AmazonEC2", "lineItem/Operation": "RunInstances"}
    box = legacy | {"lineItem/UsageType": "BoxUsage:t3.micro", "product/servicecode": "AmazonEC2"}
    path = write(tmp_path / "bill.csv", [LEGACY, LEGACY, LEGACY | {"lineItem/UsageAmount": ""}, box])
    shown = run(path)
    assert shown.exit_code == 0, shown.output
    (row,) = (each for each in shown.output.splitlines() if each.startswith("USE1-EUC1-AWS-Out-Bytes"))
    assert row.split()[1:6] == ["same", "3", "0.02", "0.02", "0.02"]
    # Twice 12.5 GB at 2 cents.
    assert re.search(r"Data transfer to eu-central-1\S*(?: \S+)*  2026-03  us-east-1", shown.output)
    assert " 25  GB        0.50      0.50       +0.00" in shown.output
    assert "Left out of the sums for want of a quantity or a cost: 1 of the lines at these prices." in shown.output
    assert shown.output.endswith(f"4 lines: 3 recognized (3 same), 1 not ours (1 {NOT_PRICED}).\n")
    values = json.loads(run(path, "--json").output)
    assert (values["lines"], values["verdicts"]) == (4, {"same": 3, "not ours": 1})
    assert math.isclose(values["totals"][0]["our_usd"], 0.5)


def test_the_command_refuses_what_is_no_bill(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path / "none.csv").exception, InvalidScenario)
    assert "Example: estimator invoice cur.csv" in run("--help").output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("lineItem/UsageType;lineItem/UsageStartDate\na;b\n", "is separated by ;"),
        (
            "lineItem/UsageType,lineItem/UsageStartDate,lineItem/UnblendedCost\nUSE1-NatGateway-Hours\n",
            "fewer cells than the 3 columns",
        ),
        ("lineItem/UsageType,lineItem/UsageStartDate,lineItem/UnblendedCost\na,2026-01-01,1e400\n", "1e400"),
    ],
)
def test_files_that_are_no_bill(tmp_path, text, said):
    path = tmp_path / "bill.csv"
    path.write_text(text)
    with pytest.raises(InvalidScenario) as error:
        read_invoice(path)
    assert said in str(error.value)
