"""The page of AWS's prices, against the API and a server of our own that stands in for AWS."""

import gzip
import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from estimator.errors import InvalidScenario
from estimator.planning.price_effect import price_effect, reprice
from estimator.pricing.folders import FOLDER_VARIABLE
from estimator.pricing.snapshots import load_rates, rates_from
from estimator.report.price_tables import price_frame, price_record, price_rows
from estimator.report.tables import rates_rows
from estimator.scenario import Scenario
from estimator.ui import prices_refresh
from estimator.ui.prices_job import Job
from estimator.units import data_path
from tests.pricing.aws_double import AwsDouble

pytestmark = pytest.mark.slow

REGION = "eu-west-1"
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "prices"))
    return tmp_path / "prices"


@pytest.fixture
def aws(monkeypatch):
    with AwsDouble([REGION]) as double:
        for name, value in double.environment.items():
            monkeypatch.setenv(name, value)
        yield double


@pytest.fixture
def page() -> AppTest:
    def script():
        from estimator.ui import prices_page

        prices_page.show()

    return _well(AppTest.from_function(script, default_timeout=PATIENCE_S).run())


def _well(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def _of(widgets, label: str):
    (found,) = [widget for widget in widgets if widget.label == label]
    return found


def _click(page: AppTest, label: str) -> AppTest:
    return _well(_of(page.button, label).click().run())


def _ended(page: AppTest) -> AppTest:
    """The page once the work beside it has ended."""
    page.session_state["prices.job"].wait(PATIENCE_S)
    return _well(page.run())


def _captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption).replace("\\", "")


def test_every_price_of_the_region_is_listed_and_the_unknown_ones_say_so(page):
    rows = rates_rows(load_rates(REGION), every=True)
    unknown = [row["price"] for row in rows if not row["known"]]
    known = _of(page.metric, "Known prices")
    assert (known.value, known.delta) == (str(len(rows) - len(unknown)), f"{len(unknown)} unknown")
    _of(page.toggle, "Savings Plans, CloudFront too").set_value(True)
    _well(_of(page.get("button_group"), "Show").set_value("Unknown").run())
    listed = page.dataframe[0].value
    assert listed["Price"].tolist() == unknown
    assert set(listed["USD/unit"]) == {"unknown"}
    _well(_of(page.selectbox, "Record of").select(unknown[0]).run())
    assert "never taken as 0" in page.code[0].value


def test_a_search_finds_a_price_by_its_sku_and_opens_its_record(page):
    rates = load_rates(REGION)
    rate = rates["nat_gateway_hour"]
    _well(_of(page.text_input, "Search").input(rate.sku).run())
    listed = page.dataframe[0].value
    assert "nat_gateway_hour" in listed["Price"].tolist()
    assert set(listed["SKU"]) == {rate.sku}
    _well(_of(page.selectbox, "Record of").select("nat_gateway_hour").run())
    assert page.code[0].value == "\n".join(price_record(rates, "nat_gateway_hour"))
    _well(_of(page.text_input, "Search").input("no such price").run())
    assert "no such price" in page.info[0].value


def test_the_csv_has_a_row_for_each_tier():
    rates = load_rates(REGION)
    frame = pd.read_csv(io.StringIO(price_frame(price_rows(rates, every=True)).to_csv()))
    known = frame[frame["known"]]
    assert len(known) == sum(len(rate.tiers) for name, rate in rates.known.items())
    assert frame[~frame["known"]]["usd_per_unit"].isna().all()


def test_a_refresh_fails_changes_nothing_and_then_shows_what_changed(page, aws, folder):
    # One cent an hour more, and a price that is on AWS's list no longer.
    aws.catalogue.change("alb_hour", REGION, price="0.0352000000")
    aws.catalogue.drop("nat_gateway_hour", REGION)
    _ended(_click(page, f"Refresh {REGION}"))
    (error,) = page.error
    assert "nat_gateway_hour" in error.value
    assert "unchanged" in error.value
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.0252"
    assert page.dataframe[0].value.set_index("Price").loc["alb_hour", "USD/unit"] == "0.0252"
    # What the message proposes.
    _of(page.toggle, "Keep older prices that AWS's list lacks").set_value(True)
    _ended(_click(page, f"Refresh {REGION}"))
    assert not page.error
    assert "is done" in page.success[0].value
    (changed,) = [table.value for table in page.table if "before" in table.value.columns]
    assert (changed["before"].tolist(), changed["now"].tolist()) == ([0.0252], [0.0352])
    listed = page.dataframe[0].value.set_index("Price")["USD/unit"]
    assert listed[["alb_hour", "nat_gateway_hour"]].tolist() == ["0.0352", "0.048"]
    assert {path.stem for path in folder.glob("*.json")} == {REGION, "global"}
    _well(_of(page.toggle, "What it does to the plan's bill").set_value(True).run())
    scenario = Scenario.from_file(data_path("examples", "shop-daily-peak.yaml"))
    effect = price_effect(reprice(scenario.plan(), rates_from("shipped", REGION)), load_rates(REGION))
    # 730 hours of one load balancer.
    assert effect.difference_usd == pytest.approx(7.30)
    assert "$7.30 a month more" in _captions(page)
    assert effect.verdict in _captions(page)


def test_a_source_that_cannot_be_asked_is_a_sentence_and_what_to_do_instead(page, aws, monkeypatch, folder):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    _well(_of(page.get("button_group"), "Read from").set_value("query").run())
    _ended(_click(page, f"Refresh {REGION}"))
    (error,) = page.error
    assert "credentials" in error.value
    assert "carry the files here" in _captions(page)
    assert not list(folder.glob("*.json"))


def test_a_refresh_can_be_stopped_in_the_middle_of_a_file_and_begun_again(page, aws, folder):
    aws.trickle(100, "AmazonEC2")
    _click(page, f"Refresh {REGION}")
    job = page.session_state["prices.job"]
    while job.step is None and job.is_running:
        job.wait(0.05)
    _well(page.run())
    assert _of(page.button, f"Refresh {REGION}").disabled
    _click(page, "Stop")
    _ended(page)
    assert "Stopped" in page.warning[0].value
    assert not (folder / f"{REGION}.json").exists()
    aws.clear_faults()
    _ended(_click(page, f"Refresh {REGION}"))
    assert not page.error
    assert (folder / f"{REGION}.json").exists()


def test_a_hostile_file_is_a_sentence_with_its_own_name_and_a_snapshot_is_imported(page, folder):
    for content, word in ((b"[" * 100_000, "nested too deep"), (b"\x1f\x8b but not gzip", "damaged gzip")):
        _well(page.file_uploader[0].set_value(("../../mine.json", content, "application/json")).run())
        _click(page, "Import")
        if "prices.job" in page.session_state and not page.error:
            _ended(page)
        sentence = next(error.value for error in page.error if word in error.value)
        assert "mine.json" in sentence
        assert "estimator-prices-" not in sentence
        assert not list(folder.glob("*.json"))
    text = data_path("pricing_cache", f"{REGION}.json").read_bytes()
    _well(page.file_uploader[0].set_value(("theirs.json.gz", gzip.compress(text), "application/gzip")).run())
    _ended(_click(page, "Import"))
    assert not page.error
    said = page.success[0].value.replace("\\", "")
    assert said.startswith("The import of theirs.json.gz: a snapshot with ")
    assert (folder / f"{REGION}.json").exists()


@pytest.mark.parametrize("content", [b'{"schema_version": 1', b"\x00\xff" * 50], ids=["cut off", "no text"])
def test_what_is_no_price_file_is_refused_by_the_worker(tmp_path, folder, content):
    path = tmp_path / prices_refresh.UPLOADED
    path.write_bytes(content)
    job = Job("import", str(path), title="The import", before=load_rates(REGION), renamed={str(path): "mine.json"})
    job.wait(PATIENCE_S)
    assert job.error.startswith("mine.json is no price file that can be imported: it is not JSON")
    assert not list(folder.glob("*.json"))


def test_what_is_packed_twice_is_not_unpacked(tmp_path):
    with pytest.raises(InvalidScenario, match="packed twice"):
        prices_refresh.unpack(io.BytesIO(gzip.compress(gzip.compress(b"{}"))), tmp_path / "plain", "mine.gz")


def test_a_file_that_swells_is_not_unpacked_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(prices_refresh, "UNPACKED_MB", 2)
    swelling = io.BytesIO(gzip.compress(bytes(50 * 1024**2)))
    target = tmp_path / "plain"
    with pytest.raises(InvalidScenario, match="more than 2 MB unpacked"):
        prices_refresh.unpack(swelling, target, "bomb.gz")
    assert target.stat().st_size <= 3 * 1024**2


def test_a_worker_that_dies_leaves_a_sentence(tmp_path):
    job = Job("import", title="The import", before=load_rates(REGION))  # nothing to import: it ends with a traceback
    job.wait(PATIENCE_S)
    assert job.done is None
    assert "ended with status 1" in job.error
