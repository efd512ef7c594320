"""What a link carries, and what a stranger's link cannot do."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.ui import link, uploads
from estimator.ui.uploads import FILE_NAME, FileWanted, Upload
from estimator.units import data_path

PLAIN = {
    "region": "eu-west-1",
    "load": {"kind": "constant", "requests_per_s": 5},
    "request": {"cpu_ms_per_request": 9},
}
CSV = PLAIN | {"load": {"kind": "csv", "path": FILE_NAME, "gaps": "zero"}}
BEGIN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
ROWS = "\n".join(
    ["timestamp,requests", *(f"{(BEGIN + dt.timedelta(hours=h)).isoformat()},{36_000 + 360 * h}" for h in range(24))]
).encode()
SHA = hashlib.sha256(ROWS).hexdigest()
FILE = {"name": "march.csv", "requests": 963_360, "peak_requests_per_s": 12.3, "sha256": SHA}


@pytest.fixture
def state(monkeypatch) -> Iterator[dict]:
    """The state of a session, without a page."""
    state: dict = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def _given(state, scenario, file=None) -> None:
    for key, values in (("link", scenario), ("link.file", file)):
        if values is not None:
            state[key] = values if isinstance(values, str) else json.dumps(values)


def _bomb() -> str:
    """YAML in which nine names make a thousand million."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        (json.dumps(PLAIN)[:-4], "not valid JSON"),
        (_bomb(), "not valid JSON"),
        ("[" * 7000, "not valid JSON"),
        ('{"a":' * 1300 + "1" + "}" * 1300, "The link"),
        ("1" * 6000, "not valid JSON"),
        ("x" * 8001, "8,001 characters; at most 8,000"),
        ("null", "must be a mapping"),
        ('"region"', "must be a mapping"),
        ([PLAIN], "must be a mapping"),
        ({"region": "eu-west-1"}, "load"),
        ({f"k{i}": i for i in range(700)}, "The link"),
        ('{"region": "eu-west-1", "region": "us-east-1"}', "stands twice"),
        (PLAIN | {"region": {"a": 1}}, "region"),
        (PLAIN | {"region": "../../etc"}, "region"),
        (PLAIN | {"load": {"kind": "constant", "requests_per_s": "many"}}, "requests_per_s"),
        (PLAIN | {"load": {"kind": "constant", "requests_per_s": -1}}, "requests_per_s"),
        ('{"region": "eu-west-1", "load": {"kind": "constant", "requests_per_s": NaN}}', "not valid JSON"),
        (json.dumps(PLAIN).replace("5}", "1e999}"), "requests_per_s"),
        (
            PLAIN | {"load": {"kind": "daily", "peak_requests_per_s": 9, "trough_requests_per_s": 1, "repeat": 10**9}},
            "repeat",
        ),
        (PLAIN | {"prices": {"overrides": "/etc/passwd"}}, "cannot carry a file"),
        *(
            (
                PLAIN | {"load": {"kind": kind, "path": "/etc/passwd"}},
                f"load of kind {kind}, and a link cannot carry a file",
            )
            for kind in ("csv", "parquet", "access_logs")
        ),
        (CSV, "load of kind csv, and a link cannot carry a file"),
    ],
)
def test_a_bad_link_is_one_sentence_at_once(state, scenario, said):
    _given(state, scenario)
    begun = time.monotonic()
    with pytest.raises(InvalidScenario) as raised:
        link.read()
    assert said in str(raised.value)
    assert len(str(raised.value)) < 600
    assert time.monotonic() - begun < 2


def test_no_other_file_of_the_server_is_read(state):
    # Even beside a file that was dropped, only what was dropped is read.
    for path in ("/etc/passwd", "../requests.csv", "examples/booking-week.csv"):
        _given(state, PLAIN | {"load": {"kind": "csv", "path": path}}, FILE)
        with pytest.raises(InvalidScenario, match="cannot carry a file"):
            link.read()


@pytest.mark.parametrize(
    "file",
    [
        "",
        "{",
        "[]",
        "7",
        {},
        FILE | {"sha256": "../../etc/passwd"},
        FILE | {"sha256": 7},
        FILE | {"name": ["march.csv"]},
        FILE | {"requests": "many"},
        FILE | {"requests": None},
        "x" * 8001,
    ],
)
def test_a_link_that_does_not_name_its_file_is_a_sentence(state, file):
    _given(state, CSV, file)
    with pytest.raises(InvalidScenario, match="The link"):
        link.file_of(link.read())


def test_the_file_of_a_link_is_asked_for_and_checked(state, monkeypatch):
    _given(state, CSV, FILE | {"name": "../a/march.csv"})
    held: list[Upload | None] = [None, Upload.of("other.csv", ROWS + b"\n"), Upload.of("copy.csv", ROWS)]
    monkeypatch.setattr(uploads, "drop", lambda _: held.pop(0))
    scenario = link.read()
    with pytest.raises(FileWanted, match=r"in the file march\.csv \(963,360 requests, 12\.3 requests/s at the peak\)"):
        link.file_of(scenario)
    with pytest.raises(FileWanted, match=r"other\.csv is not the file of this link"):
        link.file_of(scenario)
    upload = link.file_of(scenario)
    assert upload is not None
    assert scenario.load.profile(upload.folder).requests == pytest.approx(963_360)


def test_a_link_carries_of_a_file_its_name_totals_and_fingerprint():
    upload = Upload.of("march.csv", ROWS)
    address = link.write(Scenario.from_dict(CSV), upload)
    assert address is not None
    query = parse_qs(urlsplit(address).query)
    assert json.loads(query["file"][0]) == FILE
    assert Scenario.from_dict(json.loads(query["scenario"][0])) == Scenario.from_dict(CSV)
    # Rows stay here, and so does where they lie.
    assert "36360" not in address
    assert str(upload.folder) not in address
    assert link.write(Scenario.from_dict(CSV)) is None


def test_a_link_carries_what_is_not_known_exactly():
    values = PLAIN | {"request": {"cpu_ms_per_request": {"low": 6, "likely": 9, "high": 20}}}
    scenario = Scenario.from_dict(values)
    address = link.write(scenario)
    assert address is not None
    again = Scenario.from_text(parse_qs(urlsplit(address).query)["scenario"][0])
    assert again.intervals == scenario.intervals
    assert len(again.intervals) == 1


def test_a_link_has_at_most_8_kb():
    events = [{"start": h, "rise_s": 60, "hold_s": 60, "decay_s": 60, "factor": 1.5} for h in range(10)]
    short = PLAIN | {"load": PLAIN["load"] | {"events": events}}
    address = link.write(Scenario.from_dict(short))
    assert address is not None
    assert len(address.encode()) <= 8000
    assert Scenario.from_text(parse_qs(urlsplit(address).query)["scenario"][0]) == Scenario.from_dict(short)
    long = PLAIN | {"load": PLAIN["load"] | {"events": events * 20}}
    assert link.write(Scenario.from_dict(long)) is None


def test_a_dropped_file_lies_where_its_name_does_not_say(monkeypatch):
    upload = Upload.of("..\\../../tmp/evil\x00\n.csv", ROWS)
    assert upload.name == "evil.csv"
    assert upload.folder.name == SHA
    assert Path(upload.folder, FILE_NAME).read_bytes() == ROWS
    assert upload.folder.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(uploads, "MAX_UPLOAD_MB", 0.0001)
    with pytest.raises(InvalidScenario, match="larger than"):
        Upload.of("march.csv", ROWS)


def test_few_files_are_kept_and_one_that_went_comes_back():
    first = Upload.of("first.csv", ROWS + b"\n\n")
    folder = first.folder
    for i in range(uploads._MOST_FILES):
        assert Upload.of("more.csv", ROWS + b"\n" * (3 + i)).folder.is_dir()
    assert len(list(folder.parent.iterdir())) <= uploads._MOST_FILES
    assert not folder.exists()
    stamp = (first.folder / FILE_NAME).stat().st_mtime_ns
    assert stamp == 1
    assert (folder / FILE_NAME).read_bytes() == ROWS + b"\n\n"


@pytest.mark.slow
def test_a_bad_link_on_the_page_leaves_a_way_out():
    page = AppTest.from_file(str(data_path("app_streamlit.py")), default_timeout=120)
    page.query_params["scenario"] = json.dumps(PLAIN | {"region": "eu-west-9"})
    page.run()
    assert not page.exception
    assert [error.value for error in page.error] != []
    assert "eu-west-9" in page.error[0].value
    (start,) = [box for box in page.selectbox if box.label == "Start from"]
    start.select("article-web-server").run()
    assert not page.error
    assert page.metric
