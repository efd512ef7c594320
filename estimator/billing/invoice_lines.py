"""Lines of a bill that AWS sent, as their export states them: InvoiceLine, read_invoice."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from estimator.checks import shown
from estimator.errors import InvalidScenario

#: Columns of the legacy Cost and Usage Report; those of CUR 2.0 are the same names in snake case.
_CUR = {
    "usage_type": ("lineItem/UsageType",),
    "operation": ("lineItem/Operation",),
    "product_code": ("lineItem/ProductCode",),
    "service_code": ("product/servicecode",),
    "sku": ("product/sku",),
    "rate_code": ("pricing/RateCode",),
    "description": ("lineItem/LineItemDescription",),
    "start": ("lineItem/UsageStartDate",),
    "region": ("product/regionCode", "product/region"),
    "line_type": ("lineItem/LineItemType",),
    "unit": ("pricing/unit",),
    "currency": ("lineItem/CurrencyCode", "pricing/currency"),
    "quantity": ("lineItem/UsageAmount",),
    "unit_price": ("lineItem/UnblendedRate",),
    "list_unit_price": ("pricing/publicOnDemandRate",),
    "cost": ("lineItem/UnblendedCost",),
    "purchase_term": ("savingsPlan/PurchaseTerm",),
    "purchase_option": ("savingsPlan/PaymentOption",),
    "plan_unit_price": ("savingsPlan/SavingsPlanRate",),
}
#: Columns by format and field, the better one first. Of FOCUS 1.0 and 1.1, with AWS's own columns.
FORMATS: dict[str, dict[str, tuple[str, ...]]] = {
    "legacy CUR": _CUR,
    "CUR 2.0": {
        field: tuple(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("/", "_").lower() for name in names)
        for field, names in _CUR.items()
    },
    "FOCUS": {
        "usage_type": ("x_UsageType", "SkuMeter"),
        "operation": ("x_Operation",),
        "product_code": ("x_ServiceCode",),
        "sku": ("SkuId",),
        "rate_code": ("SkuPriceId",),
        "description": ("ChargeDescription",),
        "start": ("ChargePeriodStart",),
        "region": ("RegionId",),
        "line_type": ("ChargeCategory",),
        "pricing_category": ("PricingCategory",),
        "unit": ("PricingUnit", "ConsumedUnit"),
        "currency": ("BillingCurrency",),
        "quantity": ("PricingQuantity", "ConsumedQuantity"),
        "unit_price": ("ContractedUnitPrice",),
        "list_unit_price": ("ListUnitPrice",),
        "cost": ("BilledCost",),
    },
}
#: Fields of which an export must have at least one, each.
_NEEDED = (("usage_type", "sku", "rate_code", "description"), ("start",), ("unit_price", "list_unit_price", "cost"))
#: More of anything is no usage, and no cost.
_MOST = Decimal(10) ** 15
_NUMBERS = ("quantity", "unit_price", "list_unit_price", "cost", "plan_unit_price")

#: AWS's type of usage that a Savings Plan pays for.
COVERED = "SavingsPlanCoveredUsage"
#: Types of lines that take something off list prices, and how.
DISCOUNTS = {
    COVERED: "covered by a Savings Plan",
    "SavingsPlanNegation": "takes back the On-Demand cost of what a Savings Plan covers",
    "DiscountedUsage": "covered by a reservation",
    "EdpDiscount": "an Enterprise Discount Program",
    "PrivateRateDiscount": "a private rate",
    "BundledDiscount": "a bundled discount",
    "SppDiscount": "a Solution Provider Program discount",
    "Discount": "a discount",
}
#: Types of lines that are usage at its own unit price.
USAGE = ("", "Usage")
_PRICE = re.compile(
    r"(?:USD ?|\$)(?P<usd>\d*\.?\d+) per (?P<count>[\d,]*\d)?(?: ?(?P<word>[Tt]housand|[Mm]illion|[Bb]illion|[KMB]\b))?"
)
_WORDS = {"k": 10**3, "t": 10**3, "m": 10**6, "b": 10**9}


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a bill; what its export does not say is empty, or None for a number.

    Parameters
    ----------
    usage_type : str
        AWS's usage type, with the region's prefix where it has one.
    start : datetime.date or None
        Day on which the usage began.
    operation : str
        AWS's operation, such as ``"LoadBalancing:Application"``.
    product_code : str
        Service that caused the line, such as ``"AmazonS3"``.
    service_code : str
        Offer that prices it, such as ``"AWSDataTransfer"``.
    sku : str
        AWS's SKU.
    description : str
        AWS's sentence.
    region : str
        Region code.
    line_type : str
        ``Usage`` or empty, or what else the line is, such as ``SavingsPlanCoveredUsage``.
    unit : str
        AWS's pricing unit.
    currency : str
        Currency of the prices.
    quantity : decimal.Decimal or None
        Usage. [pricing unit]
    unit_price : decimal.Decimal or None
        What a unit was charged at. [USD/unit]
    list_unit_price : decimal.Decimal or None
        What a unit costs on AWS's list. [USD/unit]
    cost : decimal.Decimal or None
        What the line costs. [USD]
    purchase_term, purchase_option : str
        Of the Savings Plan that covers it, such as ``"1yr"`` and ``"No Upfront"``.
    plan_unit_price : decimal.Decimal or None
        What a unit costs in that plan. [USD/unit]
    row : int
        Line of the file on which it ends; 0 if there is none. [1]
    """

    usage_type: str
    start: dt.date | None = None
    operation: str = ""
    product_code: str = ""
    service_code: str = ""
    sku: str = ""
    description: str = ""
    region: str = ""
    line_type: str = ""
    unit: str = ""
    currency: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    list_unit_price: Decimal | None = None
    cost: Decimal | None = None
    purchase_term: str = ""
    purchase_option: str = ""
    plan_unit_price: Decimal | None = None
    row: int = 0

    @property
    def charged(self) -> Decimal | None:
        """What a unit was charged at: as stated, or cost by quantity, or as the description says. [USD/unit]"""
        if self.unit_price is not None:
            return self.unit_price
        if self.cost is not None and self.quantity:
            return self.cost / self.quantity
        said = _described_price(self.description)
        # A description may round, but not to 0.
        return said if said == 0 or self.list_unit_price is None else None

    @property
    def discount_text(self) -> str:
        """What takes the line off AWS's list prices, by its type; else empty."""
        return DISCOUNTS.get(self.line_type, "")

    @property
    def is_plain_usage(self) -> bool:
        """True if it is usage that is billed at its own unit price."""
        return self.line_type in USAGE


def read_invoice(path: Path | str) -> tuple[InvoiceLine, ...]:
    """Read a bill: a CSV of the legacy Cost and Usage Report, of CUR 2.0, or of FOCUS 1.0 or 1.1, packed with gzip or not.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    tuple of InvoiceLine
        In the order of the file; columns that the export does not have are empty, or None for numbers.

    Raises
    ------
    InvalidScenario
        If it cannot be read, is none of these, lacks columns, or has a number or a day that cannot be read.
    """
    path = Path(path)
    lines: list[InvoiceLine] = []
    with _opened(path) as rows:
        heads = rows.fieldnames or []
        columns = _columns(path, heads)
        for row in rows:
            if None in row:
                raise InvalidScenario(
                    f"{path}, line {rows.line_num}: it has more cells than the {len(heads)} columns. Mend or leave out the line."
                )
            if None in row.values():
                raise InvalidScenario(
                    f"{path}, line {rows.line_num}: it has fewer cells than the {len(heads)} columns, as where a file was cut off. Get it anew."
                )
            lines.append(_line(f"{path}, line {rows.line_num}", rows.line_num, row, columns))
    if not lines:
        raise InvalidScenario(f"{path} has columns, but no lines. Export a period with usage.")
    return tuple(lines)


@contextmanager
def _opened(path: Path) -> Iterator[csv.DictReader[str]]:
    try:
        packed = path.suffix == ".gz"
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if packed
            else path.open(encoding="utf-8-sig", newline="") as file
        ):
            yield csv.DictReader(file)
    except InvalidScenario:
        raise
    except (ValueError, csv.Error):
        raise InvalidScenario(
            f"The bill {path} is no CSV text in UTF-8. Export it as CSV, packed with gzip (.csv.gz) or not."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is no whole gzip file"
        raise InvalidScenario(f"The bill {path} cannot be read: {why}. Check the path.") from None


def _columns(path: Path, heads: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Choose the columns of the format that a head is of, those that are there."""
    for title, fields in FORMATS.items():
        here = {field: tuple(name for name in names if name in heads) for field, names in fields.items()}
        if not any(here.values()):
            continue
        for alternatives in _NEEDED:
            if not any(here.get(field) for field in alternatives):
                names = " or ".join(name for field in alternatives for name in fields.get(field, ()))
                raise InvalidScenario(f"{path} is a bill in the format {title} without the column {names}. Export it.")
        return here
    if not heads:
        raise InvalidScenario(f"{path} is empty. Give a bill as CSV, with its columns in the first line.")
    if len(heads) == 1 and ";" in heads[0]:
        raise InvalidScenario(f"{path} is separated by ;. Export it with commas between the columns.")
    telling = "; ".join(
        f"{title}: {', '.join(fields['start'] + fields['usage_type'])}" for title, fields in FORMATS.items()
    )
    raise InvalidScenario(
        f"{path} has the columns {shown(', '.join(heads))}, which are none of a bill's. Give a CSV with those of one of: {telling}."
    )


def _line(
    where: str, number: int, row: Mapping[str, str | None], columns: Mapping[str, tuple[str, ...]]
) -> InvoiceLine:
    cells = {
        field: next((cell for name in names if (cell := (row[name] or "").strip())), "")
        for field, names in columns.items()
    }
    values: dict[str, Any] = {name: cell for name, cell in cells.items() if name not in _NUMBERS}
    for field in _NUMBERS:
        values[field] = _decimal(f"{where}: {' or '.join(columns.get(field, ()))}", cells.get(field, ""))
    if values.pop("pricing_category", "") == "Committed" and values["line_type"] in USAGE:
        values["line_type"] = COVERED
    rate_code = values.pop("rate_code", "")
    # AWS's rate code is SKU, offer term and rate, with dots between them.
    values["sku"] = values.get("sku", "") or rate_code.partition(".")[0]
    values["start"] = _day(f"{where}: {' or '.join(columns['start'])}", values.get("start", ""))
    values["usage_type"] = values.get("usage_type", "")
    return InvoiceLine(**values, row=number)


def _decimal(where: str, cell: str) -> Decimal | None:
    if not cell:
        return None
    try:
        number = Decimal(cell)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > _MOST:
        raise InvalidScenario(
            f"{where} is {shown(cell)}; it must be a number of at most {float(_MOST):g}, or empty. Mend the cell."
        )
    return number


def _day(where: str, cell: str) -> dt.date | None:
    if not cell:
        return None
    try:
        return dt.date.fromisoformat(cell[:10])
    except ValueError:
        raise InvalidScenario(f"{where} is {shown(cell)}; it must begin with a day such as 2026-01-31.") from None


def _described_price(description: str) -> Decimal | None:
    """Read the price that a description begins with, of one unit where it is of a bundle."""
    match = _PRICE.match(description)
    if match is None:
        return None
    count = int((match["count"] or "1").replace(",", "")) * _WORDS.get((match["word"] or "")[:1].lower(), 1)
    return Decimal(match["usd"]) / count if count else None
