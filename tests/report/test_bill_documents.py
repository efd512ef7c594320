"""Documents of a bill: what they say adds up, stands as it was written, and needs nothing else."""

import csv
import html
import io
import json
import re
from dataclasses import asdict, replace
from functools import cache
from html.parser import HTMLParser

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import ExportError
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.report import bill_documents
from estimator.report.bill_documents import COLUMNS, DOCUMENTS, bill_csv, bill_json, bill_markdown, write_bill
from estimator.report.bill_page import bill_html
from estimator.service.application import Application
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: 52,560 GB of responses a month.
WORK = Workload(LoadProfile.constant(1000), cpu_ms_per_request=1, response_kb=20, requests_per_connection=1000)
SPEC = ServiceSpec(TaskSize(2048, 4096), network=NetworkLayout.of("nat"))
NASTY = 'a|b `c` <img src=x onerror="alert(1)"> & *d* \\ [e](http://f)\nsecond line'
UNKNOWN = ("alb_lcu_hour", "nat_gateway_gb")


def priced(rates: Rates, *savings_plans: SavingsPlan) -> tuple[Plan, Rates]:
    plan = estimate(WORK, rates, SPEC, Application(), extras=Extras(waf_rules=1), savings_plans=savings_plans)
    return replace(plan, scenario={"name": "shop"}), rates


@cache
def bill(name: str) -> tuple[Plan, Rates]:
    """A bill of each kind, and what it was priced at."""
    rates = load_rates("us-east-1")
    known = rates.known
    if name == "savings plan":
        return priced(rates, SavingsPlan())
    if name == "upfront":
        paid = {
            price.replace("_noupfront__", "_allupfront__"): rate for price, rate in known.items() if "_1yr_" in price
        }
        return priced(
            Rates("us-east-1", {**known, **paid}), SavingsPlan("1yr", "All Upfront", commitment_usd_per_h=0.01)
        )
    if name == "discount":
        return priced(with_discounts(rates, {"AmazonECS": 10}))
    if name == "unknown":
        return priced(Rates("us-east-1", {price: rate for price, rate in known.items() if price not in UNKNOWN}))
    plan, _ = priced(rates)
    if name == "nasty":
        first, *others = plan.cost.lines
        nasty = replace(first, title=f"Fargate {NASTY}", provenance="own", sku="", rate_note=NASTY)
        plan = replace(plan, cost=replace(plan.cost, lines=(nasty, *others)), warnings=(NASTY,))
    return plan, rates


every_bill = pytest.mark.parametrize("name", ["on demand", "savings plan", "upfront", "discount", "unknown", "nasty"])


class Page(HTMLParser):
    """What a page holds: tags that are closed in order, attributes, and the text in each element of interest."""

    VOID = frozenset({"meta", "link", "img", "br", "rect", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.ids: list[str | None] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
            self.ids.append(dict(attrs).get("id"))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.ids.pop()

    def handle_data(self, data: str) -> None:
        if any(tag in ("td", "th") for tag in self.open):
            self.rows[-1][-1] += data
        for name in filter(None, self.ids):
            self.texts[name] = self.texts.get(name, "") + data


def cells(row: str) -> list[str]:
    """Split a row of Markdown at the pipes that are not escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@every_bill
def test_markdown_has_a_row_for_each_line(name: str) -> None:
    plan, _ = bill(name)
    text = bill_markdown(plan)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(cells(row)) for row in rows} == {7}
    head, rule, *lines = map(cells, rows)
    assert head[0] == "Charge"
    assert set(rule) == {"---", "---:"}
    body = lines[: len(plan.cost.lines)]
    for cost, row in zip(plan.cost, body, strict=True):
        assert row[1] == ("unknown" if cost.effective_cost is None else f"{cost.effective_cost:,.2f}")
        assert row[2:4] == [f"{cost.pricing_quantity:,.2f}", cost.pricing_unit]
        assert row[4].count("from") == cost.effective_unit_price.count("from")
        assert cost.sku in row[5]
        assert row[6] == (cost.published or ("unknown" if cost.price else ""))
    total = lines[len(body)]
    assert total[:2] == ["**Total**", f"**{plan.cost.total_text.removesuffix(' a month')}**"]
    said = text.replace("\\", "")
    assert plan.cost.not_included in said
    assert plan.cost.prices_text in said
    assert plan.cost.savings_plans_text in said
    assert text.startswith("# shop: a month on Fargate in us-east-1\n")


def test_markdown_says_what_is_unknown() -> None:
    text = bill_markdown(bill("unknown")[0])
    assert "**at least $" in text
    assert "No rate is known for Load balancer capacity units, NAT gateway data" in text


def test_markdown_shows_what_somebody_wrote_as_it_was_written() -> None:
    text = bill_markdown(bill("nasty")[0])
    rows = [line for line in text.splitlines() if line.startswith("| Fargate a")]
    assert len(rows) == 1
    title, sku = cells(rows[0])[0], cells(rows[0])[5]
    expected = r"a\|b \`c\` &lt;img src=x onerror=" + '"alert(1)"' + r"> &amp; \*d\* \\ \[e\](http://f), second line"
    assert title == f"Fargate {expected}"
    assert sku == f"your price: {expected}"
    # A sentence keeps its code.
    assert r"Note: a\|b `c` &lt;img" in text


def test_markdown_keeps_commands_as_code() -> None:
    text = bill_markdown(bill("unknown")[0])
    assert "`estimator prices show --region us-east-1`" in text


@every_bill
def test_csv_has_a_row_for_each_line_and_its_costs_add_up(name: str) -> None:
    plan, _ = bill(name)
    text = bill_csv(plan)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert set(COLUMNS) == {"region", *asdict(plan.cost.lines[0])}
    assert len(rows) == len(plan.cost.lines)
    for column, total in (
        ("effective_cost", plan.cost.total_usd),
        ("list_cost", plan.cost.list_total_usd),
        ("billed_cost", sum(line.billed_cost or 0 for line in plan.cost)),
    ):
        assert sum(float(row[column] or 0) for row in rows) == pytest.approx(total, rel=1e-12)
    for line, row in zip(plan.cost, rows, strict=True):
        assert row["region"] == "us-east-1"
        assert {name: row[name] for name in COLUMNS[1:]} == {
            name: "" if value is None else str(value) for name, value in asdict(line).items()
        }


@every_bill
def test_json_adds_up(name: str) -> None:
    plan, _ = bill(name)
    values = json.loads(bill_json(plan))
    lines = values["cost"]["lines"]
    assert sum(line["effective_cost"] or 0 for line in lines) == pytest.approx(values["cost"]["total_usd_per_month"])
    assert values["cost"]["total_usd_per_month"] == plan.cost.total_usd
    assert {name: value for name, value in values.items() if name != "prices_stale"} == plan.to_dict()
    assert values["prices_stale"] == (plan.cost.stale_text() or None)


@every_bill
def test_the_page_is_whole_and_needs_nothing_else(name: str) -> None:
    plan, rates = bill(name)
    text = bill_html(plan, rates)
    page = Page(text)
    assert page.open == []
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "base", "form", "image", "use"}
    for tag, attributes in page.tags:
        assert not {"src", "srcset", "xlink:href", "data", "style"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import|http", style)
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    policy = next(each["content"] for tag, each in page.tags if each.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert len(text) < 100_000


@every_bill
def test_the_page_has_a_row_and_the_arithmetic_of_each_line(name: str) -> None:
    plan, rates = bill(name)
    text = bill_html(plan, rates)
    page = Page(text)
    assert text.count("<details>") >= len(plan.cost.lines)
    rows = {row[0]: row for row in page.rows}
    targets = {each["href"] for tag, each in page.tags if tag == "a"}
    for line in plan.cost:
        assert f"#line-{line.charge}" in targets
        arithmetic = page.texts[f"line-{line.charge}"]
        # Its title stands above, on what is opened.
        assert arithmetic.startswith(f"name: {line.charge}\n")
        assert f"{line.title} ({line.charge})" not in arithmetic
        assert not arithmetic.splitlines()[1].startswith(" ")
        assert f"<summary><span>{html.escape(line.title)}</span>" in text
        amount = "unknown" if line.effective_cost is None else f"{line.effective_cost:,.2f}"
        assert f"cost: {amount}" in arithmetic
        assert rows[line.title][1] == amount
    assert rows["Total"][1] == plan.cost.total_text.removesuffix(" a month")
    # A table is read out: its caption, and heads of its columns and rows.
    assert ("caption", {}) in page.tags
    assert [each.get("scope") for tag, each in page.tags if tag == "th"].count("col") == 7
    assert {each.get("scope") for tag, each in page.tags if tag == "th"} == {"col", "row"}
    assert all(each["role"] == "img" and each["aria-label"] for tag, each in page.tags if tag == "svg")


def test_the_page_shows_tiers_one_by_one() -> None:
    page = Page(bill_html(*bill("on demand")))
    # AWS: the first 10 TB at 9 cents, the next 40 at 8.5, then 7; 52,560 GB and no TLS handshakes.
    arithmetic = page.texts["line-internet_egress"]
    for words in (
        "10,240 GB × 0.09 USD = 921.6000 USD",
        "from 10,240 on: 40,960 GB × 0.085 USD = 3,481.6000 USD",
        "from 51,200 on: 1,360 GB × 0.07 USD = 95.2000 USD",
        "cost: 4,498.40 USD a month",
    ):
        assert words in arithmetic


@every_bill
def test_the_page_shows_the_numbers_of_each_quantity(name: str) -> None:
    plan, rates = bill(name)
    page = Page(bill_html(plan, rates))
    for line in plan.cost:
        for part in line.working.split("; "):
            assert part in page.texts[f"line-{line.charge}"]
    # 2,628 million requests of 20 kB, and no TLS handshakes.
    assert "2,628,000,000 requests × (20 kB + 0 kB of TLS handshakes)" in page.texts["line-internet_egress"]


def test_the_page_draws_the_steps_to_scale() -> None:
    plan, rates = bill("on demand")
    page = Page(bill_html(plan, rates))
    bars = [each for tag, each in page.tags if tag == "rect"]
    at = 0.0
    for bar in bars[:-1]:
        assert float(bar["x"].rstrip("%")) == pytest.approx(at, abs=0.02)
        at += float(bar["width"].rstrip("%"))
    assert at == pytest.approx(100, abs=0.02)
    assert (bars[-1]["x"], bars[-1]["width"]) == ("0%", "100%")
    # What leads from a bar to the next one begins where it ends, and ends above the letters of the next step, whose height is less than 16 px.
    links = [each for tag, each in page.tags if tag == "line"]
    texts = sorted({float(each["y"]) for tag, each in page.tags if tag == "text"})
    assert len(links) == len(bars) - 1
    for link, bar, below in zip(links, bars, texts[1:], strict=False):
        assert float(link["y1"]) == float(bar["y"]) + float(bar["height"])
        assert float(link["y1"]) < float(link["y2"]) <= below - 16
    compute = sum(line.effective_cost for line in plan.cost if line.charge.startswith("fargate"))
    assert float(bars[0]["width"].rstrip("%")) == pytest.approx(100 * compute / plan.cost.total_usd, abs=0.01)


def test_the_page_shows_what_somebody_wrote_as_it_was_written() -> None:
    text = bill_html(*bill("nasty"))
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; *d*" in text
    plan, rates = bill("on demand")
    named = replace(plan, scenario={"name": "<b>shop</b>"}, application=Application(environment={"A": "</dd><script>"}))
    text = bill_html(named, rates)
    assert "<b>shop" not in text
    assert "<script" not in text
    assert "&lt;/dd&gt;&lt;script&gt;" in text


def test_the_page_ends_with_what_it_rests_on() -> None:
    plan, rates = bill("savings plan")
    text = bill_html(plan, rates)
    rests = text[text.index("What it rests on") :]
    for section, values in plan.assumptions.items():
        if values and section != "operations":
            assert f"<span>{section.replace('_', ' ').capitalize()}</span>" in rests
    for name, value in (
        ("response_kb", "20"),
        ("task_size.cpu_units", "2048"),
        ("scaling.1.target_value", "60.0"),
        ("1.payment_option", "No Upfront"),
        ("deregistration_delay_s", "60"),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in rests
    counts = re.findall(r"<span>(\d+ settings?)</span></summary><dl class=\"settings\">(.*?)</dl>", rests)
    assert [count for count, _ in counts] == [
        f"{listed.count('<dt>')} setting{'s' if listed.count('<dt>') > 1 else ''}" for _, listed in counts
    ]
    assert len(counts) > 5
    assert plan.fingerprint() in rests


@pytest.mark.parametrize("name", ["savings plan", "upfront", "discount"])
def test_sums_beside_the_total(name: str) -> None:
    plan, rates = bill(name)
    on_demand = sum(line.contracted_cost for line in plan.cost)
    rows = {row[0]: row[1] for row in Page(bill_html(plan, rates)).rows if len(row) > 1}
    sums = {
        "Without Savings Plans": on_demand if plan.cost.savings_plans else None,
        # 0.01 USD an hour for a year, all at its start: nothing of it is on a month's invoice.
        "On the month's invoice": plan.cost.total_usd - 7.3 if name == "upfront" else None,
        "Upfront for Savings Plans, once": 0.01 * 8760 if name == "upfront" else None,
        "At AWS's list prices": plan.cost.list_total_usd if name == "discount" else None,
    }
    for title, usd in sums.items():
        assert rows.get(title) == (None if usd is None else f"${usd:,.2f}")
        assert (f"**{title}**" in bill_markdown(plan)) == (usd is not None)


def test_a_file_is_written_by_its_ending_and_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    plan, rates = bill("on demand")
    assert list(DOCUMENTS) == [".md", ".csv", ".json", ".html"]
    for ending, text in zip(
        DOCUMENTS, (bill_markdown(plan), bill_csv(plan), bill_json(plan), bill_html(plan, rates)), strict=True
    ):
        path = tmp_path / f"bill{ending.upper()}"
        write_bill(plan, rates, path)
        assert path.read_text(encoding="utf-8") == text
    broken = {".md": lambda *_: 1 / 0}
    monkeypatch.setattr(bill_documents, "DOCUMENTS", broken)
    with pytest.raises(ZeroDivisionError):
        write_bill(plan, rates, tmp_path / "bill.MD")
    assert (tmp_path / "bill.MD").read_text(encoding="utf-8") == bill_markdown(plan)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".CSV", ".HTML", ".JSON", ".MD"]


def test_another_ending_is_refused(tmp_path) -> None:
    with pytest.raises(ExportError, match=r"bill\.pdf ends in '\.pdf'.*\.md, \.csv, \.json, \.html.*Name it so"):
        write_bill(*bill("on demand"), tmp_path / "bill.pdf")
    assert list(tmp_path.iterdir()) == []


def test_prices_that_are_old_are_said_with_the_day_of_writing() -> None:
    plan, rates = bill("on demand")
    old = replace(plan.cost, lines=tuple(replace(line, last_seen="2020-01-31") for line in plan.cost))
    for text in (bill_markdown(replace(plan, cost=old)), bill_html(replace(plan, cost=old), rates)):
        assert re.search(r"Written on 20\d\d-\d\d-\d\d\. The rates of \d+ of \d+ lines were last seen", text)
    fresh = replace(plan.cost, lines=tuple(replace(line, last_seen="") for line in plan.cost))
    assert "Written on" not in bill_markdown(replace(plan, cost=fresh))
