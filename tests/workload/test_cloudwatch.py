"""CloudWatch through moto's server, and through botocore's stubber for what moto does not do: pages, refusals, throttling."""

import datetime as dt
import io
import urllib.request

import boto3.session
import numpy as np
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.stub import Stubber

from estimator.errors import EstimatorError, InvalidScenario, MetricsUnavailable
from estimator.workload import cloudwatch
from estimator.workload.cloudwatch import METRICS, NAMESPACE, load_from_cloudwatch, period_for

NAME = "app/shop/50dc6c495c0c9188"
ARN = f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/{NAME}"
END = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=3)
START = END - dt.timedelta(hours=2)


@pytest.fixture
def aws(moto_address, monkeypatch):
    """An account in eu-west-1 that has nothing in it."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto_address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with urllib.request.urlopen(urllib.request.Request(f"{moto_address}/moto-api/reset", method="POST")):  # noqa: S310
        pass
    return boto3.session.Session().client("cloudwatch")


def put(aws, figures, name=NAME, start=START):
    """Publish figures by minute, as a load balancer does: none where there is nothing."""
    data = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": "LoadBalancer", "Value": name}],
            "Timestamp": start + dt.timedelta(minutes=minute),
            "Value": float(value),
        }
        for metric, values in figures.items()
        for minute, value in enumerate(values)
        if value
    ]
    for at in range(0, len(data), 500):
        aws.put_metric_data(Namespace=NAMESPACE, MetricData=data[at : at + 500])


def test_a_load_is_read_back(aws):
    requests = np.arange(120) * 60.0
    put(
        aws,
        {
            "RequestCount": requests,
            "NewConnectionCount": requests / 4,
            "ActiveConnectionCount": np.full(120, 300.0),
            "ProcessedBytes": requests * 12_000,
            "RuleEvaluations": requests * 3,
        },
    )
    put(aws, {"RequestCount": np.full(120, 7.0)}, name="app/other/0123456789abcdef")
    load, measured = load_from_cloudwatch(NAME, START, END)
    np.testing.assert_allclose(load.requests_per_s, np.arange(120))
    assert (load.step_s, load.period_hours, load.name, load.start) == (60, 2, "shop", START)
    assert load.notes == (
        "1 of 120 periods of 60 s have no RequestCount and are taken as 0: a load balancer publishes none without requests.",
    )
    assert measured.requests == requests.sum()
    assert measured.processed_kb == pytest.approx(12)
    assert measured.requests_per_connection == pytest.approx(4)
    assert measured.rules_evaluated_per_request == pytest.approx(3)
    # Little's law: 300 active connections, and requests / 4 new ones in two hours.
    assert measured.connection_s == pytest.approx(300 / (requests.sum() / 4 / 7200))
    assert measured.response_kb is None
    assert measured.request_fields(request_kb=2)["response_kb"] == pytest.approx(10)


def test_an_arn_names_the_region(aws, monkeypatch):
    put(aws, {"RequestCount": np.full(120, 60.0)})
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    load, measured = load_from_cloudwatch(ARN, START, END)
    assert load.requests == 7200
    assert (measured.requests_per_connection, measured.connection_s, measured.processed_kb) == (None, None, None)
    assert any("connections are unknown" in note for note in measured.notes)
    with pytest.raises(MetricsUnavailable, match="CloudWatch in us-east-1 has no request"):
        load_from_cloudwatch(NAME, START, END)


def test_a_coarser_period_adds_up_minutes_and_a_level_stays_one(aws):
    put(
        aws,
        {
            "RequestCount": np.full(120, 60.0),
            "NewConnectionCount": np.full(120, 60.0),
            "ActiveConnectionCount": np.full(120, 90.0),
        },
    )
    for period_s in (60, 300, 3600):
        load, measured = load_from_cloudwatch(NAME, START, END, period_s)
        assert load.step_s == period_s
        np.testing.assert_allclose(load.requests_per_s, 1)
        # 90 connections, one new in each second.
        assert measured.connection_s == pytest.approx(90)


def test_old_ranges_are_read_by_the_period_that_is_kept(aws):
    old = START - dt.timedelta(days=20)
    put(aws, {"RequestCount": np.full(60, 60.0)}, start=old)
    load, _ = load_from_cloudwatch(NAME, old, old + dt.timedelta(hours=1))
    assert load.step_s == 300
    assert "no longer keeps 60 s" in load.notes[0]


def test_long_ranges_are_asked_for_in_parts(aws, monkeypatch):
    put(aws, {"RequestCount": np.arange(1.0, 121)})
    whole, _ = load_from_cloudwatch(NAME, START, END)
    # 7 minutes a call: 18 calls, the last one shorter.
    monkeypatch.setattr(cloudwatch, "MAX_DATAPOINTS", 7 * len(METRICS))
    parts, _ = load_from_cloudwatch(NAME, START, END)
    assert parts.fingerprint() == whole.fingerprint()
    assert whole.requests == 120 * 121 / 2


def test_nothing_in_the_whole_range_is_an_error_that_helps(aws):
    put(aws, {"RequestCount": np.full(120, 60.0)})
    with pytest.raises(
        MetricsUnavailable,
        match=r"has no request of app/shop/0{16} .* knows app/shop/50dc6c495c0c9188\. Check its name",
    ):
        load_from_cloudwatch("app/shop/" + 16 * "0", START, END)
    with pytest.raises(MetricsUnavailable, match="at another time; check the range"):
        load_from_cloudwatch(NAME, START - dt.timedelta(hours=9), START - dt.timedelta(hours=8))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop", START, END), "load_balancer is 'shop'"),
        (("net/shop/50dc6c495c0c9188", START, END), "an Application Load Balancer's ARN"),
        ((None, START, END), "load_balancer is None"),
        ((NAME, START.replace(tzinfo=None), END), "start is .* a moment with a time zone"),
        ((NAME, START, "today"), "end is 'today'"),
        ((NAME, START + dt.timedelta(minutes=1), END), "a full hour"),
        ((NAME, END, START), "must come after start"),
        ((NAME, START, START), "must come after start"),
        ((NAME, START, END + dt.timedelta(hours=9)), "still to come"),
        ((NAME, START, END, 30), "period_s is 30"),
        ((NAME, START, END, 61), "period_s is 61"),
        ((NAME, START, END, 7200), "period_s is 7200"),
        ((NAME, START - dt.timedelta(days=456), END), "keeps 455 days"),
    ],
)
def test_questions_that_are_none(aws, arguments, said):
    with pytest.raises(InvalidScenario, match=said) as caught:
        load_from_cloudwatch(*arguments)
    assert str(caught.value).endswith(".")


def test_the_period_that_is_kept():
    now = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    for days, asked_s, expected in [
        (14, 60, 60),
        (14, 120, 120),
        (15, 60, 300),
        (15, 120, 300),
        (15, 600, 600),
        (63, 60, 3600),
        (454, 300, 3600),
    ]:
        assert period_for(now - dt.timedelta(days=days), asked_s, now) == expected


# What moto does not do is answered by botocore's stubber, in AWS's words.
@pytest.fixture
def stubbed(aws, monkeypatch):
    client = boto3.session.Session().client("cloudwatch", config=Config(retries={"total_max_attempts": 1}))
    monkeypatch.setattr(cloudwatch, "_client", lambda region, attempts: client)
    with Stubber(client) as stub:
        yield stub


def _page(metric, minutes, values, token=None):
    result = {
        "Id": metric.lower(),
        "Label": metric,
        "Timestamps": [START + dt.timedelta(minutes=minute) for minute in minutes],
        "Values": [float(value) for value in values],
        "StatusCode": "PartialData" if token else "Complete",
    }
    return {"MetricDataResults": [result]} | ({"NextToken": token} if token else {})


def test_pages_are_followed(stubbed):
    stubbed.add_response("get_metric_data", _page("RequestCount", [0, 1], [60, 120], "more"))
    stubbed.add_response("get_metric_data", _page("ProcessedBytes", [0], [999_000], "and more"))
    stubbed.add_response("get_metric_data", _page("RequestCount", [119, 2], [240, 180]))
    load, measured = load_from_cloudwatch(NAME, START, END)
    assert load.requests_per_s[[0, 1, 2, 3, 119]].tolist() == [1, 2, 3, 0, 4]
    assert measured.processed_kb == pytest.approx(999 / 600)
    stubbed.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("AccessDenied", 403, "Allow them the permission `cloudwatch:GetMetricData`"),
        ("AccessDeniedException", 400, "cloudwatch:GetMetricData"),
        ("ExpiredToken", 403, "aws sso login"),
        ("InvalidClientTokenId", 403, r"does not accept the credentials that boto3 found \(InvalidClientTokenId\)"),
        ("Throttling", 400, "still throttled after 1 attempts"),
        ("InternalServiceFault", 500, "failed with status 500"),
        ("InvalidParameterValue", 400, "refused the question"),
    ],
)
def test_refusals(stubbed, code, status, said):
    stubbed.add_client_error("get_metric_data", code, "arn:aws:iam::123456789012:user/secret", status)
    with pytest.raises(MetricsUnavailable, match=said) as caught:
        load_from_cloudwatch(NAME, START, END)
    assert "123456789012" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_metric_that_may_not_be_read(stubbed):
    page = _page("RequestCount", [], [])
    page["MetricDataResults"][0]["StatusCode"] = "Forbidden"
    stubbed.add_response("get_metric_data", page)
    with pytest.raises(MetricsUnavailable, match="answered Forbidden for RequestCount"):
        load_from_cloudwatch(NAME, START, END)


def test_nothing_there_without_the_permission_to_list(stubbed):
    stubbed.add_response("get_metric_data", {"MetricDataResults": []})
    stubbed.add_client_error("list_metrics", "AccessDenied", "", 403)
    with pytest.raises(MetricsUnavailable, match="Check its name, the region and the range"):
        load_from_cloudwatch(NAME, START, END)


class _Raw(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_):
        yield self.read()


def test_throttling_is_tried_again(aws, monkeypatch):
    put(aws, {"RequestCount": np.full(120, 60.0)})
    made = cloudwatch._client
    tries, throttled = [], 2

    def answer(request, **_):
        tries.append(request)
        if len(tries) > throttled:
            return None
        # AWS's own answer to too many questions, in the query protocol's XML and in JSON.
        protocol = aws.meta.service_model.resolved_protocol
        bodies = {
            "query": b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
            "json": b'{"__type": "ThrottlingException", "message": "Rate exceeded"}',
            "smithy-rpc-v2-cbor": b"\xa1\x66__type\x73ThrottlingException",
        }
        headers = {"smithy-protocol": "rpc-v2-cbor"} if "cbor" in protocol else {}
        return AWSResponse(request.url, 400, headers, _Raw(bodies[protocol]))

    def client(region, attempts):
        new = made(region, attempts)
        new.meta.events.register("before-send.cloudwatch.GetMetricData", answer)
        return new

    monkeypatch.setattr(cloudwatch, "_client", client)
    monkeypatch.setattr("time.sleep", lambda s: None)
    assert load_from_cloudwatch(NAME, START, END)[0].requests == 7200
    assert len(tries) == 3
    tries[:], throttled = [], 99
    with pytest.raises(MetricsUnavailable, match=r"still throttled after 4 attempts \(Throttling"):
        load_from_cloudwatch(NAME, START, END, max_attempts=4)
    assert len(tries) == 4


def test_no_credentials(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MetricsUnavailable, match="needs AWS credentials"):
        load_from_cloudwatch(NAME, START, END)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(MetricsUnavailable, match="AWS_PROFILE"):
        load_from_cloudwatch(NAME, START, END)


def test_no_region(aws, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(InvalidScenario, match="name the load balancer's region"):
        load_from_cloudwatch(NAME, START, END)


def test_what_cannot_be_reached(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(MetricsUnavailable, match="cannot be reached"):
        load_from_cloudwatch(NAME, START, END, max_attempts=1)


def test_a_range_that_has_just_ended(aws, monkeypatch):
    put(aws, {"RequestCount": np.full(120, 60.0)})
    monkeypatch.setattr(cloudwatch, "_now", lambda: END + dt.timedelta(minutes=4))
    load, _ = load_from_cloudwatch(NAME, START, END)
    assert "The range ended 4 minutes ago; its last minutes may not be whole yet." in load.notes


def test_the_error_is_one_of_ours():
    assert issubclass(MetricsUnavailable, EstimatorError)
