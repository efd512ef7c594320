"""Profiles from CSV and Parquet files, and files that are none: the message names row and value."""

import datetime as dt
import sys

import numpy as np
import pandas as pd
import pytest

from estimator.errors import InvalidScenario
from estimator.workload.sources import MAX_FILE_BYTES, load_from_csv, load_from_parquet


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, *arguments, **more):
        path = tmp_path / "load.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_from_csv(path, *arguments, **more)

    return write_and_read


def _half_hours(counts, missing=()):
    rows = [
        f"2026-03-01T{i // 2:02d}:{30 * (i % 2):02d}:00Z,{count}" for i, count in enumerate(counts) if i not in missing
    ]
    return "timestamp,requests\n" + "\n".join(rows) + "\n"


def test_counts_become_rates(read):
    # 1800 requests in half an hour are one a second.
    load = read(_half_hours([1800, 3600, 0, 900]))
    assert load.requests_per_s.tolist() == [1, 2, 0, 0.5]
    assert (load.step_s, load.period_hours, load.requests) == (1800, 2, 6300)
    assert load.name == "load.csv"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),  # a byte order mark, as Excel writes it
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("Z", "+00:00"),
        lambda text: text.replace("Z", ""),  # without a zone: UTC
        lambda text: text.replace("T", " "),
        lambda text: text.replace("1800", '"1800"'),
        lambda text: text.replace("1800", "1.8e3"),
        lambda text: "\n".join(line + ",more" for line in text.splitlines()),
        lambda text: "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines()),
    ],
)
def test_the_same_file_in_other_spellings(read, change):
    text = _half_hours([1800, 3600])
    assert read(change(text)).requests_per_s.tolist() == [1, 2]


def test_other_columns(read):
    text = "a,when,n\nx,2026-03-01T00:00Z,3600\nx,2026-03-01T01:00Z,7200\n"
    assert read(text, "when", "n").requests_per_s.tolist() == [1, 2]


def test_a_clock_that_is_put_forward_leaves_no_gap(read):
    # Berlin, 2026-03-29: after 01:59 +01:00 comes 03:00 +02:00.
    text = (
        "timestamp,requests\n2026-03-29T00:00:00+01:00,3600\n2026-03-29T01:00:00+01:00,3600\n"
        "2026-03-29T03:00:00+02:00,7200\n2026-03-29T04:00:00+02:00,3600\n"
    )
    assert read(text).requests_per_s.tolist() == [1, 1, 2, 1]


def test_a_clock_that_is_put_back_is_not_read_twice(read):
    # Without offsets the hour stands twice: it must be refused, not summed.
    text = "timestamp,requests\n2026-10-25T01:00:00,1\n2026-10-25T02:00:00,1\n2026-10-25T02:00:00,1\n"
    with pytest.raises(InvalidScenario, match="row 4"):
        read(text)


@pytest.mark.parametrize(
    ("rule", "rates"),
    [
        ("zero", [1, 0, 0, 4]),
        ("previous", [1, 1, 1, 4]),
        ("interpolate", [1, 2, 3, 4]),
    ],
)
def test_gaps(read, rule, rates):
    text = _half_hours([1800, 1, 1, 7200, 1800, 1800], missing=(1, 2))
    load = read(text, gaps=rule)
    np.testing.assert_allclose(load.requests_per_s, [*rates, 1, 1])


def test_a_gap_is_an_error_unless_a_rule_is_named(read):
    with pytest.raises(InvalidScenario, match=r"row 3: 2 intervals of 1800 s are missing") as caught:
        read(_half_hours([1800, 1, 1, 7200, 1800, 1800], missing=(1, 2)))
    for rule in ("interpolate", "previous", "zero"):
        assert rule in str(caught.value)
    with pytest.raises(InvalidScenario, match="gaps is 'linear'"):
        read(_half_hours([1, 1]), gaps="linear")


GOOD = "timestamp,requests\n2026-03-01T00:00:00Z,1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["load.csv is empty", "timestamp and requests"]),
        ("\n\n", ["load.csv is empty"]),
        ("time,requests\n", ["time, requests", "'timestamp'"]),
        ("timestamp,count\n", ["'requests'"]),
        ("timestamp;requests\n2026-03-01T00:00:00Z;1\n", ["timestamp;requests"]),
        ("timestamp,requests\n", ["0 rows"]),
        (GOOD, ["1 rows", "at least 2"]),
        (GOOD + "yesterday,1\n", ["row 3", "yesterday"]),
        (GOOD + "2026-02-30T00:00:00Z,1\n", ["row 3", "2026-02-30"]),
        (GOOD + "03/01/2026 01:00,1\n", ["row 3", "03/01/2026"]),
        (GOOD + "1772323200,1\n", ["row 3"]),
        (GOOD + "2026-03-01T01:00:00Z\n", ["row 3"]),
        (GOOD + "2026-03-01T01:00:00Z,\n", ["row 3"]),
        (GOOD + "2026-03-01T01:00:00Z,many\n", ["row 3", "many"]),
        (GOOD + '2026-03-01T01:00:00Z,"1,200"\n', ["row 3", "1,200"]),
        (GOOD + "2026-03-01T01:00:00Z,-5\n", ["row 3", "-5"]),
        (GOOD + "2026-03-01T01:00:00Z,nan\n", ["row 3", "nan"]),
        (GOOD + "2026-03-01T01:00:00Z,inf\n", ["row 3", "inf"]),
        (GOOD + "2026-03-01T01:00:00Z,1e999\n", ["row 3", "inf requests"]),
        (GOOD + "2026-03-01T00:00:00Z,1\n", ["row 3", "2026-03-01T00:00:00Z", "sorted"]),
        (GOOD + "2026-02-28T23:00:00Z,1\n", ["row 3", "2026-02-28T23:00:00Z"]),
        (GOOD + "2026-03-01T01:00:00Z,1\n2026-03-01T02:30:00Z,1\n", ["row 4", "3600 s"]),
        (GOOD + "2026-03-01T00:00:00.5Z,1\n", ["grid of 0.5 s"]),
        (GOOD + "2026-03-01T00:01:00Z,1\n", ["0.03 hours", "Remove the last 2 intervals"]),
        (GOOD + "2026-03-01T00:00:01Z,1\n2036-03-01T00:00:00Z,1\n", ["315,619,201", "1,100,000"]),
        (GOOD + "2026-03-01T01:00:00Z,\x001\n", ["row 3"]),
    ],
)
def test_broken_files(read, text, said):
    with pytest.raises(InvalidScenario) as caught:
        read(text)
    for part in said:
        assert part in str(caught.value)
    assert str(caught.value).endswith((".", "1200. Mend or remove the row."))


def test_the_tail_that_fills_no_hour(read):
    with pytest.raises(InvalidScenario, match=r"1\.50 hours.*last 1 intervals"):
        read(_half_hours([1, 1, 1]))
    assert read(_half_hours([1, 1])).period_hours == 1


def test_encodings(read):
    for text in (_half_hours([1, 1]).encode("utf-16"), "timestamp,requests,ä\n".encode("latin-1")):
        with pytest.raises(InvalidScenario, match="UTF-8"):
            read(text)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidScenario, match=r"nowhere\.csv cannot be read"):
        load_from_csv(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidScenario, match="cannot be read"):
        load_from_csv(tmp_path)


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(InvalidScenario, match="200 MB"):
        load_from_csv(path)


def test_huge_counts_keep_their_value(read):
    # 3.6e12 requests an hour are 1e9 a second, the most that is taken for a load.
    load = read("timestamp,requests\n2026-03-01T00:00Z,3600000000000\n2026-03-01T01:00Z,3.6e12\n")
    assert load.requests_per_s.tolist() == [1e9, 1e9]


# Faults that were there once.
def test_a_quote_that_never_closes(read):
    text = GOOD + '"' + "2026-03-01T01:00:00Z,1\n" * 8000
    with pytest.raises(InvalidScenario, match="quote that is never closed"):
        read(text)


@pytest.mark.parametrize("last", ["2026-03-01T02:30:00Z,1", "2026-03-01T03:00:00Z,1"])
def test_empty_lines_count(read, last):
    # Lines: 1 header, 2 data, 3 and 4 empty, 5 data, 6 the broken one.
    with pytest.raises(InvalidScenario, match="row 6"):
        read(GOOD + "\n\n2026-03-01T01:00:00Z,1\n" + last + "\n")


def test_underscores_are_no_digits(read):
    with pytest.raises(InvalidScenario, match="row 3"):
        read(GOOD + "2026-03-01T01:00:00Z,3_600\n")


def test_two_columns_of_one_name(read):
    with pytest.raises(InvalidScenario, match="requests"):
        read("timestamp,requests,requests\n2026-03-01T00:00Z,1,2\n2026-03-01T01:00Z,1,2\n")


def test_a_thousands_separator_is_not_another_column(read):
    with pytest.raises(InvalidScenario, match=r"row 3: .*90,000.* has 3 fields, the header 2"):
        read(GOOD + "2026-03-01T01:00:00Z,90,000\n")


def test_one_row_off_the_grid_is_the_one_that_is_named(read):
    rows = [f"2026-03-01T{hour:02}:{'07' if hour == 5 else '00'}:00Z,1\n" for hour in range(12)]
    with pytest.raises(InvalidScenario, match="row 7: the timestamp is not on a grid of 3600 s"):
        read("timestamp,requests\n" + "".join(rows))


# What was done to the figures is said.
def test_the_start_and_what_was_filled_are_said(read):
    load = read(_half_hours([1800, 1, 1, 7200, 1800, 1800], missing=(1, 2)), gaps="zero")
    assert load.start == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert load.notes == (
        "load.csv has no row for 2 of 6 intervals of 1800 s, in a row at most 2, the first after 2026-03-01T00:00:00Z; "
        "they are filled by zero.",
    )
    assert read(_half_hours([1, 1])).notes == ()
    plain = read(_half_hours([1, 1]).replace("Z", ""))
    assert "without an offset; they are taken as UTC" in plain.notes[0]
    assert plain.fingerprint() == read(_half_hours([1, 1])).fingerprint()


def test_a_tail_is_cut_by_a_named_rule(read):
    load = read(_half_hours([1, 2, 3]), whole="hours")
    assert load.requests == pytest.approx(3)
    assert load.notes == ("The last 1 intervals of load.csv (0.50 h, 3 requests) are cut, to whole hours.",)
    text = "timestamp,requests\n" + "".join(f"2026-03-{1 + i // 24:02}T{i % 24:02}:00Z,{i}\n" for i in range(30))
    assert read(text).period_hours == 30
    days = read(text, whole="days")
    assert (days.period_hours, days.requests) == (24, pytest.approx(sum(range(24))))
    assert "The last 6 intervals of load.csv (6.00 h, 159 requests) are cut, to whole days." in days.notes
    assert read(_half_hours([1, 1]), whole="hours").notes == ()
    with pytest.raises(InvalidScenario, match="of whole days nothing is left"):
        read(_half_hours([1, 1]), whole="days")
    with pytest.raises(InvalidScenario, match="whole is 'weeks'"):
        read(_half_hours([1, 1]), whole="weeks")
    with pytest.raises(InvalidScenario, match="set whole to hours or days"):
        read(_half_hours([1, 2, 3]))


def test_rates_instead_of_counts(read):
    load = read(_half_hours([5, 7]), unit="requests_per_s")
    assert load.requests_per_s.tolist() == [5, 7]
    with pytest.raises(InvalidScenario, match="unit is 'rpm'"):
        read(_half_hours([5, 7]), unit="rpm")


@pytest.fixture
def parquet(tmp_path):
    def write_and_read(timestamps, requests, **more):
        path = tmp_path / "load.parquet"
        pd.DataFrame({"timestamp": timestamps, "requests": requests}).to_parquet(path)
        return load_from_parquet(path, **more)

    return write_and_read


HALF_HOURS = pd.date_range("2026-03-01", periods=4, freq="30min", tz="UTC")


@pytest.mark.parametrize(
    ("timestamps", "requests"),
    [
        (HALF_HOURS, [1800, 3600, 0, 900]),
        (HALF_HOURS.as_unit("ns"), np.array([1800, 3600, 0, 900], dtype=np.uint16)),
        (HALF_HOURS.as_unit("s"), [1800.0, 3600.0, 0.0, 900.0]),
        (HALF_HOURS.tz_convert("Europe/Berlin"), np.array([1800, 3600, 0, 900], dtype=np.float32)),
        (HALF_HOURS.strftime("%Y-%m-%dT%H:%M:%SZ"), [1800, 3600, 0, 900]),
        ([each.isoformat() for each in HALF_HOURS.tz_convert("Asia/Kolkata")], [1800, 3600, 0, 900]),
    ],
)
def test_parquet_equals_csv(read, parquet, timestamps, requests):
    load, same = parquet(timestamps, requests), read(_half_hours([1800, 3600, 0, 900]))
    assert load.fingerprint() == same.fingerprint()
    assert (load.name, load.notes) == ("load.parquet", ())


def test_parquet_without_a_zone_is_utc(parquet):
    load = parquet(HALF_HOURS.tz_localize(None), [1, 1, 1, 1])
    assert load.start == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert "load.parquet has timestamps without an offset; they are taken as UTC." in load.notes


def test_parquet_keeps_the_rules(parquet):
    holes = HALF_HOURS.delete([1])
    with pytest.raises(InvalidScenario, match=r"load\.parquet, row 2: 1 intervals of 1800 s are missing"):
        parquet(HALF_HOURS.append(HALF_HOURS + pd.Timedelta(hours=2)).delete([1]), [1.0] * 7)
    filled = parquet(HALF_HOURS.append(HALF_HOURS + pd.Timedelta(hours=2)).delete([1]), [2.0] * 7, gaps="interpolate")
    assert filled.requests == 16
    assert (
        parquet(holes[1:].append(holes[1:] + pd.Timedelta(hours=1)), [3, 3, 3, 3], unit="requests_per_s").requests
        == 21_600
    )
    assert parquet(HALF_HOURS[:3], [1, 1, 1], whole="hours").requests == pytest.approx(2)


@pytest.mark.parametrize(
    ("timestamps", "requests", "said"),
    [
        (HALF_HOURS[::-1], [1] * 4, r"row 2: 2026-03-01T01:00:00Z does not come after"),
        (HALF_HOURS[[0, 1, 1, 2]], [1] * 4, r"row 3: 2026-03-01T00:30:00Z does not come after"),
        (HALF_HOURS, [1, -5, 1, 1], "row 2: -5 requests"),
        (HALF_HOURS, [1, 1, np.inf, 1], "row 3: inf requests"),
        (HALF_HOURS, [1, None, 1, 1], "row 2: requests is empty"),
        (HALF_HOURS.where(HALF_HOURS[2] != HALF_HOURS), [1] * 4, "row 3: timestamp is empty"),
        (HALF_HOURS, ["1", "2", "3", "4"], "requests of load.parquet is of type"),
        ([1, 2, 3, 4], [1] * 4, "timestamp of load.parquet is of type int64"),
        (["2026-03-01T00:00Z", "noon", "x", "y"], [1] * 4, "row 2: 'noon' is not an ISO 8601 timestamp"),
        (HALF_HOURS[:1], [1], "1 rows"),
        (HALF_HOURS[:0], [], "0 rows"),
    ],
)
def test_broken_parquet(parquet, timestamps, requests, said):
    with pytest.raises(InvalidScenario, match=said) as caught:
        parquet(timestamps, requests)
    assert str(caught.value).endswith(".")


def test_parquet_files_that_are_none(tmp_path, parquet, monkeypatch):
    with pytest.raises(InvalidScenario, match="cannot be read"):
        load_from_parquet(tmp_path / "nowhere.parquet")
    with pytest.raises(InvalidScenario, match="cannot be read"):
        load_from_parquet(tmp_path)
    path = tmp_path / "text.parquet"
    path.write_text("timestamp,requests\n" * 10)
    with pytest.raises(InvalidScenario, match="is not a Parquet file"):
        load_from_parquet(path)
    path.write_bytes(b"")
    with pytest.raises(InvalidScenario, match="is not a Parquet file"):
        load_from_parquet(path)
    with pytest.raises(InvalidScenario, match=r"has the columns .*timestamp, requests.*'hits' once"):
        parquet(HALF_HOURS, [1] * 4, requests_column="hits")
    with pytest.raises(InvalidScenario, match="gaps is 'linear'"):
        parquet(HALF_HOURS, [1] * 4, gaps="linear")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InvalidScenario, match="pip install pyarrow"):
        load_from_parquet(path)
