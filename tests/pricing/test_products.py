"""The one product that a query means, among all that AWS lists beside it: decoys, twins and what cannot be read."""

import datetime as dt
import json

import msgspec
import pytest

from estimator.errors import PriceListUnavailable, ProductNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.products import Origin, PricedProduct, Product, Term, plain_price, published_date, select_rate

TERM = "JRTCKXETXF"


def dimension(price="0.0404800000", unit="hours", begin="0", end="Inf", currency="USD"):
    """A price dimension as AWS writes it; None for a price without a currency."""
    return {
        "unit": unit,
        "beginRange": begin,
        "endRange": end,
        "description": "as AWS describes it",
        "appliesTo": [],
        "rateCode": f"SKU.{TERM}.{begin}",
        "pricePerUnit": {currency: price} if currency else {},
    }


def term(*dimensions, effective="2026-11-01T00:00:00Z"):
    return {
        "offerTermCode": TERM,
        "sku": "SKU",
        "effectiveDate": effective,
        "termAttributes": {},
        "priceDimensions": {f"SKU.{TERM}.{place}": each for place, each in enumerate(dimensions)},
    }


def listed(
    usage_type="USE1-Fargate-vCPU-Hours:perCPU",
    sku="8CESGAFWKAJ98PME",
    *terms,
    family="Compute",
    service="AmazonECS",
    region="us-east-1",
    location_type="AWS Region",
    published=dt.date(2026, 11, 3),
    **more,
):
    """A product as both clients hand it over, decoded from AWS's JSON."""
    attributes = {
        "servicecode": service,
        "location": "US East (N. Virginia)",
        "locationType": location_type,
        "usagetype": usage_type,
        "operation": "",
        "regionCode": region,
    } | more
    attributes = {name: value for name, value in attributes.items() if value is not None}
    product = json.dumps({"sku": sku, "productFamily": family, "attributes": attributes})
    return PricedProduct(
        msgspec.json.decode(product, type=Product),
        tuple(msgspec.json.decode(json.dumps(each), type=Term) for each in terms or (term(dimension()),)),
        Origin(service, "20261103182130", published, "offer"),
    )


def chosen(name, region, *products):
    return select_rate(name, PRICES[name], region, products)


def transfer(usage_type, sku, kind, *terms, region="us-east-1", **more):
    """Data transfer names the place that it comes from, and has no location of its own."""
    return listed(
        usage_type,
        sku,
        *(terms or (term(dimension("0.0200000000", "GB")),)),
        family="Data Transfer",
        service="AWSDataTransfer",
        region=None,
        location_type=None,
        location=None,
        **{
            "transferType": kind,
            "fromLocationType": "AWS Region",
            "fromLocation": "somewhere",
            "fromRegionCode": region,
        }
        | more,
    )


def balancer(usage_type, sku, price="0.0225000000", kind="Application", unit="Hrs", **more):
    family = {"": "Load Balancer"}.get(kind, f"Load Balancer-{kind}")
    operation = f"LoadBalancing{f':{kind}' if kind else ''}"
    more = {"service": "AWSELB", "operation": operation, "family": family} | more
    return listed(usage_type, sku, term(dimension(price, unit)), **more)


VCPU = "fargate_linux_x86_vcpu_hour"
FARGATE = [
    listed(f"USE1-{usage_type}", sku, term(dimension(price, unit)), family=family)
    for usage_type, sku, price, unit, family in [
        ("ECS-EC2-vCPU-Hours", "DQ8NT47B7YY2CGC5", "0.0000000000", "vCPU-Hours", "Compute Metering"),
        ("ECS-EC2-GB-Hours", "GEJGX2WDAP6VBPSA", "0.0000000000", "GB-Hours", "Compute Metering"),
        ("Fargate-ARM-vCPU-Hours:perCPU", "XSZATS4VYMDC9CYN", "0.0323800000", "hours", "Compute"),
        ("Fargate-ARM-GB-Hours", "UNH9KPQP7W7C66C9", "0.0035600000", "hours", "Compute"),
        ("Fargate-Windows-vCPU-Hours:perCPU", "RF2BUTAD289DREDC", "0.0465520000", "hours", "Compute"),
        ("Fargate-Windows-GB-Hours", "8QDMJPGQCM368Z6X", "0.0051117500", "hours", "Compute"),
        ("Fargate-Windows-OS-Hours:perCPU", "9D3ZWXRS2VXMZET6", "0.0460000000", "hours", "Compute"),
        ("Fargate-EphemeralStorage-GB-Hours", "7KPDPTDSCT4J3Z64", "0.0001110000", "GB-Hours", "Compute"),
        ("SpotUsage-Fargate-vCPU-Hours:perCPU", "SPOT", "0.0128856100", "hours", "Compute"),
        ("Fargate-GB-Hours", "PBZNQUSEXZUC34C9", "0.0044450000", "hours", "Compute"),
        ("Fargate-vCPU-Hours:perCPU", "8CESGAFWKAJ98PME", "0.0404800000", "hours", "Compute"),
    ]
]


@pytest.mark.parametrize(
    ("price", "sku", "usd"),
    [
        ("fargate_linux_x86_vcpu_hour", "8CESGAFWKAJ98PME", "0.04048"),
        ("fargate_linux_x86_gb_hour", "PBZNQUSEXZUC34C9", "0.004445"),
        ("fargate_linux_arm_vcpu_hour", "XSZATS4VYMDC9CYN", "0.03238"),
        ("fargate_linux_arm_gb_hour", "UNH9KPQP7W7C66C9", "0.00356"),
        ("fargate_windows_vcpu_hour", "RF2BUTAD289DREDC", "0.046552"),
        ("fargate_windows_gb_hour", "8QDMJPGQCM368Z6X", "0.00511175"),
        ("fargate_windows_os_license_vcpu_hour", "9D3ZWXRS2VXMZET6", "0.046"),
        ("fargate_ephemeral_storage_gb_hour", "7KPDPTDSCT4J3Z64", "0.000111"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_fargate_among_its_neighbors(price, sku, usd, order):
    rate = chosen(price, "us-east-1", *FARGATE[::order])
    assert (rate.sku, rate.tiers_text(), rate.price) == (sku, usd, price)


def test_what_a_rate_carries():
    rate = select_rate(VCPU, PRICES[VCPU], "us-east-1", FARGATE, checked=dt.date(2026, 11, 23))
    assert rate.published == dt.date(2026, 11, 3)
    assert rate.checked == dt.date(2026, 11, 23)
    assert rate.unit == "vCPU-hour"
    assert rate.usage_type == "USE1-Fargate-vCPU-Hours:perCPU"
    assert rate.provenance == "api"
    assert rate.source == "AWS Price List, AmazonECS version 20261103182130"
    assert chosen(VCPU, "us-east-1", *FARGATE).checked is None


def test_the_twin_on_eks_is_another_service():
    twin = listed(sku="TWIN", service="AmazonEKS")
    assert chosen(VCPU, "us-east-1", twin, listed()).sku == "8CESGAFWKAJ98PME"
    with pytest.raises(ProductNotFound, match="Not taken: TWIN"):
        chosen(VCPU, "us-east-1", twin)


@pytest.mark.parametrize("where", ["AWS Outposts", "AWS Local Zone", "AWS Wavelength Zone", "Other", ""])
def test_only_a_region_is_a_region(where):
    elsewhere = listed(sku="ELSEWHERE", location_type=where)
    assert chosen(VCPU, "us-east-1", elsewhere, listed()).sku == "8CESGAFWKAJ98PME"
    with pytest.raises(ProductNotFound):
        chosen(VCPU, "us-east-1", elsewhere)


def test_a_local_zone_of_the_region():
    zone = balancer("USW2-LAX1-LoadBalancerUsage", "ZONE", region="us-west-2-lax-1", location_type="AWS Local Zone")
    parent = balancer("USW2-LoadBalancerUsage", "PARENT", region="us-west-2")
    # Some lists name a zone's parent prefix and only its own code.
    disguised = balancer("USW2-LoadBalancerUsage", "DISGUISED", region="us-west-2-lax-1")
    assert chosen("alb_hour", "us-west-2", zone, disguised, parent).sku == "PARENT"


BALANCERS = [
    balancer("TS-LoadBalancerUsage", "T953TK5KT4BSUVBU", "0.0050000000"),
    balancer("Outposts-LoadBalancerUsage", "OUTPOSTS"),
    balancer("Outposts-LCUUsage", "FREE", "0.0000000000", unit="LCU-Hrs"),
    balancer("LoadBalancerUsage", "OUTPOST-PLACE", location_type="AWS Outposts"),
    balancer("LoadBalancerUsage", "NLB", kind="Network"),
    balancer("LoadBalancerUsage", "GWLB", "0.0125000000", kind="Gateway"),
    balancer("LoadBalancerUsage", "CLB", "0.0250000000", kind=""),
    balancer("LCUUsage", "NLCU", "0.0060000000", kind="Network", unit="LCU-Hrs"),
    balancer("LCUUsage", "GLCU", "0.0040000000", kind="Gateway", unit="LCU-Hrs"),
    balancer("ReservedLCUUsage", "CP5ZUMA7RSCUNUVK", "0.0080000000", unit="LCU-Hrs"),
    balancer("IdleProvisionedLBCapacity", "IDLE", "0.0060000000", unit="LCU-Hrs"),
    balancer("LCUUsage", "P2XGEJ8N3KU52WA8", "0.0080000000", unit="LCU-Hrs"),
    balancer("LoadBalancerUsage", "37CUWUT8GSNQEPUV"),
]


@pytest.mark.parametrize(
    ("price", "sku", "usd"),
    [
        ("alb_hour", "37CUWUT8GSNQEPUV", "0.0225"),
        ("alb_lcu_hour", "P2XGEJ8N3KU52WA8", "0.008"),
        ("alb_reserved_lcu_hour", "CP5ZUMA7RSCUNUVK", "0.008"),
        ("alb_trust_store_hour", "T953TK5KT4BSUVBU", "0.005"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_load_balancers_of_all_kinds_share_usage_types(price, sku, usd, order):
    rate = chosen(price, "us-east-1", *BALANCERS[::order])
    assert (rate.sku, rate.tiers_text()) == (sku, usd)


def test_a_load_balancer_in_the_list_of_ec2():
    record = balancer("CAN1-LoadBalancerUsage", "DJ56KTT4RXZCM5AC", "0.0247500000", service="AmazonEC2", region=None)
    assert chosen("alb_hour", "ca-central-1", _at(record, "Canada (Central)")).tiers_text() == "0.02475"


def _at(record, location):
    attributes = {**record.product.attributes, "location": location}
    return PricedProduct(
        Product(record.product.sku, record.product.product_family, attributes), record.terms, record.origin
    )


def test_years_ago_the_list_named_only_the_place():
    # us-east-1's usage types have no prefix to tell the region by.
    old = [_at(balancer("LoadBalancerUsage", sku, region=None), place) for sku, place in [
        ("HERE", "US East (N. Virginia)"), ("THERE", "EU (Ireland)"), ("ALSO", "Europe (Ireland)"),
    ]]  # fmt: skip
    assert chosen("alb_hour", "us-east-1", *old).sku == "HERE"


@pytest.mark.parametrize(
    ("price", "region", "wrong", "right"),
    [
        (VCPU, "eu-west-1", "EUW1", "EU"),
        (VCPU, "ap-south-1", "APS1", "APS3"),
        (VCPU, "ap-southeast-1", "APS3", "APS1"),
        (VCPU, "ap-southeast-3", "APS3", "APS4"),
    ],
)
def test_prefixes_that_are_not_what_they_seem(price, region, wrong, right):
    products = [
        listed(f"{prefix}-Fargate-vCPU-Hours:perCPU", prefix, region=region, location="x") for prefix in (wrong, right)
    ]
    assert chosen(price, region, *products).sku == right
    with pytest.raises(ProductNotFound, match=f"{right}-Fargate"):
        chosen(price, region, products[0])


def test_us_east_1_has_a_prefix_only_for_some():
    nat = {"family": "NAT Gateway", "service": "AmazonEC2", "operation": "NatGateway"}
    beside = [
        listed("USE1-NatGateway-Hours", "PREFIXED", **nat),
        listed("RegionalNatGateway-Hours", "REGIONAL", **nat),
        listed("NatGateway-Prvd-Bytes", "FREE", term(dimension("0.0000000000", "GB")), **nat),
        listed("NatGateway-Hours", "M2YSHUBETB3JX4M4", term(dimension("0.0450000000", "Hrs")), **nat),
    ]
    assert chosen("nat_gateway_hour", "us-east-1", *beside).sku == "M2YSHUBETB3JX4M4"
    with pytest.raises(ProductNotFound, match="USE1-Fargate"):
        chosen(VCPU, "us-east-1", listed("Fargate-vCPU-Hours:perCPU"))


@pytest.mark.parametrize("usage_type", ["USE1-CW:MetricsUsage", "CW:MetricsUsage"])
def test_either_spelling_where_sources_differ(usage_type):
    price = "container_insights_enhanced_ecs_metric_month"
    metric = term(dimension("0.0700000000", "Metrics"))
    record = listed(usage_type, "NN3SCKP89K4RQ79T", metric, service="AmazonCloudWatch", family="")
    rate = chosen(price, "us-east-1", record)
    assert (rate.tiers_text(), rate.usage_type) == ("0.07", usage_type)
    both = [
        listed(spelling, sku, metric, service="AmazonCloudWatch")
        for spelling, sku in [("USE1-CW:MetricsUsage", "ONE"), ("CW:MetricsUsage", "OTHER")]
    ]
    with pytest.raises(PriceListUnavailable, match=r"2 products match .* ONE .*OTHER"):
        chosen(price, "us-east-1", *both)
    # Elsewhere the prefix is certain.
    with pytest.raises(ProductNotFound, match="EU-CW:MetricsUsage"):
        chosen(price, "eu-west-1", listed("CW:MetricsUsage", service="AmazonCloudWatch", region="eu-west-1"))


def test_kms_writes_the_region_code():
    key = term(dimension("1.0000000000", "Keys"))
    records = [listed(f"{prefix}-KMS-Keys", prefix, key, service="awskms", region="eu-west-1", location="x")
               for prefix in ("EU", "eu-west-2", "eu-west-1")]  # fmt: skip
    assert chosen("kms_key_month", "eu-west-1", *records).sku == "eu-west-1"


TIERS = [("0", "10240", "0.0900000000"), ("10240", "51200", "0.0850000000"), ("51200", "153600", "0.0700000000"),
         ("153600", "Inf", "0.0500000000")]  # fmt: skip


def egress(*tiers):
    return term(*(dimension(price, "GB", begin, end) for begin, end, price in tiers))


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]])
def test_tiers_in_any_order(order):
    record = transfer("DataTransfer-Out-Bytes", "HQEH3ZWJVT46JHRG", "AWS Outbound", egress(*(TIERS[i] for i in order)))
    rate = chosen("internet_egress_gb", "us-east-1", record)
    assert [(tier.begin, tier.price) for tier in rate.tiers] == [
        (0, "0.09"),
        (10_240, "0.085"),
        (51_200, "0.07"),
        (153_600, "0.05"),
    ]


@pytest.mark.parametrize(
    "tiers",
    [
        TIERS[1:],  # no beginning
        [TIERS[0], TIERS[2], TIERS[3]],  # a gap
        [TIERS[0], ("5120", "51200", "0.08"), *TIERS[2:]],  # an overlap
        [*TIERS, TIERS[3]],  # one twice
        TIERS[:-1],  # no end: what the unit after the last costs is not said
        [("0", "100", "0.0000000000")],  # a free allowance alone
        [("NaN", "Inf", "0.09")],
        [("0", "NaN", "0.09")],
        [("-1", "Inf", "0.09")],
    ],
)
def test_tiers_that_do_not_follow_each_other(tiers):
    record = transfer("DataTransfer-Out-Bytes", "HQEH3ZWJVT46JHRG", "AWS Outbound", egress(*tiers))
    with pytest.raises(PriceListUnavailable, match=r"HQEH3ZWJVT46JHRG.*tiers"):
        chosen("internet_egress_gb", "us-east-1", record)


def test_free_tiers_and_transfers_of_other_kinds():
    products = [
        transfer("Global-DataTransfer-Out-Bytes", "FREE", "AWS Outbound", egress(("0", "100", "0.0000000000")),
                 region=None, fromLocation="Any"),
        transfer("DataTransfer-Out-Bytes", "INBOUND", "AWS Inbound", egress(("0", "Inf", "0.0000000000"))),
        transfer("DataTransfer-Regional-Bytes", "REGIONAL", "IntraRegion"),
        transfer("USW2-DataTransfer-Out-Bytes", "WEST", "AWS Outbound", region="us-west-2"),
        transfer("DataTransfer-Out-Bytes", "ZONE", "AWS Outbound", fromLocationType="AWS Local Zone"),
        listed("DataTransfer-Out-Bytes", "BUCKET", service="AmazonS3", transferType="AWS Outbound"),
        transfer("DataTransfer-Out-Bytes", "HQEH3ZWJVT46JHRG", "AWS Outbound", egress(*TIERS)),
    ]  # fmt: skip
    assert chosen("internet_egress_gb", "us-east-1", *products).sku == "HQEH3ZWJVT46JHRG"
    assert chosen("inter_az_gb", "us-east-1", *products).sku == "REGIONAL"


def test_pairs_of_regions():
    kind = "InterRegion Outbound"
    products = [
        transfer("USE2-SAE1-AWS-Out-Bytes", "25KK9VY72V4RDJBD", kind, region="us-east-2"),
        transfer("SAE1-USE2-AWS-Out-Bytes", "BACK", kind, region="sa-east-1"),
        transfer("SAE1-USE2-AWS-In-Bytes", "IN", "InterRegion Inbound", region="us-east-2"),
        transfer("USE2-USE1-AWS-Out-Bytes", "NEAR", kind, region="us-east-2"),
        transfer("EU-USE1-AWS-Out-Bytes", "IRELAND", kind, region="eu-west-1"),
    ]
    assert chosen("inter_region_out_gb:to_SAE1", "us-east-2", *products).sku == "25KK9VY72V4RDJBD"
    assert chosen("inter_region_out_gb:to_USE2", "sa-east-1", *products).sku == "BACK"
    assert chosen("inter_region_out_gb:to_USE1", "eu-west-1", *products).sku == "IRELAND"
    with pytest.raises(ProductNotFound, match="USE2-EU-AWS-Out-Bytes"):
        chosen("inter_region_out_gb:to_EU", "us-east-2", *products)


def test_an_edge_of_cloudfront_is_not_ireland():
    # Both are EU-DataTransfer-Out-Bytes.
    edge = listed("EU-DataTransfer-Out-Bytes", "EDGE", egress(*TIERS), service="AmazonCloudFront",
                  family="Data Transfer", region=None, location_type=None, location=None,
                  transferType="CloudFront Outbound", fromLocation="Europe",
                  fromLocationType="AWS Edge Location")  # fmt: skip
    ireland = transfer("EU-DataTransfer-Out-Bytes", "IRELAND", "AWS Outbound", egress(*TIERS), region="eu-west-1")
    for order in ([edge, ireland], [ireland, edge]):
        assert chosen("cloudfront_internet_egress_gb:EU", "global", *order).sku == "EDGE"
        assert chosen("internet_egress_gb", "eu-west-1", *order).sku == "IRELAND"
    # And EU-Requests-Tier1 is one of S3's in Ireland too.
    bucket = listed("EU-Requests-Tier1", "BUCKET", service="AmazonS3", region="eu-west-1")
    with pytest.raises(ProductNotFound, match="BUCKET"):
        chosen("cloudfront_http_request:EU", "global", bucket)


def test_what_has_no_place_at_all():
    zone = term(dimension("0.5000000000", "HostedZone", "0", "25"), dimension("0.1000000000", "HostedZone", "25"))
    record = listed("HostedZone", "KVPGEJE88UW8S779", zone, service="AmazonRoute53", family="DNS Zone",
                    region=None, location_type=None, location=None)  # fmt: skip
    assert chosen("hosted_zone_month", "global", record).tiers_text() == "0.5, from 25 on 0.1"


def test_storage_of_three_services_is_one_usage_type():
    stored = term(dimension("0.1000000000", "GB-Mo"))
    products = [listed("TimedStorage-ByteHrs", service, stored, service=service, family=family) for service, family in [
        ("AmazonS3", "Storage"), ("AmazonCloudWatch", "Storage Snapshot"), ("AmazonECR", "EC2 Container Registry"),
    ]]  # fmt: skip
    assert chosen("ecr_storage_gb_month", "us-east-1", *products).sku == "AmazonECR"


def test_two_products_are_an_error_that_lists_both():
    with pytest.raises(PriceListUnavailable, match=r"2 products match .*8CESGAFWKAJ98PME .*TWIN ") as caught:
        chosen(VCPU, "us-east-1", listed(), listed(sku="TWIN"))
    assert not isinstance(caught.value, ProductNotFound)


def test_no_product_says_what_was_seen():
    with pytest.raises(ProductNotFound) as caught:
        chosen(VCPU, "us-east-1")
    assert caught.value.price == VCPU
    assert (
        str(caught.value)
        == f"AWS's price list has no product for {VCPU} (USE1-Fargate-vCPU-Hours:perCPU) in us-east-1."
    )
    with pytest.raises(ProductNotFound, match=r"Not taken: OUT USE1-.*\(Compute, AWS Outposts, us-east-1\)\."):
        chosen(VCPU, "us-east-1", listed(sku="OUT", location_type="AWS Outposts"))


@pytest.mark.parametrize("price", ["free", "", "-0.1", "NaN", "Infinity", "0,04", "$0.04", "0x1"])
def test_a_price_that_is_none(price):
    with pytest.raises(PriceListUnavailable, match="8CESGAFWKAJ98PME"):
        chosen(VCPU, "us-east-1", listed("USE1-Fargate-vCPU-Hours:perCPU", "8CESGAFWKAJ98PME", term(dimension(price))))


@pytest.mark.parametrize(
    "price",
    [
        "1e9999999",
        "1e400",
        "1e-9999999",
        "4e-7",
        "0.0_4",
        "1" * 21,
        "0." + "1" * 21,
        "1000000",
        "9" * 5000,
        "\u0663",
        "inf",
        "+1",
        " 1",
        "1.",
        ".5",
        "0\n",
    ],
)
def test_a_price_that_aws_does_not_write(price):
    record = listed(VCPU_TYPE, "8CESGAFWKAJ98PME", term(dimension(price)))
    with pytest.raises(
        PriceListUnavailable, match=r"8CESGAFWKAJ98PME.* cannot be read: '.*(not a number|not a price)"
    ) as caught:
        chosen(VCPU, "us-east-1", record)
    assert len(str(caught.value)) < 300


def test_a_price_of_zero_is_that_of_another_product():
    free = term(dimension("0.0000000000"))
    with pytest.raises(
        PriceListUnavailable, match=r"SKU 8CESGAFWKAJ98PME\) is 0; .* none of ours is free\.$"
    ) as caught:
        chosen(VCPU, "us-east-1", listed(VCPU_TYPE, "8CESGAFWKAJ98PME", free))
    assert not isinstance(caught.value, ProductNotFound)
    all_free = [("0", "10", "0.0000000000"), ("10", "Inf", "0")]
    with pytest.raises(PriceListUnavailable, match="is 0;"):
        chosen(
            "internet_egress_gb",
            "us-east-1",
            transfer("DataTransfer-Out-Bytes", "X", "AWS Outbound", egress(*all_free)),
        )


def test_a_free_first_tier_is_fine():
    tiers = [("0", "10", "0.0000000000"), ("10", "Inf", "0.0900000000")]
    record = transfer("DataTransfer-Out-Bytes", "X", "AWS Outbound", egress(*tiers))
    assert chosen("internet_egress_gb", "us-east-1", record).tiers_text() == "0, from 10 on 0.09"


@pytest.mark.parametrize("location", ["Atlantis (Nowhere)", "US East (Ohio)", "US West (N. California) "])
def test_a_place_that_is_not_ours_is_no_region(location):
    record = balancer("LoadBalancerUsage", "FAR", region=None, location=location)
    with pytest.raises(ProductNotFound, match=f"Not taken: FAR .*{location.strip().split(' (')[0]}"):
        chosen("alb_hour", "us-east-1", record)


@pytest.mark.parametrize("location", [None, "", "Any", "US East (N. Virginia)"])
def test_a_place_that_is_not_said_or_ours_fits(location):
    record = balancer("LoadBalancerUsage", "HERE", region=None, location=location)
    assert chosen("alb_hour", "us-east-1", record).sku == "HERE"


@pytest.mark.parametrize(("currency", "said"), [("CNY", "in CNY"), ("EUR", "in EUR"), ("", "in no currency")])
def test_other_currencies(currency, said):
    record = listed("USE1-Fargate-vCPU-Hours:perCPU", "8CESGAFWKAJ98PME", term(dimension("0.2", currency=currency)))
    with pytest.raises(PriceListUnavailable, match=f"{said}, not USD"):
        chosen(VCPU, "us-east-1", record)


@pytest.mark.parametrize(
    ("price", "service", "usage_type", "unit"),
    [
        (VCPU, "AmazonECS", "USE1-Fargate-vCPU-Hours:perCPU", "GB"),
        (VCPU, "AmazonECS", "USE1-Fargate-vCPU-Hours:perCPU", "seconds"),
        (VCPU, "AmazonECS", "USE1-Fargate-vCPU-Hours:perCPU", ""),
        ("fargate_linux_x86_gb_hour", "AmazonECS", "USE1-Fargate-GB-Hours", "GB-Mo"),
        ("ecr_storage_gb_month", "AmazonECR", "TimedStorage-ByteHrs", "GB"),
        ("ecr_storage_gb_month", "AmazonECR", "TimedStorage-ByteHrs", "GB-Hours"),
        ("vpc_interface_endpoint_gb", "AmazonVPC", "USE1-VpcEndpoint-Bytes", "MB"),
        ("vpc_interface_endpoint_gb", "AmazonVPC", "USE1-VpcEndpoint-Bytes", "TB"),
        ("kms_request", "awskms", "us-east-1-KMS-Requests", "1M requests"),
        ("kms_request", "awskms", "us-east-1-KMS-Requests", "10K"),
        ("kms_request", "awskms", "us-east-1-KMS-Requests", "Million requests"),
        ("kms_request", "awskms", "us-east-1-KMS-Requests", "Hrs"),
        ("secret_month", "AWSSecretsManager", "USE1-AWSSecretsManager-Secrets", "Secret-Hours"),
    ],
)
def test_another_kind_of_unit(price, service, usage_type, unit):
    record = listed(usage_type, "UNIT", term(dimension("0.03", unit)), service=service)
    with pytest.raises(PriceListUnavailable, match=r"SKU UNIT.* is by "):
        chosen(price, "us-east-1", record)


@pytest.mark.parametrize("unit", ["hours", "Hrs", "hrs", "Hour", "vCPU-Hours", "vCPU-Hrs"])
def test_the_hour_has_many_spellings(unit):
    record = listed("USE1-Fargate-vCPU-Hours:perCPU", "8CESGAFWKAJ98PME", term(dimension(unit=unit)))
    assert chosen(VCPU, "us-east-1", record).unit == "vCPU-hour"


def from_days(**prices):
    terms = (term(dimension(price), effective=f"{day}T00:00:00Z" if day else "") for day, price in prices.items())
    return listed("USE1-Fargate-vCPU-Hours:perCPU", "8CESGAFWKAJ98PME", *terms)


@pytest.mark.parametrize(
    ("prices", "usd"),
    [
        ({"2026-11-01": "0.04", "2026-12-01": "0.03"}, "0.04"),  # the second does not hold yet
        ({"2026-12-01": "0.03", "2026-11-01": "0.04"}, "0.04"),
        ({"2025-11-01": "0.05", "2026-11-01": "0.04"}, "0.04"),
        ({"2026-11-03": "0.04", "2025-01-01": "0.05"}, "0.04"),  # from the day of publication on
        ({"2027-01-01": "0.02", "2026-12-01": "0.03"}, "0.03"),  # not one holds yet: the first to come
        ({"": "0.04", "2026-12-01": "0.03"}, "0.04"),
    ],
)
def test_terms_hold_from_a_day_on(prices, usd):
    assert chosen(VCPU, "us-east-1", from_days(**prices)).tiers_text() == usd


def test_terms_of_the_same_day():
    alike = [term(dimension("0.04")), term(dimension("0.04"))]
    assert chosen(VCPU, "us-east-1", listed(VCPU_TYPE, "SKU", *alike)).tiers_text() == "0.04"
    with pytest.raises(PriceListUnavailable, match="several On-Demand terms from 2026-11-01"):
        chosen(VCPU, "us-east-1", listed(VCPU_TYPE, "SKU", term(dimension("0.04")), term(dimension("0.05"))))


VCPU_TYPE = "USE1-Fargate-vCPU-Hours:perCPU"


def test_no_terms():
    without = PricedProduct(listed().product, (), listed().origin)
    for record in (without, listed(VCPU_TYPE, "SKU", term())):
        with pytest.raises(PriceListUnavailable, match="no On-Demand terms"):
            chosen(VCPU, "us-east-1", record)
    # Terms without prices do not hide those that have some.
    later_empty = listed(VCPU_TYPE, "SKU", term(dimension("0.04")), term(effective="2026-11-02T00:00:00Z"))
    assert chosen(VCPU, "us-east-1", later_empty).tiers_text() == "0.04"


def test_what_aws_leaves_out():
    bare = msgspec.json.decode('{"sku": "BARE", "attributes": {"usagetype": "HostedZone"}}', type=Product)
    assert (bare.product_family, bare.location_type, bare.region_code) == ("", "", "")
    assert bare.usage_type == "HostedZone"
    assert PricedProduct(bare, (), listed().origin).service_code == "AmazonECS"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("0.0404800000", "0.04048"),
        ("3.0000000000", "3"),
        ("100.0000000000", "100"),
        ("0.0000000000", "0"),
        ("0.0000004000", "0.0000004"),
        ("999999.9999999999", "999999.9999999999"),
    ],
)
def test_closing_zeros(written, plain):
    assert plain_price(written) == plain


@pytest.mark.parametrize(
    ("written", "version", "day"),
    [
        ("2026-04-27T07:13:25Z", "", dt.date(2026, 4, 27)),
        ("2026-04-27", "20250101", dt.date(2026, 4, 27)),
        ("", "20260427071325", dt.date(2026, 4, 27)),
        ("", "20260427", dt.date(2026, 4, 27)),
    ],
)
def test_the_day_of_a_publication(written, version, day):
    assert published_date(written, version) == day


@pytest.mark.parametrize(
    ("written", "version", "said"),
    [
        ("soon", "20260427", "its publicationDate is 'soon', which is no date"),
        ("2026-04-27 noon", "", "which is no date"),
        ("2026-02-30", "", "which is no date"),
        ("2026-W05", "", "which is no date"),
        ("", "", "its publicationDate is '', which is no date"),
        ("", "7", "its publicationDate is '' and its version '7', which is no date"),
        ("", "20261301", "which is no date"),
    ],
)
def test_no_day_of_a_publication(written, version, said):
    with pytest.raises(ValueError, match=said):
        published_date(written, version)
