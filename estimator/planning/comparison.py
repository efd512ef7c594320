"""Two plans beside each other: compare(plan_a, plan_b), every line of both bills, their figures, and what of service and assumptions differs."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from estimator.billing.costing import usd_text
from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.line_differences import (
    LineDifference,
    bounds_text,
    line_differences,
    line_values,
    percent_text,
    signed_text,
)
from estimator.planning.promise import Rejection
from estimator.planning.result import Plan

#: Figures of a plan that are compared: what they are, in words, and their unit.
FIGURES: Mapping[str, tuple[str, str]] = {
    "mean_tasks": ("Tasks, mean", "tasks"),
    "peak_tasks": ("Tasks at the peak", "tasks"),
    "p50_latency_ms": ("p50 latency", "ms"),
    "p95_latency_ms": ("p95 latency", "ms"),
    "p99_latency_ms": ("p99 latency", "ms"),
    "minutes_over_capacity_per_month": ("Minutes over capacity", "min/month"),
    "minutes_over_promise_per_month": ("Minutes over the promise", "min/month"),
    "unserved_requests_per_month": ("Refused requests", "requests/month"),
    "requests_per_month": ("Requests", "requests/month"),
    "usd_per_million_requests": ("A million requests", "USD"),
}
#: Differences of bills below this are none to a reader. [USD/month]
HALF_A_CENT = 0.005


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """One figure of two plans.

    Parameters
    ----------
    name : str
        Its name in ``Plan.figures``.
    title : str
        What it is, in words.
    unit : str
        Unit of both.
    before, after : float
        The figure of the first and of the second plan; infinite without a bound, not a number where there is none. [unit]
    before_is_least, after_is_least : bool
        True if the figure is at least so much, since a rate is unknown.
    """

    name: str
    title: str
    unit: str
    before: float
    after: float
    before_is_least: bool = False
    after_is_least: bool = False

    @property
    def difference(self) -> float | None:
        """What the second has more; None if that is no number or not known. [unit]"""
        if self.before_is_least or self.after_is_least:
            return None
        if self.before == self.after:
            return 0.0
        return _finite(self.after - self.before)

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as plain values.

        Returns
        -------
        dict
            JSON-ready; what is no number or has no bound is None.
        """
        values = asdict(self)
        return values | {
            "before": _finite(self.before),
            "after": _finite(self.after),
            "difference": self.difference,
        }


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field that two plans have differently.

    Parameters
    ----------
    name : str
        Its path, such as ``task_size.cpu_units`` or ``scaling[0].target_value``.
    before, after : object
        Its value in the first and in the second plan; None where it has none.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two plans, and all in which they differ. Differences are the second less the first.

    Parameters
    ----------
    before, after : Plan
        The first and the second plan.
    titles : tuple of str
        What to call the two.
    lines : tuple of LineDifference
        Every line of either bill, in the bill's order.
    figures : tuple of FigureDifference
        Tasks, latency, minutes over capacity and promise, requests.
    service : tuple of FieldDifference
        Fields of the two services that differ.
    assumptions : tuple of FieldDifference
        What differs of that on which the bills rest: region, month, promise, load, request, application, behavior, operations, extras, and
        Savings Plans.
    broken_before, broken_after : tuple of Rejection
        Limits of its own promise that each one breaks.
    """

    before: Plan
    after: Plan
    titles: tuple[str, str]
    lines: tuple[LineDifference, ...]
    figures: tuple[FigureDifference, ...]
    service: tuple[FieldDifference, ...]
    assumptions: tuple[FieldDifference, ...]
    broken_before: tuple[Rejection, ...]
    broken_after: tuple[Rejection, ...]

    @property
    def least_difference_usd(self) -> float:
        """Least that the second bill can be more, whatever unknown rates are; minus infinity without a bound. [USD/month]"""
        return math.fsum(line.least_usd for line in self.lines)

    @property
    def most_difference_usd(self) -> float:
        """Most that the second bill can be more, whatever unknown rates are; infinite without a bound. [USD/month]"""
        return math.fsum(line.most_usd for line in self.lines)

    @property
    def difference_usd(self) -> float | None:
        """What the second bill is more; None if an unknown rate leaves that open. [USD/month]"""
        least, most = self.least_difference_usd, self.most_difference_usd
        return least if least == most else None

    @property
    def difference_percent(self) -> float | None:
        """The difference in percent of the first bill; None if it is not known, or the first costs nothing. [percent]"""
        least, most = self.percent_bounds()
        return least if least == most and math.isfinite(least) else None

    def percent_bounds(self) -> tuple[float, float]:
        """Say between which percentages of the first bill the difference lies, whatever unknown rates are.

        Returns
        -------
        tuple of (float, float)
            Least and most; infinite without a bound. [percent]
        """
        known, whole = self.before.cost.total_usd, not self.before.cost.is_lower_bound

        def share(usd: float, farthest: bool) -> float:
            if usd == 0:
                return 0.0
            if not farthest and not whole:
                # The first bill may be any larger than what is known of it.
                return 0.0
            return 100 * usd / known if known else math.copysign(math.inf, usd)

        least, most = self.least_difference_usd, self.most_difference_usd
        return share(least, least < 0), share(most, most > 0)

    @property
    def unknown(self) -> tuple[LineDifference, ...]:
        """Lines whose difference is not known."""
        return tuple(line for line in self.lines if line.difference_usd is None)

    @property
    def is_same_load(self) -> bool:
        """True if both are for the same load."""
        return self.before.workload.load.fingerprint() == self.after.workload.load.fingerprint()

    @property
    def verdict(self) -> str:
        """What it comes to, in a sentence."""
        return f"{self._cost_text}{self._promise_text}."

    @property
    def _cost_text(self) -> str:
        first, second = self.titles
        least, most = self.least_difference_usd, self.most_difference_usd
        if self.difference_usd is None and not (least > 0 or most < 0):
            return f"{second} costs more or less than {first}: which of them cannot be said, since rates are not known"
        if self.difference_usd is not None and abs(self.difference_usd) < HALF_A_CENT:
            return f"{second} costs the same as {first}"
        usd = least if least > 0 else -most
        percent = percent_text(self.difference_percent)
        share = f" ({percent})" if percent else ""
        at_least = "at least " if self.difference_usd is None else ""
        return f"{second} costs {at_least}${usd:,.2f} a month {'more' if least > 0 else 'less'} than {first}{share}"

    @property
    def _promise_text(self) -> str:
        first = self.titles[0]
        before, after = (
            "; ".join(broken.reason for broken in each) for each in (self.broken_before, self.broken_after)
        )
        if before and after:
            return f", and breaks its promise ({after}), as {first} does ({before})"
        if after:
            return f", but breaks its promise ({after}), which {first} keeps"
        if before:
            return f", and keeps its promise, where {first} breaks its own ({before})"
        return f", and keeps its promise, as {first} does"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know before the verdict is taken for the whole answer."""
        said = []
        if self.unknown:
            titles = ", ".join(line.title for line in self.unknown)
            said.append(f"Not compared, since a rate is not known: {titles}.")
        if not self.is_same_load:
            said.append(
                f"The loads differ, so a million requests say more than a month: {self.before.per_million_text} before, "
                f"{self.after.per_million_text} after."
            )
        first, second = self.before.cost, self.after.cost
        if first.hours_per_month != second.hours_per_month:
            said.append(f"The months differ: {first.hours_per_month:g} hours and {second.hours_per_month:g} hours.")
        return tuple(said)

    def to_frame(self) -> Any:
        """Return the lines as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each line: quantity, unit, unit price and cost before and after, and the difference. [USD/month]
        """
        import pandas as pd

        return pd.DataFrame([_flat_line(line) for line in self.lines])

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown or has no bound is None.
        """
        sides = zip(("before", "after"), self.titles, (self.before, self.after), self._broken, strict=True)
        return {
            **{
                side: {
                    "title": title,
                    "service": plan.spec.describe(),
                    "region": plan.cost.region,
                    "usd_per_month": plan.cost.total_usd,
                    "is_lower_bound": plan.cost.is_lower_bound,
                    "broken": [rejection.to_dict() for rejection in broken],
                    "fingerprint": plan.fingerprint(),
                }
                for side, title, plan, broken in sides
            },
            "difference_usd_per_month": self.difference_usd,
            "difference_percent": self.difference_percent,
            "least_difference_usd_per_month": _finite(self.least_difference_usd),
            "most_difference_usd_per_month": _finite(self.most_difference_usd),
            "lines": [line.to_dict() for line in self.lines],
            "figures": [figure.to_dict() for figure in self.figures],
            "service": [asdict(field) for field in self.service],
            "assumptions": [asdict(field) for field in self.assumptions],
            "verdict": self.verdict,
            "notes": list(self.notes),
        }

    @property
    def _broken(self) -> tuple[tuple[Rejection, ...], tuple[Rejection, ...]]:
        return self.broken_before, self.broken_after

    def __str__(self) -> str:
        rows = [
            f"{line.title:44}{usd_text(line.before_usd):>12}{usd_text(line.after_usd):>12}{signed_text(line.difference_usd):>12}"
            for line in self.lines
        ]
        total = bounds_text(self.least_difference_usd, self.most_difference_usd)
        totals = f"{'Total':44}{self.before.cost.total_usd:>12,.2f}{self.after.cost.total_usd:>12,.2f}{total:>12}"
        return "\n".join([*rows, totals, self.verdict])

    def _repr_html_(self) -> str:
        lines = [
            (
                line.title,
                usd_text(line.before_usd) if line.before else "",
                usd_text(line.after_usd) if line.after else "",
                signed_text(line.difference_usd),
            )
            for line in self.lines
        ]
        total = bounds_text(self.least_difference_usd, self.most_difference_usd)
        lines.append(("Total", self.before.cost.total_text, self.after.cost.total_text, total))
        differing = [(f.name, value_text(f.before), value_text(f.after)) for f in (*self.service, *self.assumptions)]
        heads = tuple(map(html.escape, self.titles))
        said = "".join(f"<p>{html.escape(text)}</p>" for text in (self.verdict, *self.notes))
        tables = _html_table(("Charge", *heads, "Difference"), lines)
        return said + tables + (_html_table(("What differs", *heads), differing) if differing else "")


def compare(plan_a: Plan, plan_b: Plan, titles: tuple[str, str] | None = None) -> Comparison:
    """Lay two plans side by side; of other loads, promises or regions too.

    Parameters
    ----------
    plan_a, plan_b : Plan
        The first and the second plan; differences are the second less the first.
    titles : tuple of (str, str), optional
        What to call the two; by default the names of their scenarios, or ``A`` and ``B`` where these do not tell them apart.

    Returns
    -------
    Comparison
        Every line of both bills, the figures, what differs of service and assumptions, and the limits that each breaks.

    Raises
    ------
    InvalidScenario
        If one is no plan.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> work, rates = Workload(LoadProfile.constant(20), cpu_ms_per_request=10), load_rates("us-east-1")
    >>> spec = ServiceSpec(TaskSize(256, 512), max_capacity=2)
    >>> found = compare(estimate(work, rates, spec), estimate(work, rates, replace(spec, cpu_architecture="ARM64")))
    >>> [(line.charge, line.only_in) for line in found.lines[:2]]
    [('fargate_linux_x86_vcpu_hour', 'first'), ('fargate_linux_x86_gb_hour', 'first')]
    >>> found.verdict
    'B costs $3.60 a month less than A (-3.3 %), and keeps its promise, as A does.'
    """
    for name, plan in (("plan_a", plan_a), ("plan_b", plan_b)):
        if not isinstance(plan, Plan):
            raise InvalidScenario(f"{name} is {shown(plan)}; it must be what plan or estimate gives.")
    return Comparison(
        plan_a,
        plan_b,
        titles or _names(plan_a, plan_b),
        line_differences(plan_a.cost, plan_b.cost),
        _figures(plan_a, plan_b),
        _differing(plan_a.spec.to_dict(), plan_b.spec.to_dict()),
        _differing(_rests_on(plan_a), _rests_on(plan_b)),
        plan_a.broken,
        plan_b.broken,
    )


def value_text(value: object) -> str:
    """Write a field's value to read, as a scenario does.

    Parameters
    ----------
    value : object
        The value; None where there is none.

    Returns
    -------
    str
        Numbers and truth values plain, long texts cut.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.6g}"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _names(plan_a: Plan, plan_b: Plan) -> tuple[str, str]:
    first, second = (str(plan.scenario.get("name", "")) for plan in (plan_a, plan_b))
    return (first, second) if first and second and first != second else ("A", "B")


def _figures(plan_a: Plan, plan_b: Plan) -> tuple[FigureDifference, ...]:
    before, after = plan_a.figures, plan_b.figures
    least = {"usd_per_million_requests": (plan_a.cost.is_lower_bound, plan_b.cost.is_lower_bound)}
    return tuple(
        FigureDifference(name, title, unit, before[name], after[name], *least.get(name, (False, False)))
        for name, (title, unit) in FIGURES.items()
    )


def _rests_on(plan: Plan) -> dict[str, Any]:
    return {
        "region": plan.cost.region,
        "prices_as_of": plan.cost.as_of or None,
        "hours_per_month": plan.cost.hours_per_month,
        "promise": asdict(plan.promise),
        **plan.assumptions,
    }


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    found = (FieldDifference(name, old.get(name), new.get(name)) for name in {**old, **new})
    return tuple(field for field in found if field.before != field.after)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the plain values of nested mappings and sequences by their paths."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _leaves(part, f"{path}[{place}]")
    else:
        yield path, value


def _flat_line(line: LineDifference) -> dict[str, Any]:
    row: dict[str, Any] = {"charge": line.charge, "title": line.title, "only_in": line.only_in}
    for side, part in (("before", line.before), ("after", line.after)):
        values = line_values(part) or dict.fromkeys(("quantity", "unit", "unit_price", "usd"))
        row |= {f"{side}_{name}": value for name, value in values.items()}
    return row | {
        "before_usd": line.before_usd,
        "after_usd": line.after_usd,
        "difference_usd": line.difference_usd,
        "difference_percent": line.difference_percent,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
