"""Dated rates in a file: written whole or not at all, and what is said of a damaged one."""

import datetime as dt
import json
import os
import pathlib
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import PriceListUnavailable
from estimator.fingerprints import fingerprint_of
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import Rate, Tier
from estimator.pricing.snapshot_file import (
    SCHEMA_VERSION,
    days_of,
    newest,
    read_histories,
    read_snapshot,
    with_rate,
    write_snapshot,
)
from estimator.pricing.snapshots import load_rates

RATE = Rate(
    "alb_hour",
    "Hrs",
    (Tier(0, "0.0225"), Tier(10_240, "0.02"), Tier(5_242_880, "0.000000004")),
    "LoadBalancerUsage",
    "37CUWUT8GSNQEPUV",
    dt.date(2026, 6, 19),
    "api",
    "somewhere",
    "„Note“",
    dt.date(2026, 9, 11),
)


@pytest.fixture
def folder(tmp_path):
    write_snapshot(tmp_path / "eu-west-1.json", "eu-west-1", [RATE])
    write_snapshot(tmp_path / "global.json", "global", [])
    return tmp_path


def test_written_and_read_again(folder):
    assert read_snapshot(folder / "eu-west-1.json", "eu-west-1") == {"alb_hour": RATE}
    assert read_histories(folder / "eu-west-1.json", "eu-west-1") == {"alb_hour": (RATE,)}
    assert dict(load_rates("eu-west-1", folder).known) == {"alb_hour": RATE}
    assert (folder / "eu-west-1.json").stat().st_mode & 0o777 == 0o644


def test_a_private_discount_stays_out_of_the_file(folder):
    discounted = Rate("alb_hour", "Hrs", (Tier(0, "0.02"),), discount_percent=10)
    write_snapshot(folder / "eu-west-1.json", "eu-west-1", [discounted])
    assert read_snapshot(folder / "eu-west-1.json", "eu-west-1")["alb_hour"].discount_percent == 0


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.json")), ids=lambda path: path.stem)
def test_shipped_files_are_what_would_be_written(path, tmp_path):
    again = tmp_path / path.name
    histories = read_histories(path, path.stem)
    write_snapshot(again, path.stem, histories)
    assert again.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    for name, history in histories.items():
        days = [rate.published for rate in history]
        assert days == sorted(days, reverse=True), name
        assert len(set(days)) == len(days), name


def test_the_same_rates_are_the_same_bytes_in_any_order(tmp_path):
    other = Rate("alb_lcu_hour", "LCU-Hrs", (Tier(0, "0.008"),))
    for name, rates in (("a.json", [RATE, other]), ("b.json", [other, RATE])):
        write_snapshot(tmp_path / name, "eu-west-1", rates)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


# Histories.

START = dt.date(2026, 1, 1)


def on(day, usd, checked=None):
    seen = None if checked is None else START + dt.timedelta(days=checked)
    return Rate("alb_hour", "Hrs", (Tier(0, usd),), published=START + dt.timedelta(days=day), checked=seen)


def history_of(rates):
    history = ()
    for rate in rates:
        history = with_rate(history, rate)
    return history


def price_on(rates, day):
    found = newest(rates, None if day is None else START + dt.timedelta(days=day), days_of)
    return None if found is None else found.tiers[0].price


def prices_by_day(rates):
    return [price_on(rates, day) for day in (*range(-1, 45), None)]


PRICES_OF = st.dictionaries(st.integers(0, 40), st.sampled_from(["1", "2", "3"]), min_size=1, max_size=12)


@given(PRICES_OF)
def test_law_a_history_has_the_price_of_every_day(prices):
    full = [on(day, usd) for day, usd in sorted(prices.items())]
    assert prices_by_day(history_of(full)) == prices_by_day(full)


@given(PRICES_OF, st.data())
def test_law_a_check_of_the_current_rate_changes_the_price_of_no_day(prices, data):
    # Each is seen again at most until the next is published, as it is at AWS.
    days = sorted(prices)
    ends = [*days[1:], 44]
    full = [
        on(day, prices[day], data.draw(st.one_of(st.none(), st.integers(day, end))))
        for day, end in zip(days, ends, strict=True)
    ]
    assert prices_by_day(history_of(full)) == prices_by_day(full)


@given(PRICES_OF)
def test_law_what_is_known_already_changes_nothing(prices):
    history = history_of(on(day, usd) for day, usd in sorted(prices.items()))
    for rate in history:
        assert with_rate(history, rate) == history


@given(PRICES_OF, st.randoms(use_true_random=False))
def test_law_the_newest_price_is_the_same_in_any_order(prices, random):
    full = [on(day, usd) for day, usd in sorted(prices.items())]
    shuffled = random.sample(full, len(full))
    assert history_of(shuffled)[0] == history_of(full)[0]
    assert [rate.published for rate in history_of(shuffled)] == sorted(
        (rate.published for rate in history_of(shuffled)), reverse=True
    )


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True),
    st.lists(st.integers(0, 40), max_size=3),
    st.randoms(use_true_random=False),
)
def test_law_prices_that_never_come_back_are_the_same_in_any_order(days, rises, random):
    full = [on(day, str(1 + sum(rise <= day for rise in rises))) for day in sorted(days)]
    shuffled = random.sample(full, len(full))
    assert prices_by_day(history_of(shuffled)) == prices_by_day(full)


def test_every_publication_is_kept_also_of_a_price_that_stays_the_same():
    history = history_of(on(day, "1") for day in range(10))
    assert [rate.published.day for rate in history] == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_a_rate_of_the_same_day_takes_the_place():
    assert history_of([on(0, "1"), on(0, "2")]) == (on(0, "2"),)


def test_an_older_copy_of_the_same_publication_does_not_undo_that_it_was_seen_since():
    seen, copy = on(0, "1", checked=20), on(0, "1")
    assert history_of([seen, copy]) == (seen,)
    assert history_of([seen, on(0, "1", checked=9)]) == (seen,)
    assert history_of([copy, seen]) == (seen,)
    # Nor does another edition of that day, unless AWS was seen to say so later.
    assert history_of([seen, on(0, "2")]) == (seen,)
    assert history_of([seen, on(0, "2", checked=21)]) == (on(0, "2", checked=21),)


def test_nobody_has_seen_a_price_on_a_day_to_come():
    to_come = replace(on(0, "1"), checked=dt.date.today() + dt.timedelta(days=1000))
    assert price_on([to_come, on(5, "2", checked=10)], None) == "1"  # seen until today at most, which is later
    today = replace(on(5, "2"), checked=dt.date.today())
    assert price_on([to_come, today], None) == "2"
    assert history_of([to_come, on(0, "2", checked=3)]) == (on(0, "2", checked=3),)


def test_one_that_was_seen_later_than_its_neighbor_is_kept():
    rates = [on(0, "1"), on(5, "1", checked=30), on(10, "1"), on(20, "2")]
    assert prices_by_day(history_of(rates)) == prices_by_day(rates)
    assert len(history_of(rates)) == 4


def test_of_equals_the_first_is_taken_and_the_last_seen_wins():
    mine, theirs = on(0, "1"), on(0, "2")
    assert newest([mine, theirs], None, days_of) is mine
    assert newest([theirs, mine], None, days_of) is theirs
    assert newest([on(5, "1"), on(0, "2", checked=9)], None, days_of) == on(0, "2", checked=9)
    # On a day before the check, the later publication is the better witness.
    assert newest([on(5, "1"), on(0, "2", checked=9)], START + dt.timedelta(days=5), days_of) == on(5, "1")
    assert newest([], None, days_of) is None
    undated = Rate("alb_hour", "Hrs", (Tier(0, "3"),))
    assert newest([undated, on(0, "1")], None, days_of) == on(0, "1")
    assert newest([undated], START, days_of) is undated


# Damage.


def _document(folder):
    return json.loads((folder / "eu-west-1.json").read_text(encoding="utf-8"))


def _write(folder, document, *, checksum=True):
    document = {key: value for key, value in document.items() if key != "checksum"}
    if checksum:
        document["checksum"] = fingerprint_of(document)
    (folder / "eu-west-1.json").write_text(json.dumps(document), encoding="utf-8")


def _said(folder):
    """What is said of the damaged file: its path, and in whole sentences what to do."""
    with pytest.raises(PriceListUnavailable) as caught:
        read_histories(folder / "eu-west-1.json", "eu-west-1")
    text = str(caught.value)
    assert str(folder / "eu-west-1.json") in text
    assert text.startswith("The price snapshot ")
    assert text.endswith(".")
    assert "\n" not in text
    # It is no file of ours, so nobody is told to delete it.
    assert text.lower().endswith("name another file.")
    return text


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["rates"]["alb_hour"][0]["tiers"][0].update(price="0.01"),
        lambda d: d["rates"]["alb_hour"][0].update(published="2026-10-01"),
        lambda d: d["rates"].update(other=d["rates"]["alb_hour"]),
        lambda d: d.update(checksum="0" * 64),
        lambda d: d.update(checksum=None),
        lambda d: d.update(currency="EUR"),
    ],
)
def test_edited_by_hand(folder, change):
    document = _document(folder)
    change(document)
    (folder / "eu-west-1.json").write_text(json.dumps(document), encoding="utf-8")
    said = _said(folder)
    assert "edited by hand" in said
    assert "CSV of overrides" in said
    with pytest.raises(PriceListUnavailable, match="edited by hand"):
        load_rates("eu-west-1", folder)


def test_other_white_space_is_no_edit(folder):
    _write(folder, _document(folder))
    assert read_snapshot(folder / "eu-west-1.json", "eu-west-1") == {"alb_hour": RATE}


@pytest.mark.parametrize("version", [1, SCHEMA_VERSION + 1, str(SCHEMA_VERSION), None])
def test_of_another_version(folder, version):
    _write(folder, _document(folder) | {"schema_version": version})
    assert f"schema version {version!r}; this release reads {SCHEMA_VERSION}" in _said(folder)


@pytest.mark.parametrize("region", ["eu-west-2", "global", "", None])
def test_of_another_region(folder, region):
    _write(folder, _document(folder) | {"region": region})
    assert f"is for {region!r}, not eu-west-1" in _said(folder)


def _first(**changes):
    return lambda d: d["rates"]["alb_hour"][0].update(changes)


def _without(key):
    return lambda d: d["rates"]["alb_hour"][0].pop(key)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("schema_version"),
        lambda d: d.pop("region"),
        lambda d: d.pop("rates"),
        lambda d: d.update(rates=[]),
        lambda d: d["rates"].update(alb_hour=None),
        lambda d: d["rates"].update(alb_hour=[]),
        lambda d: d["rates"].update(alb_hour=[None]),
        lambda d: d["rates"].update(alb_hour="text"),
        lambda d: d["rates"].update(alb_hour=d["rates"]["alb_hour"][0]),
        lambda d: d.update(more=10**400),
        _first(provenance="hearsay"),
        _first(published="June"),
        _first(published=20260619),
        _first(checked="June"),
        _first(tiers=[]),
        _first(tiers=None),
        _first(tiers=[{"begin": "0"}]),
        _first(tiers=[{"begin": "five", "price": "1"}]),
        _first(tiers=[{"begin": "0", "price": "1,5"}]),
        _first(tiers=[{"begin": "0", "price": "-1"}]),
        _first(tiers=[{"begin": "0", "price": None}]),
        _first(tiers=[{"begin": "1", "price": "1"}]),
        _first(tiers=[{"begin": "1e999", "price": "1"}]),
        *(_without(key) for key in ("unit", "tiers", "usage_type", "sku", "published", "provenance", "source", "note")),
    ],
)
def test_damaged_documents(folder, change):
    document = _document(folder)
    change(document)
    try:
        _write(folder, document)
    except OverflowError:  # a number that not even a checksum can be made of
        _write(folder, document, checksum=False)
        path = folder / "eu-west-1.json"
        path.write_text(path.read_text().replace("{", '{"checksum": "0", ', 1))
    assert "is damaged" in _said(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"NaN,", b"\xff\xfe{}", b"<html></html>", b"[" * 100_000])
def test_files_that_are_not_json(folder, content):
    (folder / "eu-west-1.json").write_bytes(content)
    assert "is not JSON" in _said(folder)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"NaN", b"17", b"{}"])
def test_json_that_is_no_snapshot(folder, content):
    (folder / "eu-west-1.json").write_bytes(content)
    assert "is damaged" in _said(folder)


def test_depth_without_end(folder):
    document = _document(folder)
    text = json.dumps({key: value for key, value in document.items() if key != "rates"})[:-1]
    deep = "[" * 900 + "]" * 900
    (folder / "eu-west-1.json").write_text(f'{text}, "rates": {{}}, "deep": {deep}}}')
    _said(folder)


@pytest.mark.parametrize("name", ["eu-west-1.json", "global.json"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(PriceListUnavailable, match="cannot be read") as caught:
        load_rates("eu-west-1", folder)
    assert str(folder / name) in str(caught.value)
    (folder / name).mkdir()
    with pytest.raises(PriceListUnavailable, match="cannot be read"):
        load_rates("eu-west-1", folder)


# Written whole or not at all.


def _left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("where", ["replace", "chmod"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(folder, monkeypatch, where):
    before = (folder / "eu-west-1.json").read_bytes()

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, where, broken)
    with pytest.raises(PriceListUnavailable, match=r"disk full.*unchanged.*ESTIMATOR_PRICES_FOLDER") as caught:
        write_snapshot(folder / "eu-west-1.json", "eu-west-1", [])
    monkeypatch.undo()
    assert str(folder / "eu-west-1.json") in str(caught.value)
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert _left(folder) == ["eu-west-1.json", "global.json"]


def test_what_cannot_be_read_back_is_not_written(folder):
    before = (folder / "eu-west-1.json").read_bytes()
    hearsay = Rate("alb_hour", "Hrs", (Tier(0, "1"),), provenance="hearsay")
    with pytest.raises(PriceListUnavailable, match="hearsay"):
        write_snapshot(folder / "eu-west-1.json", "eu-west-1", [hearsay])
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert _left(folder) == ["eu-west-1.json", "global.json"]


def test_a_write_that_fails_in_the_middle_of_the_text(folder):
    before = (folder / "eu-west-1.json").read_bytes()
    # A lone surrogate cannot be encoded: the file breaks after it was begun.
    broken = Rate("alb_hour", "Hrs", (Tier(0, "1"),), note="x" * 100_000 + "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_snapshot(folder / "eu-west-1.json", "eu-west-1", [broken])
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert _left(folder) == ["eu-west-1.json", "global.json"]


WRITE = """
import resource, sys
from pathlib import Path
from estimator.errors import PriceListUnavailable
from estimator.pricing.rates import Rate, Tier
from estimator.pricing.snapshot_file import write_snapshot
if sys.argv[2] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    write_snapshot(Path(sys.argv[1]), "eu-west-1", [Rate("alb_hour", "Hrs", (Tier(0, "1"),), note="x" * 500_000)])
except PriceListUnavailable as error:
    sys.exit(str(error))
"""


def _write_elsewhere(path, limit_bytes=0, prefix=()):
    command = [*prefix, sys.executable, "-c", WRITE, str(path), str(limit_bytes)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_full_disk(folder):
    before = (folder / "eu-west-1.json").read_bytes()
    result = _write_elsewhere(folder / "eu-west-1.json", 20_000)
    assert result.returncode == 1
    assert f"The prices cannot be written to {folder / 'eu-west-1.json'}: File too large." in result.stderr
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert _left(folder) == ["eu-west-1.json", "global.json"]
    assert _write_elsewhere(folder / "eu-west-1.json").returncode == 0


def test_a_folder_that_is_read_only(folder):
    before = (folder / "eu-west-1.json").read_bytes()
    # Root may write anywhere: it is run without that right.
    dropped = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    folder.chmod(0o555)
    try:
        result = _write_elsewhere(folder / "eu-west-1.json", prefix=dropped if os.getuid() == 0 else [])
    finally:
        folder.chmod(0o755)
    assert result.returncode == 1
    assert f"The prices cannot be written to {folder / 'eu-west-1.json'}: Permission denied." in result.stderr
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert _left(folder) == ["eu-west-1.json", "global.json"]


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "prices").write_text("mine")
    with pytest.raises(PriceListUnavailable, match="cannot be written"):
        write_snapshot(tmp_path / "prices" / "eu-west-1.json", "eu-west-1", [RATE])
    assert (tmp_path / "prices").read_text() == "mine"


def test_folders_are_made(tmp_path):
    write_snapshot(tmp_path / "a" / "b" / "eu-west-1.json", "eu-west-1", [RATE])
    assert read_snapshot(tmp_path / "a" / "b" / "eu-west-1.json", "eu-west-1") == {"alb_hour": RATE}
