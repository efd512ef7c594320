"""Plain quantities x Rates -> CostBreakdown: a price without a simulation.

Notes
-----
A quantity is named by its row in ``CHARGES``, or in ``PRICES`` where AWS prices what no charge meters yet: alarms,
secrets, a web ACL, CloudFront's edges, reserved capacity units. It is the quantity of one month, since tiers count by
month; whoever has daily ones adds them up before.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostBreakdown, cost_line
from estimator.billing.working import written
from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates, require_rates
from estimator.service.behavior import AwsBehavior
from estimator.service.task_size import ARM64, CPU_ARCHITECTURES, LINUX, WINDOWS, X86_64, TaskSize, require_offered
from estimator.units import HOURS_PER_MONTH, INCLUDED_EPHEMERAL_STORAGE_GIB, SECONDS_PER_HOUR

#: Configurable ephemeral storage. [GiB] Source: AWS, `EphemeralStorage` of the ECS API, read 2026.
MAXIMUM_EPHEMERAL_STORAGE_GIB = 200
#: More of anything is no month's usage.
MOST_QUANTITY = 1e15
#: What a bill of plain quantities does not hold.
NOT_NAMED = "what the quantities do not name, taxes, free tiers, and discounts other than those that the rates hold"


@dataclass(frozen=True, slots=True)
class _Named:
    title: str
    price: str


def price_usage(
    quantities: Mapping[str, float], rates: Rates, hours_per_month: float = HOURS_PER_MONTH
) -> CostBreakdown:
    """Price the quantities of one month.

    Each unit is priced at the tier in which it falls. A price that is not known for the region stands as unknown, and
    the total is then a lower bound.

    Parameters
    ----------
    quantities : mapping of str to float
        Quantity by name of its row in ``CHARGES`` or ``PRICES``; one of 0 makes no line. [pricing unit]
    rates : Rates
        The region's rates.
    hours_per_month : float
        Length of the month that the quantities are of; it is only said, not multiplied with. [h]

    Returns
    -------
    CostBreakdown
        One line for each quantity: charges first, in the order of ``CHARGES``, then those of ``PRICES``.

    Raises
    ------
    InvalidScenario
        If a name is none of them, two names have the same price, or a quantity is no number of 0 or more.

    Examples
    --------
    >>> from estimator.pricing.rates import Rate, Tier
    >>> nat = {"nat_gateway_hour": "0.045", "nat_gateway_gb": "0.045"}
    >>> rates = Rates("us-east-1", {name: Rate(name, "", (Tier(0, usd),)) for name, usd in nat.items()})
    >>> bill = price_usage({"nat_gateway_hour": 730, "nat_gateway_gb": 100}, rates)
    >>> bill.total_text
    '$37.35 a month'
    >>> price_usage({"nat_gateway_hour": 730, "secret_month": 2}, rates).total_text
    'at least $32.85 a month'
    """
    require_number("hours_per_month", hours_per_month, 1, 744, advice="730 is the calculators' month.")
    if not isinstance(quantities, Mapping):
        raise InvalidScenario(
            f"quantities is {shown(quantities)}; it must be a mapping of names to numbers, such as {{'nat_gateway_gb': 500}}."
        )
    require_rates(rates)
    names = {name: _Named(row.title, name) for name, row in PRICES.items()}
    names |= {name: _Named(charge.title, charge.price) for name, charge in CHARGES.items()}
    taken: dict[str, str] = {}
    for name, quantity in quantities.items():
        if name not in names:
            raise InvalidScenario(_unknown(name, names))
        require_number(f"The quantity of {name}", quantity, 0, MOST_QUANTITY)
        price = names[name].price
        if price in taken:
            raise InvalidScenario(
                f"{taken[price]} and {name} have the same price, {price}, whose tiers count the whole month. Add them up under one name."
            )
        taken[price] = name
    order = dict.fromkeys((*CHARGES, *PRICES))
    lines = tuple(
        cost_line(
            name,
            names[name].title,
            names[name].price,
            float(quantities[name]),
            rates,
            "as given",
            written(quantities[name]),
        )
        for name in order
        if quantities.get(name)
    )
    as_of = rates.as_of.isoformat() if rates.as_of else ""
    return CostBreakdown(rates.region, hours_per_month, lines, 0.0, as_of, NOT_NAMED)


def fargate_tasks(
    tasks: float,
    task_size: TaskSize,
    hours: float | None = None,
    cpu_architecture: str = X86_64,
    spot: bool = False,
    ephemeral_storage_gib: float = INCLUDED_EPHEMERAL_STORAGE_GIB,
    *,
    seconds_per_run: float | None = None,
    runs: float = 1.0,
    operating_system: str = LINUX,
    linux_minimum_s: float = AwsBehavior.minimum_billed_s,
    windows_minimum_s: float = AwsBehavior.windows_minimum_billed_s,
) -> dict[str, float]:
    """Meter Fargate tasks of one size: quantities for `price_usage`.

    A run is billed from the pull of its image to its stop, to the second and at least a minute (five with Windows)
    [1]_.

    Parameters
    ----------
    tasks : float
        Tasks, or their mean over the month. [1]
    task_size : TaskSize
        CPU and memory of each.
    hours : float, optional
        Hours that each task runs in the month, in one go; not together with ``seconds_per_run``. [h]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    spot : bool
        True for ``FARGATE_SPOT``.
    ephemeral_storage_gib : float
        Storage of each task, of which 20 GiB are included. [GiB]
    seconds_per_run : float, optional
        Length of one run, if each task runs several times in the month. [s]
    runs : float
        Runs of each task in the month. [1]
    operating_system : str
        ``LINUX``, or ``WINDOWS`` with its licence.
    linux_minimum_s, windows_minimum_s : float
        Shortest run that is billed. [s]

    Returns
    -------
    dict of str to float
        Quantities of the month by name. [vCPU-hour, GB-hour]

    Raises
    ------
    InvalidScenario
        If Fargate has no such task, or a number is out of its bounds.

    References
    ----------
    .. [1] AWS, "AWS Fargate pricing", https://aws.amazon.com/fargate/pricing/, read 2026-11.

    Examples
    --------
    AWS's first example: 5 tasks of 1 vCPU and 2 GB with 30 GB of storage, 10 minutes a day for 30 days.

    >>> fargate_tasks(5, TaskSize(1024, 2048), ephemeral_storage_gib=30, seconds_per_run=600, runs=30)
    {'fargate_linux_x86_vcpu_hour': 25.0, 'fargate_linux_x86_gb_hour': 50.0, 'fargate_ephemeral_storage': 250.0}

    A run of 20 seconds is billed as a minute.

    >>> fargate_tasks(1, TaskSize(1024, 2048), seconds_per_run=20, runs=60)["fargate_linux_x86_vcpu_hour"]
    1.0
    """
    if not isinstance(task_size, TaskSize):
        raise InvalidScenario(f"task_size is {shown(task_size)}; it must be a TaskSize, such as TaskSize(512, 1024).")
    require_number("tasks", tasks, 0)
    require_number("runs", runs, 0)
    require_number("linux_minimum_s", linux_minimum_s, 0)
    require_number("windows_minimum_s", windows_minimum_s, 0)
    require_number(
        "ephemeral_storage_gib", ephemeral_storage_gib, INCLUDED_EPHEMERAL_STORAGE_GIB, MAXIMUM_EPHEMERAL_STORAGE_GIB
    )
    _require_task(task_size, cpu_architecture, spot, operating_system)
    minimum_s = windows_minimum_s if operating_system == WINDOWS else linux_minimum_s
    task_hours = tasks * runs * _billed_s(hours, seconds_per_run, runs, minimum_s) / SECONDS_PER_HOUR
    linux = f"{'spot_' if spot else ''}linux_{'arm' if cpu_architecture == ARM64 else 'x86'}"
    kind = "windows" if operating_system == WINDOWS else linux
    quantities = {
        f"fargate_{kind}_vcpu_hour": task_hours * task_size.vcpu,
        f"fargate_{kind}_gb_hour": task_hours * task_size.memory_gb,
    }
    if operating_system == WINDOWS:
        quantities["fargate_windows_os_license_vcpu_hour"] = task_hours * task_size.vcpu
    paid_gib = ephemeral_storage_gib - INCLUDED_EPHEMERAL_STORAGE_GIB
    if paid_gib:
        quantities["fargate_ephemeral_storage"] = task_hours * paid_gib
    return quantities


def _billed_s(hours: float | None, seconds_per_run: float | None, runs: float, minimum_s: float) -> float:
    if (hours is None) == (seconds_per_run is None):
        raise InvalidScenario(
            f"hours is {shown(hours)} and seconds_per_run {shown(seconds_per_run)}; give one of them: hours of a task that runs on, or the "
            "length of each of its runs."
        )
    if seconds_per_run is None:
        require_number("hours", hours, 0)
        if runs != 1:
            raise InvalidScenario(f"runs is {runs:g} with hours; give the length of each run as seconds_per_run.")
        assert hours is not None
        length_s = hours * SECONDS_PER_HOUR
    else:
        require_number("seconds_per_run", seconds_per_run, 0)
        length_s = float(seconds_per_run)
    # A millionth of a second comes from multiplying, not from the clock.
    return max(float(math.ceil(round(length_s, 6))), minimum_s) if length_s else 0.0


def _require_task(task_size: TaskSize, cpu_architecture: str, spot: bool, operating_system: str) -> None:
    if cpu_architecture not in CPU_ARCHITECTURES:
        allowed = " and ".join(CPU_ARCHITECTURES)
        raise InvalidScenario(
            f"cpu_architecture is {shown(cpu_architecture)}; Fargate has {allowed}. Choose one of them."
        )
    require_offered(operating_system, task_size, cpu_architecture, spot)


def _unknown(name: object, names: Iterable[str]) -> str:
    spelled = {known.lower(): known for known in names}
    close = difflib.get_close_matches(str(name).lower(), spelled, n=1)
    hint = f" Did you mean {spelled[close[0]]}?" if close else ""
    return (
        f"{shown(name)} is the name of no charge and of no price.{hint} `estimator charges` lists the charges, "
        "`estimator prices show` the prices."
    )
