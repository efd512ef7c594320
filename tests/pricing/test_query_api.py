"""GetProducts through boto3, against a server that signs, pages, throttles and fails as AWS does."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import boto3.session
import pytest

from estimator.errors import PriceListUnavailable, PriceListUnreachable
from estimator.pricing.downloads import Cancelled
from estimator.pricing.query_api import QueryApi, endpoint_near
from tests.pricing.aws_double import ACCESS_KEY, CREDENTIALS, SECRET_KEY, AwsDouble

VCPU = "EU-Fargate-vCPU-Hours:perCPU"
GB = "EU-Fargate-GB-Hours"
#: Nothing of these may stand in a message: AWS's own messages hold the key and the account.
SECRETS = (SECRET_KEY, ACCESS_KEY, "123456789012")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in CREDENTIALS.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("estimator.pricing.query_api.BACK_OFF_S", 0.01)


@pytest.fixture(scope="module")
def running() -> Iterator[AwsDouble]:
    with AwsDouble(["eu-west-1"]) as double:
        yield double


@pytest.fixture
def aws(running: AwsDouble) -> Iterator[AwsDouble]:
    running.reset_counters()
    running.page_size = 100
    yield running
    running.clear_faults()


@pytest.fixture
def api(aws: AwsDouble) -> Iterator[QueryApi]:
    with QueryApi(aws.url, max_attempts=2) as made:
        yield made


def ask(api: QueryApi, *usage_types: str) -> list[str]:
    return [each.product.sku for each in api.products("AmazonECS", "eu-west-1", frozenset(usage_types or [VCPU]))]


def message_of(api: QueryApi) -> str:
    with pytest.raises(PriceListUnavailable) as caught:
        ask(api)
    message = str(caught.value)
    assert not any(secret in message for secret in SECRETS)
    assert "\n" not in message
    assert ".." not in message
    # What boto3 said holds the key, and does not stand in a traceback either.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return message


def unreachable(api: QueryApi) -> bool:
    with pytest.raises(PriceListUnavailable) as caught:
        ask(api)
    return isinstance(caught.value, PriceListUnreachable)


def test_a_product_comes_with_its_terms_and_origin(aws: AwsDouble, api: QueryApi) -> None:
    (found,) = api.products("AmazonECS", "eu-west-1", frozenset([VCPU]))
    assert found.product.sku == "K4EXFQ5YFQCP98EN"
    assert found.product.attributes["cputype"] == "perCPU"
    (term,) = found.terms
    (dimension,) = term.price_dimensions.values()
    assert (dimension.unit, dimension.price_per_unit) == ("hours", {"USD": "0.0404800000"})
    assert (found.origin.service_code, found.origin.version) == ("AmazonECS", "20261103182130")
    assert (str(found.origin.published), found.origin.source) == ("2026-11-03", aws.url)


def test_only_the_usage_types_asked_for_come_one_query_each(aws: AwsDouble, api: QueryApi) -> None:
    assert sorted(ask(api, VCPU, GB)) == ["K4EXFQ5YFQCP98EN", "UP5ETC3QSW2QZGEY"]
    assert ask(api, "EU-Fargate-RISC-V-Hours") == []
    assert api.requests == aws.requests["GetProducts"] == 3
    assert api.received_bytes > 1000


def test_all_pages_are_read(aws: AwsDouble, api: QueryApi) -> None:
    aws.page_size = 1
    found = api.products("AWSELB", "eu-west-1", frozenset(["EU-LoadBalancerUsage"]))
    families = [each.product.product_family for each in found]
    assert families.count("Load Balancer-Application") == 2  # one of them on Outposts
    assert len({each.product.sku for each in found}) == len(found) == api.requests == 5


def test_products_without_a_region_and_data_transfer_are_found(api: QueryApi) -> None:
    (edge,) = api.products("AmazonCloudFront", "global", frozenset(["EU-DataTransfer-Out-Bytes"]))
    assert edge.product.location_type == "AWS Edge Location"
    (out,) = api.products("AWSDataTransfer", "eu-west-1", frozenset(["EU-DataTransfer-Out-Bytes"]))
    assert out.product.region_code == "eu-west-1"


@pytest.mark.parametrize("fault", ["throttled", "server error", "dropped", "cut"])
def test_what_passes_is_tried_again(aws: AwsDouble, fault: str) -> None:
    if fault == "throttled":
        aws.query_error("ThrottlingException", times=2)
    elif fault == "server error":
        aws.fail(500, "GetProducts", times=2)
    elif fault == "dropped":
        aws.drop_connection("GetProducts", times=2)
    else:
        aws.cut("GetProducts", times=2)
    with QueryApi(aws.url, max_attempts=3) as api:
        assert ask(api) == ["K4EXFQ5YFQCP98EN"]
        assert api.requests == 3


def test_an_expired_page_starts_the_query_over_once(aws: AwsDouble, api: QueryApi) -> None:
    aws.page_size = 2
    usage_types = frozenset(["EU-LoadBalancerUsage"])
    aws.query_error("ExpiredNextTokenException", skip=1)
    assert len({each.product.sku for each in api.products("AWSELB", "eu-west-1", usage_types)}) == 5
    assert api.requests == 2 + 3
    aws.query_error("ExpiredNextTokenException", times=2)
    assert "ExpiredNextTokenException" in message_of(api)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", ["pricing:GetProducts", "estimator prices refresh --source bulk"]),
        ("ExpiredTokenException", ["credentials", "ExpiredTokenException", "aws sso login"]),
        ("ThrottlingException", ["throttled", "after 2 attempts", VCPU]),
        ("InternalErrorException", ["refused", "InternalErrorException", "AmazonECS"]),
    ],
)
def test_a_refusal_says_what_to_do(aws: AwsDouble, api: QueryApi, code: str, words: list[str]) -> None:
    aws.query_error(code, times=None)
    message = message_of(api)
    assert [word for word in words if word not in message] == []
    # Whom AWS does not let ask, it lets ask for nothing.
    assert unreachable(api) == (code != "InternalErrorException")


def test_a_server_that_stays_broken_is_named(aws: AwsDouble, api: QueryApi) -> None:
    aws.fail(503, times=None)
    message = message_of(api)
    assert f"{aws.url} failed with status 503 after 2 attempts" in message
    assert aws.statuses == {503: 2}
    assert unreachable(api)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[1]", b"null", b""])
def test_an_error_page_may_hold_anything(aws: AwsDouble, api: QueryApi, body: bytes) -> None:
    aws.fail(502, times=None, body=body)
    assert "failed with status 502 after 2 attempts" in message_of(api)


def test_a_dead_address_is_named_without_its_password() -> None:
    with QueryApi("http://me:hunter2@127.0.0.1:9", max_attempts=1) as api:
        message = message_of(api)
        assert unreachable(api)
    assert "http://127.0.0.1:9 cannot be reached" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("prices.example.com", "it must begin with https://"),
        ("ftp://prices.example.com", "it must begin with https://"),
        ("http://[::1", "its host cannot be read"),
        ("https://prices.example.com:abc", "its port must be a number"),
        ("https://prices.example.com:99999", "its port must be a number"),
    ],
)
def test_an_address_must_be_one(url: str, fault: str) -> None:
    with QueryApi(url, max_attempts=1) as api:
        assert f"{url!r} is not one: {fault}" in message_of(api)
        assert unreachable(api)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("HTTP_PROXY", "foo://bar:1", "proxy that HTTP_PROXY names does not answer, or is no address"),
        ("http_proxy", "socks5://127.0.0.1:9", "proxy that http_proxy names does not answer, or is no address"),
        ("HTTP_PROXY", "http://[oops", "Check the network, a proxy"),
        ("AWS_CONFIG_FILE", __file__, "Check the AWS configuration"),
        ("AWS_ENDPOINT_URL", "http://[oops", "Check AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL_PRICING", "nothing", "Check AWS_ENDPOINT_URL"),
    ],
)
def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with QueryApi("" if "ENDPOINT" in variable else "http://prices.example") as api:
        begin = time.monotonic()
        assert words in message_of(api)
        assert unreachable(api)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("bundle", ["/nope", __file__])
def test_certificates_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, bundle: str) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        QueryApi(f"https://127.0.0.1:{server.getsockname()[1]}") as api,
    ):
        assert "AWS_CA_BUNDLE must name a file" in message_of(api)
        assert unreachable(api)


def test_wrong_secret_and_unknown_key_are_credentials_that_aws_does_not_accept(
    api: QueryApi, aws: AwsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    assert "InvalidSignatureException" in message_of(api)
    api.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSOMEONEELSE")
    message = message_of(api)
    assert "UnrecognizedClientException" in message
    assert "AKIDSOMEONEELSE" not in message
    assert aws.statuses == {403: 2}


@pytest.mark.parametrize(
    ("unset", "words"),
    [
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "NoCredentialsError"),
        (["AWS_SECRET_ACCESS_KEY"], "PartialCredentialsError"),
    ],
)
def test_no_credentials(api: QueryApi, monkeypatch: pytest.MonkeyPatch, unset: list[str], words: str) -> None:
    for variable in unset:
        monkeypatch.delenv(variable)
    message = message_of(api)
    assert unreachable(api)
    assert words in message
    assert "aws configure" in message
    assert "--source bulk" in message
    assert api.requests == 0


def test_an_unknown_profile(api: QueryApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "AWS_PROFILE" in message_of(api)


def replaced_item(item: object) -> bytes:
    return json.dumps({"FormatVersion": "aws_v1", "PriceList": [item]}).encode()


@pytest.mark.parametrize(
    "item",
    [
        "{not json",
        1,
        None,
        {"product": {"sku": "A"}},
        "[" * 100_000,
        '{"product": {"sku": "A"}, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "[]",
        "{}",
        '{"product": {"sku": "A"}, "serviceCode": "AmazonECS", "version": "1"}',
        '{"product": {"sku": "A"}, "serviceCode": "AmazonECS", "version": "1", "publicationDate": "soon"}',
        '{"product": {"attributes": {}}, "serviceCode": "X", "version": "1", "publicationDate": "2026-11-03"}',
        '{"product": {"sku": "A"}, "serviceCode": "X", "version": "1", "publicationDate": "2026-11-03", "terms": 3}',
    ],
)
def test_a_wrong_item_names_service_and_usage_type(aws: AwsDouble, api: QueryApi, item: object) -> None:
    aws.rewrite(lambda _: replaced_item(item), "GetProducts")
    message = message_of(api)
    assert f"{VCPU} of AmazonECS cannot be read" in message


def test_items_of_other_usage_types_are_left_out(aws: AwsDouble, api: QueryApi) -> None:
    item = json.dumps(
        {
            "product": {"sku": "A", "attributes": {"usagetype": GB}},
            "serviceCode": "AmazonECS",
            "version": "1",
            "publicationDate": "2026-11-03T18:21:30Z",
        }
    )
    aws.rewrite(lambda _: replaced_item(item), "GetProducts")
    assert ask(api) == []


@pytest.mark.parametrize(
    "body", [b"<html>Log in to the hotel's network</html>", b"", b"{}", b"[]", b"\xff", b"[" * 100_000]
)
def test_an_answer_that_is_not_that_of_aws_is_no_empty_answer(aws: AwsDouble, api: QueryApi, body: bytes) -> None:
    aws.rewrite(lambda _: body, "GetProducts", times=None)
    assert "did not answer with AWS's whole JSON" in message_of(api)


def test_a_page_that_names_itself_the_next_is_no_endless_loop(aws: AwsDouble, api: QueryApi) -> None:
    aws.fail(200, times=None, body=b'{"FormatVersion": "aws_v1", "PriceList": [], "NextToken": "x"}')
    assert "did not answer with AWS's whole JSON" in message_of(api)
    assert api.requests == 4


def test_stopped_before_it_began(aws: AwsDouble) -> None:
    stopped = threading.Event()
    stopped.set()
    with QueryApi(aws.url, cancelled=stopped) as api, pytest.raises(Cancelled, match=r"^The refresh was stopped\.$"):
        ask(api)
    assert aws.requests == {}


def test_a_pause_ends_when_it_is_stopped(aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("estimator.pricing.query_api.random.random", lambda: 1.0)
    monkeypatch.setattr("estimator.pricing.query_api.BACK_OFF_S", 20.0)
    aws.query_error("ThrottlingException", times=None)
    stopped = threading.Event()
    threading.Timer(1.0, stopped.set).start()
    begin = time.monotonic()
    with QueryApi(aws.url, cancelled=stopped) as api, pytest.raises(Cancelled):
        ask(api)
    assert time.monotonic() - begin < 10
    assert aws.requests == {"GetProducts": 1}


def test_no_page_is_asked_for_after_a_stop(aws: AwsDouble) -> None:
    stopped = threading.Event()
    aws.page_size = 1

    def stop(body: bytes) -> bytes:
        stopped.set()
        return body

    aws.rewrite(stop, "GetProducts")
    with QueryApi(aws.url, cancelled=stopped) as api, pytest.raises(Cancelled):
        api.products("AWSELB", "eu-west-1", frozenset(["EU-LoadBalancerUsage"]))
    assert aws.requests == {"GetProducts": 1}


def test_a_page_that_stays_cut_off_is_an_error(aws: AwsDouble, api: QueryApi) -> None:
    aws.cut("GetProducts", times=None)
    assert "did not answer with AWS's whole JSON" in message_of(api)
    assert api.requests == 2


@pytest.mark.parametrize(
    ("configured", "near"),
    [
        ("", "us-east-1"),
        ("us-west-2", "us-east-1"),
        ("sa-east-1", "us-east-1"),
        ("eu-west-1", "eu-central-1"),
        ("eu-central-1", "eu-central-1"),
        ("af-south-1", "eu-central-1"),
        ("me-south-1", "eu-central-1"),
        ("il-central-1", "eu-central-1"),
        ("ap-northeast-1", "ap-south-1"),
    ],
)
def test_the_endpoint_is_one_that_exists_near_the_configured_region(configured: str, near: str) -> None:
    assert endpoint_near(configured, boto3.session.Session().get_available_regions("pricing")) == near


@pytest.mark.parametrize("variable", ["AWS_DEFAULT_REGION", "AWS_REGION"])
def test_the_configured_region_chooses_aws_own_endpoint(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(variable, "ap-southeast-2")
    with QueryApi(max_attempts=1) as api:
        assert api._client().meta.endpoint_url == "https://api.pricing.ap-south-1.amazonaws.com"


def test_a_region_without_an_endpoint_is_refused() -> None:
    with QueryApi(pricing_region="eu-west-1") as api:
        message = message_of(api)
    assert "eu-west-1" in message
    assert "eu-central-1" in message


def test_threads_share_one_client(aws: AwsDouble, api: QueryApi) -> None:
    aws.delay(0.05)
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(ask(api))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["K4EXFQ5YFQCP98EN"]] * 8
    assert api.requests == 8
    assert aws.most_at_once > 1
