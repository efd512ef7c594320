"""AWS's Price List Query API: GetProducts through boto3, for those who have an AWS account.

Notes
-----
The endpoint has nothing to do with the priced region: three exist, and a near one is chosen. One call asks for one usage
type, so that each answer is small and an error can name what was asked for.

Throttling, server errors and dropped connections are tried again with growing pauses: here and not by boto3, whose
pauses cannot be ended.

boto3 takes a body that is cut off, or no JSON at all, for an empty answer: it neither compares lengths nor minds what it
cannot parse. AWS's own answers always have a ``FormatVersion``, so one without it is not believed, and is asked for again.

Messages never repeat what AWS or boto3 said: it may hold an account number or a key id. Its error code stands there instead.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import msgspec

from estimator.aws_refusals import BAD_CREDENTIALS, DENIED, THROTTLED
from estimator.errors import PriceListUnavailable, PriceListUnreachable
from estimator.pricing.downloads import PROXY_VARIABLES, Cancelled, fault_of_address, set_variables
from estimator.pricing.products import ListedItem, Origin, PricedProduct, published_date

if TYPE_CHECKING:
    from types import TracebackType

    from botocore.exceptions import ClientError

#: Requests for one page before giving up.
MAX_ATTEMPTS = 8
#: Longest pause before the second request; it doubles with each one, up to the longest of all. [s]
BACK_OFF_S, LONGEST_WAIT_S = 1.0, 20.0
_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 30
#: As many connections as there may be threads; boto3's own default is 10.
_MAX_CONNECTIONS = 50

#: First words of region codes to the endpoint near them; all others ask us-east-1.
_NEAR = {
    "eu-central-1": ("eu", "af", "me", "il"),
    "ap-south-1": ("ap",),
}
_DEFAULT_ENDPOINT = "us-east-1"

_NO_ACCOUNT_NEEDED = "or use the bulk source, which needs no account: `estimator prices refresh --source bulk`"
_PAGE_EXPIRED = "ExpiredNextTokenException"
#: Times that a query is asked whose answer is cut off.
_CUT_OFF_ATTEMPTS = 3


class _CutOff(Exception):
    """An answer that is not AWS's, or only a part of it."""


_DECODER = msgspec.json.Decoder(ListedItem)


class QueryApi:
    """Products of the AWS Price List, asked for one usage type at a time.

    Threads may share one; the boto3 client is made at the first question.

    Parameters
    ----------
    url : str
        Address of the API; empty for AWS's own.
    pricing_region : str, optional
        Region of the endpoint; by default the configured AWS region or one near it.
    max_attempts : int
        Requests for one page before giving up.
    cancelled : threading.Event, optional
        Set to stop: pauses end with `Cancelled`, and no request is begun.

    Attributes
    ----------
    requests : int
        Requests sent so far, those that were tried again among them.
    received_bytes : int
        Size of the products received so far. [bytes]

    Examples
    --------
    >>> QueryApi(pricing_region="eu-central-1").requests
    0
    """

    def __init__(
        self,
        url: str = "",
        *,
        pricing_region: str | None = None,
        max_attempts: int = MAX_ATTEMPTS,
        cancelled: threading.Event | None = None,
    ) -> None:
        self.url = url
        self.pricing_region = pricing_region
        self.max_attempts = max_attempts
        self.requests = 0
        self.received_bytes = 0
        self._cancelled = cancelled or threading.Event()
        self._lock = threading.Lock()
        self._made: Any = None

    def __enter__(self) -> QueryApi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a later question opens new ones."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def products(self, service_code: str, region: str, usage_types: frozenset[str]) -> list[PricedProduct]:
        """Ask for the products of some usage types.

        Parameters
        ----------
        service_code : str
            The offer, such as ``"AmazonECS"``.
        region : str
            Region code, or ``"global"`` for products of all places.
        usage_types : frozenset of str
            Usage types as they stand in the price list, with their prefixes.

        Returns
        -------
        list of PricedProduct
            What AWS has of them; empty if nothing.

        Raises
        ------
        PriceListUnreachable
            If AWS cannot be reached, does not let these credentials ask, or answers nobody for the time being.
        Cancelled
            If somebody asked to stop.
        PriceListUnavailable
            If AWS refuses, or answers something else than products.
        """
        found = []
        for usage_type in sorted(usage_types):
            found += self._of_usage_type(service_code, region, usage_type)
        return found

    def _of_usage_type(self, service_code: str, region: str, usage_type: str) -> list[PricedProduct]:
        from botocore.exceptions import BotoCoreError, ClientError

        asked = f"{usage_type} of {service_code}"
        try:
            items = self._items(service_code, region, usage_type)
        except ClientError as error:
            self._refused(error, asked)
        except _CutOff:
            raise PriceListUnavailable(
                f"The Price List Query API at {self._place()} did not answer with AWS's whole JSON when asked for {asked}. "
                "Check for a proxy in between, or try again later."
            ) from None
        except BotoCoreError as error:
            self._failed(error)
        products = [_priced(item, asked, self._place()) for item in items]
        return [each for each in products if each.product.usage_type == usage_type]

    def _items(self, service_code: str, region: str, usage_type: str) -> list[str]:
        from botocore.exceptions import ClientError

        cut_off = expired = 0
        while True:
            try:
                return list(self._pages(service_code, region, usage_type))
            except _CutOff:
                cut_off += 1
                if cut_off >= min(_CUT_OFF_ATTEMPTS, self.max_attempts):
                    raise
            except ClientError as error:
                # A page token lives for minutes; the query starts over once.
                expired += 1
                if _code(error) != _PAGE_EXPIRED or expired > 1:
                    raise

    def _pages(self, service_code: str, region: str, usage_type: str) -> Iterator[str]:
        question: dict[str, Any] = {
            "ServiceCode": service_code,
            "Filters": _filters(service_code, region, usage_type),
            "MaxResults": 100,
        }
        pages: list[str] = []
        while True:
            answer = self._ask(question)
            # An empty answer may have no list at all.
            items = answer.get("PriceList") or []
            with self._lock:
                self.received_bytes += sum(len(item) for item in items if isinstance(item, str))
            yield from items
            page = answer.get("NextToken")
            if not page:
                return
            if page in pages:
                raise _CutOff
            pages.append(page)
            question["NextToken"] = page

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask for one page, again if the trouble may pass."""
        from botocore.exceptions import BotoCoreError, ClientError

        for attempt in range(1, self.max_attempts + 1):
            if self._cancelled.is_set():
                raise Cancelled
            try:
                answer: dict[str, Any] = self._client().get_products(**question)
                return answer
            except (BotoCoreError, ClientError) as error:
                if attempt == self.max_attempts or not _passes(error):
                    raise
            except (ValueError, OSError) as error:
                raise PriceListUnreachable(
                    f"boto3 cannot use its settings ({type(error).__name__}). Check AWS_ENDPOINT_URL and the AWS configuration, "
                    f"{_NO_ACCOUNT_NEEDED}."
                ) from None
            # As boto3 does: at random, so that threads that were throttled together do not come back together.
            self._cancelled.wait(random.random() * min(BACK_OFF_S * 2 ** (attempt - 1), LONGEST_WAIT_S))  # noqa: S311
        raise AssertionError("unreachable")

    def _client(self) -> Any:
        """Return the client, made once: making one is slow and not safe in several threads at a time."""
        with self._lock:
            if self._made is None:
                self._made = self._make_client()
            return self._made

    def _make_client(self) -> Any:
        import boto3.session
        from botocore.config import Config

        fault = fault_of_address(self.url) if self.url else ""
        if fault:
            raise PriceListUnreachable(
                f"The Price List Query API's address {self.url!r} is not one: {fault}. It must be such as https://prices.example.com; "
                "correct ESTIMATOR_QUERY_API_URL or leave it out for AWS's own."
            )
        session = boto3.session.Session()
        endpoints = session.get_available_regions("pricing")
        chosen = self.pricing_region or endpoint_near(
            session.region_name or os.environ.get("AWS_REGION", ""), endpoints
        )
        if chosen not in endpoints and not self.url:
            raise PriceListUnreachable(
                f"The Price List Query API has no endpoint in {chosen}. Choose one of {', '.join(endpoints)}; "
                "each has the prices of every region."
            )
        settings = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            max_pool_connections=_MAX_CONNECTIONS,
        )
        client = session.client("pricing", region_name=chosen, endpoint_url=self.url or None, config=settings)
        client.meta.events.register("before-send.pricing", self._count)
        client.meta.events.register("before-parse.pricing", _check_answer)
        return client

    def _count(self, **_: object) -> None:
        with self._lock:
            self.requests += 1

    def _place(self) -> str:
        """Name the endpoint, without what may be secret in an address."""
        address = urlsplit(self._made.meta.endpoint_url if self._made is not None else self.url)
        if not address.hostname:
            return "AWS"
        return f"{address.scheme}://{address.hostname}" + (f":{address.port}" if address.port else "")

    def _refused(self, error: ClientError, asked: str) -> NoReturn:
        code = _code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        kind: type[PriceListUnavailable] = PriceListUnreachable
        if code in BAD_CREDENTIALS:
            message = (
                f"AWS does not accept the credentials that boto3 found ({code}). "
                f"Renew them, for example with `aws sso login`, {_NO_ACCOUNT_NEEDED}."
            )
        elif code in DENIED:
            message = (
                f"The AWS credentials may not ask for prices ({code}). "
                f"Allow them the permission `pricing:GetProducts`, {_NO_ACCOUNT_NEEDED}."
            )
        elif code in THROTTLED or status == 429:
            message = (
                f"The Price List Query API at {self._place()} still throttled {asked} after {self.max_attempts} attempts ({code}). "
                f"Try again in some minutes, {_NO_ACCOUNT_NEEDED}."
            )
        elif status >= 500:
            message = (
                f"The Price List Query API at {self._place()} failed with status {status} after {self.max_attempts} attempts when "
                f"asked for {asked}. Try again later, {_NO_ACCOUNT_NEEDED}."
            )
        else:
            # There is one address for everything: only here is it this question that was refused, and not every one.
            kind = PriceListUnavailable
            message = (
                f"The Price List Query API at {self._place()} refused {asked} ({code}, status {status}). "
                f"Try again later, {_NO_ACCOUNT_NEEDED}."
            )
        raise kind(message) from None

    def _failed(self, error: Exception) -> NoReturn:
        import botocore.exceptions as of_boto

        if isinstance(error, of_boto.ProfileNotFound):
            message = (
                "The AWS profile that AWS_PROFILE names does not exist. "
                f"Correct AWS_PROFILE or `aws configure` the profile, {_NO_ACCOUNT_NEEDED}."
            )
        elif isinstance(error, _no_credentials()):
            message = (
                f"The Price List Query API needs AWS credentials, and boto3 found none that it can use "
                f"({type(error).__name__}). Set them up, for example with `aws configure`, {_NO_ACCOUNT_NEEDED}."
            )
        elif isinstance(error, of_boto.ProxyConnectionError):
            message = (
                f"The Price List Query API at {self._place()} cannot be reached: the proxy that {set_variables(PROXY_VARIABLES)} "
                "names does not answer, or is no address such as http://proxy.example:3128. Correct it or unset it."
            )
        elif isinstance(error, of_boto.SSLError):
            message = (
                f"The certificate of the Price List Query API at {self._place()} cannot be checked. AWS_CA_BUNDLE must name a file "
                "of certificates that are trusted; correct it, or unset it if nothing stands in between."
            )
        elif isinstance(error, of_boto.ConnectionError | of_boto.HTTPClientError):
            message = (
                f"The Price List Query API at {self._place()} cannot be reached ({type(error).__name__}). "
                "Check the network, a proxy (HTTPS_PROXY) and ESTIMATOR_QUERY_API_URL, then try again."
            )
        else:
            message = (
                f"boto3 could not ask the Price List Query API ({type(error).__name__}). "
                f"Check the AWS configuration, {_NO_ACCOUNT_NEEDED}."
            )
        raise PriceListUnreachable(message) from None


def endpoint_near(region: str, endpoints: list[str]) -> str:
    """Choose the Query API's endpoint for an AWS region; only some regions have one.

    Parameters
    ----------
    region : str
        The configured AWS region; empty if there is none.
    endpoints : list of str
        Regions that have an endpoint.

    Returns
    -------
    str
        The region itself, else one on its side of the world.

    Examples
    --------
    >>> endpoint_near("eu-west-1", ["us-east-1", "eu-central-1", "ap-south-1"])
    'eu-central-1'
    """
    if region in endpoints:
        return region
    continent = region.partition("-")[0]
    for endpoint, continents in _NEAR.items():
        if continent in continents and endpoint in endpoints:
            return endpoint
    return _DEFAULT_ENDPOINT


def _filters(service_code: str, region: str, usage_type: str) -> list[dict[str, str]]:
    wanted = {"usagetype": usage_type}
    if region != "global":
        # Data transfer is sold between two places, and has no region of its own.
        wanted["fromRegionCode" if service_code == "AWSDataTransfer" else "regionCode"] = region
    return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]


def _priced(item: object, asked: str, place: str) -> PricedProduct:
    try:
        if not isinstance(item, str):
            raise ValueError("a product is not JSON in a string")
        answer = _DECODER.decode(item)
        published = published_date(answer.publication_date, answer.version)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise PriceListUnavailable(
            f"The Price List Query API's answer for {asked} cannot be read: {why}. Try again later, {_NO_ACCOUNT_NEEDED}."
        ) from None
    origin = Origin(answer.service_code, answer.version, published, place)
    return PricedProduct(answer.product, tuple(answer.terms.on_demand.values()), origin)


def _passes(error: Exception) -> bool:
    """Tell whether the same request may succeed later."""
    import botocore.exceptions as of_boto

    if isinstance(error, of_boto.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _code(error) in THROTTLED or status == 429 or status >= 500
    # A proxy or certificates that do not fit stay so, and so does what boto3 itself did not expect.
    if isinstance(error, of_boto.ProxyConnectionError | of_boto.SSLError) or type(error) is of_boto.HTTPClientError:
        return False
    return isinstance(error, of_boto.ConnectionError | of_boto.HTTPClientError)


def _check_answer(response_dict: dict[str, Any], **_: object) -> None:
    """Raise for a good status whose body is not AWS's, before boto3 takes it for an empty answer."""
    try:
        body = msgspec.json.decode(response_dict["body"])
    except (ValueError, TypeError, RecursionError):
        body = None
    if response_dict["status_code"] < 300:
        if not isinstance(body, dict) or "FormatVersion" not in body:
            raise _CutOff
    elif not isinstance(body, dict):
        # An error page of a proxy; boto3 can parse some of them and stumbles over others. The status says enough.
        response_dict["body"] = b"{}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown error"))


def _no_credentials() -> tuple[type[Exception], ...]:
    import botocore.exceptions as of_boto

    return (
        of_boto.NoCredentialsError,
        of_boto.PartialCredentialsError,
        of_boto.CredentialRetrievalError,
        of_boto.TokenRetrievalError,
        of_boto.NoAuthTokenError,
        of_boto.SSOError,
        of_boto.LoginError,
    )
