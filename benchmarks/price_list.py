"""Reading prices, as ratios measured side by side: `python benchmarks/price_list.py [--rounds 5] [--megabytes 160]`.

Each measurement is a process of its own, and each round runs every program once, in turn, so that a busy machine slows
all of them alike; the medians are compared. Memory is the peak of the process above what it had when its imports were
done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
LEAST_SPEED, MOST_MEMORY = 5.0, 0.4

PROGRAM = """
import gzip, json, resource, sys, time
from pathlib import Path
{imports}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, start = peak(), time.perf_counter()
{work}
print(json.dumps([time.perf_counter() - start, (peak() - before) * {unit}, answer]))
"""
PLAIN = """
with {open} as file:
    offer = json.load(file)
wanted = [sku for sku, each in offer["products"].items() if each["attributes"]["usagetype"] in WANTED]
terms = [term for sku in wanted for term in offer["terms"]["OnDemand"][sku].values()]
answer = sorted(d["pricePerUnit"]["USD"] for term in terms for d in term["priceDimensions"].values())
"""
OURS = """
with {open} as file:
    offer = read_offer(file, "AmazonEC2", WANTED)
terms = [term for each in offer.products for term in each.terms]
answer = sorted(d.price_per_unit["USD"] for term in terms for d in term.price_dimensions.values())
"""
WANTED = 'WANTED = frozenset({"EU-NatGateway-Hours", "EU-NatGateway-Bytes"})'
OUR_IMPORTS = f"from estimator.pricing.bulk_files import read_offer\n{WANTED}"
LOAD_PLAIN = """
answer = len([json.loads((shipped_folder() / name).read_text()) for name in ("global.json", "eu-west-1.json")])
"""
LOAD_OURS = """
answer = len(load_rates("eu-west-1")) and 2
"""
LOAD_IMPORTS = (
    "from estimator.pricing.folders import shipped_folder\nfrom estimator.pricing.snapshots import load_rates"
)

NAT = (
    ("EU-NatGateway-Hours", "Hrs", "0.0480000000"),
    ("EU-NatGateway-Bytes", "GB", "0.0480000000"),
    ("EU-NatGateway-Prvd-Bytes", "GB", "0.0000000000"),
    ("EU-RegionalNatGateway-Hours", "Hrs", "0.0530000000"),
)
RESERVED = (
    ("4NA7Y494T4", "1yr", "No Upfront"),
    ("6QCMYABX3D", "1yr", "All Upfront"),
    ("BPH4J8HBKS", "3yr", "No Upfront"),
    ("NQ3QZPMQV9", "3yr", "All Upfront"),
)


def sku(name: str) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(letters[byte % 36] for byte in hashlib.sha256(name.encode()).digest()[:16])


def instance(number: int) -> dict[str, object]:
    """An instance type with the attributes that AWS writes."""
    family = ("m5", "c6g", "r7i", "x2idn", "t4g")[number % 5]
    size = ("large", "xlarge", "2xlarge", "4xlarge", "metal")[number // 5 % 5]
    attributes = {
        "servicecode": "AmazonEC2",
        "location": "EU (Ireland)",
        "locationType": "AWS Region",
        "instanceType": f"{family}.{size}",
        "currentGeneration": "Yes",
        "instanceFamily": "General purpose",
        "vcpu": str(2 << number % 6),
        "physicalProcessor": "Intel Xeon Platinum 8175 (Skylake)",
        "clockSpeed": "3.1 GHz",
        "memory": f"{4 << number % 7} GiB",
        "storage": "EBS only",
        "networkPerformance": "Up to 25 Gigabit",
        "processorArchitecture": "64-bit",
        "tenancy": ("Shared", "Dedicated", "Host")[number % 3],
        "operatingSystem": ("Linux", "Windows", "RHEL", "SUSE")[number // 25 % 4],
        "licenseModel": "No License required",
        "usagetype": f"EU-{('BoxUsage', 'UnusedBox', 'DedicatedUsage')[number % 3]}:{family}.{size}",
        "operation": f"RunInstances:{number % 4096:04x}",
        "capacitystatus": ("Used", "AllocatedCapacityReservation")[number % 2],
        "dedicatedEbsThroughput": "Up to 2120 Mbps",
        "enhancedNetworkingSupported": "Yes",
        "marketoption": "OnDemand",
        "normalizationSizeFactor": "4",
        "preInstalledSw": "NA",
        "processorFeatures": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo",
        "regionCode": "eu-west-1",
        "servicename": "Amazon Elastic Compute Cloud",
    }
    return {"sku": sku(f"box {number}"), "productFamily": "Compute Instance", "attributes": attributes}


def nat_gateway(usage_type: str) -> dict[str, object]:
    attributes = {
        "servicecode": "AmazonEC2",
        "location": "EU (Ireland)",
        "locationType": "AWS Region",
        "group": "NGW:NatGateway",
        "usagetype": usage_type,
        "operation": "NatGateway",
        "regionCode": "eu-west-1",
    }
    return {"sku": sku(usage_type), "productFamily": "NAT Gateway", "attributes": attributes}


def term(product: str, code: str, price: str, unit: str = "Hrs", **attributes: str) -> dict[str, object]:
    key = f"{product}.{code}"
    dimension = {
        "rateCode": f"{key}.6YS6EN2CT7",
        "description": f'${price} per {unit}, beside "EU-NatGateway-Hours"',
        "beginRange": "0",
        "endRange": "Inf",
        "unit": unit,
        "pricePerUnit": {"USD": price},
        "appliesTo": [],
    }
    return {
        key: {
            "offerTermCode": code,
            "sku": product,
            "effectiveDate": "2026-09-01T00:00:00Z",
            "priceDimensions": {f"{key}.6YS6EN2CT7": dimension},
            "termAttributes": attributes,
        }
    }


def members(count: int, section: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield products or terms; the gateways stand in the middle of the instances."""
    for number in range(count):
        if number == count // 2 and section != "Reserved":
            for usage_type, unit, price in NAT:
                product = nat_gateway(usage_type)
                key = str(product["sku"])
                yield key, product if section == "products" else term(key, "JRTCKXETXF", price, unit)
        box = sku(f"box {number}")
        if section == "products":
            yield box, instance(number)
        elif section == "OnDemand":
            yield box, term(box, "JRTCKXETXF", f"{number / 1e4:.10f}")
        else:
            reserved: dict[str, object] = {}
            for code, length, option in RESERVED:
                reserved |= term(box, code, f"{number / 2e4:.10f}", LeaseContractLength=length, PurchaseOption=option)
            yield box, reserved


def write_offer(file: TextIO, megabytes: int) -> None:
    """Write an offer as AWS lays it out: two spaces for each level, spaces around colons."""

    def text(value: object, level: int) -> str:
        return json.dumps(value, indent=2, separators=(",", " : ")).replace("\n", "\n" + "  " * level)

    def write(section: str, count: int, level: int) -> None:
        separator = "\n" + "  " * level
        for number, (key, value) in enumerate(members(count, section)):
            file.write(f'{"," if number else ""}{separator}"{key}" : {text(value, level)}')

    one = sum(len(text(next(members(1, section))[1], level)) for section, level in SECTIONS) + 60
    # With one instance the gateways come first, so that a whole instance is measured apart.
    one += len(text(instance(1), 2)) - len(text(nat_gateway(NAT[0][0]), 2))
    count = megabytes * 1_000_000 // one
    file.write('{\n  "formatVersion" : "v1.0",\n  "disclaimer" : "Synthetic.",\n  "offerCode" : "AmazonEC2",')
    file.write('\n  "version" : "20261001120000",\n  "publicationDate" : "2026-10-01T12:00:00Z",\n  "products" : {')
    write("products", count, 2)
    file.write('\n  },\n  "terms" : {\n    "OnDemand" : {')
    write("OnDemand", count, 3)
    file.write('\n    },\n    "Reserved" : {')
    write("Reserved", count, 3)
    file.write("\n    }\n  }\n}\n")


SECTIONS = (("products", 2), ("OnDemand", 3), ("Reserved", 3))


def measure(imports: str, work: str) -> tuple[float, float, object]:
    """Run a program; its time in seconds, its memory in MB, and its answer."""
    unit = 1 if sys.platform == "darwin" else 1024
    code = PROGRAM.format(imports=imports, work=work, unit=unit)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    seconds, size, answer = json.loads(run.stdout)
    return seconds, size / 1e6, answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=160)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.json"
        with path.open("w", encoding="utf-8") as file:
            write_offer(file, options.megabytes)
        packed = Path(folder) / "index.json.gz"
        subprocess.run(["gzip", "-k", str(path)], check=True)
        text, body, zipped = f"open({str(path)!r})", f"open({str(path)!r}, 'rb')", f"gzip.open({str(packed)!r})"
        programs = {
            "json.load and extraction": (WANTED, PLAIN.format(open=text)),
            "ours": (OUR_IMPORTS, OURS.format(open=body)),
            "json.load and extraction, gzip": (WANTED, PLAIN.format(open=zipped)),
            "ours, gzip": (OUR_IMPORTS, OURS.format(open=zipped)),
            "json.loads of two snapshots": (LOAD_IMPORTS, LOAD_PLAIN),
            "load_rates": (LOAD_IMPORTS, LOAD_OURS),
        }
        found: dict[str, list[tuple[float, float, object]]] = {name: [] for name in programs}
        for turn in range(options.rounds + 1):
            for name, (imports, work) in programs.items():
                result = measure(imports, work)
                if turn:  # the first round warms the disk
                    found[name].append(result)
        size = path.stat().st_size / 1e6
    times = {name: statistics.median(each[0] for each in results) for name, results in found.items()}
    memory = {name: statistics.median(each[1] for each in results) for name, results in found.items()}
    for name in programs:
        print(f"{name:32} {times[name] * 1000:7.0f} ms {memory[name]:7.0f} MB")
    print(f"\nNAT gateway rates from an offer of {size:.0f} MB:")
    broken = False
    for suffix in ("", ", gzip"):
        plain, ours = f"json.load and extraction{suffix}", f"ours{suffix}"
        speed, share = times[plain] / times[ours], memory[ours] / memory[plain]
        print(f"  {ours}: {speed:.1f} times as fast (at least {LEAST_SPEED:g}), {share:.2f} of the memory ", end="")
        print(f"(at most {MOST_MEMORY:g})")
        same = len({json.dumps(each[2]) for name in (plain, ours) for each in found[name]}) == 1
        broken |= speed < LEAST_SPEED or share > MOST_MEMORY or not same
    ratio = times["load_rates"] / times["json.loads of two snapshots"]
    print(f'load_rates("eu-west-1"): {times["load_rates"] * 1000:.1f} ms, {ratio:.1f} times json.loads of its files')
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
