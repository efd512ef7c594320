"""Downloads from a real server: asked for again only if changed, resumed where cut off, and each failure in one sentence."""

import gzip
import hashlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from estimator.errors import PriceListUnavailable, PriceListUnreachable
from estimator.pricing import downloads as module
from estimator.pricing.downloads import Cancelled, Downloads, Once, absolute_url
from tests.pricing.files_server import files_server

PATH = "/offers/v1.0/aws/AmazonECS/current/eu-west-1/index.json"
CONTENT = {"version": "20260911", "noise": [hashlib.sha256(bytes([i])).hexdigest() for i in range(250)]}
BODY = json.dumps(CONTENT).encode()


@pytest.fixture
def server():
    with files_server() as running:
        yield running


@pytest.fixture
def waits():
    return []


@pytest.fixture
def downloads(tmp_path, waits):
    with Downloads(tmp_path / "downloads", waits.append) as made:
        yield made


class Reader:
    """Takes the version, and remembers how often it was asked to."""

    def __init__(self):
        self.calls = 0

    def __call__(self, file):
        self.calls += 1
        return json.loads(file.read())["version"]


def read(downloads, server, key="versions", reader=None):
    return downloads.read(server.url + PATH, key, reader or Reader(), str)


def left(tmp_path, suffix=".part"):
    return sorted(path.name for path in (tmp_path / "downloads").iterdir() if suffix in path.name)


def part(tmp_path, server, body, etag='"v1"', total=None):
    """What a killed run leaves behind."""
    folder = tmp_path / "downloads"
    folder.mkdir(exist_ok=True)
    url = server.url + PATH
    name = hashlib.sha256(url.encode()).hexdigest()
    (folder / f"{name}.part").write_bytes(body)
    notes = {"url": url, "etag": etag, "total": total or len(BODY)}
    (folder / f"{name}.part.json").write_text(json.dumps(notes))


def test_an_unchanged_file_is_not_downloaded_again(server, tmp_path):
    server.put(PATH, BODY)
    for status, received in ((200, len(BODY)), (304, 0)):
        reader = Reader()
        with Downloads(tmp_path / "downloads") as downloads:
            assert read(downloads, server, reader=reader) == "20260911"
            assert (downloads.requests, downloads.received_bytes) == (1, received)
        assert (reader.calls, server.log[-1].status) == (int(status == 200), status)
    assert left(tmp_path) == []
    assert server.log[-1].headers["User-Agent"].startswith("fargate-estimator/")
    assert server.log[-1].headers["Accept-Encoding"] == "gzip"


def test_last_modified_stands_in_for_a_missing_etag(server, downloads):
    server.put(PATH, BODY, etag=None, last_modified="Fri, 11 Sep 2026 12:00:00 GMT")
    assert [read(downloads, server), read(downloads, server)] == ["20260911"] * 2
    assert server.statuses(PATH) == [200, 304]


def test_another_question_and_a_changed_file_are_downloaded(server, downloads):
    server.put(PATH, BODY)
    read(downloads, server)
    read(downloads, server, key="other")
    server.put(PATH, {"version": "20261001"}, etag='"v2"')
    assert read(downloads, server) == "20261001"
    assert server.statuses(PATH) == [200, 200, 200]
    assert read(downloads, server) == "20261001"
    assert server.statuses(PATH)[-1] == 304


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("20260911", "20260912"),
        lambda _: "[]",
        lambda _: "",
    ],
)
def test_a_damaged_extract_is_fetched_again(server, downloads, tmp_path, damage):
    server.put(PATH, BODY)
    read(downloads, server)
    (extract,) = (tmp_path / "downloads").glob("*.json")
    extract.write_text(damage(extract.read_text()))
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200, 200]


def test_an_extract_of_another_shape_is_fetched_again(server, downloads):
    server.put(PATH, BODY)
    read(downloads, server)
    assert downloads.read(server.url + PATH, "versions", lambda file: len(file.read()), int) == len(BODY)
    assert server.statuses(PATH) == [200, 200]


@pytest.mark.parametrize("header", [{}, {"Content-Encoding": "gzip"}])
def test_gzip_is_known_by_its_bytes(server, downloads, header):
    body = gzip.compress(BODY)
    server.put(PATH, body, headers=header)
    assert read(downloads, server) == "20260911"
    assert downloads.received_bytes == len(body)


def test_a_header_that_wrongly_says_gzip_does_no_harm(server, downloads):
    server.put(PATH, BODY, headers={"Content-Encoding": "gzip"})
    assert read(downloads, server) == "20260911"


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_cut_connection_is_resumed(server, downloads, tmp_path, waits, compress):
    body = compress(BODY)
    server.put(PATH, body, faults=[("cut", 1000), ("cut", 2000)])
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200, 206, 206]
    assert [server.log[i].headers.get("Range") for i in range(3)] == [None, "bytes=1000-", "bytes=3000-"]
    assert downloads.received_bytes == len(body)
    assert waits == [0.5, 1.0]
    assert left(tmp_path) == []


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
def test_without_a_strong_etag_a_cut_file_starts_anew(server, downloads, etag):
    server.put(PATH, BODY, etag=etag, faults=[("cut", 1000)])
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200, 200]
    assert "Range" not in server.log[-1].headers


def test_a_server_without_ranges_sends_the_file_anew(server, downloads):
    server.put(PATH, BODY, takes_ranges=False, faults=[("cut", 1000)])
    assert read(downloads, server) == "20260911"
    assert server.log[-1].headers["Range"] == "bytes=1000-"
    assert server.statuses(PATH) == [200, 200]


@pytest.mark.parametrize(
    "wrong", ["bytes 999-17000/17001", "bytes 1000-17000/99999", "bytes */17001", "1000-17000/17001", ""]
)
def test_a_rest_that_does_not_fit_is_thrown_away(server, downloads, wrong):
    server.put(PATH, BODY, faults=[("cut", 1000)], headers={"Content-Range": wrong})
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200, 206, 200]


def test_a_file_that_changed_between_attempts_is_not_mixed(server, downloads, tmp_path):
    part(tmp_path, server, b"x" * 500, etag='"old"')
    server.put(PATH, BODY)
    assert read(downloads, server) == "20260911"
    assert server.log[0].headers["If-Range"] == '"old"'
    assert server.statuses(PATH) == [200]


def test_a_rest_that_comes_in_parts_is_put_together(server, downloads):
    server.put(PATH, BODY, longest_range=len(BODY) // 2, faults=[("cut", 1000)])
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200, 206, 206]


def test_a_server_that_would_mix_two_files_is_found_out(server, downloads, tmp_path):
    part(tmp_path, server, b"x" * 500, etag='"old"')
    server.put(PATH, BODY, checks_if_range=False)
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [206, 200]


def test_a_leftover_of_a_file_that_did_not_change_after_all_is_removed(server, downloads, tmp_path):
    server.put(PATH, BODY)
    read(downloads, server)
    (extract,) = left(tmp_path, ".json")
    part(tmp_path, server, b"x" * 500, etag='"other"')
    assert read(downloads, server) == "20260911"
    assert (server.statuses(PATH), left(tmp_path, "")) == ([200, 304], [extract])


def test_a_later_run_continues_what_a_killed_one_began(server, downloads, tmp_path):
    part(tmp_path, server, BODY[:5000])
    server.put(PATH, BODY)
    assert read(downloads, server) == "20260911"
    assert (server.statuses(PATH), downloads.received_bytes) == ([206], len(BODY) - 5000)
    assert left(tmp_path) == []


def test_a_leftover_as_long_as_the_file_starts_anew(server, downloads, tmp_path):
    part(tmp_path, server, BODY)
    server.put(PATH, BODY)
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [416, 200]


def test_a_leftover_without_notes_starts_anew(server, downloads, tmp_path):
    part(tmp_path, server, BODY[:5000])
    for notes in (tmp_path / "downloads").glob("*.part.json"):
        notes.write_text("{")
    server.put(PATH, BODY)
    assert read(downloads, server) == "20260911"
    assert server.statuses(PATH) == [200]


def test_a_file_that_is_cut_off_every_time_says_how_far_it_came(server, downloads, tmp_path):
    server.put(PATH, BODY, faults=[("cut", 1000)] * 4)
    with pytest.raises(PriceListUnavailable, match=f"was cut off after 4,000 of {len(BODY):,} bytes, in 4 attempts"):
        read(downloads, server)
    assert len(left(tmp_path)) == 2
    assert read(downloads, server) == "20260911"
    assert server.log[-1].headers["Range"] == "bytes=4000-"


def test_what_cannot_be_continued_is_not_left_behind(server, downloads, tmp_path):
    server.put(PATH, BODY, etag=None, faults=[("cut", 1000)] * 4)
    with pytest.raises(PriceListUnavailable, match="cut off after 1,000 of"):
        read(downloads, server)
    assert left(tmp_path) == []


def test_passing_errors_are_tried_again(server, downloads, waits):
    server.put(PATH, BODY, faults=[500, 503, 429])
    assert read(downloads, server) == "20260911"
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [("7", 7.0), ("86400", 30.0), ("Wed, 21 Oct 2065 07:28:00 GMT", 30.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.5)],
)
def test_the_server_says_how_long_to_wait(server, downloads, waits, retry_after, wait):
    server.put(PATH, BODY, faults=[503], headers={"Retry-After": retry_after})
    read(downloads, server)
    assert waits == [wait]


@pytest.mark.parametrize(
    ("status", "requests", "words"),
    [
        (500, 4, "answered 500, in 4 attempts. Try again later"),
        (403, 1, "answered 403: access denied"),
        (404, 1, "answered 404: nothing is published there"),
        (418, 1, "answered 418; a price file must be answered with 200"),
        (304, 1, "answered 304; a price file"),
    ],
)
def test_a_refusal_is_one_sentence(server, downloads, status, requests, words):
    server.put(PATH, BODY, faults=[status] * 4)
    with pytest.raises(PriceListUnavailable, match=words) as caught:
        read(downloads, server)
    # The others may be had.
    assert not isinstance(caught.value, PriceListUnreachable)
    assert PATH in str(caught.value)
    assert downloads.requests == requests


def test_a_host_that_cannot_be_reached(downloads):
    with pytest.raises(
        PriceListUnreachable, match=r"127\.0\.0\.1:9 cannot be reached .* in 4 attempts\. Try again later"
    ):
        downloads.read("http://127.0.0.1:9/x.json", "", Reader(), str)


def test_a_redirection_to_a_host_that_cannot_be_reached_names_it(server, downloads):
    server.put(PATH, BODY, faults=[302] * 4, headers={"Location": "http://127.0.0.1:9/x"})
    with pytest.raises(PriceListUnreachable, match=rf"^127\.0\.0\.1:9 cannot be reached for {server.url}"):
        read(downloads, server)


def test_a_host_that_hangs_up_was_reached(server, downloads):
    server.put(PATH, BODY, faults=["hang up"] * 4)
    with pytest.raises(PriceListUnavailable, match="cannot be reached") as caught:
        read(downloads, server)
    assert not isinstance(caught.value, PriceListUnreachable)
    assert read(downloads, server) == "20260911"


NO_ADDRESS = {
    "ftp://mirror.example/x.json": "it must begin with https:// or http://",
    "mirror": "it must begin with https:// or http://",
    "http://[::1": "its host cannot be read",
    "http://": "it names no host",
    "https:///x": "it names no host",
    "http://mirror.example:abc": "its port must be a number from 1 to 65535",
    "http://mirror.example:99999": "its port must be a number from 1 to 65535",
    "http://mirror.example:0": "its port must be a number from 1 to 65535",
    "http://ex\u2025ample": "Invalid IDNA hostname: 'ex\u2025ample'",
    "http://a..b": "its host is not a name",
    "http://" + "a" * 300: "its host is not a name",
    "http://mirror.example/\n": "Invalid non-printable ASCII character in URL",
}


@pytest.mark.parametrize(("url", "fault"), NO_ADDRESS.items())
def test_an_address_that_is_none(downloads, waits, url, fault):
    for ask in (lambda: downloads.read(url, "", Reader(), str), lambda: absolute_url(url, "/index.json")):
        with pytest.raises(PriceListUnreachable) as caught:
            ask()
        assert str(caught.value).startswith(f"{url} is not an address that can be asked: {fault}")
        assert not str(caught.value).endswith("..")
    assert (waits, downloads.requests) == ([], 0)


@pytest.mark.parametrize("url", ["http://[oops", "//[oops/x.json", "https://mirror.example:x/a", "https://", "/x\0"])
def test_an_index_that_names_no_address(url):
    with pytest.raises(
        PriceListUnavailable, match=r"price index of https://mirror\.example sends to .*not an address"
    ) as caught:
        absolute_url("https://mirror.example", url)
    # Other files can still be asked for.
    assert not isinstance(caught.value, PriceListUnreachable)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (PATH, "is redirected in a circle. Check"),
        ("http://[::1", "is redirected to an address that cannot be asked"),
        ("http://mirror.example:abc/", "is redirected to an address that cannot be asked"),
        ("ftp://mirror.example/", "is redirected to an address that cannot be asked"),
    ],
)
def test_a_redirection_that_leads_nowhere(server, downloads, waits, location, words):
    server.put(PATH, BODY, faults=[302] * 30, headers={"Location": location})
    with pytest.raises(PriceListUnavailable, match=words) as caught:
        read(downloads, server)
    assert str(caught.value).startswith(server.url + PATH)
    assert ".." not in str(caught.value)
    assert waits == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080", "proxy that ALL_PROXY names cannot be used"),
        ("HTTPS_PROXY", "foo://bar", "proxy that HTTPS_PROXY names cannot be used"),
        ("https_proxy", "foo://me:hunter2@bar", "proxy that https_proxy names cannot be used"),
        ("HTTPS_PROXY", "proxy:abc", "proxy that HTTPS_PROXY names cannot be used"),
        (
            "SSL_CERT_FILE",
            "/nope.pem",
            "certificates that SSL_CERT_FILE names cannot be read (No such file or directory)",
        ),
        ("SSL_CERT_FILE", __file__, "certificates that SSL_CERT_FILE names cannot be read"),
    ],
)
def test_settings_of_the_environment_that_cannot_be_used(server, downloads, monkeypatch, variable, value, words):
    for name in module.PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    server.put(PATH, BODY)
    monkeypatch.setenv(variable, value)
    with pytest.raises(PriceListUnreachable) as caught:
        read(downloads, server)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.delenv(variable)
    assert read(downloads, server) == "20260911"


def test_a_proxy_without_a_host(downloads, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://[oops")
    with pytest.raises(PriceListUnavailable):
        downloads.read("http://mirror.example/x.json", "", Reader(), str)


@pytest.mark.parametrize("deep", [b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000 + b"1" + b"}" * 200_000])
def test_depth_without_end(server, downloads, deep):
    class Known(msgspec.Struct):
        version: str

    server.put(PATH, b'{"version": "1", "ignored": ' + deep + b"}")
    with pytest.raises(PriceListUnavailable, match="not the JSON of a price file \\(it is nested too deep\\)"):
        downloads.read(server.url + PATH, "", lambda file: msgspec.json.decode(file.read(), type=Known).version, str)


@pytest.mark.parametrize("etag", ['"\u00e9"', "\u00e9"])
def test_an_etag_that_cannot_be_sent_back_is_none(server, downloads, etag):
    server.put(PATH, BODY, etag=etag, faults=[("cut", 1000)])
    assert [read(downloads, server), read(downloads, server)] == ["20260911"] * 2
    assert server.statuses(PATH) == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (gzip.compress(BODY)[:-20], "damaged gzip file"),
        (gzip.compress(BODY)[:-8] + b"\0" * 8, "damaged gzip file"),
        (b"\x1f\x8b" + b"?" * 100, "damaged gzip file"),
        (BODY[:-20], "not the JSON of a price file"),
        (b"<html>Please log in</html>", "not the JSON of a price file"),
        (b"", "not the JSON of a price file"),
    ],
)
def test_a_damaged_body_is_an_error_and_the_next_run_starts_anew(server, downloads, tmp_path, body, words):
    server.put(PATH, body)
    with pytest.raises(PriceListUnavailable, match=words) as caught:
        read(downloads, server)
    assert PATH in str(caught.value)
    assert left(tmp_path, "") == []
    server.put(PATH, BODY)
    assert read(downloads, server) == "20260911"
    assert "Range" not in server.log[-1].headers


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    server.put(PATH, BODY)
    with (
        Downloads(tmp_path / "file" / "downloads") as downloads,
        pytest.raises(PriceListUnavailable, match=r"cannot be kept in .* ESTIMATOR_PRICES_FOLDER"),
    ):
        read(downloads, server)


def test_a_disk_that_is_full(server, downloads):
    server.put(PATH, BODY)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(PriceListUnavailable, match=r"cannot be kept in .*: File too large. Free space"):
            read(downloads, server)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read(downloads, server) == "20260911"


def test_two_threads_do_not_write_the_same_body(server, downloads):
    server.put(PATH, BODY)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: read(downloads, server, key=str(key % 4)), range(32)))
    assert answers == ["20260911"] * 32
    assert server.statuses(PATH).count(200) == 4
    assert downloads.requests == 32
    assert downloads.received_bytes == 4 * len(BODY)


PROCESS = """
import json, sys
from pathlib import Path
from estimator.pricing.downloads import Downloads
url, folder = sys.argv[1:]
with Downloads(Path(folder)) as downloads:
    print(downloads.read(url, "versions", lambda file: json.loads(file.read())["version"], str))
"""


def test_processes_share_the_folder(server, tmp_path):
    hold = threading.Event()
    server.put(PATH, BODY, hold=hold)
    command = [sys.executable, "-c", PROCESS, server.url + PATH, str(tmp_path / "downloads")]
    processes = []
    for number in range(1, 5):
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        # Each begins while those before it download.
        while len(server.statuses(PATH)) < number and processes[-1].poll() is None:
            time.sleep(0.01)
    hold.set()
    assert [process.communicate(timeout=60) for process in processes] == [("20260911\n", "")] * 4
    assert server.statuses(PATH) == [200] * 4
    assert len(left(tmp_path, "")) == 1
    with Downloads(tmp_path / "downloads") as downloads:
        assert read(downloads, server) == "20260911"
    assert server.statuses(PATH)[-1] == 304


def test_who_does_not_hold_the_lock_begins_anew_and_leaves_nothing(server, tmp_path, downloads):
    part(tmp_path, server, BODY[:5000])
    held = left(tmp_path)
    server.put(PATH, BODY, faults=[("cut", 100)] * 4)
    with module._part_of(tmp_path / "downloads", server.url + PATH) as mine:
        assert mine.size() == 5000
        with pytest.raises(PriceListUnavailable, match="cut off after 400 of"):
            read(downloads, server)
        assert read(downloads, server) == "20260911"
        assert [name for name in left(tmp_path) if ".lock" not in name] == held
    assert read(downloads, server, key="other") == "20260911"
    assert left(tmp_path) == []


def test_readers_that_changed_read_anew(server, downloads, monkeypatch):
    server.put(PATH, BODY)
    read(downloads, server)
    monkeypatch.setattr(module, "EXTRACT_FORMAT", module.EXTRACT_FORMAT + 1)
    assert [read(downloads, server), read(downloads, server)] == ["20260911"] * 2
    assert server.statuses(PATH) == [200, 200, 304]


@pytest.fixture
def stopping(tmp_path):
    stopped = threading.Event()
    with Downloads(tmp_path / "downloads", cancelled=stopped) as made:
        yield made, stopped


def stop_when(stopped, begun):
    def wait():
        while not begun():
            time.sleep(0.01)
        stopped.set()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_stopped_before_it_began(server, stopping):
    downloads, stopped = stopping
    server.put(PATH, BODY)
    stopped.set()
    with pytest.raises(Cancelled, match=r"^The refresh was stopped\.$"):
        read(downloads, server)
    assert server.log == []


def test_a_wait_ends_when_it_is_stopped(server, stopping):
    downloads, stopped = stopping
    server.put(PATH, BODY, faults=[503] * 4, headers={"Retry-After": "30"})
    begin = time.monotonic()
    stop_when(stopped, lambda: server.statuses(PATH))
    with pytest.raises(Cancelled):
        read(downloads, server)
    assert time.monotonic() - begin < 5
    assert server.statuses(PATH) == [503]


def test_a_download_ends_when_it_is_stopped_and_a_later_run_continues_it(server, stopping, tmp_path):
    downloads, stopped = stopping
    page = server.put(PATH, BODY, bytes_per_s=4000)
    begin = time.monotonic()
    stop_when(stopped, lambda: downloads.received_bytes)
    with pytest.raises(Cancelled):
        read(downloads, server)
    assert time.monotonic() - begin < 4
    page.bytes_per_s = None
    with Downloads(tmp_path / "downloads") as later:
        assert read(later, server) == "20260911"
    assert server.statuses(PATH) == [200, 206]


def test_closed_while_it_downloads_is_stopped_too(server, tmp_path):
    stopped = threading.Event()
    downloads = Downloads(tmp_path / "downloads", cancelled=stopped)
    server.put(PATH, BODY, bytes_per_s=4000)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(read, downloads, server)
        stop_when(stopped, lambda: downloads.received_bytes).join()
        downloads.close()
        with pytest.raises(Cancelled):
            future.result()


def test_what_is_long_out_of_use_is_removed(server, tmp_path):
    server.put(PATH, BODY)
    with Downloads(tmp_path / "downloads") as downloads:
        read(downloads, server)
        (extract,) = (tmp_path / "downloads").glob("*.json")
        old = tmp_path / "downloads" / "old.part"
        old.write_bytes(b"")
        long_ago = time.time() - 91 * 86_400
        os.utime(old, (long_ago, long_ago))
        os.utime(extract, (long_ago, long_ago))
        read(downloads, server)
    assert left(tmp_path, "") == [extract.name]


def test_once_means_once_also_for_a_failure():
    once, calls, begin = Once(), [], threading.Barrier(8)

    def fail():
        calls.append(1)
        time.sleep(0.02)
        raise PriceListUnavailable("no")

    def ask(_):
        begin.wait()
        with pytest.raises(PriceListUnavailable, match="no"):
            once.get("key", fail)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(calls) == 1
    assert once.get("other", lambda: 5) == 5


def test_an_index_may_not_send_to_another_server():
    base = "https://pricing.us-east-1.amazonaws.com"
    assert (
        absolute_url(base, "/offers/x.json") == absolute_url(base, base + "/offers/x.json") == base + "/offers/x.json"
    )
    for other in ("https://evil.example/x.json", "http://pricing.us-east-1.amazonaws.com/x.json", "//evil.example/x"):
        with pytest.raises(PriceListUnavailable, match="another server"):
            absolute_url(base, other)


def test_the_tests_speak_real_http(server):
    server.put(PATH, BODY)
    assert httpx.get(server.url + PATH).content == BODY
