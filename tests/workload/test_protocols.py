"""Protocols: fields of a request that fit it, whose figures are what their reasoning says."""

from dataclasses import fields

import pytest

from estimator.billing.lcu import lcu_hours
from estimator.errors import InvalidScenario
from estimator.workload.profile import LoadProfile
from estimator.workload.protocols import PROTOCOLS, protocol_fields
from estimator.workload.request import Request, Workload


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_row_makes_a_request_and_says_why(name):
    row = PROTOCOLS[name]
    given = protocol_fields(name)
    request = Request(cpu_ms_per_request=5, **given)
    assert {field: getattr(request, field) for field in given} == given
    assert given.keys() <= {item.name for item in fields(Request)}
    # CPU time, waiting and memory are of the application, not of a protocol.
    assert not [field for field in given if field.startswith(("cpu_", "wait_", "memory_", "baseline_"))]
    assert row.title
    assert row.why.endswith(".")
    assert "read 20" in row.source


def test_the_protocols_that_a_scenario_may_name():
    assert list(PROTOCOLS) == ["http1", "http2", "grpc", "websocket", "sse"]


def test_changing_what_was_returned_changes_no_row():
    protocol_fields("http2")["connection_s"] = 1.0
    assert protocol_fields("http2")["connection_s"] == 60


def test_own_figures_go_over_those_of_the_protocol():
    work = Workload(LoadProfile.constant(1), cpu_ms_per_request=5, **protocol_fields("grpc") | {"connection_s": 600})
    assert (work.requests_per_connection, work.connection_s) == (3600, 600)


@pytest.mark.parametrize("name", ["http3", "HTTP2", "", None, 2, ["http1"], True])
def test_a_protocol_that_is_none(name):
    with pytest.raises(InvalidScenario, match=r"protocol is .*must be one of http1, http2, grpc, websocket, sse"):
        protocol_fields(name)


def dimensions(name, requests_per_s):
    work = Workload(LoadProfile([requests_per_s], 3600), cpu_ms_per_request=5, **protocol_fields(name))
    return lcu_hours(work).dimensions[:, 0].tolist()


def test_a_visit_over_six_connections_or_one():
    # 750 requests/s in visits of 30 requests are 25 visits/s: 25 x 6 connections/s over HTTP/1.1 are 6 LCU, one each 1 LCU; they are
    # open for 60 s, 25 x 60 / 3000. The bytes are those of the request: 750 x 3600 x 11 kB = 29.7 GB.
    assert dimensions("http1", 750.0) == pytest.approx([6, 3, 29.7, 0])
    assert dimensions("http2", 750.0) == pytest.approx([1, 0.5, 29.7, 0])


def test_services_keep_their_connections():
    # 3,000 calls/s, one a second over each connection: 3,000 of them, made anew once an hour.
    assert dimensions("grpc", 3000.0)[:2] == pytest.approx([3000 / 3600 / 25, 1])


def test_long_connections_are_active_ones():
    # 10 that begin in a second and stay half an hour: 18,000 open, 6 LCU; 10 x 3600 x 74 kB = 2.664 GB.
    assert dimensions("websocket", 10.0) == pytest.approx([0.4, 6, 2.664, 0])
    # A stream: 10 x 3600 x 92 kB.
    assert dimensions("sse", 10.0) == pytest.approx([0.4, 6, 3.312, 0])


@pytest.mark.parametrize("name", ["websocket", "sse"])
def test_cloudfront_does_not_pool_long_connections(name):
    front = Workload(LoadProfile([10.0], 3600), cpu_ms_per_request=5, behind_cloudfront=True, **protocol_fields(name))
    assert lcu_hours(front).dimensions[:2, 0].tolist() == pytest.approx([0.4, 6])
