"""CloudFront's flat-rate plans: what each allows in a month, which one a month's traffic needs, and what to say beside its price.

Notes
-----
AWS bills nothing above a plan's allowances. A first excess is let pass; where it goes on, requests may be served slower.
So traffic never changes a plan's price, and a sentence says what the price does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from estimator.pricing.catalog import CLOUDFRONT_PREMIUM_LEVELS

PAY_AS_YOU_GO = "pay_as_you_go"
PREMIUM = "premium"
#: AWS's price list has 50 TB as 51,200 GB.
GB_PER_TB = 1024.0
_MILLION = 1_000_000.0


@dataclass(frozen=True, slots=True)
class CloudFrontPlan:
    """A flat-rate plan of one distribution, or a level of the Premium plan.

    Parameters
    ----------
    title : str
        What it is called.
    price : str
        Name of its row in ``PRICES``; empty for the Free plan, which has no line on a bill.
    requests : float
        Requests of viewers that it allows in a month. [requests]
    gb : float
        Data transfer to viewers that it allows in a month. [GB]
    """

    title: str
    price: str
    requests: float
    gb: float


#: AWS, "Available plans" of the Pricing Plan Manager User Guide, and offer CloudFrontPlans of 2026-09-11, read 2026-11.
_FREE = CloudFrontPlan("Free", "", _MILLION, 100.0)
_PRO = CloudFrontPlan("Pro", "cloudfront_plan_month:pro", 10 * _MILLION, 50 * GB_PER_TB)
_BUSINESS = CloudFrontPlan("Business", "cloudfront_plan_month:business", 125 * _MILLION, 50 * GB_PER_TB)
#: Levels of the Premium plan by their monthly data transfer; each TB comes with 10 million requests. [TB]
PREMIUM_LEVELS: dict[int, CloudFrontPlan] = {
    transfer_tb: CloudFrontPlan(
        f"Premium ({transfer_tb} TB)",
        f"cloudfront_plan_month:premium_{transfer_tb}_tb",
        10 * _MILLION * transfer_tb,
        transfer_tb * GB_PER_TB,
    )
    for transfer_tb in CLOUDFRONT_PREMIUM_LEVELS
}
_BY_NAME = {"free": _FREE, "pro": _PRO, "business": _BUSINESS}
#: Values of `Extras.cloudfront_plan`.
CLOUDFRONT_PLANS = (PAY_AS_YOU_GO, *_BY_NAME, PREMIUM)
#: All plans and levels, the smallest first.
PLAN_LEVELS = (*_BY_NAME.values(), *PREMIUM_LEVELS.values())


def plan_level(plan: str, requests: float, gb: float, premium_tb: int | None = None) -> CloudFrontPlan | None:
    """Name the plan that a distribution pays for.

    Parameters
    ----------
    plan : str
        One of ``CLOUDFRONT_PLANS``.
    requests : float
        Requests of viewers in a month. [requests]
    gb : float
        Data transfer to viewers in a month. [GB]
    premium_tb : int, optional
        Level of the Premium plan; by default the smallest that allows this traffic, or the largest if none does. [TB]

    Returns
    -------
    CloudFrontPlan or None
        None for pay-as-you-go.

    Examples
    --------
    >>> plan_level("premium", requests=600e6, gb=60_000).title
    'Premium (75 TB)'
    >>> plan_level("pay_as_you_go", requests=600e6, gb=60_000) is None
    True
    """
    if plan == PAY_AS_YOU_GO:
        return None
    if plan != PREMIUM:
        return _BY_NAME[plan]
    if premium_tb is not None:
        return PREMIUM_LEVELS[premium_tb]
    levels = tuple(PREMIUM_LEVELS.values())
    return next((level for level in levels if _allows(level, requests, gb)), levels[-1])


def plan_note(plan: str, requests: float, gb: float, premium_tb: int | None = None) -> str:
    """Say that a month's traffic is more than its plan allows, and which plan would allow it.

    Parameters
    ----------
    plan : str
        One of ``CLOUDFRONT_PLANS``.
    requests : float
        Requests of viewers in a month. [requests]
    gb : float
        Data transfer to viewers in a month. [GB]
    premium_tb : int, optional
        Level of the Premium plan; by default the smallest that allows this traffic. [TB]

    Returns
    -------
    str
        A sentence or two; empty where the plan allows all of it, and for pay-as-you-go.

    Examples
    --------
    >>> plan_note("pro", requests=9e6, gb=900)
    ''
    >>> first, *_, last = plan_note("pro", requests=12e6, gb=900).split(". ")
    >>> print(first)
    CloudFront's Pro plan allows 10 million requests and 51,200 GB a month; viewers send 12 million requests and take 900 GB
    >>> print(last)
    The Business plan allows this traffic.
    """
    level = plan_level(plan, requests, gb, premium_tb)
    if level is None or _allows(level, requests, gb):
        return ""
    larger = next((each for each in PLAN_LEVELS if _allows(each, requests, gb)), None)
    advice = (
        f"The {larger.title} plan allows this traffic."
        if larger
        else "No plan allows this traffic; AWS's sales have prices for it."
    )
    return (
        f"CloudFront's {level.title} plan allows {_millions(level.requests)} million requests and {level.gb:,.0f} GB a month; viewers send "
        f"{_millions(requests)} million requests and take {gb:,.0f} GB. AWS bills nothing for the rest, but may serve it slower if that goes on. "
        f"{advice}"
    )


def plan_problem(plan: str, behind_cloudfront: bool) -> str:
    """Say what is wrong with a flat-rate plan of a service that has no CloudFront in front.

    Parameters
    ----------
    plan : str
        One of ``CLOUDFRONT_PLANS``.
    behind_cloudfront : bool
        True if clients reach the load balancer through CloudFront.

    Returns
    -------
    str
        A sentence for `InvalidScenario`; empty if nothing is wrong.

    Examples
    --------
    >>> plan_problem("pro", behind_cloudfront=False).partition(";")[0]
    'cloudfront_plan is pro and behind_cloudfront is false'
    >>> plan_problem("pro", behind_cloudfront=True)
    ''
    """
    if plan == PAY_AS_YOU_GO or behind_cloudfront:
        return ""
    return (
        f"cloudfront_plan is {plan} and behind_cloudfront is false; a flat-rate plan is one of CloudFront. Set behind_cloudfront of the section "
        "request to true, or leave cloudfront_plan out."
    )


def _allows(level: CloudFrontPlan, requests: float, gb: float) -> bool:
    return requests <= level.requests and gb <= level.gb


def _millions(requests: float) -> str:
    return f"{requests / _MILLION:,.6g}"
