"""A bill as one page that needs nothing else: bill_html(plan, rates).

Notes
-----
The figure is drawn here as SVG, from the steps that the app's figure is drawn from. Plotly's script would make the page 4.5 MB; its own SVG needs a
browser to be started, and has one width and one page's colors. This one has some 3 kB, is as wide as its page, and light or dark as its reader is.
There is no script, and the page forbids itself to load anything.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from estimator.billing.costing import CostBreakdown, CostLine, usd_text
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.bill_steps import SAVINGS_PLANS, TOTAL, Step, bill_steps
from estimator.report.bill_text import facts, sentences, title, totals
from estimator.report.drawing import BLUE, GRAY, GREEN
from estimator.report.provenance import explain
from estimator.report.tables import Table, bill_table

#: Height of a step of the figure, of its bar, which hangs below its text, and of what leads on to the next step, which ends above that one's text. [px]
_STEP_PX, _BAR_PX, _LINK_PX = 48, 12, 10

#: The colors of all figures.
_COLORS = f":root {{ --more: {BLUE}; --less: {GREEN}; --whole: {GRAY} }}"
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --panel: #f3f6f8; --text: #1b2733; --quiet: #526170; --rule: #dce3e9; --accent: #00598c }
@media (prefers-color-scheme: dark) {
  :root { --paper: #10161c; --panel: #1a232c; --text: #e6ecf1; --quiet: #a3b1bd; --rule: #2c3843; --accent: #6dbbe8 }
}
@media print { :root { --paper: #ffffff; --panel: #ffffff; --text: #000000; --quiet: #333333; --rule: #bbbbbb; --accent: #000000 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .75rem }
.total { font-size: clamp(1.8rem, 7vw, 2.4rem); line-height: 1.2; font-weight: 650; margin: .5rem 0 1.25rem; font-variant-numeric: tabular-nums }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem 1.5rem; margin: 0;
  padding: 1rem; background: var(--panel); border-radius: 6px }
.facts div:first-child { grid-column: 1 / -1 }
dt { color: var(--quiet); font-size: .85rem }
dd { margin: 0; font-variant-numeric: tabular-nums }
figure { margin: 0 }
svg { display: block; overflow: visible }
svg text { fill: var(--text); stroke: var(--paper); stroke-width: 4px; paint-order: stroke; font-size: 15px; font-variant-numeric: tabular-nums }
.amount { text-anchor: end }
.whole text { font-weight: 650 }
.bar { fill: var(--more) } .less .bar { fill: var(--less) } .whole .bar { fill: var(--whole) }
.track { fill: var(--panel) }
.link { stroke: var(--whole); stroke-dasharray: 2 2 }
.wide { overflow-x: auto; margin: 0 -1rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; font-size: .92rem; overflow-wrap: normal }
caption { text-align: left; color: var(--quiet); font-size: .85rem; padding-bottom: .5rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--rule); font-weight: normal }
thead th { color: var(--quiet); font-size: .85rem; white-space: nowrap }
tfoot th, tfoot td { border-bottom: 0; padding-bottom: 0 }
tfoot tr:first-child > * { font-weight: 650 }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: pre-line }
tbody td:last-child { white-space: nowrap }
tbody th { min-width: 8.5rem }
.settings { columns: 2 19rem; column-gap: 2rem; margin: 0 0 1rem }
.settings div { display: flex; justify-content: space-between; gap: 1rem; break-inside: avoid; padding: .15rem 0 }
.settings dt { flex: none; max-width: 65% } .settings dd { text-align: right; font-size: .85rem }
a { color: var(--accent) }
details { border-bottom: 1px solid var(--rule) }
summary { cursor: pointer; padding: .55rem 0; display: flex; gap: 1rem; justify-content: space-between; font-variant-numeric: tabular-nums }
summary::before { content: "▸"; color: var(--quiet) } details[open] > summary::before { content: "▾" }
summary span:first-of-type { flex: 1 }
pre { margin: 0 0 1rem; padding: .75rem 1rem; background: var(--panel); border-radius: 6px; font: .85rem/1.6 ui-monospace, monospace; white-space: pre-wrap }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
footer { margin-top: 3rem; color: var(--quiet); font-size: .85rem }
@media print {
  html, body { font-size: 11px } .facts { padding: 0 } main { max-width: none; padding: 0 } .wide { overflow: visible }
  details::details-content { content-visibility: visible; display: block; height: auto }
  summary::before, details[open] > summary::before { content: none }
  details, tr, figure { break-inside: avoid } h2 { break-after: avoid } a { text-decoration: none }
  .bar, .track { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""


def bill_html(plan: Plan, rates: Rates) -> str:
    """Write a bill as a page that needs nothing else, not even a network.

    Parameters
    ----------
    plan : Plan
        The plan.
    rates : Rates
        What it was priced at.

    Returns
    -------
    str
        HTML: the total and how it comes about, a table with a row for each line, the arithmetic of each line to be opened, what Savings Plans
        do, what is not included, and what all of it rests on.
    """
    cost = plan.cost
    head = _text(title(plan))
    said = "".join(f"<p>{_prose(text)}</p>" for text in sentences(plan))
    warned = "".join(f"<li>{_prose(text)}</li>" for text in plan.warnings)
    noted = f'<h2 id="notes">Notes</h2>\n<ul>{warned}</ul>\n' if warned else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{head}</title>
<style>{_COLORS}{_STYLE}</style>
</head>
<body>
<main>
<h1>{head}</h1>
<p class="total">{_text(cost.total_text)}</p>
<dl class="facts">{"".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in facts(plan))}</dl>
<h2 id="steps">How the total comes about</h2>
{_figure(cost)}
<h2 id="lines">Line by line</h2>
{_lines(bill_table(cost), [line.charge for line in cost], totals(cost))}
{said}
<h2 id="arithmetic">Arithmetic of each line</h2>
{_arithmetic(cost, rates)}
{noted}<h2 id="assumptions">What it rests on</h2>
{_settings({"service": plan.spec.to_dict(), **plan.assumptions})}
<footer>Fingerprint of the plan: {plan.fingerprint()}</footer>
</main>
</body>
</html>
"""


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _prose(text: str) -> str:
    """Write a sentence, in which commands and names stand between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _figure(cost: CostBreakdown) -> str:
    """Draw the waterfall: places are parts of the page's width, so that text stays as large as it is on any page."""
    steps = bill_steps(cost)
    most = max(*(step.end_usd for step in steps), 0.01)
    rows = [_step(step, number, most) for number, step in enumerate(steps)]
    links = [
        f'<line class="link" x1="{_percent(step.end_usd, most)}" x2="{_percent(step.end_usd, most)}" '
        f'y1="{(number + 1) * _STEP_PX - 14}" y2="{(number + 1) * _STEP_PX - 14 + _LINK_PX}"/>'
        for number, step in enumerate(steps[:-1])
    ]
    told = ", ".join(f"{step.title} {step.text}" for step in steps)
    return (
        f'<figure>\n<svg width="100%" height="{len(steps) * _STEP_PX}" role="img" aria-label="{_text(told)} a month">\n'
        + "\n".join([*links, *rows])
        + "\n</svg>\n</figure>"
    )


def _step(step: Step, number: int, most: float) -> str:
    kind = "whole" if step.title == TOTAL else "less" if step.title == SAVINGS_PLANS and step.usd < 0 else "more"
    base = (number + 1) * _STEP_PX - 14
    begin = min(step.begin_usd, step.end_usd)
    return (
        f'<g class="{kind}"><text x="0" y="{base - _BAR_PX - 6}">{_text(step.title)}</text>'
        f'<text class="amount" x="100%" y="{base - _BAR_PX - 6}">{_text(step.text)}</text>'
        f'<rect class="bar" x="{_percent(begin, most)}" width="{_percent(abs(step.usd), most)}" y="{base - _BAR_PX}" height="{_BAR_PX}"/></g>'
    )


def _percent(usd: float, most: float) -> str:
    return f"{100 * usd / most:.4g}%"


def _lines(table: Table, charges: Iterable[str], sums: Iterable[tuple[str, str]]) -> str:
    """Write the lines as a table; the name of each leads to its arithmetic."""
    heads = "".join(f'<th scope="col"{_number(column)}>{_text(column.lstrip(">"))}</th>' for column in table.columns)
    rows = []
    for charge, cells in zip(charges, table.rows, strict=True):
        rest = "".join(
            f"<td{_number(column)}>{_text(cell)}</td>"
            for column, cell in zip(table.columns[1:], cells[1:], strict=True)
        )
        rows.append(f'<tr><th scope="row"><a href="#{_anchor(charge)}">{_text(cells[0])}</a></th>{rest}</tr>')
    blank = "<td></td>" * (len(table.columns) - 2)
    feet = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td class="number">{_text(amount)}</td>{blank}</tr>'
        for name, amount in sums
    )
    return (
        f'<div class="wide" role="region" aria-labelledby="lines" tabindex="0"><table>\n<caption>{_text(table.title)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + f"\n</tbody>\n<tfoot>{feet}</tfoot>\n</table></div>"
    )


def _number(column: str) -> str:
    return ' class="number"' if column.startswith(">") else ""


def _anchor(charge: str) -> str:
    return _text(f"line-{charge}")


def _arithmetic(cost: CostBreakdown, rates: Rates) -> str:
    return "\n".join(
        f"<details><summary><span>{_text(line.title)}</span><span>{_text(usd_text(line.effective_cost))}</span></summary>"
        f'<pre id="{_anchor(line.charge)}">{_text(_below_title(line, rates))}</pre></details>'
        for line in cost
    )


def _below_title(line: CostLine, rates: Rates) -> str:
    """Explain a line below its title, which is not said again: the name for ``--explain`` stands in its place."""
    _, *rest = explain(line, rates.known.get(line.price))
    return "\n".join([f"name: {line.charge}", *(text.removeprefix("  ") for text in rest)])


def _settings(values: Mapping[str, Any]) -> str:
    """Write settings by section, each section to be opened."""
    parts = []
    for section, content in values.items():
        rows = _flat(content, "")
        listed = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in rows)
        if rows:
            title = section.replace("_", " ").capitalize()
            parts.append(
                f"<details><summary><span>{_text(title)}</span><span>{len(rows)} {'setting' if len(rows) == 1 else 'settings'}</span></summary>"
                f'<dl class="settings">{listed}</dl></details>'
            )
    return "\n".join(parts)


def _flat(value: Any, name: str) -> list[tuple[str, str]]:
    """List the settings below a name; what is empty is said, too."""
    if isinstance(value, Mapping) and value:
        return [row for key, each in value.items() for row in _flat(each, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        return [
            row
            for number, each in enumerate(value, 1)
            for row in _flat(each, f"{name}.{number}" if name else str(number))
        ]
    if not name:
        return []
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
