"""Whether the shipped snapshots say what a table of rates says: `python benchmarks/check_rates.py FILE.csv`.

The columns are region, service, dimension, usagetype, unit, usd, tier_begin, tier_end, sku, publication_date, source,
provenance and note. A region is a code, `global`, or `cloudfront:EU`, whose dimension has the edge in its name in
PRICES. Each row that AWS itself said (provenance `api`) is looked up by price, region and begin of the tier, and its price
compared as a decimal number; rows of dimensions without a row in PRICES are counted. The user's own refreshes do not count.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path

from estimator.pricing.catalog import PRICES
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates

#: Where the prices without a region are looked up; they are the same in each.
ANYWHERE = "us-east-1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    with parser.parse_args().file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    matched, wrong, left_out, not_asked = 0, [], Counter[str](), Counter[str]()
    begins: dict[tuple[str, str], set[float]] = {}
    for row in rows:
        region, price = place_of(row)
        if price not in PRICES:
            left_out[f"{row['service']} {row['dimension']}"] += 1
            continue
        if row["provenance"] != "api":
            not_asked[row["provenance"]] += 1
            continue
        begins.setdefault((region, price), set()).add(float(row["tier_begin"]))
        found = price_at(shipped(region), price, row["tier_begin"])
        if found == Decimal(row["usd"]):
            matched += 1
        else:
            wrong.append(
                f"{row['region']} {price} from {row['tier_begin']}: {row['usd']} in the table, {found} in the snapshot"
            )
    for (region, price), known in begins.items():
        more = (
            {tier.begin for tier in shipped(region).known[price].tiers} - known if price in shipped(region) else set()
        )
        wrong += [f"{region} {price} from {begin:g}: not in the table, in the snapshot" for begin in sorted(more)]
    for line in wrong:
        print(line)
    print(f"{len(rows):6,} rows")
    print(f"{matched:6,} of provenance api match")
    print(f"{len(wrong):6,} of provenance api do not")
    for provenance, count in sorted(not_asked.items()):
        print(f"{count:6,} of provenance {provenance}, not compared")
    print(f"{left_out.total():6,} of dimensions without a row in PRICES:")
    for dimension, count in sorted(left_out.items()):
        print(f"{count:14,} {dimension}")
    sys.exit(1 if wrong or not matched else 0)


def place_of(row: dict[str, str]) -> tuple[str, str]:
    """Return region and name in PRICES of a row."""
    place, _, edge = row["region"].partition(":")
    if edge:
        return ANYWHERE, f"{row['dimension']}:{edge}"
    return ANYWHERE if place == "global" else place, row["dimension"]


@cache
def shipped(region: str) -> Rates:
    return load_rates(region, shipped_folder())


def price_at(rates: Rates, price: str, tier_begin: str) -> Decimal | None:
    """Return the price of the tier that begins there; None if it is unknown."""
    if price not in rates:
        return None
    begins = {tier.begin: tier.price for tier in rates[price].tiers}
    found = begins.get(float(tier_begin))
    return None if found is None else Decimal(found)


if __name__ == "__main__":
    main()
