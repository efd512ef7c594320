"""Access logs in the format that AWS documents, written by hand: counts, facts, gaps, and lines that are none."""

import datetime as dt
import gzip
import tracemalloc

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.workload.access_logs import load_from_access_logs

ALB = "app/my-loadbalancer/50dc6c495c0c9188"
TARGETS = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067"
CERT = '"arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"'
TRACE = '"Root=1-58337262-36d228ad5d99923122bbe354"'
# One of each kind of the documentation's examples: HTTP, HTTPS, HTTP/2, WebSocket, secured WebSocket, Lambda, a refused one.
KINDS = f"""\
http 2026-03-01T00:01:00.186641Z {ALB} 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - {TARGETS} {TRACE} "-" "-" 0 2026-03-01T00:01:00.184000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90
https 2026-03-01T00:01:10.186641Z {ALB} 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {TARGETS} {TRACE} "www.example.com" {CERT} 1 2026-03-01T00:01:10.015000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90
h2 2026-03-01T00:02:00.186641Z {ALB} 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 "GET https://10.0.2.105:773/ HTTP/2.0" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {TARGETS} {TRACE} "-" "-" 1 2026-03-01T00:02:00.184000Z "redirect" "https://example.com:80/" "-" "10.0.0.66:9000" "200" "-" "-" TID_1234abcd5678ef90
ws 2026-03-01T00:04:30.186641Z {ALB} 10.0.0.140:40914 10.0.1.192:8010 0.001 0.003 0.000 101 101 218 587 "GET http://10.0.0.30:80/ HTTP/1.1" "-" - - {TARGETS} {TRACE} "-" "-" 1 2026-03-01T00:00:20.364000Z "forward" "-" "-" "10.0.1.192:8010" "101" "-" "-" TID_1234abcd5678ef90
wss 2026-03-01T00:04:40.186641Z {ALB} 10.0.0.140:44244 10.0.0.171:8010 0.000 0.001 0.000 101 101 218 786 "GET https://10.0.0.30:443/ HTTP/1.1" "-" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {TARGETS} {TRACE} "-" "-" 1 2026-03-01T00:00:30.364000Z "forward" "-" "-" "10.0.0.171:8010" "101" "-" "-" TID_1234abcd5678ef90
http 2026-03-01T00:04:50.186641Z {ALB} 192.168.131.39:2817 - 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - {TARGETS} {TRACE} "-" "-" 0 2026-03-01T00:04:50.364000Z "forward" "-" "-" "-" "-" "-" "-" TID_1234abcd5678ef90
http 2026-03-01T00:04:59.999999Z {ALB} 192.168.131.39:2817 - -1 -1 -1 403 - 34 366 "GET http://www.example.com:80/?q=\\x22 a b HTTP/1.1" "curl/7.46.0" - - - {TRACE} "-" "-" 0 2026-03-01T00:04:59.364000Z "waf" "-" "-" "-" "-" "-" "-" TID_1234abcd5678ef90
"""  # noqa: E501


def line(time, took="0.010", alb=ALB, created=None, status="200", size_in=500, size_out=1500):
    return (
        f"https {time} {alb} 192.168.131.39:2817 10.0.0.1:80 0.000 {took} 0.000 {status} {status} {size_in} {size_out} "
        f'"GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {TARGETS} {TRACE} '
        f'"www.example.com" {CERT} 1 {created or time} "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90\n'
    )


def at(minute, second=30):
    return (dt.datetime(2026, 3, 1) + dt.timedelta(minutes=minute, seconds=second)).strftime(
        "%Y-%m-%dT%H:%M:%S.123456Z"
    )


def hour(minutes=range(60)):
    """One request a minute."""
    return "".join(line(at(minute)) for minute in minutes)


@pytest.fixture
def read(tmp_path):
    def write_and_read(*texts, **more):
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.log").write_text(text, newline="")
        return load_from_access_logs(tmp_path, **more)

    return write_and_read


def test_every_kind_of_line_that_is_documented(read):
    load, measured = read(KINDS + hour(range(5, 60)))
    counts = (load.requests_per_s * 60).round(9)
    # WebSockets count when they were opened, four minutes before their line was written.
    assert counts[:5].tolist() == [2, 2, 1, 0, 2]
    assert counts[5:].tolist() == [1] * 55
    assert (load.period_hours, load.name, load.start) == (1, "my-loadbalancer", dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    assert measured.requests == 62
    # (34 + 0 + 5 + 218 + 218 + 34 + 34 + 55 x 500) / 62 bytes, and (366 + 57 + 257 + 587 + 786 + 366 + 366 + 55 x 1500) / 62.
    assert measured.request_kb == pytest.approx(28.043 / 62)
    assert measured.response_kb == pytest.approx(85.285 / 62)
    assert measured.processed_kb == pytest.approx(113.328 / 62)
    # A Lambda function has no address but answers; only the one that the firewall refused reached nothing.
    assert measured.reached_target_share == pytest.approx(61 / 62)
    assert measured.status_shares == pytest.approx({"101": 2 / 62, "200": 59 / 62, "403": 1 / 62})
    # 1, 48, 2, 3, 1, 1 ms and 55 times 10 ms; -1 is no time.
    assert measured.mean_target_ms == pytest.approx((56 + 550) / 61)
    assert (measured.p50_target_ms, measured.p95_target_ms, measured.p99_target_ms) == (10, 10, 48)
    assert measured.requests_per_connection is None
    assert set(measured.request_fields()) == {"request_kb", "response_kb"}


def test_percentiles(read):
    lines = [line(at(i % 60), took=f"{(i + 1) / 1000:.3f}") for i in range(200)]
    _, measured = read("".join(lines))
    # 1 to 200 ms: the smallest that 100, 190 and 198 of them are not above.
    assert (measured.p50_target_ms, measured.p95_target_ms, measured.p99_target_ms) == (100, 190, 198)
    assert measured.mean_target_ms == pytest.approx(100.5)


def test_slow_requests_count_when_they_arrived(read):
    slow = line(at(30), took="95.123", created=at(28, 55))
    load, measured = read(hour() + slow)
    assert (load.requests_per_s * 60).round(9)[[28, 30]].tolist() == [2, 1]
    assert measured.p99_target_ms == 95_100  # from 10 s on kept to a tenth of a second
    # One that arrived before all logs is said, and not in the load.
    load, measured = read(hour() + line(at(3), took="900.000", created="2026-02-28T23:50:00.000000Z"))
    assert load.requests == pytest.approx(60)
    assert measured.requests == 61
    assert load.notes == ("1 requests arrived before the first log began, and are left out of the load.",)


def test_files_in_any_order_packed_or_not(read, tmp_path):
    lines = hour().splitlines(keepends=True)
    whole, _ = read("".join(lines))
    (tmp_path / "0.log").unlink()
    rng = np.random.default_rng(1)
    rng.shuffle(lines)
    inside = tmp_path / "AWSLogs" / "2026" / "03" / "01"
    inside.mkdir(parents=True)
    (inside / "b_20260301T0005Z_10.0.0.1_4zmb2wlc.log.gz").write_bytes(gzip.compress("".join(lines[:20]).encode()))
    (inside / "a_20260301T0010Z_10.0.0.2_1zza2wab.log.gz").write_bytes(gzip.compress("".join(lines[20:40]).encode()))
    (tmp_path / "c.log").write_text("".join(lines[40:]).rstrip("\n"))
    (tmp_path / "readme.txt").write_text("no log")
    load, measured = load_from_access_logs(tmp_path)
    assert load.fingerprint() == whole.fingerprint()
    named = load_from_access_logs([str(tmp_path / "c.log"), inside])
    assert named[0].fingerprint() == whole.fingerprint()
    assert measured.requests == 60


def test_steps(read):
    for step_s in (10, 20, 60, 200, 300, 600, 3600):
        load, _ = read(hour(), step_s=step_s)
        assert (load.step_s, load.period_hours) == (step_s, 1)
        assert load.requests == pytest.approx(60)
    load, _ = read(hour(), step_s=20)
    # All at second 30: the middle one of three.
    assert (load.requests_per_s[:6] * 20).round(9).tolist() == [0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(("gaps", "counts"), [("zero", 0), ("previous", 2), ("interpolate", None)])
def test_five_minutes_without_a_line_are_filled_by_a_named_rule(read, gaps, counts):
    # Two requests a minute until 00:20, nothing until 00:30, one a minute after it.
    text = hour(range(20)) + hour(range(20)) + hour(range(30, 60))
    with pytest.raises(
        InvalidScenario,
        match=r"2 of 12 times of five minutes have no line .* the first at 2026-03-01T00:20:00\+00:00: .* interpolate, previous, zero",
    ):
        read(text)
    load, _ = read(text, gaps=gaps)
    filled = (load.requests_per_s[20:30] * 60).round(9)
    np.testing.assert_allclose(filled, np.linspace(2, 1, 12)[1:-1] if counts is None else counts, atol=1e-8)
    assert "2 of 12 times of five minutes" in load.notes[0]
    assert load.notes[0].endswith(f"they are filled by {gaps}.")


def test_a_minute_without_a_line_is_no_gap(read):
    load, _ = read(hour(range(0, 60, 3)))
    assert load.requests == pytest.approx(20)
    assert load.notes == ()


def test_logs_that_fill_no_hour(read):
    text = hour(range(75))
    with pytest.raises(InvalidScenario, match=r"my-loadbalancer/50dc6c495c0c9188 covers 1\.25 hours"):
        read(text)
    load, measured = read(text, whole="hours")
    assert (load.requests, measured.requests) == (pytest.approx(60), 75)
    assert "(0.25 h, 15 requests) are cut, to whole hours." in load.notes[0]


def test_two_load_balancers(read):
    other = "app/other/0123456789abcdef"
    text = hour() + "".join(line(at(minute), alb=other) * 2 for minute in range(60))
    with pytest.raises(InvalidScenario, match=r"0\.log, line 61: the line is of 'app/other.*Give load_balancer"):
        read(text)
    with pytest.raises(InvalidScenario, match="line 61"):
        read(text, max_malformed_percent=100)
    assert read(text, load_balancer=ALB)[1].requests == 60
    assert read(text, load_balancer=other)[0].requests == pytest.approx(120)
    with pytest.raises(InvalidScenario, match="no line of app/none/0"):
        read(text, load_balancer="app/none/0")


@pytest.mark.parametrize(
    "bad",
    [
        "hello\n",
        line("2026-03-01T00:00"),
        line("2026-13-01T00:00:00.000000Z"),
        line("yesterday"),
        line("2026-03-01 00:00:00.000000Z"),
        line(at(1), size_in="many"),
        line(at(1), size_out="-"),
        line(at(1), took="soon"),
        line(at(1), status="OK"),
        line(at(1)).replace("https ", "tcp ", 1),
        line(at(1))[:90],
        line(at(1)).replace('"', "'"),
        line(at(1)).replace(" ", ","),
        "type time elb client:port target:port\n",
    ],
)
def test_lines_that_are_none(read, bad):
    with pytest.raises(InvalidScenario, match=r"0\.log, line 61: .* is no access log line") as caught:
        read(hour() + bad)
    assert str(caught.value).endswith("max_malformed_percent.")
    load, measured = read(hour() + bad, max_malformed_percent=2)
    assert (load.requests, measured.requests) == (pytest.approx(60), 60)
    assert load.notes[0].startswith("1 lines are passed over, the first: ")
    with pytest.raises(
        InvalidScenario, match=r"1 of 61 lines are no access log lines, more than 1 %; the first: .*line 61"
    ):
        read(hour() + bad, max_malformed_percent=1)


def test_empty_lines_and_windows_ends_are_nothing(read):
    assert read(hour().replace("\n", "\r\n\r\n"))[1].requests == 60


def test_files_that_are_none(tmp_path):
    with pytest.raises(InvalidScenario, match="are not there"):
        load_from_access_logs(tmp_path / "nowhere")
    with pytest.raises(InvalidScenario, match=r"no file \*\.log or \*\.log\.gz"):
        load_from_access_logs(tmp_path)
    (tmp_path / "empty.log").touch()
    with pytest.raises(InvalidScenario, match="have no line"):
        load_from_access_logs(tmp_path)
    packed = gzip.compress(hour().encode())
    (tmp_path / "half.log.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InvalidScenario, match=r"half\.log\.gz is damaged"):
        load_from_access_logs(tmp_path)
    (tmp_path / "half.log.gz").write_bytes(packed)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "half.log").write_text(hour())
    with pytest.raises(InvalidScenario, match="same log file; its requests would count twice"):
        load_from_access_logs(tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"step_s": 15}, "step_s is 15"),
        ({"step_s": 7200}, "step_s is 7200"),
        ({"step_s": 70}, "step_s is 70"),
        ({"gaps": "linear"}, "gaps is 'linear'"),
        ({"whole": "weeks"}, "whole is 'weeks'"),
        ({"max_malformed_percent": -1}, "max_malformed_percent is -1"),
    ],
)
def test_questions_that_are_none(read, more, said):
    with pytest.raises(InvalidScenario, match=said):
        read(hour(), **more)


def test_a_span_that_is_none(read):
    with pytest.raises(InvalidScenario, match="Read them in parts"):
        read(hour() + line("2036-03-01T00:00:00.000000Z"), gaps="zero")


def test_memory_does_not_grow_with_the_lines(tmp_path):
    path = tmp_path / "a.log"

    def peak(times):
        with path.open("w") as file:
            for _ in range(times):
                file.write(hour())
        tracemalloc.start()
        load_from_access_logs(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(10), peak(200)  # 600 and 12,000 lines, 0.4 and 8 MB
    assert many < few + 500_000
