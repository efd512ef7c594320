"""A catalogue of AWS products in AWS's own shapes, made from the shipped snapshots, with the traps that AWS's lists hold.

Figures, SKUs and usage types are the shipped ones, so that what is read back can be compared with them. Attributes, units,
number formats and the order of tiers are AWS's. What the snapshots do not have is made up, always in the same way: missing
SKUs, Savings Plan discounts, Spot prices.

`Catalogue.change`, `drop` and `double` make AWS's list wrong or new; each publishes a new version of the service's lists,
and older versions stay readable, as at AWS.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from estimator.pricing.catalog import EDGES, PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import Rate, RateQuery, Rates
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates

ON_DEMAND_TERM = "JRTCKXETXF"
FREE_TIER_TERM = "A429C66SYZ"
ONE_TIER_CODE = "6YS6EN2CT7"
DISCLAIMER = (
    "This pricing list is for informational purposes only. All prices are subject to the additional terms included in the "
    "pricing pages on http://aws.amazon.com. All Free Tier prices are also subject to the terms included at "
    "https://aws.amazon.com/free/"
)

#: The part of the list for products without a region.
GLOBAL = "aws-other"
#: Free tiers stand in the list of every region.
EVERYWHERE = "everywhere"

#: The moment each service's list was published; AWS publishes them one by one.
PUBLISHED = {
    "AmazonECS": "2026-11-03T18:21:30Z",
    "AmazonEKS": "2026-11-03T19:02:11Z",
    "AWSELB": "2026-11-05T07:40:52Z",
    "AmazonEC2": "2026-11-09T22:14:05Z",
    "AmazonVPC": "2026-11-04T16:33:48Z",
    "AWSDataTransfer": "2026-11-06T01:12:37Z",
    "AmazonCloudWatch": "2026-11-07T20:55:19Z",
    "awswaf": "2026-11-02T13:08:44Z",
    "AmazonCloudFront": "2026-11-01T09:27:03Z",
    "AmazonS3": "2026-11-06T17:21:31Z",
    "AmazonECR": "2026-11-08T11:49:26Z",
    "AWSSecretsManager": "2026-11-02T05:30:00Z",
    "awskms": "2026-11-05T15:16:17Z",
    "AmazonRoute53": "2026-11-04T04:04:04Z",
}
SAVINGS_PLANS_PUBLISHED = "2026-11-10T19:42:03Z"

SERVICE_NAMES = {
    "AmazonECS": "Amazon Elastic Container Service",
    "AmazonEKS": "Amazon Elastic Container Service for Kubernetes",
    "AWSELB": "Elastic Load Balancing",
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonVPC": "Amazon Virtual Private Cloud",
    "AWSDataTransfer": "AWS Data Transfer",
    "AmazonCloudWatch": "AmazonCloudWatch",
    "awswaf": "AWS WAF",
    "AmazonCloudFront": "Amazon CloudFront",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonECR": "Amazon EC2 Container Registry (ECR)",
    "AWSSecretsManager": "AWS Secrets Manager",
    "awskms": "AWS Key Management Service",
    "AmazonRoute53": "Amazon Route 53",
}

#: Services whose lists have no part for a region; the AmazonEC2 list has those products there.
NO_PART = {("AWSELB", "us-east-1")}


@dataclass(frozen=True)
class Record:
    """One product with its price. ``price_name`` is its row in PRICES, empty for a trap. ``part`` is the part of the
    bulk list that it stands in: a region code, GLOBAL or EVERYWHERE. Tiers are (begin, price), as AWS writes them."""

    service_code: str
    part: str
    sku: str
    family: str
    attributes: dict[str, str]
    unit: str
    tiers: tuple[tuple[str, str], ...]
    price_name: str = ""
    term_code: str = ON_DEMAND_TERM
    currency: str = "USD"
    description: str = ""
    reserved: bool = False
    effective: str = "2026-11-01T00:00:00Z"

    @property
    def usage_type(self) -> str:
        return self.attributes["usagetype"]


@dataclass(frozen=True)
class Publication:
    """One version of a service's list."""

    version: str
    published: str
    records: tuple[Record, ...] = field(repr=False)

    @property
    def last_modified(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.published)


def aws_price(price: str | Decimal) -> str:
    """Write a price as AWS's offers do: with at least ten decimals, as in 0.0247500000."""
    number = Decimal(price)
    return f"{number:.{max(10, -int(number.as_tuple().exponent))}f}"


def aws_version(published: str) -> str:
    """2026-11-03T18:21:30Z is version 20261103182130."""
    return "".join(character for character in published if character.isdigit())


def made_up_sku(*key: str) -> str:
    digest = hashlib.sha256("|".join(key).encode()).digest()
    return "".join("23456789ABCDEFGHJKMNPQRSTUVWXYZ"[byte % 31] for byte in digest[:16])


# --- In AWS's shapes ------------------------------------------------------------------------------------------------


def product_json(record: Record) -> dict[str, Any]:
    product: dict[str, Any] = {"sku": record.sku}
    # Some CloudWatch products have no family at all.
    if record.family:
        product["productFamily"] = record.family
    return product | {"attributes": record.attributes}


def terms_json(record: Record) -> dict[str, Any]:
    """The On-Demand terms of one SKU. Tiers stand in the order of their codes, which is not that of their quantities."""
    offer = f"{record.sku}.{record.term_code}"
    begins = [begin for begin, _ in record.tiers]
    ends = [*begins[1:], "Inf"]
    dimensions = []
    for begin, end, price in zip(begins, ends, (price for _, price in record.tiers), strict=True):
        code = ONE_TIER_CODE if len(begins) == 1 else made_up_sku(record.sku, begin)[:10]
        text = record.description or f"${price} per {record.unit} for {record.usage_type}"
        dimension = {
            "rateCode": f"{offer}.{code}",
            "description": text,
            "beginRange": begin,
            "endRange": end,
            "unit": record.unit,
            "pricePerUnit": {record.currency: price},
            "appliesTo": [],
        }
        dimensions.append((dimension["rateCode"], dimension))
    # The last tier comes first, so that reading them in order is always wrong.
    ordered = dict([dimensions[-1], *sorted(dimensions[:-1])])
    return {
        offer: {
            "offerTermCode": record.term_code,
            "sku": record.sku,
            "effectiveDate": record.effective,
            "priceDimensions": ordered,
            "termAttributes": {},
        }
    }


def reserved_json(record: Record) -> dict[str, Any]:
    offer = f"{record.sku}.4NA7Y494T4"
    return {
        offer: {
            "offerTermCode": "4NA7Y494T4",
            "sku": record.sku,
            "effectiveDate": "2026-10-31T23:59:59Z",
            "priceDimensions": {
                f"{offer}.{ONE_TIER_CODE}": {
                    "rateCode": f"{offer}.{ONE_TIER_CODE}",
                    "description": "Linux/UNIX (Amazon VPC), m5.large reserved instance applied",
                    "beginRange": "0",
                    "endRange": "Inf",
                    "unit": "Hrs",
                    "pricePerUnit": {"USD": "0.0600000000"},
                    "appliesTo": [],
                }
            },
            "termAttributes": {
                "LeaseContractLength": "1yr",
                "OfferingClass": "standard",
                "PurchaseOption": "No Upfront",
            },
        }
    }


def all_terms_json(record: Record) -> dict[str, Any]:
    terms = {"OnDemand": terms_json(record)}
    if record.reserved:
        terms["Reserved"] = reserved_json(record)
    return terms


def answer_json(record: Record, publication: Publication) -> dict[str, Any]:
    """One item of GetProducts, before it is made a string."""
    product = {"productFamily": record.family} if record.family else {}
    return {
        "product": product | {"attributes": record.attributes, "sku": record.sku},
        "serviceCode": record.service_code,
        "terms": all_terms_json(record),
        "version": publication.version,
        "publicationDate": publication.published,
    }


def offer_json(service_code: str, part: str, publication: Publication, fillers: int = 0) -> dict[str, Any]:
    """One region's file of the bulk list."""
    records = [*part_of(publication, part), *filler_records(service_code, part, fillers)]
    terms: dict[str, Any] = {"OnDemand": {record.sku: terms_json(record) for record in records}}
    reserved = {record.sku: reserved_json(record) for record in records if record.reserved}
    if reserved:
        terms["Reserved"] = reserved
    return {
        "formatVersion": "v1.0",
        "disclaimer": DISCLAIMER,
        "offerCode": service_code,
        "version": publication.version,
        "publicationDate": publication.published,
        "products": {record.sku: product_json(record) for record in records},
        "terms": terms,
    }


def empty_offer_json(service_code: str, publication: Publication) -> dict[str, Any]:
    """What the region index points to for a region without products."""
    return offer_json(service_code, "default", replace(publication, records=()))


def part_of(publication: Publication, part: str) -> list[Record]:
    return [record for record in publication.records if record.part in (part, EVERYWHERE)]


def service_index_json(publications: dict[str, Publication]) -> dict[str, Any]:
    offers = {}
    for code in publications:
        base = f"/offers/v1.0/aws/{code}"
        offers[code] = {
            "offerCode": code,
            "versionIndexUrl": f"{base}/index.json",
            "currentVersionUrl": f"{base}/current/index.json",
            "currentRegionIndexUrl": f"{base}/current/region_index.json",
        }
        if code in ("AmazonECS", "AmazonEKS", "AmazonEC2"):
            plans = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current"
            offers[code]["savingsPlanVersionIndexUrl"] = f"{plans}/index.json"
            offers[code]["currentSavingsPlanIndexUrl"] = f"{plans}/region_index.json"
    newest = max(publication.published for publication in publications.values())
    return {"formatVersion": "v1.0", "disclaimer": DISCLAIMER, "publicationDate": newest, "offers": offers}


def version_index_json(service_code: str, publications: list[Publication]) -> dict[str, Any]:
    base = f"/offers/v1.0/aws/{service_code}"
    ends = [later.published for later in publications[1:]] + [""]
    return {
        "formatVersion": "v1.0",
        "disclaimer": DISCLAIMER,
        "publicationDate": publications[-1].published,
        "offerCode": service_code,
        "currentVersion": publications[-1].version,
        "versions": {
            each.version: {
                "versionEffectiveBeginDate": each.published,
                "versionEffectiveEndDate": end,
                "offerVersionUrl": f"{base}/{each.version}/index.json",
            }
            for each, end in zip(publications, ends, strict=True)
        },
    }


def region_index_json(service_code: str, parts: Iterable[str], publication: Publication) -> dict[str, Any]:
    """Regions are an object here; one without products points to an empty file."""
    base = f"/offers/v1.0/aws/{service_code}"
    regions = {}
    for part in parts:
        exists = any(record.part == part for record in publication.records)
        path = f"{base}/{publication.version}/{part}/index.json" if exists else f"{base}/current/default/empty.json"
        regions[part] = {"regionCode": part, "currentVersionUrl": path}
    return {
        "formatVersion": "v1.0",
        "disclaimer": DISCLAIMER,
        "publicationDate": publication.published,
        "regions": regions,
    }


def savings_plan_index_json(regions: Iterable[str], published: str) -> dict[str, Any]:
    """Regions are a list here, and the key has another name."""
    base = f"/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/{aws_version(published)}"
    return {
        "disclaimer": DISCLAIMER,
        "publicationDate": published,
        "regions": [{"regionCode": code, "versionUrl": f"{base}/{code}/index.json"} for code in regions],
    }


def spot_feed_json(rows: Iterable[tuple[str, str, str]], version: str) -> dict[str, Any]:
    """Rows are (region code, unit, price)."""
    return {
        "metadata": {
            "copyright": "Copyright 2026 Amazon.com, Inc. or its affiliates. All rights reserved.",
            "disclaimer": "This file is intended for use only on aws.amazon.com. We do not guarantee its availability or accuracy.",
            "format:version": "1.0",
            "source:version": version,
        },
        "prices": [
            {
                "id": _uuid(region, unit),
                "unit": unit,
                "price": {"USD": price},
                "attributes": {
                    "aws:region": region,
                    "aws:label": "per vCPU per hour" if "vCPU" in unit else "per GB per hour",
                },
            }
            for region, unit, price in rows
        ],
    }


def _uuid(*key: str) -> str:
    text = hashlib.sha256("|".join(key).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


# --- Products that the estimator asks for -----------------------------------------------------------------------------

#: Name of the price | family | attributes beside those that every product has.
_ATTRIBUTES = """
fargate_linux_x86_vcpu_hour | Compute | tenancy: Shared; cputype: perCPU
fargate_linux_x86_gb_hour | Compute | tenancy: Shared; memorytype: perGB
fargate_linux_arm_vcpu_hour | Compute | resource: per vCPU per hour; cpuArchitecture: ARM; tenancy: Shared;
    cputype: perCPU
fargate_linux_arm_gb_hour | Compute | resource: per GB per hour; cpuArchitecture: ARM; tenancy: Shared;
    memorytype: perGB
fargate_windows_vcpu_hour | Compute | resource: per vCPU per hour; tenancy: Shared; cputype: perCPU;
    operatingSystem: Windows
fargate_windows_gb_hour | Compute | resource: per GB per hour; tenancy: Shared; memorytype: perGB;
    operatingSystem: Windows
fargate_windows_os_license_vcpu_hour | Compute | resource: OS License Fee per vCPU per hour; tenancy: Shared;
    cputype: perCPU OS License Fee; operatingSystem: Windows
fargate_ephemeral_storage_gb_hour | Compute | storagetype: default
alb_hour | Load Balancer-Application | group: ELB:Balancer;
    groupDescription: LoadBalancer hourly usage by Application Load Balancer; operation: LoadBalancing:Application
alb_lcu_hour | Load Balancer-Application | group: ELB:Balancer;
    groupDescription: Used Application Load Balancer capacity units-hr; operation: LoadBalancing:Application
alb_reserved_lcu_hour | Load Balancer-Application | group: ELB:Balancing; operation: LoadBalancing:Application
alb_trust_store_hour | Load Balancer-Application | group: ELB:Balancing; operation: LoadBalancing:Application
nat_gateway_hour | NAT Gateway | group: NGW:NatGateway; operation: NatGateway;
    groupDescription: Hourly charge for NAT Gateways
nat_gateway_gb | NAT Gateway | group: NGW:NatGateway; operation: NatGateway;
    groupDescription: Charge for per GB data processed by NatGateways
vpc_interface_endpoint_hour | VpcEndpoint | operation: VpcEndpoint; endpointType: PrivateLink
vpc_interface_endpoint_gb | VpcEndpoint | operation: VpcEndpoint; endpointType: PrivateLink
public_ipv4_in_use_hour |  | group: VPCPublicIPv4Address
public_ipv4_idle_hour |  | group: VPCPublicIPv4Address
logs_ingest_standard_gb | Data Payload | group: Ingested Logs; operation: PutLogEvents
logs_ingest_ia_gb | Data Payload | group: Ingested Logs; operation: PutLogEvents
logs_ingest_vended_gb | Data Payload | group: Ingested Logs; operation: PutLogEvents
logs_ingest_vended_ia_gb | Data Payload | group: Ingested Logs; operation: PutLogEvents
logs_delivered_s3_gb | Data Payload | group: Delivered Logs; operation: LogDelivery
logs_storage_gb_month | Storage Snapshot | operation: HourlyStorageMetering; storageMedia: Amazon S3
logs_insights_scanned_gb | Data Payload | group: Queried Logs; operation: StartQuery
custom_metric_month | Metric | group: Metric; operation: MetricStorage
container_insights_enhanced_ecs_metric_month |  | operation: MetricStorage:AWS/CloudWatch
alarm_standard_month | Alarm | group: Alarm; alarmType: Standard
alarm_high_res_month | Alarm | group: Alarm; alarmType: High Resolution
alarm_composite_month | Alarm | group: Alarm; alarmType: Composite
alarm_metrics_insights_month | Alarm | group: Metrics Insights Alarms
dashboard_month | Dashboard | group: Dashboard; operation: DashboardHour
s3_standard_storage_gb_month | Storage | storageClass: General Purpose; volumeType: Standard
s3_put_request | API Request | group: S3-API-Tier1; groupDescription: PUT/COPY/POST or LIST requests
ecr_storage_gb_month | EC2 Container Registry |
secret_month | Secret | group: SecretsManagerSecrets
secret_api_request | API Request | group: SecretsManagerRequests
kms_key_month | Encryption Key |
kms_request | API Request |
hosted_zone_month | DNS Zone |
dns_query_standard | DNS Query | routingType: Standard; routingTarget: External
"""


def _read_attributes(line: str) -> tuple[str, tuple[str, dict[str, str]]]:
    name, family, attributes = (part.strip() for part in line.split("|"))
    pairs = (pair.split(": ", 1) for pair in attributes.split("; ") if pair)
    return name, (family, dict(pairs))


_FAMILY_AND_ATTRIBUTES = dict(map(_read_attributes, _ATTRIBUTES.strip().replace("\n    ", " ").splitlines()))


def price_record(name: str, rate: Rate, region: str) -> Record:
    """The product of one row of PRICES as AWS's list has it; region is "global" for those without a region."""
    query = PRICES[name].query
    service_code = query.service_code
    if (service_code, region) in NO_PART and query.fallback_service_code:
        service_code = query.fallback_service_code
    usage_type = rate.usage_type or query.usage_type_in(region)
    family, more = _family_and_attributes(name, query, region)
    return Record(
        service_code=service_code,
        part=GLOBAL if region == "global" else region,
        sku=rate.sku or made_up_sku(name, region),
        family=family,
        attributes={"servicecode": service_code, "servicename": SERVICE_NAMES[service_code], "usagetype": usage_type}
        | more,
        unit=_aws_unit(name),
        tiers=tuple((f"{tier.begin:.0f}", aws_price(tier.price)) for tier in rate.tiers),
        price_name=name,
    )


def _family_and_attributes(name: str, query: RateQuery, region: str) -> tuple[str, dict[str, str]]:
    if query.service_code == "AWSDataTransfer":
        return "Data Transfer", _transfer_attributes(name, region)
    if query.service_code == "AmazonCloudFront":
        return _cloudfront(name)
    family, more = _FAMILY_AND_ATTRIBUTES.get(name, (query.product_family or "", {}))
    if name.startswith("web_acl"):
        more = {"group": "Web ACL", "operation": ""}
    if name == "dns_query_standard":
        # Its place is empty in AWS's list.
        return family, {"operation": "", **more}
    place = {"location": "Any"} if region == "global" else _in_region(region)
    return family, {**place, "operation": "", **more}


def _in_region(region: str) -> dict[str, str]:
    return {"location": REGIONS[region].location, "locationType": "AWS Region", "regionCode": region}


def _transfer_attributes(name: str, region: str) -> dict[str, str]:
    attributes = {
        "fromLocation": REGIONS[region].location,
        "fromLocationType": "AWS Region",
        "fromRegionCode": region,
        "operation": "",
    }
    if name == "internet_egress_gb":
        to = {"transferType": "AWS Outbound", "toLocation": "External", "toLocationType": "Other"}
    elif name == "inter_az_gb":
        to = {"transferType": "IntraRegion", "toLocation": REGIONS[region].location, "toRegionCode": region}
        to["toLocationType"] = "AWS Region"
    else:
        other = next(code for code, each in REGIONS.items() if name.endswith(f":to_{each.prefix}"))
        to = {"transferType": "InterRegion Outbound", "toLocation": REGIONS[other].location, "toRegionCode": other}
        to["toLocationType"] = "AWS Region"
    return attributes | to


def _cloudfront(name: str) -> tuple[str, dict[str, str]]:
    what, edge = name.split(":")
    if what in ("cloudfront_internet_egress_gb", "cloudfront_to_origin_gb"):
        to_origin = what == "cloudfront_to_origin_gb"
        return "Data Transfer", {
            "transferType": "CloudFront to Origin" if to_origin else "CloudFront Outbound",
            "fromLocation": EDGES[edge],
            "fromLocationType": "AWS Edge Location",
            "toLocation": "Amazon Custom Origin" if to_origin else "External",
            "toLocationType": "Other",
            "operation": "",
        }
    tier = "CloudFront-Request-HTTPS-Proxy" if "https" in what else "CloudFront-Request-Tier1"
    return "Request", {
        "location": EDGES[edge],
        "locationType": "AWS Edge Location",
        "requestType": tier,
        "operation": "",
    }


def _aws_unit(name: str) -> str:
    if name == "fargate_ephemeral_storage_gb_hour":
        return "GB-Hours"
    return "hours" if name.startswith("fargate_") else PRICES[name].unit


# --- Traps ------------------------------------------------------------------------------------------------------------


def trap_records(region: str, rates: Rates) -> Iterator[Record]:
    """What stands beside our products in a region's lists, and must not be taken for them."""
    yield from _ecs_traps(region, rates)
    yield from _balancer_traps(region, rates)
    yield from _ec2_traps(region)
    yield from _network_traps(region)
    yield from _cloudwatch_traps(region)
    yield from _other_traps(region)


def _trap(
    service_code: str,
    region: str,
    usage_type: str,
    price: str,
    unit: str,
    family: str = "",
    /,
    **attributes: str,
) -> Record:
    place = {} if "fromLocation" in attributes else _in_region(region)
    return Record(
        service_code=service_code,
        part=region,
        sku=made_up_sku("trap", service_code, usage_type, region, family, *attributes.values()),
        family=family,
        attributes={
            "servicecode": service_code,
            "servicename": SERVICE_NAMES[service_code],
            "usagetype": usage_type,
            **place,
            "operation": "",
            **attributes,
        },
        unit=unit,
        tiers=(("0", aws_price(price)),),
    )


def _ecs_traps(region: str, rates: Rates) -> Iterator[Record]:
    p = REGIONS[region].prefix
    # Tasks on EC2 are metered at no charge, and come first.
    for unit, kind in (("vCPU-Hours", {"cputype": "perCPU"}), ("GB-Hours", {"memorytype": "perGB"})):
        yield _trap("AmazonECS", region, f"{p}-ECS-EC2-{unit}", "0", unit, "Compute Metering", **kind)
    anywhere = {"operation": "AddExternalInstance", "externalInstanceType": "Default"}
    yield _trap("AmazonECS", region, f"{p}-ECS-Anywhere-Instance-hours", "0.01025", "hours", "Compute", **anywhere)
    free = {"operation": "AddExternalInstance", "externalInstanceType": "With Free"}
    with_free = f"{p}-ECS-Anywhere-Instance-hours-WithFree"
    record = _trap("AmazonECS", region, with_free, "0", "hours", "Compute", **free)
    yield replace(record, tiers=(("0", aws_price("0")), ("2200", aws_price("0.01025"))))
    # Pods on Fargate have the same usage types and prices, but SKUs of their own.
    for name in ("fargate_linux_x86_vcpu_hour", "fargate_linux_x86_gb_hour"):
        if name in rates:
            twin = price_record(name, replace(rates[name], sku=""), region)
            attributes = twin.attributes | {"servicecode": "AmazonEKS", "servicename": SERVICE_NAMES["AmazonEKS"]}
            yield replace(
                twin,
                service_code="AmazonEKS",
                sku=made_up_sku("eks", name, region),
                attributes=attributes,
                price_name="",
            )


def _balancer_traps(region: str, rates: Rates) -> Iterator[Record]:
    code = "AmazonEC2" if ("AWSELB", region) in NO_PART else "AWSELB"
    p = "" if region == "us-east-1" else f"{REGIONS[region].prefix}-"

    def known(name: str, otherwise: str) -> str:
        return rates[name].tiers[0].price if name in rates else otherwise

    # Four kinds of load balancer share two usage types.
    group = {"group": "ELB:Balancing"}
    classic = {"operation": "LoadBalancing", **group}
    network = {"operation": "LoadBalancing:Network", **group}
    gateway = {"operation": "LoadBalancing:Gateway", **group}
    application = {"operation": "LoadBalancing:Application", **group}
    usage, units = f"{p}LoadBalancerUsage", f"{p}LCUUsage"
    yield _trap(code, region, usage, known("clb_hour", "0.025"), "Hrs", "Load Balancer", **classic)
    yield _trap(code, region, f"{p}DataProcessing-Bytes", known("clb_gb", "0.008"), "GB", "Load Balancer", **classic)
    yield _trap(code, region, usage, known("nlb_hour", "0.0225"), "Hrs", "Load Balancer-Network", **network)
    yield _trap(code, region, units, known("nlb_nlcu_hour", "0.006"), "LCU-Hrs", "Load Balancer-Network", **network)
    yield _trap(code, region, f"{p}ReservedLCUUsage", "0.006", "LCU-Hrs", "Load Balancer-Network", **network)
    yield _trap(code, region, usage, known("gwlb_hour", "0.0125"), "Hrs", "Load Balancer-Gateway", **gateway)
    yield _trap(code, region, units, known("gwlb_glcu_hour", "0.004"), "LCU-Hrs", "Load Balancer-Gateway", **gateway)
    # In the family of the Application Load Balancer itself.
    family = "Load Balancer-Application"
    hour = known("alb_hour", "0.0225")
    yield _trap(code, region, f"{p}Outposts-LoadBalancerUsage", hour, "Hrs", family, **application)
    yield _trap(code, region, f"{p}Outposts-LCUUsage", "0", "LCU-Hrs", family, **application)
    yield _trap(code, region, f"{p}IdleProvisionedLBCapacity", "0.002", "LCU-Hrs", family, **application)
    # The same usage type on Outposts, and in a Local Zone of the region.
    yield _trap(code, region, usage, "0.09", "Hrs", family, **application, locationType="AWS Outposts")
    zone = _zone(region)
    yield _trap(code, region, usage, "0.0995", "Hrs", family, **application, **zone)
    yield _trap(code, region, units, "0.0123", "LCU-Hrs", family, **application, **zone)


def _zone(region: str) -> dict[str, str]:
    return {
        "location": f"{REGIONS[region].location} - Los Angeles",
        "locationType": "AWS Local Zone",
        "regionCode": f"{region}-lax-1",
    }


def _ec2_traps(region: str) -> Iterator[Record]:
    p = "" if region == "us-east-1" else f"{REGIONS[region].prefix}-"
    regional = {"group": "NGW:NatGateway", "operation": "RegionalNatGateway"}
    nat = {"group": "NGW:NatGateway", "operation": "NatGateway"}
    for usage_type, price, unit, more in (
        ("RegionalNatGateway-Hours", "0.051", "Hrs", regional),
        ("RegionalNatGateway-Bytes", "0.051", "GB", regional),
        ("NatGateway-Prvd-Bytes", "0", "GB", nat),
        ("NatGateway-Prvd-Gbps", "1.164", "Gbps-hrs", nat),
        ("NatGateway-Hours", "0.065", "Hrs", {**nat, **_zone(region)}),
        ("NatGateway-Bytes", "0.065", "GB", {**nat, **_zone(region)}),
    ):
        yield _trap("AmazonEC2", region, f"{p}{usage_type}", price, unit, "NAT Gateway", **more)
    box = _trap(
        "AmazonEC2",
        region,
        f"{p}BoxUsage:m5.large",
        "0.107",
        "Hrs",
        "Compute Instance",
        operation="RunInstances",
        instanceType="m5.large",
        tenancy="Shared",
    )
    yield replace(box, reserved=True)
    # The EC2 list repeats the products of data transfer.
    yield _trap(
        "AmazonEC2",
        region,
        f"{p}DataTransfer-In-Bytes",
        "0",
        "GB",
        "Data Transfer",
        servicecode="AWSDataTransfer",
        transferType="AWS Inbound",
        fromLocation="External",
        fromLocationType="Other",
        toLocation=REGIONS[region].location,
        toLocationType="AWS Region",
        toRegionCode=region,
    )


def _network_traps(region: str) -> Iterator[Record]:
    vpc, p = "AmazonVPC", REGIONS[region].prefix
    endpoint = {"operation": "VpcEndpoint", "endpointType": "GatewayLoadBalancer"}
    yield _trap(vpc, region, f"{p}-VpcEndpoint-GWLBE-Hours", "0.01", "Hrs", "VpcEndpoint", **endpoint)
    yield _trap(vpc, region, f"{p}-VpcEndpoint-GWLBE-Bytes", "0.0035", "GB", "VpcEndpoint", **endpoint)
    yield _trap(vpc, region, f"{p}-VpcEndpoint-Hours", "0.02", "Hrs", "VpcEndpoint", **_zone(region))
    yield _trap(vpc, region, f"{p}-PublicIPv4:ContiguousBlock", "0.008", "Hrs", "", group="VPCPublicIPv4Address")
    transfer, own = "AWSDataTransfer", REGIONS[region]
    p = "" if region == "us-east-1" else f"{own.prefix}-"
    inbound = {
        "transferType": "AWS Inbound",
        "fromLocation": "External",
        "fromLocationType": "Other",
        "toLocation": own.location,
        "toLocationType": "AWS Region",
        "toRegionCode": region,
    }
    yield _trap(transfer, region, f"{p}DataTransfer-In-Bytes", "0", "GB", "Data Transfer", **inbound)
    # The same usage type out of a Local Zone, and for another kind of transfer.
    zone = {
        "transferType": "AWS Outbound",
        "fromLocation": f"{own.location} - Los Angeles",
        "fromLocationType": "AWS Local Zone",
        "fromRegionCode": f"{region}-lax-1",
        "toLocation": "External",
        "toLocationType": "Other",
    }
    yield _trap(transfer, region, f"{p}DataTransfer-Out-Bytes", "0.199", "GB", "Data Transfer", **zone)
    other = _transfer_attributes("inter_az_gb", region) | {"transferType": "InterAZ Free", "operation": "RDS-Replica"}
    yield _trap(transfer, region, f"{p}DataTransfer-Regional-Bytes", "0", "GB", "Data Transfer", **other)


def _cloudwatch_traps(region: str) -> Iterator[Record]:
    code, p = "AmazonCloudWatch", REGIONS[region].prefix
    metrics = "" if region == "us-east-1" else f"{p}-"
    rows = (
        (f"{metrics}CW:Requests", "0.00001", "Requests", "API Request", {"group": "CW-Requests"}),
        (f"{p}-CW:GMD-Metrics", "0.00001", "Metrics", "API Request", {"group": "CW-Requests"}),
        (f"{p}-CW:MetricStreamUsage", "0.000003", "Metric Update", "Metric Streams", {"group": "CW-MetricStreams"}),
        (f"{p}-FH-Egress-Bytes", "0.25", "GB", "Data Payload", {"group": "Delivered Logs"}),
        (f"{p}-S3-Egress-InputBytes", "0.03", "GB", "", {"group": "Converted Logs"}),
        (f"{p}-DataProtection-Bytes", "0.12", "GB", "", {"group": "DataProtection Logs"}),
        # The same usage type in another family.
        (f"{p}-DataProcessing-Bytes", "0.35", "GB", "Data Payload X-Ray", {"group": "X-Ray"}),
    )
    for usage_type, price, unit, family, more in rows:
        yield _trap(code, region, usage_type, price, unit, family, **more)


def _other_traps(region: str) -> Iterator[Record]:
    p = REGIONS[region].prefix
    ecr = "" if region == "us-east-1" else f"{p}-"
    yield _trap("AmazonECR", region, f"{ecr}TimedStorage-Archive-ByteHrs", "0.03", "GB-Mo", "EC2 Container Registry")
    # Other classes of S3, and what stands beside the standard one.
    yield _trap(
        "AmazonS3",
        region,
        f"{ecr}TimedStorage-SIA-ByteHrs",
        "0.0125",
        "GB-Mo",
        "Storage",
        storageClass="Infrequent Access",
    )
    yield _trap(
        "AmazonS3", region, f"{ecr}TimedStorage-ByteHrs", "0.024", "GB-Mo", "Storage", storageClass="Non-Critical Data"
    )
    yield _trap(
        "AmazonS3", region, f"{ecr}Requests-SIA-Tier1", "0.00001", "Requests", "API Request", group="S3-API-SIA-Tier1"
    )
    yield _trap("awskms", region, f"{region}-KMS-Requests-Asymmetric", "0.000015", "Requests", "API Request")
    for usage_type, price, unit in (
        ("WebACL", "5", "Month"),
        ("Rule", "1", "Month"),
        ("Request", "0.0000006", "Request"),
    ):
        yield _trap("awswaf", region, f"{p}-{usage_type}", price, unit, "Web Application Firewall", group=usage_type)


def global_trap_records() -> Iterator[Record]:
    """Free tiers, which stand in every region's list, and what stands beside products without a region."""
    free = (
        ("AmazonCloudWatch", "Global-CW:MetricMonitorUsage", "Metrics", "Bundle"),
        ("AmazonCloudWatch", "Global-CW:AlarmMonitorUsage", "Alarms", "Bundle"),
        ("AmazonCloudWatch", "Global-DataProcessing-Bytes", "GB", "Bundle"),
        ("AmazonCloudWatch", "Global-TimedStorage-ByteHrs", "GB-Mo", "Bundle"),
        ("AmazonCloudWatch", "Global-DashboardsUsageHour-Basic", "Dashboards", "Bundle"),
        ("AWSDataTransfer", "Global-DataTransfer-Out-Bytes", "GB", "Data Transfer"),
        ("AmazonECR", "Global-TimedStorage-ByteHrs", "GB-Mo", "EC2 Container Registry"),
        ("awskms", "Global-KMS-Requests", "Requests", "API Request"),
        ("AmazonCloudFront", "Global-DataTransfer-Out-Bytes", "GB", "Data Transfer"),
    )
    for code, usage_type, unit, family in free:
        yield _nowhere(code, EVERYWHERE, usage_type, "0", unit, family, FREE_TIER_TERM)
    beside = (
        ("AmazonRoute53", "LBR-Queries", "0.0000006", "Queries", "DNS Query"),
        ("AmazonRoute53", "Intra-AWS-DNS-Queries", "0", "Queries", "DNS Query"),
        ("AmazonRoute53", "Health-Check-AWS", "0.5", "HealthChecks", "DNS Health Check"),
        ("AmazonCloudFront", "US-Out-OBytes-HTTP-Proxy", "0", "GB", "Data Transfer"),
        ("AmazonCloudFront", "Lambda-Edge-Request", "0.0000006", "Request", "Request"),
    )
    for code, usage_type, price, unit, family in beside:
        yield _nowhere(code, GLOBAL, usage_type, price, unit, family, ON_DEMAND_TERM)


def _nowhere(code: str, part: str, usage_type: str, price: str, unit: str, family: str, term_code: str) -> Record:
    return Record(
        service_code=code,
        part=part,
        sku=made_up_sku("global", code, usage_type),
        family=family,
        attributes={
            "servicecode": code,
            "servicename": SERVICE_NAMES[code],
            "usagetype": usage_type,
            "location": "Any",
            "locationType": "AWS Region",
            "operation": "",
        },
        unit=unit,
        tiers=(("0", aws_price(price)),),
        term_code=term_code,
    )


def filler_records(service_code: str, region: str, count: int) -> Iterator[Record]:
    """Machine types by the thousand: they make AWS's EC2 lists as large as they are."""
    if service_code != "AmazonEC2" or region not in REGIONS:
        return
    for number in range(count):
        usage_type = f"{REGIONS[region].prefix}-BoxUsage:x{number}.large"
        record = _trap("AmazonEC2", region, usage_type, "0.1", "Hrs", "Compute Instance", operation="RunInstances")
        yield replace(record, reserved=True)


# --- Savings Plans and Spot ----------------------------------------------------------------------------------------

#: Made-up discounts, for what the snapshots do not know.
_DISCOUNTED = {
    ("1yr", "No Upfront"): "0.80",
    ("1yr", "Partial Upfront"): "0.76",
    ("1yr", "All Upfront"): "0.73",
    ("3yr", "No Upfront"): "0.55",
    ("3yr", "Partial Upfront"): "0.51",
    ("3yr", "All Upfront"): "0.48",
}
_SPOT_SHARE = Decimal("0.3")
_SPOT_UNITS = {
    "fargate_spot_linux_x86_vcpu_hour": "vCPU-Hours",
    "fargate_spot_linux_x86_gb_hour": "GB-Hours",
    "fargate_spot_linux_arm_vcpu_hour": "ARM-vCPU-Hours",
    "fargate_spot_linux_arm_gb_hour": "ARM-GB-Hours",
}


def discounted_prices(rates: Rates) -> dict[str, str]:
    """Savings Plan and Spot prices of a region by the name of the price; made up where the snapshot has none."""
    found = {}
    for name, price in PRICES.items():
        if price.query.service_code not in (SAVINGS_PLANS, SPOT_FEED):
            continue
        if name in rates:
            found[name] = rates[name].tiers[0].price
            continue
        list_price = name.partition("__")[2] if name.startswith("sp_") else name.replace("spot_", "")
        if list_price in rates:
            plan = dict(price.query.attributes)
            share = Decimal(_DISCOUNTED[plan["purchaseTerm"], plan["purchaseOption"]]) if plan else _SPOT_SHARE
            found[name] = f"{(Decimal(rates[list_price].tiers[0].price) * share).normalize():f}"
    return found


def savings_plan_json(region: str, rates: Rates, prices: dict[str, str], published: str) -> dict[str, Any]:
    """One region's Savings Plan file: products and terms are lists here."""
    products, terms = [], []
    for term, payment in _DISCOUNTED:
        slug = f"{term}{payment.replace(' ', '')}"
        compute = made_up_sku("plan", slug)
        products.append(_plan_product(compute, "ComputeSavingsPlans", f"ComputeSP:{slug}", term, payment, "Any"))
        terms.append(_plan_term(compute, term, payment, _plan_rates(compute, region, rates, prices, term, payment)))
        machine = made_up_sku("plan", slug, "m5", region)
        prefix = REGIONS[region].prefix
        ec2_rate = _plan_rate(
            machine, region, "AmazonEC2", f"{prefix}-BoxUsage:m5.large", "0.07", "Hrs", "RunInstances"
        )
        place = REGIONS[region].location
        product = _plan_product(machine, "EC2InstanceSavingsPlans", f"{prefix}-EC2SP:m5.{slug}", term, payment, place)
        product["attributes"]["instanceType"] = "m5"
        products.append(product)
        terms.append(_plan_term(machine, term, payment, [ec2_rate]))
    return {
        "version": aws_version(published),
        "publicationDate": published,
        "products": products,
        "terms": {"savingsPlan": terms},
    }


def _plan_product(sku: str, family: str, usage_type: str, term: str, payment: str, location: str) -> dict[str, Any]:
    return {
        "sku": sku,
        "productFamily": family,
        "serviceCode": "ComputeSavingsPlans",
        "usageType": usage_type,
        "operation": "",
        "attributes": {
            "purchaseOption": payment,
            "granularity": "hourly",
            "locationType": "AWS Region",
            "purchaseTerm": term,
            "location": location,
        },
    }


def _plan_term(sku: str, term: str, payment: str, rates: list[dict[str, Any]]) -> dict[str, Any]:
    years = int(term[0])
    return {
        "sku": sku,
        "description": f"{years} year {payment} Compute Savings Plan",
        "effectiveDate": "2026-11-01T00:00:00Z",
        "leaseContractLength": {"duration": years, "unit": "year"},
        "rates": rates,
    }


def _plan_rates(
    plan: str, region: str, rates: Rates, prices: dict[str, str], term: str, payment: str
) -> list[dict[str, Any]]:
    prefix = REGIONS[region].prefix
    found = [_plan_rate(plan, region, "AWSLambda", f"{prefix}-Lambda-GB-Second", "0.0000147", "Lambda-GB-Second")]
    for name, price in prices.items():
        query = PRICES[name].query
        if dict(query.attributes) != {"purchaseTerm": term, "purchaseOption": payment}:
            continue
        usage_type = query.usage_type_in(region)
        sku = rates[name.partition("__")[2]].sku if name.partition("__")[2] in rates else ""
        # Pods are discounted under the same usage types; their prices differ here so that a mix-up shows.
        twin = f"{Decimal(price) + Decimal('0.0001'):f}"
        found.append(_plan_rate(plan, region, "AmazonEKS", usage_type, twin, "hours"))
        found.append(_plan_rate(plan, region, "AmazonECS", usage_type, price, "hours", sku=sku))
    found.append(_plan_rate(plan, region, "AmazonEC2", f"{prefix}-BoxUsage:m5.large", "0.08", "Hrs", "RunInstances"))
    return found


def _plan_rate(
    plan: str,
    region: str,
    service_code: str,
    usage_type: str,
    price: str,
    unit: str,
    operation: str = "",
    sku: str = "",
) -> dict[str, Any]:
    sku = sku or made_up_sku("discounted", service_code, usage_type)
    return {
        "discountedSku": sku,
        "discountedUsageType": usage_type,
        "discountedOperation": operation,
        "discountedServiceCode": service_code,
        "rateCode": f"{plan}.{sku}",
        "unit": unit,
        "discountedRate": {"price": price, "currency": "USD"},
        "discountedRegionCode": region,
    }


def spot_rows(prices_by_region: dict[str, dict[str, str]]) -> list[tuple[str, str, str]]:
    rows = [("us-west-2-lax-1", "vCPU-Hours", "0.0999")]
    for region, prices in prices_by_region.items():
        rows += [(region, unit, prices[name]) for name, unit in _SPOT_UNITS.items() if name in prices]
    return rows


# --- The catalogue ----------------------------------------------------------------------------------------------------


class Catalogue:
    """All that the double sells, by service and version.

    `change`, `drop` and `double` alter the products of one price in one region ("global" for those without a region) and
    publish a new version of that service's lists, one day younger than the last.
    """

    def __init__(self, regions: Iterable[str]) -> None:
        self.regions = tuple(regions)
        self.rates = {region: load_rates(region, shipped_folder()) for region in self.regions}
        self.discounted = {region: discounted_prices(rates) for region, rates in self.rates.items()}
        self.savings_plans_published = SAVINGS_PLANS_PUBLISHED
        self.generation = 0
        self.lock = threading.RLock()
        self._history: dict[str, list[Publication]] = {code: [] for code in PUBLISHED}
        by_service = defaultdict(list)
        for record in self._all_records():
            by_service[record.service_code].append(record)
        for code, published in PUBLISHED.items():
            self._publish(code, tuple(by_service[code]), published)

    def publications(self, service_code: str) -> list[Publication]:
        """All versions of a service's lists, oldest first; empty for a service that is not sold."""
        return self._history.get(service_code, [])

    def current(self, service_code: str) -> Publication:
        return self._history[service_code][-1]

    def tiers(self, name: str, region: str) -> list[tuple[float, Decimal]] | None:
        """What AWS asks for a price now, tiers in order; None if it is not sold."""
        if name in self.discounted.get(region, {}):
            return [(0.0, Decimal(self.discounted[region][name]))]
        records = self._of(name, region)
        return [(float(begin), Decimal(price)) for begin, price in records[0].tiers] if records else None

    def change(self, name: str, region: str, *, price: str | None = None, **fields: Any) -> None:
        """Alter a product: ``price`` is the text of its first tier, such as "0.0500000000", "free" or "NaN"; further
        fields are those of Record, such as currency="CNY", unit="10K Requests", family="" or attributes={...} to add."""

        def altered(record: Record) -> Record:
            new = dict(fields)
            if "attributes" in new:
                new["attributes"] = record.attributes | new["attributes"]
            if price is not None:
                new["tiers"] = ((record.tiers[0][0], price), *record.tiers[1:])
            return replace(record, **new)

        with self.lock:
            if name in self.discounted.get(region, {}):
                assert price is not None
                self.discounted[region] = self.discounted[region] | {name: price}
                self.savings_plans_published = _a_day_later(self.savings_plans_published)
                self.generation += 1
                return
            self._alter(name, region, lambda record: [altered(record)])

    def drop(self, name: str, region: str) -> None:
        """AWS no longer sells it there."""
        with self.lock:
            if name in self.discounted.get(region, {}):
                self.discounted[region] = {k: v for k, v in self.discounted[region].items() if k != name}
                self.savings_plans_published = _a_day_later(self.savings_plans_published)
                self.generation += 1
                return
            self._alter(name, region, lambda record: [])

    def double(self, name: str, region: str) -> None:
        """AWS has two products where our query expects one."""
        with self.lock:
            self._alter(name, region, lambda record: [record, replace(record, sku=made_up_sku("double", record.sku))])

    def _alter(self, name: str, region: str, change: Any) -> None:
        chosen = self._of(name, region)
        assert chosen, f"the double does not sell {name} in {region}"
        code = chosen[0].service_code
        current = self.current(code)
        records: list[Record] = []
        for record in current.records:
            records += change(record) if record in chosen else [record]
        self._publish(code, tuple(records), _a_day_later(current.published))

    def _publish(self, code: str, records: tuple[Record, ...], published: str) -> None:
        self._history[code].append(Publication(aws_version(published), published, records))
        self.generation += 1

    def _of(self, name: str, region: str) -> list[Record]:
        query = PRICES[name].query
        part = GLOBAL if region == "global" else region
        codes = [code for code in (query.service_code, query.fallback_service_code) if code in self._history]
        return [
            record
            for code in codes
            for record in self.current(code).records
            if record.price_name == name and record.part == part
        ]

    def _all_records(self) -> Iterator[Record]:
        yield from global_trap_records()
        if self.regions:
            rates = self.rates[self.regions[0]]
            yield from (price_record(name, rates[name], "global") for name in expected_in("global") if name in rates)
        for region, rates in self.rates.items():
            yield from trap_records(region, rates)
            for name in expected_in(region):
                if name in rates and PRICES[name].query.service_code not in (SAVINGS_PLANS, SPOT_FEED):
                    yield price_record(name, rates[name], region)


def _a_day_later(published: str) -> str:
    later = dt.datetime.fromisoformat(published) + dt.timedelta(days=1)
    return later.strftime("%Y-%m-%dT%H:%M:%SZ")
